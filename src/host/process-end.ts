/** How a program of this package ends. */

/** Sets the exit code, and waits for nothing that would hold the process any longer. */
export async function endWith(running: Promise<number>): Promise<void> {
  // Whoever reads our output may go away before we do.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => {});
  process.exitCode = await running;
  setTimeout(() => process.exit(), 500).unref();
}
