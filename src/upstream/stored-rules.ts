/**
 * By which rule a stored message goes upstream today. That is the one that let it through, if the configuration still
 * has it, wherever it stands now; else one that matches its local topic; else none: it is an orphan then, and stays
 * where it is.
 */
import type { Arena } from '../bytes/arena.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import type { StoredMessage } from '../store/stored-message.ts';
import { hashOfTopic } from './topic-hash.ts';
import { GUARDED, NO_RULE, type TopicMap } from './topic-map.ts';
import type { StorePolicy } from './full-policy.ts';
import type { Aging } from './aging.ts';
import type { LossObserver } from './losses.ts';

export class StoredRules {
  /** The message that was looked at last as it goes upstream, if there is a rule. */
  readonly outgoing = new MessageSpans();
  /** Hash of its local topic. */
  hash = 0;
  private readonly arena: Arena;
  readonly map: TopicMap;
  /** Of each rule of the map. */
  readonly policies: readonly StorePolicy[];
  /** Told of what is given up. */
  readonly losses: LossObserver;

  constructor(arena: Arena, map: TopicMap, policies: readonly StorePolicy[], losses: LossObserver) {
    this.arena = arena;
    this.map = map;
    this.policies = policies;
    this.losses = losses;
  }

  /** Finds `hash`, and whether there is a rule. @returns its index, or NO_RULE */
  find(message: StoredMessage): number {
    const { map } = this;
    this.hash = hashOfTopic(this.arena, message.topicNameOffset, message.topicNameLength);
    if (message.isMapped) // by version 0.1, which stored the position of the rule
      return message.rule < map.rules.length ? message.rule : map.rules.length - 1;
    let rule = this.indexOf(message.rule);
    if (rule === NO_RULE || !map.canApply(map.rules[rule]!, message))
      rule = map.resolve(map.uncached, message);
    return rule <= GUARDED ? GUARDED - rule : rule;
  }

  /** The QoS of a message upstream, by the rule that `find` has found. */
  qosOf(message: StoredMessage, rule: number): number {
    const qos = message.isMapped ? message.qos : this.policies[rule]!.qosOf(message.qos);
    return qos === 0 ? 1 : qos;
  }

  /** Fills `outgoing` with a message as it goes upstream, by the rule that `find` has found. */
  encode(message: StoredMessage, rule: number): void {
    const { map, outgoing } = this;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = message.retain;
    outgoing.qos = this.qosOf(message, rule);
    outgoing.propertiesLength = message.propertiesLength;
    outgoing.propertiesOffset = message.propertiesOffset;
    if (message.isMapped) {
      outgoing.topicNameOffset = message.topicNameOffset;
      outgoing.topicNameLength = message.topicNameLength;
      return;
    }
    map.apply(map.rules[rule]!, map.uncached, message);
    outgoing.topicNameOffset = map.placesOffset + map.uncached * map.placeLength;
    outgoing.topicNameLength = map.uncachedLength;
  }

  /**
   * After a look at stored messages: they share the place of mapped names that have no number, and `message` may be
   * on its way to its rule from there.
   */
  mapAgain(message: Message, rule: number): void {
    const { map } = this;
    map.apply(map.rules[rule]!, map.uncached, message);
  }

  /**
   * Whether a message is too old. An edit of the configuration makes none older: of what its rule said then and says
   * now, the longer time counts.
   */
  isExpired(message: StoredMessage, rule: number, time: Aging): boolean {
    if (message.deadline === 0)
      return false;
    const age = time.age(message.takenAt);
    if (age <= message.deadline - message.takenAt)
      return false;
    return rule === NO_RULE || this.policies[rule]!.isExpired(age);
  }

  private indexOf(identity: number): number {
    const { rules } = this.map;
    for (let index = 0; index < rules.length; ++index)
      if (rules[index]!.identity === identity)
        return index;
    return NO_RULE;
  }
}
