/** What a file is that is to be the store: a store of this version or another one, new, or somebody else's. */
import { closeSync, fstatSync, fsyncSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BLOCK_HEADER_LENGTH, BLOCK_LENGTH, MAGIC, MAGIC_VERSION_ONE, SMALLEST_BLOCK } from '../store/record-format.ts';

export const EMPTY = 0;
export const FOREIGN = -1;
export const OTHER_VERSION = -2;
export const LATER_VERSION = -3;
/** Bytes that are looked at to tell an empty file from a foreign one. */
const SAMPLE = 65_536;

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
      if (magic >>> 8 === MAGIC >>> 8 && otherwise !== LATER_VERSION)
        otherwise = magic > MAGIC ? LATER_VERSION : OTHER_VERSION;
    }
    const sample = Buffer.alloc(Math.min(size, SAMPLE));
    const isSampled = reads(sample, 0);
    if (failure !== undefined && otherwise === FOREIGN)
      throw failure;
    return isSampled && (sample.every(byte => byte === 0xFF) || sample.every(byte => byte === 0)) ? EMPTY : otherwise;
  } finally {
    closeSync(file);
  }
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
