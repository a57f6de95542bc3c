/**
 * The store's storage on a board: a partition of the flash, by ECMA-419's Flash. The partition's label is `store.path` of the
 * configuration without anything that belongs to a file name. Not there: the gateway keeps messages in memory and says so.
 */
import flash from 'embedded:storage/flash';
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../gateway/block-storage.ts';
import { type Flash, FlashBlocks, ResizedStaging } from './core.ts';

/** Partition that is used when `store.path` names a file, as it does by default. */
const DEFAULT_PARTITION = 'store';

/** @throws Error when there is no such partition */
export function openFlashStorage(path: string, arena: Arena, longestPacket: number): BlockStorage {
  const label = /^[A-Za-z0-9_-]{1,16}$/.test(path) ? path : DEFAULT_PARTITION;
  let opened: Flash;
  try {
    opened = flash.open({ path: label, mode: 'r+' });
  } catch {
    throw new Error(`no flash partition "${label}": add one to the partition table (data, any subtype, 64 KB or more)`);
  }
  return new FlashBlocks(opened, new ResizedStaging(arena), longestPacket);
}
