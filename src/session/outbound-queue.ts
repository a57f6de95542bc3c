/**
 * Messages on their way out of one session: waiting, or sent and not yet acknowledged, in a ring of records in the
 * arena (publish-records.ts). The queue towards the Server has a window too, with a log of which it shows a part and
 * a lane for what waited for the connection (upstream-window.ts); that of a node has one lane only.
 *
 * A record is the packet itself, so sending is one copy, and the queue is all the memory that retransmission needs
 * (3.1.1 section 4.4). A message gets its identifier when it is first sent.
 *
 *        head            cursor            tail
 *   ──────┼── sent ────────┼── pending ─────┼──────
 *
 * Records leave at the head only. One that is acknowledged out of order stays, marked DONE, until those before it
 * are, or until `compact` closes the holes, while the head is held back.
 *
 * Full means full in bytes or in records: `append` refuses and nothing has changed. `dropOldest` makes room.
 */
import { DUP, QOS_MASK, QOS_SHIFT } from '../packet/control-packet.ts';
import type { Message } from '../packet/packet.ts';
import { ACKNOWLEDGEMENT_LENGTH, lengthOfPublish, PUBREL_PACKET, writePublish } from '../packet/publish.ts';
import { lengthWithProperties } from '../packet/publish-properties.ts';
import { IDENTIFIER_RANGE, unusedRange } from './identifier-ranges.ts';
import { PublishRecords } from './publish-records.ts';
import type { QueueLimits } from './queue-limits.ts';
import {
  ABANDONED, DONE, HELD, IDENTIFIER, NONE, NOT_STORED, PENDING, POSITION, QOS, QUEUED, RELEASED, REPLAYED, SENT,
    SENT_AT, SLOT, STATE, STATE_MASK,
} from './record-layout.ts';
import type { Journal, UpstreamWindow } from './upstream-window.ts';

/** Bytes of a PUBLISH beside topic and payload: first byte, Remaining Length, length of the topic, identifier. */
const LONGEST_HEADER = 1 + 4 + 2 + 2;
/** Bytes of the length of properties. */
const LONGEST_VARIABLE = 4;

/** In place of the identity of a node, which is odd. */
export const ANYBODY = -2;

export class OutboundQueue extends PublishRecords {
  /** Records that are SENT or RELEASED on the present connection. */
  inflightCount: number;
  /** Records that are to be sent, of the one lane, or of the messages that have not waited for the connection. */
  unsentCount: number;
  /** Undefined in the queue of a node. */
  readonly window: UpstreamWindow | undefined;
  /** Who holds PUBREL back until it may go out. */
  releases: { isReleasing(identifier: number): boolean } | undefined;
  /** The first one of them; means nothing when there is none. */
  protected cursor: number;
  private lastIdentifier: number;

  constructor(limits: QueueLimits, offset: number, window: UpstreamWindow | undefined) {
    super(limits, offset); // written out: XS makes two lists of all that passes through a constructor that is not
    this.window = window;
    this.releases = undefined;
    this.inflightCount = this.cursor = this.unsentCount = this.lastIdentifier = 0;
  }

  /** Whether anything waits to be sent, or to be sent again, here or in the log. */
  get hasUnsent(): boolean {
    const { window } = this;
    return this.unsentCount > 0 || window !== undefined && (window.replayCount > 0 || window.waitingCount > 0);
  }

  /** The next Packet Identifier, 1 to 65535, in one sequence [MQTT311-2.3.1-2] [MQTT311-2.3.1-3] [MQTT311-2.3.1-4]. */
  nextIdentifier(): number {
    const next = this.lastIdentifier + 1;
    if ((next & IDENTIFIER_RANGE - 1) !== 0)
      return this.lastIdentifier = next;
    const range = unusedRange(this, next);
    this.window?.journal?.identifiersReached(range + IDENTIFIER_RANGE - 1);
    return this.lastIdentifier = range === 0 ? 1 : range;
  }

  /** The last one that was given out. */
  get latestIdentifier(): number {
    return this.lastIdentifier;
  }

