/**
 * What was written to a file since the disk last took all of it. A system that cannot write to its disk forgets what it
 * should have written, and reading may show what was there before: then it is written again from here.
 */

/** Bytes that may be written before the disk is waited for: as much is in memory. */
const MOST = 4_194_304;

interface Write {
  readonly position: number;
  readonly content: Uint8Array;
}

export class UnconfirmedWrites {
  readonly writes: Write[] = [];
  /** Grows when a flush has ended: what one that began before would confirm is not known then. */
  turn = 0;
  private length = 0;

  get count(): number {
    return this.writes.length;
  }

  isFullWith(length: number): boolean {
    return this.length + length > MOST;
  }

  add(position: number, content: Uint8Array): void {
    this.writes.push({ position, content });
    this.length += content.length;
  }

  /** The disk has the first `count` of them. @param turn when that flush began */
  confirm(count: number, turn: number): void {
    if (turn !== this.turn)
      return;
    ++this.turn;
    for (const { content } of this.writes.splice(0, count))
      this.length -= content.length;
  }
}
