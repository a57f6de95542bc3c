/**
 * Finds out what a storage holds, once, at start: one pass over the blocks, each record read once. Everything whose checksum
 * holds is found again, in the order in which it was stored; torn records and garbage are counted and left where they are
 * until their block's turn comes. What lies behind a torn record counts too, though a disk that writes in any order may have
 * torn the earlier one of two that nobody had acknowledged, and their order is lost then: better than messages.
 */
import type { BlockStorage } from './block-storage.ts';
import * as Format from './format.ts';
import { NONE, type Store } from './store.ts';

/** What was found, for the user. */
export class RecoveryReport {
  /** Records that are not done. */
  restoredCount = 0;
  /** Records and rests of blocks that are unreadable. */
  damagedCount = 0;
  /** Blocks that hold something that is not ours. */
  foreignBlockCount = 0;
}

export interface RecoveryHandler {
  /** A record, done or not; it lies in the staging area. */
  onRecord(position: number, packetLength: number, isDone: boolean): void;
}

/** Takes a storage into use. @throws Error when it is too small, or what the storage throws */
export function openStore(store: Store, storage: BlockStorage, handler: RecoveryHandler, report: RecoveryReport): void {
  if (storage.blockCount < Format.FEWEST_BLOCKS)
    throw new Error(`the storage has ${storage.blockCount} blocks of ${storage.blockLength} bytes, and ${Format.FEWEST_BLOCKS} are needed: raise store.size`);
  store.storage = storage;
  store.blockLength = storage.blockLength;
  store.blockCount = storage.blockCount;
  store.pending = new Uint16Array(storage.blockCount);
  store.sequences = new Uint32Array(storage.blockCount);
  store.pendingCount = store.sequence = store.tailOffset = 0;
  store.tailBlock = NONE;
  store.isNextErased = store.hasSaidSo = store.isDirty = false;
  store.isWorking = true;
  findBlocks(store, report);
  if (store.tailBlock !== NONE)
    readBlocks(store, handler, report);
}

/** Which blocks have content, and which one is the newest. */
function findBlocks(store: Store, report: RecoveryReport): void {
  const { arena, blockLength, sequences } = store;
  const { stagingOffset, view } = arena;
  let erasesNext = false;
  for (let block = 0; block < store.blockCount; ++block) {
    if (!store.read(block * blockLength, Format.BLOCK_HEADER_LENGTH))
      return;
    const magic = store.staged(0);
    if (magic !== Format.BLOCK_MAGIC || store.staged(Format.BLOCK_LENGTH) !== blockLength
      || view.getInt32(stagingOffset + Format.BLOCK_CHECKSUM) !== Format.checksum(arena, stagingOffset, Format.BLOCK_CHECKSUM, 0)) {
      if (magic !== Format.ERASED_WORD && magic !== 0)
        ++report.foreignBlockCount;
      continue;
    }
    const sequence = sequences[block] = store.staged(Format.BLOCK_SEQUENCE);
    if (sequence > store.sequence) {
      store.sequence = sequence;
      store.tailBlock = block;
      erasesNext = store.isMarked(Format.BLOCK_ERASES_NEXT);
    }
  }
  store.hasSaidSo = erasesNext;
  if (erasesNext) // and may not have come to an end with it
    sequences[store.following(store.tailBlock)] = 0;
}

/** From the oldest block to the newest. */
function readBlocks(store: Store, handler: RecoveryHandler, report: RecoveryReport): void {
  const { blockLength, tailBlock } = store;
  store.tailOffset = blockLength; // so that the whole newest block is looked at
  for (let left = store.blockCount, block = store.following(tailBlock); left > 0; --left, block = store.following(block)) {
    if (store.sequences[block] === 0)
      continue;
    const position = readRecords(store, block, handler, report);
    if (!isErased(store, position, (block + 1) * blockLength))
      ++report.damagedCount;
    else if (block === tailBlock)
      store.tailOffset = position - block * blockLength; // else the rest of the newest block is not used any more
  }
}

/** @returns where the records of the block end */
function readRecords(store: Store, block: number, handler: RecoveryHandler, report: RecoveryReport): number {
  let position = block * store.blockLength + Format.BLOCK_HEADER_LENGTH;
  for (let length = store.packetLengthAt(position); length !== NONE; length = store.packetLengthAt(position)) {
    if (store.load(position, length)) {
      const isDone = store.isMarked(Format.DONE);
      if (!isDone) {
        ++store.pending[block]!;
        ++store.pendingCount;
        ++report.restoredCount;
      }
      handler.onRecord(position, length, isDone);
    } else
      ++report.damagedCount;
    position += Format.lengthOfRecord(length);
  }
  return position;
}

function isErased(store: Store, position: number, end: number): boolean {
  const { arena } = store;
  const most = arena.stagingCapacity & ~3;
  while (position < end) {
    const length = end - position < most ? end - position : most;
    if (!store.read(position, length))
      return false;
    for (let at = arena.stagingOffset; at < arena.stagingOffset + length; at += 4)
      if (arena.view.getUint32(at) !== Format.ERASED_WORD)
        return false;
    position += length;
  }
  return true;
}
