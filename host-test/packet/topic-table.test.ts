import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { INVALID_TOPIC, TopicTable } from '../../src/packet/topic-table.ts';
import { put, POISON } from '../bytes/test-arena.ts';

const NAME = 0;
const GUARD = 8;

class Bench {
  readonly arena: Arena;
  readonly table: TopicTable;
  /** What the owner was told, in order. */
  readonly replaced: number[] = [];

  constructor(count: number, capacity: number) {
    const plan = new ArenaPlan();
    plan.reserve('name', 256);
    plan.reserve('guard', GUARD);
    const offset = TopicTable.plan(plan, count, capacity);
    plan.reserve('guard', GUARD);
    this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
    this.arena.bytes.fill(POISON, 256, 256 + GUARD);
    this.arena.bytes.fill(POISON, this.arena.length - GUARD);
    this.table = new TopicTable(this.arena, offset, count, capacity);
    this.table.owner = { onTopicReplaced: index => void this.replaced.push(index) };
  }

  indexOf(name: string | number[], at = NAME): number {
    return this.table.indexOf(at, put(this.arena, at, name));
  }

  get guardsAreIntact(): boolean {
    const { bytes, length } = this.arena;
    return bytes.subarray(256, 256 + GUARD).every(byte => byte === POISON)
      && bytes.subarray(length - GUARD).every(byte => byte === POISON);
  }
}

