/** How long messages take, from when they were taken over to their last acknowledgement: a histogram of fixed size. */

/** Milliseconds: the largest that counts in each bucket. What takes longer is in one more. */
export const BOUNDS: readonly number[] = Object.freeze(
  [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000]);

export class DeliveryTimes {
  /** Messages per bucket, not cumulated; one bucket more than there are bounds. */
  readonly counts = new Float64Array(BOUNDS.length + 1);
  /** Milliseconds of all of them together. */
  sum = 0;
  count = 0;

  add(milliseconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && milliseconds > BOUNDS[bucket]!)
      ++bucket;
    ++this.counts[bucket]!;
    this.sum += milliseconds;
    ++this.count;
  }
}
