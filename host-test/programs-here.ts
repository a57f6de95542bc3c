/** Programs of the machine that tests run. Where it decides whether work lands (CI=true, .ci/run) none is left out. */
import { spawnSync } from 'node:child_process';

const isDemanded = process.env['CI'] === 'true';

/** Whether tests are run that need something: where it is demanded they fail if it is not there. */
export const isTested = (isThere: boolean): boolean => isThere || isDemanded;

/** @returns the path of a program @throws Error that says what to install */
export function pathOf(program: string): string {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
  if (stdout === '')
    throw new Error(`${program} is not installed: apt-get install ${program}`);
  return stdout.trim();
}
