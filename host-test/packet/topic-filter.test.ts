import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  filterCovers, filtersOverlap, hasWildcard, isValidTopicFilter, matchesTopicFilter,
} from '../../src/packet/topic-filter.ts';
import { isValidTopicName } from '../../src/packet/topic.ts';
import { put, testArena } from '../bytes/test-arena.ts';

const arena = testArena(512);

const isName = (text: string): boolean => isValidTopicName(arena, 5, put(arena, 5, text));
const isFilter = (text: string): boolean => isValidTopicFilter(arena, 5, put(arena, 5, text));
const matches = (filter: string, name: string): boolean =>
  matchesTopicFilter(arena, 3, put(arena, 3, filter), 200, put(arena, 200, name));
const compare = (what: typeof filtersOverlap, a: string, b: string): boolean =>
  what(arena, 3, put(arena, 3, a), 200, put(arena, 200, b));
const overlaps = (a: string, b: string): boolean => compare(filtersOverlap, a, b);
const covers = (outer: string, inner: string): boolean => compare(filterCovers, outer, inner);

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
const filters =
  fc.tuple(fc.constantFrom('', '', '', '$'),
    fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([dollar, levels, all]) =>
    (levels[0] === '+' ? '' : dollar) + levels.join('/') + (all ? '/#' : '')).filter(filter => filter !== '');

describe('isValidTopicFilter', () => {
  it.each(['#', '+', '/', 'a', 'a/#', '/#', '//#', '+/#', '+/+', '/+', '+/', 'a/+', 'a/+/b', '+/a/#', '$SYS/#',
    '$SYS/+/x', ' ', '\uFEFF/+', '\u00E4/#',
    'sport/tennis/player1/#', 'sport/tennis/#', 'sport/tennis/+', '+/tennis/#', 'sport/+/player1'])('takes %s',
      filter => {
    expect(isFilter(filter)).toBe(true);
  });

  it.each(['', 'a#', '#a', '#/', '#/a', 'a/#/b', '##', '#+', '+#', 'a/b#', 'sport/tennis#', 'sport/tennis/#/ranking',
    '\u00E4#'])(
    'refuses %s [MQTT311-4.7.1-2] [MQTT311-4.7.3-1]', filter => {
      expect(isFilter(filter)).toBe(false);
    });

  it.each(['a+', '+a', '++', 'a/+b', 'a/b+/c', 'sport+', '+\u00E4', '/+a', '+\u0000',
    'a\u0000/#'])('refuses %j [MQTT311-4.7.1-3] [MQTT311-4.7.3-2]', filter => {
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
        && levels.every((part, index) => part === '+' || part === '#' && index === levels.length - 1
          || !/[+#]/.test(part));
      expect(isFilter(text)).toBe(isRight);
    }), { numRuns: 3000 });
  });
});

describe('isValidTopicFilter of bytes', () => {
  it.each([[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x61, 0x80], [0x61, 0x62, 0x63, 0x64, 0xC3]])(
    'refuses what is not UTF-8: %j %j %j [MQTT311-1.5.3-1]', (...bytes) => {
      expect(isValidTopicFilter(arena, 1, put(arena, 1, bytes))).toBe(false);
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
    ['a', 'a'], ['/', '/'], ['+/', '/'], ['/+', '/'], ['//', '//'], ['+/+/+', '//'], ['a//b', 'a//b'],
      ['a/+/b', 'a//b'], ['/#', '/'], ['/#', '/a'],
    ['+/#', 'a'], ['+/#', '/'], ['+/#', 'a/b/c'], ['a/+/#', 'a/b'], ['a/+/#', 'a/b/c/d'], ['a/+/#', 'a/'],
      ['//#', '/'], ['+/+/#', '/'], ['a/#', 'a/$x'], ['+/$x', 'a/$x'],
    ['a/\u00E4/+', 'a/\u00E4/\u00F6'], ['+', ' '],
  ])('%s matches %s', (filter, name) => {
    expect(matches(filter, name)).toBe(true);
  });

  it.each([
    ['sport/tennis/+', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport'],
    ['+', '/finance'],
    // [MQTT311-4.7.2-1]
    ['#', '$SYS'], ['#', '$SYS/a'], ['+/monitor/Clients', '$SYS/monitor/Clients'], ['+', '$SYS'], ['+/#', '$SYS/a'],
    ['a', 'b'], ['a', 'A'], ['a', 'a/'], ['a', '/a'], ['a/', 'a'], ['/a', 'a'], ['a/b', 'a'], ['a', 'a/b'],
      ['a/+', 'a'], ['a/+', 'a/b/c'], ['a/#', 'ab'], ['a/#', 'b'],
    ['a/#', '/a'], ['/#', 'a'], ['//#', 'a'], ['//#', '/a'], ['+/+', 'a'], ['a/+/#', 'a'], ['a/b/#', 'a'],
      ['sport/#', 'spor'], ['ab', 'a'],
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
    fc.assert(fc.property(names.filter(name => !name.startsWith('$')), fc.array(fc.boolean()), fc.nat(6),
      (name, plus, cut) => {
      const levels = name.split('/').map((part, index) => plus[index] === true ? '+' : part);
      const filter = cut < levels.length ? [...levels.slice(0, cut), '#'].join('/') : levels.join('/');
      expect(matches(filter, name)).toBe(true);
    }), { numRuns: 1000 });
  });
});

describe('filtersOverlap', () => {
  it.each([['a', 'a'], ['a', '+'], ['a', '#'], ['a/#', 'a'], ['a/#', 'a/b'], ['+/b', 'a/+'], ['#', '#'], ['+', '#'],
    ['+/#', 'a'], ['a/+/c', '+/b/#'], ['$SYS/#', '$SYS/a'],
    ['/', '+/+'], ['a/b/#', 'a/#'], ['a/b', 'a/+/#']])('%s and %s', (a, b) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([true, true]);
  });

  it.each([['a', 'b'], ['a', 'a/b'], ['a', 'a/+'], ['a/b', 'a/c'], ['+', 'a/b'], ['#', '$SYS/a'], ['+/a', '$SYS/a'],
    ['a/+/c', 'a/b/d'], ['a/b/#', 'a'], ['/', 'a']])(
    'not %s and %s', (a, b) => {
      expect([overlaps(a, b), overlaps(b, a)]).toEqual([false, false]);
    });

  it('is true whenever a name matches both', () => {
    fc.assert(fc.property(filters, filters, names, (a, b, name) => {
      if (matchesByLevels(a, name) && matchesByLevels(b, name))
        expect(overlaps(a, b)).toBe(true);
    }), { numRuns: 3000 });
  });

  it('is false whenever no name matches both', () => {
    // The name that takes the stricter level of the two each time matches both if any does.
    fc.assert(fc.property(filters, filters, (a, b) => {
      if (!overlaps(a, b))
        return;
      const left = a.split('/'), right = b.split('/');
      const levels: string[] = [];
      for (let index = 0; ; ++index) {
        const l = left[index], r = right[index];
        if ((l === undefined || l === '#') && (r === undefined || r === '#'))
          break;
        const strict = l === undefined || l === '#' ? r! : r === undefined || r === '#' || r === '+' ? l : l === '+'
          ? r : l;
        levels.push(strict === '+' ? 'x' : strict);
      }
      const name = levels.length === 0 ? 'x' : levels.join('/');
      if (name !== '')
        expect([matchesByLevels(a, name), matchesByLevels(b, name)], name).toEqual([true, true]);
    }), { numRuns: 3000 });
  });
});

