/** How long the broker has been away: this time, and in all. Known by looking now and then. */
export class Absence {
  private lastLook: number;
  private lastSeen: number;
  private sum = 0;

  /** @param now milliseconds of a clock that is not set */
  constructor(now: number) {
    this.lastLook = this.lastSeen = now;
  }

  look(isThere: boolean, now: number): void {
    if (isThere)
      this.lastSeen = now;
    else
      this.sum += now - this.lastLook;
    this.lastLook = now;
  }

  /** Seconds since the broker was there last, as far as that was looked at; 0 while it is there. */
  get seconds(): number {
    return Math.floor((this.lastLook - this.lastSeen) / 1000);
  }

  /** Seconds without the broker since the start. */
  get total(): number {
    return Math.floor(this.sum / 1000);
  }
}
