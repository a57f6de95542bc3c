/**
 * Every packet that is malformed or forbidden: the specified answer at once, a count under its reason, one event that
 * names the node, and nothing that anybody else notices. Families of which each member closes the connection, such as
 * all values of the flags, are in malformed-streams.test.ts; the reason of each single packet is in the vectors.
 */
import { describe, expect, it } from 'vitest';
import { NODE_CLOSED, NODE_REFUSED } from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { accept, World } from '../world/world.ts';
import { connect, packet, PINGREQ, puback, pubcomp, publish, pubrec, subscribe,
  unsubscribe } from '../world/packets.ts';

const { CLIENT_IDENTIFIER_NOT_VALID, MALFORMED_PACKET, PACKET_TOO_LARGE, PROTOCOL_ERROR, TOPIC_NAME_INVALID,
  TLS_SPOKEN, UNSUPPORTED_PROTOCOL_VERSION } = ReasonCode;

/** Name, bytes, reason, and the reason in 3.1 where that is another one: null where 3.1 allows it. */
type Row = [name: string, bytes: Uint8Array, reason: number, in31?: number | null];

const text = (...bytes: number[]): Uint8Array => new Uint8Array([0, bytes.length, ...bytes]);

/** After CONNECT has been accepted. */
const ROWS: Row[] = [
  ['type 0', packet(0x00), MALFORMED_PACKET],
  ['a second CONNECT [MQTT311-3.1.0-2]', connect('bad'), PROTOCOL_ERROR],
  ['CONNACK', packet(0x20, 0, 0), PROTOCOL_ERROR],
  ['a Remaining Length of five bytes', new Uint8Array([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), MALFORMED_PACKET],
  ['a packet that is too long', new Uint8Array([0x30, 0xFF, 0xFF, 0xFF, 0x7F]), PACKET_TOO_LARGE],
  ['PUBLISH with QoS 3 [MQTT311-3.3.1-4]', packet(0x36, 0, 1, 'a', 0, 1), MALFORMED_PACKET],
  ['PUBLISH with QoS 0 and DUP [MQTT311-3.3.1-2]', packet(0x38, 0, 1, 'a'), MALFORMED_PACKET, null],
  ['PUBLISH with QoS 1 and no identifier', packet(0x32, 0, 1, 'a'), MALFORMED_PACKET],
  ['PUBLISH with identifier 0 [MQTT311-2.3.1-1]', publish('a', '', { qos: 1, identifier: 0 }), PROTOCOL_ERROR],
  ['PUBLISH with QoS 2 and identifier 0 [MQTT311-2.3.1-1]', publish('a', '', { qos: 2, identifier: 0 }),
    PROTOCOL_ERROR],
  ['PUBLISH with an empty topic [MQTT311-4.7.3-1]', publish('', 'x'), TOPIC_NAME_INVALID],
  ['PUBLISH to "#" [MQTT311-3.3.2-2] [MQTT311-4.7.1-1]', publish('#', 'x'), TOPIC_NAME_INVALID],
  ['PUBLISH to "a/+/b" [MQTT311-3.3.2-2]', publish('a/+/b', 'x'), TOPIC_NAME_INVALID],
  ['PUBLISH to "a+b" [MQTT311-3.3.2-2]', publish('a+b', 'x'), TOPIC_NAME_INVALID],
  ['U+0000 in a topic [MQTT311-1.5.3-2] [MQTT311-4.7.3-2]', packet(0x30, text(0x61, 0)), TOPIC_NAME_INVALID],
  ['a surrogate in a topic [MQTT311-1.5.3-1]', packet(0x30, text(0xED, 0xA0, 0x80)), TOPIC_NAME_INVALID],
  ['an overlong form in a topic [MQTT311-1.5.3-1]', packet(0x30, text(0xC0, 0xAF)), TOPIC_NAME_INVALID],
  ['a lone continuation byte in a topic [MQTT311-3.3.2-1]', packet(0x30, text(0x80)), TOPIC_NAME_INVALID],
  ['a code point beyond U+10FFFF [MQTT311-1.5.3-1]', packet(0x30, text(0xF4, 0x90, 0x80, 0x80)), TOPIC_NAME_INVALID],
  ...[[0x01], [0x1F], [0x7F], [0xC2, 0x9F], [0xEF, 0xBF, 0xBF], [0xF4, 0x8F, 0xBF, 0xBE]].flatMap((bytes): Row[] => {
    const name = Buffer.from(bytes).toString('hex');
    return [
      [`a control or non-character (${name}) in a topic (section 1.5.3)`, packet(0x30, text(0x61, ...bytes)),
        TOPIC_NAME_INVALID],
      [`a control or non-character (${name}) in a filter (section 1.5.3)`,
        packet(0x82, 0, 1, text(0x61, ...bytes), 0), MALFORMED_PACKET],
      [`a control or non-character (${name}) in a filter to unsubscribe (section 1.5.3)`,
        packet(0xA2, 0, 1, text(0x61, ...bytes)), MALFORMED_PACKET],
    ];
  }),
  ['PUBACK with flags [MQTT311-2.2.2-2]', packet(0x42, 0, 1), MALFORMED_PACKET, null],
  ['PUBACK with identifier 0', packet(0x40, 0, 0), PROTOCOL_ERROR],
  ['SUBSCRIBE without a filter [MQTT311-3.8.3-3]', packet(0x82, 0, 1), PROTOCOL_ERROR, null],
  ['SUBSCRIBE with QoS 3 [MQTT311-3.8.3-4]', subscribe(1, 'a', 3), MALFORMED_PACKET],
  ['SUBSCRIBE with reserved bits [MQTT311-3.8.3-4]', subscribe(1, 'a', 4), MALFORMED_PACKET],
  ['SUBSCRIBE with identifier 0 [MQTT311-2.3.1-1]', subscribe(0, 'a', 0), PROTOCOL_ERROR],
  ['SUBSCRIBE to "a/#/b" [MQTT311-4.7.1-2]', subscribe(1, 'a/#/b', 0), MALFORMED_PACKET],
  ['SUBSCRIBE to "a+" [MQTT311-4.7.1-3]', subscribe(1, 'a+', 0), MALFORMED_PACKET],
  ['SUBSCRIBE to nothing [MQTT311-4.7.3-1]', subscribe(1, '', 0), MALFORMED_PACKET],
  ['UNSUBSCRIBE without a filter [MQTT311-3.10.3-2]', packet(0xA2, 0, 1), PROTOCOL_ERROR, null],
  ['UNSUBSCRIBE with identifier 0 [MQTT311-2.3.1-1]', unsubscribe(0, 'a'), PROTOCOL_ERROR],
  ['DISCONNECT with flags [MQTT311-3.14.1-1]', packet(0xE1), MALFORMED_PACKET, ReasonCode.SUCCESS],
];

describe.each([4, 3])('a connected node, protocol level %i, that sends', level => {
  it.each(ROWS)('%s is closed at once [MQTT311-4.8.0-1]', (_name, bytes, reason, in31) => {
    const expected = level === 3 && in31 !== undefined ? in31 : reason;
    const world = World.quiet();
    const friend = world.node('friend', {}, subscribe(1, '#', 2));
    friend.take();
    const node = world.node('bad', { level });
    world.events.length = 0;
    const start = world.network.clock.time;
    node.post(bytes, publish('after', 'x'));
    if (expected === null) {
      world.run();
      expect(node.isClosed).toBe(false);
      return;
    }
    world.network.clock.runUntil(() => node.isClosed, 1000);
    expect(world.network.clock.time - start).toBeLessThan(10);
    expect(node.take()).toEqual(['closed']);
    expect(world.events).toMatchObject([{ event: NODE_CLOSED, subject: 1, detail: expected }]);
    expect(world.eventTexts.at(-1)).toContain('node "bad"');
    expect(world.gateway.endings.of(expected)).toBe(1);
    expect(friend.ask(PINGREQ)).toEqual(['PINGRESP']);
    expect(world.gateway.connectedCount).toBe(1);
  });
});

const raw = (...parts: (number | string | Uint8Array)[]): Uint8Array => packet(0x10, ...parts);
const NAME_4 = new Uint8Array([0, 4, ...Buffer.from('MQTT')]);

/** In place of CONNECT: bytes, return code of CONNACK or null for none, reason. */
const FIRST: [name: string, bytes: Uint8Array, code: number | null, reason: number][] = [
  ...[0x30, 0x40, 0x50, 0x62, 0x70, 0x82, 0xA2, 0xC0, 0xE0, 0x20].map((firstByte): [string, Uint8Array, null, number] =>
    [`a packet of type ${firstByte >> 4} [MQTT311-3.1.0-1]`, packet(firstByte, 0, 1), null, PROTOCOL_ERROR]),
  ['HTTP', new Uint8Array(Buffer.from('GET / HTTP/1.1\r\n\r\n')), null, PROTOCOL_ERROR],
  ['TLS', new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00]), null, TLS_SPOKEN],
  ['CONNECT with another name [MQTT311-3.1.2-1]', raw(0, 4, 'MQTS', 4, 2, 0, 0, 0, 1, 'a'), null, PROTOCOL_ERROR],
  ['CONNECT of level 6 [MQTT311-3.1.2-2]', raw(NAME_4, 6, 2, 0, 0, 0, 0, 1, 'a'), 1, UNSUPPORTED_PROTOCOL_VERSION],
  ['CONNECT with the reserved flag [MQTT311-3.1.2-3]', raw(NAME_4, 4, 3, 0, 0, 0, 1, 'a'), null, MALFORMED_PACKET],
  ['CONNECT with a wildcard in the Will Topic', raw(NAME_4, 4, 6, 0, 0, 0, 1, 'a', 0, 1, '#', 0, 0), null,
    MALFORMED_PACKET],
  ['CONNECT with a Will Topic that is no UTF-8 [MQTT311-3.1.3-10]',
    raw(NAME_4, 4, 6, 0, 0, 0, 1, 'a', 0, 1, 0x80, 0, 0), null, MALFORMED_PACKET],
  ['CONNECT with a user name that is no UTF-8 [MQTT311-3.1.3-11]', raw(NAME_4, 4, 0x82, 0, 0, 0, 1, 'a', 0, 1, 0x80),
    null, MALFORMED_PACKET],
  ['CONNECT with an identifier that is no UTF-8 [MQTT311-3.1.3-4]', raw(NAME_4, 4, 2, 0, 0, 0, 1, 0x80), null,
    MALFORMED_PACKET],
  ['CONNECT with a control character in the identifier', raw(NAME_4, 4, 2, 0, 0, 0, 2, 'a', 7), null, MALFORMED_PACKET],
  ['CONNECT with a control character in the Will Topic', raw(NAME_4, 4, 6, 0, 0, 0, 1, 'a', 0, 2, 'w', 0x7F, 0, 0),
    null, MALFORMED_PACKET],
  ['CONNECT with a control character in the user name', raw(NAME_4, 4, 0x82, 0, 0, 0, 1, 'a', 0, 2, 0xC2, 0x80), null,
    MALFORMED_PACKET],
  ['CONNECT with an empty identifier and Clean Session 0 [MQTT311-3.1.3-8]', raw(NAME_4, 4, 0, 0, 0, 0, 0), 2,
    CLIENT_IDENTIFIER_NOT_VALID],
  ['CONNECT that is too long', new Uint8Array([0x10, 0xFF, 0x7F]), null, PACKET_TOO_LARGE],
];

