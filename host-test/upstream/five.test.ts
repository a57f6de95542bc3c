/** A Server of 5.0 upstream: what it announces binds, what it refuses is judged by the reason, what it says is told. */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { describeEvent } from '../../src/gateway/event-texts.ts';
import { statusOf } from '../../src/gateway/status.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import * as Event from '../../src/config/events.ts';
import { publish } from '../world/packets.ts';
import { FiveServer } from '../world/five-server.ts';
import { type Peer, World } from '../world/world.ts';

const statusIn = ({ clock, runtime: { gateway, sensors, upstream } }: World) =>
  statusOf({ gateway, sensors, upstream }, clock.now);

const waiting = ({ gateway }: World): number => gateway.waiting.pendingCount;

/** Topic, QoS and RETAIN of each PUBLISH. */
const sent = (server: FiveServer): string[] =>
  server.publishes.map(({ dup, qos, retain, topic }) => `${topic} q${qos}${retain ? ' r' : ''}${dup ? ' d' : ''}`);

const told = (world: World, text: string): number => world.eventTexts.filter(line => line.includes(text)).length;

/** A node has published these, one after the other, with QoS 1. */
function talk(world: World, topics: readonly string[], payload = 'x', pause = 0): void {
  const node = world.node('n', { clean: true });
  topics.forEach((topic, index) => {
    node.ask(publish(topic, payload, { qos: 1, identifier: index + 1 }));
    world.run(pause);
  });
  node.vanish();
}

describe('CONNECT of 5.0', () => {
  it('announces how long the session lasts and what the gateway takes [MQTT5-3.1.0-1] [MQTT5-3.1.2-23]', () => {
    const server = new FiveServer();
    server.start({ upstream: { max_packet_size: 700, max_unreleased_messages: 5 } });
    expect(server.connects).toEqual([expect.objectContaining({
      protocolId: 'MQTT', protocolVersion: 5, clean: false,
      properties: { sessionExpiryInterval: 0xFFFFFFFF, receiveMaximum: 5, maximumPacketSize: 700 },
    })]);
    expect(statusIn(server.world).upstream).toMatchObject({ state: 'connected', version: 'MQTT 5.0' });
  });

  it('asks for no session that lasts with cleansession [MQTT5-3.1.2-4]', () => {
    const server = new FiveServer();
    server.start({ upstream: { cleansession: true } });
    expect(server.connects[0]).toMatchObject({ clean: true });
    expect(server.connects[0]!.properties).not.toHaveProperty('sessionExpiryInterval');
  });

  it('has Will Properties in front of the topic, of length 0 [MQTT5-3.1.3-1] [MQTT5-3.1.2-9]', () => {
    const server = new FiveServer();
    server.start({ upstream: { will: { topic: 'w', payload: 'gone', qos: 1, retain: true }, birth: null } });
    expect(server.connects[0]!.will).toMatchObject({ topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true });
  });
});

