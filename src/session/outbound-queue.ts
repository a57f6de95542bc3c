/**
 * Messages on their way out of one session: waiting, or sent and not yet acknowledged. A ring of records in the arena:
 *
 *   | length (4) | state (1) | QoS (1) | packet identifier (2) | the encoded PUBLISH | padding to 4 |
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
import type { Arena } from '../bytes/arena.ts';
import { DUP } from '../packet/control-packet.ts';
import type { Message } from '../packet/packet.ts';
import { lengthOfPublish, writePublish } from '../packet/publish.ts';

/** Not sent yet, on any connection. */
export const QUEUED = 0;
/** Sent; PUBACK or PUBREC is awaited. */
export const SENT = 1;
/** PUBREC received, PUBREL sent; PUBCOMP is awaited. */
export const RELEASED = 2;
/** Acknowledged or given up; the place is free as soon as it is at the head. */
export const DONE = 3;

const HEADER_LENGTH = 8;
const STATE = 4;
const QOS = 5;
const IDENTIFIER = 6;

/** Keeps the identifiers in use far from a full turn of the counter. */
export const MAXIMUM_RECORD_COUNT = 32_768;

/** Returned when no record fits the question. */
export const NONE = -1;

export class OutboundQueue {
  /** Records between head and tail, DONE ones included. */
  count = 0;
  /** Bytes between head and tail, headers and padding included. */
  usedLength = 0;
  /** Records that are SENT or RELEASED on the present connection. */
  inflightCount = 0;
  readonly capacity: number;
  readonly maximumCount: number;
  private readonly arena: Arena;
  private readonly offset: number;
  private head = 0;
  private cursor = 0;
  private tail = 0;
  /** Records between cursor and tail. */
  private unsentCount = 0;
  private lastIdentifier = 0;

  /** @param capacity bytes of the region at `offset`, a multiple of 4 @param maximumCount records, at most 32768 */
  constructor(arena: Arena, offset: number, capacity: number, maximumCount: number) {
    if ((capacity & 3) !== 0)
      throw new RangeError(`a queue needs a multiple of 4 bytes, got ${capacity}`);
    this.arena = arena;
    this.offset = offset;
    this.capacity = capacity;
    this.maximumCount = maximumCount < MAXIMUM_RECORD_COUNT ? maximumCount : MAXIMUM_RECORD_COUNT;
  }

  get hasUnsent(): boolean {
    return this.unsentCount > 0;
  }

  /** Bytes that a message takes in a queue, header and padding included. */
  static lengthOfRecord(message: Message, qos: number): number {
    return HEADER_LENGTH + lengthOfPublish(message, qos) + 3 & ~3;
  }

  /** Whether the message can ever go out from here: as a record it fits the queue, as a packet the staging area. */
  canHold(message: Message, qos: number): boolean {
    return lengthOfPublish(message, qos) <= this.arena.stagingCapacity && OutboundQueue.lengthOfRecord(message, qos) <= this.capacity;
  }

  /** The next Packet Identifier, 1 to 65535. SUBSCRIBE and UNSUBSCRIBE take theirs from the same sequence. */
  nextIdentifier(): number {
    return this.lastIdentifier = this.lastIdentifier === 65535 ? 1 : this.lastIdentifier + 1;
  }

  /** Enters a message as QUEUED. @returns false, and nothing has changed, when it does not fit */
  append(message: Message, qos: number): boolean {
    const { arena } = this;
    const packetLength = lengthOfPublish(message, qos);
    const length = HEADER_LENGTH + packetLength + 3 & ~3;
    const at = packetLength <= arena.stagingCapacity ? this.reserve(length) : NONE;
    if (at === NONE)
      return false;
    const record = this.offset + at;
    const identifier = qos === 0 ? 0 : this.nextIdentifier();
    const packet = record + HEADER_LENGTH;
    arena.view.setUint32(record, writePublish(arena, packet, message, qos, identifier) - packet);
    arena.bytes[record + STATE] = QUEUED;
    arena.bytes[record + QOS] = qos;
    arena.view.setUint16(record + IDENTIFIER, identifier);
    this.tail = at + length;
    this.usedLength += length;
    ++this.count;
    ++this.unsentCount;
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
    const bytes = this.arena.bytes;
    const record = this.offset + this.head;
    const state = bytes[record + STATE]!;
    if (state !== QUEUED && (isConnected || bytes[record + QOS] === 2))
      return false;
    bytes[record + STATE] = DONE;
    this.removeDone();
    return true;
  }

  /** Offset in the arena of the first record behind the cursor that still has something to send; NONE when there is none. */
  peek(): number {
    const bytes = this.arena.bytes;
    while (this.unsentCount > 0) {
      const record = this.offset + this.cursor;
      if (bytes[record + STATE] !== DONE)
        return record;
      this.advance();
    }
    return NONE;
  }

