/**
 * What waits for the Server, as figures: in memory, or, where there is a log that works, in that. A message of the log that
 * is in the queue as well counts once.
 */
import type { WaitingMessages } from '../nodes/system-figures.ts';
import { NONE, type OutboundQueue } from '../session/outbound-queue.ts';
import type { Store } from '../store/store.ts';
import type { Bridge } from './bridge.ts';

export class UpstreamMessages implements WaitingMessages {
  private readonly bridge: Bridge;

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  get pendingCount(): number {
    const { queue } = this;
    return queue.count + queue.kind.waitingCount;
  }

  get pendingLength(): number {
    const { log } = this;
    return log === undefined ? this.queue.usedLength : usedLengthOf(log);
  }

  get capacity(): number {
    const { log } = this;
    return log === undefined ? this.queue.capacity : log.blockCount * log.blockLength;
  }

  get orphanCount(): number {
    return 0;
  }

  get givenUpCount(): number {
    return this.bridge.droppedCount;
  }

  get oversizeCount(): number {
    return this.bridge.oversizeCount;
  }

  /** When the message that waits longest was taken, in seconds since 1970; 0 when nothing waits or nobody knows. */
  get oldestTime(): number {
    const { queue } = this;
    const record = queue.following(NONE);
    return record === NONE ? 0 : queue.timeOf(record);
  }

  get inflightCount(): number {
    return this.queue.inflightCount;
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

  private get queue(): OutboundQueue {
    return this.bridge.session.sessionState!;
  }
}

/** From the oldest block with a message to the one that is written. */
function usedLengthOf(log: Store): number {
  const { blockCount, blockLength, pending, pendingCount, tailBlock } = log;
  let used = pendingCount === 0 ? 0 : blockCount;
  for (let block = log.following(tailBlock); used > 1 && pending[block] === 0; block = log.following(block))
    --used;
  return used * blockLength;
}
