/**
 * A packet as one line of text: `describe` for the fields, expected or found, `fieldsOf` for what a parser found.
 * Engine-neutral; it allocates as it likes. Bytes are shown without our own UTF-8 decoder.
 */
import * as ControlPacket from '../../src/packet/control-packet.ts';
import type { Packet } from '../../src/packet/packet.ts';
import { nextTopicFilter } from '../../src/packet/subscribe.ts';
import type { PacketFields } from './vector.ts';

/** By type, from table 2.1 of MQTT 3.1.1. */
const TYPES = [
  'reserved', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK',
  'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'reserved',
];

const KEYS: readonly (keyof PacketFields)[] = [
  'version', 'connectFlags', 'keepAlive', 'clientIdentifier', 'willTopic', 'willPayload', 'userName',
  'password', 'reasonCode', 'sessionPresent', 'dup', 'qos', 'retain', 'topicName', 'packetIdentifier', 'payload',
  'oversizePayloadLength', 'properties', 'topicFilters', 'returnCodes',
];

const SHORTEST_RUN = 16;

/** One line, the same for equal fields in any order. */
export function describe(fields: PacketFields): string {
  let line = fields.type;
  for (const key of KEYS) {
    const value = fields[key];
    if (value !== undefined)
      line += ` ${key}=${String(value)}`;
  }
  return line;
}

/** Bytes as text, see `PacketFields`. */
export function textOf(bytes: Uint8Array, offset: number, length: number): string {
  let text = '';
  for (let at = offset, end = offset + length; at < end;) {
    const byte = bytes[at]!;
    let next = at + 1;
    while (next < end && bytes[next] === byte)
      ++next;
    const shown = byte >= 0x20 && byte < 0x7F && byte !== 0x5C && byte !== 0x7B
      ? String.fromCharCode(byte) : `\\x${byte < 16 ? '0' : ''}${byte.toString(16)}`;
    if (next - at >= SHORTEST_RUN)
      text += `${shown}{${next - at}}`;
    else
      for (; at < next; ++at)
        text += shown;
    at = next;
  }
  return text;
}

/** The fields of a packet, to be called within the handler. Leaves the packet as it was. */
export function fieldsOf(packet: Packet): PacketFields {
  const type = TYPES[packet.type]!;
  switch (packet.type) {
    case ControlPacket.CONNECT: return connectFields(type, packet);
    case ControlPacket.CONNACK: return { type, reasonCode: packet.reasonCode, sessionPresent: packet.sessionPresent };
    case ControlPacket.PUBLISH: return publishFields(type, packet);
    case ControlPacket.PUBACK:
    case ControlPacket.PUBREC:
    case ControlPacket.PUBREL:
    case ControlPacket.PUBCOMP:
    case ControlPacket.UNSUBACK:
      return { type, packetIdentifier: packet.packetIdentifier,
        ...packet.reasonCode !== 0 && { reasonCode: packet.reasonCode } };
    case ControlPacket.DISCONNECT: return { type, ...packet.reasonCode !== 0 && { reasonCode: packet.reasonCode } };
    case ControlPacket.SUBSCRIBE:
    case ControlPacket.UNSUBSCRIBE: return subscribeFields(type, packet);
    case ControlPacket.SUBACK: return {
      type, packetIdentifier: packet.packetIdentifier,
      returnCodes: Array.from(packet.arena.bytes.slice(packet.payloadOffset,
        packet.payloadOffset + packet.payloadLength)),
    };
    default: return { type };
  }
}

function connectFields(type: string, packet: Packet): PacketFields {
  const bytes = packet.arena.bytes;
  const hasWill = (packet.connectFlags & 0x04) !== 0;
  return {
    type, version: packet.version, connectFlags: packet.connectFlags, keepAlive: packet.keepAlive,
    clientIdentifier: textOf(bytes, packet.clientIdentifierOffset, packet.clientIdentifierLength),
    ...hasWill && { willTopic: textOf(bytes, packet.willTopicOffset, packet.willTopicLength) },
    ...hasWill && { willPayload: textOf(bytes, packet.willPayloadOffset, packet.willPayloadLength) },
    ...packet.willPropertiesLength > 0
      && { properties: textOf(bytes, packet.willPropertiesOffset, packet.willPropertiesLength) },
    ...packet.userNameLength >= 0 && { userName: textOf(bytes, packet.userNameOffset, packet.userNameLength) },
    ...packet.passwordLength >= 0 && { password: textOf(bytes, packet.passwordOffset, packet.passwordLength) },
  };
}

function publishFields(type: string, packet: Packet): PacketFields {
  const bytes = packet.arena.bytes;
  return {
    type, qos: packet.qos, topicName: textOf(bytes, packet.topicNameOffset, packet.topicNameLength),
    ...(packet.flags & 8) !== 0 && { dup: true },
    ...packet.retain === 1 && { retain: true },
    ...packet.qos > 0 && { packetIdentifier: packet.packetIdentifier },
    ...packet.propertiesLength > 0 && { properties: textOf(bytes, packet.propertiesOffset, packet.propertiesLength) },
    ...packet.isOversize ? { oversizePayloadLength: packet.payloadLength }
      : { payload: textOf(bytes, packet.payloadOffset, packet.payloadLength) },
  };
}

function subscribeFields(type: string, packet: Packet): PacketFields {
  const cursor = packet.payloadOffset;
  const topicFilters: string[] = [];
  while (nextTopicFilter(packet)) {
    const filter = textOf(packet.arena.bytes, packet.topicFilterOffset, packet.topicFilterLength);
    topicFilters.push(packet.type === ControlPacket.SUBSCRIBE ? `${filter}:${packet.subscriptionOptions}` : filter);
  }
  packet.payloadOffset = cursor;
  if (packet.topicFilterCount !== topicFilters.length)
    topicFilters.push(`but topicFilterCount is ${packet.topicFilterCount}`);
  return { type, packetIdentifier: packet.packetIdentifier, topicFilters };
}
