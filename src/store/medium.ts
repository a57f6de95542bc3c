/**
 * The storage as queue and map see it: a failure is told once and ends all writing, a read that fails is tried again,
 * and of each block it is known whether something was written to it that no flush has confirmed.
 */
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from './block-storage.ts';
import { ERASED, WORD } from './record-format.ts';
import { UnwrittenMarks } from './unwritten-marks.ts';

/** A passing error is over by then; one that stays costs so many attempts. */
const READ_ATTEMPTS = 3;
const STAMP_MASK = 0xFF;

/** Told that nothing can be written any more. */
interface FailureObserver {
  onStorageFailed(reason: string): void;
}

export class Medium {
  readonly arena: Arena;
  isWorking = false;
  /** Something was written since the last flush began. */
  isDirty = false;
  /** Grows with each thing that must become durable. */
  written = 0;
  blockLength = 0;
  blockCount = 0;
  storage: BlockStorage | undefined = undefined;
  /** Of each block, 0 for one without content. Part of the checksums: what an earlier turn has left never fits. */
  sequences = new Uint32Array(0);
  readonly unwritten = new UnwrittenMarks();
  /** Number of the flush that will confirm what is written now, modulo 256. */
  private stamp = 1;
  private confirmedStamp = 0;
  /** Of each block: the flush that confirms what was written to it last. */
  private stamps = new Uint8Array(0);
  /** Holds blocks of version 0.1, which must be void before they are erased. */
  versionOne: { invalidate(block: number): void } | undefined = undefined;
  private observer: FailureObserver | undefined = undefined;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  open(storage: BlockStorage, observer: FailureObserver): void {
    this.storage = storage;
    this.blockLength = storage.blockLength;
    this.blockCount = storage.blockCount;
    this.sequences = new Uint32Array(storage.blockCount);
    this.stamps = new Uint8Array(storage.blockCount);
    this.observer = observer;
    this.versionOne = undefined;
    this.isWorking = true;
    this.isDirty = false;
    this.stamp = 1;
    this.confirmedStamp = 0;
  }

  /** @returns whether it could be read into the staging area */
  read(position: number, length: number): boolean {
    for (let attempt = 0; attempt < READ_ATTEMPTS; ++attempt)
      try {
        this.storage!.read(position, length);
        return true;
      } catch { /* again */ }
    return false;
  }

  /** Programs the first `length` bytes of the staging area. @returns false when the storage has failed */
  program(position: number, length: number): boolean {
    if (!this.isWorking)
      return false;
    try {
      this.storage!.program(position, length);
    } catch (error) {
      return this.fail(error);
    }
    this.stamps[position / this.blockLength | 0] = this.stamp;
    this.isDirty = true;
    return true;
  }

  /** Programs a word to 0. */
  mark(position: number): boolean {
    this.arena.view.setInt32(this.arena.stagingOffset, 0);
    return this.program(position, WORD);
  }

  erase(block: number): boolean {
    if (!this.isWorking)
      return false;
    try {
      this.versionOne?.invalidate(block);
      this.storage!.erase(block);
    } catch (error) {
      return this.fail(error);
    }
    this.stamps[block] = this.stamp;
    this.isDirty = true;
    return true;
  }

  /**
   * Waits until all that was written is durable; `durable` does not move by that, a flush that is under way may yet
   * fail.
   */
  synchronize(): boolean {
    if (!this.isWorking)
      return false;
    try {
      this.storage!.synchronize();
      return true;
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Whether it still is what was opened. */
  check(): void {
    if (!this.isWorking)
      return;
    try {
      this.storage!.check?.();
    } catch (error) {
      this.fail(error);
    }
  }

  /** @returns what the storage says; true also when it has failed */
  flush(): boolean {
    this.isDirty = false;
    this.stamp = this.stamp + 1 & STAMP_MASK;
    try {
      return this.storage!.flush();
    } catch (error) {
      this.fail(error);
      return true;
    }
  }

  /** The flush that has begun last is confirmed. */
  confirm(): void {
    this.confirmedStamp = this.stamp - 1 & STAMP_MASK;
  }

  /** All is durable. */
  confirmAll(): void {
    this.isDirty = false;
    this.stamp = this.stamp + 1 & STAMP_MASK;
    this.confirm();
  }

  /** Writes again what no flush has confirmed, where it is: a disk that has failed to write may take it for written. */
  repeatUnconfirmed(): boolean {
    const { arena, blockLength } = this;
    const most = arena.stagingCapacity & ~3;
    for (let block = 0; block < this.blockCount; ++block) {
      const age = this.stamps[block]! - this.confirmedStamp & STAMP_MASK;
      if (age === 0 || age > STAMP_MASK >> 1)
        continue;
      const end = (block + 1) * blockLength;
      for (let position = block * blockLength, length = 0; position < end; position += length) {
        length = end - position < most ? end - position : most;
        if (!this.read(position, length))
          this.fail('a block cannot be read');
        else
          this.program(position, length);
        if (!this.isWorking)
          return false;
      }
    }
    return true;
  }

  /** Whether there is this word, or none can be read. */
  hasWord(position: number, word: number): boolean {
    return !this.read(position, WORD) || this.arena.view.getInt32(this.arena.stagingOffset) === (word | 0);
  }

  /** Whether all from `position` to `end` is erased. */
  isErased(position: number, end: number): boolean {
    const { arena } = this;
    const most = arena.stagingCapacity & ~3;
    while (position < end) {
      const length = end - position < most ? end - position : most;
      if (!this.read(position, length))
        return false;
      for (let at = arena.stagingOffset; at < arena.stagingOffset + length; at += 4)
        if (arena.view.getUint32(at) !== ERASED)
          return false;
      position += length;
    }
    return true;
  }

  /** Nothing is written from now on. @returns false */
  fail(error: unknown): false {
    if (this.isWorking) {
      this.isWorking = this.isDirty = false;
      this.observer!.onStorageFailed(error instanceof Error ? error.message : String(error));
    }
    return false;
  }

  /** It could not be opened. */
  forgetStorage(): void {
    this.isWorking = this.isDirty = false;
    this.storage = undefined;
  }

  close(): void {
    this.isWorking = false;
    try {
      this.storage?.close();
    } catch { /* what could be saved has been saved before */ }
    this.storage = undefined;
  }
}
