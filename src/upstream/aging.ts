/**
 * How old a message is: seconds of power, whatever the calendar says. The clock of the store is one, which also knows
 * how long it was off.
 */
export interface Aging {
  readonly now: number;
  /** Seconds since `takenAt`. */
  age(takenAt: number): number;
}

/** The seconds since the start, where no store counts them. */
export class SecondsOfPower implements Aging {
  now = 0;
  private milliseconds = 0;
  private countedAt = 0;

  /** @param now of the clock of the program, in milliseconds of 32 bits */
  advance(now: number): void {
    this.milliseconds += now - this.countedAt >>> 0;
    this.countedAt = now;
    this.now += Math.floor(this.milliseconds / 1000);
    this.milliseconds %= 1000;
  }

  age(takenAt: number): number {
    return this.now - takenAt;
  }
}
