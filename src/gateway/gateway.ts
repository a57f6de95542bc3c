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
import type { Configuration } from '../config/configuration.ts';
import type * as Event from '../config/events.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { ClientSession } from '../session/client-session.ts';
import { Clock } from '../session/clock.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { ServerRole } from '../session/server-role.ts';
import { ServerSession } from '../session/server-session.ts';
import { REFUSED, type SessionContext } from '../session/session-role.ts';
import { Acquaintances } from '../nodes/acquaintances.ts';
import { DelayedWills } from '../nodes/delayed-wills.ts';
import type { Delivery } from '../nodes/delivery.ts';
import { LONGEST_IDENTIFIERS } from '../nodes/found-subscriptions.ts';
import { EndingCounts } from '../nodes/disconnect-reasons.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import { FailingNodes } from '../nodes/failing-nodes.ts';
import { MessageExpiry } from '../nodes/message-expiry.ts';
import type { NodeStates } from '../nodes/node-states.ts';
import { NodeSubscriptions } from '../nodes/node-subscriptions.ts';
import { QueueTally } from '../nodes/queue-tally.ts';
import { RetainedDelivery } from '../nodes/retained-delivery.ts';
import type { RetainedMessages } from '../nodes/retained.ts';
import { type Age, SessionExpiry } from '../nodes/session-expiry.ts';
import type { StoredDelivery } from '../nodes/stored-delivery.ts';
import { StoredSubscriptions } from '../nodes/stored-subscriptions.ts';
import type { Subscriptions } from '../nodes/subscriptions.ts';
import type { Figures, Machine } from '../nodes/system-figures.ts';
import { SystemTopics } from '../nodes/system-topics.ts';
import { TakeOvers } from '../nodes/take-overs.ts';
import { BackPressure } from '../upstream/back-pressure.ts';
import type { Bridge, BridgeOwner } from '../upstream/bridge.ts';
import { CommandRules } from '../upstream/command-rules.ts';
import { FigureForwarding } from '../upstream/figure-forwarding.ts';
import { Refusals } from '../upstream/refusals.ts';
import { StoredRules } from '../upstream/stored-rules.ts';
import { UpstreamMessages } from '../upstream/waiting-messages.ts';
import { Admission, type AdmissionParts } from './admission.ts';
import { DurableStore } from './durable-store.ts';
import { type Authenticator, type GatewayOptions, type GatewayPlans, PENDING,
  type UpstreamDriver } from './gateway-options.ts';
import { HeldMessages } from './held-messages.ts';
import { NodeRouter, type RouterParts } from './node-router.ts';
import { createDelivery } from './node-side.ts';
import { Notifications } from './notifications.ts';
import { longestGrowth, longestUpstreamPacket, RECORD_OVERHEAD } from './packet-limits.ts';
import { NO_PUBLISHER, Publishing } from './publishing.ts';
import { planRegions } from './regions.ts';
import { serverWords } from './server-words.ts';
import { createBridge } from './upstream-side.ts';
import { type WillParts, Wills } from './wills.ts';

export { PENDING, type Authenticator, type GatewayOptions, type GatewayPlans, type UpstreamDriver };
const LAST_IDENTIFIER = 65_535;
export class Gateway implements AdmissionParts, BridgeOwner, Figures, RouterParts, TopicTableOwner, WillParts {
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
  readonly held: HeldMessages;