  /** Another number than before when the receiver has taken something, or was given something. */
  get progress(): number {
    return this.lastIdentifier ^ this.head << 16;
  }

  /** The last one that was given out, perhaps in an earlier life of the program. */
  continueIdentifiers(last: number): void {
    this.lastIdentifier = last;
  }

  /** Whether the message can ever go out from here: as a record it fits the queue, as a packet the staging area. */
  canHold(message: Message, qos: number): boolean {
    const { arena, capacity, headerLength } = this.limits;
    const packetLength = this.packetLengthOf(message, qos);
    return packetLength <= arena.stagingCapacity && headerLength + packetLength + 3 >> 2 <= capacity >> 2;
  }

  /** Bytes of the packet that a message makes here. */
  packetLengthOf(message: Message, qos: number): number {
    return this.hasProperties ? lengthWithProperties(message, qos) : lengthOfPublish(message, qos);
  }

  /** Enters a message that is to be sent. @returns its record; NONE, and nothing has changed, when it does not fit */
  append(message: Message, qos: number): number {
    const { arena, headerLength } = this.limits;
    const packetLength = this.packetLengthOf(message, qos);
    const at = packetLength <= arena.stagingCapacity ? this.reserve(headerLength + packetLength + 3 & ~3) : NONE;
    if (at === NONE)
      return NONE;
    const identifier = this.window === undefined ? 0 : this.window.identifier;
    if (this.hasProperties)
      this.limits.forms!.keep(this.offset + at + headerLength, message, qos, identifier);
    else
      writePublish(arena, this.offset + at + headerLength, message, qos, identifier);
    this.enter(at, packetLength, QUEUED | PENDING, qos, identifier);
    this.enterLane(at, qos);
    return this.offset + at;
  }

  /**
   * @returns the identifier of a message of QoS 1 or 2 that is entered next, if it has room and nothing is to be sent
   * before it; else 0: it gets one later
   */
  identifierFor(message: Message): number {
    const { arena, headerLength } = this.limits;
    const longest = message.topicNameLength + message.payloadLength + LONGEST_HEADER
      + (this.hasProperties ? message.propertiesLength + LONGEST_VARIABLE : 0);
    return this.canSendNext && longest <= arena.stagingCapacity
      && this.reserve(headerLength + longest + 3 & ~3) !== NONE ? this.nextIdentifier() : 0;
  }

  /** Whether a message of QoS 1 or 2 that comes now may be the next one to go out. */
  get canSendNext(): boolean {
    const { window } = this;
    return this.unsentCount === 0 && this.inflightCount < this.limits.maximumInflight
      && (window === undefined || window.replayCount === 0 && window.waitingCount === 0);
  }

  /**
   * Enters such a message as SENT, and writes its packet to the staging area as well: `append`, `stage` and
   * `markSent` in one. @returns the length of the packet; 0, and nothing has changed, when that is more than `room`
   * or does not fit
   */
  appendSent(message: Message, qos: number, room: number, now: number): number {
    const { arena, headerLength } = this.limits;
    const packetLength = lengthOfPublish(message, qos);
    const at = packetLength <= room && packetLength <= arena.stagingCapacity
      ? this.reserve(headerLength + packetLength + 3 & ~3) : NONE;
    if (at === NONE)
      return 0;
    const packet = this.offset + at + headerLength;
    const identifier = this.nextIdentifier();
    writePublish(arena, packet, message, qos, identifier);
    arena.bytes.copyWithin(arena.stagingOffset, packet, packet + packetLength);
    this.enter(at, packetLength, SENT, qos, identifier);
    ++this.inflightCount;
    if (this.window !== undefined) {
      this.window.stamp = now;
      this.window.annotate(arena.view, this.offset + at);
    }
    return packetLength;
  }

