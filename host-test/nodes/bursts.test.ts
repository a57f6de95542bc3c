/** Bursts for a node that is connected and has no room: whoever has sent them waits, as long as that takes some. */
import { describe, expect, it } from 'vitest';
import { HELD_BY_NODE } from '../../src/session/holds.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { publish } from '../world/packets.ts';
import { acknowledge, type Peer, World } from '../world/world.ts';

const COUNT = 200;
const PATIENCE = 2000;

/** @param count of QoS 2 a node may have only some under way */
function burst(length = 10, qos: 1 | 2 = 1, count = qos === 2 ? 15 : COUNT): {
  texts: string[]; packets: Uint8Array[];
} {
  const texts = Array.from({ length: count }, (_, index) => `t ${String(index)}${'x'.repeat(length)}`);
  return { texts, packets: texts.map((text, index) => publish('t', text.slice(2), { identifier: index + 1, qos })) };
}

function quiet(listener = {}): World {
  return World.quiet({ listener: { max_queued_messages: 5, send_timeout: PATIENCE / 1000, ...listener } });
}

function reader(world: World, name: string, onPacket = acknowledge): Peer {
  const node = world.client(name, {}, onPacket);
  node.subscribe('t', 2);
  world.run(50);
  return node;
}

/** Acknowledges each message so much later. */
const slow = (world: World, delay: number): typeof acknowledge => (peer, packet) => {
  world.clock.schedule(delay, () => acknowledge(peer, packet));
};

const heldOf = (world: World): number =>
  world.gateway.sessions.filter(session => session.isHeldBy(HELD_BY_NODE)).length;

describe('a burst of another node', () => {
  it.each([[10, 1], [200, 1], [700, 1], [10, 2], [700, 2]] as const)(
    'with payloads of %i bytes and QoS %i reaches a node that takes it, and nothing is lost, doubled or turned round',
    (length, qos) => {
      const world = quiet();
      const node = reader(world, 'reader');
      const { packets, texts } = burst(length, qos);
      const writer = world.client('writer');
      writer.post(...packets);
      world.run(60_000);
      expect(node.messages).toEqual(texts);
      expect(writer.all(qos === 1 ? 'puback' : 'pubrec').length).toBe(texts.length);
      expect(world.gateway.delivery.droppedCount).toBe(0);
      expect(world.gateway.held.heldCount).toBeGreaterThan(0);
    });
  it('waits for a node that takes a message every second, as long as that takes; other nodes do not', () => {
    const world = quiet({ max_inflight_messages: 1 });
    const node = reader(world, 'slow', slow(world, 1000));
    const { packets, texts } = burst();
    const writer = world.client('writer');
    writer.post(...packets.slice(0, 30));
    world.run(5000);
    expect(heldOf(world)).toBe(1);
    const other = world.client('other');
    other.subscribe('other', 1);
    world.run(50);
    world.client('quiet').publish('other', 'x', 1);
    world.run(100);
    expect(other.messages).toEqual(['other x']);
    world.run(60_000);
    expect(node.messages).toEqual(texts.slice(0, 30));
    expect(writer.all('puback').length).toBe(30);
    expect(world.gateway.delivery.droppedCount).toBe(0);
  });

  it('waits for one that takes nothing for listener.send_timeout; then it is given up for that, counted, and said', () => {
    const world = quiet({ max_inflight_messages: 2 });
    const stuck: Peer = reader(world, 'stuck', (peer, packet) => packet.cmd === 'publish' || acknowledge(peer, packet));
    const node = reader(world, 'reader');
    const { packets, texts } = burst();
    const writer = world.client('writer');
    writer.post(...packets.slice(0, 30));
    world.run(PATIENCE - 100);
    expect(writer.all('puback').length).toBe(5);
    expect(node.messages).toEqual(texts.slice(0, 6)); // others have got the message at hand
    world.run(1000);
    expect(writer.all('puback').length).toBe(30);
    expect(node.messages).toEqual(texts.slice(0, 30));
    expect(stuck.messages).toEqual(texts.slice(0, 2));
    expect(world.gateway.delivery.droppedCount).toBe(25);
    expect(heldOf(world)).toBe(0);
  });

  it('does not wait for a node that has gone away: what comes then is judged by listener.queue_full', () => {
    const world = quiet({ max_inflight_messages: 1 });
    const stuck = reader(world, 'stuck', (peer, packet) => packet.cmd === 'publish' || acknowledge(peer, packet));
    const writer = world.client('writer');
    writer.post(...burst().packets.slice(0, 30));
    world.run(100);
    expect(heldOf(world)).toBe(1);
    stuck.vanish();
    world.run(200);
    expect(writer.all('puback').length).toBe(30);
  });

  it('under mount points, and with the log reaches a node that takes it, QoS 2 as well', () => {
    const users = [{ username: 'u', password: 'p', mount_point: 'site/' }];
    const world = World.quiet({ listener: { max_queued_messages: 5, users }, store: { durability: 'flash' } },
      { openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(4096, 32)) });
    const node = world.client('reader', { clean: false, user: 'u' });
    node.subscribe('t', 2);
    world.run(200);
    const { packets, texts } = burst(300, 2);
    const writer = world.client('writer', { user: 'u' });
    writer.post(...packets);
    world.run(20_000);
    expect(node.messages).toEqual(texts);
    expect(writer.all('pubrec').length).toBe(texts.length);
    expect([world.gateway.delivery.droppedCount, heldOf(world)]).toEqual([0, 0]);
    expect(world.gateway.held.heldCount).toBeGreaterThan(0);
  });

  it('that ends its connection behind the burst is read to the end', () => {
    const world = quiet();
    const node = reader(world, 'reader');
    const { packets, texts } = burst();
    const writer = world.client('writer');
    writer.post(...packets, { cmd: 'disconnect' });
    writer.close();
    world.run(10_000);
    expect(node.messages).toEqual(texts);
    expect(world.gateway.connectedCount).toBe(1);
  });

  it('of two nodes for each other, and of one for itself, holds nobody for ever', () => {
    const world = quiet();
    const names = ['a', 'b'];
    const nodes = names.map(name => {
      const node = world.client(name);
      node.subscribe(name, 1);
      return node;
    });
    world.run(50);
    for (const [index, node] of nodes.entries())
      node.post(...Array.from({ length: 50 }, (_, identifier) =>
        publish(names[1 - index]!, String(identifier), { identifier: identifier + 1, qos: 1 })));
    const own = reader(world, 'own');
    own.post(...burst().packets);
    world.run(1000);
    for (const node of nodes)
      expect(node.all('puback').length).toBe(50);
    expect(own.all('puback').length).toBe(COUNT);
    expect([heldOf(world), world.nodeEndings]).toEqual([0, []]);
  });

  it('of ten nodes at once reaches a node that takes it', () => {
    const world = quiet({ max_connections: 12, max_sessions: 12 });
    const node = reader(world, 'reader');
    const { packets, texts } = burst(300);
    for (let index = 0; index < 10; ++index)
      world.client(`writer${String(index)}`).post(...packets.slice(index * 20, index * 20 + 20));
    world.run(20_000);
    expect([...node.messages].sort()).toEqual([...texts].sort());
    expect(world.gateway.delivery.droppedCount).toBe(0);
  });
});

