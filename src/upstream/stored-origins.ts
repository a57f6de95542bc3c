/**
 * QoS 2 messages of nodes that have been stored and that the node has not released (PUBREL) yet. A node that sends
 * one of them again, after a restart of the gateway that it did not notice, must not have it stored twice. While the
 * message is in the log its record says all that; before its block is used anew, the identifier goes to the map of
 * the store. Of fixed size: when it is full the oldest entry is forgotten.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { Store } from '../store/message-store.ts';
import type { OriginIndex } from '../nodes/stored-messages.ts';
import { DOUBT } from '../session/record-layout.ts';
import { MESSAGE_DOWN, type StoredMessage } from '../store/stored-message.ts';
import { RECEIVED_IDENTIFIER } from '../store/record-format.ts';
import { hashOfContent } from './topic-hash.ts';

const FIELDS = 5;
const IDENTIFIER = 1;
const POSITION = 2;
const CONTENT = 3;
/** For whom the record is: identity of a node, or 0 for the Server. */
const DESTINATION = 4;
/** Bytes of what the map holds: origin, identifier, hash of the content. */
const LENGTH = 12;

/** No entry. */
export const NONE = -1;
/** Position of a message that is not in the log any more. */
const GONE = 0;
/**
 * Of one that is in memory, or was, and not in the storage that is used now. Any odd position says that, also while a
 * storage is opened: where it was in the one before.
 */
const IN_MEMORY = -1;

const { imul } = Math;

/** Knows whether the message of a record is safe without it. */
export interface MessageHolder {
  /** @param destination as in `add` */
  holds(position: number, destination: number): boolean;
}

export class StoredOrigins implements OriginIndex {
  count = 0;
  private readonly capacity: number;
  /** Origin, identifier, position of the record, hash of the content, destination; oldest first. */
  private readonly entries: Int32Array;
  private readonly arena: Arena;
  private readonly offset: number;
  private readonly store: Store;

  static plan(plan: ArenaPlan): number {
    return plan.reserve('store: an identifier', LENGTH);
  }

  constructor(store: Store, offset: number, capacity: number) {
    this.arena = store.arena;
    this.store = store;
    this.offset = offset;
    this.capacity = capacity;
    this.entries = new Int32Array(capacity * FIELDS);
  }

  /** Bytes. */
  get tableLength(): number {
    return this.entries.byteLength;
  }

  add(origin: number, identifier: number, position: number, content: number, destination: number): void {
    if (this.count === this.capacity)
      this.remove(0);
    const at = this.count++ * FIELDS;
    this.entries[at] = origin;
    this.entries[at + IDENTIFIER] = identifier;
    this.entries[at + POSITION] = position;
    this.entries[at + CONTENT] = content;
    this.entries[at + DESTINATION] = destination;
  }

  /**
   * A storage is going to be opened, after one has failed: of a message whose record may be lost nothing is known until
   * that is found again. Else its sender would get an acknowledgement for what nobody has.
   */
  beginRestoring(holder: MessageHolder): void {
    const { entries } = this;
    for (let index = this.count - 1; index >= 0; --index) {
      const at = index * FIELDS;
      const position = entries[at + POSITION]!;
      if (position === GONE || isInMemory(position))
        continue;
      if (holder.holds(position >>> 0, entries[at + DESTINATION]!))
        entries[at + POSITION] = position | DOUBT;
      else
        this.remove(index);
    }
  }

  /**
   * It has been opened. @param isAgain one had been opened before in this life: the map has no other identifiers than
   * those that are known here
   */
  endRestoring(isAgain: boolean): void {
    const { entries, store: { state } } = this;
    for (let index = 0, at = POSITION; index < this.count; ++index, at += FIELDS)
      if (isInMemory(entries[at]!))
        entries[at] = IN_MEMORY;
    if (!isAgain || state === undefined)
      return;
    for (let at = state.next(RECEIVED_IDENTIFIER, 0); at >= 0; at = state.next(RECEIVED_IDENTIFIER, at + 1))
      if (!this.hasKey(state.keyAt(at)) && state.remove(RECEIVED_IDENTIFIER, state.keyAt(at)))
        --at; // others have moved
    for (let index = 0; index < this.count; ++index)
      if (entries[index * FIELDS + POSITION] === GONE && !state.has(RECEIVED_IDENTIFIER, this.keyAt(index)))
        this.putGone(index);
  }

  /** Whether it is the key of a message that is not in the log any more. */
  private hasKey(key: number): boolean {
    for (let index = 0; index < this.count; ++index)
      if (this.entries[index * FIELDS + POSITION] === GONE && this.keyAt(index) === key >>> 0)
        return true;
    return false;
  }

  private keyAt(index: number): number {
    return keyOf(this.entries[index * FIELDS]!, this.entries[index * FIELDS + IDENTIFIER]!);
  }

