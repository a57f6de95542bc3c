import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainTopicName, isValidTopicFilter, isValidTopicName, matchesTopicFilter, topicFiltersOverlap } from '../../src/packet/topic.ts';
import { isPlainText } from '../../src/bytes/utf8.ts';
import { put, testArena } from '../bytes/test-arena.ts';

const arena = testArena(512);

const isName = (text: string): boolean => isValidTopicName(arena, 5, put(arena, 5, text));
const isFilter = (text: string): boolean => isValidTopicFilter(arena, 5, put(arena, 5, text));
const matches = (filter: string, name: string): boolean =>
  matchesTopicFilter(arena, 3, put(arena, 3, filter), 200, put(arena, 200, name));

/** The rules of section 4.7 written down once more, level by level and on strings. */
function matchesByLevels(filter: string, name: string): boolean {
  const wanted = filter.split('/');
  const levels = name.split('/');
  if (name.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+'))
    return false;
  for (let index = 0; index < wanted.length; ++index) {
    if (wanted[index] === '#')
      return true;
    if (index >= levels.length || wanted[index] !== '+' && wanted[index] !== levels[index])
      return false;
  }
  return wanted.length === levels.length;
}

const level = fc.constantFrom('', 'a', 'b', 'ab', 'sport', '\u00E4', '\u{2A6D4}');
const names = fc.tuple(fc.constantFrom('', '', '', '$'), fc.array(level, { minLength: 1, maxLength: 5 }))
  .map(([dollar, levels]) => dollar + levels.join('/')).filter(name => name !== '');
const filters = fc.tuple(fc.constantFrom('', '', '', '$'), fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([dollar, levels, all]) => (levels[0] === '+' ? '' : dollar) + levels.join('/') + (all ? '/#' : '')).filter(filter => filter !== '');

describe('isValidTopicName', () => {
  it.each(['a', '/', '//', 'a/b', '/a', 'a/', ' ', 'a b', '$', '$SYS', '$SYS/x', 'a$', '\u0001', '\u007F', '\uFEFF', '\uFFFF', '\u00E4',
    'abc\u00E4', 'abcd\u20AC', 'A\u{2A6D4}', 'abcdefghijklmnop', 'x'.repeat(300), '*', '!"$%&', ',', '-', '"'])('takes %j', name => {
    expect(isName(name)).toBe(true);
  });

  it.each(['', '#', '+', 'a/#', '+/a', 'a+b', 'a#b', 'abc+', 'abcd+', 'abcdefg#', 'abcdefgh#', '\u00E4+', 'abcd\u00E4#', '\u0000', 'a\u0000',
    'abcd\u0000efg', 'abcd\u00E4\u0000', '+'.repeat(300)])('refuses %j [MQTT311-3.3.2-2] [MQTT311-4.7.1-1] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2]', name => {
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

  it.each([[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x61, 0x80], [0x61, 0x62, 0x63, 0x64, 0xC3]])('refuses what is not UTF-8 [MQTT311-1.5.3-1]', (...bytes) => {
    expect(isValidTopicName(arena, 1, put(arena, 1, bytes))).toBe(false);
    expect(isValidTopicFilter(arena, 1, put(arena, 1, bytes))).toBe(false);
  });

  it('says of any text what the specification says', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '/', '+', '#', '\0', '\u00E4', '\u{2A6D4}', 'sens', 'temp/'), maxLength: 12 });
    fc.assert(fc.property(texts, text => {
      expect(isName(text)).toBe(text !== '' && !/[+#\0]/.test(text));
    }), { numRuns: 2000 });
  });
});

describe('isPlainTopicName', () => {
  const isPlain = (bytes: readonly number[]): boolean => bytes.length >= 4 && bytes.every(byte => byte >= 0x20 && byte < 0x7F && byte !== 0x23 && byte !== 0x2B);

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

describe('isValidTopicFilter', () => {
  it.each(['#', '+', '/', 'a', 'a/#', '/#', '//#', '+/#', '+/+', '/+', '+/', 'a/+', 'a/+/b', '+/a/#', '$SYS/#', '$SYS/+/x', ' ', '\uFEFF/+', '\u00E4/#',
    'sport/tennis/player1/#', 'sport/tennis/#', 'sport/tennis/+', '+/tennis/#', 'sport/+/player1'])('takes %s', filter => {
    expect(isFilter(filter)).toBe(true);
  });

  it.each(['', 'a#', '#a', '#/', '#/a', 'a/#/b', '##', '#+', '+#', 'a/b#', 'sport/tennis#', 'sport/tennis/#/ranking', '\u00E4#'])(
    'refuses %s [MQTT311-4.7.1-2] [MQTT311-4.7.3-1]', filter => {
      expect(isFilter(filter)).toBe(false);
    });

  it.each(['a+', '+a', '++', 'a/+b', 'a/b+/c', 'sport+', '+\u00E4', '/+a', '+\u0000', 'a\u0000/#'])('refuses %j [MQTT311-4.7.1-3] [MQTT311-4.7.3-2]', filter => {
    expect(isFilter(filter)).toBe(false);
  });

  it('looks at nothing outside: what stands before and behind does not matter', () => {
    for (const [before, behind] of [['a', 'a'], ['/', '/'], ['#', '#'], ['+', '+']]) {
      put(arena, 10, `${before}+/#${behind}`);
      expect(isValidTopicFilter(arena, 11, 3)).toBe(true);
      expect(isValidTopicFilter(arena, 11, 1)).toBe(true);
    }
  });

  it('says of any text what the specification says', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '/', '/', '+', '#', '\u00E4', '\0'), maxLength: 9 });
    fc.assert(fc.property(texts, text => {
      const levels = text.split('/');
      const isRight = text !== '' && !text.includes('\0')
        && levels.every((part, index) => part === '+' || part === '#' && index === levels.length - 1 || !/[+#]/.test(part));
      expect(isFilter(text)).toBe(isRight);
    }), { numRuns: 3000 });
  });
});

describe('matchesTopicFilter', () => {
  it.each([
    // 3.1.1 section 4.7.1.2
    ['sport/tennis/player1/#', 'sport/tennis/player1'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
    ['sport/#', 'sport'],
    ['#', 'sport'],
    ['#', '/'],
    ['#', '/finance'],
    // 3.1.1 section 4.7.1.3
    ['sport/tennis/+', 'sport/tennis/player1'],
    ['sport/+', 'sport/'],
    ['+', 'sport'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['+/tennis/#', 'sport/tennis/player1'],
    ['sport/+/player1', 'sport/tennis/player1'],
    // 3.1.1 section 4.7.2
    ['$SYS/#', '$SYS/'],
    ['$SYS/#', '$SYS'],
    ['$SYS/monitor/+', '$SYS/monitor/Clients'],
    // Empty levels, parents, several wildcards
    ['a', 'a'], ['/', '/'], ['+/', '/'], ['/+', '/'], ['//', '//'], ['+/+/+', '//'], ['a//b', 'a//b'], ['a/+/b', 'a//b'], ['/#', '/'], ['/#', '/a'],
    ['+/#', 'a'], ['+/#', '/'], ['+/#', 'a/b/c'], ['a/+/#', 'a/b'], ['a/+/#', 'a/b/c/d'], ['a/+/#', 'a/'], ['//#', '/'], ['+/+/#', '/'], ['a/#', 'a/$x'], ['+/$x', 'a/$x'],
    ['a/\u00E4/+', 'a/\u00E4/\u00F6'], ['+', ' '],
  ])('%s matches %s', (filter, name) => {
    expect(matches(filter, name)).toBe(true);
  });

  it.each([
    ['sport/tennis/+', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport'],
    ['+', '/finance'],
    ['#', '$SYS'], ['#', '$SYS/a'], ['+/monitor/Clients', '$SYS/monitor/Clients'], ['+', '$SYS'], ['+/#', '$SYS/a'], // [MQTT311-4.7.2-1]
    ['a', 'b'], ['a', 'A'], ['a', 'a/'], ['a', '/a'], ['a/', 'a'], ['/a', 'a'], ['a/b', 'a'], ['a', 'a/b'], ['a/+', 'a'], ['a/+', 'a/b/c'], ['a/#', 'ab'], ['a/#', 'b'],
    ['a/#', '/a'], ['/#', 'a'], ['//#', 'a'], ['//#', '/a'], ['+/+', 'a'], ['a/+/#', 'a'], ['a/b/#', 'a'], ['sport/#', 'spor'], ['ab', 'a'],
    ['\u00E4', 'a\u0308'], // [MQTT311-4.7.3-4]: not normalised
    ['$SYS', 'SYS'], ['SYS', '$SYS'],
  ])('%s does not match %s', (filter, name) => {
    expect(matches(filter, name)).toBe(false);
  });

  it('does not care for what lies behind filter and name', () => {
    put(arena, 0, 'a/#');
    put(arena, 100, 'a/b/');
    expect(matchesTopicFilter(arena, 0, 1, 100, 1)).toBe(true);
    expect(matchesTopicFilter(arena, 0, 2, 100, 1)).toBe(false);
    expect(matchesTopicFilter(arena, 0, 1, 100, 2)).toBe(false);
    expect(matchesTopicFilter(arena, 0, 3, 100, 1)).toBe(true);
  });

  it('agrees with a matcher on strings', () => {
    let matched = 0;
    fc.assert(fc.property(filters, names, (filter, name) => {
      expect([isFilter(filter), isName(name)]).toEqual([true, true]);
      const expected = matchesByLevels(filter, name);
      expect(matches(filter, name)).toBe(expected);
      matched += expected ? 1 : 0;
    }), { numRuns: 4000 });
    expect(matched).toBeGreaterThan(100);
  });

  it('a filter made from a name by wildcards matches it', () => {
    fc.assert(fc.property(names.filter(name => !name.startsWith('$')), fc.array(fc.boolean()), fc.nat(6), (name, plus, cut) => {
      const levels = name.split('/').map((part, index) => plus[index] === true ? '+' : part);
      const filter = cut < levels.length ? [...levels.slice(0, cut), '#'].join('/') : levels.join('/');
      expect(matches(filter, name)).toBe(true);
    }), { numRuns: 1000 });
  });
});

describe('topicFiltersOverlap', () => {
  it.each([['a', 'a'], ['a', '+'], ['a', '#'], ['a/#', 'a'], ['a/#', 'a/b'], ['+/b', 'a/+'], ['#', '#'], ['+', '#'], ['+/#', 'a'], ['a/+/c', '+/b/#'], ['$SYS/#', '$SYS/a'],
    ['/', '+/+'], ['a/b/#', 'a/#'], ['a/b', 'a/+/#']])('%s and %s', (a, b) => {
    expect([topicFiltersOverlap(a, b), topicFiltersOverlap(b, a)]).toEqual([true, true]);
  });

  it.each([['a', 'b'], ['a', 'a/b'], ['a', 'a/+'], ['a/b', 'a/c'], ['+', 'a/b'], ['#', '$SYS/a'], ['+/a', '$SYS/a'], ['a/+/c', 'a/b/d'], ['a/b/#', 'a'], ['/', 'a']])(
    'not %s and %s', (a, b) => {
      expect([topicFiltersOverlap(a, b), topicFiltersOverlap(b, a)]).toEqual([false, false]);
    });

  it('is true whenever a name matches both', () => {
    fc.assert(fc.property(filters, filters, names, (a, b, name) => {
      if (matchesByLevels(a, name) && matchesByLevels(b, name))
        expect(topicFiltersOverlap(a, b)).toBe(true);
    }), { numRuns: 3000 });
  });

  it('is false whenever no name matches both', () => {
    // The name that takes the stricter level of the two each time matches both if any does.
    fc.assert(fc.property(filters, filters, (a, b) => {
      if (!topicFiltersOverlap(a, b))
        return;
      const left = a.split('/'), right = b.split('/');
      const levels: string[] = [];
      for (let index = 0; ; ++index) {
        const l = left[index], r = right[index];
        if ((l === undefined || l === '#') && (r === undefined || r === '#'))
          break;
        const strict = l === undefined || l === '#' ? r! : r === undefined || r === '#' || r === '+' ? l : l === '+' ? r : l;
        levels.push(strict === '+' ? 'x' : strict);
      }
      const name = levels.length === 0 ? 'x' : levels.join('/');
      if (name !== '')
        expect([matchesByLevels(a, name), matchesByLevels(b, name)], name).toEqual([true, true]);
    }), { numRuns: 3000 });
  });
});
