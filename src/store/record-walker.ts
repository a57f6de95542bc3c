/**
 * Walks the records of a block at start, whatever has become of it: each sound record is read once, what is damaged
 * or cannot be read costs what lies there and nothing after it. Proof of a record is its checksum, which covers its
 * place and the sequence of its block.
 */
import * as Format from './record-format.ts';
import type { Medium } from './medium.ts';

/** No further record. */
export const NO_RECORD = -1;

/** Bytes that are looked through at a time, the fewer the less of them can be read. */
const SCAN_LENGTHS = Object.freeze([512, 64, Format.WORD] as const);
/** Storages fail by sectors: once so much on end cannot be read, only the first word of each further one is tried. */
const SECTOR_LENGTH = 512;
/** Sequences that need no further proof: of so many blocks at most that were ever begun. */
const YOUNG = 0xFFFF;

export class RecordWalker {
  /** Of the record in the staging area. */
  position = NO_RECORD;
  length = 0;
  kind = 0;
  version = 0;
  marks = 0;
  bodyLength = 0;
  /** Unreadable pieces so far. */
  damagedCount = 0;
  /** Where the block goes on to be written: behind the last record, when all the rest is erased; else at its end. */
  freeOffset = 0;
  private readonly medium: Medium;
  private block = 0;
  private sequence = 0;
  private end = 0;
  /** Records are as long as those before them: what is read at once. */
  private guess = 64;
  private found = 0;

  constructor(medium: Medium) {
    this.medium = medium;
  }

  /** Goes to a place in a block of which so many bytes are looked at; then `next`. */
  enter(block: number, offset: number, endOffset: number): void {
    const { blockLength, sequences } = this.medium;
    this.block = block;
    this.sequence = sequences[block]!;
    this.end = block * blockLength + endOffset;
    this.length = 0;
    this.freeOffset = blockLength;
    this.found = block * blockLength + offset;
  }

  /** Reads the next sound record into the staging area. @returns its position, or NO_RECORD */
  next(): number {
    const { end, medium } = this;
    const position = this.found;
    if (position >= end)
      return NO_RECORD;
    if (this.read(position))
      return this.take(position);
    if (medium.isErased(position, end)) {
      this.freeOffset = position - this.block * medium.blockLength;
      return NO_RECORD;
    }
    ++this.damagedCount;
    const claimed = this.length === 0 ? NO_RECORD : position + this.length;
    const following = claimed !== NO_RECORD && claimed < end && this.read(claimed) ? claimed
      : this.search(position + Format.WORD);
    return following === NO_RECORD ? NO_RECORD : this.take(following);
  }

  /** Whether a sound record of this sequence lies anywhere in the block. */
  isProved(block: number, sequence: number): boolean {
    this.enter(block, Format.BLOCK_HEADER_LENGTH, this.medium.blockLength);
    this.sequence = sequence;
    return this.read(this.found) || this.search(this.found + Format.WORD) !== NO_RECORD;
  }

  /**
   * Finds the sequence of a block whose header is damaged, and of which no neighbour knows. One record tells one; a
   * second record, or the damaged header itself, must tell the same, or it must be one of a store that is young.
   * @param told by the header @returns 0 for none
   */
  findSequence(block: number, told: number): number {
    const { blockLength } = this.medium;
    const start = block * blockLength;
    this.enter(block, Format.BLOCK_HEADER_LENGTH, blockLength);
    for (let position = this.found; position < this.end; position += Format.WORD) {
      this.sequence = 0;
      if (this.read(position) || !this.isWhole(position))
        continue; // unreadable, or none
      const sequence = Format.sequenceOfRecord(this.medium.arena, position - start,
        Format.RECORD_MARKS + this.marks * Format.WORD);
      const following = position + this.length;
      if (sequence === 0)
        continue;
      this.sequence = sequence;
      if (sequence === told || sequence <= YOUNG
        || following < this.end && (this.read(following) || this.search(following) !== NO_RECORD))
        return sequence;
    }
    return 0;
  }

