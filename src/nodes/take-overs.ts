/**
 * Nodes that throw each other out, because they have the same identifier: a session that is taken over again and again.
 * One that comes back after a loss of its network takes over too, but seldom three times in a row.
 */

/** So many, each no longer than so many milliseconds after the one before. */
const FEWEST = 3;
const LONGEST_PAUSE = 60_000;
/** Sessions of which addresses are remembered. */
const PLACES = 4;

export class TakeOvers {
  private readonly counts: Uint8Array;
  private readonly times: Int32Array;
  /** The last ones: which session, and from where the two nodes came, where the platform tells. */
  private readonly nodes = new Int32Array(PLACES).fill(-1);
  private readonly losers: (string | undefined)[] = [];
  private readonly winners: (string | undefined)[] = [];
  private nextPlace = 0;

  /** @param sessionCount places of sessions */
  constructor(sessionCount: number) {
    this.counts = new Uint8Array(sessionCount);
    this.times = new Int32Array(sessionCount);
    for (let place = 0; place < PLACES; ++place)
      this.losers[place] = this.winners[place] = undefined;
  }

  /**
   * The connection at the session of index `node` gives way to another one.
   * @param loser, winner addresses of the two
   */
  add(node: number, now: number, loser: string | undefined, winner: string | undefined): void {
    const count = this.isRecent(node, now) ? this.counts[node]! : 0;
    this.counts[node] = count < FEWEST ? count + 1 : FEWEST;
    this.times[node] = now;
    let place = this.nodes.indexOf(node);
    if (place < 0) {
      place = this.nextPlace;
      this.nextPlace = (place + 1) % PLACES;
    }
    this.nodes[place] = node;
    this.losers[place] = loser;
    this.winners[place] = winner;
  }

  isFoughtOver(node: number, now: number): boolean {
    return this.counts[node]! >= FEWEST && this.isRecent(node, now);
  }

  /** Whether the last one was by a node at another address. */
  isFromElsewhere(node: number): boolean {
    return this.loserOf(node) !== this.winnerOf(node);
  }

  loserOf(node: number): string | undefined {
    return this.losers[this.nodes.indexOf(node)];
  }

  winnerOf(node: number): string | undefined {
    return this.winners[this.nodes.indexOf(node)];
  }

  private isRecent(node: number, now: number): boolean {
    const pause = now - this.times[node]! | 0;
    return pause >= 0 && pause <= LONGEST_PAUSE;
  }
}
