import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConnack, writeConnack } from '../../src/packet/connack.ts';
import * as Connect from '../../src/packet/connect.ts';
import { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { hexOf, isPoisonOutside, put, testArena } from '../bytes/test-arena.ts';
import { describe as line } from '../vectors/event-log.ts';
import { VectorMachine } from '../vectors/run-vector.ts';
import { bytesOf } from '../vectors/vector.ts';

const SOURCE = 1000;

interface Content {
  version: number;
  connectFlags: number;
  keepAlive: number;
  clientIdentifier: Uint8Array;
  willTopic?: Uint8Array;
  willPayload?: Uint8Array;
  userName?: Uint8Array;
  password?: Uint8Array;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Puts the strings into the arena one behind the other, and the fields around them. */
function fieldsOf(packet: Packet, content: Content): Connect.ConnectFields {
  let at = SOURCE;
  const place = (bytes: Uint8Array = new Uint8Array): [number, number] => {
    const offset = at;
    at += put(packet.arena, at, bytes);
    return [offset, bytes.length];
  };
  packet.version = content.version;
  packet.connectFlags = content.connectFlags;
  packet.keepAlive = content.keepAlive;
  [packet.clientIdentifierOffset, packet.clientIdentifierLength] = place(content.clientIdentifier);
  [packet.willTopicOffset, packet.willTopicLength] = place(content.willTopic);
  [packet.willPayloadOffset, packet.willPayloadLength] = place(content.willPayload);
  [packet.userNameOffset, packet.userNameLength] = place(content.userName);
  [packet.passwordOffset, packet.passwordLength] = place(content.password);
  return packet;
}

describe('connect flags', () => {
  it('have the bits of figure 3.4', () => {
    expect([Connect.RESERVED, Connect.CLEAN_START, Connect.WILL, Connect.WILL_QOS_SHIFT, Connect.WILL_RETAIN,
      Connect.PASSWORD, Connect.USER_NAME])
      .toEqual([1, 2, 4, 3, 32, 64, 128]);
  });

  it('hold the Will QoS', () => {
    for (let flags = 0; flags < 256; ++flags)
      expect(Connect.willQoSOf(flags)).toBe(flags >> 3 & 3);
  });
});

describe('writeConnect', () => {
  it.each<[string, Content, string]>([
    ['Remaining Length of two bytes',
      { version: 4, connectFlags: 2, keepAlive: 0, clientIdentifier: ascii('a'.repeat(116)) },
      '10 8001 0004 4d515454 04 02 0000 0074 61{116}'],
    ['Remaining Length 127', { version: 4, connectFlags: 2, keepAlive: 0, clientIdentifier: ascii('a'.repeat(115)) },
      '10 7f 0004 4d515454 04 02 0000 0073 61{115}'],
  ])('%s', (_name, content, hex) => {
    const packet = new Packet(testArena(2000));
    const fields = fieldsOf(packet, content);
    packet.arena.bytes.fill(0xA5, 0, SOURCE);
    const end = Connect.writeConnect(packet.arena, 7, fields);
    const expected = bytesOf(hex);
    expect(hexOf(packet.arena, 7, end)).toBe(Buffer.from(expected).toString('hex'));
    expect(Connect.remainingLengthOfConnect(fields)).toBe(expected.length - (expected[1]! < 0x80 ? 2 : 3));
    packet.arena.bytes.fill(0xA5, SOURCE);
    expect(isPoisonOutside(packet.arena, 7, end)).toBe(true);
  });

  it('leaves out what no flag announces', () => {
    const packet = new Packet(testArena(2000));
    const everything = { willTopic: ascii('w'), willPayload: ascii('m'), userName: ascii('u'), password: ascii('p') };
    const fields =
      fieldsOf(packet, { version: 4, connectFlags: 0x02, keepAlive: 0, clientIdentifier: ascii('a'), ...everything });
    expect(hexOf(packet.arena, 0,
      Connect.writeConnect(packet.arena, 0, fields))).toBe('100d00044d51545404020000000161');
  });

  it('writes what is read again, for any fields', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'B', '/', '9', '\u00E4', '\u{2A6D4}', '\uFEFF'),
      maxLength: 40 }).map(value => Uint8Array.from(Buffer.from(value)));
    const binary = fc.uint8Array({ maxLength: 70 });
    fc.assert(fc.property(fc.record({
      version: fc.constantFrom(3, 4), cleanStart: fc.boolean(), keepAlive: fc.nat(65535), clientIdentifier: text,
      will: fc.option(fc.record({ topic: text.filter(({ length }) => length > 0), payload: binary, qos: fc.nat(2),
        retain: fc.boolean() }), { nil: undefined }),
      userName: fc.option(text, { nil: undefined }), password: binary, hasPassword: fc.boolean(),
    }), ({ version, cleanStart, keepAlive, clientIdentifier, will, userName, password, hasPassword }) => {
      const withPassword = hasPassword && userName !== undefined;
      const connectFlags =
        (cleanStart ? 2 : 0) | (will ? 4 | will.qos << 3 | (will.retain ? 32 : 0) : 0) | (userName ? 128
          : 0) | (withPassword ? 64 : 0);
      const packet = new Packet(testArena(2000));
      const fields = fieldsOf(packet, {
        version, connectFlags, keepAlive, clientIdentifier, ...will
          && { willTopic: will.topic, willPayload: will.payload },
        ...userName && { userName }, ...withPassword && { password },
      });
      const end = Connect.writeConnect(packet.arena, 1, fields);
      const bytes = packet.arena.bytes.slice(1, end);
      const machine = new VectorMachine({ maximumPacketSize: 512, outputCapacity: 512 });
      const asText = (value: Uint8Array): string => textOfBytes(value);
      expect(machine.run(bytes, 'client', version, { every: 9 })).toEqual([line({
        type: 'CONNECT', version, connectFlags, keepAlive, clientIdentifier: asText(clientIdentifier),
        ...will && { willTopic: asText(will.topic), willPayload: asText(will.payload) }, ...userName
          && { userName: asText(userName) },
        ...withPassword && { password: asText(password) },
      })]);
      expect(machine.written).toEqual(bytes);
    }), { numRuns: 500 });
  });
});

