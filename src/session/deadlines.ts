/**
 * When each session of many wants to look at its deadlines, in fixed memory: a heap, the earliest moment on top. A
 * session that turns out to have more time asks again: one that has been heard of meanwhile costs nothing until then.
 * Per session the arena holds
 *
 *   | moment (4) | its place in the heap (2); 0: none | session of the place with this number + 1 (2) |
 */
import type { Arena } from '../bytes/arena.ts';

const ENTRY = 8;
const PLACE = 4;
/** Of place 0, which there is not. */
const HEAP = 6 - ENTRY;
/** Of a heap that begins at 1. */
const TOP = 1;

export class Deadlines {
  /** Sessions that wait for a moment. */
  count = 0;
  private readonly arena: Arena;
  private readonly offset: number;

  static lengthFor(sessionCount: number): number {
    return sessionCount * ENTRY;
  }

  /** @param offset of `lengthFor` bytes, all 0, for at most 65,535 sessions */
  constructor(arena: Arena, offset: number) {
    this.arena = arena;
    this.offset = offset;
  }

  /**
   * The session of index `session` wants to look at `moment` or earlier; moments are less than 24 days apart.
   * @returns whether that is the earliest one now
   */
  request(session: number, moment: number): boolean {
    const { arena: { view }, offset } = this;
    const entry = offset + session * ENTRY;
    const heap = offset + HEAP;
    let place = view.getUint16(entry + PLACE);
    if (place === 0)
      place = ++this.count;
    else if ((moment - view.getInt32(entry) | 0) >= 0)
      return false;
    view.setInt32(entry, moment);
    while (place > TOP) {
      const above = view.getUint16(heap + (place >> 1) * ENTRY);
      if ((moment - view.getInt32(offset + above * ENTRY) | 0) >= 0)
        break;
      view.setUint16(heap + place * ENTRY, above);
      view.setUint16(offset + above * ENTRY + PLACE, place);
      place >>= 1;
    }
    view.setUint16(heap + place * ENTRY, session);
    view.setUint16(entry + PLACE, place);
    return place === TOP;
  }

  /** The earliest moment; there is one. */
  get first(): number {
    const { arena: { view }, offset } = this;
    return view.getInt32(offset + view.getUint16(offset + HEAP + ENTRY) * ENTRY);
  }

  /** @returns the session whose moment is the earliest one, which waits no longer; there is one */
  take(): number {
    const { arena: { view }, offset } = this;
    const session = view.getUint16(offset + HEAP + ENTRY);
    const last = view.getUint16(offset + HEAP + this.count-- * ENTRY);
    view.setUint16(offset + session * ENTRY + PLACE, 0);
    if (last !== session)
      this.sink(last);
    return session;
  }

  /** Puts a session on top, or as far below it as its moment says. */
  private sink(session: number): void {
    const { arena: { view }, count, offset } = this;
    const heap = offset + HEAP;
    const moment = view.getInt32(offset + session * ENTRY);
    let place = TOP;
    for (let next = place << 1; next <= count; next = place << 1) {
      let below = view.getUint16(heap + next * ENTRY);
      let earliest = view.getInt32(offset + below * ENTRY);
      if (next < count) {
        const other = view.getUint16(heap + (next + 1) * ENTRY);
        const otherMoment = view.getInt32(offset + other * ENTRY);
        if ((otherMoment - earliest | 0) < 0) {
          ++next;
          below = other;
          earliest = otherMoment;
        }
      }
      if ((earliest - moment | 0) >= 0)
        break;
      view.setUint16(heap + place * ENTRY, below);
      view.setUint16(offset + below * ENTRY + PLACE, place);
      place = next;
    }
    view.setUint16(heap + place * ENTRY, session);
    view.setUint16(offset + session * ENTRY + PLACE, place);
  }
}
