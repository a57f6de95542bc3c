/** What nodes and sensors get while the storage does not work: store.on_failure. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

describe.each(['refuse', 'memory'] as const)('with on_failure "%s"', on_failure => {
  function stage(failsAt: number): { world: StoreWorld; server: ServerModel; node: NodeModel } {
    const server = new ServerModel();
    const node = new NodeModel('one');
    node.isClean = true; // a session that is to be kept is not confirmed while nothing can be written
    const world =
      new StoreWorld(new FlashMedium(512, 12), server, [node], { failsAt, failing: 'write' },
        { ...TINY, store: { ...TINY.store, on_failure } });
    world.connectNode(0);
    return { world, server, node };
  }

  it('a node gets an acknowledgement only if memory is enough, and its message arrives in both cases', () => {
    const { world, server, node } = stage(0);
    world.send(0, ['t', '1', 1], ['t', '2', 2]);
    world.settle();
    expect(node.messages.map(({ isTaken }) => isTaken)).toEqual(on_failure === 'memory' ? [true, true]
      : [false, false]);
    expect(world.events.includes(Event.MESSAGE_REFUSED)).toBe(on_failure === 'refuse');
    const { unstoredCount, unstoredRefusals } = world.gateway.bridge;
    expect([unstoredCount, unstoredRefusals]).toEqual(on_failure === 'memory' ? [2, 0] : [0, 1]);
    if (on_failure === 'refuse')
      return;
    world.finish();
    expect(server.delivered.map(({ payload }) => payload)).toEqual(['1', '2']);
  });

  it('a reading goes on in memory', () => {
    const { world, server } = stage(0);
    world.takeReading('air', '21.5');
    world.settle();
    world.finish();
    expect(server.delivered.map(({ payload }) => payload)).toEqual(['21.5']);
  });

  it('what was being made durable when it failed is acknowledged only if memory is enough', () => {
    for (let failsAt = 1; failsAt < 200; failsAt += 7) {
      const { world, node } = stage(failsAt);
      for (let number = 0; number < 8; ++number)
        world.send(0, [`t${number}`, `${number}`.padEnd(30), 1 + number % 2]);
      world.settle();
      const taken = node.messages.map(({ isTaken }) => isTaken);
      if (on_failure === 'memory')
        expect(taken).toEqual(taken.map(() => true));
      else
        expect(taken.slice(taken.indexOf(false)), `order at ${failsAt}`).not.toContain(taken.includes(false));
    }
  });

  it('a storage that works again lets waiting nodes go on', () => {
    const { world, node } = stage(0);
    world.send(0, ['t', '1', 1]);
    world.settle();
    world.replaceStorage();
    for (let turn = 0; turn < 4 && !node.messages.every(({ isDone }) => isDone); ++turn) {
      world.wait(1100);
      world.connectNode(0);
      world.settle();
    }
    expect(node.messages.every(({ isDone }) => isDone)).toBe(true);
    expect(world.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(on_failure === 'refuse' ? 1 : 0);
  });
});

describe('readings that come while messages of their topic wait in a storage that has failed', () => {
  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_value, index) => `${from + index}`);

  /** So many messages are in the log when the storage refuses to be written. */
  function fail(count: number, store: object = {}, full = 'drop_oldest',
    last?: string): { world: StoreWorld; server: ServerModel } {
    const server = new ServerModel();
    const medium = new FlashMedium(512, 16);
    const configuration =
      { ...TINY, store: { ...TINY.store, ram: 1200, ...store }, topic: [{ ...TINY.topic![0]!, full }] } as typeof TINY;
    const first = new StoreWorld(medium, server, [], {}, configuration);
    for (const payload of numbered(0, count))
      first.takeReading('air', payload);
    if (last !== undefined)
      first.takeReading(last, 'the last one of the log');
    first.settle();
    const world = new StoreWorld(medium, server, [], { failsAt: 0, failing: 'write' }, configuration);
    expect(world.waitingCount).toBe(last === undefined ? count : count + 1);
    return { world, server };
  }

  it('are kept in memory after those of the log, and arrive in order', () => {
    const { world, server } = fail(6);
    for (const payload of numbered(6, 10)) {
      world.takeReading('air', payload);
      world.settle();
    }
    world.takeReading('rain', '0');
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
    expect(world.gateway.bridge.droppedCount).toBe(0);
    expect(world.waitingCount).toBe(11);
    world.finish();
    expect(server.delivered.filter(({ topic }) => topic === 'up/air').map(({ payload }) =>
      payload)).toEqual(numbered(0, 10));
    expect(server.delivered.filter(({ topic }) => topic === 'up/rain')).toHaveLength(1);
  });

  it('are dropped, and counted, as long as the log has more than half of the memory holds; the log is delivered in order', () => {
    const { world, server } = fail(40);
    world.takeReading('air', 'too early');
    world.takeReading('rain', '0');
    world.settle();
    expect(world.gateway.bridge.droppedCount).toBe(1);
    world.finish();
    world.takeReading('air', '40');
    world.settle();
    expect(server.delivered.filter(({ topic }) => topic === 'up/air').map(({ payload }) =>
      payload)).toEqual(numbered(0, 41));
    expect(server.delivered.filter(({ topic }) => topic === 'up/rain')).toHaveLength(1);
  });

  it('leave the last one of each topic whole when it is moved in memory', () => {
    const { world, server } = fail(1, { ram: 400 }, 'latest_per_topic', 'rain');
    for (let number = 0; number < 30; ++number) // the first one brings what the log has into memory
      world.takeReading('rain', `${number}`);
    expect(world.gateway.bridge.droppedCount).toBeGreaterThan(10);
    world.finish();
    expect(server.delivered.filter(({ topic }) => topic === 'up/air').map(({ payload }) => payload)).toEqual(['0']);
    const rain = server.delivered.filter(({ topic }) => topic === 'up/rain').map(({ payload }) => payload);
    expect(rain.at(-1)).toBe('29');
    expect(server.delivered.every(({ topic }) => topic === 'up/air' || topic === 'up/rain')).toBe(true);
    expect(world.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(0);
  });
});