describe('what CONNACK of 5.0 says binds:', () => {
  it('Receive Maximum, also less than what waits, the birth included [MQTT5-3.3.4-7] [MQTT5-3.2.2-15]', () => {
    const server = new FiveServer({ receiveMaximum: 2 });
    server.isMute = true;
    const { world } = server.start({ upstream: {
      will: { topic: 'w', payload: 'off', qos: 1, retain: false }, birth: { topic: 'w', payload: 'on', qos: 1, retain: false } } });
    talk(world, ['a', 'b', 'c', 'd']);
    expect(sent(server).sort()).toEqual(['a q1', 'w q1']);
    server.isMute = false;
    server.answerAll();
    world.run(1000);
    expect(sent(server).sort()).toEqual(['a q1', 'b q1', 'c q1', 'd q1', 'w q1']);
    expect([waiting(world), world.upstreamEndings]).toEqual([0, []]);
  });

  it('the quota starts anew on each connection [MQTT5-3.3.4-7] [MQTT5-4.4.0-1]', () => {
    const server = new FiveServer({ receiveMaximum: 3 });
    server.isMute = true;
    const { world } = server.start();
    talk(world, ['a', 'b', 'c', 'd']);
    expect(sent(server)).toEqual(['a q1', 'b q1', 'c q1']);
    server.connack = { receiveMaximum: 1 };
    server.sessionPresent = true;
    server.publishes.length = 0;
    world.uplink.close();
    world.run(10_000);
    expect(sent(server)).toEqual(['a q1 d']);
    server.isMute = false;
    server.answerAll();
    world.run(1000);
    expect(sent(server)).toEqual(['a q1 d', 'b q1 d', 'c q1 d', 'd q1']);
    expect(waiting(world)).toBe(0);
  });

  it('Maximum Packet Size: what is longer is set aside beforehand, live and waiting [MQTT5-3.2.2-15]', () => {
    const server = new FiveServer({ maximumPacketSize: 60 });
    const { world } = server.start();
    talk(world, ['a', 'long'], 'x'.repeat(100));
    talk(world, ['b'], 'x');
    world.uplink.close();
    world.stopListening();
    world.until(() => !world.isConnected);
    talk(world, ['waits'], 'y'.repeat(50));
    server.connack = { maximumPacketSize: 50 };
    world.listen();
    world.until(() => world.isConnected, 100_000);
    world.run(2000);
    expect(sent(server)).toEqual(['b q1']);
    expect(statusIn(world).quarantine.messages.map(({ reason, topic }) => `${topic}: ${reason}`)).toEqual([
      'a: its packet would have more than 50 bytes, which is all that the broker takes',
      'long: its packet would have more than 50 bytes, which is all that the broker takes',
      'waits: its packet would have more than 50 bytes, which is all that the broker takes',
    ]);
    expect([waiting(world), world.upstreamEndings]).toEqual([0, [ReasonCode.NETWORK_CLOSED]]);
  });

  it.each([[1, ['a q1', 'a q1']], [0, ['a q0', 'a q0']]] as const)('Maximum QoS %i [MQTT5-3.2.2-11]', (maximumQoS, expected) => {
    const server = new FiveServer({ maximumQoS });
    const { world } = server.start({ topic: [{ pattern: '#', direction: 'out', qos: 2 }] });
    const node = world.node('n');
    node.ask(publish('a', '1', { qos: 2, identifier: 1 }));
    world.run(1000);
    world.uplink.close(); // and one that has waited
    node.ask(publish('a', '2', { qos: 2, identifier: 2 }));
    world.run(20_000);
    expect(sent(server)).toEqual(expected);
    expect(waiting(world)).toBe(0);
  });

  it('Retain Available 0: no PUBLISH has RETAIN [MQTT5-3.2.2-14]', () => {
    const server = new FiveServer({ retainAvailable: false });
    const { world } = server.start();
    const node = world.node('n');
    node.ask(publish('a', '1', { qos: 0, retain: true }));
    node.ask(publish('b', '1', { qos: 1, retain: true, identifier: 1 }));
    node.ask(publish('c', '1', { qos: 2, retain: true, identifier: 2 }));
    world.run(1000);
    expect(sent(server)).toEqual(['a q0', 'b q1', 'c q1']);
  });

  it('Server Keep Alive [MQTT5-3.1.2-21] [MQTT5-3.2.2-21] [MQTT5-3.1.2-20]', () => {
    const server = new FiveServer({ serverKeepAlive: 10 });
    const { world } = server.start({ upstream: { keepalive_interval: 3600 } });
    world.run(60_000);
    expect(world.uplink.all('pingreq').length).toBeGreaterThanOrEqual(6);
  });

  it('Topic Alias Maximum: none is used all the same [MQTT5-3.2.2-17] [MQTT5-3.2.2-18]', () => {
    const server = new FiveServer({ topicAliasMaximum: 10 });
    const { world } = server.start();
    talk(world, ['a', 'a', 'a']);
    expect(server.publishes.map(({ topic }) => topic)).toEqual(['a', 'a', 'a']);
  });
});

