/** A whole gateway on a simulated board: nodes, their links, verdicts that come late, and the end. */
import { describe, expect, it } from 'vitest';
import type { Packet } from 'mqtt-packet';
import { PENDING, type Authenticator } from '../../src/gateway/gateway.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';
import { acknowledge, type Peer, PORT, Stage, type StageOptions } from './stage.ts';

const connect = (clientId: string, options: Partial<Extract<Packet, { cmd: 'connect' }>> = {}): Packet =>
  ({ cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0, ...options });

describe('messages', () => {
  it.each([[true, 1436], [false, 1436], [true, 900], [false, 64], [true, 32]])('are the same with either kind of views (resizable %s) and any landing area (%i)', (resizable, landingCapacity) => {
    const stage = Stage.connected({ resizable, landingCapacity, configuration: { listener: { max_packet_size: 2048, max_queued_bytes: 8192 } } });
    const node = stage.node('n');
    node.subscribe('#', 2);
    const other = stage.node('old', { protocolId: 'MQIsdp', protocolVersion: 3 });
    stage.run(50);
    for (const [index, length] of [0, 1, 30, 31, 32, 33, 500, 1500].entries()) {
      const payload = Buffer.alloc(length, 0x41 + index);
      other.publish(`t/${index}`, payload, (index % 3) as 0 | 1 | 2);
      stage.uplink.publish(`down/t/${index}`, payload, (index % 3) as 0 | 1 | 2);
      stage.run(100);
    }
    const expected = [0, 1, 30, 31, 32, 33, 500, 1500].map((length, index) => `t/${index} ${String.fromCharCode(0x41 + index).repeat(length)}`);
    expect(stage.uplink.messages).toEqual(expected.map(message => `up/${message}`));
    expect([...node.messages].sort()).toEqual([...expected, ...expected].sort());
    expect(stage.nodeEndings).toEqual([]);
  });

  it('from 6 nodes at once arrive, in order for each; the seventh is told that there is no room', () => {
    const stage = Stage.connected();
    const nodes = Array.from({ length: 6 }, (_, index) => stage.node(`n${index}`));
    expect(stage.node('surplus').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 3 })]);
    for (let round = 0; round < 10; ++round)
      for (const [index, node] of nodes.entries())
        node.publish(`n${index}`, String(round), 1);
    stage.until(() => stage.uplink.messages.length === 60);
    for (const [index] of nodes.entries())
      expect(stage.uplink.messages.filter(message => message.startsWith(`up/n${index} `))).toEqual(Array.from({ length: 10 }, (_, round) => `up/n${index} ${round}`));
  });
});

describe('without a network', () => {
  const SAMPLED: StageOptions = { configuration: { sensors: [{ name: 's', type: 'any', topic: 's', interval: 10 }] } };

  it('readings wait in the store, nobody is called, and joining it sends them and lets nodes in', () => {
    const stage = new Stage(SAMPLED);
    stage.board.isOnline = false;
    stage.runtime.start(false);
    stage.run(35_000);
    expect([stage.runtime.upstream.attemptCount, stage.events]).toEqual([0, []]);
    stage.board.isOnline = true;
    stage.runtime.joinNetwork();
    stage.until(() => stage.isConnected);
    stage.run(100);
    expect(stage.uplink.messages).toEqual(Array(4).fill('up/s 21.00'));
    expect(stage.node('n').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 })]);
  });

  it('that is there again the next attempt does not wait', () => {
    const stage = Stage.connected({ configuration: { upstream: { restart_timeout: [1000, 1000] } } });
    stage.uplink.close();
    stage.run(5000);
    expect(stage.isConnected).toBe(false);
    stage.runtime.joinNetwork();
    stage.run(100);
    expect(stage.isConnected).toBe(true);
  });

  it('a listener that cannot be had keeps nodes out, nothing else, until the network is joined again', () => {
    const messages: string[] = [];
    const stage = new Stage({ ...SAMPLED, onListenerError: message => messages.push(message) });
    const other = new stage.board.Listener({ port: PORT, onReadable() {} });
    stage.runtime.start();
    stage.until(() => stage.isConnected);
    stage.run(10_000);
    expect(messages).toEqual(['no memory']); // so says an ESP32
    expect(stage.uplink.messages).toEqual(['up/s 21.00', 'up/s 21.00']);
    other.close();
    stage.runtime.joinNetwork();
    expect(stage.node('n').packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 })]);
    expect(stage.uplinks.length).toBe(1);
  });
});

