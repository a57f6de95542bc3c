/**
 * The fixed header: types, flags and Remaining Length, and the packets that have nothing else. MQTT 3.1.1 sections 2.2
 * and 3.12 to 3.14.
 */
import * as ReasonCode from '../../src/packet/reason-code.ts';
import type { Vector } from './vector.ts';

const { MALFORMED_PACKET, PACKET_TOO_LARGE, PROTOCOL_ERROR } = ReasonCode;

const A = { type: 'PUBLISH', qos: 0, topicName: 'a' };

export const BODILESS_VECTORS: readonly Vector[] = [
  { name: '3.1.1 section 3.12: PINGREQ', version: 4, sender: 'client', hex: 'c0 00', expected: { type: 'PINGREQ' } },
  { name: '3.1.1 section 3.13: PINGRESP', version: 4, sender: 'server', hex: 'd0 00', expected: { type: 'PINGRESP' } },
  { name: '[MQTT311-3.14.1-1] DISCONNECT with flags 0000', version: 4, sender: 'client', hex: 'e0 00', expected: { type: 'DISCONNECT' } },
  { name: '[MQTT31-3.12] PINGREQ', version: 3, sender: 'client', hex: 'c0 00', expected: { type: 'PINGREQ' } },
  { name: '[MQTT31-3.12] header flags of PINGREQ are not used', version: 3, sender: 'client', hex: 'c2 00', expected: { type: 'PINGREQ' }, written: 'c0 00' },
  { name: '[MQTT31-3.13] PINGRESP', version: 3, sender: 'server', hex: 'd0 00', expected: { type: 'PINGRESP' } },
  { name: '[MQTT31-3.13] header flags of PINGRESP are not used', version: 3, sender: 'server', hex: 'df 00', expected: { type: 'PINGRESP' }, written: 'd0 00' },
  { name: '[MQTT31-3.14] DISCONNECT', version: 3, sender: 'client', hex: 'e0 00', expected: { type: 'DISCONNECT' } },
  { name: '[MQTT31-3.14] header flags of DISCONNECT are not used', version: 3, sender: 'client', hex: 'e1 00', expected: { type: 'DISCONNECT' }, written: 'e0 00' },

  { name: '3.1.1 section 3.12.3: PINGREQ with a body', version: 4, sender: 'client', hex: 'c0 01 00', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT31-3.12] PINGREQ with a body', version: 3, sender: 'client', hex: 'c0 01 00', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT311-2.2.2-2] PINGREQ with flags 0001', version: 4, sender: 'client', hex: 'c1 00', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT311-3.12.4-1] PINGREQ is not sent by a Server', version: 4, sender: 'server', hex: 'c0 00', reasonCode: PROTOCOL_ERROR, after: 1 },
  { name: '3.1.1 section 3.13.3: PINGRESP with a body', version: 4, sender: 'server', hex: 'd0 02 0000', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT311-2.2.2-2] PINGRESP with flags 1111', version: 4, sender: 'server', hex: 'df 00', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT311-3.12.4-1] PINGRESP is not sent by a Client', version: 4, sender: 'client', hex: 'd0 00', reasonCode: PROTOCOL_ERROR, after: 1 },
  { name: '[MQTT311-3.14.1-1] DISCONNECT with flags 0001', version: 4, sender: 'client', hex: 'e1 00', reasonCode: MALFORMED_PACKET },
  { name: '[MQTT311-3.14.1-1] DISCONNECT with flags 1000', version: 4, sender: 'client', hex: 'e8 00', reasonCode: MALFORMED_PACKET },
  { name: '3.1.1 section 3.14.3: DISCONNECT with a body, as 5.0 has it', version: 4, sender: 'client', hex: 'e0 01 00', reasonCode: MALFORMED_PACKET },
  { name: '3.1.1 table 2.1: DISCONNECT is not sent by a Server', version: 4, sender: 'server', hex: 'e0 00', reasonCode: PROTOCOL_ERROR, after: 1 },
];

