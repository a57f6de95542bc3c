/**
 * Joins one upstream session, the sessions of the nodes and the sensors: puts the parts together.
 *
 *   node ───► router ────┐                   ┌─ 1 ─► bridge ──► store, upstream
 *   sensor ─► publish ───┴──► publishing ────┴─ 2 ─► deliver ─┬─► retained messages
 *   upstream ► bridge ────────────────────────────────────────┴─► nodes whose subscriptions match
 *
 * Owns all memory: the constructor lays out the arena, nothing is allocated after it. Knows no socket and no clock;
 * time arrives in `clock.now`, and `handleTimeout` is to be called when `clock.deadline` has come.
 */
import { Arena } from '../bytes/arena.ts';
import { Packet, type RepeatedMessage } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { INVALID_TOPIC, TopicTable, type TopicTableOwner } from '../packet/topic-table.ts';
import { ClientSession } from '../session/client-session.ts';
import { Clock } from '../session/clock.ts';
import { ServerRole } from '../session/server-role.ts';
import { ServerSession } from '../session/server-session.ts';
import { SessionState } from '../session/session-state.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { QueueLimits } from '../session/queue-limits.ts';
import { REFUSED, type SessionContext } from '../session/session-role.ts';
import { UpstreamWindow } from '../session/upstream-window.ts';
import { Acquaintances } from '../nodes/acquaintances.ts';
import { Access } from '../nodes/access.ts';
import { Admission, type AdmissionParts } from './admission.ts';
import { isLimited } from '../nodes/access-lengths.ts';
import { BackPressure } from '../upstream/back-pressure.ts';
import { Bridge, type BridgeOwner } from '../upstream/bridge.ts';
import { FigureForwarding } from '../upstream/figure-forwarding.ts';
import type { Configuration } from '../config/configuration.ts';
import { planAnnouncements, writeAnnouncements } from './announcement-texts.ts';
import { connectFields, lengthOfConnectTexts, longestOutgoingPacket, longestPrefix, longestProperties,
  longestUpstreamPacket,
  longestStoredPacket, RECORD_OVERHEAD } from './packet-limits.ts';
import { DelayedWills } from '../nodes/delayed-wills.ts';
import { Delivery } from '../nodes/delivery.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import { type Age, SessionExpiry } from '../nodes/session-expiry.ts';
import { StoredDelivery } from '../nodes/stored-delivery.ts';
import { StoredSubscriptions } from '../nodes/stored-subscriptions.ts';
import { EndingCounts } from '../nodes/disconnect-reasons.ts';
import * as Event from '../config/events.ts';
import { type Authenticator, type GatewayOptions, type GatewayPlans, PENDING,
  type UpstreamDriver } from './gateway-options.ts';
import { NodeSubscriptions } from '../nodes/node-subscriptions.ts';
import { NodeStates } from '../nodes/node-states.ts';
import { EarlierSubscriptions } from '../upstream/earlier-subscriptions.ts';
import { Notifications } from './notifications.ts';
import { NodeRouter, type RouterParts } from './node-router.ts';
import { NO_PUBLISHER, Publishing } from './publishing.ts';
import { DurableStore } from './durable-store.ts';
import { Refusals } from '../upstream/refusals.ts';
import { QueueTally } from '../nodes/queue-tally.ts';
import { RetainedDelivery } from '../nodes/retained-delivery.ts';
import { RetainedMessages } from '../nodes/retained.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import { StorePolicy } from '../upstream/full-policy.ts';
import { StoredRules } from '../upstream/stored-rules.ts';
import { serverWords } from './server-words.ts';
import { type WillParts, Wills } from './wills.ts';
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
import { UpstreamMessages } from '../upstream/waiting-messages.ts';

export { PENDING, type Authenticator, type GatewayOptions, type GatewayPlans, type UpstreamDriver };
const LAST_IDENTIFIER = 65_535;
/** Nodes of which messages may wait because the Server closes connections for them. */
const MOST_ON_PROBATION = 64;
/** More than messages that are told again wait at a time (retained-telling.ts). */
const LEAST_ON_PROBATION = 8;

