/** The memory of a board is what its firmware is built with, and the configuration that is built in fits. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { DEVICE_STORE_SIZE } from '../../src/io/board-features.ts';
import { BOARDS, memoryMap } from '../../src/host/board-memory.ts';
import { describeConfiguration, DEVICE_SOCKETS, findOverflow } from '../../src/host/check.ts';

interface Creation { static?: number; chunk: { initial: number }; heap: { initial: number }; stack: number }

const manifest = JSON.parse(readFileSync(new URL('../../manifest.json', import.meta.url), 'utf8')) as {
  config: { ringbridge: PartialConfiguration };
  creation: Creation;
  platforms: Record<string, { creation?: Creation }>;
};

const SLOT = 16;

test('an ESP32-C3 has the block that its manifest names', () => {
  expect(BOARDS['esp32c3']).toBe(manifest.platforms['esp32/esp32c3']!.creation!.static);
});

test('an ESP32 has at least what its manifest takes at start', () => {
  const { chunk, heap, stack } = manifest.creation;
  expect(BOARDS['esp32']).toBeGreaterThanOrEqual(chunk.initial + (heap.initial + stack) * SLOT);
});

test.each(Object.keys(BOARDS))('the built-in configuration fits the board "%s"', board => {
  expect(findOverflow(completeConfiguration(manifest.config.ringbridge), board)).toBeUndefined();
});

test('a board has the sockets that its options name, and more nodes than that are refused', () => {
  const options = readFileSync(new URL('../../src/device/sdkconfig.defaults', import.meta.url), 'utf8');
  expect(DEVICE_SOCKETS).toBe(Number(/^CONFIG_LWIP_MAX_ACTIVE_TCP=(\d+)$/m.exec(options)![1]));
  const overflowOf = (max_connections: number): string | undefined => findOverflow(completeConfiguration({
    listener: { max_connections, max_packet_size: 128, max_queued_bytes: 64, max_will_size: 0,
      max_clientid_length: 23 },
    store: { ram: 256 },
  }), 'esp32');
  expect(overflowOf(14)).toBeUndefined();
  expect(overflowOf(15)).toBe('listener.max_connections: 15 nodes, one that is turned away and the broker need 17 sockets, '
    + 'and a board has 16; write 14 or less instead');
});

test('the defaults fit an ESP32', () => {
  expect(findOverflow(completeConfiguration({}), 'esp32')).toBeUndefined();
});

test('the arena fits exactly, and not with one word more', () => {
  const overflowOf = (ram: number): string | undefined =>
    findOverflow(completeConfiguration({ store: { ram } }), 'esp32');
  const lengthOf = (ram: number): number =>
    memoryMap(completeConfiguration({ store: { ram } })).reduce((sum, { count, length }) => sum + count * length, 0);
  const tooMuch = Number(/(\d+) bytes too much/.exec(overflowOf(100_000)!)![1]);
  const fitting = 100_000 - tooMuch & ~3; // a part of the store is whole words
  const spare = lengthOf(100_000) - lengthOf(fitting) - tooMuch;
  expect(spare).toBeGreaterThanOrEqual(0);
  expect(spare).toBeLessThan(4);
  expect(overflowOf(fitting)).toBeUndefined();
  expect(overflowOf(fitting + 4)).toContain(` ${4 - spare} bytes too much`);
});

test.each<readonly [string, PartialConfiguration]>([
  ['sensors', { sensors: Array.from({ length: 80 }, (_, index) =>
    ({ name: `s${index}`, type: 'simulated', interval: 1 })) as PartialConfiguration['sensors'] & object }],
  ['users', { listener: { users: Array.from({ length: 150 }, (_, index) =>
    ({ username: `u${index}`, password: 'p' })) } }],
  ['topic rules',
    { topic: Array.from({ length: 90 }, (_, index) => ({ pattern: `t${index}`, direction: 'out' as const })) }],
])('objects count as well as the arena: %s', (_name, partial) => {
  expect(findOverflow(completeConfiguration({ ...partial, store: { ram: 8192 } }),
    'esp32')).toContain('bytes too much');
});

describe('a store that survives power cuts', () => {
  /** Bytes that its tables take on a board. */
  const lengthOf = (partial: PartialConfiguration): number =>
    Number(/^ {2}persistent store +(\d+)$/m.exec(describeConfiguration(completeConfiguration(partial), 'esp32'))![1]);
  const durable = { store: { durability: 'flash' as const } };

  test('has the partition that is in the table', () => {
    const table = readFileSync(new URL('../../src/device/partitions.csv', import.meta.url), 'utf8');
    expect(DEVICE_STORE_SIZE).toBe(Number(/^store, .*, *(0x[0-9A-Fa-f]+),$/m.exec(table)![1]));
  });

  test('counts, with what it remembers of nodes, blocks and topics', () => {
    expect(lengthOf({})).toBe(0);
    const alone = lengthOf(durable);
    expect(alone).toBeGreaterThan(0);
    // An entry has 12 bytes; up to 64 of them have one in the index of the map, too.
    const oneMoreEach = lengthOf({ ...durable, listener: { max_unreleased_messages: 65 } }) - alone;
    expect(oneMoreEach).toBeGreaterThanOrEqual(6 * 12);
    expect(oneMoreEach).toBeLessThanOrEqual(6 * 20);
    const latest = lengthOf({ ...durable, topic: [{ direction: 'out', full: 'latest_per_topic' }] }) - alone;
    expect(latest).toBeGreaterThan(512 * 8);
    expect(latest).toBeLessThan(512 * 8 + 200);
    expect(alone - lengthOf({ ...durable, upstream: { max_packet_size: 8000 },
      listener: { max_packet_size: 8000 } })).toBe((240 - 120) * 11);
  });

  test.each(['esp32', 'esp32c3'])('is refused where it does not fit: %s', board => {
    const large = completeConfiguration({ ...manifest.config.ringbridge, store: { durability: 'flash', ram: 80_000 } });
    expect(findOverflow(large, board)).toContain('bytes too much');
  });

  test.each(Object.keys(BOARDS).filter(board => board !== 'esp32c3'))(
    'fits the board "%s" beside the built-in configuration', board => {
      expect(findOverflow(completeConfiguration({ ...manifest.config.ringbridge, ...durable }), board)).toBeUndefined();
    });

  test('fits an ESP32-C3 beside three nodes of the built-in configuration with the sizes that are proposed', () => {
    const { listener, upstream, ...rest } = manifest.config.ringbridge;
    const sizes = (length: number, ram: number, topics: number, unreleased: number, nodes = {}): string | undefined =>
      findOverflow(completeConfiguration({
        ...rest,
        upstream: { ...upstream, max_packet_size: length },
        listener: { ...listener, max_packet_size: length, max_queued_bytes: length,
          max_unreleased_messages: unreleased, ...nodes },
        store: { durability: 'flash', ram },
        memory: { ...rest.memory, topics },
      }), 'esp32c3');
    expect(sizes(960, 8192, 32, 64)).toContain('"listener": { "max_connections": 3, "max_sessions": 5, "max_packet_size": 512, '
      + '"max_unreleased_messages": 20 }, "store": { "ram": 2048 }, "memory": { "topics": 16 }');
    expect(sizes(512, 2048, 16, 20, { max_connections: 3, max_sessions: 5 })).toBeUndefined();
  });

  test('lasts as long as the partition of the board lets it, or store.size on a PC', () => {
    const configuration = completeConfiguration({ store: { durability: 'flash', size: 1_048_576 } });
    expect(describeConfiguration(configuration, 'esp32')).toContain('Store in 983040 bytes of flash');
    expect(describeConfiguration(configuration)).toContain('Store in 1048576 bytes of flash');
  });
});
