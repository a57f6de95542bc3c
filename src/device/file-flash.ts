/**
 * The store's storage in the simulator, which has no flash: a file as ECMA-419's Flash presents a partition. It
 * outlives the simulator, not a power cut of the computer: nothing waits for its disk.
 */
import { BLOCK_LENGTH, ERASED, MAGIC, MAGIC_VERSION_ONE, SMALLEST_BLOCK } from '../store/record-format.ts';
import type { Flash } from './core.ts';

/** The part of ECMA-419's File that is used here. What is written behind the end makes the file longer. */
export interface File {
  read(view: Uint8Array, position: number): number;
  write(view: Uint8Array, position: number): void;
  status(): { readonly size: number };
  close(): void;
}

export interface Directory {
  openFile(options: { path: string; mode: 'r+' | 'w+' }): File;
}

const SECTOR = SMALLEST_BLOCK;

export class FileFlash implements Flash {
  private readonly file: File;
  private readonly erased = new Uint8Array(SECTOR).fill(0xFF);
  private readonly sectorCount: number;

  /**
   * @param size of the file in bytes if it is made or shorter @param blockLength that its messages need
   * @throws Error when the file is there and is no store, or one with other blocks
   */
  constructor(directory: Directory, path: string, size: number, blockLength: number) {
    this.file = openFile(directory, path);
    const present = this.file.status().size / SECTOR;
    for (let sector = 0; sector < present; ++sector)
      if (!this.isOurs(sector, blockLength)) {
        this.file.close();
        throw new Error(`the file "${path}" is no store with blocks of ${blockLength} bytes: name another one in store.path, or remove it`);
      }
    this.sectorCount = Math.max(present, Math.floor(size / SECTOR));
    this.eraseBlock(present, this.sectorCount);
  }

  read(view: Uint8Array, offset: number): void {
    this.file.read(view, offset);
  }

  write(view: Uint8Array, offset: number): void {
    this.file.write(view, offset);
  }

  eraseBlock(start: number, end = start + 1): void {
    for (let sector = start; sector < end; ++sector)
      this.file.write(this.erased, sector * SECTOR);
  }

  close(): void {
    this.file.close();
  }

  status(): { size: number; blockLength: number; blocks: number } {
    return { size: this.sectorCount * SECTOR, blockLength: SECTOR, blocks: this.sectorCount };
  }

  /** Whether the sector is whole, and erased or of our store as far as its beginning tells. */
  private isOurs(sector: number, blockLength: number): boolean {
    if (this.file.status().size < (sector + 1) * SECTOR)
      return false;
    if (sector * SECTOR % blockLength !== 0) // in the middle of a block
      return true;
    const words = new DataView(new ArrayBuffer(BLOCK_LENGTH + 4));
    this.file.read(new Uint8Array(words.buffer), sector * SECTOR);
    const magic = words.getUint32(0);
    return magic === ERASED || (magic === MAGIC || magic === MAGIC_VERSION_ONE)
      && words.getUint32(BLOCK_LENGTH) === blockLength;
  }
}

export function openFile(directory: Directory, path: string): File {
  let opened: File | undefined;
  try {
    opened = directory.openFile({ path, mode: 'r+' });
  } catch { /* it is to be made */ }
  return opened ?? directory.openFile({ path, mode: 'w+' });
}
