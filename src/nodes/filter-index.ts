/**
 * Finds Topic Filters by hash: the one that equals a filter, and those that match a Topic Name. Filters whose wildcards
 * stand at the same levels have the same shape; a name is looked up once for each shape in use, with its levels there
 * left out, so the cost depends on the number of shapes, not of filters. What has too many levels, or a shape for which
 * the table has no line, is looked through one by one: slower, never wrong.
 *
 * Keeps numbers only: entry `n` stands for whatever its owner has under that number. A hash says where to look; the owner
 * compares. An entry is
 *
 *   | hash (4) | next, previous of its bucket (2 each, number + 1; 0: none) | shape (1) | unused (3) |
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { NUMBER_SIGN, PLUS, SLASH } from '../packet/topic.ts';

/** No further entry. */
export const NO_ENTRY = -1;

const ENTRY_LENGTH = 12;
const NEXT = 4;
const PREVIOUS = 6;
const SHAPE = 8;

/** A shape: | levels with `+` (2) | entries (2) | levels, with `/#` or not (1) | unused (1) |, see TREE. */
const SHAPE_LENGTH = 6;
const SHAPE_COUNT = 2;
const SHAPE_LEVELS = 4;
/** Beside the number of levels: any number of further ones follows. */
const TREE = 0x80;
const MOST_SHAPES = 32;
/** A filter without wildcards; one that is looked through. */
const EXACT = 0xFF;
const LOOSE = 0xFE;

/** Levels that a filter with wildcards may have to be found by hash. */
const MOST_LEVELS = 16;
const LEVEL_LENGTH = 4;

const { imul } = Math;
const BASIS = 0x811C9DC5 | 0;
const PRIME = 0x01000193;
/** In place of the hash of a level. */
const ANY = 0x2B2B2B2B;
/** The bits of a hash that say the bucket. */
const fold = (hash: number): number => hash ^ hash >>> 15;

export class FilterIndex {
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly bucketsOffset: number;
  private readonly shapesOffset: number;
  private readonly levelsOffset: number;
  private readonly mask: number;
  private readonly maximumShapeCount: number;
  private shapeCount = 0;
  private exactCount = 0;
  // Of the filter or name that was read last.
  private hash = 0;
  private shape = EXACT;
  // Of the name that is looked up.
  private nextShape = 0;
  private levelCount = 0;

  /** @param count entries, at most 65,535 */
  static plan(plan: ArenaPlan, count: number): number {
    return plan.reserve('index of subscriptions',
      count * ENTRY_LENGTH + bucketCountFor(count) * 2 + 2
        + shapeCountFor(count) * SHAPE_LENGTH + MOST_LEVELS * LEVEL_LENGTH);
  }

  constructor(arena: Arena, offset: number, count: number) {
    const bucketCount = bucketCountFor(count);
    this.arena = arena;
    this.offset = offset;
    this.mask = bucketCount - 1;
    this.bucketsOffset = offset + count * ENTRY_LENGTH;
    this.shapesOffset = this.bucketsOffset + bucketCount * 2 + 2;
    this.maximumShapeCount = shapeCountFor(count);
    this.levelsOffset = this.shapesOffset + this.maximumShapeCount * SHAPE_LENGTH;
  }

  /** Enters a valid filter under a number that is free. */
  add(entry: number, filterOffset: number, filterLength: number): void {
    const { arena: { bytes, view } } = this;
    this.readFilter(filterOffset, filterLength, true);
    const at = this.placeOf(entry);
    view.setInt32(at, this.hash);
    bytes[at + SHAPE] = this.shape;
    const bucket = this.bucketOf(this.hash, this.shape);
    const next = view.getUint16(bucket);
    view.setUint16(at + NEXT, next);
    view.setUint16(at + PREVIOUS, 0);
    view.setUint16(bucket, entry + 1);
    if (next !== 0)
      view.setUint16(this.placeOf(next - 1) + PREVIOUS, entry + 1);
    this.countShape(this.shape, 1);
  }

  remove(entry: number): void {
    const { arena: { bytes, view } } = this;
    const at = this.placeOf(entry);
    const shape = bytes[at + SHAPE]!;
    const next = view.getUint16(at + NEXT);
    const previous = view.getUint16(at + PREVIOUS);
    view.setUint16(previous === 0 ? this.bucketOf(view.getInt32(at), shape) : this.placeOf(previous - 1) + NEXT, next);
    if (next !== 0)
      view.setUint16(this.placeOf(next - 1) + PREVIOUS, previous);
    this.countShape(shape, -1);
  }

  /** @returns the first entry that may be this filter, or NO_ENTRY; `next` gives the others */
  find(filterOffset: number, filterLength: number): number {
    this.readFilter(filterOffset, filterLength, false);
    this.nextShape = this.shapeCount; // others are of no interest
    return this.orNext(this.alike(this.arena.view.getUint16(this.bucketOf(this.hash, this.shape))));
  }

  /** @returns the first entry that may match the name, or NO_ENTRY; `next` gives the others, some of them twice */
  firstMatch(nameOffset: number, nameLength: number): number {
    this.readName(nameOffset, nameLength);
    this.nextShape = 0;
    this.shape = EXACT;
    return this.orNext(this.exactCount === 0 ? NO_ENTRY
      : this.alike(this.arena.view.getUint16(this.bucketOf(this.hash, EXACT))));
  }

  /** @returns the next entry that may be what was looked for, or NO_ENTRY */
  next(entry: number): number {
    return this.orNext(this.alike(this.arena.view.getUint16(this.placeOf(entry) + NEXT)));
  }