describe('a node', () => {
  it('that sends a packet and closes at once is answered in vain: its message counts, nothing throws', () => {
    const stage = Stage.connected();
    for (let count = 0; count < 20; ++count) {
      const node = stage.node('hasty');
      node.publish('a', String(count), 1);
      node.close();
      stage.run(100);
    }
    expect(stage.uplink.messages.length).toBe(20);
    expect(stage.nodeEndings.length).toBe(20);
  });

  it('that sends CONNECT, PUBLISH and DISCONNECT in one segment is served', () => {
    const stage = Stage.connected();
    const node = stage.dial();
    node.send(connect('burst'), { cmd: 'publish', topic: 'a', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false }, { cmd: 'disconnect' });
    stage.run(100);
    expect(node.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'puback']);
    expect(stage.uplink.messages).toEqual(['up/a x']);
    expect(node.isClosed).toBe(true);
    expect(stage.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });

  it('that takes an identifier over while the old connection is full: the old one is closed, its Will published, the packet behind is not hurt', () => {
    const stage = Stage.connected();
    const watcher = stage.node('watcher');
    watcher.subscribe('will/#', 1);
    const old = stage.node('twin', { will: { topic: 'will/twin', payload: Buffer.from('old'), qos: 1, retain: false } });
    old.subscribe('#', 0);
    stage.run(50);
    old.socket.stopReading();
    const noise = stage.node('noise');
    for (let count = 0; count < 30; ++count)
      noise.publish('noise', Buffer.alloc(1000, 0x61));
    stage.run(100);
    const young = stage.dial();
    young.send(connect('twin'), { cmd: 'publish', topic: 'a', payload: 'intact', qos: 1, messageId: 7, dup: false, retain: false });
    stage.run(100);
    expect(young.packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 0 }), expect.objectContaining({ cmd: 'puback', messageId: 7 })]);
    expect(watcher.messages).toEqual(['will/twin old']);
    expect(stage.uplink.messages).toContain('up/a intact');
    expect(stage.nodeEndings).toContain(ReasonCode.SESSION_TAKEN_OVER);
    stage.run(3000); // the old link gives up what its peer does not fetch
    expect(stage.node('next').packets.length).toBe(1);
  });

  it('that stops reading is not read from either, and is closed after send_timeout, without Keep Alive too; others go on', () => {
    const stage = Stage.connected({ configuration: { listener: { send_timeout: 20 } } });
    const greedy = stage.node('greedy');
    const fine = stage.node('fine');
    stage.run(50);
    greedy.socket.stopReading();
    const begin = stage.clock.time;
    for (let count = 0; count < 12_000; ++count)
      greedy.send({ cmd: 'pingreq' }); // 24 KB of requests, whose answers it does not fetch
    stage.run(1000);
    fine.publish('a', 'served', 1);
    stage.run(100);
    expect(fine.all('puback').length).toBe(1);
    expect(stage.nodeEndings).toEqual([]); // made to wait, not thrown out
    stage.until(() => stage.nodeEndings.length === 1);
    expect(stage.nodeEndings).toEqual([ReasonCode.SEND_TIMEOUT]);
    expect(stage.clock.time - begin).toBeLessThan(25_000);
  });

  it('that reads slowly gets all answers in the end', () => {
    const stage = Stage.connected();
    const slow = stage.node('slow');
    slow.socket.stopReading();
    for (let count = 0; count < 6000; ++count)
      slow.send({ cmd: 'pingreq' });
    stage.run(5000);
    slow.socket.startReading();
    stage.until(() => slow.all('pingresp').length === 6000);
    expect(stage.nodeEndings).toEqual([]);
  });

  it('that says nothing is closed after connect_timeout, and blocks nobody', () => {
    const stage = Stage.connected({ configuration: { listener: { connect_timeout: 5 } } });
    const silent = [stage.dial(), stage.dial(), stage.dial()];
    const node = stage.node('n');
    stage.run(4800);
    expect(silent.map(({ isClosed }) => isClosed)).toEqual([false, false, false]);
    stage.run(300);
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
  function asked(later = true): { stage: Stage; node: Peer; authenticator: Slow } {
    const authenticator = new Slow();
    const stage = Stage.connected({ authenticator });
    const node = stage.dial(acknowledge);
    node.send(connect('n'), { cmd: 'publish', topic: 'a', payload: 'behind', qos: 1, messageId: 1, dup: false, retain: false });
    stage.until(() => authenticator.waiting.length === 1);
    if (later)
      node.publish('a', 'later', 0);
    stage.run(500);
    expect(node.packets).toEqual([]);
    expect(stage.uplink.messages).toEqual([]);
    return { stage, node, authenticator };
  }

  it('yes: what came behind CONNECT is looked at then, in order', () => {
    const { authenticator, node, stage } = asked();
    const [session] = authenticator.waiting;
    stage.runtime.later(() => {
      stage.runtime.gateway.admit(session!);
      session!.continueReading();
    });
    stage.run(100);
    expect(node.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'puback']);
    expect(stage.uplink.messages).toEqual(['up/a behind', 'up/a later']);
  });

  it('no: the return code, then the end; nothing of it was looked at', () => {
    const { authenticator, node, stage } = asked();
    stage.runtime.later(() => authenticator.waiting[0]!.refuse(ReasonCode.BAD_USER_NAME_OR_PASSWORD));
    stage.run(100);
    expect(node.packets).toEqual([expect.objectContaining({ cmd: 'connack', returnCode: 4 })]);
    expect(node.isClosed).toBe(true);
    expect(stage.uplink.messages).toEqual([]);
  });

  it('after the node has gone: nobody is let in', () => {
    const { authenticator, node, stage } = asked(false);
    const [session] = authenticator.waiting;
    const { connectionNumber } = session!;
    stage.network.lastLink.reset();
    stage.run(100);
    expect(session!.state).toBe(CLOSED);
    stage.runtime.later(() => session!.refuse(ReasonCode.NOT_AUTHORIZED));
    stage.run(100);
    expect(stage.runtime.gateway.connectedCount).toBe(0);
    expect(session!.connectionNumber).toBe(connectionNumber);
    expect(node.packets).toEqual([]);
  });
});

