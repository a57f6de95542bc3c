/**
 * The store's storage on a PC: a file in the format that a board has in its flash. Every `flush` waits until the disk
 * has it, so what a killed process or a power cut leaves behind is what was promised.
 *
 * Nothing of the user's is overwritten or moved: a file that is no store is refused. A store that is damaged all over,
 * or of another version, is moved out of the way, and one of another size or with other blocks is used as it is. One
 * that may not be written is read: what is in it is sent, and the first attempt to write tells the store that it has
 * failed. One process at a time may use it (file-lock.ts).
 */
import { closeSync, existsSync, fchmodSync, fdatasync, fdatasyncSync, fstatSync, fsyncSync, openSync, readSync,
  renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type { Arena } from '../bytes/arena.ts';
import type { BlockStorage } from '../store/block-storage.ts';
import { blockLengthFor } from '../store/record-format.ts';
import { kindOf } from './file-kind.ts';
import { codeOf, FileLock, realPathOf } from './file-lock.ts';
import { fateOf, PRESENT, rescue } from './lost-file.ts';
import { UnconfirmedWrites } from './unconfirmed-writes.ts';
import { blockLengthOf, EMPTY, examine, FOREIGN, LATER_VERSION, OTHER_VERSION, refusalOfForeign, refuseStrangeLink,
  synchronizeFolder } from './store-file.ts';

export class FileStorage implements BlockStorage {
  readonly blockLength: number;
  readonly blockCount: number;
  readonly remark: string;
  readonly isReadOnly: boolean;
  onFlushed: ((isDurable: boolean) => void) | undefined = undefined;
  private flushing = 0;
  private isClosed = false;
  private readonly unconfirmed = new UnconfirmedWrites();
  private isHurried = false;
  private readonly arena: Arena;
  private readonly file: number;
  private readonly path: string;
  /** Why nothing can be written, '' if it can. */
  private readonly refusal: string;
  private readonly erased: Uint8Array;
  private readonly lock: FileLock | undefined;

  /**
   * @param size of a new file in bytes @param longestPacket that is to be stored
   * @throws Error whose message says what to do
   */
  static open(name: string, size: number, arena: Arena, longestPacket: number): FileStorage {
    const path = nameOf(name);
    const kind = existsSync(path) ? kindOf(statSync(path)) : undefined; // before it is opened, which may wait for ever
    if (kind !== undefined)
      throw new Error(`store.path, "${path}", is ${kind}: give it the name of a regular file`);
    refuseStrangeLink(name, path);
    refuseForeign(path, size, longestPacket);
    let lock: FileLock | undefined;
    let refusal = '';
    try {
      lock = new FileLock(path);
    } catch (error) {
      refusal = refusalOf(error);
      if (refusal === '' || !existsSync(path))
        throw explain(path, error);
    }
    try {
      if (refusal === '' && existsSync(path))
        refusal = refusalToWrite(path);
      return new FileStorage(path, arena, lock, refusal, { longestPacket, size });
    } catch (error) {
      lock?.release();
      throw explain(path, error);
    }
  }

  private constructor(path: string, arena: Arena, lock: FileLock | undefined, refusal: string,
    { longestPacket, size }: { longestPacket: number; size: number }) {
    this.arena = arena;
    this.path = path;
    this.refusal = refusal;
    this.isReadOnly = refusal !== '';
    this.lock = lock;
    const needed = blockLengthFor(longestPacket);
    let blockLength = blockLengthOf(size, longestPacket);
    let remark = '';
    // Whoever cannot be asked is there; and what is new is never made in the place of something.
    let isNew = statSync(path, { throwIfNoEntry: false }) === undefined;
    let found = EMPTY;
    if (!isNew) {
      found = examine(path);
      if (found === LATER_VERSION)
        throw new Error(`${path} is a store of a later version of this program, and nothing of it is touched: run that version, or give another store.path`);
      if (found === FOREIGN || found === OTHER_VERSION) {
        if (refusal !== '')
          throw new Error(`${path} is no store of this version of the program, and cannot be moved (${refusal}): give another store.path`);
        const aside = freeName(path);
        renameSync(path, aside);
        remark = `${path} was ${found === FOREIGN ? 'no store any more' : 'a store of another version of this program, which can send what is in it'}: it is now ${aside}`;
        isNew = true;
      } else if (found !== EMPTY) {
        if (found < needed)
          remark = `${path} has blocks of ${found} bytes: longer messages are not stored; for those, remove it when it is empty`;
        blockLength = found;
      }
    }
    this.erased = new Uint8Array(blockLength).fill(0xFF);
    this.file = openSync(path, refusal !== '' ? 'r' : isNew ? 'wx+' : 'r+', 0o600);
    this.blockLength = blockLength;
    try {
      lock?.claimFile(this.file);
      if (found === EMPTY && refusal === '')
        fchmodSync(this.file, 0o600); // somebody else may have made it: what is in it from now on is for its owner
      const present = Math.floor(fstatSync(this.file).size / blockLength);
      const wanted = refusal === '' ? Math.floor(size / blockLength) : present;
      if (refusal !== '')
        remark = `${path} cannot be written (${refusal}): what is in it is sent, and nothing is written to it; make it writable`;
      if (!isNew && present > wanted && remark === '')
        remark = `${path} is larger than store.size and is used as it is`;
      this.blockCount = Math.max(wanted, present);
      for (let block = present; block < wanted; ++block)
        if (found > 0)
          this.append(block);
        else
          this.writeAll(this.erased, 0, blockLength, block * blockLength);
      if (refusal === '') // also what a life before has not: it is taken for durable
        fsyncSync(this.file);
      if (isNew)
        synchronizeFolder(path);
    } catch (error) {
      closeSync(this.file);
      if (isNew) // half of a file is of no use, and may have filled the disk
        rmSync(path, { force: true });
      throw error;
    }
    this.remark = remark;
  }

  read(position: number, length: number): void {
    const { bytes, stagingOffset } = this.arena;
    const read = readSync(this.file, bytes, stagingOffset, length, position);
    if (read < length) // it was cut off by somebody else
      bytes.fill(0, stagingOffset + read, stagingOffset + length);
  }

  program(position: number, length: number): void {
    this.write(this.arena.bytes, this.arena.stagingOffset, length, position);
  }

  erase(block: number): void {
    this.write(this.erased, 0, this.blockLength, block * this.blockLength);
  }

  /** Nobody would find what is written to a file that is not what its name leads to: that storage has failed. */
  check(): void {
    if (this.isReadOnly || this.isClosed)
      return;
    const fate = fateOf(this.file, this.path, this.blockCount * this.blockLength);
    if (fate !== PRESENT)
      throw new Error(rescue(this.file, this.path, fate));
  }

  /** Off the main thread. What is written meanwhile is for the next one. */
  flush(): boolean {
    this.check();
    ++this.flushing;
    const { count, turn } = this.unconfirmed;
    fdatasync(this.file, error => {
      --this.flushing;
      if (error !== null)
        this.writeAgain();
      else
        this.unconfirmed.confirm(count, turn);
      if (this.isClosed)
        this.closeWhenIdle();
      else
        this.onFlushed?.(error === null);
    });
    return false;
  }

  synchronize(): void {
    if (this.isHurried) {
      this.flush();
      return;
    }
    this.check();
    try {
      fdatasyncSync(this.file);
    } catch (error) {
      this.writeAgain();
      throw error;
    }
    this.unconfirmed.confirm(this.unconfirmed.count, this.unconfirmed.turn);
  }

  /** The program ends: nothing waits for the disk any more. What was promised is on it, the system has the rest. */
  hurry(): void {
    this.isHurried = true;
  }

  close(): void {
    this.isClosed = true;
    this.closeWhenIdle();
    this.lock?.release();
  }

  /** The disk has failed to take what was written: the file shows it all the same, and the next flush tries again. */
  private writeAgain(): void {
    ++this.unconfirmed.turn;
    if (!this.isClosed)
      try {
        for (const { content, position } of this.unconfirmed.writes)
          this.writeAll(content, 0, content.length, position);
      } catch { /* the flush that failed is told of */ }
  }

  /** A file that is being flushed must not be closed: its number could be another file's by then. */
  private closeWhenIdle(): void {
    if (this.flushing === 0)
      closeSync(this.file);
  }

  /**
   * Makes the file longer by what is missing of a block. If it was cut off in the middle of one, what is left of that
   * stays.
   */
  private append(block: number): void {
    const start = Math.max(fstatSync(this.file).size, block * this.blockLength);
    this.writeAll(this.erased, 0, (block + 1) * this.blockLength - start, start);
  }

  private write(bytes: Uint8Array, offset: number, length: number, position: number): void {
    if (this.isReadOnly)
      throw new Error(`"${this.path}" may not be written (${this.refusal})`);
    if (this.unconfirmed.isFullWith(length))
      this.synchronize();
    this.unconfirmed.add(position, bytes.slice(offset, offset + length));
    this.writeAll(bytes, offset, length, position);
  }

  private writeAll(bytes: Uint8Array, offset: number, length: number, position: number): void {
    while (length > 0) {
      const written = writeSync(this.file, bytes, offset, length, position);
      offset += written;
      length -= written;
      position += written;
    }
  }
}

/** The path without symbolic links, so that every name of the file leads to one lock. */
function nameOf(path: string): string {
  try {
    return realPathOf(path);
  } catch (error) {
    throw explain(path, error);
  }
}

/** Before a lock is made beside it. */
function refuseForeign(path: string, size: number, longestPacket: number): void {
  let refusal;
  try {
    refusal = refusalOfForeign(path, size, longestPacket);
  } catch (error) {
    throw explain(path, error);
  }
  if (refusal !== undefined)
    throw new Error(refusal);
}

/** @returns the code of an error that means: may be read, but not written; '' for any other */
const refusalOf = (error: unknown): string => /^(EACCES|EPERM|EROFS)$/.exec(codeOf(error) ?? '')?.[0] ?? '';

function refusalToWrite(path: string): string {
  try {
    closeSync(openSync(path, 'r+'));
    return '';
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === '')
      throw error;
    return refusal;
  }
}

/** The same error with what to do. */
export function explain(path: string, error: unknown): Error {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': return new Error(`"${path}" is in no folder: make the folder of store.path`);
    case 'ENOSPC': return new Error(`the disk has no room for "${path}": free some, or lower store.size`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS': return new Error(`"${path}" may not be written (${code}): give store.path a place that may be, or give the right to`);
    default: return error as Error;
  }
}

function freeName(path: string): string {
  let number = 1;
  while (existsSync(`${path}.not-a-store-${number}`))
    ++number;
  return `${path}.not-a-store-${number}`;
}
