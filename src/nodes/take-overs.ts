/**
 * Nodes that throw each other out, because they have the same identifier: a session that is taken over again and again.
 * One that comes back after a loss of its network takes over too, but seldom three times in a row.
 */

/** So many, each no longer than so many milliseconds after the one before. */
const FEWEST = 3;
const LONGEST_PAUSE = 60_000;
/** Sessions of which addresses are remembered. */
const PLACES = 4;
/** Of a session: when it was taken over last, and how often in a row. */
const FIELDS = 2;
const COUNT = 1;

export class TakeOvers {
  /** The last ones, PLACES session indices; then of each session FIELDS. */
  private readonly table: Int32Array;
  /** Of the last ones: from where the two nodes came, loser and winner in turn, where the platform tells. */
  private readonly addresses: (string | undefined)[] = [];
  private nextPlace = 0;

  /** @param sessionCount places of sessions */
  constructor(sessionCount: number) {
    this.table = new Int32Array(PLACES + sessionCount * FIELDS).fill(-1, 0, PLACES);
    for (let place = 0; place < PLACES * 2; ++place)
      this.addresses[place] = undefined;
  }

  /**
   * The connection at the session of index `node` gives way to another one.
   * @param loser, winner addresses of the two
   */
  add(node: number, now: number, loser: string | undefined, winner: string | undefined): void {
    const { addresses, table } = this;
    const at = PLACES + node * FIELDS;
    const count = this.isRecent(node, now) ? table[at + COUNT]! : 0;
    table[at + COUNT] = count < FEWEST ? count + 1 : FEWEST;
    table[at] = now;
    let place = this.placeOf(node);
    if (place < 0) {
      place = this.nextPlace;
      this.nextPlace = (place + 1) % PLACES;
    }
    table[place] = node;
    addresses[place * 2] = loser;
    addresses[place * 2 + 1] = winner;
  }

  isFoughtOver(node: number, now: number): boolean {
    return this.table[PLACES + node * FIELDS + COUNT]! >= FEWEST && this.isRecent(node, now);
  }

  /** Whether the last one was by a node at another address. */
  isFromElsewhere(node: number): boolean {
    return this.loserOf(node) !== this.winnerOf(node);
  }

  loserOf(node: number): string | undefined {
    const place = this.placeOf(node);
    return place < 0 ? undefined : this.addresses[place * 2];
  }

  winnerOf(node: number): string | undefined {
    const place = this.placeOf(node);
    return place < 0 ? undefined : this.addresses[place * 2 + 1];
  }

  /** @returns the place of a session among the last ones, -1 for none */
  private placeOf(node: number): number {
    let place = PLACES - 1;
    while (place >= 0 && this.table[place] !== node)
      --place;
    return place;
  }

  private isRecent(node: number, now: number): boolean {
    const pause = now - this.table[PLACES + node * FIELDS]! | 0;
    return pause >= 0 && pause <= LONGEST_PAUSE;
  }
}
