/**
 * PUBLISH and its acknowledgements PUBACK, PUBREC, PUBREL and PUBCOMP, read and written. MQTT 3.1.1 sections 3.3 to
 * 3.7.
 */
import type { Arena } from '../bytes/arena.ts';
import {
  PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, QOS_MASK, QOS_SHIFT, REQUEST_FLAGS, RETAIN, UNSUBACK,
} from './control-packet.ts';
import { IDENTIFIER_LENGTH, PREFIX_LENGTH, writeFixedHeader } from './data-representation.ts';
import type { Message, Packet } from './packet.ts';
import { allowsDuplicateFlagAtQoS0, hasProperties } from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';
import { INVALID_TOPIC, type TopicTable } from './topic-table.ts';

/** A short PUBLISH, or'ed with QoS and RETAIN, its Remaining Length of one byte and the length of its Topic Name. */
const PUBLISH_PACKET = PUBLISH << 28;

/** Length of an acknowledgement. */
export const ACKNOWLEDGEMENT_LENGTH = 4;

/** An acknowledgement, or'ed with its Packet Identifier: four bytes, big-endian [MQTT311-2.3.1-6]. */
export const PUBACK_PACKET = PUBACK << 28 | IDENTIFIER_LENGTH << 16;
export const PUBREC_PACKET = PUBREC << 28 | IDENTIFIER_LENGTH << 16;
export const PUBREL_PACKET = PUBREL << 28 | REQUEST_FLAGS << 24 | IDENTIFIER_LENGTH << 16; // [MQTT311-3.6.1-1]
export const PUBCOMP_PACKET = PUBCOMP << 28 | IDENTIFIER_LENGTH << 16;
export const UNSUBACK_PACKET = UNSUBACK << 28 | IDENTIFIER_LENGTH << 16;

/**
 * Reads a PUBLISH and looks its topic up. The payload may lie beyond what has arrived, when it is skipped for its
 * length. Fields are read once and every check stands where its value is at hand: this is the hottest function of all.
 */
export function readPublish(packet: Packet, topics: TopicTable): number {
  const name = packet.offset + PREFIX_LENGTH;
  // Of bytes that are not ours, if the packet is too short.
  const length = packet.topicNameLength = packet.view.getUint16(name - PREFIX_LENGTH);
  const flags = packet.flags;
  let payload = name + length;
  if (flags <= RETAIN) { // the usual case: QoS 0, not DUP
    packet.qos = 0;
    packet.retain = flags;
  } else {
    packet.qos = flags >> QOS_SHIFT & 3;
    packet.retain = flags & RETAIN;
    if (packet.qos !== 0) {
      const reasonCode = readIdentifier(packet, payload);
      if (reasonCode !== ReasonCode.SUCCESS)
        return reasonCode;
      payload += IDENTIFIER_LENGTH;
    } else if (!allowsDuplicateFlagAtQoS0(packet.version)) // [MQTT311-3.3.1-2]
      return ReasonCode.MALFORMED_PACKET;
  }
  packet.topicNameOffset = name;
  packet.payloadOffset = payload;
  if ((packet.payloadLength = packet.end - payload) < 0)
    return ReasonCode.MALFORMED_PACKET;
  return (packet.topicIndex = topics.indexOf(name, length)) === INVALID_TOPIC
    ? ReasonCode.TOPIC_NAME_INVALID : ReasonCode.SUCCESS;
}

