/**
 * Signals that come before the program is ready for them: `hold` is called before anything else is loaded. SIGHUP must
 * not end it: a reload that was asked for in the meantime is done as soon as there is something to reload. SIGTERM and
 * SIGINT end it as they do later, with 0: nothing has been begun.
 */
let hasCome = false;
const note = (): void => {
  hasCome = true;
};
const end = (): void => process.exit(0);

/** Only for `run`: other commands end with their terminal. */
export function holdSignals(command: string | undefined): void {
  if (command !== 'run')
    return;
  process.on('SIGHUP', note);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** Whoever calls this listens to the signals by now. @returns whether SIGHUP has come */
export function takeSignals(): boolean {
  process.off('SIGHUP', note);
  process.off('SIGTERM', end);
  process.off('SIGINT', end);
  return hasCome;
}