  /** The same in the form of 5.0, for a message that has no properties. */
  appendSentForm(message: Message, qos: number, room: number, now: number): number {
    const { arena, arena: { bytes, stagingOffset }, headerLength } = this.limits;
    const packetLength = lengthWithProperties(message, qos);
    const at = packetLength <= room && packetLength <= arena.stagingCapacity
      ? this.reserve(headerLength + packetLength + 3 & ~3) : NONE;
    if (at === NONE)
      return 0;
    const packet = this.offset + at + headerLength;
    const identifier = this.nextIdentifier();
    this.limits.forms!.keep(packet, message, qos, identifier);
    bytes.copyWithin(stagingOffset, packet, packet + packetLength);
    bytes[stagingOffset] = bytes[stagingOffset]! & ~DUP; // which tells the form there
    this.enter(at, packetLength, SENT, qos, identifier);
    ++this.inflightCount;
    if (this.window !== undefined) {
      this.window.stamp = now;
      this.window.annotate(arena.view, this.offset + at);
    }
    return packetLength;
  }

  /**
   * The oldest message, which has not been sent, becomes the newest one.
   * @returns false when it has no place there: it is gone
   */
  moveOldest(): boolean {
    const { arena: { bytes, stagingOffset }, headerLength } = this.limits;
    const record = this.oldest;
    const window = this.window!;
    const length = this.lengthOf(record);
    const qos = this.qosOf(record);
    const identifier = this.identifierOf(record);
    const packet = record + headerLength;
    window.readNotes(this.limits.arena.view, record);
    this.limits.arena.view.setUint32(record + POSITION, NOT_STORED); // it is not delivered: the journal keeps it
    this.finish(record);
    bytes.copyWithin(stagingOffset, packet, packet + length);
    this.removeDone();
    const at = this.reserve(headerLength + length + 3 & ~3);
    if (at === NONE) {
      if (window.position !== NOT_STORED)
        window.journal!.done(window.position);
      return false;
    }
    bytes.copyWithin(this.offset + at + headerLength, stagingOffset, stagingOffset + length);
    this.enter(at, length, QUEUED | PENDING, qos, identifier);
    this.enterLane(at, qos);
    return true;
  }

  /**
   * Gives up the record at the head, to make room. Refuses when that could break a promise: it is under way on a live
   * connection, or it is a QoS 2 message that the receiver may know already.
   * @returns whether room was made
   */
  dropOldest(isConnected: boolean): boolean {
    if (this.count === 0)
      return false;
    const record = this.offset + this.head;
    if (this.stateOf(record) !== QUEUED && (isConnected || this.qosOf(record) === 2))
      return false;
    if (this.window !== undefined)
      ++this.window.deliveredCount;
    this.finish(record);
    this.removeDone();
    return true;
  }

  /**
   * Gives up the message of a record. If it is a QoS 2 message that the receiver may know, its exchange goes on where
   * it is as long as the session does [MQTT311-4.4.0-1]: without PUBREL the receiver would take a later message of that
   * identifier for the same one, and PUBREL may follow nothing but PUBREC [MQTT311-4.3.3-1].
   */
  giveUp(record: number): void {
    const { bytes, view } = this.limits.arena;
    if ((bytes[record + STATE]! & STATE_MASK) !== QUEUED && bytes[record + QOS] === 2) {
      view.setUint32(record + POSITION, ABANDONED);
      return;
    }
    this.finish(record);
    this.removeDone();
  }

  /** Offset in the arena of the record that is to be sent next; NONE when there is none, or it may not be sent yet. */
  peek(): number {
    const fresh = this.unsentCount === 0 ? NONE : this.offset + this.cursor;
    return this.window === undefined ? fresh : this.window.choose(this, fresh);
  }

  /** The same, when one that waited for the connection may not be sent just now. */
  peekFresh(): number {
    return this.unsentCount === 0 ? NONE : this.window!.chooseFresh(this, this.offset + this.cursor);
  }

  /**
   * A stored message of QoS 2 is about to be sent: its identifier must be durable before, or a restart could give it
   * to another one.
   */
  prepare(record: number, journal: Journal): void {
    if (this.qosOf(record) !== 2 || this.identifierOf(record) !== 0
      || this.inflightCount >= this.limits.maximumInflight)
      return;
    this.begin(record);
    this.noteSent(record, journal.stamp);
  }

