/**
 * The store's storage on a board: a partition of the flash, by ECMA-419's Flash. `store.path` of the configuration
 * names it if it begins with "store"; what begins otherwise is a file for the PC, and never one of the partitions that
 * belong to the system. Not there: the gateway keeps messages in memory and says so.
 *
 * The SDK's Flash on an ESP32 has sectors of 4096 bytes, takes any offset and length, and waits until the flash has
 * written or erased: a sector takes some 50 milliseconds.
 */
import flash from 'embedded:storage/flash';
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import { type Flash, FlashBlocks } from './core.ts';

/** Partition that is used when `store.path` names a file, as it does by default. */
const DEFAULT_PARTITION = 'store';

/** A label has 16 characters at most. */
const LABEL = /^store[A-Za-z0-9_-]{0,11}$/;

/** Where configurations are stored. @throws Error when there is no such partition */
export function openConfigFlash(): Flash {
  try {
    return flash.open({ path: 'config', mode: 'r+' });
  } catch {
    throw new Error('no flash partition "config": flash the whole image anew, with its partition table');
  }
}

/** @throws Error when there is no such partition */
export function openFlashStorage({ path }: StoreConfiguration, arena: Arena, longestPacket: number): BlockStorage {
  const label = LABEL.test(path) ? path : DEFAULT_PARTITION;
  let opened: Flash;
  try {
    opened = flash.open({ path: label, mode: 'r+' });
  } catch {
    throw new Error(`no flash partition "${label}": add one to the partition table (data, any subtype, 64 KB or more)`);
  }
  return new FlashBlocks(opened, arena, longestPacket);
}
