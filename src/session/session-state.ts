/**
 * What outlives a network connection (3.1.1 section 4.1): messages on their way out, and the identifiers of QoS 2
 * messages that came in and are not released. In the Server role it is found by the Client Identifier (rule C7); the
 * subscriptions, which belong to it too, are the gateway's. All of fixed size.
 */
import { OutboundQueue } from './outbound-queue.ts';
import { IDENTIFIER_LENGTH, type SessionStateKind } from './session-state-kind.ts';

export class SessionState {
  readonly outbound: OutboundQueue;
  /** Incoming QoS 2 messages that are not released. */
  receivedCount = 0;
  /** Where their identifiers lie. */
  private readonly receivedOffset: number;

  /** @param offset of a region of `SessionStateKind.lengthOf(limits)` bytes */
  constructor(kind: SessionStateKind, offset: number) {
    this.outbound = new OutboundQueue(kind, offset);
    this.receivedOffset = offset + kind.capacity;
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
    const { kind } = this.outbound;
    if (this.receivedCount === kind.maximumUnreleased)
      return false;
    kind.arena.view.setUint16(this.receivedOffset + this.receivedCount++ * IDENTIFIER_LENGTH, identifier);
    return true;
  }

  /** PUBREL: from now on the identifier means a new message. */
  removeReceived(identifier: number): void {
    const index = this.indexOfReceived(identifier);
    if (index === this.receivedCount)
      return;
    const { view } = this.outbound.kind.arena;
    const last = this.receivedOffset + --this.receivedCount * IDENTIFIER_LENGTH;
    view.setUint16(this.receivedOffset + index * IDENTIFIER_LENGTH, view.getUint16(last));
  }

  private indexOfReceived(identifier: number): number {
    const view = this.outbound.kind.arena.view;
    const count = this.receivedCount;
    let index = 0;
    while (index < count && view.getUint16(this.receivedOffset + index * IDENTIFIER_LENGTH) !== identifier)
      ++index;
    return index;
  }
}