  /** The record that `peek` returned has been sent, or sent again. */
  markSent(record: number): void {
    const { bytes } = this.limits.arena;
    if (bytes[record + QOS] === 0) {
      if (this.window !== undefined)
        ++this.window.deliveredCount;
      this.finish(record);
      this.removeDone();
      return;
    }
    const flags = bytes[record + STATE]! & ~PENDING;
    this.leaveLane(record, flags);
    ++this.inflightCount;
    bytes[record + STATE] = (flags & STATE_MASK) === QUEUED ? flags | SENT : flags;
    if (this.window === undefined)
      return;
    this.window.isReplayNext = (flags & REPLAYED) === 0;
    if ((flags & REPLAYED) !== 0)
      ++this.window.replayInflight;
  }

  /** PUBACK for QoS 1, PUBCOMP for QoS 2: the message is delivered. @returns false when nothing awaits it */
  complete(identifier: number, qos: number): boolean {
    const record = this.find(identifier);
    const { bytes } = this.limits.arena;
    if (record === NONE || bytes[record + QOS] !== qos
      || (bytes[record + STATE]! & STATE_MASK) !== (qos === 1 ? SENT : RELEASED))
      return false;
    if (this.window !== undefined)
      ++this.window.deliveredCount;
    this.finish(record);
    this.removeDone();
    return true;
  }

  /**
   * PUBREC: the message itself must not be sent again [MQTT311-4.3.3-1]. @returns its record, or NONE when nothing
   * awaits it
   */
  release(identifier: number): number {
    const record = this.find(identifier);
    const { bytes, view } = this.limits.arena;
    if (record === NONE || bytes[record + QOS] !== 2)
      return NONE;
    const flags = bytes[record + STATE]!;
    const { window } = this;
    if (window?.journal !== undefined && (flags & STATE_MASK) === SENT
      && view.getUint32(record + POSITION) > ABANDONED)
      window.journal.received(view.getUint32(record + POSITION), identifier);
    bytes[record + STATE] = flags & ~STATE_MASK | RELEASED; // a repeated PUBREC finds it so already
    return record;
  }

  /**
   * A new connection that continues the session: everything unacknowledged is to be sent again, in the old order
   * [MQTT311-4.4.0-1].
   */
  rewind(): void {
    this.awaitConnection(RELEASED, SENT);
  }

  /**
   * A new connection of which nobody knows whether it continues the session: what had been taken over (PUBREC) is
   * sent again too.
   */
  repeat(): void {
    this.awaitConnection(SENT, SENT);
  }

  /**
   * A new connection that begins a new session: what was not acknowledged to the end becomes a new message, also one
   * that the receiver had taken over (PUBREC): nobody knows whether it has kept it.
   */
  restart(): void {
    this.awaitConnection(QUEUED, QUEUED);
  }

  /** Its place among the order counters of topics. */
  slotOf(record: number): number {
    return this.limits.arena.view.getUint16(record + SLOT);
  }

  /** Whether a message of this origin, or ANYBODY, and slot is held, before the record `end`, NONE: anywhere. */
  hasHeld(origin: number, slot: number, end: number): boolean {
    for (let record = this.following(NONE); record !== end; record = this.following(record))
      if (this.isHeld(record) && this.slotOf(record) === slot
        && (origin === ANYBODY || this.originOf(record) === origin >>> 0))
        return true;
    return false;
  }

  /** The message is not to be sent for now. One that is under way stays that: an answer to it may come. */
  hold(record: number): void {
    const { bytes } = this.limits.arena;
    const flags = bytes[record + STATE]!;
    if ((flags & (PENDING | HELD)) !== PENDING)
      return;
    this.leaveLane(record, flags);
    bytes[record + STATE] = flags & STATE_MASK | PENDING | HELD;
    ++this.window!.heldCount;
  }

