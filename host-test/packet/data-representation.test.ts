import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABSENT, writeFixedHeader, writeString } from '../../src/packet/data-representation.ts';
import { hexOf, isPoisonOutside, put, testArena } from '../bytes/test-arena.ts';

/** 3.1.1 table 2.4, and the examples of section 2.2.3. */
const REMAINING_LENGTHS: [value: number, hex: string][] = [
  [0, '00'], [1, '01'], [64, '40'], [127, '7f'], [128, '8001'], [321, 'c102'], [16383, 'ff7f'], [16384, '808001'],
    [2097151, 'ffff7f'],
  [2097152, '80808001'], [268435455, 'ffffff7f'],
];

describe('the Remaining Length', () => {
  it.each(REMAINING_LENGTHS)('%i is written as %s', (value, hex) => {
    const arena = testArena(16);
    const end = writeFixedHeader(arena, 3, 0x35, value);
    expect(hexOf(arena, 3, end)).toBe(`35${hex}`);
    expect(isPoisonOutside(arena, 3, end)).toBe(true);
  });

  it('is read by the algorithm of section 2.2.3', () => {
    fc.assert(fc.property(fc.oneof(fc.nat(268435455), fc.nat(300), fc.integer({ min: 16000, max: 17000 })), value => {
      const arena = testArena(8);
      const end = writeFixedHeader(arena, 0, 0xC0, value);
      let multiplier = 1, found = 0, at = 1, byte: number;
      do {
        byte = arena.bytes[at++]!;
        found += (byte & 127) * multiplier;
        multiplier *= 128;
      } while ((byte & 128) !== 0);
      expect([found, at]).toEqual([value, end]);
    }), { numRuns: 2000 });
  });
});

describe('writeString', () => {
  it.each([0, 1, 255, 256, 65535])('writes %i bytes behind their number', length => {
    const arena = testArena(2 * length + 16);
    const content = Array.from({ length }, (_, index) => index * 7 & 0xFF);
    put(arena, length + 8, content);
    const end = writeString(arena, 4, length + 8, length);
    expect(end).toBe(4 + 2 + length);
    expect(hexOf(arena, 4, 6)).toBe(length.toString(16).padStart(4, '0'));
    expect(Buffer.from(arena.bytes.slice(6, end)).equals(Buffer.from(content))).toBe(true);
    expect([arena.bytes[3], arena.bytes[end]]).toEqual([0xA5, 0xA5]);
  });

  it('may overlap its source', () => {
    const arena = testArena(16);
    for (const source of [4, 5, 7]) {
      put(arena, source, 'abcd');
      expect(hexOf(arena, 2, writeString(arena, 2, source, 4))).toBe('000461626364');
    }
  });
});

it('ABSENT is no length', () => {
  expect(ABSENT).toBeLessThan(0);
});
