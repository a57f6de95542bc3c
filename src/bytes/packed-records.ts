/**
 * Records of different lengths, packed without gaps in a region of the arena. Removing one moves those behind it down, a
 * single native copy, so the room never fragments; the price is that offsets are valid only until the next removal.
 *
 *   | length (4) | content | padding to 4 |
 *
 * Walk: `for (let at = records.first; at !== END; at = records.next(at))`.
 */
import type { Arena } from './arena.ts';

/** Behind the last record; also "did not fit". */
export const END = -1;

const HEADER_LENGTH = 4;

export class PackedRecords {
  /** Records held. */
  count = 0;
  /** Bytes held, headers and padding included. */
  usedLength = 0;
  readonly capacity: number;
  readonly maximumCount: number;
  private readonly arena: Arena;
  private readonly offset: number;

  constructor(arena: Arena, offset: number, capacity: number, maximumCount: number) {
    this.arena = arena;
    this.offset = offset;
    this.capacity = capacity;
    this.maximumCount = maximumCount;
  }

  /** Offset in the arena of the content of the first record, or END. */
  get first(): number {
    return this.count === 0 ? END : this.offset + HEADER_LENGTH;
  }

  /** The record behind the one at `at`, or END. */
  next(at: number): number {
    const next = at + (HEADER_LENGTH + this.arena.view.getUint32(at - HEADER_LENGTH) + 3 & ~3); // `spanOf` written out: walks are long
    return next <= this.offset + this.usedLength ? next : END; // equal: the last one is empty
  }

  /** Length of the content at `at`. */
  lengthOf(at: number): number {
    return this.arena.view.getUint32(at - HEADER_LENGTH);
  }

  /** Whether a record of `length` bytes could be appended. */
  fits(length: number): boolean {
    return this.count < this.maximumCount && this.usedLength + this.spanOf(length) <= this.capacity;
  }

  /** Adds a record; the caller writes its content. @returns the offset of the content, or END when full: nothing has changed */
  append(length: number): number {
    if (!this.fits(length))
      return END;
    const at = this.offset + this.usedLength + HEADER_LENGTH;
    this.arena.view.setUint32(at - HEADER_LENGTH, length);
    this.usedLength += this.spanOf(length);
    ++this.count;
    return at;
  }

  /** Removes the record at `at`. @returns the offset of the one that was behind it, or END */
  remove(at: number): number {
    const start = at - HEADER_LENGTH;
    const end = this.offset + this.usedLength;
    const next = start + this.spanOf(this.lengthOf(at));
    this.arena.bytes.copyWithin(start, next, end);
    this.usedLength -= next - start;
    --this.count;
    return next < end ? at : END;
  }

  private spanOf(length: number): number {
    return HEADER_LENGTH + length + 3 & ~3;
  }
}
