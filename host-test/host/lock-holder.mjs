// A process that wants the lock of a file: with each line "get" it tells what it got, with each "leave" it leaves that.
// With "claim NAME" it opens the file of that name as well, and claims it.
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , module, path] = process.argv;
const { FileLock } = await import(module);
let lock;
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'leave') {
    lock?.release();
    lock = undefined;
    process.stdout.write('left\n');
    continue;
  }
  try {
    if (line === 'get')
      lock = new FileLock(path);
    else
      lock.claimFile(openSync(line.slice('claim '.length), 'r+'));
    process.stdout.write('held\n');
  } catch (error) {
    process.stdout.write(`refused: ${error.message}\n`);
  }
}
