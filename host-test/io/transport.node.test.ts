import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { Listener } from '../../src/host/listener.ts';
import { TCP } from '../../src/host/tcp.ts';
import { transportContract, type TransportEnvironment } from './transport-contract.ts';

const ADDRESS = '127.0.0.1';
const TIME_LIMIT = 10_000;

/** A port that was free a moment ago. */
const findClosedPort = (): Promise<number> => new Promise(resolve => {
  const server = createServer().listen(0, ADDRESS, () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
});

const environment = async (): Promise<TransportEnvironment> => ({
  TCP,
  address: ADDRESS,
  closedPort: await findClosedPort(),
  listen: onReadable => new Promise((resolve, reject) => {
    const listener = new Listener({
      port: 0,
      address: ADDRESS,
      onReadable,
      onListening: port => resolve({ listener, port }),
      onError: message => reject(new Error(message)),
    });
  }),
  async until(condition) {
    const end = Date.now() + TIME_LIMIT;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`not within ${TIME_LIMIT} ms: ${condition}`);
      await sleep(1);
    }
  },
  settle: () => sleep(60),
});

describe('socket of the host', () => {
  for (const [rule, check] of Object.entries(transportContract))
    test(rule, async () => check(await environment()), 30_000);
});
