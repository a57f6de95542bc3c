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
  /** From where the two nodes of the last one came, where the platform tells. */
  private readonly losers: (string | undefined)[] = [];
  private readonly winners: (string | undefined)[] = [];

  /** @param sessionCount places of sessions */
  constructor(sessionCount: number) {
    this.counts = new Uint8Array(sessionCount);
    this.times = new Int32Array(sessionCount);
    for (let node = 0; node < sessionCount; ++node)
      this.losers[node] = this.winners[node] = undefined;
  }

  /**
   * The connection at the session of index `node` gives way to another one.
   * @param loser, winner addresses of the two
   */
  add(node: number, now: number, loser: string | undefined, winner: string | undefined): void {
    const count = this.isRecent(node, now) ? this.counts[node]! : 0;
    this.counts[node] = count < FEWEST ? count + 1 : FEWEST;
    this.times[node] = now;
    this.losers[node] = loser;
    this.winners[node] = winner;
  }

  isFoughtOver(node: number, now: number): boolean {
    return this.counts[node]! >= FEWEST && this.isRecent(node, now);
  }

  /** Whether the last one was by a node at another address. */
  isFromElsewhere(node: number): boolean {
    return this.losers[node] !== this.winners[node];
  }

  loserOf(node: number): string | undefined {
    return this.losers[node];
  }

  winnerOf(node: number): string | undefined {
    return this.winners[node];
  }

  private isRecent(node: number, now: number): boolean {
    const pause = now - this.times[node]! | 0;
    return pause >= 0 && pause <= LONGEST_PAUSE;
  }
}