  /**
   * The message waits in the log, and not here, for as long as it may not be sent. It must never have been.
   * `endUnloading` frees its place. @returns whether it does
   */
  unload(record: number): boolean {
    const { bytes, view } = this.limits.arena;
    const window = this.window!;
    const flags = bytes[record + STATE]!;
    if (window.journal === undefined || this.positionOf(record) <= ABANDONED || this.identifierOf(record) !== 0
      || (flags & (PENDING | HELD)) !== PENDING)
      return false;
    this.leaveLane(record, flags);
    bytes[record + STATE] = DONE;
    ++window.heldRevision; // it lies behind what was read of the log last
    window.wait(this.ruleOf(record), view.getUint16(record + SLOT));
    return true;
  }

  endUnloading(): void {
    if (this.count > 0)
      this.removeDone();
  }

  /** As `append`, for a message that is held. @returns whether it fits */
  appendHeld(message: Message, qos: number): boolean {
    const record = this.append(message, qos);
    if (record !== NONE)
      this.hold(record);
    return record !== NONE;
  }

  /** Whatever was held is to be sent, in the old order. */
  releaseHeld(): void {
    const { bytes } = this.limits.arena;
    let isAny = false;
    for (let record = this.following(NONE); record !== NONE; record = this.following(record))
      if (this.isHeld(record)) {
        isAny = true;
        bytes[record + STATE] = bytes[record + STATE]! & ~HELD;
      }
    if (!isAny)
      return;
    this.window!.heldCount = 0;
    ++this.window!.heldRevision;
    this.joinLanes();
  }

  /**
   * Closes the holes behind a head that is held back, when enough has been delivered for it to be worth while. Not
   * while a record is being chosen or sent. @returns whether there is more room now
   */
  closeHoles(): boolean {
    const { window } = this;
    if (this.count === 0 || !this.isHeld(this.oldest)
      || window!.deliveredCount - window!.compactedAt <= this.count >> 3)
      return false;
    const before = this.usedLength;
    window!.compactedAt = window!.deliveredCount;
    this.compact();
    return this.usedLength < before;
  }

  protected override onMoved(from: number, to: number): void {
    const { window } = this;
    if (this.offset + this.cursor === from)
      this.cursor = to - this.offset;
    if (window !== undefined && window.replayCursor === from)
      window.replayCursor = to;
  }

  /** The message needs nothing more: the Server has it, or somebody else keeps it. */
  settle(record: number): void {
    this.finish(record);
    this.removeDone();
  }

  /** The receiver had taken the message, and has forgotten it: it is a new one. Only while there is no connection. */
  forgetReceived(record: number): void {
    const { bytes } = this.limits.arena;
    bytes[record + STATE] = bytes[record + STATE]! & ~STATE_MASK | SENT;
  }

  /** Messages of QoS 2 that the receiver has not acknowledged go out with QoS 1: it does not serve QoS 2. */
  lowerQoS(): void {
    const { bytes } = this.limits.arena;
    for (let record = this.following(NONE); record !== NONE; record = this.following(record)) {
      const state = this.stateOf(record);
      if (bytes[record + QOS] === 2 && (state === QUEUED || state === SENT))
        this.changeQoS(record, 1);
    }
  }

  /** From now on the message goes out with this QoS, 1 or 2, and begins anew. */
  changeQoS(record: number, qos: number): void {
    const { arena: { bytes }, headerLength } = this.limits;
    const packet = record + headerLength;
    bytes[record + QOS] = qos;
    bytes[packet] = bytes[packet]! & ~QOS_MASK | qos << QOS_SHIFT;
  }

  /** @returns the record of a message that has been sent under this identifier, on any connection, or NONE */
  findSent(identifier: number): number {
    for (let record = this.following(NONE); record !== NONE; record = this.following(record))
      if (this.identifierOf(record) === identifier && this.stateOf(record) !== DONE)
        return record;
    return NONE;
  }

  /**
   * What comes now finds no place here, so what is to be sent and has not waited must go before it: all is one lane
   * again.
   */
  joinLanes(): void {
    this.window!.joinLanes(this);
    this.unsentCount = 0;
  }

  clear(): void {
    const { window } = this;
    this.head = this.tail = 0;
    this.count = this.unsentCount = this.inflightCount = 0;
    if (window !== undefined)
      window.replayCount = window.replayInflight = window.atMostOnceCount = window.heldCount = 0;
  }

