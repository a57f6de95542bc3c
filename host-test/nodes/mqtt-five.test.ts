/** Nodes that speak MQTT 5.0, beside some that speak 3.1.1. What is read and refused of single packets: the vectors. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { answer5, ask5, connect5, type ConnectOptions, disconnect5, publish5, subscribe5, take5,
  unsubscribe5 } from '../world/packets-of-five.ts';
import { connect, PINGREQ, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../world/packets.ts';
import { type Peer, World } from '../world/world.ts';

/** Receive Maximum 64, Maximum Packet Size 1024. */
const LIMITS = '2100402700000400';
const UNAVAILABLE = '29002a00';
const ACCEPTED = `CONNACK 0 {${LIMITS}${UNAVAILABLE}}`;
const USER_PROPERTY = '2600016b000176';
const SESSION_OF = (seconds: string): string => `11${seconds}`;

const quiet = (listener: PartialConfiguration['listener'] = {}): World => World.quiet({ listener });

function node5(world: World, clientIdentifier: string, options: ConnectOptions = {}, ...packets: Uint8Array[]): Peer {
  const node = world.open().send(connect5(clientIdentifier, options), ...packets);
  take5(node);
  return node;
}

describe('CONNACK', () => {
  it('says what the listener takes, and what it does not serve [MQTT5-3.1.4-5] [MQTT5-3.2.2-1] [MQTT5-3.2.2-2]', () => {
    expect(ask5(quiet().open(), connect5('a'))).toEqual([ACCEPTED]);
  });

  it('gives an identifier to whoever has none [MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16]',
    () => {
    const world = quiet();
    for (const [clean, digits] of [[true, '31'], [false, '32']] as const)
      expect(ask5(world.open(), connect5('', { clean }))).toEqual(
        [`CONNACK 0 {${LIMITS}120006${Buffer.from('auto-').toString('hex')}${digits}${UNAVAILABLE}}`]);
  });

  it('replaces a Keep Alive that is too long, and that one counts [MQTT5-3.2.2-22] [MQTT5-3.1.2-22]', () => {
    const world = quiet({ max_keepalive: 10 });
    const [slow, lively] = [world.open(), world.open()];
    expect(ask5(slow, connect5('a'))).toEqual([`CONNACK 0 {${LIMITS}13000a${UNAVAILABLE}}`]);
    expect(ask5(lively, connect5('b', { keepAlive: 8 }))).toEqual([ACCEPTED]);
    world.run(15_000);
    expect(take5(lively)).toEqual(['DISCONNECT 8d', 'closed']);
    world.run(1_500);
    expect(take5(slow)).toEqual(['DISCONNECT 8d', 'closed']);
  });

  it('says for how long a session is kept, if that is less than asked for', () => {
    const world = quiet({ persistent_client_expiration: 3600 });
    expect(ask5(world.open(), connect5('a', { properties: SESSION_OF('ffffffff') })))
      .toEqual([`CONNACK 0 {${LIMITS}1100000e10${UNAVAILABLE}}`]);
  });

  it('refuses an authentication method with 0x8C [MQTT5-4.12.0-1] [MQTT5-3.2.2-6] [MQTT5-3.2.2-7]', () => {
    expect(ask5(quiet().open(), connect5('a', { properties: '1500025343' })))
      .toEqual(['CONNACK 8c', 'closed']);
  });

  it.each([
    ['a malformed CONNECT [MQTT5-3.1.4-1] [MQTT5-4.13.1-1]', connect5('a', { properties: '0100' }), '81'],
    ['a CONNECT that breaks a rule', connect5('a', { properties: '210000' }), '82'],
    ['a Will that is too long', connect5('a', { will: { topic: 'w', payload: 'x'.repeat(300) } }), '95'],
    ['a user who is not known', connect5('a', { user: 'nobody' }), '86'],
  ])('says what is wrong with %s', (_name, packet, code) => {
    expect(ask5(quiet().open(), packet)).toEqual([`CONNACK ${code}`, 'closed']);
  });

  it('is not sent to a node that takes no packet of its length', () => {
    expect(ask5(quiet().open(), connect5('a', { properties: '2700000005' }))).toEqual(['closed']);
  });

  it('is that of 3.1.1 for a level that nobody knows [MQTT5-3.1.2-2]', () => {
    const bytes = connect5('a');
    bytes[8] = 6;
    expect(quiet().open().ask(bytes)).toEqual(['CONNACK 1', 'closed']);
  });
});