export const FIXED_HEADER_VECTORS: readonly Vector[] = [
  { name: '3.1.1 section 2.2.3: Remaining Length 0 in four bytes', version: 4, sender: 'client',
    hex: 'c0 80808000', expected: { type: 'PINGREQ' }, written: 'c0 00' },
  { name: '3.1.1 section 2.2.3: Remaining Length 5 in two bytes', version: 4, sender: 'server',
    hex: '30 8500 0001 61 7878', expected: { ...A, payload: 'xx' }, written: '30 05 0001 61 7878' },
  { name: '3.1.1 table 2.4: Remaining Length 127', version: 4, sender: 'client',
    hex: '30 7f 0001 61 78{124}', expected: { ...A, payload: 'x{124}' } },
  { name: '3.1.1 table 2.4: Remaining Length 128', version: 4, sender: 'client',
    hex: '30 8001 0001 61 78{125}', expected: { ...A, payload: 'x{125}' } },
  { name: '3.1.1 section 2.2.3: Remaining Length 321', version: 4, sender: 'server',
    hex: '30 c102 0001 61 78{318}', expected: { ...A, payload: 'x{318}' } },
  { name: '3.1.1 table 2.4: Remaining Length 16383', version: 4, sender: 'client',
    hex: '30 ff7f 0001 61 78{16380}', expected: { ...A, payload: 'x{16380}' } },
  { name: '3.1.1 table 2.4: Remaining Length 16384', version: 4, sender: 'client',
    hex: '30 808001 0001 61 78{16381}', expected: { ...A, payload: 'x{16381}' } },
  { name: '[MQTT311-4.7.3-3] topic name of 65535 bytes', version: 4, sender: 'client',
    hex: '30 818004 ffff 61{65535}', expected: { ...A, topicName: 'a{65535}', payload: '' } },
  { name: '3.1.1 table 2.4: Remaining Length 2097151', version: 4, sender: 'client',
    hex: '30 ffff7f 0001 61 78{2097148}', expected: { ...A, payload: 'x{2097148}' } },
  { name: '3.1.1 table 2.4: Remaining Length 2097152', version: 4, sender: 'client',
    hex: '30 80808001 0001 61 78{2097149}', expected: { ...A, payload: 'x{2097149}' } },

  { name: '3.1.1 table 2.1: type 0', version: 4, sender: 'client', hex: '00 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '3.1.1 table 2.1: type 0 from a Server', version: 4, sender: 'server', hex: '0f 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '3.1.1 table 2.1: type 15', version: 4, sender: 'client', hex: 'f0 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '3.1.1 table 2.1: type 15 from a Server', version: 4, sender: 'server', hex: 'ff 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '[MQTT31-2.1] type 0', version: 3, sender: 'client', hex: '02 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '[MQTT31-2.1] type 15', version: 3, sender: 'server', hex: 'f2 00', reasonCode: MALFORMED_PACKET, after: 1 },
  { name: '3.1.1 section 2.2.3: Remaining Length of five bytes', version: 4, sender: 'client',
    hex: '30 8080808001 0001 61', reasonCode: MALFORMED_PACKET, after: 5 },
  { name: '3.1.1 section 2.2.3: Remaining Length of five bytes with value 0', version: 4, sender: 'client',
    hex: 'c0 8080808000', reasonCode: MALFORMED_PACKET, after: 5 },
  { name: '3.1.1 section 2.2.3: Remaining Length that never ends', version: 4, sender: 'server',
    hex: '20 ffffffffffffffff', reasonCode: MALFORMED_PACKET, after: 5 },
  { name: 'longer than the ring: Remaining Length 268435455, PUBLISH', version: 4, sender: 'client',
    hex: '30 ffffff7f 0001 61', reasonCode: PACKET_TOO_LARGE, after: 5 },
  { name: 'longer than the ring: Remaining Length 268435455, CONNECT', version: 4, sender: 'client',
    hex: '10 ffffff7f 0004 4d515454', reasonCode: PACKET_TOO_LARGE, after: 5 },
  { name: 'longer than the ring: Remaining Length 2097151, SUBACK', version: 4, sender: 'server',
    hex: '90 ffff7f 000a', reasonCode: PACKET_TOO_LARGE, after: 4 },
];
