/**
 * A storage that has failed, and another one in its place: empty, of another gateway, an older copy of the same one, or
 * with blocks of another length. What is in memory knows places of the one that is gone; nothing of that may be said of
 * what lies there now.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { CommandServer, ListeningNode } from '../simulation/command-models.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

const CONFIGURATION: PartialConfiguration = {
  ...TINY,
  listener: { ...TINY.listener, max_queued_bytes: 2048, max_inflight_messages: 3 },
  topic: [...TINY.topic!, { pattern: 'cmd/#', direction: 'in', qos: 2 }],
  store: { ...TINY.store, ram: 2000 },
};
const STEPS = 24;
const COUNT = 6;

const numbered = (name: string): string[] => Array.from({ length: COUNT }, (_value, index) => `${name}${index}`);

/** What another gateway has left behind: messages of the same length at the same places. */
function filled(name: string, qos: number, blockLength = 512, blockCount = 12): FlashMedium {
  const medium = new FlashMedium(blockLength, blockCount);
  const world = new StoreWorld(medium, new ServerModel(), [new NodeModel('one')], {}, CONFIGURATION);
  world.connectNode(0);
  for (const payload of numbered(name)) {
    world.send(0, ['t', payload, qos]);
    world.settle();
  }
  return medium;
}

const copyOf = (medium: FlashMedium): FlashMedium => {
  const copy = new FlashMedium(medium.blockLength, medium.blockCount);
  copy.bytes.set(medium.bytes);
  return copy;
};

describe.each([1, 2])('messages with QoS %d on their way up', qos => {
  /** All of `old` wait in memory and in the storage; the connection is there, and nothing has gone out. */
  function stage(): { world: StoreWorld; medium: FlashMedium; server: ServerModel } {
    const medium = filled('old', qos);
    const server = new ServerModel();
    const world = new StoreWorld(medium, server, [new NodeModel('one')], {}, CONFIGURATION);
    world.openUpstream();
    return { world, medium, server };
  }

  it.each([['of another gateway', 512], ['with longer blocks', 1024]] as const)(
    '%s: all that lies there arrives once, and all that was in memory', (_name, blockLength) => {
      for (let failsAt = 0; failsAt < STEPS; failsAt += 3)
        for (let replacedAt = failsAt + 1; replacedAt < STEPS; replacedAt += 5) {
          const { server, world } = stage();
          const other = filled('new', qos, blockLength);
          for (let step = 0; step < STEPS; ++step) {
            if (step === failsAt)
              world.flash.refuse();
            if (step === replacedAt)
              world.replaceStorage(other);
            world.step();
          }
          world.finish();
          const name = `from ${failsAt} to ${replacedAt}`;
          const arrived = server.delivered.map(({ payload }) => payload);
          expect(arrived.filter(payload => payload.startsWith('new')), name).toEqual(numbered('new'));
          // What was not in memory has gone with the storage
          const old = arrived.filter(payload => payload.startsWith('old'));
          expect(old, name).toEqual(numbered('old').slice(0, old.length));
          expect(world.waitingCount, name).toBe(0);
          expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
          expect(new StoreWorld(other, server, [], {}, CONFIGURATION).waitingCount, name).toBe(0);
        }
    }, 60_000);

  it('an older copy: what has gone out since it was made is not lost, nor what lies in it', () => {
    for (let copiedAt = 0; copiedAt < STEPS; copiedAt += 3)
      for (let failsAt = copiedAt + 1; failsAt < STEPS; failsAt += 4) {
        const { medium, server, world } = stage();
        let copy = medium;
        for (let step = 0; step < failsAt; ++step) {
          if (step === copiedAt)
            copy = copyOf(medium);
          world.step();
        }
        world.flash.refuse();
        world.step();
        world.replaceStorage(copy);
        world.connectNode(0);
        world.send(0, ['t', 'last', qos]);
        world.finish();
        const arrived = server.delivered.map(({ payload }) => payload);
        const name = `copied at ${copiedAt}, failed at ${failsAt}`;
        expect([...new Set(arrived)], name).toEqual([...numbered('old'), 'last']);
        expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
      }
  }, 60_000);
});

describe.each([1, 2])('commands with QoS %d on their way down', qos => {
  const listening = (): ListeningNode => new ListeningNode('valve', 'cmd/#', 2);

  /** What waits for the node, which is away, in memory and in the storage. */
  function stage(name: string): { world: StoreWorld; medium: FlashMedium; server: CommandServer; node: ListeningNode } {
    const medium = new FlashMedium(512, 24);
    const server = new CommandServer();
    const node = listening();
    node.server = server;
    const world = new StoreWorld(medium, server, [node], {}, CONFIGURATION);
    world.connectUpstream();
    world.connectNode(0);
    world.cutNode(0);
    for (const payload of numbered(name)) {
      world.fromServer(server.command('cmd/a', payload, qos));
      world.settle();
    }
    return { world, medium, server, node };
  }

  it('of another gateway: all that lies there for the node arrives once, and all that was in memory', () => {
    for (let failsAt = 0; failsAt < STEPS; failsAt += 3)
      for (let replacedAt = failsAt + 1; replacedAt < STEPS; replacedAt += 5) {
        const { medium: other } = stage('new');
        const { node, world } = stage('old');
        world.openNode(0);
        for (let step = 0; step < STEPS; ++step) {
          if (step === failsAt)
            world.flash.refuse();
          if (step === replacedAt)
            world.replaceStorage(other);
          world.step();
        }
        world.finish();
        const name = `from ${failsAt} to ${replacedAt}`;
        expect(node.got.filter(payload => payload.startsWith('old')), name).toEqual(numbered('old'));
        expect(node.got.filter(payload => payload.startsWith('new')), name).toEqual(numbered('new'));
        expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
      }
  }, 60_000);
});
