/**
 * What outlives a network connection (3.1.1 section 4.1): messages on their way out, and the identifiers of QoS 2
 * messages that came in and are not released. In the Server role it is found by the Client Identifier (rule C7); the
 * subscriptions, which belong to it too, are the gateway's. All of fixed size.
 */
import type { Arena } from '../bytes/arena.ts';
import { OutboundQueue } from './outbound-queue.ts';

export interface SessionStateLimits {
  /** Bytes of the queue of outgoing messages. */
  readonly queueCapacity: number;
  /** Messages in that queue. */
  readonly maximumQueuedMessages: number;
  /** Outgoing messages that may be unacknowledged at a time. */
  readonly maximumInflightMessages: number;
  /** Incoming QoS 2 messages that may be unreleased at a time; default: as many. A sender of 3.x does not know the limit. */
  readonly maximumUnreleasedMessages?: number;
  /** Whether records of the queue carry notes, and the smallest identifier that the queue itself gives out. */
  readonly isAnnotated?: boolean;
  readonly firstIdentifier?: number;
}

const IDENTIFIER_LENGTH = 2;

const unreleasedOf = (limits: SessionStateLimits): number => limits.maximumUnreleasedMessages ?? limits.maximumInflightMessages;

export class SessionState {
  readonly outbound: OutboundQueue;
  readonly maximumInflight: number;
  readonly maximumUnreleased: number;
  /** Incoming QoS 2 messages that are not released. */
  receivedCount = 0;
  private readonly arena: Arena;
  private readonly receivedOffset: number;

  /** Bytes of the region that a state with these limits needs. */
  static lengthOf(limits: SessionStateLimits): number {
    return (limits.queueCapacity + 3 & ~3) + unreleasedOf(limits) * IDENTIFIER_LENGTH;
  }

  /** @param offset of a region of `lengthOf(limits)` bytes */
  constructor(arena: Arena, offset: number, limits: SessionStateLimits) {
    this.arena = arena;
    const capacity = limits.queueCapacity + 3 & ~3;
    this.outbound = new OutboundQueue(arena, offset, capacity, limits.maximumQueuedMessages, limits.isAnnotated, limits.firstIdentifier);
    this.receivedOffset = offset + capacity;
    this.maximumInflight = limits.maximumInflightMessages;
    this.maximumUnreleased = unreleasedOf(limits);
  }

  /** Begins a new session that inherits nothing. */
  clear(): void {
    this.outbound.clear();
    this.outbound.forgetIdentifiers();
    this.receivedCount = 0;
  }

  /** Whether a QoS 2 message with this identifier has been taken over and not been released [MQTT311-4.3.3-2]. */
  hasReceived(identifier: number): boolean {
    return this.indexOfReceived(identifier) < this.receivedCount;
  }

  /** @returns false when as many as allowed are under way */
  addReceived(identifier: number): boolean {
    if (this.receivedCount === this.maximumUnreleased)
      return false;
    this.arena.view.setUint16(this.receivedOffset + this.receivedCount++ * IDENTIFIER_LENGTH, identifier);
    return true;
  }

  /** PUBREL: from now on the identifier means a new message. */
  removeReceived(identifier: number): void {
    const index = this.indexOfReceived(identifier);
    if (index === this.receivedCount)
      return;
    const view = this.arena.view;
    const last = this.receivedOffset + --this.receivedCount * IDENTIFIER_LENGTH;
    view.setUint16(this.receivedOffset + index * IDENTIFIER_LENGTH, view.getUint16(last));
  }

  private indexOfReceived(identifier: number): number {
    const view = this.arena.view;
    const count = this.receivedCount;
    let index = 0;
    while (index < count && view.getUint16(this.receivedOffset + index * IDENTIFIER_LENGTH) !== identifier)
      ++index;
    return index;
  }
}
