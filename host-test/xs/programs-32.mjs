/**
 * Programs of 32 bits, as a board's words are: compiled with gcc-multilib, run by the processor itself, or by Debian's
 * qemu-user where the kernel takes none (newer ones are often built without).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EMULATOR = 'qemu-i386';
export const PACKAGES_32 = 'gcc-multilib qemu-user';

/** @typedef {'itself' | 'emulated' | 'never'} Way in which programs of 32 bits run here */

/** @type {Way | undefined} */
let way;

/** @returns {Way} */
function wayHere() {
  const folder = mkdtempSync(join(tmpdir(), 'ringbridge-32-'));
  const program = join(folder, 'program');
  try {
    const { status } = spawnSync('gcc', ['-m32', '-x', 'c', '-', '-o', program],
      { input: '#include <stdio.h>\nint main(void){return 0;}' });
    return status !== 0 ? 'never' : spawnSync(program, { stdio: 'ignore' }).status === 0 ? 'itself'
      : spawnSync(EMULATOR, [program], { stdio: 'ignore' }).status === 0 ? 'emulated' : 'never';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {boolean} whether PACKAGES_32 are there, as far as this computer needs them */
export const canRun32 = () => (way ??= wayHere()) !== 'never';

/**
 * @param {string} program of 32 bits
 * @returns {string} what to start in its place: itself, or a script that emulates it
 */
export function startable32(program) {
  if ((way ??= wayHere()) !== 'emulated')
    return program;
  const script = `${program}.sh`;
  if (!existsSync(script)) {
    // Renamed, so that nobody starts half a script.
    const unfinished = `${script}.${process.pid}`;
    writeFileSync(unfinished, `#!/bin/sh\nexec ${EMULATOR} "${program}" "$@"\n`);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, script);
  }
  return script;
}
