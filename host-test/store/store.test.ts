/**
 * The persistent store in the whole gateway: what is found again, what is given up, what is worn out, what is
 * damaged.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { blockLengthFor } from '../../src/store/record-format.ts';
import { BLOCK_HEADER_LENGTH, lengthOfMessage } from '../../src/store/record-format.ts';
import { estimateWear } from '../../src/store/wear.ts';
import { seeded } from '../session/pair.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

const withRule =
  (rule: Partial<NonNullable<PartialConfiguration['topic']>[number]>,
    store: PartialConfiguration['store'] = {}): PartialConfiguration => ({
  ...TINY, topic: [{ ...TINY.topic![0]!, ...rule }], store: { ...TINY.store, ...store },
});

interface Stage {
  medium: FlashMedium;
  server: ServerModel;
  node: NodeModel;
  world: StoreWorld;
}

function stage(configuration: PartialConfiguration = TINY, medium = new FlashMedium(512, 9)): Stage {
  const server = new ServerModel();
  const node = new NodeModel('one');
  const world = new StoreWorld(medium, server, [node], {}, configuration);
  world.connectNode(0);
  return { medium, server, node, world };
}

const again =
  ({ medium, node, server }: Stage, configuration: PartialConfiguration = TINY, seconds?: number): StoreWorld =>
  new StoreWorld(medium, server, [node], { seconds }, configuration);

function sendMany(world: StoreWorld, count: number, topic = (number: number): string => `t${number % 3}`,
  qos = 1): void {
  for (let number = 0; number < count; ++number) {
    world.send(0, [topic(number), `${number}`.padStart(4, '0'), qos]);
    world.settle();
  }
}

const payloads = ({ delivered }: ServerModel): string[] => delivered.map(({ payload }) => payload);
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_value, index) => `${from + index}`.padStart(4, '0'));

describe('after a restart', () => {
  it('what waited is sent, in order, more than the queue holds; the node is acknowledged before', () => {
    const scene = stage();
    sendMany(scene.world, 20);
    expect(scene.node.messages.every(({ isTaken }) => isTaken)).toBe(true);
    const world = again(scene);
    expect(world.queue.window!.waitingCount).toBeGreaterThan(5);
    expect(world.waitingCount).toBe(20);
    expect(world.events).toEqual([Event.STORE_RESTORED]);
    world.finish();
    expect(payloads(scene.server)).toEqual(numbered(0, 20));
    expect(again(scene).waitingCount).toBe(0);
  });

  it('a QoS 2 message that the node repeats with DUP is the same message, until the node has released it', () => {
    const scene = stage();
    scene.world.send(0, ['a/b', 'switch', 2]);
    scene.world.gateway.commit(); // stored, but PUBREC does not arrive
    const world = again(scene);
    world.finish();
    expect(payloads(scene.server)).toEqual(['switch']);
    expect(scene.node.messages[0]!.isDone).toBe(true);
    // The same identifier and content after PUBREL is a new message.
    const later = again(scene);
    later.connectNode(0);
    scene.node.messages[0]!.isDone = scene.node.messages[0]!.isTaken = false;
    later.cutNode(0);
    later.finish();
    expect(payloads(scene.server)).toEqual(['switch', 'switch']);
  });

  it('a QoS 2 message of that identifier is another one if it does not say DUP, or has another content', () => {
    for (const [payload, isRepeated] of [['switch', false], ['other', true]] as const) {
      const scene = stage();
      scene.world.send(0, ['a/b', 'switch', 2]);
      scene.world.gateway.commit();
      const forgetful = new NodeModel('one'); // the node has started anew, with the same identifiers
      const world = new StoreWorld(scene.medium, scene.server, [forgetful]);
      if (isRepeated)
        forgetful.add('a/b', payload, 2); // sent once in vain: the next time with DUP
      world.connectNode(0);
      if (!isRepeated)
        world.send(0, ['a/b', payload, 2]);
      world.finish();
      expect(payloads(scene.server)).toEqual(['switch', payload]);
    }
  });

  it('retained messages and their deletions are among them', () => {
    const scene = stage();
    scene.world.send(0, ['lamp', 'on', 1, true], ['lamp', '', 1, true]);
    scene.world.settle();
    again(scene).finish();
    expect(scene.server.delivered.map(({ payload, retain, topic }) =>
      [topic, payload, retain])).toEqual([['up/lamp', 'on', true], ['up/lamp', '', true]]);
  });

  it('a Server without the session gets them as new messages, without DUP', () => {
    const scene = stage();
    sendMany(scene.world, 4, undefined, 2);
    scene.server.keepsSession = false;
    again(scene).finish();
    expect(scene.server.delivered.map(({ isDuplicate }) => isDuplicate)).toEqual([false, false, false, false]);
    expect(payloads(scene.server)).toEqual(numbered(0, 4));
  });

  it('identifiers go on behind those of the store', () => {
    const scene = stage();
    sendMany(scene.world, 3, undefined, 2);
    const world = again(scene);
    world.finish();
    world.send(0, ['t', 'new', 2]);
    world.settle();
    expect(payloads(scene.server)).toEqual([...numbered(0, 3), 'new']);
  });

  it('identifiers of new messages are not those of messages that wait', () => {
    const scene = stage();
    sendMany(scene.world, 2, undefined, 2);
    const world = again(scene);
    world.connectNode(0);
    world.send(0, ['t', 'new', 2], ['t', 'newer', 2]);
    world.finish();
    expect(payloads(scene.server)).toEqual([...numbered(0, 2), 'new', 'newer']);
  });

  it('what may have been sent before has DUP, what cannot have been has not [MQTT311-3.3.1-1]', () => {
    const scene = stage();
    scene.world.connectUpstream();
    scene.server.isMute = true;
    sendMany(scene.world, 10);
    const inflight = scene.server.delivered.length;
    expect(inflight).toBe(4);
    scene.server.isMute = false;
    again(scene).finish();
    expect(scene.server.delivered.slice(inflight).map(({ isDuplicate }) => isDuplicate)).toEqual([true, true, true,
      true, false, false, false, false, false, false]);
  });

  it('reads each block and each record a bounded number of times', () => {
    const scene = stage(TINY, new FlashMedium(4096, 16));
    sendMany(scene.world, 300);
    let reads = 0;
    const { read } = SimulatedFlash.prototype;
    SimulatedFlash.prototype.read = function (position, length) {
      ++reads;
      read.call(this, position, length);
    };
    try {
      expect(again(scene).waitingCount).toBe(300);
    } finally {
      SimulatedFlash.prototype.read = read;
    }
    expect(reads).toBeLessThan(16 * 20 + 300 * 2 + 16);
  });
});

describe('a full store', () => {
  // 5 usable blocks of 512 bytes.
  const COUNT = 60;

  it('gives up the oldest, counts each one for its rule and says so once', () => {
    const scene = stage();
    sendMany(scene.world, COUNT);
    const { bridge } = scene.world.gateway;
    const dropped = bridge.outbound.rules[0]!.dropped;
    expect(dropped).toBeGreaterThan(COUNT / 4);
    expect(bridge.droppedCount).toBe(dropped);
    expect(scene.world.events.filter(event => event === Event.STORE_FULL)).toHaveLength(1);
    expect(scene.world.waitingCount).toBe(COUNT - dropped);
    scene.world.finish();
    expect(payloads(scene.server)).toEqual(numbered(dropped, COUNT));
  });

  it.each([true, false])('keeps the last message of each topic if the rule says so (after a restart: %s)', restarts => {
    const scene = stage(withRule({ full: 'latest_per_topic' }));
    // Two topics are quiet, the others talk.
    sendMany(scene.world, COUNT, number => number === 1 ? 'quiet/1' : number === 3 ? 'quiet/2' : `t${number % 2}`);
    const world = restarts ? again(scene, withRule({ full: 'latest_per_topic' })) : scene.world;
    const { dropped } = scene.world.gateway.bridge.outbound.rules[0]!;
    world.finish();
    expect(payloads(scene.server)).toContain('0001');
    expect(payloads(scene.server)).toContain('0003');
    expect(payloads(scene.server)).toHaveLength(COUNT - dropped);
    expect(payloads(scene.server).filter(payload =>
      !['0001', '0003'].includes(payload))).toEqual(numbered(dropped + 2, COUNT));
  });

  it('still gives up the oldest when every topic has one message only', () => {
    const scene = stage(withRule({ full: 'latest_per_topic' }));
    sendMany(scene.world, COUNT, number => `only/${number}`);
    expect(scene.world.gateway.bridge.outbound.rules[0]!.dropped).toBeGreaterThan(0);
    scene.world.finish();
    expect(payloads(scene.server)).toContain('0059');
  });

  it('gives up a QoS 2 message that the Server may hold together with its identifier', () => {
    const scene = stage();
    scene.world.connectUpstream();
    scene.server.isMute = true;
    sendMany(scene.world, 4, undefined, 2);
    scene.server.isMute = false;
    scene.world.cutUpstream();
    expect(scene.server.unreleasedCount).toBe(4);
    sendMany(scene.world, COUNT + 20);
    scene.world.finish();
    expect(scene.server.unreleasedCount).toBe(0);
    expect(payloads(scene.server).slice(0, 4)).toEqual(numbered(0, 4));
  });

  it('does not send again what it gave up after the Server had it, if it is restarted before that is erased', () => {
    let givenUpCount = 0;
    for (let count = 20; count < COUNT; ++count) {
      const scene = stage();
      scene.world.connectUpstream();
      scene.server.isMute = true;
      sendMany(scene.world, 4, undefined, 2);
      scene.server.isMute = false;
      scene.world.cutUpstream();
      sendMany(scene.world, count);
      givenUpCount += scene.world.gateway.bridge.droppedCount > 0 ? 1 : 0;
      scene.world.connectUpstream(); // PUBREL of what was given up, and of what was not
      again(scene).finish();
      const found = payloads(scene.server).slice(0, 4);
      expect(found, `${count} more`).toEqual(numbered(0, 4));
      expect(scene.server.delivered.filter(({ payload, qos }) => qos === 2 && found.includes(payload)),
        `${count} more`).toHaveLength(4);
    }
    expect(givenUpCount).toBeGreaterThan(5);
  });

  it('does not keep in the store what its rule does not want there', () => {
    const scene = stage(withRule({ store: false }));
    const { programCount } = scene.medium; // the session of its node
    sendMany(scene.world, 3);
    expect(scene.world.waitingCount).toBe(3);
    expect(scene.medium.programCount).toBe(programCount);
  });

  it('takes no message that is longer than a block, and goes on', () => {
    const scene = stage({ ...TINY, listener: { ...TINY.listener, max_packet_size: 1024 } });
    scene.world.send(0, ['t', 'x'.repeat(600), 1], ['t', 'short', 1]);
    scene.world.finish();
    expect(payloads(scene.server)).toEqual(['short']);
    expect(scene.world.gateway.bridge.outbound.rules[0]!.dropped).toBe(1);
  });
});

describe('what waits', () => {
  it('is given up when it is older than its rule allows, in the queue and in the log', () => {
    const configuration = withRule({ expiry: 60 });
    const scene = stage(configuration);
    sendMany(scene.world, 20);
    const { world } = scene;
    expect(world.queue.window!.waitingCount).toBeGreaterThan(0);
    world.pass(61);
    world.send(0, ['t', 'fresh', 1]);
    world.finish();
    expect(payloads(scene.server)).toEqual(['fresh']);
    expect(world.gateway.bridge.policies[0]!.expired).toBe(20);
    expect(world.gateway.bridge.outbound.rules[0]!.dropped).toBe(20);
    expect(again(scene, configuration).waitingCount).toBe(0);
  });

  it('is replayed no faster than allowed, while QoS 0 passes it', () => {
    const configuration = withRule({ qos: 1 }, { replay_rate: 10 });
    const scene = stage(configuration);
    sendMany(scene.world, 20);
    const { world } = scene;
    world.connectUpstream();
    world.send(0, ['live', 'now', 0]);
    world.settle();
    const count = scene.server.delivered.length;
    expect(payloads(scene.server)).toContain('now');
    expect(count).toBeLessThan(6);
    for (let second = 0; second < 3; ++second)
      world.wait(1000);
    expect(scene.server.delivered.length).toBeGreaterThan(count + 15);
    expect(payloads(scene.server).filter(payload => payload !== 'now')).toEqual(numbered(0,
      scene.server.delivered.length - 1));
  });
});

describe('a storage', () => {
  it('that fails is used no more: one event, and everything goes on in memory', () => {
    const medium = new FlashMedium(512, 9);
    const server = new ServerModel();
    const node = new NodeModel('one');
    const world = new StoreWorld(medium, server, [node], { failsAt: 200 });
    world.connectNode(0);
    world.connectUpstream();
    sendMany(world, 20, undefined, 2);
    expect(world.events.filter(event => event === Event.STORE_FAILED)).toHaveLength(1);
    expect(node.messages.every(({ isDone }) => isDone)).toBe(true);
    expect(payloads(server)).toEqual(numbered(0, 20));
  });

  it('with anything at all in it never stops the gateway, and what is whole is found', () => {
    const reported = { count: 0 };
    const silent = { count: 0 }; // a mark that says "done" may come from anywhere
    for (let seed = 1; seed <= 300; ++seed) {
      const random = seeded(seed);
      const scene = stage();
      sendMany(scene.world, 20, undefined, 1 + seed % 2);
      const { bytes } = scene.medium;
      for (let count = 1 + Math.floor(random() * 4); count > 0; --count) {
        const at = Math.floor(random() * bytes.length);
        const length = Math.min(bytes.length - at, 1 + Math.floor(random() ** 4 * 600));
        for (let index = at; index < at + length; ++index)
          bytes[index] = Math.floor(random() * 256);
      }
      const world = again(scene);
      world.connectUpstream();
      world.settle();
      const found = payloads(scene.server);
      expect(found.filter(payload => !numbered(0, 20).includes(payload))).toEqual([]);
      expect(found).toEqual([...new Set(found)].sort());
      if (found.length < 20)
        ++(world.events.includes(Event.STORE_DAMAGED) ? reported : silent).count;
      world.connectNode(0);
      world.send(0, ['t', 'afterwards', 1]);
      world.finish();
      expect(payloads(scene.server).at(-1)).toBe('afterwards');
    }
    expect(reported.count).toBeGreaterThan(100);
    expect(silent.count).toBeLessThan(reported.count / 10);
  }, 30_000);

  it('of noise is reported and then used', () => {
    const medium = new FlashMedium(512, 9);
    const random = seeded(3);
    medium.bytes.forEach((_byte, index) => { medium.bytes[index] = Math.floor(random() * 256); });
    const scene = stage(TINY, medium);
    expect(scene.world.events).toContain(Event.STORE_DAMAGED);
    sendMany(scene.world, 5);
    again(scene).finish();
    expect(payloads(scene.server)).toEqual(numbered(0, 5));
  });

  it('whose block was begun anew, but not erased, gives back nothing of the turn before', () => {
    const scene = stage();
    sendMany(scene.world, 14); // more than one block
    const { bytes } = scene.medium;
    bytes.copyWithin(0, 512, 512 + 20); // the header of the second block ...
    bytes.fill(0xFF, 20, 32); // ... and no word that a third one follows
    const world = again(scene);
    expect(world.events).toContain(Event.STORE_DAMAGED);
    world.finish();
    expect(payloads(scene.server).length).toBeGreaterThan(0);
    expect(payloads(scene.server)).toEqual(numbered(14 - payloads(scene.server).length, 14));
    expect(payloads(scene.server)).not.toContain('0000');
  });

  it('is not written where a message was that its node releases too late', () => {
    const medium = new FlashMedium(512, 9);
    const server = new ServerModel();
    const nodes = [new NodeModel('one'), new NodeModel('two')];
    const world = new StoreWorld(medium, server, nodes);
    world.connectUpstream();
    world.connectNode(1);
    world.send(1, ['t', 'x'.repeat(30), 1]); // so that later records do not begin at the same places
    world.connectNode(0);
    world.send(0, ['t', 'early', 2]);
    world.gateway.commit();
    nodes[0]!.answer([0x50, 0, 1]); // PUBREC has come, and PUBREL is lost with the connection
    world.cutNode(0);
    // Several turns of the ring, and at last all of it waits, the block where the message was as well.
    for (let number = 0; number < 150
      || world.gateway.durableStore!.backlog.store.queue.ring.tailBlock !== 3; ++number) {
      if (number === 100)
        world.cutUpstream();
      world.send(1, ['t', `${number}`, 1]);
      world.settle();
    }
    world.connectNode(0); // PUBREL
    expect(nodes[0]!.messages[0]!.isDone).toBe(true);
    const waiting = world.waitingCount;
    const next = new StoreWorld(medium, server, nodes);
    expect(next.events).not.toContain(Event.STORE_DAMAGED);
    expect(next.waitingCount).toBeGreaterThanOrEqual(waiting); // what was given up is there until its block is erased
  });

  it('wears evenly, and as estimated', () => {
    const scene = stage();
    scene.world.connectUpstream();
    sendMany(scene.world, 2000);
    const { programCount } = scene.medium;
    const wear = scene.medium.wear.slice(0, 6); // of messages
    expect(Math.max(...wear) - Math.min(...wear)).toBeLessThanOrEqual(1);
    const perBlock = Math.floor((512 - BLOCK_HEADER_LENGTH) / lengthOfMessage(1 + 4, 1));
    expect(scene.medium.eraseCount / 2000).toBeCloseTo(1 / perBlock, 2);
    expect(programCount / 2000).toBeCloseTo(2 + 3 / perBlock,
      1); // record, with its identifier, and done; header and two marks of a block
  });

  it('programs a message that has waited once more, for the identifier under which it is sent', () => {
    const scene = stage();
    sendMany(scene.world, 5);
    const stored = scene.medium.programCount;
    scene.world.connectUpstream();
    expect(scene.medium.programCount - stored).toBe(5 + 5); // identifier and done
  });
});

it('lasts for decades at a message per second', () => {
  const { capacity, programsPerMessage, recordLength, years } =
    estimateWear({ size: 1_048_576, blockLength: 4096, stateShare: 0.25 }, 100, 1, false);
  expect(recordLength).toBe(160);
  expect(programsPerMessage).toBeCloseTo(2 + 3 / 25, 5);
  expect(capacity).toBe(191 * 25);
  expect(years).toBeGreaterThan(15);
  expect(blockLengthFor(4096 - 32 - 60 - 4)).toBe(4096);
  expect(blockLengthFor(4096 - 32 - 60 - 3)).toBe(8192);
});