  /** Whether this identifier belongs to a message that has been sent, on this connection, and is not completed. */
  isInflight(identifier: number): boolean {
    return this.find(identifier) !== NONE;
  }

  /**
   * As `stage`, in the form that the node speaks. @returns the length of the packet; NOT_SENT: it is not to be sent
   */
  stageForm(record: number, hasProperties: boolean): number {
    const { arena: { bytes, view }, forms, headerLength } = this.limits;
    const state = bytes[record + STATE]! & STATE_MASK;
    if (state === RELEASED) {
      this.stage(record, ACKNOWLEDGEMENT_LENGTH);
      return ACKNOWLEDGEMENT_LENGTH;
    }
    if (view.getUint16(record + IDENTIFIER) === 0 && bytes[record + QOS] !== 0)
      this.begin(record);
    return forms!.stageKept(record + headerLength, this.lengthOf(record), this.qosOf(record), hasProperties,
      state === SENT);
  }

  /** The receiver takes no more than this QoS [MQTT5-3.2.2-11]. Call before `stageForm`, to send it at once. */
  lower(record: number, qos: number): void {
    const { arena: { bytes }, headerLength } = this.limits;
    const packet = record + headerLength;
    bytes[record + QOS] = qos;
    if (qos !== 0)
      bytes[packet] = bytes[packet]! & ~QOS_MASK | qos << QOS_SHIFT;
    else if (this.window !== undefined)
      ++this.window.atMostOnceCount;
  }

  /**
   * The receiver has refused the message, which is the end of that exchange [MQTT5-4.4.0-2]: what is to be sent is a
   * new one, under the same identifier, which is free again. It is held.
   */
  takeBack(record: number): void {
    const { bytes } = this.limits.arena;
    const window = this.window!;
    const flags = bytes[record + STATE]!;
    if ((flags & PENDING) === 0) {
      --this.inflightCount;
      if (flags >= REPLAYED)
        --window.replayInflight;
      this.noteSent(record, 0); // a stamp is read there again, and what was sent is durable
      ++window.heldCount;
    } else
      this.hold(record);
    bytes[record + STATE] = QUEUED | PENDING | HELD;
  }

  /**
   * PUBREC that refuses the message: that is the end of it [MQTT5-4.4.0-2]. Unlike one that takes it, nobody awaits an
   * answer.
   */
  refuse(identifier: number): void {
    const record = this.find(identifier);
    if (record !== NONE && this.stateOf(record) === SENT)
      this.settle(record);
  }

  /**
   * Writes that to the staging area, a message with DUP when it was sent before [MQTT311-3.3.1-1]. One of QoS 1 or 2
   * that never was gets its identifier now.
   */
  stage(record: number, length: number): void {
    const { arena: { bytes, stagingOffset, view }, headerLength } = this.limits;
    if (view.getUint16(record + IDENTIFIER) === 0 && bytes[record + QOS] !== 0)
      this.begin(record);
    const state = bytes[record + STATE]! & STATE_MASK;
    if (state === RELEASED)
      view.setInt32(stagingOffset, PUBREL_PACKET | this.identifierOf(record));
    else {
      const packet = record + headerLength;
      bytes.copyWithin(stagingOffset, packet, packet + length);
      if (state === SENT)
        bytes[stagingOffset] = bytes[stagingOffset]! | DUP;
    }
  }

  /** A message that has never been sent is going to be. */
  protected begin(record: number): void {
    const { window } = this;
    const identifier = this.nextIdentifier();
    this.identify(record, identifier, QUEUED);
    if (window?.journal !== undefined && this.positionOf(record) > ABANDONED)
      window.journal.underWay(this.positionOf(record), identifier, this.qosOf(record));
  }

  /** The record at `at` is the last one of those that are to be sent. */
  private enterLane(at: number, qos: number): void {
    const { window } = this;
    if (window !== undefined) {
      window.annotate(this.limits.arena.view, this.offset + at);
      if (qos === 0)
        ++window.atMostOnceCount;
      if (window.isOccupied(window.slot)) {
        window.enter(this, this.offset + at);
        return;
      }
    }
    if (this.unsentCount++ === 0)
      this.cursor = at;
  }

