/**
 * What the store needs of a storage, in the terms of NOR flash, which every other medium can imitate:
 *
 *   an erased word (4 bytes) reads 0xFFFFFFFF; programming turns ones into zeros, each word once, but to 0 at any time,
 *     and to what it is already where a flush has failed
 *   zeros become ones again only by erasing a whole block
 *
 * Positions and lengths are multiples of 4. Bytes come from and go to the arena's staging area, which is the one
 * place that can be handed to a platform at an exact length without making a view (io/exact-view.ts). Any method may
 * throw: the medium has failed then. io/flash-blocks.ts is the flash of a board, host/file-storage.ts a file.
 */
export interface BlockStorage {
  readonly blockLength: number;
  readonly blockCount: number;
  /** Something to tell the user, '' if there is nothing. */
  readonly remark: string;
  /** It can be read only: the first attempt to write fails, and says why. */
  readonly isReadOnly?: boolean;
  /**
   * Told once of each `flush` that has returned false, never from inside it: whether all that was written before it
   * is durable.
   */
  onFlushed: ((isDurable: boolean) => void) | undefined;
  /** Reads `length` bytes at `position` into the staging area. */
  read(position: number, length: number): void;
  /** Programs the first `length` bytes of the staging area at `position`, where all is erased, or to 0. */
  program(position: number, length: number): void;
  /** Erases the block of this index. */
  erase(block: number): void;
  /** Looks whether it still is what it was when it was opened, where it can be otherwise. To be called now and then. */
  check?(): void;
  /** Begins to make what was written durable. @returns true when it is already, else `onFlushed` will tell */
  flush(): boolean;
  /** Waits until all that was written is durable. */
  synchronize(): void;
  close(): void;
}
