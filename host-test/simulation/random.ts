/** A seeded generator (mulberry32): the same numbers on every engine, so that a failing seed fails everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** @returns a whole number from `lowest` to `highest`, both included */
  integer(lowest: number, highest: number): number {
    this.state = this.state + 0x6D2B79F5 | 0;
    let mixed = Math.imul(this.state ^ this.state >>> 15, 1 | this.state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return lowest + Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 0x100000000 * (highest - lowest + 1));
  }
}
