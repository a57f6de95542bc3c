/**
 * UTF-8 in place: check, encode, decode. No view and no string is made except by `decodeUTF8`.
 *
 * MQTT forbids what Unicode forbids (ill-formed sequences, surrogates) and, besides, U+0000
 * [MQTT311-1.5.3-1] [MQTT311-1.5.3-2] [MQTT5-1.5.4-1] [MQTT5-1.5.4-2]. U+FEFF is a character like any other
 * [MQTT311-1.5.3-3].
 */
import type { Arena } from './arena.ts';

/** Four bytes are checked at a time, in a 32-bit word: their sign bits, their lowest bits, and four spaces. */
export const HIGH_BITS = 0x80808080 | 0;
export const LOW_BITS = 0x01010101;
export const FOUR_SPACES = 0x20202020;

/** @returns whether [`offset`, `end`) is well-formed UTF-8 without U+0000. An empty range is. */
export function isWellFormedUTF8(arena: Arena, offset: number, end: number): boolean {
  const view = arena.view;
  // Four ASCII bytes at a time: neither a sign bit nor, by the classic subtraction test, a zero byte.
  for (let word = 0, last = end - 4; offset <= last; offset += 4) {
    word = view.getInt32(offset);
    if (((word | (word - LOW_BITS)) & HIGH_BITS) !== 0)
      break;
  }
  const bytes = arena.bytes;
  while (offset < end) {
    const byte = bytes[offset++]!;
    if (byte === 0)
      return false;
    if (byte < 0x80)
      continue;
    const length = sequenceLength(bytes, byte, offset, end);
    if (length === 0)
      return false;
    offset += length - 1;
  }
  return true;
}

/**
 * Whether well-formed text is free of what 3.1.1 section 1.5.3 says SHOULD NOT be sent, and MAY cost a connection:
 * control characters (U+0001 to U+001F, U+007F to U+009F) and non-characters (U+FDD0 to U+FDEF, U+FFFE, U+FFFF and
 * their like in other planes). A broker that closes for them would close the bridge, so no node may bring them in.
 */
export function isPlainText(arena: Arena, offset: number, end: number): boolean {
  const { bytes, view } = arena;
  // Four ASCII bytes at a time: none has a sign bit, gets one by a step up (7F), or by as many down as there are
  // controls.
  for (let word = 0, last = end - 4; offset <= last; offset += 4) {
    word = view.getInt32(offset);
    if (((word | (word + LOW_BITS) | (word - FOUR_SPACES)) & HIGH_BITS) !== 0)
      break;
  }
  for (; offset < end; ++offset) {
    const byte = bytes[offset]!;
    if (byte < 0x20 || byte === 0x7F || byte === 0xC2 && bytes[offset + 1]! < 0xA0)
      return false;
    if (byte < 0xEF)
      continue;
    const second = bytes[offset + 1]!;
    const third = bytes[offset + 2]!;
    if (byte === 0xEF ? second === 0xB7 && third >= 0x90 && third < 0xB0 || second === 0xBF && third >= 0xBE
      : (second & 0x0F) === 0x0F && third === 0xBF && bytes[offset + 3]! >= 0xBE)
      return false;
  }
  return true;
}

/**
 * Length of the multi-byte sequence that `lead` opens and that goes on at `offset`; 0 when it is ill-formed.
 * The bounds of the second byte are those of table 3-7 of the Unicode Standard: they exclude overlong forms,
 * surrogates (ED A0..BF) and code points above U+10FFFF.
 */
function sequenceLength(bytes: Uint8Array, lead: number, offset: number, end: number): number {
  let length = 2, low = 0x80, high = 0xBF;
  if (lead < 0xC2 || lead > 0xF4)
    return 0;
  if (lead >= 0xF0) {
    length = 4;
    if (lead === 0xF0) low = 0x90;
    if (lead === 0xF4) high = 0x8F;
  } else if (lead >= 0xE0) {
    length = 3;
    if (lead === 0xE0) low = 0xA0;
    if (lead === 0xED) high = 0x9F;
  }
  if (offset + length - 1 > end || bytes[offset]! < low || bytes[offset]! > high)
    return 0;
  for (let rest = offset + 1; rest < offset + length - 1; ++rest)
    if ((bytes[rest]! & 0xC0) !== 0x80)
      return 0;
  return length;
}

/** How many bytes follow the first one of a code point. */
const continuationsOf = (code: number): number => code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

/**
 * Writes `text` as UTF-8 at `offset`. Configuration and status only: it walks a string. A surrogate without its
 * partner, which JSON can spell, becomes U+FFFD: it must never be sent [MQTT311-1.5.3-1]. @returns the offset after it
 */
export function encodeUTF8(arena: Arena, offset: number, text: string): number {
  const bytes = arena.bytes;
  for (let index = 0; index < text.length; ++index) {
    let code = text.codePointAt(index)!;
    if ((code & 0x1FF800) === 0xD800)
      code = 0xFFFD;
    const continuations = continuationsOf(code);
    let shift = continuations * 6;
    bytes[offset++] = continuations === 0 ? code : 0xF00 >> continuations + 1 & 0xFF | code >> shift;
    while (shift > 0)
      bytes[offset++] = 0x80 | code >> (shift -= 6) & 0x3F;
    if (continuations === 3)
      ++index; // a pair of surrogates
  }
  return offset;
}

/** Number of bytes that `encodeUTF8` will write. */
export function lengthOfUTF8(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; ++index) {
    const continuations = continuationsOf(text.codePointAt(index)!);
    if (continuations === 3)
      ++index;
    length += continuations + 1;
  }
  return length;
}

/** For people: logs and status. Bytes that are not UTF-8 become U+FFFD. It makes a string: never per packet. */
export function decodeUTF8(arena: Arena, offset: number, length: number): string {
  const bytes = arena.bytes;
  const end = offset + length;
  let text = '';
  while (offset < end) {
    const byte = bytes[offset++]!;
    if (byte < 0x80) {
      text += String.fromCharCode(byte);
      continue;
    }
    const rest = sequenceLength(bytes, byte, offset, end) - 1;
    let code = 0xFFFD;
    if (rest > 0) {
      code = byte & 0x3F >> rest;
      for (let index = 0; index < rest; ++index)
        code = code << 6 | bytes[offset++]! & 0x3F;
    }
    text += String.fromCodePoint(code);
  }
  return text;
}