describe('a session', () => {
  it('ends with its connection unless it is asked to be kept [MQTT5-3.1.2-6] [MQTT5-4.1.0-2]', () => {
    const world = quiet();
    node5(world, 'a', { clean: false }, subscribe5(1, 't', 1)).vanish();
    expect(ask5(world.open(), connect5('a', { clean: false }))).toEqual([ACCEPTED]);
    expect(world.gateway.subscriptions.count).toBe(0);
  });

  it('is kept for as long as asked for [MQTT5-3.1.2-23] [MQTT5-3.1.2-5] [MQTT5-3.2.2-3]', () => {
    const world = quiet();
    const options = { clean: false, properties: SESSION_OF('0000000a') };
    node5(world, 'a', { ...options, clean: true }, subscribe5(1, 't', 1)).vanish();
    world.run(9_000);
    const again = world.open();
    expect(ask5(again, connect5('a', options))).toEqual([ACCEPTED.replace('0 {', '0 present {')]);
    again.vanish();
    world.run(12_000);
    expect(world.gateway.nodes.knownCount).toBe(0);
    expect(ask5(world.open(), connect5('a', options))).toEqual([ACCEPTED]);
  });

  it('is kept for an hour by a listener that keeps others for ever', () => {
    const world = quiet({ persistent_client_expiration: 0 });
    node5(world, 'a', { properties: SESSION_OF('00000e10') }).vanish();
    world.run(3_599_000);
    expect(world.gateway.nodes.knownCount).toBe(1);
    world.run(3_000);
    expect(world.gateway.nodes.knownCount).toBe(0);
  });

  it('begins anew with Clean Start, and is kept all the same [MQTT5-3.1.2-4]', () => {
    const world = quiet();
    node5(world, 'a', { clean: false, properties: SESSION_OF('00000064') }, subscribe5(1, 't', 1)).vanish();
    node5(world, 'a', { clean: true, properties: SESSION_OF('00000064') }).vanish();
    expect([world.gateway.subscriptions.count, world.gateway.nodes.knownCount]).toEqual([0, 1]);
  });

  it('may be given another time by DISCONNECT', () => {
    const world = quiet();
    node5(world, 'a', { properties: SESSION_OF('00000064') }).send(disconnect5(0, SESSION_OF('00000000')));
    expect(world.gateway.nodes.knownCount).toBe(0);
    node5(world, 'a', { properties: SESSION_OF('00000001') }).send(disconnect5(0, SESSION_OF('00000064')));
    world.run(50_000);
    expect(world.gateway.nodes.knownCount).toBe(1);
  });

  it('that ends with its connection cannot be kept by DISCONNECT', () => {
    const world = quiet();
    expect(ask5(node5(world, 'a'), disconnect5(0, SESSION_OF('00000001')))).toEqual(['DISCONNECT 82', 'closed']);
  });

  it('is taken over with DISCONNECT 0x8E [MQTT5-3.1.4-3]', () => {
    const world = quiet();
    const old = node5(world, 'a');
    node5(world, 'a');
    expect(take5(old)).toEqual(['DISCONNECT 8e', 'closed']);
  });

  it('ends with DISCONNECT 0x8B when the gateway does [MQTT5-3.14.2-1]', () => {
    const world = quiet();
    const node = node5(world, 'a');
    world.runtime.stop(() => { /* nobody waits */ });
    world.run(3_000);
    expect(take5(node)).toEqual(['DISCONNECT 8b', 'closed']);
  });
});

