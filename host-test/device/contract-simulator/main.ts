/**
 * The rules of src/io/transport.ts, checked with the SDK's own sockets: in Moddable's simulator, or on a board. No part
 * of `npm test`, because it needs the SDK. One line per rule, then the sum. In this folder:
 *
 * npx esbuild main.ts --bundle --format=esm --target=es2022 --external:embedded:* --external:mc/* --external:timer
 * --outfile=../../../build/contract-simulator/main.js
 *   mcconfig -d -m
 *
 * Broken in the simulator on Linux, 64 bit, and nowhere else as far as the SDK's source tells: "reports the end only
 * after everything has been read" (it stops looking at a socket once it has seen the end) and "does not take anything
 * after the end was reported" (it writes all the same). All others hold.
 *
 * A rule whose breach crashes the simulator ends the run; `mcconfig -d -m first=N` begins with rule N.
 */
import Listener from 'embedded:io/socket/listener';
import TCP from 'embedded:io/socket/tcp';
import config from 'mc/config';
import Timer from 'timer';
import type { ListenerConstructor, TCPConstructor } from '../../../src/io/transport.ts';
import { transportContract, type TransportEnvironment } from '../../io/transport-contract.ts';

/** The simulator looks after its sockets every 20 milliseconds. */
const SETTLE_TIME = 150;
const CHECK_INTERVAL = 5;
/** Megabytes wait in the system's buffers when a peer does not read, and the simulator moves 1,536 bytes at a time. */
const TIME_LIMIT = 150_000;

/** Where a check can begin whose listeners cannot be told to take a free port. */
let nextPort = 20_000 + Math.floor(Math.random() * 9000);

/** Of an exception that has left a callback. */
let defect: string | undefined;

const describe = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** Called by XS when an exception has left a callback: here it belongs to the rule that is being checked. */
(globalThis as { abort?: (reason: string, exception: unknown) => boolean }).abort = (reason, exception) => {
  defect ??= reason === 'unhandled exception' ? describe(exception) : reason;
  return false;
};

const wait = (milliseconds: number): Promise<void> => new Promise(resolve => {
  Timer.set(resolve, milliseconds);
});

const environment = (): TransportEnvironment => ({
  TCP: TCP as TCPConstructor,
  address: '127.0.0.1',
  closedPort: nextPort++,
  listen(onReadable) {
    const port = nextPort++;
    return Promise.resolve({ listener: new (Listener as ListenerConstructor)({ port, onReadable }), port });
  },
  async until(condition) {
    for (let waited = 0; !condition(); waited += CHECK_INTERVAL) {
      if (defect !== undefined)
        throw new Error(defect);
      if (waited > TIME_LIMIT)
        throw new Error('it takes too long');
      await wait(CHECK_INTERVAL);
    }
  },
  settle: () => wait(SETTLE_TIME),
});

async function checkAll(): Promise<void> {
  const first = Number(config['first'] ?? 0);
  const rules = Object.entries(transportContract);
  let brokenCount = 0;
  for (const [index, [rule, check]] of rules.entries()) {
    if (index < first)
      continue;
    trace(`${index} ${rule}: `);
    defect = undefined;
    let result = 'holds';
    try {
      await check(environment());
    } catch (error) {
      result = `BROKEN, ${describe(error)}`;
    }
    if (defect !== undefined && result === 'holds')
      result = `BROKEN, ${defect}`;
    if (result !== 'holds')
      brokenCount++;
    trace(`${result}\n`);
  }
  trace(`${rules.length - first} rules checked, ${brokenCount} broken\n`);
}

void checkAll();
