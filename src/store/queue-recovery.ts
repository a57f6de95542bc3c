/** Finds out at start what the queue holds: one pass over its blocks, from the oldest record to the newest. */
import { NO_BLOCK } from './block-ring.ts';
import type { BlockScan } from './block-scan.ts';
import type { Medium } from './medium.ts';
import { giveUpAll } from './message-record.ts';
import type { MessageQueue } from './message-queue.ts';
import * as Format from './record-format.ts';
import { NO_RECORD, type RecordWalker } from './record-walker.ts';
import { DONE, GIVEN_UP, StoredMessage } from './stored-message.ts';
import type { Recovery, StoreReport } from './store-owner.ts';
import type { StoreClock } from './store-clock.ts';
import type { VersionOne } from './version-one.ts';

export class QueueRecovery {
  private readonly queue: MessageQueue;
  private readonly medium: Medium;
  private readonly walker: RecordWalker;
  private readonly clock: StoreClock;
  private readonly recovery: Recovery;
  private readonly report: StoreReport;
  private readonly original = new StoredMessage();
  private voidCount = 0;

  constructor(queue: MessageQueue, walker: RecordWalker, clock: StoreClock, recovery: Recovery, report: StoreReport) {
    this.queue = queue;
    this.medium = queue.ring.medium;
    this.walker = walker;
    this.clock = clock;
    this.recovery = recovery;
    this.report = report;
  }

  run(scan: BlockScan): void {
    const { medium, queue, walker } = this;
    const { ring, versionOne } = queue;
    if (versionOne !== undefined)
      this.readVersionOne(versionOne);
    const tail = scan.tailOf(ring, walker, false);
    if (tail !== NO_BLOCK) {
      walker.damagedCount = 0;
      for (let left = ring.blockCount, block = ring.following(tail); left > 0; --left, block = ring.following(block))
        if (medium.sequences[block] !== 0)
          this.readBlock(scan, block);
      this.report.damagedCount += walker.damagedCount;
      scan.resume(ring, tail, walker.freeOffset);
    }
    if (this.voidCount > 0) // a copy that is void stays void, whatever becomes of its original
      medium.synchronize();
  }

  private readBlock(scan: BlockScan, block: number): void {
    const { queue, walker } = this;
    const isGivenUp = scan.isMarked(block);
    walker.enter(block, Format.BLOCK_HEADER_LENGTH, this.medium.blockLength);
    const { arena, blockLength, unwritten } = this.medium;
    let position = walker.next();
    unwritten.compare(block, position === block * blockLength + Format.BLOCK_HEADER_LENGTH
      ? arena.view.getInt32(arena.stagingOffset + Format.RECORD_CHECKSUM) : 0);
    for (; position !== NO_RECORD; position = walker.next())
      if (queue.read(position)) {
        if (isGivenUp)
          giveUpAll(queue.record);
        this.take(scan, block);
      } else if (walker.kind === Format.CLOCK && walker.version === Format.KIND_VERSION)
        this.clock.restore(arena, Format.RECORD_MARKS + walker.marks * Format.WORD, walker.bodyLength);
  }

  private take(scan: BlockScan, block: number): void {
    const { queue, report } = this;
    const { record } = queue;
    this.clock.reach(record.takenAt);
    if (record.copyOf !== 0 && !record.isSettled) {
      const { position } = record;
      const isVoid = this.isVoidCopy(scan, block, record.copyOf);
      this.walker.readAt(position);
      queue.read(position);
      if (isVoid) {
        queue.dropOriginal(position);
        ++this.voidCount;
        return;
      }
    }
    this.writeMarks();
    if (!record.isSettled) {
      queue.count(block, record, record.length);
      ++report.restoredCount;
    }
    if (!record.isSettled || record.sender !== 0 && !record.isReleased)
      this.recovery.onMessage(record);
  }

  /** What is known of the message that is read, and is not in this storage, is written now; and the other way round. */
  private writeMarks(): void {
    const { medium, queue } = this;
    const { record, versionOne } = queue;
    const { unwritten } = medium;
    const { destinationCount, isReleased, isSettled, position } = record;
    if (isSettled) {
      if (destinationCount === 1 && (record.states[0]! & DONE) !== 0) // not one that was given up for its copy
        unwritten.settle(position);
    } else if (unwritten.isSettled(position)) {
      if (record.isMapped)
        medium.mark(versionOne!.doneAt(position));
      else
        queue.dropOriginal(position);
      giveUpAll(record);
    }
    if (record.isMapped)
      return;
    if (isReleased)
      unwritten.release(position);
    else if (unwritten.isReleased(position)) {
      queue.released(position);
      record.isReleased = true;
    }
  }

  /** A copy counts when its original has been given up for it, or is not there any more. */
  private isVoidCopy(scan: BlockScan, block: number, copyOf: number): boolean {
    const { medium, queue, walker } = this;
    const { blockLength, sequences } = medium;
    const originalBlock = copyOf / blockLength | 0;
    if (originalBlock >= queue.ring.end || sequences[originalBlock] === 0
      || sequences[originalBlock]! >= sequences[block]!
      || scan.isMarked(originalBlock) || !walker.readAt(copyOf) || !queue.read(copyOf))
      return false;
    const { destinationCount, states } = queue.record;
    for (let index = 0; index < destinationCount; ++index)
      if ((states[index]! & GIVEN_UP) !== 0)
        return false;
    return true;
  }

  private readVersionOne(versionOne: VersionOne): void {
    const { medium, original, queue, report } = this;
    const { record } = queue;
    for (let block = versionOne.oldestBlock; block !== NO_BLOCK; block = versionOne.successor(block)) {
      medium.unwritten.compare(block, versionOne.sequenceOf(block));
      for (let position = versionOne.nextRecord(block * medium.blockLength + Format.BLOCK_HEADER_LENGTH);
        position >= 0; position = versionOne.nextRecord(versionOne.after(position))) {
        if (!versionOne.load(position, record)) {
          ++report.damagedCount;
          continue;
        }
        if (!record.isSettled && versionOne.isVoidCopy(record, original)) {
          medium.mark(versionOne.doneAt(position));
          ++this.voidCount;
          continue;
        }
        if (record.copyOf !== 0)
          versionOne.load(position, record);
        this.writeMarks();
        if (!record.isSettled) {
          queue.count(block, record, record.length);
          ++report.restoredCount;
          ++report.versionOneCount;
        }
        if (!record.isSettled || record.origin !== 0 && !record.isReleased)
          this.recovery.onMessage(record);
      }
    }
  }
}
