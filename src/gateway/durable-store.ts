/**
 * The store of a gateway with `store.durability` "flash", and all that works with it; brings what the store tells,
 * and what is found in it at start, to those whom it concerns.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Configuration, ListenerConfiguration } from '../config/configuration.ts';
import * as Event from '../config/events.ts';
import type { ClientSession } from '../session/client-session.ts';
import { IDENTIFIER_RANGE } from '../session/identifier-ranges.ts';
import { NONE } from '../session/record-layout.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { Medium } from '../store/medium.ts';
import { Store } from '../store/message-store.ts';
import {
  ANNOUNCED, COUNTER, QUARANTINED, QUARANTINED_OF_NODE, RECEIVED_IDENTIFIER,
} from '../store/record-format.ts';
import type { RecordWalker } from '../store/record-walker.ts';
import { StateMap } from '../store/state-map.ts';
import { type Recovery, type StoreOwner, StoreReport } from '../store/store-owner.ts';
import { MESSAGE_DOWN, MESSAGE_UP, type StoredMessage } from '../store/stored-message.ts';
import type { DurableNodes } from '../nodes/durable-nodes.ts';
import type { Age } from '../nodes/session-expiry.ts';
import { StoredMessages } from '../nodes/stored-messages.ts';
import { StoredWills } from '../nodes/stored-wills.ts';
import type { Bridge } from '../upstream/bridge.ts';
import { Backlog } from '../upstream/backlog.ts';
import type { EarlierSubscriptions } from '../upstream/earlier-subscriptions.ts';
import { ExactlyOnce } from '../upstream/exactly-once.ts';
import { owedToNodes, owedToServer, type Router, StoreIntake } from '../upstream/intake.ts';
import { ServerRouter } from '../upstream/server-router.ts';
import { StoredCounters } from '../upstream/stored-counters.ts';
import { type MessageHolder, StoredOrigins } from '../upstream/stored-origins.ts';
import type { Quarantine } from '../upstream/quarantine.ts';
import { QuarantineRestoration } from '../upstream/quarantine-restoration.ts';
import type { StoredRules } from '../upstream/stored-rules.ts';
import { durableNodesOf, type NodeStoreUsers } from './durable-parts.ts';
import { STATE_SHARE, stateEntriesOf } from './state-limits.ts';

/** QoS 2 messages in the store whose senders are remembered, to recognise them after a restart. */
const MOST_ORIGINS = 4096;
/** Milliseconds from one look at the clock to the next while a message with a deadline waits. */
const TICK = 600_000;

/** Who works with the store. */
export interface StoreUsers extends NodeStoreUsers {
  readonly upstream: ClientSession;
  readonly sessions: readonly ServerSession[];
  readonly router: Router;
  readonly rules: StoredRules;
  readonly quarantine: Quarantine;
  readonly earlier: EarlierSubscriptions;
  /** Seconds since 1970, 0 as long as nobody knows. */
  readonly date: () => number;
  readonly bridge: Bridge;
}

export interface StoreRegions {
  readonly number: number;
  readonly will: number;
  readonly counter: number;
  readonly identifier: number;
}

const createMap = (medium: Medium, walker: RecordWalker, capacity: number): StateMap =>
  new StateMap(medium, walker, capacity);

export class DurableStore implements StoreOwner, Recovery, MessageHolder {
  readonly backlog: Backlog;
  readonly intake: StoreIntake;
  /** Takes messages of the Server. */
  readonly serverIntake: StoreIntake;
  readonly nodes: DurableNodes;
  private readonly serverRouter: ServerRouter;
  private readonly origins: StoredOrigins;
  private readonly quarantine: QuarantineRestoration;
  /** What a reload may change is changed here. */
  readonly users: StoreUsers;
  acknowledgesMemory: boolean;
  /** Why there is no storage, as whoever gives it has said; empty: nobody has. */
  problem = '';
  /** The storage has failed, and what waited for it does not know yet. */
  private hasFailed = false;
  /** A storage has been opened, and nobody has looked for what can be sent since then. */
  private hasOpened = false;
  /** One has been opened before in this life: what is in memory is all there is. */
  private isAgain = false;

  static plan(plan: ArenaPlan, { max_will_size }: ListenerConfiguration): StoreRegions {
    return {
      counter: StoredCounters.plan(plan),
      identifier: StoredOrigins.plan(plan),
      number: StoredMessages.plan(plan),
      will: StoredWills.plan(plan, max_will_size),
    };
  }

