/**
 * A storage that works again, or another one in its place: what is in memory is what holds, for it knows what was done
 * meanwhile. Sessions, subscriptions and Wills in the map that memory does not know are removed, and all that memory
 * knows is written again as far as it is not there.
 */
import type { Arena } from '../bytes/arena.ts';
import * as Event from '../config/events.ts';
import type { MessageSpans } from '../packet/packet.ts';
import { NONE } from '../session/record-layout.ts';
import { SESSION, SUBSCRIPTION, WILL } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import type { NodeState } from './node-state.ts';
import type { RestorationParts } from './restoration-parts.ts';
import { FILTER, SEEN_AT } from './stored-sessions.ts';

export class MemoryFirst {
  private readonly parts: RestorationParts;
  private readonly arena: Arena;

  constructor(parts: RestorationParts) {
    this.parts = parts;
    this.arena = parts.store.arena;
  }

  /** Removes what memory does not know. A storage that takes no removal keeps it, and counts for nothing. */
  remove(state: StateMap): void {
    this.removeOf(state, SESSION);
    this.removeOf(state, SUBSCRIPTION);
    this.removeOf(state, WILL);
  }

  private removeOf(state: StateMap, kind: number): void {
    for (let at = state.next(kind, 0); at >= 0; at = state.next(kind, at + 1)) {
      const key = state.keyAt(at);
      if (state.read(kind, key) && !this.isKnown(state, kind, key) && state.remove(kind, key))
        --at; // others have moved
    }
  }

  /** Whether the value that the map has read is one of memory. */
  private isKnown(state: StateMap, kind: number, key: number): boolean {
    const { arena: { view }, parts: { delivery: { subscriptions }, nodes: { identities }, sessions } } = this;
    const { valueLength, valueOffset } = state;
    if (kind === SUBSCRIPTION) {
      const node = identities.find(view.getInt32(valueOffset));
      return node !== undefined && this.isToBeKept(node)
        && subscriptions.find(node.index, valueOffset + FILTER, valueLength - FILTER) !== NONE;
    }
    const node = identities.find(key);
    if (node === undefined)
      return false;
    if (kind === WILL)
      return this.hasWill(node);
    if (!this.isToBeKept(node) || !sessions.isOf(node, valueOffset, valueLength))
      return false;
    sessions.adopt(node, view.getUint32(valueOffset + SEEN_AT));
    return true;
  }

  /** Writes what the map lacks. @param will where one may be read */
  write(will: MessageSpans): void {
    const { expiry, nodes: { states }, sessions, store, wills } = this.parts;
    for (let index = 0; index < states.length; ++index) {
      const node = states[index]!;
      if (node.identifierLength === 0)
        continue;
      if (sessions.isWritten(node))
        this.writeSubscriptions(node);
      else if (this.isToBeKept(node)
        && !this.keep(node, node.session === undefined ? expiry.awaySince(node) : undefined) && store.isWorking) {
        sessions.forget(node);
        this.tellFull();
      }
      if (node.session !== undefined)
        wills.put(node, node.session, will);
    }
  }

  /**
   * Writes a session that is here, and its subscriptions, if it has any. @param seenAt when its node was, by the store
   * clock; without it just now @returns false when there is no room
   */
  keep(node: NodeState, seenAt?: number): boolean {
    const isKept = this.parts.sessions.put(node, seenAt);
    if (isKept)
      this.writeSubscriptions(node);
    return isKept;
  }

  /**
   * Wills of nodes that have not come back lie in the storage alone: those that are not there any more are forgotten.
   * @returns how many
   */
  forgetLostWills(): number {
    const { nodes: { states }, publisher, sessions, store: { state }, wills } = this.parts;
    let count = 0;
    for (let index = 0; wills.dueCount > 0 && index < states.length; ++index) {
      const node = states[index]!;
      if (!wills.isDueFor(node) || state?.has(WILL, node.identity) === true)
        continue;
      wills.forget(node);
      ++count;
      if (!sessions.isKept(node))
        publisher.forgetNode(node);
    }
    return count;
  }

  private writeSubscriptions(node: NodeState): void {
    const { delivery: { subscriptions }, sessions } = this.parts;
    for (let at = subscriptions.nextOf(node.index, NONE); at !== NONE; at = subscriptions.nextOf(node.index, at))
      sessions.putSubscription(node, at);
  }

  /** Whether there is more than a Will of it. */
  private isToBeKept(node: NodeState): boolean {
    const { nodes, sessions, wills } = this.parts;
    return sessions.isKept(node) || nodes.isPersistent(node) && !wills.isDueFor(node);
  }

  private hasWill(node: NodeState): boolean {
    const { publisher, wills } = this.parts;
    return node.session !== undefined ? node.session.hasWill
      : wills.isDueFor(node) || wills.isLeaving(node) || publisher.delaysWill(node);
  }

  private tellFull(): void {
    const { observer, store } = this.parts;
    if (store.state !== undefined)
      observer.onEvent(Event.STATE_FULL, Event.UPSTREAM, Event.FULL_FOR_SESSION);
  }
}
