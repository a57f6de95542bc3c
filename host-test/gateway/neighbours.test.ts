/**
 * A node cannot hurt others: silent, slow, flooding, malformed and identifier-stealing ones beside one that behaves.
 */
import { describe, expect, it } from 'vitest';
import { decodeUTF8 } from '../../src/bytes/utf8.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { World, type Peer } from '../world/world.ts';
import { connect, DISCONNECT, PINGREQ, publish, subscribe } from '../world/packets.ts';

const works = (node: Peer): boolean => node.ask(PINGREQ).join() === 'PINGRESP';

describe('silent connections', () => {
  it('hold places only until somebody needs them, the oldest first', () => {
    const world = World.quiet({ listener: { max_connections: 3 } });
    const friend = world.node('friend');
    const silent = Array.from({ length: 3 }, () => {
      world.run(100);
      return world.open();
    });
    const [node, answer] = world.connect('node');
    expect(answer).toEqual(['CONNACK 0']);
    expect(silent.map(each => each.isClosed)).toEqual([true, false, false]);
    expect([works(friend), works(node)]).toEqual([true, true]);
    expect(world.gateway.endings.of(ReasonCode.PLACE_NEEDED)).toBe(1);
  });

  it('that begin a packet and never end it are closed in time', () => {
    const world = World.quiet({ listener: { connect_timeout: 5 } });
    const slow = world.open().send(connect('slow').subarray(0, 5));
    for (let second = 0; second < 4; ++second) {
      world.run(1000);
      slow.send(connect('slow').subarray(5 + second, 6 + second)); // a byte a second is no sign of life
    }
    world.run(1100);
    expect(slow.take()).toEqual(['closed']);
  });

  it('that have said CONNECT keep their places; the surplus one is turned away', () => {
    const world = World.quiet({ listener: { max_connections: 2 } }, { authenticator: { authenticate: () => -1 } });
    const waiting = Array.from({ length: 3 }, (_, index) => world.open().send(connect(`n${index}`)));
    expect(world.open().ask(connect('surplus'))).toEqual(['closed']);
    expect(waiting.map(node => node.isClosed)).toEqual([false, false, false]);
    expect(world.gateway.endings.turnedAwayCount).toBe(1);
    expect(world.eventTexts.at(-1)).toBe('closed a new connection: all places are taken (listener.max_connections)');
  });
});

describe('a node that does not read', () => {
  const flooded = (qos: number) => {
    const world = World.quiet({ listener: { max_queued_bytes: 4096, max_queued_messages: 50, send_timeout: 20 } });
    const stuck = world.node('stuck', {}, subscribe(1, 't', qos));
    const reader = world.node('reader', {}, subscribe(1, 't', 0));
    reader.take();
    stuck.socket.stopReading();
    const writer = world.node('writer');
    for (let round = 0; round < 100; ++round)
      writer.send(publish('t', 'x'.repeat(500), { qos: 1 }));
    return { world, stuck, reader, writer };
  };

  it('costs messages of its own with QoS 0, nobody else', () => {
    const { reader, world, writer } = flooded(0);
    expect(reader.take()).toHaveLength(100);
    expect(writer.take()).toHaveLength(100);
    expect(world.gateway.delivery.droppedCount).toBeGreaterThan(0);
  });

  it('makes who sends it messages of QoS 1 wait for send_timeout, with a bounded queue; then it goes on', () => {
    const { reader, world, writer } = flooded(1);
    const { queue } = world.gateway.nodes.states[0]!;
    expect(queue.usedLength).toBeLessThanOrEqual(queue.capacity);
    const before = writer.take().length;
    expect(before).toBeLessThan(100);
    expect(reader.take()).toHaveLength(before);
    world.run(25_000);
    expect(writer.take()).toHaveLength(100 - before);
    expect(reader.take().length).toBeGreaterThan(0); // of QoS 0, as many as fit at a time
    expect(world.gateway.delivery.droppedCount).toBeGreaterThan(0);
    expect(writer.send(publish('t', 'x', { qos: 1 })).take()).toHaveLength(1);
  });

  it('is given up after send_timeout, and its place is free', () => {
    const { world, stuck, reader } = flooded(0);
    world.run(25_000);
    expect(world.gateway.endings.of(0x104)).toBe(1);
    expect(world.gateway.connectedCount).toBe(2);
    reader.take();
    expect(works(reader)).toBe(true);
    stuck.socket.startReading();
    world.run(1000);
    expect(stuck.isClosed).toBe(true);
  });

  it('is told no more when it only asks: its requests wait', () => {
    const world = World.quiet({ listener: { send_timeout: 5 } });
    const friend = world.node('friend');
    const stuck = world.node('stuck');
    stuck.socket.stopReading();
    for (let round = 0; round < 40; ++round)
      stuck.post(...new Array<Uint8Array>(1000).fill(PINGREQ));
    world.run(1000);
    expect(works(friend)).toBe(true);
    world.run(10_000);
    expect(world.gateway.connectedCount).toBe(1);
    expect(works(friend)).toBe(true);
  });
});