export class Gateway
  implements AdmissionParts, BridgeOwner, Figures, RouterParts, TopicTableOwner, WillParts {
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
  readonly acquaintances: Acquaintances;
  readonly takeOvers: TakeOvers;
  readonly failing: FailingNodes;
  readonly subscriptions: Subscriptions;
  readonly retained: RetainedMessages;
  /** What the Server has said of the end of the last connection, in its own words; empty: nothing. */
  serverWords = '';
  driver: UpstreamDriver | undefined = undefined;
  /** Undefined unless `store.durability` is "flash". */
  readonly durableStore: DurableStore | undefined;
  /** Why connections of nodes have ended, or were refused. */
  readonly endings = new EndingCounts();
  readonly queues: QueueTally;
  readonly systemTopics: SystemTopics;
  readonly notifications: Notifications;
  readonly machine: Machine | undefined;
  readonly topics: TopicTable;
  readonly observer: Event.GatewayObserver;
  readonly delivery: Delivery;
  readonly retainedDelivery: RetainedDelivery;
  readonly router: NodeRouter;
  readonly admission: Admission;
  readonly wills: Wills;
  readonly nodeSubscriptions: NodeSubscriptions;
  readonly expiry: SessionExpiry;
  /** Undefined: no rule lets messages for nodes become too old. */
  private readonly messageExpiry: MessageExpiry | undefined = undefined;
  /** What survives a power cut of the nodes; undefined as `durableStore`. */
  readonly durable: DurableNodes | undefined;
  readonly publishing: Publishing;
  readonly refusals: Refusals;
  readonly pressure: BackPressure;

  constructor(configuration: Configuration, options: GatewayOptions) {
    const { listener, memory, store, topic, upstream } = configuration;
    this.configuration = configuration;
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
    const mapSizes = { topicCount: memory.topics, capacity: mappedCapacity, longest: longestPacket };
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
    const access = accessPlan && isLimited(listener) ? new Access(arena, accessPlan, listener) : undefined;
    this.plans = options.layout && { layout, connectOffset, announcementsOffset, access: accessPlan!,
      outbound: outboundPlan, inbound: inboundPlan,
      earlierOffset: earlierPlan.offset };
    this.delivery =
      new (storeRegions === undefined ? Delivery : StoredDelivery)(arena, topics, memory.topics, this.nodes,
        this.subscriptions, this.retained, access, options.observer);
    this.notifications = new Notifications(arena, notificationsOffset, upstream, this.delivery);
    const outbound = new TopicMap(arena, outboundPlan, topic);
    const policies = outbound.rules.map(rule => new StorePolicy(rule, store));
    const inbound = new TopicMap(arena, inboundPlan, topic);
    const earlier = new EarlierSubscriptions(arena, earlierPlan, upstream, inbound.rules);
    this.bridge = new Bridge(outbound, inbound, this.delivery, policies,
      { owner: this, observer: options.observer, earlier });
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
    this.bridge.mostProperties = longestProperties(configuration);
    this.bridge.propertiesOffset = propertiesOffset;
    this.waiting = new UpstreamMessages(this.bridge);
    this.publishing = new Publishing(topics, this.delivery, this.bridge);
    this.upstream.replayRate = store.replay_rate;
    this.upstream.replayReserve = longestPacket;

    const router = this.router = new NodeRouter(this, listener.max_publish_rate !== 0);
    this.admission = new Admission(this, options.authenticator);
    const role = this.serverRole = new ServerRole(context, serverOffset, serverSettings, sessionCount, router);
    this.nodes.forms = role.forms;
    this.wills = new Wills(this, new DelayedWills(arena, this.clock, delayedWillsPlan));
    this.sessions = Array.from({ length: sessionCount }, (_, index) => new ServerSession(role, index));
    this.refusals = new Refusals(this.bridge, this.clock, this.sessions, options.observer);
    this.pressure = this.bridge.pressure = new BackPressure(this.bridge, { clock: this.clock, sessions: this.sessions,
      observer: options.observer, longestPacket: longestUpstreamPacket(configuration) });
    this.queues = new QueueTally(this.nodes.states);
    this.systemTopics = new SystemTopics(this, systemTopicsOffset, listener.sys_interval * 1000, options.traffic);
    this.systemTopics.outlet = new FigureForwarding(this.bridge, arena);
    const retainedDelivery = this.retainedDelivery = new RetainedDelivery(role, this.delivery, this.systemTopics);
    this.nodeSubscriptions = new NodeSubscriptions(access, this.delivery, retainedDelivery, options.observer);
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
      states, delivery: this.delivery as StoredDelivery, access, expiry: this.expiry, publisher: this.admission,
      messageExpiry: this.messageExpiry,
    };
    this.durableStore =
      new DurableStore(arena, storeRegions, configuration,
        { bridge, nodes, clock, upstream: session, sessions, router, rules, earlier,
          quarantine: bridge.guard.quarantine,
          observer: this.observer, date });
    const durable = this.durable = this.durableStore.nodes;
    this.nodeSubscriptions =
      new StoredSubscriptions(access, this.delivery, retainedDelivery, options.observer, durable);
  }

  get connectedCount(): number {
    return this.admission.connectedCount;
  }

  get deniedCount(): number {
    return this.router.deniedCount + this.wills.deniedCount;
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
  }

  commit(): void {
    this.durableStore?.commit();
  }

  /** Goes on with long work: a slice of each kind. */
  handleDeferred(): void {
    this.systemTopics.handleDeferred();
    this.retainedDelivery.handleDeferred();
    this.bridge.telling.advance(this.upstream);
    this.serverRole.handleDeferred();
  }

  /** Lets whoever wanted that look at its deadlines, and asks the clock for the next one. */
  handleTimeout(): void {
    this.clock.countSeconds();
    this.upstream.handleTimeout();
    this.serverRole.handleTimeout();
    this.systemTopics.handleTimeout();
    this.bridge.telling.advance(this.upstream);
    this.durableStore?.handleTimeout();
    this.bridge.suspects.handleTimeout();
    this.bridge.rejections.handleTimeout();
    this.messageExpiry?.handleTimeout();
    if (this.expiry.isLookDue)
      this.admission.handleTimeout();
    if (this.wills.delayed.count > 0)
      this.wills.handleTimeout(this.nodes.states);
    this.refusals.handleTimeout();
    if (this.pressure.isPressing)
      this.pressure.handleTimeout();
  }

  /** Closes every node's connection and publishes its Will: nobody can tell from here on what becomes of the node. */
  shutDown(): void {
    const { sessions } = this;
    for (let index = 0; index < sessions.length; ++index)
      sessions[index]!.fail(ReasonCode.SERVER_SHUTTING_DOWN);
    this.wills.finish(this.nodes.states);
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

  /** For a verdict that came later; see `Admission.admit`. */
  admit(session: ServerSession): void {
    this.admission.admit(session);
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

}
