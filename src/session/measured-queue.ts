/**
 * The queue towards the Server where somebody wants to know how long messages take and how often they are repeated: it
 * keeps beside the records when each was taken over. A queue without that costs nothing more for it.
 *
 * What was in the log before it came here is known to the second, everything else to the millisecond.
 */
import type { Clock } from './clock.ts';
import { DeliveryTimes } from './delivery-times.ts';
import { OutboundQueue } from './outbound-queue.ts';
import type { QueueLimits } from './queue-limits.ts';
import { NONE, NOT_STORED, SENT } from './record-layout.ts';
import type { UpstreamWindow } from './upstream-window.ts';

/** A record with its notes has more bytes than that, so no two begin in the same piece of the ring. */
const PIECE_SHIFT = 5;
/** More milliseconds than that are as good as that: differences have 31 bits. */
const LONGEST = 0x3FFFFFFF;

export class MeasuredQueue extends OutboundQueue {
  readonly times = new DeliveryTimes();
  /** Messages that were sent again, because nothing had acknowledged them. */
  repeatedCount = 0;
  /** Seconds since a message of the log was taken over. */
  ageOf: (takenAt: number) => number = () => 0;
  private readonly clock: Clock;
  /** When the message was taken over whose record begins in a piece of the ring. */
  private readonly takenAt: Int32Array;
  /** Of the message that changes its place; NONE when none does. */
  private moving = NONE;
  private movingSince = 0;

  constructor(limits: QueueLimits, offset: number, window: UpstreamWindow | undefined, clock: Clock) {
    super(limits, offset, window);
    this.clock = clock;
    this.takenAt = new Int32Array((limits.capacity >> PIECE_SHIFT) + 1);
  }

  /** @returns seconds since the message of `record` was taken over */
  override secondsOf(record: number): number {
    return (this.clock.now - this.takenAt[this.pieceOf(record)]! | 0) / 1000 | 0;
  }

  override complete(identifier: number, qos: number): boolean {
    const record = this.find(identifier);
    const isCompleted = super.complete(identifier, qos);
    if (isCompleted)
      this.times.add(this.clock.now - this.takenAt[this.pieceOf(record)]! | 0);
    return isCompleted;
  }

  override moveOldest(): boolean {
    this.moving = this.oldest;
    this.movingSince = this.takenAt[this.pieceOf(this.moving)]!;
    const isThere = super.moveOldest();
    this.moving = NONE;
    return isThere;
  }

  override stage(record: number, length: number): void {
    this.noteRepetition(record);
    super.stage(record, length);
  }

  override stageForm(record: number, hasProperties: boolean): number {
    this.noteRepetition(record);
    return super.stageForm(record, hasProperties);
  }

  protected override enter(at: number, packetLength: number, state: number, qos: number, identifier: number): void {
    super.enter(at, packetLength, state, qos, identifier);
    this.takenAt[at >> PIECE_SHIFT] = this.moving === NONE ? this.takenAtOf() : this.movingSince;
  }

  protected override onMoved(from: number, to: number): void {
    super.onMoved(from, to);
    this.takenAt[this.pieceOf(to)] = this.takenAt[this.pieceOf(from)]!;
  }

  /** Of the message that is entered. */
  private takenAtOf(): number {
    const { clock: { now }, window } = this;
    if (window === undefined || window.position === NOT_STORED)
      return now;
    const age = this.ageOf(window.time) * 1000;
    return now - (age < LONGEST ? age : LONGEST) | 0;
  }

  private noteRepetition(record: number): void {
    if (this.stateOf(record) === SENT)
      ++this.repeatedCount;
  }

  private pieceOf(record: number): number {
    return record - this.offset >> PIECE_SHIFT;
  }
}