describe('max_publish_rate', () => {
  it('makes a node wait that sends faster; nothing is lost, nobody is closed', () => {
    const world = World.quiet({ listener: { max_publish_rate: 10 } });
    const reader = world.node('reader', {}, subscribe(1, '#', 0));
    reader.take();
    const writer = world.node('writer', { keepAlive: 1 });
    writer.post(...Array.from({ length: 50 }, (_, index) =>
      publish('t', `${index}`, { qos: 1, identifier: index + 1 })), PINGREQ);
    world.run();
    expect(reader.take()).toHaveLength(10);
    expect(world.gateway.router.heldCount).toBe(1);
    expect(world.eventTexts.filter(event => event.includes('"writer" sends too fast'))).toHaveLength(1);
    world.run(1000);
    expect(reader.take().length).toBeGreaterThanOrEqual(9);
    world.run(3100);
    expect(reader.take().at(-1)).toBe('PUBLISH t=49 q0');
    expect(writer.take().at(-1)).toBe('PINGRESP');
    expect(writer.isClosed).toBe(false);
  });

  it('lets a burst of one second through, and never more than rate and burst in any time', () => {
    const world = World.quiet({ listener: { max_publish_rate: 100, sys_interval: 0 } });
    const writer = world.node('writer');
    for (let round = 0; round < 40; ++round) {
      writer.post(...new Array<Uint8Array>(50).fill(publish('t', 'x')));
      world.run(100);
    }
    expect(world.gateway.router.receivedCount).toBeGreaterThanOrEqual(495);
    expect(world.gateway.router.receivedCount).toBeLessThanOrEqual(505);
  });

  it('holds for each node by itself, for oversize messages, and ends with the connection', () => {
    const world = World.quiet({ listener: { max_publish_rate: 1, max_packet_size: 128, oversize: 'drop' } });
    const a = world.node('a', {}, publish('t', 'x'.repeat(200)), publish('t', 'x'));
    const b = world.node('b');
    expect(world.gateway.router.receivedCount).toBe(1);
    expect(works(b)).toBe(true);
    expect(a.ask(PINGREQ)).toEqual([]);
    a.vanish();
    expect(works(world.node('a'))).toBe(true);
    world.run(2000); // nothing throws
  });
});

describe('flooding nodes', () => {
  it('two of them get the same share, and a third one its answers', () => {
    const world = World.quiet();
    const counts = [0, 0];
    const floods = [0, 1].map(index => {
      const node = world.node(`flood${index}`);
      world.network.lastLink.toServer.set({ bytesPerSecond: 100_000 });
      node.post(...new Array<Uint8Array>(3000).fill(publish(`flood/${index}`, 'x'.repeat(50))));
      return node;
    });
    const reader = world.node('reader', {}, subscribe(1, '#', 0));
    const friend = world.node('friend');
    for (let round = 0; round < 10; ++round) {
      world.run(80);
      expect(works(friend)).toBe(true);
    }
    for (const event of reader.take())
      if (event.startsWith('PUBLISH flood/'))
        ++counts[Number(event[14])]!;
    expect(Math.min(...counts)).toBeGreaterThan(500);
    expect(Math.abs(counts[0]! - counts[1]!) / counts[0]!).toBeLessThan(0.1);
    expect(floods.map(node => node.isClosed)).toEqual([false, false]);
  });

  it('of connections: hundreds that come and go leave nothing behind', () => {
    const world = World.quiet({ listener: { max_connections: 4 } });
    const friend = world.node('friend', {}, subscribe(1, 'a', 0));
    friend.take();
    for (let round = 0; round < 300; ++round) {
      const node = world.open().send(connect(`n${round}`, round % 3 === 0 ? { clean: false } : {}),
        subscribe(1, 'b', 1), publish('a', 'x'));
      if (round % 2 === 0)
        node.send(DISCONNECT);
      else
        node.vanish();
    }
    expect(friend.take()).toHaveLength(300);
    expect([world.gateway.connectedCount, world.gateway.nodes.knownCount <= 8,
      world.gateway.subscriptions.count <= 8]).toEqual([1, true, true]);
  });
});

describe('a defect of the gateway itself', () => {
  it('costs the connection whose packet it was, and no other [MQTT311-4.8.0-2]', () => {
    const exceptions: unknown[] = [];
    const onException = (error: unknown): void => void exceptions.push(error);
    const world = World.quiet({}, { onException, authenticator: { authenticate(session, packet) {
      if (decodeUTF8(packet.arena, packet.clientIdentifierOffset, packet.clientIdentifierLength) === 'poison')
        throw new Error('a defect');
      session.user = -1;
      return 0;
    } } });
    const friend = world.node('friend');
    const poison = world.open();
    poison.post(connect('poison'));
    let error: unknown;
    try {
      world.run();
    } catch (thrown) { // as the platform catches what leaves a callback
      error = thrown;
    }
    world.runtime.recover(error);
    world.run();
    expect([poison.take(), works(friend), exceptions]).toEqual([['closed'], true, [new Error('a defect')]]);
    expect(works(world.node('next'))).toBe(true);
  });
});

describe('a node that steals identifiers', () => {
  it('can only quarrel with whoever has the same one, and everybody else works', () => {
    const world = World.quiet();
    const friend = world.node('friend');
    let last = world.node('victim');
    for (let round = 0; round < 100; ++round) {
      const next = world.node('victim');
      expect(last.take()).toEqual(['closed']);
      last = next;
    }
    expect([works(friend), works(last), world.gateway.connectedCount]).toEqual([true, true, 2]);
    expect(world.gateway.endings.of(0x8E)).toBe(100);
  });

  it('can do nothing at all when it is another user', () => {
    const world =
      World.quiet({ listener: { users: [{ username: 'victim', password: '' }, { username: 'thief', password: '' }] } });
    const victim = world.node('v', { user: 'victim', will: { topic: 'w', payload: '' } });
    for (let round = 0; round < 100; ++round) {
      expect(world.connect('v', { user: 'thief' })[1]).toEqual(['CONNACK 5', 'closed']);
      world.run(61_000); // the thief is slowed down
    }
    expect(works(victim)).toBe(true);
    expect(world.gateway.endings.of(0x87)).toBe(100);
    expect(world.eventTexts.filter(event => event.startsWith('published the Will'))).toEqual([]);
  });
});
