/**
 * What topic rules say about keeping: whether their messages are stored, for how long, and what is given up when there is
 * no room. The rule of the new message decides whether room is made for it; it is made at the expense of the oldest.
 *
 *   drop_oldest        the oldest goes, the new one is taken
 *   drop_newest        the new one is refused: its node keeps it, because it gets no acknowledgement
 *   latest_per_topic   the oldest goes, unless it is the last one of its topic: that one is kept, behind the others
 */
import type { StoreConfiguration, TopicRuleConfiguration } from '../config/configuration.ts';
import type { TopicRule } from './topic-map.ts';

export class StorePolicy {
  /** Whether what a node or a sensor has given QoS 1 or 2 must arrive, whatever the QoS of the rule. */
  readonly keeps: boolean;
  /** Whether that is to survive a power cut. */
  readonly isStored: boolean;
  /** What is done when it is full. Flags: to compare with a text costs a preloaded module memory each time. */
  readonly refusesNew: boolean;
  readonly keepsLatest: boolean;
  /** Seconds, 0 for any time. */
  readonly expiry: number;
  readonly rule: TopicRule;
  /** Given up because they were too old. They count as dropped as well. */
  expired = 0;

  constructor(rule: TopicRule, store: StoreConfiguration) {
    const configuration: TopicRuleConfiguration = rule.configuration;
    this.rule = rule;
    this.keeps = configuration.store;
    this.isStored = store.durability === 'flash' && configuration.store;
    const full = configuration.full ?? store.full;
    this.refusesNew = full === 'drop_newest';
    this.keepsLatest = full === 'latest_per_topic';
    this.expiry = configuration.expiry;
  }

  /** @param time when the message was taken @param now seconds since 1970; 0 where nobody knows */
  isExpired(time: number, now: number): boolean {
    return this.expiry > 0 && time > 0 && now - time > this.expiry;
  }
}

const FIELDS = 2;
const PROBES = 8;

/** Which stored record is the newest of its topic, by the hash of the topic; of fixed size, so it does not know all. */
export class LatestRecords {
  private readonly mask: number;
  /** Hash, position; 0, 0 is a free place. */
  private readonly entries: Int32Array;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    this.mask = capacity - 1;
    this.entries = new Int32Array(capacity * FIELDS);
  }

  set(hash: number, position: number): void {
    const at = this.find(hash);
    if (at < 0)
      return;
    this.entries[at] = hash;
    this.entries[at + 1] = position;
  }

  /** Whether no newer record of the topic is known. */
  isLatest(hash: number, position: number): boolean {
    const at = this.find(hash);
    return at < 0 || this.entries[at] !== hash || this.entries[at + 1] === (position | 0);
  }

  /** @returns the place of `hash`, else a free one, else -1 */
  private find(hash: number): number {
    const { entries, mask } = this;
    for (let probe = 0; probe < PROBES; ++probe) {
      const at = ((hash >>> 4) + probe & mask) * FIELDS;
      if (entries[at] === hash || entries[at] === 0 && entries[at + 1] === 0)
        return at;
    }
    return -1;
  }
}
