import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packet, PlainSpans, type Message, type MessageSpans } from '../../src/packet/packet.ts';
import { lengthOfPublish, readAcknowledgement, writePublish } from '../../src/packet/publish.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { hexOf, put, testArena } from '../bytes/test-arena.ts';
import { describe as line } from '../vectors/event-log.ts';
import { VectorMachine } from '../vectors/run-vector.ts';
import { NO_IDENTIFIERS } from '../session/pair.ts';
import { bytesOf } from '../vectors/vector.ts';

/** A message whose topic name and payload lie in the second half of an arena. */
function messageOf(capacity: number, topicName: string | Uint8Array, payload: Uint8Array, retain = 0): [Message,
  ReturnType<typeof testArena>] {
  const arena = testArena(2 * capacity);
  const topicNameLength = put(arena, capacity, topicName);
  arena.bytes.set(payload, capacity + topicNameLength);
  return [{ topicNameOffset: capacity, topicNameLength, payloadOffset: capacity + topicNameLength,
    payloadLength: payload.length, qos: 0, retain, packetIdentifier: 0,
    propertiesOffset: 0, propertiesLength: 0, ...NO_IDENTIFIERS }, arena];
}

it('a message without fields for properties has none, and cannot get any', () => {
  const message = new PlainSpans();
  expect([message.propertiesOffset, message.propertiesLength]).toEqual([0, 0]);
  expect(() => { (message as MessageSpans).propertiesLength = 1; }).toThrow(TypeError);
  expect(Object.keys(message)).not.toContain('propertiesLength'); // a slot on XS
});

describe('writePublish', () => {
  it('takes the QoS it is told, not that of the message', () => {
    const [message, arena] = messageOf(32, 'a', new Uint8Array);
    message.qos = 2;
    expect(hexOf(arena, 0, writePublish(arena, 0, message, 0, 7))).toBe('3003000161');
  });

  it.each([[0, 127, '7f'], [0, 128, '8001'], [1, 127, '7f'], [1, 128, '8001'], [2, 16383, 'ff7f'],
    [0, 16384, '808001'], [0, 2097151, 'ffff7f'], [1, 2097152, '80808001']])(
    'at QoS %i has the Remaining Length %i of table 2.4, and lengthOfPublish knows', (qos, remainingLength, hex) => {
      const payload = new Uint8Array(remainingLength - 3 - (qos > 0 ? 2 : 0)).fill(0x78);
      const [message, arena] = messageOf(remainingLength + 16, 'a', payload);
      const end = writePublish(arena, 2, message, qos, 1);
      const headerLength = 1 + hex.length / 2;
      expect(hexOf(arena, 3, 2 + headerLength)).toBe(hex);
      expect(end - 2).toBe(headerLength + remainingLength);
      expect(lengthOfPublish(message, qos)).toBe(end - 2);
      expect(Buffer.from(arena.bytes.subarray(end - payload.length, end)).equals(payload)).toBe(true);
      expect(arena.bytes[end]).toBe(0xA5);
    });

  it('writes what is read again, for any message', () => {
    const topicNames =
      fc.string({ unit: fc.constantFrom('a', '/', '$', '\u00E4', '\u{2A6D4}'), minLength: 1,
        maxLength: 60 }).map(text => Uint8Array.from(Buffer.from(text)));
    fc.assert(fc.property(topicNames, fc.uint8Array({ maxLength: 200 }), fc.nat(2), fc.nat(1),
      fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 40 })),
      (topicName, payload, qos, retain, [packetIdentifier, every]) => {
        const [message, arena] = messageOf(1024, topicName, payload, retain);
        const end = writePublish(arena, 0, message, qos, packetIdentifier);
        const bytes = arena.bytes.slice(0, end);
        const machine = new VectorMachine({ maximumPacketSize: 512, outputCapacity: 512 });
        const { onPublish } = machine;
        let found: unknown;
        machine.onPublish = packet => {
          onPublish.call(machine, packet);
          found = {
            topicName: packet.arena.bytes.slice(packet.topicNameOffset,
              packet.topicNameOffset + packet.topicNameLength),
            payload: packet.arena.bytes.slice(packet.payloadOffset, packet.payloadOffset + packet.payloadLength),
            qos: packet.qos, retain: packet.retain, packetIdentifier: packet.qos > 0 ? packet.packetIdentifier
              : packetIdentifier,
          };
        };
        machine.run(bytes, 'client', 4, { every });
        expect(machine.reasonCode).toBe(ReasonCode.SUCCESS);
        expect(found).toEqual({ topicName, payload, qos, retain, packetIdentifier });
        expect(machine.written).toEqual(bytes);
      }), { numRuns: 500 });
  });
});

describe('reading a PUBLISH', () => {
  const machine = new VectorMachine({ maximumPacketSize: 32 });

  it('takes every combination of header flags that the version allows, and no other', () => {
    for (const version of [3, 4])
      for (let flags = 0; flags < 16; ++flags) {
        const qos = flags >> 1 & 3;
        const isRight = qos < 3 && (version === 3 || qos > 0 || flags < 8); // [MQTT311-3.3.1-2] [MQTT311-3.3.1-4]
        const log = machine.run(Uint8Array.of(0x30 | flags, 5, 0, 1, 0x61, 0, 10), 'client', version);
        expect([version, flags, ...log]).toEqual([version, flags, isRight ? line({
          type: 'PUBLISH', qos, topicName: 'a', ...flags >= 8 && { dup: true }, ...(flags & 1) !== 0
            && { retain: true },
          ...qos > 0 ? { packetIdentifier: 10, payload: '' } : { payload: '\\x00\\x0a' },
        }) : 'error 0x81']);
      }
  });

  it('never reads behind the end of the packet', () => {
    const whole = bytesOf('0003 612f62 000a');
    for (const firstByte of [0x30, 0x32])
      for (let length = 0; length < whole.length; ++length)
        if (firstByte === 0x32 || length < 5) {
          // what lies behind would make it whole
          const log = machine.run(Uint8Array.of(firstByte, length, ...whole), 'client', 4);
          expect([length, ...log]).toEqual([length, 'error 0x81']);
        }
  });
});

describe('acknowledgements', () => {
  it('are read for every identifier but 0 [MQTT311-2.3.1-6]', () => {
    const packet = new Packet(testArena(8));
    packet.offset = 2;
    packet.end = 4;
    let wrong = 0;
    for (let packetIdentifier = 0; packetIdentifier < 65536; ++packetIdentifier) {
      put(packet.arena, 2, [packetIdentifier >> 8, packetIdentifier & 255]);
      const reasonCode = readAcknowledgement(packet);
      if (packet.packetIdentifier !== packetIdentifier
        || reasonCode !== (packetIdentifier === 0 ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS))
        ++wrong;
    }
    expect(wrong).toBe(0);
  });
});
