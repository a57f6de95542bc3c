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

function reader(world: World, name: string, onPacket = acknowledge, topic = 't'): Peer {
  const node = world.client(name, {}, onPacket);
  node.subscribe(topic, 2);
  world.run(50);
  return node;
}

/** Acknowledges each message so much later. */
const slow = (world: World, delay: number): typeof acknowledge => (peer, packet) => {
  world.clock.schedule(delay, () => acknowledge(peer, packet));
};

/** Acknowledges nothing. */
const never: typeof acknowledge = (peer, packet) => packet.cmd === 'publish' || acknowledge(peer, packet);

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
    const stuck = reader(world, 'stuck', never);
    const node = reader(world, 'reader');
    const { packets, texts } = burst();
    const writer = world.client('writer');
    writer.post(...packets.slice(0, 30));
    world.run(PATIENCE - 100);
    expect(writer.all('puback').length).toBe(5);
    expect(node.messages).toEqual(texts.slice(0, 5)); // all get a message, or nobody does
    world.run(1000);
    expect(writer.all('puback').length).toBe(30);
    expect(node.messages).toEqual(texts.slice(0, 30));
    expect(stuck.messages).toEqual(texts.slice(0, 2));
    expect(world.gateway.delivery.droppedCount).toBe(25);
    expect(heldOf(world)).toBe(0);
  });

  it('does not wait for a node that has gone away: what comes then is judged by listener.queue_full', () => {
    const world = quiet({ max_inflight_messages: 1 });
    const stuck = reader(world, 'stuck', never);
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

  it('of two nodes for each other is not lost when their acknowledgements follow soon', () => {
    const world = quiet();
    const nodes = ['a', 'b'].map(name => reader(world, name, acknowledge, name));
    for (const [index, node] of nodes.entries())
      node.post(...Array.from({ length: 50 }, (_, identifier) =>
        publish(index === 0 ? 'b' : 'a', String(identifier), { identifier: identifier + 1, qos: 1 })));
    world.run(5000);
    for (const node of nodes) {
      expect(node.all('puback').length).toBe(50);
      expect(node.messages.length).toBe(50);
    }
    expect([heldOf(world), world.nodeEndings, world.gateway.delivery.droppedCount]).toEqual([0, [], 0]);
  });

  it('of one node for itself holds nobody for ever: what its acknowledgements come behind is given up and counted', () => {
    const world = quiet();
    const own = reader(world, 'own');
    own.post(...burst().packets);
    world.run(1500);
    expect(own.all('puback').length).toBe(COUNT);
    expect(own.messages.length + world.gateway.delivery.droppedCount).toBe(COUNT);
    expect([heldOf(world), world.nodeEndings]).toEqual([0, []]);
  });

  it('leaves PINGREQ of who waits answered at once', () => {
    const world = quiet({ max_inflight_messages: 1 });
    reader(world, 'stuck', never);
    const writer = world.client('writer', { keepAlive: 4 });
    writer.post(...burst().packets.slice(0, 6), { cmd: 'pingreq' });
    world.run(200);
    expect([heldOf(world), writer.all('pingresp').length, writer.all('puback').length]).toEqual([1, 1, 5]);
    writer.post({ cmd: 'pingreq' });
    world.run(200);
    expect([heldOf(world), writer.all('pingresp').length]).toEqual([1, 2]);
  });

  it.each([1, 2] as const)('with QoS %i whose sender goes and comes again while it waits arrives once', qos => {
    const world = quiet({ max_inflight_messages: 1 });
    const node = reader(world, 'slow', slow(world, 300));
    const { packets, texts } = burst(10, qos, 8);
    const session = { clean: false };
    const writer = world.client('writer', session);
    writer.post(...packets);
    world.run(100);
    expect(heldOf(world)).toBe(1);
    const count = writer.all(qos === 1 ? 'puback' : 'pubrec').length;
    const again = world.client('writer', session); // the older connection still stands
    world.run(100);
    again.post(...texts.slice(count).map((text, index) =>
      publish('t', text.slice(2), { identifier: count + index + 1, qos, dup: true })));
    world.run(60_000);
    expect(node.messages).toEqual(texts);
  });

  it('keeps the order of each sender, and no sender waits for ever for the others', () => {
    const world = quiet({ max_inflight_messages: 2, max_connections: 6 });
    const node = reader(world, 'slow', slow(world, 100));
    const writers = [900, 10, 10, 10].map((length, index) => {
      const writer = world.client(`writer${String(index)}`);
      writer.post(...Array.from({ length: 20 }, (_, at) => publish('t',
        `${String(index)} ${String(at).padStart(2, '0')}${'x'.repeat(length)}`, { identifier: at + 1, qos: 1 })));
      return writer;
    });
    world.run(2000);
    for (const writer of writers)
      expect(writer.all('puback').length).toBeGreaterThanOrEqual(2);
    world.run(60_000);
    for (const index of [0, 1, 2, 3])
      expect(node.messages.filter(text => text.startsWith(`t ${String(index)} `)).map(text => Number(text.slice(4, 6))))
        .toEqual(Array.from({ length: 20 }, (_, at) => at));
  });

  it('that is retained is kept when it is taken, and a Will or a reading waits for nobody', () => {
    const world = quiet({ max_inflight_messages: 1 });
    const stuck = reader(world, 'stuck', never);
    const writer = world.client('writer', { will: { topic: 't', payload: 'gone', qos: 1 } });
    for (let index = 0; index < 6; ++index)
      writer.publish('t', String(index), 1, true);
    world.run(100);
    const late = world.client('late');
    late.subscribe('t', 0);
    world.run(100);
    expect(late.messages).toEqual(['t 4']);
    stuck.post({ cmd: 'puback', messageId: 1 });
    world.run(100);
    expect(late.messages).toEqual(['t 4', 't 5']);
    writer.vanish();
    world.run(100);
    expect(late.messages).toEqual(['t 4', 't 5', 't gone']);
    expect(world.gateway.delivery.droppedCount).toBe(1);
  });

  it('may be of one message that is longer than all before it', () => {
    const world = World.quiet({ listener: { max_inflight_messages: 1 } });
    const node = reader(world, 'slow', slow(world, 100));
    const writer = world.client('writer');
    for (let index = 0; index < 20; ++index)
      writer.publish('t', 'x'.repeat(30), 1);
    world.run(150);
    world.client('another').publish('t', 'x'.repeat(900), 1);
    world.run(10_000);
    expect(node.messages.map(({ length }) => length - 2)).toEqual([...Array.from({ length: 20 }, () => 30), 900]);
    expect(world.gateway.held.heldCount).toBe(1);
  });

  it('waits for nobody when the gateway stops, and is not acknowledged', () => {
    const world = quiet({ max_inflight_messages: 1 });
    reader(world, 'stuck', never);
    const writer = world.client('writer');
    writer.post(...burst().packets.slice(0, 10));
    world.run(100);
    world.runtime.later(() => world.gateway.shutDown());
    world.run(100);
    expect([writer.all('puback').length, writer.isClosed]).toEqual([5, true]);
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
    reader(world, 'stuck', never);
    const { packets, texts } = burst();
    world.uplink.post(...packets.slice(0, 50));
    world.run(900);
    expect(node.messages).toEqual(texts.slice(0, 5));
    world.run(400);
    expect(node.messages).toEqual(texts.slice(0, 50));
    expect(world.gateway.delivery.droppedCount).toBe(45);
  });

  it('for a node that is slow holds the others up for a second at most, and a tenth of the time after that', () => {
    const world = World.connected({ configuration: IN });
    const node = reader(world, 'reader');
    reader(world, 'slow', slow(world, 500));
    const { packets, texts } = burst();
    world.uplink.post(...packets);
    world.run(3000);
    expect(node.messages).toEqual(texts);
    expect(world.uplink.all('puback').length).toBe(COUNT);
  });
});