describe('the end', () => {
  it('says DISCONNECT upstream, closes the nodes, publishes no Will, and leaves nothing behind', () => {
    let readings = 0;
    const stage = Stage.connected({ configuration: { sensors: [{ name: 's', type: 'x', interval: 1 }] }, createSensor: () => ({ read: () => ++readings }) });
    const node = stage.node('n', { will: { topic: 'will', payload: Buffer.from('x'), qos: 1, retain: false } });
    let stopped = 0;
    stage.runtime.stop(() => ++stopped);
    stage.run(100);
    expect(stopped).toBe(1);
    expect(stage.uplink.packets.at(-1)!.cmd).toBe('disconnect');
    expect(stage.uplink.messages.some(message => message.startsWith('up/will'))).toBe(false);
    expect(node.isClosed).toBe(true);
    const before = readings;
    stage.network.run(); // until nothing happens any more, and that must come
    expect(readings).toBe(before);
    expect(stage.uplinks.length).toBe(1);
    expect(stage.board.endpoints.size).toBe(0);
  });

  it('comes within 2 seconds although neither nodes nor Server read', () => {
    let readings = 0;
    const stage = Stage.connected({ configuration: { store: { ram: 60_000 }, sensors: [{ name: 's', type: 'x', interval: 1 }] }, createSensor: () => ({ read: () => ++readings }) });
    const deaf = stage.node('deaf');
    deaf.subscribe('#', 0);
    stage.run(50);
    deaf.socket.stopReading();
    stage.uplink.socket.stopReading();
    const node = stage.node('n');
    for (let count = 0; count < 40; ++count)
      node.publish('a', Buffer.alloc(1000, 0x61), 0);
    stage.run(500);
    let stoppedAt: number | undefined;
    const begin = stage.clock.time;
    stage.runtime.stop(() => stoppedAt = stage.clock.time);
    stage.until(() => stoppedAt !== undefined, 3000);
    expect(stoppedAt! - begin).toBeLessThanOrEqual(2000);
    const before = readings;
    stage.run(60_000);
    expect(readings).toBe(before);
    expect(stage.uplinks.length).toBe(1);
  });

  it.each([
    ['while the name is being resolved', 5],
    ['while the connection is being made', 11],
    ['while CONNACK is awaited', 100],
  ])('comes at once %s', (_name, time) => {
    const stage = new Stage({ server: () => {} });
    stage.runtime.start();
    stage.run(time);
    let stopped = 0;
    stage.runtime.stop(() => ++stopped);
    stage.run(2000);
    expect(stopped).toBe(1);
    stage.network.run();
    expect(stage.network.links.length).toBeLessThanOrEqual(1);
    expect(stage.isConnected).toBe(false);
  });

  it('comes at once while the next attempt is waited for', () => {
    const stage = new Stage();
    stage.stopListening();
    stage.runtime.start();
    stage.until(() => stage.upstreamEndings.length === 2);
    let stopped = 0;
    stage.runtime.stop(() => ++stopped);
    expect(stopped).toBe(1);
    stage.network.run();
    expect(stage.upstreamEndings.length).toBe(2);
  });
});
