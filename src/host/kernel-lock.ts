/**
 * Who holds a lock, and whether that process lives: as the kernel knows it (flock of an open file), which tells across
 * containers, for it is the file that is locked and not a name or a number that is compared. Such a lock ends with the
 * process, however that ends, and costs nothing while it is held.
 *
 * Node cannot ask for one, but a program can that inherits the open file: `flock` of util-linux or BusyBox, which is
 * done before we go on. Where there is none, or the file system has no such locks, a process is known by its number
 * and its start. Those mean something in one PID namespace only: of another one nothing is known then.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { isRunning, type ProcessMark, startOf } from './process-marks.ts';

/** What a lock says of its holder. */
export interface LockMark extends ProcessMark {
  /** In which its number means something, '' where there are none; not in the locks of former versions. */
  readonly namespace?: string | undefined;
  /** The kernel keeps a lock on this very file as long as the holder lives. */
  readonly flock?: boolean | undefined;
}

export const GONE = 0;
export const ALIVE = 1;
/** It is, or was, in another container, and nothing tells. */
export const UNKNOWN = 2;

/** Milliseconds; it never waits for the lock, but its program may lie on a disk that hangs. */
const PATIENCE = 2000;
/** The file in that program. */
const DESCRIPTOR = 3;
const ID_LENGTH = 4;

export const namespaceHere = (): string => {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch { // not Linux, or no /proc
    return '';
  }
};

/** The content of a lock; no two are alike, so one that was left and made again is seen to be another one. */
export const ownContent = (flock: boolean): string =>
  JSON.stringify({ pid: process.pid, started: startOf(process.pid), namespace: namespaceHere(), flock,
    id: randomBytes(ID_LENGTH).toString('hex') } satisfies LockMark & { id: string });

/**
 * Asks the kernel for a lock on an open file, which is held until that is closed.
 * @param mode -x: for one; -s: for several, none of which has it for itself
 * @returns false: another one has it; undefined: there are no such locks here
 */
export function tryLock(file: number, mode: '-x' | '-s'): boolean | undefined {
  if (process.platform === 'win32')
    return undefined;
  const { status, stderr } = spawnSync('flock', ['-n', mode, String(DESCRIPTOR)],
    { stdio: ['ignore', 'ignore', 'pipe', file], encoding: 'utf8', timeout: PATIENCE, killSignal: 'SIGKILL' });
  return status === 0 ? true : status === 1 && stderr === '' ? false : undefined; // BusyBox ends with 1 for all else too
}

/** @param file the lock, open; whoever asks only shares it, so of several that ask at once none is in the way */
export function stateOf(file: number, mark: LockMark): number {
  const isFree = mark.flock === true ? tryLock(file, '-s') : undefined;
  if (isFree !== undefined)
    return isFree ? GONE : ALIVE;
  if (isHere(mark))
    return isRunning(mark) ? ALIVE : GONE;
  const boot = bootOf(mark.started);
  return boot !== '' && boot !== bootOf(startOf(process.pid)) ? GONE : UNKNOWN;
}

/** Whether its number means here what it means there. */
export const isHere = ({ namespace = namespaceHere() }: LockMark): boolean => namespace === namespaceHere();

/** What the computer has started since has no process of before. */
const bootOf = (started: string): string => /^([0-9a-f-]{36}) \d+$/.exec(started)?.[1] ?? '';

/** @returns undefined for what is no lock: a process that was killed while it wrote one */
export function parseMark(content: string): LockMark | undefined {
  try {
    const { flock, namespace, pid, started } = JSON.parse(content) as Partial<LockMark>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === 'string'
      ? { pid: pid!, started, flock: flock === true, namespace: typeof namespace === 'string' ? namespace : undefined }
      : undefined;
  } catch {
    return undefined;
  }
}
