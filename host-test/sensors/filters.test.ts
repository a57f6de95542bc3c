/** What filters make of readings: in the order of the configuration, with what ESPHome's documentation says of each. */
import { describe, expect, it, test } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import type { FilterConfiguration } from '../../src/config/filter-configuration.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { FilterChain, memoryOf } from '../../src/sensors/filters.ts';
import { World } from '../world/world.ts';

const SECOND = 1000;

/** What goes on of readings that come a second apart; `-` for what is held back. */
function through(filters: readonly FilterConfiguration[], values: readonly number[], start = 0): string {
  const chain = new FilterChain(filters);
  return values.map((value, index) => {
    const passed = chain.pass(value, start + index * SECOND | 0);
    return Number.isNaN(passed) ? '-' : String(Math.round(passed * 1000) / 1000);
  }).join(' ');
}

describe('a filter', () => {
  it.each<[string, FilterConfiguration[], number[], string]>([
    ['offset', [{ offset: -0.5 }], [1, 2], '0.5 1.5'],
    ['multiply', [{ multiply: 2 }], [1, -2], '2 -4'],
    ['median with every reading', [{ median: { window_size: 3, send_every: 1 } }], [1, 9, 2, 3, 50, 4], '1 5 2 3 3 4'],
    ['median as it comes', [{ median: {} }], [5, 1, 4, 2, 3, 9, 9, 9], '5 - - - - 3 - -'],
    ['median that waits for its window', [{ median: { window_size: 3, send_every: 3, send_first_at: 3 } }],
      [1, 9, 2, 3, 50, 4], '- - 2 - - 4'],
    ['min', [{ min: { window_size: 3, send_every: 1 } }], [3, 2, 5, 6, 7, 8], '3 2 2 2 5 6'],
    ['max', [{ max: { window_size: 3, send_every: 2 } }], [3, 2, 5, 6, 1, 0, 0], '3 - 5 - 6 - 1'],
    ['mean of a window', [{ sliding_window_moving_average: { window_size: 4, send_every: 4, send_first_at: 4 } }],
      [1, 2, 3, 4, 10, 10, 10, 14], '- - - 2.5 - - - 11'],
    ['mean that moves', [{ sliding_window_moving_average: { window_size: 2, send_every: 1 } }], [1, 2, 4, 8], '1 1.5 3 6'],
    ['throttle', [{ throttle: 3 }], [1, 2, 3, 4, 5, 6, 7], '1 - - 4 - - 7'],
    ['delta', [{ delta: 0.5 }], [1, 1.4, 1.5, 1.6, 1, 0.9], '1 - 1.5 - 1 -'],
    ['calibration by two points', [{ calibrate_linear: [[0, 1], [100, 99]] }], [0, 50, 100, 200, -100], '1 50 99 197 -97'],
    ['calibration by several points, in any order', [{ calibrate_linear: [[20, 40], [0, 0], [10, 10]] }],
      [-5, 5, 10, 15, 20, 30], '-5 5 10 25 40 70'],
  ])('%s', (_, filters, values, expected) => {
    expect(through(filters, values)).toBe(expected);
  });

  it('comes after the one before it, and sees what that one lets pass', () => {
    expect(through([{ multiply: 10 }, { delta: 5 }], [1, 1.4, 1.6], 0)).toBe('10 - 16');
    expect(through([{ delta: 5 }, { multiply: 10 }], [1, 1.4, 1.6, 7], 0)).toBe('10 - - 70');
    expect(through([{ median: { window_size: 3, send_every: 3, send_first_at: 3 } }, { throttle: 4 }],
      [1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe('- - 2 - - - - - 8');
  });

  it('throttles over the end of the clock', () => {
    expect(through([{ throttle: 3 }], [1, 2, 3, 4, 5], 0x7FFFFFFF - SECOND)).toBe('1 - - 4 -');
  });

  it('says what it takes of memory', () => {
    expect([{ offset: 1 }, { throttle: 1 }, { min: {} }, { max: { window_size: 7 } }, { median: {} },
      { sliding_window_moving_average: {} }, { calibrate_linear: [[0, 0], [1, 1]] }].map(memoryOf))
      .toEqual([0, 0, 5, 7, 10, 15, 4]);
  });
});

type Sensor = NonNullable<PartialConfiguration['sensors']>[number];

function published(values: readonly number[], sensor: Partial<Sensor>, seconds: number): string[] {
  let at = 0;
  const world = World.connected({
    configuration: { sensors: [{ name: 's', type: 'any', topic: 's', interval: 10, decimals: 1, ...sensor }] },
    createSensor: () => ({ read: () => values[at++]! }),
  });
  world.run(seconds * SECOND);
  return world.uplink.messages.map(message => message.replace('up/', ''));
}

describe('a sensor with filters', () => {
  it('scales first, then filters, then compares with the deadband', () => {
    const filters = [{ delta: 15 }, { multiply: 2 }];
    expect(published([1, 2, 3, 4], { scale: 10, offset: 1, filters, deadband: 50 }, 35))
      .toEqual(['s 22.0']); // 11 goes on as 22; 21 is held; 31 goes on as 62, which differs by 40 only; 41 is held
  });

  it('says again what was last said when the heartbeat is due, though filters hold everything back', () => {
    expect(published([1, 1, 1, 1, 1, 1, 1], { filters: [{ delta: 5 }], heartbeat: 30 }, 65))
      .toEqual(['s 1.0', 's 1.0', 's 1.0']);
    expect(published([1, 1, 1, 1, 1, 1, 1], { filters: [{ delta: 5 }] }, 65)).toEqual(['s 1.0']);
  });

  it('begins anew after it has expired', () => {
    expect(published([1, 1, NaN, NaN, NaN, 1, 1], { filters: [{ delta: 5 }], expire_after: 25, topic: 's' }, 65)
      .filter(message => message.startsWith('s '))).toEqual(['s 1.0', 's 1.0']);
  });
});

test.each<[unknown, string]>([
  [[{}], 'sensors[0].filters[0]: a filter has one key; write for example { "median": { "window_size": 5 } } instead'],
  [[{ delta: 1 }, { throttle: 1, delta: 2 }], 'sensors[0].filters[1]: a filter has one key; write { "throttle": … }, '
    + '{ "delta": … } in the order in which they follow each other instead'],
  [[{ multiply: 0 }], 'sensors[0].filters[0].multiply: with 0 every reading is the same; write another number instead'],
  [[{ calibrate_linear: [[1, 2], [1, 3]] }], 'two points have the same first number; write one of them instead'],
  [[{ median: { send_every: 2, send_first_at: 3 } }], 'sensors[0].filters[0].median.send_first_at: 3 is later than every '
    + 'following one; write 2 or less instead'],
  [[{ medain: {} }], 'sensors[0].filters[0].medain'],
  [[{ median: { window_size: 0 } }], 'sensors[0].filters[0].median.window_size'],
])('%j is refused', (filters, text) => {
  const { errors } = readConfiguration(JSON.stringify({ sensors: [{ name: 's', type: 'simulated', filters }] }), 'f', {});
  expect(errors).toEqual([expect.stringContaining(text)]);
});
