import { TLS_SPOKEN } from '../../src/packet/reason-code.ts';
import { describe, expect, it } from 'vitest';
import * as ControlPacket from '../../src/packet/control-packet.ts';
import { VectorMachine } from '../vectors/run-vector.ts';
import { bytesOf, type Sender } from '../vectors/vector.ts';

/** 3.1.1 tables 2.1 and 2.2: name, sender, and a packet with the flags that the table asks for. */
const TABLE: [name: string, sender: Sender, hex: string][] = [
  ['CONNECT', 'client', '10 0d 0004 4d515454 04 02 003c 0001 61'],
  ['CONNACK', 'server', '20 02 00 00'],
  ['PUBLISH', 'client', '30 03 0001 61'],
  ['PUBACK', 'client', '40 02 0001'],
  ['PUBREC', 'server', '50 02 0001'],
  ['PUBREL', 'client', '62 02 0001'],
  ['PUBCOMP', 'server', '70 02 0001'],
  ['SUBSCRIBE', 'client', '82 06 0001 0001 61 00'],
  ['SUBACK', 'server', '90 03 0001 00'],
  ['UNSUBSCRIBE', 'client', 'a2 05 0001 0001 61'],
  ['UNSUBACK', 'server', 'b0 02 0001'],
  ['PINGREQ', 'client', 'c0 00'],
  ['PINGRESP', 'server', 'd0 00'],
  ['DISCONNECT', 'client', 'e0 00'],
];

const CONNECT_3_1 = '10 0f 0006 4d5149736470 03 02 003c 0001 61';

/** The header flags, of all sixteen, with which this packet is accepted. */
function acceptedFlags(hex: string, sender: Sender, version: number): number[] {
  const machine = new VectorMachine({ maximumPacketSize: 32 });
  const bytes = bytesOf(hex);
  const accepted: number[] = [];
  for (let flags = 0; flags < 16; ++flags) {
    bytes[0] = bytes[0]! & 0xF0 | flags;
    const [found] = machine.run(bytes, sender, version);
    if (found !== 'error 0x81' && found !== `error 0x${TLS_SPOKEN.toString(16)}`) // CONNECT with the flags of a handshake
      accepted.push(flags);
  }
  return accepted;
}

describe('the types', () => {
  it('have the numbers of table 2.1', () => {
    TABLE.forEach(([name, , hex], index) => {
      expect(ControlPacket[name as 'CONNECT']).toBe(index + 1);
      expect(parseInt(hex[0]!, 16)).toBe(index + 1);
    });
    expect(ControlPacket.NAMES).toEqual(['reserved (0)', ...TABLE.map(([name]) => name), 'AUTH']);
  });

  it('have the flags of PUBLISH', () => {
    expect([ControlPacket.DUP, ControlPacket.QOS_SHIFT, ControlPacket.RETAIN]).toEqual([8, 1, 1]);
  });
});

describe.each(TABLE.filter(([name]) => name !== 'PUBLISH'))('the header flags of %s', (name, sender, hex) => {
  const flags = parseInt(hex[1]!, 16);

  it('have one value in 3.1.1 [MQTT311-2.2.2-1] [MQTT311-2.2.2-2]', () => {
    expect(acceptedFlags(hex, sender, 4)).toEqual([flags]);
  });

  it(flags === 2 ? 'are QoS 1 in 3.1, with or without DUP [MQTT31-4.2]' : 'are not used in 3.1', () => {
    const accepted = acceptedFlags(name === 'CONNECT' ? CONNECT_3_1 : hex, sender, 3);
    expect(accepted).toEqual(flags === 2 ? [2, 10] : Array.from({ length: 16 }, (_, index) => index));
  });
});
