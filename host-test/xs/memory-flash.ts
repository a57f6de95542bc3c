/**
 * ECMA-419 flash of an engine that provides its methods, as a board does: natively on XS (host.c), so that a step that
 * is counted is the store's.
 */
import type { Flash } from '../../src/device/core.ts';

/** As many as host.c has. */
const SECTORS = 16;
const SECTOR_LENGTH = 4096;

/** The methods of an ECMA-419 flash that bytes go through. There is one flash: who begins with it erases it. */
export interface FlashEngine {
  readonly flashRead: (view: Uint8Array, offset: number) => void;
  readonly flashWrite: (view: Uint8Array, offset: number) => void;
  readonly flashErase: (start: number, end: number) => void;
}

/** @returns an empty flash */
export function openMemoryFlash({ flashRead, flashWrite, flashErase }: FlashEngine): Flash {
  flashErase(0, SECTORS);
  return {
    read: flashRead,
    write: flashWrite,
    eraseBlock: flashErase,
    close() { /* nothing to release */ },
    status: () => ({ size: SECTORS * SECTOR_LENGTH, blockLength: SECTOR_LENGTH, blocks: SECTORS }),
  };
}
