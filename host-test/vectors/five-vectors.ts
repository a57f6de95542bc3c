/**
 * Packets of MQTT 5.0 as a Client sends them: properties, reason codes, subscription options. Sections 2.2.2, 3.1, 3.3
 * to 3.7, 3.8, 3.10, 3.14 and 3.15.
 */
import * as ReasonCode from '../../src/packet/reason-code.ts';
import type { Acceptance, PacketFields, Rejection, Vector } from './vector.ts';

const { MALFORMED_PACKET, PROTOCOL_ERROR, TOPIC_ALIAS_INVALID } = ReasonCode;

const accepts = (name: string, hex: string, expected: PacketFields, written: string | null = null): Acceptance =>
  ({ name, version: 5, sender: 'client', hex, expected, written });
const rejects = (name: string, hex: string, reasonCode: number, after?: number): Rejection =>
  ({ name, version: 5, sender: 'client', hex, reasonCode, ...after !== undefined && { after } });

const A: PacketFields = { type: 'CONNECT', version: 5, connectFlags: 0x02, keepAlive: 60, clientIdentifier: 'a' };
const AB: PacketFields = { type: 'PUBLISH', qos: 0, topicName: 'a/b', payload: 'x' };

const CONNECTS: readonly Vector[] = [
  accepts('[MQTT5-3.1.2-1] [MQTT5-2.2.2-1] level 5, no properties', '10 0e 0004 4d515454 05 02 003c 00 0001 61', A),
  accepts('section 3.1.2.11: each property of CONNECT',
    '10 31 0004 4d515454 05 02 003c 23 11 0000000a 21 000a 27 00000100 22 000a 19 01 17 00 26 0001 61 0001 62 '
      + '15 0001 6d 16 0001 64 0001 61', A),
  accepts('section 2.2.2.2: a User Property twice, the same',
    '10 1c 0004 4d515454 05 02 003c 0e 26 0001 61 0001 62 26 0001 61 0001 62 0001 61', A),
  accepts('[MQTT5-3.1.3-1] [MQTT5-3.1.2-9] each property of a Will, in front of its topic',
    '10 34 0004 4d515454 05 06 003c 00 0001 61 1f 18 00000005 01 01 02 0000000a 03 0001 74 08 0001 72 09 0001 63 '
      + '26 0001 6b 0001 76 0001 77 0001 6d',
    { ...A, connectFlags: 0x06, willTopic: 'w', willPayload: 'm',
      properties: '\\x01\\x01\\x02\\x00\\x00\\x00\\x0a'
        + '\\x03\\x00\\x01t\\x08\\x00\\x01r\\x09\\x00\\x01c&\\x00\\x01k\\x00\\x01v' }),
  accepts('[MQTT5-3.1.2-19] a password without a user name',
    '10 11 0004 4d515454 05 42 003c 00 0001 61 0001 70', { ...A, connectFlags: 0x42, password: 'p' }),
  rejects('section 2.2.2.2: CONNECT with an unknown property', '10 10 0004 4d515454 05 02 003c 02 7f 00 0001 61',
    MALFORMED_PACKET),
  rejects('section 2.2.2.2: CONNECT with a property of PUBLISH', '10 10 0004 4d515454 05 02 003c 02 01 00 0001 61',
    MALFORMED_PACKET),
  rejects('section 2.2.2.2: CONNECT with a property of the Will',
    '10 13 0004 4d515454 05 02 003c 05 18 00000001 0001 61', MALFORMED_PACKET),
  rejects('section 3.1.2.11.2: Session Expiry Interval twice',
    '10 18 0004 4d515454 05 02 003c 0a 11 00000001 11 00000001 0001 61', PROTOCOL_ERROR),
  rejects('section 3.1.2.11.3: Receive Maximum 0', '10 11 0004 4d515454 05 02 003c 03 21 0000 0001 61', PROTOCOL_ERROR),
  rejects('section 3.1.2.11.4: Maximum Packet Size 0', '10 13 0004 4d515454 05 02 003c 05 27 00000000 0001 61',
    PROTOCOL_ERROR),
  rejects('section 3.1.2.11.7: Request Problem Information 2', '10 10 0004 4d515454 05 02 003c 02 17 02 0001 61',
    PROTOCOL_ERROR),
  rejects('section 3.1.2.11.10: Authentication Data without a method',
    '10 12 0004 4d515454 05 02 003c 04 16 0001 64 0001 61', PROTOCOL_ERROR),
  rejects('[MQTT5-1.5.5-1] a Property Length that is longer than it need be',
    '10 0f 0004 4d515454 05 02 003c 8000 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-1.5.5-1] a Property Length of five bytes', '10 12 0004 4d515454 05 02 003c 8080808001 0001 61',
    MALFORMED_PACKET),
  rejects('section 2.2.2.1: properties that go on behind the packet', '10 0e 0004 4d515454 05 02 003c 7f 0001 61',
    MALFORMED_PACKET),
  rejects('section 2.2.2.1: a property that goes on behind the properties',
    '10 11 0004 4d515454 05 02 003c 03 11 0000 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-1.5.4-2] [MQTT5-1.5.7-1] U+0000 in the value of a User Property',
    '10 15 0004 4d515454 05 02 003c 07 26 0001 6b 0001 00 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-1.5.4-1] [MQTT5-1.5.7-1] a surrogate in the name of a User Property',
    '10 17 0004 4d515454 05 02 003c 09 26 0003 eda080 0001 61 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-3.1.2-3] bit 0 of the connect flags', '10 0e 0004 4d515454 05 03 003c 00 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-3.1.2-11] Will QoS without a Will', '10 0e 0004 4d515454 05 0a 003c 00 0001 61', MALFORMED_PACKET),
  rejects('[MQTT5-3.1.4-1] no Property Length', '10 0a 0004 4d515454 05 02 003c', MALFORMED_PACKET),
  rejects('[MQTT5-3.1.2-9] a Will without Will Properties', '10 0e 0004 4d515454 05 06 003c 00 0001 61',
    MALFORMED_PACKET),
];

