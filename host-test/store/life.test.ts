/** How long flash lasts is worked out for users; here it is counted, erasure by erasure. */
import { expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { STATE_SHARE } from '../../src/gateway/state-limits.ts';
import { stateNeeds } from '../../src/gateway/state-limits.ts';
import { MESSAGE_DOWN } from '../../src/store/stored-message.ts';
import { estimateLife } from '../../src/store/wear.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { numbered, StoreLife } from './store-life.ts';

const BLOCK_LENGTH = 4096;
const BLOCK_COUNT = 32;
const CONTENT = 64;

it.each([0, 30_000])('flash wears as ringbridge check says, within a tenth, and evenly (%i bytes of state)', stateLength => {
  const medium = new FlashMedium(BLOCK_LENGTH, BLOCK_COUNT);
  const life = new StoreLife(medium, { stateShare: STATE_SHARE, stateCapacity: 1000 });
  const boundary = BLOCK_COUNT - Math.floor(BLOCK_COUNT * STATE_SHARE);
  const filling = numbered(0, Math.floor(stateLength / 128));
  for (const [index, name] of filling.entries())
    expect(life.put(1000 + index, name.padEnd(104, 'x'))).toBe(true);
  const seconds = 30_000;
  const before = [...medium.wear];
  for (let second = 0; second < seconds; ++second) {
    const up = life.push('x'.repeat(CONTENT - 1));
    expect(life.put(1, `${second}`.padStart(CONTENT + 3, '0'))).toBe(true);
    if (second % 5 === 0)
      life.store.queue.done(life.push('x'.repeat(CONTENT + 7), { kind: MESSAGE_DOWN }), 0);
    life.store.queue.done(up, 0);
    life.store.flush();
  }
  const wear = medium.wear.map((count, block) => count - before[block]!);
  const queue = wear.slice(0, boundary);
  const map = wear.slice(boundary);
  const storage = { size: BLOCK_LENGTH * BLOCK_COUNT, blockLength: BLOCK_LENGTH, stateShare: STATE_SHARE };
  const estimate = estimateLife(storage, CONTENT, { up: 1, down: 0.2, retained: 1 }, life.store.state!.usedLength);
  for (const [area, erasures] of [[queue, estimate.queueErasures], [map, estimate.mapErasures]] as const) {
    const mean = area.reduce((sum, count) => sum + count, 0) / area.length;
    expect(mean).toBeGreaterThan(20);
    expect(Math.abs(mean / (erasures * seconds) - 1)).toBeLessThan(0.1);
    expect(Math.max(...area) - Math.min(...area)).toBeLessThanOrEqual(2);
  }
});

it('960 KB of flash last 10 years at the rates of the default configuration, as full of state as they may be', () => {
  const configuration = completeConfiguration({ store: { durability: 'flash' } });
  const storage = { size: 983_040, blockLength: BLOCK_LENGTH, stateShare: STATE_SHARE };
  const { store: { messages_per_second } } = configuration;
  const life = estimateLife(storage, CONTENT, messages_per_second, stateNeeds(configuration).total);
  expect(Math.min(life.queueYears, life.mapYears)).toBeGreaterThan(10);
});
