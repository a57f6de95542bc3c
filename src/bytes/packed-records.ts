/**
 * Records of different lengths, packed without gaps in a region of the arena. Removing one moves those after it down,
 * a single native copy, so the room never fragments; the price is that offsets are valid only until the next removal.
 *
 *   | length (4) | content | padding to 4 |
 *
 * Walk: `for (let at = records.first; at !== END; at = records.next(at))`.
 */
import type { Arena } from './arena.ts';

/** Behind the last record; also "did not fit". */
export const END = -1;

const HEADER_LENGTH = 4;
/** Of a length: the record goes with the next `sweep`. */
const MARK = -0x80000000;

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

  /** The record after the one at `at`, or END. */
  next(at: number): number {
    // `spanOf` written out: walks are long
    const next = at + (HEADER_LENGTH + this.arena.view.getUint32(at - HEADER_LENGTH) + 3 & ~3);
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

  /**
   * Adds a record; the caller writes its content.
   * @returns the offset of the content, or END when full: nothing has changed
   */
  append(length: number): number {
    if (!this.fits(length))
      return END;
    const at = this.offset + this.usedLength + HEADER_LENGTH;
    this.arena.view.setUint32(at - HEADER_LENGTH, length);
    this.usedLength += this.spanOf(length);
    ++this.count;
    return at;
  }

  /** Removes the record at `at`. @returns the offset of the one that was after it, or END */
  remove(at: number): number {
    const start = at - HEADER_LENGTH;
    const end = this.offset + this.usedLength;
    const next = start + this.spanOf(this.lengthOf(at));
    this.arena.bytes.copyWithin(start, next, end);
    this.usedLength -= next - start;
    --this.count;
    return next < end ? at : END;
  }

  /** Where the record behind the last one would begin. */
  get end(): number {
    return this.offset + this.usedLength + HEADER_LENGTH;
  }

  /**
   * Gives the record at `at` another length; those after it move.
   * @returns by how much; END when it does not fit: nothing has changed
   */
  resize(at: number, length: number): number {
    const next = at - HEADER_LENGTH + this.spanOf(this.lengthOf(at));
    const distance = at - HEADER_LENGTH + this.spanOf(length) - next;
    if (this.usedLength + distance > this.capacity)
      return END;
    this.arena.bytes.copyWithin(next + distance, next, this.offset + this.usedLength);
    this.arena.view.setUint32(at - HEADER_LENGTH, length);
    this.usedLength += distance;
    return distance;
  }

  /** The record at `at`, behind which the walk has gone already, is removed by the next `sweep`. */
  mark(at: number): void {
    this.arena.view.setInt32(at - HEADER_LENGTH, this.lengthOf(at) | MARK);
  }

  /** Removes all records that are marked, moving each of the others once. */
  sweep(): void {
    const { arena: { bytes, view }, offset } = this;
    const end = offset + this.usedLength;
    let to = offset;
    for (let from = offset; from < end;) {
      const length = view.getInt32(from);
      const span = this.spanOf(length & ~MARK);
      if (length < 0)
        --this.count;
      else {
        bytes.copyWithin(to, from, from + span);
        to += span;
      }
      from += span;
    }
    this.usedLength = to - offset;
  }

  private spanOf(length: number): number {
    return HEADER_LENGTH + length + 3 & ~3;
  }
}
