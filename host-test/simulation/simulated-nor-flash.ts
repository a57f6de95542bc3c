/**
 * A partition as ECMA-419's Flash presents it, on a medium whose power can fail at any step (simulated-flash.ts).
 */
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import type { Flash } from '../../src/io/flash-blocks.ts';
import { type CutOptions, type FlashMedium, SimulatedFlash } from './simulated-flash.ts';

export class SimulatedNORFlash implements Flash {
  private readonly flash: SimulatedFlash;
  private readonly arena: Arena;
  private readonly medium: FlashMedium;

  constructor(medium: FlashMedium, options: CutOptions = {}) {
    this.medium = medium;
    this.arena = new Arena(new ArenaPlan(),
      { landingCapacity: 0, stagingCapacity: medium.blockLength, resizable: false });
    this.flash = new SimulatedFlash(this.arena, medium, options);
  }

  get isDead(): boolean {
    return this.flash.isDead;
  }

  read(view: Uint8Array, offset: number): void {
    for (let at = 0; at < view.length; ++at)
      view[at] = this.medium.bytes[offset + at]!;
  }

  /** In pieces that end with a block. */
  write(view: Uint8Array, offset: number): void {
    for (let at = 0; at < view.length;) {
      const count = Math.min(view.length - at, this.medium.blockLength - (offset + at) % this.medium.blockLength);
      this.arena.bytes.set(view.subarray(at, at + count), this.arena.stagingOffset);
      this.flash.program(offset + at, count);
      at += count;
    }
  }

  eraseBlock(start: number, end = start + 1): void {
    for (let block = start; block < end; ++block)
      this.flash.erase(block);
  }

  close(): void { /* nothing to release */ }

  status(): { size: number; blockLength: number; blocks: number } {
    const { blockCount, blockLength } = this.medium;
    return { size: blockCount * blockLength, blockLength, blocks: blockCount };
  }
}
