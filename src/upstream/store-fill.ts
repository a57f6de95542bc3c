/**
 * How full the store towards upstream is: memory, or the log. Amounts are parts of it, 0 to 1. What is in it for
 * others, for nodes that are away or without a rule, is no part of it: that does not become less as the Server takes.
 */
import type { OutboundQueue } from '../session/outbound-queue.ts';
import type { UpstreamWindow } from '../session/upstream-window.ts';
import type { MessageQueue } from '../store/message-queue.ts';
import type { Bridge } from './bridge.ts';

/** Bytes of a PUBLISH beside topic and payload, with padding. */
const LONGEST_HEADER = 12;

export class StoreFill {
  private readonly bridge: Bridge;
  readonly queue: OutboundQueue;
  private readonly window: UpstreamWindow;
  /** Bytes of the longest one that goes upstream. */
  longestPacket: number;


  constructor(bridge: Bridge, longestPacket: number) {
    this.bridge = bridge;
    this.queue = bridge.session.sessionState!.queue;
    this.window = this.queue.window!;
    this.longestPacket = longestPacket;
  }

  /** Messages on their way upstream, but for those that others pass in the log. */
  get count(): number {
    const { queue, window } = this;
    return queue.count + window.waitingCount - window.deferredCount;
  }

  /**
   * Bytes of messages, each with `overhead`, that can be taken before it is that full, and before there may be no room
   * for the longest one; whatever goes out meanwhile.
   */
  slackUntil(level: number): number {
    const { queue: { capacity, usedLength } } = this;
    return this.isLogging ? this.slackOfLog(level)
      : Math.min(capacity * level, capacity - this.lengthOfRecord(this.longestPacket) - 3) - usedLength;
  }

  /** What a message takes beside topic and payload, with what it takes of the number of records. */
  get overhead(): number {
    const { capacity, limits: { headerLength, maximumCount } } = this.queue;
    return headerLength + LONGEST_HEADER + Math.ceil(capacity / maximumCount);
  }

  of(isLogged: boolean): number {
    const { queue } = this;
    if (!isLogged) {
      const bytes = queue.usedLength / queue.capacity, records = queue.count / queue.limits.maximumCount;
      return bytes > records ? bytes : records;
    }
    const { capacity, pendingCount, pendingLength } = this.log();
    const { count } = this;
    if (count >= pendingCount)
      return pendingLength / capacity;
    const length = pendingLength * count / pendingCount;
    return length / (capacity - pendingLength + length);
  }

  /** What a packet takes; by default the longest one. */
  costOf(isLogged: boolean, packetLength = this.longestPacket): number {
    const { capacity, limits } = this.queue;
    const length = this.lengthOfRecord(packetLength);
    if (isLogged)
      return length / this.log().capacity;
    const bytes = length / capacity, records = 1 / limits.maximumCount;
    return bytes > records ? bytes : records;
  }

  /** Whether one more message of any length can be taken. */
  hasRoom(isLogged: boolean): boolean {
    const { longestPacket } = this;
    return isLogged ? this.bridge.backlog!.canPush(this.lengthOfRecord(longestPacket))
      : this.queue.hasRoom(longestPacket);
  }

  /** Whether there is a log, and it works. */
  get isLogging(): boolean {
    return this.bridge.backlog?.store.isWorking === true;
  }

  /** About the same in memory and in the log. */
  private lengthOfRecord(packetLength: number): number {
    return this.queue.limits.headerLength + packetLength;
  }

  /** Of messages that go there. A block that begins may be the last one that is free. */
  private slackOfLog(level: number): number {
    const { longestPacket } = this;
    const log = this.log();
    return !this.hasRoom(true) ? 0
      : Math.min((level - this.of(true)) * log.capacity,
        log.certainLength(this.bridge.backlog!.spare) - this.lengthOfRecord(longestPacket));
  }

  private log(): MessageQueue {
    return this.bridge.backlog!.store.queue;
  }
}