const PUBLISHES: readonly Vector[] = [
  accepts('[MQTT5-2.2.1-2] [MQTT5-3.3.2-1] QoS 0 without properties', '30 07 0003 612f62 00 78', AB, '30 07 0003 612f62 00 78'),
  accepts('section 3.3.2.2: an identifier in front of the properties', '32 09 0003 612f62 000a 00 78',
    { ...AB, qos: 1, packetIdentifier: 10 }, '32 09 0003 612f62 000a 00 78'),
  accepts('[MQTT5-3.3.2-17] a User Property', '30 0e 0003 612f62 07 26 0001 6b 0001 76 78',
    { ...AB, properties: '&\\x00\\x01k\\x00\\x01v' }, '30 0e 0003 612f62 07 26 0001 6b 0001 76 78'),
  accepts('[MQTT5-3.3.2-18] two User Properties of one name keep their order',
    '30 15 0003 612f62 0e 26 0001 61 0001 31 26 0001 61 0001 32 78',
    { ...AB, properties: '&\\x00\\x01a\\x00\\x011&\\x00\\x01a\\x00\\x012' },
    '30 15 0003 612f62 0e 26 0001 61 0001 31 26 0001 61 0001 32 78'),
  accepts('[MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-20] each property of a message, QoS 2',
    '34 1f 0003 612f62 0007 16 01 01 02 0000004d 03 0001 74 08 0003 722f74 09 0002 00ff 78',
    { ...AB, qos: 2, packetIdentifier: 7,
      properties: '\\x01\\x01\\x02\\x00\\x00\\x00M\\x03\\x00\\x01t\\x08\\x00\\x03r/t\\x09\\x00\\x02\\x00\\xff' },
    '34 1f 0003 612f62 0007 16 01 01 02 0000004d 03 0001 74 08 0003 722f74 09 0002 00ff 78'),
  rejects('[MQTT5-3.3.2-12] a Topic Alias, of which none was announced', '30 0a 0003 612f62 03 23 0001 78',
    TOPIC_ALIAS_INVALID),
  rejects('[MQTT5-3.3.2-8] Topic Alias 0', '30 0a 0003 612f62 03 23 0000 78', TOPIC_ALIAS_INVALID),
  rejects('section 3.3.2.1: a Topic Alias in place of the topic', '30 07 0000 03 23 0001 78', TOPIC_ALIAS_INVALID),
  rejects('[MQTT5-4.7.3-1] neither topic nor Topic Alias', '30 04 0000 00 78', PROTOCOL_ERROR),
  rejects('[MQTT5-3.3.4-6] a Subscription Identifier from a Client', '30 09 0003 612f62 02 0b 01 78', PROTOCOL_ERROR),
  rejects('[MQTT5-3.3.2-14] a Response Topic with a wildcard', '30 0b 0003 612f62 04 08 0001 2b 78', PROTOCOL_ERROR),
  rejects('[MQTT5-3.3.2-13] a Response Topic that is no UTF-8', '30 0b 0003 612f62 04 08 0001 ff 78', MALFORMED_PACKET),
  rejects('[MQTT5-3.3.2-19] a Content Type that is no UTF-8', '30 0b 0003 612f62 04 03 0001 ff 78', MALFORMED_PACKET),
  rejects('section 3.3.2.3.2: Payload Format Indicator 2', '30 09 0003 612f62 02 01 02 78', PROTOCOL_ERROR),
  rejects('section 3.3.2.3.2: Payload Format Indicator twice', '30 0b 0003 612f62 04 01 00 01 00 78', PROTOCOL_ERROR),
  rejects('section 3.3.2.3: no Property Length', '30 05 0003 612f62', MALFORMED_PACKET),
  rejects('[MQTT5-3.3.2-2] a wildcard in the topic', '30 07 0003 612f2b 00 78', ReasonCode.TOPIC_NAME_INVALID),
  rejects('[MQTT5-3.3.1-4] QoS 3', '36 09 0003 612f62 000a 00 78', MALFORMED_PACKET),
  rejects('[MQTT5-3.3.1-2] DUP with QoS 0', '38 07 0003 612f62 00 78', MALFORMED_PACKET),
];

