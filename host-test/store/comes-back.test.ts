/**
 * A storage that is lost, in each way that one can be, while messages and sessions change, and one that comes back:
 * what is in memory wins. Then the power is cut: the next life finds in the storage what memory had.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { CommandServer, ListeningNode } from '../simulation/command-models.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { packet, StoreWorld, text, TINY } from '../simulation/store-world.ts';

const CONFIGURATION: PartialConfiguration = {
  ...TINY,
  upstream: { ...TINY.upstream, max_inflight_messages: 4 },
  listener: { ...TINY.listener, max_connections: 4, max_sessions: 6, max_queued_bytes: 4096, max_inflight_messages: 3,
    max_retained_bytes: 1024, max_subscription_bytes: 512, persistent_client_expiration: 0 },
  topic: [
    { pattern: 'cmd/#', direction: 'in', qos: 2 },
    { pattern: 'a/#', direction: 'out', qos: 2, remote_prefix: 'up/' },
    { pattern: '#', direction: 'out', qos: 2, remote_prefix: 'up/' },
  ],
  store: { ...TINY.store, ram: 8192 },
};
const BLOCK = 512;
const BLOCKS = 40;

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_value, index) => `${name}${index}`);
const copyOf = (medium: FlashMedium): FlashMedium => {
  const copy = new FlashMedium(medium.blockLength, medium.blockCount);
  copy.bytes.set(medium.bytes);
  return copy;
};
const cut = (medium: FlashMedium, length: number): FlashMedium => {
  const copy = copyOf(medium);
  copy.bytes.fill(0xFF, length);
  return copy;
};

const SENDER = 0, AWAY = 1, HERE = 2, LEAVES = 3;
const COUNT = 10;

interface Stage {
  world: StoreWorld;
  medium: FlashMedium;
  server: CommandServer;
  nodes: ListeningNode[];
}

/**
 * A node that is away with commands, one that is here, one that will end its session, and one that sends; retained
 * messages, and messages for the Server that wait.
 */
function stage(qos: number, configuration = CONFIGURATION): Stage {
  const medium = new FlashMedium(BLOCK, BLOCKS);
  const server = new CommandServer();
  const nodes = ['sender', 'away', 'here', 'leaves'].map(name => new ListeningNode(name, `cmd/${name}/#`, 2));
  for (const node of nodes)
    node.server = server;
  const world = new StoreWorld(medium, server, nodes, {}, configuration);
  world.connectUpstream();
  for (let index = 0; index < nodes.length; ++index)
    world.connectNode(index);
  world.cutNode(AWAY);
  world.send(SENDER, ['kept/set', 'first', 1, true], ['kept/cleared', 'first', 1, true]);
  world.settle();
  for (const payload of numbered('c', COUNT / 2)) {
    world.fromServer(server.command('cmd/away/x', payload, qos));
    world.settle();
  }
  world.cutUpstream();
  return { world, medium, server, nodes };
}

const send = (world: StoreWorld, topic: string, name: string, count: number, qos: number): void => {
  for (const payload of numbered(name, count)) {
    world.send(SENDER, [topic, payload, qos]);
    world.settle();
  }
};

/** What is done after a copy of the storage has been made: more of everything, some of it undone. */
function change({ server, world }: Stage, qos: number): void {
  send(world, 'a/b', 'w', 6, qos);
  world.connectUpstream();
  for (let index = COUNT / 2; index < COUNT; ++index) {
    world.fromServer(server.command('cmd/away/x', `c${index}`, qos));
    world.settle();
  }
  world.fromServer(server.command('cmd/here/x', 'now', qos));
  world.settle();
  world.send(SENDER, ['kept/set', 'second', 1, true], ['kept/cleared', '', 1, true], ['kept/new', 'third', 1, true]);
  world.settle();
}

/** What is done while no storage works. */
function changeWithout({ nodes, world }: Stage, qos: number): void {
  world.cutUpstream();
  send(world, 'a/c', 'm', 5, qos);
  nodes[LEAVES]!.isClean = true;
  nodes[LEAVES]!.isSubscribed = false;
  world.cutNode(LEAVES);
  world.connectNode(LEAVES);
  world.cutNode(LEAVES);
  world.say(HERE, ...packet(0xA2, [0, 77, ...text('cmd/here/#')]));
  world.say(HERE, ...packet(0x82, [0, 78, ...text('cmd/here/y'), 2]));
  world.send(SENDER, ['kept/new', 'fourth', 1, true]);
  world.settle();
}

/** A new node that takes what is retained. */
function retained(world: StoreWorld): string[] {
  const before = world.toNodes[SENDER]!.length;
  world.say(SENDER, ...packet(0x82, [0, 90, ...text('kept/#'), 0]));
  return world.toNodes[SENDER]!.slice(before).filter(one => one.startsWith('3'))
    .map(one => Buffer.from(one, 'hex').subarray(3).toString('latin1').replace(/^.(?=kept)/, '')).sort();
}

interface Loss {
  /** What the gateway finds when a storage can be had again. @param old as it was before `change` */
  readonly after: (medium: FlashMedium, old: FlashMedium) => FlashMedium;
}

const LOSSES: Readonly<Record<string, Loss>> = {
  'errors for a while': { after: medium => medium },
  'cut to half': { after: medium => cut(medium, medium.bytes.length >> 1) },
  'cut in the middle of a block': { after: medium => cut(medium, BLOCK + 200) },
  'cut to nothing': { after: medium => cut(medium, 0) },
  'another size': { after: () => new FlashMedium(1024, 30) },
  'an older copy of itself': { after: (_medium, old) => old },
  'the store of another gateway': { after: () => foreign() },
};

