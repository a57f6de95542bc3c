/**
 * A storage that fails and works again: the same one, at any step of what goes up and of what goes down. What was done
 * meanwhile is not done again, nor after a power cut later; what waits in it arrives.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { UnwrittenMarks } from '../../src/store/unwritten-marks.ts';
import { CommandServer, ListeningNode } from '../simulation/command-models.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, packet, publish, ServerModel, StoreWorld, TINY, word } from '../simulation/store-world.ts';

const NEVER = 1000;
const BOTH_WAYS: PartialConfiguration = {
  ...TINY,
  listener: { ...TINY.listener, max_queued_bytes: 2048, max_inflight_messages: 3 },
  topic: [...TINY.topic!, { pattern: 'cmd/#', direction: 'in', qos: 2 }],
};

/** So many steps, with a storage that cannot be written from one of them on, and can again from another. */
function run(world: StoreWorld, medium: FlashMedium, steps: number, failsAt: number, worksAt: number): void {
  for (let step = 0; step < steps; ++step) {
    if (step === failsAt)
      world.flash.refuse();
    if (step === worksAt)
      world.replaceStorage(medium);
    world.step();
  }
}

/** Each pair of steps at which it fails and works again, of so many. */
function* outages(steps: number, stride: number): Generator<readonly [failsAt: number, worksAt: number]> {
  for (let failsAt = 0; failsAt < steps; ++failsAt)
    for (let worksAt = failsAt + 1; worksAt <= steps; worksAt += stride)
      yield [failsAt, worksAt];
}

describe.each([1, 2])('messages with QoS %d on their way up', qos => {
  const numbered = Array.from({ length: 9 }, (_value, index) => `${index}`);
  const STEPS = 30;

  function stage(): { world: StoreWorld; medium: FlashMedium; server: ServerModel; node: NodeModel } {
    const medium = new FlashMedium(512, 12);
    const server = new ServerModel();
    const node = new NodeModel('one');
    const world = new StoreWorld(medium, server, [node]);
    world.connectNode(0);
    for (const payload of numbered) {
      world.send(0, ['t', payload, qos]);
      world.settle();
    }
    world.openUpstream();
    return { world, medium, server, node };
  }

  const arrived = ({ delivered }: ServerModel): string[] => delivered.map(({ payload }) => payload);

  it('all go out in so many steps', () => {
    const { medium, server, world } = stage();
    run(world, medium, STEPS, NEVER, NEVER);
    expect(arrived(server)).toEqual(numbered);
    expect(world.step()).toBe(false);
  });

  it('arrive once, in order, and are done in the storage too', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7)) {
      const { medium, node, server, world } = stage();
      run(world, medium, STEPS, failsAt, worksAt);
      world.settle();
      world.send(0, ['t', 'new', qos]);
      world.settle();
      world.finish();
      const name = `from ${failsAt} to ${worksAt}`;
      expect(arrived(server), name).toEqual([...numbered, 'new']);
      if (worksAt < STEPS)
        expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
      const next = new StoreWorld(medium, server, [node]);
      next.finish();
      if (worksAt < STEPS)
        expect(arrived(server), name).toEqual([...numbered, 'new']);
    }
  }, 60_000);

  it('arrive once, in order, with a connection that ends in between', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7)) {
      const { medium, server, world } = stage();
      for (let step = 0; step < STEPS; ++step) {
        if (step === failsAt)
          world.flash.refuse();
        if (step === worksAt) {
          world.cutUpstream();
          world.replaceStorage(medium);
          world.openUpstream();
        }
        world.step();
      }
      world.finish();
      const name = `from ${failsAt} to ${worksAt}`;
      expect(qos === 2 ? arrived(server) : [...new Set(arrived(server))], name).toEqual(numbered);
      expect(arrived(server).length, name).toBeLessThanOrEqual(numbered.length + (qos === 2 ? 0 : 4)); // under way
    }
  }, 60_000);

  it('are known to be done, or under way, after a power cut that comes later', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7))
      for (let cutAt = worksAt + 1; cutAt <= STEPS; cutAt += 4) {
        const { medium, node, server, world } = stage();
        run(world, medium, cutAt, failsAt, worksAt);
        world.gateway.commit();
        const before = arrived(server).length;
        if (cutAt % 2 === 0)
          world.arriveLate();
        const next = new StoreWorld(medium, server, [node]);
        next.finish();
        const name = `from ${failsAt} to ${worksAt}, cut at ${cutAt}`;
        expect(qos === 2 ? arrived(server) : [...new Set(arrived(server))], name).toEqual(numbered);
        expect(arrived(server).length, name).toBeLessThanOrEqual(numbered.length + (qos === 2 ? 0 : 4));
        expect(before).toBeLessThanOrEqual(numbered.length);
      }
  }, 60_000);
});