/**
 * `PacketFields` text, made another way than by the event log: no run is 16 bytes long here unless it is shown as one.
 */
function textOfBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes)
    text += byte >= 0x20 && byte <= 0x7E && byte !== 0x5C && byte !== 0x7B ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  return text.replace(/(\\x..|[^\\])\1{15,}/gs, (run, one: string) => `${one}{${run.length / one.length}}`);
}

describe('CONNACK', () => {
  it.each([
    [4, 0, false, '20020000'], [4, 0, true, '20020100'], [4, 1, false, '20020001'], [4, 2, false, '20020002'],
      [4, 5, false, '20020005'],
    [4, 5, true, '20020005'], // a refusal never has a session [MQTT311-3.2.2-4]
    [3, 0, false, '20020000'], [3, 0, true, '20020000'], // 3.1 has no Session Present
    [3, 2, false, '20020002'],
    [0, 1, false, '20020001'], // an unknown version is refused before it is known
  ])('of version %i, return code %i, Session Present %s is written as %s',
    (version, returnCode, sessionPresent, hex) => {
    const arena = testArena(16);
    expect(writeConnack(arena, 5, version, returnCode, sessionPresent)).toBe(9);
    expect(hexOf(arena, 5, 9)).toBe(hex);
    expect(isPoisonOutside(arena, 5, 9)).toBe(true);
  });

  it('is read for every acknowledge flag and every return code', () => {
    const packet = new Packet(testArena(16));
    packet.offset = 4;
    packet.end = 6;
    for (const version of [3, 4])
      for (let flags = 0; flags < 256; ++flags)
        for (let returnCode = 0; returnCode < 256; ++returnCode) {
          put(packet.arena, 4, [flags, returnCode]);
          packet.version = version;
          const reasonCode = readConnack(packet);
          const isRight = version === 3 || flags === 0 || flags === 1 && returnCode === 0;
          if (reasonCode !== (isRight ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET))
            expect({ version, flags, returnCode, reasonCode }).toBe('otherwise');
          if (isRight
            && (packet.reasonCode !== ReasonCode.fromReturnCode(returnCode)
              || packet.sessionPresent !== (version === 4 && flags === 1)))
            expect({ version, flags, returnCode, packet }).toBe('otherwise');
        }
  });

  it('has exactly two bytes', () => {
    const packet = new Packet(testArena(16));
    packet.arena.bytes.fill(0, 4, 12);
    packet.offset = 4;
    for (let length = 0; length < 6; ++length) {
      packet.end = 4 + length;
      expect(readConnack(packet)).toBe(length === 2 ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET);
    }
  });
});

