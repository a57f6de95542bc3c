/** How the program ends when others do not answer: within three seconds, with 0. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
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
function start(configuration: object, getent?: string, env = process.env): Command {
  const file = folder.write('end.json',
    { listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, topic: [{}], ...configuration });
  let path = process.env['PATH']!;
  if (getent !== undefined) {
    mkdirSync(join(folder.path, 'bin'), { recursive: true });
    chmodSync(folder.write('bin/getent', `#!/bin/sh\n${getent}\n`), 0o755);
    path = `${join(folder.path, 'bin')}:${path}`;
  }
  const command = new Command(['run', '--config', file], undefined, { ...env, PATH: path });
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
  test('ends the program with 0 before anything of it is loaded', async () => {
    const early = 'process.on("newListener", name => name === "SIGTERM" && setImmediate(() => process.kill(process.pid, name)))';
    const command = start({}, undefined, { ...process.env, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(early)}` });
    expect(await command.exited).toBe(0);
    expect(command.stdout + command.stderr).toBe(''); // not even the warnings of the configuration
  });

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
});

describe('SIGTERM, to a gateway of which others keep hold,', () => {
  /** fdatasync that takes a minute as soon as the file `slow` is there. */
  function slowDisk(): NodeJS.ProcessEnv {
    const source = folder.write('slow.c', `
      #include <sys/syscall.h>
      #include <unistd.h>
      int fdatasync(int file) {
        if (access("${folder.path}/slow", F_OK) == 0)
          sleep(60);
        return syscall(SYS_fdatasync, file);
      }`);
    execFileSync('gcc', ['-shared', '-fPIC', '-o', `${folder.path}/slow.so`, source]);
    return { ...process.env, LD_PRELOAD: `${folder.path}/slow.so` };
  }

  test('ends it while a disk takes a minute for what it has been given', async () => {
    const server = await serve([0x20, 0x02, 0x00, 0x00]);
    rmSync(`${folder.path}/slow`, { force: true });
    const command = start({ upstream: { address: [server.address] }, store: { durability: 'flash', path: `${folder.path}/end.store` } },
      undefined, slowDisk());
    const port = await command.ready();
    await command.find('stderr', /connected/);
    folder.write('slow', '');
    // A message of QoS 1, whose PUBACK waits for the disk.
    const publishing = exchange(port, '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e 32 06 00 01 61 00 01 78', 8);
    await command.find('stderr', /node "n".* connected/);
    await new Promise(resolve => setTimeout(resolve, 300));
    const begin = performance.now();
    command.process.kill('SIGTERM');
    expect([0, 'SIGTERM']).toContain(await command.exited);
    expect(performance.now() - begin).toBeLessThan(LIMIT);
    expect(await publishing).toBe('20020000');
  });

  test('ends it while a broker takes the connection and never reads, and a node neither', async () => {
    const server = createServer(socket => {
      endings.push(() => socket.destroy());
      socket.once('data', () => socket.pause().write(Buffer.from([0x20, 0x02, 0x00, 0x00])));
    }).listen(0, '127.0.0.1');
    endings.push(() => server.close());
    await once(server, 'listening');
    const command = start({ upstream: { address: [`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`] } });
    const port = await command.ready();
    await command.find('stderr', /upstream .*connected/);
    const node = connect(port, '127.0.0.1').pause();
    endings.push(() => node.destroy());
    node.on('error', () => {});
    const topic = Buffer.concat([Buffer.from([0x30, 0x83, 0x80, 0x03, 0x00, 0x01, 0x61]), Buffer.alloc(49_152, 0x78)]);
    node.write(Buffer.from('100d00044d5154540402000000016e', 'hex')); // CONNECT, Keep Alive 0
    node.write(Buffer.from('8206000100016100', 'hex')); // SUBSCRIBE to what it sends itself
    await command.find('stderr', /node "n".* connected/);
    for (let count = 0; count < 400 && node.write(topic); ++count);
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(await end(command)).toBeLessThan(LIMIT);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends it at once when a second signal comes: %s', async signal => {
    const server = await serve([0x20, 0x02, 0x00, 0x00]); // and never acknowledges what the Will says
    const command = start({ upstream: { address: [server.address], will: { topic: 'w', payload: 'x', qos: 1 } } });
    await command.ready();
    await command.find('stderr', /upstream .*connected/);
    command.process.kill(signal);
    await command.find('stderr', /: stopping/);
    const begin = performance.now();
    command.process.kill(signal);
    await command.exited;
    expect(performance.now() - begin).toBeLessThan(1000);
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