describe('what is broken costs the connection, and is told', () => {
  it.each([
    ['a second CONNECT [MQTT5-3.1.0-2]', connect5('a'), '82'],
    ['a malformed packet', publish5('a', 'x', '7f00'), '81'],
    ['other flags of DISCONNECT [MQTT5-3.14.1-1]', new Uint8Array([0xE1, 0]), '81'],
    ['AUTH [MQTT5-4.12.0-6]', new Uint8Array([0xF0, 0]), '82'],
    ['a Topic Alias', publish5('a', 'x', '230001'), '94'],
    ['a topic with a wildcard', publish5('a/#', 'x'), '90'],
    ['a packet that is longer than announced', publish5('a', 'x'.repeat(1200)), '95'],
  ])('%s [MQTT5-4.13.2-1]', (_name, packet, code) => {
    expect(ask5(node5(quiet(), 'a'), packet)).toEqual([`DISCONNECT ${code}`, 'closed']);
  });

  it('more messages of QoS 2 than the Receive Maximum', () => {
    const node = node5(quiet({ max_unreleased_messages: 2 }), 'a');
    const send = (identifier: number): string[] => ask5(node, publish5('t', 'x', '', { qos: 2, identifier }));
    expect([...send(1), ...send(2), ...send(3)]).toEqual(
      ['PUBREC #1', 'PUBREC #2', 'DISCONNECT 93', 'closed']);
  });
});

