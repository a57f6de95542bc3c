/**
 * Topic Names seen lately, each under a small number. A sensor repeats its topics for ever, so the check of a name
 * (UTF-8, wildcards) and all that follows from it (which rule, which subscribers) is done once, not once per packet:
 * afterwards a name is found by comparing its bytes. The table knows the names only; whoever hangs data on the numbers
 * is told when a number gets a new meaning.
 *
 * A name may lie in any place. Its own one, which a few of its bytes say, is looked at first; when another name has
 * that one, all its bytes lead to a chain of the names that may be it. So as many names as there are places are all
 * found. A new name replaces what lies in its own place and has another one itself, or, when no place is free, whatever
 * lies there. Names longer than a place are checked every time and share the number `uncached`.
 *
 * Who remembers a number is told when it gets another meaning. All that lies in the arena: the places, and behind them
 *
 *   | heads of the chains of names, and the next one of each (2 each) | first reader of each number (2) |
 *   | next, previous reader (2 each) |
 *
 * each one more than a number, 0 for none.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { isPlainTopicName, isValidTopicName } from './topic.ts';

/** Told that `index` stands for another name from now on. */
export interface TopicTableOwner {
  onTopicReplaced(index: number): void;
}

/** Remembers one number, see `remember`, and is told when that stands for another name from now on. */
export interface TopicReader {
  forgetPrediction(): void;
}

/** In place of a number: these bytes are not a Topic Name, or there is no topic at all. */
export const INVALID_TOPIC = -1;

/** Bytes beside each place, and of each reader: see above. */
const LINK = 2;
const INDEX_LENGTH = 3 * LINK;
const READER_LENGTH = 2 * LINK;
/** Numbers for which a link has room: of 65,536 places the last one stays empty. */
const MOST_NAMES = 65_535;

export class TopicTable {
  /** The number of names that have no place; `replaced` is reported for it each time. */
  readonly uncached: number;
  owner: TopicTableOwner | undefined = undefined;
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
  private readonly headsOffset: number;
  /** Of the places, those that names may have. */
  private readonly nameCount: number;
  /** All places below this one are taken. */
  private freeFrom = 0;
  private readonly readers: TopicReader[] = [];

  /**
   * @param count a power of two @param capacity longest name that has a place, in bytes
   * @param readerCount how many may remember a number
   */
  static plan(plan: ArenaPlan, count: number, capacity: number, readerCount: number): number {
    const offset = plan.reserve('topic table', 2 + capacity, count);
    plan.reserve('index of topics', INDEX_LENGTH, count); // right behind, as the next one
    plan.reserve('index of topics: who remembers one', READER_LENGTH, readerCount);
    return offset;
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
    this.headsOffset = offset + count * this.placeLength;
    this.nameCount = count < MOST_NAMES ? count : MOST_NAMES;
  }

  /** @returns the number of the name [`name`, `name` + `length`), or INVALID_TOPIC */
  indexOf(name: number, length: number): number {
    const view = this.view;
    const last = length - 8;
    if (last < 0)
      return this.indexOfShort(name, length);
    // The end of a topic varies most, then its middle. Digits differ in their lowest bits, so fold those together.
    let hash = view.getInt32(name + last + 4) * 3 + view.getInt32(name + (length >> 1) - 2) | 0;
    hash ^= hash >> 16;
    const index = hash + (hash >> 7) & this.mask;
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
      ? index : this.findElsewhere(index, name, length);
  }

  /** @param first number of the place where the name is not */
  private findElsewhere(first: number, name: number, length: number): number {
    const { headsOffset, offset, placeLength, view } = this;
    if (length + 2 > placeLength)
      return this.enter(this.uncached, name, length);
    let link = view.getUint16(this.headOf(name, length));
    while (link !== 0) {
      const place = offset + (link - 1) * placeLength;
      if (view.getUint16(place) === length && equalBytes(this.arena, place + 2, name, length))
        return link - 1;
      link = view.getUint16(headsOffset + (this.mask + link) * LINK);
    }
    return this.enter(this.placeFor(first), name, length);
  }

  /**
   * @param first the place of a new name @returns that, if it is free or a name lies there whose own one is another;
   * else any that is free; else `first`
   */
  private placeFor(first: number): number {
    const { nameCount, view } = this;
    if (first === nameCount)
      first = 0; // as ownPlaceOf
    const place = this.placeOf(first);
    const length = view.getUint16(place);
    if (length === 0 || this.ownPlaceOf(place + 2, length) !== first)
      return first;
    while (this.freeFrom < nameCount && view.getUint16(this.placeOf(this.freeFrom)) !== 0)
      ++this.freeFrom;
    return this.freeFrom < nameCount ? this.freeFrom : first;
  }

