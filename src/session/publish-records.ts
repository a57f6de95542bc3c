/**
 * The memory of a queue: a ring of records in the arena, none of which wraps (record-layout.ts). What is too long for
 * the end of the region starts over at 0. Knows neither order of sending nor acknowledgement (outbound-queue.ts).
 */
import type { Message } from '../packet/packet.ts';
import { ACKNOWLEDGEMENT_LENGTH, lengthOfPublish } from '../packet/publish.ts';
import type { QueueLimits } from './queue-limits.ts';
import {
  DONE, HEADER_LENGTH, HELD, IDENTIFIER, NONE, NOT_STORED, ORIGIN, PENDING, POSITION, QOS, RELEASED,
    REPLAYED, RULE, SENT_AT, STATE, STATE_MASK, TIME, topicOfPacket,
} from './record-layout.ts';

export class PublishRecords {
  /** Records between head and tail, DONE ones included. */
  count = 0;
  readonly limits: QueueLimits;
  protected readonly offset: number;
  protected head = 0;
  protected tail = 0;
  /** Messages are entered in the form of 5.0, as message-forms.ts says; there may be some of the other form. */
  hasProperties = false;

  /** @param offset of a region of `limits.capacity` bytes */
  constructor(limits: QueueLimits, offset: number) {
    this.limits = limits;
    this.offset = offset;
  }

  get capacity(): number {
    return this.limits.capacity;
  }

  /** Records that wait or are under way. For figures: it looks at each. */
  get pendingCount(): number {
    let count = 0;
    for (let record = this.following(NONE); record !== NONE; record = this.following(record))
      count += this.stateOf(record) === DONE ? 0 : 1;
    return count;
  }

  /** Bytes between head and tail, headers and padding included. */
  get usedLength(): number {
    const length = this.tail - this.head;
    return this.count === 0 || length > 0 ? length : length + this.limits.capacity;
  }

  lengthOf(record: number): number {
    return this.limits.arena.view.getUint32(record);
  }

  stateOf(record: number): number {
    return this.limits.arena.bytes[record + STATE]! & STATE_MASK;
  }

  qosOf(record: number): number {
    return this.limits.arena.bytes[record + QOS]!;
  }

  identifierOf(record: number): number {
    return this.limits.arena.view.getUint16(record + IDENTIFIER);
  }

  positionOf(record: number): number {
    return this.limits.ageOffset === HEADER_LENGTH ? NOT_STORED
      : this.limits.arena.view.getUint32(record + POSITION);
  }

  timeOf(record: number): number {
    return this.limits.arena.view.getUint32(record + TIME);
  }

  ruleOf(record: number): number {
    return this.limits.arena.view.getUint16(record + RULE);
  }

  originOf(record: number): number {
    return this.limits.arena.view.getUint32(record + ORIGIN);
  }

  /** When it was sent, or PUBREL for it; of one that is under way. */
  sentAtOf(record: number): number {
    return this.limits.arena.view.getInt32(record + SENT_AT);
  }

  /** Whether it has been sent on the present connection, or the last one, and is not acknowledged. */
  isUnderWay(record: number): boolean {
    const flags = this.limits.arena.bytes[record + STATE]!;
    return (flags & PENDING) === 0 && (flags & STATE_MASK) !== DONE;
  }

  isHeld(record: number): boolean {
    return (this.limits.arena.bytes[record + STATE]! & HELD) !== 0;
  }

  /** Offset in the arena of the topic name of `record`; its length is in the two bytes before. */
  topicOf(record: number): number {
    return topicOfPacket(this.limits.arena, record + this.limits.headerLength);
  }

  /** The oldest record, NONE when there is none. */
  get oldest(): number {
    return this.count === 0 ? NONE : this.offset + this.head;
  }

  /** Walks the records: call first with NONE, then with the last result. @returns the next one, or NONE */
  following(record: number): number {
    if (record === NONE)
      return this.oldest;
    const at = this.positionAfter(record - this.offset);
    return at === this.tail ? NONE : this.offset + at;
  }

  /** Bytes that a message takes in the queue of a node, header and padding included. */
  static lengthOfRecord(message: Message, qos: number): number {
    return HEADER_LENGTH + lengthOfPublish(message, qos) + 3 & ~3;
  }

  /** A message of QoS 1 or 2 gets its identifier, and is in this state with its receiver. */
  identify(record: number, identifier: number, state: number): void {
    const { bytes, view } = this.limits.arena;
    const topic = this.topicOf(record);
    view.setUint16(record + IDENTIFIER, identifier);
    view.setUint16(topic + view.getUint16(topic - 2), identifier);
    bytes[record + STATE] = bytes[record + STATE]! & ~STATE_MASK | state;
  }

  /** Length of what has to be sent of this record: the message, or PUBREL when the receiver has it already. */
  lengthToSend(record: number): number {
    const { bytes, view } = this.limits.arena;
    return (bytes[record + STATE]! & STATE_MASK) === RELEASED ? ACKNOWLEDGEMENT_LENGTH : view.getUint32(record);
  }

  /** Notes when a message was sent, or PUBREL for it. */
  noteSent(record: number, now: number): void {
    this.limits.arena.view.setInt32(record + SENT_AT, now);
  }

  /** The message is stored elsewhere now. */
  notePosition(record: number, position: number): void {
    this.limits.arena.view.setUint32(record + POSITION, position);
  }

  isReplayed(record: number): boolean {
    return (this.limits.arena.bytes[record + STATE]! & REPLAYED) !== 0;
  }

