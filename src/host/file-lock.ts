/**
 * Keeps two processes from writing one file: beside it lies a file that names the process that uses it. A process that was
 * killed leaves that behind, and its number may have been given to another one since; so the lock also says when the process
 * started, and is void unless both fit.
 *
 * For processes of one computer only: what runs elsewhere, or in a container of its own, cannot be asked.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

interface Holder {
  readonly pid: number;
  readonly started: string;
}

export class FileLock {
  private readonly path: string;
  private readonly content: string;

  /** @throws Error naming the process that uses `path` already, and what to do; or what the file system says */
  constructor(path: string) {
    this.path = `${path}.lock`;
    this.content = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Holder);
    const own = `${this.path}.${process.pid}`;
    writeFileSync(own, this.content);
    try {
      while (!this.claim(own)) {
        const found = readIfThere(this.path);
        const holder = found === undefined ? undefined : parse(found);
        if (holder !== undefined && isRunning(holder))
          throw new Error(`${path} is used by process ${holder.pid}: stop that gateway, or give this one another store.path`);
        if (found !== undefined)
          this.discard(found);
      }
    } finally {
      rmSync(own, { force: true });
    }
  }

  release(): void {
    if (readIfThere(this.path) === this.content)
      rmSync(this.path, { force: true });
  }

  /** Makes the lock out of a file that is whole: there is no moment in which it is there and empty. */
  private claim(own: string): boolean {
    try {
      linkSync(own, this.path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        return false;
      if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP' && codeOf(error) !== 'ENOSYS')
        throw error;
      return this.claimWithoutLinks(); // some file systems have none
    }
  }

  private claimWithoutLinks(): boolean {
    try {
      writeFileSync(this.path, this.content, { flag: 'wx' });
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST')
        return false;
      throw error;
    }
  }

  /** Takes away the lock of a process that is gone, unless another process has been faster and it is a new one. */
  private discard(found: string): void {
    const aside = `${this.path}.${process.pid}.void`;
    try {
      renameSync(this.path, aside);
    } catch (error) {
      if (codeOf(error) === 'ENOENT')
        return;
      throw error;
    }
    const taken = readFileSync(aside, 'utf8');
    if (taken !== found)
      writeFileSync(this.path, taken, { flag: 'wx' });
    rmSync(aside, { force: true });
  }
}

/** When a process began, in words that no other process of that number has; '' when the system does not tell, or there is none. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name, which may contain anything, the start is the 20th field: in ticks since the computer was started.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
  } catch { /* not Linux, or gone */ }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') // somebody else's process, but there
      return false;
  }
  const actual = startOf(pid);
  return actual === '' || started === '' || actual === started;
}

/** @returns undefined for what is no lock: a process that was killed while it wrote one */
function parse(content: string): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(content) as Partial<Holder>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === 'string' ? { pid: pid!, started } : undefined;
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      return undefined;
    throw error;
  }
}

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
