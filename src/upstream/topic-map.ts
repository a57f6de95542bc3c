/**
 * Topic rules: which names cross the bridge, and what they are called on the other side. In Mosquitto's meaning:
 *
 *   out   local names that match local_prefix + pattern; local_prefix is replaced by remote_prefix
 *   in    remote names that match remote_prefix + pattern; remote_prefix is replaced by local_prefix
 *
 * An empty pattern maps the one topic local_prefix to the one topic remote_prefix. The first rule that matches wins.
 *
 * One map works in one direction. For each name of the topic table it keeps the rule and the mapped name, so that a
 * packet with a known topic costs an array access; names without a place in that table are mapped every time:
 *
 *   let rule = map.table[index];
 *   if (rule === UNRESOLVED) rule = map.resolve(index, message);
 *   if (rule !== NO_RULE) the mapped name lies at map.placesOffset + index * map.placeLength,
 *   map.table[map.lengths + index] bytes long
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, isPlainText, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Message } from '../packet/packet.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { LONGEST_TOPIC } from '../packet/topic.ts';
import type { TopicRuleConfiguration } from '../config/configuration.ts';
import type { LossTally } from './loss-tally.ts';
import { hashOfTopic } from './topic-hash.ts';

/** No rule: the message stays on its side. */
export const NO_RULE = -1;
/** Not known yet, ask `resolve`. */
export const UNRESOLVED = -2;
/** Of a name that the Server has sent: no node may have it, because none may bring it in (`isPlainText`). */
export const UNFIT = -3;
/** Each message of this name has to be looked at (guard.ts). Less the index of its rule. */
export const GUARDED = -4;

/** Judges names as they go out. */
export interface NameLimits {
  /** @returns 0: it may go */
  reasonForName(offset: number, length: number): number;
}

