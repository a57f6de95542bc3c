/**
 * Ends the program where its main thread cannot: a disk, or whoever reads its output, holds it in a call that does not
 * return, so no listener of a signal runs. A thread of its own listens to the same signals and knows nothing else.
 *
 * Node tells threads of no signals, but its loop has handles for them, which `process.binding` gives. Where a call is
 * held in the kernel, the signal is not even taken: it stays pending, which /proc tells. Both are looked at.
 *
 * The thread gets the text of a function, and no file: a loader of modules would take twice the memory.
 */
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

const SETTINGS = {
  numbers: [constants.signals.SIGTERM, constants.signals.SIGINT],
  /** Milliseconds from a signal to the end: later than the main thread's own limit, and within three seconds. */
  longestEnd: 2850,
  /** Milliseconds in which the main thread can end by itself after a second signal. */
  secondPatience: 300,
  /** Milliseconds from one look at the pending signals to the next. */
  interval: 400,
};
/** Megabytes; what it needs is less than half of it. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

interface SignalHandle {
  onsignal: (number: number) => void;
  start(number: number): number;
}
type SignalBinding = (name: 'signal_wrap') => { readonly Signal: new () => SignalHandle };
type ReadFile = (module: 'node:fs') => { readFileSync(path: string, encoding: 'utf8'): string };

let guard: Worker | undefined;

/** Ends the program three seconds after SIGTERM or SIGINT, soon after a second one, if it does not end by itself. */
export function startGuard(): void {
  guard = new Worker(`(${guardSignals.toString()})(${JSON.stringify(SETTINGS)}, require)`,
    { eval: true, argv: [], execArgv: [], resourceLimits: LIMITS });
  guard.unref();
  guard.on('error', () => guard = undefined); // no memory for it: the main thread still listens
}

/** The signals have their default actions again, if nobody in the main thread listens. */
export async function stopGuard(): Promise<void> {
  await guard?.terminate();
}

/** In the thread: may name nothing of this file. */
function guardSignals({ interval, longestEnd, numbers, secondPatience }: typeof SETTINGS, load: ReadFile): void {
  const { readFileSync } = load('node:fs');
  const seen: number[] = [];
  let limit: NodeJS.Timeout | undefined;
  const notice = (number: number, age = 0): void => {
    seen.push(number);
    clearTimeout(limit);
    limit = setTimeout(() => process.kill(process.pid, 'SIGKILL'), seen.length === 1 ? longestEnd - age : secondPatience);
  };
  try {
    process.noDeprecation = true;
    const { Signal } = (process as unknown as { binding: SignalBinding }).binding('signal_wrap');
    for (const number of numbers) {
      const handle = new Signal();
      handle.onsignal = each => notice(each);
      handle.start(number);
    }
  } catch { /* another version of Node: what is pending is seen all the same */ }
  const findPending = (): number[] => {
    try {
      const mask = BigInt(`0x${/^ShdPnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!}`);
      return numbers.filter(number => (mask >> BigInt(number - 1) & 1n) === 1n);
    } catch { // not Linux
      return [];
    }
  };
  let before: readonly number[] = [];
  setInterval(() => {
    const pending = findPending();
    for (const number of pending)
      if (before.includes(number) && !seen.includes(number)) // the main thread would have taken it by now
        notice(number, 2 * interval);
    before = pending;
  }, interval);
}