  /** @returns the record of the message that is stored at `position`, or NONE */
  findStored(position: number): number {
    const { bytes, view } = this.limits.arena;
    for (let left = this.count, at = this.head; left > 0; --left, at = this.positionAfter(at)) {
      const record = this.offset + at;
      if (view.getUint32(record + POSITION) === position && (bytes[record + STATE]! & STATE_MASK) !== DONE)
        return record;
    }
    return NONE;
  }

  /**
   * How long ago the message was sent, or PUBREL for it, for whose acknowledgement has been waited longest; NONE when
   * none is awaited.
   */
  longestWait(now: number, inflightCount: number): number {
    const { arena: { bytes, view } } = this.limits;
    let longest = NONE;
    if (inflightCount === 0)
      return NONE;
    for (let left = inflightCount, at = this.head; ; at = this.positionAfter(at)) {
      const record = this.offset + at;
      const flags = bytes[record + STATE]!;
      if ((flags & PENDING) !== 0 || (flags & STATE_MASK) === DONE)
        continue;
      const waited = now - view.getInt32(record + SENT_AT) | 0;
      if (waited > longest)
        longest = waited;
      if (--left === 0)
        return longest;
    }
  }

  /** Whether it is worth while to get a packet of this length. */
  hasRoom(packetLength: number): boolean {
    const { capacity, headerLength, maximumCount } = this.limits;
    return this.count < maximumCount && this.usedLength + headerLength + packetLength + 3 <= capacity;
  }

  /** The first record after `record` with these flags; there is one. */
  nextPending(record: number, flags: number): number {
    const { bytes } = this.limits.arena;
    let at = record - this.offset;
    do
      at = this.positionAfter(at);
    while ((bytes[this.offset + at + STATE]! & (PENDING | REPLAYED | HELD)) !== flags);
    return this.offset + at;
  }

  /**
   * Closes the holes of records that are done, between the head, which waits, and the tail: all others move towards
   * the head, in their order. Whoever knows where a record lies is told by `onMoved`.
   */
  compact(): void {
    const { limits: { arena: { bytes, view }, capacity, headerLength }, offset } = this;
    let write = this.head, kept = 0;
    for (let left = this.count, read = this.head, next; left > 0; --left, read = next) {
      next = this.positionAfter(read);
      if (this.stateOf(offset + read) === DONE)
        continue;
      const length = headerLength + view.getUint32(offset + read) + 3 & ~3;
      if (write + length > capacity) { // those that are read have gone round already
        if (write < capacity)
          view.setUint32(offset + write, 0);
        write = 0;
      }
      if (write !== read) {
        bytes.copyWithin(offset + write, offset + read, offset + read + length);
        this.onMoved(offset + read, offset + write);
      }
      write += length;
      ++kept;
    }
    this.tail = write;
    this.count = kept;
    if (kept === 0)
      this.head = this.tail = 0;
  }

  /** A record lies elsewhere now. */
  protected onMoved(_from: number, _to: number): void { /* nobody knows of it here */ }

  protected enter(at: number, packetLength: number, state: number, qos: number, identifier: number): void {
    const { age, ageOffset, arena: { view }, headerLength } = this.limits;
    const record = this.offset + at;
    view.setUint32(record, packetLength);
    view.setUint32(record + STATE, state << 24 | qos << 16 | identifier);
    if (age !== undefined)
      age.annotate(view, record + ageOffset);
    this.tail = at + (headerLength + packetLength + 3 & ~3);
    ++this.count;
  }

  /** Where the record after the one at `at` begins; what lies there means nothing when `at` was the last one. */
  protected positionAfter(at: number): number {
    const { arena: { view }, capacity, headerLength } = this.limits;
    at += headerLength + view.getUint32(this.offset + at) + 3 & ~3;
    // At the tail the next record's place is not known yet.
    return at !== this.tail && (at === capacity || view.getUint32(this.offset + at) === 0) ? 0 : at;
  }

  /** Whether a packet of this length, or any that may come, finds room now. */
  hasRoomFor(packetLength: number): boolean {
    return this.findRoom(this.limits.headerLength + packetLength + 3 & ~3) !== NONE;
  }

  get hasRoomForAny(): boolean {
    return this.findRoom(this.limits.longestNext) !== NONE;
  }

  /** Finds room for a record. @returns its position, or NONE */
  protected reserve(length: number): number {
    const { limits } = this;
    if (this.count >= limits.plentyCount)
      return this.reserveLast(length);
    if (this.count === 0)
      return length <= limits.plenty ? 0 : this.reserveLast(length);
    const { head, tail } = this;
    if (tail <= head) // the free room is one piece in the middle
      return tail + length <= head - limits.longestNext ? tail : this.reserveLast(length);
    return tail + length <= limits.plenty ? tail : this.reserveLast(length);
  }

  /** The same when there may be no room for another one, which `watch` is told then. */
  private reserveLast(length: number): number {
    const { count, head, limits, limits: { capacity, longestNext } } = this;
    const at = this.findRoom(length);
    const next = at + length + longestNext;
    if (limits.watch === undefined)
      return at;
    if (at === NONE || count + 1 >= limits.maximumCount
      || (count > 0 && at + length <= head ? next > head : next > capacity && longestNext > head))
      limits.watch.onLittleRoom();
    return at;
  }

  private findRoom(length: number): number {
    const { head, limits, tail } = this;
    const { capacity } = limits;
    if (this.count >= limits.maximumCount)
      return NONE;
    if (this.count === 0) // all begins anew
      return length <= capacity ? 0 : NONE;
    if (tail <= head) // equal would be full
      return tail + length <= head ? tail : NONE;
    if (tail + length <= capacity)
      return tail;
    if (length > head)
      return NONE;
    if (tail < capacity)
      limits.arena.view.setUint32(this.offset + tail, 0);
    return 0;
  }
}