describe('a message', () => {
  const PROPERTIES = `0101020000004d03000174080003722f740900020aff${USER_PROPERTY}${USER_PROPERTY}`;

  it.each([0, 1, 2])('of QoS %i goes on with its properties, in their order and unaltered '
    + '[MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]', qos => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 't', 2));
    const old = world.node('old', {}, subscribe(1, 't', 2));
    old.take();
    node5(world, 'w').send(publish5('t', 'x', PROPERTIES, { qos, identifier: 9 }));
    expect(take5(reader)).toEqual([`PUBLISH t=x q${qos}${qos > 0 ? ' #1' : ''} {${PROPERTIES}}`]);
    expect(old.take()).toEqual([`PUBLISH t=x q${qos}${qos > 0 ? ' #1' : ''}`]); // 3.1.1 has no place for them
  });

  it('of 3.1.1 has none, and that is said [MQTT5-2.2.2-1]', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 't', 2));
    world.node('w').send(publish('t', 'a long one', { qos: 1 }), publish('t', 'x'));
    expect(take5(reader)).toEqual(['PUBLISH t=a long one q1 #1', 'PUBLISH t=x q0']);
  });

  it('that is predicted is told from one with properties', () => {
    for (const qos of [0, 1]) {
      const world = quiet();
      const reader = node5(world, 'r', {}, subscribe5(1, 'air/temperature', 0));
      const writer = node5(world, 'w');
      const send = (hex: string): string[] => {
        writer.send(publish5('air/temperature', hex === '' ? '12345678' : '1', hex, { qos }));
        return take5(reader);
      };
      for (let round = 0; round < 3; ++round) {
        for (let time = 0; time < 3; ++time)
          expect(send('')).toEqual(['PUBLISH air/temperature=12345678 q0']);
        for (let time = 0; time < 3; ++time)
          expect(send(USER_PROPERTY)).toEqual([`PUBLISH air/temperature=1 q0 {${USER_PROPERTY}}`]);
      }
    }
  });

  it('that is retained keeps its properties, and 3.1.1 gets it without them', () => {
    const world = quiet();
    node5(world, 'w').send(publish5('t', 'x', PROPERTIES, { retain: true, qos: 1 }));
    const reader = node5(world, 'r');
    expect(ask5(reader, subscribe5(1, 't', 0))).toEqual(['SUBACK #1 0', `PUBLISH t=x q0 retain {${PROPERTIES}}`]);
    expect(world.node('old').ask(subscribe(1, 't', 0))).toEqual(['SUBACK #1 0', 'PUBLISH t=x q0 retain']);
    node5(world, 'w').send(publish5('t', 'other', '', { retain: true }));
    expect(ask5(reader, subscribe5(1, 't', 0)).at(-1)).toBe('PUBLISH t=other q0 retain');
    node5(world, 'w').send(publish5('t', '', USER_PROPERTY, { retain: true })); // [MQTT5-3.3.1-6] [MQTT5-3.3.1-7]
    expect(ask5(node5(world, 's'), subscribe5(1, 't', 0))).toEqual(['SUBACK #1 0']);
  });

  it('expires while it waits, and says what is left [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]', () => {
    const world = quiet();
    const session = { clean: false, properties: SESSION_OF('00000064') };
    node5(world, 'r', session, subscribe5(1, 't', 1)).vanish();
    node5(world, 'w').send(publish5('t', 'short', '0200000005', { qos: 1 }),
      publish5('t', 'long', `${USER_PROPERTY}0200000064`, { qos: 1 }), publish5('t', 'for ever', '', { qos: 1 }));
    world.run(10_000);
    expect(ask5(world.open(), connect5('r', session)).slice(1)).toEqual([
      `PUBLISH t=long q1 #2 {${USER_PROPERTY}020000005a}`, 'PUBLISH t=for ever q1 #3']);
  });

  it('that is retained expires, too', () => {
    const world = quiet();
    node5(world, 'w').send(publish5('t', 'x', '020000000a', { retain: true }));
    world.run(4_000);
    expect(ask5(node5(world, 'r'), subscribe5(1, 't', 0)).at(-1)).toBe('PUBLISH t=x q0 retain {0200000006}');
    world.run(2_000);
    expect(ask5(node5(world, 's'), subscribe5(1, 't', 0)).at(-1)).toBe('PUBLISH t=x q0 retain {0200000004}');
    world.run(5_000);
    expect(ask5(node5(world, 'u'), subscribe5(1, 't', 0))).toEqual(['SUBACK #1 0']);
  });

  it('that was sent and not acknowledged does not expire [MQTT5-4.3.3-7] [MQTT5-4.4.0-1]', () => {
    const world = quiet();
    const session = { clean: false, properties: SESSION_OF('00000064') };
    const reader = node5(world, 'r', session, subscribe5(1, 't', 2));
    node5(world, 'w').send(publish5('t', 'x', '0200000002', { qos: 2 }));
    expect(take5(reader)).toEqual(['PUBLISH t=x q2 #1 {0200000002}']);
    reader.vanish();
    world.run(5_000);
    expect(ask5(world.open(), connect5('r', session)).slice(1)).toEqual(['PUBLISH t=x q2 #1 dup {0200000000}']);
  });

  it('waits in the form of the one version and goes out in that of the other', () => {
    const world = quiet();
    const session = { clean: false, properties: SESSION_OF('00000064') };
    const fill = (): void => void node5(world, 'w').send(publish5('t', 'x', USER_PROPERTY, { qos: 2 }));
    node5(world, 'r', session, subscribe5(1, 't', 2)).vanish();
    fill();
    const old = world.open();
    expect(old.ask(connect('r', { clean: false }))).toEqual(['CONNACK 0 present', 'PUBLISH t=x q2 #1']);
    old.vanish();
    fill();
    const again = world.open();
    expect(ask5(again, connect5('r', session)).slice(1)).toEqual(
      [`PUBLISH t=x q2 #1 dup {${USER_PROPERTY}}`, `PUBLISH t=x q2 #2 {${USER_PROPERTY}}`]);
    expect(ask5(again, pubrec(1), pubrec(2))).toEqual(['PUBREL #1', 'PUBREL #2']);
    expect(ask5(again, pubcomp(1), pubcomp(2))).toEqual([]);
    expect(world.gateway.nodes.states.some(({ queue }) => queue.pendingCount > 0)).toBe(false);
  });

  it('of a session of 3.1.1 that goes on in 5.0 gets an empty list of properties', () => {
    const world = quiet();
    world.node('r', { clean: false }, subscribe(1, 't', 1)).vanish();
    world.node('w').send(publish('t', 'x', { qos: 1 }));
    expect(ask5(world.open(), connect5('r', { clean: false, properties: SESSION_OF('00000064') })).slice(1))
      .toEqual(['PUBLISH t=x q1 #1']);
  });
});

