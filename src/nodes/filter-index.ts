/**
 * Finds Topic Filters by hash: the one that equals a filter, and those that match a Topic Name. Filters whose wildcards
 * stand at the same levels have the same shape; a name is looked up once for each shape in use, with its levels there
 * left out, so the cost depends on the number of shapes, not of filters. What has too many levels, or a shape for which
 * the table has no line, is looked through one by one: slower, never wrong.
 *
 * Keeps numbers only, see hash-chains.ts. After the chains lie the shape of each entry (1), the table of shapes and the
 * hashes of levels (4 each).
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { HashChains, NO_ENTRY } from '../bytes/hash-chains.ts';
import { NUMBER_SIGN, PLUS, SLASH } from '../packet/topic.ts';

/** A shape: | levels with `+` (2) | entries (2) | levels, with `/#` or not (1) | unused (1) |, see TREE. */
const SHAPE_LENGTH = 6;
const SHAPE_COUNT = 2;
const SHAPE_LEVELS = 4;
/** Beside the number of levels: any number of further ones follows. */
const TREE = 0x80;
const MOST_SHAPES = 32;
/** A filter without wildcards; one that is looked through, with the hash that all of these have. */
const EXACT = 0xFF;
const LOOSE = 0xFE;
const LOOSE_HASH = 0;

/** Levels that a filter with wildcards may have to be found by hash. */
const MOST_LEVELS = 16;
const LEVEL_LENGTH = 4;

const { imul } = Math;
const BASIS = 0x811C9DC5 | 0;
const PRIME = 0x01000193;
/** In place of the hash of a level. */
const ANY = 0x2B2B2B2B;

export class FilterIndex {
  private readonly arena: Arena;
  private readonly chains: HashChains;
  private readonly shapeOfOffset: number;
  private readonly shapesOffset: number;
  private readonly levelsOffset: number;
  private readonly maximumShapeCount: number;
  private shapeCount = 0;
  private exactCount = 0;
  // Of the filter or name that was read last.
  private hash = 0;
  private shape = EXACT;
  private levelCount = 0;
  /** The shape that is looked at next; those after the last one are the loose filters. */
  private nextShape = 0;

  /** @param count entries, at most 65,535 */
  static plan(plan: ArenaPlan, count: number): number {
    return plan.reserve('index of subscriptions', HashChains.lengthFor(count) + count
      + shapeCountFor(count) * SHAPE_LENGTH + MOST_LEVELS * LEVEL_LENGTH);
  }

  constructor(arena: Arena, offset: number, count: number) {
    this.arena = arena;
    this.chains = new HashChains(arena, offset, count);
    this.shapeOfOffset = offset + HashChains.lengthFor(count);
    this.shapesOffset = this.shapeOfOffset + count;
    this.maximumShapeCount = shapeCountFor(count);
    this.levelsOffset = this.shapesOffset + this.maximumShapeCount * SHAPE_LENGTH;
  }

  /** Enters a valid filter under a number that is free. */
  add(entry: number, filterOffset: number, filterLength: number): void {
    this.readFilter(filterOffset, filterLength, true);
    this.arena.bytes[this.shapeOfOffset + entry] = this.shape;
    this.chains.add(entry, this.hash);
    this.countShape(this.shape, 1);
  }

  remove(entry: number): void {
    this.chains.remove(entry);
    this.countShape(this.arena.bytes[this.shapeOfOffset + entry]!, -1);
  }

  /** @returns the first entry that may be this filter, or NO_ENTRY; `next` gives the others */
  find(filterOffset: number, filterLength: number): number {
    this.readFilter(filterOffset, filterLength, false);
    this.nextShape = this.shape === LOOSE ? this.shapeCount + 1 : this.shapeCount;
    return this.orNext(this.chains.first(this.hash));
  }

  /**
   * Whether an entry that was found just now is so for the first time: one that has the hash of a further shape by
   * chance, or by being the parent level, is found under its own shape.
   */
  isOfShape(entry: number): boolean {
    const shape = this.arena.bytes[this.shapeOfOffset + entry]!;
    return shape === (this.nextShape === 0 ? EXACT : this.nextShape > this.shapeCount ? LOOSE : this.nextShape - 1);
  }

  /** @returns the first entry that may match the name, or NO_ENTRY; `next` gives the others, some of them twice */
  firstMatch(nameOffset: number, nameLength: number): number {
    this.readName(nameOffset, nameLength);
    this.nextShape = 0;
    return this.orNext(this.exactCount === 0 ? NO_ENTRY : this.chains.first(this.hash));
  }

  /** @returns the next entry that may be what was looked for, or NO_ENTRY */
  next(entry: number): number {
    return this.orNext(this.chains.next(entry));
  }

  /** @returns `found`, else the first entry of the shapes that have not been looked at, then of the loose ones */
  private orNext(found: number): number {
    const { arena: { bytes, view }, levelCount, shapeCount } = this;
    while (found === NO_ENTRY && this.nextShape <= shapeCount) {
      if (this.nextShape++ === shapeCount)
        return this.chains.first(LOOSE_HASH);
      const at = this.shapesOffset + (this.nextShape - 1) * SHAPE_LENGTH;
      const levels = bytes[at + SHAPE_LEVELS]!;
      const depth = levels & ~TREE;
      if (view.getUint16(at + SHAPE_COUNT) > 0 && (levels === depth ? levelCount === depth : levelCount >= depth))
        found = this.chains.first(this.hashWithout(view.getUint16(at), depth));
    }
    return found;
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
    this.shape = wild === 0 && tree === 0 && !this.hasDeepPlus(filterOffset, end, depth) ? EXACT
      : depth > MOST_LEVELS ? LOOSE
      : this.shapeOf(wild, depth | tree, enters);
    this.hash = this.shape === LOOSE ? LOOSE_HASH : hash;
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
}

const shapeCountFor = (count: number): number => count < MOST_SHAPES * 4 ? MOST_SHAPES >> 2 : MOST_SHAPES;
