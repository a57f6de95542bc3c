/**
 * CONNECT, read and written. MQTT 3.1.1 section 3.1; 3.1 chapter 3.1. Its answer is in connack.ts.
 *
 * "Clean Start" is the name of 5.0 for what 3.1 and 3.1.1 call Clean Session.
 * Reading checks the form of the packet. Whether the identifier, the credentials or the level are welcome is the
 * session's business, with one exception: of an unknown level nothing after the level can be read.
 */
import type { Arena } from '../bytes/arena.ts';
import { isPlainText, isWellFormedUTF8 } from '../bytes/utf8.ts';
import { CONNECT } from './control-packet.ts';
import { ABSENT, lengthOfVariable, PREFIX_LENGTH, variableAt, writeFixedHeader, writeString } from './data-representation.ts';
import type { Packet } from './packet.ts';
import { MAXIMUM_PACKET_SIZE, numberIn, RECEIVE_MAXIMUM, removeProperty, SESSION_EXPIRY_INTERVAL, WILL_DELAY_INTERVAL,
  WILL_PROPERTIES, writeFourBytes, writeTwoBytes } from './properties.ts';
import * as ProtocolVersion from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';
import { isPlainTopicName, isValidTopicName } from './topic.ts';

/** Connect flags (3.1.1 section 3.1.2.3). */
export const RESERVED = 0x01;
export const CLEAN_START = 0x02;
export const WILL = 0x04;
export const WILL_QOS_SHIFT = 3;
export const WILL_RETAIN = 0x20;
export const PASSWORD = 0x40;
export const USER_NAME = 0x80;

const WILL_QOS_AND_RETAIN = 0x38;

/** What a Client of 5.0 says in CONNECT, in bytes: how long its session is kept; how much it takes at a time. */
const EXPIRY_LENGTH = 5;
const CAPACITIES_LENGTH = 3 + 5;
/** Session Expiry Interval: the session does not end by itself. */
const NEVER = 0xFFFFFFFF;

/** "MQTT" and "MQIsdp" as big-endian words. */
const WORD_MQTT = 0x4D515454;
const WORD_MQIS = 0x4D514973;
const HALF_WORD_DP = 0x6470;

/** What a CONNECT says; spans lie in the arena. A `Packet` that was read has the same fields. */
export interface ConnectFields {
  version: number;
  /** User name, password, Will and Clean Start flags, all but the reserved one. */
  connectFlags: number;
  keepAlive: number;
  clientIdentifierOffset: number;
  clientIdentifierLength: number;
  willTopicOffset: number;
  willTopicLength: number;
  willPayloadOffset: number;
  willPayloadLength: number;
  userNameOffset: number;
  userNameLength: number;
  passwordOffset: number;
  passwordLength: number;
}

/** The QoS of the Will in connect flags. */
export const willQoSOf = (connectFlags: number): number => connectFlags >> WILL_QOS_SHIFT & 3;

/**
 * Reads the packet whose variable header starts at `packet.offset`.
 * @returns SUCCESS; UNSUPPORTED_PROTOCOL_VERSION, answered with CONNACK [MQTT311-3.1.2-2]; MALFORMED_PACKET or
 * PROTOCOL_ERROR, which close the connection without one [MQTT311-3.1.4-1]
 */
export function readConnect(packet: Packet): number {
  const { arena, end } = packet;
  const { bytes, view } = arena;
  let offset = packet.offset;
  // Protocol Name [MQTT311-3.1.2-1]
  if (end - offset < PREFIX_LENGTH)
    return ReasonCode.MALFORMED_PACKET;
  const nameLength = view.getUint16(offset);
  offset += PREFIX_LENGTH;
  if (end - offset < nameLength + 1)
    return ReasonCode.MALFORMED_PACKET;
  const isMQIsdp =
    nameLength === 6 && view.getInt32(offset) === WORD_MQIS && view.getUint16(offset + 4) === HALF_WORD_DP;
  if (!isMQIsdp && !(nameLength === 4 && view.getInt32(offset) === WORD_MQTT))
    return ReasonCode.PROTOCOL_ERROR;
  offset += nameLength;
  // Protocol Level [MQTT311-3.1.2-2]
  const level = bytes[offset++]!;
  const version = packet.version = level & ~ProtocolVersion.BRIDGE_BIT;
  if (!ProtocolVersion.isKnown(version) || ProtocolVersion.isNamedMQIsdp(version) !== isMQIsdp
    || level !== version && ProtocolVersion.hasProperties(version)) // of 5.0 no bridge needs that bit
    return ReasonCode.UNSUPPORTED_PROTOCOL_VERSION;
  if (packet.flags !== 0 && !ProtocolVersion.ignoresUnusedHeaderFlags(version)) // [MQTT311-2.2.2-2]
    return ReasonCode.MALFORMED_PACKET;
  if (end - offset < 3)
    return ReasonCode.MALFORMED_PACKET;
  let connectFlags = bytes[offset++]!;
  if ((connectFlags & RESERVED) !== 0) { // [MQTT311-3.1.2-3]
    if (!ProtocolVersion.ignoresReservedConnectFlag(version))
      return ReasonCode.MALFORMED_PACKET;
    connectFlags &= ~RESERVED;
  }
  if ((connectFlags & WILL) === 0) {
    if ((connectFlags & WILL_QOS_AND_RETAIN) !== 0 && !ProtocolVersion.ignoresWillFieldsWithoutWill(version))
      return ReasonCode.MALFORMED_PACKET; // [MQTT311-3.1.2-11] [MQTT311-3.1.2-13] [MQTT311-3.1.2-15]
    connectFlags &= ~WILL_QOS_AND_RETAIN;
  } else if (willQoSOf(connectFlags) === 3) // [MQTT311-3.1.2-14]
    return ReasonCode.MALFORMED_PACKET;
  if ((connectFlags & (USER_NAME | PASSWORD)) === PASSWORD && ProtocolVersion.requiresUserNameForPassword(version))
    return ReasonCode.MALFORMED_PACKET; // [MQTT311-3.1.2-22]
  packet.connectFlags = connectFlags;
  packet.keepAlive = view.getUint16(offset);
  offset += 2;
  packet.properties.clear();
  if (ProtocolVersion.hasProperties(version)) {
    offset = packet.properties.read(arena, offset, end, CONNECT);
    if (offset < 0)
      return -offset;
  }
  return readConnectPayload(packet, offset);
}

