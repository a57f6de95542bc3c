/**
 * Brings the sessions of nodes back from the store, when that is opened: sessions, subscriptions, messages in the order
 * of their numbers, and Wills. All of it is judged by today's configuration; what that does not allow any more is
 * removed from the store, counted, and told. What is here already, because the store was away for a while, is newer and
 * stays; when a storage had been opened before, what is here is all there is (memory-first.ts).
 */
import type { Arena } from '../bytes/arena.ts';
import * as Event from '../config/events.ts';
import type { MessageSpans } from '../packet/packet.ts';
import { NONE } from '../session/record-layout.ts';
import { SESSION, SUBSCRIPTION, WILL } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import { MemoryFirst } from './memory-first.ts';
import { MessageRestoration } from './message-restoration.ts';
import type { NodeState } from './node-state.ts';
import type { RestorationParts } from './restoration-parts.ts';
import { FILTER, IDENTIFIER, QOS, SEEN_AT, USER } from './stored-sessions.ts';
import { WILL_IDENTIFIER, WILL_IDENTIFIER_LENGTH, WILL_USER } from './stored-wills.ts';

/** In place of the index of a user. */
const GONE = -2;
/** Nodes that were away before all that go in this life. */
const LONG_AGO = 0x7FFFFFFF;

/** Of `lost`: what was dropped when a storage was opened last. */
const LATELY = Event.DROPPED_REASONS;

export class NodeRestoration {
  /** Per reason of events.ts: what was dropped since the start of the program; then the same, from LATELY on. */
  readonly lost = new Uint32Array(2 * Event.DROPPED_REASONS);
  private readonly parts: RestorationParts;
  private readonly arena: Arena;
  private readonly will: MessageSpans;
  readonly messages: MessageRestoration;
  readonly memoryFirst: MemoryFirst;

  /** @param will where one may be read */
  constructor(parts: RestorationParts, will: MessageSpans) {
    this.parts = parts;
    this.will = will;
    this.arena = parts.store.arena;
    this.messages = new MessageRestoration(parts);
    this.memoryFirst = new MemoryFirst(parts);
  }

  /** A storage is going to be opened. */
  begin(): void {
    const { messages, sessions } = this.parts;
    sessions.beginRestoring();
    messages.reset();
    this.messages.begin();
    this.lost.fill(0, LATELY);
  }

  /** All has been found. @param isAgain a storage had been opened before in this life */
  end(isAgain: boolean): void {
    const { lost, memoryFirst } = this;
    const { delivery, observer, store: { state } } = this.parts;
    if (state !== undefined && isAgain)
      memoryFirst.remove(state);
    else if (state !== undefined) {
      this.restoreSessions(state);
      this.restoreSubscriptions(state);
      this.restoreWills(state);
    }
    memoryFirst.write(this.will);
    if (isAgain)
      lost[LATELY + Event.DROPPED_LOST_WILL] = memoryFirst.forgetLostWills();
    const droppedCount = lost[LATELY + Event.DROPPED_MESSAGE] = this.messages.restore();
    delivery.forgetAudiences();
    delivery.droppedCount += droppedCount;
    for (let reason = 0; reason < LATELY; ++reason) {
      const count = lost[LATELY + reason]!;
      lost[reason]! += count;
      if (count !== 0)
        observer.onEvent(Event.RESTORED_DROPPED, reason, count);
    }
  }

  private restoreSessions(state: StateMap): void {
    for (let at = state.next(SESSION, 0); at >= 0; at = state.next(SESSION, at + 1))
      if (!this.restoreSession(state, state.keyAt(at)))
        at = -1; // others have moved
  }

  /** @returns false when something was removed */
  private restoreSession(state: StateMap, key: number): boolean {
    const { arena: { view }, parts: { expiry, identifierCapacity, nodes, sessions } } = this;
    if (!state.read(SESSION, key))
      return true;
    const { valueOffset } = state;
    const length = state.valueLength - IDENTIFIER;
    const seenAt = view.getUint32(valueOffset + SEEN_AT);
    const user = this.userOf(view.getInt32(valueOffset + USER));
    const known = length > 0 ? nodes.find(valueOffset + IDENTIFIER, length) : undefined;
    if (known !== undefined && known.identity === key && nodes.isPersistent(known)) {
      sessions.adopt(known, seenAt);
      return true;
    }
    const isUnfit = length <= 0 || length > identifierCapacity || user === GONE || known !== undefined;
    if (isUnfit || expiry.isExpired(seenAt))
      return this.drop(SESSION, key, isUnfit ? Event.DROPPED_USER : Event.DROPPED_EXPIRED);
    let node = nodes.findFree();
    const isEviction = node === undefined;
    if (node === undefined) {
      node = nodes.findLongestAway();
      if (node === undefined || node.awaySince >= seenAt - LONG_AGO)
        return this.drop(SESSION, key, Event.DROPPED_PLACE);
      this.forget(node, Event.DROPPED_PLACE);
      state.read(SESSION, key);
    }
    if (!this.enter(node, key, user, valueOffset + IDENTIFIER, length))
      return this.drop(SESSION, key, Event.DROPPED_USER);
    sessions.adopt(node, seenAt);
    expiry.leave(node, seenAt);
    node.awaySince = seenAt - LONG_AGO;
    return !isEviction;
  }

