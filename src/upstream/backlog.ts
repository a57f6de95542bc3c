/**
 * Messages on their way upstream that survive a power cut: joins the store and the queue of the upstream session.
 * Each record of the log holds a message as it was here; it is encoded for the Server, by the rule that it goes by
 * today, when it enters the queue, because its turn has come (`refill`), or at once if nothing of its topic waits.
 *
 *          done            in the queue              waiting
 *   ─────────────┼────────────────────────────┼──────────────────┼── tail
 *                                             loadPosition
 *
 * Nothing that depends on a record leaves before the store says that it is durable: not the message itself, not
 * PUBREL, else a message could come back to life, not the acknowledgement for its node. One flush serves all that
 * comes meanwhile.
 */
import type { Message } from '../packet/packet.ts';
import { expiryOf } from '../packet/publish-properties.ts';
import { confirmPosition, doubtPositions, endDoubt } from '../session/doubted-positions.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { Clock } from '../session/clock.ts';
import type { OriginIndex } from '../nodes/stored-messages.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { DOUBT, NONE as NO_RECORD, NOT_STORED, RELEASED, SENT } from '../session/record-layout.ts';
import type { Journal, UpstreamWindow } from '../session/upstream-window.ts';
import { FAILED, NO_ROOM, NONE, TOO_LONG } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { MESSAGE_DOWN, MessageFields, RECEIVED, type StoredMessage } from '../store/stored-message.ts';
import { StoreStamps } from '../store/store-stamps.ts';
import { DelayedFlush } from './delayed-flush.ts';
import { type ExactlyOnce, UPSTREAM_DESTINATION } from './exactly-once.ts';
import { LatestRecords } from './latest-records.ts';
import * as Loss from './losses.ts';
import type { Probation } from './probation.ts';
import { Releases } from './releases.ts';
import { RoomInStore } from './room-in-store.ts';
import { NEVER, type StoredCounters } from './stored-counters.ts';
import type { StoredRules } from './stored-rules.ts';
import { NO_RULE } from './topic-map.ts';
import { UnstoredUpstream } from './unstored-upstream.ts';

/** Results of `add`. */
export const STORED = 1;
/** It is longer than a block. */
export const DROPPED = 0;
/** No room, and none may be made. */
export const FULL = -1;
export const NOT_WORKING = -2;

/** Of a message that is short enough for any storage. */
const LONGEST_SHORT = 128;
/** An eighth of the log is for messages down alone; it needs a block that is written, one that is free, and another. */
const SPARE_SHIFT = 3;
const FEWEST_BLOCKS = 3;
/** The one destination of a message. */
const UPSTREAM = 0;
/** Before the oldest message. */
const START = -1;

/** What has been given out, and what has come, under which identifiers; and who waits. */
export interface BacklogIdentities {
  readonly counters: StoredCounters;
  readonly exactlyOnce: ExactlyOnce;
  readonly origins: OriginIndex;
  /** Whose messages wait though others do not. */
  readonly probation: Probation;
}

export class Backlog extends StoreStamps implements Journal {
  readonly counters: StoredCounters;
  /** Stored messages for which there is no rule. They wait for one, and hold nothing up. */
  orphanCount = 0;
  readonly delayedFlush: DelayedFlush;
  private readonly session: ClientSession;
  readonly queue: OutboundQueue;
  readonly window: UpstreamWindow;
  private readonly clock: Clock;
  readonly rules: StoredRules;
  private readonly losses: Loss.LossObserver;
  latest: LatestRecords | undefined;
  readonly room: RoomInStore;
  private readonly releases: Releases;
  private readonly fields = new MessageFields();
  private readonly exactlyOnce: ExactlyOnce;
  /** What of the queue is in no log. */
  readonly unstored: UnstoredUpstream;
  /** Whether every rule gives up what is new: then messages for nodes are, too. */
  refusesNew: boolean;
  /** Where the next message is that is not in the queue, if one waits. */
  private loadPosition = START;
  /**
   * Length of its packet, if it had no room; else of the one before it, as a guess. Nothing is read before there is
   * room for that.
   */
  private nextLength = 0;
  /** Messages of version 0.1, which gave out identifiers when it stored, that may have been sent: the oldest ones. */
  private suspectCount: number;
  /**
   * Messages that waited in the storage before another one was opened, and have not been found in that: by the index of
   * their rule, the last ones had none.
   */
  private readonly missing: number[] = [];
  /** A second storage has been opened in this life: what lies there may be about anything. */
  private hasReturned = false;
  /** Record of the message that has entered the queue last. */
  private entered = NO_RECORD;
  /** Whether it may go out is asked of. */
  judge: { judge(record: number): void } | undefined = undefined;
  /** What is given up now need not be marked: its block says so. */
  private isGivingUp = false;
  private readonly probation: Probation;
  /** A number for who waits, when the log was looked through. */
  private revision = 0;

