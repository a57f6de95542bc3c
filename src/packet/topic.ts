/**
 * Topic Names and Topic Filters where they lie: validity and matching. MQTT 3.1.1 section 4.7.
 * Nothing is normalised: two topics are equal when their bytes are [MQTT311-4.7.3-4].
 */
import type { Arena } from '../bytes/arena.ts';
import { isPlainText, isWellFormedUTF8 } from '../bytes/utf8.ts';

/** In bytes [MQTT311-4.7.3-3]. */
export const LONGEST_TOPIC = 65_535;

const SLASH = 0x2F;
const PLUS = 0x2B;
const NUMBER_SIGN = 0x23;
const DOLLAR = 0x24;
const WORD_SYS = 0x5359532F; // "SYS/"

const HIGH_BITS = 0x80808080 | 0;
const LOW_BITS = 0x01010101;
const FOUR_SPACES = 0x20202020;
const FOUR_NUMBER_SIGNS = 0x23232323;
/** All but the one bit in which `+` differs from `#`. */
const EITHER_WILDCARD = ~0x08080808;

/**
 * The quick answer for nearly every name: whether these are four or more ASCII characters, none of them a control character
 * or a wildcard. Then they are a Topic Name, and one that a node may bring in. If not, they may be one all the same.
 */
export function isPlainTopicName(arena: Arena, offset: number, length: number): boolean {
  if (length < 4)
    return false;
  const { view } = arena;
  const last = offset + length - 4;
  // Four at a time, the last four overlap. No byte has a sign bit, gets one by a step up (7F) or by as many down as there
  // are controls, or gets one by a step down because the wildcard was taken off it.
  let word = view.getInt32(last);
  while (((word | (word + LOW_BITS) | (word - FOUR_SPACES) | ((word & EITHER_WILDCARD ^ FOUR_NUMBER_SIGNS) - LOW_BITS)) & HIGH_BITS) === 0) {
    if (offset >= last)
      return true;
    word = view.getInt32(offset);
    offset += 4;
  }
  return false;
}

/** @returns whether these bytes are a Topic Name: at least one character, no wildcard [MQTT311-4.7.1-1], no U+0000 [MQTT311-3.3.2-1] [MQTT311-3.3.2-2] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2] */
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

/** @returns whether these bytes are a Topic Filter that a node may have, see `isPlainText` [MQTT311-4.7.1-2] [MQTT311-4.7.1-3] [MQTT311-4.7.3-1] */
export function isValidTopicFilter(arena: Arena, offset: number, length: number): boolean {
  const bytes = arena.bytes;
  const end = offset + length;
  for (let index = offset; index < end; ++index) {
    const byte = bytes[index]!;
    if (byte !== PLUS && byte !== NUMBER_SIGN)
      continue;
    if (index > offset && bytes[index - 1] !== SLASH) // a wildcard occupies its whole level
      return false;
    if (index + 1 < end && (byte === NUMBER_SIGN || bytes[index + 1] !== SLASH)) // and `#` is the last character
      return false;
  }
  return length > 0 && isWellFormedUTF8(arena, offset, end) && isPlainText(arena, offset, end);
}

/**
 * Whether a valid filter matches a valid name. `#` includes the parent level; a leading wildcard does not match a topic
 * that begins with `$` [MQTT311-4.7.2-1].
 */
export function matchesTopicFilter(arena: Arena, filterOffset: number, filterLength: number, nameOffset: number, nameLength: number): boolean {
  const bytes = arena.bytes;
  const filterEnd = filterOffset + filterLength;
  const nameEnd = nameOffset + nameLength;
  let filter = filterOffset;
  let name = nameOffset;
  if (bytes[name] === DOLLAR && bytes[filter] !== DOLLAR)
    return false;
  for (; filter < filterEnd; ++filter) {
    if (name < nameEnd && bytes[filter] === bytes[name]) // no wildcard: names have none
      ++name;
    else if (bytes[filter] === NUMBER_SIGN)
      return true;
    else if (bytes[filter] === PLUS)
      while (name < nameEnd && bytes[name] !== SLASH) // behind `+` stands the end or a slash
        ++name;
    else // "sport/#" matches "sport" too
      return name === nameEnd && bytes[filter] === SLASH && filter + 2 === filterEnd && bytes[filter + 1] === NUMBER_SIGN;
  }
  return name === nameEnd;
}

/** Whether some Topic Name could match both filters. For the check of a configuration only: it takes the filters apart. */
export function topicFiltersOverlap(a: string, b: string): boolean {
  const left = a.split('/');
  const right = b.split('/');
  if (a.startsWith('$') !== b.startsWith('$'))
    return false;
  for (let level = 0; ; ++level) {
    const l = left[level], r = right[level];
    if (l === '#' || r === '#')
      return true;
    if (l === undefined || r === undefined)
      return l === r || (l ?? r) === '#';
    if (l !== r && l !== '+' && r !== '+')
      return false;
  }
}
