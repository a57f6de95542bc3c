/**
 * Messages that survive a power cut: a log in a ring of blocks (store/format.ts). Knows no session and no policy: what is to
 * be stored, and what is given up when there is no room, is upstream/backlog.ts's business.
 *
 * Blocks are used in turn, so each is erased equally often. One block ahead of the one that is written is always free, and
 * is erased before it is needed. Before an erasure begins, the block that is written says so: whatever an interrupted
 * erasure leaves behind is void, however valid it looks.
 *
 * When the storage fails, nothing is written any more and `isWorking` is false; what was stored can still be read.
 */
import type { Arena } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';
import { lengthOfPublish, writePublish } from '../packet/publish.ts';
import type { BlockStorage } from './block-storage.ts';
import * as Format from './format.ts';

/** Results of `append` that are no position. Position 0 is a block's header. */
export const NO_ROOM = 0;
export const TOO_LONG = -1;
/** Nothing there. */
export const NONE = -1;

/** What a record says beside its packet. */
export class RecordFields {
  identifier = 0;
  rule = 0;
  time = 0;
  origin = 0;
  originIdentifier = 0;
  replaces = 0;
}

/** Told before the content of a block is given up, and once when the storage has failed. */
export interface StoreOwner {
  onBlockErased(start: number, end: number): void;
  onStorageFailed(): void;
}

export class Store {
  readonly arena: Arena;
  readonly fields = new RecordFields();
  owner: StoreOwner | undefined = undefined;
  storage: BlockStorage | undefined = undefined;
  isWorking = false;
  /** Something that must be durable has been written since the last flush. */
  isDirty = false;
  blockLength = 0;
  blockCount = 0;
  /** Records that are not done, per block. */
  pending = new Uint16Array(0);
  /** Sequence of each block, 0 for one without content. Part of the checksums: what an earlier turn left behind never fits. */
  sequences = new Uint32Array(0);
  /** Records that are not done, of all blocks. */
  pendingCount = 0;
  /** The block that is written, NONE before the first one; and where in it. */
  tailBlock = NONE;
  tailOffset = 0;
  sequence = 0;
  isNextErased = false;
  /** The block that is written has said that the next one is being erased. */
  hasSaidSo = false;
  /** Length of the packet of the record that `seek` has found. */
  foundLength = NONE;
  /** Since start. */
  appendedCount = 0;
  programCount = 0;
  programmedLength = 0;
  eraseCount = 0;
  flushCount = 0;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Bytes that records can fill. */
  get capacity(): number {
    return this.blockCount < Format.FEWEST_BLOCKS ? 0 : (this.blockCount - 1) * (this.blockLength - Format.BLOCK_HEADER_LENGTH);
  }

  following(block: number): number {
    return block + 1 === this.blockCount ? 0 : block + 1;
  }

  /** Whether the block that is needed when this one is full may be taken without giving anything up. */
  get canAdvance(): boolean {
    const next = this.following(this.tailBlock);
    return this.pending[next] === 0 && this.pending[this.following(next)] === 0;
  }

  /**
   * Writes a record with `fields`. Its packet is left in the staging area, behind a record header.
   * @returns its position, NO_ROOM or TOO_LONG, or NONE when the storage has failed
   */
  append(message: Message, qos: number): number {
    const { arena, fields } = this;
    const packetLength = lengthOfPublish(message, qos);
    const place = this.reserve(Format.lengthOfRecord(packetLength));
    if (place <= 0)
      return place;
    writePublish(arena, arena.stagingOffset + Format.RECORD_HEADER_LENGTH, message, qos, fields.identifier);
    return this.write(packetLength);
  }

  /** Writes the packet that lies in the staging area behind the room for a header, with `fields`; as `append`. */
  appendStaged(packetLength: number): number {
    const length = Format.lengthOfRecord(packetLength);
    // Only where it fits at once: a new block would need the staging area.
    return this.isWorking && this.tailOffset + length <= this.blockLength ? this.write(packetLength) : NO_ROOM;
  }

  markReleased(position: number): void {
    if (this.mark(position + Format.RELEASED))
      this.isDirty = true;
  }

  markReceived(position: number): void {
    this.mark(position + Format.RECEIVED);
  }