  constructor(store: Store, session: ClientSession, clock: Clock, rules: StoredRules, identities: BacklogIdentities) {
    super(store);
    this.session = session;
    this.queue = session.sessionState!.queue;
    this.window = this.queue.window!;
    this.clock = clock;
    this.delayedFlush = new DelayedFlush(store, session, clock);
    this.rules = rules;
    this.losses = rules.losses;
    this.counters = identities.counters;
    this.exactlyOnce = identities.exactlyOnce;
    this.unstored = new UnstoredUpstream(this, clock, identities.origins);
    this.probation = identities.probation;
    this.refusesNew = rules.policies.every(policy => policy.refusesNew);
    this.latest = rules.policies.some(policy => policy.keepsLatest) ? new LatestRecords() : undefined;
    this.room = new RoomInStore(store, rules, this.latest, this);
    this.suspectCount = this.queue.limits.maximumInflight;
    this.releases = new Releases(this.suspectCount);
  }

  /**
   * Stores a message. @param outgoing the same as it goes upstream, with its QoS @param rule index of the rule @param
   * hash of its local topic @param origin identity of its node, else 0 @returns STORED,
   * DROPPED, FULL, or NOT_WORKING when the storage has failed: the message is as it was
   */
  add(message: Message, outgoing: Message, rule: number, hash: number, origin: number): number {
    const { fields, store } = this;
    const policy = this.rules.policies[rule]!;
    const isAtHand = origin !== 0 && message.packetIdentifier !== 0; // a Will has none, and may come between
    if (isAtHand && this.exactlyOnce.isStoredFor(UPSTREAM_DESTINATION))
      return STORED;
    store.advanceClock(this.clock.now);
    fields.topicNameOffset = message.topicNameOffset;
    fields.topicNameLength = message.topicNameLength;
    fields.payloadOffset = message.payloadOffset;
    fields.payloadLength = message.payloadLength;
    fields.qos = message.qos;
    fields.retain = message.retain;
    fields.propertiesLength = outgoing.propertiesLength;
    fields.propertiesOffset = outgoing.propertiesOffset;
    const takenAt = fields.takenAt = store.clock.now;
    fields.deadline = policy.expiry === 0 ? 0 : takenAt + policy.expiry;
    fields.rule = policy.rule.identity;
    fields.origin = origin;
    fields.originIdentifier = message.packetIdentifier;
    const { queue, window } = this;
    const slot = window.slotOf(hash);
    const isLive = this.session.isConnected && !window.isOccupied(slot) && !this.mustWait(origin, rule, slot);
    fields.identifier = isLive ? queue.identifierFor(outgoing) : 0;
    let position = store.queue.push(fields, 1, this.spare);
    if (position === NO_ROOM && (!policy.refusesNew || this.orphanCount > 0 || this.room.movesDown)) {
      fields.identifier = 0; // what is given up may have been in the queue
      this.latest?.set(hash, NONE); // the new one, wherever it will be
      position = this.room.push(fields, policy.refusesNew, this.spare);
      this.rules.mapAgain(message, rule);
    }
    if (position <= 0)
      return !store.isWorking || position === FAILED ? NOT_WORKING : position === TOO_LONG ? DROPPED : FULL;
    if (isAtHand)
      this.exactlyOnce.stored(UPSTREAM_DESTINATION, position);
    this.latest?.set(hash, position);
    window.origin = origin;
    window.slot = slot;
    if (!isLive || this.enter(outgoing, position, takenAt, rule, fields.identifier) === NO_RECORD
      && !(queue.closeHoles() && this.enter(outgoing, position, takenAt, rule, fields.identifier) !== NO_RECORD)) {
      if (isLive && queue.unsentCount > 0)
        queue.joinLanes();
      window.wait(rule, slot);
    } else if (outgoing.qos === 2 && fields.identifier === 0)
      queue.peek(); // its identifier is written before the flush: one is enough then
    this.clock.soon();
    return STORED;
  }

