import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { INVALID_TOPIC, TopicTable } from '../../src/packet/topic-table.ts';
import { put, POISON } from '../bytes/test-arena.ts';

const NAME = 0;
const GUARD = 8;
const READERS = 8;

class Bench {
  readonly arena: Arena;
  readonly table: TopicTable;
  /** What the owner was told, in order. */
  readonly replaced: number[] = [];

  constructor(count: number, capacity: number) {
    const plan = new ArenaPlan();
    plan.reserve('name', 256);
    plan.reserve('guard', GUARD);
    const offset = TopicTable.plan(plan, count, capacity, READERS);
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

  /** Remembers a number as a parser does. */
  class Reader {
    index = INVALID_TOPIC;
    forgotten = 0;
    readonly number: number;
    private readonly table: TopicTable;

    constructor(table: TopicTable) {
      this.table = table;
      this.number = table.addReader(this);
    }

    remember(index: number): void {
      this.table.remember(this.number, this.index, index);
      this.index = index;
    }

    forgetPrediction(): void {
      ++this.forgotten;
      this.remember(INVALID_TOPIC);
    }
  }

  it('tells those, and only those, who remember a number that it stands for another name', () => {
    const bench = new Bench(2, 32);
    const readers = Array.from({ length: 4 }, () => new Reader(bench.table));
    [0, 1, 0, INVALID_TOPIC].forEach((index, at) => readers[at]!.remember(index));
    const index = bench.indexOf('site/temperature');
    const expected = index === 0 ? [1, 0, 1, 0] : [0, 1, 0, 0];
    const forgotten = (): number[] => readers.map(reader => reader.forgotten);
    expect(forgotten()).toEqual(expected);
    bench.indexOf('site/temperature');
    bench.indexOf('x'.repeat(33)); // has no place
    bench.indexOf('a#');
    expect(forgotten()).toEqual(expected);
  });

  it('tells each reader of a number once, whatever readers came, went to other numbers, and came back', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(READERS - 1), fc.integer({ min: -1, max: 4 })), { maxLength: 60 }),
      changes => {
        const bench = new Bench(4, 8);
        const names = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd'];
        const readers = Array.from({ length: READERS }, () => new Reader(bench.table));
        names.forEach(name => bench.indexOf(name));
        changes.forEach(([reader, index]) => readers[reader]!.remember(index));
        for (const name of ['eeeeeeee', 'ffffffff', 'gggggggg']) {
          const before = readers.map(({ forgotten }) => forgotten);
          const remembered = readers.map(({ index }) => index);
          const index = bench.indexOf(name);
          expect(readers.map(({ forgotten }, at) => forgotten - before[at]!))
            .toEqual(remembered.map(other => other === index ? 1 : 0));
        }
        expect(bench.guardsAreIntact).toBe(true);
      }));
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
    expect(TopicTable.plan(plan, 8, 30, 3)).toBe(3);
    expect(plan.regions.slice(1)).toEqual([{ name: 'topic table', count: 8, length: 32 },
      { name: 'index of topics', count: 8, length: 6 },
      { name: 'index of topics: who remembers one', count: 3, length: 4 }]);
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
    const numbersOf = () => new Set(Array.from({ length: 64 }, (_, device) => bench.indexOf(nameOf(device))));
    for (let round = 0; round < 3; ++round)
      numbersOf(); // now and then one gives way to another one whose own place it has, once
    const { length } = bench.replaced;
    expect(length).toBeLessThan(2 * 64);
    expect(numbersOf().size).toBe(64);
    expect(bench.replaced.length).toBe(length); // as many as there are places: none gives way
  });

  it('looks at no more places for a thousand names in 1,024 places than for a hundred, but one or two', () => {
    const looksPerName = (count: number): number => {
      const bench = new Bench(1024, 64);
      const names = Array.from({ length: count }, (_, index) => `plant/line${index % 7}/machine${index}/vibration`);
      for (let round = 0; round < 3; ++round)
        names.forEach(name => bench.indexOf(name));
      const { length } = bench.replaced;
      let looks = 0;
      const { table } = bench as unknown as { table: { view: { getUint16(at: number): number } } };
      const { view } = table;
      table.view = new Proxy(view, { get(target, key: 'getUint16') {
        const method = target[key].bind(target);
        return key === 'getUint16' ? (at: number) => (++looks, method(at)) : method;
      } });
      names.forEach(name => bench.indexOf(name));
      expect(bench.replaced.length).toBe(length);
      return looks / count;
    };
    expect(looksPerName(100)).toBeGreaterThanOrEqual(1);
    expect(looksPerName(1000)).toBeLessThan(looksPerName(100) + 4);
  });

  it('finds all names of the greatest table again but one', () => {
    const bench = new Bench(65_536, 8);
    const numbersOf = () => new Set(Array.from({ length: 65_535 }, (_, index) => bench.indexOf(`n${index}`)));
    for (let round = 0; round < 3; ++round)
      numbersOf();
    const { length } = bench.replaced;
    expect(numbersOf().size).toBe(65_535);
    expect(bench.replaced.length).toBe(length);
    expect(bench.indexOf('one more')).toBeLessThan(65_535);
    expect(bench.indexOf('one more')).toBe(bench.replaced.at(-1));
    expect(bench.guardsAreIntact).toBe(true);
  });

  it('keeps its chains whole while names come that have no place left', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), sequence => {
      const bench = new Bench(8, 16);
      const known = new Map<string, number>();
      for (const number of sequence) {
        const name = number % 3 === 0 ? `t${number}` : `site/name${number}`;
        const told = bench.replaced.length;
        const index = bench.indexOf(name);
        expect(bench.replaced.slice(told)).toEqual(known.get(name) === index ? [] : [index]);
        expect(known.has(name) && known.get(name) !== index).toBe(false); // it would be there twice
        for (const [other, place] of known)
          if (place === index)
            known.delete(other);
        known.set(name, index);
      }
      expect(bench.guardsAreIntact).toBe(true);
    }), { numRuns: 300 });
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
