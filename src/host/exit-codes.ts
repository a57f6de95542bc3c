/** What every command of the program ends with, and where it says what is wrong. */

/** It could not be done. */
export const FAILURE = 1;
/** The command or the configuration is wrong. */
export const USAGE_ERROR = 2;

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const complain = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** @returns the exit code */
export function misused(message: string): number {
  complain(`ringbridge: ${message}`);
  complain('write "ringbridge --help" to see what there is');
  return USAGE_ERROR;
}
