/**
 * What waits for the Server, as figures: in memory, or, where there is a log that works, in that. A message of the
 * log that is in the queue as well counts once.
 */
import type { WaitingMessages } from '../nodes/system-figures.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { NONE } from '../session/record-layout.ts';
import { type MessageQueue, NONE as NOTHING } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { MESSAGE_UP } from '../store/stored-message.ts';
import type { Bridge } from './bridge.ts';

/** An age that nobody knows. */
export const UNKNOWN = -1;

export class UpstreamMessages implements WaitingMessages {
  private readonly bridge: Bridge;

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  get pendingCount(): number {
    const queue = this.inMemory;
    return queue.pendingCount + queue.window!.waitingCount;
  }

  get pendingLength(): number {
    const { log } = this;
    if (log === undefined)
      return this.inMemory.usedLength;
    return log.queue.pendingCount === 0 ? 0
      : log.queue.usedLength; // blocks are used anew one by one, what waits in them is another matter
  }

  get capacity(): number {
    const { log } = this;
    return log === undefined ? this.inMemory.capacity : log.queue.capacity;
  }

  get orphanCount(): number {
    return this.bridge.backlog === undefined ? 0 : this.bridge.backlog.orphanCount;
  }

  get givenUpCount(): number {
    return this.bridge.droppedCount;
  }

  /** Of them, those that a storage has lost. */
  get unreadableCount(): number {
    return this.bridge.unreadableCount;
  }

  /** Messages that the Server has: it has acknowledged them, or they were of QoS 0 and sent. */
  get deliveredCount(): number {
    return this.inMemory.window!.deliveredCount + this.bridge.directCount;
  }

  get quarantinedCount(): number {
    return this.bridge.guard.quarantine.count;
  }

  get oversizeCount(): number {
    return this.bridge.oversizeCount;
  }

  /**
   * Seconds since the message that waits longest was taken; UNKNOWN when nothing waits or nobody knows. Of a log it
   * is read from the storage.
   */
  get oldestAge(): number {
    const { bridge: { aging }, inMemory, log } = this;
    if (log !== undefined)
      return this.findOldest(log.queue) === NOTHING ? UNKNOWN : aging.age(log.queue.record.takenAt);
    const record = inMemory.following(NONE);
    const time = record === NONE ? 0 : inMemory.timeOf(record); // 0: it may wait as long as it likes, so nobody counts
    return time === 0 ? UNKNOWN : aging.age(time);
  }

  /** Reads the oldest message that goes upstream. */
  private findOldest(log: MessageQueue): number {
    let position = log.first();
    while (position !== NOTHING && log.record.kind !== MESSAGE_UP)
      position = log.next(position + log.record.length);
    return position;
  }

  get inflightCount(): number {
    return this.inMemory.inflightCount;
  }

  /** Whether they survive a power cut. */
  get isDurable(): boolean {
    return this.log !== undefined;
  }

  /** Undefined while messages are kept in memory only. */
  private get log(): Store | undefined {
    const store = this.bridge.backlog?.store;
    return store !== undefined && store.isWorking ? store : undefined;
  }

  private get inMemory(): OutboundQueue {
    return this.bridge.session.sessionState!.queue;
  }
}
