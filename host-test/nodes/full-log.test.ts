/**
 * The log is full of messages for the Server, none of which may be given up: messages for nodes have a part of their
 * own in it, and connected nodes get theirs in any case.
 */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { publish, subscribe } from '../world/packets.ts';
import type { PacketHandler } from '../world/peer.ts';
import { oblige, type Peer, World, type WorldOptions } from '../world/world.ts';

const KEPT = { clean: false };
const TEXT = 'x'.repeat(100);

/** A gateway that may lose its power. */
function start(server: PacketHandler, blocks = 32): { world: World; restart(): void } {
  const medium = new FlashMedium(4096, blocks);
  const options: WorldOptions = {
    board: PEER,
    landingCapacity: 16_384,
    server,
    configuration: {
      topic: [{ pattern: 'up/#', direction: 'out', qos: 1 }, { pattern: 'cmd/#', direction: 'in', qos: 2 }],
      listener: { max_connections: 12, max_queued_messages: 1000, max_queued_bytes: 65_536 },
      store: { durability: 'flash', ram: 32_768, full: 'drop_newest' },
    },
    openStorage: (_store, arena) => new SimulatedFlash(arena, medium),
  };
  const world = World.connected(options);
  return {
    world,
    restart: () => {
      world.cutPower();
      world.begin(options);
      world.runtime.start();
      world.until(() => world.isConnected);
    },
  };
}

/** The Server is away until nothing more is taken from nodes; then it is back, and takes nothing. */
function fill(world: World): Peer {
  world.stopListening();
  world.uplink.close();
  world.run();
  const writer = world.client('writer');
  for (let identifier = 1; identifier <= 1500; ++identifier)
    writer.post(publish('up/a', TEXT, { qos: 1, identifier }));
  world.run(1000);
  const taken = writer.all('puback').length;
  expect(taken).toBeGreaterThan(100);
  expect(taken).toBeLessThan(1500);
  writer.vanish();
  world.listen();
  world.until(() => world.isConnected);
  world.run(100);
  return world.uplink;
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_value, index) => `${index + 1}`);

/** No more at a time than a gateway takes. */
function command(world: World, count: number, qos: number): void {
  for (const text of numbered(count)) {
    world.uplink.post(publish('cmd/a', text, { qos, identifier: Number(text) }));
    if (Number(text) % 20 === 0)
      world.run(50);
  }
  world.run(1000);
}

/** Does all that a Server must, but for messages, of which it takes none. */
const takeNothing = (peer: Peer, packet: Packet): void => {
  if (packet.cmd !== 'publish')
    oblige(peer, packet);
};

describe.each([1, 2])('a log that is full of messages for the broker, with drop_newest: commands of QoS %i', qos => {
  it('for a node that is away are kept, over a power cut too', () => {
    const { restart, world } = start(takeNothing);
    world.node('away', KEPT, subscribe(1, 'cmd/#', 2)).vanish();
    const uplink = fill(world);
    command(world, 10, qos);
    expect(uplink.all(qos === 1 ? 'puback' : 'pubrec')).toHaveLength(10);
    expect(world.gateway.delivery.droppedCount).toBe(0);
    expect(world.gateway.durableStore!.nodes.messages.count).toBe(10);
    restart();
    const back = world.client('away', KEPT);
    world.run(1000);
    expect(back.messages).toEqual(numbered(10).map(text => `cmd/a ${text}`));
  });

  it('for a node that is there arrive, even when nothing more has room, as do messages of nodes', () => {
    const { world } = start(takeNothing);
    world.node('away', KEPT, subscribe(1, 'cmd/#', 2)).vanish();
    const here = world.client('here', KEPT);
    here.post(subscribe(1, '#', 2));
    fill(world);
    const before = here.messages.length;
    command(world, 400, qos);
    expect(here.messages.slice(before)).toEqual(numbered(400).map(text => `cmd/a ${text}`));
    const writer = world.client('other');
    writer.publish('here/a', 'hello', 1);
    world.run(1000);
    expect(here.messages.at(-1)).toBe('here/a hello');
    expect(writer.all('puback')).toHaveLength(1);
    const { droppedCount } = world.gateway.delivery;
    expect(droppedCount).toBeGreaterThan(0);
    expect(droppedCount).toBeLessThan(400);
    const texts = world.eventTexts.filter(text => text.includes('the store is full of messages for the broker'));
    expect(texts.map(text => text.split(':')[0])).toEqual([expect.stringContaining('dropped a message for a node'),
      expect.stringContaining('a message for a connected node is in memory only')]);
    expect(world.eventTexts.some(text => text.includes('half of the store'))).toBe(false);
  });
});
