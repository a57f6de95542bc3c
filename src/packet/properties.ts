/**
 * Properties, which packets of MQTT 5.0 carry (section 2.2.2): which there are, of which type, in which packets they
 * may stand, and whether more than once; read, walked through where they lie, and written.
 *
 * A block is a Variable Byte Integer with its length, and the properties one behind the other: an identifier of one
 * byte (all that there are fit), then the value. What is read of one packet is numbers and spans in an object that is
 * used again and again.
 */
import type { Arena } from '../bytes/arena.ts';
import { isWellFormedUTF8 } from '../bytes/utf8.ts';
import { PREFIX_LENGTH, variableAt } from './data-representation.ts';
import * as ReasonCode from './reason-code.ts';
import { isValidTopicName } from './topic.ts';

export const PAYLOAD_FORMAT_INDICATOR = 0x01;
export const MESSAGE_EXPIRY_INTERVAL = 0x02;
export const CONTENT_TYPE = 0x03;
export const RESPONSE_TOPIC = 0x08;
export const CORRELATION_DATA = 0x09;
export const SUBSCRIPTION_IDENTIFIER = 0x0B;
export const SESSION_EXPIRY_INTERVAL = 0x11;
export const ASSIGNED_CLIENT_IDENTIFIER = 0x12;
export const SERVER_KEEP_ALIVE = 0x13;
export const AUTHENTICATION_METHOD = 0x15;
const AUTHENTICATION_DATA = 0x16;
export const WILL_DELAY_INTERVAL = 0x18;
export const SERVER_REFERENCE = 0x1C;
export const REASON_STRING = 0x1F;
export const RECEIVE_MAXIMUM = 0x21;
export const TOPIC_ALIAS = 0x23;
export const MAXIMUM_QOS = 0x24;
export const RETAIN_AVAILABLE = 0x25;
export const USER_PROPERTY = 0x26;
export const MAXIMUM_PACKET_SIZE = 0x27;
export const SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29;
export const SHARED_SUBSCRIPTION_AVAILABLE = 0x2A;

/** In place of the type of a packet: the block that belongs to a Will. */
export const WILL_PROPERTIES = 0;

// Types of values
/** One byte, 0 or 1. */
const FLAG = 1;
const TWO_BYTES = 2;
const FOUR_BYTES = 3;
const VARIABLE = 4;
const TEXT = 5;
const BINARY = 6;
const PAIR = 7;
const TYPE = 7;
/** 0 is a Protocol Error. */
const NOT_ZERO = 8;
const PACKETS_SHIFT = 4;

// Packets: bit n is type n, bit 0 a Will.
const WILL = 1 << PACKETS_SHIFT;
const CONNECT = 2 << PACKETS_SHIFT;
const CONNACK = 4 << PACKETS_SHIFT;
const PUBLISH = 8 << PACKETS_SHIFT;
const ACKNOWLEDGEMENTS = 0xF0 << PACKETS_SHIFT;
const SUBSCRIBE = 0x100 << PACKETS_SHIFT;
const SUBACK = 0x200 << PACKETS_SHIFT;
const UNSUBSCRIBE = 0x400 << PACKETS_SHIFT;
const UNSUBACK = 0x800 << PACKETS_SHIFT;
const DISCONNECT = 0x4000 << PACKETS_SHIFT;
const AUTH = 0x8000 << PACKETS_SHIFT;
const MESSAGES = PUBLISH | WILL;
const ANSWERS = CONNACK | ACKNOWLEDGEMENTS | SUBACK | UNSUBACK | DISCONNECT | AUTH;

/** Table 2-4; index is the identifier, 0: there is none of that number. Of PUBLISH see `mayRepeat`. */
const TABLE: readonly number[] = Object.freeze([
  0,
  /* 01 Payload Format Indicator */ FLAG | MESSAGES,
  /* 02 Message Expiry Interval */ FOUR_BYTES | MESSAGES,
  /* 03 Content Type */ TEXT | MESSAGES,
  0, 0, 0, 0,
  /* 08 Response Topic */ TEXT | MESSAGES,
  /* 09 Correlation Data */ BINARY | MESSAGES,
  0,
  /* 0B Subscription Identifier */ VARIABLE | NOT_ZERO | PUBLISH | SUBSCRIBE,
  0, 0, 0, 0, 0,
  /* 11 Session Expiry Interval */ FOUR_BYTES | CONNECT | CONNACK | DISCONNECT,
  /* 12 Assigned Client Identifier */ TEXT | CONNACK,
  /* 13 Server Keep Alive */ TWO_BYTES | CONNACK,
  0,
  /* 15 Authentication Method */ TEXT | CONNECT | CONNACK | AUTH,
  /* 16 Authentication Data */ BINARY | CONNECT | CONNACK | AUTH,
  /* 17 Request Problem Information */ FLAG | CONNECT,
  /* 18 Will Delay Interval */ FOUR_BYTES | WILL,
  /* 19 Request Response Information */ FLAG | CONNECT,
  /* 1A Response Information */ TEXT | CONNACK,
  0,
  /* 1C Server Reference */ TEXT | CONNACK | DISCONNECT,
  0, 0,
  /* 1F Reason String */ TEXT | ANSWERS,
  0,
  /* 21 Receive Maximum */ TWO_BYTES | NOT_ZERO | CONNECT | CONNACK,
  /* 22 Topic Alias Maximum */ TWO_BYTES | CONNECT | CONNACK,
  /* 23 Topic Alias */ TWO_BYTES | NOT_ZERO | PUBLISH,
  /* 24 Maximum QoS */ FLAG | CONNACK,
  /* 25 Retain Available */ FLAG | CONNACK,
  /* 26 User Property */ PAIR | CONNECT | MESSAGES | SUBSCRIBE | UNSUBSCRIBE | ANSWERS,
  /* 27 Maximum Packet Size */ FOUR_BYTES | NOT_ZERO | CONNECT | CONNACK,
  /* 28 Wildcard Subscription Available */ FLAG | CONNACK,
  /* 29 Subscription Identifier Available */ FLAG | CONNACK,
  /* 2A Shared Subscription Available */ FLAG | CONNACK,
]);

