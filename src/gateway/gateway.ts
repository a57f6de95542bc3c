/**
 * Joins one upstream session, the sessions of the nodes and the sensors: who gets which message.
 *
 *   node ───► onMessage ─┐                   ┌─ 1 ─► bridge ──► store, upstream
 *   sensor ─► publish ───┴──► publishing ────┴─ 2 ─► deliver ─┬─► retained messages
 *   upstream ► bridge ────────────────────────────────────────┴─► nodes whose subscriptions match
 *
 * Owns all memory: the constructor lays out the arena, nothing is allocated after it. Knows no socket and no clock;
 * time arrives in `clock.now`, and `handleTimeout` is to be called when `clock.deadline` has come.
 */
import { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { MessageSpans, Packet, type RepeatedMessage } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { isSystemTopic } from '../packet/topic.ts';
import { INVALID_TOPIC, TopicTable, type TopicTableOwner } from '../packet/topic-table.ts';
import { ClientSession } from '../session/client-session.ts';
import { Clock } from '../session/clock.ts';
import { POSTPONED_PLACES } from '../session/postponed-answers.ts';
import { type ServerHandler, ServerRole } from '../session/server-role.ts';
import { ServerSession } from '../session/server-session.ts';
import { SessionState } from '../session/session-state.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { QueueLimits } from '../session/queue-limits.ts';
import { REFUSED, type SessionContext, TAKEN } from '../session/session-role.ts';
import { UpstreamWindow } from '../session/upstream-window.ts';
import { Acquaintances } from '../nodes/acquaintances.ts';
import { Access } from '../nodes/access.ts';
import { isLimited } from '../nodes/access-lengths.ts';
import { BackPressure } from '../upstream/back-pressure.ts';
import { CROWDED } from '../upstream/crowd.ts';
import { Bridge, type BridgeOwner } from '../upstream/bridge.ts';
import { FigureForwarding } from '../upstream/figure-forwarding.ts';
import type { Configuration } from '../config/configuration.ts';
import { Discovery } from '../homeassistant/discovery.ts';
import { DiscoveryBridge, DiscoveryTopicMap } from '../homeassistant/discovery-bridge.ts';
import { planDiscovery } from '../homeassistant/discovery-plan.ts';
import { planAnnouncements, writeAnnouncements } from './announcement-texts.ts';
import { connectFields, lengthOfConnectTexts, longestOutgoingPacket, longestPrefix, longestProperties,
  longestUpstreamPacket,
  longestRelayedPacket, longestStoredPacket, RECORD_OVERHEAD } from './packet-limits.ts';
import { DelayedWills } from '../nodes/delayed-wills.ts';
import { Delivery, NOBODY, UNKNOWN } from '../nodes/delivery.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import { type Age, SessionExpiry } from '../nodes/session-expiry.ts';
import { StoredDelivery } from '../nodes/stored-delivery.ts';
import { StoredSubscriptions } from '../nodes/stored-subscriptions.ts';
import { EndingCounts } from '../nodes/disconnect-reasons.ts';
import * as Event from '../config/events.ts';
import { type Authenticator, type GatewayOptions, type GatewayPlans, PENDING,
  type UpstreamDriver } from './gateway-options.ts';
import { DENIED, NodeSubscriptions } from '../nodes/node-subscriptions.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { NodeStates } from '../nodes/node-states.ts';
import { EarlierSubscriptions } from '../upstream/earlier-subscriptions.ts';
import { Notifications } from './notifications.ts';
import { FORBIDDEN, Publishing } from './publishing.ts';
import { DurableStore } from './durable-store.ts';
import { Refusals } from '../upstream/refusals.ts';
import { QueueTally } from '../nodes/queue-tally.ts';
import { RetainedDelivery } from '../nodes/retained-delivery.ts';
import { RetainedMessages } from '../nodes/retained.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { Router } from '../upstream/intake.ts';
import { StorePolicy } from '../upstream/full-policy.ts';
import { StoredRules } from '../upstream/stored-rules.ts';
import { serverWords } from './server-words.ts';
import { clientSettingsOf, nodeLimitsOf, serverSettingsOf, upstreamLimitsOf } from './settings.ts';
import { Subscriptions } from '../nodes/subscriptions.ts';
import type { Figures, Machine } from '../nodes/system-figures.ts';
import { SystemMessages } from '../nodes/system-messages.ts';
import { SystemTopics } from '../nodes/system-topics.ts';
import { FailingNodes } from '../nodes/failing-nodes.ts';
import { MessageExpiry } from '../nodes/message-expiry.ts';
import { TakeOvers } from '../nodes/take-overs.ts';
import { lengthOfRules, TopicMap } from '../upstream/topic-map.ts';
import { BrokerLimits } from '../upstream/broker-limits.ts';
import { CommandRules } from '../upstream/command-rules.ts';
import { Guard } from '../upstream/guard.ts';
import { Probation } from '../upstream/probation.ts';
import { Quarantine } from '../upstream/quarantine.ts';
import * as Reason from '../upstream/quarantine-reasons.ts';
import { UpstreamMessages } from '../upstream/waiting-messages.ts';

export { PENDING, type Authenticator, type GatewayOptions, type GatewayPlans, type UpstreamDriver };
const LAST_IDENTIFIER = 65_535;
/** In place of the index of the node that has sent a message. */
const NO_PUBLISHER = -1;
/** In place of where a delayed Will lies. */
const NOWHERE = -1;
/** Nodes of which messages may wait because the Server closes connections for them. */
const MOST_ON_PROBATION = 64;
/** More than messages that are told again wait at a time (retained-telling.ts). */
const LEAST_ON_PROBATION = 8;
/** Whose session it is; undefined until it is let in. The gateway gives sessions no other states. */
const nodeOf = (session: ServerSession): NodeState | undefined => session.sessionState as NodeState | undefined;

export class Gateway implements ServerHandler<ServerSession>, BridgeOwner, Router, TopicTableOwner, Figures {
  /** As it is in force; see reload.ts. */
  configuration: Configuration;
  /** Undefined: memory is laid out for the configuration alone. */
  readonly plans: GatewayPlans | undefined;
  readonly arena: Arena;
  readonly clock = new Clock();
  readonly packet: Packet; // the one at hand, also for whoever is told of an event
  readonly upstream: ClientSession;
  readonly bridge: Bridge;
  readonly waiting: UpstreamMessages;
  readonly serverRole: ServerRole;
  /** One more than may be connected: the last one tells a surplus node that it is. */
  readonly sessions: readonly ServerSession[];
  readonly nodes: NodeStates;
  private readonly acquaintances: Acquaintances;
  readonly takeOvers: TakeOvers;
  readonly failing: FailingNodes;
  readonly subscriptions: Subscriptions;
  readonly retained: RetainedMessages;
  /** For the intake: a node is asked for its message again when there is room. */
  readonly waits = false;
  /** What the Server has said of the end of the last connection, in its own words; empty: nothing. */
  serverWords = '';
  driver: UpstreamDriver | undefined = undefined;
  connectedCount = 0;
  maximumConnectedCount = 0;
  /** PUBLISH packets taken from nodes. */
  receivedCount = 0;
  /**
   * Messages, Wills and subscriptions of nodes that were not allowed, times that a node was made to wait, and
   * sessions of absent nodes that made room.
   */
  deniedCount = 0;
  heldCount = 0;
  evictedCount = 0;
  /** Sessions of nodes that were away for too long. */
  expiredCount = 0;
  /** Undefined unless `store.durability` is "flash". */
  readonly durableStore: DurableStore | undefined;
  /** Why connections of nodes have ended, or were refused. */
  readonly endings = new EndingCounts();
  readonly queues: QueueTally;
  readonly systemTopics: SystemTopics;
  readonly notifications: Notifications;
  readonly machine: Machine | undefined;
  /** Undefined: everything is allowed. */
  access: Access | undefined;
  limitsRate: boolean;
  private readonly topics: TopicTable;
  authenticator: Authenticator;
  readonly observer: Event.GatewayObserver;
  readonly delivery: Delivery;
  readonly retainedDelivery: RetainedDelivery;
  readonly nodeSubscriptions: NodeSubscriptions;
  private readonly expiry: SessionExpiry;
  /** Undefined: no rule lets messages for nodes become too old. */
  private readonly messageExpiry: MessageExpiry | undefined = undefined;
  /** What survives a power cut of the nodes; undefined as `durableStore`. */
  readonly durable: DurableNodes | undefined;
  private readonly publishing: Publishing;
  private readonly refusals: Refusals;
  readonly pressure: BackPressure;
  private readonly will = new MessageSpans(); // the one at hand
  private readonly delayedWills: DelayedWills;
  private readonly localAudience: Int32Array; // that of `delivery`

  constructor(configuration: Configuration, options: GatewayOptions) {
    const { listener, memory, store, topic, upstream } = configuration;
    this.configuration = configuration;
    this.authenticator = options.authenticator;
    this.observer = options.observer;
    this.machine = options.machine;
    const clientSettings = clientSettingsOf(upstream);
    const serverSettings = serverSettingsOf(configuration);
    const upstreamLimits = upstreamLimitsOf(configuration);
    const layout = options.layout ?? configuration;
    const nodeLimits = nodeLimitsOf(listener, store.durability === 'flash', layout.topic);
    const longestPacket = longestOutgoingPacket(layout);
    const sessionCount = listener.max_connections + 1;
    const { plan } = options;
    const connectOffset = plan.reserve('upstream: what CONNECT says', lengthOfConnectTexts(layout));
    // On a PC another version may be configured while it runs.
    const propertiesOffset = plan.reserve('upstream: properties of a message',
      layout === configuration ? longestProperties(configuration) : upstream.max_properties);
    const announcementsOffset = planAnnouncements(plan, layout.upstream);
    const clientOffset = ClientSession.plan(plan, clientSettings);
    const upstreamStateOffset = plan.reserve('store, RAM part', QueueLimits.lengthOf(upstreamLimits));
    const serverOffset = ServerRole.plan(plan, serverSettings, sessionCount);
    const nodesPlan = NodeStates.plan(plan, listener.max_sessions, nodeLimits, listener.max_clientid_length);
    const expiryOffset = SessionExpiry.plan(plan, listener.max_sessions);
    const topicsOffset = TopicTable.plan(plan, memory.topics, memory.topic_length, sessionCount + 1);
    const mappedCapacity = memory.topic_length + longestPrefix(layout);
    const mapSizes =
      { topicCount: memory.topics, capacity: mappedCapacity, longest: longestRelayedPacket(layout) };
    const outboundPlan = TopicMap.plan(plan, 'out', layout.topic, mapSizes);
    const inboundPlan = TopicMap.plan(plan, 'in', layout.topic, mapSizes);
    const subscriptionsPlan = Subscriptions.plan(plan, listener.max_subscription_bytes, listener.max_subscriptions,
      listener.max_sessions);
    const retainedPlan =
      RetainedMessages.plan(plan, listener.max_retained_bytes, listener.max_retained_messages);
    const earlierPlan = EarlierSubscriptions.plan(plan, topic,
      layout === configuration ? 0 : lengthOfRules('in', layout.topic) + lengthOfRules('out', layout.topic),
      store.durability === 'flash');
    const notificationsOffset = Notifications.plan(plan, layout.upstream);
    const accessPlan = Access.plan(plan, layout.listener, memory.topics, listener.max_packet_size);
    const systemTopicsOffset = SystemMessages.plan(plan);
    const delayedWillsPlan =
      DelayedWills.plan(plan, listener.max_will_size, Math.max(1, listener.max_connections >> 3));
    const longestStored = longestStoredPacket(layout);
    const isDurable = store.durability === 'flash';
    const discoveryPlan = configuration.homeassistant === null ? undefined
      : planDiscovery(plan, configuration, layout);
    const quarantineOffset = Quarantine.plan(plan, store.quarantine, longestStored, isDurable);
    const storeRegions = isDurable ? DurableStore.plan(plan, listener) : undefined;
    const arena = this.arena = new Arena(plan, {
      landingCapacity: options.landingCapacity,
      stagingCapacity: storeRegions === undefined ? longestPacket : longestPacket + RECORD_OVERHEAD + 3 & ~3,
      resizable: options.resizable,
    });

    const topics = this.topics = new TopicTable(arena, topicsOffset, memory.topics, memory.topic_length);
    topics.owner = this;
    const context: SessionContext = { arena, clock: this.clock, topics, packet: this.packet = new Packet(arena) };
    this.nodes = new NodeStates(arena, nodesPlan, nodeLimits, listener.max_clientid_length, listener.users.length);
    this.acquaintances = new Acquaintances(listener.max_sessions, this.clock);
    this.takeOvers = new TakeOvers(listener.max_sessions);
    this.failing = new FailingNodes(arena, this.clock, sessionCount, this.takeOvers, options.observer);
    this.nodes.dropsOldest = listener.queue_full === 'drop_oldest';
    this.subscriptions = new Subscriptions(arena, subscriptionsPlan, listener.max_sessions);
    this.retained = new RetainedMessages(arena, retainedPlan);
    this.retained.clock = this.clock;
    this.access = accessPlan && isLimited(listener) ? new Access(arena, accessPlan, listener) : undefined;
    this.plans = options.layout && { layout, connectOffset, announcementsOffset, access: accessPlan!,
      outbound: outboundPlan, inbound: inboundPlan,
      earlierOffset: earlierPlan.offset };
    this.delivery =
      new (storeRegions === undefined ? Delivery : StoredDelivery)(arena, topics, memory.topics, this.nodes,
        this.subscriptions, this.retained, this.access,
        options.observer);
    this.localAudience = this.delivery.localAudience;
    this.notifications = new Notifications(arena, notificationsOffset, upstream, this.delivery);
    const outbound = new (discoveryPlan === undefined ? TopicMap : DiscoveryTopicMap)(arena, outboundPlan, topic);
    const policies = outbound.rules.map(rule => new StorePolicy(rule, store));
    const inbound = new TopicMap(arena, inboundPlan, topic);
    const earlier = new EarlierSubscriptions(arena, earlierPlan, upstream, inbound.rules);
    this.bridge = new (discoveryPlan === undefined ? Bridge : DiscoveryBridge)(outbound, inbound, this.delivery,
      policies, { owner: this, observer: options.observer, earlier });
    this.upstream =
      new ClientSession(context, clientOffset, clientSettings, connectFields(arena, connectOffset, configuration),
      new SessionState(new QueueLimits(arena, upstreamLimits), upstreamStateOffset,
        new UpstreamWindow(options.orderCounters)), this.bridge);
    writeAnnouncements(this.upstream.announcements, arena, announcementsOffset, upstream);
    const guard = new Guard(outbound, new BrokerLimits(arena, upstream),
      new Quarantine(arena, quarantineOffset, store.quarantine, longestStored, isDurable),
      new Probation(Math.max(LEAST_ON_PROBATION, Math.min(listener.max_connections, MOST_ON_PROBATION)),
        this.acquaintances),
      { losses: this.bridge, observer: options.observer, nodes: this.nodes });
    this.bridge.watch(this.upstream, guard, upstream.max_qos);
    if (discoveryPlan !== undefined) {
      const discovery = this.upstream.announcements.further = (this.bridge as DiscoveryBridge).discovery =
        new Discovery(this, discoveryPlan, configuration);
      (outbound as DiscoveryTopicMap).filters = discovery.filters;
    }
    this.bridge.mostProperties = longestProperties(configuration);
    this.bridge.propertiesOffset = propertiesOffset;
    this.waiting = new UpstreamMessages(this.bridge);
    this.publishing = new Publishing(topics, this.delivery, this.bridge);
    this.upstream.replayRate = store.replay_rate;
    this.upstream.replayReserve = longestPacket;

    const role = this.serverRole = new ServerRole(context, serverOffset, serverSettings, sessionCount, this);
    this.nodes.forms = role.forms;
    this.delayedWills = new DelayedWills(arena, this.clock, delayedWillsPlan);
    this.sessions = Array.from({ length: sessionCount }, (_, index) => new ServerSession(role, index));
    this.refusals = new Refusals(this.bridge, this.clock, this.sessions, options.observer);
    this.pressure = this.bridge.pressure = new BackPressure(this.bridge, { clock: this.clock, sessions: this.sessions,
      observer: options.observer, longestPacket: longestUpstreamPacket(configuration) });
    this.limitsRate = listener.max_publish_rate !== 0;
    this.queues = new QueueTally(this.nodes.states);
    this.systemTopics = new SystemTopics(this, systemTopicsOffset, listener.sys_interval * 1000, options.traffic);
    this.systemTopics.outlet = new FigureForwarding(this.bridge, arena);
    const retainedDelivery = this.retainedDelivery = new RetainedDelivery(role, this.delivery, this.systemTopics);
    this.nodeSubscriptions = new NodeSubscriptions(this.access, this.delivery, retainedDelivery, options.observer);
    this.upstreamQueue.continueIdentifiers((options.firstIdentifier?.() ?? 0) * LAST_IDENTIFIER | 0);
    this.expiry = new SessionExpiry(this.clock, this.nodes, expiryOffset, listener.persistent_client_expiration, this);
    if (nodeLimits.keepsAge === true) {
      this.messageExpiry = this.bridge.expiry = new MessageExpiry(this.clock, this.nodes, this.delivery,
        new CommandRules(inbound, options.observer));
      this.nodes.age = this.messageExpiry.age;
    }
    if (storeRegions === undefined)
      return;
    this.bridge.isDurable = true;
    this.bridge.refusesUnstored = store.on_failure === 'refuse';
    const rules = new StoredRules(arena, outbound, policies, this.bridge), date = options.date ?? (() => 0);
    const { bridge, clock, nodes: states, sessions, upstream: session } = this;
    const nodes = {
      states, delivery: this.delivery as StoredDelivery, access: this.access, expiry: this.expiry, publisher: this,
      messageExpiry: this.messageExpiry,
    };
    this.durableStore =
      new DurableStore(arena, storeRegions, configuration,
        { bridge, nodes, clock, upstream: session, sessions, router: this, rules, earlier,
          quarantine: bridge.guard.quarantine,
          observer: this.observer, date });
    const durable = this.durable = this.durableStore.nodes;
    this.nodeSubscriptions =
      new StoredSubscriptions(this.access, this.delivery, retainedDelivery, options.observer, durable);
  }

  get upstreamQueue(): OutboundQueue {
    return this.upstream.sessionState!.queue;
  }

  /**
   * Takes a storage into use, if there is to be a durable store. @throws when it cannot be used; messages are kept in
   * memory then, or not taken (store.on_failure)
   */
  openStore(storage: BlockStorage): void {
    if (this.durableStore === undefined)
      return;
    this.durableStore.open(storage);
    if (this.bridge.backlog !== undefined)
      this.bridge.storeWasAway = true;
    this.bridge.earlier.store(this.durableStore.backlog.store);
    this.bridge.backlog = this.upstreamQueue.window!.journal = this.durableStore.backlog;
    this.upstreamQueue.releases = this.durableStore.backlog;
    this.serverRole.acknowledgedReceiver = this.pressure.intake = this.durableStore.intake;
    this.upstream.role.acknowledgedReceiver = this.durableStore.serverIntake;
    this.discovery?.tellAll();
  }

  commit(): void {
    this.durableStore?.commit();
  }

  /** Goes on with long work: a slice of each kind. */
  handleDeferred(): void {
    this.systemTopics.handleDeferred();
    this.retainedDelivery.handleDeferred();
    this.bridge.telling.advance(this.upstream);
    this.advanceDiscovery();
    this.serverRole.handleDeferred();
  }

  /** Lets whoever wanted that look at its deadlines, and asks the clock for the next one. */
  handleTimeout(): void {
    this.clock.countSeconds();
    this.upstream.handleTimeout();
    this.serverRole.handleTimeout();
    this.systemTopics.handleTimeout();
    this.bridge.telling.advance(this.upstream);
    this.advanceDiscovery();
    this.durableStore?.handleTimeout();
    this.bridge.suspects.handleTimeout();
    this.bridge.rejections.handleTimeout();
    this.messageExpiry?.handleTimeout();
    if (this.expiry.isLookDue)
      this.expireSessions();
    while (this.delayedWills.count > 0) {
      const at = this.delayedWills.findDue();
      if (at === NOWHERE)
        break;
      this.endDelay(this.nodes.states[this.delayedWills.nodeAt(at)]!, false);
    }
    this.refusals.handleTimeout();
    if (this.pressure.isPressing)
      this.pressure.handleTimeout();
  }

  /** Undefined: Home Assistant is told nothing. */
  get discovery(): Discovery | undefined {
    return this.upstream.announcements.further as Discovery | undefined;
  }

  private advanceDiscovery(): void {
    if (this.discovery !== undefined)
      (this.bridge as DiscoveryBridge).advanceDiscovery();
  }

  /** Closes every node's connection and publishes its Will: nobody can tell from here on what becomes of the node. */
  shutDown(): void {
    const { sessions } = this;
    for (let index = 0; index < sessions.length; ++index)
      sessions[index]!.fail(ReasonCode.SERVER_SHUTTING_DOWN);
    for (let index = 0; this.delayedWills.count > 0; ++index)
      this.endDelay(this.nodes.states[index]!, false);
    this.durable?.finish();
    this.commit();
  }

  /**
   * Publishes a message of the gateway itself, a reading for instance. @returns false when its topic is no Topic Name
   */
  publish(message: RepeatedMessage): boolean {
    const topics = this.topics;
    if (message.generation !== topics.generation) {
      message.topicIndex = topics.indexOf(message.topicNameOffset, message.topicNameLength);
      message.generation = topics.generation;
    }
    return message.topicIndex !== INVALID_TOPIC
      && this.publishing.publish(message, message.topicIndex, 0, NO_PUBLISHER) !== REFUSED;
  }

  onConnect(session: ServerSession, packet: Packet): void {
    const verdict = this.authenticator.authenticate(session, packet);
    if (verdict === ReasonCode.SUCCESS)
      this.admit(session);
    else if (verdict !== PENDING)
      session.refuse(verdict);
  }

  delayOf(session: ServerSession): number {
    return this.failing.delayOf(session);
  }

  /** The node is who it says. Afterwards, if the verdict was PENDING, call `session.continueReading()`. */
  admit(session: ServerSession): void {
    if (this.serverRole.postponed.count > 0)
      this.endPostponed(session);
    if (session.postpones(ReasonCode.SUCCESS))
      return;
    if (session.clientIdentifierLength === 0)
      this.nodes.assignIdentifier(session);
    const { clientIdentifierLength: length, clientIdentifierOffset: identifier } = session;
    const old = this.nodes.find(identifier, length);
    // A session belongs to its user; one of a node without user gives way to whoever has a name and a password.
    const isOwn = old === undefined || old.user === session.user;
    if (!isOwn && old.user >= 0) {
      session.refuse(ReasonCode.NOT_AUTHORIZED);
      return;
    }
    old?.session?.finishReading();
    if (old?.session !== undefined)
      this.takeOver(old, old.session, session);
    let node = this.nodes.find(identifier, length); // [MQTT311-3.1.3-2]
    const sessionPresent = node !== undefined && isOwn
      && !session.cleanStart // [MQTT311-3.1.2-4] [MQTT311-3.1.4-3] [MQTT311-3.2.2-3]
      && this.durable?.isOnlyWill(node) !== true;
    node ??= this.nodes.findRoom(session.user, this.subscriptions, old);
    if (node === undefined || this.connectedCount >= this.configuration.listener.max_connections) {
      session.refuse(ReasonCode.SERVER_UNAVAILABLE);
      return;
    }
    if (old === undefined && node.identifierLength !== 0) {
      ++this.evictedCount;
      this.observer.onEvent(Event.SESSION_EVICTED, session.index, node.index);
      this.durable?.giveWay(node);
    }
    if (this.delayedWills.count > 0) // [MQTT5-3.1.3-9]
      this.endDelay(node, sessionPresent);
    if (!sessionPresent) { // [MQTT311-3.1.2-6]
      this.nodeSubscriptions.removeAll(node);
      this.nodes.release(node); // all but its retained messages, which are nobody's [MQTT311-3.1.2-7]
      this.nodes.name(node, identifier, length, session.user);
      if (this.access !== undefined && !this.access.enter(node)) {
        this.nodes.release(node);
        session.refuse(ReasonCode.NOT_AUTHORIZED);
        return;
      }
    }
    if (this.durable !== undefined && !this.durable.admit(node, session)) {
      if (!sessionPresent)
        this.forgetNode(node);
      session.refuse(this.durable.isWorking ? ReasonCode.STORE_FULL : ReasonCode.STORE_UNAVAILABLE);
      return;
    }
    this.nodes.connect(node, session);
    this.acquaintances.came(node.identity);
    if (++this.connectedCount > this.maximumConnectedCount)
      this.maximumConnectedCount = this.connectedCount;
    this.failing.accepted(session);
    session.accept(node, sessionPresent);
    if (!session.isConnected)
      return;
    this.observer.onEvent(Event.NODE_CONNECTED, session.index, session.version);
    this.pressure.admit(session);
    session.writable();
  }

  /** Its identifier is in use: the older connection ends [MQTT311-3.1.4-2]. */
  private takeOver({ index }: NodeState, loser: ServerSession, winner: ServerSession): void {
    this.takeOvers.add(index, this.clock.now, loser.remoteAddress, winner.remoteAddress);
    if (this.takeOvers.isFoughtOver(index, this.clock.now))
      this.observer.onEvent(Event.IDENTIFIER_FOUGHT_OVER, winner.index, index);
    loser.fail(ReasonCode.SESSION_TAKEN_OVER);
  }

  /** An older connection of the same identifier that still waits for its answer would take over from the newer one. */
  private endPostponed(session: ServerSession): void {
    const { serverRole: { postponed }, sessions } = this;
    const { clientIdentifierLength: length, clientIdentifierOffset: identifier, user } = session;
    for (let place = 0; postponed.count > 0 && place < POSTPONED_PLACES; ++place) {
      const index = postponed.sessionAt(place);
      const other = index < 0 ? undefined : sessions[index];
      if (other !== undefined && other.clientIdentifierLength === length && (other.user === user || other.user < 0)
        && equalBytes(this.arena, other.clientIdentifierOffset, identifier, length))
        other.fail(ReasonCode.SESSION_TAKEN_OVER);
    }
  }

  /** Each packet is a new message [MQTT311-4.3.2-2]; what QoS 2 repeats, the session has kept back. */
  onMessage(session: ServerSession, packet: Packet): number {
    if (packet.qos !== 0 && session.isRefused) // acknowledgements keep their order
      return REFUSED;
    ++this.receivedCount;
    if (this.limitsRate && session.spendCredit()) {
      ++this.heldCount;
      this.observer.onEvent(Event.RATE_LIMITED, session.index, 0);
    }
    if (packet.isOversize) {
      ++this.delivery.droppedCount;
      this.observer.onEvent(Event.OVERSIZE_DROPPED, session.index, packet.payloadLength);
      return TAKEN;
    }
    const { access } = this;
    const index = packet.topicIndex;
    const origin = (session.sessionState as NodeState).identity;
    if (access === undefined) {
      if (this.localAudience[index] === UNKNOWN && this.delivery.rejects(session, packet, index))
        return session.hasProperties && packet.qos !== 0
          && isSystemTopic(this.arena, packet.topicNameOffset, packet.topicNameLength)
          ? session.decline(packet, ReasonCode.NOT_AUTHORIZED) : TAKEN; // by nobody: the session is over
      const taken = this.bridge.forward(packet, index, origin); // as `Publishing.publish`, with a call less
      if (taken !== TAKEN && this.makeWait(session, taken) === REFUSED)
        return REFUSED;
      if (this.localAudience[index] !== NOBODY || packet.retain !== 0)
        this.delivery.deliver(packet, index, (session.sessionState as NodeState).index);
      return TAKEN;
    }
    const verdict = this.publishing.publishFor(nodeOf(session)!, packet, index, access, origin);
    if (verdict === TAKEN)
      return TAKEN;
    if (verdict !== FORBIDDEN)
      return this.makeWait(session, verdict);
    this.deny(session, Event.FORBIDDEN_PUBLISH);
    if (session.hasProperties && packet.qos !== 0)
      return session.decline(packet, ReasonCode.NOT_AUTHORIZED);
    return TAKEN; // before 5.0 forbidden ones are acknowledged all the same [MQTT311-3.3.5-2]
  }

  /** A message of the node could not be taken, or is one of many that wait. @returns REFUSED or TAKEN */
  private makeWait(session: ServerSession, verdict: number): number {
    if (verdict === REFUSED)
      return this.refuse(session);
    if (verdict === CROWDED)
      this.pressure.press(session);
    return TAKEN;
  }

  /** Nothing more can be taken over for the moment. */
  onFull(session: ServerSession): void {
    this.pressure.fillUp(session);
  }

  refuse(session: ServerSession): number {
    const { guard } = this.bridge;
    if (guard.turnedBack !== Reason.FINE)
      return this.turnBack(session, guard);
    return this.refusals.add(session);
  }

  identityOf(session: ServerSession): number {
    return nodeOf(session)!.identity;
  }

  onSubscribe(session: ServerSession, packet: Packet): number {
    const code = this.nodeSubscriptions.add(session, nodeOf(session)!, packet);
    if (code !== DENIED)
      return code;
    this.deny(session, Event.FORBIDDEN_SUBSCRIBE);
    return ReasonCode.NOT_AUTHORIZED;
  }

  onSubscribed(session: ServerSession): void {
    if (this.serverRole.owingCount > 0)
      this.retainedDelivery.advance(nodeOf(session)!);
  }

  onRoom(session: ServerSession): void {
    this.retainedDelivery.advance(nodeOf(session)!);
  }

  onUnsubscribe(session: ServerSession, packet: Packet): number {
    return this.nodeSubscriptions.remove(nodeOf(session)!, packet);
  }

  onClosed(session: ServerSession, reasonCode: number): void {
    const node = nodeOf(session);
    let isDelayed = false;
    this.endings.add(reasonCode);
    if (node === undefined) {
      ++this.endings.refusedCount;
      this.observer.onEvent(Event.NODE_REFUSED, session.index, reasonCode);
      this.failing.ended(session, -1, reasonCode);
      return;
    }
    --this.connectedCount;
    this.nodes.disconnect(node);
    this.acquaintances.left(node.identity);
    if (session.isTransient) // [MQTT311-4.1.0-1]
      this.nodeSubscriptions.removeAll(node);
    this.observer.onEvent(Event.NODE_CLOSED, session.index, reasonCode);
    this.failing.ended(session, node.index, reasonCode);
    if (session.hasWill) { // rule C10; DISCONNECT has removed it [MQTT311-3.14.4-3]
      isDelayed = session.willDelay > 0 && this.delayedWills.keep(node, session, this.will);
      if (!isDelayed)
        this.publishWill(session, node);
      session.forgetWill();
    }
    this.durable?.leave(node, isDelayed);
    if (session.isTransient)
      this.nodes.release(node);
    else
      this.expiry.leave(node, this.expiry.now, session.sessionExpiry);
  }

  /** The Will that waits for a node, if there is one, waits no more. @param isBack so it is not published */
  private endDelay(node: NodeState, isBack: boolean): void {
    const { access, delayedWills, topics, will } = this;
    const at = delayedWills.find(node);
    if (at === NOWHERE)
      return;
    if (!isBack) {
      delayedWills.read(at, will);
      const index = topics.indexOf(will.topicNameOffset, will.topicNameLength);
      this.bridge.guard.author = node.identity;
      this.observer.onEvent(Event.DELAYED_WILL_PUBLISHED, Event.UPSTREAM, node.index);
      if (access !== undefined) {
        if (this.publishing.publishFor(node, will, index, access, 0) === FORBIDDEN)
          ++this.deniedCount;
      } else if (!this.delivery.rejects(undefined, will, index))
        this.publishing.publish(will, index, 0, NO_PUBLISHER);
      this.bridge.guard.author = 0;
      this.durable?.wills.removeWhenDurable(node);
    }
    delayedWills.remove(at);
  }

  /** The Will of a node that has not come back since the start. */
  publishStoredWill(node: NodeState, will: MessageSpans): void {
    const { access } = this;
    const index = this.topics.indexOf(will.topicNameOffset, will.topicNameLength);
    this.bridge.guard.author = node.identity;
    if (access !== undefined && this.publishing.publishFor(node, will, index, access, 0) === FORBIDDEN) {
      ++this.deniedCount;
      ++this.durable!.restoration.lost[Event.DROPPED_WILL]!;
      this.observer.onEvent(Event.RESTORED_DROPPED, Event.DROPPED_WILL, 1);
    } else {
      this.observer.onEvent(Event.STORED_WILL_PUBLISHED, Event.UPSTREAM, node.index);
      if (access === undefined)
        this.publishing.publish(will, index, 0, NO_PUBLISHER);
    }
    this.bridge.guard.author = 0;
  }

  forgetNode(node: NodeState): void {
    this.nodeSubscriptions.removeAll(node);
    this.nodes.release(node);
  }

  private expireSessions(): void {
    const { expiry } = this;
    for (let node = expiry.findExpired(); node !== undefined; node = expiry.findExpired()) {
      ++this.expiredCount;
      this.observer.onEvent(Event.SESSION_EXPIRED, Event.UPSTREAM, node.index);
      this.durable?.giveWay(node);
      if (this.delayedWills.count > 0)
        this.endDelay(node, false);
      this.forgetNode(node);
    }
  }

  /** The clock by which sessions grow old: that of the store, if there is one. */
  get aging(): Age {
    const { clock, durableStore } = this;
    if (durableStore === undefined)
      return this.bridge.aging;
    const { store } = durableStore.backlog;
    store.advanceClock(clock.now);
    return store.clock;
  }

  onServerSays(): void {
    this.serverWords = serverWords(this.packet);
  }

  onUpstreamConnected(): boolean {
    this.serverWords = '';
    this.notifications.update(true);
    return this.driver?.upstreamConnected() === true;
  }

  onUpstreamClosed(reasonCode: number): void {
    this.notifications.update(false);
    this.driver?.upstreamClosed(reasonCode);
  }

  onTopicReplaced(index: number): void {
    this.bridge.forget(index);
    this.delivery.forget(index);
  }

  private publishWill(session: ServerSession, node: NodeState): void {
    const { access, topics, will } = this;
    session.readWill(will);
    session.forgetWill(); // [MQTT311-3.1.2-10]
    const index = topics.indexOf(will.topicNameOffset, will.topicNameLength);
    this.bridge.guard.author = node.identity;
    if (access !== undefined && this.publishing.publishFor(node, will, index, access, 0) === FORBIDDEN) {
      this.deny(session, Event.FORBIDDEN_WILL);
      this.bridge.guard.author = 0;
      return;
    }
    this.observer.onEvent(Event.WILL_PUBLISHED, session.index, 0);
    if (access === undefined && !this.delivery.rejects(undefined, will, index))
      this.publishing.publish(will, index, 0, NO_PUBLISHER);
    this.bridge.guard.author = 0;
  }

  /** A message of the node cannot go upstream, nor be set aside: the node keeps it, and loses its connection for it. */
  private turnBack(session: ServerSession, guard: Guard): number {
    const reason = guard.turnedBack;
    this.observer.onEvent(Event.MESSAGE_TURNED_BACK, session.index, reason);
    this.failing.turnedBack = reason;
    session.fail(reason === Reason.PACKET_TOO_LONG ? ReasonCode.PACKET_TOO_LARGE
      : reason >= Reason.SHARE_FULL ? ReasonCode.QUOTA_EXCEEDED : ReasonCode.TOPIC_NAME_INVALID);
    guard.turnedBack = Reason.FINE;
    return REFUSED;
  }

  private deny(session: ServerSession, what: number): void {
    ++this.deniedCount;
    this.observer.onEvent(Event.ACCESS_DENIED, session.index, what);
  }
}
