/**
 * Keeps two processes from using one file. Beside it lies a file that names its holder: `path`.lock, where `path` is
 * the real one, whatever symbolic links lead to it. Hard links and mounts give a file other names, anywhere: so the
 * kernel is asked too, by a lock on the file itself, and whether another process has this very file open for writing.
 *
 * A process that was killed leaves its locks. The kernel tells which of them are void (kernel-lock.ts), also of a
 * process in another container; else the number of the process does, and when it started. A process that is dead and
 * not collected by its parent yet holds nothing. A void lock is taken away under a lock of its own, so that of several
 * that find it exactly one goes on.
 *
 * For processes of one computer: what runs elsewhere cannot be asked.
 */
import { closeSync, constants, fstatSync, linkSync, openSync, readFileSync, realpathSync, rmSync, statSync,
  writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kindOf } from './file-kind.ts';
import { ALIVE, GONE, isHere, type LockMark, namespaceHere, ownContent, parseMark, stateOf, tryLock,
  UNKNOWN } from './kernel-lock.ts';
import { identityOf, writerOf } from './open-elsewhere.ts';

/** Attempts to get a lock that others take and leave at the same time. */
const ATTEMPTS = 1000;
/** Milliseconds after which a lock without content belongs to a process that died while it made it. */
const UNFINISHED = 2000;
const ADVICE = 'stop that gateway, or give this one another store.path';

/** The path without symbolic links; of a file that is to be made, of its folder. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/** Who holds the lock of `path` at this moment, in words; it is only looked at. undefined: nobody does. */
export function holderOf(path: string): string | undefined {
  const lock = lockOf(path);
  const found = look(lock);
  return found?.holder === undefined || found.state === GONE ? undefined
    : found.state === ALIVE ? nameOf(found.holder) : `${nameOf(found.holder)}, or was: if no gateway uses it, remove "${lock}"`;
}

/** Whether a gateway uses `path`, or was killed while it did. */
export function hasLock(path: string): boolean {
  return parseMark(readIfThere(lockOf(path)) ?? '') !== undefined;
}

const lockOf = (path: string): string => `${realPathOf(path)}.lock`;

const nameOf = (holder: LockMark): string => `process ${holder.pid}${isHere(holder) ? '' : ' of another container'}`;

/** A lock that this process has made. It stays open, for that is what the kernel's lock is tied to. */
interface OwnLock {
  readonly file: number;
  readonly content: string;
}

interface FoundLock {
  readonly content: string;
  readonly holder: LockMark | undefined;
  /** GONE without a holder. */
  readonly state: number;
}

export class FileLock {
  private readonly path: string;
  private readonly lock: string;
  private held: OwnLock | undefined = undefined;
  private identity = '';

  /** @throws Error naming the process that uses `path` already, and what to do; or what the file system says */
  constructor(path: string) {
    this.path = path;
    this.lock = lockOf(path);
    this.refuseHeld(look(this.lock)); // nothing is made where there is nothing to be had
    const unlinked = `${this.lock}.${nameOfOwn()}`;
    rmSync(unlinked, { force: true });
    const own = make(unlinked);
    try {
      this.held = this.acquire(own, unlinked);
    } finally {
      rmSync(unlinked, { force: true });
      if (this.held !== own)
        closeSync(own.file);
    }
  }

  /** The file is open now: makes sure that nobody else has it open under another name. @throws as the constructor */
  claimFile(file: number): void {
    const identity = identityOf(fstatSync(file, { bigint: true }));
    const pid = heldHere.has(identity) ? process.pid : writerOf(identity);
    if (pid !== undefined)
      throw new Error(`${this.path} is used by process ${pid} under another name: ${ADVICE}`);
    const isOurs = tryLock(file, '-x');
    if (isOurs === false && !leftHere.has(identity))
      throw new Error(`${this.path} is used by a process of another container under another name: ${ADVICE}`);
    if (isOurs === true)
      leftHere.delete(identity);
    heldHere.add(this.identity = identity);
  }

  release(): void {
    if (heldHere.delete(this.identity))
      leftHere.add(this.identity);
    const { held } = this;
    if (held === undefined)
      return;
    this.held = undefined;
    if (readIfThere(this.lock) === held.content)
      rmSync(this.lock, { force: true });
    closeSync(held.file);
  }