function readIdentifier(packet: Packet, offset: number): number {
  if ((packet.flags & QOS_MASK) === QOS_MASK || packet.end - offset < IDENTIFIER_LENGTH) // [MQTT311-3.3.1-4]
    return ReasonCode.MALFORMED_PACKET;
  return (packet.packetIdentifier = packet.view.getUint16(offset)) === 0 // [MQTT311-2.3.1-1]
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/** Length of the whole PUBLISH that `writePublish` makes of `message` at `qos`. */
export function lengthOfPublish(message: Message, qos: number): number {
  const remainingLength =
    PREFIX_LENGTH + message.topicNameLength + (qos === 0 ? 0 : IDENTIFIER_LENGTH) + message.payloadLength;
  return remainingLength
    + (remainingLength < 0x80 ? 2 : remainingLength < 0x4000 ? 3 : remainingLength < 0x200000 ? 4 : 5);
}

/**
 * The usual case of `writePublish`, in the staging area: QoS 0 [MQTT311-4.3.1-1], no identifier [MQTT311-2.3.1-5].
 * @returns the length of the packet
 */
export function stagePublish(arena: Arena, message: Message): number {
  const topicLength = message.topicNameLength;
  const remainingLength = PREFIX_LENGTH + topicLength + message.payloadLength;
  let at = arena.stagingOffset + 4;
  if (remainingLength < 0x80)
    arena.view.setInt32(at - 4, PUBLISH_PACKET | message.retain << 24 | remainingLength << 16 | topicLength);
  else {
    at = writeFixedHeader(arena, at - 4, PUBLISH << 4 | message.retain, remainingLength) + 2;
    arena.view.setUint16(at - 2, topicLength);
  }
  arena.bytes.copyWithin(at, message.topicNameOffset, message.topicNameOffset + topicLength);
  at += topicLength;
  arena.bytes.copyWithin(at, message.payloadOffset, message.payloadOffset + message.payloadLength);
  return at + message.payloadLength - arena.stagingOffset;
}

/**
 * Writes a whole PUBLISH with DUP 0 at `offset` [MQTT311-4.3.1-1] [MQTT311-4.3.2-1]; the caller has made sure that it
 * fits.
 * @param packetIdentifier ignored at QoS 0, where a PUBLISH has none [MQTT311-2.3.1-5]
 * @returns the offset after it
 */
export function writePublish(
  arena: Arena, offset: number, message: Message, qos: number, packetIdentifier: number,
): number {
  const topicLength = message.topicNameLength;
  const remainingLength = PREFIX_LENGTH + topicLength + (qos === 0 ? 0 : IDENTIFIER_LENGTH) + message.payloadLength;
  let at = offset + 4;
  if (remainingLength < 0x80)
    arena.view.setInt32(offset,
      PUBLISH_PACKET | qos << 24 + QOS_SHIFT | message.retain << 24 | remainingLength << 16 | topicLength);
  else {
    at = writeFixedHeader(arena, offset, PUBLISH << 4 | qos << QOS_SHIFT | message.retain, remainingLength) + 2;
    arena.view.setUint16(at - 2, topicLength);
  }
  arena.bytes.copyWithin(at, message.topicNameOffset, message.topicNameOffset + topicLength);
  at += topicLength;
  if (qos !== 0) {
    arena.view.setUint16(at, packetIdentifier);
    at += IDENTIFIER_LENGTH;
  }
  arena.bytes.copyWithin(at, message.payloadOffset, message.payloadOffset + message.payloadLength);
  return at + message.payloadLength;
}

/**
 * Reads PUBACK, PUBREC, PUBREL, PUBCOMP and, before 5.0, UNSUBACK: a packet identifier, and in 5.0 perhaps a reason
 * code, and perhaps properties behind that.
 */
export function readAcknowledgement(packet: Packet): number {
  const { offset } = packet;
  packet.reasonCode = ReasonCode.SUCCESS;
  if (packet.end - offset !== IDENTIFIER_LENGTH) {
    const reasonCode = hasProperties(packet.version) ? readReason(packet) : ReasonCode.MALFORMED_PACKET;
    if (reasonCode !== ReasonCode.SUCCESS)
      return reasonCode;
  }
  return (packet.packetIdentifier = packet.view.getUint16(offset)) === 0
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/** Codes of an acknowledgement, see `isListed`. [MQTT5-3.4.2-1] [MQTT5-3.5.2-1] */
const PUBLISH_CODES = 1 << 0x00 | 1 << 0x03 | 1 << 0x07 | 1 << 0x10 | 1 << 0x11 | 1 << 0x17 | 1 << 0x19;
/** [MQTT5-3.6.2-1] [MQTT5-3.7.2-1] */
const RELEASE_CODES = 1 << 0x12;

/** What follows the identifier. */
function readReason(packet: Packet): number {
  const at = packet.offset + IDENTIFIER_LENGTH;
  if (packet.end <= at)
    return ReasonCode.MALFORMED_PACKET;
  const code = packet.reasonCode = packet.arena.bytes[at]!;
  const isOfRelease = packet.type >= PUBREL;
  if (!ReasonCode.isListed(code, isOfRelease ? RELEASE_CODES : PUBLISH_CODES)
    && (isOfRelease || code !== ReasonCode.NO_MATCHING_SUBSCRIBERS))
    return ReasonCode.PROTOCOL_ERROR;
  return readTrailingProperties(packet, at + 1);
}

/** Reads the properties that end a packet, if it does not end before them. */
export function readTrailingProperties(packet: Packet, at: number): number {
  const { arena, end, properties, type } = packet;
  properties.clear();
  if (at === end)
    return ReasonCode.SUCCESS;
  const next = properties.read(arena, at, end, type);
  return next < 0 ? -next : next === end ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
}
