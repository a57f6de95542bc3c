/**
 * What Home Assistant was told of by this gateway and has not been told to forget: for each device a card, its topic
 * and the marks of its components (device-texts.ts). In the store's map where there is one; else in memory, where it
 * is filled from the announcements that the broker has kept.
 *
 *   | length of the topic (2) | topic | marks, one behind the other |
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { END, PackedRecords } from '../bytes/packed-records.ts';
import { DISCOVERED } from '../store/record-format.ts';
import { NO_ENTRY } from '../store/state-index.ts';
import type { StateMap } from '../store/state-map.ts';
import { hashOfTopic } from '../upstream/topic-hash.ts';

/** Of the length of the topic. */
export const CARD_HEAD = 2;
/** In place of marks, then the length of the payload (4). */
export const UNKNOWN_MARKS = 0;
export const UNKNOWN_LENGTH = 5;
/** Topics with the same hash, one after the other. */
const PROBES = 4;
const MOST_IN_MEMORY = 1024;

export interface CardsPlan {
  readonly atHand: number;
  /** Bytes of a card, and of all that are in memory. */
  readonly longest: number;
  readonly records: number;
  readonly capacity: number;
}

export class AnnouncedCards {
  /** Where there is one and it works. */
  state: StateMap | undefined = undefined;
  /** The card that was read last: where it lies, and its bytes; 0: there is none. */
  readonly offset: number;
  length = 0;
  private readonly arena: Arena;
  readonly longest: number;
  /** Undefined: the map has them. */
  readonly memory: PackedRecords | undefined;
  /** Where a walk is: a place of the map, or a record. */
  private cursor = 0;

  /** @param longest bytes of a card @param capacity bytes of all cards in memory, 0: they are in the map */
  static plan(plan: ArenaPlan, longest: number, capacity: number): CardsPlan {
    return {
      atHand: plan.reserve('homeassistant: a device as it was', longest), longest,
      records: plan.reserve('homeassistant: what was announced', capacity), capacity,
    };
  }

  constructor(arena: Arena, plan: CardsPlan) {
    this.arena = arena;
    this.offset = plan.atHand;
    this.longest = plan.longest;
    this.memory = plan.capacity === 0 ? undefined
      : new PackedRecords(arena, plan.records, plan.capacity, MOST_IN_MEMORY);
  }

  get topicOffset(): number {
    return this.offset + CARD_HEAD;
  }

  get topicLength(): number {
    return this.arena.view.getUint16(this.offset);
  }

  /** The broker has an announcement that is longer than what can be read: instead of marks its length is known. */
  get hasUnknownMarks(): boolean {
    const marks = this.topicOffset + this.topicLength;
    return this.length > 0 && marks < this.offset + this.length && this.arena.bytes[marks] === UNKNOWN_MARKS;
  }

  get payloadLength(): number {
    return this.arena.view.getUint32(this.topicOffset + this.topicLength + 1);
  }

  get endOfMarks(): number {
    return this.hasUnknownMarks ? this.topicOffset : this.offset + this.length;
  }

  /** Begins a walk through all of them, in no order; what is removed or put on the way ends it. @returns as `next` */
  first(): boolean {
    this.cursor = this.memory === undefined ? -1 : END;
    return this.advance(true);
  }

  /** @returns whether there is another one, which is at hand now */
  next(): boolean {
    return this.advance(false);
  }

  /** Reads the card of a topic. @returns whether there is one */
  read(topicOffset: number, topicLength: number): boolean {
    this.length = 0;
    const { memory } = this;
    if (memory === undefined)
      return this.keyOf(topicOffset, topicLength) >= 0;
    for (let at = memory.first; at !== END; at = memory.next(at))
      if (this.isOf(at, topicOffset, topicLength)) {
        this.take(at, memory.lengthOf(at));
        return true;
      }
    return false;
  }

