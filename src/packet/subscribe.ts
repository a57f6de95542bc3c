/**
 * SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK, read and written. MQTT 3.1.1 sections 3.8 to 3.11.
 *
 * A SUBSCRIBE is checked as a whole before anyone hears of it, so a malformed one changes nothing. Its filters are then
 * taken one by one with `nextTopicFilter`.
 */
import type { Arena } from '../bytes/arena.ts';
import { SUBACK, SUBSCRIBE, UNSUBSCRIBE } from './control-packet.ts';
import { writeFixedHeader, writeString } from './data-representation.ts';
import type { Packet } from './packet.ts';
import { allowsEmptySubscribe } from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';
import { isValidTopicFilter } from './topic.ts';

/** SUBACK return code for a refused filter [MQTT311-3.9.3-2]. */
export const SUBACK_FAILURE = 0x80;

/** Reads SUBSCRIBE or UNSUBSCRIBE. Afterwards `packet.payloadOffset` is the cursor of `nextTopicFilter`. */
export function readTopicFilters(packet: Packet): number {
  const { arena, end, offset } = packet;
  const view = arena.view;
  const optionsLength = packet.type === SUBSCRIBE ? 1 : 0;
  if (end - offset < 2)
    return ReasonCode.MALFORMED_PACKET;
  if ((packet.packetIdentifier = view.getUint16(offset)) === 0) // [MQTT311-2.3.1-1]
    return ReasonCode.PROTOCOL_ERROR;
  let at = packet.payloadOffset = offset + 2;
  let count = 0;
  for (; at < end; ++count) {
    if (end - at < 2)
      return ReasonCode.MALFORMED_PACKET;
    const length = view.getUint16(at);
    at += 2;
    if (end - at < length + optionsLength || !isValidTopicFilter(arena, at, length)) // [MQTT311-3.8.3-1] [MQTT311-3.10.3-1]
      return ReasonCode.MALFORMED_PACKET;
    at += length;
    if (optionsLength !== 0 && arena.bytes[at++]! > 2) // [MQTT311-3.8.3-4]
      return ReasonCode.MALFORMED_PACKET;
  }
  packet.topicFilterCount = count;
  return count === 0 && !allowsEmptySubscribe(packet.version) // [MQTT311-3.8.3-3] [MQTT311-3.10.3-2]
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/**
 * Moves on to the next filter of a SUBSCRIBE or UNSUBSCRIBE that has been read: its span and, in `packet.qos`, the QoS
 * asked for. @returns false behind the last one
 */
export function nextTopicFilter(packet: Packet): boolean {
  const at = packet.payloadOffset;
  if (at >= packet.end)
    return false;
  const { bytes, view } = packet.arena;
  const length = packet.topicFilterLength = view.getUint16(at);
  packet.topicFilterOffset = at + 2;
  packet.payloadOffset = at + 2 + length;
  if (packet.type === SUBSCRIBE)
    packet.qos = bytes[packet.payloadOffset++]!;
  return true;
}

/** Writes a SUBSCRIBE for one filter. @returns the offset behind it */
export function writeSubscribe(arena: Arena, offset: number, packetIdentifier: number, filterOffset: number, filterLength: number, qos: number): number {
  offset = writeFixedHeader(arena, offset, SUBSCRIBE << 4 | 2, 2 + 2 + filterLength + 1);
  arena.view.setUint16(offset, packetIdentifier);
  offset = writeString(arena, offset + 2, filterOffset, filterLength);
  arena.bytes[offset] = qos;
  return offset + 1;
}

/** Writes an UNSUBSCRIBE for one filter. @returns the offset behind it */
export function writeUnsubscribe(arena: Arena, offset: number, packetIdentifier: number, filterOffset: number, filterLength: number): number {
  offset = writeFixedHeader(arena, offset, UNSUBSCRIBE << 4 | 2, 2 + 2 + filterLength);
  arena.view.setUint16(offset, packetIdentifier);
  return writeString(arena, offset + 2, filterOffset, filterLength);
}

/**
 * Writes the beginning of a SUBACK; the caller then writes `count` return codes, one per filter and in their order
 * [MQTT311-3.8.4-5] [MQTT311-3.9.3-1]. @returns the offset of the first return code
 */
export function writeSubackHeader(arena: Arena, offset: number, packetIdentifier: number, count: number): number {
  offset = writeFixedHeader(arena, offset, SUBACK << 4, 2 + count);
  arena.view.setUint16(offset, packetIdentifier);
  return offset + 2;
}

/** Reads SUBACK; its return codes are [`payloadOffset`, `payloadOffset` + `payloadLength`). */
export function readSuback(packet: Packet): number {
  const { end, offset } = packet;
  const { bytes, view } = packet.arena;
  if (end - offset < 3)
    return ReasonCode.MALFORMED_PACKET;
  if ((packet.packetIdentifier = view.getUint16(offset)) === 0)
    return ReasonCode.PROTOCOL_ERROR;
  packet.payloadOffset = offset + 2;
  packet.payloadLength = end - offset - 2;
  for (let at = offset + 2; at < end; ++at)
    if (bytes[at]! > 2 && bytes[at] !== SUBACK_FAILURE) // [MQTT311-3.9.3-2]
      return ReasonCode.MALFORMED_PACKET;
  return ReasonCode.SUCCESS;
}
