/**
 * Where a topic goes, for a person who asks and for the tests of a configuration. Nothing is decided here: a message is
 * published as at run time (gateway/publishing.ts), by the rights, mount points and topic rules of the configuration,
 * in an arena of its own; what would be sent is noted down. Knows no connection.
 */
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { decodeUTF8, encodeUTF8, isPlainText, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { AccessConfiguration, Configuration } from '../config/configuration.ts';
import { longestOutgoingPacket } from '../gateway/packet-limits.ts';
import { describeLimit } from '../gateway/quarantine-texts.ts';
import { FORBIDDEN, Publishing } from '../gateway/publishing.ts';
import { nodeLimitsOf } from '../gateway/settings.ts';
import { Access, READ } from '../nodes/access.ts';
import { UNKNOWN } from '../nodes/delivery.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { NodeStates } from '../nodes/node-states.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { isSystemTopic } from '../packet/topic.ts';
import { INVALID_TOPIC, TopicTable } from '../packet/topic-table.ts';
import { TAKEN } from '../session/session-role.ts';
import { BrokerLimits } from '../upstream/broker-limits.ts';
import { StorePolicy } from '../upstream/full-policy.ts';
import { FINE } from '../upstream/quarantine-reasons.ts';
import { TopicMap, type TopicRule } from '../upstream/topic-map.ts';
import type { Crossing, Outgoing, Reader, Refusal, Sender, Unsent } from './routing-answers.ts';
import { flawOf } from './topic-flaws.ts';

/** The topic table has one place, too short for any name, so that nothing is remembered. */
const PLACES = 1;
/** Of a message that is not sent again when it is not acknowledged. */
const NO_ORIGIN = 0;

export class Routing {
  readonly configuration: Configuration;
  private readonly arena: Arena;
  private readonly topics: TopicTable;
  private readonly outbound: TopicMap;
  private readonly inbound: TopicMap;
  private readonly policies: readonly StorePolicy[];
  private readonly limits: BrokerLimits;
  private readonly access: Access | undefined;
  private readonly nodes: NodeStates;
  private readonly publishing: Publishing;
  private readonly topicOffset: number;
  private readonly longestTopic: number;
  private readonly identifierOffset: number;
  private readonly message = new MessageSpans();
  private readonly sent = new MessageSpans();
  /** Local name of the message at hand, once somebody is to get it. */
  private localName: string | undefined;
  private upstream: Outgoing['upstream'];
  private unsent: Unsent | undefined;

  constructor(configuration: Configuration) {
    const { listener, store, topic, upstream } = configuration;
    const alone = { ...listener, max_sessions: 1, max_queued_bytes: 64, max_unreleased_messages: 1 };
    const limits = nodeLimitsOf(alone);
    const longest = longestOutgoingPacket(configuration);
    const plan = new ArenaPlan();
    this.configuration = configuration;
    this.longestTopic = longest;
    this.topicOffset = plan.reserve('the topic that is asked for', longest);
    this.identifierOffset = plan.reserve('client identifier', listener.max_clientid_length);
    const nodesPlan = NodeStates.plan(plan, 1, limits, listener.max_clientid_length);
    const topicsOffset = TopicTable.plan(plan, PLACES, 0, 0);
    const sizes = { topicCount: PLACES, capacity: longest, longest };
    const outboundPlan = TopicMap.plan(plan, 'out', topic, sizes);
    const inboundPlan = TopicMap.plan(plan, 'in', topic, sizes);
    const accessPlan = Access.plan(plan, alone, PLACES, longest);
    const arena = this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
    this.topics = new TopicTable(arena, topicsOffset, PLACES, 0);
    this.outbound = new TopicMap(arena, outboundPlan, topic);
    this.inbound = new TopicMap(arena, inboundPlan, topic);
    this.outbound.limitQoS(upstream.max_qos);
    this.inbound.limitQoS(upstream.max_qos);
    this.limits = new BrokerLimits(arena, upstream);
    this.policies = this.outbound.rules.map(rule => new StorePolicy(rule, store));
    this.access = accessPlan && new Access(arena, accessPlan, alone);
    this.nodes = new NodeStates(arena, nodesPlan, limits, listener.max_clientid_length, listener.users.length);
    this.publishing = new Publishing(this.topics, {
      arena,
      localAudience: new Int32Array(PLACES + 1).fill(UNKNOWN),
      rejects: (_session, message) => !this.isNameForNodes(message),
      deliver: message => { this.localName = this.nameOf(message); },
    }, { forward: message => this.forward(message) });
  }

  /** Whether it is a Topic Name that fits a packet, or would be one if it were a text of MQTT. */
  isTopicName(topic: string): boolean {
    return lengthOfUTF8(topic) <= this.longestTopic && this.place(topic.replaceAll('\0', ' ')) !== INVALID_TOPIC;
  }

  /** A message of a node. @param topic as the node says it: a Topic Name, see `isTopicName` */
  publish(topic: string, sender: Sender, qos: number): Outgoing {
    const { access, configuration: { listener }, message, publishing } = this;
    if (sender.user === null && !listener.allow_anonymous)
      return this.refused('anonymous', topic);
    const node = this.enter(sender);
    if (node === undefined)
      return this.refused('name', topic);
    const flaw = flawOf(topic);
    if (flaw === 'malformed')
      return this.refused(flaw, topic);
    const index = this.place(topic, qos);
    this.localName = this.upstream = this.unsent = undefined;
    if (access !== undefined) {
      if (publishing.publishFor(node, message, index, access, NO_ORIGIN) === FORBIDDEN)
        return this.refused(this.isMountable(node) ? 'acl' : 'mount_point', this.mountedName(node, topic));
    } else if (this.isNameForNodes(message))
      publishing.publish(message, index, NO_ORIGIN, -1);
    return this.localName === undefined ? this.refused(flaw ?? 'system', topic) : this.outgoing(this.localName);
  }

  /** A message of the gateway itself, a reading for instance. @param topic a Topic Name */
  publishReading(topic: string, qos: number): Outgoing {
    const flaw = flawOf(topic);
    if (flaw !== undefined) // no sensor may have such a topic
      return this.refused(flaw, topic);
    this.localName = this.upstream = this.unsent = undefined;
    const index = this.place(topic, qos);
    this.publishing.publish(this.message, index, NO_ORIGIN, -1);
    return this.outgoing(topic);
  }

  /** A message of the broker. @returns undefined when no rule takes it in */
  receive(remoteTopic: string, qos: number): Crossing | undefined {
    const { inbound } = this;
    const index = this.place(remoteTopic, qos);
    const rule = inbound.resolve(index, this.message);
    return rule < 0 ? undefined : this.crossing(inbound, rule, qos);
  }

  /** Whether a rule is about a topic of the broker, whatever becomes of it. */
  asksFor(remoteTopic: string): boolean {
    this.place(remoteTopic);
    return this.inbound.firstMatch(this.message) !== undefined;
  }

  /** Users whose nodes may read a local topic, each with the name under which it arrives there. */
  readersOf(localName: string, clientid: string): Reader[] {
    const { listener } = this.configuration;
    const users = [...listener.users.map(({ username }) => username), ...listener.allow_anonymous ? [null] : []];
    return users.flatMap(user => {
      const name = this.nameFor({ user, clientid }, localName);
      return name === undefined ? [] : [{ user, name }];
    });
  }

  /** What a node calls a local topic that it may read; undefined: it may not, or cannot from its mount point. */
  private nameFor(reader: Sender, localName: string): string | undefined {
    const { access, arena, message } = this;
    const node = this.enter(reader);
    const index = this.place(localName);
    const { topicNameLength: length, topicNameOffset: offset } = message;
    if (access === undefined || node === undefined)
      return node && localName;
    const mountLength = access.mountLengths[node.index]!;
    const isNamed = mountLength === 0 || access.isInside(node, offset, length);
    if (!isNamed || !access.allows(node, index, offset, length, READ))
      return undefined;
    const name = decodeUTF8(arena, offset + mountLength, length - mountLength);
    // What it subscribes to gets the mount point in front: it matches this name only if that has it, too.
    const isBelow = mountLength === 0
      || access.mount(node, offset + mountLength, length - mountLength) && this.nameOf(access.mounted) === localName;
    return isBelow ? name : undefined;
  }

  /** Positions of the entries of listener.acl that decide: those that deny, else those that grant. */
  decidingEntries(topic: string, sender: Sender): readonly number[] {
    const { acl } = this.configuration.listener;
    const about = acl.flatMap((entry, index) => this.isAbout(entry, topic, sender) ? [index] : []);
    const denials = about.filter(index => acl[index]!.access === 'deny');
    return denials.length > 0 ? denials : about;
  }

  /** Whether an entry that stood alone, and granted, would grant. */
  private isAbout(entry: AccessConfiguration, topic: string, sender: Sender): boolean {
    const { configuration } = this;
    const granting: AccessConfiguration = entry.access === 'deny' ? { ...entry, access: 'readwrite' } : entry;
    const alone = new Routing({
      ...configuration, topic: [], listener: { ...configuration.listener, acl: [granting] },
    });
    return alone.publish(topic, sender, 0).refusal === undefined;
  }

  /** In words, with the key that decides. */
  describeUnsent({ reason }: Unsent): string {
    return describeLimit(reason, this.limits, this.configuration.upstream)!;
  }

  private outgoing(localName: string): Outgoing {
    const { unsent, upstream } = this;
    this.place(localName);
    const unfit = upstream === undefined && unsent === undefined ? this.outbound.firstMatch(this.message) : undefined;
    return {
      refusal: undefined,
      localName,
      upstream,
      unsent,
      unfitRule: unfit && this.positionOf(unfit),
      echo: upstream && this.receive(upstream.name, upstream.qos),
    };
  }

  private refused(refusal: Refusal, localName: string): Outgoing {
    return { refusal, localName, upstream: undefined, unfitRule: undefined, unsent: undefined, echo: undefined };
  }

  /** As upstream/bridge.ts does. */
  private forward(message: Message): number {
    this.localName = this.nameOf(message);
    const { outbound } = this;
    const rule = outbound.resolve(outbound.uncached, message);
    if (rule >= 0) {
      const policy = this.policies[rule]!;
      const crossing = this.crossing(outbound, rule, message.qos);
      const { sent } = this; // without payload
      sent.topicNameOffset = outbound.placesOffset + outbound.uncached * outbound.placeLength;
      sent.topicNameLength = outbound.uncachedLength;
      const reason = this.limits.reasonFor(sent, policy.qosOf(message.qos));
      if (reason === FINE)
        this.upstream = { ...crossing, policy };
      else
        this.unsent = { rule: crossing.rule, reason, isSetAside: message.qos !== 0 && policy.keeps };
    }
    return TAKEN;
  }

  private crossing(map: TopicMap, rule: number, qos: number): Crossing {
    const { uncached } = map;
    const name = decodeUTF8(this.arena, map.placesOffset + uncached * map.placeLength, map.uncachedLength);
    return { rule: this.positionOf(map.rules[rule]!), name, qos: Math.min(qos, map.rules[rule]!.qos) };
  }

  private positionOf({ configuration }: TopicRule): number {
    return this.configuration.topic.indexOf(configuration);
  }

  /** @returns undefined when its name fits no mount point */
  private enter({ clientid, user }: Sender): NodeState | undefined {
    const { arena, configuration: { listener }, identifierOffset, nodes } = this;
    const node = nodes.states[0]!;
    nodes.release(node);
    nodes.name(node, identifierOffset, encodeUTF8(arena, identifierOffset, clientid) - identifierOffset,
      user === null ? -1 : listener.users.findIndex(({ username }) => username === user));
    return this.access === undefined || this.access.enter(node) ? node : undefined;
  }

  private isMountable(node: NodeState): boolean {
    const { access, message } = this;
    return access!.mountLengths[node.index] === 0 || access!.mountMessage(node, message);
  }

  private mountedName(node: NodeState, topic: string): string {
    return this.isMountable(node) && this.access!.mountLengths[node.index] !== 0 ? this.nameOf(this.access!.mounted)
      : topic;
  }

  /** Puts a topic where messages lie. @returns its number in the topic table, or INVALID_TOPIC */
  private place(topic: string, qos = 0): number {
    const { message, topicOffset } = this;
    message.topicNameOffset = topicOffset;
    message.topicNameLength = encodeUTF8(this.arena, topicOffset, topic) - topicOffset;
    message.qos = qos;
    return this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
  }

  /** As nodes/delivery.ts judges it. */
  private isNameForNodes({ topicNameLength, topicNameOffset }: Message): boolean {
    const { arena } = this;
    return !isSystemTopic(arena, topicNameOffset, topicNameLength)
      && isPlainText(arena, topicNameOffset, topicNameOffset + topicNameLength);
  }

  private nameOf({ topicNameLength, topicNameOffset }: Message): string {
    return decodeUTF8(this.arena, topicNameOffset, topicNameLength);
  }
}
