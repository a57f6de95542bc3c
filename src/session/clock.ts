/**
 * All that the core knows about time: what time it is, because whoever drives it has written that down, and when it
 * wants to be called next. Milliseconds as 32-bit integers that wrap round after 49.7 days; compare differences only,
 * `(a - b) | 0`.
 */

/** @returns whether `moment` has come at `now`, across the wrap-around; for moments less than 24 days apart */
export const isDue = (moment: number, now: number): boolean => (now - moment | 0) >= 0;

/** Milliseconds that a clock may go back without another meaning. */
const LONGEST_STEP_BACK = 60_000;

export class Clock {
  /** Set by the driver before it calls anything. */
  now = 0;
  /** When `handleTimeout` should be called; means nothing while `isArmed` is false. */
  deadline = 0;
  isArmed = false;
  /** There is work for as soon as the event at hand is over; see `soon`. */
  isPressing = false;
  /** The deadline has moved, or work has been put off, since the driver last looked. */
  isChanged = false;

  private seconds = 0;
  private restOfSecond = 0;
  private countedAt = 0;

  /**
   * @returns seconds since some moment, for what lives longer than milliseconds can tell; to be called once in 24 days
   * at least
   */
  countSeconds(): number {
    const elapsed = this.now - this.countedAt | 0;
    if (elapsed > 0) {
      const milliseconds = this.restOfSecond + elapsed;
      this.countedAt = this.now;
      this.restOfSecond = milliseconds % 1000;
      this.seconds += (milliseconds - this.restOfSecond) / 1000;
    } else if (elapsed < -LONGEST_STEP_BACK) // it is counted from somewhere else
      this.countedAt = this.now;
    return this.seconds;
  }

  /** Asks for a call of `handleTimeout` at `moment` or earlier. */
  request(moment: number): void {
    if (!this.isArmed || (moment - this.deadline | 0) < 0) {
      this.deadline = moment;
      this.isArmed = this.isChanged = true;
    }
  }

  /**
   * Asks for a call of `handleDeferred` as soon as the event at hand is over and what has arrived with it has been
   * heard: for what one event may ask for many times and that is to be done once, and for what must not be done in
   * the middle of one.
   */
  soon(): void {
    this.isPressing = this.isChanged = true;
  }
}