  /** Stores a message for a node. @returns as `MessageQueue.push` */
  pushDown(fields: MessageFields): number {
    const position = this.store.queue.push(fields);
    return position === NO_ROOM ? this.room.push(fields, this.refusesNew, 0) : position;
  }

  /**
   * Blocks that messages up leave to messages down: where no message up may be given up, there would be no other room
   * for these. Without a map no session of a node is kept.
   */
  get spare(): number {
    const { queue: { ring: { blockCount } }, state } = this.store;
    return !this.refusesNew || state === undefined ? 0
      : Math.max(Math.min(blockCount - FEWEST_BLOCKS, Math.max(blockCount >> SPARE_SHIFT, 1)), 0);
  }

  /** Whether a record of `length` bytes has room, without anything being given up that may still go out. */
  canPush(length: number): boolean {
    const { orphanCount, room, spare, store: { isWorking, queue } } = this;
    return queue.canPush(length, spare) || isWorking && queue.canHold(length)
      && (room.movesDown || orphanCount > 0 || queue.hasDeadlines) && room.canMake(length, spare);
  }

  /** What waits for nodes: it moves when room is made. */
  set down(down: { readonly count: number }) {
    this.room.down = down;
  }

  /** Whether some of what was refused would be taken now: enough that it is worth while to ask for it. */
  get hasRoom(): boolean {
    const { room, store: { queue } } = this;
    return room.movesDown ? queue.pendingLength * 2 <= queue.capacity
      : queue.canPush(LONGEST_SHORT, this.spare) && queue.usedLength * 4 <= queue.capacity * 3;
  }

  /** Bytes. */
  get tableLength(): number {
    return this.latest === undefined ? 0 : this.latest.tableLength;
  }

  /** Whether anything has been written that is not durable yet, on a storage that works. */
  get isAhead(): boolean {
    const { store } = this;
    return store.isWorking && store.written !== store.durable;
  }

  /** Begins to make durable what was written. */
  commit(): void {
    const { store } = this;
    if (!store.isWorking)
      return;
    if (store.isDirty)
      store.flush();
    if (!this.delayedFlush.isPlanned)
      this.delayedFlush.plan();
  }

  /** What was written is durable, or never will be: lets out what has waited for that. */
  onDurable(durable: number): void {
    const { releases, session } = this;
    for (let identifier = releases.take(durable); identifier !== 0; identifier = releases.take(durable))
      session.sendRelease(identifier);
    session.writable();
  }

  /** The connection has ended: the next one begins with what was to be released. */
  closed(): void {
    this.releases.clear();
  }

  /** A storage is going to be opened. @param isAgain another one, or the same, has been before in this life */
  beginRestoring(isAgain: boolean): void {
    const { missing, rules: { policies }, window: { waitingByRule } } = this;
    doubtPositions(this.queue);
    if (isAgain && missing.length === 0) { // else the attempt before has failed
      for (let rule = 0; rule < policies.length; ++rule)
        missing.push(waitingByRule[rule] ?? 0);
      missing.push(this.orphanCount);
    }
    this.latest?.clear();
    this.beginRecount();
    this.suspectCount = this.queue.limits.maximumInflight;
    this.hasReturned ||= isAgain;
    if (isAgain)
      return; // memory knows what has been given out since
    this.counters.lastIdentifier = 0;
    this.counters.sessionLostAt = NEVER;
    this.counters.owesTelling = false;
  }

  /** What waits in the log is told of anew. */
  beginRecount(): void {
    const { rules: { policies }, window } = this;
    this.orphanCount = 0;
    this.reconsider();
    this.room.forget();
    if (window.waitingByRule.length !== policies.length)
      window.waitingByRule = new Uint32Array(policies.length);
    window.recount(this.queue);
  }

