/** How a program of this package ends: soon, whatever holds it. */

/** Milliseconds that what still holds the process may take. */
const PATIENCE = 500;

/** Sets the exit code, and waits for nothing that would hold the process any longer. */
export async function endWith(running: Promise<number>): Promise<void> {
  // Whoever reads our output may go away before we do.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => {});
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
  process.exit();
}

/** Waits for nothing and nobody. */
export function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
