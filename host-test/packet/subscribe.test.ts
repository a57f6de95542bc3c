import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUBSCRIBE, UNSUBSCRIBE } from '../../src/packet/control-packet.ts';
import { Packet } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { nextTopicFilter, readSuback, readTopicFilters, SUBACK_FAILURE, writeSubackHeader, writeSubscribe,
  writeUnsubscribe } from '../../src/packet/subscribe.ts';
import { hexOf, isPoisonOutside, put, testArena } from '../bytes/test-arena.ts';
import { bytesOf } from '../vectors/vector.ts';

function packetOf(type: number, content: string | Uint8Array, version = 4): Packet {
  const packet = new Packet(testArena(1024));
  packet.type = type;
  packet.version = version;
  packet.offset = 5;
  packet.end = 5 + put(packet.arena, 5, typeof content === 'string' ? bytesOf(content) : content);
  put(packet.arena, packet.end, bytesOf('0001 7a 00')); // a filter that is not in the packet
  return packet;
}

/** Walks to the end with the cursor. */
function filtersOf(packet: Packet): [filter: string, qos: number][] {
  const found: [string, number][] = [];
  packet.qos = -1;
  while (nextTopicFilter(packet))
    found.push([Buffer.from(packet.arena.bytes.slice(packet.topicFilterOffset,
      packet.topicFilterOffset + packet.topicFilterLength)).toString(), packet.qos]);
  return found;
}

describe('the cursor over topic filters', () => {
  it('stays behind the last one', () => {
    const packet = packetOf(SUBSCRIBE, '000a 0001 61 01');
    readTopicFilters(packet);
    expect([nextTopicFilter(packet), nextTopicFilter(packet), nextTopicFilter(packet)]).toEqual([true, false, false]);
  });

  it('finds none in an empty SUBSCRIBE of 3.1', () => {
    for (const type of [SUBSCRIBE, UNSUBSCRIBE]) {
      const packet = packetOf(type, '000a', 3);
      expect([readTopicFilters(packet), packet.topicFilterCount,
        nextTopicFilter(packet)]).toEqual([ReasonCode.SUCCESS, 0, false]);
    }
  });

  it('can start again', () => {
    const packet = packetOf(SUBSCRIBE, '000a 0001 61 01 0001 62 02');
    readTopicFilters(packet);
    const start = packet.payloadOffset;
    const first = filtersOf(packet);
    packet.payloadOffset = start;
    expect(filtersOf(packet)).toEqual(first);
  });
});

describe('readTopicFilters', () => {
  it('never reads behind the end: every shorter packet is refused', () => {
    for (const [type, hex, whole] of [[SUBSCRIBE, '000a 0003 612f62 01 0001 23 02', [8]],
      [UNSUBSCRIBE, '000a 0003 612f62 0001 23', [7]]] as const) {
      const bytes = bytesOf(hex);
      expect(readTopicFilters(packetOf(type, bytes))).toBe(ReasonCode.SUCCESS);
      for (let length = 0; length < bytes.length; ++length) {
        const expected = (whole as readonly number[]).includes(length) ? ReasonCode.SUCCESS : length === 2
          ? ReasonCode.PROTOCOL_ERROR : ReasonCode.MALFORMED_PACKET;
        expect([length, readTopicFilters(packetOf(type, bytes.subarray(0, length)))]).toEqual([length, expected]);
      }
    }
  });

  it('takes QoS 0, 1 and 2 only [MQTT311-3.8.3-4]', () => {
    for (let qos = 0; qos < 256; ++qos)
      expect(readTopicFilters(packetOf(SUBSCRIBE, Uint8Array.of(0, 10, 0, 1, 0x61, qos)))).toBe(qos < 3
        ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET);
  });

  it('reads any list of filters', () => {
    const entry = fc.tuple(fc.constantFrom('a', '#', '+', 'a/+/#', '\u00E4', '/', 'x'.repeat(30)), fc.nat(2));
    fc.assert(fc.property(fc.integer({ min: 1, max: 65535 }), fc.array(entry, { minLength: 1, maxLength: 12 }),
      (packetIdentifier, entries) => {
      for (const type of [SUBSCRIBE, UNSUBSCRIBE]) {
        const body = [packetIdentifier >> 8, packetIdentifier & 255];
        for (const [filter, qos] of entries) {
          const bytes = Buffer.from(filter);
          body.push(bytes.length >> 8, bytes.length & 255, ...bytes);
          if (type === SUBSCRIBE)
            body.push(qos);
        }
        const packet = packetOf(type, Uint8Array.from(body));
        expect(readTopicFilters(packet)).toBe(ReasonCode.SUCCESS);
        expect([packet.packetIdentifier, packet.topicFilterCount]).toEqual([packetIdentifier, entries.length]);
        expect(filtersOf(packet)).toEqual(entries.map(([filter, qos]) => [filter, type === SUBSCRIBE ? qos : -1]));
      }
    }), { numRuns: 300 });
  });
});

