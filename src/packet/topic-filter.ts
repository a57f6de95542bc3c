/**
 * Topic Filters where they lie: whether they are valid, what they match, and two of them compared as sets of Topic
 * Names. MQTT 3.1.1 section 4.7.
 */
import type { Arena } from '../bytes/arena.ts';
import { isPlainText, isWellFormedUTF8 } from '../bytes/utf8.ts';
import { DOLLAR, NUMBER_SIGN, PLUS, SLASH } from './topic.ts';

/**
 * @returns whether these bytes are a Topic Filter that a node may have, see `isPlainText`
 * [MQTT311-4.7.1-2] [MQTT311-4.7.1-3] [MQTT311-4.7.3-1]
 */
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

/** Whether a valid filter is more than one name. */
export function hasWildcard({ bytes }: Arena, offset: number, length: number): boolean {
  const end = offset + length;
  if (bytes[end - 1] === NUMBER_SIGN)
    return true;
  for (; offset < end; ++offset)
    if (bytes[offset] === PLUS)
      return true;
  return false;
}

/**
 * Whether a valid filter matches a valid name. `#` includes the parent level; a leading wildcard does not match a topic
 * that begins with `$` [MQTT311-4.7.2-1].
 */
export function matchesTopicFilter(
  arena: Arena, filterOffset: number, filterLength: number, nameOffset: number, nameLength: number,
): boolean {
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
      while (name < nameEnd && bytes[name] !== SLASH) // after `+` comes the end or a slash
        ++name;
    else // "sport/#" matches "sport" too
      return name === nameEnd && bytes[filter] === SLASH && filter + 2 === filterEnd
        && bytes[filter + 1] === NUMBER_SIGN;
  }
  return name === nameEnd;
}

/** Whether some Topic Name matches both valid filters; the empty name counts as well. */
export function filtersOverlap(arena: Arena, a: number, aLength: number, b: number, bLength: number): boolean {
  const { bytes } = arena;
  const aEnd = a + aLength;
  const bEnd = b + bLength;
  if ((bytes[a] === DOLLAR) !== (bytes[b] === DOLLAR)) // no leading wildcard matches a name with `$` [MQTT311-4.7.2-1]
    return false;
  for (;;) {
    if (a < aEnd && bytes[a] === NUMBER_SIGN || b < bEnd && bytes[b] === NUMBER_SIGN)
      return true;
    if (a < aEnd && bytes[a] === PLUS || b < bEnd && bytes[b] === PLUS) {
      a = endOfLevel(bytes, a, aEnd);
      b = endOfLevel(bytes, b, bEnd);
    } else
      while (a < aEnd && b < bEnd && bytes[a] === bytes[b] && bytes[a] !== SLASH) {
        ++a;
        ++b;
      }
    if (a === aEnd)
      return b === bEnd || isParentOfAll(bytes, b, bEnd);
    if (b === bEnd)
      return isParentOfAll(bytes, a, aEnd);
    if (bytes[a] !== SLASH || bytes[b] !== SLASH)
      return false;
    ++a;
    ++b;
  }
}

/** Whether every Topic Name that matches the valid filter `inner` matches `outer` as well. */
export function filterCovers(
  arena: Arena, outer: number, outerLength: number, inner: number, innerLength: number,
): boolean {
  const { bytes } = arena;
  const outerEnd = outer + outerLength;
  const innerEnd = inner + innerLength;
  if ((bytes[outer] === DOLLAR) !== (bytes[inner] === DOLLAR))
    return false;
  for (;;) {
    if (outer < outerEnd && bytes[outer] === NUMBER_SIGN)
      return true;
    if (inner < innerEnd && bytes[inner] === NUMBER_SIGN) // all names have a first level, so "+/#" is all of them, too
      return innerLength === 1 && bytes[outer] === PLUS && isParentOfAll(bytes, outer + 1, outerEnd);
    if (outer < outerEnd && bytes[outer] === PLUS) {
      outer = endOfLevel(bytes, outer, outerEnd);
      inner = endOfLevel(bytes, inner, innerEnd);
    } else
      while (outer < outerEnd && inner < innerEnd && bytes[outer] === bytes[inner] && bytes[outer] !== SLASH) {
        ++outer;
        ++inner;
      }
    if (inner === innerEnd)
      return outer === outerEnd || isParentOfAll(bytes, outer, outerEnd);
    if (outer === outerEnd || bytes[outer] !== SLASH || bytes[inner] !== SLASH)
      return false;
    ++outer;
    ++inner;
  }
}

function endOfLevel(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== SLASH)
    ++at;
  return at;
}

/** Whether what is left is "/#", which includes the level in front of it. */
function isParentOfAll(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 2 === end && bytes[at] === SLASH && bytes[at + 1] === NUMBER_SIGN;
}

/** `$share/` of a filter, in two overlapping pieces of four bytes. */
const SHARE_BEGIN = 0x24_73_68_61;
const SHARE_END = 0x61_72_65_2F;

/** Its length. */
const SHARE_LENGTH = 7;

/** Whether a filter asks for a shared subscription, `$share/GROUP/FILTER` [MQTT5-4.8.2-1]. */
export function isShared({ view }: Arena, offset: number, length: number): boolean {
  return length >= SHARE_LENGTH && view.getInt32(offset) === SHARE_BEGIN && view.getInt32(offset + 3) === SHARE_END;
}

/**
 * @returns bytes in front of the filter proper of a valid filter, 0 for one that is not shared; -1: its group has no
 * name, or a wildcard in it, or no filter follows [MQTT5-4.8.2-1] [MQTT5-4.8.2-2]
 */
export function lengthOfShare(arena: Arena, offset: number, length: number): number {
  const { bytes } = arena;
  if (bytes[offset] !== DOLLAR || !isShared(arena, offset, length))
    return 0;
  const group = offset + SHARE_LENGTH;
  const end = offset + length;
  let at = group;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== PLUS && bytes[at] !== NUMBER_SIGN)
    ++at;
  return at > group && at + 1 < end && bytes[at] === SLASH ? at + 1 - offset : -1;
}
