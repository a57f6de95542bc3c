/** A program that was stopped or busy hears what has arrived before it judges who was silent. */
import { describe, expect, it } from 'vitest';
import type { Packet } from 'mqtt-packet';
import { acknowledge, oblige, type Peer, World } from '../world/world.ts';

const NODE_COUNT = 10;
const KEEP_ALIVE = 2;

describe('a program that was stopped for longer than everybody waits', () => {
  it.each([3100, 4000, 5000,
    60_000])('for %i ms: no node is closed, no Will is published when PINGREQ waits in the sockets', milliseconds => {
    const world =
      World.connected({ configuration: { listener: { max_connections: NODE_COUNT + 1 },
        upstream: { keepalive_interval: 0 } }, board: { connectionLimit: 20 } });
    const watcher = world.client('watcher');
    watcher.subscribe('will/#');
    const nodes = Array.from({ length: NODE_COUNT }, (_, index) => world.client(`n${index}`, {
      keepAlive: KEEP_ALIVE, will: { topic: `will/${index}`, payload: 'gone' },
    }));
    world.run(100);
    world.board.stall(milliseconds);
    world.run(KEEP_ALIVE * 1000 - 200);
    for (const node of nodes)
      node.post({ cmd: 'pingreq' });
    world.run(milliseconds);
    for (const node of nodes)
      node.post({ cmd: 'pingreq' });
    world.run(1000);
    expect(world.nodeEndings).toEqual([]);
    expect(watcher.messages).toEqual([]);
    expect(nodes.map(node => node.all('pingresp').length)).toEqual(nodes.map(() => 2));
  });

  it('a node that has really been silent is closed all the same', () => {
    const world = World.connected({ configuration: { upstream: { keepalive_interval: 0 } } });
    world.client('n', { keepAlive: KEEP_ALIVE });
    world.board.stall(5000);
    world.run(5100);
    expect(world.nodeEndings.length).toBe(1);
  });

  it('a CONNECT that waits in the socket is heard before connect_timeout is over for it', () => {
    const world =
      World.connected({ configuration: { listener: { connect_timeout: 2 }, upstream: { keepalive_interval: 0 } } });
    const node = world.dial(acknowledge);
    world.run(100);
    world.board.stall(5000);
    node.post({ cmd: 'connect', clientId: 'n', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 });
    world.run(6000);
    expect(world.nodeEndings).toEqual([]);
    expect(node.all('connack').map(({ returnCode }) => returnCode)).toEqual([0]);
  });

  /** Obliging, but answers after `delay` milliseconds. */
  const slow = (world: () => World, delay: number) => (peer: Peer, packet: Packet): void => {
    world().clock.schedule(delay, () => oblige(peer, packet));
  };

  it.each([
    ['PINGRESP', { keepalive_interval: 10, connack_timeout: 3 }, false],
    ['PUBACK', { keepalive_interval: 0, acknowledgement_timeout: 3 }, true],
  ] as const)('%s of the broker that waits in the socket is in time', (_name, upstream, publishes) => {
    const world: World = World.connected({ configuration: { upstream } });
    const node = world.client('n');
    world.server = slow(() => world, 1000);
    if (publishes)
      node.publish('a', 'x', 1);
    world.until(() => world.uplink.packets.at(-1)!.cmd === (publishes ? 'publish' : 'pingreq'));
    world.board.stall(10_000);
    world.run(11_000);
    expect(world.upstreamEndings).toEqual([]);
    expect(world.isConnected).toBe(true);
  });
});