describe('a node that begins with', () => {
  it.each(FIRST)('%s is refused at once [MQTT311-3.2.2-4] [MQTT311-3.2.2-5] [MQTT311-3.1.4-5]',
    (_name, bytes, code, reason) => {
    const world = World.quiet();
    const friend = world.node('friend', {}, subscribe(1, '#', 2));
    friend.take();
    world.events.length = 0;
    const node = world.open();
    const start = world.network.clock.time;
    node.post(bytes, publish('after', 'x'));
    world.network.clock.runUntil(() => node.isClosed, 1000);
    expect(world.network.clock.time - start).toBeLessThan(10);
    expect(node.take()).toEqual(code === null ? ['closed'] : [`CONNACK ${code}`, 'closed']);
    expect(world.events).toMatchObject([{ event: NODE_REFUSED, subject: 1, detail: reason }]);
    expect(world.gateway.endings.of(reason)).toBe(1);
    expect(friend.ask(PINGREQ)).toEqual(['PINGRESP']);
  });
});

describe.each([4, 3])('a node, protocol level %i, that answers a message', level => {
  /** A node with one message of this QoS under way to it. */
  const receiver = (qos: number) => {
    const world = World.quiet();
    const node = world.node('bad', { level }, subscribe(1, 'a', qos));
    node.take();
    world.node('writer').send(publish('a', 'x', { qos }));
    expect(node.take()).toEqual([`PUBLISH a=x q${qos} #1`]);
    return { node, world };
  };

  it.each([
    ['QoS 1 with PUBREC', 1, [pubrec(1)], []],
    ['QoS 1 with PUBCOMP', 1, [pubcomp(1)], []],
    ['QoS 2 with PUBACK', 2, [puback(1)], []],
    ['QoS 2 with PUBCOMP first', 2, [pubcomp(1)], []],
    ['QoS 2 with PUBREC and PUBACK', 2, [pubrec(1), puback(1)], ['PUBREL #1']],
  ] as const)('of %s is closed [MQTT311-4.8.0-1] [MQTT311-4.3.2-1] [MQTT311-4.3.3-1]',
    (_name, qos, answers, before) => {
    const { node, world } = receiver(qos);
    expect(node.ask(...answers)).toEqual([...before, 'closed']);
    expect(world.events.at(-1)).toMatchObject({ event: NODE_CLOSED, subject: 0, detail: PROTOCOL_ERROR });
  });

  it('with acknowledgements that nothing awaits, or twice, stays', () => {
    const { node } = receiver(2);
    expect(node.ask(puback(7), pubcomp(7), pubrec(7), pubrec(1), pubrec(1), pubcomp(1), pubcomp(1), puback(1), PINGREQ))
      .toEqual(['PUBREL #7', 'PUBREL #1', 'PUBREL #1', 'PINGRESP']);
  });
});

it('a topic with control characters that upstream uses is dropped, and not taken for a good one when a node publishes it', () => {
  const world = World.quiet({ topic: [{ pattern: '#', direction: 'in' }] }, { server: accept });
  const friend = world.node('friend', {}, subscribe(1, '#', 0));
  friend.take();
  world.uplink.post(publish('long enough\u0001', 'x'));
  world.run();
  expect(friend.take()).toEqual([]);
  const node = world.node('bad');
  expect(node.ask(publish('long enough\u0001', 'x'))).toEqual(['closed']);
  expect(friend.take()).toEqual([]);
});

it('a topic with control characters ends the session of a node that has rights and a mount point, too', () => {
  const world = World.quiet({ listener: {
    users: [{ username: 'u', password: 'p', mount_point: 'm/' }], acl: [{ topic: '#' }],
  } });
  for (const user of ['u', undefined]) {
    const node = world.node('bad', user === undefined ? {} : { user });
    expect(node.ask(publish('a\u0001', 'x', { qos: 1 }))).toEqual(['closed']);
    expect(world.events.at(-1)).toMatchObject({ event: NODE_CLOSED, subject: 0, detail: TOPIC_NAME_INVALID });
  }
});
