/**
 * Retained messages in the map of the store. What came with QoS 1 or 2 is written at once, and its acknowledgement
 * waits for that. What nobody waits for, messages of QoS 0 and readings, is written once a minute at most, and at a
 * clean stop.
 */
import { END } from '../bytes/packed-records.ts';
import { equalBytes, hashOf } from '../bytes/compare.ts';
import * as Event from '../config/events.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { Store } from '../store/message-store.ts';
import { RETAINED } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import type { RetainedMessages } from './retained.ts';
import { readRetained, TOPIC } from './retained-record.ts';
import { NO_KEY, PROBES } from './state-keys.ts';

/** Milliseconds from a change that nobody waits for to its being written. */
const INTERVAL = 60_000;
/** So many are written in one turn, and the next ones so much later. */
const SLICE = 8;
const PAUSE = 20;

export class StoredRetained {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly retained: RetainedMessages;
  private readonly observer: Event.GatewayObserver;
  private readonly found = new MessageSpans();
  /** Something is to be written at `dueAt`. */
  private isPending = false;
  private dueAt = 0;
  /** It has been told that there is no room. */
  private hasToldFull = false;

  constructor(store: Store, clock: Clock, retained: RetainedMessages, observer: Event.GatewayObserver) {
    this.store = store;
    this.clock = clock;
    this.retained = retained;
    this.observer = observer;
  }

  /**
   * The retained message of a topic is another one, or none. @param isAwaited whether somebody waits for it to be
   * durable
   */
  changed(message: Message, isAwaited: boolean): void {
    const { clock, retained, store: { state } } = this;
    const { topicNameLength, topicNameOffset } = message;
    const at = retained.locate(topicNameOffset, topicNameLength);
    if (at === END) {
      const key = state === undefined ? NO_KEY : this.find(state, topicNameOffset, topicNameLength, false);
      if (key !== NO_KEY && state!.remove(RETAINED, key))
        clock.soon();
    } else if (isAwaited)
      this.put(at);
    else {
      retained.putOff(at);
      if (!this.isPending)
        this.dueAt = clock.now + INTERVAL | 0;
      this.isPending = true;
      clock.request(this.dueAt);
    }
  }

  handleTimeout(): void {
    const { clock } = this;
    if (!this.isPending)
      return;
    if (isDue(this.dueAt, clock.now)) {
      this.isPending = !this.write(SLICE);
      this.dueAt = clock.now + PAUSE | 0;
    }
    if (this.isPending)
      clock.request(this.dueAt);
  }

  /** Writes all that has been put off. */
  finish(): void {
    if (this.isPending)
      this.write(Infinity);
    this.isPending = false;
  }

  /**
   * Takes over what is in the map. @param isAgain a storage had been opened before in this life: what is in memory is
   * all there is
   */
  restore(isAgain: boolean): void {
    const { found, observer, retained, store: { arena, state } } = this;
    this.hasToldFull = false;
    if (state === undefined)
      return;
    const hadAny = retained.count > 0;
    for (let at = state.next(RETAINED, 0); at >= 0; at = state.next(RETAINED, at + 1)) {
      if (!state.read(RETAINED, state.keyAt(at)))
        continue;
      const { valueLength, valueOffset } = state;
      readRetained(arena, valueOffset, valueLength, found);
      // What is here already came while the storage was away: it is newer.
      if (found.payloadLength <= 0 || retained.has(found.topicNameOffset, found.topicNameLength))
        continue;
      if (!isAgain && retained.update(found)) {
        retained.mark(found, arena.bytes[valueOffset + 2]!);
        continue;
      }
      if (!isAgain)
        observer.onEvent(Event.RETAINED_FULL, Event.UPSTREAM, found.payloadLength);
      if (state.remove(RETAINED, state.keyAt(at)))
        --at; // others have moved
    }
    for (let at = hadAny ? retained.first : END; at !== END; at = retained.after(at))
      this.put(at);
  }

  /** @returns whether nothing is left */
  private write(most: number): boolean {
    const { retained } = this;
    for (let at = retained.first; at !== END; at = retained.after(at))
      if (retained.isPutOff(at)) {
        if (--most < 0)
          return false;
        this.put(at);
      }
    this.clock.soon();
    return true;
  }

  private put(at: number): void {
    const { retained, store: { arena, state } } = this;
    const length = retained.lengthAt(at);
    const notes = retained.notesAt(at);
    retained.noteStored(at);
    if (state === undefined)
      return;
    const key = this.find(state, at + TOPIC, arena.view.getUint16(at), true);
    if (key !== NO_KEY) {
      if (state.read(RETAINED, key) && state.valueLength === length && arena.bytes[state.valueOffset + 2] === notes
        && equalBytes(arena, state.valueOffset + TOPIC, at + TOPIC, length - TOPIC))
        return;
      const value = state.begin(RETAINED, key, length);
      if (value !== 0) {
        arena.bytes.copyWithin(value, at, at + length);
        arena.bytes[value + 2] = notes;
        state.end(RETAINED, key, length);
        this.clock.soon();
        return;
      }
    }
    if (this.hasToldFull || !this.store.isWorking)
      return;
    this.hasToldFull = true;
    this.observer.onEvent(Event.STATE_FULL, Event.UPSTREAM, Event.FULL_FOR_RETAINED);
  }

  /** @returns the key of a topic; if it has none, a free one or NO_KEY */
  private find(state: StateMap, offset: number, length: number, orFree: boolean): number {
    const { arena } = this.store;
    const hash = hashOf(arena, offset, length);
    let free = NO_KEY;
    for (let probe = 0; probe < PROBES; ++probe) {
      const key = hash + probe | 0;
      if (!state.has(RETAINED, key)) {
        if (orFree && free === NO_KEY)
          free = key;
      } else if (state.read(RETAINED, key) && arena.view.getUint16(state.valueOffset) === length
        && equalBytes(arena, state.valueOffset + TOPIC, offset, length))
        return key;
    }
    return free;
  }
}