/** Of a Variable Byte Integer, in bytes. */
const LONGEST_VARIABLE = 4;

const PUBLISH_TYPE = 3;

/** A User Property may, and the Subscription Identifier of a PUBLISH to a Client. */
const mayRepeat = (identifier: number, packetType: number): boolean =>
  identifier === USER_PROPERTY || identifier === SUBSCRIPTION_IDENTIFIER && packetType === PUBLISH_TYPE;

export class Properties {
  /** The block of the packet at hand that was read last, without its length in front. */
  offset = 0;
  end = 0;
  /** Bit n: there is a property with the identifier n, or n + 32. */
  private low = 0;
  private high = 0;

  has(identifier: number): boolean {
    return ((identifier < 32 ? this.low : this.high) >> (identifier & 31) & 1) !== 0;
  }

  /** The number of two or four bytes that a property of the block says; `absent` when it is not there. */
  numberOf(arena: Arena, identifier: number, absent: number): number {
    return this.has(identifier) ? numberIn(arena, this.offset, this.end, identifier, absent) : absent;
  }

  clear(): void {
    this.low = this.high = 0;
  }

  /**
   * Reads the block at `offset`, length included, of a packet of this type or of a Will, whose properties come to those
   * of the packet, but whose block does not become that at hand. @param limit end of the packet @returns the offset
   * behind it; negative: a reason code. Unknown identifiers, those that the packet may not carry and ill-formed values
   * make a Malformed Packet (section 2.2.2.2), a value that the specification forbids, or a second one, is a Protocol
   * Error
   */
  read(arena: Arena, offset: number, limit: number, packetType: number): number {
    let at = endOfVariable(arena, offset, limit);
    if (at < 0)
      return at;
    const end = at + variableAt(arena, offset);
    if (end > limit)
      return -ReasonCode.MALFORMED_PACKET;
    if (packetType !== WILL_PROPERTIES) {
      this.offset = at;
      this.end = end;
    }
    while (at < end) {
      const identifier = arena.bytes[at]!; // longer forms are not minimal, or unknown: they have the high bit
      const entry = identifier < TABLE.length ? TABLE[identifier]! : 0;
      if ((entry >> PACKETS_SHIFT + packetType & 1) === 0)
        return -ReasonCode.MALFORMED_PACKET;
      const bit = 1 << (identifier & 31);
      const seen = identifier < 32 ? this.low : this.high;
      if ((seen & bit) !== 0 && !mayRepeat(identifier, packetType))
        return -ReasonCode.PROTOCOL_ERROR;
      if (identifier < 32)
        this.low |= bit;
      else
        this.high |= bit;
      at = this.readValue(arena, at, end, entry);
      if (at < 0)
        return at;
    }
    return this.has(AUTHENTICATION_DATA) && !this.has(AUTHENTICATION_METHOD) ? -ReasonCode.PROTOCOL_ERROR : end;
  }

  /** @param at of the identifier @returns the offset behind the value; negative: a reason code */
  private readValue(arena: Arena, at: number, end: number, entry: number): number {
    const { view } = arena;
    const identifier = arena.bytes[at++]!;
    const type = entry & TYPE;
    const next = endOfValue(arena, at, end, type);
    if (next < 0)
      return next;
    const value = type === FLAG ? arena.bytes[at]! : type === TWO_BYTES ? view.getUint16(at)
      : type === FOUR_BYTES ? view.getUint32(at) : type === VARIABLE ? variableAt(arena, at) : at + PREFIX_LENGTH;
    if ((entry & NOT_ZERO) !== 0 && value === 0)
      // [MQTT5-3.3.2-8]
      return -(identifier === TOPIC_ALIAS ? ReasonCode.TOPIC_ALIAS_INVALID : ReasonCode.PROTOCOL_ERROR);
    if (type === FLAG && value > 1
      || identifier === RESPONSE_TOPIC && !isValidTopicName(arena, value, next - value)) // [MQTT5-3.3.2-14]
      return -ReasonCode.PROTOCOL_ERROR;
    return next;
  }
}

