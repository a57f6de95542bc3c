/** Numbers as decimal digits, written where they are needed: a reading becomes a payload without becoming a string. */
import type { Arena } from './arena.ts';

const ZERO = 0x30;
const MINUS = 0x2D;
const POINT = 0x2E;

/** Larger numbers are written as this one. */
const LIMIT = 1e9;

/** Longest text that `writeDecimal` makes: sign, 10 digits, point, 6 digits. */
export const MAXIMUM_DECIMAL_LENGTH = 18;
export const MAXIMUM_DECIMAL_PLACES = 6;

/**
 * Writes `value`, rounded half away from zero, with exactly `places` digits behind the point (0 to 6). Never writes "-0".
 * @param value finite, and less than 10^9 in size; others are clamped to that
 * @returns the offset behind the text
 */
export function writeDecimal(arena: Arena, offset: number, value: number, places: number): number {
  const bytes = arena.bytes;
  let scale = 1;
  for (let place = 0; place < places; ++place)
    scale *= 10;
  const size = value < 0 ? -value : value;
  const units = Math.floor((size < LIMIT ? size : LIMIT) * scale + 0.5);
  const fraction = units % scale;
  if (value < 0 && units > 0)
    bytes[offset++] = MINUS;
  offset = writeDigits(bytes, offset, (units - fraction) / scale, 1);
  if (places === 0)
    return offset;
  bytes[offset] = POINT;
  return writeDigits(bytes, offset + 1, fraction, places);
}

/** Writes a whole number from 0 with at least `width` digits. @returns the offset behind it */
export function writeDigits(bytes: Uint8Array, offset: number, value: number, width: number): number {
  let end = offset + width;
  for (let limit = 10 ** width; limit <= value; limit *= 10)
    ++end;
  for (let at = end - 1; at >= offset; --at) {
    const digit = value % 10; // Math.floor(value / 10) would take twice as long on XS
    bytes[at] = ZERO + digit;
    value = (value - digit) / 10;
  }
  return end;
}
