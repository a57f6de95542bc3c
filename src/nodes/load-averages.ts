/** Rates of what is counted, per minute, over several windows: averages that forget exponentially, as Mosquitto's. */
import type { Figure, Figures, Traffic } from './system-figures.ts';

/** Minutes over which is averaged. */
export const WINDOWS: readonly number[] = Object.freeze([1, 5, 15]);
export const WINDOW_COUNT = 3;
export const MINUTE = 60_000;

export class LoadAverages {
  /** For each load one for each window, in turn. */
  readonly averages: number[];
  private readonly loads: readonly Figure[];
  private readonly lastCounts: number[];
  private interval = 0;
  /** How much of each average is left after an interval. */
  private decays: readonly number[] = [];

  /** @param interval milliseconds between rounds */
  constructor(loads: readonly Figure[], interval: number) {
    this.loads = loads;
    this.averages = new Array<number>(loads.length * WINDOW_COUNT).fill(0);
    this.lastCounts = new Array<number>(loads.length).fill(0);
    this.setInterval(interval);
  }

  setInterval(interval: number): void {
    this.interval = interval;
    this.decays = WINDOWS.map(minutes => Math.exp(-interval / (minutes * MINUTE)));
  }

  /** What was counted since the last round enters the averages. */
  update(figures: Figures, traffic: Traffic): void {
    const { averages, decays, lastCounts, loads } = this;
    let at = 0;
    for (let load = 0; load < loads.length; ++load) {
      const total = loads[load]!.of(figures, traffic);
      const rate = (total - lastCounts[load]!) * MINUTE / this.interval;
      lastCounts[load] = total;
      for (let window = 0; window < WINDOW_COUNT; ++window, ++at)
        averages[at] = rate + (averages[at]! - rate) * decays[window]!;
    }
  }
}
