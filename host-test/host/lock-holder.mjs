// A process that wants the lock of a file: tells what it got, and holds it until its input ends.
const [, , module, path] = process.argv;
const { FileLock } = await import(module);
try {
  new FileLock(path);
  process.stdout.write('held\n');
} catch (error) {
  process.stdout.write(`refused: ${error.message}\n`);
}
process.stdin.resume();
process.stdin.on('end', () => process.exit());
