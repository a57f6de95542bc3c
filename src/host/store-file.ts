/** What a file is that is to be the store: a store of this version or another one, new, or somebody else's. */
import { closeSync, fstatSync, fsyncSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BLOCK_HEADER_LENGTH, BLOCK_LENGTH, blockLengthFor, MAGIC, MAGIC_VERSION_ONE, SMALLEST_BLOCK } from '../store/record-format.ts';
import { kindOf } from './file-kind.ts';
import { hasLock } from './file-lock.ts';

export const EMPTY = 0;
export const FOREIGN = -1;
export const OTHER_VERSION = -2;
export const LATER_VERSION = -3;
/** Versions are digits. */
const FIRST_VERSION = 0x30;
const LAST_VERSION = 0x39;
/** A disk takes a large piece as fast as a small one, and each new block costs a flush. */
const LARGEST_BLOCK = 65_536;
/** Blocks of a file, if that does not make them larger or smaller than sensible. */
const BLOCKS = 16;
/** Of the name of a store, as by default. */
const ENDING = '.store';

/**
 * @returns the block length of the store in the file, EMPTY when nothing has been written to it, else FOREIGN,
 * OTHER_VERSION or LATER_VERSION
 * @throws what reading has thrown, when the rest does not tell: it may be a store, and read at the next attempt
 */
export function examine(path: string): number {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const header = Buffer.alloc(BLOCK_HEADER_LENGTH);
    let otherwise = FOREIGN;
    let failure: unknown;
    const reads = (buffer: Buffer, position: number): boolean => {
      try {
        return readSync(file, buffer, 0, buffer.length, position) === buffer.length;
      } catch (error) {
        failure = error;
        return false;
      }
    };
    // The first block may be the one that was being erased when the power was cut, so others are asked too.
    for (let position = 0; position < size; position += SMALLEST_BLOCK) {
      if (!reads(header, position))
        continue;
      const magic = header.readUInt32BE(0);
      const length = header.readUInt32BE(BLOCK_LENGTH);
      if ((magic === MAGIC || magic === MAGIC_VERSION_ONE) && length >= SMALLEST_BLOCK && (length & length - 1) === 0
        && position % length === 0)
        return length;
      const version = magic & 0xFF;
      const isVersion = version >= FIRST_VERSION && version <= LAST_VERSION;
      if (magic >>> 8 === MAGIC >>> 8 && isVersion && otherwise !== LATER_VERSION)
        otherwise = magic > MAGIC ? LATER_VERSION : OTHER_VERSION;
    }
    const isBlank = otherwise === FOREIGN && isErased(size, reads);
    if (failure !== undefined && otherwise === FOREIGN)
      throw failure;
    return isBlank ? EMPTY : otherwise;
  } finally {
    closeSync(file);
  }
}

/** To the last byte, for what is taken for empty is written to. Each part is all the one or the other, as disks do. */
function isErased(size: number, reads: (buffer: Buffer, position: number) => boolean): boolean {
  const part = Buffer.alloc(SMALLEST_BLOCK);
  for (let position = 0; position < size; position += SMALLEST_BLOCK) {
    const found = part.subarray(0, Math.min(SMALLEST_BLOCK, size - position));
    if (!reads(found, position) || found[0] !== 0xFF && found[0] !== 0 || !found.every(byte => byte === found[0]))
      return false;
  }
  return true;
}

/** Bytes of a block of a new store. @param longestPacket that is to be stored */
export function blockLengthOf(size: number, longestPacket: number): number {
  let length = blockLengthFor(longestPacket);
  while (length < LARGEST_BLOCK && length * 2 * BLOCKS <= size)
    length *= 2;
  return length;
}

/**
 * A file that is no store may be one of ours whose headers are all destroyed, which is moved aside; anything else is
 * somebody's, and is left where it is. Known is: a lock of ours lies beside it, its name ends as that of a store, or
 * it is as long as a new store is.
 * @returns why it is not touched and what to do; undefined when there is no file, or one that may be used or moved
 * @throws as `examine`
 */
export function refusalOfForeign(path: string, size: number, longestPacket: number): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || kindOf(stats) !== undefined || path.endsWith(ENDING) || examine(path) !== FOREIGN)
    return undefined;
  const blockLength = blockLengthOf(size, longestPacket);
  return stats.size === Math.floor(size / blockLength) * blockLength || hasLock(path) ? undefined
    : `"${path}" is no store: give another store.path, or move it away yourself`;
}

/**
 * A link may lead to a store. What else it leads to is nobody's business here: whoever can lay links in the folder
 * could have any file moved away, and another one put in its place.
 * @throws Error whose message says what to do
 */
export function refuseStrangeLink(name: string, path: string): void {
  if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink() !== true)
    return;
  let isStore = false;
  try {
    isStore = ![FOREIGN, OTHER_VERSION].includes(examine(path)) && statSync(path).size > 0;
  } catch { /* it is not there, or may not be read */ }
  if (!isStore)
    throw new Error(`store.path, "${name}", is a symbolic link that leads to no store of this program, and what it leads to is not touched: remove the link, or give store.path the name of a file of its own`);
}

/** So that the new file itself survives. Not every system can do that. */
export function synchronizeFolder(path: string): void {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch { /* the file is found again all the same, where this is not possible */ }
}
