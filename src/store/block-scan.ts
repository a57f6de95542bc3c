/**
 * Which blocks have content, found out once at start from their headers, and where a header is damaged from its
 * neighbours: blocks of a ring have sequences one after the other, and the checksum of any record in the block proves
 * the right one.
 */
import { NO_BLOCK, type BlockRing } from './block-ring.ts';
import type { Medium } from './medium.ts';
import * as Format from './record-format.ts';
import type { RecordWalker } from './record-walker.ts';
import type { StoreReport } from './store-owner.ts';
import { isVersionOneHeader } from './version-one.ts';

// What is known of a block
const ERASES_NEXT = 1;
const NEXT_ERASED = 2;
/** BLOCK_GIVEN_UP or BLOCK_COMPLETE. */
const MARKED = 4;
/** Its header is not sound, or not there though its neighbours have content. */
const SUSPECT = 8;
/** It has bytes that are not ours, unless it is proved. */
const FOREIGN = 16;
export const VERSION_ONE = 32;
/** Its header is damaged, its records are sound. */
const INFERRED = 64;

const HEADER_AND_WORD = Format.BLOCK_HEADER_LENGTH + Format.WORD;

export class BlockScan {
  readonly flags: Uint8Array;
  /** First block of the map as the headers say it, 0 when none does. */
  boundary = 0;
  private readonly medium: Medium;
  private readonly report: StoreReport;

  /** Reads all headers. @throws Error when a later version has written here */
  constructor(medium: Medium, report: StoreReport) {
    this.medium = medium;
    this.report = report;
    this.flags = new Uint8Array(medium.blockCount);
    for (let block = 0; block < medium.blockCount; ++block)
      this.flags[block] = this.readHeader(block);
  }

  isMarked(block: number): boolean {
    return (this.flags[block]! & MARKED) !== 0;
  }

  /**
   * Finds the newest block of a ring, and the sequences of those with damaged headers. @param isComplete the newest
   * must be marked, or is void
   */
  tailOf(ring: BlockRing, walker: RecordWalker, isComplete: boolean): number {
    let tail = this.newestOf(ring);
    if (tail === NO_BLOCK)
      tail = this.findAnchor(ring, walker);
    if (tail === NO_BLOCK) {
      this.countForeign(ring);
      return NO_BLOCK;
    }
    tail = this.settle(ring, tail, walker);
    if (isComplete && (this.flags[tail]! & (MARKED | INFERRED)) === 0
      && this.medium.sequences[tail] !== 1) { // it holds nothing but copies of what is there
      this.voidBlock(tail);
      tail = this.newestOf(ring);
    }
    this.countForeign(ring);
    return tail;
  }

  /** No header of the ring is sound: one of its blocks tells its sequence itself. @returns it, or NO_BLOCK */
  private findAnchor(ring: BlockRing, walker: RecordWalker): number {
    const { flags, medium, report } = this;
    const { arena: { stagingOffset, view } } = medium;
    for (let block = ring.first; block < ring.end; ++block) {
      if ((flags[block]! & SUSPECT) === 0)
        continue;
      const isReadable = medium.read(block * medium.blockLength, HEADER_AND_WORD);
      const told = isReadable ? view.getUint32(stagingOffset + Format.BLOCK_SEQUENCE) : 0;
      const sequence = walker.findSequence(block, told);
      if (sequence === 0)
        continue;
      ++report.damagedCount;
      flags[block] = flags[block]! & ~(SUSPECT | FOREIGN) | INFERRED;
      medium.sequences[block] = sequence;
      return block;
    }
    return NO_BLOCK;
  }

  /** Settles what the blocks of a ring are whose newest is `tail`. @returns the newest */
  private settle(ring: BlockRing, tail: number, walker: RecordWalker): number {
    const isNextVoid = (this.flags[tail]! & ERASES_NEXT) !== 0;
    if (isNextVoid) // unless it is newer, with a damaged header
      this.medium.sequences[ring.following(tail)] = 0;
    return this.inferAll(ring, tail, walker, isNextVoid);
  }

  /** The ring goes on where it was. @param offset in the newest block */
  resume(ring: BlockRing, tail: number, offset: number): void {
    const { medium } = this;
    const next = ring.following(tail);
    const saysErasure = (this.flags[tail]! & ERASES_NEXT) !== 0;
    const isNextErased = saysErasure && (this.flags[tail]! & NEXT_ERASED) !== 0
      && medium.isErased(next * medium.blockLength, (next + 1) * medium.blockLength);
    ring.resume(tail, offset, saysErasure, isNextErased);
  }

  voidBlock(block: number): void {
    this.medium.sequences[block] = 0;
    this.flags[block] = 0;
  }

