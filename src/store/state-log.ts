/**
 * The log under the map (state-map.ts): records appended to a ring of blocks, what is live in each block, and
 * compaction: when a block is full the next one is begun, and what is live in the oldest block is copied into it first.
 * The block after the one that is written is always free. The new block says when that is complete; one that does not
 * holds only copies, and is void.
 */
import { BlockRing, NO_BLOCK, type RingOwner } from './block-ring.ts';
import type { Medium } from './medium.ts';
import { pad, stageHead } from './message-record.ts';
import * as Format from './record-format.ts';
import type { RecordWalker } from './record-walker.ts';
import { NO_ENTRY, StateIndex } from './state-index.ts';

const MARKS = 1;
const BODY = Format.RECORD_MARKS + MARKS * Format.WORD;
/** Where a value lies in its record. */
export const VALUE = BODY + Format.WORD;

/** Bytes of the record of a value. */
export const lengthOfState = (valueLength: number): number => Format.lengthOfRecord(MARKS, Format.WORD + valueLength);

/**
 * Bytes that live records may have in a ring of so many blocks: three quarters, so that compaction moves three bytes to
 * gain one at most.
 */
export const capacityOfState = (blockCount: number, blockLength: number): number =>
  blockCount === 0 ? 0 : (blockCount - 1) * (blockLength - Format.BLOCK_HEADER_LENGTH) * 0.75 | 0;

export abstract class StateLog implements RingOwner {
  readonly ring: BlockRing;
  /** Bytes of the records that are live. */
  usedLength = 0;
  protected readonly medium: Medium;
  protected readonly walker: RecordWalker;
  protected index: StateIndex;
  /** Of each block of the ring. */
  protected live = new Uint32Array(0);

  constructor(medium: Medium, walker: RecordWalker, capacity: number) {
    this.medium = medium;
    this.walker = walker;
    this.index = new StateIndex(capacity);
    this.ring = new BlockRing(medium, this);
  }

  get capacity(): number {
    return capacityOfState(this.ring.blockCount, this.medium.blockLength);
  }

  // RingOwner

  isFree(block: number): boolean {
    return this.live[block - this.ring.first] === 0;
  }

  onBlockErased(_block: number): void { /* what is live has been copied before */ }

  // How it is done

  protected canPut(recordLength: number, replacedLength: number): boolean {
    return this.usedLength - replacedLength + recordLength <= this.capacity
      && (this.ring.fits(recordLength) || this.canGain(recordLength));
  }

  /** Makes room for a record. */
  protected reserve(kind: number, key: number, recordLength: number): boolean {
    const { index, ring } = this;
    const at = index.find(kind, key);
    if (!this.medium.isWorking || at === NO_ENTRY && index.isFull
      || !this.canPut(recordLength, at === NO_ENTRY ? 0 : index.lengthAt(at)))
      return false;
    for (let left = ring.blockCount; !ring.fits(recordLength); --left)
      if (left === 0 || !this.turn())
        return false;
    return true;
  }

  /** Whether compaction would free so many bytes in one block. */
  private canGain(recordLength: number): boolean {
    const { live, ring } = this;
    if (!ring.canHold(recordLength))
      return false;
    if (ring.tailBlock === NO_BLOCK)
      return ring.firstFree !== NO_BLOCK;
    const next = ring.following(ring.tailBlock);
    for (let block = ring.first; block < ring.end; ++block)
      if (block !== next
        && this.medium.blockLength - Format.BLOCK_HEADER_LENGTH - live[block - ring.first]! >= recordLength)
        return true;
    return false;
  }

  protected write(kind: number, key: number, length: number, recordLength: number): boolean {
    const { index, medium, ring } = this;
    const { arena } = medium;
    stageHead(arena, kind, MARKS, Format.WORD + length);
    arena.view.setInt32(arena.stagingOffset + BODY, key);
    pad(arena, arena.stagingOffset + VALUE + length);
    const position = ring.append(recordLength, BODY);
    if (position === NO_BLOCK)
      return false;
    const at = index.find(kind, key);
    if (at !== NO_ENTRY)
      this.discount(at);
    index.set(kind, key, position, recordLength);
    this.countLive(position, recordLength);
    medium.written = medium.written + 1 | 0;
    return true;
  }

  /** Begins the next block with what is live in the oldest one. */
  protected turn(): boolean {
    const { medium, ring } = this;
    return ring.advance() && this.relocate(ring.following(ring.tailBlock)) && medium.synchronize()
      && medium.mark(ring.tailBlock * medium.blockLength + Format.BLOCK_COMPLETE);
  }

  protected relocate(block: number): boolean {
    const { index, medium: { blockLength }, ring } = this;
    for (let at = 0; at < index.size && !this.isFree(block); ++at) {
      const position = index.positionAt(at);
      if (position === 0 || (position / blockLength | 0) !== block)
        continue;
      if (!ring.fits(index.lengthAt(at)) || !this.move(at)) {
        if (!this.medium.isWorking || !ring.fits(index.lengthAt(at)))
          return false;
        this.discount(at); // it cannot be read
        index.removeAt(at);
        at = -1;
      }
    }
    return true;
  }

  /** Copies the record of an entry to the tail. @returns false when it cannot be read or written */
  protected move(at: number): boolean {
    const { index, ring, walker } = this;
    if (!walker.readAt(index.positionAt(at)))
      return false;
    const position = ring.append(walker.length, Format.RECORD_MARKS + walker.marks * Format.WORD);
    if (position === NO_BLOCK)
      return false;
    this.discount(at);
    index.moveTo(at, position);
    this.countLive(position, walker.length);
    return true;
  }

  protected discount(at: number): void {
    const { index } = this;
    const length = index.lengthAt(at);
    this.usedLength -= length;
    this.live[(index.positionAt(at) / this.medium.blockLength | 0) - this.ring.first]! -= length;
  }

  protected countLive(position: number, length: number): void {
    this.usedLength += length;
    this.live[(position / this.medium.blockLength | 0) - this.ring.first]! += length;
  }
}