  /** @returns `found`, else the first entry of the shapes that have not been looked at, then of the loose ones */
  private orNext(found: number): number {
    const { arena: { bytes, view }, levelCount } = this;
    while (found === NO_ENTRY && this.nextShape < this.shapeCount) {
      const at = this.shapesOffset + this.nextShape++ * SHAPE_LENGTH;
      const levels = bytes[at + SHAPE_LEVELS]!;
      const depth = levels & ~TREE;
      if (view.getUint16(at + SHAPE_COUNT) === 0 || (levels === depth ? levelCount !== depth : levelCount < depth))
        continue;
      this.hash = this.hashWithout(view.getUint16(at), depth);
      found = this.alike(view.getUint16(this.bucketOf(this.hash, EXACT)));
    }
    if (found !== NO_ENTRY || this.shape === LOOSE)
      return found;
    this.shape = LOOSE;
    return view.getUint16(this.bucketOf(0, LOOSE)) - 1;
  }

  /** @param link number + 1 of an entry, 0: none @returns it, or the first one after it, that has the hash looked for */
  private alike(link: number): number {
    const { arena: { view }, hash, shape } = this;
    if (shape === LOOSE)
      return link - 1;
    while (link !== 0) {
      const at = this.placeOf(link - 1);
      if (view.getInt32(at) === hash)
        return link - 1;
      link = view.getUint16(at + NEXT);
    }
    return NO_ENTRY;
  }

  /** Hash of the first `depth` levels of the name, with those of `wild` left out. */
  private hashWithout(wild: number, depth: number): number {
    const { view } = this.arena;
    let hash = BASIS;
    for (let level = 0, at = this.levelsOffset; level < depth; ++level, at += LEVEL_LENGTH)
      hash = imul(hash ^ ((wild & 1 << level) !== 0 ? ANY : view.getInt32(at)), PRIME);
    return hash;
  }

  private readName(nameOffset: number, nameLength: number): void {
    const { bytes, view } = this.arena;
    const end = nameOffset + nameLength;
    let hash = BASIS, level = BASIS, count = 0;
    for (let at = nameOffset; at <= end; ++at) {
      const byte = at === end ? SLASH : bytes[at]!;
      if (byte !== SLASH) {
        level = imul(level ^ byte, PRIME);
        continue;
      }
      hash = imul(hash ^ level, PRIME);
      if (count < MOST_LEVELS)
        view.setInt32(this.levelsOffset + count * LEVEL_LENGTH, level);
      level = BASIS;
      ++count;
    }
    this.levelCount = count;
    this.hash = hash;
  }

  /** @param enters whether a shape that is new gets a line, if there is one */
  private readFilter(filterOffset: number, filterLength: number, enters: boolean): void {
    const { bytes } = this.arena;
    const end = filterOffset + filterLength;
    let hash = BASIS, level = BASIS, wild = 0, depth = 0, tree = 0;
    for (let at = filterOffset; at <= end; ++at) {
      const byte = at === end ? SLASH : bytes[at]!;
      if (byte === NUMBER_SIGN) { // the last one
        tree = TREE;
        break;
      }
      if (byte === PLUS) { // alone in its level
        level = ANY;
        wild |= depth < MOST_LEVELS ? 1 << depth : 0;
      } else if (byte === SLASH) {
        hash = imul(hash ^ level, PRIME);
        level = BASIS;
        ++depth;
      } else
        level = imul(level ^ byte, PRIME);
    }
    this.hash = hash;
    this.shape = wild === 0 && tree === 0 && !this.hasDeepPlus(filterOffset, end, depth) ? EXACT
      : depth > MOST_LEVELS ? LOOSE
      : this.shapeOf(wild, depth | tree, enters);
  }

  /** Whether there is a `+` behind the levels that are looked at. */
  private hasDeepPlus(at: number, end: number, depth: number): boolean {
    const { bytes } = this.arena;
    if (depth > MOST_LEVELS)
      for (; at < end; ++at)
        if (bytes[at] === PLUS)
          return true;
    return false;
  }

  private shapeOf(wild: number, levels: number, enters: boolean): number {
    const { arena: { bytes, view }, shapesOffset } = this;
    let free = LOOSE;
    for (let shape = 0; shape < this.shapeCount; ++shape) {
      const at = shapesOffset + shape * SHAPE_LENGTH;
      if (view.getUint16(at) === wild && bytes[at + SHAPE_LEVELS] === levels)
        return shape;
      if (free === LOOSE && view.getUint16(at + SHAPE_COUNT) === 0)
        free = shape;
    }
    if (!enters)
      return LOOSE;
    if (free === LOOSE && this.shapeCount < this.maximumShapeCount)
      free = this.shapeCount++;
    if (free !== LOOSE) {
      const at = shapesOffset + free * SHAPE_LENGTH;
      view.setUint16(at, wild);
      bytes[at + SHAPE_LEVELS] = levels;
    }
    return free;
  }

  private countShape(shape: number, difference: number): void {
    const { view } = this.arena;
    if (shape === EXACT)
      this.exactCount += difference;
    else if (shape !== LOOSE) {
      const at = this.shapesOffset + shape * SHAPE_LENGTH + SHAPE_COUNT;
      view.setUint16(at, view.getUint16(at) + difference);
    }
  }

  private placeOf(entry: number): number {
    return this.offset + entry * ENTRY_LENGTH;
  }

  /** Place in the arena of the head of a bucket; the last one is that of the loose filters. */
  private bucketOf(hash: number, shape: number): number {
    return this.bucketsOffset + (shape === LOOSE ? this.mask + 1 : fold(hash) & this.mask) * 2;
  }
}

const bucketCountFor = (count: number): number => {
  let buckets = 8;
  while (buckets < count)
    buckets *= 2;
  return buckets;
};

const shapeCountFor = (count: number): number => count < MOST_SHAPES * 4 ? MOST_SHAPES >> 2 : MOST_SHAPES;
