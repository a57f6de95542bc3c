/** Messages that were given up, by rule and by reason (losses.ts): for one direction, where somebody wants to know. */
import { QUARANTINE_FULL } from './losses.ts';

/** Reasons have the numbers from 1 to before this. */
const REASON_COUNT = QUARANTINE_FULL + 1;

/** A topic rule. */
interface Named {
  readonly identity: number;
}

export class LossTally {
  /** Per rule, in their order, a count for each reason; at the end those of messages that had no rule any more. */
  private counts: Float64Array;

  constructor(ruleCount: number) {
    this.counts = new Float64Array((ruleCount + 1) * REASON_COUNT);
  }

  /** @param rule its index; NO_RULE, or any other that there is not: none */
  add(rule: number, reason: number): void {
    ++this.counts[this.placeOf(rule) + reason]!;
  }

  countOf(rule: number, reason: number): number {
    return this.counts[this.placeOf(rule) + reason]!;
  }

  /** There are other rules: one that was there before keeps its counts, those of a rule that is gone have no rule. */
  replace(old: readonly Named[], rules: readonly Named[]): void {
    const { counts } = this;
    this.counts = new Float64Array((rules.length + 1) * REASON_COUNT);
    for (let rule = 0; rule <= old.length; ++rule) {
      const place = this.placeOf(rules.findIndex(({ identity }) => identity === old[rule]?.identity));
      for (let reason = 0; reason < REASON_COUNT; ++reason)
        this.counts[place + reason]! += counts[rule * REASON_COUNT + reason]!;
    }
  }

  private placeOf(rule: number): number {
    const last = this.counts.length - REASON_COUNT;
    return rule < 0 || rule * REASON_COUNT > last ? last : rule * REASON_COUNT;
  }
}
