/**
 * A FIFO of bytes with a fixed capacity in a region of the arena. This is the only file that knows about wrap-around.
 *
 * Full is reported, never solved: `write` takes all bytes or none. When the ring runs empty it rewinds to the start of
 * its region, so that in the usual case nothing wraps at all. `hold` is for one thing at a time that must lie in one
 * piece: pieces follow one another round the ring, but none is cut in two.
 */
import type { Arena } from './arena.ts';

/** What rings of one capacity share. */
export class RingSpace {
  readonly arena: Arena;
  /** Bytes that each of them can hold. */
  readonly capacity: number;

  constructor(arena: Arena, capacity: number) {
    this.arena = arena;
    this.capacity = capacity;
  }
}

export class RingBuffer {
  /** Number of bytes held, 0 to `capacity`. */
  length = 0;
  /** Position of the first byte, relative to the region: 0 to `capacity` - 1. */
  head = 0;
  private readonly space: RingSpace;
  private readonly offset: number;

  /** The region of `space.capacity` bytes at `offset` of the arena belongs to this ring from now on. */
  constructor(space: RingSpace, offset: number) {
    this.space = space;
    this.offset = offset;
  }

  get capacity(): number {
    return this.space.capacity;
  }

  /** Free room in bytes. */
  get free(): number {
    return this.space.capacity - this.length;
  }

  /**
   * Appends `length` bytes that lie at `source` in the arena.
   * @returns false, and nothing has changed, when they do not fit.
   */
  write(source: number, length: number): boolean {
    const { arena, capacity } = this.space;
    const { bytes } = arena;
    if (this.length + length > capacity)
      return false;
    let tail = this.head + this.length;
    if (tail >= capacity)
      tail -= capacity;
    const beforeEnd = capacity - tail;
    if (length <= beforeEnd)
      bytes.copyWithin(this.offset + tail, source, source + length);
    else {
      bytes.copyWithin(this.offset + tail, source, source + beforeEnd);
      bytes.copyWithin(this.offset, source + beforeEnd, source + length);
    }
    this.length += length;
    return true;
  }

  /** Offset in the arena of the first byte. Only `contiguousLength` bytes may be read from there. */
  get readOffset(): number {
    return this.offset + this.head;
  }

  /** Number of bytes from the head to the end of the content or of the region, whichever comes first. */
  get contiguousLength(): number {
    const beforeEnd = this.space.capacity - this.head;
    return this.length < beforeEnd ? this.length : beforeEnd;
  }

  /** Removes `length` bytes from the head. `length` must not exceed the content. */
  consume(length: number): void {
    if ((this.length -= length) === 0)
      this.head = 0;
    else if ((this.head += length) >= this.space.capacity)
      this.head -= this.space.capacity;
  }

  /**
   * Holds, instead of what it held, `length` bytes in one piece, which begins with what lies from `source` to
   * `sourceEnd`; the rest is up to the caller. The piece lies after the last one, or where it is if that is in the
   * ring, but if the region ends too soon at its start. @param length at most `capacity` @returns the offset in the
   * arena of its end
   */
  hold(source: number, sourceEnd: number, length: number): number {
    const space = this.space;
    let at = source - this.offset;
    if (at < 0 || at >= space.capacity)
      at = this.head + this.length;
    if (at + length > space.capacity)
      at = 0;
    space.arena.bytes.copyWithin(this.offset + at, source, sourceEnd);
    this.head = at;
    this.length = length;
    return this.offset + at + length;
  }

  /**
   * Adds what lies from `source` to `sourceEnd`, outside of the ring or right behind, and fitting, to the one piece
   * that is held. @returns as `hold`
   */
  extend(source: number, sourceEnd: number): number {
    const { head, length, offset } = this;
    const { arena: { bytes }, capacity } = this.space;
    if (head + length + sourceEnd - source > capacity) {
      bytes.copyWithin(offset, offset + head, offset + head + length);
      this.head = 0;
    }
    const end = offset + this.head + length;
    bytes.copyWithin(end, source, sourceEnd);
    this.length = length + sourceEnd - source;
    return end + sourceEnd - source;
  }

  /** Takes what lies from `offset` to `end` out of the one piece that is held. @returns as `hold` */
  cut(offset: number, end: number): number {
    const pieceEnd = this.offset + this.head + this.length;
    this.space.arena.bytes.copyWithin(offset, end, pieceEnd);
    this.length -= end - offset;
    return pieceEnd - (end - offset);
  }

  clear(): void {
    this.head = this.length = 0;
  }
}
