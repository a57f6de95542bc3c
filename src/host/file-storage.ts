/**
 * The store's storage on a PC: a file in the format that a board has in its flash. Every `flush` waits until the disk has
 * it, so what a killed process or a power cut leaves behind is what was promised.
 *
 * Nothing of the user's is overwritten: a file that is no store is moved out of the way first, and one of another size or
 * with other blocks is used as it is.
 */
import { closeSync, existsSync, fdatasyncSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../gateway/block-storage.ts';
import { BLOCK_HEADER_LENGTH, BLOCK_LENGTH, BLOCK_MAGIC, blockLengthFor, SMALLEST_BLOCK } from '../gateway/store-format.ts';

/** A disk takes a large piece as fast as a small one, and each new block costs a flush. */
const LARGEST_BLOCK = 65_536;
/** Blocks of a file, if that does not make them larger or smaller than sensible. */
const BLOCKS = 16;

export class FileStorage implements BlockStorage {
  readonly blockLength: number;
  readonly blockCount: number;
  readonly remark: string;
  private readonly arena: Arena;
  private readonly file: number;
  private readonly erased: Uint8Array;

  /**
   * @param size of a new file in bytes @param longestPacket that is to be stored
   * @throws Error whose message says what to do
   */
  constructor(path: string, size: number, arena: Arena, longestPacket: number) {
    this.arena = arena;
    const needed = blockLengthFor(longestPacket);
    let blockLength = needed;
    while (blockLength < LARGEST_BLOCK && blockLength * 2 * BLOCKS <= size)
      blockLength *= 2;
    let remark = '';
    let isNew = !existsSync(path);
    if (!isNew) {
      const found = examine(path);
      if (found === FOREIGN) {
        const aside = freeName(path);
        renameSync(path, aside);
        remark = `${path} was no store of this program: it is now ${aside}`;
        isNew = true;
      } else if (found !== EMPTY) {
        if (found < needed)
          remark = `${path} has blocks of ${found} bytes: longer messages are not stored; for those, remove it when it is empty`;
        blockLength = found;
      }
    }
    this.erased = new Uint8Array(blockLength).fill(0xFF);
    this.file = openSync(path, isNew ? 'w+' : 'r+');
    this.blockLength = blockLength;
    try {
      const wanted = Math.floor(size / blockLength);
      const present = Math.floor(fstatSync(this.file).size / blockLength);
      if (!isNew && present > wanted && remark === '')
        remark = `${path} is larger than store.size and is used as it is`;
      this.blockCount = Math.max(wanted, present);
      for (let block = present; block < wanted; ++block)
        this.erase(block);
      if (present < wanted)
        fsyncSync(this.file);
      if (isNew)
        synchronizeFolder(path);
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
    this.remark = remark;
  }

  read(position: number, length: number): void {
    const { bytes, stagingOffset } = this.arena;
    const read = readSync(this.file, bytes, stagingOffset, length, position);
    if (read < length) // it was cut off by somebody else
      bytes.fill(0, stagingOffset + read, stagingOffset + length);
  }

  program(position: number, length: number): void {
    this.write(this.arena.bytes, this.arena.stagingOffset, length, position);
  }

  erase(block: number): void {
    this.write(this.erased, 0, this.blockLength, block * this.blockLength);
  }

  flush(): void {
    fdatasyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }

  private write(bytes: Uint8Array, offset: number, length: number, position: number): void {
    while (length > 0) {
      const written = writeSync(this.file, bytes, offset, length, position);
      offset += written;
      length -= written;
      position += written;
    }
  }
}

const EMPTY = 0;
const FOREIGN = -1;
/** Bytes that are looked at to tell an empty file from a foreign one. */
const SAMPLE = 65_536;

/** @returns the block length of the store in the file, EMPTY when nothing has been written to it, else FOREIGN */
function examine(path: string): number {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const header = Buffer.alloc(BLOCK_HEADER_LENGTH);
    // The first block may be the one that was being erased when the power was cut, so others are asked too.
    for (let position = 0; position < size; position += SMALLEST_BLOCK)
      if (readSync(file, header, 0, header.length, position) === header.length && header.readUInt32BE(0) === BLOCK_MAGIC) {
        const length = header.readUInt32BE(BLOCK_LENGTH);
        if (length >= SMALLEST_BLOCK && (length & length - 1) === 0 && position % length === 0)
          return length;
      }
    const sample = Buffer.alloc(Math.min(size, SAMPLE));
    readSync(file, sample, 0, sample.length, 0);
    return sample.every(byte => byte === 0xFF) || sample.every(byte => byte === 0) ? EMPTY : FOREIGN;
  } finally {
    closeSync(file);
  }
}

function freeName(path: string): string {
  let number = 1;
  while (existsSync(`${path}.not-a-store-${number}`))
    ++number;
  return `${path}.not-a-store-${number}`;
}

/** So that the new file itself survives. Not every system can do that. */
function synchronizeFolder(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch { /* the file is found again all the same, where this is not possible */ }
}
