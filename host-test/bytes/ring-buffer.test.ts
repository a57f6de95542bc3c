import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { RingBuffer, RingSpace } from '../../src/bytes/ring-buffer.ts';

const POISON = 0xA5;
const SOURCE_CAPACITY = 64;
const GUARD = 8;

/** A ring between two guards, and a place to write from. */
class Bench {
  readonly arena: Arena;
  readonly ring: RingBuffer;
  readonly capacity: number;
  readonly offset: number;

  constructor(capacity: number) {
    const plan = new ArenaPlan();
    plan.reserve('source', SOURCE_CAPACITY);
    plan.reserve('guard', GUARD);
    const offset = this.offset = plan.reserve('ring', capacity);
    plan.reserve('guard', GUARD);
    this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: capacity, resizable: false });
    this.arena.bytes.fill(POISON);
    this.ring = new RingBuffer(new RingSpace(this.arena, capacity), offset);
    this.capacity = capacity;
  }

  write(bytes: readonly number[]): boolean {
    this.arena.bytes.set(bytes, 0);
    return this.ring.write(0, bytes.length);
  }

  get content(): number[] {
    const { bytes } = this.arena;
    return Array.from({ length: this.ring.length }, (_, index) =>
      bytes[this.offset + (this.ring.readOffset - this.offset + index) % this.capacity]!);
  }

  /** All invariants that hold at any time. */
  check(model: readonly number[]): void {
    const { arena, capacity, ring } = this;
    expect(this.content).toEqual(model);
    expect(ring.length).toBe(model.length);
    expect(ring.free).toBe(capacity - model.length);
    expect(ring.head).toBeGreaterThanOrEqual(0);
    expect(ring.head).toBeLessThan(capacity);
    expect(ring.readOffset).toBe(SOURCE_CAPACITY + GUARD + ring.head);
    expect(ring.contiguousLength).toBe(Math.min(model.length, capacity - ring.head));
    expect([...arena.bytes.slice(ring.readOffset, ring.readOffset + ring.contiguousLength)]).toEqual(model.slice(0,
      ring.contiguousLength));
    for (let index = 0; index < GUARD; ++index) {
      expect(arena.bytes[SOURCE_CAPACITY + index]).toBe(POISON);
      expect(arena.bytes[SOURCE_CAPACITY + GUARD + capacity + index]).toBe(POISON);
    }
  }
}

const numbers = (length: number, first = 1): number[] => Array.from({ length }, (_, index) => first + index & 0xFF);

