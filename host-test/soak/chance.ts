/** What a campaign draws: every number of it comes from one seed. */
import { Random } from '../simulation/random.ts';

const FINE = 1_000_000;

export class Chance {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** Uniform in [0, 1). */
  readonly fraction = (): number => this.random.integer(0, FINE - 1) / FINE;

  /** Both included. */
  integer(lowest: number, highest: number): number {
    return this.random.integer(lowest, highest);
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** As the time to the next of events that happen by themselves, so often on average; at least 1. */
  around(mean: number): number {
    return Math.max(1, Math.round(-Math.log(1 - this.fraction()) * mean));
  }

  /** From `lowest` to `highest`, each order of magnitude equally often. */
  spread(lowest: number, highest: number): number {
    return Math.round(lowest * (highest / lowest) ** this.fraction());
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const left = [...items];
    return items.map(() => left.splice(this.integer(0, left.length - 1), 1)[0]!);
  }
}
