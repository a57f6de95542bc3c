/** What nodes and sensors get while the storage does not work: store.on_failure. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

describe.each(['refuse', 'memory'] as const)('with on_failure "%s"', on_failure => {
  function stage(failsAt: number): { world: StoreWorld; server: ServerModel; node: NodeModel } {
    const server = new ServerModel();
    const node = new NodeModel('one');
    const world = new StoreWorld(new FlashMedium(512, 12), server, [node], { failsAt, failing: 'write' }, { ...TINY, store: { ...TINY.store, on_failure } });
    world.connectNode(0);
    return { world, server, node };
  }

  it('a node gets an acknowledgement only if memory is enough, and its message arrives in both cases', () => {
    const { world, server, node } = stage(0);
    world.send(0, ['t', '1', 1], ['t', '2', 2]);
    world.settle();
    expect(node.messages.map(({ isTaken }) => isTaken)).toEqual(on_failure === 'memory' ? [true, true] : [false, false]);
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
