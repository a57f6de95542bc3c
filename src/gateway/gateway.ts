/**
 * Joins one upstream session, the sessions of the nodes and the sensors: who gets which message.
 *
 *   node ──► onMessage ──┐                      ┌──► retained messages
 *   sensor ─► publish ───┼──► deliver (local) ──┼──► nodes whose subscriptions match
 *   upstream ► bridge ───┘                      └──► bridge ──► upstream (not what came from there)
 *
 * Owns all memory: the constructor lays out the arena, nothing is allocated after it. Knows no socket and no clock; time
 * arrives in `clock.now`, and `handleTimeout` is to be called when `clock.deadline` has come.
 */
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8 } from '../bytes/utf8.ts';
import { writeDecimal } from '../bytes/decimal.ts';
import { OVERSIZE_CLOSE, OVERSIZE_DROP } from '../packet/packet-parser.ts';
import { type Message, MessageSpans, Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import { INVALID_TOPIC, TopicTable, type TopicTableOwner } from '../packet/topic-table.ts';
import { END } from '../bytes/packed-records.ts';
import { ClientSession, type ClientSessionSettings } from '../session/client-session.ts';
import { Clock } from '../session/clock.ts';
import { ServerSession, type ServerHandler, type ServerSessionSettings } from '../session/server-session.ts';
import type { SessionContext } from '../session/session.ts';
import { SessionState, type SessionStateLimits } from '../session/session-state.ts';
import { Access, READ, WRITE } from './access.ts';
import { Bridge, type BridgeOwner, NOBODY, SOMEBODY, UNKNOWN } from './bridge.ts';
import type { Configuration } from './configuration.ts';
import { connectFields, lengthOfConnectTexts, longestOutgoingPacket, longestPrefix } from './packet-limits.ts';
import { EndingCounts } from './ending-counts.ts';
import * as Event from './events.ts';
import { NodeStates, type NodeState } from './node-states.ts';
import { RetainedMessages } from './retained.ts';
import type { BlockStorage } from './block-storage.ts';
import { LAST_STORED_IDENTIFIER, MAXIMUM_QUEUED, StoreBacklog } from './store-backlog.ts';
import { RECORD_HEADER_LENGTH } from './store-format.ts';
import { StoreIntake } from './store-intake.ts';
import { StorePolicy } from './store-policy.ts';
import { Store } from './store.ts';
import { NOT_SUBSCRIBED, Subscriptions } from './subscriptions.ts';
import { isSystemTopic, SystemTopics } from './system-topics.ts';
import { TopicMap } from './topic-map.ts';

/** The verdict comes later, by `Gateway.admit` or `Gateway.reject`. */
export const PENDING = -1;

/** Decides who a node is. */
export interface Authenticator {
  /** @returns SUCCESS, a reason code that has a CONNACK return code, or PENDING. May set `session.user`. */
  authenticate(session: ServerSession, packet: Packet): number;
}

/** Told when the connection to the Server begins and ends: the driver then waits and connects anew. */
export interface UpstreamDriver {
  upstreamConnected(): void;
  upstreamClosed(reasonCode: number): void;
}

export interface GatewayOptions {
  readonly authenticator: Authenticator;
  readonly observer: Event.GatewayObserver;
  /** Bytes read from a socket at a time. */
  readonly landingCapacity: number;
  /** Regions that the edge has reserved for itself, or an empty plan. */
  readonly plan: ArenaPlan;
  /** Whether exact views are made by resizing the arena (the board) or otherwise (Node, where that is slow). */
  readonly resizable: boolean;
  /** Seconds since 1970, 0 as long as nobody knows; also the default. */
  readonly date?: () => number;
}

const AUTOMATIC_IDENTIFIER = 'auto-';

export class Gateway implements ServerHandler, BridgeOwner, TopicTableOwner {
  readonly configuration: Configuration;
  readonly arena: Arena;
  readonly clock = new Clock();
  readonly regions: ArenaPlan['regions'];
  readonly upstream: ClientSession;
  readonly bridge: Bridge;
  /** One more than may be connected: the last one tells a surplus node that it is. */
  readonly sessions: readonly ServerSession[];
  readonly nodes: NodeStates;
  readonly subscriptions: Subscriptions;
  readonly retained: RetainedMessages;
  driver: UpstreamDriver | undefined;
  connectedCount = 0;
  maximumConnectedCount = 0;
  /** PUBLISH packets taken from nodes, sent to nodes, and not sent for want of room. */
  receivedCount = 0;
  sentCount = 0;
  droppedCount = 0;
  /** Messages, Wills and subscriptions of nodes that were not allowed, and times that a node was made to wait. */
  deniedCount = 0;
  heldCount = 0;
  /** The persistent store; undefined unless `store.durability` is "flash". */
  readonly backlog: StoreBacklog | undefined;
  /** Undefined unless that has a storage. */
  private intake: StoreIntake | undefined;
  /** Why connections of nodes have ended, or were refused. */
  readonly endings = new EndingCounts();
  readonly systemTopics: SystemTopics;
  /** Undefined: everything is allowed. */
  private readonly access: Access | undefined;
  private readonly limitsRate: boolean;
  private readonly topics: TopicTable;
  private readonly authenticator: Authenticator;
  private readonly observer: Event.GatewayObserver;
  private readonly outgoing = new MessageSpans();
  /** Per session of the pool: whose state it is. */
  private readonly nodeOf: (NodeState | undefined)[];
  /** Per node state: QoS granted for the message at hand. */
  private readonly granted: Int8Array;
  /** Per number of the topic table: has its local name, or the local name that a remote one is mapped to, subscribers? */
  private readonly localAudience: number[];
  private readonly remoteAudience: number[];
  private automaticIdentifiers = 0;

  constructor(configuration: Configuration, options: GatewayOptions) {
    const { listener, memory, store, topic, upstream } = configuration;
    this.configuration = configuration;
    this.authenticator = options.authenticator;
    this.observer = options.observer;

    const clientSettings: ClientSessionSettings = {
      maximumPacketSize: upstream.max_packet_size,
      connackTimeout: upstream.connack_timeout * 1000,
      pingrespTimeout: upstream.connack_timeout * 1000,
      acknowledgementTimeout: upstream.acknowledgement_timeout * 1000,
      sendTimeout: upstream.send_timeout * 1000,
      oversize: upstream.oversize === 'drop' ? OVERSIZE_DROP : OVERSIZE_CLOSE,
    };
    const serverSettings: ServerSessionSettings = {
      maximumPacketSize: listener.max_packet_size,
      willCapacity: listener.max_will_size,
      maximumClientIdentifierLength: listener.max_clientid_length,
      connectTimeout: listener.connect_timeout * 1000,
      sendTimeout: listener.send_timeout * 1000,
      oversize: listener.oversize === 'drop' ? OVERSIZE_DROP : OVERSIZE_CLOSE,
      maximumKeepAlive: listener.max_keepalive,
      maximumPublishRate: listener.max_publish_rate,
    };
    const isPersistent = store.durability === 'flash';
    const date = options.date ?? (() => 0);
    const upstreamLimits: SessionStateLimits = {
      queueCapacity: store.ram,
      maximumQueuedMessages: isPersistent ? MAXIMUM_QUEUED : store.ram,
      maximumInflightMessages: upstream.max_inflight_messages,
      isAnnotated: true,
      firstIdentifier: isPersistent ? LAST_STORED_IDENTIFIER + 1 : 1,
    };
    const nodeLimits: SessionStateLimits = {
      queueCapacity: listener.max_queued_bytes,
      maximumQueuedMessages: listener.max_queued_messages,
      maximumInflightMessages: listener.max_inflight_messages,
    };

    const longestPacket = longestOutgoingPacket(configuration);
    const sessionCount = listener.max_connections + 1;
    const { plan } = options;
    const connectOffset = plan.reserve('upstream: what CONNECT says', lengthOfConnectTexts(configuration));
    const clientOffset = ClientSession.plan(plan, clientSettings);
    const upstreamStateOffset = plan.reserve('store, RAM part', SessionState.lengthOf(upstreamLimits));
    const serverOffset = ServerSession.plan(plan, serverSettings, sessionCount);
    const nodesPlan = NodeStates.plan(plan, listener.max_sessions, nodeLimits, listener.max_clientid_length);
    const topicsOffset = TopicTable.plan(plan, memory.topics, memory.topic_length);
    const mappedCapacity = memory.topic_length + longestPrefix(configuration);
    const outboundPlan = TopicMap.plan(plan, 'out', topic, memory.topics, mappedCapacity, longestPacket);
    const inboundPlan = TopicMap.plan(plan, 'in', topic, memory.topics, mappedCapacity, longestPacket);
    const subscriptionsOffset = Subscriptions.plan(plan, listener.max_subscription_bytes);
    const retainedOffset = RetainedMessages.plan(plan, listener.max_retained_bytes);
    const accessPlan = Access.plan(plan, listener, memory.topics, listener.max_packet_size);
    const systemTopicsOffset = SystemTopics.plan(plan);
    const arena = this.arena = new Arena(plan, {
      landingCapacity: options.landingCapacity,
      stagingCapacity: isPersistent ? longestPacket + RECORD_HEADER_LENGTH + 3 & ~3 : longestPacket,
      resizable: options.resizable,
    });
    this.regions = plan.regions;

    const topics = this.topics = new TopicTable(arena, topicsOffset, memory.topics, memory.topic_length);
    topics.owner = this;
    const context: SessionContext = { arena, clock: this.clock, topics, packet: new Packet(arena) };
    this.localAudience = new Array<number>(memory.topics + 1).fill(UNKNOWN);
    this.remoteAudience = new Array<number>(memory.topics + 1).fill(UNKNOWN);
    const outbound = new TopicMap(arena, outboundPlan, memory.topics, mappedCapacity, longestPacket);
    const policies = outbound.rules.map(rule => new StorePolicy(rule, store));
    this.bridge = new Bridge(
      outbound,
      new TopicMap(arena, inboundPlan, memory.topics, mappedCapacity, longestPacket),
      this.remoteAudience, policies, date, this, options.observer);
    this.upstream = new ClientSession(context, clientOffset, clientSettings, connectFields(arena, connectOffset, configuration),
      new SessionState(arena, upstreamStateOffset, upstreamLimits), this.bridge);
    this.bridge.session = this.upstream;
    this.upstream.replayRate = store.replay_rate;
    this.upstream.replayReserve = longestPacket;

    this.nodes = new NodeStates(arena, nodesPlan, nodeLimits, listener.max_clientid_length);
    this.subscriptions = new Subscriptions(arena, subscriptionsOffset, listener.max_subscription_bytes, listener.max_subscriptions);
    this.retained = new RetainedMessages(arena, retainedOffset, listener.max_retained_bytes, listener.max_retained_messages);
    const sessions: ServerSession[] = [];
    for (let index = 0; index < sessionCount; ++index)
      sessions.push(new ServerSession(context, index, serverOffset, serverSettings, this));
    this.sessions = sessions;
    this.nodeOf = new Array<NodeState | undefined>(sessionCount).fill(undefined);
    this.access = accessPlan && new Access(arena, accessPlan, listener);
    this.limitsRate = listener.max_publish_rate !== 0;
    this.systemTopics = new SystemTopics(this, systemTopicsOffset, listener.sys_interval * 1000);
    this.granted = new Int8Array(listener.max_sessions).fill(NOT_SUBSCRIBED);
    if (isPersistent)
      this.backlog = new StoreBacklog(this.upstream, policies, this.clock, options.observer, this.bridge, new Store(arena), {
        maximumInflight: upstream.max_inflight_messages,
        receptionCapacity: listener.max_connections * listener.max_inflight_messages,
        date,
      });
  }

  /** Takes a storage into use, before anything else happens. @throws when it cannot be used; messages are kept in memory then */
  openStore(storage: BlockStorage): void {
    const { backlog } = this;
    if (backlog === undefined)
      return;
    backlog.open(storage);
    this.bridge.backlog = backlog;
    const intake = this.intake = new StoreIntake(backlog, this.bridge, this.clock, this.sessions, this);
    for (const session of this.sessions)
      session.keeper = intake;
  }

  /** Makes durable what has been taken, and lets out what has waited for that. */
  commit(): void {
    if (this.intake !== undefined && this.intake.needsCommit)
      this.intake.commit();
  }

  /** Lets every session look at its deadlines and asks the clock for the next one. */
  handleTimeout(): void {
    this.commit();
    this.upstream.handleTimeout();
    const { sessions } = this;
    for (let index = 0; index < sessions.length; ++index)
      sessions[index]!.handleTimeout();
    this.systemTopics.handleTimeout();
  }

  /** Closes every node's connection. Their Wills are not published: nothing has happened to the nodes. */
  shutDown(): void {
    const { sessions } = this;
    this.commit();
    for (let index = 0; index < sessions.length; ++index) {
      const session = sessions[index]!;
      session.hasWill = false;
      session.fail(ReasonCode.SERVER_SHUTTING_DOWN);
    }
  }

  /**
   * Publishes a message of the gateway itself, a reading for instance.
   * @returns false when its topic is no Topic Name
   */
  publish(message: Message): boolean {
    const index = this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
    if (index === INVALID_TOPIC)
      return false;
    this.publishAs(message, index);
    return true;
  }

  /** Gives a figure of the gateway to the nodes that have subscribed to it. */
  deliverFigure(message: Message): void {
    this.deliverTo(message, this.topics.uncached, this.localAudience);
  }

  // Nodes

  onConnect(session: ServerSession, packet: Packet): void {
    const verdict = this.authenticator.authenticate(session, packet);
    if (verdict === ReasonCode.SUCCESS)
      this.admit(session);
    else if (verdict !== PENDING)
      session.refuse(verdict);
  }

  /** The node is who it says. Afterwards, if the verdict was PENDING, call `session.continueReading()`. */
  admit(session: ServerSession): void {
    if (session.clientIdentifierLength === 0)
      this.assignIdentifier(session);
    const { clientIdentifierLength: length, clientIdentifierOffset: identifier } = session;
    const old = this.nodes.find(identifier, length);
    if (old !== undefined && old.user !== session.user) { // a session belongs to its user
      session.refuse(ReasonCode.NOT_AUTHORIZED);
      return;
    }
    if (old?.session !== undefined)
      old.session.fail(ReasonCode.SESSION_TAKEN_OVER); // [MQTT311-3.1.4-2]
    else if (this.connectedCount >= this.configuration.listener.max_connections) {
      session.refuse(ReasonCode.SERVER_UNAVAILABLE);
      return;
    }
    let node = this.nodes.find(identifier, length); // [MQTT311-3.1.3-2]
    const sessionPresent = node !== undefined && !session.cleanStart; // [MQTT311-3.1.2-4] [MQTT311-3.1.4-3] [MQTT311-3.2.2-3]
    node ??= this.nodes.findRoom();
    if (node === undefined) {
      session.refuse(ReasonCode.SERVER_UNAVAILABLE);
      return;
    }
    if (!sessionPresent) { // [MQTT311-3.1.2-6]
      this.forget(node);
      this.nodes.name(node, identifier, length);
      node.user = session.user;
      if (this.access !== undefined && !this.access.enter(node)) {
        this.nodes.release(node);
        session.refuse(ReasonCode.NOT_AUTHORIZED);
        return;
      }
    }
    node.session = session;
    node.isPersistent = !session.cleanStart;
    this.nodeOf[session.index] = node;
    if (++this.connectedCount > this.maximumConnectedCount)
      this.maximumConnectedCount = this.connectedCount;
    session.accept(node.sessionState, sessionPresent);
    if (!session.isConnected)
      return;
    this.observer.onEvent(Event.NODE_CONNECTED, session.index, session.version);
    session.writable();
  }

  /** Each packet is a new message [MQTT311-4.3.2-2]; what QoS 2 repeats, the session has kept back. */
  onMessage(session: ServerSession, packet: Packet): boolean {
    ++this.receivedCount;
    if (this.limitsRate && session.spendCredit()) {
      ++this.heldCount;
      this.observer.onEvent(Event.RATE_LIMITED, session.index, 0);
    }
    if (packet.isOversize) {
      ++this.droppedCount;
      this.observer.onEvent(Event.OVERSIZE_DROPPED, session.index, packet.payloadLength);
      return true;
    }
    const index = packet.topicIndex;
    if (this.access !== undefined) {
      if (!this.publishFor(this.nodeOf[session.index]!, packet, index, this.access))
        this.deny(session, Event.FORBIDDEN_PUBLISH); // acknowledged all the same [MQTT311-3.3.5-2]
      return true;
    }
    if (this.localAudience[index] !== NOBODY || packet.retain !== 0)
      this.deliver(packet, index);
    this.bridge.forward(packet, index);
    return true;
  }

  onSubscribe(session: ServerSession, packet: Packet): number {
    const { access } = this;
    const node = this.nodeOf[session.index]!;
    if (!this.mountFilter(node, packet) || access !== undefined && !access.allowsSubscription(node, packet.topicFilterOffset, packet.topicFilterLength)) {
      this.deny(session, Event.FORBIDDEN_SUBSCRIBE);
      return SUBACK_FAILURE;
    }
    if (!this.subscriptions.add(node.index, packet.topicFilterOffset, packet.topicFilterLength, packet.qos)) {
      this.observer.onEvent(Event.SUBSCRIPTIONS_FULL, session.index, this.subscriptions.count);
      return SUBACK_FAILURE;
    }
    this.forgetAudiences();
    return packet.qos;
  }

  onSubscribed(session: ServerSession, packet: Packet): void {
    const { outgoing, retained, systemTopics } = this;
    const node = this.nodeOf[session.index]!;
    const { uncached } = this.topics;
    if (!this.mountFilter(node, packet))
      return;
    const { qos, topicFilterLength, topicFilterOffset } = packet;
    if (!this.subscriptions.has(node.index, topicFilterOffset, topicFilterLength))
      return;
    for (let at = retained.nextMatch(END, topicFilterOffset, topicFilterLength, outgoing); at !== END;
      at = retained.nextMatch(at, topicFilterOffset, topicFilterLength, outgoing)) // [MQTT311-3.3.1-6]
      this.sendAllowed(node, outgoing, uncached, outgoing.qos < qos ? outgoing.qos : qos);
    for (let topic = systemTopics.nextMatch(-1, topicFilterOffset, topicFilterLength); topic !== -1;
      topic = systemTopics.nextMatch(topic, topicFilterOffset, topicFilterLength))
      this.sendAllowed(node, systemTopics.current, uncached, 0);
  }

  onUnsubscribe(session: ServerSession, packet: Packet): void {
    const node = this.nodeOf[session.index]!;
    if (!this.mountFilter(node, packet))
      return;
    // Nothing new is queued for it; what is queued goes on its way [MQTT311-3.10.4-2] [MQTT311-3.10.4-3].
    this.subscriptions.remove(node.index, packet.topicFilterOffset, packet.topicFilterLength);
    this.forgetAudiences();
  }

  onClosed(session: ServerSession, reasonCode: number): void {
    const node = this.nodeOf[session.index];
    this.endings.add(reasonCode);
    if (node === undefined) {
      this.observer.onEvent(Event.NODE_REFUSED, session.index, reasonCode);
      return;
    }
    this.nodeOf[session.index] = undefined;
    --this.connectedCount;
    this.nodes.disconnect(node);
    if (!node.isPersistent) // [MQTT311-4.1.0-1]
      this.unsubscribeAll(node);
    this.observer.onEvent(Event.NODE_CLOSED, session.index, reasonCode);
    if (session.hasWill) // rule C10; DISCONNECT has removed it [MQTT311-3.14.4-3]
      this.publishWill(session, node);
    if (!node.isPersistent)
      this.nodes.release(node);
  }

  // Upstream

  onUpstreamMessage(message: Message, index: number): void {
    this.deliverTo(message, index, this.remoteAudience);
    // The Server says RETAIN 0 to an established subscription [MQTT311-3.3.1-9], so of a topic that is retained here the
    // message is the state by now.
    if (message.retain !== 0 || this.remoteAudience[index] !== NOBODY && this.retained.has(message.topicNameOffset, message.topicNameLength)) {
      this.retain(message);
      this.remoteAudience[index] = UNKNOWN;
    }
  }

  onUpstreamConnected(): void {
    this.driver?.upstreamConnected();
  }

  onUpstreamClosed(reasonCode: number): void {
    this.driver?.upstreamClosed(reasonCode);
  }

  onTopicReplaced(index: number): void {
    this.bridge.forget(index);
    this.access?.forget(index);
    this.localAudience[index] = this.remoteAudience[index] = UNKNOWN;
  }

  /** What a node, a sensor or the gateway says: for the nodes and for upstream. */
  private publishAs(message: Message, index: number): void {
    if (this.localAudience[index] !== NOBODY || message.retain !== 0)
      this.deliver(message, index);
    this.bridge.forward(message, index);
  }

  /** Publishes what a node may publish, under its mount point. @returns false when it may not */
  private publishFor(node: NodeState, message: Message, index: number, access: Access): boolean {
    if (node.mountLength !== 0) {
      if (!access.mountMessage(node, message))
        return false;
      message = access.mounted;
      index = this.topics.indexOf(message.topicNameOffset, message.topicNameLength);
    }
    if (!access.allows(node, index, message.topicNameOffset, message.topicNameLength, WRITE))
      return false;
    this.publishAs(message, index);
    return true;
  }

  private publishWill(session: ServerSession, node: NodeState): void {
    const { access, topics } = this;
    const { will } = session;
    session.hasWill = false; // [MQTT311-3.1.2-10]
    const index = topics.indexOf(will.topicNameOffset, will.topicNameLength);
    if (access !== undefined && !this.publishFor(node, will, index, access)) {
      this.deny(session, Event.FORBIDDEN_WILL);
      return;
    }
    this.observer.onEvent(Event.WILL_PUBLISHED, session.index, 0);
    if (access === undefined)
      this.publishAs(will, index);
  }

  /** Puts the mount point of the node in front of the filter at hand. @returns false when it can have no such filter */
  private mountFilter(node: NodeState, packet: Packet): boolean {
    if (node.mountLength === 0)
      return true;
    const access = this.access!;
    if (!access.mount(node, packet.topicFilterOffset, packet.topicFilterLength))
      return false;
    packet.topicFilterOffset = access.mounted.topicNameOffset;
    packet.topicFilterLength = access.mounted.topicNameLength;
    return true;
  }

  private deny(session: ServerSession, what: number): void {
    ++this.deniedCount;
    this.observer.onEvent(Event.ACCESS_DENIED, session.index, what);
  }

  /** Gives a local message to the nodes, and keeps it if it is to be retained. */
  private deliver(message: Message, index: number): void {
    if (isSystemTopic(this.arena, message.topicNameOffset, message.topicNameLength)) {
      ++this.droppedCount; // only the gateway itself speaks there
      return;
    }
    this.deliverTo(message, index, this.localAudience);
    if (message.retain !== 0) // [MQTT311-3.3.1-12]
      this.retain(message);
  }

  private retain(message: Message): void {
    if (!this.retained.update(message))
      this.observer.onEvent(Event.RETAINED_FULL, Event.UPSTREAM, message.payloadLength);
  }

  private deliverTo(message: Message, index: number, audience: number[]): void {
    if (audience[index] === NOBODY)
      return;
    const subscriptions = this.subscriptions;
    const topicNameOffset = message.topicNameOffset;
    const topicNameLength = message.topicNameLength;
    if (audience[index] === UNKNOWN && index < audience.length - 1)
      if ((audience[index] = this.isOfInterest(topicNameOffset, topicNameLength, audience) ? SOMEBODY : NOBODY) === NOBODY)
        return;
    const granted = this.granted;
    const outgoing = this.outgoing;
    const states = this.nodes.states;
    subscriptions.match(topicNameOffset, topicNameLength, granted);
    const localIndex = this.access === undefined || audience === this.localAudience ? index : this.localIndexOf(message);
    outgoing.topicNameOffset = topicNameOffset;
    outgoing.topicNameLength = topicNameLength;
    outgoing.payloadOffset = message.payloadOffset;
    outgoing.payloadLength = message.payloadLength;
    outgoing.retain = 0; // [MQTT311-3.3.1-9]; how a message came, with DUP or not, is no part of it [MQTT311-3.3.1-3]
    for (let at = 0; at < states.length; ++at) {
      const qos = granted[at]!;
      if (qos === NOT_SUBSCRIBED)
        continue;
      granted[at] = NOT_SUBSCRIBED;
      if (this.access === undefined)
        this.send(states[at]!, outgoing, qos < message.qos ? qos : message.qos); // [MQTT311-3.8.4-6]
      else
        this.sendAllowed(states[at]!, outgoing, localIndex, qos < message.qos ? qos : message.qos);
    }
  }

  /** Whether anybody would get a message of this name, or whether it would change what is retained. */
  private isOfInterest(nameOffset: number, nameLength: number, audience: number[]): boolean {
    return this.subscriptions.hasMatch(nameOffset, nameLength) || audience === this.remoteAudience && this.retained.has(nameOffset, nameLength);
  }

  /** Number of the local name of a message from upstream; only rights are kept under it. */
  private localIndexOf(message: Message): number {
    const { topics } = this;
    const index = topics.indexOf(message.topicNameOffset, message.topicNameLength);
    return index === INVALID_TOPIC ? topics.uncached : index;
  }

  /** Sends a message that the node may read, without its mount point. @param index number of its name, or `uncached` */
  private sendAllowed(node: NodeState, message: Message, index: number, qos: number): void {
    const { access } = this;
    const { mountLength } = node;
    const { topicNameLength, topicNameOffset } = message;
    if (access !== undefined && !access.allows(node, index, topicNameOffset, topicNameLength, READ))
      return;
    if (mountLength === 0) {
      this.send(node, message, qos);
      return;
    }
    if (!access!.isInside(node, topicNameOffset, topicNameLength))
      return;
    message.topicNameOffset = topicNameOffset + mountLength;
    message.topicNameLength = topicNameLength - mountLength;
    this.send(node, message, qos);
    message.topicNameOffset = topicNameOffset;
    message.topicNameLength = topicNameLength;
  }

  /**
   * Sends a message to one node, or queues it [MQTT311-4.5.0-1], behind all that came before [MQTT311-4.6.0-5]
   * [MQTT311-4.6.0-6]. For a node that is away QoS 1 and 2 are kept [MQTT311-3.1.2-5], QoS 0 is not (3.1.1 section 4.1).
   */
  private send(node: NodeState, message: Message, qos: number): void {
    const { session } = node;
    if (qos === 0) {
      if (session === undefined)
        return;
      if (session.publish(message)) {
        ++this.sentCount;
        return;
      }
    } else if (session === undefined ? node.sessionState.outbound.append(message, qos) : session.enqueue(message, qos)) {
      ++this.sentCount;
      return;
    }
    ++this.droppedCount;
    if (session !== undefined)
      this.observer.onEvent(Event.NODE_QUEUE_FULL, session.index, qos);
  }

  /** All but its retained messages, which are nobody's [MQTT311-3.1.2-7]. */
  private forget(node: NodeState): void {
    this.unsubscribeAll(node);
    this.nodes.release(node);
  }

  private unsubscribeAll(node: NodeState): void {
    this.subscriptions.removeAll(node.index);
    this.forgetAudiences();
  }

  private forgetAudiences(): void {
    this.localAudience.fill(UNKNOWN);
    this.remoteAudience.fill(UNKNOWN);
  }

  /** Gives a node without identifier one that is not in use [MQTT311-3.1.3-6]. */
  private assignIdentifier(session: ServerSession): void {
    const offset = session.clientIdentifierOffset;
    do {
      const end = writeDecimal(this.arena, encodeUTF8(this.arena, offset, AUTOMATIC_IDENTIFIER), ++this.automaticIdentifiers, 0);
      session.clientIdentifierLength = end - offset;
    } while (this.nodes.find(offset, session.clientIdentifierLength) !== undefined);
  }
}
