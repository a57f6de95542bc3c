/**
 * What outlives a network connection (3.1.1 section 4.1): the queue of messages on their way out, and the identifiers
 * of QoS 2 messages that came in and are not released. In the Server role it is found by the Client Identifier (rule
 * C7); the subscriptions, which belong to it too, are the gateway's. All of fixed size.
 */
import { OutboundQueue } from './outbound-queue.ts';
import { IDENTIFIER_LENGTH, type QueueLimits, RECEIVED_TIME_LENGTH } from './queue-limits.ts';
import { StoredQueue } from './stored-queue.ts';
import type { UpstreamWindow } from './upstream-window.ts';

export class SessionState {
  readonly queue: OutboundQueue;
  /** Incoming QoS 2 messages that are not released, oldest first; their identifiers lie after the queue. */
  receivedCount: number;
  private readonly offset: number;

  /**
   * @param offset of a region of `QueueLimits.lengthOf` the limits @param window that of the session with the Server
   * @param index of the node, if it is one
   */
  constructor(limits: QueueLimits, offset: number, window?: UpstreamWindow, index = 0) {
    this.queue = limits.isStored ? new StoredQueue(limits, offset, index) : new OutboundQueue(limits, offset, window);
    this.offset = offset + limits.capacity;
    this.receivedCount = 0;
  }

  /** Begins a new session that inherits nothing. */
  forget(): void {
    this.queue.clear();
    this.queue.continueIdentifiers(0);
    this.queue.hasProperties = false;
    this.receivedCount = 0;
  }

  /** Whether a QoS 2 message with this identifier has been taken over and not been released [MQTT311-4.3.3-2]. */
  hasReceived(identifier: number): boolean {
    return this.receivedCount !== 0 && this.indexOfReceived(identifier) < this.receivedCount;
  }

  get hasRoomForReceived(): boolean {
    return this.receivedCount < this.queue.limits.maximumUnreleased;
  }

  /** @returns false when as many as allowed are under way */
  addReceived(identifier: number, now: number): boolean {
    const { limits } = this.queue;
    const { view } = limits.arena;
    if (this.receivedCount === limits.maximumUnreleased)
      return false;
    if (limits.isUpstream)
      view.setInt32(this.timesOffset + this.receivedCount * RECEIVED_TIME_LENGTH, now);
    view.setUint16(this.offset + this.receivedCount++ * IDENTIFIER_LENGTH, identifier);
    return true;
  }

  /** PUBREL: from now on the identifier means a new message. */
  removeReceived(identifier: number): void {
    const { bytes } = this.queue.limits.arena;
    const index = this.indexOfReceived(identifier);
    if (index === this.receivedCount)
      return;
    const count = this.receivedCount--;
    if (index + 1 === count)
      return; // nothing after it
    const { offset } = this;
    bytes.copyWithin(offset + index * IDENTIFIER_LENGTH, offset + (index + 1) * IDENTIFIER_LENGTH,
      offset + count * IDENTIFIER_LENGTH);
    if (!this.queue.limits.isUpstream)
      return;
    const times = this.timesOffset;
    bytes.copyWithin(times + index * RECEIVED_TIME_LENGTH, times + (index + 1) * RECEIVED_TIME_LENGTH,
      times + count * RECEIVED_TIME_LENGTH);
  }

  /** A new connection begins: what is not released is waited for anew. */
  renewReceived(now: number): void {
    const { view } = this.queue.limits.arena;
    for (let index = 0; index < this.receivedCount; ++index)
      view.setInt32(this.timesOffset + index * RECEIVED_TIME_LENGTH, now);
  }

  /** When the oldest of the messages came that are not released; there is one. */
  get oldestReceivedAt(): number {
    return this.queue.limits.arena.view.getInt32(this.timesOffset);
  }

  private get timesOffset(): number {
    return this.offset + this.queue.limits.maximumUnreleased * IDENTIFIER_LENGTH;
  }

  private indexOfReceived(identifier: number): number {
    const { offset, receivedCount } = this;
    const { view } = this.queue.limits.arena;
    let index = 0;
    while (index < receivedCount && view.getUint16(offset + index * IDENTIFIER_LENGTH) !== identifier)
      ++index;
    return index;
  }
}
