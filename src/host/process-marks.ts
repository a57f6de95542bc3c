/**
 * How a process is known again: by its number and when it started, for the number may have been given to another one
 * since.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessMark {
  readonly pid: number;
  /** See `startOf`. */
  readonly started: string;
}

/**
 * When a process began, in words that no other process of that number has; '' when the system does not tell, or there
 * is none.
 */
export function startOf(pid: number): string {
  const stat = statOf(pid);
  if (stat !== undefined)
    try {
      // After the name, which may contain anything, the start is the 20th field: in ticks since the computer's start.
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${stat[19]}`;
    } catch { /* not Linux */ }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** What Linux says of a process, after its name; its state is the first field. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Dead, and its parent has not asked for it yet: in a container whose first process does not, for ever. */
function isZombie(pid: number): boolean {
  const state = statOf(pid)?.[0];
  if (state !== undefined)
    return state === 'Z' || state === 'X';
  try {
    return /^Z/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(pid)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
  } catch {
    return false;
  }
}

/** Whether it is this very process that is there. */
export function isRunning({ pid, started }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') // somebody else's process, but there
      return false;
  }
  if (isZombie(pid))
    return false;
  const actual = startOf(pid);
  return actual === '' || started === '' || actual === started;
}
