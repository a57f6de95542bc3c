import { describe, expect, it } from 'vitest';
import * as ControlPacket from '../../src/packet/control-packet.ts';

/** 3.1.1 tables 2.1 and 2.2: name and fixed header flags; 'any' stands for PUBLISH and CONNECT, whose readers check. */
const TABLE: [name: string, flags: number | 'any'][] = [
  ['reserved (0)', 0], ['CONNECT', 'any'], ['CONNACK', 0], ['PUBLISH', 'any'], ['PUBACK', 0], ['PUBREC', 0], ['PUBREL', 2], ['PUBCOMP', 0],
  ['SUBSCRIBE', 2], ['SUBACK', 0], ['UNSUBSCRIBE', 2], ['UNSUBACK', 0], ['PINGREQ', 0], ['PINGRESP', 0], ['DISCONNECT', 0], ['reserved (15)', 0],
];

describe('the types', () => {
  it('have the numbers of table 2.1', () => {
    for (let type = 1; type <= 14; ++type)
      expect(ControlPacket[TABLE[type]![0] as 'CONNECT']).toBe(type);
    expect(ControlPacket.NAMES).toEqual(TABLE.map(([name]) => name));
  });

  it('have the flags of PUBLISH and the longest Remaining Length of the specification', () => {
    expect([ControlPacket.DUP, ControlPacket.QOS_SHIFT, ControlPacket.RETAIN]).toEqual([8, 1, 1]);
    expect(ControlPacket.MAXIMUM_REMAINING_LENGTH).toBe(128 ** 4 - 1);
  });
});

describe.each(TABLE.map((row, type) => [...row, type] as const).filter(([, flags]) => flags !== 'any').filter(([, , type]) => type % 15 !== 0))(
  'the header flags of %s', (_name, flags, type) => {
    it('are one value in 3.1.1 [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', () => {
      for (let found = 0; found < 16; ++found)
        expect(ControlPacket.hasValidFlags(type, found, 4)).toBe(found === flags);
    });

    it('are one value in 5.0', () => {
      for (let found = 0; found < 16; ++found)
        expect(ControlPacket.hasValidFlags(type, found, 5)).toBe(found === flags);
    });

    it(flags === 2 ? 'are QoS 1 in 3.1, with or without DUP [MQTT31-4.2]' : 'are not used in 3.1', () => {
      for (let found = 0; found < 16; ++found)
        expect(ControlPacket.hasValidFlags(type, found, 3)).toBe(flags === 2 ? found === 2 || found === 10 : true);
    });
  });

it('the header flags of CONNECT are left to its reader', () => {
  for (let flags = 0; flags < 16; ++flags)
    expect(ControlPacket.hasValidFlags(ControlPacket.CONNECT, flags, 0)).toBe(true);
});
