import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/gateway/status.ts';
import { parsePasswordHash, verifyPassword } from '../../src/host/password.ts';
import { bundle, Command, exchange, FakeServer, Folder, freePort, run } from './command-line.ts';

/** CONNACK: accepted; not authorized. */
const ACCEPTED = [0x20, 0x02, 0x00, 0x00];
const NOT_AUTHORIZED = [0x20, 0x02, 0x00, 0x05];
const BAD_PASSWORD = [0x20, 0x02, 0x00, 0x04];
const DISCONNECT = 'e000';

/** CONNECT of 3.1.1, clean, Keep Alive 60, identifier "n". */
const CONNECT = '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 6e';
/** The same with user name "a" and password "b", or "c". */
const CONNECT_AS_A = '10 13 00 04 4d 51 54 54 04 c2 00 3c 00 01 6e 00 01 61 00 01 62';
const CONNECT_WRONG = '10 13 00 04 4d 51 54 54 04 c2 00 3c 00 01 6e 00 01 61 00 01 63';

const folder = new Folder();
const endings: (() => void)[] = [];

beforeAll(bundle);
afterEach(() => {
  for (const end of endings.splice(0))
    end();
});
afterAll(() => folder.remove());

function start(...args: string[]): Command {
  const command = new Command(args);
  endings.push(() => command.process.kill('SIGKILL'));
  return command;
}

async function serve(answer: readonly number[] | undefined,
  closesAfterwards = false): Promise<{ server: FakeServer; address: string }> {
  const server = new FakeServer(answer, closesAfterwards);
  endings.push(() => server.close());
  return { server, address: `mqtt://127.0.0.1:${await server.listen()}` };
}

const configure = (upstream: object, listener: object = {}, rest: object = {}): string => folder.write('config.json', {
  upstream: { restart_timeout: [0.01, 0.02], ...upstream },
  listener: { address: '127.0.0.1', port: 0, allow_anonymous: true, ...listener },
  topic: [{ pattern: '#', direction: 'out' }],
  ...rest,
});

