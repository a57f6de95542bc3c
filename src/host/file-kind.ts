/** What a name of the file system stands for: to be asked before it is opened, which may wait for ever. */
import type { Stats } from 'node:fs';

/** @returns what it is, unless it is a regular file */
export function kindOf(stats: Stats): string | undefined {
  return stats.isFile() ? undefined
    : stats.isDirectory() ? 'a folder'
      : stats.isFIFO() ? 'a pipe (FIFO)'
        : stats.isSocket() ? 'a socket' : 'a device';
}