  /** @param own a lock that is whole, under a name of its own: linked, it is never there and empty */
  private acquire(own: OwnLock, unlinked: string): OwnLock {
    for (let left = ATTEMPTS; left > 0; --left) {
      const held = claim(own, unlinked, this.lock);
      if (held !== undefined)
        return held;
      const found = look(this.lock);
      if (found === undefined)
        continue;
      this.refuseHeld(found);
      if (found.holder === undefined && isYoung(this.lock))
        pause();
      else
        this.discard(own, unlinked, found.content);
    }
    throw new Error(`${this.lock} is taken and left all the time: look what uses ${this.path}`);
  }

  private refuseHeld(found: FoundLock | undefined, lock = this.lock): void {
    if (found?.holder === undefined || found.state === GONE)
      return;
    throw new Error(found.state === ALIVE ? `${this.path} is used by ${nameOf(found.holder)}: ${ADVICE}`
      : `${this.path} is used by ${nameOf(found.holder)}, or was when that was killed, which cannot be told here: if no gateway uses it, `
        + `remove "${lock}"; with the program "flock" (util-linux) in both containers it is told`);
  }

  /**
   * Takes away the lock of a process that is gone. Only one process at a time may do that: another one could have
   * made a new lock by then.
   */
  private discard(own: OwnLock, unlinked: string, content: string): void {
    const guard = `${this.lock}.void`;
    const held = claim(own, unlinked, guard);
    if (held === undefined) {
      const other = look(guard);
      if (other?.state === UNKNOWN)
        this.refuseHeld(other, guard);
      else if (other !== undefined && other.state === GONE && (other.holder !== undefined || !isYoung(guard)))
        discardGuard(guard, other.content);
      else
        pause();
      return;
    }
    try {
      if (readIfThere(this.lock) === content)
        rmSync(this.lock, { force: true });
    } finally {
      rmSync(guard, { force: true });
      if (held !== own)
        closeSync(held.file);
    }
  }
}

/** Files that this process has claimed. */
const heldHere = new Set<string>();

/** Those that it has left, and may not have closed yet because the disk hangs: the kernel's lock on them is ours. */
const leftHere = new Set<string>();

/** No other process of this computer has the name, and one that was killed leaves one that is used again. */
const nameOfOwn = (): string => [process.pid, ...namespaceHere().match(/\d+/g) ?? []].join('-');

/** @returns undefined when somebody else has it */
function claim(own: OwnLock, unlinked: string, lock: string): OwnLock | undefined {
  try {
    linkSync(unlinked, lock);
    return own;
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      return undefined;
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP' && codeOf(error) !== 'ENOSYS')
      throw error;
  }
  try {
    return make(lock); // some file systems have no links
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      return undefined;
    throw error;
  }
}

/**
 * Makes a lock that was not there, with the kernel's before it says so. Nothing is written through a link that somebody
 * has laid.
 */
function make(path: string): OwnLock {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    const content = ownContent(tryLock(file, '-x') === true);
    writeSync(file, content);
    return { file, content };
  } catch (error) {
    closeSync(file);
    rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Its process was killed in the few microseconds in which there is one. Whoever is late finds it to be another one,
 * and leaves it.
 */
function discardGuard(guard: string, content: string): void {
  pause();
  if (readIfThere(guard) === content)
    rmSync(guard, { force: true });
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

/** @returns undefined when there is none */
function look(lock: string): FoundLock | undefined {
  return withLock(lock, (content, file) => {
    const holder = parseMark(content);
    return { content, holder, state: holder === undefined ? GONE : stateOf(file, holder) };
  }, { content: '', holder: undefined, state: GONE });
}

const readIfThere = (lock: string): string | undefined => withLock(lock, content => content, '');

/** @param ofLink for a link, which is no lock @returns undefined when there is nothing */
function withLock<T>(path: string, use: (content: string, file: number) => T, ofLink: T): T | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const kind = kindOf(fstatSync(file));
      if (kind !== undefined)
        throw new Error(`the lock of the store, "${path}", is ${kind}: remove it`);
      return use(readFileSync(file, 'utf8'), file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return undefined;
    if (codeOf(error) === 'ELOOP')
      return ofLink;
    if (codeOf(error) === 'ENXIO')
      throw new Error(`the lock of the store, "${path}", is a socket: remove it`);
    throw error;
  }
}

/** Another process is at it. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.floor(Math.random() * 4));
}

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
