import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainText } from '../../src/bytes/utf8.ts';
import { isPlainTopicName, isValidTopicName } from '../../src/packet/topic.ts';
import { put, testArena } from '../bytes/test-arena.ts';

const arena = testArena(512);

const isName = (text: string): boolean => isValidTopicName(arena, 5, put(arena, 5, text));

describe('isValidTopicName', () => {
  it.each(['a', '/', '//', 'a/b', '/a', 'a/', ' ', 'a b', '$', '$SYS', '$SYS/x', 'a$', '\u0001', '\u007F', '\uFEFF',
    '\uFFFF', '\u00E4',
    'abc\u00E4', 'abcd\u20AC', 'A\u{2A6D4}', 'abcdefghijklmnop', 'x'.repeat(300), '*', '!"$%&', ',', '-',
      '"'])('takes %j', name => {
    expect(isName(name)).toBe(true);
  });

  it.each(['', '#', '+', 'a/#', '+/a', 'a+b', 'a#b', 'abc+', 'abcd+', 'abcdefg#', 'abcdefgh#', '\u00E4+',
    'abcd\u00E4#', '\u0000', 'a\u0000',
    'abcd\u0000efg', 'abcd\u00E4\u0000',
      '+'.repeat(300)])('refuses %j [MQTT311-3.3.2-2] [MQTT311-4.7.1-1] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2]', name => {
    expect(isName(name)).toBe(false);
  });

  it('finds a wildcard at every position of every length, and none outside [MQTT311-3.3.2-2]', () => {
    for (const wildcard of [0x23, 0x2B, 0x00, 0xFF])
      for (let start = 8; start < 12; ++start)
        for (let length = 1; length <= 20; ++length) {
          arena.bytes.fill(wildcard, 0, 64);
          // neighbours of the wildcards in every bit that a test of whole words could confuse
          for (let index = 0; index < length; ++index)
            arena.bytes[start + index] = [0x22, 0x24, 0x2A, 0x2C, 0x01, 0x7F, 0x63, 0x6B][index & 7]!;
          expect(isValidTopicName(arena, start, length)).toBe(true);
          for (let position = start; position < start + length; ++position) {
            const byte = arena.bytes[position]!;
            arena.bytes[position] = wildcard;
            expect(isValidTopicName(arena, start, length)).toBe(false);
            arena.bytes[position] = byte;
          }
        }
  });

  it.each([[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x61, 0x80],
    [0x61, 0x62, 0x63, 0x64, 0xC3]])('refuses what is not UTF-8 [MQTT311-1.5.3-1]', (...bytes) => {
    expect(isValidTopicName(arena, 1, put(arena, 1, bytes))).toBe(false);
  });

  it('says of any text what the specification says', () => {
    const texts =
      fc.string({ unit: fc.constantFrom('a', '/', '+', '#', '\0', '\u00E4', '\u{2A6D4}', 'sens', 'temp/'),
        maxLength: 12 });
    fc.assert(fc.property(texts, text => {
      expect(isName(text)).toBe(text !== '' && !/[+#\0]/.test(text));
    }), { numRuns: 2000 });
  });
});

describe('isPlainTopicName', () => {
  const isPlain = (bytes: readonly number[]): boolean => bytes.length >= 4
    && bytes.every(byte => byte >= 0x20 && byte < 0x7F && byte !== 0x23 && byte !== 0x2B);

  it('finds each byte that is no plain character at every position of every length, and none outside', () => {
    for (const outside of [0x00, 0x23, 0xFF])
      for (let length = 0; length <= 13; ++length)
        for (let start = 8; start < 12; ++start) {
          arena.bytes.fill(outside, 0, 64);
          // neighbours of what is refused in every bit that a test of whole words could confuse
          for (let index = 0; index < length; ++index)
            arena.bytes[start + index] = [0x20, 0x22, 0x24, 0x2A, 0x2C, 0x7E, 0x63, 0x6B][index & 7]!;
          expect(isPlainTopicName(arena, start, length)).toBe(length >= 4);
          for (let position = start; position < start + length; ++position) {
            const before = arena.bytes[position]!;
            for (let byte = 0; byte < 256; ++byte) {
              arena.bytes[position] = byte;
              const bytes = arena.bytes.subarray(start, start + length);
              if (isPlainTopicName(arena, start, length) !== isPlain([...bytes]))
                expect([...bytes]).toBe('judged otherwise');
            }
            arena.bytes[position] = before;
          }
        }
  });

  it('says yes only of Topic Names that are plain text', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }).map(bytes => bytes.map(byte => byte % 0x83)), bytes => {
      arena.bytes.set(bytes, 3);
      const isIt = isPlainTopicName(arena, 3, bytes.length);
      expect(isIt).toBe(isPlain([...bytes]));
      if (isIt)
        expect(isValidTopicName(arena, 3, bytes.length) && isPlainText(arena, 3, 3 + bytes.length)).toBe(true);
    }), { numRuns: 3000 });
  });
});