describe('subscriptions of 5.0', () => {
  it('ask for No Local and Retain As Published, but for No Local with $share [MQTT5-3.8.3-4]', () => {
    const server = new FiveServer();
    const { world } = server.start({ topic: [{ pattern: 'c/#', direction: 'in', qos: 1 },
      { pattern: '$share/g/d', direction: 'in', qos: 0 }] });
    expect(world.uplink.all('subscribe').flatMap(({ subscriptions }) => subscriptions)).toEqual([
      { topic: 'c/#', qos: 1, nl: true, rap: true, rh: 0 }, { topic: '$share/g/d', qos: 0, nl: false, rap: true, rh: 0 }]);
  });

  it('take a refusal with its code', () => {
    const server = new FiveServer();
    server.grant = () => 0x87;
    const { world } = server.start({ topic: [{ pattern: 'c', direction: 'in', qos: 1 }] });
    expect(told(world, 'upstream refused the subscription of topic rule "c"')).toBe(1);
    expect(statusIn(world).advice).toMatch(/has refused the subscription to "c"/);
  });

  it('keep what is retained as the Server says, live too [MQTT5-3.3.1-13]', () => {
    const server = new FiveServer();
    const { world } = server.start({ topic: [{ pattern: 'c/#', direction: 'in', qos: 1 }] });
    server.publish('c/a', '1', { retain: true });
    server.publish('c/a', 'passes by');
    server.publish('c/b', '2');
    world.run(100);
    const node = world.client('late');
    node.subscribe('#', 1);
    world.run(100);
    expect(node.messages).toEqual(['c/a 1']);
  });

  it('are taken back with UNSUBSCRIBE of 5.0', () => {
    const server = new FiveServer();
    server.sessionPresent = true;
    const { world } = server.start({ topic: [{ pattern: 'c', direction: 'out' }] });
    expect(world.uplink.all('unsubscribe').flatMap(({ unsubscriptions }) => unsubscriptions)).toEqual(['c']);
    expect(world.upstreamEndings).toEqual([]);
  });
});

describe('messages of 5.0', () => {
  it('go both ways with each QoS, under their own identifiers [MQTT5-2.2.1-5] [MQTT5-4.3.3-4]', () => {
    const server = new FiveServer();
    const { world } = server.start({ topic: [{ pattern: '#', direction: 'both', qos: 2 }] });
    const node = world.client('n');
    node.subscribe('d/#', 2);
    world.run(50);
    for (const qos of [0, 1, 2] as const) {
      node.publish(`u/${qos}`, 'up', qos);
      server.publish(`d/${qos}`, 'down', { qos });
    }
    world.run(1000);
    expect(sent(server)).toEqual(['u/0 q0', 'u/1 q1', 'u/2 q2']);
    expect(node.messages).toEqual(['d/0 down', 'd/1 down', 'd/2 down']);
    expect([waiting(world), world.upstreamEndings]).toEqual([0, []]);
    expect(world.uplink.all('puback').map(({ reasonCode }) => reasonCode)).toEqual([0]);
    expect(world.uplink.all('pubcomp')).toHaveLength(1);
  });

  it('end with PUBACK 0x10 as well, which is success [MQTT5-3.4.2-1]', () => {
    const server = new FiveServer();
    server.judge = () => 0x10;
    const { world } = server.start();
    talk(world, ['a']);
    expect([sent(server), waiting(world), statusIn(world).quarantine.count]).toEqual([['a q1'], 0, 0]);
  });

  it('the birth of QoS 2 is received and released [MQTT5-4.3.3-4]', () => {
    const server = new FiveServer();
    const { world } = server.start({ upstream: { will: { topic: 'w', payload: 'off', qos: 2, retain: true } } });
    world.run(1000);
    expect(sent(server)).toEqual(['w q2 r']);
    expect(world.uplink.all('pubrel').map(({ reasonCode }) => reasonCode ?? 0)).toEqual([0]);
    expect(world.gateway.upstream.announcements.isSettled).toBe(true);
  });
});

