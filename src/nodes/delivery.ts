/**
 * Gives messages to the nodes whose subscriptions match, as far as they may read them, each once and with the QoS that
 * it was granted; keeps retained ones. Who gets a topic is remembered per number of the topic table: a message for
 * nobody, or one node, is not compared with filters. Knows nothing of upstream's rules.
 */
import type { Arena } from '../bytes/arena.ts';
import { isPlainText } from '../bytes/utf8.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { OPTIONS_QOS, RETAIN_AS_PUBLISHED } from '../packet/subscribe.ts';
import { INVALID_TOPIC, type TopicTable } from '../packet/topic-table.ts';
import { NONE } from '../session/record-layout.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { SessionContext } from '../session/session-role.ts';
import { type Access, READ } from './access.ts';
import * as Event from '../config/events.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';
import type { RetainedMessages } from './retained.ts';
import type { Subscriptions } from './subscriptions.ts';
import { DOLLAR, isSystemTopic } from '../packet/topic.ts';
import { hasWildcard } from '../packet/topic-filter.ts';

/**
 * Who gets a topic: not known; nobody; somebody, namely those whose subscriptions match, and what is retained. Anything
 * greater is the only node that gets it, (its index + 1) << NODE_SHIFT, and what it was granted (subscriptions.ts).
 */
export const UNKNOWN = 0;
export const NOBODY = 1;
const SOMEBODY = 2;
const NODE_SHIFT = 4;

export class Delivery {
  /** Per number of the topic table: who gets its local name, and the local name that a remote one is mapped to. */
  readonly localAudience: Int32Array;
  readonly remoteAudience: Int32Array;
  /** PUBLISH packets sent to nodes, or queued for them, and those that were not. */
  sentCount = 0;
  droppedCount = 0;
  /** The node whose full queue was told of last, while it was away: once each time, as long as it is the same one. */
  private absentFullNode = -1;
  readonly arena: Arena;
  private readonly topics: TopicTable;
  readonly nodes: NodeStates;
  readonly subscriptions: Subscriptions;
  readonly retained: RetainedMessages;
  access: Access | undefined;
  /** The Server tells of each message whether it is retained state (5.0). */
  isRetainTold = false;
  protected readonly observer: Event.GatewayObserver;
  private readonly outgoing = new MessageSpans();

  /** @param topicCount places of the topic table @param users who may get what, and what is kept of it */
  constructor({ arena, topics }: SessionContext, topicCount: number,
    users: Pick<Delivery, 'access' | 'nodes' | 'retained' | 'subscriptions'>, observer: Event.GatewayObserver) {
    this.arena = arena;
    this.topics = topics;
    this.nodes = users.nodes;
    this.subscriptions = users.subscriptions;
    this.retained = users.retained;
    this.access = users.access;
    this.observer = observer;
    // One more for all the names that have no place in the topic table.
    this.localAudience = new Int32Array(topicCount + 1).fill(UNKNOWN);
    this.remoteAudience = new Int32Array(topicCount + 1).fill(UNKNOWN);
  }

  /** The topic table gives `index` another name. */
  forget(index: number): void {
    this.access?.forget(index);
    this.localAudience[index] = this.remoteAudience[index] = UNKNOWN;
  }

  /**
   * Whether nobody gets the message of a node because of its name, which has this number: a name that no node may bring
   * in ends its session; under $SYS/ only the gateway itself speaks. To be asked when nothing is known of the name.
   */
  rejects(session: ServerSession | undefined, message: Message, index: number): boolean {
    const { arena, topics } = this;
    const { topicNameLength, topicNameOffset } = message;
    if (arena.bytes[topicNameOffset] === DOLLAR && isSystemTopic(arena, topicNameOffset, topicNameLength)) {
      ++this.droppedCount;
      return true;
    }
    if (index === topics.plainIndex || isPlainText(arena, topicNameOffset, topicNameOffset + topicNameLength))
      return false;
    session?.fail(ReasonCode.TOPIC_NAME_INVALID);
    return true;
  }

  /** Subscriptions have changed. */
  forgetAudiences(): void {
    this.localAudience.fill(UNKNOWN);
    this.remoteAudience.fill(UNKNOWN);
  }

