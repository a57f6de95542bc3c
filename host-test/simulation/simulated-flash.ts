/**
 * NOR flash for tests: erased by blocks, programmed by words and each word once, with a count of what it has
 * suffered. The power can fail before, in the middle of, and after any operation: the word that is being programmed,
 * or the block that is being erased, is then left with any mixture of bits that the physics allow.
 */
import type { Arena } from '../../src/bytes/arena.ts';
import type { BlockStorage } from '../../src/store/block-storage.ts';

export class PowerLoss extends Error {}

/** What survives a power cut. */
export class FlashMedium {
  readonly blockLength: number;
  readonly blockCount: number;
  readonly bytes: Uint8Array;
  /** Erasures of each block. */
  readonly wear: number[];
  /** Words programmed, and program operations, so far. */
  wordCount = 0;
  programCount = 0;
  /** Steps so far: a power cut can come at each. */
  stepCount = 0;
  /** Those at which an erasure may leave records whole, but without their marks. */
  readonly markSteps: number[] = [];

  constructor(blockLength: number, blockCount: number) {
    this.blockLength = blockLength;
    this.blockCount = blockCount;
    this.bytes = new Uint8Array(blockLength * blockCount).fill(0xFF);
    this.wear = new Array<number>(blockCount).fill(0);
  }

  get eraseCount(): number {
    return this.wear.reduce((sum, count) => sum + count, 0);
  }
}

export interface CutOptions {
  /** The step of the medium at which the power fails; Infinity: never. */
  readonly cutAt?: number;
  readonly random?: () => number;
  /** As a file: what has not been flushed when the power fails is there or not, each operation by itself. */
  readonly isCached?: boolean;
  /** Or some words of it are there. Of an erasure that may be the marks, and hardly anything else. */
  readonly isTearing?: boolean;
  /** Operations fail from this step on, as of a medium that is worn out or read-only; the power stays. */
  readonly failsAt?: number;
  /** Which ones; all by default. */
  readonly failing?: 'all' | 'write' | 'erase';
  /** As a file: `flush` only begins, and `finishFlush` tells when it is over. With `isCached`. */
  readonly isDeferred?: boolean;
  /**
   * Whether the flush of this number, from 0, fails: what it was for is not on the medium, and no later flush brings
   * it there.
   */
  readonly failsFlush?: (number: number) => boolean;
  /** Whether these bytes cannot be read now. */
  readonly failsRead?: (position: number, length: number) => boolean;
}

/** One for all: a gateway that nobody stops asks often, and the stack of each would take most of a test's time. */
const NO_POWER = new PowerLoss('there is no power');

/** No flush is under way. */
const NONE = -1;

/** Not a share of the words, but some of those that read 0. */
const MARKS = -1;

/**
 * A medium with power. A word that is programmed is one step with three outcomes, taken in turn by the number of the
 * step and the random generator: nothing of it, some bits, all of it. An erasure has as many steps as outcomes.
 */
export class SimulatedFlash implements BlockStorage {
  readonly blockLength: number;
  readonly blockCount: number;
  readonly remark = '';
  isDead = false;
  readonly medium: FlashMedium;
  private readonly arena: Arena;
  /** What reading shows; the medium's own bytes unless it is cached. */
  private readonly bytes: Uint8Array;
  private readonly isCached: boolean;
  private readonly isTearing: boolean;
  onFlushed: ((isDurable: boolean) => void) | undefined = undefined;
  /** The power is gone. */
  onPowerLoss: (() => void) | undefined = undefined;
  /** Each read so far: position and length. */
  readonly reads: (readonly [position: number, length: number])[] = [];
  flushCount = 0;
  /** Operations that no flush has made durable. */
  private unflushed: { start: number; content: Uint8Array }[] = [];
  /** Of these, so many are for the flush that is under way; NONE when none is. */
  private flushing = NONE;
  private readonly cutAt: number;
  private failsAt: number;
  private failing: 'all' | 'write' | 'erase';
  private readonly random: () => number;
  private readonly isDeferred: boolean;
  private readonly failsFlush: (number: number) => boolean;
  private readonly failsRead: (position: number, length: number) => boolean;
  private readonly view: DataView;

  constructor(arena: Arena, medium: FlashMedium, options: CutOptions = {}) {
    this.arena = arena;
    this.medium = medium;
    this.blockLength = medium.blockLength;
    this.blockCount = medium.blockCount;
    this.cutAt = options.cutAt ?? Infinity;
    this.failsAt = options.failsAt ?? Infinity;
    this.failing = options.failing ?? 'all';
    this.random = options.random ?? (() => 0.5);
    this.isCached = options.isCached ?? false;
    this.isDeferred = options.isDeferred ?? false;
    this.failsFlush = options.failsFlush ?? (() => false);
    this.failsRead = options.failsRead ?? (() => false);
    this.isTearing = options.isTearing ?? false;
    this.bytes = this.isCached ? medium.bytes.slice() : medium.bytes;
    this.view = new DataView(this.bytes.buffer);
  }

  read(position: number, length: number): void {
    this.expectPower('read');
    this.expectWords(position, length);
    this.reads.push([position, length]);
    if (this.failsRead(position, length))
      throw new Error('EIO: i/o error, read');
    this.arena.bytes.set(this.bytes.subarray(position, position + length), this.arena.stagingOffset);
  }

