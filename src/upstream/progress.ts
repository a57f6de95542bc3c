/** Whether messages get through, one at a time, while it is found out for what the Server closes connections. */
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { type Court, NOBODY } from './court.ts';

const LAST_IDENTIFIER = 65_535;

export class Progress {
  private readonly queue: OutboundQueue;
  private readonly court: Court;
  /** Messages that had waited and were acknowledged, when the connection began. */
  private doneAtStart = 0;
  /** The last packet identifier that had been given out at the last look; how often one since was acknowledged. */
  private lastIdentifier = NOBODY;
  private freshCount = 0;
  /** `count` at the last verdict. */
  private countAtVerdict = 0;

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
    this.countAtVerdict = this.count;
    this.lastIdentifier = NOBODY;
  }

  /** Of the messages that had waited, those that were acknowledged on this connection. */
  get doneCount(): number {
    return this.queue.window!.replayedDoneCount - this.doneAtStart;
  }

  /** Whether a message was acknowledged since the last verdict. */
  get hasSucceeded(): boolean {
    return this.count !== this.countAtVerdict;
  }

  /** A number that is another one when a message has been acknowledged since. */
  get count(): number {
    return this.freshCount + this.queue.window!.replayedDoneCount | 0;
  }

  /**
   * Of those that have not waited: when more identifiers have been given out than messages are under way, some have
   * arrived.
   * @param isAnnouncing the gateway's own birth is no such message
   */
  look(isAnnouncing: boolean): void {
    const { court, lastIdentifier, queue } = this;
    const latest = queue.latestIdentifier;
    const isOther = isAnnouncing || court.pendingFilter >= 0;
    this.lastIdentifier = isOther ? NOBODY : latest;
    if (!isOther && lastIdentifier !== NOBODY && (latest - lastIdentifier & LAST_IDENTIFIER) > queue.inflightCount)
      ++this.freshCount;
  }
}
