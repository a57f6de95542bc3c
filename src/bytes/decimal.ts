/** Numbers as decimal digits, written where they are needed: a reading becomes a payload without becoming a string. */
import type { Arena } from './arena.ts';

const ZERO = 0x30;
const MINUS = 0x2D;
const POINT = 0x2E;

/** Up to this size every whole number is exact, and so is each digit that is written of it. */
export const LARGEST_EXACT = 2 ** 53;

/** Digits of `LARGEST_EXACT`. */
export const MAXIMUM_DIGITS = 16;
export const MAXIMUM_DECIMAL_PLACES = 6;
/** Longest text that `writeDecimal` makes: a sign and a point beside the digits. */
export const MAXIMUM_DECIMAL_LENGTH = MAXIMUM_DIGITS + MAXIMUM_DECIMAL_PLACES + 2;

/**
 * Writes `value`, rounded half away from zero, with exactly `places` digits after the point (0 to 6). Never "-0".
 * @param value no more than LARGEST_EXACT in size: others cannot be written digit for digit, nor in so many bytes
 * @returns the offset after the text
 */
export function writeDecimal(arena: Arena, offset: number, value: number, places: number): number {
  const bytes = arena.bytes;
  let scale = 1;
  for (let place = 0; place < places; ++place)
    scale *= 10;
  const size = value < 0 ? -value : value;
  // Apart, both are exact; their product with `scale` would not be.
  const rest = size % 1;
  let whole = size - rest;
  let fraction = Math.floor(rest * scale + 0.5);
  if (fraction === scale) {
    ++whole;
    fraction = 0;
  }
  if (value < 0 && (whole > 0 || fraction > 0))
    bytes[offset++] = MINUS;
  offset = writeDigits(bytes, offset, whole, 1);
  if (places === 0)
    return offset;
  bytes[offset] = POINT;
  return writeDigits(bytes, offset + 1, fraction, places);
}

/** Writes a whole number from 0 with at least `width` digits. @returns the offset after it */
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