describe.each([1, 2])('commands with QoS %d on their way down', qos => {
  const STEPS = 24;
  const COUNT = 7;
  const numbered = Array.from({ length: COUNT }, (_value, index) => `${index}`);

  function stage(): { world: StoreWorld; medium: FlashMedium; server: CommandServer; node: ListeningNode } {
    const medium = new FlashMedium(512, 24);
    const server = new CommandServer();
    const node = new ListeningNode('valve', 'cmd/#', 2);
    node.server = server;
    const world = new StoreWorld(medium, server, [node], {}, BOTH_WAYS);
    world.connectUpstream();
    world.connectNode(0);
    world.settle();
    world.cutNode(0);
    for (const payload of numbered) {
      world.fromServer(server.command('cmd/a', payload, qos));
      world.settle();
    }
    world.openNode(0);
    return { world, medium, server, node };
  }

  it('all go out in so many steps', () => {
    const { medium, node, world } = stage();
    run(world, medium, STEPS, NEVER, NEVER);
    expect(node.got).toEqual(numbered);
    expect(world.step()).toBe(false);
  });

  it('arrive once, in order, and are done in the storage too', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7)) {
      const { medium, node, server, world } = stage();
      run(world, medium, STEPS, failsAt, worksAt);
      world.finish();
      const name = `from ${failsAt} to ${worksAt}`;
      expect(node.got, name).toEqual(numbered);
      if (worksAt === STEPS)
        continue;
      expect(world.gateway.durableStore!.backlog.store.queue.pendingCount, name).toBe(0);
      new StoreWorld(medium, server, [node], {}, BOTH_WAYS).finish();
      expect(node.got, name).toEqual(numbered);
      expect(node.lostSessions).toBe(0);
    }
  }, 60_000);

  it('arrive once, in order, when the node comes again after the storage works', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7)) {
      const { medium, node, world } = stage();
      run(world, medium, worksAt, failsAt, NEVER);
      world.cutNode(0);
      world.replaceStorage(medium);
      world.finish();
      const name = `from ${failsAt} to ${worksAt}`;
      expect(qos === 2 ? node.got : [...new Set(node.got)], name).toEqual(numbered);
      expect(node.got.length, name).toBeLessThanOrEqual(COUNT + (qos === 2 ? 0 : 3));
    }
  }, 60_000);

  it('are known to be done, or under way, after a power cut that comes later', () => {
    for (const [failsAt, worksAt] of outages(STEPS, 7))
      for (let cutAt = worksAt + 1; cutAt <= STEPS; cutAt += 4) {
        const { medium, node, server, world } = stage();
        run(world, medium, cutAt, failsAt, worksAt);
        world.gateway.commit();
        if (cutAt % 2 === 0)
          world.arriveLate();
        new StoreWorld(medium, server, [node], {}, BOTH_WAYS).finish();
        const name = `from ${failsAt} to ${worksAt}, cut at ${cutAt}`;
        expect(qos === 2 ? node.got : [...new Set(node.got)], name).toEqual(numbered);
        expect(node.got.length, name).toBeLessThanOrEqual(COUNT + (qos === 2 ? 0 : 3));
      }
  }, 60_000);
});

it('a message that its node has released meanwhile is not taken for one that comes later, after a power cut', () => {
  const medium = new FlashMedium(512, 12);
  const server = new ServerModel();
  const IDENTIFIER = 7;
  const node = new NodeModel('one');
  node.answer = () => []; // as it is told here
  const world = new StoreWorld(medium, server, [node]);
  world.connectNode(0);
  world.say(0, ...publish('t', 'open', 2, IDENTIFIER, 0));
  world.flash.refuse();
  world.say(0, ...packet(0x62, word(IDENTIFIER)));
  world.replaceStorage(medium);
  world.finish();
  const next = new StoreWorld(medium, server, [node]);
  next.connectNode(0);
  next.say(0, ...publish('t', 'open', 2, IDENTIFIER, 8)); // its first attempt was lost with a connection
  next.finish();
  expect(server.delivered.map(({ payload }) => payload)).toEqual(['open', 'open']);
});

it('marks of a storage with blocks of another length are about nothing that lies in this one', () => {
  const marks = new UnwrittenMarks();
  marks.begin(4, 512);
  marks.prove(1, 77);
  marks.end();
  marks.settle(512 + 64);
  marks.begin(4, 512);
  marks.compare(1, 77);
  expect(marks.isSame(512 + 64)).toBe(true);
  expect(marks.isSettled(512 + 64)).toBe(true);
  marks.begin(4, 1024); // that attempt has failed
  marks.compare(0, 77);
  marks.compare(1, 77);
  expect(marks.isSame(1024)).toBe(false);
  expect(marks.isSettled(512 + 64)).toBe(false);
});

it('there are marks only of the blocks that may have messages', () => {
  const marks = new UnwrittenMarks();
  for (let attempt = 0; attempt < 2; ++attempt) {
    marks.begin(2, 512);
    marks.compare(1, 77);
    marks.prove(2, 78); // the map's
  }
  marks.settle(512);
  marks.settle(2 * 512);
  expect([marks.isSame(512), marks.isSettled(512)]).toEqual([false, true]);
  expect([marks.isSame(2 * 512), marks.isSettled(2 * 512)]).toEqual([false, false]);
});
