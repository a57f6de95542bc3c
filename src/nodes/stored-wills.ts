/**
 * Wills in the map of the store, from CONNACK to the end of the connection: a node that goes down with the gateway has
 * its Will published after the start, unless it comes back within one and a half times its Keep Alive. A value under
 * the identity of the node:
 *
 *   hash of the user name, 0: none (4) | Keep Alive (2) | QoS, RETAIN << 2 (1) | length of the Client Identifier (2) |
 *   Client Identifier | topic length (2) | topic | payload length (2) | payload
 *
 * and, if the Will has properties, | their length (2) | properties |.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import type { MessageSpans } from '../packet/packet.ts';
import { type Clock, isDue } from '../session/clock.ts';
import { expiryInterval } from '../session/keep-alive.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { Store } from '../store/message-store.ts';
import { WILL } from '../store/record-format.ts';
import type { NodeState } from './node-state.ts';
import type { StoredSessions } from './stored-sessions.ts';

export const WILL_USER = 0;
const KEEP_ALIVE = 4;
const FLAGS = 6;
const RETAIN_SHIFT = 2;
export const WILL_IDENTIFIER_LENGTH = 7;
export const WILL_IDENTIFIER = 9;

/** Of topic, payload and properties. */
const LENGTHS = 6;

/** Of a node: identity under which a Will is to be removed when all up to the stamp is durable, 0: none. */
const FIELDS = 4;
const STAMP = 1;
/** Whether a Will waits for it that was found at start, and until when. */
const IS_WAITING = 2;
const DUE_AT = 3;

/** Milliseconds for a node without Keep Alive. */
const PATIENCE = 90_000;

export class StoredWills {
  /** Wills of nodes that have not come back. */
  dueCount = 0;
  /** Per node FIELDS. */
  private readonly entries: Int32Array;
  private removalCount = 0;
  private readonly arena: Arena;
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly sessions: StoredSessions;
  private readonly offset: number;
  private readonly capacity: number;

  static plan(plan: ArenaPlan, willCapacity: number): number {
    return plan.reserve('store: a Will', willCapacity + LENGTHS);
  }

  constructor(store: Store, clock: Clock, sessions: StoredSessions, offset: number, { capacity, count }: WillSizes) {
    this.arena = store.arena;
    this.store = store;
    this.clock = clock;
    this.sessions = sessions;
    this.offset = offset;
    this.capacity = capacity + LENGTHS;
    this.entries = new Int32Array(count * FIELDS);
  }

  isDueFor(node: NodeState): boolean {
    return this.entries[node.index * FIELDS + IS_WAITING] !== 0;
  }

  /** A node comes in: its Will, if it has one, takes the place of an older one. @returns false when there is no room */
  put(node: NodeState, session: ServerSession, will: MessageSpans): boolean {
    const { arena, arena: { bytes, view }, store: { state } } = this;
    this.forget(node);
    if (this.entries[node.index * FIELDS] !== 0)
      this.removeNow(node.index * FIELDS);
    if (!session.hasWill) {
      if (state?.remove(WILL, node.identity) === true)
        this.clock.soon();
      return true;
    }
    if (state === undefined)
      return false;
    session.readWill(will);
    const region = will.topicNameOffset - 2;
    const regionLength = will.propertiesLength > 0 ? will.propertiesOffset + will.propertiesLength - region
      : will.payloadOffset + will.payloadLength - region;
    const length = WILL_IDENTIFIER + node.identifierLength + regionLength;
    const value = state.begin(WILL, node.identity, length);
    if (value === 0)
      return false;
    view.setInt32(value + WILL_USER, node.user < 0 ? 0 : this.sessions.userHashes[node.user]!);
    view.setUint16(value + KEEP_ALIVE, session.keepAlive);
    bytes[value + FLAGS] = will.qos | will.retain << RETAIN_SHIFT;
    view.setUint16(value + WILL_IDENTIFIER_LENGTH, node.identifierLength);
    let at = value + WILL_IDENTIFIER;
    bytes.copyWithin(at, node.identifierOffset, node.identifierOffset + node.identifierLength);
    at += node.identifierLength;
    arena.bytes.copyWithin(at, region, region + regionLength);
    this.clock.soon();
    return state.end(WILL, node.identity, length);
  }

