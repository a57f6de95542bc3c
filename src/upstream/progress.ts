/** Whether messages get through, one at a time, while it is found out for what the Server closes connections. */
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { type Court, NOBODY } from './court.ts';

export class Progress {
  private readonly queue: OutboundQueue;
  private readonly court: Court;
  /** Messages that had waited and were acknowledged, when the connection began, and at the last verdict. */
  private doneAtStart = 0;
  private doneAtVerdict = 0;
  /** The last packet identifier that had been given out at the last look; whether one since was acknowledged. */
  private lastIdentifier = NOBODY;
  private hasFreshSuccess = false;

  constructor(queue: OutboundQueue, court: Court) {
    this.queue = queue;
    this.court = court;
  }

  /** A connection begins. */
  begin(): void {
    this.doneAtStart = this.queue.window!.replayedDoneCount;
    this.lastIdentifier = NOBODY;
  }

  noteVerdict(): void {
    this.doneAtVerdict = this.queue.window!.replayedDoneCount;
    this.lastIdentifier = NOBODY;
    this.hasFreshSuccess = false;
  }

  /** Of the messages that had waited, those that were acknowledged on this connection. */
  get doneCount(): number {
    return this.queue.window!.replayedDoneCount - this.doneAtStart;
  }

  /** Whether a message was acknowledged since the last verdict. */
  get hasSucceeded(): boolean {
    return this.hasFreshSuccess || this.queue.window!.replayedDoneCount !== this.doneAtVerdict;
  }

  /**
   * Of those that have not waited: with one under way at a time, all before the last one have arrived.
   * @param isAnnouncing the gateway's own birth is no such message
   */
  look(isAnnouncing: boolean): void {
    const { court, lastIdentifier, queue } = this;
    const latest = queue.latestIdentifier;
    const isOther = isAnnouncing || court.pendingFilter >= 0;
    this.lastIdentifier = isOther ? NOBODY : latest;
    if (!isOther && lastIdentifier !== NOBODY && latest !== lastIdentifier
      && (queue.inflightCount === 0 || latest - lastIdentifier !== 1))
      this.hasFreshSuccess = true;
  }
}