describe('a message that the Server refuses', () => {
  it.each([[0x87, 'not authorized (0x87)'], [0x90, 'invalid topic name (0x90)'],
    [0x99, 'payload format invalid (0x99)']])('with 0x%x is set aside with the reason, and never sent again '
    + '[MQTT5-4.4.0-2]', (code, words) => {
    const server = new FiveServer();
    server.judge = ({ topic }) => topic === 'bad' ? code : 0;
    server.reasonString = 'no such right';
    const { world } = server.start();
    talk(world, ['a', 'bad', 'b']);
    world.uplink.close();
    world.run(20_000);
    expect(sent(server)).toEqual(['a q1', 'bad q1', 'b q1']);
    expect(statusIn(world).quarantine.messages).toMatchObject([{ topic: 'bad', reason: `the broker refuses this message: ${words}` }]);
    expect(told(world, `${words}; the broker says "no such right"`)).toBe(1);
    expect(waiting(world)).toBe(0);
  });

  it('in PUBREC gets no PUBREL, and the next one may have its identifier [MQTT5-4.3.3-4] [MQTT5-4.4.0-2]', () => {
    const server = new FiveServer();
    server.judge = ({ topic }) => topic === 'bad' ? 0x87 : 0;
    const { world } = server.start({ topic: [{ pattern: '#', direction: 'out', qos: 2 }] });
    const node = world.node('n');
    node.ask(publish('bad', '1', { qos: 2, identifier: 1 }));
    node.ask(publish('good', '1', { qos: 2, identifier: 2 }));
    world.run(1000);
    expect(world.uplink.all('pubrel')).toHaveLength(1);
    expect([waiting(world), statusIn(world).quarantine.count, world.upstreamEndings]).toEqual([0, 1, []]);
  });

  it('with 0x97 is kept, everything slows down, and the order stays', () => {
    const server = new FiveServer();
    let refusals = 3;
    server.judge = () => refusals-- > 0 ? 0x97 : 0;
    const { world } = server.start();
    talk(world, ['a'], '1');
    talk(world, ['a'], '2');
    const payloads = (): string[] => server.publishes.map(({ dup, payload }) => `${payload.toString()}${dup ? 'd' : ''}`);
    expect(payloads()).toEqual(['1']);
    world.run(1000);
    expect(payloads()).toEqual(['1', '1']);
    world.run(10_000);
    expect(payloads()).toEqual(['1', '1', '1', '1', '2']);
    expect([waiting(world), statusIn(world).quarantine.count, told(world, 'quota exceeded (0x97)')]).toEqual([0, 0, 1]);
  });

  it.each([0x80, 0x83, 0x91])('with 0x%x is set aside when it is refused three times while others are taken', code => {
    const server = new FiveServer();
    server.judge = ({ topic }) => topic === 'bad' ? code : 0;
    const { world } = server.start();
    talk(world, ['a', 'bad']);
    talk(world, ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'], 'x', 1000);
    world.run(120_000);
    expect(sent(server).filter(line => line.startsWith('bad'))).toHaveLength(3);
    expect(new Set(sent(server)).size).toBe(11);
    expect([waiting(world), statusIn(world).quarantine.messages.map(({ topic }) => topic)]).toEqual([0, ['bad']]);
  });

  it('with 0x80, as all others are, is kept until the Server takes messages again', () => {
    const server = new FiveServer();
    let isBroken = true;
    server.judge = () => isBroken ? 0x80 : 0;
    const { world } = server.start();
    talk(world, ['a', 'b', 'c', 'd']);
    world.run(100_000);
    expect(sent(server).length).toBeLessThan(40);
    isBroken = false;
    world.run(70_000);
    expect([waiting(world), statusIn(world).quarantine.count, world.upstreamEndings]).toEqual([0, 0, []]);
    expect(sent(server).slice(-4).sort()).toEqual(['a q1', 'b q1', 'c q1', 'd q1']);
  });

  it('and is the birth is not said any more', () => {
    const server = new FiveServer();
    server.judge = ({ topic }) => topic === 'w' ? 0x87 : 0;
    const { world } = server.start({ upstream: { will: { topic: 'w', payload: 'off', qos: 1, retain: true } } });
    world.run(1000);
    world.uplink.close();
    world.run(20_000);
    expect([sent(server), told(world, 'the birth of this gateway')]).toEqual([['w q1 r'], 1]);
  });
});

describe('the end of a connection', () => {
  it('is told with the reason of DISCONNECT, in words, and nothing is sent after it [MQTT5-3.14.4-1]', () => {
    const server = new FiveServer();
    const { world } = server.start({ upstream: { restart_timeout: [5, 8] } });
    world.uplink.post(...server.disconnect(0x98, { reasonString: 'maintenance' }));
    world.run(20);
    expect(world.upstreamEndings).toEqual([0x98]);
    expect(statusIn(world).upstream.reason).toBe('closed by the operator; the broker says "maintenance"');
    expect(world.uplink.all('disconnect')).toEqual([]);
    expect(world.uplink.isClosed).toBe(true);
  });

  it('names another Server, and does not follow', () => {
    const server = new FiveServer();
    const { world } = server.start({ upstream: { restart_timeout: [5, 8] } });
    world.uplink.post(...server.disconnect(0x9C, { serverReference: 'other.example:1883' }));
    world.run(20);
    expect(statusIn(world).upstream.reason).toMatch(/^another server is to be used; it names another one: other\.example/);
    world.run(200_000);
    expect(world.isConnected).toBe(true);
  });

  it('of a refusal has the reason of CONNACK [MQTT5-3.2.2-8]', () => {
    const server = new FiveServer();
    server.refusal = { reasonCode: 0x8A, properties: { reasonString: 'go away' } };
    const world = new World({ server: server.serve, configuration: server.configure() });
    world.runtime.start();
    world.run(2000);
    expect(world.upstreamEndings).toEqual([0x8A]);
    expect(statusIn(world).upstream.reason).toBe('banned; the broker says "go away"');
    expect(describeEvent(world.gateway, Event.UPSTREAM_CLOSED, Event.UPSTREAM, 0x8A)).toMatch(/banned/);
  });

  it('for a packet that breaks a rule is DISCONNECT with the reason [MQTT5-3.14.2-1]', () => {
    const server = new FiveServer();
    const { world } = server.start();
    world.uplink.post('40 02 00 00'); // PUBACK with identifier 0
    world.run(20);
    expect(world.uplink.all('disconnect')).toMatchObject([{ reasonCode: 0x82 }]);
    expect(world.upstreamEndings).toEqual([ReasonCode.PROTOCOL_ERROR]);
  });

  it('for a message that is too long is DISCONNECT 0x95, for a Topic Alias 0x94 [MQTT5-3.3.2-9]', () => {
    for (const [hex, code] of [['30 ff 7f', 0x95], ['30 06 0000 03 23 0001', 0x94]] as const) {
      const server = new FiveServer();
      const { world } = server.start();
      world.uplink.post(hex);
      world.run(20);
      expect(world.uplink.all('disconnect')).toMatchObject([{ reasonCode: code }]);
    }
  });

  it('session taken over is told as a clash of identifiers', () => {
    const server = new FiveServer();
    const { world } = server.start();
    for (let round = 0; round < 4; ++round) {
      world.uplink.post(...server.disconnect(0x8E));
      world.run(9000);
    }
    expect(world.upstreamEndings).toContain(ReasonCode.SESSION_TAKEN_OVER);
    expect(world.events.some(({ event }) => event === Event.IDENTIFIER_CLASH)).toBe(true);
  });

  it('for one message, with DISCONNECT 0x81, is found out as without', () => {
    const server = new FiveServer();
    server.onPublish = (peer, { topic }) => topic === 'bad' && peer.post(...server.disconnect(0x81)).close();
    const { world } = server.start({ upstream: { restart_timeout: [1, 2] } });
    talk(world, ['a', 'bad', 'b']);
    world.run(120_000);
    expect(statusIn(world).quarantine.messages.map(({ topic }) => topic)).toEqual(['bad']);
    expect(waiting(world)).toBe(0);
  });
});

const OLD_CONNACKS: [name: string, answer: (peer: Peer) => void][] = [
  ['CONNACK 1 in the form of 3.1.1', peer => void peer.post('20 02 00 01')],
  ['CONNACK 0x84 in the form of 3.1.1', peer => void peer.post('20 02 00 84')],
  ['CONNACK 0x84 in the form of 5.0', peer => void peer.post('20 03 00 84 00')],
  ['CONNACK 0 in the form of 3.1.1', peer => void peer.post('20 02 00 00')],
];

describe('a Server that does not speak 5.0', () => {
  /** Answers level 4 only. */
  const old = (answer: (peer: Peer) => void, levels: number[]) => (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'connect') {
      levels.push(packet.protocolVersion!);
      if (packet.protocolVersion === 5)
        answer(peer);
      else
        peer.post('20 02 00 00');
    } else if (packet.cmd === 'subscribe')
      peer.post({ cmd: 'suback', messageId: packet.messageId!, granted: [1] });
    else if (packet.cmd === 'publish' && packet.qos > 0)
      peer.post({ cmd: 'puback', messageId: packet.messageId! });
    else if (packet.cmd === 'pingreq')
      peer.post({ cmd: 'pingresp' });
  };
  const configuration: PartialConfiguration = {
    upstream: { bridge_protocol_version: 'mqttv50', keepalive_interval: 60 }, topic: [{ pattern: '#', direction: 'out', qos: 1 }],
  };

  it.each(OLD_CONNACKS)('and says %s gets 3.1.1 on a new connection, for an hour', (_name, answer) => {
    const levels: number[] = [];
    const world = new World({ server: old(answer, levels), configuration });
    world.runtime.start();
    world.run(500);
    expect([levels, world.isConnected]).toEqual([[5, 4], true]);
    expect(told(world, 'the broker does not speak MQTT 5.0: MQTT 3.1.1 is spoken with it for an hour')).toBe(1);
    expect(statusIn(world).upstream.version).toBe('MQTT 3.1.1: the broker does not speak MQTT 5.0');
    talk(world, ['a']);
    expect([world.uplink.messages, waiting(world)]).toEqual([['a x'], 0]);
    world.run(1_800_000);
    world.uplink.close();
    world.run(20_000);
    expect(levels).toEqual([5, 4, 4]);
    world.run(1_900_000);
    world.uplink.close();
    world.run(20_000);
    expect(levels).toEqual([5, 4, 4, 5, 4]);
  });

  it('and closes instead of CONNACK gets 3.1.1 after three times', () => {
    const levels: number[] = [];
    const world = new World({ server: old(peer => peer.close(), levels),
      configuration: { ...configuration, upstream: { ...configuration.upstream, will: { topic: 'w', payload: 'x', qos: 0, retain: false } } } });
    world.runtime.start();
    world.run(60_000);
    expect([levels, world.isConnected, world.gateway.upstream.omitsWill]).toEqual([[5, 5, 5, 4], true, false]);
  });

  it('gets what waited since 5.0 was spoken in the form of 3.1.1', () => {
    const server = new FiveServer();
    server.isMute = true;
    const { world } = server.start({ ...configuration });
    talk(world, ['a', 'b']);
    const levels: number[] = [];
    world.server = old(peer => void peer.post('20 02 00 01'), levels);
    world.uplink.close();
    world.run(20_000);
    expect(levels).toEqual([5, 4]);
    expect([world.uplink.messages, waiting(world)]).toEqual([['a x', 'b x'], 0]);
  });

  it('is not asked for 5.0 unless the configuration says so', () => {
    const levels: number[] = [];
    const world = new World({ server: old(() => {}, levels) });
    world.runtime.start();
    world.run(500);
    expect(levels).toEqual([4]);
  });

  it('has connack_timeout for each of the two connections', () => {
    const levels: number[] = [];
    const server = old(() => {}, levels);
    const world = new World({
      configuration: { ...configuration, upstream: { ...configuration.upstream, connack_timeout: 3 } },
      server: (peer, packet) => packet.cmd === 'connect' && packet.protocolVersion === 5
        ? void world.clock.schedule(2500, () => { levels.push(5); peer.post('20 02 00 01'); }) : server(peer, packet) });
    world.runtime.start();
    world.run(3000);
    expect([levels, world.isConnected]).toEqual([[5, 4], true]);
  });
});

