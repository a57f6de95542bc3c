/**
 * SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK, read and written. MQTT 3.1.1 sections 3.8 to 3.11.
 *
 * A SUBSCRIBE is checked as a whole before anyone hears of it, so a malformed one changes nothing. Its filters are then
 * taken one by one with `nextTopicFilter`.
 */
import type { Arena } from '../bytes/arena.ts';
import { REQUEST_FLAGS, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } from './control-packet.ts';
import { IDENTIFIER_LENGTH, PREFIX_LENGTH, writeFixedHeader, writeString } from './data-representation.ts';
import type { Packet } from './packet.ts';
import { allowsEmptySubscribe, hasProperties } from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';
import { isShared, isValidTopicFilter, lengthOfShare } from './topic-filter.ts';

/** SUBACK return code for a refused filter [MQTT311-3.9.3-2]. */
export const SUBACK_FAILURE = 0x80;

// Subscription Options of 5.0, beside the QoS (section 3.8.3.1)
export const OPTIONS_QOS = 3;
export const NO_LOCAL = 4;
export const RETAIN_AS_PUBLISHED = 8;
const RETAIN_HANDLING = 0x30;
/** Retained messages go to new subscriptions only; 0: to each; anything else: to none. */
export const RETAINED_IF_NEW = 0x10;
const RESERVED_OPTIONS = 0xC0;

/** What SUBSCRIBE says of when retained messages are to be sent. */
export const retainHandlingOf = (options: number): number => options & RETAIN_HANDLING;

