/**
 * Topic Names seen lately, each under a small number. A sensor repeats its topics for ever, so the check of a name
 * (UTF-8, wildcards) and all that follows from it (which rule, which subscribers) is done once, not once per packet:
 * afterwards a name is found by comparing its bytes. The table knows the names only; whoever hangs data on the numbers
 * is told when a number gets a new meaning.
 *
 * A name has two possible places: one that a few of its bytes say, where it is found quickly, and one that all of them
 * say, for names that differ elsewhere. A collision in both replaces a name. That is only slower, never wrong.
 * Names longer than a place are checked every time and share the number `uncached`.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { isPlainTopicName, isValidTopicName } from './topic.ts';

/** Told that `index` stands for another name from now on. */
export interface TopicTableOwner {
  onTopicReplaced(index: number): void;
}

/** Remembers one number, and is told when that stands for another name from now on. */
export interface TopicReader {
  readonly predictedIndex: number;
  forgetPrediction(): void;
}

/** In place of a number: these bytes are not a Topic Name, or there is no topic at all. */
export const INVALID_TOPIC = -1;

export class TopicTable {
  /** The number of names that have no place; `replaced` is reported for it each time. */
  readonly uncached: number;
  owner: TopicTableOwner | undefined = undefined;
  /** Each adds itself, once. */
  readonly readers: TopicReader[] = [];
  /** Grows whenever a number gets a new meaning. */
  generation = 0;
  /**
   * The number of the name that was last checked, if that is ASCII without control characters: nobody need look again.
   */
  plainIndex = INVALID_TOPIC;
  private readonly arena: Arena;
  private readonly view: DataView;
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
    this.view = arena.view;
    this.offset = offset;
    this.mask = count - 1;
    this.uncached = count;
    this.placeLength = 2 + capacity;
  }

  /** @returns the number of the name [`name`, `name` + `length`), or INVALID_TOPIC */
  indexOf(name: number, length: number): number {
    const view = this.view;
    const last = length - 8;
    if (last < 0)
      return this.indexOfShort(name, length);
    // The end of a topic varies most, then its middle. Digits differ in their lowest bits, so fold those together.
    let hash = (view.getInt32(name + last + 4) ^ view.getInt32(name + (length >> 1) - 2) << 3) + length;
    hash ^= hash >> 15;
    const index = (hash ^ hash >> 7) & this.mask;
    let place = this.offset + index * this.placeLength;
    if (view.getUint16(place) !== length)
      return this.findElsewhere(index, name, length);
    // Eight bytes at a time, as doubles; the last eight may overlap. No name contains U+0000, so what lies here is
    // never a zero, whose signs compare equal; a NaN, which equals nothing, is entered again each time: slower, never
    // wrong.
    place += 2;
    return view.getFloat64(place + last) === view.getFloat64(name + last)
      && view.getFloat64(place) === view.getFloat64(name)
      && (last <= 8 || view.getFloat64(place + 8) === view.getFloat64(name + 8)
        && (last <= 16 || this.isEqual(place, name, last)))
      ? index : this.findElsewhere(index, name, length);
  }

  /** The bytes between the first sixteen and the last eight. */
  private isEqual(place: number, name: number, last: number): boolean {
    const view = this.view;
    for (let at = 16; at < last; at += 8)
      if (view.getFloat64(place + at) !== view.getFloat64(name + at))
        return false;
    return true;
  }

  private indexOfShort(name: number, length: number): number {
    if (length === 0)
      return INVALID_TOPIC;
    const { arena } = this;
    const index = (arena.bytes[name]! * 5 ^ arena.bytes[name + length - 1]! ^ length) & this.mask;
    const place = this.offset + index * this.placeLength;
    return this.view.getUint16(place) === length && equalBytes(arena, place + 2, name, length)
      ? index : this.enter(index, name, length);
  }

  /** @param first number of the place where the name, of eight bytes at least, is not */
  private findElsewhere(first: number, name: number, length: number): number {
    const view = this.view;
    if (length + 2 > this.placeLength)
      return this.enter(this.uncached, name, length);
    const last = name + length - 4;
    let hash = view.getInt32(last);
    for (let at = name; at < last; at += 4)
      hash = (hash << 5) - hash + view.getInt32(at) | 0;
    hash ^= hash >> 16;
    const second = (hash ^ hash >> 8) & this.mask;
    const place = this.placeOf(second);
    if (view.getUint16(place) === length && equalBytes(this.arena, place + 2, name, length))
      return second;
    // Now and then in the first one though it is taken, perhaps by a name that does not come any more.
    const index = view.getUint16(this.placeOf(first)) === 0 || this.generation % 3 === 0 ? first : second;
    return this.enter(index, name, length);
  }

  /** Where the name with the number `index` lies: its length in two bytes, then its bytes, as in a PUBLISH. */
  placeOf(index: number): number {
    return this.offset + index * this.placeLength;
  }

  private enter(index: number, name: number, length: number): number {
    const arena = this.arena;
    const place = this.placeOf(index);
    const isPlain = isPlainTopicName(arena, name, length);
    if (!isPlain && !isValidTopicName(arena, name, length))
      return INVALID_TOPIC;
    if (length + 2 > this.placeLength)
      index = this.uncached;
    else {
      arena.view.setUint16(place, length);
      arena.bytes.copyWithin(place + 2, name, name + length);
      ++this.generation;
      const { readers } = this;
      for (let at = 0; at < readers.length; ++at)
        if (readers[at]!.predictedIndex === index)
          readers[at]!.forgetPrediction();
    }
    this.plainIndex = isPlain ? index : INVALID_TOPIC;
    this.owner?.onTopicReplaced(index);
    return index;
  }
}
