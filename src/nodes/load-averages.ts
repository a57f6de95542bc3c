/** Rates of what is counted, per minute, over several windows: averages that forget exponentially, as Mosquitto's. */
import type { Figure, Figures, Traffic } from './system-figures.ts';

/** Minutes over which is averaged. */
export const WINDOWS: readonly number[] = Object.freeze([1, 5, 15]);
export const WINDOW_COUNT = 3;
export const MINUTE = 60_000;

export class LoadAverages {
  /**
   * For each load one for each window, in turn; then the count of each at the last round, and how much of an average is
   * left after an interval, for each window.
   */
  readonly averages: Float64Array;
  private readonly loads: readonly Figure[];
  private interval = 0;

  /** @param interval milliseconds between rounds */
  constructor(loads: readonly Figure[], interval: number) {
    this.loads = loads;
    this.averages = new Float64Array(loads.length * (WINDOW_COUNT + 1) + WINDOW_COUNT);
    this.setInterval(interval);
  }

  setInterval(interval: number): void {
    this.interval = interval;
    const { averages } = this;
    const decays = averages.length - WINDOW_COUNT;
    for (let window = 0; window < WINDOW_COUNT; ++window)
      averages[decays + window] = Math.exp(-interval / (WINDOWS[window]! * MINUTE));
  }

  /** What was counted since the last round enters the averages. */
  update(figures: Figures, traffic: Traffic): void {
    const { averages, loads } = this;
    const { length } = averages;
    const decays = length - WINDOW_COUNT;
    let at = 0, counted = loads.length * WINDOW_COUNT;
    for (let load = 0; load < loads.length; ++load, ++counted) {
      const total = loads[load]!.of(figures, traffic);
      const rate = (total - averages[counted]!) * MINUTE / this.interval;
      averages[counted] = total;
      for (let decay = decays; decay < length; ++decay, ++at)
        averages[at] = rate + (averages[at]! - rate) * averages[decay]!;
    }
  }
}
