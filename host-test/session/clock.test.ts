import { describe, expect, it } from 'vitest';
import { Clock, isDue } from '../../src/session/clock.ts';

/** Moments just before a border, as a clock may show them: signed or unsigned. */
const BORDERS = [
  { name: 'zero', before: -1 },
  { name: '0x7FFFFFFF', before: 0x7FFFFFFF },
  { name: '0xFFFFFFFF', before: 0xFFFFFFFF },
  { name: '0xFFFFFFFF as a signed integer', before: 0xFFFFFFFF | 0 },
];

describe.each(BORDERS)('at the border $name', ({ before }) => {
  it('a moment is due when it has come, not a millisecond earlier, and still long after', () => {
    const moment = before + 5;
    for (const at of [moment, moment | 0, moment >>> 0]) {
      expect(isDue(at, before)).toBe(false);
      expect(isDue(at, before + 4 | 0)).toBe(false);
      expect(isDue(at, before + 5 | 0)).toBe(true);
      expect(isDue(at, before + 5 >>> 0)).toBe(true);
      expect(isDue(at, before + 1_000_000_000 | 0)).toBe(true);
    }
  });

  it('the earlier of two requested moments is the deadline, in either order', () => {
    for (const moments of [[before + 10, before - 10], [before - 10, before + 10]]) {
      const clock = new Clock();
      clock.now = before - 20 | 0;
      for (const moment of moments)
        clock.request(moment | 0);
      expect(clock.deadline).toBe(before - 10 | 0);
      expect(clock.isArmed).toBe(true);
    }
  });
});

it('nothing is requested at the beginning, and a stale deadline counts for nothing', () => {
  const clock = new Clock();
  expect(clock.isArmed).toBe(false);
  clock.request(5);
  clock.isArmed = false;
  clock.request(100);
  expect(clock.deadline).toBe(100);
});

it('counts seconds across the wrap-around of milliseconds, and not when time goes back', () => {
  const clock = new Clock();
  const start = clock.countSeconds();
  let now = 0;
  for (let step = 0; step < 10; ++step) { // 100 days
    now += 864_000_000;
    clock.now = now | 0;
    clock.countSeconds();
  }
  expect(clock.countSeconds() - start).toBe(8_640_000);
  clock.now = now - 5000 | 0;
  expect(clock.countSeconds() - start).toBe(8_640_000);
  clock.now = now + 900 | 0;
  expect(clock.countSeconds() - start).toBe(8_640_000);
  clock.now = now + 1000 | 0;
  expect(clock.countSeconds() - start).toBe(8_640_001);
});

it('counts seconds from wherever the milliseconds begin', () => {
  for (const first of [-2_000_000_000, 0x7FFFFFFF, -1_000_000, 5]) {
    const clock = new Clock();
    clock.now = first;
    const start = clock.countSeconds();
    clock.now = first + 7000 | 0;
    expect(clock.countSeconds() - start).toBe(7);
  }
});