  /** Reads the record at `position`. @returns whether it is sound; if not, `length` is what it claims, or 0 */
  readAt(position: number): boolean {
    const { blockLength, sequences } = this.medium;
    const block = this.block = position / blockLength | 0;
    this.end = (block + 1) * blockLength;
    this.sequence = sequences[block]!;
    return this.read(position);
  }

  private take(position: number): number {
    this.found = position + this.length;
    return position;
  }

  private read(position: number): boolean {
    const { end, medium } = this;
    const { arena } = medium;
    const room = end - position < arena.stagingCapacity ? end - position : arena.stagingCapacity & ~3;
    let length = this.guess < room ? this.guess : room;
    this.length = 0;
    if (room < Format.RECORD_MARKS || !medium.read(position, length)
      && !medium.read(position, length = Format.RECORD_MARKS) || !this.readHead(end - position))
      return false;
    if (this.length > room)
      return false; // longer than what can be taken in: it stays where it is
    if (this.length > length && !medium.read(position, this.length))
      return false;
    this.guess = this.length > this.guess ? this.length : this.guess - (this.guess - this.length >> 2 & ~3);
    const { stagingOffset, view } = arena;
    this.position = position;
    return view.getInt32(stagingOffset + Format.RECORD_CHECKSUM)
      === Format.checksumOfRecord(arena, this.sequence, position - this.block * medium.blockLength,
        Format.RECORD_MARKS + this.marks * Format.WORD);
  }

  /** Whether all bytes of a record that `read` has looked at are in the staging area. */
  private isWhole(position: number): boolean {
    const { length, medium } = this;
    return length > 0 && length <= medium.arena.stagingCapacity && medium.read(position, length);
  }

  /** @returns whether the head in the staging area can be one of a record of at most `room` bytes */
  private readHead(room: number): boolean {
    const { stagingOffset, view } = this.medium.arena;
    const word = view.getUint32(stagingOffset);
    const bodyLength = view.getUint32(stagingOffset + Format.RECORD_BODY_LENGTH);
    const marks = word & 0xFF;
    const length = Format.lengthOfRecord(marks, bodyLength);
    if (word >>> 24 !== Format.RECORD_MAGIC || bodyLength > 0xFFFFFF || length > room)
      return false;
    this.length = length;
    this.bodyLength = bodyLength;
    this.marks = marks;
    this.kind = word >> 16 & 0xFF;
    this.version = word >> 8 & 0xFF;
    return true;
  }

  /** @returns the position of the first sound record at or after `position` in this block, read; or NO_RECORD */
  private search(position: number): number {
    const { end, medium } = this;
    const { arena } = medium;
    let unreadable = 0;
    while (position < end) {
      const length = this.readSome(position, unreadable);
      if (length === 0) {
        const step = unreadable < SECTOR_LENGTH ? Format.WORD : SECTOR_LENGTH - position % SECTOR_LENGTH;
        position += step;
        unreadable += step;
        continue;
      }
      unreadable = 0;
      let at = 0;
      while (at < length && arena.bytes[arena.stagingOffset + at] !== Format.RECORD_MAGIC)
        at += Format.WORD;
      position += at;
      if (at === length)
        continue;
      if (this.read(position))
        return position;
      position += Format.WORD;
    }
    return NO_RECORD;
  }

  /** @param unreadable bytes on end before it @returns how many bytes could be read, 0 for none */
  private readSome(position: number, unreadable: number): number {
    const { end, medium } = this;
    for (let index = unreadable === 0 ? 0 : SCAN_LENGTHS.length - 1; index < SCAN_LENGTHS.length; ++index) {
      let length = SCAN_LENGTHS[index]!;
      if (length > end - position)
        length = end - position;
      if (length <= medium.arena.stagingCapacity && medium.read(position, length))
        return length;
    }
    return 0;
  }
}
