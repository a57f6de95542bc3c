/** What comes while stored messages are sent need not wait for all of them. */
import { describe, expect, it } from 'vitest';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

describe.each(['flash', 'ram'] as const)('while stored messages are sent (%s)', durability => {
  function stage(stored: number, replay_rate: number,
    inflight = 20): { world: StoreWorld; server: ServerModel; node: NodeModel } {
    const server = new ServerModel();
    const node = new NodeModel('one');
    const world = new StoreWorld(new FlashMedium(4096, 160), server, [node], {}, {
      ...TINY, upstream: { ...TINY.upstream, max_inflight_messages: inflight },
        topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
      store: { ram: durability === 'ram' ? 1_048_576 : 4096, durability, replay_rate },
    });
    world.connectNode(0);
    for (let number = 0; number < stored; ++number) {
      world.send(0, [`stored/${number % 20}`, `${number}`, 1]);
      world.settle();
    }
    return { world, server, node };
  }

  it('60 live messages of QoS 1 get out within 8 seconds, though 4,000 wait for 20', () => {
    const { server, world } = stage(4000, 200);
    world.openUpstream();
    const begin = world.gateway.clock.now;
    for (let number = 0; number < 60; ++number) {
      world.wait(80);
      world.send(0, ['live/t', `live ${number}`, 1]);
    }
    world.wait(1000);
    const seconds = (world.gateway.clock.now - begin) / 1000;
    expect(seconds).toBeLessThan(8.5);
    const live = server.delivered.filter(({ topic }) => topic === 'up/live/t').map(({ payload }) => payload);
    expect(live).toEqual(Array.from({ length: 60 }, (_value, number) => `live ${number}`));
    const stored = server.delivered.length - 60;
    expect(stored).toBeGreaterThan(180 * seconds);
    expect(stored).toBeLessThan(205 * seconds);
  }, 60_000);

  it('a live message of a topic of which some wait comes after them', () => {
    const { server, world } = stage(200, 50);
    world.openUpstream();
    for (let number = 200; number < 240; ++number) {
      world.wait(20);
      world.send(0, [`stored/${number % 20}`, `${number}`, 1]);
    }
    for (let second = 0; second < 10; ++second)
      world.wait(1000);
    expect(server.delivered).toHaveLength(240);
    for (let topic = 0; topic < 20; ++topic)
      expect(server.delivered.filter(one => one.topic === `up/stored/${topic}`).map(({ payload }) =>
        Number(payload))).toEqual(Array.from({ length: 12 }, (_value, index) => topic + 20 * index));
  });

  it.each([1, 2, 4, 20])('neither side starves the other (%i in flight)', inflight => {
    const { server, world } = stage(100, 0, inflight);
    world.openUpstream();
    world.settle();
    expect(server.delivered.length).toBe(100);
    world.cutUpstream();
    for (let number = 0; number < 100; ++number)
      world.send(0, [`stored/${number % 20}`, 'again', 1]);
    world.settle();
    server.isMute = true; // the window stays full
    world.openUpstream();
    for (let number = 0; number < 100; ++number)
      world.send(0, ['live/t', `${number}`, 1]);
    world.settle();
    const sent = server.delivered.slice(100);
    expect(sent).toHaveLength(inflight);
    if (inflight >= 4)
      expect(sent.filter(({ topic }) => topic === 'up/live/t').length).toBeLessThanOrEqual(inflight - (inflight >> 2));
  });
});
