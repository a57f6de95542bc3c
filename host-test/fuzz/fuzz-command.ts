/**
 * npm run fuzz -- [--seconds N] [--seed S]: fuzzes both roles. Exit code 1 and the input when the invariant does not
 * hold.
 */
import { parseArgs } from 'node:util';
import { describeFailure, fuzz } from './fuzz.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

const DEFAULT_SECONDS = '10';

export async function main(args: string[]): Promise<number> {
  const options = { seconds: { type: 'string', default: DEFAULT_SECONDS }, seed: { type: 'string' } } as const;
  const { values } = parseArgs({ args, options });
  const seconds = Number(values.seconds);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
  if (!(seconds > 0) || !Number.isInteger(seed)) {
    complain('usage: npm run fuzz -- [--seconds N] [--seed S], N above 0 and S a whole number');
    return 2;
  }
  print(`fuzzing for ${seconds} s, seed ${seed}`);
  const end = performance.now() + seconds * 1000;
  const { attackCount, byteCount, endings, failure } = fuzz(seed, () => performance.now() < end);
  if (failure) {
    complain(describeFailure(failure));
    return 1;
  }
  print(`${attackCount} attacks, ${byteCount} bytes: packets or one Reason Code each time, no throw, no growth, `
    + 'nobody else noticed');
  print('how sessions ended:');
  for (const [reason, count] of [...endings].sort((a, b) => b[1] - a[1]))
    print(`${String(count).padStart(9)}  ${reason}`);
  return 0;
}
