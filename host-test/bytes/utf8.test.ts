/**
 * Compared with the engine's own decoder. TextDecoder takes U+0000, MQTT does not; that is the only difference.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUTF8, encodeUTF8, isPlainText, isWellFormedUTF8, lengthOfUTF8 } from '../../src/bytes/utf8.ts';
import { hexOf, isPoisonOutside, put, testArena } from './test-arena.ts';

/** In milliseconds, for a machine that has other things to do. */
const TIME_LIMIT = 60_000;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isLegal(bytes: Uint8Array): boolean {
  if (bytes.includes(0))
    return false;
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The bytes at which the rules change, and their neighbours. */
const EDGES = [
  0x00, 0x01, 0x2F, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
    0xEE, 0xEF, 0xF0,
  0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFE, 0xFF,
];

/** Compares without the cost of `expect` per case. */
function expectSame(cases: Iterable<readonly number[]>): number {
  const arena = testArena(16);
  const bytes = arena.bytes;
  const wrong: string[] = [];
  let count = 0;
  for (const sequence of cases) {
    ++count;
    bytes.set(sequence, 3); // not aligned
    const end = 3 + sequence.length;
    bytes[end] = 0x80; // a continuation byte behind the end must not be looked at
    const found = isWellFormedUTF8(arena, 3, end);
    if (found !== isLegal(bytes.subarray(3, end)) && wrong.length < 10)
      wrong.push(hexOf(arena, 3, end));
  }
  expect(wrong).toEqual([]);
  return count;
}

function* allOf(length: 1 | 2): Generator<number[]> {
  for (let a = 0; a < 256; ++a)
    if (length === 1)
      yield [a];
    else
      for (let b = 0; b < 256; ++b)
        yield [a, b];
}

function* edgesOf(length: 3 | 4): Generator<number[]> {
  for (const a of EDGES)
    for (const b of EDGES)
      for (const c of EDGES)
        if (length === 3)
          yield [a, b, c];
        else if (a >= 0xE0)
          for (const d of [0x00, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xFF])
            yield [a, b, c, d];
}

/** Every lead byte of three and four bytes with every second byte. */
function* secondBytes(): Generator<number[]> {
  for (let a = 0xE0; a < 0x100; ++a)
    for (let b = 0; b < 256; ++b) {
      yield [a, b, 0x80];
      yield [a, b, 0xBF, 0x80];
      yield [a, b, 0x80, 0x80, 0x41];
    }
}

describe('isWellFormedUTF8', () => {
  it('agrees with TextDecoder on every single byte', () => {
    expect(expectSame(allOf(1))).toBe(256);
  });

  it('agrees with TextDecoder on every two bytes', () => {
    expect(expectSame(allOf(2))).toBe(65536);
  });

  it('agrees with TextDecoder on three and four bytes at every edge', () => {
    expect(expectSame(edgesOf(3))).toBe(EDGES.length ** 3);
    expectSame(edgesOf(4));
    expectSame(secondBytes());
  }, TIME_LIMIT);

  it('agrees with TextDecoder on arbitrary bytes of any length', () => {
    const some = fc.array(fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 1, max: 127 })), { maxLength: 12 });
    fc.assert(fc.property(fc.array(some, { maxLength: 40 }), cases => {
      expectSame(cases);
    }), { numRuns: 300 });
  });

  it('takes an empty range', () => {
    expect(isWellFormedUTF8(testArena(4), 2, 2)).toBe(true);
  });

  it('finds one wrong byte at every position of every length, at every alignment [MQTT311-1.5.3-1] [MQTT311-1.5.3-2]',
    () => {
    const arena = testArena(48);
    for (const wrong of [0x00, 0x80, 0xC0, 0xFF])
      for (let alignment = 0; alignment < 4; ++alignment)
        for (let length = 1; length <= 20; ++length)
          for (let position = 0; position < length; ++position) {
            arena.bytes.fill(wrong); // outside the range everything is wrong
            arena.bytes.fill(0x7F, 8 + alignment, 8 + alignment + length);
            expect(isWellFormedUTF8(arena, 8 + alignment, 8 + alignment + length)).toBe(true);
            arena.bytes[8 + alignment + position] = wrong;
            expect(isWellFormedUTF8(arena, 8 + alignment, 8 + alignment + length)).toBe(false);
          }
  });

  it('takes 01 and 7F beside each other, where the test for zero bytes borrows', () => {
    const arena = testArena(8);
    for (let bits = 0; bits < 16; ++bits) {
      put(arena, 0, [0, 1, 2, 3].map(index => (bits >> index & 1) !== 0 ? 0x01 : 0x7F));
      expect(isWellFormedUTF8(arena, 0, 4)).toBe(true);
    }
  });

  it('does not read behind the end of the arena', () => {
    const arena = testArena(2);
    const end = arena.length;
    for (const lead of [0xC3, 0xE2, 0xF0]) {
      arena.bytes[end - 1] = lead;
      expect(isWellFormedUTF8(arena, end - 1, end)).toBe(false);
    }
  });
});