describe('what a node takes', () => {
  it('is so many messages at a time [MQTT5-3.3.4-9] [MQTT5-3.3.4-10] [MQTT5-4.9.0-2] [MQTT5-4.9.0-3]', () => {
    const world = quiet();
    const reader = node5(world, 'r', { properties: '210002' }, subscribe5(1, 't', 2));
    const writer = node5(world, 'w');
    for (const payload of ['1', '2', '3', '4'])
      writer.send(publish5('t', payload, '', { qos: 1 }));
    expect(take5(reader)).toEqual(['PUBLISH t=1 q1 #1', 'PUBLISH t=2 q1 #2']);
    expect(ask5(reader, PINGREQ)).toEqual(['PINGRESP']);
    writer.send(publish5('t', 'q0'));
    expect(take5(reader)).toEqual(['PUBLISH t=q0 q0']);
    expect(ask5(reader, puback(2))).toEqual(['PUBLISH t=3 q1 #3']);
    expect(ask5(reader, answer5(0x40, 1, 0x97))).toEqual(['PUBLISH t=4 q1 #4']); // [MQTT5-4.4.0-2]
  });

  it('is so many bytes; what is longer counts as delivered [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]', () => {
    const world = quiet();
    const reader = node5(world, 'r', { properties: '2700000020' }, subscribe5(1, 't', 1));
    const writer = node5(world, 'w');
    for (const qos of [0, 1])
      writer.send(publish5('t', 'x'.repeat(40), '', { qos }), publish5('t', 'short', '', { qos, identifier: 2 }));
    expect(take5(reader)).toEqual(['PUBLISH t=short q0', 'PUBLISH t=short q1 #2']);
    expect(world.gateway.nodes.states.reduce((sum, { queue }) => sum + queue.pendingCount, 0)).toBe(1);
  });

  it('is no answer that is longer than it takes', () => {
    const node = node5(quiet(), 'a', { properties: '2700000020' });
    const filters = Array.from({ length: 30 }, (_, index) => `f${index}`);
    expect(ask5(node, subscribe5(1, ...filters.flatMap(filter => [filter, 0])))).toEqual(['DISCONNECT 95', 'closed']);
  });

  it('is not a message that it refuses in PUBREC, and no PUBREL follows [MQTT5-4.4.0-2] [MQTT5-4.3.3-4]', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 't', 2));
    node5(world, 'w').send(publish5('t', 'x', '', { qos: 2 }));
    take5(reader);
    expect(ask5(reader, answer5(0x50, 1, 0x97))).toEqual([]);
    expect(world.gateway.nodes.states.some(({ queue }) => queue.pendingCount > 0)).toBe(false);
  });
});

describe('acknowledgements', () => {
  it('say that an identifier is not known', () => {
    const node = node5(quiet(), 'a');
    expect(ask5(node, pubrel(7))).toEqual(['PUBCOMP #7 92']);
    expect(ask5(node, pubrec(8))).toEqual(['PUBREL #8 92']);
  });

  it('say that $SYS is not for nodes, with rights or without', () => {
    for (const acl of [[], [{ topic: '#', access: 'readwrite' as const }]]) {
      const node = node5(quiet({ acl }), 'a');
      expect(ask5(node, publish5('$SYS/x', 'x', '', { qos: 1, identifier: 3 }))).toEqual(['PUBACK #3 87']);
      expect(ask5(node, publish5('$SYS/x', 'x', '', { qos: 2, identifier: 4 }))).toEqual(['PUBREC #4 87']);
    }
  });

  it('say what is not allowed [MQTT5-3.4.2-1] [MQTT5-3.5.2-1] [MQTT5-4.3.3-9]', () => {
    const world = quiet({ acl: [{ topic: 'mine/#', access: 'readwrite' }] });
    const node = node5(world, 'a');
    expect(ask5(node, publish5('other', 'x', '', { qos: 1, identifier: 3 }))).toEqual(['PUBACK #3 87']);
    for (let time = 0; time < 2; ++time)
      expect(ask5(node, publish5('other', 'x', '', { qos: 2, identifier: 4 }))).toEqual(['PUBREC #4 87']);
    expect(ask5(node, publish5('other', 'x'))).toEqual([]);
    expect(ask5(node, publish5('mine/a', 'x', '', { qos: 2, identifier: 4 }))).toEqual(['PUBREC #4']);
    expect(ask5(node, pubrel(4))).toEqual(['PUBCOMP #4']);
    expect(ask5(node, subscribe5(1, 'other', 1, 'mine/b', 1))).toEqual(['SUBACK #1 87 1']);
  });
});

