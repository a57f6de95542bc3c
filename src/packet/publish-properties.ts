/**
 * PUBLISH of 5.0 (section 3.3): read with its properties, and written with those of a message. What it has like one of
 * 3.1.1 is in publish.ts.
 */
import type { Arena } from '../bytes/arena.ts';
import { isWellFormedUTF8 } from '../bytes/utf8.ts';
import { PUBLISH, QOS_SHIFT } from './control-packet.ts';
import { IDENTIFIER_LENGTH, lengthOfVariable, PREFIX_LENGTH, variableAt, writeFixedHeader,
  writeVariable } from './data-representation.ts';
import type { Message, MessageSpans, Packet } from './packet.ts';
import type { PacketHandler } from './packet-handler.ts';
import { findProperty, MESSAGE_EXPIRY_INTERVAL, removeProperty, SUBSCRIPTION_IDENTIFIER,
  TOPIC_ALIAS, writeTwoBytes } from './properties.ts';
import { readPublish } from './publish.ts';
import * as ReasonCode from './reason-code.ts';
import { INVALID_TOPIC } from './topic-table.ts';

/**
 * Reads the PUBLISH of a peer, which may say no Subscription Identifier [MQTT5-3.3.4-6], and a Topic Alias only where
 * its connection has a table of them.
 */
export function readPublishWithProperties(packet: Packet, handler: PacketHandler): number {
  const { arena, properties } = packet;
  const reasonCode = readPublish(packet, handler.role.topics);
  const hasTopic = packet.topicNameLength > 0;
  if (reasonCode !== ReasonCode.SUCCESS && (hasTopic || reasonCode !== ReasonCode.TOPIC_NAME_INVALID))
    return reasonCode === ReasonCode.TOPIC_NAME_INVALID // [MQTT5-1.5.4-1] [MQTT5-1.5.4-2]
      && !isWellFormedUTF8(arena, packet.topicNameOffset, packet.topicNameOffset + packet.topicNameLength)
      ? ReasonCode.MALFORMED_PACKET : reasonCode;
  properties.clear();
  const payload = properties.read(arena, packet.payloadOffset, packet.end, PUBLISH);
  if (payload < 0)
    return -payload;
  packet.payloadOffset = payload;
  packet.payloadLength = packet.end - payload;
  packet.propertiesOffset = properties.offset;
  packet.propertiesLength = properties.end - properties.offset;
  if (properties.has(TOPIC_ALIAS)) {
    const judgement = readAlias(packet, handler);
    if (judgement !== ReasonCode.SUCCESS)
      return judgement;
  }
  return packet.topicNameLength === 0 || properties.has(SUBSCRIPTION_IDENTIFIER) ? ReasonCode.PROTOCOL_ERROR
    : ReasonCode.SUCCESS;
}

/** The alias is kept, or gives the packet its topic; it means nothing on other connections, and goes no further. */
function readAlias(packet: Packet, { aliasTable = 0, role: { aliases, topics } }: PacketHandler): number {
  const { arena, properties, propertiesOffset } = packet;
  const alias = properties.numberOf(arena, TOPIC_ALIAS, 0);
  if (aliases === undefined || alias > aliases.maximum) // [MQTT5-3.3.2-12]
    return ReasonCode.TOPIC_ALIAS_INVALID;
  const end = removeProperty(arena, propertiesOffset, properties.end, TOPIC_ALIAS);
  packet.propertiesLength = end - propertiesOffset;
  writeTwoBytes(arena, end, TOPIC_ALIAS, alias); // behind the others: the packet may be read once more
  if (packet.topicNameLength > 0)
    return aliases.define(aliasTable, alias, packet) ? ReasonCode.SUCCESS : ReasonCode.TOPIC_ALIASES_FULL;
  if (!aliases.resolve(aliasTable, alias, packet))
    return ReasonCode.PROTOCOL_ERROR;
  packet.isAliased = true;
  packet.topicIndex = topics.indexOf(packet.topicNameOffset, packet.topicNameLength);
  return packet.topicIndex === INVALID_TOPIC ? ReasonCode.TOPIC_NAME_INVALID : ReasonCode.SUCCESS;
}

function remainingLengthOf(message: Message, qos: number): number {
  const { propertiesLength } = message;
  return PREFIX_LENGTH + message.topicNameLength + (qos === 0 ? 0 : IDENTIFIER_LENGTH)
    + lengthOfVariable(propertiesLength) + propertiesLength + message.payloadLength;
}