  /** The Will has been published, or there is none any more: it is removed when all that was written is durable. */
  removeWhenDurable(node: NodeState): void {
    const { entries, store, store: { durable, state, written } } = this;
    const at = node.index * FIELDS;
    this.forget(node);
    if (state?.has(WILL, node.identity) !== true)
      return;
    if (entries[at] === 0)
      ++this.removalCount;
    else if (entries[at] !== node.identity)
      state.remove(WILL, entries[at]!);
    entries[at] = node.identity;
    entries[at + STAMP] = written;
    if (written === durable || !store.isWorking)
      this.removeNow(at);
    this.clock.soon();
  }

  /** Whether it is to be removed, and waits for that. */
  isLeaving(node: NodeState): boolean {
    return this.entries[node.index * FIELDS] === node.identity;
  }

  onDurable(): void {
    const { entries, store } = this;
    for (let at = 0; this.removalCount > 0 && at < entries.length; at += FIELDS)
      if (entries[at] !== 0 && (store.durable - entries[at + STAMP]! | 0) >= 0)
        this.removeNow(at);
  }

  /** All is durable. */
  finish(): void {
    for (let at = 0; at < this.entries.length; at += FIELDS)
      if (this.entries[at] !== 0)
        this.removeNow(at);
  }

  private removeNow(at: number): void {
    --this.removalCount;
    if (this.store.state?.remove(WILL, this.entries[at]!) === true)
      this.clock.soon();
    this.entries[at] = 0;
  }

  /** Nobody waits for the node any more. */
  forget(node: NodeState): void {
    if (this.isDueFor(node))
      --this.dueCount;
    this.entries[node.index * FIELDS + IS_WAITING] = 0;
  }

  /** The Will of a node was found in the value that the map has read; its Keep Alive counts from now. */
  found(node: NodeState, valueOffset: number): void {
    const { clock, entries } = this;
    const at = node.index * FIELDS;
    const keepAlive = this.arena.view.getUint16(valueOffset + KEEP_ALIVE);
    if (!this.isDueFor(node))
      ++this.dueCount;
    entries[at + IS_WAITING] = 1;
    entries[at + DUE_AT] = clock.now + (keepAlive === 0 ? PATIENCE : expiryInterval(keepAlive)) | 0;
    clock.request(entries[at + DUE_AT]!);
  }

  /** Whether the node has had its time; else the clock is asked. */
  isDue(node: NodeState): boolean {
    const { clock } = this;
    const dueAt = this.entries[node.index * FIELDS + DUE_AT]!;
    if (isDue(dueAt, clock.now))
      return true;
    clock.request(dueAt);
    return false;
  }

  /** Reads the Will of a node. @returns false when it is not there any more */
  read(node: NodeState, will: MessageSpans): boolean {
    const { arena: { bytes, view }, capacity, offset, store: { state } } = this;
    if (state === undefined || !state.read(WILL, node.identity))
      return false;
    const start = state.valueOffset + WILL_IDENTIFIER + view.getUint16(state.valueOffset + WILL_IDENTIFIER_LENGTH);
    const length = state.valueOffset + state.valueLength - start;
    if (length > capacity)
      return false;
    will.qos = bytes[state.valueOffset + FLAGS]! & 3;
    will.retain = bytes[state.valueOffset + FLAGS]! >> RETAIN_SHIFT & 1;
    bytes.copyWithin(offset, start, start + length);
    will.topicNameOffset = offset + 2;
    will.topicNameLength = view.getUint16(offset);
    will.payloadOffset = will.topicNameOffset + will.topicNameLength + 2;
    will.payloadLength = view.getUint16(will.payloadOffset - 2);
    const end = will.payloadOffset + will.payloadLength;
    will.propertiesLength = end === offset + length ? 0 : view.getUint16(end);
    will.propertiesOffset = end + 2;
    return true;
  }
}

export interface WillSizes {
  /** Bytes of topic and payload. */
  readonly capacity: number;
  /** Places of nodes. */
  readonly count: number;
}