describe('readConnect', () => {
  const WHOLE = bytesOf('0004 4d515454 04 c6 003c 0001 61 0002 7774 0003 6d6d6d 0001 75 0002 7070');

  function read(bytes: Uint8Array, version = 0): [number, Packet] {
    const packet = new Packet(testArena(128));
    packet.arena.bytes.fill(0, 0, 128); // what follows would go on as empty strings
    put(packet.arena, 3, bytes);
    packet.type = 1;
    packet.version = version;
    packet.offset = 3;
    packet.end = 3 + bytes.length;
    return [Connect.readConnect(packet), packet];
  }

  it('never reads behind the end: every shorter packet is malformed [MQTT311-3.1.4-1]', () => {
    expect(read(WHOLE)[0]).toBe(ReasonCode.SUCCESS);
    for (let length = 0; length < WHOLE.length; ++length)
      expect([length, read(WHOLE.subarray(0, length))[0]]).toEqual([length, ReasonCode.MALFORMED_PACKET]);
  });

  it('takes every combination of connect flags that 3.1.1 allows, and no other', () => {
    for (let flags = 0; flags < 256; ++flags) {
      const parts =
        ['0001 61', ...flags & 4 ? ['0001 77', '0000'] : [], ...flags & 128 ? ['0001 75'] : [], ...flags & 64
          ? ['0001 70'] : []];
      const [reasonCode, packet] =
        read(bytesOf(`0004 4d515454 04 ${flags.toString(16).padStart(2, '0')} 003c ${parts.join(' ')}`));
      const isRight = (flags & 1) === 0 && ((flags & 4) !== 0 ? (flags >> 3 & 3) < 3 : (flags & 0x38) === 0)
        && (flags & 0xC0) !== 0x40;
      expect([flags, reasonCode]).toEqual([flags, isRight ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET]);
      if (isRight)
        expect([packet.connectFlags, packet.userNameLength, packet.passwordLength, packet.willTopicLength])
          .toEqual([flags, flags & 128 ? 1 : -1, flags & 64 ? 1 : -1, flags & 4 ? 1 : 0]);
    }
  });

  it('leaves nothing of the CONNECT before: Will, user name, password', () => {
    const packet = new Packet(testArena(128));
    packet.type = 1;
    for (const hex of ['0004 4d515454 84 c6 003c 0001 61 0001 77 0001 6d 0001 75 0001 70',
      '0004 4d515454 04 02 003c 0001 61']) {
      packet.offset = 3;
      packet.end = 3 + put(packet.arena, 3, bytesOf(hex));
      expect(Connect.readConnect(packet)).toBe(ReasonCode.SUCCESS);
    }
    expect([packet.willTopicLength, packet.willPayloadLength, packet.userNameLength, packet.passwordLength])
      .toEqual([0, 0, -1, -1]);
  });

  it('knows the version of a CONNECT that it refuses, for the CONNACK', () => {
    expect(read(bytesOf('0004 4d515454 05'))[1].version).toBe(5);
    expect(read(bytesOf('0004 4d515454 85'))[1].version).toBe(5);
  });
});
