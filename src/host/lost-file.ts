/**
 * A file that is open and is not what its name leads to any more: somebody has removed it, has moved it or another one
 * into its place, or has cut it off. Nobody who looks for the name later finds what is written to it; so what is in it
 * is written to a new file, and never in the place of another one.
 */
import { closeSync, existsSync, fstatSync, fsyncSync, linkSync, openSync, readSync, renameSync, rmSync, statSync,
  writeSync } from 'node:fs';
import { codeOf } from './file-lock.ts';
import { synchronizeFolder } from './store-file.ts';

/** Bytes that are copied at a time. */
const PIECE = 65_536;
const ERASED = 0xFF;

export const PRESENT = 0;
const REMOVED = 1;
const REPLACED = 2;
const CUT_OFF = 3;

/** @returns PRESENT also when the system does not tell: whoever cannot be asked has lost nothing */
export function fateOf(file: number, path: string, length: number): number {
  try {
    const own = fstatSync(file);
    const named = statSync(path, { throwIfNoEntry: false });
    if (named === undefined)
      return REMOVED;
    if (named.dev !== own.dev || named.ino !== own.ino)
      return REPLACED;
    return own.size < length ? CUT_OFF : PRESENT;
  } catch {
    return PRESENT;
  }
}

/** Saves what is in the file, as far as there is something to save. @returns what has happened, for the user */
export function rescue(file: number, path: string, fate: number): string {
  const name = `"${path}"`;
  if (fate === CUT_OFF)
    return `${name} has been cut off while it was in use: what lay there is lost, but for what is in memory too, which is written to it `
      + 'again; nobody but the gateway may write to that file';
  const what = `${name} has been ${fate === REMOVED ? 'removed or renamed' : 'replaced by another file'} while it was in use`;
  try {
    const saved = writeAnew(file, path);
    return saved === '' ? what : saved === path ? `${what}: what was in it is in a new file of that name, which is used from now on`
      : `${what}: what was in it is in "${saved}", and the file that is there now is used from now on; if messages are counted as lost, `
        + 'stop the gateway, give that one the name, and start it again';
  } catch (error) {
    return `${what}, and what was in it could not be saved: ${(error as Error).message}`;
  }
}

/** @returns the name of the new file; '' when there is nothing to save, and the place is taken */
function writeAnew(file: number, path: string): string {
  const unfinished = `${path}.${process.pid}.unfinished`;
  rmSync(unfinished, { force: true });
  try {
    const isEmpty = copy(file, unfinished);
    if (take(unfinished, path))
      return path;
    for (let number = 1; !isEmpty; ++number)
      if (take(unfinished, `${path}.replaced-${number}`))
        return `${path}.replaced-${number}`;
    return '';
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** @returns whether nothing but erased blocks was in it */
function copy(file: number, path: string): boolean {
  const piece = Buffer.alloc(PIECE);
  const target = openSync(path, 'wx', 0o600);
  let isEmpty = true;
  try {
    for (let position = 0, length; (length = readSync(file, piece, 0, PIECE, position)) > 0; position += length) {
      isEmpty &&= piece.subarray(0, length).every(byte => byte === ERASED);
      for (let written = 0; written < length;)
        written += writeSync(target, piece, written, length - written, position + written);
    }
    fsyncSync(target);
  } finally {
    closeSync(target);
  }
  return isEmpty;
}

/** Gives the file this name. @returns false when another one has it */
function take(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    synchronizeFolder(name);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EEXIST' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS')
      throw error;
    if (code === 'EEXIST' || existsSync(name))
      return false;
    renameSync(file, name); // some file systems have no links
    return true;
  }
}
