/**
 * Whole families of malformed packets, each member by itself: every value of the flags, every length that is wrong.
 * What is right is said here once more, in the words of the specification, so that the tables of src/packet are not
 * their own judge.
 */
import { describe, expect, it } from 'vitest';
import { World } from '../world/world.ts';
import { bytesOf, connect, packet, PINGREQ, publish, subscribe, unsubscribe } from '../world/packets.ts';

const ACKNOWLEDGEMENTS = [0x40, 0x50, 0x70];

/** Packets that a node may send, without their flags being right. */
const BODIES: [firstByte: number, body: Uint8Array][] = [
  ...[0x40, 0x50, 0x62, 0x70].map((firstByte): [number, Uint8Array] => [firstByte, new Uint8Array([0, 9])]),
  [0x82, subscribe(1, 'a/b', 1).subarray(2)], [0xA2, unsubscribe(1, 'a/b').subarray(2)], [0xC0, new Uint8Array()],
    [0xE0, new Uint8Array()],
];

/** Sends it on a connection of a node that is let in. @returns whether the connection stands afterwards */
function survives(level: number, bytes: Uint8Array): boolean {
  const world = World.quiet();
  const friend = world.node('friend', {}, subscribe(1, '#', 1));
  friend.take();
  const node = world.node('node', { level });
  const isOpen = node.ask(bytes, PINGREQ).at(-1) === 'PINGRESP';
  expect(node.isClosed).toBe(!isOpen);
  if (!isOpen) {
    expect(world.eventTexts.at(-1)).toContain('node "node" is gone');
    expect([friend.ask(PINGREQ), world.gateway.connectedCount]).toEqual([['PINGRESP'], 1]);
  }
  return isOpen;
}

const inHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each([4, 3])('with protocol level %i', level => {
  it('every value of the header flags is right or closes the connection [MQTT311-2.2.2-1] [MQTT311-2.2.2-2] [MQTT311-3.6.1-1] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1] [MQTT311-3.14.1-1]', () => {
    const wrong: string[] = [];
    for (const [firstByte, body] of BODIES)
      for (let flags = 0; flags < 16; ++flags) {
        const type = firstByte & 0xF0;
        const isRight = flags === (firstByte & 0x0F)
          // 3.1: DUP where QoS 1 is said, and flags that are not used elsewhere
          || level === 3 && (flags === 0x0A ? type !== 0xE0 : ACKNOWLEDGEMENTS.includes(type) || type === 0xC0);
        const bytes = packet(type | flags, body);
        if (survives(level, bytes) !== (isRight && type !== 0xE0))
          wrong.push(inHex(bytes));
      }
    expect(wrong).toEqual([]);
  });

  it('every packet that is cut, or longer than it says, closes the connection [MQTT311-4.8.0-1]', () => {
    const wrong: string[] = [];
    const whole =
      [...BODIES, [0x32, publish('a/b', '', { qos: 1 }).subarray(2)],
        [0x34, publish('a/b', '', { qos: 2 }).subarray(2)]] as typeof BODIES;
    for (const [firstByte, body] of whole) {
      const type = firstByte & 0xF0;
      const bodies = Array.from({ length: body.length }, (_, length) => body.subarray(0, length));
      if (type !== 0x30) // there the rest would be payload
        bodies.push(bytesOf(body, 0), bytesOf(body, 0, 1));
      for (const each of bodies) {
        const isEmptySubscribe = level === 3 && each.length === 2
          && (type === 0x80 || type === 0xA0); // 3.1 does not forbid it
        if (survives(level, packet(firstByte, each)) !== isEmptySubscribe)
          wrong.push(inHex(packet(firstByte, each)));
      }
    }
    expect(wrong).toEqual([]);
  });

  it('a Remaining Length of five bytes closes the connection whatever the type, and so does one that no ring holds',
    () => {
    for (let type = 0; type < 16; ++type)
      for (const length of [[0x80, 0x80, 0x80, 0x80, 0x01], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0x7F]])
        expect(survives(level, new Uint8Array([type << 4 | ([6, 8, 10].includes(type) ? 2 : 0), ...length])),
          `${type}`).toBe(false);
  });

  it('every combination of connect flags is accepted or closes the connection without CONNACK [MQTT311-3.1.2-3] [MQTT311-3.1.2-11] [MQTT311-3.1.2-13] [MQTT311-3.1.2-14] [MQTT311-3.1.2-15] [MQTT311-3.1.2-22] [MQTT311-3.1.4-1]', () => {
    const wrong: string[] = [];
    for (let flags = 0; flags < 256; ++flags) {
      const hasWill = (flags & 4) !== 0;
      const isRight = (flags & 0xC0) !== 0x40 && (hasWill ? (flags & 0x18) !== 0x18 : true)
        && (level === 3 || (flags & 1) === 0 && (hasWill || (flags & 0x38) === 0)); // 3.1 ignores what does not apply
      const bytes = packet(0x10, connect('', { level }).subarray(2, level === 4 ? 9 : 11), flags, 0, 0, 0, 1, 'n',
        ...hasWill ? [0, 1, 'w', 0, 1, 'm'] : [], ...flags & 0x80 ? [0, 1, 'u'] : [], ...flags & 0x40 ? [0, 1, 'p']
          : []);
      const world = World.quiet({ listener: { users: [{ username: 'u', password: 'p' }] } });
      const answer = world.open().ask(bytes, PINGREQ).join();
      if (answer !== (isRight ? 'CONNACK 0,PINGRESP' : 'closed'))
        wrong.push(`${flags.toString(2)}: ${answer}`);
    }
    expect(wrong).toEqual([]);
  });

  it('a CONNECT that ends anywhere but at its end is closed without CONNACK [MQTT311-3.1.3-1] [MQTT311-3.1.4-1]',
    () => {
    const whole =
      connect('abc', { level, will: { topic: 't', payload: 'm', qos: 1 }, user: 'u', password: 'p' }).subarray(2);
    const withoutBoth = whole.length - 6;
    const wrong: string[] = [];
    for (let length = 0; length <= whole.length + 2; ++length) {
      const bytes =
        packet(0x10, length <= whole.length ? whole.subarray(0, length)
          : bytesOf(whole, new Uint8Array(length - whole.length)));
      const world = World.quiet({ listener: { users: [{ username: 'u', password: 'p' }] } });
      const answer = world.open().ask(bytes).join();
      // 3.1 takes credentials for absent when the flags announce more than there is.
      const isRight = length === whole.length || level === 3 && (length === withoutBoth || length === withoutBoth + 3);
      if (answer !== (isRight ? 'CONNACK 0' : 'closed'))
        wrong.push(`${inHex(bytes)}: ${answer}`);
    }
    expect(wrong).toEqual([]);
  });

  it('every type that only a Server sends, and every one before CONNECT, closes the connection [MQTT311-3.1.0-1]',
    () => {
    for (let firstByte = 0; firstByte < 256; ++firstByte) {
      const type = firstByte >> 4;
      if ([0, 1, 2, 9, 11, 13, 15].includes(type))
        expect(survives(level, packet(firstByte, 0, 1)), firstByte.toString(16)).toBe(false);
      if (type !== 1)
        expect(World.quiet().open().ask(packet(firstByte, 0, 1)), firstByte.toString(16)).toEqual(['closed']);
    }
  });
});
