/**
 * Some neighbouring blocks of the storage, used in turn, so that each is erased equally often: the queue's or the
 * map's. One block after the one that is written is always free, and is erased before it is needed. Before an erasure
 * begins, the block that is written says so: whatever an interrupted erasure leaves is void, however valid it looks;
 * and when it is over, so that it is not done again after a restart.
 */
import * as Format from './record-format.ts';
import type { Medium } from './medium.ts';

/** No block. */
export const NO_BLOCK = -1;

/** Told before a block is erased. */
export interface RingOwner {
  /** @returns whether nothing in the block is needed any more */
  isFree(block: number): boolean;
  onBlockErased(block: number): void;
}

export class BlockRing {
  readonly medium: Medium;
  private readonly owner: RingOwner;
  /** Blocks from `first` to before `end`. */
  first = 0;
  end = 0;
  /** The block that is written, NO_BLOCK before the first one; and where in it. */
  tailBlock = NO_BLOCK;
  tailOffset = 0;
  private sequence = 0;
  /** The record that was written last since the storage was opened: its position, NO_BLOCK for none, and checksum. */
  private lastPosition = NO_BLOCK;
  private lastChecksum = 0;
  private boundary = 0;
  private isNextErased = false;
  /** The block that is written has said that the next one is being erased. */
  private saysErasure = false;

  constructor(medium: Medium, owner: RingOwner) {
    this.medium = medium;
    this.owner = owner;
  }

  open(first: number, end: number, boundary: number): void {
    this.first = first;
    this.end = end;
    this.boundary = boundary;
    this.tailBlock = this.lastPosition = NO_BLOCK;
    this.tailOffset = this.sequence = 0;
    this.isNextErased = this.saysErasure = false;
  }

  /** What recovery has found. @param offset where the block goes on to be written, its length when it does not */
  resume(tailBlock: number, offset: number, saysErasure: boolean, isNextErased: boolean): void {
    this.tailBlock = tailBlock;
    this.tailOffset = offset;
    this.sequence = this.medium.sequences[tailBlock]!;
    this.saysErasure = saysErasure;
    this.isNextErased = isNextErased;
  }

  get blockCount(): number {
    return this.end - this.first;
  }

  /** Bytes that records can fill. */
  get capacity(): number {
    return (this.blockCount - 1) * (this.medium.blockLength - Format.BLOCK_HEADER_LENGTH);
  }

  /** Position after the last record. */
  get tail(): number {
    return this.tailBlock * this.medium.blockLength + this.tailOffset;
  }

  following(block: number): number {
    return block + 1 === this.end ? this.first : block + 1;
  }

  /** Whether a record of this length can be written where the last one ends. */
  fits(length: number): boolean {
    return this.tailBlock !== NO_BLOCK && this.tailOffset + length <= this.medium.blockLength;
  }

  /** Whether a block could hold it. */
  canHold(length: number): boolean {
    return length <= this.medium.blockLength - Format.BLOCK_HEADER_LENGTH
      && length <= this.medium.arena.stagingCapacity;
  }

  /** Gets the next block ready when this one is half full and that one is free. */
  prepare(): void {
    if (!this.isNextErased && this.tailOffset > this.medium.blockLength >> 1
      && this.owner.isFree(this.following(this.tailBlock)))
      this.eraseNext();
  }

  /** Begins the next block, whatever comes after it. @returns false when it is not free, or the storage has failed */
  advance(): boolean {
    const next = this.tailBlock === NO_BLOCK ? this.firstFree : this.following(this.tailBlock);
    return next !== NO_BLOCK && this.owner.isFree(next) && (this.isNextErased || this.erase(next))
      && (this.tailBlock === NO_BLOCK
        || this.medium.synchronize()) // no block without all that comes before it: a disk may write in any order
      && this.begin(next);
  }

  /**
   * Writes the record in the staging area, whose head is there but for the checksum. @returns its position, or
   * NO_BLOCK
   */
  append(length: number, bodyOffset: number): number {
    const { arena } = this.medium;
    const position = this.tail;
    const checksum = Format.checksumOfRecord(arena, this.sequence, this.tailOffset, bodyOffset);
    arena.view.setInt32(arena.stagingOffset + Format.RECORD_CHECKSUM, checksum);
    if (this.tailOffset === Format.BLOCK_HEADER_LENGTH)
      this.medium.unwritten.prove(this.tailBlock, checksum);
    this.lastPosition = position;
    this.lastChecksum = checksum;
    this.tailOffset += length; // in any case: what a failure leaves there is not erased
    return this.medium.program(position, length) ? position : NO_BLOCK;
  }

  /** Whether the storage has what was written last, as far as it can be read: nobody has written over it. */
  get isIntact(): boolean {
    const { lastChecksum, lastPosition, medium, sequence, tailBlock } = this;
    return tailBlock === NO_BLOCK
      || medium.hasWord(tailBlock * medium.blockLength + Format.BLOCK_SEQUENCE, sequence)
      && (lastPosition === NO_BLOCK || medium.hasWord(lastPosition + Format.RECORD_CHECKSUM, lastChecksum));
  }

  /** A block whose following one is free too, for the first record. */
  get firstFree(): number {
    for (let block = this.first; block < this.end; ++block)
      if (this.owner.isFree(block) && this.owner.isFree(this.following(block)))
        return block;
    return NO_BLOCK;
  }

  private eraseNext(): void {
    this.erase(this.following(this.tailBlock));
  }

  private erase(block: number): boolean {
    const { medium, tailBlock } = this;
    const start = tailBlock * medium.blockLength;
    this.owner.onBlockErased(block);
    if (tailBlock !== NO_BLOCK && !this.saysErasure) {
      this.saysErasure = true;
      if (!medium.mark(start + Format.BLOCK_ERASES_NEXT) || !medium.synchronize())
        return false;
    }
    medium.sequences[block] = 0;
    if (!medium.erase(block))
      return false;
    this.isNextErased = true;
    return tailBlock === NO_BLOCK || medium.synchronize() && medium.mark(start + Format.BLOCK_NEXT_ERASED);
  }

  private begin(block: number): boolean {
    const { medium } = this;
    const { arena } = medium;
    const { stagingOffset, view } = arena;
    this.tailBlock = block;
    this.tailOffset = Format.BLOCK_HEADER_LENGTH;
    this.isNextErased = this.saysErasure = false;
    medium.sequences[block] = ++this.sequence;
    view.setUint32(stagingOffset, Format.MAGIC);
    view.setUint32(stagingOffset + Format.BLOCK_SEQUENCE, this.sequence);
    view.setUint32(stagingOffset + Format.BLOCK_LENGTH, medium.blockLength);
    view.setUint32(stagingOffset + Format.BLOCK_BOUNDARY, Format.REVISION << 24 | this.boundary);
    view.setInt32(stagingOffset + Format.BLOCK_CHECKSUM,
      Format.checksum(arena, stagingOffset, Format.BLOCK_CHECKSUM, 0));
    return medium.program(block * medium.blockLength, Format.BLOCK_CHECKSUM + Format.WORD);
  }
}