/** Reads SUBSCRIBE or UNSUBSCRIBE. Afterwards `packet.payloadOffset` is the cursor of `nextTopicFilter`. */
export function readTopicFilters(packet: Packet): number {
  const { arena, end, offset } = packet;
  const view = arena.view;
  const optionsLength = packet.type === SUBSCRIBE ? 1 : 0;
  if (end - offset < IDENTIFIER_LENGTH)
    return ReasonCode.MALFORMED_PACKET;
  if ((packet.packetIdentifier = view.getUint16(offset)) === 0) // [MQTT311-2.3.1-1]
    return ReasonCode.PROTOCOL_ERROR;
  let at = offset + IDENTIFIER_LENGTH;
  const isFive = hasProperties(packet.version);
  if (isFive) {
    packet.properties.clear();
    at = packet.properties.read(arena, at, end, packet.type);
    if (at < 0)
      return -at;
  }
  packet.payloadOffset = at;
  let count = 0;
  for (; at < end; ++count) {
    if (end - at < PREFIX_LENGTH)
      return ReasonCode.MALFORMED_PACKET;
    const length = view.getUint16(at);
    at += PREFIX_LENGTH;
    // [MQTT311-3.8.3-1] [MQTT311-3.10.3-1]
    if (end - at < length + optionsLength || !isValidTopicFilter(arena, at, length)
      || isFive && lengthOfShare(arena, at, length) < 0)
      return ReasonCode.MALFORMED_PACKET;
    at += length;
    if (optionsLength !== 0 && arena.bytes[at++]! > 2) { // [MQTT311-3.8.3-4]
      const reasonCode = isFive ? judgeOptions(packet, at - 1, length) : ReasonCode.MALFORMED_PACKET;
      if (reasonCode !== ReasonCode.SUCCESS)
        return reasonCode;
    }
  }
  packet.topicFilterCount = count;
  return count === 0 && !allowsEmptySubscribe(packet.version) // [MQTT311-3.8.3-3] [MQTT311-3.10.3-2]
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/** Judges the options at `at` of the filter of `length` bytes in front of them. */
function judgeOptions({ arena }: Packet, at: number, length: number): number {
  const options = arena.bytes[at]!;
  if ((options & RESERVED_OPTIONS) !== 0) // [MQTT5-3.8.3-5]
    return ReasonCode.MALFORMED_PACKET;
  return (options & OPTIONS_QOS) === OPTIONS_QOS || (options & RETAIN_HANDLING) === RETAIN_HANDLING
    || (options & NO_LOCAL) !== 0 && isShared(arena, at - length, length) // [MQTT5-3.8.3-4]
    ? ReasonCode.PROTOCOL_ERROR : ReasonCode.SUCCESS;
}

/**
 * Finds a SUBSCRIBE or UNSUBSCRIBE again that lies at `offset` and was found valid before. `packet.topicFilterCount` is
 * not known then.
 */
export function reopenTopicFilters(packet: Packet, offset: number, version: number): void {
  const { bytes, view } = packet.arena;
  let at = offset, byte = 0, length = 0, shift = 0;
  packet.type = bytes[offset]! >> 4;
  packet.version = version;
  do {
    byte = bytes[++at]!;
    length |= (byte & 0x7F) << shift;
    shift += 7;
  } while (byte >= 0x80);
  packet.offset = at + 1;
  packet.end = at + 1 + length;
  packet.packetIdentifier = view.getUint16(at + 1);
  packet.payloadOffset = at + 3;
  if (hasProperties(version)) {
    packet.properties.clear();
    packet.payloadOffset = packet.properties.read(packet.arena, at + 3, packet.end, packet.type);
  }
}

/**
 * Moves on to the next filter of a SUBSCRIBE or UNSUBSCRIBE that has been read: its span and, of SUBSCRIBE, the options
 * and the QoS asked for. @returns false after the last one
 */
export function nextTopicFilter(packet: Packet): boolean {
  const at = packet.payloadOffset;
  if (at >= packet.end)
    return false;
  const { bytes, view } = packet.arena;
  const length = packet.topicFilterLength = view.getUint16(at);
  packet.topicFilterOffset = at + PREFIX_LENGTH;
  packet.payloadOffset = at + PREFIX_LENGTH + length;
  if (packet.type === SUBSCRIBE)
    packet.qos = (packet.subscriptionOptions = bytes[packet.payloadOffset++]!) & OPTIONS_QOS;
  return true;
}

/** Says which Topic Filter it is about. */
export interface FilterRequest {
  readonly version: number;
  readonly packetIdentifier: number;
  readonly topicFilterOffset: number;
  readonly topicFilterLength: number;
}

/**
 * Writes a SUBSCRIBE for one filter, without properties. @param options before 5.0 the QoS asked for
 * @returns the offset after it
 */
export function writeSubscribe(arena: Arena, offset: number, request: FilterRequest, options: number): number {
  offset = writeRequest(arena, offset, SUBSCRIBE, request);
  arena.bytes[offset] = options;
  return offset + 1;
}

/** Writes an UNSUBSCRIBE for one filter. @returns the offset after it */
export const writeUnsubscribe = (arena: Arena, offset: number, request: FilterRequest): number =>
  writeRequest(arena, offset, UNSUBSCRIBE, request);

function writeRequest(arena: Arena, offset: number, type: number, request: FilterRequest): number {
  const { packetIdentifier, topicFilterLength, topicFilterOffset, version } = request;
  const isFive = hasProperties(version);
  offset = writeFixedHeader(arena, offset, type << 4 | REQUEST_FLAGS,
    IDENTIFIER_LENGTH + (isFive ? 1 : 0) + PREFIX_LENGTH + topicFilterLength + (type === SUBSCRIBE ? 1 : 0));
  arena.view.setUint16(offset, packetIdentifier);
  offset += IDENTIFIER_LENGTH;
  if (isFive)
    arena.bytes[offset++] = 0; // [MQTT5-2.2.2-1]
  return writeString(arena, offset, topicFilterOffset, topicFilterLength);
}

/**
 * Writes the beginning of a SUBACK; the caller then writes `count` return codes, one per filter and in their order
 * [MQTT311-3.8.4-5] [MQTT311-3.9.3-1]. @returns the offset of the first return code
 */
export function writeSubackHeader(arena: Arena, offset: number, packetIdentifier: number, count: number): number {
  offset = writeFixedHeader(arena, offset, SUBACK << 4, IDENTIFIER_LENGTH + count);
  arena.view.setUint16(offset, packetIdentifier);
  return offset + IDENTIFIER_LENGTH;
}

/**
 * The same in the staging area, for the filters of `packet`; in 5.0 also of an UNSUBACK, which has codes there
 * [MQTT5-3.9.3-1] [MQTT5-3.11.3-1] [MQTT311-3.8.4-2] [MQTT311-2.3.1-7].
 */
export function writeAnswerHeader({ arena, packetIdentifier, topicFilterCount, type, version }: Packet): number {
  if (!hasProperties(version))
    return writeSubackHeader(arena, arena.stagingOffset, packetIdentifier, topicFilterCount);
  const at = writeFixedHeader(arena, arena.stagingOffset, (type === SUBSCRIBE ? SUBACK : UNSUBACK) << 4,
    IDENTIFIER_LENGTH + 1 + topicFilterCount);
  arena.view.setUint16(at, packetIdentifier);
  arena.bytes[at + IDENTIFIER_LENGTH] = 0; // no properties [MQTT5-2.2.2-1]
  return at + IDENTIFIER_LENGTH + 1;
}

/** Codes of a refusal in 5.0, see `ReasonCode.isListed` [MQTT5-3.9.3-2] [MQTT5-3.11.3-2]. */
const REFUSALS = 1 << 0x00 | 1 << 0x03 | 1 << 0x07 | 1 << 0x0F | 1 << 0x11 | 1 << 0x17 | 1 << 0x1E;

/**
 * Reads SUBACK, and UNSUBACK of 5.0; the codes are [`payloadOffset`, `payloadOffset` + `payloadLength`).
 */
export function readSuback(packet: Packet): number {
  const { arena, end, offset, properties } = packet;
  const { bytes, view } = arena;
  if (end - offset < IDENTIFIER_LENGTH + 1)
    return ReasonCode.MALFORMED_PACKET;
  if ((packet.packetIdentifier = view.getUint16(offset)) === 0)
    return ReasonCode.PROTOCOL_ERROR;
  let at = offset + IDENTIFIER_LENGTH;
  const isFive = hasProperties(packet.version);
  if (isFive) {
    properties.clear();
    at = properties.read(arena, at, end, packet.type);
    if (at < 0)
      return -at;
    if (at === end)
      return ReasonCode.PROTOCOL_ERROR;
  }
  packet.payloadOffset = at;
  packet.payloadLength = end - at;
  for (; at < end; ++at)
    if (bytes[at]! > 2 && bytes[at] !== SUBACK_FAILURE // [MQTT311-3.9.3-2]
      && !(isFive && isListedAnswer(bytes[at]!, packet.type)))
      return ReasonCode.MALFORMED_PACKET;
  return ReasonCode.SUCCESS;
}

const isListedAnswer = (code: number, type: number): boolean => ReasonCode.isListed(code, REFUSALS)
  || (type === SUBACK ? code === ReasonCode.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED
    || code === ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED : code === ReasonCode.NO_SUBSCRIPTION_EXISTED);
