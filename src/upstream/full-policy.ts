/**
 * What topic rules say about keeping: whether their messages are stored, for how long, and what is given up when
 * there is no room. The rule of the new message decides whether room is made for it; it is made at the expense of the
 * oldest.
 *
 *   drop_oldest        the oldest goes, the new one is taken
 *   drop_newest        the new one is refused: its node keeps it, because it gets no acknowledgement
 *   latest_per_topic   the oldest goes, unless it is the last one of its topic: that one is kept, behind the others
 */
import type { TopicRuleConfiguration } from '../config/configuration.ts';
import type { StoreConfiguration } from '../config/store-configuration.ts';
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

  /**
   * The QoS with which a message of this QoS goes upstream. Of one that is promised only an acknowledgement tells
   * that it may be forgotten.
   */
  qosOf(messageQoS: number): number {
    const qos = messageQoS < this.rule.qos ? messageQoS : this.rule.qos;
    return qos === 0 && messageQoS !== 0 && this.keeps ? 1 : qos;
  }

  /** @param age of the message in seconds */
  isExpired(age: number): boolean {
    return this.expiry > 0 && age > this.expiry;
  }
}
