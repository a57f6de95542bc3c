/**
 * Messages on their way upstream that survive a power cut: joins the log (store.ts) and the queue of the upstream session,
 * which is the window onto the log's oldest messages. What does not fit the queue stays in the log until there is room.
 *
 *          done            in the queue              waiting
 *   ─────────────┼────────────────────────────┼──────────────────┼── tail
 *                                             loadPosition
 *
 * Nothing that depends on a record leaves before `commit` has made it durable: not the message itself, else a power cut
 * could give its identifier to another one; not PUBREL, else a message could come back to life; not the acknowledgement
 * for the node. So one flush serves a whole event.
 */
import { equalBytes, hashOf } from '../bytes/compare.ts';
import { DUP } from '../packet/control-packet.ts';
import type { Message, Packet } from '../packet/packet.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { Clock } from '../session/clock.ts';
import { type OutboundQueue, QUEUED, RELEASED, SENT, NONE as NO_RECORD } from '../session/outbound-queue.ts';
import { topicOfPacket } from '../session/publish-records.ts';
import type { Journal } from '../session/session-state-kind.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import * as Event from '../config/events.ts';
import { giveUpOldestBlock } from './room-in-store.ts';
import { LatestRecords, type StorePolicy } from './full-policy.ts';
import * as Format from '../store/format.ts';
import { StoreReceptions } from '../store/received-identifiers.ts';
import { openStore, type RecoveryHandler, RecoveryReport } from '../store/recovery.ts';
import { NO_ROOM, NONE, Store, type StoreOwner, TOO_LONG } from '../store/store.ts';

/** Identifiers of stored messages are 1 to 32767, those of all others 32768 to 65535: they are given out independently. */
export const LAST_STORED_IDENTIFIER = 32_767;
/** So that identifiers in the queue never meet. */
export const MAXIMUM_QUEUED = LAST_STORED_IDENTIFIER - 1;

/** Results of `add`. */
export const STORED = 1;
/** It is longer than a block. */
export const DROPPED = 0;
/** No room, and none may be made. */
export const REFUSED = -1;
export const NOT_WORKING = -2;

/** Topics for which the newest record is known. */
const LATEST_CAPACITY = 512;
/** Blocks that are given up for one message, and those of them of which something is kept. */
const MOST_BLOCKS = 4;
const MOST_BLOCKS_KEPT = 2;

/** Told of each message that was taken and is given up: why, and by which rule it came. */
export interface LossObserver {
  onLost(rule: number, isExpired: boolean): void;
}

export interface BacklogSettings {
  readonly maximumInflight: number;
  /** QoS 2 messages of nodes that are remembered until they are released. */
  readonly receptionCapacity: number;
  /** Seconds since 1970, 0 where nobody knows. */
  readonly date: () => number;
}

export class StoreBacklog implements Journal, StoreOwner, RecoveryHandler {
  readonly store: Store;
  readonly receptions: StoreReceptions;
  report = new RecoveryReport();
  private readonly session: ClientSession;
  readonly queue: OutboundQueue;
  readonly policies: readonly StorePolicy[];
  private readonly clock: Clock;
  private readonly observer: Event.GatewayObserver;
  readonly losses: LossObserver;
  private readonly date: () => number;
  readonly latest: LatestRecords | undefined;
  /** Identifiers whose PUBREL waits for `commit`. */
  private readonly releasing: Int32Array;
  private releasingCount = 0;
  /** Of a stored message. */
  lastIdentifier = 0;
  /** Where the messages begin that are not in the queue; means nothing when none waits. */
  private loadPosition = 0;
  /** Records found at start that may have been sent before. */
  private suspectCount = 0;
  /** The block is going to be erased: its words need not be programmed. */
  isGivingUp = false;

  constructor(session: ClientSession, policies: readonly StorePolicy[], clock: Clock, observer: Event.GatewayObserver, losses: LossObserver, store: Store, settings: BacklogSettings) {
    this.session = session;
    this.queue = session.sessionState!;
    this.policies = policies;
    this.clock = clock;
    this.observer = observer;
    this.losses = losses;
    this.store = store;
    this.date = settings.date;
    this.receptions = new StoreReceptions(settings.receptionCapacity);
    this.releasing = new Int32Array(settings.maximumInflight);
    this.latest = policies.some(policy => policy.keepsLatest) ? new LatestRecords(LATEST_CAPACITY) : undefined;
    store.owner = this;
  }

  /** Takes the storage into use and the messages in it up again; before the session is opened. @throws as `openStore` */
  open(storage: BlockStorage): void {
    this.queue.kind.journal = this;
    this.suspectCount = this.releasing.length;
    const report = this.report = new RecoveryReport();
    openStore(this.store, storage, this, report);
    if (this.store.tailBlock === NONE) // it knows nothing of what came before
      this.session.firstInDoubt = 1;
    if (report.damagedCount > 0 || report.foreignBlockCount > 0)
      this.observer.onEvent(Event.STORE_DAMAGED, Event.UPSTREAM, report.damagedCount + report.foreignBlockCount);
    if (report.restoredCount > 0)
      this.observer.onEvent(Event.STORE_RESTORED, Event.UPSTREAM, report.restoredCount);
  }