  /** The log is looked through again, and what was passed over in it with the rest. */
  private reconsider(): void {
    this.loadPosition = START;
    this.window.deferredCount = 0;
  }

  /** Whether a message waits although others may go: of its sender, or of its sender and topic, one is held back. */
  mustWait(origin: number, rule: number, slot: number): boolean {
    const { probation, queue, window } = this;
    return probation.isHolding && probation.holds(origin, rule, slot)
      || window.heldCount > 0 && queue.hasHeld(origin, slot, NO_RECORD);
  }

  /** Whether that is because of what its sender has sent before. @param rule that `rules` has just found */
  isOfGuilty(message: StoredMessage, rule: number): boolean {
    const { probation, rules, window } = this;
    return probation.isGuilty(probation.find(message.origin, rule, window.slotOf(rules.hash)));
  }

  /**
   * A message of the log, which `rules` has looked at and which is not in the queue, is kept elsewhere from now on, or
   * given up.
   */
  takeOut(position: number, rule: number, isGivenUp: boolean): void {
    const { queue } = this.store;
    if (isGivenUp) {
      queue.giveUp(position, UPSTREAM);
      this.losses.onLost(rule, Loss.NO_ROOM);
    } else
      queue.done(position, UPSTREAM);
    this.leaveLog(rule);
    this.reconsider();
  }

  /** The message of the log that this record of the queue holds back is given up: there is no room where it waits. */
  giveUpHeld(record: number): void {
    const rule = this.queue.ruleOf(record);
    this.queue.giveUp(record);
    this.losses.onLost(rule, Loss.NO_ROOM);
  }

  endRestoring(): void {
    const { missing, unstored } = this;
    unstored.write();
    endDoubt(this.queue);
    for (let rule = 0; rule < missing.length; ++rule)
      if (missing[rule]! > 0)
        this.losses.onLost(rule === missing.length - 1 ? NO_RULE : rule, Loss.UNREADABLE, missing[rule]);
    missing.length = 0;
    this.suspectCount = 0;
  }

  /** One that waited in the storage before is in the one that is opened. @param rule of today */
  private isFound(position: number, rule: number): void {
    const { missing, store } = this;
    const index = rule === NO_RULE ? missing.length - 1 : rule;
    if (index < missing.length && missing[index]! > 0 && store.isSame(position))
      --missing[index]!;
  }

  /** A message was found in the log at start. */
  restore(message: StoredMessage): void {
    const { queue, rules, store, window } = this;
    const known = store.isSame(message.position) ? confirmPosition(queue, message.position)
      : queue.findStored(message.position);
    const rule = rules.find(message);
    if (rule === NO_RULE) {
      if (known === NO_RECORD) {
        ++this.orphanCount;
        this.isFound(message.position, rule);
      }
      return;
    }
    const { hash } = rules;
    const slot = window.slotOf(hash);
    rules.encode(message, rule);
    this.latest?.set(hash, message.position);
    if (known !== NO_RECORD) {
      this.complete(message, known);
      return;
    }
    this.isFound(message.position, rule);
    // What is under way is sent again before all else but what came before it: a cut may have torn its identifier.
    if (message.identifiers[UPSTREAM] !== 0) {
      if (!window.isOccupied(slot) && this.enterLoaded(message, rule))
        return;
      this.counters.lastIdentifier = message.identifiers[UPSTREAM]!;
    }
    window.wait(rule, slot);
  }

  /** A message of the log has been given up with its block. */
  dropped(message: StoredMessage, rule: number): void {
    const { queue, rules } = this;
    const record = queue.findStored(message.position);
    if (record !== NO_RECORD) {
      this.isGivingUp = true;
      queue.giveUp(record);
      this.isGivingUp = false;
    } else {
      this.leaveLog(rule);
      if (this.window.deferredCount > 0)
        this.reconsider();
    }
    this.losses.onLost(rule, rules.isExpired(message, rule, this.store.clock) ? Loss.EXPIRED : rule === NO_RULE
      ? Loss.ORPHANED : Loss.NO_ROOM);
  }

  /** A record has another place now. */
  moved(from: number, to: number): void {
    const record = this.queue.findStored(from);
    if (record !== NO_RECORD)
      this.queue.notePosition(record, to);
    this.latest?.move(from, to);
    this.reconsider();
  }