const ACKNOWLEDGEMENTS: readonly Vector[] = [
  accepts('section 3.4.2.1: PUBACK without a reason code', '40 02 000a', { type: 'PUBACK', packetIdentifier: 10 }),
  accepts('section 3.4.2.1: PUBACK, success', '40 03 000a 00', { type: 'PUBACK', packetIdentifier: 10 }),
  accepts('section 3.4.2.2: PUBACK with a Reason String', '40 0b 000a 10 07 1f 0004 6e6f6e65',
    { type: 'PUBACK', packetIdentifier: 10, reasonCode: 0x10 }),
  accepts('[MQTT5-3.5.2-1] PUBREC, quota exceeded', '50 03 000a 97',
    { type: 'PUBREC', packetIdentifier: 10, reasonCode: 0x97 }),
  accepts('[MQTT5-3.6.2-1] PUBREL, identifier not found', '62 03 000a 92',
    { type: 'PUBREL', packetIdentifier: 10, reasonCode: 0x92 }),
  accepts('[MQTT5-3.7.2-1] PUBCOMP with empty properties', '70 04 000a 92 00',
    { type: 'PUBCOMP', packetIdentifier: 10, reasonCode: 0x92 }),
  rejects('[MQTT5-3.4.2-1] PUBACK with a code of PUBREL', '40 03 000a 92', PROTOCOL_ERROR),
  rejects('[MQTT5-3.5.2-1] PUBREC with a code of CONNACK', '50 03 000a 84', PROTOCOL_ERROR),
  rejects('[MQTT5-3.6.2-1] PUBREL with a code of PUBREC', '62 03 000a 80', PROTOCOL_ERROR),
  rejects('[MQTT5-3.7.2-1] PUBCOMP with code 0x10', '70 03 000a 10', PROTOCOL_ERROR),
  rejects('section 2.2.2.2: PUBACK with a property of CONNECT', '40 07 000a 00 03 21 0001', MALFORMED_PACKET),
  rejects('section 3.5.2.2: PUBREC whose properties are cut off', '50 04 000a 00 01', MALFORMED_PACKET),
  rejects('section 3.4.2: PUBACK with something behind its properties', '40 05 000a 00 00 00', MALFORMED_PACKET),
  rejects('section 3.4.2: PUBACK with half an identifier', '40 01 00', MALFORMED_PACKET),
  rejects('[MQTT5-3.6.1-1] PUBREL with other flags', '60 02 000a', MALFORMED_PACKET),
];

