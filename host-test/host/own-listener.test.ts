/** A gateway whose broker is itself: no message goes round. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfiguration } from '../../src/host/config.ts';
import { bundle, Command, exchange, Folder } from './command-line.ts';

const folder = new Folder();
beforeAll(bundle);
afterAll(() => folder.remove());

const fileFor = (port: number, address: string, listener = '127.0.0.1'): object => ({
  upstream: { address: [`mqtt://${address}:${port}`] }, topic: [{ pattern: '#', direction: 'both' }],
  listener: { port, address: listener, allow_anonymous: true },
});

test.each([
  ['localhost', '127.0.0.1', true], ['127.0.0.1', '0.0.0.0', true], ['[::1]', '::', true], ['127.0.0.1', '127.0.0.2', false],
  ['192.0.2.1', '0.0.0.0', false],
])('check warns of an address that is its own: %s, listener at %s', (address, listener, isOwn) => {
  const { warnings } = readConfiguration(JSON.stringify(fileFor(1883, address, listener)), 'f');
  expect(warnings.some(line => line.includes('upstream.address[0]: is the port of this gateway\'s own listener'))).toBe(isOwn);
});

test('the own CONNECT is refused, which the log says with what to do, and nodes are served', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  const command = new Command(['run', '--config', folder.write('own.json', fileFor(port, '127.0.0.1'))]);
  try {
    expect(await command.ready()).toBe(port);
    await command.find('stderr', /error this address leads to this gateway's own listener: .* write the address of the broker in upstream\.address/);
    expect(await exchange(port, '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e', 4)).toBe('20020000');
    expect(command.stderr).not.toContain(' connected\n');
  } finally {
    command.process.kill('SIGKILL');
    await command.exited;
  }
});
