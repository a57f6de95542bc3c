/**
 * PUBLISH and its acknowledgements PUBACK, PUBREC, PUBREL and PUBCOMP, read and written. MQTT 3.1.1 sections 3.3 to 3.7.
 */
import type { Arena } from '../bytes/arena.ts';
import { DUP, PUBLISH, PUBREL, QOS_SHIFT, RETAIN } from './control-packet.ts';
import { writeFixedHeader } from './data-representation.ts';
import type { Message, Packet } from './packet.ts';
import { allowsDuplicateFlagAtQoS0 } from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';

/**
 * Reads everything but the meaning of the topic; the parser looks that up.
 * The payload may lie beyond what has arrived when the packet is skipped for its length.
 */
export function readPublish(packet: Packet): number {
  const { end, flags, offset } = packet;
  const view = packet.arena.view;
  if (end - offset < 2)
    return ReasonCode.MALFORMED_PACKET;
  const length = view.getUint16(offset);
  const qos = flags >> QOS_SHIFT & 3;
  let payload = offset + 2 + length;
  if (qos !== 0) {
    if (qos === 3 || end - payload < 2) // [MQTT311-3.3.1-4]
      return ReasonCode.MALFORMED_PACKET;
    if ((packet.packetIdentifier = view.getUint16(payload)) === 0) // [MQTT311-2.3.1-1]
      return ReasonCode.PROTOCOL_ERROR;
    payload += 2;
  } else if (payload > end)
    return ReasonCode.MALFORMED_PACKET;
  else if (flags >= DUP && !allowsDuplicateFlagAtQoS0(packet.version)) // [MQTT311-3.3.1-2]
    return ReasonCode.MALFORMED_PACKET;
  packet.qos = qos;
  packet.retain = flags & RETAIN;
  packet.topicNameOffset = offset + 2;
  packet.topicNameLength = length;
  packet.payloadOffset = payload;
  packet.payloadLength = end - payload;
  return ReasonCode.SUCCESS;
}

/** Length of the whole PUBLISH that `writePublish` makes of `message` at `qos`. */
export function lengthOfPublish(message: Message, qos: number): number {
  const remainingLength = 2 + message.topicNameLength + (qos === 0 ? 0 : 2) + message.payloadLength;
  return remainingLength + (remainingLength < 0x80 ? 2 : remainingLength < 0x4000 ? 3 : remainingLength < 0x200000 ? 4 : 5);
}

/**
 * Writes a whole PUBLISH with DUP 0 at `offset`; the caller has made sure that it fits.
 * @param packetIdentifier ignored at QoS 0, where a PUBLISH has none [MQTT311-2.3.1-5]
 * @returns the offset behind it
 */
export function writePublish(arena: Arena, offset: number, message: Message, qos: number, packetIdentifier: number): number {
  const { bytes, view } = arena;
  const { payloadLength, payloadOffset, topicNameLength, topicNameOffset } = message;
  const firstByte = PUBLISH << 4 | qos << QOS_SHIFT | message.retain;
  const remainingLength = 2 + topicNameLength + (qos === 0 ? 0 : 2) + payloadLength;
  if (remainingLength < 0x80) {
    bytes[offset] = firstByte;
    bytes[offset + 1] = remainingLength;
    offset += 2;
  } else
    offset = writeFixedHeader(arena, offset, firstByte, remainingLength);
  view.setUint16(offset, topicNameLength);
  offset += 2;
  bytes.copyWithin(offset, topicNameOffset, topicNameOffset + topicNameLength);
  offset += topicNameLength;
  if (qos !== 0) {
    view.setUint16(offset, packetIdentifier);
    offset += 2;
  }
  bytes.copyWithin(offset, payloadOffset, payloadOffset + payloadLength);
  return offset + payloadLength;
}

/** Reads PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK, which are alike in 3.1 and 3.1.1: a packet identifier. */
export function readAcknowledgement(packet: Packet): number {
  const { offset } = packet;
  if (packet.end - offset !== 2)
    return ReasonCode.MALFORMED_PACKET;
  return (packet.packetIdentifier = packet.arena.view.getUint16(offset)) === 0
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/** Writes PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK [MQTT311-2.3.1-6] [MQTT311-3.6.1-1]. @returns the offset behind it */
export function writeAcknowledgement(arena: Arena, offset: number, type: number, packetIdentifier: number): number {
  const bytes = arena.bytes;
  bytes[offset] = type === PUBREL ? PUBREL << 4 | 2 : type << 4;
  bytes[offset + 1] = 2;
  arena.view.setUint16(offset + 2, packetIdentifier);
  return offset + 4;
}
