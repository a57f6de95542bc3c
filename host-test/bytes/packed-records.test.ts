import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arena } from '../../src/bytes/arena.ts';
import { END, PackedRecords, type RecordMover } from '../../src/bytes/packed-records.ts';
import { isPoisonOutside, testArena } from './test-arena.ts';

const OFFSET = 8;
const CAPACITY = 120;
const MAXIMUM_COUNT = 6;

class Moves implements RecordMover {
  readonly places = new Map<number, number>();
  slack = 0;

  onTightened(from: number, to: number, slack: number): void {
    this.places.set(from, to);
    this.slack += slack;
  }
}

interface Pair {
  arena: Arena;
  records: PackedRecords;
  /** What they ought to hold. */
  model: number[][];
}

function pair(): Pair {
  const arena = testArena(OFFSET + CAPACITY + 16);
  return { arena, records: new PackedRecords(arena, OFFSET, CAPACITY, MAXIMUM_COUNT), model: [] };
}

const spanOf = (length: number): number => 4 + Math.ceil(length / 4) * 4;

function offsets(records: PackedRecords): number[] {
  const found: number[] = [];
  for (let at = records.first; at !== END; at = records.next(at))
    found.push(at);
  return found;
}

function check({ arena, model, records }: Pair): void {
  expect(offsets(records).map(at => [...arena.bytes.slice(at, at + records.lengthOf(at))])).toEqual(model);
  expect(records.count).toBe(model.length);
  expect(records.usedLength - records.slackLength).toBe(model.reduce((sum, { length }) => sum + spanOf(length), 0));
  expect(isPoisonOutside(arena, OFFSET, OFFSET + CAPACITY)).toBe(true);
}

/** @returns whether it fitted */
function append({ arena, model, records }: Pair, content: number[]): boolean {
  const fits = records.fits(content.length);
  const at = records.append(content.length);
  expect(at !== END).toBe(fits);
  if (at === END)
    return false;
  arena.bytes.set(content, at);
  model.push(content);
  return true;
}

describe('packed records', () => {
  it('that are marked go all at once, and the others keep their order and content', () => {
    for (let marked = 0; marked < 16; ++marked) {
      const both = pair();
      for (const length of [1, 4, 0, 9])
        append(both, Array.from({ length }, (_value, index) => length + index));
      const kept = both.model.filter((_content, index) => (marked >> index & 1) === 0);
      offsets(both.records).forEach((at, index) => {
        if ((marked >> index & 1) !== 0)
          both.records.mark(at);
      });
      both.records.sweep();
      both.model = kept;
      check(both);
    }
  });

  it('are none at first', () => {
    const { records } = pair();
    expect(records.first).toBe(END);
    expect(records.count).toBe(0);
    expect(records.usedLength).toBe(0);
  });

  it('follow each other, each at a multiple of 4', () => {
    const both = pair();
    for (const length of [0, 1, 3, 4, 5, 0])
      expect(append(both, Array.from({ length }, (_, index) => length * 16 + index))).toBe(true);
    check(both);
    expect(offsets(both.records).map(at => at % 4)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('take all of the room, to the last byte', () => {
    const both = pair();
    expect(both.records.fits(CAPACITY - 4)).toBe(true);
    expect(both.records.fits(CAPACITY - 3)).toBe(false);
    expect(append(both, Array<number>(CAPACITY - 4).fill(7))).toBe(true);
    expect(append(both, [])).toBe(false);
    check(both);
  });

  it('change nothing when one does not fit: neither room nor count may be exceeded', () => {
    const both = pair();
    append(both, Array<number>(80).fill(1));
    expect(append(both, Array<number>(33).fill(2))).toBe(false);
    check(both);
    expect(append(both, Array<number>(32).fill(3))).toBe(true);
    check(both);
    const many = pair();
    for (let count = 0; count < MAXIMUM_COUNT; ++count)
      expect(append(many, [count])).toBe(true);
    expect(append(many, [])).toBe(false);
    check(many);
  });

  it('are walked and removed at once: remove gives what was behind', () => {
    const both = pair();
    for (const content of [[1], [2, 2], [3, 3, 3], [4], [5]])
      append(both, content);
    const { records } = both;
    for (let at = records.first; at !== END;)
      at = records.lengthOf(at) === 1 ? records.remove(at) : records.next(at);
    both.model = [[2, 2], [3, 3, 3]];
    check(both);
    expect(records.remove(records.next(records.first))).toBe(END);
    expect(records.remove(records.first)).toBe(END);
    both.model = [];
    check(both);
  });

  it('behave as a list, whatever is done', () => {
    const action = fc.oneof(
      { weight: 4,
        arbitrary: fc.record({ kind: fc.constant('append' as const),
          content: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), index: fc.nat(MAXIMUM_COUNT) }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('resize' as const), index: fc.nat(MAXIMUM_COUNT),
        length: fc.nat(40) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('tighten' as const) }) },
    );
    fc.assert(fc.property(fc.array(action, { maxLength: 60 }), actions => {
      const both = pair();
      for (const step of actions) {
        if (step.kind === 'append')
          append(both, step.content);
        else if (step.kind === 'tighten') {
          const { records } = both;
          const moves = new Moves();
          const before = offsets(records), { slackLength } = records;
          records.tighten(moves);
          expect(before.map(at => moves.places.get(at) ?? at)).toEqual(offsets(records));
          expect([moves.slack, records.slackLength]).toEqual([slackLength, 0]);
        } else if (step.kind === 'resize' && both.model.length > 0) {
          const index = step.index % both.model.length;
          const { records } = both;
          const before = offsets(records);
          const distance = records.resize(before[index]!, step.length);
          if (distance === END)
            expect(records.usedLength + spanOf(step.length) - spanOf(both.model[index]!.length))
              .toBeGreaterThan(CAPACITY - records.slackLength);
          else {
            expect(offsets(records)).toEqual(before.map((at, place) => place > index ? at + distance : at));
            both.model[index] = new Array<number>(step.length).fill(step.length);
            both.arena.bytes.fill(step.length, before[index], before[index]! + step.length);
          }
        } else if (step.kind === 'remove' && both.model.length > 0) {
          const index = step.index % both.model.length;
          const at = offsets(both.records)[index]!;
          expect(both.records.remove(at)).toBe(index === both.model.length - 1 ? END : at);
          both.model.splice(index, 1);
        }
        check(both);
      }
    }), { seed: 1, numRuns: 500 });
  });
});