  get needsCommit(): boolean {
    return this.store.isDirty || this.queue.kind.heldCount > 0 || this.releasingCount > 0;
  }

  /**
   * Stores a message for upstream.
   * @param rule index of the rule that let it through @param origin hash of the node's identifier if it comes with QoS 2
   * @returns STORED, DROPPED, REFUSED, or NOT_WORKING when the storage has failed: the message is as it was
   */
  add(message: Message, qos: number, rule: number, origin: number, originIdentifier: number): number {
    const { store } = this;
    const policy = this.policies[rule]!;
    const hash = this.latest === undefined ? 0 : hashOf(store.arena, message.topicNameOffset, message.topicNameLength);
    let position = this.append(message, qos, rule, origin, originIdentifier);
    if (position === NO_ROOM && !policy.refusesNew) {
      this.latest?.set(hash, NONE); // the new one, wherever it will be
      for (let attempt = 0; attempt < MOST_BLOCKS && position === NO_ROOM; ++attempt) {
        giveUpOldestBlock(this, attempt < MOST_BLOCKS_KEPT);
        position = this.append(message, qos, rule, origin, originIdentifier);
      }
    }
    if (!store.isWorking)
      return NOT_WORKING;
    if (position === NO_ROOM || position === TOO_LONG)
      return position === NO_ROOM ? REFUSED : DROPPED;
    this.latest?.set(hash, position);
    const packetLength = store.staged(0) & 0xFFFFFF;
    if (this.place(position, packetLength, QUEUED) !== NO_RECORD)
      ++this.queue.kind.heldCount;
    if (origin !== 0)
      this.receptions.add(origin, originIdentifier, position);
    this.clock.soon();
    return STORED;
  }

  /** Whether this QoS 2 message of a node is one that is in the store already. Rules and mount points change only the beginning of a name. */
  isRepeated(packet: Packet, origin: number): boolean {
    const { receptions, store } = this;
    const { arena } = store;
    const index = (packet.flags & DUP) === 0 ? NONE : receptions.find(origin, packet.packetIdentifier);
    if (index === NONE)
      return false;
    const position = receptions.positionOf(index);
    const packetLength = store.packetLengthAt(position);
    if (packetLength === NONE || !store.load(position, packetLength))
      return false;
    const { payloadLength, topicNameLength } = packet;
    const topic = this.stagedTopic();
    const topicEnd = topic + arena.view.getUint16(topic - 2);
    const end = arena.stagingOffset + Format.RECORD_HEADER_LENGTH + packetLength;
    const kept = topicEnd - topic - (this.policies[store.staged(Format.RULE)]?.rule.toPrefixLength ?? 0);
    const compared = kept < topicNameLength ? kept : topicNameLength;
    return end - topicEnd - 2 === payloadLength && compared >= 0
      && equalBytes(arena, topicEnd - compared, packet.topicNameOffset + topicNameLength - compared, compared)
      && equalBytes(arena, topicEnd + 2, packet.payloadOffset, payloadLength);
  }

  /** The node will not send the message again. */
  forgetReception(origin: number, identifier: number): void {
    const index = this.receptions.find(origin, identifier);
    if (index === NONE)
      return;
    this.store.markReceived(this.receptions.positionOf(index));
    this.receptions.remove(index);
  }

  /** Makes everything durable, then lets out what has waited for that. */
  commit(): void {
    const { queue, session } = this;
    if (this.store.isDirty)
      this.store.flush();
    queue.kind.heldCount = 0;
    const count = this.releasingCount;
    this.releasingCount = 0;
    for (let index = 0; index < count; ++index)
      session.sendRelease(this.releasing[index]!);
    session.writable();
  }

  closed(): void {
    this.releasingCount = 0; // the next connection begins with them
  }

  // Journal

  released(position: number, identifier: number): void {
    this.store.markReleased(position);
    if (!this.store.isWorking || this.releasingCount === this.releasing.length)
      return;
    this.releasing[this.releasingCount++] = identifier;
    this.clock.soon();
  }

  isReleasing(identifier: number): boolean {
    for (let index = 0; index < this.releasingCount; ++index)
      if (this.releasing[index] === identifier)
        return true;
    return false;
  }

  done(position: number): void {
    if (!this.isGivingUp)
      this.store.markDone(position);
  }

