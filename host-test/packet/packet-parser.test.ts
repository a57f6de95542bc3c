/**
 * Every vector: whole, byte by byte, at every two-way split, with packets before and behind it,
 * with pauses; what was read is written again and compared. Then what no single packet shows: sticky errors, pauses,
 * packets longer than the ring. Last, arbitrary bytes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OVERSIZE_CLOSE, OVERSIZE_DROP } from '../../src/packet/packet-handler.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { ALL_VECTORS } from '../vectors/all-vectors.ts';
import { describe as describeFields, textOf } from '../vectors/event-log.ts';
import { type MachineOptions, type RunOptions, SERVER_TYPES, VectorMachine } from '../vectors/run-vector.ts';
import { bytesOf, type Acceptance, type Rejection, type Sender, type Vector } from '../vectors/vector.ts';

/** Up to here every split from every offset; of longer packets a choice. */
const SHORT = 64;
const LONG = 100_000;

const nameOf = (version: number): string => version === 3 ? '3.1' : version === 4 ? '3.1.1' : '5.0';

/** In milliseconds, for a machine that has other things to do. */
const TIME_LIMIT = 60_000;

const isAcceptance = (vector: Vector): vector is Acceptance => 'expected' in vector;

const expectedLog = (vector: Vector): string[] =>
  [isAcceptance(vector) ? describeFields(vector.expected) : `error 0x${vector.reasonCode.toString(16)}`];

/** Two packets that this side may send at any time, and their lines. */
const FOLLOWERS: Record<Sender, [hex: string, lines: string[]]> = {
  client: ['c0 00 30 04 0001 7a 21', ['PINGREQ', 'PUBLISH qos=0 topicName=z payload=!']],
  server: ['d0 00 30 04 0001 7a 21', ['PINGRESP', 'PUBLISH qos=0 topicName=z payload=!']],
};

const followersOf = ({ sender, version }: Vector): [hex: string, lines: string[]] => version < 5 ? FOLLOWERS[sender]
  : [`${sender === 'client' ? 'c0' : 'd0'} 00 30 05 0001 7a 00 21`, FOLLOWERS[sender][1]];

const concat = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]));

/** Every position from 0 to `length`, or of a long packet those near its ends and a few in between. */
function positions(length: number): number[] {
  if (length <= SHORT)
    return Array.from({ length: length + 1 }, (_, position) => position);
  return [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 127, 128, length >> 1, length - 2, length - 1, length].filter(position =>
    position <= length);
}

/** The packet fits exactly, or with some room; never less than the longest header and a follower. */
const packetSizes = (length: number): number[] => length > LONG ? [length] : [Math.max(length, 8), length + 9];

function expectRun(machine: VectorMachine, bytes: Uint8Array, vector: Vector, options: RunOptions,
  expected: string[]): void {
  const log = machine.run(bytes, vector.sender, vector.version, options);
  // `expect` costs more than the run: ask it only for its message
  if (log.length !== expected.length || log.some((entry, index) => entry !== expected[index]))
    expect(log, JSON.stringify({ ...options, maximumPacketSize: machine.maximumPacketSize })).toEqual(expected);
}

