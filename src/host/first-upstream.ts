/**
 * The first upstream's store is the one that a single upstream would have, so its name is written beside it: when
 * another one stands first, what waits for the one would go to the other.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import { isLeftStore } from './left-store.ts';
import { messageOf } from './log.ts';

const LONGEST_NAME = 256;
const NOT_FOUND = 'ENOENT';

const markOf = (path: string): string => `${path}.upstream`;

function readMark(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(markOf(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === NOT_FOUND)
      return undefined;
    throw new Error(`${markOf(path)} cannot be read: ${messageOf(error)}`);
  }
  try {
    if (!fstatSync(file).isFile() || fstatSync(file).size > LONGEST_NAME)
      throw new Error(`${markOf(path)} is not the file that says whose store ${path} is; move it away`);
    return readFileSync(file, 'utf8').trim();
  } finally {
    closeSync(file);
  }
}

/**
 * Notes whose store it is. @param name of the first upstream; empty: it is the only one, and has none
 * @throws Error when it is another one's
 */
export function claimStore({ durability, path }: StoreConfiguration, name: string): void {
  if (durability !== 'flash' || name === '')
    return;
  const owner = readMark(path);
  if (owner !== undefined && owner !== '' && owner !== name)
    throw new Error(`${path} holds what waits for upstream "${owner}", and the first upstream is "${name}" now: put "${owner}" first `
      + `again; or, if nothing waits there any more, remove ${markOf(path)} and ${path}`);
  if (owner === name)
    return;
  try {
    const file = openSync(markOf(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    writeSync(file, `${name}\n`);
    closeSync(file);
  } catch { /* as the store itself, which says so */ }
}

/** Stores of upstreams that are not configured any more, in which something may wait. @param names of those that are */
export function findLeftStores({ durability, path }: StoreConfiguration, names: readonly string[]): string[] {
  if (durability !== 'flash')
    return [];
  const prefix = `${basename(path)}-`;
  try {
    return readdirSync(dirname(path)).filter(file => file.startsWith(prefix) && /^[A-Za-z0-9_.-]+$/.test(file.slice(prefix.length))
      && !names.includes(file.slice(prefix.length))).map(file => join(dirname(path), file)).filter(isLeftStore);
  } catch {
    return [];
  }
}
