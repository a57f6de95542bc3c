/** Which other process has a file open for writing, whatever its name: as far as Linux tells. */
import { type BigIntStats, constants, readdirSync, readFileSync, statSync } from 'node:fs';

export const identityOf = ({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string => `${dev}:${ino}`;

/** @returns its number; undefined too where the system does not tell, as of processes of another container */
export function writerOf(identity: string): number | undefined {
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