  constructor(arena: Arena, regions: StoreRegions, configuration: Configuration, users: StoreUsers) {
    const { listener, store: settings } = configuration;
    const { bridge, clock, router, rules, sessions, upstream } = users;
    const originCapacity = Math.min(listener.max_connections * listener.max_unreleased_messages, MOST_ORIGINS);
    const mapCapacity = stateEntriesOf(configuration);
    const store = new Store(arena, { stateShare: STATE_SHARE, mapCapacity, createMap });
    this.users = users;
    this.acknowledgesMemory = settings.on_failure === 'memory';
    const origins = this.origins = new StoredOrigins(store, regions.identifier, originCapacity);
    const exactlyOnce = new ExactlyOnce(arena, origins);
    const counters = new StoredCounters(arena, regions.counter);
    const backlog = this.backlog = new Backlog(store, upstream, clock, rules,
      { counters, exactlyOnce, origins, probation: bridge.guard.probation });
    const { slotCount } = upstream.sessionState!.queue.window!;
    this.intake =
      new StoreIntake(backlog, origins, exactlyOnce, { clock, router, sessions }, owedToNodes(slotCount));
    this.serverRouter = new ServerRouter(bridge, upstream, store);
    this.serverIntake = new StoreIntake(backlog, origins, exactlyOnce,
      { clock, router: this.serverRouter, sessions: [upstream] }, owedToServer(slotCount));
    const messages = new StoredMessages(store, clock, backlog, exactlyOnce, regions.number);
    this.nodes =
      durableNodesOf(configuration, store, users, { atHand: exactlyOnce, messages, origins, willOffset: regions.will });
    backlog.down = messages;
    backlog.judge = bridge;
    this.quarantine = new QuarantineRestoration(users.quarantine, arena, rules.map, rules.losses);
    if (listener.persistent_client_expiration !== 0)
      store.keepTime();
  }

  /** Bytes of all tables that are not in the arena. */
  get tableLength(): number {
    return this.origins.tableLength + this.intake.tableLength + this.serverIntake.tableLength
      + this.backlog.tableLength + this.nodes.messages.awaiting.tableLength + this.quarantine.tableLength;
  }

  /** Messages, for the Server or for nodes, that are to be stored and are in memory only. It looks at each. */
  get inMemoryCount(): number {
    return this.backlog.unstored.count + this.nodes.unstored.count;
  }

  /** The clock of the store. */
  get aging(): Age {
    const { backlog: { store }, users: { clock } } = this;
    store.advanceClock(clock.now);
    return store.clock;
  }

  /** Takes a storage into use, for the first time or after one has failed. @throws as `Store.open` */
  open(storage: BlockStorage): StoreReport {
    const { backlog, backlog: { store }, isAgain, users: { bridge, observer } } = this;
    const report = new StoreReport();
    const before = bridge.aging.now;
    this.origins.beginRestoring(this); // as long as positions are those of the last storage
    backlog.beginRestoring(isAgain);
    this.quarantine.begin(store, isAgain);
    this.nodes.beginRestoring();
    store.open(storage, this, this, report);
    storage.onFlushed = isDurable => { store.flushed(isDurable); };
    if (store.clock.now > before)
      this.setForward(store.clock.now - before);
    backlog.endRestoring();
    this.quarantine.end();
    bridge.suspects.remind();
    this.setCalendar();
    store.advanceClock(this.users.clock.now); // what that tells is written now, not in the middle of a reading
    this.nodes.endRestoring(isAgain);
    this.origins.endRestoring(isAgain);
    this.serverRouter.ask();
    this.handleTimeout();
    this.hasOpened = this.isAgain = true;
    this.users.clock.soon();
    this.continueIdentifiers(isAgain);
    const damage = report.damagedCount + report.foreignBlockCount;
    if (damage > 0)
      observer.onEvent(Event.STORE_DAMAGED, Event.UPSTREAM, damage);
    if (report.restoredCount > 0)
      observer.onEvent(Event.STORE_RESTORED, Event.UPSTREAM, report.restoredCount);
    if (backlog.orphanCount > 0)
      observer.onEvent(Event.STORE_ORPHANS, Event.UPSTREAM, backlog.orphanCount);
    this.join();
    return report;
  }

