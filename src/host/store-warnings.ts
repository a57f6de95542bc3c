/** What is wrong with the file that is to be the store, when a configuration is read. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Configuration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { kindOf } from './file-kind.ts';
import { codeOf, realPathOf } from './file-lock.ts';
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
  const warn = (text: string): string[] => [`${file}: warning: store.path: ${text}`];
  try {
    const real = realPathOf(path);
    const stats = statSync(real, { throwIfNoEntry: false });
    const kind = stats && kindOf(stats);
    if (kind !== undefined)
      return warn(`"${path}" is ${kind}; write the name of a regular file instead`);
    if (stats === undefined && statSync(dirname(real), { throwIfNoEntry: false })?.isDirectory() !== true)
      return warn(`"${path}" is in no folder; make it, or write another one instead`);
    const refusal = refusalOfForeign(real, size, longestStoredPacket(configuration));
    return refusal === undefined ? [] : warn(refusal);
  } catch (error) { // the rest the start tells, and check --online
    return isMissing(error) ? warn(`"${path}" is in no folder; make it, or write another one instead`) : [];
  }
}

const isMissing = (error: unknown): boolean => /^(ENOENT|ENOTDIR)$/.test(codeOf(error) ?? '');