  private readHeader(block: number): number {
    const { medium } = this;
    const { arena, blockLength } = medium;
    const { stagingOffset, view } = arena;
    if (!medium.read(block * blockLength, HEADER_AND_WORD))
      return SUSPECT;
    const magic = view.getUint32(stagingOffset);
    if (isVersionOneHeader(arena, blockLength))
      return VERSION_ONE;
    view.setUint32(stagingOffset, Format.MAGIC);
    const isSound =
      view.getInt32(stagingOffset + Format.BLOCK_CHECKSUM) === Format.checksum(arena, stagingOffset,
        Format.BLOCK_CHECKSUM, 0);
    const revision = arena.bytes[stagingOffset + Format.BLOCK_BOUNDARY]!;
    if (isSound ? revision > Format.REVISION : (magic & 0xFFFFFF00) === (Format.MAGIC & 0xFFFFFF00)
      && (magic & 0xFF) > (Format.MAGIC & 0xFF) && (magic & 0xFF) <= 0x39)
      throw new Error('a later version of this program has stored messages here, and nothing of it is touched: run that version, or give another store.path');
    const boundary = view.getUint32(stagingOffset + Format.BLOCK_BOUNDARY) & 0xFFFFFF;
    const sequence = view.getUint32(stagingOffset + Format.BLOCK_SEQUENCE);
    if (isSound && sequence > 0 && view.getUint32(stagingOffset + Format.BLOCK_LENGTH) === blockLength
      && boundary >= Format.FEWEST_BLOCKS && boundary <= medium.blockCount) {
      medium.sequences[block] = sequence;
      this.boundary = boundary;
      return this.markAt(Format.BLOCK_ERASES_NEXT, ERASES_NEXT) | this.markAt(Format.BLOCK_NEXT_ERASED,
        NEXT_ERASED) | this.markAt(Format.BLOCK_GIVEN_UP, MARKED);
    }
    if (magic === Format.ERASED) // or a cut has left it out, and the block was used all the same
      return view.getUint32(stagingOffset + Format.BLOCK_HEADER_LENGTH) === Format.ERASED ? 0
        : SUSPECT | this.wholeMarks();
    view.setUint32(stagingOffset, magic);
    return magic === 0 ? SUSPECT : SUSPECT | FOREIGN | (sequence === 0 ? 0 : this.wholeMarks());
  }

  /** Of a damaged header only those count that are whole. */
  private wholeMarks(): number {
    const { stagingOffset, view } = this.medium.arena;
    return (view.getInt32(stagingOffset + Format.BLOCK_ERASES_NEXT) === 0 ? ERASES_NEXT : 0)
      | (view.getInt32(stagingOffset + Format.BLOCK_GIVEN_UP) === 0 ? MARKED : 0)
      | (view.getInt32(stagingOffset + Format.BLOCK_NEXT_ERASED) === 0 ? NEXT_ERASED : 0);
  }

  private markAt(field: number, flag: number): number {
    const { arena } = this.medium;
    return Format.isMark(arena.view.getInt32(arena.stagingOffset + field)) ? flag : 0;
  }

  /** @returns NO_BLOCK when none has content */
  newestOf(ring: BlockRing): number {
    const { sequences } = this.medium;
    let newest = NO_BLOCK;
    for (let block = ring.first; block < ring.end; ++block)
      if (sequences[block]! > (newest === NO_BLOCK ? 0 : sequences[newest]!))
        newest = block;
    return newest;
  }

  /** @returns the newest block, which may be one of them */
  private inferAll(ring: BlockRing, anchor: number, walker: RecordWalker, isNextVoid: boolean): number {
    const { sequences } = this.medium;
    const { blockCount } = ring;
    const newest = sequences[anchor]!;
    let oldest = newest;
    for (let block = ring.first; block < ring.end; ++block)
      if (sequences[block]! > 0 && sequences[block]! < oldest)
        oldest = sequences[block]!;
    let tail = anchor;
    for (let ahead = 1, block = ring.following(anchor); ahead < blockCount; ++ahead, block = ring.following(block)) {
      const old = newest + ahead - blockCount;
      if (sequences[block] !== 0 || (this.flags[block]! & VERSION_ONE) !== 0 || (this.flags[block]! & SUSPECT) === 0
        && old <= oldest)
        continue;
      let sequence = 0;
      if (walker.isProved(block, newest + ahead))
        sequence = newest + ahead;
      else if (old > 0 && !(ahead === 1 && isNextVoid) && walker.isProved(block, old))
        sequence = old;
      if (sequence === 0)
        continue;
      ++this.report.damagedCount;
      this.flags[block] = this.flags[block]! & ~(SUSPECT | FOREIGN) | INFERRED;
      sequences[block] = sequence;
      if (sequence > sequences[tail]!)
        tail = block;
    }
    return tail;
  }

  private countForeign(ring: BlockRing): void {
    for (let block = ring.first; block < ring.end; ++block)
      if ((this.flags[block]! & FOREIGN) !== 0)
        ++this.report.foreignBlockCount;
  }
}
