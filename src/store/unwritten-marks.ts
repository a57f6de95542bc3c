/**
 * What is known of messages, whether or not it is marked in their records: they need nothing more, or their origin
 * will not send them again. A storage may have failed before that could be written, or an older copy of it may have
 * taken its place. It is told of it when it is opened, as far as it is the same one: its blocks are, by their first
 * records. Of fixed size, two bits for each record.
 */

/** Bytes of the storage for one bit: no record is shorter, and those of RBS2 have two bits. */
const GRAIN_SHIFT = 5;
/** The first bit of a record says that its message needs nothing more, the second that its origin has released it. */
const RELEASED = 1;

export class UnwrittenMarks {
  private bits = new Uint8Array(0);
  private blockLength = 0;
  /** Of each block: the checksum of its first record, 0 when there is none. */
  private proofs = new Int32Array(0);
  /** The same, as it was before the storage was opened that is being opened; and the length of its blocks. */
  private earlierProofs: Int32Array | undefined = undefined;
  private earlierBlockLength = 0;

  /** A storage is being opened, the same one perhaps. @param blockCount of those that may have messages, the first */
  begin(blockCount: number, blockLength: number): void {
    if (this.earlierProofs === undefined) { // else the attempt before has failed
      this.earlierProofs = this.proofs;
      this.earlierBlockLength = this.blockLength;
    }
    this.proofs = new Int32Array(blockCount);
    this.blockLength = blockLength;
    const length = Math.ceil(blockCount * blockLength / (8 << GRAIN_SHIFT));
    if (this.bits.length < length) {
      const { bits } = this;
      this.bits = new Uint8Array(length);
      this.bits.set(bits);
    }
  }

  /** It has been opened. */
  end(): void {
    this.earlierProofs = undefined;
  }

  /** The first record of a block that is used anew has this checksum. */
  prove(block: number, checksum: number): void {
    this.proofs[block] = checksum;
    this.clear(block * this.blockLength, (block + 1) * this.blockLength);
  }

  /** The same of a storage that is being opened; 0: there is none. What is known of another block is forgotten. */
  compare(block: number, checksum: number): void {
    const { blockLength } = this;
    this.proofs[block] = checksum;
    if (!this.isSameBlock(block))
      this.clear(block * blockLength, (block + 1) * blockLength);
  }

  /** Of a storage that is being opened: whether what was known of a place in it is about what lies there. */
  isSame(position: number): boolean {
    return this.isSameBlock(position / this.blockLength | 0);
  }

  /** The message of the record at `position` needs nothing more. */
  settle(position: number): void {
    this.set(position >>> GRAIN_SHIFT);
  }

  isSettled(position: number): boolean {
    return this.has(position >>> GRAIN_SHIFT);
  }

  /** Its origin will not send it again. Not of RBS1, whose records may be too short for that. */
  release(position: number): void {
    this.set((position >>> GRAIN_SHIFT) + RELEASED);
  }

  isReleased(position: number): boolean {
    return this.has((position >>> GRAIN_SHIFT) + RELEASED);
  }

  /** What lies from `start` to `end`, whole blocks, is void. */
  clear(start: number, end: number): void {
    this.bits.fill(0, start >>> GRAIN_SHIFT + 3, end / (8 << GRAIN_SHIFT));
  }

  private isSameBlock(block: number): boolean {
    const { earlierProofs, proofs } = this;
    return block < proofs.length && earlierProofs !== undefined && this.earlierBlockLength === this.blockLength
      && proofs[block] !== 0 && proofs[block] === earlierProofs[block];
  }

  private set(bit: number): void {
    this.bits[bit >>> 3]! |= 1 << (bit & 7);
  }

  private has(bit: number): boolean {
    return (this.bits[bit >>> 3]! & 1 << (bit & 7)) !== 0;
  }
}
