/**
 * What the gateway keeps of nodes so that it survives a power cut, as one: sessions, subscriptions, messages, Wills and
 * retained messages (src/store/README.md). Knows no connection.
 */
import * as Event from '../config/events.ts';
import { MessageSpans } from '../packet/packet.ts';
import { type Clock, isDue } from '../session/clock.ts';
import { confirmPosition, doubtPositions, endDoubt } from '../session/doubted-positions.ts';
import { NONE } from '../session/record-layout.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { StoredQueue } from '../session/stored-queue.ts';
import type { StoredMessage } from '../store/stored-message.ts';
import { NodeRestoration } from './node-restoration.ts';
import type { NodeState } from './node-state.ts';
import type { RestorationParts } from './restoration-parts.ts';
import type { MessageAtHand, OriginIndex, StoredMessages } from './stored-messages.ts';
import type { StoredRetained } from './stored-retained.ts';
import type { StoredSessions } from './stored-sessions.ts';
import type { StoredWills } from './stored-wills.ts';
import { UnstoredMessages } from './unstored-messages.ts';

/** Milliseconds from one look at who is here to the next. */
const LONGEST_PAUSE = 600_000;

export interface DurableParts extends RestorationParts {
  readonly clock: Clock;
  readonly retained: StoredRetained;
  readonly atHand: MessageAtHand;
  readonly origins: OriginIndex;
  /** `store.on_failure`: what cannot be stored is kept in memory, and acknowledged all the same. */
  keepsInMemory: boolean;
}

export class DurableNodes {
  readonly sessions: StoredSessions;
  readonly messages: StoredMessages;
  readonly wills: StoredWills;
  readonly retained: StoredRetained;
  readonly atHand: MessageAtHand;
  readonly restoration: NodeRestoration;
  readonly unstored: UnstoredMessages;
  /** What a reload may change is changed here. */
  readonly parts: DurableParts;
  private readonly will = new MessageSpans();
  /** A bit for each kind of room that there was not, and for each thing that was done then. */
  private toldFull = 0;
  /** When it is noted next which nodes are here. */
  private seeAt = 0;

  constructor(parts: DurableParts) {
    this.parts = parts;
    this.sessions = parts.sessions;
    this.messages = parts.messages;
    this.wills = parts.wills;
    this.retained = parts.retained;
    this.atHand = parts.atHand;
    this.restoration = new NodeRestoration(parts, this.will);
    this.unstored = new UnstoredMessages(parts, parts.origins);
  }

  /** Whether anything can be written. */
  get isWorking(): boolean {
    return this.parts.store.isWorking;
  }

  /** Whether the storage does not work, and what it should keep may be in memory. */
  get keepsInMemory(): boolean {
    return this.parts.keepsInMemory && !this.parts.store.isWorking;
  }

  /**
   * Whether what cannot be written must be refused: a storage that is too small for a map keeps no state, and has said
   * so.
   */
  private get isRequired(): boolean {
    return this.hasMap || !this.parts.store.isWorking && !this.parts.keepsInMemory;
  }

  private get hasMap(): boolean {
    return this.parts.store.isWorking && this.parts.store.state !== undefined;
  }

  keeps(node: NodeState): boolean {
    return this.sessions.isKept(node);
  }

  /** Whether nothing is known of a node but a Will. */
  isOnlyWill(node: NodeState): boolean {
    return this.wills.isDueFor(node) && !this.keeps(node);
  }

  /**
   * Writes what CONNACK depends on: the session, if it is to be kept, and the Will.
   * @returns false when there is no room, or no storage that works: the node must not be let in
   */
  admit(node: NodeState, session: ServerSession): boolean {
    const { expiry, nodes, observer } = this.parts;
    if (!this.keeps(node))
      nodes.identities.distinguish(node);
    if (!session.isTransient) {
      if (this.keeps(node))
        this.sessions.see(node, expiry.coarseness);
      else if (!this.restoration.memoryFirst.keep(node) && this.isRequired) {
        if (this.hasMap)
          observer.onEvent(Event.STATE_FULL, session.index, Event.FULL_FOR_SESSION);
        return false;
      }
    }
    if (!this.wills.put(node, session, this.will) && this.isRequired) {
      if (this.hasMap)
        observer.onEvent(Event.STATE_FULL, session.index, Event.FULL_FOR_WILL);
      return false;
    }
    return this.settle() || session.isTransient && !session.hasWill;
  }

  /** The connection of a node has ended, and its Will, if there was one, has been published, or `isDelayed`. */
  leave(node: NodeState, isDelayed: boolean): void {
    const { expiry } = this.parts;
    if (!isDelayed)
      this.wills.removeWhenDurable(node);
    this.sessions.see(node, expiry.coarseness);
  }

