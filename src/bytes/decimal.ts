/** Numbers as decimal digits, written where they are needed: a reading becomes a payload without becoming a string. */
import type { Arena } from './arena.ts';

const ZERO = 0x30;
const MINUS = 0x2D;
const POINT = 0x2E;

/** Longest text that `writeDecimal` makes: sign, 10 digits, point, 6 digits. */
export const MAXIMUM_DECIMAL_LENGTH = 18;
export const MAXIMUM_DECIMAL_PLACES = 6;

/** @returns 10 to the power of `places`, 0 to 6 */
function powerOfTen(places: number): number {
  let power = 1;
  while (places-- > 0)
    power *= 10;
  return power;
}

/**
 * Writes `value`, rounded half away from zero, with exactly `places` digits behind the point (0 to 6). Never writes "-0".
 * @param value finite, and less than 10^9 in size; others are clamped to that
 * @returns the offset behind the text
 */
export function writeDecimal(arena: Arena, offset: number, value: number, places: number): number {
  const bytes = arena.bytes;
  const scale = powerOfTen(places);
  const size = value < 0 ? -value : value;
  const clamped = size < 1e9 ? size : 1e9;
  const units = Math.floor(clamped * scale + 0.5);
  if (value < 0 && units > 0)
    bytes[offset++] = MINUS;
  const whole = Math.floor(units / scale);
  offset = writeDigits(bytes, offset, whole, 1);
  if (places > 0) {
    bytes[offset++] = POINT;
    offset = writeDigits(bytes, offset, units - whole * scale, places);
  }
  return offset;
}

/** Writes a whole number from 0 with at least `width` digits. @returns the offset behind it */
export function writeDigits(bytes: Uint8Array, offset: number, value: number, width: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10))
    ++count;
  if (count < width)
    count = width;
  const end = offset + count;
  for (let at = end - 1, rest = value; at >= offset; --at) {
    const next = Math.floor(rest / 10);
    bytes[at] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}