  /** The record is no longer needed. Nobody waits for that to be durable: at worst the message's last step is repeated. */
  markDone(position: number): void {
    const block = position / this.blockLength | 0;
    if (this.pending[block] !== 0) {
      --this.pending[block]!;
      --this.pendingCount;
    }
    this.mark(position + Format.DONE);
  }

  /** Makes everything durable, and gets the next block ready when this one is half full. */
  flush(): void {
    if (!this.isWorking)
      return;
    try {
      if (!this.isNextErased && this.tailOffset > this.blockLength >> 1 && this.pending[this.following(this.tailBlock)] === 0)
        this.eraseNext(); // flushes on the way
      if (this.isDirty)
        this.synchronize();
    } catch {
      this.fail();
    }
  }

  /** Begins the next block, whatever comes after it. @returns false when it is not free, or the storage has failed */
  advance(): boolean {
    const next = this.following(this.tailBlock);
    if (!this.isWorking || this.pending[next] !== 0)
      return false;
    try {
      if (!this.isNextErased)
        this.eraseNext();
      if (this.isDirty) // no block without all that comes before it: a disk may write in any order
        this.synchronize();
      this.tailBlock = next;
      this.tailOffset = Format.BLOCK_HEADER_LENGTH;
      this.isNextErased = this.hasSaidSo = false;
      this.writeBlockHeader();
      return true;
    } catch {
      this.fail();
      return false;
    }
  }

  /** @returns the position of the first record at or behind `position` in the ring, done or not; NONE when there is none */
  seek(position: number): number {
    const { blockCount, blockLength, pending, tailBlock } = this;
    let block = position / blockLength | 0;
    if (block === blockCount) // a record has filled the last block
      block = position = 0;
    for (let left = blockCount; left > 0; --left) {
      const start = block * blockLength;
      if (pending[block] !== 0) {
        if (position < start + Format.BLOCK_HEADER_LENGTH)
          position = start + Format.BLOCK_HEADER_LENGTH;
        this.foundLength = this.packetLengthAt(position);
        if (this.foundLength !== NONE)
          return position;
      }
      if (block === tailBlock)
        return NONE;
      block = this.following(block);
      position = block * blockLength;
    }
    return NONE;
  }

  /** Length of the packet of the record at `position`, without a look at the rest; NONE when there cannot be one. */
  packetLengthAt(position: number): number {
    const { arena, blockLength } = this;
    const start = position - position % blockLength;
    const end = start === this.tailBlock * blockLength ? start + this.tailOffset : start + blockLength;
    if (position + Format.RECORD_HEADER_LENGTH > end || !this.read(position, Format.WORD_LENGTH))
      return NONE;
    const word = arena.view.getUint32(arena.stagingOffset);
    const packetLength = word & 0xFFFFFF;
    return word >>> 24 === Format.RECORD_MAGIC && position + Format.lengthOfRecord(packetLength) <= end ? packetLength : NONE;
  }

  /** Reads the whole record at `position`, where `packetLength` is known, into the staging area. @returns whether it is sound */
  load(position: number, packetLength: number): boolean {
    const { arena } = this;
    const { stagingOffset, view } = arena;
    return Format.lengthOfRecord(packetLength) <= arena.stagingCapacity
      && this.read(position, Format.lengthOfRecord(packetLength))
      && view.getInt32(stagingOffset + Format.CHECKSUM) === Format.checksumOfRecord(arena, packetLength, this.sequences[position / this.blockLength | 0]!);
  }

  /** Of the record or header in the staging area. */
  staged(field: number): number {
    return this.arena.view.getUint32(this.arena.stagingOffset + field);
  }

  /** Whether the mark at `field` says yes. */
  isMarked(field: number): boolean {
    return Format.isMark(this.arena.view.getInt32(this.arena.stagingOffset + field));
  }

  /** @returns whether it could be read */
  read(position: number, length: number): boolean {
    try {
      this.storage!.read(position, length);
      return true;
    } catch {
      this.fail();
      return false;
    }
  }

  /** Nothing is written from now on. */
  fail(): void {
    if (!this.isWorking)
      return;
    this.isWorking = this.isDirty = false;
    this.owner?.onStorageFailed();
  }

