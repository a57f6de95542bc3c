/**
 * Nodes that throw each other out, because they have the same identifier: a session that is taken over again and again.
 * One that comes back after a loss of its network takes over too, but seldom three times in a row.
 */

/** So many, each no longer than so many milliseconds after the one before. */
const FEWEST = 3;
const LONGEST_PAUSE = 60_000;

export class TakeOvers {
  private readonly counts: Uint8Array;
  private readonly times: Int32Array;

  /** @param sessionCount places of sessions */
  constructor(sessionCount: number) {
    this.counts = new Uint8Array(sessionCount);
    this.times = new Int32Array(sessionCount);
  }

  /** The connection at the session of index `node` has given way to another one. */
  add(node: number, now: number): void {
    const count = this.isRecent(node, now) ? this.counts[node]! : 0;
    this.counts[node] = count < FEWEST ? count + 1 : FEWEST;
    this.times[node] = now;
  }

  isFoughtOver(node: number, now: number): boolean {
    return this.counts[node]! >= FEWEST && this.isRecent(node, now);
  }

  private isRecent(node: number, now: number): boolean {
    const pause = now - this.times[node]! | 0;
    return pause >= 0 && pause <= LONGEST_PAUSE;
  }
}
