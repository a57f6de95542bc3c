/** What nodes and sensors get while the storage does not work: store.on_failure. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { adviceOf } from '../../src/gateway/advice.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

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
    expect(world.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(1);
  });
});

describe('a message of QoS 2 that was written, and was not durable when the storage failed', () => {
  const numbered = Array.from({ length: 12 }, (_value, index) => `${index}`.padEnd(20, '.'));

  /** All but the last one are durable; the last one is lost, and its node has got nothing for it. */
  function lose(): { medium: FlashMedium; world: StoreWorld; server: ServerModel; node: NodeModel } {
    const server = new ServerModel();
    const node = new NodeModel('one');
    const medium = new FlashMedium(512, 12);
    let isFailing = false;
    const world = new StoreWorld(medium, server, [node],
      { isCached: true, isDeferred: true, failsFlush: () => isFailing },
      { ...TINY, store: { ...TINY.store, on_failure: 'refuse' } });
    const flush = (): void => {
      for (world.settle(); world.flash.isFlushing; world.settle())
        world.flash.finishFlush();
    };
    world.connectNode(0);
    numbered.forEach((payload, index) => {
      if (index === numbered.length - 1) {
        flush();
        isFailing = true;
      }
      world.send(0, ['t', payload, 2]);
    });
    flush();
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
    expect(node.messages.findIndex(({ isTaken }) => !isTaken)).toBe(numbered.length - 1);
    return { medium, world, server, node };
  }

  function reconnect(world: StoreWorld, node: NodeModel): void {
    for (let turn = 0; turn < 4 && !node.messages.every(({ isDone }) => isDone); ++turn) {
      world.wait(1100);
      world.connectNode(0);
      world.settle();
    }
  }

  it('is new when it comes again, on a storage that works, and arrives once', () => {
    const { medium, node, server, world } = lose();
    world.replaceStorage(medium);
    reconnect(world, node);
    expect(node.messages.every(({ isDone }) => isDone)).toBe(true);
    world.finish();
    expect(server.delivered.map(({ payload }) => payload)).toEqual(numbered);
  });

  it('gets no acknowledgement when it comes again before that', () => {
    const { medium, node, server, world } = lose();
    world.cutNode(0);
    world.connectNode(0);
    world.settle();
    expect(node.messages.at(-1)!.isTaken).toBe(false);
    world.replaceStorage(medium);
    reconnect(world, node);
    world.finish();
    expect(server.delivered.map(({ payload }) => payload)).toEqual(numbered);
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

describe('what is said while the storage does not work', () => {
  const failing = (on_failure: 'memory' | 'refuse'): World => World.quiet(
    { topic: [{}], store: { durability: 'flash', on_failure, path: './x.store' } },
    { openStorage: () => { throw new Error('the disk is gone'); } });
  const CAUSE = 'store.path "./x.store": the disk is gone; store.on_failure is "refuse"';

  it('names the cause and the keys to a node whose session cannot be kept, and not a limit that was not hit', () => {
    const world = failing('refuse');
    expect(world.connect('valve', { clean: false })[1]).toEqual(['CONNACK 3', 'closed']);
    expect(world.eventTexts.at(-1))
      .toBe(`node "valve" refused: server unavailable, the storage of the store does not work (${CAUSE})`);
  });

  it('names them where a message gets no acknowledgement, and says why its node is asked again', () => {
    let isThere = false;
    const medium = new FlashMedium(4096, 12);
    const world = World.quiet({ topic: [{}], store: { durability: 'flash', path: './x.store' } }, {
      openStorage: (_store, arena) => {
        if (!isThere)
          throw new Error('the disk is gone');
        return new SimulatedFlash(arena, medium);
      },
    });
    const node = world.node('meter');
    expect(node.ask(publish('t', '1', { qos: 1, identifier: 1 }))).toEqual([]);
    expect(world.eventTexts.at(-1)).toBe('the storage of the store does not work: node "meter" gets no acknowledgement, '
      + `and is asked to send again when it does (${CAUSE})`);
    isThere = true;
    world.run(32_000);
    expect(world.eventTexts.slice(-2)).toEqual(['the storage of the store works again',
      'node "meter" is gone: quota exceeded: it is to send again what it got no acknowledgement for, for there is room now']);
    expect(world.connect('valve', { clean: false })[1]).toEqual(['CONNACK 0']);
  });

  it('is the truth in the status: what becomes of messages, by on_failure', () => {
    const adviceWith = (on_failure: 'memory' | 'refuse'): string => {
      const { runtime } = failing(on_failure);
      return adviceOf(runtime, runtime.gateway.clock.now);
    };
    expect(adviceWith('memory')).toBe('the storage of the store does not work: the disk is gone; messages are kept in '
      + 'memory only (store.on_failure is "memory")');
    expect(adviceWith('refuse')).toBe('the storage of the store does not work: the disk is gone; until that is mended, nodes '
      + 'get no acknowledgement for QoS 1 and 2, and none is let in whose session is to be kept (store.on_failure is '
      + '"refuse"); readings are kept in memory');
  });

  it.each(['memory', 'refuse'] as const)('has the cause of a failure, with on_failure "%s"', on_failure => {
    const world = World.quiet({ topic: [{}], store: { durability: 'flash', on_failure } },
      { openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(4096, 12), { failsAt: 0, failing: 'write' }) });
    const node = world.node('meter');
    for (let identifier = 1; identifier < 9; ++identifier)
      node.send(publish('t', '1', { qos: 1, identifier }));
    const line = world.eventTexts.find(text => text.includes('has failed'))!;
    expect(line).toMatch(/^the storage of the store has failed: the medium refuses; /);
    expect(line).toContain(on_failure === 'memory' ? 'messages are kept in memory only' : 'nodes get no acknowledgement');
    expect(line).toMatch(/tried again every 30 seconds$/);
  });

  it('is nothing of a storage that works again, as long as it can be read only', () => {
    const medium = new FlashMedium(4096, 12);
    const world = World.quiet({ topic: [{}], store: { durability: 'flash' } }, {
      openStorage: (_store, arena) => Object.assign(new SimulatedFlash(arena, medium, { failsAt: 0, failing: 'write' }),
        { isReadOnly: true, remark: 'may only be read' }),
    });
    for (let attempt = 0; attempt < 3; ++attempt) {
      world.node('meter').send(publish('t', '1', { qos: 1, identifier: 1 }));
      world.run(32_000);
    }
    expect(world.eventTexts.filter(text => text.includes('has failed'))).toHaveLength(4); // the log says it once
    expect(world.eventTexts.join()).not.toContain('works again');
  });
});

it('a session for which the store has no room is refused for that, not for a limit of the listener', () => {
  const listener = { max_connections: 60, max_sessions: 60, max_subscriptions: 400, max_subscription_bytes: 40_000 };
  const world = World.quiet({ listener, store: { durability: 'flash' } }, { openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(4096, 12)) });
  const filler = world.node('filler', { clean: false });
  for (let at = 0; !world.eventTexts.join().includes('refused a subscription'); ++at)
    filler.ask(subscribe(1, `a/${'x'.repeat(60)}/${at}`, 1));
  for (let at = 0; !world.eventTexts.join().includes('session cannot be kept'); ++at)
    world.connect(`node-${at}`, { clean: false });
  expect(world.eventTexts.at(-1)).toMatch(/^node "node-\d+" refused: server unavailable, no room in the store \(store\.size\)$/);
});