  close(): void {
    this.isDirty = this.isWorking; // the marks too
    this.flush();
    this.isWorking = false;
    try {
      this.storage?.close();
    } catch { /* what could be saved has been saved by flush */ }
    this.storage = undefined;
  }

  /** @returns a positive number when a record of `length` bytes can be written now */
  private reserve(length: number): number {
    if (!this.isWorking)
      return NONE;
    if (length > this.blockLength - Format.BLOCK_HEADER_LENGTH || length > this.arena.stagingCapacity)
      return TOO_LONG;
    if (this.tailBlock !== NONE && this.tailOffset + length <= this.blockLength)
      return 1;
    if (!this.canAdvance)
      return NO_ROOM;
    return this.advance() ? 1 : NONE;
  }

  private write(packetLength: number): number {
    const { arena, fields } = this;
    const { bytes, stagingOffset, view } = arena;
    const length = Format.lengthOfRecord(packetLength);
    const position = this.tailBlock * this.blockLength + this.tailOffset;
    bytes.fill(0, stagingOffset + Format.RECORD_HEADER_LENGTH + packetLength, stagingOffset + length);
    view.setUint32(stagingOffset, Format.RECORD_MAGIC << 24 | packetLength);
    view.setUint32(stagingOffset + Format.TIME, fields.time);
    view.setUint32(stagingOffset + Format.ORIGIN, fields.origin);
    view.setUint32(stagingOffset + Format.IDENTIFIERS, fields.originIdentifier << 16 | fields.identifier);
    view.setUint32(stagingOffset + Format.RULE, fields.rule);
    view.setUint32(stagingOffset + Format.REPLACES, fields.replaces);
    view.setInt32(stagingOffset + Format.CHECKSUM, Format.checksumOfRecord(arena, packetLength, this.sequence));
    view.setUint32(stagingOffset + Format.RELEASED, Format.ERASED_WORD);
    view.setUint32(stagingOffset + Format.DONE, Format.ERASED_WORD);
    view.setUint32(stagingOffset + Format.RECEIVED, Format.ERASED_WORD);
    this.tailOffset += length; // in any case: what a failure leaves there is not erased
    try {
      this.program(position, length);
    } catch {
      this.fail();
      return NONE;
    }
    this.isDirty = true;
    ++this.pending[this.tailBlock]!;
    ++this.pendingCount;
    ++this.appendedCount;
    return position;
  }

  private mark(position: number): boolean {
    if (!this.isWorking)
      return false;
    try {
      this.arena.view.setUint32(this.arena.stagingOffset, 0);
      this.program(position, Format.WORD_LENGTH);
      return true;
    } catch {
      this.fail();
      return false;
    }
  }

  private eraseNext(): void {
    const next = this.following(this.tailBlock);
    const start = next * this.blockLength;
    this.owner?.onBlockErased(start, start + this.blockLength);
    if (this.tailBlock !== NONE && !this.hasSaidSo) {
      this.hasSaidSo = true;
      this.arena.view.setUint32(this.arena.stagingOffset, 0);
      this.program(this.tailBlock * this.blockLength + Format.BLOCK_ERASES_NEXT, Format.WORD_LENGTH);
      this.synchronize();
    }
    this.sequences[next] = 0;
    this.storage!.erase(next);
    ++this.eraseCount;
    this.isNextErased = true;
  }

  private writeBlockHeader(): void {
    const { arena } = this;
    const { stagingOffset, view } = arena;
    view.setUint32(stagingOffset, Format.BLOCK_MAGIC);
    view.setUint32(stagingOffset + Format.BLOCK_SEQUENCE, ++this.sequence);
    view.setUint32(stagingOffset + Format.BLOCK_LENGTH, this.blockLength);
    view.setInt32(stagingOffset + Format.BLOCK_CHECKSUM, Format.checksum(arena, stagingOffset, Format.BLOCK_CHECKSUM, 0));
    this.sequences[this.tailBlock] = this.sequence;
    this.program(this.tailBlock * this.blockLength, Format.BLOCK_CHECKSUM + Format.WORD_LENGTH);
  }

  private program(position: number, length: number): void {
    this.storage!.program(position, length);
    ++this.programCount;
    this.programmedLength += length;
  }

  private synchronize(): void {
    this.storage!.synchronize();
    this.isDirty = false;
    ++this.flushCount;
  }
}
