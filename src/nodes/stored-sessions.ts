/**
 * Sessions that nodes have asked to be kept, and their subscriptions, in the map of the store: what is there a node
 * finds again after a power cut. A value under the identity of the node:
 *
 *   session        seen at, seconds of the store clock (4) | hash of the user name, 0: none (4) | Client Identifier
 *   subscription   identity of the node (4) | QoS and options (1) | filter, with the mount point of the node
 */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes, hashOf } from '../bytes/compare.ts';
import type { Clock } from '../session/clock.ts';
import type { Store } from '../store/message-store.ts';
import { SESSION, SUBSCRIPTION } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import type { NodeState } from './node-state.ts';
import { NO_KEY, PROBES } from './state-keys.ts';
import { END, type Subscriptions } from './subscriptions.ts';

export const SEEN_AT = 0;
export const USER = 4;
export const IDENTIFIER = 8;
export const QOS = 4;
export const FILTER = 5;

/** Of a node: whether its session is in the store, and when it was written there that the node was seen. */
const FIELDS = 2;
const WRITTEN_AT = 1;
/** It is; and it was in the storage that was used before the one that is being opened. */
const KEPT = 1;
const WAS_KEPT = 2;

export class StoredSessions {
  /** Per node FIELDS. */
  private readonly entries: Uint32Array;
  private readonly arena: Arena;
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly subscriptions: Subscriptions;
  /** Of each user of the configuration. */
  userHashes: Int32Array;

  constructor(store: Store, clock: Clock, subscriptions: Subscriptions, userHashes: Int32Array, count: number) {
    this.arena = store.arena;
    this.store = store;
    this.clock = clock;
    this.subscriptions = subscriptions;
    this.userHashes = userHashes;
    this.entries = new Uint32Array(count * FIELDS);
  }

  /** Whether it is to be: while no storage works as well. */
  isKept(node: NodeState): boolean {
    return this.entries[node.index * FIELDS] !== 0;
  }

  /** Whether it is in the storage that is used. */
  isWritten(node: NodeState): boolean {
    return this.entries[node.index * FIELDS] === KEPT;
  }

  /** Another storage is opened: nothing is known of what it holds. */
  beginRestoring(): void {
    for (let at = 0; at < this.entries.length; at += FIELDS)
      if (this.entries[at] === KEPT)
        this.entries[at] = WAS_KEPT;
  }

  /** There is no room for it in the storage. */
  forget(node: NodeState): void {
    this.entries[node.index * FIELDS] = 0;
  }

  /** It has been found in the store. */
  adopt(node: NodeState, seenAt: number): void {
    this.entries[node.index * FIELDS] = KEPT;
    this.entries[node.index * FIELDS + WRITTEN_AT] = seenAt;
  }

  /**
   * Writes that the session is there, and when the node was seen: just now, or `seenAt` on the store clock.
   * @returns false when there is no room
   */
  put(node: NodeState, seenAt = -1): boolean {
    const { arena, store, store: { state } } = this;
    store.advanceClock(this.clock.now);
    const now = seenAt < 0 ? store.clock.now : seenAt;
    const length = IDENTIFIER + node.identifierLength;
    const value = state === undefined ? 0 : state.begin(SESSION, node.identity, length);
    if (value === 0)
      return false;
    arena.view.setUint32(value + SEEN_AT, now);
    arena.view.setInt32(value + USER, this.userOf(node));
    arena.bytes.copyWithin(value + IDENTIFIER, node.identifierOffset, node.identifierOffset + node.identifierLength);
    if (!state!.end(SESSION, node.identity, length))
      return false;
    this.adopt(node, now);
    this.clock.soon();
    return true;
  }

  /** Whether the value of a session that the map has read is that of the node. */
  isOf(node: NodeState, valueOffset: number, valueLength: number): boolean {
    const { arena } = this;
    return valueLength === IDENTIFIER + node.identifierLength
      && arena.view.getInt32(valueOffset + USER) === this.userOf(node)
      && equalBytes(arena, valueOffset + IDENTIFIER, node.identifierOffset, node.identifierLength);
  }

  private userOf({ user }: NodeState): number {
    return user < 0 ? 0 : this.userHashes[user]!;
  }

  /** The node is here, or has just gone: that is written if it was written long ago. @param coarseness seconds */
  see(node: NodeState, coarseness: number): void {
    if (this.isKept(node) && this.store.clock.now - this.entries[node.index * FIELDS + WRITTEN_AT]! >= coarseness)
      this.put(node);
  }

  /** The session has ended: it first, so that what belongs to it never looks as if it had none of it. */
  remove(node: NodeState): void {
    const { store: { state }, subscriptions } = this;
    if (!this.isKept(node))
      return;
    this.entries[node.index * FIELDS] = 0;
    state?.remove(SESSION, node.identity);
    for (let at = subscriptions.nextOf(node.index, END); at !== END; at = subscriptions.nextOf(node.index, at))
      this.removeSubscription(node, at);
    this.clock.soon();
  }

  /** Writes the subscription at `at`. @returns false when there is no room, or the storage does not work */
  putSubscription(node: NodeState, at: number): boolean {
    const { arena, store: { state }, subscriptions } = this;
    const filter = subscriptions.filterOffsetOf(at);
    const filterLength = subscriptions.filterLengthOf(at);
    const options = subscriptions.optionsOf(at);
    if (state === undefined)
      return false;
    const key = this.find(state, node.identity, filter, filterLength, true);
    if (key === NO_KEY)
      return false;
    if (state.read(SUBSCRIPTION, key) && arena.bytes[state.valueOffset + QOS] === options)
      return true;
    const value = state.begin(SUBSCRIPTION, key, FILTER + filterLength);
    if (value === 0)
      return false;
    arena.view.setInt32(value, node.identity);
    arena.bytes[value + QOS] = options;
    arena.bytes.copyWithin(value + FILTER, filter, filter + filterLength);
    this.clock.soon();
    return state.end(SUBSCRIPTION, key, FILTER + filterLength);
  }

  removeSubscription(node: NodeState, at: number): void {
    const { store: { state }, subscriptions } = this;
    if (state === undefined)
      return;
    const filter = subscriptions.filterOffsetOf(at);
    const key = this.find(state, node.identity, filter, subscriptions.filterLengthOf(at), false);
    if (key !== NO_KEY && state.remove(SUBSCRIPTION, key))
      this.clock.soon();
  }

  /** @returns the key of a subscription; if it has none, a free one or NO_KEY */
  private find(state: StateMap, identity: number, filter: number, filterLength: number, orFree: boolean): number {
    const { arena } = this;
    const hash = hashOf(arena, filter, filterLength) ^ identity;
    let free = NO_KEY;
    for (let probe = 0; probe < PROBES; ++probe) {
      const key = hash + probe | 0;
      if (!state.has(SUBSCRIPTION, key)) {
        if (orFree && free === NO_KEY)
          free = key;
      } else if (state.read(SUBSCRIPTION, key) && arena.view.getInt32(state.valueOffset) === identity
        && state.valueLength === FILTER + filterLength
        && equalBytes(arena, state.valueOffset + FILTER, filter, filterLength))
        return key;
    }
    return free;
  }
}