  /** The subscriptions to one filter have changed. One without wildcards concerns one local name only. */
  forgetAudiencesOf(filterOffset: number, filterLength: number): void {
    if (!this.subscriptions.isIndexed || hasWildcard(this.arena, filterOffset, filterLength)) {
      this.forgetAudiences();
      return;
    }
    this.remoteAudience.fill(UNKNOWN);
    const index = this.topics.indexOf(filterOffset, filterLength);
    if (index !== INVALID_TOPIC)
      this.localAudience[index] = UNKNOWN;
  }

  /** Gives a local message to the nodes, and keeps it if it is to be retained. @param publisher see `Subscriptions` */
  deliver(message: Message, index: number, publisher: number): void {
    let audience = this.localAudience[index]!;
    if (audience === UNKNOWN)
      audience = this.findAudience(message, index, this.localAudience);
    if (audience === SOMEBODY)
      this.subscriptions.publisher = publisher;
    this.deliverTo(message, index, audience);
    if (message.retain !== 0) // [MQTT311-3.3.1-12]
      this.retain(message);
  }

  /** A message from upstream with its local name. @param index number of its remote name */
  deliverFromUpstream(message: Message, index: number): void {
    let audience = this.remoteAudience[index]!;
    if (audience === UNKNOWN)
      audience = this.findAudience(message, index, this.remoteAudience);
    this.deliverTo(message, this.access === undefined ? index : this.localIndexOf(message), audience);
    // A Server of 3.x says RETAIN 0 to an established subscription [MQTT311-3.3.1-9]: what is retained is replaced.
    if (message.retain !== 0 || audience === SOMEBODY && !this.isRetainTold
      && this.retained.has(message.topicNameOffset, message.topicNameLength))
      this.retain(message, true);
  }

  /** What the gateway itself retains here, and tells nobody else. */
  deliverNotification(message: Message): void {
    this.deliverTo(message, this.topics.uncached, SOMEBODY);
    this.retain(message, true);
  }

  /** Who has subscribed to a figure of the gateway: as long as `dollarRevision` of the subscriptions is the same. */
  findReaders(message: Message): number {
    return this.findAudience(message, this.topics.uncached, this.localAudience);
  }

  /** A figure of the gateway, to those who have subscribed to it; see system-topics.ts. */
  deliverFigure(message: Message, readers: number): void {
    this.deliverTo(message, this.topics.uncached, readers);
  }

  /** The same, as retained, to one who has just subscribed to it. */
  sendFigure(node: NodeState, message: Message): void {
    this.sendAllowed(node, message, this.topics.uncached, 0);
  }

  /** A retained message, to a node with a subscription that matches it. @param granted the QoS of that */
  sendRetained(node: NodeState, message: Message, granted: number): void {
    this.sendAllowed(node, message, this.topics.uncached, granted);
  }

  protected retain(message: Message, isFromUpstream = false): void {
    const { retained } = this;
    const { count } = retained;
    if (!retained.update(message, isFromUpstream))
      this.observer.onEvent(Event.RETAINED_FULL, Event.UPSTREAM, message.payloadLength);
    if (retained.count !== count) // other names than before
      this.remoteAudience.fill(UNKNOWN);
  }

  /**
   * Finds out who gets the name of a message, and remembers it unless its number is shared by many. @param audiences
   * those of the local or of the remote names
   */
  private findAudience(message: Message, index: number, audiences: Int32Array): number {
    const { topicNameLength, topicNameOffset } = message;
    const { subscriptions } = this;
    const { granted, matched } = subscriptions;
    let audience = NOBODY;
    subscriptions.match(topicNameOffset, topicNameLength);
    if (subscriptions.matchedCount > 0)
      audience = subscriptions.matchedCount > 1 || subscriptions.noLocalCount > 0 ? SOMEBODY
        : matched[0]! + 1 << NODE_SHIFT | granted[matched[0]!]!;
    subscriptions.forgetMatch();
    if (audiences === this.remoteAudience && this.retained.has(topicNameOffset, topicNameLength))
      audience = SOMEBODY;
    if (index !== this.topics.uncached)
      audiences[index] = audience;
    return audience;
  }

