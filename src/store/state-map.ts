/**
 * The last value of each key, in a ring of blocks. A value is replaced by a new record; its removal is a mark of the
 * last one. When a block is full the next one is begun, and what is live in the oldest block is copied into it first:
 * the block after the one that is written is always free. The new block says when that is complete; one that does not
 * holds only copies, and is void.
 */
import type { Arena } from '../bytes/arena.ts';
import { BlockRing, NO_BLOCK, type RingOwner } from './block-ring.ts';
import type { BlockScan } from './block-scan.ts';
import type { Medium } from './medium.ts';
import { pad, stageHead } from './message-record.ts';
import * as Format from './record-format.ts';
import { NO_RECORD, type RecordWalker } from './record-walker.ts';
import { NO_ENTRY, StateIndex } from './state-index.ts';
import type { StoreClock } from './store-clock.ts';
import type { Recovery, StoreReport } from './store-owner.ts';

const MARKS = 1;
const BODY = Format.RECORD_MARKS + MARKS * Format.WORD;
const VALUE = BODY + Format.WORD;

/** Bytes of the record of a value. */
export const lengthOfState = (valueLength: number): number => Format.lengthOfRecord(MARKS, Format.WORD + valueLength);

export class StateMap implements RingOwner {
  readonly ring: BlockRing;
  /** Bytes of the records that are live. */
  usedLength = 0;
  private readonly medium: Medium;
  private readonly walker: RecordWalker;
  private index: StateIndex;
  /** Of each block of the ring. */
  private live = new Uint32Array(0);

  constructor(medium: Medium, walker: RecordWalker, capacity: number) {
    this.medium = medium;
    this.walker = walker;
    this.index = new StateIndex(capacity);
    this.ring = new BlockRing(medium, this);
  }

  get count(): number {
    return this.index.count;
  }

  /** Bytes that live records may have: three quarters, so that compaction moves three bytes at most to gain one. */
  get capacity(): number {
    return this.ring.capacity * 3 >> 2;
  }

  /** Blocks from `first` to the end of the storage. */
  open(scan: BlockScan, first: number, report: StoreReport): void {
    const { medium, ring, walker } = this;
    ring.open(first, medium.blockCount, first);
    let tail = scan.tailOf(ring, walker, true);
    walker.damagedCount = 0;
    this.find(tail);
    const isUnfinished = tail !== NO_BLOCK && !scan.isMarked(tail)
      && this.live[ring.following(tail) - ring.first] !== 0;
    if (isUnfinished) {
      scan.voidBlock(tail);
      tail = scan.newestOf(ring);
      this.find(tail);
    }
    report.damagedCount += walker.damagedCount;
    if (tail === NO_BLOCK)
      return;
    scan.resume(ring, tail, walker.freeOffset);
    if (this.live[ring.following(tail) - ring.first] !== 0) // damage has brought an earlier value back
      this.relocate(ring.following(tail));
  }

  /** Hands out what there is. */
  recover(recovery: Recovery, clock: StoreClock): void {
    const { index, walker } = this;
    for (let at = 0; at < index.size; ++at) {
      const position = index.positionAt(at);
      if (position === 0 || !walker.readAt(position) || walker.version !== Format.KIND_VERSION)
        continue;
      const value = Format.RECORD_MARKS + walker.marks * Format.WORD + Format.WORD;
      if (walker.kind === Format.CLOCK)
        clock.restore(this.medium.arena, value, walker.bodyLength - Format.WORD);
      else
        recovery.onState(walker.kind, index.keyAt(at), this.medium.arena.stagingOffset + value,
          walker.bodyLength - Format.WORD);
    }
  }

  has(kind: number, key: number): boolean {
    return this.index.find(kind, key) !== NO_ENTRY;
  }

  /** Reads a value into the staging area. @returns its offset, valid until the next call; 0: there is none */
  load(kind: number, key: number): number {
    const { index, medium: { arena }, walker } = this;
    const at = index.find(kind, key);
    if (at === NO_ENTRY || !walker.readAt(index.positionAt(at)))
      return 0;
    return arena.stagingOffset + Format.RECORD_MARKS + walker.marks * Format.WORD + Format.WORD;
  }

  /** Whether a value of `length` bytes under a new key can be put. */
  hasRoom(length: number): boolean {
    return this.medium.isWorking && !this.index.isFull && this.canPut(lengthOfState(length), 0);
  }

  /**
   * @returns false when there is no room, or the storage has failed: the old value stays. The value may lie anywhere
   * but in the staging area
   */
  put(kind: number, key: number, offset: number, length: number): boolean {
    const { arena } = this.medium;
    const recordLength = lengthOfState(length);
    if (!this.reserve(kind, key, recordLength))
      return false;
    arena.bytes.copyWithin(arena.stagingOffset + VALUE, offset, offset + length);
    return this.write(kind, key, length, recordLength);
  }

