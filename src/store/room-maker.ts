/**
 * Makes room in the queue: the oldest block is given up, and what is to be kept of it moves to the tail first. Until
 * the block says that it is given up its records count and the copies are void; from then on it is the other way
 * round.
 */
import { NO_BLOCK } from './block-ring.ts';
import type { Medium } from './medium.ts';
import type { MessageQueue } from './message-queue.ts';
import * as Format from './record-format.ts';
import { MESSAGE_DOWN } from './stored-message.ts';
import { KEEP, MOVE, type VictimHandler } from './store-owner.ts';

export class RoomMaker {
  private readonly queue: MessageQueue;
  private readonly medium: Medium;

  constructor(queue: MessageQueue, medium: Medium) {
    this.queue = queue;
    this.medium = medium;
  }

  /** @returns false when something must be kept, nothing has changed then; or the storage has failed */
  run(victims: VictimHandler): boolean {
    const { queue } = this;
    const { ring } = queue;
    const isNextFree = ring.tailBlock !== NO_BLOCK && queue.isFree(ring.following(ring.tailBlock));
    const victim = this.victimOf(isNextFree);
    if (victim === NO_BLOCK || victims.movesDown === true && !isNextFree && !this.canMove(victim)
      || victims.mayKeep && this.mustKeep(victim, victims) || isNextFree && !ring.advance())
      return false;
    const isMoved = victims.movesDown === true && this.moveDown(victim, victims);
    this.empty(victim, victims, isMoved);
    if (!this.medium.isWorking)
      return false;
    queue.clear(victim);
    return true;
  }

  private victimOf(isNextFree: boolean): number {
    const { queue } = this;
    const { ring, versionOne } = queue;
    if (ring.tailBlock === NO_BLOCK) { // full of messages of version 0.1
      for (let block = versionOne?.oldestBlock ?? NO_BLOCK; block !== NO_BLOCK; block = versionOne!.successor(block))
        if (!queue.isFree(block) && block < ring.end)
          return block;
      return NO_BLOCK;
    }
    let block = ring.following(ring.tailBlock);
    if (isNextFree) // what is to stay free for others may be more than one block
      do
        block = ring.following(block);
      while (block !== ring.tailBlock && queue.isFree(block));
    return block === ring.tailBlock ? NO_BLOCK : block;
  }

  private mustKeep(victim: number, victims: VictimHandler): boolean {
    const { queue } = this;
    const start = victim * this.medium.blockLength;
    for (let position = queue.firstIn(victim, Format.BLOCK_HEADER_LENGTH); position >= 0;
      position = queue.firstIn(victim, position + queue.record.length - start))
      if (victims.onVictim(queue.record) === KEEP)
        return true;
    return false;
  }

  /** Whether messages down fit where the last record ends; they always fit a block that begins. */
  private canMove(victim: number): boolean {
    const { medium: { blockLength }, queue } = this;
    const { record, ring } = queue;
    let length = 0;
    for (let position = queue.firstIn(victim, Format.BLOCK_HEADER_LENGTH); position >= 0;
      position = queue.firstIn(victim, position + record.length - victim * blockLength))
      if (record.kind === MESSAGE_DOWN)
        length += record.length;
    return ring.fits(length);
  }

  /** Before all else, so that nothing takes their room. @returns whether there were any */
  private moveDown(victim: number, victims: VictimHandler): boolean {
    const { medium, queue } = this;
    const { record, ring } = queue;
    const start = victim * medium.blockLength;
    let isMoved = false;
    for (let position = queue.firstIn(victim, Format.BLOCK_HEADER_LENGTH), length = 0; position >= 0
      && medium.isWorking;
      position = queue.firstIn(victim, position + length - start)) {
      length = record.length;
      if (record.kind !== MESSAGE_DOWN || victims.onVictim(record) !== MOVE || !ring.fits(length))
        continue;
      queue.copy();
      isMoved = true;
    }
    return isMoved;
  }

  private empty(victim: number, victims: VictimHandler, hasMoved: boolean): void {
    const { medium, queue } = this;
    const { record, ring, versionOne } = queue;
    const isVersionOne = versionOne?.holds(victim) === true;
    const start = victim * medium.blockLength;
    let isMoved = hasMoved;
    for (let position = queue.firstIn(victim, Format.BLOCK_HEADER_LENGTH), length = 0; position >= 0
      && medium.isWorking;
      position = queue.firstIn(victim, position + length - start)) {
      length = record.length;
      if (hasMoved && record.kind === MESSAGE_DOWN && victims.onVictim(record) === MOVE)
        continue;
      if (victims.onVictim(record) === MOVE && !isVersionOne && ring.fits(length + Format.COPY_LENGTH)) {
        queue.copy();
        isMoved = true;
        continue;
      }
      victims.onGivenUp(record);
      if (isVersionOne)
        medium.mark(versionOne.doneAt(position));
    }
    if (isMoved && !medium.synchronize())
      return;
    if (!isVersionOne)
      medium.mark(start + Format.BLOCK_GIVEN_UP);
    medium.synchronize();
  }
}