  private leaveLane(record: number, flags: number): void {
    if (flags >= REPLAYED) { // or HELD, which is in no lane
      if ((flags & HELD) === 0)
        this.window!.leave(this, record);
      else
        this.window!.leaveHeld();
    } else if (--this.unsentCount !== 0 && this.offset + this.cursor === record)
      this.cursor = this.nextPending(record, PENDING) - this.offset;
  }

  /** All is to be sent, what was RELEASED or SENT in these states. */
  private awaitConnection(released: number, sent: number): void {
    const { arena: { bytes, view } } = this.limits;
    const { window } = this;
    this.unsentCount = this.inflightCount = 0;
    if (window !== undefined)
      window.replayCount = window.replayInflight = 0;
    for (let left = this.count, at = this.head; left > 0; --left, at = this.positionAfter(at)) {
      const record = this.offset + at;
      const flags = bytes[record + STATE]!;
      const state = flags & STATE_MASK;
      if (state === DONE)
        continue;
      bytes[record + STATE] = (state === RELEASED ? released : state === SENT ? sent : QUEUED) | PENDING | flags & HELD;
      if (window === undefined) {
        if (this.unsentCount++ === 0)
          this.cursor = at;
        continue;
      }
      if ((flags & (PENDING | REPLAYED)) === (PENDING | REPLAYED))
        window.vacate(view.getUint16(record + SLOT)); // `enterReplay` counts it again
      if (state !== QUEUED) // a stamp again: it is durable
        view.setInt32(record + SENT_AT, state === RELEASED && released !== RELEASED ? this.loseSession(record, window)
          : 0);
      if (sent === QUEUED && this.positionOf(record) === ABANDONED) {
        bytes[record + STATE] = DONE; // nobody knows it any more
        if ((flags & HELD) !== 0)
          window.leaveHeld();
      } else if ((flags & HELD) === 0)
        window.enter(this, record);
    }
    if (window !== undefined && this.count > 0)
      this.removeDone();
  }

  /**
   * The Server had this message, and has forgotten it perhaps. @returns what must be durable before it is sent again
   */
  private loseSession(record: number, { journal }: UpstreamWindow): number {
    if (journal === undefined || this.positionOf(record) <= ABANDONED)
      return 0;
    journal.sessionLost();
    return journal.stamp;
  }

  protected finish(record: number): void {
    const { bytes } = this.limits.arena;
    const { window } = this;
    const flags = bytes[record + STATE]!;
    if ((flags & PENDING) !== 0)
      this.leaveLane(record, flags);
    else {
      --this.inflightCount;
      if (flags >= REPLAYED) {
        --window!.replayInflight;
        ++window!.replayedDoneCount;
      }
    }
    bytes[record + STATE] = DONE;
    if (window === undefined)
      return;
    if (window.atMostOnceCount > 0 && bytes[record + QOS] === 0)
      --window.atMostOnceCount;
    if (window.journal === undefined)
      return;
    const position = this.positionOf(record);
    if (position > ABANDONED)
      window.journal.done(position);
  }

  protected find(identifier: number): number {
    const { bytes, view } = this.limits.arena;
    for (let left = this.inflightCount, at = this.head; left > 0; at = this.positionAfter(at)) {
      const record = this.offset + at;
      const flags = bytes[record + STATE]!;
      if ((flags & PENDING) !== 0 || flags === DONE)
        continue;
      if (view.getUint16(record + IDENTIFIER) === identifier)
        return record;
      --left;
    }
    return NONE;
  }

  private removeDone(): void {
    const { bytes } = this.limits.arena;
    while (bytes[this.offset + this.head + STATE] === DONE) {
      if (this.count === 1) { // all begins anew
        this.count = this.head = this.tail = 0;
        return;
      }
      this.head = this.positionAfter(this.head);
      --this.count;
    }
  }
}