  /** What is in memory is no older by what the clock of a storage says more. */
  private setForward(seconds: number): void {
    this.backlog.unstored.setForward(seconds);
    this.users.nodes.expiry.shift(seconds);
  }

  private continueIdentifiers(isAgain: boolean): void {
    const { backlog: { counters, queue, store } } = this;
    if (isAgain)
      counters.putAll(store, queue.latestIdentifier | IDENTIFIER_RANGE - 1);
    else if (counters.lastIdentifier !== 0)
      queue.continueIdentifiers(counters.lastIdentifier | IDENTIFIER_RANGE - 1);
  }

  /** From now on the side of the Server works with the store. */
  private join(): void {
    const { backlog, users: { bridge, earlier, upstream } } = this;
    const { queue } = upstream.sessionState!;
    if (bridge.backlog !== undefined)
      bridge.storeWasAway = true;
    earlier.store(backlog.store);
    bridge.backlog = queue.window!.journal = queue.releases = backlog;
  }

  /** Time has passed. While something with a deadline waits, the log is told of it now and then. */
  handleTimeout(): void {
    const { backlog, users: { clock } } = this;
    const { store } = backlog;
    store.clock.advance(clock.now);
    this.setCalendar();
    store.advanceClock(clock.now);
    backlog.delayedFlush.handleTimeout();
    this.nodes.handleTimeout();
    if (store.isWorking && store.keepsTime)
      clock.request(clock.now + TICK | 0);
  }

  /** The calendar counts only as far as the network has set it. */
  private setCalendar(): void {
    const seconds = this.users.date();
    if (seconds > 0)
      this.backlog.store.clock.setCalendar(seconds);
  }

  /** Begins to make durable what was written; when the event is over that wrote it. */
  commit(): void {
    const { backlog } = this;
    backlog.commit();
    if (backlog.store.isWorking && !this.hasFailed && !this.hasOpened)
      return;
    this.hasOpened = false;
    if (this.hasFailed) {
      this.hasFailed = false;
      this.intake.onStorageFailed(this.acknowledgesMemory);
      this.serverIntake.onStorageFailed(this.acknowledgesMemory);
    }
    this.nodes.onDurable(); // no flush ends now that would let it out
    backlog.onDurable(backlog.store.written);
  }

  /** Whether a message of a record is in memory too, or needs nothing more; before another storage is opened. */
  holds(position: number, destination: number): boolean {
    const { queue, store } = this.backlog;
    return store.isSettled(position)
      || (destination === 0 ? queue.findStored(position) !== NONE : this.nodes.holds(position, destination));
  }

  // StoreOwner

  onDurable(durable: number): void {
    this.intake.onDurable();
    this.serverIntake.onDurable();
    this.nodes.onDurable();
    this.backlog.onDurable(durable);
  }

  onMoved(from: number, to: number): void {
    this.backlog.moved(from, to);
    this.origins.move(from, to);
    this.nodes.onMoved(from, to);
  }

  onBlockErased(start: number, end: number): void {
    this.origins.keepWithin(start, end);
    this.backlog.erased(start, end);
  }

  onStorageFailed(reason: string): void {
    const { backlog, users: { clock, observer } } = this;
    this.problem = reason;
    this.hasFailed = true;
    clock.soon();
    observer.onEvent(Event.STORE_FAILED, Event.UPSTREAM, backlog.store.queue.pendingCount);
  }

  // Recovery

  onMessage(message: StoredMessage): void {
    if (message.sender !== 0 && !message.isReleased)
      this.origins.restore(message);
    if (message.isSettled)
      return;
    if (message.kind === MESSAGE_UP)
      this.backlog.restore(message);
    else if (message.kind === MESSAGE_DOWN)
      this.nodes.onMessage(message);
  }

  onState(kind: number, key: number, offset: number, length: number): void {
    if (kind === QUARANTINED || kind === QUARANTINED_OF_NODE)
      this.quarantine.restore(key, offset, length);
    else if (kind === COUNTER && !this.isAgain)
      this.backlog.counters.restore(key, offset);
    else if (kind === RECEIVED_IDENTIFIER && !this.isAgain)
      this.origins.restoreIdentifier(offset);
    else if (kind === ANNOUNCED)
      this.users.earlier.restore(offset, length);
  }
}