/** @returns the offset behind the value at `at`; -MALFORMED_PACKET when it is ill-formed, or goes on after `end` */
function endOfValue(arena: Arena, at: number, end: number, type: number): number {
  let next = at;
  switch (type) {
    case FLAG: ++next; break;
    case TWO_BYTES: next += 2; break;
    case FOUR_BYTES: next += 4; break;
    case VARIABLE: return endOfVariable(arena, at, end);
    case BINARY: next = endOfString(arena, at, end); break;
    default:
      next = endOfText(arena, at, end);
      if (type === PAIR && next > 0) // [MQTT5-1.5.7-1]
        next = endOfText(arena, next, end);
  }
  return next < 0 || next > end ? -ReasonCode.MALFORMED_PACKET : next;
}

/** @returns the offset behind the string at `at`, or a negative number */
const endOfString = (arena: Arena, at: number, end: number): number =>
  end - at < PREFIX_LENGTH ? -1 : at + PREFIX_LENGTH + arena.view.getUint16(at);

/** The same, and -1 for one that is no UTF-8 [MQTT5-1.5.4-1] [MQTT5-1.5.4-2] [MQTT5-3.3.2-13] [MQTT5-3.3.2-19]. */
function endOfText(arena: Arena, at: number, end: number): number {
  const next = endOfString(arena, at, end);
  return next <= end && next > 0 && isWellFormedUTF8(arena, at + PREFIX_LENGTH, next) ? next : -1;
}

/** @returns the offset behind the Variable Byte Integer at `at`; -MALFORMED_PACKET [MQTT5-1.5.5-1] */
function endOfVariable(arena: Arena, at: number, end: number): number {
  const { bytes } = arena;
  const start = at;
  while (at < end && at - start < LONGEST_VARIABLE)
    if (bytes[at++]! < 0x80)
      return at - start > 1 && bytes[at - 1] === 0 ? -ReasonCode.MALFORMED_PACKET : at;
  return -ReasonCode.MALFORMED_PACKET;
}

/** @returns the offset behind the property at `at` of a block that was found valid */
export function behindProperty(arena: Arena, at: number): number {
  const { bytes, view } = arena;
  switch (TABLE[bytes[at++]!]! & TYPE) {
    case FLAG: return at + 1;
    case TWO_BYTES: return at + 2;
    case FOUR_BYTES: return at + 4;
    case VARIABLE:
      while (bytes[at++]! >= 0x80);
      return at;
    case PAIR:
      at += PREFIX_LENGTH + view.getUint16(at);
      return at + PREFIX_LENGTH + view.getUint16(at);
    default:
      return at + PREFIX_LENGTH + view.getUint16(at);
  }
}

/** Where the value of a property lies in [`at`, `end`), which was found valid; -1: it is not there. */
export function findProperty(arena: Arena, at: number, end: number, identifier: number): number {
  for (; at < end; at = behindProperty(arena, at))
    if (arena.bytes[at] === identifier)
      return at + 1;
  return -1;
}

/** The number of one, two or four bytes that a property in [`at`, `end`) says; `absent` when it is not there. */
export function numberIn(arena: Arena, at: number, end: number, identifier: number, absent: number): number {
  const value = findProperty(arena, at, end, identifier);
  const type = TABLE[identifier]! & TYPE;
  return value < 0 ? absent : type === FLAG ? arena.bytes[value]!
    : type === TWO_BYTES ? arena.view.getUint16(value) : arena.view.getUint32(value);
}

/**
 * Takes a property out of [`at`, `end`), which was found valid; what lies behind it moves. @returns the new end
 */
export function removeProperty(arena: Arena, at: number, end: number, identifier: number): number {
  const value = findProperty(arena, at, end, identifier);
  if (value < 0)
    return end;
  const next = behindProperty(arena, value - 1);
  arena.bytes.copyWithin(value - 1, next, end);
  return end - (next - value + 1);
}

// Writers: each returns the offset behind what it wrote.

export function writeFlag(arena: Arena, offset: number, identifier: number, value: number): number {
  arena.bytes[offset] = identifier;
  arena.bytes[offset + 1] = value;
  return offset + 2;
}

export function writeTwoBytes(arena: Arena, offset: number, identifier: number, value: number): number {
  arena.bytes[offset] = identifier;
  arena.view.setUint16(offset + 1, value);
  return offset + 3;
}

export function writeFourBytes(arena: Arena, offset: number, identifier: number, value: number): number {
  arena.bytes[offset] = identifier;
  arena.view.setUint32(offset + 1, value);
  return offset + 5;
}
