/**
 * Topic rules: which names cross the bridge, and what they are called on the other side. In Mosquitto's meaning:
 *
 *   out   local names that match local_prefix + pattern; local_prefix is replaced by remote_prefix
 *   in    remote names that match remote_prefix + pattern; remote_prefix is replaced by local_prefix
 *
 * An empty pattern maps the one topic local_prefix to the one topic remote_prefix. The first rule that matches wins.
 *
 * One map works in one direction. For each name of the topic table it keeps the rule and the mapped name, so that a
 * packet with a known topic costs an array access; names without a place in that table are mapped every time.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Message } from '../packet/packet.ts';
import { matchesTopicFilter } from '../packet/topic.ts';
import type { TopicRuleConfiguration } from './configuration.ts';

/** No rule: the message stays on its side. */
export const NO_RULE = -1;
const UNRESOLVED = -2;

/** One rule in one direction. Made at start; the spans lie in the arena. */
export class TopicRule {
  readonly configuration: TopicRuleConfiguration;
  readonly qos: number;
  readonly filterOffset: number;
  readonly filterLength: number;
  /** Bytes at the beginning of a name that are replaced ... */
  readonly fromPrefixLength: number;
  /** ... by these. */
  readonly toPrefixOffset: number;
  readonly toPrefixLength: number;
  forwarded = 0;
  dropped = 0;
  /** Messages of nodes that got no acknowledgement, because there was no room. A repetition counts again. */
  refused = 0;

  constructor(arena: Arena, offset: number, configuration: TopicRuleConfiguration, from: string, to: string) {
    this.configuration = configuration;
    this.qos = configuration.qos;
    this.filterOffset = offset;
    this.toPrefixOffset = encodeUTF8(arena, offset, from + configuration.pattern);
    this.filterLength = this.toPrefixOffset - offset;
    this.fromPrefixLength = lengthOfUTF8(from);
    this.toPrefixLength = encodeUTF8(arena, this.toPrefixOffset, to) - this.toPrefixOffset;
  }
}

export interface TopicMapPlan {
  readonly rules: readonly { configuration: TopicRuleConfiguration; from: string; to: string; offset: number }[];
  readonly placesOffset: number;
  readonly scratchOffset: number;
}

export class TopicMap {
  readonly rules: readonly TopicRule[];
  private readonly arena: Arena;
  private readonly placesOffset: number;
  private readonly placeCapacity: number;
  private readonly scratchOffset: number;
  private readonly scratchCapacity: number;
  /** Per number of the topic table: a rule's index, NO_RULE or UNRESOLVED. */
  private readonly ruleOf: Int32Array;
  private readonly lengthOf: Int32Array;

  /** @param topicCount numbers of the topic table @param capacity bytes of a kept name @param longest bytes of any mapped name */
  static plan(plan: ArenaPlan, direction: 'in' | 'out', rules: readonly TopicRuleConfiguration[], topicCount: number, capacity: number, longest: number): TopicMapPlan {
    return {
      rules: rules.filter(rule => rule.direction === direction || rule.direction === 'both').map(configuration => {
        const { local_prefix: local, remote_prefix: remote, pattern } = configuration;
        const from = direction === 'out' ? local : remote;
        const to = direction === 'out' ? remote : local;
        const offset = plan.reserve(`topic rules, ${direction}`, lengthOfUTF8(from + pattern + to));
        return { configuration, from, to, offset };
      }),
      placesOffset: plan.reserve(`mapped topics, ${direction}`, capacity, topicCount),
      scratchOffset: plan.reserve(`longest mapped topic, ${direction}`, longest),
    };
  }

  constructor(arena: Arena, plan: TopicMapPlan, topicCount: number, capacity: number, longest: number) {
    this.arena = arena;
    this.rules = plan.rules.map(rule => new TopicRule(arena, rule.offset, rule.configuration, rule.from, rule.to));
    this.placesOffset = plan.placesOffset;
    this.placeCapacity = capacity;
    this.scratchOffset = plan.scratchOffset;
    this.scratchCapacity = longest;
    // One more for all the names that have no place in the topic table.
    this.ruleOf = new Int32Array(topicCount + 1).fill(UNRESOLVED);
    this.lengthOf = new Int32Array(topicCount + 1).fill(0);
  }

  /** The topic table gives `index` another name. */
  forget(index: number): void {
    this.ruleOf[index] = UNRESOLVED;
  }

  /**
   * Gives `mapped` the name that `message` has on the other side, valid until the next call or until the topic is replaced.
   * @param index number of the message's name in the topic table
   * @returns the index of the rule for it, or NO_RULE
   */
  mapTopic(index: number, message: Message, mapped: Message): number {
    const rule = this.ruleOf[index]!;
    if (rule === NO_RULE)
      return NO_RULE;
    if (rule === UNRESOLVED)
      return this.resolve(index, message.topicNameOffset, message.topicNameLength, mapped);
    mapped.topicNameOffset = this.placesOffset + index * this.placeCapacity;
    mapped.topicNameLength = this.lengthOf[index]!;
    return rule;
  }

  private resolve(index: number, nameOffset: number, nameLength: number, mapped: Message): number {
    const { arena, rules } = this;
    const isCached = index < this.ruleOf.length - 1;
    for (let at = 0; at < rules.length; ++at) {
      const rule = rules[at]!;
      if (!matchesTopicFilter(arena, rule.filterOffset, rule.filterLength, nameOffset, nameLength))
        continue;
      const rest = nameLength - rule.fromPrefixLength;
      const length = rule.toPrefixLength + rest;
      if (length > this.scratchCapacity || length === 0)
        break; // no such name can be sent
      const keep = isCached && length <= this.placeCapacity;
      const to = keep ? this.placesOffset + index * this.placeCapacity : this.scratchOffset;
      arena.bytes.copyWithin(to, rule.toPrefixOffset, rule.toPrefixOffset + rule.toPrefixLength);
      arena.bytes.copyWithin(to + rule.toPrefixLength, nameOffset + rule.fromPrefixLength, nameOffset + nameLength);
      mapped.topicNameOffset = to;
      mapped.topicNameLength = length;
      if (keep) {
        this.lengthOf[index] = length;
        this.ruleOf[index] = at;
      }
      return at;
    }
    if (isCached)
      this.ruleOf[index] = NO_RULE;
    return NO_RULE;
  }
}