  // OriginIndex

  indexOfStored(position: number): number {
    for (let index = 0, at = POSITION; index < this.count; ++index, at += FIELDS)
      if (position !== GONE && this.entries[at] === (position | 0))
        return index;
    return NONE;
  }

  originAt(index: number): number {
    return this.entries[index * FIELDS]!;
  }

  identifierAt(index: number): number {
    return this.entries[index * FIELDS + IDENTIFIER]!;
  }

  moveTo(index: number, position: number): void {
    this.entries[index * FIELDS + POSITION] = position;
  }

  /** A message was found in the log at start. */
  restore(message: StoredMessage): void {
    const { entries } = this;
    const { originIdentifier, position, sender } = message;
    const destination = message.kind === MESSAGE_DOWN ? message.origin : 0;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS)
      if (entries[at] === (sender | 0) && entries[at + IDENTIFIER] === originIdentifier
        && entries[at + DESTINATION] === (destination | 0) && isInMemory(entries[at + POSITION]!)) {
        entries[at + POSITION] = position;
        return;
      }
    this.add(sender, originIdentifier, position, hashOfContent(this.arena, message), destination);
  }

  /** So was an identifier in the map. */
  restoreIdentifier(offset: number): void {
    const { view } = this.arena;
    if (this.findWith(view.getInt32(offset), view.getUint32(offset + 4), POSITION, GONE) === NONE)
      this.add(view.getInt32(offset), view.getUint32(offset + 4), GONE, view.getInt32(offset + 8), 0);
  }

  /** A message is stored nowhere: its identifier goes to the map at once. */
  keep(origin: number, identifier: number, content: number): void {
    this.add(origin, identifier, GONE, content, 0);
    this.putGone(this.count - 1);
  }

  /** @returns the index of the entry, or NONE */
  find(origin: number, identifier: number): number {
    const { entries } = this;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS)
      if (entries[at] === (origin | 0) && entries[at + IDENTIFIER] === identifier)
        return index;
    return NONE;
  }

  contentOf(index: number): number {
    return this.entries[index * FIELDS + CONTENT]!;
  }

  /** The node will not send the message again. */
  release(origin: number, identifier: number): void {
    for (let index = this.find(origin, identifier); index !== NONE; index = this.find(origin, identifier)) {
      const position = this.entries[index * FIELDS + POSITION]! >>> 0;
      if (position === GONE)
        this.store.state?.remove(RECEIVED_IDENTIFIER, keyOf(origin, identifier));
      else if (!isInMemory(position))
        this.store.queue.released(position);
      this.remove(index);
    }
  }

  /** Whether a message is stored for all that were to get it: a record of it is gone already. */
  isComplete(origin: number, identifier: number): boolean {
    return this.findWith(origin, identifier, POSITION, GONE) !== NONE;
  }

  isStoredFor(origin: number, identifier: number, destination: number): boolean {
    return this.findWith(origin, identifier, DESTINATION, destination) !== NONE;
  }

  /** A record has another place now. */
  move(from: number, to: number): void {
    const { entries } = this;
    for (let index = 0, at = POSITION; index < this.count; ++index, at += FIELDS)
      if (entries[at] === (from | 0))
        entries[at] = to;
  }

  /** What lies from `start` to `end` of the store is going to be erased: the map keeps what must be known of it. */
  keepWithin(start: number, end: number): void {
    const { entries } = this;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS) {
      const position = entries[at + POSITION]! >>> 0;
      if (position < start || position >= end || isInMemory(position))
        continue;
      entries[at + POSITION] = GONE;
      this.putGone(index);
    }
  }

  private putGone(index: number): void {
    const { arena: { view }, entries, offset, store } = this;
    const at = index * FIELDS;
    view.setInt32(offset, entries[at]!);
    view.setUint32(offset + 4, entries[at + IDENTIFIER]!);
    view.setInt32(offset + 8, entries[at + CONTENT]!);
    store.state?.put(RECEIVED_IDENTIFIER, this.keyAt(index), offset, LENGTH);
  }

  private findWith(origin: number, identifier: number, field: number, value: number): number {
    const { entries } = this;
    for (let index = 0, at = 0; index < this.count; ++index, at += FIELDS)
      if (entries[at] === (origin | 0) && entries[at + IDENTIFIER] === identifier
        && entries[at + field] === (value | 0))
        return index;
    return NONE;
  }

  private remove(index: number): void {
    if (index === NONE)
      return;
    this.entries.copyWithin(index * FIELDS, (index + 1) * FIELDS, this.count * FIELDS);
    --this.count;
  }
}

const isInMemory = (position: number): boolean => (position & DOUBT) !== 0;

/** Under which the map holds an identifier of a node. */
const keyOf = (origin: number, identifier: number): number => imul(origin ^ identifier, 0x9E3779B1 | 0) >>> 0;
