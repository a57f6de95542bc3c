/** Runs a module on XS on the emulated board, as run-xs.mjs does on this computer. */
import { execFile } from 'node:child_process';
import { EMULATOR } from './build-board.mjs';

const TIME_LIMIT_SECONDS = 240;
const OUTPUT_CAPACITY = 64 * 1024 * 1024;

/** An instruction takes a nanosecond of the board's time, however long the emulation of it takes: counts are exact. */
const BOARD = ['-M', 'virt', '-m', '128M', '-bios', 'none', '-nographic', '-monitor', 'none', '-serial', 'none',
  '-icount', 'shift=0'];

/** The C library puts a name of the program before these. A comma separates options of the emulator; two are one. */
const argument = text => `arg=${text.replaceAll(',', ',,')}`;

/**
 * @param {string} program of buildBoard
 * @param {string} mainFile
 * @param {string[]} [args] what the module finds in `scriptArguments`
 * @returns {Promise<{ stdout: string, code: number | null }>} what the program says of an error is in `stdout`, too;
 * code null: ended by the time limit
 */
export function runOnBoard(program, mainFile, args = []) {
  const semihosting = ['enable=on', 'target=native', 'chardev=out', ...[mainFile, ...args].map(argument)].join(',');
  const commandLine = [...BOARD, '-chardev', 'stdio,id=out,signal=off', '-semihosting-config', semihosting,
    '-kernel', program];
  const options = { timeout: TIME_LIMIT_SECONDS * 1000, killSignal: 'SIGKILL', maxBuffer: OUTPUT_CAPACITY };
  return new Promise((resolve, reject) => {
    execFile(EMULATOR, commandLine, options, (error, stdout, stderr) => {
      if (typeof error?.code === 'string') reject(error);
      else if (error) resolve({ stdout: stdout + stderr, code: typeof error.code === 'number' ? error.code : null });
      else resolve({ stdout, code: 0 });
    });
  });
}
