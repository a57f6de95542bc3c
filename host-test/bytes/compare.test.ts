import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes, hashOf } from '../../src/bytes/compare.ts';
import { put, testArena } from './test-arena.ts';

describe('equalBytes', () => {
  const LENGTHS = Array.from({ length: 26 }, (_, length) => length);

  it('finds equal bytes equal, and one different bit different, at all lengths and alignments', () => {
    const arena = testArena(80);
    for (const length of LENGTHS)
      for (let alignmentA = 0; alignmentA < 8; ++alignmentA)
        for (let alignmentB = 0; alignmentB < 8; ++alignmentB) {
          const a = alignmentA, b = 40 + alignmentB;
          arena.bytes.fill(0x11, 0, 40);
          arena.bytes.fill(0x22, 40, 80); // what surrounds them differs
          const bytes = Array.from({ length }, (_, index) => index * 37 + length & 0xFF);
          put(arena, a, bytes);
          put(arena, b, bytes);
          let wrong = equalBytes(arena, a, b, length) ? 0 : 1;
          for (let position = 0; position < length; ++position) {
            arena.bytes[b + position]! ^= 1 << (position & 7);
            if (equalBytes(arena, a, b, length))
              ++wrong;
            arena.bytes[b + position]! ^= 1 << (position & 7);
          }
          if (wrong !== 0)
            expect({ wrong, length, alignmentA, alignmentB }).toBe(undefined);
        }
  });

  /** Eight bytes that a double does not tell apart, or finds different from themselves. */
  const DOUBLES = [
    ['+0', '0000000000000000'], ['-0', '8000000000000000'], ['quiet NaN', '7ff8000000000000'],
      ['signalling NaN', '7ff0000000000001'],
    ['negative NaN', 'fff8000000000000'], ['NaN with payload', '7ff8dead00beef00'],
      ['another payload', '7ff8dead00beef01'],
    ['all ones', 'ffffffffffffffff'], ['infinity', '7ff0000000000000'], ['-infinity', 'fff0000000000000'],
      ['smallest', '0000000000000001'],
    ['text', '7365 6e73 6f72 2f31'.replaceAll(' ', '')],
  ] as const;

  it.each(DOUBLES)('compares %s bit by bit', (_name, hex) => {
    for (const [, other] of DOUBLES)
      for (const before of ['', '0011223344556677', '7ff8000000000000'])
        for (const after of ['', 'aa', 'aabbccdd', '8000000000000000']) {
          const arena = testArena(80);
          const length = put(arena, 1, Buffer.from(before + hex + after, 'hex'));
          put(arena, 43, Buffer.from(before + other + after, 'hex'));
          expect(equalBytes(arena, 1, 43, length)).toBe(hex === other);
        }
  });

  it('agrees with Buffer.equals', () => {
    const bytes = fc.array(fc.constantFrom<number[]>(0x00, 0x01, 0x7F, 0x80, 0xF0, 0xF8, 0xFF), { maxLength: 20 });
    fc.assert(fc.property(bytes, fc.array(fc.tuple(fc.nat(19), fc.nat(255)), { maxLength: 1 }), (content, changes) => {
      const arena = testArena(64);
      const other = [...content];
      for (const [position, byte] of changes)
        if (position < other.length)
          other[position] = byte;
      put(arena, 3, content);
      put(arena, 32, other);
      expect(equalBytes(arena, 3, 32, content.length)).toBe(Buffer.from(content).equals(Buffer.from(other)));
    }), { numRuns: 2000 });
  });
});

describe('hashOf', () => {
  it.each([
    ['', 0x811C9DC5], ['a', 0xE40C292C], ['b', 0xE70C2DE5], ['foobar', 0xBF9CF968], ['\u{1F600}', 0x33A29608],
  ])('gives %j the value of the 32-bit FNV-1a', (text, expected) => {
    const arena = testArena(32);
    expect(hashOf(arena, 5, put(arena, 5, text)) >>> 0).toBe(expected);
  });

  it('looks at the bytes of its range only', () => {
    const arena = testArena(32);
    put(arena, 0, 'xxfooxx');
    const between = hashOf(arena, 2, 3);
    put(arena, 0, 'yyfooyy');
    expect(hashOf(arena, 2, 3)).toBe(between);
  });
});
