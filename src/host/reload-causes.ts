/**
 * Keys that nobody has written follow others: max_packet_size what store.ram and max_queued_bytes have room for, limits
 * of the broker the profile. When such a key changes, this says which written one it follows.
 */
import { completeConfiguration } from '../config/complete-configuration.ts';
import type { Configuration, PartialConfiguration } from '../config/configuration.ts';
import { PC_SIZES } from '../config/defaults.ts';
import { valueAt } from '../config/reload-effects.ts';

/** What a file says, by path; without lists, and without secrets, which are not to stay in memory. */
export type WrittenKeys = ReadonlyMap<string, unknown>;

const SECTIONS: readonly string[] = ['upstream', 'listener', 'store', 'memory'];
const LEFT_OUT: readonly string[] = ['upstream.remote_password', 'upstream.bridge_psk', 'listener.users', 'listener.acl'];

export function writtenKeysOf(partial: PartialConfiguration): WrittenKeys {
  const keys = Object.entries(partial).flatMap(([section, value]): [string, unknown][] => SECTIONS.includes(section)
    ? Object.entries(value as object).map(([key, inner]) => [`${section}.${key}`, inner])
    : section === 'name' ? [[section, value]] : []);
  return new Map(keys.filter(([path]) => !LEFT_OUT.includes(path)));
}

function complete(written: WrittenKeys): Configuration {
  const partial: Record<string, unknown> = {};
  for (const [path, value] of written) {
    const [section, key] = path.split('.') as [string, string?];
    partial[section] = key === undefined ? value : { ...partial[section] as object, [key]: value };
  }
  return completeConfiguration(partial, PC_SIZES);
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** As `keys`, but for one path, which is as in `other`. */
function withKeyOf(keys: WrittenKeys, other: WrittenKeys, path: string): WrittenKeys {
  const changed = new Map(keys);
  changed.delete(path);
  if (other.has(path))
    changed.set(path, other.get(path));
  return changed;
}

/** @returns the written keys that have made this one another; none if it is another one in the file itself */
export function causesOf(path: string, before: WrittenKeys, now: WrittenKeys): readonly string[] {
  if (!isSame(before.get(path), now.get(path)) || isSame(valueAt(complete(before), path), valueAt(complete(now), path)))
    return [];
  const all = [...new Set([...before.keys(), ...now.keys()])];
  return all.filter(key => !isSame(before.get(key), now.get(key))).filter(key =>
    !isSame(valueAt(complete(withKeyOf(before, now, key)), path), valueAt(complete(before), path))
    || !isSame(valueAt(complete(withKeyOf(now, before, key)), path), valueAt(complete(now), path)));
}

/** What is in force of what was written, when these paths have stayed as they were. */
export const writtenAfter = (before: WrittenKeys, now: WrittenKeys, refused: readonly string[]): WrittenKeys =>
  refused.reduce((keys, path) => withKeyOf(keys, before, path), now);
