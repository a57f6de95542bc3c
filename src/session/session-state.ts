/**
 * What outlives a network connection (3.1.1 section 4.1): messages on their way out, of which it is the queue, and the
 * identifiers of QoS 2 messages that came in and are not released. In the Server role it is found by the Client Identifier (rule C7); the
 * subscriptions, which belong to it too, are the gateway's. All of fixed size.
 */
import { OutboundQueue } from './outbound-queue.ts';
import { IDENTIFIER_LENGTH, type SessionStateKind } from './session-state-kind.ts';

export class SessionState extends OutboundQueue {
  /** Incoming QoS 2 messages that are not released; their identifiers lie behind the queue. */
  receivedCount: number;

  /** @param offset of a region of `SessionStateKind.lengthOf` the limits */
  constructor(kind: SessionStateKind, offset: number) {
    super(kind, offset);
    this.receivedCount = 0;
  }

  /** Begins a new session that inherits nothing. */
  forget(): void {
    this.clear();
    this.forgetIdentifiers();
    this.receivedCount = 0;
  }

  /** Whether a QoS 2 message with this identifier has been taken over and not been released [MQTT311-4.3.3-2]. */
  hasReceived(identifier: number): boolean {
    return this.indexOfReceived(identifier) < this.receivedCount;
  }

  /** @returns false when as many as allowed are under way */
  addReceived(identifier: number): boolean {
    const { kind } = this;
    if (this.receivedCount === kind.maximumUnreleased)
      return false;
    kind.arena.view.setUint16(this.offset + kind.capacity + this.receivedCount++ * IDENTIFIER_LENGTH, identifier);
    return true;
  }

  /** PUBREL: from now on the identifier means a new message. */
  removeReceived(identifier: number): void {
    const { kind } = this;
    const { view } = kind.arena;
    const index = this.indexOfReceived(identifier);
    if (index === this.receivedCount)
      return;
    const start = this.offset + kind.capacity;
    view.setUint16(start + index * IDENTIFIER_LENGTH, view.getUint16(start + --this.receivedCount * IDENTIFIER_LENGTH));
  }

  private indexOfReceived(identifier: number): number {
    const { kind, receivedCount } = this;
    const view = kind.arena.view;
    const start = this.offset + kind.capacity;
    let index = 0;
    while (index < receivedCount && view.getUint16(start + index * IDENTIFIER_LENGTH) !== identifier)
      ++index;
    return index;
  }
}
