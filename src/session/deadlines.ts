/**
 * When each session of many wants to look at its deadlines, in fixed memory: a heap, the earliest moment on top. A
 * session that turns out to have more time asks again: one that has been heard of meanwhile costs nothing until then.
 */

/** Of a heap that begins at 1. */
const TOP = 1;

export class Deadlines {
  /** Sessions that wait for a moment. */
  count = 0;
  /** Per session: its moment, and its place in the heap; 0: none. */
  private readonly moments: Int32Array;
  private readonly places: Uint16Array;
  private readonly heap: Uint16Array;

  /** @param sessionCount at most 65,534 */
  constructor(sessionCount: number) {
    this.moments = new Int32Array(sessionCount);
    this.places = new Uint16Array(sessionCount);
    this.heap = new Uint16Array(sessionCount + TOP);
  }

  /**
   * The session of index `session` wants to look at `moment` or earlier; moments are less than 24 days apart.
   * @returns whether that is the earliest one now
   */
  request(session: number, moment: number): boolean {
    const { heap, moments, places } = this;
    let place = places[session]!;
    if (place === 0)
      place = ++this.count;
    else if ((moment - moments[session]! | 0) >= 0)
      return false;
    moments[session] = moment;
    while (place > TOP) {
      const above = heap[place >> 1]!;
      if ((moment - moments[above]! | 0) >= 0)
        break;
      heap[place] = above;
      places[above] = place;
      place >>= 1;
    }
    heap[place] = session;
    places[session] = place;
    return place === TOP;
  }

  /** The earliest moment; there is one. */
  get first(): number {
    return this.moments[this.heap[TOP]!]!;
  }

  /** @returns the session whose moment is the earliest one, which waits no longer; there is one */
  take(): number {
    const { heap, places } = this;
    const session = heap[TOP]!;
    const last = heap[this.count--]!;
    places[session] = 0;
    if (last !== session)
      this.sink(last);
    return session;
  }

  /** Puts a session on top, or as far below it as its moment says. */
  private sink(session: number): void {
    const { count, heap, moments, places } = this;
    const moment = moments[session]!;
    let place = TOP;
    for (let next = place << 1; next <= count; next = place << 1) {
      if (next < count && (moments[heap[next + 1]!]! - moments[heap[next]!]! | 0) < 0)
        ++next;
      const below = heap[next]!;
      if ((moments[below]! - moment | 0) >= 0)
        break;
      heap[place] = below;
      places[below] = place;
      place = next;
    }
    heap[place] = session;
    places[session] = place;
  }
}