describe('the vectors', () => {
  it('have names that differ', () => {
    const names = ALL_VECTORS.map(({ name, version, sender }) => `${name} ${version} ${sender}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('are as many rejections as acceptances', () => {
    const acceptances = ALL_VECTORS.filter(isAcceptance).length;
    expect(ALL_VECTORS.length - acceptances).toBeGreaterThanOrEqual(acceptances);
  });

  it('hold every type that 3.1 and 3.1.1 have', () => {
    for (const version of [3, 4]) {
      const types =
        new Set(ALL_VECTORS.filter(vector => vector.version === version).filter(isAcceptance).map(({ expected }) =>
          expected.type));
      expect([...types].sort()).toEqual([
        'CONNACK', 'CONNECT', 'DISCONNECT', 'PINGREQ', 'PINGRESP', 'PUBACK', 'PUBCOMP', 'PUBLISH', 'PUBREC', 'PUBREL',
          'SUBACK',
        'SUBSCRIBE', 'UNSUBACK', 'UNSUBSCRIBE']);
    }
  });

  /** The statements of 3.1.1 that can be seen in the bytes of one packet. */
  it.each([
    '1.5.3-1', '1.5.3-2', '2.2.2-2', '2.3.1-1', '3.1.0-1', '3.1.2-1', '3.1.2-2', '3.1.2-3', '3.1.2-9', '3.1.2-11',
      '3.1.2-13',
    '3.1.2-14', '3.1.2-15', '3.1.2-18', '3.1.2-19', '3.1.2-20', '3.1.2-21', '3.1.2-22', '3.1.3-3', '3.1.3-4',
      '3.1.3-10', '3.1.3-11',
    '3.1.4-1', '3.2.0-1', '3.2.2-4', '3.3.1-2', '3.3.1-4', '3.3.2-1', '3.3.2-2', '3.6.1-1', '3.8.1-1', '3.8.3-1',
      '3.8.3-3',
    '3.8.3-4', '3.8.4-5', '3.9.3-2', '3.10.1-1', '3.10.3-1', '3.10.3-2', '3.14.1-1', '4.3.1-1', '4.7.1-1', '4.7.1-2',
      '4.7.1-3',
    '4.7.3-1', '4.7.3-2',
  ])('reject a packet for [MQTT311-%s]', statement => {
    expect(ALL_VECTORS.some(vector => vector.name.startsWith(`[MQTT311-${statement}]`)
      && !isAcceptance(vector))).toBe(true);
  });

  it.each(['zz', '0', '3 0', '30{', '30{x}', '30{1.5}', '3G'])('are not written as %s', hex => {
    expect(() => bytesOf(hex)).toThrow();
  });

  it('may repeat a byte', () => {
    expect([...bytesOf('00 0a{3}ff 7f')]).toEqual([0, 10, 10, 10, 255, 127]);
  });
});

describe.each(ALL_VECTORS.map(vector =>
  [`${nameOf(vector.version)} ${vector.name}`, vector] as const))('%s', (_name, vector) => {
  const bytes = bytesOf(vector.hex);
  const expected = expectedLog(vector);

  it('gives the same at every split', () => {
    for (const maximumPacketSize of packetSizes(bytes.length)) {
      const machine = new VectorMachine({ maximumPacketSize });
      for (const cut of bytes.length > LONG ? [1, 5, bytes.length >> 1] : positions(bytes.length))
        expectRun(machine, bytes, vector, { cuts: [cut] }, expected);
      expect(machine.guardsAreIntact).toBe(true);
    }
  });

  it('gives the same byte by byte, and at the first byte that shows it', () => {
    const maximumPacketSize = Math.max(bytes.length, 8);
    const machine = new VectorMachine({ maximumPacketSize });
    expectRun(machine, bytes, vector, { every: bytes.length > LONG ? 1000 : 1 }, expected);
    expect(machine.failedAfter).toBe(isAcceptance(vector) ? -1 : vector.after ?? bytes.length);
  });

  it('gives nothing before its last byte', () => {
    const machine = new VectorMachine({ maximumPacketSize: Math.max(bytes.length, 8) });
    for (const length of positions(bytes.length - 1)) {
      if (!isAcceptance(vector) && vector.after !== undefined && length >= vector.after)
        continue;
      machine.run(bytes.subarray(0, length), vector.sender, vector.version);
      expect(machine.log).toEqual([]);
    }
  });

  it('gives the same with packets before and behind it', () => {
    if (bytes.length > LONG)
      return;
    const [hex, lines] = followersOf(vector);
    const isConnect = bytes[0]! >> 4 === 1;
    const around = bytesOf(hex);
    const stream = isConnect ? concat(bytes, around) : concat(around, bytes, around);
    const log = isConnect ? [...expected] : [...lines, ...expected];
    if (isAcceptance(vector))
      log.push(...lines);
    for (const maximumPacketSize of packetSizes(bytes.length)) {
      const machine = new VectorMachine({ maximumPacketSize });
      for (const cut of positions(stream.length))
        expectRun(machine, stream, vector, { cuts: [cut] }, log);
      for (const every of [1, 2, 3, 5, 7])
        expectRun(machine, stream, vector, { every }, log);
      // A landing area as short as it may be, and a handler that pauses after every packet
      const narrow = new VectorMachine({ maximumPacketSize, landingCapacity: 3 });
      for (const pauseEvery of [0, 1, 2]) {
        expectRun(narrow, stream, vector, { pauseEvery }, log);
        expectRun(machine, stream, vector, { pauseEvery }, log);
        expectRun(machine, stream, vector, { pauseEvery, every: 5 }, log);
      }
      expect(machine.guardsAreIntact && narrow.guardsAreIntact).toBe(true);
    }
  });

  if (isAcceptance(vector))
    it('is written as it was read', () => {
      const written = vector.written === undefined ? vector.hex : vector.written;
      const machine =
        new VectorMachine({ maximumPacketSize: bytes.length, landingCapacity: bytes.length,
          outputCapacity: bytes.length + 8 });
      expectRun(machine, bytes, vector, {}, expected);
      expect(machine.written && Buffer.from(machine.written).toString('hex'))
        .toEqual(written === null ? undefined : Buffer.from(bytesOf(written)).toString('hex'));
      expect(machine.guardsAreIntact).toBe(true);
    });
});

describe('after an error', () => {
  const rejections = ALL_VECTORS.filter((vector): vector is Rejection => !isAcceptance(vector));

  it('nothing is parsed any more, and the error stays the first one', () => {
    for (const vector of rejections) {
      const bytes = bytesOf(vector.hex);
      const machine = new VectorMachine({ maximumPacketSize: bytes.length + 40 });
      machine.run(bytes, vector.sender, vector.version, { every: 1 });
      machine.parser.resume();
      machine.parser.unpause();
      expect(machine.parser.wanted, vector.name).toBe(-1);
      expect(machine.log, vector.name).toEqual(expectedLog(vector));
    }
  });

  it('fail() by the owner ends parsing, also of what a pause kept', () => {
    const machine = new VectorMachine({ maximumPacketSize: 32 });
    machine.start('client', 4, 0xC0);
    machine.pauseEvery = 1;
    machine.feed(bytesOf('c0 00 c0 00'), 0, 4);
    machine.parser.fail();
    machine.parser.resume();
    expect(machine.log).toEqual(['PINGREQ']);
    expect(machine.parser.wanted).toBe(-1);
  });

  it('fail() by the handler stops in the middle of a burst', () => {
    for (const every of [1, 2, 5, 100]) {
      const machine = new VectorMachine({ maximumPacketSize: 32 });
      const { onPacket } = machine;
      machine.onPacket = packet => {
        onPacket.call(machine, packet);
        machine.parser.fail();
        machine.onError(ReasonCode.QUOTA_EXCEEDED); // the handler knows it by itself
      };
      expect(machine.run(bytesOf('c0 00 c0 00 c0 00'), 'client', 4, { every })).toEqual(['PINGREQ', 'error 0x97']);
    }
  });

  it('no more bytes are wanted', () => {
    const machine = new VectorMachine({ maximumPacketSize: 16 });
    machine.start('client', 4, 0xC0);
    expect(machine.parser.wanted).toBe(16);
    machine.feed(bytesOf('c0'), 0, 1);
    expect(machine.parser.wanted).toBe(15); // beside the one that is kept
    machine.feed(bytesOf('01 00'), 0, 2);
    expect([machine.parser.wanted, machine.reasonCode]).toEqual([-1, ReasonCode.MALFORMED_PACKET]);
  });

  it('reset() starts afresh', () => {
    const machine = new VectorMachine({ maximumPacketSize: 32 });
    machine.run(bytesOf('30 05 0003 61'), 'client', 4); // cut short
    expect(machine.run(bytesOf('f0'), 'client', 4)).toEqual(['error 0x81']);
    expect(machine.run(bytesOf('c0 00'), 'client', 4)).toEqual(['PINGREQ']);
  });
});

describe('what is asked of a parser that is in no need of it', () => {
  const PING = bytesOf('c0 00');

  it('to look at one packet while it is not paused changes nothing', () => {
    const machine = new VectorMachine({ maximumPacketSize: 16 });
    machine.start('client', 4, 0xC0);
    machine.parser.receiveOne();
    expect(machine.log).toEqual([]);
    machine.feed(PING, 0, 2);
    machine.parser.receiveOne();
    expect(machine.log).toEqual(['PINGREQ']);
  });

  it('to read as much as usual again while it is paused does not end the pause', () => {
    const machine = new VectorMachine({ maximumPacketSize: 16 });
    machine.start('client', 4, 0xC0);
    machine.pauseEvery = 1;
    machine.feed(PING, 0, 2);
    machine.parser.widen();
    expect(machine.parser.wanted).toBe(0);
    machine.parser.resume();
    expect(machine.parser.wanted).toBe(16);
  });
});

describe('a pause', () => {
  const BURST = bytesOf('c0 00 30 04 0001 7a 21 40 02 0001 c0 00 62 02 0002');
  const LINES =
    ['PINGREQ', 'PUBLISH qos=0 topicName=z payload=!', 'PUBACK packetIdentifier=1', 'PINGREQ',
      'PUBREL packetIdentifier=2'];

  it('holds back what follows in the same burst until resumed', () => {
    const machine = new VectorMachine({ maximumPacketSize: 64 });
    machine.start('client', 4, 0xC0);
    for (let expected = 1; expected <= LINES.length; ++expected) {
      const { onPacket } = VectorMachine.prototype;
      machine.onPacket = packet => {
        onPacket.call(machine, packet);
        machine.parser.pause();
      };
      if (expected === 1)
        machine.feed(BURST, 0, BURST.length);
      else
        machine.parser.resume();
      expect(machine.log).toEqual(LINES.slice(0, expected));
      expect(machine.isPaused).toBe(true);
    }
    machine.parser.resume();
    expect(machine.log).toEqual(LINES);
    expect(machine.parser.wanted).toBe(64);
  });

  it('wants no more bytes until resumed', () => {
    const machine = new VectorMachine({ maximumPacketSize: 16 });
    machine.start('client', 4, 0xC0);
    machine.pauseEvery = 1;
    machine.feed(BURST, 0, 16);
    expect(machine.parser.wanted).toBe(0);
    machine.pauseEvery = 0;
    machine.parser.resume();
    expect(machine.parser.wanted).toBe(16);
    expect(machine.log).toEqual(LINES.slice(0, 4));
  });

  it('reports an illegal first byte only when resumed', () => {
    const machine = new VectorMachine({ maximumPacketSize: 8 });
    machine.start('client', 4, 0xC0);
    machine.pauseEvery = 1;
    machine.feed(bytesOf('c0 00 00'), 0, 3);
    expect(machine.reasonCode).toBe(ReasonCode.SUCCESS);
    machine.parser.resume();
    expect(machine.reasonCode).toBe(ReasonCode.MALFORMED_PACKET);
  });

  it('that comes from outside leaves half a packet as it is', () => {
    const packet = bytesOf('30 0e 0003 612f62 78{9}');
    for (let cut = 1; cut < packet.length; ++cut) {
      const machine = new VectorMachine({ maximumPacketSize: 16 });
      machine.start('client', 4, 0x30);
      machine.feed(packet, 0, cut);
      machine.parser.pause();
      machine.feed(packet, cut, packet.length); // resumes
      machine.feed(BURST, 0, BURST.length);
      expect(machine.log).toEqual(['PUBLISH qos=0 topicName=a/b payload=xxxxxxxxx', ...LINES]);
    }
  });

  it('can be taken back by the handler', () => {
    for (const every of [1, 3, 100]) {
      const machine = new VectorMachine({ maximumPacketSize: 32 });
      const { onPacket } = machine;
      machine.onPacket = packet => {
        machine.parser.pause();
        onPacket.call(machine, packet);
        machine.parser.unpause();
      };
      expect(machine.run(BURST, 'client', 4, { every })).toEqual(LINES);
      expect(machine.parser.wanted).toBe(32);
    }
  });

  it('gives the same whatever the fragments and the ring', () => {
    for (const maximumPacketSize of [8, 9, 11, 32])
      for (const landingCapacity of [1, 5, 32])
        for (let every = 1; every <= BURST.length; ++every)
          for (const pauseEvery of [0, 1, 2, 3])
            expect(new VectorMachine({ maximumPacketSize, landingCapacity }).run(BURST, 'client', 4,
              { every, pauseEvery })).toEqual(LINES);
  });

  it('and then half a packet behind those that were kept', () => {
    for (let count = 1; count <= 8; ++count) {
      const machine = new VectorMachine({ maximumPacketSize: 18 });
      machine.start('client', 4, 0xC0);
      machine.pauseEvery = 1;
      machine.feed(bytesOf('c0 00'.repeat(count) + '32 0c'), 0, 2 * count + 2);
      for (let left = count; left > 0; --left) {
        expect(machine.isPaused).toBe(true);
        machine.parser.resume();
      }
      machine.feed(bytesOf('0003 612f62 000a 68656c6c6f'), 0, 12);
      expect(machine.log.at(-1)).toBe('PUBLISH qos=1 topicName=a/b packetIdentifier=10 payload=hello');
      expect(machine.log.length).toBe(count + 1);
      expect(machine.guardsAreIntact).toBe(true);
    }
  });
});

describe('the types that are accepted', () => {
  it('are asked for each packet anew, also within a burst', () => {
    for (const every of [1, 2, 3, 100]) {
      const machine = new VectorMachine({ maximumPacketSize: 32 });
      const { onPacket } = machine;
      machine.onPacket = packet => {
        onPacket.call(machine, packet);
        machine.parser.acceptedTypes = SERVER_TYPES & ~(1 << 2);
      };
      expect(machine.run(bytesOf('20 02 00 00 d0 00 20 02 00 00'), 'server', 4, { every })).toEqual([
        'CONNACK reasonCode=0 sessionPresent=false', 'PINGRESP', 'error 0x82']);
    }
  });

  it('may be none', () => {
    for (let type = 0; type < 16; ++type) {
      const machine = new VectorMachine({ maximumPacketSize: 8 });
      machine.start('client', 4, undefined);
      machine.parser.acceptedTypes = 0;
      machine.feed(Uint8Array.of(type << 4), 0, 1);
      expect(machine.reasonCode).toBe(type === 0 || type === 15 ? ReasonCode.MALFORMED_PACKET
        : ReasonCode.PROTOCOL_ERROR);
    }
  });
});

describe('a packet longer than the ring', () => {
  const NEXT = bytesOf('c0 00 30 04 0001 7a 21');
  const NEXT_LINES = ['PINGREQ', 'PUBLISH qos=0 topicName=z payload=!'];

  /** [name, hex, line when dropped]; the rings below hold 16 to 20 bytes. */
  const OVERSIZE = [
    ['QoS 0', '30 14 0003 612f62 78{15}', 'PUBLISH qos=0 topicName=a/b oversizePayloadLength=15'],
    ['QoS 1', '32 20 0003 612f62 000a 78{25}',
      'PUBLISH qos=1 topicName=a/b packetIdentifier=10 oversizePayloadLength=25'],
    ['QoS 2, RETAIN, DUP', '3d 40 0003 612f62 ffff 78{57}',
      'PUBLISH dup=true qos=2 retain=true topicName=a/b packetIdentifier=65535 oversizePayloadLength=57'],
    ['Remaining Length of two bytes', '30 ac02 0001 61 78{297}', 'PUBLISH qos=0 topicName=a oversizePayloadLength=297'],
    ['a payload that looks like packets', '30 16 0003 612f62 c000{8} f0',
      'PUBLISH qos=0 topicName=a/b oversizePayloadLength=17'],
  ] as const;

  describe.each(OVERSIZE)('PUBLISH, %s', (_name, hex, dropped) => {
    const packet = bytesOf(hex.replace('c000{8}', 'c000'.repeat(8)));
    const stream = concat(NEXT, packet, NEXT);

    it('is dropped at every split, and the next packet is parsed', () => {
      for (const maximumPacketSize of [16, 19]) {
        const machine = new VectorMachine({ maximumPacketSize, oversize: OVERSIZE_DROP });
        const expected = [...NEXT_LINES, dropped, ...NEXT_LINES];
        for (let cut = 0; cut <= Math.min(stream.length, 80); ++cut)
          expect(machine.run(stream, 'client', 4, { cuts: [cut] })).toEqual(expected);
        for (const every of [1, 2, 3, 5, 16, 17])
          for (const pauseEvery of [0, 1, 2, 3])
            expect(machine.run(stream, 'client', 4, { every, pauseEvery })).toEqual(expected);
        expect(machine.guardsAreIntact).toBe(true);
      }
    });

    it('ends the connection once its length is known, if it shall not be dropped', () => {
      const headerLength = packet[1]! < 0x80 ? 2 : 3;
      const machine = new VectorMachine({ maximumPacketSize: 16, oversize: OVERSIZE_CLOSE });
      for (let cut = 0; cut <= Math.min(stream.length, 80); ++cut)
        expect(machine.run(stream, 'client', 4, { cuts: [cut] })).toEqual([...NEXT_LINES, 'error 0x95']);
      machine.run(stream, 'client', 4, { every: 1 });
      expect(machine.failedAfter).toBe(NEXT.length + headerLength);
    });
  });

  it('is thrown away to its end when the handler pauses after it', () => {
    const packet = bytesOf(OVERSIZE[1][1]);
    const stream = concat(packet, NEXT);
    for (let cut = 1; cut < stream.length; ++cut) {
      const machine = new VectorMachine({ maximumPacketSize: 16, oversize: OVERSIZE_DROP });
      machine.start('client', 4, 0x32);
      machine.pauseEvery = 1;
      machine.feed(stream, 0, cut);
      machine.feed(stream, cut, stream.length);
      while (machine.isPaused)
        machine.parser.resume();
      expect(machine.log).toEqual([OVERSIZE[1][2], ...NEXT_LINES]);
    }
  });

  const MORE: [string, string, number][] = [
    ['is refused when its topic name alone is longer than the ring', '30 1e 0013 61{19} 78{9}',
      ReasonCode.PACKET_TOO_LARGE],
    ['is refused when topic name and identifier are longer than the ring by one', '32 1e 000b 61{11} 000a 78{15}',
      ReasonCode.PACKET_TOO_LARGE],
    ['is refused for QoS 3', '36 1e 0001 61 000a 78{25}', ReasonCode.MALFORMED_PACKET],
    ['is refused for DUP at QoS 0', '38 1e 0001 61 78{27}', ReasonCode.MALFORMED_PACKET],
    ['is refused for identifier 0', '32 1e 0001 61 0000 78{25}', ReasonCode.PROTOCOL_ERROR],
    ['is refused for its topic name', '30 1e 0001 23 78{27}', ReasonCode.TOPIC_NAME_INVALID],
    ['is refused for an empty topic name', '30 1e 0000 78{28}', ReasonCode.TOPIC_NAME_INVALID],
    ['is refused unless it is a PUBLISH: CONNECT', '10 1e 0004 4d515454 04 02 003c 0012 61{18}',
      ReasonCode.PACKET_TOO_LARGE],
    ['is refused unless it is a PUBLISH: SUBSCRIBE', '82 1e 000a 0019 61{25} 00', ReasonCode.PACKET_TOO_LARGE],
  ];

  it.each(MORE)('%s', (_name, hex, reasonCode) => {
    const bytes = bytesOf(hex);
    expect(bytes[1]! + 2).toBe(bytes.length); // the vector itself
    const machine = new VectorMachine({ maximumPacketSize: 16, oversize: OVERSIZE_DROP });
    for (let cut = 0; cut <= bytes.length; ++cut)
      expect(machine.run(bytes, 'client', 4, { cuts: [cut] })).toEqual([`error 0x${reasonCode.toString(16)}`]);
    expect(machine.run(bytes, 'client', 4, { every: 1 })).toEqual([`error 0x${reasonCode.toString(16)}`]);
  });

  it.each([
    ['32 1e 000a 61{10} 000a 78{16}',
      'PUBLISH qos=1 topicName=aaaaaaaaaa packetIdentifier=10 oversizePayloadLength=16'],
    ['30 1e 000c 61{12} 78{16}', 'PUBLISH qos=0 topicName=aaaaaaaaaaaa oversizePayloadLength=16'],
  ])('is dropped when its header fills the ring to the last byte: %s', (hex, dropped) => {
    const machine = new VectorMachine({ maximumPacketSize: 16, oversize: OVERSIZE_DROP });
    const bytes = concat(bytesOf(hex), NEXT);
    for (let every = 1; every <= bytes.length; ++every)
      expect(machine.run(bytes, 'client', 4, { every })).toEqual([dropped, ...NEXT_LINES]);
  });

  it('drops 268435455 bytes as they come', () => {
    // Only the beginning is sent: the parser must not wait for anything, nor keep any of it
    const machine = new VectorMachine({ maximumPacketSize: 16, oversize: OVERSIZE_DROP });
    machine.start('client', 4, 0x30);
    machine.feed(bytesOf('30 ffffff7f 0001 61 78{5000}'), 0, 5008);
    expect(machine.log).toEqual(['PUBLISH qos=0 topicName=a oversizePayloadLength=268435452']);
    expect(machine.parser.wanted).toBe(16);
  });

  it('by one byte is too long; exactly as long as the ring is not', () => {
    const packet = bytesOf('30 0e 0003 612f62 78{9}');
    for (const oversize of [OVERSIZE_CLOSE, OVERSIZE_DROP])
      for (let every = 1; every <= packet.length; ++every) {
        expect(new VectorMachine({ maximumPacketSize: 16, oversize }).run(packet, 'client', 4, { every }))
          .toEqual(['PUBLISH qos=0 topicName=a/b payload=xxxxxxxxx']);
        expect(new VectorMachine({ maximumPacketSize: 15, oversize }).run(packet, 'client', 4, { every }))
          .toEqual([oversize === OVERSIZE_CLOSE ? 'error 0x95'
            : 'PUBLISH qos=0 topicName=a/b oversizePayloadLength=9']);
      }
  });
});

/** What a parser remembers of the last PUBLISH must never make it take another packet for that one. */
describe('a PUBLISH like the last one', () => {
  interface Publish {
    readonly topic: string;
    readonly payload: string;
    readonly qos: number;
    readonly flags: number;
    readonly identifier: number;
  }

  const encode = ({ topic, payload, qos, flags, identifier }: Publish): number[] => {
    const body = [topic.length >> 8, topic.length & 255, ...Buffer.from(topic), ...qos > 0
      ? [identifier >> 8, identifier & 255] : [], ...Buffer.from(payload)];
    return [0x30 | qos << 1 | flags, ...body.length < 128 ? [body.length]
      : [body.length & 127 | 128, body.length >> 7], ...body];
  };
  const lineOf = ({ topic, payload, qos, flags, identifier }: Publish): string =>
    describeFields({
      type: 'PUBLISH', qos, topicName: textOf(Buffer.from(topic), 0, topic.length),
        payload: textOf(Buffer.from(payload), 0, payload.length),
      ...(flags & 8) !== 0 && { dup: true }, ...(flags & 1) !== 0 && { retain: true }, ...qos > 0
        && { packetIdentifier: identifier },
    });
  const encodeAll = (packets: readonly Publish[]): Uint8Array => Uint8Array.from(packets.flatMap(encode));

  it('is recognised whatever its topic, length and flags, and in any fragmentation', () => {
    for (let length = 1; length <= 40; ++length)
      for (const [qos, flags] of [[0, 0], [0, 1], [1, 0], [1, 9], [2, 8]] as const)
        for (const payloadLength of [0, 1, 9, 150]) {
          const topic = 'site/greenhouse/air/humidity/of/the/east'.slice(-length);
          const packets =
            [1, 2, 3, 4].map(identifier =>
              ({ topic, payload: String(identifier).repeat(payloadLength), qos, flags, identifier }));
          const stream = encodeAll(packets);
          const machine = new VectorMachine({ maximumPacketSize: 256, landingCapacity: 1024, topicCapacity: 38 });
          for (const every of [1000, 1, 2, 3, 7, encode(packets[0]!).length])
            expect(machine.run(stream, 'client', 4, { every })).toEqual(packets.map(lineOf));
        }
  });

  it('is not confused with one that differs in any one byte of its topic', () => {
    const topic = 'site/greenhouse/air/temperature/east';
    for (let length = 1; length <= topic.length; ++length)
      for (let position = 0; position < length; ++position) {
        const bytes = Buffer.from(topic.slice(0, length));
        bytes[position]! ^= 0x40;
        const other = bytes.toString('latin1').replace(/[^!-~]|[#+]/, 'x');
        const packets =
          [topic.slice(0, length), topic.slice(0, length), topic.slice(0, length), other, other, other,
            topic.slice(0, length)]
          .map(name => ({ topic: name, payload: 'p', qos: 0, flags: 0, identifier: 0 }));
        const machine =
          new VectorMachine({ maximumPacketSize: 64, landingCapacity: 512, topicCapacity: 40, topicCount: 2 });
        expect(machine.run(encodeAll(packets), 'client', 4)).toEqual(packets.map(lineOf));
      }
  });

  it('is not taken for complete because of what lies behind it', () => {
    const packet =
      Uint8Array.from(encode({ topic: 'site/room1/temp/0001', payload: '12345', qos: 0, flags: 0, identifier: 0 }));
    for (let length = 1; length < packet.length; ++length) {
      const machine = new VectorMachine({ maximumPacketSize: 64, topicCapacity: 32 });
      const { arena: { bytes, landingOffset }, parser } = machine;
      machine.start('client', 4, 0x30);
      bytes.set(packet, landingOffset);
      for (let round = 0; round < 3; ++round)
        parser.receive(landingOffset, landingOffset + packet.length);
      parser.receive(landingOffset, landingOffset + length); // the rest of the last one still lies there
      expect(machine.log.length).toBe(3);
      machine.feed(packet, length, packet.length);
      expect(machine.log).toEqual(new Array(4).fill('PUBLISH qos=0 topicName=site/room1/temp/0001 payload=12345'));
    }
  });

  it('must have an identifier, too [MQTT311-2.3.1-1]', () => {
    for (const qos of [1, 2]) {
      const packets =
        [1, 2, 3, 0].map(identifier =>
          ({ topic: 'site/room1/temp/0001', payload: '12345', qos, flags: 0, identifier }));
      for (const every of [1000, 1, 5])
        expect(new VectorMachine({ maximumPacketSize: 64, landingCapacity: 256,
          topicCapacity: 32 }).run(encodeAll(packets), 'client', 4, { every }))
          .toEqual([...packets.slice(0, 3).map(lineOf), 'error 0x82']);
    }
  });

  it('is looked up anew when its number stands for another topic', () => {
    const topic = 'site/room1/temp/0001';
    const stream = encodeAll([{ topic, payload: '12345', qos: 0, flags: 0, identifier: 0 }]);
    const machine = new VectorMachine({ maximumPacketSize: 64, topicCount: 1, topicCapacity: 32 });
    const { arena: { bytes, landingOffset }, log, parser, topics } = machine;
    machine.start('client', 4, 0x30);
    for (let round = 1; round <= 5; ++round) {
      machine.feed(stream, 0, stream.length);
      machine.feed(stream, 0, stream.length);
      expect(log).toEqual(new Array(2 * round).fill('PUBLISH qos=0 topicName=site/room1/temp/0001 payload=12345'));
      expect(parser.predictedIndex).toBe(0);
      bytes.set(Buffer.from('somebody/else'), landingOffset);
      topics.indexOf(landingOffset, 13);
      expect(parser.predictedIndex).toBe(-1);
    }
  });

  it('or unlike it, in any order and fragmentation and with pauses, gives what it says', () => {
    const publishes = fc.record({
      topic: fc.constantFrom('a', 'site/a', 'site/b', 'site/room1/temp/0001', 'site/room1/temp/0002',
        'site/room2/temp/0001', 'site/room1/temperature/of/0001'),
      payload: fc.constantFrom('', '1', '22', '22222222', '3'.repeat(20), '4'.repeat(140)),
      qos: fc.nat(2),
      flags: fc.constantFrom(0, 1),
      identifier: fc.integer({ min: 1, max: 65535 }),
    });
    const streams = fc.array(fc.tuple(publishes, fc.integer({ min: 1, max: 4 })), { maxLength: 12 })
      .map(runs => runs.flatMap(([publish, count]) => new Array<Publish>(count).fill(publish)));
    fc.assert(fc.property(streams, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(400), { maxLength: 8 }), fc.nat(3),
      (packets, topicCount, cuts, pauseEvery) => {
      const machine =
        new VectorMachine({ maximumPacketSize: 256, landingCapacity: 4096, topicCount: [1, 1, 2, 4, 8][topicCount]!,
          topicCapacity: 24 });
      const stream = encodeAll(packets);
      const sorted = cuts.map(cut => Math.min(cut, stream.length)).sort((a, b) => a - b);
      for (const options of [{ cuts: sorted, pauseEvery }, { cuts: [], pauseEvery }, { every: 13, pauseEvery }])
        expect(machine.run(stream, 'client', 4, options)).toEqual(packets.map(lineOf));
      expect(machine.guardsAreIntact).toBe(true);
    }), { numRuns: 1500 });
  }, TIME_LIMIT);
});

/** Every length of the first and of the second piece, behind packets of which nothing is left. */
describe('half a packet', () => {
  it('is completed by pieces of any length', () => {
    const stream = bytesOf('c0 00 30 0e 0003 612f62 78{9} 40 02 0001 82 08 0007 0003 612f62 01');
    const lines =
      ['PINGREQ', 'PUBLISH qos=0 topicName=a/b payload=xxxxxxxxx', 'PUBACK packetIdentifier=1',
        'SUBSCRIBE packetIdentifier=7 topicFilters=a/b,1'];
    const machine = new VectorMachine({ maximumPacketSize: 16, landingCapacity: 64 });
    const whole = [...machine.run(stream, 'client', 4)];
    expect(whole.slice(0, 3)).toEqual(lines.slice(0, 3));
    expect(whole.length).toBe(4);
    for (let first = 0; first <= stream.length; ++first)
      for (let second = first; second <= stream.length; ++second)
        for (let third = second; third <= stream.length; ++third)
          if (machine.run(stream, 'client', 4, { cuts: [first, second, third] }).join() !== whole.join())
            expect([first, second, third, ...machine.log]).toEqual(whole);
    expect(machine.guardsAreIntact).toBe(true);
  });

  it('is of no consequence when the connection fails, nor for the next one', () => {
    const packet = bytesOf('30 0e 0003 612f62 78{9}');
    const machine = new VectorMachine({ maximumPacketSize: 16 });
    for (let cut = 1; cut < packet.length; ++cut) {
      machine.start('client', 4, 0x30);
      machine.feed(packet, 0, cut);
      machine.parser.fail();
      expect(machine.parser.wanted).toBe(-1);
      machine.parser.pause();
      machine.parser.resume();
      expect([machine.parser.wanted, ...machine.log]).toEqual([-1]);
      expect(machine.run(packet, 'client', 4)).toEqual(['PUBLISH qos=0 topicName=a/b payload=xxxxxxxxx']);
    }
  });
});

describe('arbitrary bytes', () => {
  /** Bytes that are more often the beginning of something legal than chance would have it. */
  const fragments = fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ maxLength: 24 }) },
    { weight: 6,
      arbitrary: fc.constantFrom(...ALL_VECTORS.map(({ hex }) => bytesOf(hex)).filter(bytes =>
        bytes.length <= SHORT)) },
    { weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(0x10, 0x20, 0x30, 0x32, 0x34, 0x82, 0x90, 0xA2),
        fc.uint8Array({ maxLength: 40 }))
      .map(([first, body]) => Uint8Array.of(first, body.length, ...body)) },
  );
  const streams = fc.array(fragments, { maxLength: 6 }).map(parts => concat(...parts));
  const cases = fc.record({
    stream: streams,
    sender: fc.constantFrom<Sender>('client', 'server'),
    version: fc.constantFrom(3, 4),
    oversize: fc.constantFrom(OVERSIZE_CLOSE, OVERSIZE_DROP),
    maximumPacketSize: fc.integer({ min: 8, max: 48 }),
    topicCapacity: fc.integer({ min: 0, max: 8 }),
    every: fc.integer({ min: 1, max: 20 }),
    cuts: fc.array(fc.nat(60), { maxLength: 5 }),
    pauseEvery: fc.nat(3),
  });

  it('give packets or one reason code, never a throw, and the same in any fragmentation', () => {
    fc.assert(fc.property(cases, ({ stream, sender, version, every, cuts, pauseEvery, ...rest }) => {
      const options: MachineOptions = { ...rest, topicCount: 2 };
      const whole =
        [...new VectorMachine({ ...options, landingCapacity: Math.max(stream.length, 1) }).run(stream, sender,
          version)];
      const errors = whole.filter(entry => entry.startsWith('error'));
      expect(errors.length).toBeLessThanOrEqual(1);
      const machine = new VectorMachine(options);
      const sorted = cuts.map(cut => Math.min(cut, stream.length)).sort((a, b) => a - b);
      const runs: RunOptions[] = [
        { every: 1 }, { every }, { cuts: sorted }, { every, pauseEvery },
        { cuts: sorted, pauseEvery },
      ];
      for (const run of runs)
        expect(machine.run(stream, sender, version, run)).toEqual(whole);
      expect(machine.guardsAreIntact).toBe(true);
    }), { numRuns: 2500 });
  }, TIME_LIMIT);
});