/** Who a rule is, whatever its place in the configuration: 32 bits made from its text, FNV-1a. */
function identityOf({ local_prefix, pattern, remote_prefix }: TopicRuleConfiguration): number {
  const text = `${local_prefix}\0${pattern}\0${remote_prefix}`;
  let hash = 0x811C9DC5;
  for (let index = 0; index < text.length; ++index)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
/** Of `granted`: the Server has refused the subscription [MQTT311-3.9.3-2], or has not answered on this connection. */
export const REFUSED = SUBACK_FAILURE;
export const UNANSWERED = -1;

/** One rule in one direction. Made at start; the spans lie in the arena. */
export class TopicRule {
  readonly configuration: TopicRuleConfiguration;
  readonly identity: number;
  /** Of the configuration, or less when the Server does not serve that. */
  qos: number;
  readonly filterOffset: number;
  readonly filterLength: number;
  /** Bytes at the beginning of a name that are replaced ... */
  readonly fromPrefixLength: number;
  /** ... by these. */
  readonly toPrefixOffset: number;
  readonly toPrefixLength: number;
  /** Of direction "in": the QoS that the Server has granted, REFUSED or UNANSWERED. */
  granted = UNANSWERED;
  /** The Server closes the connection for its filter, which is not asked for any more. */
  isSetAside = false;
  forwarded = 0;
  dropped = 0;
  /** Messages of nodes that got no acknowledgement, because there was no room. A repetition counts again. */
  refused = 0;

  constructor(arena: Arena, offset: number, configuration: TopicRuleConfiguration, from: string, to: string) {
    this.configuration = configuration;
    this.identity = identityOf(configuration);
    this.qos = configuration.qos;
    this.filterOffset = offset;
    this.toPrefixOffset = encodeUTF8(arena, offset, from + configuration.pattern);
    this.filterLength = this.toPrefixOffset - offset;
    this.fromPrefixLength = lengthOfUTF8(from);
    this.toPrefixLength = encodeUTF8(arena, this.toPrefixOffset, to) - this.toPrefixOffset;
  }
}

export interface TopicMapSizes {
  readonly topicCount: number;
  readonly capacity: number;
  readonly longest: number;
}

export interface TopicMapPlan extends TopicMapSizes {
  readonly direction: Way;
  readonly textsOffset: number;
  readonly placesOffset: number;
}

/** One direction: a rule of direction "both" is in the maps of both. */
export type Way = 'in' | 'out';

const isOf = (way: Way, { direction }: TopicRuleConfiguration): boolean => direction === way || direction === 'both';

/** What a rule puts in front of a pattern on the side from which a message comes, and on the other one. */
const fromPrefixOf = (way: Way, rule: TopicRuleConfiguration): string =>
  way === 'out' ? rule.local_prefix : rule.remote_prefix;
const toPrefixOf = (way: Way, rule: TopicRuleConfiguration): string =>
  way === 'out' ? rule.remote_prefix : rule.local_prefix;

/** Bytes of the texts of all rules of one direction. */
export const lengthOfRules = (way: Way, rules: readonly TopicRuleConfiguration[]): number =>
  rules.filter(rule => isOf(way, rule)).reduce((sum, rule) =>
    sum + lengthOfUTF8(fromPrefixOf(way, rule) + rule.pattern + toPrefixOf(way, rule)), 0);

/** Writes the texts of the rules of one direction to `offset` and the bytes after it. */
export const rulesOf = (arena: Arena, offset: number, way: Way, rules: readonly TopicRuleConfiguration[]):
  TopicRule[] => rules.filter(rule => isOf(way, rule)).map(rule => {
  const made = new TopicRule(arena, offset, rule, fromPrefixOf(way, rule), toPrefixOf(way, rule));
  offset = made.toPrefixOffset + made.toPrefixLength;
  return made;
});

export class TopicMap {
  /** What was given up by reason, where somebody wants to know. Without an initial value: it costs nothing then. */
  declare losses?: LossTally;
  /** A name that no rule is about, whatever they say. */
  declare own?: { isTopic(name: Message): boolean } | undefined;
  /** In the order of the configuration. When that is read again the list gets other content. */
  readonly rules: readonly TopicRule[];
  private readonly arena: Arena;
  /**
   * Mapped names, valid until the topic is replaced; the last place, for names that have no number of their own,
   * until the next one.
   */
  readonly placesOffset: number;
  readonly placeLength: number;
  /**
   * Per number of the topic table: a rule's index, NO_RULE or UNRESOLVED; from `lengths` on the lengths of the mapped
   * names, from `hashes` on hashes of the names before they are mapped, where there is a rule. In one, for each array
   * has its own object.
   */
  readonly table: Int32Array;
  readonly lengths: number;
  readonly hashes: number;
  /** Bytes of the last place. */
  private readonly longest: number;
  /** Whether names are judged as those of nodes are: a Server may be lax, the libraries of nodes need not be. */
  private readonly judgesNames: boolean;
  /** Of names that go out. */
  limits: NameLimits | undefined = undefined;
  private guardsAll = false;

  /**
   * `topicCount`: numbers of the topic table; `capacity`: bytes of a kept name, of any that the topic table has a place
   * for; `longest`: of any other.
   */
  static plan(plan: ArenaPlan, direction: Way, rules: readonly TopicRuleConfiguration[],
    { capacity, longest, topicCount }: TopicMapSizes): TopicMapPlan {
    const textsOffset = plan.reserve(`topic rules, ${direction}`, lengthOfRules(direction, rules));
    const placesOffset = plan.reserve(`mapped topics, ${direction}`, capacity, topicCount);
    plan.reserve(`longest mapped topic, ${direction}`, longest); // right behind: the last place
    return { direction, textsOffset, placesOffset, topicCount, capacity, longest };
  }

  constructor(arena: Arena, plan: TopicMapPlan, rules: readonly TopicRuleConfiguration[]) {
    const { capacity, direction, longest, topicCount } = plan;
    this.arena = arena;
    this.rules = rulesOf(arena, plan.textsOffset, direction, rules);
    this.placesOffset = plan.placesOffset;
    this.placeLength = capacity;
    this.judgesNames = direction === 'in';
    this.longest = longest < LONGEST_TOPIC ? longest : LONGEST_TOPIC;
    // One more for all the names that have no place in the topic table.
    this.lengths = topicCount + 1;
    this.hashes = this.lengths * 2;
    this.table = new Int32Array(this.lengths * 3);
    this.forgetAll();
  }

  /** No name is known any more. */
  forgetAll(): void {
    this.table.fill(UNRESOLVED, 0, this.lengths);
  }

  /** The topic table gives `index` another name. */
  forget(index: number): void {
    this.table[index] = UNRESOLVED;
  }

  /**
   * Finds the rule for the name of `message` and maps it.
   * @param index number of the name in the topic table, whose place gets the mapped name
   * @returns the index of the rule, NO_RULE, UNFIT, or GUARDED less that index
   */
  resolve(index: number, message: Message): number {
    const { topicNameLength, topicNameOffset } = message;
    const { rules, table } = this;
    const isCached = index < this.lengths - 1;
    for (let at = this.own?.isTopic(message) === true ? rules.length : 0; at < rules.length; ++at) {
      const rule = rules[at]!;
      if (!matchesTopicFilter(this.arena, rule.filterOffset, rule.filterLength, topicNameOffset, topicNameLength))
        continue;
      if (!this.apply(rule, index, message))
        break; // no such name can be sent
      table[this.hashes + index] = hashOfTopic(this.arena, topicNameOffset, topicNameLength);
      const verdict = this.judge(index, at);
      if (isCached)
        table[index] = verdict;
      return verdict;
    }
    if (isCached)
      table[index] = NO_RULE;
    return NO_RULE;
  }

  /** @returns the length of the name before it was mapped, which is written to the place of `uncached` */
  unmap(rule: TopicRule, offset: number, length: number): number {
    const { bytes } = this.arena;
    const to = this.placesOffset + this.uncached * this.placeLength;
    const { filterOffset, fromPrefixLength, toPrefixLength } = rule;
    bytes.copyWithin(to, filterOffset, filterOffset + fromPrefixLength);
    bytes.copyWithin(to + fromPrefixLength, offset + toPrefixLength, offset + length);
    return fromPrefixLength + length - toPrefixLength;
  }

  /** No rule sends, or asks for, more than this QoS. */
  limitQoS(most: number): void {
    const { rules } = this;
    for (let index = 0; index < rules.length; ++index) {
      const { configuration: { qos } } = rules[index]!;
      rules[index]!.qos = qos < most ? qos : most;
    }
  }

  /** Whether each message has to be looked at, whatever its name. */
  guardAll(isOn: boolean): void {
    if (this.guardsAll === isOn)
      return;
    this.guardsAll = isOn;
    this.forgetAll();
  }

  /** @returns `rule`, or what stands in its way of the name at the place of `index` */
  private judge(index: number, rule: number): number {
    const { limits } = this;
    const name = this.placesOffset + index * this.placeLength;
    const length = this.table[this.lengths + index]!;
    if (this.judgesNames)
      return isPlainText(this.arena, name, name + length) ? rule : UNFIT;
    return this.guardsAll || limits !== undefined && limits.reasonForName(name, length) !== 0 ? GUARDED - rule : rule;
  }

  /** The rule that is about a name, whether or not it can be mapped; undefined: none. */
  firstMatch({ topicNameLength, topicNameOffset }: Message): TopicRule | undefined {
    return this.rules.find(({ filterLength, filterOffset }) =>
      matchesTopicFilter(this.arena, filterOffset, filterLength, topicNameOffset, topicNameLength));
  }

  /** The number of all names that have none of their own. */
  get uncached(): number {
    return this.lengths - 1;
  }

  /** Of the name that was mapped last for `uncached`: bytes, and the hash of what it was before. */
  get uncachedLength(): number {
    return this.table[this.lengths + this.uncached]!;
  }

  get uncachedHash(): number {
    return this.table[this.hashes + this.uncached]!;
  }

  /** Whether the name of `message`, which matches `rule`, has a mapped one that can be sent. */
  canApply(rule: TopicRule, message: Message): boolean {
    const length = rule.toPrefixLength + message.topicNameLength - rule.fromPrefixLength;
    return length <= this.longest && length !== 0;
  }

  /**
   * Maps the name of `message`, which matches `rule`, to the place of `index`. @returns false when the mapped name
   * would be too long, or empty
   */
  apply(rule: TopicRule, index: number, { topicNameLength, topicNameOffset }: Message): boolean {
    const { bytes } = this.arena;
    const length = rule.toPrefixLength + topicNameLength - rule.fromPrefixLength;
    if (length > this.longest || length === 0)
      return false;
    const to = this.placesOffset + index * this.placeLength;
    bytes.copyWithin(to, rule.toPrefixOffset, rule.toPrefixOffset + rule.toPrefixLength);
    bytes.copyWithin(to + rule.toPrefixLength, topicNameOffset + rule.fromPrefixLength,
      topicNameOffset + topicNameLength);
    this.table[this.lengths + index] = length;
    return true;
  }
}
