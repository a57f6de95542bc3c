/**
 * Keeps two processes from using one file. Beside it lies a file that names its holder: `path`.lock, where `path` is
 * the real one, whatever symbolic links lead to it. Hard links give a file other names, anywhere: so the system is
 * asked too, where it tells (Linux), whether another process has this very file open for writing.
 *
 * A process that was killed leaves its locks, and its number may have been given to another one since; so a lock also
 * says when the process started, and is void unless both fit. A process that is dead and not collected by its parent
 * yet holds nothing. A void lock is taken away under a lock of its own, so that of several that find it exactly one
 * goes on.
 *
 * For processes of one computer only: what runs elsewhere, or in a container of its own, cannot be asked.
 */
import { closeSync, constants, fstatSync, linkSync, openSync, readdirSync, readFileSync, realpathSync, rmSync,
  statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kindOf } from './file-kind.ts';
import { isRunning, type ProcessMark, startOf } from './process-marks.ts';

/** Attempts to get a lock that others take and leave at the same time. */
const ATTEMPTS = 1000;
/** Milliseconds after which a lock without content belongs to a process that died while it made it. */
const UNFINISHED = 2000;

/** The path without symbolic links; of a file that is to be made, of its folder. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/** The process that holds the lock of `path` at this moment, which is only looked at; undefined: none does. */
export function holderOf(path: string): number | undefined {
  const found = readIfThere(`${realPathOf(path)}.lock`);
  const holder = found === undefined ? undefined : parse(found);
  return holder !== undefined && isRunning(holder) ? holder.pid : undefined;
}

export class FileLock {
  private readonly path: string;
  private readonly content: string;
  private readonly held: string[] = [];
  private identity = '';

  /** @throws Error naming the process that uses `path` already, and what to do; or what the file system says */
  constructor(path: string) {
    this.path = path;
    this.content = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies ProcessMark);
    this.acquire(`${realPathOf(path)}.lock`);
  }

  /** The file is open now: makes sure that nobody else has it open under another name. @throws as the constructor */
  claimFile(file: number): void {
    const identity = identityOf(fstatSync(file, { bigint: true }));
    const pid = heldHere.has(identity) ? process.pid : writerOf(identity);
    if (pid !== undefined)
      throw new Error(`${this.path} is used by process ${pid} under another name: stop that gateway, or give this one another store.path`);
    heldHere.add(this.identity = identity);
  }

  release(): void {
    heldHere.delete(this.identity);
    for (const lock of this.held.splice(0))
      if (readIfThere(lock) === this.content)
        rmSync(lock, { force: true });
  }

  private acquire(lock: string): void {
    for (let left = ATTEMPTS; left > 0; --left) {
      if (this.claim(lock)) {
        this.held.push(lock);
        return;
      }
      const found = readIfThere(lock);
      if (found === undefined)
        continue;
      const holder = parse(found);
      if (holder === undefined ? isYoung(lock) : isRunning(holder)) {
        if (holder === undefined) {
          pause();
          continue;
        }
        throw new Error(`${this.path} is used by process ${holder.pid}: stop that gateway, or give this one another store.path`);
      }
      this.discard(lock, found);
    }
    throw new Error(`${lock} is taken and left all the time: look what uses ${this.path}`);
  }

  /** Makes the lock out of a file that is whole: there is no moment in which it is there and empty. */
  private claim(lock: string): boolean {
    const own = `${lock}.${process.pid}`;
    rmSync(own, { force: true });
    write(own, this.content);
    try {
      linkSync(own, lock);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        return false;
      if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP' && codeOf(error) !== 'ENOSYS')
        throw error;
      return this.claimWithoutLinks(lock); // some file systems have none
    } finally {
      rmSync(own, { force: true });
    }
  }

  private claimWithoutLinks(lock: string): boolean {
    try {
      write(lock, this.content);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        return false;
      throw error;
    }
  }

  /**
   * Takes away the lock of a process that is gone. Only one process at a time may do that: another one could have
   * made a new lock by then.
   */
  private discard(lock: string, found: string): void {
    const guard = `${lock}.void`;
    if (!this.claim(guard)) {
      const other = readIfThere(guard);
      const holder = other === undefined ? undefined : parse(other);
      if (other !== undefined && (holder === undefined ? !isYoung(guard) : !isRunning(holder)))
        this.discardGuard(guard, other);
      else
        pause();
      return;
    }
    try {
      if (readIfThere(lock) === found)
        rmSync(lock, { force: true });
    } finally {
      rmSync(guard, { force: true });
    }
  }

  /**
   * Its process was killed in the few microseconds in which there is one. Whoever is late finds it to be another one,
   * and leaves it.
   */
  private discardGuard(guard: string, found: string): void {
    pause();
    if (readIfThere(guard) === found)
      rmSync(guard, { force: true });
  }
}

/** Files that this process has claimed. */
const heldHere = new Set<string>();

const identityOf = ({ dev, ino }: { dev: bigint; ino: bigint }): string => `${dev}:${ino}`;

/**
 * @returns the number of another process that has the file open for writing; undefined too where the system does not
 * tell
 */
function writerOf(identity: string): number | undefined {
  for (const pid of listOf('/proc'))
    if (/^\d+$/.test(pid) && Number(pid) !== process.pid)
      for (const file of listOf(`/proc/${pid}/fd`))
        try {
          if (identityOf(statSync(`/proc/${pid}/fd/${file}`, { bigint: true })) === identity && isForWriting(pid, file))
            return Number(pid);
        } catch { /* closed meanwhile */ }
  return undefined;
}

/** Backups read it, and may. */
function isForWriting(pid: string, file: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${file}`, 'latin1'))?.[1] ?? '0';
  return (Number.parseInt(flags, 8) & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch { // another user's, gone, or not Linux
    return [];
  }
}

/** @returns undefined for what is no lock: a process that was killed while it wrote one */
function parse(content: string): ProcessMark | undefined {
  try {
    const { pid, started } = JSON.parse(content) as Partial<ProcessMark>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === 'string' ? { pid: pid!, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Without links a lock is empty for a moment. */
function isYoung(lock: string): boolean {
  try {
    const { mtimeMs, size } = statSync(lock);
    return size === 0 && Math.abs(Date.now() - mtimeMs) < UNFINISHED;
  } catch {
    return false;
  }
}

/** Makes a file that was not there. Nothing is written through a link that somebody has laid. */
function write(path: string, content: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(file, content);
  } finally {
    closeSync(file);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const kind = kindOf(fstatSync(file));
      if (kind !== undefined)
        throw new Error(`the lock of the store, "${path}", is ${kind}: remove it`);
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return undefined;
    if (codeOf(error) === 'ELOOP')
      return ''; // a link, which is no lock
    throw error;
  }
}

/** Another process is at it. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.floor(Math.random() * 4));
}

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