  constructor(configuration: Configuration, options: GatewayOptions) {
    const { listener, memory, upstream } = configuration;
    const { layout = configuration, plan } = options, observer = this.observer = options.observer;
    this.configuration = configuration;
    this.machine = options.machine;
    const regions = planRegions(plan, configuration, layout);
    const { longestPacket, sessionCount } = regions;
    const arena = this.arena = new Arena(plan, {
      landingCapacity: options.landingCapacity,
      stagingCapacity: regions.isDurable ? longestPacket + RECORD_OVERHEAD + 3 & ~3 : longestPacket,
      resizable: options.resizable,
    });

    const topics = this.topics = new TopicTable(arena, regions.topics, memory.topics, memory.topic_length);
    topics.owner = this;
    const context: SessionContext = { arena, clock: this.clock, topics, packet: this.packet = new Packet(arena) };
    const delivery = this.delivery = createDelivery(context, regions, configuration, observer);
    this.nodes = delivery.nodes;
    this.subscriptions = delivery.subscriptions;
    this.retained = delivery.retained;
    this.acquaintances = new Acquaintances(listener.max_sessions, this.clock);
    this.takeOvers = new TakeOvers(listener.max_sessions);
    this.failing = new FailingNodes(arena, this.clock, sessionCount, this.takeOvers, observer);
    this.plans = options.layout && { layout, connectOffset: regions.connect,
      announcementsOffset: regions.announcements, access: regions.access!, outbound: regions.outbound,
      inbound: regions.inbound, earlierOffset: regions.earlier.offset };
    this.notifications = new Notifications(arena, regions.notifications, upstream, delivery);
    this.bridge = createBridge(context, regions, configuration, { acquaintances: this.acquaintances,
      delivery, discovery: this, observer, owner: this, orderCounters: options.orderCounters,
      createQueue: options.createQueue });
    this.upstream = this.bridge.session;
    this.waiting = new UpstreamMessages(this.bridge);
    this.publishing = new Publishing(topics, delivery, this.bridge);

    const router = this.router = new NodeRouter(this, listener.max_publish_rate !== 0);
    this.admission = new Admission(this, options.authenticator);
    const role = this.serverRole =
      new ServerRole(context, regions.server, regions.serverSettings, sessionCount, router);
    this.nodes.forms = role.forms;
    this.wills = new Wills(this, new DelayedWills(arena, this.clock, regions.delayedWills));
    this.sessions = Array.from({ length: sessionCount }, (_, index) => new ServerSession(role, index));
    this.refusals = new Refusals(this.bridge, this.clock, this.sessions, observer);
    this.pressure = this.bridge.pressure = new BackPressure(this.bridge, { clock: this.clock, sessions: this.sessions,
      observer, longestPacket: longestUpstreamPacket(configuration) });
    this.held = new HeldMessages(role, this.bridge, delivery, longestGrowth(layout) + LONGEST_IDENTIFIERS);
    this.queues = new QueueTally(this.nodes.states);
    this.systemTopics = new SystemTopics(this, regions.systemTopics, listener.sys_interval * 1000, options.traffic);
    this.systemTopics.outlet = new FigureForwarding(this.bridge, arena);
    const retainedDelivery = this.retainedDelivery = new RetainedDelivery(role, delivery, this.systemTopics);
    this.nodeSubscriptions = new NodeSubscriptions(delivery.access, delivery, retainedDelivery, observer);
    this.upstreamQueue.continueIdentifiers((options.firstIdentifier?.() ?? 0) * LAST_IDENTIFIER | 0);
    this.expiry =
      new SessionExpiry(this.clock, this.nodes, regions.expiry, listener.persistent_client_expiration, this);
    if (regions.nodeLimits.keepsAge === true) {
      this.messageExpiry = this.bridge.expiry = new MessageExpiry(this.clock, this.nodes, delivery,
        new CommandRules(this.bridge.inbound, observer));
      this.nodes.age = this.messageExpiry.age;
    }
    if (regions.store === undefined)
      return;
    const { admission: publisher, bridge, clock, expiry, messageExpiry, sessions } = this;
    this.durableStore = new DurableStore(arena, regions.store, configuration, {
      bridge, clock, upstream: this.upstream, sessions, router, observer, earlier: bridge.earlier,
      nodes: { delivery: delivery as StoredDelivery, expiry, publisher, messageExpiry },
      quarantine: bridge.guard.quarantine, date: options.date ?? (() => 0),
      rules: new StoredRules(arena, bridge.outbound, bridge.policies, bridge),
    });
    this.durable = this.durableStore.nodes;
    this.nodeSubscriptions =
      new StoredSubscriptions(delivery.access, delivery, retainedDelivery, observer, this.durable);
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
    this.pressure.intake = this.durableStore.intake;
    this.held.serve(this.durableStore.intake, this.durableStore.serverIntake);
  }

  commit(): void {
    this.durableStore?.commit();
  }

  /** Goes on with long work: a slice of each kind. */
  handleDeferred(): void {
    this.systemTopics.handleDeferred();
    this.retainedDelivery.handleDeferred();
    this.bridge.goOn();
    this.held.handleDeferred();
    this.serverRole.handleDeferred();
  }

  /** Lets whoever wanted that look at its deadlines, and asks the clock for the next one. */
  handleTimeout(): void {
    this.clock.countSeconds();
    this.upstream.handleTimeout();
    this.serverRole.handleTimeout();
    this.systemTopics.handleTimeout();
    this.bridge.goOn();
    this.durableStore?.handleTimeout();
    this.bridge.suspects.handleTimeout();
    this.bridge.rejections.handleTimeout();
    this.bridge.probe?.handleTimeout();
    this.messageExpiry?.handleTimeout();
    if (this.expiry.isLookDue)
      this.admission.handleTimeout();
    if (this.wills.delayed.count > 0)
      this.wills.handleTimeout(this.nodes.states);
    this.refusals.handleTimeout();
    this.held.handleTimeout();
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
    return this.durableStore?.aging ?? this.bridge.aging;
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
