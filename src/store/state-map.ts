/**
 * The last value of each key, in a log of its own (state-log.ts). A value is replaced by a new record; its removal is a
 * mark of the last one.
 */
import type { Arena } from '../bytes/arena.ts';
import { NO_BLOCK } from './block-ring.ts';
import type { BlockScan } from './block-scan.ts';
import * as Format from './record-format.ts';
import { NO_RECORD } from './record-walker.ts';
import { NO_ENTRY, StateIndex } from './state-index.ts';
import { lengthOfState, StateLog, VALUE } from './state-log.ts';
import type { StoreClock } from './store-clock.ts';
import type { Recovery, StoreReport } from './store-owner.ts';

export class StateMap extends StateLog {
  /** The value that was read last, until the store is called again. */
  valueOffset = 0;
  valueLength = 0;
  get count(): number {
    return this.index.count;
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

  /** Reads the value of a key. @returns whether there is one and it is sound; it lies at `valueOffset` */
  read(kind: number, key: number): boolean {
    const { index, walker } = this;
    const at = index.find(kind, key);
    if (at === NO_ENTRY || !walker.readAt(index.positionAt(at)) || walker.version !== Format.KIND_VERSION)
      return false;
    const value = Format.RECORD_MARKS + walker.marks * Format.WORD + Format.WORD;
    this.valueOffset = this.medium.arena.stagingOffset + value;
    this.valueLength = walker.bodyLength - Format.WORD;
    return true;
  }

  /**
   * Walks the keys of a kind: call first with 0, then with the place after the last one. A removal moves others to
   * earlier places. @returns the place of the next one, or NO_ENTRY
   */
  next(kind: number, from: number): number {
    const { index } = this;
    for (let at = from; at < index.size; ++at)
      if (index.positionAt(at) !== 0 && index.kindAt(at) === kind)
        return at;
    return NO_ENTRY;
  }

  keyAt(at: number): number {
    return this.index.keyAt(at);
  }

  /** Makes room for a value of `length` bytes. @returns where to write it, then `end`; 0 when there is no room */
  begin(kind: number, key: number, length: number): number {
    return this.reserve(kind, key, lengthOfState(length)) ? this.medium.arena.stagingOffset + VALUE : 0;
  }

  /** The value has been written. @returns false when the storage has failed */
  end(kind: number, key: number, length: number): boolean {
    return this.write(kind, key, length, lengthOfState(length));
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
