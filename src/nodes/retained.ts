/**
 * Retained messages: the last one of each topic, bounded in bytes and in count. When there is no room the new message
 * is delivered but not kept, and counted.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { END, PackedRecords, type RecordMover } from '../bytes/packed-records.ts';
import { equalBytes } from '../bytes/compare.ts';
import type { Message, MessageSpans } from '../packet/packet.ts';
import { expiryOf } from '../packet/publish-properties.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import type { Clock } from '../session/clock.ts';
import { RetainedIndex } from './retained-index.ts';
import { HAS_PROPERTIES, PROPERTIES_HEADER, QOS, QOS_MASK, readRetained, TOPIC } from './retained-record.ts';

/** It came from upstream, or is nobody's business there; upstream is to be told of it again. */
const FROM_UPSTREAM = 0x40;
const OWED = 0x20;
/** What survives a restart. */
const NOTES = QOS_MASK | FROM_UPSTREAM | HAS_PROPERTIES;
/** It is to be stored when it is time for that. */
const UNSTORED = 0x80;

/** Result of `lookAtNext`: that one is not owed. */
export const PASSED = 0;

/** Told when records move, so that whoever is in the middle of them stays where it is. */
export interface RetainedWalker {
  /** What lay behind the record at `at` lies `distance` further, now that this one has another length or is gone. */
  onMoved(at: number, distance: number): void;
}

export interface RetainedPlan {
  readonly capacity: number;
  readonly maximumCount: number;
  readonly recordsOffset: number;
  readonly indexOffset: number;
}

export class RetainedMessages implements RecordMover {
  walker: RetainedWalker | undefined = undefined;
  /** Where `lookAtNext` looks; PASSED: at the first one. */
  private next = PASSED;
  /** Counts the seconds of messages that expire; without one they do not. */
  clock: Clock | undefined = undefined;
  private readonly arena: Arena;
  private readonly records: PackedRecords;
  private readonly index: RetainedIndex;

  static plan(plan: ArenaPlan, capacity: number, maximumCount: number): RetainedPlan {
    return { capacity, maximumCount,
      recordsOffset: plan.reserve('retained messages', capacity), indexOffset: RetainedIndex.plan(plan, maximumCount) };
  }

  constructor(arena: Arena, plan: RetainedPlan) {
    this.arena = arena;
    this.records = new PackedRecords(arena, plan.recordsOffset, plan.capacity, plan.maximumCount);
    this.index = new RetainedIndex(arena, plan.indexOffset, this.records);
  }

  get count(): number {
    return this.records.count;
  }

  get usedLength(): number {
    return this.records.usedLength - this.records.slackLength;
  }

  /**
   * Replaces the retained message of the topic [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]; an empty payload removes it and is
   * not kept itself [MQTT311-3.3.1-10] [MQTT311-3.3.1-11].
   * @param isFromUpstream whether it came from there. What comes back as it was sent stays what it was
   * @returns false when there was no room for it; the old one is gone all the same, for it is no longer true
   */
  update(message: Message, isFromUpstream = false): boolean {
    const { arena, records } = this;
    const { payloadLength, payloadOffset, propertiesLength, topicNameLength, topicNameOffset } = message;
    const header = propertiesLength === 0 ? 0 : PROPERTIES_HEADER;
    const length = TOPIC + topicNameLength + header + propertiesLength + payloadLength;
    let at = this.locate(topicNameOffset, topicNameLength), isNew = false;
    if (at !== END && isFromUpstream && this.isSame(at, message))
      return true;
    if (at !== END) {
      let distance = payloadLength === 0 ? END : records.resize(at, length);
      if (distance === END && payloadLength !== 0 && this.tighten()) {
        at = this.locate(topicNameOffset, topicNameLength);
        distance = records.resize(at, length);
      }
      if (distance === END) {
        const { usedLength } = records;
        this.index.remove(topicNameOffset, topicNameLength);
        records.remove(at);
        this.moved(at, records.usedLength - usedLength);
        return payloadLength === 0;
      }
      this.moved(at, distance);
    } else {
      if (payloadLength === 0)
        return true;
      at = records.append(length);
      if (at === END && this.tighten())
        at = records.append(length);
      if (at === END)
        return false;
      isNew = true;
    }
    const bytes = arena.bytes;
    arena.view.setUint16(at, topicNameLength);
    bytes[at + QOS] = isFromUpstream ? message.qos | FROM_UPSTREAM : message.qos;
    bytes.copyWithin(at + TOPIC, topicNameOffset, topicNameOffset + topicNameLength);
    if (header !== 0)
      this.writeProperties(at, message);
    bytes.copyWithin(at + length - payloadLength, payloadOffset, payloadOffset + payloadLength);
    if (isNew)
      this.index.add(at);
    return true;
  }

  private writeProperties(at: number, { propertiesLength, propertiesOffset, topicNameLength }: Message): void {
    const { arena: { bytes, view } } = this;
    const header = at + TOPIC + topicNameLength;
    bytes[at + QOS]! |= HAS_PROPERTIES;
    view.setUint16(header, propertiesLength);
    view.setUint32(header + 2, this.clock === undefined ? 0 : this.clock.countSeconds());
    bytes.copyWithin(header + PROPERTIES_HEADER, propertiesOffset, propertiesOffset + propertiesLength);
  }

  has(nameOffset: number, nameLength: number): boolean {
    return this.locate(nameOffset, nameLength) !== END;
  }

  /** Where the first message lies, and where the one behind another does; END: there is none. */
  get first(): number {
    return this.records.first;
  }

  after(at: number): number {
    return this.records.next(at);
  }