  putClock(clock: StoreClock): boolean {
    const { arena } = this.medium;
    const { length } = clock;
    if (!this.reserve(Format.CLOCK, 0, lengthOfState(length)))
      return false;
    clock.save(arena, arena.stagingOffset + VALUE);
    return this.write(Format.CLOCK, 0, length, lengthOfState(length));
  }

  /** @returns whether there was one */
  remove(kind: number, key: number): boolean {
    const at = this.index.find(kind, key);
    if (at === NO_ENTRY || !this.medium.mark(this.index.positionAt(at) + Format.RECORD_MARKS))
      return false;
    this.discount(at);
    this.index.removeAt(at);
    this.medium.written = this.medium.written + 1 | 0;
    return true;
  }

  /** A flush has failed: copies what was written from `from` on, elsewhere. */
  repeat(from: number): boolean {
    const { index, medium: { blockLength, sequences }, ring } = this;
    if (ring.tailBlock === NO_BLOCK || ring.tail === from)
      return true;
    const first = from < 0 ? 0 : sequences[(from - 1) / blockLength | 0]!;
    const last = sequences[ring.tailBlock]!;
    if (!this.turn())
      return false;
    for (let at = 0; at < index.size; ++at) {
      const position = index.positionAt(at);
      const sequence = position === 0 ? 0 : sequences[position / blockLength | 0]!;
      if (sequence < first || sequence === 0 || sequence > last || sequence === first && position < from)
        continue;
      if (!ring.fits(index.lengthAt(at)) && !this.turn() || !this.move(at))
        return false;
    }
    return true;
  }

  // RingOwner

  isFree(block: number): boolean {
    return this.live[block - this.ring.first] === 0;
  }

  onBlockErased(_block: number): void { /* what is live has been copied before */ }

  // How it is done

  private canPut(recordLength: number, replacedLength: number): boolean {
    return this.usedLength - replacedLength + recordLength <= this.capacity
      && (this.ring.fits(recordLength) || this.canGain(recordLength));
  }

  /** Makes room for a record. */
  private reserve(kind: number, key: number, recordLength: number): boolean {
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

  private write(kind: number, key: number, length: number, recordLength: number): boolean {
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
  private turn(): boolean {
    const { medium, ring } = this;
    return ring.advance() && this.relocate(ring.following(ring.tailBlock)) && medium.synchronize()
      && medium.mark(ring.tailBlock * medium.blockLength + Format.BLOCK_COMPLETE);
  }

  private relocate(block: number): boolean {
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
  private move(at: number): boolean {
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

  private discount(at: number): void {
    const { index } = this;
    const length = index.lengthAt(at);
    this.usedLength -= length;
    this.live[(index.positionAt(at) / this.medium.blockLength | 0) - this.ring.first]! -= length;
  }

  private countLive(position: number, length: number): void {
    this.usedLength += length;
    this.live[(position / this.medium.blockLength | 0) - this.ring.first]! += length;
  }

  /** Finds the last record of each key. An index that is too small for what is there grows, at start only. */
  private find(tail: number): void {
    while (!this.fill(tail))
      this.index = new StateIndex(this.index.capacity * 2);
  }

  private fill(tail: number): boolean {
    const { medium, ring, walker } = this;
    this.index = new StateIndex(this.index.capacity);
    this.live = new Uint32Array(ring.blockCount);
    this.usedLength = 0;
    if (tail === NO_BLOCK)
      return true;
    for (let left = ring.blockCount, block = ring.following(tail); left > 0; --left, block = ring.following(block)) {
      if (medium.sequences[block] === 0)
        continue;
      walker.enter(block, Format.BLOCK_HEADER_LENGTH, medium.blockLength);
      for (let position = walker.next(); position !== NO_RECORD; position = walker.next())
        if (!this.note(medium.arena, position))
          return false;
    }
    return true;
  }

  private note({ stagingOffset, view }: Arena, position: number): boolean {
    const { index, walker } = this;
    if (walker.marks === 0 || walker.bodyLength < Format.WORD)
      return true;
    const key = view.getInt32(stagingOffset + Format.RECORD_MARKS + walker.marks * Format.WORD);
    const at = index.find(walker.kind, key);
    if (at !== NO_ENTRY)
      this.discount(at);
    if (Format.isMark(view.getInt32(stagingOffset + Format.RECORD_MARKS))) {
      if (at !== NO_ENTRY)
        index.removeAt(at);
      return true;
    }
    if (at === NO_ENTRY && index.isFull)
      return false;
    index.set(walker.kind, key, position, walker.length);
    this.countLive(position, walker.length);
    return true;
  }
}
