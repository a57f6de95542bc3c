/**
 * Topic Names where they lie, and the characters that mean something in them. MQTT 3.1.1 section 4.7.
 * Nothing is normalised: two topics are equal when their bytes are [MQTT311-4.7.3-4].
 */
import type { Arena } from '../bytes/arena.ts';
import { FOUR_SPACES, HIGH_BITS, isWellFormedUTF8, LOW_BITS } from '../bytes/utf8.ts';

/** In bytes [MQTT311-4.7.3-3]. */
export const LONGEST_TOPIC = 65_535;

/** The characters of Topic Names and Filters that mean something. */
export const SLASH = 0x2F;
export const PLUS = 0x2B;
export const NUMBER_SIGN = 0x23;
export const DOLLAR = 0x24;

const WORD_SYS = 0x5359532F; // "SYS/"

const FOUR_NUMBER_SIGNS = 0x23232323;
/** All but the one bit in which `+` differs from `#`. */
const EITHER_WILDCARD = ~0x08080808;

/**
 * The quick answer for nearly every name: whether these are four or more ASCII characters, none of them a control
 * character or a wildcard. Then they are a Topic Name, and one that a node may bring in. If not, they may be one all
 * the same.
 */
export function isPlainTopicName(arena: Arena, offset: number, length: number): boolean {
  if (length < 4)
    return false;
  const { view } = arena;
  const last = offset + length - 4;
  // Four at a time, the last four overlap. No byte has a sign bit, gets one by a step up (7F) or by as many down as
  // there are controls, or gets one by a step down because the wildcard was taken off it.
  let word = view.getInt32(last);
  while (((word | (word + LOW_BITS) | (word - FOUR_SPACES)
    | ((word & EITHER_WILDCARD ^ FOUR_NUMBER_SIGNS) - LOW_BITS)) & HIGH_BITS) === 0) {
    if (offset >= last)
      return true;
    word = view.getInt32(offset);
    offset += 4;
  }
  return false;
}

/**
 * @returns whether these bytes are a Topic Name: at least one character, no wildcard [MQTT311-4.7.1-1], no U+0000
 * [MQTT311-3.3.2-1] [MQTT311-3.3.2-2] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2]
 */
export function isValidTopicName(arena: Arena, offset: number, length: number): boolean {
  const { bytes } = arena;
  const end = offset + length;
  for (let index = offset; index < end; ++index) {
    const byte = bytes[index]!;
    if (byte === PLUS || byte === NUMBER_SIGN)
      return false;
  }
  return length > 0 && isWellFormedUTF8(arena, offset, end);
}

/** Whether it is one of `$SYS/…`: what only the gateway itself may publish. */
export function isSystemTopic(arena: Arena, offset: number, length: number): boolean {
  return arena.bytes[offset] === DOLLAR && length >= 5 && arena.view.getInt32(offset + 1) === WORD_SYS;
}