const isAcceptable = (arena: Arena, offset: number, end: number): boolean =>
  isWellFormedUTF8(arena, offset, end) && isPlainText(arena, offset, end);

/**
 * Client Identifier, Will Properties of 5.0, Will Topic, Will Message, User Name, Password, in this order
 * [MQTT311-3.1.3-1] [MQTT5-3.1.3-1].
 */
function readConnectPayload(packet: Packet, offset: number): number {
  const { arena, connectFlags, end, version } = packet;
  const view = arena.view;
  if (end - offset < PREFIX_LENGTH) // the Client Identifier is always there [MQTT311-3.1.3-3]
    return ReasonCode.MALFORMED_PACKET;
  const clientIdentifierOffset = packet.clientIdentifierOffset = offset + PREFIX_LENGTH;
  packet.clientIdentifierLength = view.getUint16(offset);
  offset = clientIdentifierOffset + packet.clientIdentifierLength;
  if (offset > end || !isAcceptable(arena, clientIdentifierOffset, offset)) // [MQTT311-3.1.3-4]
    return ReasonCode.MALFORMED_PACKET;

  packet.willTopicLength = packet.willPayloadLength = packet.willPropertiesLength = packet.willDelay = 0;
  if ((connectFlags & WILL) !== 0) { // [MQTT311-3.1.2-9]
    if (ProtocolVersion.hasProperties(version)) {
      offset = readWillProperties(packet, offset);
      if (offset < 0)
        return -offset;
    }
    if (end - offset < PREFIX_LENGTH)
      return ReasonCode.MALFORMED_PACKET;
    packet.willTopicOffset = offset + PREFIX_LENGTH;
    packet.willTopicLength = view.getUint16(offset);
    offset += PREFIX_LENGTH + packet.willTopicLength;
    if (end - offset < PREFIX_LENGTH || !isPlainTopicName(arena, packet.willTopicOffset, packet.willTopicLength)
      && (!isValidTopicName(arena, packet.willTopicOffset, packet.willTopicLength)
        || !isPlainText(arena, packet.willTopicOffset, offset))) // [MQTT311-3.1.3-10]
      return ReasonCode.MALFORMED_PACKET;
    packet.willPayloadOffset = offset + PREFIX_LENGTH;
    packet.willPayloadLength = view.getUint16(offset);
    offset += PREFIX_LENGTH + packet.willPayloadLength;
    if (offset > end)
      return ReasonCode.MALFORMED_PACKET;
  }

  packet.userNameLength = packet.passwordLength = ABSENT;
  const mayBeMissing = ProtocolVersion.toleratesMissingCredentials(version);
  if ((connectFlags & USER_NAME) !== 0 && !(mayBeMissing && offset === end)) { // [MQTT311-3.1.2-19]
    if (end - offset < PREFIX_LENGTH)
      return ReasonCode.MALFORMED_PACKET;
    packet.userNameOffset = offset + PREFIX_LENGTH;
    packet.userNameLength = view.getUint16(offset);
    offset += PREFIX_LENGTH + packet.userNameLength;
    if (offset > end || !isAcceptable(arena, packet.userNameOffset, offset)) // [MQTT311-3.1.3-11]
      return ReasonCode.MALFORMED_PACKET;
  }
  if ((connectFlags & PASSWORD) !== 0 && !(mayBeMissing && offset === end)) { // [MQTT311-3.1.2-21]
    if (end - offset < PREFIX_LENGTH)
      return ReasonCode.MALFORMED_PACKET;
    packet.passwordOffset = offset + PREFIX_LENGTH;
    packet.passwordLength = view.getUint16(offset);
    offset += PREFIX_LENGTH + packet.passwordLength;
  }
  // Neither too short nor anything left that no flag announced [MQTT311-3.1.2-18] [MQTT311-3.1.2-20]
  return offset === end ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
}