  /** @param index number of the local name of the message; only rights are kept under it */
  private deliverTo(message: Message, index: number, audience: number): void {
    if (audience === NOBODY)
      return;
    const { outgoing, subscriptions } = this;
    const { states } = this.nodes;
    outgoing.topicNameOffset = message.topicNameOffset;
    outgoing.topicNameLength = message.topicNameLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.qos = message.qos;
    if ((outgoing.propertiesLength = message.propertiesLength) !== 0)
      outgoing.propertiesOffset = message.propertiesOffset;
    // [MQTT311-3.3.1-9]; how a message came, with DUP or not, is no part of it [MQTT311-3.3.1-3] [MQTT5-3.3.1-3]
    outgoing.retain = 0;
    if (audience !== SOMEBODY) {
      if ((audience & RETAIN_AS_PUBLISHED) !== 0)
        outgoing.retain = message.retain;
      this.sendAllowed(states[(audience >> NODE_SHIFT) - 1]!, outgoing, index, audience & OPTIONS_QOS);
      return;
    }
    const { granted, matched } = subscriptions;
    subscriptions.match(message.topicNameOffset, message.topicNameLength);
    for (let at = 0; at < subscriptions.matchedCount; ++at) {
      const node = matched[at]!;
      outgoing.retain = (granted[node]! & RETAIN_AS_PUBLISHED) === 0 ? 0 : message.retain; // [MQTT5-3.3.1-12]
      this.sendAllowed(states[node]!, outgoing, index, granted[node]! & OPTIONS_QOS); // [MQTT5-3.3.1-13]
    }
    subscriptions.forgetMatch();
  }

  /** Number of the local name of a message from upstream; only rights are kept under it. */
  private localIndexOf(message: Message): number {
    const { topics } = this;
    const index = topics.indexOf(message.topicNameOffset, message.topicNameLength);
    return index === INVALID_TOPIC ? topics.uncached : index;
  }

  /**
   * Sends a message that the node may read, without its mount point, with the QoS that it was granted at most
   * [MQTT311-3.8.4-6] [MQTT5-3.8.4-8]. @param index number of its name, or `uncached`
   */
  private sendAllowed(node: NodeState, message: Message, index: number, granted: number): void {
    const { access } = this;
    const qos = granted < message.qos ? granted : message.qos;
    if (access === undefined) {
      this.send(node, message, qos);
      return;
    }
    const { topicNameLength, topicNameOffset } = message;
    const mountLength = access.mountLengths[node.index]!;
    if (!access.allows(node, index, topicNameOffset, topicNameLength, READ) || mountLength > 0
      && !access.isInside(node, topicNameOffset, topicNameLength))
      return;
    message.topicNameOffset = topicNameOffset + mountLength;
    message.topicNameLength = topicNameLength - mountLength;
    this.send(node, message, qos);
    message.topicNameOffset = topicNameOffset;
    message.topicNameLength = topicNameLength;
  }

  /**
   * Sends a message to one node, or queues it [MQTT311-4.5.0-1], behind all that came before [MQTT311-4.6.0-5]
   * [MQTT311-4.6.0-6]. For a node that is away QoS 1 and 2 are kept [MQTT311-3.1.2-5], QoS 0 is not (3.1.1 section
   * 4.1).
   */
  protected send(node: NodeState, message: Message, qos: number): void {
    const { session } = node;
    if (qos === 0) {
      if (session === undefined)
        return;
      if (session.publish(message)) {
        ++this.sentCount;
        return;
      }
    } else if (session === undefined ? this.keepFor(node, message, qos) !== NONE : session.enqueue(message, qos)) {
      ++this.sentCount;
      return;
    }
    ++this.droppedCount;
    if (session !== undefined)
      this.observer.onEvent(Event.NODE_QUEUE_FULL, session.index, qos);
  }

  /** Queues a message for a node that is away. @returns its record; NONE: the queue is full, the message given up */
  protected keepFor(node: NodeState, message: Message, qos: number): number {
    let record = node.queue.append(message, qos);
    if (record !== NONE)
      return record;
    if (this.absentFullNode !== node.index)
      this.observer.onEvent(Event.ABSENT_QUEUE_FULL, Event.UPSTREAM, node.index);
    this.absentFullNode = node.index;
    if (!this.nodes.dropsOldest || !node.queue.canHold(message, qos))
      return NONE;
    while (record === NONE && node.queue.dropOldest(false)) {
      ++this.droppedCount;
      record = node.queue.append(message, qos);
    }
    return record;
  }

  /** Bytes of the mount point of a node. */
  protected mountLengthOf(node: NodeState): number {
    return this.access === undefined ? 0 : this.access.mountLengths[node.index]!;
  }

  /** In place of the number of a topic that has none. */
  get uncachedTopic(): number {
    return this.topics.uncached;
  }
}
