/**
 * The partition `config` in the simulator, which has no flash: a file.
 */
import { CONFIG_PARTITION_LENGTH, SECTOR } from './config-slots.ts';
import { type Directory, type File, openFile } from './file-flash.ts';
import type { Flash } from './core.ts';

export class ConfigFile implements Flash {
  private readonly file: File;

  constructor(directory: Directory, path: string) {
    this.file = openFile(directory, path);
    if (this.file.status().size < CONFIG_PARTITION_LENGTH)
      this.eraseBlock(0, CONFIG_PARTITION_LENGTH / SECTOR);
  }

  read(view: Uint8Array, offset: number): void {
    this.file.read(view, offset);
  }

  write(view: Uint8Array, offset: number): void {
    this.file.write(view, offset);
  }

  eraseBlock(start: number, end = start + 1): void {
    const erased = new Uint8Array(SECTOR).fill(0xFF);
    for (let sector = start; sector < end; ++sector)
      this.file.write(erased, sector * SECTOR);
  }

  close(): void {
    this.file.close();
  }

  status(): { size: number; blockLength: number; blocks: number } {
    return { size: CONFIG_PARTITION_LENGTH, blockLength: SECTOR, blocks: CONFIG_PARTITION_LENGTH / SECTOR };
  }
}