describe('a message on which it is noticed that the storage has failed', () => {
  function stage(): { world: World; fail: () => void } {
    const flashes: SimulatedFlash[] = [];
    const world = World.connected({
      configuration: { topic: [{ pattern: 'command/#', direction: 'in', qos: 2 }], listener: { max_connections: 4 },
        store: { durability: 'flash', on_failure: 'refuse' } },
      openStorage: (_store, arena) => {
        flashes.push(new SimulatedFlash(arena, new FlashMedium(4096, 32)));
        return flashes.at(-1)!;
      },
    });
    world.node('valve', { clean: false }, subscribe(1, '#', 2)).vanish();
    world.run(1000);
    return { world, fail: () => { (flashes.at(-1) as unknown as { failsAt: number }).failsAt = 0; } };
  }

  it.each([1, 2] as const)('is not acknowledged to the Server with QoS %d, for a node that is away', qos => {
    const { fail, world } = stage();
    fail();
    world.uplink.post(publish('command/a', 'close', { qos, identifier: 7 }));
    world.run(1000);
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
    expect([...world.uplink.all('puback'), ...world.uplink.all('pubrec')]).toEqual([]);
  });

  it.each([1, 2] as const)('is not acknowledged to a node with QoS %d, for a node that is away', qos => {
    const { fail, world } = stage();
    const node = world.node('sender');
    fail();
    expect(node.ask(publish('a', 'close', { qos, identifier: 7 })).filter(event => /^PUB/.test(event))).toEqual([]);
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
  });

  it.each([1, 2] as const)('is not acknowledged when it is retained, with QoS %d', qos => {
    const { fail, world } = stage();
    const node = world.node('sender');
    fail();
    expect(node.ask(publish('b', 'x', { qos, identifier: 7, retain: true })).filter(event => /^PUB/.test(event)))
      .toEqual([]);
  });
});