  program(position: number, length: number): void {
    this.expectPower('write');
    this.expectWords(position, length);
    ++this.medium.programCount;
    const source = new DataView(this.arena.buffer, this.arena.stagingOffset, length);
    this.remember(position, this.arena.bytes.slice(this.arena.stagingOffset, this.arena.stagingOffset + length));
    this.step(() => {}); // before anything has happened
    for (let at = 0; at < length; at += 4) {
      const old = this.view.getUint32(position + at);
      const value = source.getUint32(at);
      if (old !== 0xFFFFFFFF && value !== 0 && value !== old)
        throw new Error(`the word at ${position + at} was programmed before`);
      this.step(() => this.view.setUint32(position + at, value | this.bits(~value))); // some of its bits
      this.view.setUint32(position + at, value);
      ++this.medium.wordCount;
    }
    this.step(() => {}); // it is done, but nobody knows
  }

  erase(block: number): void {
    this.expectPower('erase');
    if (!Number.isInteger(block) || block < 0 || block >= this.blockCount)
      throw new RangeError(`there is no block ${block}`);
    const start = block * this.blockLength;
    this.remember(start, new Uint8Array(this.blockLength).fill(0xFF));
    this.step(() => {});
    this.step(() => this.forEachWord(start, old => old | this.bits(~old))); // bits on their way to 1
    this.step(() =>
      this.forEachWord(start, old => this.random() < 0.5 ? 0xFFFFFFFF : old)); // some words, and the marks among them
    this.medium.markSteps.push(this.medium.stepCount);
    this.step(() =>
      this.forEachWord(start, old => old === 0 && this.random() < 0.5 ? 0xFFFFFFFF
        : old)); // marks, and hardly anything else
    this.step(() => this.forEachWord(start, (old, at) => at < this.blockLength >> 1 ? old : 0xFFFFFFFF));
    this.step(() => this.forEachWord(start, (old, at) => at < this.blockLength >> 1 ? 0xFFFFFFFF : old));
    this.bytes.fill(0xFF, start, start + this.blockLength);
    ++this.medium.wear[block]!;
    this.step(() => {});
  }

  flush(): boolean {
    if (!this.isDeferred) {
      this.synchronize();
      return true;
    }
    this.expectPower('write');
    if (this.flushing !== NONE)
      throw new Error('a flush is under way');
    this.flushing = this.unflushed.length;
    return false;
  }

  get isFlushing(): boolean {
    return this.flushing !== NONE;
  }

  /** The flush that is under way is over; what was written meanwhile is not durable by that. */
  finishFlush(): void {
    if (this.flushing === NONE)
      return;
    const count = this.flushing;
    this.step(() => {});
    this.flushing = NONE;
    const isDurable = this.makeDurable(count);
    this.step(() => {});
    this.onFlushed?.(isDurable);
  }

  synchronize(): void {
    this.expectPower('write');
    this.step(() => {});
    const before = this.unflushed.length;
    const isDurable = this.makeDurable(before);
    if (this.flushing !== NONE)
      this.flushing = 0;
    this.step(() => {});
    if (!isDurable)
      throw new Error('EIO: i/o error, fdatasync');
  }

  /** @returns whether the first `count` operations that were not durable are now; else they are lost */
  private makeDurable(count: number): boolean {
    const isDurable = !this.failsFlush(this.flushCount++);
    for (const { content, start } of this.unflushed.splice(0, count))
      if (isDurable)
        this.medium.bytes.set(content, start);
    return isDurable;
  }

  /** From now on it can be read only. */
  refuse(): void {
    this.failsAt = 0;
    this.failing = 'write';
  }

  close(): void { /* nothing to release */ }

  private forEachWord(start: number, change: (old: number, at: number) => number): void {
    for (let at = 0; at < this.blockLength; at += 4)
      this.view.setUint32(start + at, change(this.view.getUint32(start + at), at));
  }

  private remember(start: number, content: Uint8Array): void {
    if (this.isCached)
      this.unflushed.push({ start, content });
  }

  private step(tear: () => void): void {
    if (this.medium.stepCount++ < this.cutAt)
      return;
    if (!this.isCached)
      tear();
    const { bytes } = this.medium;
    const view = new DataView(bytes.buffer);
    for (const { start, content } of this.unflushed) {
      const share = [0, 1, 0.5, MARKS][Math.floor(this.random() * (this.isTearing ? 4 : 2))]!;
      for (let at = 0; at < content.length; at += 4)
        if (share === MARKS ? view.getUint32(start + at) === 0 && this.random() < 0.5 : this.random() < share)
          bytes.set(content.subarray(at, at + 4), start + at);
    }
    this.isDead = true;
    this.onPowerLoss?.();
    throw new PowerLoss('the power is gone');
  }

  /** Any of the bits of `mask`. */
  private bits(mask: number): number {
    return (mask & Math.floor(this.random() * 0x100000000)) >>> 0;
  }

  private expectPower(operation: 'read' | 'write' | 'erase'): void {
    if (this.isDead)
      throw NO_POWER;
    if (this.medium.stepCount >= this.failsAt
      && (this.failing === 'all' || this.failing === operation || this.failing === 'write' && operation === 'erase'))
      throw new Error('the medium refuses');
  }

  private expectWords(position: number, length: number): void {
    const block = Math.floor(position / this.blockLength);
    if (position % 4 !== 0 || length % 4 !== 0 || length <= 0 || position < 0
      || position + length > this.medium.bytes.length
        || Math.floor((position + length - 1) / this.blockLength) !== block)
      throw new RangeError(`${length} bytes at ${position} are not whole words of one block`);
    if (length > this.arena.stagingCapacity)
      throw new RangeError(`${length} bytes are more than the staging area has`);
  }
}