describe('two filters', () => {
  it.each([
    ['a', 'a', true], ['a', 'b', false], ['a', 'ab', false], ['#', 'a/b', true], ['#', '#', true], ['a/#', 'a', true],
      ['a', 'a/#', true], ['a/#', '+', true], ['+/b', 'a/+', true],
    ['+/b', 'a/c', false], ['a/+', 'a', false], ['a/b/#', 'a/+', true], ['a/b/c/#', 'a/+', false], ['+', '/', false],
      ['/+', '/', true], ['+/+', '/#', true], ['$a/#', '#', false], ['+', '$a', false], ['$a/+', '$a/b', true],
    ['a/+/c', 'a/b/+', true], ['a/+/c', 'a/b/d', false], ['a//b', 'a/+/b', true], ['ab/#', 'a/#', false],
  ])('%j and %j overlap: %s', (a, b, expected) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([expected, expected]);
  });

  it.each([
    ['#', 'a/b', true], ['#', '#', true], ['a/#', 'a', true], ['a/#', 'a/#', true], ['a/#', 'a/+/c', true],
      ['a/+', 'a/#', false], ['a/+', 'a/b', true], ['a/+', 'a/+', true], ['a', 'a', true], ['a', '+', false],
    ['+', 'a', true], ['+/#', 'a', true], ['+/#', '#', true], ['a/+/#', 'a/#', false], ['#', '$a', false],
      ['$a/#', '$a/b', true], ['a/b', 'a', false], ['a', 'a/b', false], ['ab', 'a', false], ['a', 'ab', false],
        ['a/+', 'a/b/c', false],
  ])('%j covers %j: %s', (outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected);
  });

  it('compared by all names of a small world: overlap and cover say what matching says', () => {
    const filters = ['#', '+', '+/+', 'a', 'a/#', 'a/+', '+/b', 'a/b', '+/#', 'a/b/#', '/', '+/b/#', '/+', 'b/a'];
    const names =
      ['a', 'b', '/', '/a', 'a/', 'a/a', 'a/b', 'b/b', 'b/a', 'a/b/a', 'a/b/b', '//', 'b/b/b', 'a/a/a', '/b', '/b/b',
        'a//b'];
    const matches = (filter: string, name: string): boolean =>
      new RegExp(`^${filter.replace(/\/#$/, '(/.*)?').replace(/^#$/, '.*').replace(/\+/g, '[^/]*')}$`).test(name);
    for (const a of filters)
      for (const b of filters) {
        expect([a, b, overlaps(a, b)]).toEqual([a, b, names.some(name => matches(a, name) && matches(b, name))]);
        expect([a, b, covers(a, b)]).toEqual([a, b, names.every(name => !matches(b, name) || matches(a, name))]);
      }
  });
});

it.each([['a/b', false], ['#', true], ['a/#', true], ['+', true], ['+/b', true], ['a/+/b', true], ['a/+', true],
  ['a', false]])('that %s is more than one name is %s', (filter, expected) => {
  expect(hasWildcard(arena, 3, put(arena, 3, filter))).toBe(expected);
});
