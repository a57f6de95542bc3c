/** How a program of this package ends: soon, whatever holds it. */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { stopGuard } from './signal-guard.ts';

/** Milliseconds that what still holds the process may take. */
const PATIENCE = 500;

/** Of standard input, output and errors. */
const TERMINALS = [0, 1, 2].filter(isatty);

/** Sets the exit code, and waits for nothing that would hold the process any longer. */
export async function endWith(running: Promise<number>): Promise<void> {
  // Whoever reads our output may go away before we do.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => {});
  process.on('exit', leaveTerminals);
  process.exitCode = await running;
  setTimeout(endNow, PATIENCE).unref();
}

/**
 * Ends the program with its exit code, or, where a disk keeps a thread waiting, as the signal would have done that the
 * program has been sent: `process.exit` waits for its threads.
 */
export function endNow(): void {
  if (process.getActiveResourcesInfo().includes('FSReqCallback'))
    dieOf('SIGTERM');
  else
    process.exit();
}

/** Waits for nothing and nobody. */
export function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  void stopGuard().then(() => process.kill(process.pid, signal));
}

/** Node gives its terminals back as they were, and aborts when one has been closed. */
function leaveTerminals(): void {
  for (const file of TERMINALS)
    if (!isatty(file))
      closeSync(file);
}
