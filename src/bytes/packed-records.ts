/**
 * Records of different lengths, packed without gaps in a region of the arena. Removing one moves those after it down,
 * a single native copy, so the room never fragments; the price is that offsets are valid only until the next removal.
 * One that gets a shorter content keeps some of its room, so that nothing moves when the content is longer again.
 *
 *   | slack in units of 4 (1) | length (3) | content | padding to 4 | slack |
 *
 * Walk: `for (let at = records.first; at !== END; at = records.next(at))`.
 */
import type { Arena } from './arena.ts';

/** Behind the last record; also "did not fit". */
export const END = -1;

const HEADER_LENGTH = 4;
/** Of a header: the record goes with the next `sweep`. */
const MARK = -0x80000000;
const LENGTH = 0xFFFFFF;
/** What the top byte counts is four times as much, in place: `header >>> SLACK_SHIFT & SLACK` are bytes. */
const SLACK_SHIFT = 22;
const SLACK = 0x1FC;

/** Told by `tighten`. */
export interface RecordMover {
  /** The record at `from` lies at `to` now, and has given up `slack` bytes behind it; one of both may be no change. */
  onTightened(from: number, to: number, slack: number): void;
}

export class PackedRecords {
  /** Records held. */
  count = 0;
  /** Bytes held, headers, padding and slack included; and of these slack. */
  usedLength = 0;
  slackLength = 0;
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
    // `spanAt` written out: walks are long
    const header = this.arena.view.getInt32(at - HEADER_LENGTH);
    const next = at + (HEADER_LENGTH + (header & LENGTH) + 3 & ~3) + (header >>> SLACK_SHIFT & SLACK);
    return next <= this.offset + this.usedLength ? next : END; // equal: the last one is empty
  }

  /** Length of the content at `at`. */
  lengthOf(at: number): number {
    return this.arena.view.getInt32(at - HEADER_LENGTH) & LENGTH;
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
    const next = start + this.spanAt(start);
    this.slackLength -= this.slackAt(start);
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
   * Gives the record at `at` another length; those after it move, unless it has, or may keep, the room for that.
   * @returns by how much; END when it does not fit: nothing has changed
   */
  resize(at: number, length: number): number {
    const { arena } = this;
    const start = at - HEADER_LENGTH;
    const span = this.spanAt(start);
    const distance = this.spanOf(length) - span;
    if (distance <= 0 && distance >= -SLACK) {
      this.slackLength -= this.slackAt(start) + distance;
      arena.view.setInt32(start, length | -distance << SLACK_SHIFT);
      return 0;
    }
    if (this.usedLength + distance > this.capacity)
      return END;
    this.slackLength -= this.slackAt(start);
    arena.bytes.copyWithin(start + span + distance, start + span, this.offset + this.usedLength);
    arena.view.setUint32(start, length);
    this.usedLength += distance;
    return distance;
  }

  /** Takes all slack away. */
  tighten(mover: RecordMover): void {
    const { arena: { bytes, view }, offset } = this;
    const end = offset + this.usedLength;
    let to = offset;
    for (let from = offset, span = 0; from < end; from += span) {
      span = this.spanAt(from);
      const slack = this.slackAt(from);
      if (slack !== 0)
        view.setInt32(from, view.getInt32(from) & LENGTH);
      bytes.copyWithin(to, from, from + span - slack);
      if (from !== to || slack !== 0)
        mover.onTightened(from + HEADER_LENGTH, to + HEADER_LENGTH, slack);
      to += span - slack;
    }
    this.usedLength = to - offset;
    this.slackLength = 0;
  }

  /** The record at `at`, behind which the walk has gone already, is removed by the next `sweep`. */
  mark(at: number): void {
    const { view } = this.arena;
    view.setInt32(at - HEADER_LENGTH, view.getInt32(at - HEADER_LENGTH) | MARK);
  }

  /** Removes all records that are marked, moving each of the others once. */
  sweep(): void {
    const { arena: { bytes, view }, offset } = this;
    const end = offset + this.usedLength;
    let to = offset;
    for (let from = offset; from < end;) {
      const span = this.spanAt(from);
      if (view.getInt32(from) < 0) {
        --this.count;
        this.slackLength -= this.slackAt(from);
      } else {
        bytes.copyWithin(to, from, from + span);
        to += span;
      }
      from += span;
    }
    this.usedLength = to - offset;
  }

  /** Of the record whose header lies at `start`. */
  private spanAt(start: number): number {
    const header = this.arena.view.getInt32(start);
    return this.spanOf(header & LENGTH) + (header >>> SLACK_SHIFT & SLACK);
  }

  private slackAt(start: number): number {
    return this.arena.view.getInt32(start) >>> SLACK_SHIFT & SLACK;
  }

  private spanOf(length: number): number {
    return HEADER_LENGTH + length + 3 & ~3;
  }
}
