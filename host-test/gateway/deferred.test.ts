import { afterEach, expect, it, vi } from 'vitest';
import { ClientSession } from '../../src/session/client-session.ts';
import { ServerSession } from '../../src/session/server-session.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

afterEach(() => vi.restoreAllMocks());

/** How often sessions look at their deadlines while ten messages are stored, acknowledged and sent. */
function looksBeside(idleNodes: number): number {
  const nodes = Array.from({ length: idleNodes + 1 }, (_, index) => new NodeModel(`node-${index}`));
  const server = new ServerModel();
  const world =
    new StoreWorld(new FlashMedium(4096, 4), server, nodes, {},
      { ...TINY, listener: { ...TINY.listener, max_connections: nodes.length } });
  nodes.forEach((_, index) => world.connectNode(index));
  world.connectUpstream();
  const looks = [ServerSession, ClientSession].map(({ prototype }) => vi.spyOn(prototype, 'handleTimeout'));
  for (let message = 0; message < 10; ++message) {
    world.send(0, ['a', String(message), 1]);
    world.settle();
  }
  const count = looks.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  vi.restoreAllMocks();
  expect(server.delivered).toHaveLength(10);
  expect(nodes[0]!.messages.every(({ isDone }) => isDone)).toBe(true);
  return count;
}

it('makes no session look at its deadlines for a durable message, however many nodes are idle', () => {
  expect([looksBeside(1), looksBeside(60)]).toEqual([0, 0]);
});