describe('the command line', () => {
  test('explains itself', async () => {
    const { exitCode, stderr, stdout } = await run(['--help']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const word of ['run', '--config', 'check', 'passwd', '--version', 'config.schema.json'])
      expect(stdout).toContain(word);
  });

  test('tells its version', async () => {
    const { version } =
      JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await run(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each<readonly [readonly string[], string]>([
    [[], 'a command is missing'],
    [['fly'], 'there is no command "fly"'],
    [['run'], 'run needs a file'],
    [['run', '--colour'], 'Unknown option \'--colour\''],
    [['run', '--config'], 'argument missing'],
    [['run', 'x.json'], 'write --config x.json instead'],
    [['check'], 'check needs a file'],
    [['check', 'a', 'b'], 'check takes no "b"'],
    [['check', 'a', '--config', 'b'], 'check takes no --config'],
    [['run', '--device'], 'run takes no --device'],
    [['run', '--pc'], 'run takes no --pc'],
    [['passwd', '--board', 'esp32'], 'passwd takes no --board'],
    [['check', 'a', '--board', 'toaster'], 'there is no board "toaster"; write one of esp32, esp32c3, esp32c6, esp32s2, esp32s3'],
    [['check', 'a', '--board', 'esp32', '--pc'], 'write either --board or --pc'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr, stdout } = await run(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('write "ringbridge --help"');
  });
});

describe('run --config', () => {
  test('prints its status at SIGUSR2, with what nodes were refused for', async () => {
    const { address } = await serve(ACCEPTED);
    const command = start('run', '--config', configure({ address: [address] }));
    const port = await command.ready();
    await exchange(port, '30 00', 0);
    await command.find('stderr', /node \(no identifier\) from 127\.0\.0\.1 refused: protocol error\n/);
    await exchange(port, `${CONNECT} f0 00`, 4);
    await command.find('stderr', /node "n" from 127\.0\.0\.1 is gone: malformed packet\n/);
    command.process.kill('SIGUSR2');
    const status = JSON.parse((await command.find('stdout', /^(\{.*)\n/m))[1]!) as Status;
    expect(status.counters).toMatchObject({ connectedNodes: 0, refused: 1, brokenRules: 2, denied: 0, held: 0,
      turnedAway: 0, evictedSessions: 0 });
    expect(status.endings).toEqual({ 'protocol error': 1, 'malformed packet': 1 });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('is ready, and ends with a DISCONNECT at %s', async signal => {
    const { address, server } = await serve(ACCEPTED);
    const command = start('run', '--config', configure({ address: [address], remote_clientid: 'gw' }));
    const port = await command.ready();
    expect(command.stdout).toBe(`ready listener=127.0.0.1:${port} upstream=${address}\n`);
    expect(await exchange(port, CONNECT, 4)).toBe('20020000');
    await command.find('stderr', /upstream mqtt\S+ connected/);
    expect(server.received).toMatch(/^10..00044d51545404/);
    const signalledAt = Date.now();
    command.process.kill(signal);
    expect(await command.exited).toBe(0);
    expect(Date.now() - signalledAt).toBeLessThan(3000);
    await server.until(() => server.received.endsWith(DISCONNECT));
    expect(command.stdout.split('\n')).toHaveLength(2);
  });

  test('starts nothing with a bad file', async () => {
    const { address, server } = await serve(ACCEPTED);
    const file = folder.write('bad.json',
      `{\n  "upstream": { "address": ["${address}"] },\n  "listener": { "prot": 0, "address": "here" } }`);
    const { exitCode, lines, stdout } = await run(['run', '--config', file]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(lines).toEqual([
      `${file}:3:17: listener.prot: there is no such key; write "port" instead`,
      expect.stringContaining(`${file}:3:28: listener.address: "here" is no IP address; write`),
    ]);
    expect(server.connectionCount).toBe(0);
  });

  test('says so when the file is not there', async () => {
    expect(await run(['run', '--config', '/nowhere.json'])).toMatchObject({ exitCode: 2, stdout: '',
      stderr: expect.stringContaining('/nowhere.json: there is no such file') as string });
  });

  test('ends with 1 when the port is in use and there is nothing else to do, or the user wants that', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    endings.push(() => occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const { address, server } = await serve(ACCEPTED);
    const useless = folder.write('useless.json', { upstream: { address: [address] }, listener: { address: '127.0.0.1', port } });
    for (const args of [['--config', useless], ['--strict', '--config', configure({ address: [address] }, { port })]]) {
      const { exitCode, lines, stdout } = await run(['run', ...args]);
      // A CONNECT would throw the gateway out that has the port, and the identifier.
      expect(server.received).toBe('');
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(lines.filter(line => line.startsWith('error'))).toEqual([
        `error port ${port} on 127.0.0.1 is in use: stop the program that uses it or set "listener.port"`]);
    }
  });

  test('a port that is in use keeps nothing but nodes out: readings arrive, and the line says so', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    endings.push(() => occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    const { address, server } = await serve(ACCEPTED);
    const command = start('run', '--config', configure({ address: [address] }, { port },
      { sensors: [{ name: 's', type: 'simulated', topic: 'reading/s', interval: 1 }] }));
    await command.find('stdout', new RegExp(`^ready listener=none upstream=${address}\n$`));
    await server.until(() => server.received.includes(Buffer.from('reading/s').toString('hex')));
    expect(command.lines.filter(line => line.startsWith('error'))).toEqual([
      `error port ${port} on 127.0.0.1 is in use: stop the program that uses it or set "listener.port"; `
      + 'no node can connect until then, tried again every 30 seconds']);
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
  });

  test('--strict ends with 1 when the storage cannot be had', async () => {
    const { address } = await serve(ACCEPTED);
    const file = configure({ address: [address] }, {}, { store: { durability: 'flash', path: `${folder.path}/none/x.store` } });
    const { exitCode, lines } = await run(['run', '--strict', '--config', file]);
    expect(exitCode).toBe(1);
    expect(lines.filter(line => line.startsWith('error'))).toEqual([
      expect.stringMatching(/^error store: .*make the folder of store\.path/)]);
  });

  test('says once that no broker is there, and serves nodes all the same', async () => {
    const port = await freePort();
    const command = start('run', '--config', configure({ address: [`mqtt://127.0.0.1:${port}`] }));
    const listenerPort = await command.ready();
    await command.find('stderr', /is a broker listening at upstream\.address/);
    expect(await exchange(listenerPort, CONNECT, 4)).toBe('20020000');
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
    expect(command.lines.filter(line => line.includes('upstream'))).toEqual([
      `warning upstream mqtt://127.0.0.1:${port}: cannot reach the network address: is a broker listening at upstream.address?`,
    ]);
  });

  test.each<readonly [string, readonly number[] | undefined, string]>([
    ['closes instead of answering', undefined,
      'connection closed instead of a CONNACK: does the broker speak TLS there (write mqtts://), or not accept upstream.bridge_protocol_version?'],
    ['refuses the password', BAD_PASSWORD,
      'bad user name or password: check upstream.remote_username and upstream.remote_password'],
    ['is none', [0x48, 0x54, 0x54, 0x50], 'protocol error: is it an MQTT broker that listens at upstream.address?'],
    ['refuses the user', NOT_AUTHORIZED, 'not authorized: check upstream.remote_username and upstream.remote_password'],
  ])('goes on trying a broker that %s, and says it once', async (_name, answer, message) => {
    const { address, server } = await serve(answer, true);
    const command =
      start('run', '--config', configure({ address: [address], remote_username: 'u', remote_password: 'hush' }));
    await server.until(() => server.connectionCount >= 5);
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
    expect(command.lines.filter(line =>
      line.includes('upstream'))).toEqual([`warning upstream ${address}: ${message}`]);
    expect(command.stderr + command.stdout).not.toContain('hush');
  });

  test('asks nodes for their password', async () => {
    const { address } = await serve(ACCEPTED);
    const { stdout } = await run(['passwd', 'a'], 'b\n');
    const command =
      start('run', '--config',
        configure({ address: [address] }, { allow_anonymous: false, users: [JSON.parse(stdout)] }));
    const port = await command.ready();
    expect(await exchange(port, CONNECT, 4)).toBe('20020005');
    expect(await exchange(port, CONNECT_WRONG, 4)).toBe('20020004');
    // A PINGREQ that follows before the verdict is answered after it.
    expect(await exchange(port, `${CONNECT_AS_A} c0 00`, 6)).toBe('20020000d000');
    expect(await exchange(port, `${CONNECT_AS_A} c0 00`, 6)).toBe('20020000d000');
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
  });

  test('says which process uses the store file, and takes over what a killed one has left', async () => {
    const { address } = await serve(ACCEPTED);
    const config =
      configure({ address: [address] }, {},
        { store: { durability: 'flash', path: `${folder.path}/shared.store`, size: 1_048_576 } });
    const first = start('run', '--config', config);
    await first.ready();
    const second = start('run', '--config', config);
    const [, pid] =
      await second.find('stderr', /shared\.store is used by process (\d+): stop that gateway, or give this one another store\.path; until that is mended, nodes get no acknowledgement .*store\.on_failure is "refuse"\).*; tried again every 30 seconds/);
    expect(Number(pid)).toBe(first.process.pid);
    first.process.kill('SIGKILL');
    await first.exited;
    const third = start('run', '--config', config);
    await third.ready();
    expect(third.stderr).not.toMatch(/store: /);
    third.process.kill('SIGTERM');
    expect(await third.exited).toBe(0);
  });

  test('survives whoever reads its output', async () => {
    const { address, server } = await serve(undefined);
    const command = start('run', '--config', configure({ address: [address] }));
    command.process.stderr!.destroy();
    await command.ready();
    command.process.stdout!.destroy();
    await server.until(() => server.connectionCount >= 5);
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
  });
});

describe('check', () => {
  test('prints rules, memory and warnings', async () => {
    const file = folder.write('check.json', {
      listener: { max_connections: 8, allow_anonymous: true, max_queued_bytes: 1024 },
      topic: [
        { pattern: '#', direction: 'out', qos: 2, remote_prefix: 'site/' },
        { pattern: 'set/+', direction: 'in', local_prefix: 'l/', remote_prefix: 'r/' },
        { pattern: '', direction: 'both', local_prefix: 'here', remote_prefix: 'there' },
      ],
    });
    const { exitCode, stderr, stdout } = await run(['check', file]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}# +-> +site\/# +out +2$/m);
    expect(stdout).toMatch(/^ {2}l\/set\/\+ +<- +r\/set\/\+ +in +1$/m);
    expect(stdout).toMatch(/^ {2}here +<-> +there +both +1$/m);
    expect(stdout).toMatch(/^ {2}node: transmit ring +9 +\d+ +\d+ {2}listener\.max_connections, .*$/m);
    expect(stdout).toMatch(/^ {2}landing +1 +1536 +1536$/m);
    const rows = [...stdout.matchAll(/^ {2}.* +(\d+) +(\d+) +(\d+)(?: {2}\D.*)?$/gm)].map(match =>
      match.slice(1).map(Number) as [number, number, number]);
    for (const [count, length, total] of rows)
      expect(total).toBe(count * length);
    expect(Number(/^ {2}all +(\d+)$/m.exec(stdout)![1])).toBe(rows.reduce((sum, [, , total]) => sum + total, 0));
    expect(stderr).toContain('warning: listener.allow_anonymous');
  });

  test.each([
    ['a comment', '{/* why */"upstream":{"address":["mqtt://a"]}}', ':1:2: a comment; a board needs plain JSON, write none instead'],
    ['a comma after the last entry', '{"upstream":{"address":["mqtt://a"]},}', ':1:38: a comma after the last entry; a board needs plain JSON, write none instead'],
    ['the default upstream, which is the board itself', '{}', ':1:1: upstream.address[0]: "mqtt://127.0.0.1:1883" is the board itself, where no broker is; write the broker\'s address, like "mqtt://192.168.1.10:1883", instead'],
    ['a hash for computers', '{"upstream":{"address":["mqtt://a"]},"listener":{"users":[{"username":"a","password_hash":"scrypt$16384$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA"}]}}', ':1:75: listener.users[0].password_hash: a board cannot verify this hash; write one that "ringbridge passwd --device" prints instead'],
  ])('refuses for a board what only a computer accepts: %s', async (_name, text, words) => {
    const file = folder.write('computer.json', text);
    const [forBoard, forPC] = await Promise.all([run(['check', '--board', 'esp32', file]), run(['check', '--pc', file])]);
    expect([forBoard.exitCode, forBoard.stderr.split('\n').filter(line => !line.includes('warning:'))[0]]).toEqual([2, file + words]);
    expect(forPC.exitCode).toBe(0);
  });

  test('says of a file that is too long to be stored on a board that it is', async () => {
    const file = folder.write('long.json', `{"upstream":{"address":["mqtt://a"]}}${' '.repeat(8124)}`);
    const { exitCode, stderr } = await run(['check', '--board', 'esp32', file]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`${file}: note: the file has 8161 bytes: it can be built into the firmware, but a board stores 8160 at most`);
  });

  test('refuses what does not fit the board, and shows the memory', async () => {
    const file = folder.write('large.json',
      { listener: { max_connections: 6, allow_anonymous: true }, store: { ram: 131_072 },
        topic: [{ pattern: '#', direction: 'out' }] });
    const [onBoard, onPC] = await Promise.all([run(['check', file]), run(['check', '--pc', file])]);
    expect(onBoard.exitCode).toBe(2);
    expect(onBoard.stdout).toMatch(/^ {2}store, RAM part +1 +\d+ +\d+ {2}store\.ram$/m);
    const needed = Number(/^ {2}all +(\d+)\n {2}there are/m.exec(onBoard.stdout)![1]);
    const available = Number(/^ {2}there are +(\d+)$/m.exec(onBoard.stdout)![1]);
    expect(onBoard.stderr).toContain(`${file}: does not fit the memory of the board "esp32": ${needed - available} bytes too much; `);
    expect(onPC.exitCode).toBe(0);
    expect(onPC.stderr).not.toContain('does not fit');
    expect(onPC.stdout).not.toContain('there are');
  });

  test('knows boards that have less', async () => {
    const file = folder.write('small.json',
      { upstream: { address: ['mqtt://broker'] }, listener: { allow_anonymous: true },
        topic: [{ pattern: '#', direction: 'out' }], store: { ram: 24_576 } });
    const [large, small] =
      await Promise.all([run(['check', '--board', 'esp32', file]), run(['check', '--board', 'esp32c3', file])]);
    expect([large.exitCode, small.exitCode]).toEqual([0, 2]);
  });

  test('prints errors and nothing else', async () => {
    const file = folder.write('wrong.json', '{"listener": {"port": 99999}}');
    expect(await run(['check', file])).toMatchObject({ exitCode: 2, stdout: '',
      stderr: `${file}:1:15: listener.port: 99999 is too large; write a number from 0 to 65535 instead\n` });
  });
});

describe('passwd', () => {
  test.each<readonly [readonly string[], string, RegExp]>([
    [['passwd', 'bob'], 'secret\n', /^scrypt\$16384\$8\$1\$/],
    [['passwd', '--device', 'bob'], 'secret', /^pbkdf2-sha256\$2000\$/],
    [['passwd'], 'bob\nsecret\n', /^scrypt/],
  ])('prints an entry for listener.users: %j', async (args, input, hash) => {
    const { exitCode, stderr, stdout } = await run(args, input);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({ username: 'bob', password_hash: expect.stringMatching(hash) as string });
    expect(stdout).not.toContain('secret');
  });

  test('--page prints the hash alone, and asks for no user name', async () => {
    const { exitCode, stderr, stdout } = await run(['passwd', '--page'], 'secret\n');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^scrypt\$16384\$8\$1\$[^" ]+\n$/);
    expect((await run(['passwd', '--page', 'bob'], 'secret\n')).exitCode).toBe(2);
  });

  test('makes no hash of what is not UTF-8, which would be that of another password', async () => {
    for (const [args, input] of [[['passwd', 'bob'], 'K\xFCche\n'], [['passwd'], 'K\xFCche\nsecret\n'],
      [['passwd', 'bob'], 'a\xEF\xBFb\n']] as const) {
      const { exitCode, stderr, stdout } = await run(args, Buffer.from(input, 'latin1'));
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^ringbridge: the (password|user name) holds what is not UTF-8, or U\+0000; /);
    }
    const { stdout } = await run(['passwd', 'bob'], 'K\u00FCche \u2028x\n');
    const { password_hash } = JSON.parse(stdout) as { password_hash: string };
    expect(await verifyPassword(Buffer.from('K\u00FCche \u2028x'), parsePasswordHash(password_hash)!)).toBe(true);
  });

  test('accepts no empty password', async () => {
    expect(await run(['passwd', 'bob'], '')).toMatchObject({ exitCode: 1, stdout: '',
      stderr: expect.stringContaining('empty password') as string });
  });
});
