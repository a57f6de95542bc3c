/** Limits agree, and the full queue of a node that is away gives up what `listener.queue_full` says. */
import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { limitConflicts } from '../../src/gateway/packet-limits.ts';
import { subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const OUT = [{ pattern: '#', direction: 'out' as const, remote_prefix: 'site/' }];
const pathsOf = (partial: PartialConfiguration, sizes: PartialConfiguration = {}): string[] =>
  limitConflicts(completeConfiguration({ topic: OUT, ...partial }, sizes)).map(({ path }) => path.join('.'));

describe('limits', () => {
  it('agree by default, on a board and on a PC, with prefixes and mount points of some length', () => {
    const users = [{ username: 'u', password: 'p', mount_point: 'site/%u/' }];
    for (const sizes of [{}, PC_SIZES]) {
      expect(pathsOf({}, sizes)).toEqual([]);
      expect(pathsOf({ listener: { users }, topic: [{ pattern: '#', remote_prefix: 'a/prefix/of/some/length/' }] },
        sizes)).toEqual([]);
    }
  });

  it.each([
    ['a PC with a store of 8 KB', { listener: { max_packet_size: 65_536 }, store: { ram: 8192 } }, PC_SIZES,
      ['store.ram']],
    ['a PC with packets of 1 MiB', { listener: { max_packet_size: 1_048_576 } }, PC_SIZES,
      ['listener.max_queued_bytes', 'store.ram']],
    ['a board with packets of 16 KB', { listener: { max_packet_size: 16_384 } }, {},
      ['listener.max_queued_bytes', 'store.ram']],
    ['a board with packets of 2 KB from upstream', { upstream: { max_packet_size: 2048 } }, {},
      ['listener.max_queued_bytes']],
    ['a queue of 1 KB', { listener: { max_packet_size: 1024, max_queued_bytes: 1024 } }, {},
      ['listener.max_queued_bytes']],
    ['a prefix as long as the rest', { topic: [{ pattern: '#', remote_prefix: `${'p'.repeat(300)}/` }] }, {},
      ['listener.max_queued_bytes']],
  ])('that contradict each other are found: %s', (_name, partial, sizes, paths) => {
    expect(pathsOf(partial, sizes)).toEqual(paths);
  });

  it('are what the text says: the figure that it names is enough, and one unit less is not', () => {
    const required = (partial: PartialConfiguration): number =>
      Number(/write (\d+)/.exec(limitConflicts(completeConfiguration({ topic: OUT, ...partial }))[0]!.text)![1]);
    const sizes = { listener: { max_packet_size: 700 }, upstream: { max_packet_size: 900 } };
    const withQueue = (bytes: number): PartialConfiguration =>
      ({ ...sizes, listener: { ...sizes.listener, max_queued_bytes: bytes } });
    const withStore = (bytes: number): PartialConfiguration => ({ ...sizes, store: { ram: bytes } });
    const queued = required(withQueue(64));
    expect(pathsOf(withQueue(queued))).toEqual([]);
    expect(pathsOf(withQueue(queued - 4))).toEqual(['listener.max_queued_bytes']);
    const stored = required(withStore(256));
    expect(pathsOf(withStore(stored))).toEqual([]);
    expect(pathsOf(withStore(stored - 4))).toEqual(['store.ram']);
  });

  it('that nobody has written follow those that somebody has made small', () => {
    for (const sizes of [{}, PC_SIZES])
      for (const bytes of [512, 1024, 2048, 8192])
        expect(pathsOf({ listener: { max_queued_bytes: bytes }, store: { ram: bytes } }, sizes)).toEqual([]);
  });

  it('at a board\'s defaults: the longest message that a node may send reaches an idle node, a node that is away, and the broker', () => {
    const world = World.connected({ configuration: { topic: OUT } });
    const reader = world.client('reader');
    reader.subscribe('t', 1);
    const away = world.client('away', { clean: false });
    away.subscribe('t', 1);
    world.run(50);
    away.close();
    world.run(50);
    const longest = 'x'.repeat(1024 - 3 - 3 - 2);
    world.client('writer').publish('t', longest, 1);
    world.run(500);
    expect(reader.messages).toEqual([`t ${longest}`]);
    expect(world.uplink.messages).toEqual([`site/t ${longest}`]);
    const back = world.client('away', { clean: false });
    world.run(500);
    expect(back.messages).toEqual([`t ${longest}`]);
  });
});

describe('the full queue of a node that is away', () => {
  function filled(policy?: 'drop_newest' | 'drop_oldest'): { world: World; got: string[] } {
    const world = World.quiet({ listener: { max_queued_messages: 5, ...policy && { queue_full: policy } } });
    world.node('away', { clean: false }, subscribe(1, 't', 1)).vanish();
    const writer = world.client('writer');
    for (let index = 0; index < 12; ++index)
      writer.publish('t', `${index}`, 1);
    world.run(100);
    expect(writer.all('puback').length).toBe(12);
    const got = world.client('away', { clean: false });
    world.run(100);
    return { world, got: got.messages };
  }

  it.each([
    [undefined, [0, 1, 2, 3, 4]], ['drop_newest' as const, [0, 1, 2, 3, 4]],
      ['drop_oldest' as const, [7, 8, 9, 10, 11]],
  ])('with queue_full %s keeps what that says, counts the rest and says so once', (policy, kept) => {
    const { got, world } = filled(policy);
    expect(got).toEqual(kept.map(number => `t ${number}`));
    expect(world.gateway.delivery.droppedCount).toBe(7);
    expect(world.eventTexts.filter(text => text.includes('queue_full')).length).toBe(1);
  });
});

describe('a message longer than listener.max_packet_size', () => {
  it('is acknowledged, skipped, counted and named with its length by default; the connection and what follows live on', () => {
    const world = World.quiet();
    const reader = world.node('reader', {}, subscribe(1, 't', 0));
    const writer = world.client('writer');
    writer.publish('t', 'x'.repeat(5000), 1);
    writer.publish('t', 'behind', 1);
    world.run(200);
    expect(writer.all('puback').length).toBe(2);
    expect(writer.isClosed).toBe(false);
    expect(reader.take()).toEqual(['PUBLISH t=behind q0']);
    expect(world.gateway.delivery.droppedCount).toBe(1);
    expect(world.eventTexts.filter(text => text.includes('5000 bytes')).length).toBe(1);
  });
});