describe('a topic table', () => {
  it('gives a name the same number each time, and tells the owner only the first time', () => {
    const bench = new Bench(16, 32);
    const index = bench.indexOf('sensor/temperature');
    expect(index).toBeGreaterThanOrEqual(0);
    expect(index).toBeLessThan(16);
    expect(bench.replaced).toEqual([index]);
    for (const at of [0, 1, 7, 33])
      expect(bench.indexOf('sensor/temperature', at)).toBe(index);
    expect(bench.replaced).toEqual([index]);
  });

  it('knows of the name that it checked last whether it is ASCII without control characters', () => {
    const bench = new Bench(4, 8);
    for (const [name, isPlain] of [['site/a', true], ['s\u00EDte/a', false], ['a long name without a place', true],
      ['another long n\u00E2me', false], ['si\u0001te', false], ['site/b', true]] as const) {
      const index = bench.indexOf(name);
      expect(bench.table.plainIndex === index).toBe(isPlain);
      const before = bench.table.plainIndex;
      expect(bench.indexOf('a#b')).toBe(INVALID_TOPIC);
      expect(bench.indexOf('')).toBe(INVALID_TOPIC);
      expect(bench.table.plainIndex).toBe(before);
    }
  });

  it('tells those, and only those, who remember a number that it stands for another name', () => {
    const bench = new Bench(2, 32);
    const forgotten: string[] = [];
    for (const [name, predictedIndex] of [['a', 0], ['b', 1], ['c', 0], ['none', -1]] as const)
      bench.table.readers.push({ predictedIndex, forgetPrediction: () => void forgotten.push(name) });
    const index = bench.indexOf('site/temperature');
    const expected = index === 0 ? ['a', 'c'] : ['b'];
    expect(forgotten).toEqual(expected);
    bench.indexOf('site/temperature');
    bench.indexOf('x'.repeat(33)); // has no place
    bench.indexOf('a#');
    expect(forgotten).toEqual(expected);
  });

  it('replaces a name by another that has the same place, and tells the owner', () => {
    const bench = new Bench(1, 32); // every name has the same place
    for (const name of ['a', 'b', 'a', 'ab', 'abc', 'abcdefgh'])
      expect(bench.indexOf(name)).toBe(0);
    expect(bench.replaced).toEqual([0, 0, 0, 0, 0, 0]);
    bench.indexOf('abcdefgh');
    expect(bench.replaced.length).toBe(6);
  });

  it('does not take a name for its beginning, its end, or one that differs in one bit', () => {
    const bench = new Bench(1, 64);
    const name = 'site/greenhouse/air/temperature';
    bench.indexOf(name);
    let expected = 1;
    for (let length = 1; length < name.length; ++length) {
      for (const other of [name.slice(0, length), name.slice(length)]) {
        bench.indexOf(other);
        bench.indexOf(name);
        expected += 2;
        expect(bench.replaced.length).toBe(expected);
      }
    }
    for (let position = 0; position < name.length; ++position) {
      const bytes = [...Buffer.from(name)];
      bytes[position]! ^= 0x40;
      bench.indexOf(bytes[position]! === 0 ? 'x' : bytes.map(byte => byte === 0x2B || byte === 0x23 ? 0x78 : byte));
      bench.indexOf(name);
    }
    expect(bench.replaced.length).toBe(expected + 2 * name.length);
  });

  it('gives names that have no place the number `uncached`, and tells the owner each time', () => {
    const bench = new Bench(4, 8);
    expect(bench.table.uncached).toBe(4);
    expect(bench.indexOf('12345678')).toBeLessThan(4);
    const before = bench.replaced.length;
    expect(bench.indexOf('123456789')).toBe(4);
    expect(bench.indexOf('123456789')).toBe(4);
    expect(bench.indexOf('x'.repeat(200))).toBe(4);
    expect(bench.replaced.slice(before)).toEqual([4, 4, 4]);
    expect(bench.guardsAreIntact).toBe(true);
  });

  it('leaves a cached name alone when an uncached one comes', () => {
    const bench = new Bench(1, 8);
    bench.indexOf('12345678');
    bench.indexOf('123456789');
    bench.indexOf('12345678');
    expect(bench.replaced).toEqual([0, 1]);
  });

  it.each<[string,
    string | number[]]>([['empty', ''], ['#', '#'], ['+', 'a/+'], ['U+0000', 'a\0'], ['not UTF-8', [0xFF]],
      ['longer than a place, with #', 'aaaaaaaaaaaa/#']])(
    'refuses a name: %s, and changes nothing', (_name, name) => {
      const bench = new Bench(1, 8);
      expect(bench.indexOf('kept')).toBe(0);
      const before = bench.arena.bytes.slice(256);
      expect(bench.indexOf(name)).toBe(INVALID_TOPIC);
      expect(bench.indexOf(name)).toBe(INVALID_TOPIC);
      expect(bench.arena.bytes.slice(256)).toEqual(before);
      expect(bench.replaced).toEqual([0]);
      expect(bench.indexOf('kept')).toBe(0);
      expect(bench.replaced).toEqual([0]);
    });

  it('refuses the empty name also while its place is empty', () => {
    for (const count of [1, 2, 16])
      expect(new Bench(count, 8).indexOf('')).toBe(INVALID_TOPIC);
  });

  it('needs no owner', () => {
    const bench = new Bench(2, 8);
    bench.table.owner = undefined;
    expect(bench.indexOf('a')).toBeLessThan(2);
    expect(bench.indexOf('a name too long')).toBe(2);
  });

  it.each([0, -1, 3, 6, 12])('refuses %s places', count => {
    const arena = new Arena(new ArenaPlan(), { landingCapacity: 0, stagingCapacity: 64 });
    expect(() => new TopicTable(arena, 0, count, 8)).toThrow(RangeError);
  });

  it('reserves the places of all names', () => {
    const plan = new ArenaPlan();
    plan.reserve('before', 3);
    expect(TopicTable.plan(plan, 8, 30)).toBe(3);
    expect(plan.regions[1]).toEqual({ name: 'topic table', count: 8, length: 32 });
  });

  it('spreads the topics of a sensor node', () => {
    const bench = new Bench(64, 48);
    const names: string[] = [];
    for (const place of ['kitchen', 'hall', 'cellar', 'garden'])
      for (const quantity of ['temperature', 'humidity', 'pressure', 'battery'])
        names.push(`site/${place}/${quantity}`);
    expect(new Set(names.map(name => bench.indexOf(name))).size).toBeGreaterThan(names.length * 0.6);
    const numbered = Array.from({ length: 16 }, (_, index) => bench.indexOf(`sensor/${index}`));
    expect(new Set(numbered).size).toBeGreaterThan(10);
  });

  it.each<[string, (device: number) => string]>([
    ['in the middle', device => `plant/line${device % 5}/machine${device / 5 | 0}/vibration`],
    ['far from the end', device => `tele/device_${device}/SENSOR/temperature`],
    ['at the beginning', device => `${1000 + device}/kitchen/temperature`],
  ])('has places for names that differ %s', (_title, nameOf) => {
    const bench = new Bench(64, 48);
    const newNames = () => {
      const before = bench.replaced.length;
      for (let device = 0; device < 20; ++device)
        bench.indexOf(nameOf(device));
      return bench.replaced.length - before;
    };
    expect(newNames()).toBe(20);
    for (let round = 0; round < 10; ++round)
      newNames();
    expect(newNames()).toBeLessThan(10); // of 20: those that find both their places taken
  });

  it('never gives a number to the wrong name, whatever comes', () => {
    const names = fc.string({ unit: fc.constantFrom('a', 'b', '/', '+', '1', '2', '\u00E4'), maxLength: 12 });
    fc.assert(fc.property(fc.constantFrom(1, 2, 4), fc.array(names, { maxLength: 40 }), (count, sequence) => {
      const bench = new Bench(count, 8);
      const known = new Map<number, string>();
      for (const name of sequence) {
        const told = bench.replaced.length;
        const index = bench.indexOf(name);
        const length = Buffer.byteLength(name);
        if (name === '' || name.includes('+')) {
          expect(index).toBe(INVALID_TOPIC);
          expect(bench.replaced.length).toBe(told);
        } else if (length > 8)
          expect([index, bench.replaced.slice(told)]).toEqual([count, [count]]);
        else {
          expect(bench.replaced.slice(told)).toEqual(known.get(index) === name ? [] : [index]);
          known.set(index, name);
        }
      }
      expect(bench.guardsAreIntact).toBe(true);
    }), { numRuns: 500 });
  });
});