const SUBSCRIBES: readonly Vector[] = [
  accepts('section 3.8.3.1: QoS 1, No Local, Retain As Published, Retain Handling 2', '82 07 0001 00 0001 61 2d',
    { type: 'SUBSCRIBE', packetIdentifier: 1, topicFilters: ['a:45'] }),
  accepts('section 3.8.2.1: a Subscription Identifier and a User Property',
    '82 10 0001 09 0b 01 26 0001 6b 0001 76 0001 61 00',
    { type: 'SUBSCRIBE', packetIdentifier: 1, topicFilters: ['a:0'] }),
  accepts('section 3.10.2: UNSUBSCRIBE', 'a2 06 0001 00 0001 61',
    { type: 'UNSUBSCRIBE', packetIdentifier: 1, topicFilters: ['a'] }),
  rejects('[MQTT5-3.8.3-5] reserved bits of the options', '82 07 0001 00 0001 61 40', MALFORMED_PACKET),
  rejects('section 3.8.3.1: Maximum QoS 3', '82 07 0001 00 0001 61 03', PROTOCOL_ERROR),
  rejects('section 3.8.3.1: Retain Handling 3', '82 07 0001 00 0001 61 30', PROTOCOL_ERROR),
  rejects('[MQTT5-3.8.3-4] No Local on a Shared Subscription', '82 10 0001 00 000a 2473686172652f672f61 04',
    PROTOCOL_ERROR),
  rejects('[MQTT5-3.8.3-2] no filter', '82 03 0001 00', PROTOCOL_ERROR),
  rejects('section 3.8.2.1.2: Subscription Identifier 0', '82 09 0001 02 0b 00 0001 61 00', PROTOCOL_ERROR),
  rejects('section 3.8.2.1.2: Subscription Identifier twice', '82 0b 0001 04 0b 01 0b 02 0001 61 00', PROTOCOL_ERROR),
  rejects('section 3.8.2.1: no Property Length', '82 02 0001', MALFORMED_PACKET),
  rejects('[MQTT5-3.8.1-1] other flags', '80 07 0001 00 0001 61 00', MALFORMED_PACKET),
  rejects('section 2.2.2.2: UNSUBSCRIBE with a Subscription Identifier', 'a2 08 0001 02 0b 01 0001 61',
    MALFORMED_PACKET),
  rejects('[MQTT5-3.10.3-2] UNSUBSCRIBE without a filter', 'a2 03 0001 00', PROTOCOL_ERROR),
  rejects('[MQTT5-3.10.1-1] UNSUBSCRIBE with other flags', 'a0 06 0001 00 0001 61', MALFORMED_PACKET),
];

const DISCONNECT: PacketFields = { type: 'DISCONNECT' };

const OTHERS: readonly Vector[] = [
  accepts('section 3.12: PINGREQ', 'c0 00', { type: 'PINGREQ' }, 'c0 00'),
  accepts('section 3.14.2.1: DISCONNECT without a reason code', 'e0 00', DISCONNECT),
  accepts('section 3.14.2.1: DISCONNECT with Will Message', 'e0 01 04', { ...DISCONNECT, reasonCode: 4 }),
  accepts('section 3.14.2.2: DISCONNECT with empty properties', 'e0 02 00 00', DISCONNECT),
  accepts('section 3.14.2.2.2: DISCONNECT with a Session Expiry Interval', 'e0 07 00 05 11 00000000', DISCONNECT),
  rejects('[MQTT5-3.14.2-1] DISCONNECT with a code of SUBACK', 'e0 01 01', PROTOCOL_ERROR),
  rejects('[MQTT5-3.14.2-1] DISCONNECT with a code of a Server', 'e0 01 8e', PROTOCOL_ERROR),
  rejects('section 2.2.2.2: DISCONNECT with a property of CONNECT', 'e0 05 00 03 21 0001', MALFORMED_PACKET),
  rejects('[MQTT5-3.14.1-1] DISCONNECT with other flags', 'e1 00', MALFORMED_PACKET),
  rejects('[MQTT5-4.12.0-7] AUTH, of which CONNECT did not speak', 'f0 00', PROTOCOL_ERROR, 1),
];

export const FIVE_VECTORS: readonly Vector[] =
  [...CONNECTS, ...PUBLISHES, ...ACKNOWLEDGEMENTS, ...SUBSCRIBES, ...OTHERS];
