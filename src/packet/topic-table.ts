/**
 * Topic Names seen lately, each under a small number. A sensor repeats its topics for ever, so the check of a name
 * (UTF-8, wildcards) and all that follows from it (which rule, which subscribers) is done once, not once per packet:
 * afterwards a name is found by comparing its bytes. The table knows the names only; whoever hangs data on the numbers
 * is told when a number gets a new meaning.
 *
 * Direct-mapped: a name has one possible place, a collision replaces it. That is only slower, never wrong.
 * Names longer than a place are checked every time and share the number `uncached`.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/utf8.ts';
import { isValidTopicName } from './topic.ts';

/** Told that `index` stands for another name from now on. */
export interface TopicTableOwner {
  onTopicReplaced(index: number): void;
}

/** Returned for bytes that are no Topic Name. */
export const INVALID_TOPIC = -1;

export class TopicTable {
  /** The number of names that have no place; `replaced` is reported for it each time. */
  readonly uncached: number;
  owner: TopicTableOwner | undefined;
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly mask: number;
  private readonly placeLength: number;

  /** @param count a power of two @param capacity longest name that has a place, in bytes */
  static plan(plan: ArenaPlan, count: number, capacity: number): number {
    return plan.reserve('topic table', 2 + capacity, count);
  }

  /** @param offset what `plan` returned for the same count and capacity */
  constructor(arena: Arena, offset: number, count: number, capacity: number) {
    if (count < 1 || (count & count - 1) !== 0)
      throw new RangeError(`the topic table needs a power of two of places, got ${count}`);
    this.arena = arena;
    this.offset = offset;
    this.mask = count - 1;
    this.uncached = count;
    this.placeLength = 2 + capacity;
  }

  /** @returns the number of the name [`name`, `name` + `length`), or INVALID_TOPIC */
  indexOf(name: number, length: number): number {
    const arena = this.arena;
    const view = arena.view;
    // The end of a topic varies most, then its middle. Digits differ in their lowest bits, so fold those together.
    let hash = length;
    if (length >= 4) {
      hash += view.getInt32(name + length - 4) ^ view.getInt32(name + (length >> 1) - 2) << 3;
      hash ^= hash >> 15;
      hash ^= hash >> 7;
    } else if (length > 0)
      hash += arena.bytes[name]! * 5 ^ arena.bytes[name + length - 1]!;
    const index = hash & this.mask;
    const place = this.offset + index * this.placeLength;
    if (view.getUint16(place) === length && equalBytes(arena, place + 2, name, length) && length !== 0)
      return index;
    return this.enter(index, place, name, length);
  }

  /** Where the bytes of the name behind `index` lie. */
  offsetOf(index: number): number {
    return this.offset + index * this.placeLength + 2;
  }

  private enter(index: number, place: number, name: number, length: number): number {
    const arena = this.arena;
    if (!isValidTopicName(arena, name, length))
      return INVALID_TOPIC;
    if (length + 2 > this.placeLength)
      index = this.uncached;
    else {
      arena.view.setUint16(place, length);
      arena.bytes.copyWithin(place + 2, name, name + length);
    }
    this.owner?.onTopicReplaced(index);
    return index;
  }
}
