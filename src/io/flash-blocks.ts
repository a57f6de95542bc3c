/**
 * The store's storage on flash as ECMA-419 presents it (`embedded:storage/flash`), which reads and writes exactly one
 * view: that of the arena's staging area. Several sectors make a block if a sector is too short for the longest
 * message.
 */
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import { BLOCK_LENGTH, blockLengthForRecord, lengthOfMessage, MAGIC, MAGIC_VERSION_ONE,
  WORD } from '../store/record-format.ts';

/** The part of ECMA-419's Flash that is used here. Writing turns ones into zeros. */
export interface Flash {
  read(view: Uint8Array, offset: number): void;
  write(view: Uint8Array, offset: number): void;
  eraseBlock(start: number, end?: number): void;
  close(): void;
  status(): { readonly size: number; readonly blockLength: number; readonly blocks: number };
}

export class FlashBlocks implements BlockStorage {
  readonly blockLength: number;
  readonly blockCount: number;
  readonly remark: string = '';
  onFlushed: ((isDurable: boolean) => void) | undefined = undefined;
  private readonly flash: Flash;
  private readonly buffer: ArrayBuffer;
  private readonly arenaLength: number;
  private readonly staging: Uint8Array;
  private readonly stagingOffset: number;
  private readonly sectorsPerBlock: number;

  /** @param longestPacket that is to be stored */
  constructor(flash: Flash, arena: Arena, longestPacket: number) {
    const { blockLength, size } = flash.status();
    this.flash = flash;
    this.buffer = arena.buffer;
    this.arenaLength = arena.length;
    this.staging = arena.stagingView;
    this.stagingOffset = arena.stagingOffset;
    const needed = Math.max(blockLength, blockLengthForRecord(lengthOfMessage(longestPacket, 1)));
    this.blockLength = FlashBlocks.lengthFound(flash) || needed;
    this.sectorsPerBlock = this.blockLength / blockLength;
    if (this.blockLength < needed)
      this.remark =
        `the flash has blocks of ${this.blockLength} bytes: longer messages are not stored; for those, erase it when it is empty`;
    this.blockCount = Math.floor(size / this.blockLength);
  }

  /** Blocks keep their length, whatever the longest message is now. @returns 0 when there are none */
  private static lengthFound(flash: Flash): number {
    const { blockLength, size } = flash.status();
    const words = new DataView(new ArrayBuffer(BLOCK_LENGTH + WORD));
    const bytes = new Uint8Array(words.buffer);
    for (let position = 0; position < size; position += blockLength) {
      flash.read(bytes, position);
      const magic = words.getUint32(0);
      const length = words.getUint32(BLOCK_LENGTH);
      if ((magic === MAGIC || magic === MAGIC_VERSION_ONE) && length >= blockLength && length <= size
        && length % blockLength === 0 && position % length === 0)
        return length;
    }
    return 0;
  }

  // The arena is cut off after the wanted bytes for a moment: the view is exact then (exact-view.ts has the reasons).

  read(position: number, length: number): void {
    this.buffer.resize(this.stagingOffset + length);
    try {
      this.flash.read(this.staging, position);
    } finally {
      this.buffer.resize(this.arenaLength);
    }
  }

  program(position: number, length: number): void {
    this.buffer.resize(this.stagingOffset + length);
    try {
      this.flash.write(this.staging, position);
    } finally {
      this.buffer.resize(this.arenaLength);
    }
  }

  erase(block: number): void {
    const start = block * this.sectorsPerBlock;
    this.flash.eraseBlock(start, start + this.sectorsPerBlock);
  }

  /** What flash has taken it keeps. */
  flush(): boolean {
    return true;
  }

  synchronize(): void { /* nothing to wait for */ }

  close(): void {
    this.flash.close();
  }
}
