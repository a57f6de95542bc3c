/**
 * A FIFO of bytes with a fixed capacity in a region of the arena. This is the only file that knows about wrap-around.
 *
 * Full is reported, never solved: `write` takes all bytes or none. When the ring runs empty it rewinds to the start of
 * its region, so that in the usual case nothing wraps at all.
 */
import type { Arena } from './arena.ts';

export class RingBuffer {
  /** Number of bytes held, 0 to `capacity`. */
  length = 0;
  /** Position of the first byte, relative to the region: 0 to `capacity` - 1. */
  head = 0;
  readonly capacity: number;
  private readonly arena: Arena;
  private readonly offset: number;

  /** The region [`offset`, `offset` + `capacity`) of the arena belongs to this ring from now on. */
  constructor(arena: Arena, offset: number, capacity: number) {
    this.arena = arena;
    this.offset = offset;
    this.capacity = capacity;
  }

  /** Free room in bytes. */
  get free(): number {
    return this.capacity - this.length;
  }

  /** Appends `length` bytes that lie at `source` in the arena. @returns false, and nothing has changed, when they do not fit. */
  write(source: number, length: number): boolean {
    const capacity = this.capacity;
    if (this.length + length > capacity)
      return false;
    const bytes = this.arena.bytes;
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
    const beforeEnd = this.capacity - this.head;
    return this.length < beforeEnd ? this.length : beforeEnd;
  }

  /** Removes `length` bytes from the head. `length` must not exceed the content. */
  consume(length: number): void {
    if ((this.length -= length) === 0)
      this.head = 0;
    else if ((this.head += length) >= this.capacity)
      this.head -= this.capacity;
  }

  clear(): void {
    this.head = this.length = 0;
  }
}
