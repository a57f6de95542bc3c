/**
 * Finds numbers by hash, in fixed memory: entry `n` stands for whatever its owner has under that number. A hash says
 * where to look; the owner compares. An entry is
 *
 *   | hash (4) | next, previous of its bucket (2 each, number + 1; 0: none) |
 *
 * and after the entries lie the heads of the buckets, two bytes each.
 */
import type { Arena } from './arena.ts';

/** No further entry. */
export const NO_ENTRY = -1;

const ENTRY_LENGTH = 8;
const NEXT = 4;
const PREVIOUS = 6;
const HEAD_LENGTH = 2;

export class HashChains {
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly headsOffset: number;
  private readonly mask: number;
  private hash = 0;

  /** Bytes for so many entries, at most 65,535. */
  static lengthFor(count: number): number {
    return count * ENTRY_LENGTH + bucketsFor(count) * HEAD_LENGTH;
  }

  /** @param offset of `lengthFor(count)` bytes */
  constructor(arena: Arena, offset: number, count: number) {
    this.arena = arena;
    this.offset = offset;
    this.headsOffset = offset + count * ENTRY_LENGTH;
    this.mask = bucketsFor(count) - 1;
  }

  /** @param entry one that is not there */
  add(entry: number, hash: number): void {
    const { view } = this.arena;
    const at = this.offset + entry * ENTRY_LENGTH;
    const head = this.headOf(hash);
    const next = view.getUint16(head);
    view.setInt32(at, hash);
    view.setUint16(at + NEXT, next);
    view.setUint16(at + PREVIOUS, 0);
    view.setUint16(head, entry + 1);
    if (next !== 0)
      view.setUint16(this.offset + (next - 1) * ENTRY_LENGTH + PREVIOUS, entry + 1);
  }

  remove(entry: number): void {
    const { offset } = this;
    const { view } = this.arena;
    const at = offset + entry * ENTRY_LENGTH;
    const next = view.getUint16(at + NEXT);
    const previous = view.getUint16(at + PREVIOUS);
    view.setUint16(previous === 0 ? this.headOf(view.getInt32(at)) : offset + (previous - 1) * ENTRY_LENGTH + NEXT,
      next);
    if (next !== 0)
      view.setUint16(offset + (next - 1) * ENTRY_LENGTH + PREVIOUS, previous);
  }

  /** @returns the entry with this hash that was added last, or NO_ENTRY; `next` gives the others */
  first(hash: number): number {
    this.hash = hash;
    return this.alike(this.arena.view.getUint16(this.headOf(hash)));
  }

  next(entry: number): number {
    return this.alike(this.arena.view.getUint16(this.offset + entry * ENTRY_LENGTH + NEXT));
  }

  /** @param link number + 1 of an entry, 0: none @returns it, or the first one after it with the hash looked for */
  private alike(link: number): number {
    const { arena: { view }, hash, offset } = this;
    while (link !== 0) {
      const at = offset + (link - 1) * ENTRY_LENGTH;
      if (view.getInt32(at) === hash)
        break;
      link = view.getUint16(at + NEXT);
    }
    return link - 1;
  }

  private headOf(hash: number): number {
    return this.headsOffset + ((hash ^ hash >>> 15) & this.mask) * HEAD_LENGTH;
  }
}

const bucketsFor = (count: number): number => {
  let buckets = 8;
  while (buckets < count)
    buckets *= 2;
  return buckets;
};