describe('encodeUTF8, lengthOfUTF8 and decodeUTF8', () => {
  const EXAMPLES =
    ['', 'a', 'sensor/temperature', '\u0000', '\u007F\u0080\u07FF\u0800', '\uD7FF\uE000\uFEFF\uFFFD\uFFFF',
      'A\u{2A6D4}', '\u{10000}\u{10FFFF}',
    '\u{1F600}/\u00E4\u20AC'];

  it.each(EXAMPLES)('write, count and read %j as Node does', text => {
    const arena = testArena(80);
    const expected = Buffer.from(text, 'utf8');
    const end = encodeUTF8(arena, 5, text);
    expect(hexOf(arena, 5, end)).toBe(expected.toString('hex'));
    expect(isPoisonOutside(arena, 5, end)).toBe(true);
    expect(lengthOfUTF8(text)).toBe(expected.length);
    expect(decodeUTF8(arena, 5, end - 5)).toBe(text);
  });

  it('go round for any text, surrogates in pairs', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 30 }), text => {
      const arena = testArena(160);
      const end = encodeUTF8(arena, 1, text);
      expect(hexOf(arena, 1, end)).toBe(Buffer.from(text, 'utf8').toString('hex'));
      expect(end - 1).toBe(lengthOfUTF8(text));
      expect(decodeUTF8(arena, 1, end - 1)).toBe(text);
      expect(isWellFormedUTF8(arena, 1, end)).toBe(!text.includes('\0'));
    }), { numRuns: 400 });
  }, TIME_LIMIT);

  it.each(['\uD800', '\uDC00', 'a\uDBFFb', '\uDC00\uD800', '\uD83D\uD83D\uDE00',
    '\uDFFF'])('write a surrogate without its partner as U+FFFD: %j', text => {
    const arena = testArena(80);
    const end = encodeUTF8(arena, 0, text);
    expect(hexOf(arena, 0, end)).toBe(Buffer.from(text, 'utf8').toString('hex'));
    expect(lengthOfUTF8(text)).toBe(end);
    expect(isWellFormedUTF8(arena, 0, end)).toBe(true);
  });

  it('show what is not UTF-8 as U+FFFD, a byte each, and go on behind it', () => {
    const arena = testArena(32);
    const cases: [number[], string][] = [
      [[0x61, 0xFF, 0x62], 'a\uFFFDb'],
      [[0xC3], '\uFFFD'],
      [[0xC3, 0x28], '\uFFFD('],
      [[0xED, 0xA0, 0x80], '\uFFFD\uFFFD\uFFFD'],
      [[0xE2, 0x82, 0x61], '\uFFFD\uFFFDa'],
      [[0xC0, 0xAF, 0xC3, 0xA4], '\uFFFD\uFFFD\u00E4'],
    ];
    for (const [bytes, text] of cases) {
      put(arena, 4, bytes);
      arena.bytes[4 + bytes.length] = 0x80;
      expect(decodeUTF8(arena, 4, bytes.length)).toBe(text);
    }
  });

  it('read legal bytes as TextDecoder does, and never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 16 }), bytes => {
      const arena = testArena(20);
      put(arena, 2, bytes);
      const text = decodeUTF8(arena, 2, bytes.length);
      if (isLegal(bytes))
        expect(text).toBe(strict.decode(bytes));
      else if (!bytes.includes(0))
        expect(text).toContain('\uFFFD');
    }), { numRuns: 1000 });
  });
});

it('isPlainText finds the control characters and non-characters of 3.1.1 section 1.5.3, and nothing else', () => {
  const arena = testArena(16);
  const wrong: number[] = [];
  for (let code = 1; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF)
      continue;
    const isBad = code <= 0x1F || code >= 0x7F && code <= 0x9F || code >= 0xFDD0 && code <= 0xFDEF
      || (code & 0xFFFE) === 0xFFFE;
    const character = String.fromCodePoint(code);
    for (const text of [character, `abcd${character}`, `${character} ~z{`])
      if (isPlainText(arena, 3, encodeUTF8(arena, 3, text)) === isBad)
        wrong.push(code);
  }
  expect(wrong).toEqual([]);
  expect(isPlainText(arena, 3, encodeUTF8(arena, 3, 'a\u00E4\u20AC\u{1F600}'))).toBe(true);
  expect(isPlainText(arena, 3, encodeUTF8(arena, 3, 'a\u00E4\u20AC\u{1F600}\t'))).toBe(false);
});
