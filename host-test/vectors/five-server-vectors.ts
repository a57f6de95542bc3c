/**
 * Packets of MQTT 5.0 as a Server sends them: CONNACK, SUBACK, UNSUBACK and DISCONNECT with reason codes and
 * properties. Sections 3.2, 3.3, 3.9, 3.11 and 3.14.
 */
import * as ReasonCode from '../../src/packet/reason-code.ts';
import type { Acceptance, PacketFields, Rejection, Vector } from './vector.ts';

const { MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_ALIAS_INVALID, UNSUPPORTED_PROTOCOL_VERSION } = ReasonCode;

const accepts = (name: string, hex: string, expected: PacketFields): Acceptance =>
  ({ name, version: 5, sender: 'server', hex, expected, written: null });
const rejects = (name: string, hex: string, reasonCode: number, after?: number): Rejection =>
  ({ name, version: 5, sender: 'server', hex, reasonCode, ...after !== undefined && { after } });

const connack = (reasonCode: number, sessionPresent = false): PacketFields =>
  ({ type: 'CONNACK', reasonCode, sessionPresent });

const CONNACKS: readonly Vector[] = [
  accepts('[MQTT5-2.2.2-1] CONNACK without properties', '20 03 00 00 00', connack(0)),
  accepts('[MQTT5-3.2.2-3] CONNACK, session present', '20 03 01 00 00', connack(0, true)),
  accepts('section 3.2.2.3: each property of CONNACK',
    '20 42 00 00 3f 11 0000000a 21 000a 24 01 25 00 27 00001000 12 0001 61 22 000a 1f 0002 6f6b 26 0001 6b 0001 76 '
      + '28 00 29 00 2a 00 13 001e 1a 0001 69 1c 0003 612e62 15 0001 6d 16 0001 64', connack(0)),
  accepts('[MQTT5-3.2.2-8] CONNACK that refuses, with a reason', '20 08 00 87 05 1f 0002 6e6f', connack(0x87)),
  accepts('section 3.2 of 3.1.1: return code 1, from a Server that does not speak 5.0', '20 02 00 01',
    connack(UNSUPPORTED_PROTOCOL_VERSION)),
  accepts('section 3.2: 0x84 in the form of 3.1.1', '20 02 00 84', connack(UNSUPPORTED_PROTOCOL_VERSION)),
  accepts('section 3.2 of 3.1.1: accepted, in a form that 5.0 has not', '20 02 00 00',
    connack(UNSUPPORTED_PROTOCOL_VERSION)),
  accepts('section 3.2 of 3.1.1: return code 5', '20 02 00 05', connack(ReasonCode.NOT_AUTHORIZED)),
  rejects('[MQTT5-3.2.2-1] CONNACK with reserved flags', '20 03 02 00 00', MALFORMED_PACKET),
  rejects('[MQTT5-3.2.2-6] CONNACK that refuses, with a session', '20 03 01 87 00', MALFORMED_PACKET),
  rejects('section 3.2: CONNACK of one byte', '20 01 00', MALFORMED_PACKET),
  rejects('section 2.2.2.2: CONNACK with a property of PUBLISH', '20 05 00 00 02 01 01', MALFORMED_PACKET),
  rejects('section 3.2.2.3.3: Receive Maximum 0', '20 06 00 00 03 21 0000', PROTOCOL_ERROR),
  rejects('section 3.2.2.3.6: Maximum Packet Size 0', '20 08 00 00 05 27 00000000', PROTOCOL_ERROR),
  rejects('section 3.2.2.3.4: Maximum QoS 2', '20 05 00 00 02 24 02', PROTOCOL_ERROR),
  rejects('section 3.2.2.3.5: Retain Available twice', '20 07 00 00 04 25 00 25 00', PROTOCOL_ERROR),
  rejects('section 2.2.2.1: properties that end before the packet', '20 04 00 00 00 00', MALFORMED_PACKET),
];

const OTHERS: readonly Vector[] = [
  accepts('[MQTT5-3.9.3-2] SUBACK with each code', '90 0f 000a 00 00 01 02 80 83 87 8f 91 97 9e a1 a2',
    { type: 'SUBACK', packetIdentifier: 10, returnCodes: [0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2] }),
  accepts('section 3.9.2.1: SUBACK with properties', '90 09 000a 05 1f 0002 6e6f 87',
    { type: 'SUBACK', packetIdentifier: 10, returnCodes: [0x87] }),
  rejects('[MQTT5-3.9.3-2] SUBACK with another code', '90 04 000a 00 11', MALFORMED_PACKET),
  rejects('[MQTT5-3.9.3-1] SUBACK without a code', '90 03 000a 00', PROTOCOL_ERROR),
  accepts('[MQTT5-3.11.3-2] UNSUBACK with each code', 'b0 0a 000a 00 00 11 80 83 87 8f 91',
    { type: 'UNSUBACK', packetIdentifier: 10 }),
  rejects('[MQTT5-3.11.3-1] UNSUBACK without a code', 'b0 02 000a', MALFORMED_PACKET),
  rejects('section 2.2.2.2: UNSUBACK with a property of SUBSCRIBE', 'b0 06 000a 02 0b 01 00', MALFORMED_PACKET),
  accepts('section 3.14: DISCONNECT of a Server without a code', 'e0 00', { type: 'DISCONNECT' }),
  accepts('[MQTT5-3.14.2-1] DISCONNECT of a Server with one of its codes', 'e0 01 8e',
    { type: 'DISCONNECT', reasonCode: 0x8E }),
  accepts('[MQTT5-3.14.2-1] DISCONNECT with the last code and a Server Reference', 'e0 06 a2 04 1c 0001 61',
    { type: 'DISCONNECT', reasonCode: 0xA2 }),
  rejects('[MQTT5-3.14.2-1] DISCONNECT of a Server with a code of a Client', 'e0 01 04', PROTOCOL_ERROR),
  rejects('[MQTT5-3.14.2-1] DISCONNECT with a code of nobody', 'e0 01 a3', PROTOCOL_ERROR),
  rejects('[MQTT5-4.12.0-6] AUTH, of which CONNECT did not speak', 'f0 00', PROTOCOL_ERROR, 1),
  rejects('[MQTT5-3.3.2-9] PUBLISH with a Topic Alias', '30 09 0003 612f62 03 23 0001', TOPIC_ALIAS_INVALID),
];

export const FIVE_SERVER_VECTORS: readonly Vector[] = [...CONNACKS, ...OTHERS];
