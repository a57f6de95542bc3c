/**
 * Integers, strings and the Remaining Length as they lie on the wire. MQTT 3.1.1 sections 1.5 and 2.2.3, MQTT 5.0
 * section 1.5. Writers return the offset after what they wrote.
 */
import type { Arena } from '../bytes/arena.ts';

/** Of a Packet Identifier, in bytes. */
export const IDENTIFIER_LENGTH = 2;

/** Of the number in front of a string that says how long it is, in bytes. */
export const PREFIX_LENGTH = 2;

/** A field that may be absent announces that by this length; an empty field has length 0. */
export const ABSENT = -1;

/** Writes the first byte and the Remaining Length. @returns the offset of the variable header */
export function writeFixedHeader(arena: Arena, offset: number, firstByte: number, remainingLength: number): number {
  const bytes = arena.bytes;
  bytes[offset] = firstByte;
  while (remainingLength >= 0x80) {
    bytes[++offset] = remainingLength | 0x80;
    remainingLength >>= 7;
  }
  bytes[++offset] = remainingLength;
  return offset + 1;
}

/**
 * A length of two bytes, then the bytes: a UTF-8 encoded string or, in a Will, binary data. `length` is at most 65535.
 */
export function writeString(arena: Arena, offset: number, source: number, length: number): number {
  arena.view.setUint16(offset, length);
  offset += PREFIX_LENGTH;
  arena.bytes.copyWithin(offset, source, source + length);
  return offset + length;
}

/** Bytes of a Variable Byte Integer, which has as few as possible [MQTT5-1.5.5-1]. @param value 0 to 268,435,455 */
export const lengthOfVariable = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;

/** @returns the offset after the number */
export function writeVariable(arena: Arena, offset: number, value: number): number {
  for (; value >= 0x80; value >>= 7)
    arena.bytes[offset++] = value | 0x80;
  arena.bytes[offset] = value;
  return offset + 1;
}

/** Reads a valid Variable Byte Integer. */
export function variableAt(arena: Arena, offset: number): number {
  let value = 0, shift = 0, byte = 0;
  do {
    byte = arena.bytes[offset++]!;
    value |= (byte & 0x7F) << shift;
    shift += 7;
  } while (byte >= 0x80);
  return value;
}