describe('a burst of the Server', () => {
  const IN = { topic: [{ pattern: 't', direction: 'in' as const, qos: 2 as const }],
    listener: { max_queued_messages: 5, max_inflight_messages: 2 } };

  it.each([[10, 1], [700, 1], [10, 2]] as const)(
    'with payloads of %i bytes and QoS %i reaches a node that takes it, in order, and is acknowledged then',
    (length, qos) => {
      const world = World.connected({ configuration: IN });
      const node = reader(world, 'reader');
      const { packets, texts } = burst(length, qos);
      world.uplink.post(...packets);
      world.run(2000);
      expect(node.messages).toEqual(texts);
      expect(world.gateway.delivery.droppedCount).toBe(0);
      expect(world.uplink.all(qos === 1 ? 'puback' : 'pubrec').length).toBe(texts.length);
      expect(world.gateway.bridge.receivedCount).toBe(texts.length);
    });

  it('for a node that takes nothing holds the others up for a second; it is given up for that one', () => {
    const world = World.connected({ configuration: IN });
    const node = reader(world, 'reader');
    reader(world, 'stuck', (peer, packet) => packet.cmd === 'publish' || acknowledge(peer, packet));
    const { packets, texts } = burst();
    world.uplink.post(...packets.slice(0, 50));
    world.run(900);
    expect(node.messages).toEqual(texts.slice(0, 6));
    world.run(400);
    expect(node.messages).toEqual(texts.slice(0, 50));
    expect(world.gateway.delivery.droppedCount).toBe(45);
  });

  it('for a node that is slow holds the others up for a second at most, and a tenth of the time after that', () => {
    const world = World.connected({ configuration: IN });
    const node = reader(world, 'reader');
    reader(world, 'slow', slow(world, 200));
    const { packets, texts } = burst();
    world.uplink.post(...packets);
    world.run(3000);
    expect(node.messages).toEqual(texts);
    expect(world.uplink.all('puback').length).toBe(COUNT);
  });
});
