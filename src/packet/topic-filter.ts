/**
 * Two valid Topic Filters, where they lie, compared as sets of Topic Names. Used when a node asks for a subscription: is
 * there anything in it that it may read? MQTT 3.1.1 section 4.7.
 */
import type { Arena } from '../bytes/arena.ts';

const SLASH = 0x2F;
const PLUS = 0x2B;
const NUMBER_SIGN = 0x23;
const DOLLAR = 0x24;

/** Whether some Topic Name matches both filters; the empty one, which is none, counts as well. */
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

/** Whether every Topic Name that matches `inner` matches `outer` as well. */
export function filterCovers(arena: Arena, outer: number, outerLength: number, inner: number, innerLength: number): boolean {
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
