/** A gateway in this process: what becomes of it when its listener has no port. */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { Log } from '../../src/host/log.ts';
import { runUntilSignal } from '../../src/host/run.ts';
import { exchange } from './command-line.ts';

const CONNECT = '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e';

test('gets the port of its listener as soon as it is free, and says so', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  const configuration = completeConfiguration({
    upstream: { address: ['mqtt://127.0.0.1:1'] }, topic: [{}],
    listener: { address: '127.0.0.1', port, allow_anonymous: true },
  }, PC_SIZES);
  const said: string[] = [];
  const log: string[] = [];
  const running = runUntilSignal(configuration, new Log(line => log.push(line)), line => said.push(line),
    { listenInterval: 50 });
  await expect.poll(() => said.length, { timeout: 30_000 }).toBe(1);
  await new Promise(resolve => setTimeout(resolve, 200)); // several attempts, told of once
  occupant.close();
  await expect.poll(() => said.length, { timeout: 30_000 }).toBe(2);
  expect(said).toEqual([`ready listener=none upstream=mqtt://127.0.0.1:1`,
    `ready listener=127.0.0.1:${port} upstream=mqtt://127.0.0.1:1`]);
  expect(log.filter(line => line.includes('is in use'))).toHaveLength(1);
  expect(await exchange(port, CONNECT, 4)).toBe('20020000');
  process.emit('SIGTERM', 'SIGTERM');
  expect(await running).toBe(0);
});
