/** How the program ends when others do not answer: within three seconds, with 0. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundle, Command, exchange, FakeServer, Folder } from './command-line.ts';

const LIMIT = 3000;

const folder = new Folder();
const endings: (() => void)[] = [];

beforeAll(bundle);
afterEach(() => {
  for (const end of endings.splice(0))
    end();
});
afterAll(() => folder.remove());

/** With a getent that does as the shell script says. */
function start(configuration: object, getent?: string): Command {
  const file = folder.write('end.json',
    { listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, topic: [{}], ...configuration });
  let path = process.env['PATH']!;
  if (getent !== undefined) {
    mkdirSync(join(folder.path, 'bin'), { recursive: true });
    chmodSync(folder.write('bin/getent', `#!/bin/sh\n${getent}\n`), 0o755);
    path = `${join(folder.path, 'bin')}:${path}`;
  }
  const command = new Command(['run', '--config', file], undefined, { ...process.env, PATH: path });
  endings.push(() => command.process.kill('SIGKILL'));
  return command;
}

/** @returns milliseconds from SIGTERM to the end @throws unless the program ends with 0 */
async function end(command: Command): Promise<number> {
  const begin = performance.now();
  command.process.kill('SIGTERM');
  expect(await command.exited).toBe(0);
  return performance.now() - begin;
}

const serve = async (answer: readonly number[] = []): Promise<FakeServer & { address: string }> => {
  const server = new FakeServer(answer);
  endings.push(() => server.close());
  return Object.assign(server, { address: `mqtt://127.0.0.1:${await server.listen()}` });
};

describe('SIGTERM', () => {
  test('ends the program while a name server is silent, and nodes have been served meanwhile', async () => {
    const command = start({ upstream: { address: ['mqtt://broker.example'] } }, 'exec sleep 60');
    const port = await command.ready();
    expect(await exchange(port, '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e', 4)).toBe('20020000');
    expect(await end(command)).toBeLessThan(LIMIT);
  });

  test('ends it while a broker has taken the connection and says nothing', async () => {
    const server = await serve();
    const command = start({ upstream: { address: [server.address] } });
    await command.ready();
    await server.until(() => server.received !== '');
    expect(await end(command)).toBeLessThan(LIMIT);
  });

  test('ends it while passwords are still being hashed, before it is ready', async () => {
    const users = Array.from({ length: 200 }, (_, index) => ({ username: `u${index}`, password: 'x' }));
    const command = start({ listener: { port: 0, address: '127.0.0.1', users } });
    await command.find('stderr', /listener\.users\[199\]\.password/);
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(command.stdout).toBe('');
    expect(await end(command)).toBeLessThan(LIMIT);
  });
});

describe('a name', () => {
  test('whose name server is silent is given up after connack_timeout, said, and asked for again', async () => {
    const server = await serve([0x20, 0x02, 0x00, 0x00]);
    const port = server.address.split(':').at(-1)!;
    const getent =
      `[ -e ${folder.path}/second ] && echo "127.0.0.1 STREAM broker.example" && exit 0; touch ${folder.path}/second; exec sleep 60`;
    const command =
      start({ upstream: { address: [`mqtt://broker.example:${port}`], connack_timeout: 0.5,
        restart_timeout: [0.1, 0.1] } }, getent);
    await command.find('stderr', /cannot resolve the host name: check upstream\.address, or the name server/);
    await command.find('stderr', /connected/);
    expect(await end(command)).toBeLessThan(LIMIT);
  });
});