  /** As `indexOf` and `indexOfShort` compute it, but never the place that stays empty. */
  private ownPlaceOf(name: number, length: number): number {
    const { arena: { bytes }, mask, nameCount, view } = this;
    let hash = 0;
    if (length < 8)
      hash = bytes[name]! * 5 ^ bytes[name + length - 1]! ^ length;
    else {
      hash = view.getInt32(name + length - 4) * 3 + view.getInt32(name + (length >> 1) - 2) | 0;
      hash ^= hash >> 16;
      hash += hash >> 7;
    }
    return (hash & mask) === nameCount ? 0 : hash & mask;
  }

  /** Where the name with the number `index` lies: its length in two bytes, then its bytes, as in a PUBLISH. */
  placeOf(index: number): number {
    return this.offset + index * this.placeLength;
  }

  private enter(index: number, name: number, length: number): number {
    const { arena, uncached } = this;
    const isPlain = isPlainTopicName(arena, name, length);
    if (!isPlain && !isValidTopicName(arena, name, length))
      return INVALID_TOPIC;
    if (index !== uncached) {
      const place = this.placeOf(index);
      this.unchain(index);
      arena.view.setUint16(place, length);
      arena.bytes.copyWithin(place + 2, name, name + length);
      this.chain(index);
      ++this.generation;
      this.forgetReaders(index);
    }
    this.plainIndex = isPlain ? index : INVALID_TOPIC;
    this.owner?.onTopicReplaced(index);
    return index;
  }

  // Names by their bytes

  /** Where the chain of a name begins. */
  private headOf(name: number, length: number): number {
    const view = this.view;
    const last = name + length - 4;
    let hash = length;
    if (length < 4)
      for (; name < last + 4; ++name)
        hash = hash * 31 + view.getUint8(name);
    else {
      for (; name < last; name += 4)
        hash = hash * 31 + view.getInt32(name) | 0;
      hash = hash * 31 + view.getInt32(last) | 0;
    }
    hash ^= hash >> 16;
    return this.headsOffset + ((hash ^ hash >> 8) & this.mask) * LINK;
  }

  private chain(index: number): void {
    const { view } = this;
    const place = this.placeOf(index);
    const head = this.headOf(place + 2, view.getUint16(place));
    view.setUint16(this.headsOffset + (this.uncached + index) * LINK, view.getUint16(head));
    view.setUint16(head, index + 1);
  }

  /** Takes the name that lies there, if there is one, out of its chain. */
  private unchain(index: number): void {
    const { view } = this;
    const place = this.placeOf(index);
    const length = view.getUint16(place);
    if (length === 0)
      return;
    const nextOffset = this.headsOffset + this.uncached * LINK;
    let at = this.headOf(place + 2, length);
    for (let link = view.getUint16(at); link !== index + 1; link = view.getUint16(at))
      at = nextOffset + (link - 1) * LINK;
    view.setUint16(at, view.getUint16(nextOffset + index * LINK));
  }

  // Who remembers a number

  /** @returns the number of the reader, for `remember` */
  addReader(reader: TopicReader): number {
    this.readers.push(reader);
    return this.readers.length - 1;
  }

  /**
   * A reader remembers the number `index` in place of `before`; either may be INVALID_TOPIC or `uncached`, of which
   * nobody is told.
   */
  remember(reader: number, before: number, index: number): void {
    const { uncached, view } = this;
    const firstsOffset = this.headsOffset + 2 * uncached * LINK;
    const linksOffset = firstsOffset + uncached * LINK;
    const own = linksOffset + reader * READER_LENGTH;
    if (before >= 0 && before < uncached) {
      const next = view.getUint16(own);
      const previous = view.getUint16(own + LINK);
      view.setUint16(previous === 0 ? firstsOffset + before * LINK : linksOffset + (previous - 1) * READER_LENGTH,
        next);
      if (next !== 0)
        view.setUint16(linksOffset + (next - 1) * READER_LENGTH + LINK, previous);
    }
    if (index < 0 || index >= uncached)
      return;
    const first = firstsOffset + index * LINK;
    const next = view.getUint16(first);
    view.setUint16(own, next);
    view.setUint16(own + LINK, 0);
    view.setUint16(first, reader + 1);
    if (next !== 0)
      view.setUint16(linksOffset + (next - 1) * READER_LENGTH + LINK, reader + 1);
  }

  /** The number stands for another name: each of its readers forgets it, and by that takes itself off the list. */
  private forgetReaders(index: number): void {
    const { readers, view } = this;
    const first = this.headsOffset + (2 * this.uncached + index) * LINK;
    for (let link = view.getUint16(first); link !== 0; link = view.getUint16(first))
      readers[link - 1]!.forgetPrediction();
  }
}