  /** The record that `peek` returned has been sent, or sent again. */
  markSent(record: number): void {
    const bytes = this.arena.bytes;
    this.advance();
    if (bytes[record + QOS] === 0) {
      bytes[record + STATE] = DONE;
      this.removeDone();
      return;
    }
    ++this.inflightCount;
    if (bytes[record + STATE] === QUEUED)
      bytes[record + STATE] = SENT;
  }

  /** PUBACK for QoS 1, PUBCOMP for QoS 2: the message is delivered. @returns false when nothing awaits it */
  complete(identifier: number, qos: number): boolean {
    const record = this.find(identifier);
    const bytes = this.arena.bytes;
    if (record === NONE || bytes[record + QOS] !== qos || bytes[record + STATE] !== (qos === 1 ? SENT : RELEASED))
      return false;
    bytes[record + STATE] = DONE;
    --this.inflightCount;
    this.removeDone();
    return true;
  }

  /** PUBREC: the message itself must not be sent again [MQTT311-4.3.3-1]. @returns false when nothing awaits it */
  release(identifier: number): boolean {
    const record = this.find(identifier);
    const bytes = this.arena.bytes;
    if (record === NONE || bytes[record + QOS] !== 2)
      return false;
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
    const bytes = this.arena.bytes;
    for (let left = this.count, at = this.head; left > 0; --left, at = this.positionAfter(at)) {
      const record = this.offset + at;
      if (bytes[record + STATE] === SENT)
        bytes[record + STATE] = QUEUED;
      else if (bytes[record + STATE] === RELEASED)
        bytes[record + STATE] = DONE;
    }
    this.removeDone();
  }

  clear(): void {
    this.head = this.cursor = this.tail = 0;
    this.count = this.unsentCount = this.inflightCount = this.usedLength = 0;
  }

  lengthOf(record: number): number {
    return this.arena.view.getUint32(record);
  }

  stateOf(record: number): number {
    return this.arena.bytes[record + STATE]!;
  }

  qosOf(record: number): number {
    return this.arena.bytes[record + QOS]!;
  }

  identifierOf(record: number): number {
    return this.arena.view.getUint16(record + IDENTIFIER);
  }

  /** Copies the packet to the staging area, with DUP when it was sent before [MQTT311-3.3.1-1]. @returns its length */
  stage(record: number): number {
    const { bytes, stagingOffset } = this.arena;
    const length = this.lengthOf(record);
    const packet = record + HEADER_LENGTH;
    bytes.copyWithin(stagingOffset, packet, packet + length);
    if (bytes[record + STATE] === SENT)
      bytes[stagingOffset] = bytes[stagingOffset]! | DUP;
    return length;
  }

  private find(identifier: number): number {
    const view = this.arena.view;
    for (let left = this.count - this.unsentCount, at = this.head; left > 0; --left, at = this.positionAfter(at))
      if (view.getUint16(this.offset + at + IDENTIFIER) === identifier && this.arena.bytes[this.offset + at + STATE] !== DONE)
        return this.offset + at;
    return NONE;
  }

  private advance(): void {
    this.cursor = this.positionAfter(this.cursor);
    --this.unsentCount;
  }

  /** Where the record behind the one at `at` begins; what lies there means nothing when `at` was the last one. */
  private positionAfter(at: number): number {
    const view = this.arena.view;
    at += HEADER_LENGTH + view.getUint32(this.offset + at) + 3 & ~3;
    // At the tail the next record's place is not known yet.
    return at !== this.tail && (at === this.capacity || view.getUint32(this.offset + at) === 0) ? 0 : at;
  }

  /** Finds room for a record. @returns its position, or NONE */
  private reserve(length: number): number {
    if (this.count >= this.maximumCount || this.usedLength + length > this.capacity)
      return NONE;
    if (this.count === 0) {
      this.head = this.cursor = this.tail = 0;
      return 0;
    }
    const { capacity, head, tail } = this;
    if (tail <= head) // the free room is one piece in the middle; equal would be full
      return tail + length <= head ? tail : NONE;
    if (tail + length <= capacity)
      return tail;
    if (length > head)
      return NONE;
    if (tail < capacity)
      this.arena.view.setUint32(this.offset + tail, 0);
    this.usedLength += capacity - tail;
    if (this.unsentCount === 0)
      this.cursor = 0;
    return 0;
  }

  private removeDone(): void {
    const bytes = this.arena.bytes;
    while (this.count > 0 && bytes[this.offset + this.head + STATE] === DONE) {
      if (this.unsentCount === this.count) { // not even the cursor has passed it
        --this.unsentCount;
        this.cursor = this.positionAfter(this.head);
      }
      const next = this.count === 1 ? this.tail : this.positionAfter(this.head);
      this.usedLength -= next > this.head ? next - this.head : this.capacity - this.head + next;
      this.head = next;
      --this.count;
    }
    if (this.count === 0)
      this.clear();
  }
}
