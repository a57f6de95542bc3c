/**
 * Signals that come before the program is ready for them: `hold` is called before anything else is loaded. SIGHUP and
 * SIGUSR2 must not end it: a reload or a status that was asked for in the meantime is given as soon as there is
 * something to reload. SIGTERM and SIGINT end it as they do later, with 0: nothing has been begun.
 *
 * SIGUSR1 is taken for good: without a listener Node would open its debugger, which lets everybody on this computer run
 * code in the program.
 */
import { startGuard } from './signal-guard.ts';

const come = new Set<NodeJS.Signals>();
const note = (signal: NodeJS.Signals): void => {
  come.add(signal);
};
const end = (): void => process.exit(0);
const HELD = [['SIGHUP', note], ['SIGUSR2', note], ['SIGTERM', end], ['SIGINT', end]] as const;

/** All but SIGUSR1 only for `run`: other commands end with their terminal. */
export function holdSignals(command: string | undefined): void {
  process.on('SIGUSR1', refuseDebugger);
  if (command !== 'run')
    return;
  HELD.forEach(([name, handler]) => process.on(name, handler));
  startGuard();
}

/** Whoever calls this listens to the signals by now. @returns whether SIGHUP has come, and SIGUSR2 */
export function takeSignals(): [boolean, boolean] {
  HELD.forEach(([name, handler]) => process.off(name, handler));
  return [come.has('SIGHUP'), come.has('SIGUSR2')];
}

let isRefused = false;

/** Said once: whoever sends it again and again fills no log. */
function refuseDebugger(): void {
  if (!isRefused)
    process.stderr.write(`${new Date().toISOString()} warning SIGUSR1: nothing is done: Node's debugger, which this `
      + 'signal would open, lets everybody on this computer run code in the program\n');
  isRefused = true;
}
