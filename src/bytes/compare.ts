/** Bytes of the arena compared with others, and made into one number. Nothing is allocated. */
import type { Arena } from './arena.ts';

/**
 * Compares `length` bytes at `a` and at `b`, eight at a time as doubles. A NaN pattern equals nothing, and -0 equals 0,
 * so a group that decides by itself is compared again as two integers.
 */
export function equalBytes(arena: Arena, a: number, b: number, length: number): boolean {
  const view = arena.view;
  let left = length;
  for (; left >= 8; left -= 8, a += 8, b += 8) {
    const value = view.getFloat64(a);
    if (value !== view.getFloat64(b) || value === 0)
      if (view.getInt32(a) !== view.getInt32(b) || view.getInt32(a + 4) !== view.getInt32(b + 4))
        return false;
  }
  if (left >= 4) {
    if (view.getInt32(a) !== view.getInt32(b))
      return false;
    left -= 4; a += 4; b += 4;
  }
  const bytes = arena.bytes;
  for (; left > 0; --left, ++a, ++b)
    if (bytes[a] !== bytes[b])
      return false;
  return true;
}

const { imul } = Math;
const FNV_BASIS = 0x811C9DC5 | 0;
const FNV_PRIME = 0x01000193;

/** @returns the 32 bits of FNV-1a, as a signed integer */
export function hashOf(arena: Arena, offset: number, length: number): number {
  const { bytes } = arena;
  let hash = FNV_BASIS;
  for (const end = offset + length; offset < end; ++offset)
    hash = imul(hash ^ bytes[offset]!, FNV_PRIME);
  return hash;
}