describe('the writers', () => {
  it('write a long filter with a Remaining Length of two bytes', () => {
    const arena = testArena(1024);
    put(arena, 500, 'x'.repeat(300));
    const filter = { version: 4, packetIdentifier: 1, topicFilterOffset: 500, topicFilterLength: 300 };
    expect(hexOf(arena, 0, writeSubscribe(arena, 0, filter, 2)))
      .toBe(`82b1020001012c${'78'.repeat(300)}02`); // 305 = 2 * 128 + 49
    expect(hexOf(arena, 0, writeUnsubscribe(arena, 0, filter))).toBe(`a2b0020001012c${'78'.repeat(300)}`);
  });

  it('write no properties as a length of 0 in 5.0 [MQTT5-2.2.2-1]', () => {
    const arena = testArena(1024);
    put(arena, 500, 'a/b');
    const filter = { version: 5, packetIdentifier: 1, topicFilterOffset: 500, topicFilterLength: 3 };
    expect(hexOf(arena, 0, writeSubscribe(arena, 0, filter, 0x0D))).toBe('8209000100' + '0003612f620d');
    expect(hexOf(arena, 0, writeUnsubscribe(arena, 0, filter))).toBe('a208000100' + '0003612f62');
  });

  it('write the beginning of a SUBACK', () => {
    const arena = testArena(16);
    const end = writeSubackHeader(arena, 3, 0x1234, 4);
    expect(hexOf(arena, 3, end)).toBe('90061234');
    expect(isPoisonOutside(arena, 3, end)).toBe(true);
    expect(hexOf(arena, 3, writeSubackHeader(arena, 3, 1, 126))).toBe('9080010001');
  });
});

describe('readSuback', () => {
  it('takes the four return codes only [MQTT311-3.9.3-2]', () => {
    expect(SUBACK_FAILURE).toBe(0x80);
    for (let code = 0; code < 256; ++code)
      for (const bytes of [[0, 10, code], [0, 10, 1, code], [0, 10, code, 1]]) {
        const packet = packetOf(9, Uint8Array.from(bytes));
        expect(readSuback(packet)).toBe([0, 1, 2, 0x80].includes(code) ? ReasonCode.SUCCESS
          : ReasonCode.MALFORMED_PACKET);
        if (code < 3)
          expect([packet.packetIdentifier, packet.payloadOffset, packet.payloadLength]).toEqual([10, 7,
            bytes.length - 2]);
      }
  });

  it('needs an identifier and a return code', () => {
    for (const [hex, expected] of [['', ReasonCode.MALFORMED_PACKET], ['00', ReasonCode.MALFORMED_PACKET],
      ['000a', ReasonCode.MALFORMED_PACKET],
      ['0000 00', ReasonCode.PROTOCOL_ERROR], ['000a 00', ReasonCode.SUCCESS]] as const)
      expect(readSuback(packetOf(9, hex))).toBe(expected);
  });
});