  /** Where the one behind the last would lie. */
  get end(): number {
    return this.records.end;
  }

  /** Whether the message at `at` matches a filter. */
  matches(at: number, filterOffset: number, filterLength: number): boolean {
    const { arena } = this;
    return matchesTopicFilter(arena, filterOffset, filterLength, at + TOPIC, arena.view.getUint16(at));
  }

  /** Puts the message at `at` into `message`. @returns false when it has expired */
  readLive(at: number, message: MessageSpans): boolean {
    this.read(at, message);
    return message.propertiesLength === 0 || this.countDown(at, message);
  }

  /**
   * What is left of the Message Expiry Interval of the message at `at`, which has been read, counts from now on.
   * @returns false when nothing is left [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]
   */
  private countDown(at: number, message: MessageSpans): boolean {
    const { arena: { view }, arena, clock } = this;
    const expiry = expiryOf(message, arena);
    if (expiry < 0 || clock === undefined)
      return true;
    const since = at + TOPIC + message.topicNameLength + 2;
    const seconds = clock.countSeconds();
    const left = view.getUint32(expiry) - (seconds - view.getUint32(since));
    if (left <= 0)
      return false;
    view.setUint32(expiry, left);
    view.setUint32(since, seconds);
    return true;
  }

  /** Upstream is to be told again of all that did not come from there. */
  oweAll(): void {
    const { arena: { bytes }, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if ((bytes[at + QOS]! & FROM_UPSTREAM) === 0)
        bytes[at + QOS] = bytes[at + QOS]! | OWED;
    this.next = PASSED;
  }

  /** @returns the place of the next message if it is owed, it is in `message` then; PASSED; END after the last one */
  lookAtNext(message: MessageSpans): number {
    const { records } = this;
    const at = this.next === PASSED ? records.first : this.next;
    if (at === END || at >= records.end) {
      this.next = PASSED;
      return END;
    }
    const next = records.next(at);
    this.next = next === END ? records.end : next;
    if ((this.arena.bytes[at + QOS]! & OWED) === 0)
      return PASSED;
    this.read(at, message);
    return message.propertiesLength === 0 || this.countDown(at, message) ? at : PASSED;
  }

  /** Upstream has been told of the message at `at`. */
  settle(at: number): void {
    const { bytes } = this.arena;
    bytes[at + QOS] = bytes[at + QOS]! & ~OWED;
  }

  private read(at: number, message: MessageSpans): void {
    const { arena, records } = this;
    const notes = arena.bytes[at + QOS]!;
    message.retain = 1; // [MQTT311-3.3.1-8]
    if ((notes & HAS_PROPERTIES) !== 0) {
      readRetained(arena, at, records.lengthOf(at), message);
      return;
    }
    const topicNameLength = arena.view.getUint16(at);
    message.topicNameOffset = at + TOPIC;
    message.topicNameLength = topicNameLength;
    message.payloadOffset = at + TOPIC + topicNameLength;
    message.payloadLength = records.lengthOf(at) - TOPIC - topicNameLength;
    message.qos = notes & QOS_MASK;
    message.propertiesLength = 0;
  }

  /** The room that messages keep for longer ones is needed. @returns whether there was any */
  private tighten(): boolean {
    const { records } = this;
    if (records.slackLength === 0)
      return false;
    records.tighten(this);
    return true;
  }

  onTightened(from: number, to: number, slack: number): void {
    if (from !== to)
      this.index.relocate(from, to);
    if (slack !== 0) // all behind it counts from where this one lies now
      this.movedWalkers(to, -slack);
  }

  private moved(at: number, distance: number): void {
    if (distance === 0)
      return;
    this.index.moved(at, distance);
    this.movedWalkers(at, distance);
  }

  private movedWalkers(at: number, distance: number): void {
    if (this.next > at)
      this.next += distance;
    this.walker?.onMoved(at, distance);
  }

  private isSame(at: number, { payloadLength, payloadOffset }: Message): boolean {
    const { arena, records } = this;
    const header = at + TOPIC + arena.view.getUint16(at);
    const payload = (arena.bytes[at + QOS]! & HAS_PROPERTIES) === 0 ? header
      : header + PROPERTIES_HEADER + arena.view.getUint16(header);
    return at + records.lengthOf(at) - payload === payloadLength
      && equalBytes(arena, payload, payloadOffset, payloadLength);
  }

  /** Where the message of a topic lies, or END. */
  locate(nameOffset: number, nameLength: number): number {
    return this.index.find(nameOffset, nameLength);
  }

  /** Bytes of the record at `at`. */
  lengthAt(at: number): number {
    return this.records.lengthOf(at);
  }

  /** The message of a topic has been restored: whatever is noted beside its QoS counts again. */
  mark({ topicNameLength, topicNameOffset }: Message, qosByte: number): void {
    const notes = qosByte & NOTES;
    const owed = (notes & FROM_UPSTREAM) === 0 ? OWED : 0; // the Server may have been another one meanwhile
    this.arena.bytes[this.locate(topicNameOffset, topicNameLength) + QOS] = notes | owed;
  }

  /** What is noted beside the QoS of the message at `at`, as far as it survives a restart. */
  notesAt(at: number): number {
    return this.arena.bytes[at + QOS]! & NOTES;
  }

  /** The message at `at` is stored later. */
  putOff(at: number): void {
    this.arena.bytes[at + QOS]! |= UNSTORED;
  }

  isPutOff(at: number): boolean {
    return (this.arena.bytes[at + QOS]! & UNSTORED) !== 0;
  }

  /** It has been. */
  noteStored(at: number): void {
    this.arena.bytes[at + QOS]! &= ~UNSTORED;
  }
}