  /** Keeps the card that lies at `offset`, elsewhere than the one at hand, in place of an earlier one of its topic. */
  put(offset: number, length: number): void {
    const { arena, arena: { view }, memory, state } = this;
    const topic = offset + CARD_HEAD;
    const topicLength = view.getUint16(offset);
    if (this.read(topic, topicLength) && this.length === length && equalBytes(arena, this.offset, offset, length))
      return;
    if (memory === undefined) {
      const key = this.length > 0 ? this.keyOf(topic, topicLength) : this.freeKey(topic, topicLength);
      if (key >= 0)
        state?.put(DISCOVERED, key, offset, length);
      return;
    }
    this.remove(topic, topicLength);
    const at = memory.append(length);
    if (at !== END)
      arena.bytes.copyWithin(at, offset, offset + length);
  }

  /** In memory only: the card was written to where one is at hand. */
  keepAtHand(length: number): void {
    const { arena, memory } = this;
    this.remove(this.topicOffset, this.topicLength);
    const at = memory === undefined ? END : memory.append(length);
    if (at !== END)
      arena.bytes.copyWithin(at, this.offset, this.offset + length);
  }

  remove(topicOffset: number, topicLength: number): void {
    const { memory, state } = this;
    if (memory === undefined) {
      const key = this.keyOf(topicOffset, topicLength);
      if (key >= 0)
        state?.remove(DISCOVERED, key);
      return;
    }
    for (let at = memory.first; at !== END; at = memory.next(at))
      if (this.isOf(at, topicOffset, topicLength)) {
        memory.remove(at);
        return;
      }
  }

  private advance(isFirst: boolean): boolean {
    const { memory, state } = this;
    this.length = 0;
    if (memory !== undefined) {
      this.cursor = isFirst ? memory.first : memory.next(this.cursor);
      if (this.cursor === END)
        return false;
      this.take(this.cursor, memory.lengthOf(this.cursor));
      return true;
    }
    if (state === undefined)
      return false;
    for (;;) {
      this.cursor = state.next(DISCOVERED, this.cursor + 1);
      if (this.cursor === NO_ENTRY)
        return false;
      if (state.read(DISCOVERED, state.keyAt(this.cursor)) && this.take(state.valueOffset, state.valueLength))
        return true;
    }
  }

  /** @returns whether it is one: with a topic, and not longer than there is room for */
  private take(offset: number, length: number): boolean {
    const { arena: { bytes, view }, longest } = this;
    this.length = length > longest ? longest : length;
    if (length < CARD_HEAD || view.getUint16(offset) + CARD_HEAD > this.length)
      this.length = 0;
    bytes.copyWithin(this.offset, offset, offset + this.length);
    return this.length > 0;
  }

  /** Whether the card at `at` has this topic. */
  private isOf(at: number, topicOffset: number, topicLength: number): boolean {
    return this.arena.view.getUint16(at) === topicLength
      && equalBytes(this.arena, at + CARD_HEAD, topicOffset, topicLength);
  }

  /** Under which the map has the card of a topic, which is at hand then; -1: it has none. */
  private keyOf(topicOffset: number, topicLength: number): number {
    const { arena, state } = this;
    const hash = hashOfTopic(arena, topicOffset, topicLength);
    for (let probe = 0; state !== undefined && probe < PROBES; ++probe) {
      const key = hash + probe >>> 0;
      if (state.read(DISCOVERED, key) && this.isOf(state.valueOffset, topicOffset, topicLength)) {
        this.take(state.valueOffset, state.valueLength);
        return key;
      }
    }
    return -1;
  }

  private freeKey(topicOffset: number, topicLength: number): number {
    const { arena, state } = this;
    const hash = hashOfTopic(arena, topicOffset, topicLength);
    for (let probe = 0; state !== undefined && probe < PROBES; ++probe)
      if (!state.has(DISCOVERED, hash + probe >>> 0))
        return hash + probe >>> 0;
    return -1;
  }
}