it.each([['U+D800', '300f0005746feda080007061796c6f6164'], ['U+0000', '300f0005746f700000007061796c6f6164']])(
  'a topic that is no text makes a Malformed Packet: %s [MQTT5-1.5.4-1] [MQTT5-1.5.4-2]', (_name, packet) => {
    expect(ask5(node5(quiet(), 'a'), Buffer.from(packet, 'hex'))).toEqual(['DISCONNECT 81', 'closed']);
  });

describe('subscriptions', () => {
  it('are answered each with a code [MQTT5-3.9.3-2] [MQTT5-3.11.3-1] [MQTT5-3.11.3-2] [MQTT5-3.10.4-4]',
    () => {
    const node = node5(quiet(), 'a');
    expect(ask5(node, subscribe5(1, 'a', 2, 'b', 0, '$share/g/a', 0))).toEqual(['SUBACK #1 2 0 9e']);
    expect(ask5(node, unsubscribe5(2, 'b', 'c', 'a'))).toEqual(['UNSUBACK #2 0 11 0']);
  });

  it('are answered so too where they are stored, and when they are many', () => {
    const filters = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const node = node5(quiet({ max_subscriptions: 35, max_subscription_bytes: 4096 }), 'a');
    expect(ask5(node, subscribe5(1, ...filters.flatMap(filter => [filter, 1])))).toEqual(
      [`SUBACK #1${' 1'.repeat(35)}${' 97'.repeat(5)}`]);
    expect(ask5(node, unsubscribe5(2, ...filters))).toEqual([`UNSUBACK #2${' 0'.repeat(35)}${' 11'.repeat(5)}`]);
  });

  it('with an identifier are not served, as CONNACK says', () => {
    expect(ask5(node5(quiet(), 'a'), new Uint8Array([0x82, 9, 0, 1, 2, 0x0B, 1, 0, 1, 0x61, 0])))
      .toEqual(['SUBACK #1 a1']);
  });

  it('with No Local do not bring back what the node has sent [MQTT5-3.8.3-3] [MQTT5-3.8.4-3]', () => {
    const world = quiet();
    const node = node5(world, 'a', {}, subscribe5(1, 't/#', 4));
    const other = node5(world, 'b', {}, subscribe5(1, 't/#', 4));
    node.send(publish5('t/x', '1'), publish5('t/x', '2'));
    other.send(publish5('t/x', '3'));
    expect(take5(node)).toEqual(['PUBLISH t/x=3 q0']);
    expect(take5(other)).toEqual(['PUBLISH t/x=1 q0', 'PUBLISH t/x=2 q0']);
    expect(ask5(node, subscribe5(2, 't/x', 0), publish5('t/x', '4'))).toEqual(['SUBACK #2 0', 'PUBLISH t/x=4 q0']);
    node.send(unsubscribe5(3, 't/x'), subscribe5(4, 't/#', 0)); // replaced
    take5(node);
    expect(ask5(node, publish5('t/x', '5'))).toEqual(['PUBLISH t/x=5 q0']);
  });

  it('with Retain As Published bring RETAIN as it came [MQTT5-3.3.1-12] [MQTT5-3.3.1-13]', () => {
    const world = quiet();
    const readers = [0, 8].map(options => node5(world, `r${options}`, {}, subscribe5(1, 't', options)));
    const alone = node5(world, 'alone', {}, subscribe5(1, 'u', 8));
    node5(world, 'w').send(publish5('t', '1', '', { retain: true }), publish5('t', '2'),
      publish5('u', '3', '', { retain: true }), publish5('u', '4'));
    expect(readers.map(take5)).toEqual([['PUBLISH t=1 q0', 'PUBLISH t=2 q0'],
      ['PUBLISH t=1 q0 retain', 'PUBLISH t=2 q0']]);
    expect(take5(alone)).toEqual(['PUBLISH u=3 q0 retain', 'PUBLISH u=4 q0']);
  });

  it('say when retained messages are wanted [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11] [MQTT5-3.8.4-4]', () => {
    const world = quiet();
    node5(world, 'w').send(publish5('t', 'x', '', { retain: true }));
    const answers = (handling: number): number[] => {
      const node = node5(world, `r${handling}`);
      return [1, 2].map(identifier => ask5(node, subscribe5(identifier, 't', handling << 4)).length - 1);
    };
    expect([0, 1, 2].map(answers)).toEqual([[1, 1], [1, 0], [0, 0]]);
  });
});