  /** Names a free place. @returns false when the name fits no mount point of today */
  private enter(node: NodeState, key: number, user: number, identifier: number, length: number): boolean {
    const { access, nodes } = this.parts;
    nodes.name(node, identifier, length, user);
    nodes.identities.give(node, key);
    if (access === undefined || access.enter(node))
      return true;
    nodes.release(node);
    return false;
  }

  private restoreSubscriptions(state: StateMap): void {
    const { arena: { bytes, view }, parts: { delivery: { subscriptions }, nodes } } = this;
    for (let at = state.next(SUBSCRIPTION, 0); at >= 0; at = state.next(SUBSCRIPTION, at + 1)) {
      const key = state.keyAt(at);
      if (!state.read(SUBSCRIPTION, key))
        continue;
      const { valueOffset } = state;
      const filter = valueOffset + FILTER;
      const filterLength = state.valueLength - FILTER;
      const node = nodes.identities.find(view.getInt32(valueOffset));
      let reason = NONE;
      if (node === undefined || !this.parts.sessions.isKept(node))
        reason = Event.DROPPED_USER; // with its session
      else if (!this.maySubscribe(node, filter, filterLength))
        reason = Event.DROPPED_FILTER;
      else if (subscriptions.find(node.index, filter, filterLength) === NONE
        && subscriptions.add(node.index, filter, filterLength, bytes[valueOffset + QOS]!, false) === NONE)
        reason = Event.DROPPED_FILTER;
      if (reason === NONE)
        continue;
      if (node === undefined ? state.remove(SUBSCRIPTION, key) // its session was counted
        : !this.drop(SUBSCRIPTION, key, reason))
        at = -1;
    }
  }

  private maySubscribe(node: NodeState, filter: number, length: number): boolean {
    const { access } = this.parts;
    return access === undefined
      || access.isBelow(node, filter, length) && access.allowsSubscription(node, filter, length);
  }

  private restoreWills(state: StateMap): void {
    const { arena: { view }, parts: { expiry, nodes, wills } } = this;
    for (let at = state.next(WILL, 0); at >= 0; at = state.next(WILL, at + 1)) {
      const key = state.keyAt(at);
      if (!state.read(WILL, key))
        continue;
      const { valueOffset } = state;
      const identifier = valueOffset + WILL_IDENTIFIER;
      const length = view.getUint16(valueOffset + WILL_IDENTIFIER_LENGTH);
      const user = this.userOf(view.getInt32(valueOffset + WILL_USER));
      let node = nodes.find(identifier, length);
      if (node?.session !== undefined)
        continue; // it is here, and so is its Will
      if (node === undefined && user !== GONE && length <= this.parts.identifierCapacity) {
        node = nodes.findFree();
        if (node !== undefined && !this.enter(node, key, user, identifier, length))
          node = undefined;
      }
      if (node !== undefined && node.identity === key) {
        wills.found(node, valueOffset);
        expiry.leave(node, expiry.now);
        continue;
      }
      if (!this.drop(WILL, key, Event.DROPPED_WILL))
        at = -1;
    }
  }

  /** @returns the index of the user today, -1 for none, or GONE */
  private userOf(hash: number): number {
    const { allowsAnonymous, sessions: { userHashes } } = this.parts;
    if (hash === 0)
      return allowsAnonymous ? -1 : GONE;
    const index = userHashes.indexOf(hash);
    return index === -1 ? GONE : index;
  }

  /** A session of an absent node makes room for one that was seen later. */
  private forget(node: NodeState, reason: number): void {
    const { delivery: { subscriptions }, nodes, sessions } = this.parts;
    sessions.remove(node);
    subscriptions.removeAll(node.index);
    nodes.release(node);
    ++this.lost[LATELY + reason]!;
  }

  /** @returns false when something was removed, and others have moved; a storage may be read-only */
  private drop(kind: number, key: number, reason: number): boolean {
    ++this.lost[LATELY + reason]!;
    return !this.parts.store.state!.remove(kind, key);
  }
}

