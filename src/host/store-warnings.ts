/** What is wrong with the file that is to be the store, when a configuration is read. */
import { statSync } from 'node:fs';
import type { Configuration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { realPathOf } from './file-lock.ts';
import { identityOf } from './open-elsewhere.ts';
import { refusalOfForeign } from './store-file.ts';

/** @param file of the configuration @returns whether the store would be made in its place, by whatever name */
export function isStoreItself(file: string, { store }: Configuration): boolean {
  if (store.durability !== 'flash')
    return false;
  try {
    return identityOf(statSync(file, { bigint: true })) === identityOf(statSync(store.path, { bigint: true }));
  } catch { // there is none yet
    return false;
  }
}

/** @returns a line when the store cannot be there, because something else is */
export function warnOfStoreFile(file: string, configuration: Configuration): string[] {
  const { durability, path, size } = configuration.store;
  if (durability !== 'flash')
    return [];
  try {
    const refusal = refusalOfForeign(realPathOf(path), size, longestStoredPacket(configuration));
    return refusal === undefined ? [] : [`${file}: warning: store.path: ${refusal}`];
  } catch { // it cannot be had, which the start tells, and check --online
    return [];
  }
}
