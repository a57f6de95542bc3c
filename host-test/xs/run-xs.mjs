/** Runs a module on the XS measuring host made by build-host.mjs. */
import { execFile } from 'node:child_process';

const TIME_LIMIT_SECONDS = 120;
const OUTPUT_CAPACITY = 64 * 1024 * 1024;

/**
 * Does not reject because of what the module does: look at `code`. It is 0 if the module and all its promise jobs have
 * run, 1 if something was thrown or rejected, 2 for a wrong command line, and null if the process was ended, by the
 * time limit or by a crash; the last line of `stderr` then says by which signal.
 * @param {string} executable
 * @param {string} mainFile
 * @param {string[]} [args] what the module finds in `scriptArguments`
 * @param {{ heapSlots?: number, chunkBytes?: number, timeLimitSeconds?: number }} [limits] sizes of a fixed heap
 * @returns {Promise<{ stdout: string, stderr: string, code: number | null }>}
 */
export function runXS(executable, mainFile, args = [], limits = {}) {
  const { heapSlots, chunkBytes, timeLimitSeconds = TIME_LIMIT_SECONDS } = limits;
  const commandLine = [
    ...(heapSlots === undefined ? [] : ['--heap-slots', String(heapSlots)]),
    ...(chunkBytes === undefined ? [] : ['--chunk-bytes', String(chunkBytes)]),
    mainFile, ...args,
  ];
  const options = { timeout: timeLimitSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: OUTPUT_CAPACITY };
  return new Promise((resolve, reject) => {
    execFile(executable, commandLine, options, (error, stdout, stderr) => {
      if (!error) resolve({ stdout, stderr, code: 0 });
      else if (typeof error.code === 'number') resolve({ stdout, stderr, code: error.code });
      else if (typeof error.code === 'string') reject(error);
      else resolve({ stdout, stderr: stderr + describeEnd(error, timeLimitSeconds), code: null });
    });
  });
}

/** A release build of XS does not check its stack, so endless recursion is a crash. */
function describeEnd({ killed, signal }, timeLimitSeconds) {
  if (killed) return `XS: ended by ${signal} at the time limit of ${timeLimitSeconds} s\n`;
  return `XS: ended by ${signal}, a crash; endless recursion ends so\n`;
}