  /** The block from `start` to `end` is used anew. */
  erased(start: number, end: number): void {
    if (this.loadPosition >= start && this.loadPosition <= end)
      this.reconsider();
  }

  /** Whether a message of a QoS 2 exchange must stay where it is: its receiver may know it. */
  isUnderWay(message: StoredMessage): boolean {
    return message.identifiers[UPSTREAM] !== 0;
  }

  // Journal

  underWay(position: number, identifier: number, qos: number): void {
    this.store.queue.underWay(position, UPSTREAM, identifier, qos === 2);
    if (qos === 2)
      this.clock.soon();
  }

  received(position: number, identifier: number): void {
    const { store } = this;
    store.queue.received(position, UPSTREAM);
    if (store.isWorking && this.releases.add(identifier, store.written))
      this.clock.soon();
  }

  isReleasing(identifier: number): boolean {
    return this.releases.has(identifier);
  }

  done(position: number): void {
    if (!this.isGivingUp && ((position & DOUBT) === 0 || !this.store.isWorking))
      this.store.queue.done(position & ~DOUBT, UPSTREAM);
  }

  /** Whether the Server is to be told of retained state: a power cut must not make that forgotten. */
  noteTelling(isOwed: boolean): void {
    if (!this.counters.putTelling(this.store, isOwed))
      return;
    if (isOwed)
      this.store.settle(); // the Server has begun a session: the next connection may be said to continue it
    this.clock.soon();
  }

  get owesTelling(): boolean {
    return this.counters.owesTelling;
  }

  identifiersReached(identifier: number): void {
    this.counters.putIdentifier(this.store, identifier);
  }

  sessionLost(): void {
    this.counters.putSessionLost(this.store);
    this.clock.soon();
  }

  /**
   * Moves what waits in a storage that takes no more into the queue: up to half of that, the other half is for what
   * comes. @param message that comes @param rule its rule @returns whether nothing waits there any more
   */
  drain(message: Message, rule: number): boolean {
    const { queue, window } = this;
    for (let left = -1; window.waitingCount > 0 && window.waitingCount !== left
      && queue.usedLength * 2 <= queue.capacity;) {
      left = window.waitingCount;
      this.refill();
    }
    this.rules.mapAgain(message, rule);
    return window.waitingCount === 0;
  }

  refill(): void {
    const { probation, queue, rules, store, window } = this;
    const log = store.queue;
    if (store.isWorking && queue.count > 0 && !queue.hasRoom(this.nextLength) || probation.isChanged)
      return;
    // Whoever waits no more has messages behind the place that was reached: they come first.
    const revision = probation.revision + window.heldRevision | 0;
    if (revision !== this.revision)
      this.reconsider();
    this.revision = revision;
    while (window.waitingCount > 0) {
      const position = this.loadPosition === START ? log.first() : log.next(this.loadPosition);
      if (position === NONE) {
        if (window.deferredCount === 0) // what was counted is not there any more: the storage forgets
          this.forgetWaiting();
        return;
      }
      this.loadPosition = position;
      const { record } = log;
      const next = record.position + record.length;
      if (record.kind !== MESSAGE_DOWN && queue.findStored(position) === NO_RECORD) {
        const rule = rules.find(record);
        const reason = this.reasonToDrop(record, rule);
        if (reason !== 0) {
          this.leaveLog(rule);
          log.giveUp(position, UPSTREAM);
          this.losses.onLost(rule, reason);
        } else if (rule !== NO_RULE && this.mustWait(record.origin, rule, window.slotOf(rules.hash)))
          ++window.deferredCount; // others pass it
        else if (rule !== NO_RULE) {
          this.nextLength = queue.packetLengthOf(rules.outgoing, rules.outgoing.qos);
          if (!queue.hasRoom(this.nextLength) || !this.enterLoaded(record, rule))
            return;
          this.leaveLog(rule);
          this.loadPosition = next;
          this.judge?.judge(this.entered);
          return;
        }
      }
      this.loadPosition = next;
    }
  }

  // How it is done

