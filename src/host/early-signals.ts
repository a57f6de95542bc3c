/**
 * SIGHUP before the program is ready for it must not end it: `hold` is called before anything else is loaded. A reload
 * that was asked for in the meantime is done as soon as there is something to reload.
 */
let hasCome = false;
const note = (): void => {
  hasCome = true;
};

/** Only for `run`: other commands end with their terminal. */
export function holdHangUp(command: string | undefined): void {
  if (command === 'run')
    process.on('SIGHUP', note);
}

/** Whoever calls this listens to the signal by now. @returns whether it has come */
export function takeHangUp(): boolean {
  process.off('SIGHUP', note);
  return hasCome;
}