  /** The session of a node is over: nothing of it is kept any more. */
  discard(node: NodeState): void {
    this.sessions.remove(node);
    if (this.wills.isDueFor(node))
      this.wills.removeWhenDurable(node);
  }

  /** The session of a node makes room, or has expired: a Will that waits for it is published now. */
  giveWay(node: NodeState): void {
    if (this.wills.isDueFor(node))
      this.publishWill(node);
  }

  /** Waits until all that was written is durable. @returns false when that failed, and nothing may be acknowledged */
  settle(): boolean {
    return this.parts.store.settle() || this.parts.keepsInMemory;
  }

  handleTimeout(): void {
    const { nodes: { states } } = this.parts;
    this.retained.handleTimeout();
    this.seeSometimes();
    for (let index = 0; this.wills.dueCount > 0 && index < states.length; ++index) {
      const node = states[index]!;
      if (!this.wills.isDueFor(node) || !this.wills.isDue(node))
        continue;
      const isOnlyWill = this.isOnlyWill(node);
      this.publishWill(node);
      if (isOnlyWill)
        this.parts.publisher.forgetNode(node);
    }
  }

  /** At a clean stop: what has been put off is written. */
  finish(): void {
    this.retained.finish();
    this.seeConnected();
    if (this.parts.store.settle())
      this.wills.finish();
  }

  /** Nodes that have been connected all the while are written to have been seen. */
  seeConnected(): void {
    const { expiry, nodes: { states } } = this.parts;
    for (let index = 0; index < states.length; ++index)
      if (states[index]!.session !== undefined)
        this.sessions.see(states[index]!, expiry.coarseness);
  }

  private seeSometimes(): void {
    const { clock, expiry, store } = this.parts;
    if (!store.isWorking)
      return;
    if (isDue(this.seeAt, clock.now)) {
      this.seeConnected();
      this.seeAt = clock.now + Math.min(LONGEST_PAUSE, expiry.coarseness * 1000) | 0;
    }
    clock.request(this.seeAt);
  }

  /**
   * The log has no room for a message for a node: each is said once. @param limit 1 to 3, as the results of
   * `StoredMessages.push` @param isInMemory the node is connected, and gets it
   */
  tellFull(limit: number, isInMemory: boolean): void {
    const detail = (isInMemory ? Event.FULL_IN_MEMORY : Event.FULL_FOR_MESSAGE) + limit - 1;
    if ((this.toldFull & 1 << detail) === 0)
      this.parts.observer.onEvent(Event.STATE_FULL, Event.UPSTREAM, detail);
    this.toldFull |= 1 << detail;
  }

  /** Whether the queue of the node of this identity has the message of a record. */
  holds(position: number, identity: number): boolean {
    const node = this.parts.nodes.identities.find(identity);
    return node !== undefined && (node.queue as StoredQueue).findStored(position) !== NONE;
  }

  // What the store tells

  beginRestoring(): void {
    const { nodes: { states } } = this.parts;
    this.toldFull = 0;
    for (let index = 0; index < states.length; ++index)
      doubtPositions(states[index]!.queue);
    this.restoration.begin();
  }

  onMessage(message: StoredMessage): void {
    const { nodes, store } = this.parts;
    const node = store.isSame(message.position) ? nodes.identities.find(message.origin) : undefined;
    if (node !== undefined)
      confirmPosition(node.queue, message.position);
    this.restoration.messages.onMessage(message);
  }

  /** @param isAgain a storage had been opened before in this life */
  endRestoring(isAgain: boolean): void {
    const { nodes: { states } } = this.parts;
    this.restoration.end(isAgain);
    this.unstored.write();
    for (let index = 0; index < states.length; ++index) {
      endDoubt(states[index]!.queue);
      if (states[index]!.session !== undefined)
        this.messages.awaitDurable(index); // there may be messages for it
    }
    this.retained.restore(isAgain);
  }

  onDurable(): void {
    const { nodes: { states } } = this.parts;
    const { awaiting } = this.messages;
    this.wills.onDurable();
    for (let left = awaiting.count; left > 0; --left) // some wait again
      states[awaiting.take()]!.session?.sendQueued();
  }

  onMoved(from: number, to: number): void {
    const { nodes: { states } } = this.parts;
    for (let index = 0; index < states.length; ++index)
      if (this.messages.move(states[index]!, from, to))
        return;
  }

  private publishWill(node: NodeState): void {
    const { will, wills } = this;
    wills.forget(node);
    if (wills.read(node, will))
      this.parts.publisher.publishStoredWill(node, will);
    wills.removeWhenDurable(node);
  }
}
