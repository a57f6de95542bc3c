/** A whole gateway on a simulated board: nodes, their links, verdicts that come late, and the end. */
import { describe, expect, it } from 'vitest';
import type { Packet } from 'mqtt-packet';
import { PENDING, type Authenticator } from '../../src/gateway/gateway.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED, CONNECTING } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';
import { acknowledge, type Peer, PORT, World, type WorldOptions } from '../world/world.ts';

const connect = (clientId: string, options: Partial<Extract<Packet, { cmd: 'connect' }>> = {}): Packet =>
  ({ cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0, ...options });

describe('messages', () => {
  it.each([[true, 1436], [false, 1436], [true, 900], [false, 64],
    [true, 32]])('are the same with either kind of views (resizable %s) and any landing area (%i)',
      (resizable, landingCapacity) => {
    const world = World.connected({ resizable, landingCapacity, configuration: {
      listener: { max_packet_size: 2048, max_queued_bytes: 8192 }, upstream: { max_packet_size: 2048 },
    } });
    const node = world.client('n');
    node.subscribe('#', 2);
    const other = world.client('old', { level: 3 });
    world.run(50);
    for (const [index, length] of [0, 1, 30, 31, 32, 33, 500, 1500].entries()) {
      const payload = Buffer.alloc(length, 0x41 + index);
      other.publish(`t/${index}`, payload, (index % 3) as 0 | 1 | 2);
      world.uplink.publish(`down/t/${index}`, payload, (index % 3) as 0 | 1 | 2);
      world.run(100);
    }
    const expected =
      [0, 1, 30, 31, 32, 33, 500, 1500].map((length, index) =>
        `t/${index} ${String.fromCharCode(0x41 + index).repeat(length)}`);
    expect(world.uplink.messages).toEqual(expected.map(message => `up/${message}`));
    expect([...node.messages].sort()).toEqual([...expected, ...expected].sort());
    expect(world.nodeEndings).toEqual([]);
  });

  it('from 6 nodes at once arrive, in order for each; the seventh is told that there is no room', () => {
    const world = World.connected();
    const nodes = Array.from({ length: 6 }, (_, index) => world.client(`n${index}`));
    expect(world.client('surplus').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 3 })]);
    for (let round = 0; round < 10; ++round)
      for (const [index, node] of nodes.entries())
        node.publish(`n${index}`, String(round), 1);
    world.until(() => world.uplink.messages.length === 60);
    for (const [index] of nodes.entries())
      expect(world.uplink.messages.filter(message =>
        message.startsWith(`up/n${index} `))).toEqual(Array.from({ length: 10 }, (_, round) =>
          `up/n${index} ${round}`));
  });
});

describe('without a network', () => {
  const SAMPLED: WorldOptions = { configuration: { sensors: [{ name: 's', type: 'any', topic: 's', interval: 10 }] } };

  it('readings wait in the store, nobody is called, and joining it sends them and lets nodes in', () => {
    const world = new World(SAMPLED);
    world.board.isOnline = false;
    world.runtime.start(false);
    world.run(35_000);
    expect([world.runtime.upstream.attemptCount, world.events]).toEqual([0, []]);
    world.board.isOnline = true;
    world.runtime.joinNetwork();
    world.until(() => world.isConnected);
    world.run(100);
    expect(world.uplink.messages).toEqual(Array(4).fill('up/s 21.00'));
    expect(world.client('n').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 })]);
  });

  it('that is there again the next attempt does not wait', () => {
    const world = World.connected({ configuration: { upstream: { restart_timeout: [1000, 1000] } } });
    world.uplink.close();
    world.run(5000);
    expect(world.isConnected).toBe(false);
    world.runtime.joinNetwork();
    world.run(100);
    expect(world.isConnected).toBe(true);
  });

  it('a listener that cannot be had keeps nodes out, nothing else, until the network is joined again', () => {
    const messages: string[] = [];
    const world = new World({ ...SAMPLED, onListenerError: message => messages.push(message) });
    const other = new world.board.Listener({ port: PORT, onReadable() {} });
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(10_000);
    expect(messages).toEqual(['no memory']); // so says an ESP32
    expect(world.uplink.messages).toEqual(['up/s 21.00', 'up/s 21.00']);
    other.close();
    world.runtime.joinNetwork();
    expect(world.client('n').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 })]);
    expect(world.uplinks.length).toBe(1);
  });
});

