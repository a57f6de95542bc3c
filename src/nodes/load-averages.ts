/** Rates of what is counted, per minute, over several windows: averages that forget exponentially, as Mosquitto's. */
import type { Figure, Figures, Traffic } from './system-figures.ts';

/** Minutes over which is averaged. */
export const WINDOWS: readonly number[] = Object.freeze([1, 5, 15]);
export const WINDOW_COUNT = 3;
export const MINUTE = 60_000;

export class LoadAverages {
  /** For each load one for each window, in turn; then the count of each at the last round. */
  readonly averages: Float64Array;
  private readonly loads: readonly Figure[];
  private interval = 0;
  /** How much of each average is left after an interval. */
  private decays: readonly number[] = [];

  /** @param interval milliseconds between rounds */
  constructor(loads: readonly Figure[], interval: number) {
    this.loads = loads;
    this.averages = new Float64Array(loads.length * (WINDOW_COUNT + 1));
    this.setInterval(interval);
  }

  setInterval(interval: number): void {
    this.interval = interval;
    this.decays = WINDOWS.map(minutes => Math.exp(-interval / (minutes * MINUTE)));
  }

  /** What was counted since the last round enters the averages. */
  update(figures: Figures, traffic: Traffic): void {
    const { averages, decays, loads } = this;
    let at = 0, counted = loads.length * WINDOW_COUNT;
    for (let load = 0; load < loads.length; ++load, ++counted) {
      const total = loads[load]!.of(figures, traffic);
      const rate = (total - averages[counted]!) * MINUTE / this.interval;
      averages[counted] = total;
      for (let window = 0; window < WINDOW_COUNT; ++window, ++at)
        averages[at] = rate + (averages[at]! - rate) * decays[window]!;
    }
  }
}
