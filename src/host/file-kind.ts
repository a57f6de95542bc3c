/** What a name of the file system stands for: to be asked before it is opened, which may wait for ever. */
import { closeSync, constants, openSync, readSync, statSync, type Stats } from 'node:fs';

/** @returns what it is, unless it is a regular file */
export function kindOf(stats: Stats): string | undefined {
  return stats.isFile() ? undefined
    : stats.isDirectory() ? 'a folder'
      : stats.isFIFO() ? 'a pipe (FIFO)'
        : stats.isSocket() ? 'a socket' : 'a device';
}

/** Bytes that are read at a time. */
const PIECE = 65_536;

/**
 * Never waits: should it become a pipe between the two questions, there is nothing in it.
 * @returns the first `most` bytes of a regular file, or what else it is @throws as node:fs
 */
export function readRegular(file: string, most: number): { readonly bytes: Buffer } | { readonly kind: string } {
  const kind = kindOf(statSync(file)); // before it is opened, which can do something to a device
  if (kind !== undefined)
    return { kind };
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const pieces: Buffer[] = []; // the size may be told as 0, as in /proc
    for (let length = 0, read = 1; length < most && read > 0; length += read) {
      const piece = Buffer.alloc(Math.min(PIECE, most - length));
      read = readSync(descriptor, piece, 0, piece.length, null);
      pieces.push(piece.subarray(0, read));
    }
    const bytes = Buffer.concat(pieces);
    pieces.forEach(piece => piece.fill(0)); // there may be a secret in it
    return { bytes };
  } finally {
    closeSync(descriptor);
  }
}
