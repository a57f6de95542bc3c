/**
 * Messages on their way out of one session: waiting, or sent and not yet acknowledged. A ring of records in the arena
 * (publish-records.ts). If the owner keeps a journal, messages that must survive a power cut lie in a longer log elsewhere, the queue is the
 * window onto its head, and the journal is told what happens to them. Such messages bring identifiers with them, out of a range of their own.
 *
 * A record is the packet itself, identifier included, so sending is one copy, and the queue is all the memory that
 * retransmission needs (3.1.1 section 4.4). Records never wrap: what is too long for the end of the region starts over at 0.
 *
 *        head            cursor            tail
 *   ──────┼── sent ────────┼── not sent ────┼──────
 *
 * Records leave at the head only, in order. One that is acknowledged out of order stays, marked DONE, until those before
 * it are. Therefore the identifiers in use always are neighbours in a sequence of fewer than 65535, and a counter that
 * wraps round never meets one of them [MQTT311-2.3.1-2] [MQTT311-2.3.1-3] [MQTT311-2.3.1-4].
 *
 * Full means full in bytes or in records: `append` refuses and nothing has changed. `dropOldest` makes room.
 */
import { DUP, QOS_SHIFT } from '../packet/control-packet.ts';
import type { Message } from '../packet/packet.ts';
import { ACKNOWLEDGEMENT_LENGTH, lengthOfPublish, PUBREL_PACKET, writePublish } from '../packet/publish.ts';
import { HEADER_LENGTH, IDENTIFIER, NONE, NOT_STORED, POSITION, PublishRecords, QOS, STATE, topicOfPacket } from './publish-records.ts';
import type { SessionStateKind } from './session-state-kind.ts';

export { NONE, NOT_STORED } from './publish-records.ts';

/** Not sent yet, on any connection. */
export const QUEUED = 0;
/** Sent; PUBACK or PUBREC is awaited. */
export const SENT = 1;
/** PUBREC received, PUBREL sent; PUBCOMP is awaited. */
export const RELEASED = 2;
/** Acknowledged or given up; the place is free as soon as it is at the head. */
export const DONE = 3;

const LAST_IDENTIFIER = 65_535;

export class OutboundQueue extends PublishRecords {
  /** Records that are SENT or RELEASED on the present connection. */
  inflightCount: number;
  /** QoS 0 records. */
  atMostOnceCount: number;
  private cursor: number;
  /** Records between cursor and tail. */
  private unsentCount: number;
  /** Identifiers given out. */
  private identifierCount: number;

  constructor(kind: SessionStateKind, offset: number) {
    super(kind, offset); // written out: XS makes two lists of all that passes through a constructor that is not
    this.inflightCount = this.atMostOnceCount = this.cursor = this.unsentCount = this.identifierCount = 0;
  }

  get hasUnsent(): boolean {
    return this.unsentCount > this.kind.heldCount;
  }

  /** Messages that wait, here or in the log, to be sent or to be sent again. */
  get unsentTotal(): number {
    return this.unsentCount + this.kind.waitingCount;
  }

  /** Times that the identifiers have been used up, and others than the first ones begun with again. */
  get turnCount(): number {
    return (this.identifierCount - 1) / (LAST_IDENTIFIER + 1 - this.kind.firstIdentifier) | 0;
  }

  /** Bytes that a message takes in a queue without journal, header and padding included. */
  static lengthOfRecord(message: Message, qos: number): number {
    return HEADER_LENGTH + lengthOfPublish(message, qos) + 3 & ~3;
  }

  /** Whether the message can ever go out from here: as a record it fits the queue, as a packet the staging area. */
  canHold(message: Message, qos: number): boolean {
    const { arena, capacity, headerLength } = this.kind;
    const packetLength = lengthOfPublish(message, qos);
    return packetLength <= arena.stagingCapacity && headerLength + packetLength + 3 >> 2 <= capacity >> 2;
  }

  /** The next Packet Identifier, 1 to 65535. SUBSCRIBE and UNSUBSCRIBE take theirs from the same sequence. */
  nextIdentifier(): number {
    const { firstIdentifier } = this.kind;
    return firstIdentifier + this.identifierCount++ % (LAST_IDENTIFIER + 1 - firstIdentifier);
  }

