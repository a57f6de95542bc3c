/** What the calendar of a computer is worth: the store judges by it how long the power was off. */
import { afterEach, expect, it, vi } from 'vitest';
import { createPlatform } from '../../src/host/platform.ts';

afterEach(() => { vi.useRealTimers(); });

it.each([
  ['is not known before the network has set it, as after a start without a clock that keeps time', '1970-01-01T00:01:00Z', 0],
  ['is not known while the clock chip has lost its battery', '2000-01-01T00:01:00Z', 0],
  ['is what the computer says', '2026-11-29T12:00:00Z', Date.UTC(2026, 10, 29, 12) / 1000],
])('%s', (_name, text, seconds) => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(text) });
  expect(createPlatform({ authenticate: () => 0 }).date!()).toBe(seconds);
});
