/**
 * How much a count has grown in the last minutes: in the last one to two of PERIOD. Costs nothing where it is
 * counted.
 */

/** Seconds. */
const PERIOD = 300;

export class RecentCount {
  /** What the count was when this period began, and when the one before it did. */
  private current = 0;
  private last = 0;
  private periodEnd = PERIOD;

  /** @param uptime seconds since the start; to be called now and then */
  update(count: number, uptime: number): void {
    if (uptime < this.periodEnd)
      return;
    this.periodEnd = uptime + PERIOD;
    this.last = this.current;
    this.current = count;
  }

  /** @param count as it is now */
  growthTo(count: number): number {
    return count - this.last;
  }
}
