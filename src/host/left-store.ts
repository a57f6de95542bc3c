/** A store that an earlier configuration has left behind, and that today's does not open. */
import { statSync } from 'node:fs';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import { holderOf } from './file-lock.ts';
import { examine } from './store-file.ts';

/** @returns what is said at the start when acknowledged messages may wait in a file that nobody reads */
export function remarkOnLeftStore({ durability, path }: StoreConfiguration): string | undefined {
  if (durability === 'flash' || !isLeftStore(path))
    return undefined;
  return `${path} is a store of an earlier configuration, and what waits in it is not sent while store.durability is `
    + '"ram": write "flash" until it is empty, or remove the file';
}

export function isLeftStore(path: string): boolean {
  try {
    return statSync(path).isFile() && examine(path) > 0 && holderOf(path) === undefined; // another gateway sends it
  } catch { // there is none, or it is somebody else's
    return false;
  }
}