  /** Enters a message as QUEUED. @returns false, and nothing has changed, when it does not fit */
  append(message: Message, qos: number): boolean {
    const { kind } = this;
    const { arena, headerLength } = kind;
    const packetLength = lengthOfPublish(message, qos);
    const at = packetLength <= arena.stagingCapacity ? this.reserve(headerLength + packetLength + 3 & ~3) : NONE;
    if (at === NONE)
      return false;
    const identifier = qos === 0 ? 0 : this.nextIdentifier();
    writePublish(arena, this.offset + at + headerLength, message, qos, identifier);
    this.enter(at, packetLength, QUEUED, qos, identifier);
    ++this.unsentCount;
    if (qos === 0)
      ++this.atMostOnceCount;
    if (kind.heldCount > 0)
      ++kind.heldCount; // order is kept
    return true;
  }

  /** Whether a message of QoS 1 or 2 that comes now may be the next one to go out. */
  get canSendNext(): boolean {
    const { kind } = this;
    return this.unsentCount === 0 && kind.waitingCount === 0 && this.inflightCount < kind.maximumInflight;
  }

  /**
   * Enters such a message as SENT, and writes its packet to the staging area as well: `append`, `stage` and `markSent` in one.
   * @returns the length of the packet; 0, and nothing has changed, when that is more than `room` or does not fit
   */
  appendSent(message: Message, qos: number, room: number): number {
    const { kind } = this;
    const { arena, headerLength } = kind;
    const packetLength = lengthOfPublish(message, qos);
    const at = packetLength <= room && packetLength <= arena.stagingCapacity ? this.reserve(headerLength + packetLength + 3 & ~3) : NONE;
    if (at === NONE)
      return 0;
    const packet = this.offset + at + headerLength;
    const identifier = this.nextIdentifier();
    writePublish(arena, packet, message, qos, identifier);
    arena.bytes.copyWithin(arena.stagingOffset, packet, packet + packetLength);
    this.enter(at, packetLength, SENT, qos, identifier);
    this.cursor = this.tail;
    ++this.inflightCount;
    return packetLength;
  }

  /** Whether it is worth while to get a packet of this length for `appendPacket`. */
  hasRoom(packetLength: number): boolean {
    const { capacity, headerLength, maximumCount } = this.kind;
    return this.count < maximumCount && this.usedLength + headerLength + packetLength + 3 <= capacity;
  }

  /** Enters an encoded packet of QoS 1 or 2 that lies at `packet`. @returns its record, NONE when it does not fit */
  appendPacket(packet: number, packetLength: number, state: number, identifier: number): number {
    const { kind } = this;
    const { bytes } = kind.arena;
    const headerLength = kind.headerLength;
    const at = this.reserve(headerLength + packetLength + 3 & ~3);
    if (at === NONE)
      return NONE;
    const record = this.offset + at;
    bytes.copyWithin(record + headerLength, packet, packet + packetLength);
    this.enter(at, packetLength, state, bytes[packet]! >> QOS_SHIFT & 3, identifier);
    ++this.unsentCount;
    return record;
  }

  /** Enters the packet in the staging area anew, as if it were just coming. @returns false when it does not fit */
  appendStaged(packetLength: number, rule: number, time: number): boolean {
    const { kind } = this;
    const { stagingOffset, bytes, view } = kind.arena;
    const qos = bytes[stagingOffset]! >> QOS_SHIFT & 3;
    const topic = topicOfPacket(kind.arena, stagingOffset);
    const identifier = qos === 0 ? 0 : this.nextIdentifier();
    if (qos !== 0)
      view.setUint16(topic + view.getUint16(topic - 2), identifier);
    kind.rule = rule;
    kind.time = time;
    if (this.appendPacket(stagingOffset, packetLength, QUEUED, identifier) === NONE)
      return false;
    if (qos === 0)
      ++this.atMostOnceCount;
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
    const bytes = this.kind.arena.bytes;
    const record = this.offset + this.head;
    const state = bytes[record + STATE]!;
    if (state !== QUEUED && (isConnected || bytes[record + QOS] === 2))
      return false;
    if (bytes[record + QOS] === 0)
      --this.atMostOnceCount;
    this.finish(record);
    this.removeDone();
    return true;
  }

