/** What the lives of a gateway have counted, added up: $SYS and the status begin anew with each. */
import type { Status } from '../../src/gateway/status.ts';
import type { World } from '../world/world.ts';

/** Figures by name. */
export class Totals {
  private readonly figures = new Map<string, number>();

  get(name: string): number {
    return this.figures.get(name) ?? 0;
  }

  add(name: string, amount = 1): void {
    this.figures.set(name, this.get(name) + amount);
  }

  addAll(other: Totals, sign = 1): this {
    for (const [name, amount] of other.figures)
      this.add(name, sign * amount);
    return this;
  }

  addStatus({ counters, quarantine, rules }: Status): this {
    for (const { direction, dropped, forwarded, pattern, refused } of rules)
      if (direction === 'out') {
        this.add(`dropped ${pattern}`, dropped);
        this.add(`forwarded ${pattern}`, forwarded);
        this.add(`refused ${pattern}`, refused);
      }
    for (const [name, amount] of Object.entries(counters))
      this.add(name, amount);
    this.add('setAside', quarantine.setAside);
    return this;
  }

  toString(): string {
    return [...this.figures].filter(([, amount]) => amount !== 0).map(([name, amount]) => `${name} ${amount}`)
      .join(', ');
  }
}

export class Tally {
  /** Of lives that are over; and losses and events of all. */
  readonly ended = new Totals();

  /** A new life. @param onLoss told of what is given up after it was taken: pattern of its rule, reason of losses.ts */
  watch({ gateway: { bridge } }: World, onLoss: (pattern: string, reason: number) => void): void {
    const onLost = bridge.onLost.bind(bridge);
    bridge.onLost = (rule, reason) => {
      const pattern = bridge.outbound.rules[rule]?.configuration.pattern ?? '';
      onLoss(pattern, reason);
      onLost(rule, reason);
    };
  }

  /** A message of the gateway that lives now was given up. */
  lose(pattern: string, reason: number): void {
    this.ended.add(`lost ${pattern}`);
    this.ended.add(`lost for ${reason}`);
    this.ended.add(`lost ${pattern} for ${reason}`);
  }

  /** The power failed between the mark on the flash that says so and the counter. */
  loseInTheDark(pattern: string): void {
    this.ended.add(`lost in the dark ${pattern}`);
  }

  notice(event: number): void {
    this.ended.add(`event ${event}`);
  }

  /** All so far. @param status of the life that goes on, if one does */
  total(status: Status | undefined): Totals {
    const total = new Totals().addAll(this.ended);
    return status === undefined ? total : total.addStatus(status);
  }
}
