/** Totals and rates of pulse counters, over power cuts and clean stops. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { World } from '../world/world.ts';

const SECOND = 1000;
type Sensor = NonNullable<PartialConfiguration['sensors']>[number];
const METER: Sensor = {
  name: 'water', type: 'pulse_count', pin: 4, topic: 'water', interval: 10, decimals: 0, quantity: 'total',
};

/** A world whose counter counts one pulse a second. */
function counting(medium: FlashMedium | undefined, sensor: Partial<Sensor> = {}) {
  let readAt = 0;
  const world: World = new World({
    configuration: {
      sensors: [{ ...METER, ...sensor }], store: { durability: medium === undefined ? 'ram' : 'flash' },
    },
    createSensor: () => ({
      read: () => {
        const now = Math.floor(world.clock.time / SECOND);
        const pulses = now - readAt;
        readAt = now;
        return pulses;
      },
    }),
    ...medium !== undefined && { openStorage: (_store, arena) => new SimulatedFlash(arena, medium) },
  });
  world.runtime.start();
  world.until(() => world.isConnected);
  return world;
}

const totalsOf = (world: World): number[] => world.uplink.messages.map(message => Number(message.split(' ')[1]));

describe('the total of a pulse counter', () => {
  it('is written before it is published, at most once a minute, and goes on after a power cut', () => {
    const medium = new FlashMedium(4096, 16);
    const first = counting(medium);
    first.run(185 * SECOND);
    const before = totalsOf(first);
    expect(before.at(-1)).toBeGreaterThanOrEqual(120);
    expect(new Set(before).size).toBeLessThanOrEqual(5); // changes with each write only
    expect([...before].sort((a, b) => a - b)).toEqual(before);
    first.cutPower();
    const second = counting(medium);
    second.run(75 * SECOND);
    const after = totalsOf(second);
    expect(after[0]).toBe(before.at(-1)); // no less, and none twice
    expect(after.at(-1)! - before.at(-1)!).toBeLessThanOrEqual(75);
    expect(after.at(-1)! - before.at(-1)!).toBeGreaterThanOrEqual(50);
  });

  it('loses nothing at a clean stop', () => {
    const medium = new FlashMedium(4096, 16);
    const first = counting(medium);
    first.run(85 * SECOND);
    first.runtime.stop(() => {});
    first.run(5 * SECOND);
    const second = counting(medium);
    second.run(5 * SECOND);
    expect(totalsOf(second)[0]).toBe(80); // those that were read: the last one was at 80 seconds
  });

  it('of another name is another one', () => {
    const medium = new FlashMedium(4096, 16);
    const first = counting(medium);
    first.run(65 * SECOND);
    first.cutPower();
    const second = counting(medium, { name: 'gas' });
    second.run(5 * SECOND);
    expect(totalsOf(second)[0]).toBe(0);
  });

  it('without a durable store is counted from the start, and published as it is', () => {
    const world = counting(undefined);
    world.run(35 * SECOND);
    expect(totalsOf(world)).toEqual([0, 10, 20, 30]);
  });
});

it('the rate is in pulses a minute, from the second reading on', () => {
  const world = counting(undefined, { quantity: 'rate', scale: 2 });
  world.run(35 * SECOND);
  expect(totalsOf(world)).toEqual([120, 120, 120]);
});

it('the pulses themselves are those since the last reading', () => {
  const world = counting(undefined, { quantity: 'pulses' });
  world.run(25 * SECOND);
  expect(totalsOf(world)).toEqual([0, 10, 10]);
});