/** Length of the whole PUBLISH that `writePublishWithProperties` makes of `message` at `qos`. */
export function lengthWithProperties(message: Message, qos: number): number {
  const remainingLength = remainingLengthOf(message, qos);
  return 1 + lengthOfVariable(remainingLength) + remainingLength;
}

/** As `stagePublish`, with a length of properties of 0 [MQTT5-2.2.2-1], for a message that has none. */
export function stageWithoutProperties(arena: Arena, message: Message): number {
  const topicLength = message.topicNameLength;
  const remainingLength = PREFIX_LENGTH + topicLength + 1 + message.payloadLength;
  const { bytes } = arena;
  let at = arena.stagingOffset + 4;
  if (remainingLength < 0x80)
    arena.view.setInt32(at - 4, PUBLISH << 28 | message.retain << 24 | remainingLength << 16 | topicLength);
  else {
    at = writeFixedHeader(arena, at - 4, PUBLISH << 4 | message.retain, remainingLength) + PREFIX_LENGTH;
    arena.view.setUint16(at - PREFIX_LENGTH, topicLength);
  }
  bytes.copyWithin(at, message.topicNameOffset, message.topicNameOffset + topicLength);
  at += topicLength;
  bytes[at++] = 0;
  bytes.copyWithin(at, message.payloadOffset, message.payloadOffset + message.payloadLength);
  return at + message.payloadLength - arena.stagingOffset;
}

/** As `writePublish`, with the properties of the message [MQTT5-2.2.2-1]. */
export function writePublishWithProperties(
  arena: Arena, offset: number, message: Message, qos: number, packetIdentifier: number,
): number {
  const { bytes, view } = arena;
  const { identifiersLength, payloadOffset, propertiesLength, propertiesOffset, topicNameLength, topicNameOffset }
    = message;
  const ownLength = propertiesLength - identifiersLength;
  let at = writeFixedHeader(arena, offset, PUBLISH << 4 | qos << QOS_SHIFT | message.retain,
    remainingLengthOf(message, qos));
  view.setUint16(at, topicNameLength);
  bytes.copyWithin(at += PREFIX_LENGTH, topicNameOffset, topicNameOffset + topicNameLength);
  at += topicNameLength;
  if (qos !== 0) {
    view.setUint16(at, packetIdentifier);
    at += IDENTIFIER_LENGTH;
  }
  at = writeVariable(arena, at, propertiesLength);
  // In their order and unaltered
  // [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]
  bytes.copyWithin(at, propertiesOffset, propertiesOffset + ownLength);
  at += ownLength;
  if (identifiersLength !== 0) { // [MQTT5-3.3.4-3]
    bytes.copyWithin(at, message.identifiersOffset, message.identifiersOffset + identifiersLength);
    at += identifiersLength;
  }
  bytes.copyWithin(at, payloadOffset, payloadOffset + message.payloadLength);
  return at + message.payloadLength;
}

/** Finds topic, properties and payload of an encoded PUBLISH of `length` bytes. */
export function readWritten(arena: Arena, packet: number, length: number, hasProperties: boolean,
  message: MessageSpans): void {
  const { bytes, view } = arena;
  let at = packet;
  while (bytes[++at]! > 0x7F); // Remaining Length
  message.topicNameOffset = at + 1 + PREFIX_LENGTH;
  message.topicNameLength = view.getUint16(at + 1);
  message.qos = bytes[packet]! >> QOS_SHIFT & 3;
  message.retain = bytes[packet]! & 1;
  at = message.topicNameOffset + message.topicNameLength;
  if (message.qos !== 0)
    at += IDENTIFIER_LENGTH;
  message.propertiesLength = hasProperties ? variableAt(arena, at) : 0;
  message.propertiesOffset = hasProperties ? at + lengthOfVariable(message.propertiesLength) : at;
  message.payloadOffset = message.propertiesOffset + message.propertiesLength;
  message.payloadLength = packet + length - message.payloadOffset;
}

/** Where the Message Expiry Interval of a message lies; -1: it does not expire. */
export const expiryOf = ({ propertiesLength, propertiesOffset }: Message, arena: Arena): number =>
  propertiesLength === 0 ? -1
    : findProperty(arena, propertiesOffset, propertiesOffset + propertiesLength, MESSAGE_EXPIRY_INTERVAL);
