/**
 * ECMA-419 flash in memory, for workloads that use the store. It copies byte by byte, because every other way would
 * need a view for each call; on a board that is one native call, so the steps of these workloads are an upper bound.
 */
import type { Flash } from '../../src/device/core.ts';

const SECTOR = 4096;

export class MemoryFlash implements Flash {
  private readonly bytes: Uint8Array;

  constructor(sectors: number) {
    this.bytes = new Uint8Array(sectors * SECTOR).fill(0xFF);
  }

  read(view: Uint8Array, offset: number): void {
    const { bytes } = this;
    for (let index = 0, { length } = view; index < length; ++index)
      view[index] = bytes[offset + index]!;
  }

  write(view: Uint8Array, offset: number): void {
    const { bytes } = this;
    for (let index = 0, { length } = view; index < length; ++index)
      bytes[offset + index]! &= view[index]!;
  }

  eraseBlock(start: number, end = start + 1): void {
    this.bytes.fill(0xFF, start * SECTOR, end * SECTOR);
  }

  close(): void { /* nothing to release */ }

  status(): { size: number; blockLength: number; blocks: number } {
    return { size: this.bytes.length, blockLength: SECTOR, blocks: this.bytes.length / SECTOR };
  }
}