describe('a node', () => {
  it('that sends a packet and closes at once is answered in vain: its message counts, nothing throws', () => {
    const world = World.connected();
    for (let count = 0; count < 20; ++count) {
      const node = world.client('hasty');
      node.publish('a', String(count), 1);
      node.close();
      world.run(100);
    }
    expect(world.uplink.messages.length).toBe(20);
    expect(world.nodeEndings.length).toBe(20);
  });

  it('that sends CONNECT, PUBLISH and DISCONNECT in one segment is served', () => {
    const world = World.connected();
    const node = world.dial(acknowledge);
    node.post(connect('burst'),
      { cmd: 'publish', topic: 'a', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false },
        { cmd: 'disconnect' });
    world.run(100);
    expect(node.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'puback']);
    expect(world.uplink.messages).toEqual(['up/a x']);
    expect(node.isClosed).toBe(true);
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });

  it('that takes an identifier over while the old connection is full: the old one is closed, its Will published, the packet behind is not hurt', () => {
    const world = World.connected();
    const watcher = world.client('watcher');
    watcher.subscribe('will/#', 1);
    const old = world.client('twin', { will: { topic: 'will/twin', payload: 'old', qos: 1 } });
    old.subscribe('#', 0);
    world.run(50);
    old.socket.stopReading();
    const noise = world.client('noise');
    for (let count = 0; count < 30; ++count)
      noise.publish('noise', Buffer.alloc(1000, 0x61));
    world.run(100);
    const young = world.dial(acknowledge);
    young.post(connect('twin'),
      { cmd: 'publish', topic: 'a', payload: 'intact', qos: 1, messageId: 7, dup: false, retain: false });
    world.run(100);
    expect(young.packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 }),
      expect.objectContaining({ cmd: 'puback', messageId: 7 })]);
    expect(watcher.messages).toEqual(['will/twin old']);
    expect(world.uplink.messages).toContain('up/a intact');
    expect(world.nodeEndings).toContain(ReasonCode.SESSION_TAKEN_OVER);
    world.run(3000); // the old link gives up what its peer does not fetch
    expect(world.client('next').packets.length).toBe(1);
  });

  it('that stops reading is not read from either, and is closed after send_timeout, without Keep Alive too; others go on', () => {
    const world = World.connected({ configuration: { listener: { send_timeout: 20 } } });
    const greedy = world.client('greedy');
    const fine = world.client('fine');
    world.run(50);
    greedy.socket.stopReading();
    const begin = world.clock.time;
    for (let count = 0; count < 12_000; ++count)
      greedy.post({ cmd: 'pingreq' }); // 24 KB of requests, whose answers it does not fetch
    world.run(1000);
    fine.publish('a', 'served', 1);
    world.run(100);
    expect(fine.all('puback').length).toBe(1);
    expect(world.nodeEndings).toEqual([]); // made to wait, not thrown out
    world.until(() => world.nodeEndings.length === 1);
    expect(world.nodeEndings).toEqual([ReasonCode.SEND_TIMEOUT]);
    expect(world.clock.time - begin).toBeLessThan(25_000);
  });

  it('that reads slowly gets all answers in the end', () => {
    const world = World.connected();
    const slow = world.client('slow');
    slow.socket.stopReading();
    for (let count = 0; count < 6000; ++count)
      slow.post({ cmd: 'pingreq' });
    world.run(5000);
    slow.socket.startReading();
    world.until(() => slow.all('pingresp').length === 6000);
    expect(world.nodeEndings).toEqual([]);
  });

  it('that says nothing is closed after connect_timeout, and blocks nobody', () => {
    const world = World.connected({ configuration: { listener: { connect_timeout: 5 } } });
    const silent = [world.dial(), world.dial(), world.dial()];
    const node = world.client('n');
    world.run(4800);
    expect(silent.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    world.run(300);
    expect(silent.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
    expect(node.isClosed).toBe(false);
  });
});