  private reasonToDrop(message: StoredMessage, rule: number): number {
    const { outgoing } = this.rules;
    if (rule !== NO_RULE)
      this.rules.encode(message, rule);
    return this.rules.isExpired(message, rule, this.store.clock) || this.isOver(message) ? Loss.EXPIRED
      : rule !== NO_RULE && !this.queue.canHold(outgoing, outgoing.qos) ? Loss.TOO_LONG : 0;
  }

  /** Whether its Message Expiry Interval is over [MQTT5-3.3.2-5]; one that has been sent does not expire. */
  private isOver(message: StoredMessage): boolean {
    const { arena, clock } = this.store;
    const at = message.identifiers[UPSTREAM] === 0 ? expiryOf(message, arena) : -1;
    return at >= 0 && arena.view.getUint32(at) <= clock.age(message.takenAt);
  }

  /** What is left of it [MQTT5-3.3.2-6]: in the log it is as it was when the message came. */
  private countDown({ takenAt }: StoredMessage): void {
    const { rules: { outgoing }, store: { arena, clock } } = this;
    const at = expiryOf(outgoing, arena);
    if (at >= 0)
      arena.view.setUint32(at, Math.max(0, arena.view.getUint32(at) - clock.age(takenAt)));
  }

  /** A message of the log that was not in the queue waits there no more. */
  private leaveLog(rule: number): void {
    const { window } = this;
    if (rule === NO_RULE)
      --this.orphanCount;
    else if (window.waitingCount > 0)
      window.endWait(rule, window.slotOf(this.rules.hash));
  }

  /** What became of a message of the queue while its record could not be written is written. */
  private complete({ identifiers, position, states }: StoredMessage, record: number): void {
    const { queue, store: { queue: log } } = this;
    const identifier = queue.identifierOf(record);
    if (queue.qosOf(record) !== 2 || identifier === 0)
      return;
    if (identifiers[UPSTREAM] === 0)
      log.underWay(position, UPSTREAM, identifier, true);
    if (queue.stateOf(record) === RELEASED && (states[UPSTREAM]! & RECEIVED) === 0)
      log.received(position, UPSTREAM);
  }

  private forgetWaiting(): void {
    const { window, window: { waitingByRule } } = this;
    for (let rule = 0; rule < waitingByRule.length; ++rule)
      if (waitingByRule[rule]! > 0)
        this.losses.onLost(rule, Loss.UNREADABLE, waitingByRule[rule]);
    window.waitingCount = 0;
    waitingByRule.fill(0);
    window.vacateAll();
  }

  /**
   * The message that `rules` has looked at goes to the queue, in the state that its record tells. @returns false when
   * that has no room
   */
  private enterLoaded(message: StoredMessage, rule: number): boolean {
    const { counters, queue, rules, window } = this;
    window.origin = message.origin;
    window.slot = window.slotOf(rules.hash);
    if (rules.outgoing.propertiesLength !== 0)
      this.countDown(message);
    const record = this.enter(rules.outgoing, message.position, message.takenAt, rule, 0);
    if (record === NO_RECORD)
      return false;
    const identifier = message.identifiers[UPSTREAM]!;
    if (identifier !== 0 && !(message.isMapped && this.suspectCount-- <= 0)
      && !(this.hasReturned && queue.findSent(identifier) !== NO_RECORD)) { // in another storage it means another one
      const isReceived = (message.states[UPSTREAM]! & RECEIVED) !== 0 && rules.outgoing.qos === 2
        && message.takenAt > counters.sessionLostAt;
      queue.identify(record, identifier, isReceived ? RELEASED : SENT);
      counters.lastIdentifier = identifier;
    }
    return true;
  }

  /** `window` has its slot. @returns its record in the queue, or NO_RECORD when that has no room */
  private enter(outgoing: Message, position: number, takenAt: number, rule: number, identifier: number): number {
    const { window } = this;
    window.position = position;
    window.time = takenAt;
    window.rule = rule;
    window.identifier = identifier;
    window.stamp = this.stamp;
    if (window.stamp !== 0)
      this.clock.soon(); // it waits for that
    const record = this.entered = this.queue.append(outgoing, outgoing.qos);
    window.identifier = 0;
    window.position = NOT_STORED;
    return record;
  }
}