/** Of another gateway: other sessions, other retained messages, and messages of its own. */
function foreign(): FlashMedium {
  const medium = new FlashMedium(BLOCK, BLOCKS);
  const server = new CommandServer();
  const node = new ListeningNode('stranger', 'cmd/stranger/#', 2);
  const world = new StoreWorld(medium, server, [node], {}, CONFIGURATION);
  world.connectUpstream();
  node.will = { topic: 'status', payload: 'lost', keepAlive: 10 };
  world.connectNode(0);
  world.send(0, ['kept/strange', 'foreign', 1, true]);
  world.settle();
  world.cutUpstream();
  world.send(0, ['a/f', 'foreign', 1]);
  world.settle();
  return medium;
}

describe.each([1, 2])('with QoS %d, a storage that was lost by', qos => {
  it.each(Object.entries(LOSSES))('%s: memory wins, and the next life finds what it had', (name, { after }) => {
    const all = stage(qos);
    const { medium, nodes, server, world } = all;
    const old = copyOf(medium);
    change(all, qos);
    world.flash.refuse();
    changeWithout(all, qos);
    const found = after(medium, old);
    world.replaceStorage(found);
    world.settle();
    expect(world.gateway.durableStore!.inMemoryCount).toBe(0);
    expect(world.gateway.bridge.droppedCount).toBe(0);

    // The power is cut, and nothing is left but the storage.
    for (const node of nodes)
      node.isClean = false;
    const next = new StoreWorld(found, server, nodes, {}, CONFIGURATION);
    expect(next.gateway.nodes.states.filter(({ identifierLength }) => identifierLength > 0)).toHaveLength(3);
    expect(next.gateway.subscriptions.count).toBe(3);
    next.finish();
    expect(nodes[AWAY]!.got, name).toEqual(numbered('c', COUNT));
    expect(nodes.map(({ sessions }) => sessions.at(-1))).toEqual([true, true, true, false]);
    const arrived = (topic: string): string[] =>
      server.delivered.filter(one => one.topic === `up/${topic}`).map(({ payload }) => payload);
    expect(arrived('a/b')).toEqual(numbered('w', 6));
    expect(arrived('a/c')).toEqual(numbered('m', 5));
    expect(arrived('status')).toEqual([]); // the Will of a stranger is not published
    expect(retained(next)).toEqual(['kept/newfourth', 'kept/setsecond']);
    next.fromServer(server.command('cmd/here/y', 'after', qos));
    next.fromServer(server.command('cmd/here/x', 'after that', qos)); // unsubscribed while there was no storage
    next.settle();
    expect(nodes[HERE]!.got).toEqual(['now', 'after']);
    expect(next.waitingCount).toBe(0);
    expect(next.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(0);
  });
});

const WAITING = 8;
const STEPS = [0, 3, 5, 8, 12, 20];

/** Messages wait in the storage alone when it is copied; some of them go out before it fails, and some after that. */
function* partly(qos: number, { after }: Loss): Generator<Stage & { found: FlashMedium; name: string }> {
  for (const before of STEPS)
    for (const meanwhile of STEPS) {
      const all = stage(qos);
      const { medium, world } = all;
      send(world, 'a/e', 'e', WAITING, qos);
      const old = copyOf(medium);
      world.openUpstream();
      for (let step = 0; step < before; ++step)
        world.step();
      world.flash.refuse();
      for (let step = 0; step < meanwhile; ++step)
        world.step();
      const found = after(medium, old);
      world.replaceStorage(found);
      yield { ...all, found, name: `${before} steps before, ${meanwhile} meanwhile` };
    }
}

describe.each([1, 2])('messages with QoS %d that were on their way when a storage was lost by', qos => {
  const arrived = ({ delivered }: CommandServer): string[] =>
    delivered.filter(({ topic }) => topic === 'up/a/e').map(({ payload }) => payload);
  const uniqueOf = (list: string[]): string[] => qos === 2 ? list : [...new Set(list)];
  const droppedBy = ({ gateway: { bridge } }: StoreWorld): number[] =>
    [...bridge.outbound.rules.map(({ dropped }) => dropped), bridge.droppedCount];

  it.each(Object.entries(LOSSES))('%s: each arrives, or is counted for its rule', (_name, loss) => {
    for (const { found, name, nodes, server, world } of partly(qos, loss)) {
      world.finish();
      const all = uniqueOf(arrived(server));
      const lost = WAITING - all.length;
      expect(all, name).toEqual(numbered('e', WAITING).slice(0, all.length));
      expect(droppedBy(world), name).toEqual([lost, 0, lost]);
      expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
      const next = new StoreWorld(found, server, nodes, {}, CONFIGURATION);
      next.finish();
      expect(uniqueOf(arrived(server)), name).toEqual(all);
      expect(uniqueOf(nodes[AWAY]!.got), name).toEqual(numbered('c', COUNT / 2));
    }
  }, 60_000);

  it.each(Object.entries(LOSSES))('%s, and the power as soon as it works again: the same', (_name, loss) => {
    for (const { found, name, nodes, server, world } of partly(qos, loss)) {
      world.gateway.commit();
      const lost = world.gateway.bridge.droppedCount;
      expect(droppedBy(world), name).toEqual([lost, 0, lost]);
      world.arriveLate();
      const next = new StoreWorld(found, server, nodes, {}, CONFIGURATION);
      next.finish();
      expect(uniqueOf(arrived(server)), name).toEqual(numbered('e', WAITING - lost));
      expect(uniqueOf(nodes[AWAY]!.got), name).toEqual(numbered('c', COUNT / 2));
      expect(next.waitingCount, name).toBe(0);
    }
  }, 60_000);
});