  refill(): void {
    const { queue, store } = this;
    const now = this.date();
    if (store.isDirty) // some of what waits may be as new as that
      store.flush();
    let position = this.loadPosition;
    while (queue.kind.waitingCount > 0) {
      position = store.seek(position);
      if (position === NONE) { // what was counted is not there any more: the storage forgets
        for (; queue.kind.waitingCount > 0; --queue.kind.waitingCount)
          this.losses.onLost(NONE, false);
        return;
      }
      const packetLength = store.foundLength;
      if (!queue.hasRoom(packetLength))
        break;
      const next = position + Format.lengthOfRecord(packetLength);
      if (store.load(position, packetLength) && !store.isMarked(Format.DONE)) {
        const rule = store.staged(Format.RULE);
        const isReleased = store.isMarked(Format.RELEASED);
        if (!isReleased && this.policies[rule]?.isExpired(store.staged(Format.TIME), now)) {
          this.losses.onLost(rule, true);
          store.markDone(position);
        } else if (this.enqueue(position, packetLength, isReleased ? RELEASED : QUEUED) === NO_RECORD)
          break;
        --queue.kind.waitingCount;
      }
      position = next;
    }
    this.loadPosition = position;
  }

  // StoreOwner

  onBlockErased(start: number, end: number): void {
    this.receptions.removeWithin(start, end);
    if (this.loadPosition >= start && this.loadPosition < end)
      this.loadPosition = end === this.store.blockCount * this.store.blockLength ? 0 : end;
  }

  onStorageFailed(): void {
    this.observer.onEvent(Event.STORE_FAILED, Event.UPSTREAM, this.store.pendingCount);
  }

  // RecoveryHandler

  onRecord(position: number, packetLength: number, isDone: boolean): void {
    const { latest, store } = this;
    const replaces = store.staged(Format.REPLACES);
    if (replaces !== 0 && this.isOlder(replaces, position)) {
      this.voidOriginal(replaces);
      store.load(position, packetLength);
    }
    const identifiers = store.staged(Format.IDENTIFIERS);
    const origin = store.staged(Format.ORIGIN);
    this.lastIdentifier = identifiers & 0xFFFF;
    if (origin !== 0 && !store.isMarked(Format.RECEIVED))
      this.receptions.add(origin, identifiers >>> 16, position);
    if (isDone)
      return;
    if (latest !== undefined) {
      const topic = this.stagedTopic();
      latest.set(hashOf(store.arena, topic, store.arena.view.getUint16(topic - 2)), position);
    }
    const isReleased = store.isMarked(Format.RELEASED);
    this.place(position, packetLength, isReleased ? RELEASED : this.suspectCount-- > 0 ? SENT : QUEUED);
  }

  // How it is done

  private append(message: Message, qos: number, rule: number, origin: number, originIdentifier: number): number {
    const { fields } = this.store;
    fields.identifier = this.nextIdentifier;
    fields.rule = rule;
    fields.time = this.date();
    fields.origin = origin;
    fields.originIdentifier = originIdentifier;
    fields.replaces = 0;
    const position = this.store.append(message, qos);
    if (position > 0)
      this.lastIdentifier = fields.identifier;
    return position;
  }

  get nextIdentifier(): number {
    return this.lastIdentifier === LAST_STORED_IDENTIFIER ? 1 : this.lastIdentifier + 1;
  }

  /** The record in the staging area goes to the queue, or waits. @returns its record in the queue, or NO_RECORD */
  place(position: number, packetLength: number, state: number): number {
    const { queue } = this;
    const record = queue.kind.waitingCount === 0 ? this.enqueue(position, packetLength, state) : NO_RECORD;
    if (record === NO_RECORD && queue.kind.waitingCount++ === 0)
      this.loadPosition = position;
    return record;
  }

  private enqueue(position: number, packetLength: number, state: number): number {
    const { queue, store } = this;
    const record = queue.appendPacket(store.arena.stagingOffset + Format.RECORD_HEADER_LENGTH, packetLength, state, store.staged(Format.IDENTIFIERS) & 0xFFFF);
    if (record !== NO_RECORD)
      queue.annotate(record, position, store.staged(Format.TIME), store.staged(Format.RULE));
    return record;
  }

  /** The record has a copy: it is done, though its word does not say so. */
  private voidOriginal(position: number): void {
    const { queue, store } = this;
    const packetLength = store.packetLengthAt(position);
    if (packetLength === NONE || !store.load(position, packetLength) || store.isMarked(Format.DONE))
      return;
    const record = queue.findStored(position);
    if (record === NO_RECORD) {
      --queue.kind.waitingCount;
      store.markDone(position);
    } else
      queue.giveUp(record);
    --this.report.restoredCount;
  }

  private isOlder(position: number, than: number): boolean {
    const { blockLength, sequences } = this.store;
    const sequence = sequences[position / blockLength | 0]!;
    return sequence !== 0 && sequence < sequences[than / blockLength | 0]!;
  }

  /** Offset of the topic name of the packet in the staging area. */
  stagedTopic(): number {
    const { arena } = this.store;
    return topicOfPacket(arena, arena.stagingOffset + Format.RECORD_HEADER_LENGTH);
  }
}