  /**
   * Gives up the message of a record. If it is a QoS 2 message that the receiver may know, PUBREL still goes out: else the
   * receiver would take a later message of that identifier for the same one.
   */
  giveUp(record: number): void {
    const { bytes } = this.kind.arena;
    const wasSent = bytes[record + STATE] !== QUEUED;
    const isReleased = wasSent && bytes[record + QOS] === 2;
    if (bytes[record + QOS] === 0)
      --this.atMostOnceCount;
    else if (wasSent && !isReleased && this.isInflight(this.identifierOf(record)))
      --this.inflightCount;
    this.finish(record);
    if (isReleased) {
      bytes[record + STATE] = RELEASED;
      this.annotate(record, NOT_STORED, this.timeOf(record), this.ruleOf(record));
    }
    this.removeDone();
  }

  /** @returns the record of the message that is stored at `position`, or NONE */
  findStored(position: number): number {
    const { bytes, view } = this.kind.arena;
    for (let left = this.count, at = this.head; left > 0; --left, at = this.positionAfter(at)) {
      const record = this.offset + at;
      if (view.getUint32(record + POSITION) === position && bytes[record + STATE] !== DONE)
        return record;
    }
    return NONE;
  }

  /** Walks the records: call first with NONE, then with the last result. @returns the next one, or NONE */
  following(record: number): number {
    if (record === NONE)
      return this.oldest;
    const at = this.positionAfter(record - this.offset);
    return at === this.tail ? NONE : this.offset + at;
  }

  /** Offset in the arena of the first record behind the cursor that still has something to send; NONE when there is none. */
  peek(): number {
    const { kind } = this;
    if (kind.waitingCount > 0 && this.unsentCount <= kind.heldCount)
      kind.journal!.refill();
    while (this.unsentCount > kind.heldCount) {
      const record = this.offset + this.cursor;
      if (kind.arena.bytes[record + STATE] !== DONE)
        return record;
      this.advance();
    }
    return NONE;
  }

  /** The record that `peek` returned has been sent, or sent again. */
  markSent(record: number): void {
    const bytes = this.kind.arena.bytes;
    this.advance();
    if (bytes[record + QOS] !== 0) {
      ++this.inflightCount;
      if (bytes[record + STATE] === QUEUED)
        bytes[record + STATE] = SENT;
      return;
    }
    bytes[record + STATE] = DONE;
    --this.atMostOnceCount;
    this.removeDone();
  }

  /** PUBACK for QoS 1, PUBCOMP for QoS 2: the message is delivered. @returns false when nothing awaits it */
  complete(identifier: number, qos: number): boolean {
    const record = this.find(identifier);
    if (record === NONE || this.kind.arena.view.getUint16(record + STATE) !== ((qos === 1 ? SENT : RELEASED) << 8 | qos))
      return false;
    this.finish(record);
    --this.inflightCount;
    this.removeDone();
    return true;
  }

  /** PUBREC: the message itself must not be sent again [MQTT311-4.3.3-1]. @returns false when nothing awaits it */
  release(identifier: number): boolean {
    const record = this.find(identifier);
    const bytes = this.kind.arena.bytes;
    if (record === NONE || bytes[record + QOS] !== 2)
      return false;
    const { journal } = this.kind;
    if (journal !== undefined && bytes[record + STATE] === SENT && this.positionOf(record) !== NOT_STORED)
      journal.released(this.positionOf(record), identifier);
    bytes[record + STATE] = RELEASED; // a repeated PUBREC finds it so already
    return true;
  }

  /** A new connection that continues the session: everything unacknowledged is to be sent again, in the old order [MQTT311-4.4.0-1]. */
  rewind(): void {
    this.cursor = this.head;
    this.unsentCount = this.count;
    this.inflightCount = 0;
  }