describe('a verdict that comes later', () => {
  /** Keeps whoever asks waiting. */
  class Slow implements Authenticator {
    readonly waiting: ServerSession[] = [];
    authenticate(session: ServerSession): number {
      this.waiting.push(session);
      return PENDING;
    }
  }

  /** @param later whether there is more behind what was read with CONNECT */
  function asked(later = true): { world: World; node: Peer; authenticator: Slow } {
    const authenticator = new Slow();
    const world = World.connected({ authenticator });
    const node = world.dial(acknowledge);
    node.post(connect('n'),
      { cmd: 'publish', topic: 'a', payload: 'behind', qos: 1, messageId: 1, dup: false, retain: false });
    world.until(() => authenticator.waiting.length === 1);
    if (later)
      node.publish('a', 'later', 0);
    world.run(500);
    expect(node.packets).toEqual([]);
    expect(world.uplink.messages).toEqual([]);
    return { world, node, authenticator };
  }

  it('yes: what came behind CONNECT is looked at then, in order', () => {
    const { authenticator, node, world } = asked();
    const [session] = authenticator.waiting;
    world.runtime.later(() => {
      world.runtime.gateway.admit(session!);
      session!.continueReading();
    });
    world.run(100);
    expect(node.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'puback']);
    expect(world.uplink.messages).toEqual(['up/a behind', 'up/a later']);
  });

  it('no: the return code, then the end; nothing of it was looked at', () => {
    const { authenticator, node, world } = asked();
    world.runtime.later(() => authenticator.waiting[0]!.refuse(ReasonCode.BAD_USER_NAME_OR_PASSWORD));
    world.run(100);
    expect(node.packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 4 })]);
    expect(node.isClosed).toBe(true);
    expect(world.uplink.messages).toEqual([]);
  });

  it('after the node has gone without a word: nobody is let in', () => {
    const authenticator = new Slow();
    const world = World.connected({ authenticator });
    world.dial(acknowledge).post(connect('n'));
    world.until(() => authenticator.waiting.length === 1);
    world.network.lastLink.reset();
    world.run(100);
    expect(authenticator.waiting[0]!.state).toBe(CLOSED);
  });

  it('after the node has gone, no: what it had sent behind CONNECT is not looked at', () => {
    const { authenticator, node, world } = asked(false);
    const [session] = authenticator.waiting;
    const { connectionNumber } = session!;
    world.network.lastLink.reset();
    world.run(100);
    expect(session!.state).toBe(CONNECTING);
    world.runtime.later(() => session!.refuse(ReasonCode.NOT_AUTHORIZED));
    world.run(100);
    expect(session!.state).toBe(CLOSED);
    expect(world.uplink.messages).toEqual([]);
    expect(world.runtime.gateway.connectedCount).toBe(0);
    expect(session!.connectionNumber).toBe(connectionNumber);
    expect(node.packets).toEqual([]);
  });
});

describe('the end', () => {
  it('closes the nodes and publishes their Wills, says DISCONNECT upstream after them, and leaves nothing behind', () => {
    let readings = 0;
    const world =
      World.connected({ configuration: { sensors: [{ name: 's', type: 'x', interval: 1 }] }, createSensor: () =>
        ({ read: () => ++readings }) });
    const node = world.client('n', { will: { topic: 'will', payload: 'x', qos: 1 } });
    let stopped = 0;
    world.runtime.stop(() => ++stopped);
    world.run(100);
    expect(stopped).toBe(1);
    expect(world.uplink.packets.at(-1)!.cmd).toBe('disconnect');
    expect(world.uplink.messages.filter(message => message.startsWith('up/will'))).toEqual(['up/will x']);
    expect(world.uplink.packets.map(({ cmd }) => cmd).slice(-2)).toEqual(['publish', 'disconnect']);
    expect(node.isClosed).toBe(true);
    const before = readings;
    world.network.run(); // until nothing happens any more, and that must come
    expect(readings).toBe(before);
    expect(world.uplinks.length).toBe(1);
    expect(world.board.endpoints.size).toBe(0);
  });

  it('comes within 3 seconds although neither nodes nor Server read', () => {
    let readings = 0;
    const world =
      World.connected({ configuration: { store: { ram: 60_000 }, sensors: [{ name: 's', type: 'x', interval: 1 }] },
        createSensor: () => ({ read: () => ++readings }) });
    const deaf = world.client('deaf');
    deaf.subscribe('#', 0);
    world.run(50);
    deaf.socket.stopReading();
    world.uplink.socket.stopReading();
    const node = world.client('n');
    for (let count = 0; count < 40; ++count)
      node.publish('a', Buffer.alloc(1000, 0x61), 0);
    world.run(500);
    let stoppedAt: number | undefined;
    const begin = world.clock.time;
    world.runtime.stop(() => stoppedAt = world.clock.time);
    world.until(() => stoppedAt !== undefined, 3000);
    expect(stoppedAt! - begin).toBeLessThan(3000);
    const before = readings;
    world.run(60_000);
    expect(readings).toBe(before);
    expect(world.uplinks.length).toBe(1);
  });

  it.each([
    ['while the name is being resolved', 5],
    ['while the connection is being made', 11],
    ['while CONNACK is awaited', 100],
  ])('comes at once %s', (_name, time) => {
    const world = new World({ server: () => {} });
    world.runtime.start();
    world.run(time);
    let stopped = 0;
    world.runtime.stop(() => ++stopped);
    world.run(2000);
    expect(stopped).toBe(1);
    world.network.run();
    expect(world.network.links.length).toBeLessThanOrEqual(1);
    expect(world.isConnected).toBe(false);
  });

  it('comes at once while the next attempt is waited for', () => {
    const world = new World();
    world.stopListening();
    world.runtime.start();
    world.until(() => world.upstreamEndings.length === 2);
    let stopped = 0;
    world.runtime.stop(() => ++stopped);
    expect(stopped).toBe(1);
    world.network.run();
    expect(world.upstreamEndings.length).toBe(2);
  });
});