describe('a Will', () => {
  const WILL = { topic: 'will', payload: 'gone', properties: `${USER_PROPERTY}0300016d` };

  it('is published with its properties [MQTT5-3.1.2-7] [MQTT5-3.1.2-8] [MQTT5-3.1.3-10]', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 'will', 0));
    node5(world, 'a', { will: WILL }).vanish();
    expect(take5(reader)).toEqual([`PUBLISH will=gone q0 {${WILL.properties}}`]);
  });

  const DELAYED = { topic: 'will', payload: 'gone', properties: `1800000005${USER_PROPERTY}` };
  const KEPT = { clean: false, properties: SESSION_OF('00000064'), will: DELAYED };
  const gone = [`PUBLISH will=gone q0 {${USER_PROPERTY}}`];

  it('waits for its Will Delay, and is gone when the node is back before [MQTT5-3.1.2-8] [MQTT5-3.1.3-9]', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 'will', 0));
    node5(world, 'a', KEPT).vanish();
    world.run(4_000);
    const again = node5(world, 'a', KEPT);
    world.run(10_000);
    expect(take5(reader)).toEqual([]);
    again.vanish();
    world.run(4_500);
    expect(take5(reader)).toEqual([]);
    world.run(1_600);
    expect(take5(reader)).toEqual(gone);
    world.run(200_000);
    expect(take5(reader)).toEqual([]);
  });

  it.each<[string, ConnectOptions, (world: World) => void]>([
    ['its session ends with the connection', { ...KEPT, properties: '' }, () => { /* it has */ }],
    ['its session ends before', { ...KEPT, properties: SESSION_OF('00000002') }, world => world.run(4_000)],
    ['it begins a new session', KEPT, world => void node5(world, 'a', { ...KEPT, clean: true, will: WILL })],
  ])('is published although its Will Delay is not over, when %s', (_name, options, end) => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 'will', 0));
    node5(world, 'a', options).vanish();
    end(world);
    expect(take5(reader).filter(event => event === gone[0])).toEqual(gone);
  });

  it('is published at once when others that wait have taken the room', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 'will', 0));
    const long = { ...DELAYED, topic: 'w', payload: 'x'.repeat(240) };
    node5(world, 'b', { ...KEPT, will: long }).vanish();
    node5(world, 'a', KEPT).vanish();
    expect(take5(reader)).toEqual(gone);
  });

  it('is published when the gateway stops, delayed or not', () => {
    const world = quiet();
    node5(world, 'a', KEPT).vanish();
    world.runtime.stop(() => { /* nobody waits */ });
    world.run(3_000);
    expect(world.eventTexts.filter(text => text.includes('Will')))
      .toEqual(['published the Will of node "a", after its Will Delay']);
  });

  it.each([[0, 0], [4, 1], [0x80, 1]])('after DISCONNECT %i: %i times [MQTT5-3.14.4-3] [MQTT5-3.1.2-10]',
    (code, times) => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, 'will', 0));
    node5(world, 'a', { will: WILL }).send(disconnect5(code));
    expect(take5(reader).length).toBe(times);
  });
});