/** The delay is ours; the rest goes with the message. @returns the offset behind them; negative: a reason code */
function readWillProperties(packet: Packet, offset: number): number {
  const { arena, properties } = packet;
  const next = properties.read(arena, offset, packet.end, WILL_PROPERTIES);
  if (next > 0) {
    const first = packet.willPropertiesOffset = offset + lengthOfVariable(variableAt(arena, offset));
    packet.willDelay = numberIn(arena, first, next, WILL_DELAY_INTERVAL, 0);
    packet.willPropertiesLength = removeProperty(arena, first, next, WILL_DELAY_INTERVAL) - first;
  }
  return next;
}

/** Bytes of the properties of CONNECT: a session that is to be kept has an expiry [MQTT5-3.1.2-23]. */
const propertiesLengthOf = (connectFlags: number): number =>
  CAPACITIES_LENGTH + ((connectFlags & CLEAN_START) === 0 ? EXPIRY_LENGTH : 0);

/** Remaining Length of the CONNECT that `writeConnect` makes of these fields. */
export function remainingLengthOfConnect(fields: ConnectFields): number {
  const { connectFlags, version } = fields;
  let length =
    (ProtocolVersion.isNamedMQIsdp(version) ? 12 : 10) + PREFIX_LENGTH + fields.clientIdentifierLength;
  if (ProtocolVersion.hasProperties(version))
    length += 1 + propertiesLengthOf(connectFlags) + ((connectFlags & WILL) === 0 ? 0 : 1);
  if ((connectFlags & WILL) !== 0)
    length += 2 * PREFIX_LENGTH + fields.willTopicLength + fields.willPayloadLength;
  if ((connectFlags & USER_NAME) !== 0)
    length += PREFIX_LENGTH + fields.userNameLength;
  if ((connectFlags & PASSWORD) !== 0)
    length += PREFIX_LENGTH + fields.passwordLength;
  return length;
}

/**
 * Writes a whole CONNECT at `offset`. The caller has made sure that it fits.
 * @param receiveMaximum what this Client takes, which only 5.0 says: messages of QoS 1 and 2 at a time, and
 * @param maximumPacketSize the bytes of a packet
 * @returns the offset after it
 */
export function writeConnect(
  arena: Arena, offset: number, fields: ConnectFields, receiveMaximum = 0xFFFF, maximumPacketSize = 0xFFFFFFFF,
): number {
  const { bytes, view } = arena;
  const { connectFlags, version } = fields;
  offset = writeFixedHeader(arena, offset, CONNECT << 4, remainingLengthOfConnect(fields));
  if (ProtocolVersion.isNamedMQIsdp(version)) {
    view.setUint16(offset, 6);
    view.setInt32(offset + 2, WORD_MQIS);
    view.setUint16(offset + 6, HALF_WORD_DP);
    offset += 8;
  } else {
    view.setUint16(offset, 4);
    view.setInt32(offset + 2, WORD_MQTT);
    offset += 6;
  }
  bytes[offset] = version;
  bytes[offset + 1] = connectFlags;
  view.setUint16(offset + 2, fields.keepAlive);
  offset += 4;
  const isFive = ProtocolVersion.hasProperties(version);
  if (isFive) {
    bytes[offset++] = propertiesLengthOf(connectFlags);
    if ((connectFlags & CLEAN_START) === 0)
      offset = writeFourBytes(arena, offset, SESSION_EXPIRY_INTERVAL, NEVER);
    offset = writeTwoBytes(arena, offset, RECEIVE_MAXIMUM, receiveMaximum);
    offset = writeFourBytes(arena, offset, MAXIMUM_PACKET_SIZE, maximumPacketSize);
  }
  offset = writeString(arena, offset, fields.clientIdentifierOffset, fields.clientIdentifierLength);
  if ((connectFlags & WILL) !== 0) {
    if (isFive)
      bytes[offset++] = 0; // no properties of the Will [MQTT5-3.1.2-9] [MQTT5-2.2.2-1]
    offset = writeString(arena, offset, fields.willTopicOffset, fields.willTopicLength);
    offset = writeString(arena, offset, fields.willPayloadOffset, fields.willPayloadLength);
  }
  if ((connectFlags & USER_NAME) !== 0)
    offset = writeString(arena, offset, fields.userNameOffset, fields.userNameLength);
  if ((connectFlags & PASSWORD) !== 0)
    offset = writeString(arena, offset, fields.passwordOffset, fields.passwordLength);
  return offset;
}