describe('a ring buffer', () => {
  it('starts empty', () => {
    new Bench(5).check([]);
  });

  it('can be filled to the last byte, from every offset, and read again', () => {
    for (let capacity = 1; capacity <= 9; ++capacity)
      for (let head = 0; head < capacity; ++head)
        for (let first = 0; first <= capacity; ++first) {
          const bench = new Bench(capacity);
          bench.ring.head = head;
          expect(bench.write(numbers(first))).toBe(true);
          expect(bench.write(numbers(capacity - first, first + 1))).toBe(true);
          bench.check(numbers(capacity));
          for (let taken = 1; taken <= capacity; ++taken) {
            bench.ring.consume(1);
            bench.check(numbers(capacity - taken, taken + 1));
          }
        }
  });

  it('refuses what does not fit and changes nothing', () => {
    for (let head = 0; head < 5; ++head)
      for (let held = 0; held <= 5; ++held) {
        const bench = new Bench(5);
        bench.ring.head = head;
        bench.write(numbers(held));
        const before = bench.arena.bytes.slice(SOURCE_CAPACITY);
        for (let length = 6 - held; length < 12; ++length) {
          expect(bench.write(numbers(length, 100))).toBe(false);
          expect(bench.ring.head).toBe(head);
          bench.check(numbers(held));
          expect(bench.arena.bytes.slice(SOURCE_CAPACITY)).toEqual(before);
        }
      }
  });

  it('takes no bytes at any time', () => {
    const bench = new Bench(3);
    expect(bench.write([])).toBe(true);
    bench.check([]);
    bench.write([1, 2, 3]);
    expect(bench.write([])).toBe(true);
    bench.check([1, 2, 3]);
    bench.ring.consume(0);
    bench.check([1, 2, 3]);
  });

  it('rewinds when it runs empty', () => {
    const bench = new Bench(5);
    bench.write([1, 2, 3]);
    bench.ring.consume(2);
    expect(bench.ring.head).toBe(2);
    bench.ring.consume(1);
    expect(bench.ring.head).toBe(0);
    bench.write([4, 5, 6]);
    bench.ring.consume(1);
    bench.ring.clear();
    expect([bench.ring.head, bench.ring.length]).toEqual([0, 0]);
  });

  it('goes round when it is read to the end of its region but not empty', () => {
    const bench = new Bench(4);
    bench.write([1, 2, 3, 4]);
    bench.ring.consume(3);
    bench.write([5, 6]);
    bench.ring.consume(1);
    expect(bench.ring.head).toBe(0);
    bench.check([5, 6]);
  });

  it('can be written from a place behind it and from its own staging', () => {
    const bench = new Bench(6);
    const { arena, ring } = bench;
    ring.head = 4;
    arena.bytes.set([1, 2, 3, 4], arena.stagingOffset);
    expect(ring.write(arena.stagingOffset, 4)).toBe(true);
    bench.check([1, 2, 3, 4]);
  });

  it('does what a plain array does', () => {
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(fc.constant('write' as const), fc.integer({ min: 0, max: 24 })) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('consume' as const), fc.integer({ min: 0, max: 24 })) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.constant(0)) },
    );
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.array(operation, { maxLength: 30 }),
      (capacity, operations) => {
      const bench = new Bench(capacity);
      let model: number[] = [];
      let next = 1;
      for (const [name, amount] of operations) {
        const length = name === 'write' ? amount : Math.min(amount, model.length);
        if (name === 'write') {
          const bytes = numbers(length, next);
          const fits = model.length + length <= capacity;
          expect(bench.write(bytes)).toBe(fits);
          if (fits) {
            model.push(...bytes);
            next += length;
          }
        } else if (name === 'consume') {
          bench.ring.consume(length);
          model = model.slice(length);
        } else {
          bench.ring.clear();
          model = [];
        }
        if (model.length === 0 && (name === 'consume' || name === 'clear'))
          expect(bench.ring.head).toBe(0);
        bench.check(model);
      }
    }), { numRuns: 300 });
  });
});

describe('a ring buffer that holds one piece at a time', () => {
  /**
   * Holds `length` bytes of which the first `given` lie in front of the ring.
   * @returns where they lie now, seen from the region
   */
  const hold = ({ arena, offset, ring }: Bench, given: number, length: number): number => {
    arena.bytes.set(numbers(given), 0);
    const end = ring.hold(0, given, length);
    expect([...arena.bytes.subarray(end - length, end - length + given)]).toEqual(numbers(given));
    return end - length - offset;
  };

  it('goes round, and cuts none in two', () => {
    const bench = new Bench(10);
    expect([4, 3, 3, 4, 6, 1, 10, 10].map(length => hold(bench, 1, length))).toEqual([0, 4, 7, 0, 4, 0, 0, 0]);
  });

  it('leaves a piece of its own where it is, if all of it has room there', () => {
    const bench = new Bench(10);
    const { arena, offset, ring } = bench;
    hold(bench, 8, 8);
    expect(ring.hold(offset + 5, offset + 8, 5)).toBe(offset + 10);
    bench.check([6, 7, 8, POISON, POISON]);
    expect(ring.hold(offset + 6, offset + 8, 5)).toBe(offset + 5);
    expect([...arena.bytes.subarray(offset, offset + 2)]).toEqual([7, 8]);
  });

  it('never leaves its region', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }),
      fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 30 }), (capacity, pieces) => {
      const bench = new Bench(capacity);
      for (const [most, part] of pieces) {
        const length = 1 + most % capacity;
        const given = 1 + part % length;
        const at = hold(bench, given, length);
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at + length).toBeLessThanOrEqual(capacity);
        bench.check(bench.content);
      }
    }), { numRuns: 200 });
  });
});