  /**
   * A new connection that begins a new session: what was not acknowledged becomes a new message. What the old session's
   * receiver had taken over (PUBREC) is delivered.
   */
  restart(): void {
    this.rewind();
    const bytes = this.kind.arena.bytes;
    for (let left = this.count, at = this.head; left > 0; --left, at = this.positionAfter(at)) {
      const record = this.offset + at;
      if (bytes[record + STATE] === SENT)
        bytes[record + STATE] = QUEUED;
      else if (bytes[record + STATE] === RELEASED)
        this.finish(record);
    }
    this.removeDone();
  }

  clear(): void {
    this.head = this.cursor = this.tail = 0;
    this.count = this.unsentCount = this.inflightCount = this.atMostOnceCount = this.kind.heldCount = 0;
  }

  /** A new session begins with the first identifier, as receivers like it. Only when empty. */
  forgetIdentifiers(): void {
    this.identifierCount = 0;
  }

  /** Whether this identifier belongs to a message that has been sent, on this connection, and is not completed. */
  isInflight(identifier: number): boolean {
    return this.find(identifier) !== NONE;
  }

  /** Length of what has to be sent of this record: the message, or PUBREL when the receiver has it already. */
  lengthToSend(record: number): number {
    const { bytes, view } = this.kind.arena;
    return bytes[record + STATE] === RELEASED ? ACKNOWLEDGEMENT_LENGTH : view.getUint32(record);
  }

  /** Writes that to the staging area, a message with DUP when it was sent before [MQTT311-3.3.1-1]. */
  stage(record: number, length: number): void {
    const { kind } = this;
    const { bytes, stagingOffset, view } = kind.arena;
    if (bytes[record + STATE] === RELEASED)
      view.setInt32(stagingOffset, PUBREL_PACKET | this.identifierOf(record));
    else {
      const packet = record + kind.headerLength;
      bytes.copyWithin(stagingOffset, packet, packet + length);
      if (bytes[record + STATE] === SENT)
        bytes[stagingOffset] = bytes[stagingOffset]! | DUP;
    }
  }

  private finish(record: number): void {
    this.kind.arena.bytes[record + STATE] = DONE;
    const { journal } = this.kind;
    if (journal !== undefined && this.positionOf(record) !== NOT_STORED)
      journal.done(this.positionOf(record));
  }

  private find(identifier: number): number {
    const view = this.kind.arena.view;
    for (let left = this.count - this.unsentCount, at = this.head; left > 0; --left, at = this.positionAfter(at))
      if (view.getUint16(this.offset + at + IDENTIFIER) === identifier && this.kind.arena.bytes[this.offset + at + STATE] !== DONE)
        return this.offset + at;
    return NONE;
  }

  private advance(): void {
    this.cursor = --this.unsentCount === 0 ? this.tail : this.positionAfter(this.cursor);
  }

  /** Finds room for a record. @returns its position, or NONE */
  private reserve(length: number): number {
    const { kind } = this;
    if (this.count >= kind.maximumCount)
      return NONE;
    const capacity = kind.capacity;
    if (this.count === 0) // all begins anew
      return length <= capacity ? 0 : NONE;
    const { head, tail } = this;
    if (tail <= head) // the free room is one piece in the middle; equal would be full
      return tail + length <= head ? tail : NONE;
    if (tail + length <= capacity)
      return tail;
    if (length > head)
      return NONE;
    if (tail < capacity)
      kind.arena.view.setUint32(this.offset + tail, 0);
    if (this.unsentCount === 0)
      this.cursor = 0;
    return 0;
  }

  private removeDone(): void {
    const bytes = this.kind.arena.bytes;
    while (bytes[this.offset + this.head + STATE] === DONE) {
      if (this.count <= 1) {
        this.clear();
        return;
      }
      if (this.unsentCount === this.count) { // not even the cursor has passed it
        --this.unsentCount;
        this.cursor = this.positionAfter(this.head);
      }
      this.head = this.positionAfter(this.head);
      --this.count;
    }
    if (this.kind.heldCount > this.unsentCount)
      this.kind.heldCount = this.unsentCount;
  }
}
