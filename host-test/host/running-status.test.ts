/** `ringbridge status FILE`: what a gateway that runs answers, and what is said when there is none, or not one. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { type Status, statusOf } from '../../src/gateway/status.ts';
import { Log } from '../../src/host/log.ts';
import { startGateway } from '../../src/host/run.ts';
import { statusLine } from '../../src/host/status-command.ts';
import { makeSocketPath, statusFolders } from '../../src/host/status-place.ts';
import { renderStatus } from '../../src/host/status-view.ts';
import { bundle, Command, exchange, Folder } from './command-line.ts';

const CONFIGURATION = { name: 'shed', listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, topic: [{ pattern: '#', qos: 1 }] };

let folder: Folder;
let running: Command[];
let file: string;
/** Without folders of the system: the socket lies beside the configuration. */
let env: NodeJS.ProcessEnv;

beforeAll(bundle);
beforeEach(() => {
  folder = new Folder();
  running = [];
  file = folder.write('my.json', CONFIGURATION);
  env = { ...process.env, XDG_RUNTIME_DIR: '', RUNTIME_DIRECTORY: '' };
});
afterEach(async () => {
  for (const command of running) {
    command.process.kill('SIGKILL');
    await command.exited;
  }
  folder.remove();
});

async function start(...args: string[]): Promise<Command> {
  const command = new Command(['run', ...args, '--config', file], undefined, env);
  running.push(command);
  await command.ready();
  await expect.poll(() => socketsOf(command), { timeout: 30_000 }).toHaveLength(1);
  return command;
}

const sockets = (): string[] => readdirSync(folder.path).filter(name => name.endsWith('.sock'));
const socketsOf = (command: Command): string[] => sockets().filter(name => name.includes(`-${command.process.pid}-`));

async function ask(...args: string[]): Promise<Command & { exitCode: number | string }> {
  const command = new Command(['status', ...args], undefined, env);
  return Object.assign(command, { exitCode: await command.exited });
}

test('is one line of JSON with time, version, the store, and accepted apart from sent', async () => {
  const gateway = await start();
  const port = Number(/:(\d+) /.exec(gateway.stdout)![1]);
  await exchange(port, '10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 6e 31 32 06 00 01 62 00 02 78', 8);
  const { exitCode, stderr, stdout } = await ask(file);
  expect([exitCode, stderr, stdout.split('\n').length]).toEqual([0, '', 2]);
  const status = JSON.parse(stdout) as Status;
  expect(status).toMatchObject({ name: 'shed', store: { durable: false, count: 1, dropped: 0 },
    counters: { acceptedForUpstream: 1, sentUpstream: 0 } });
  expect(status.version).toBe((JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Status).version);
  expect(Math.abs(status.time! - Date.now() / 1000)).toBeLessThan(600);
  gateway.process.kill('SIGTERM');
  await gateway.exited;
  expect(sockets()).toEqual([]);
});

test('is for the owner only, and found by a link and from any folder', async () => {
  const gateway = await start();
  expect(statSync(join(folder.path, socketsOf(gateway)[0]!)).mode & 0o777).toBe(0o600);
  symlinkSync(file, join(folder.path, 'link.json'));
  expect((await ask(join(folder.path, 'link.json'))).exitCode).toBe(0);
});

test('is found while the file has errors, and in systemd\'s folder for the service', async () => {
  mkdirSync(join(folder.path, 'runtime'));
  env['RUNTIME_DIRECTORY'] = join(folder.path, 'runtime');
  const gateway = new Command(['run', '--config', file], undefined, env);
  running.push(gateway);
  await expect.poll(() => readdirSync(join(folder.path, 'runtime')), { timeout: 30_000 }).toHaveLength(1);
  folder.write('my.json', '{ "nme": 1 }');
  expect((await ask(file)).exitCode).toBe(0);
});

test('without a gateway, without a file, with several gateways, with one that does not answer: each is one line', async () => {
  expect([await ask(file)].map(({ exitCode, lines }) => [exitCode, lines])).toEqual([[1, [`no gateway runs with ${file} on `
    + `this computer; start it with "ringbridge run --config ${file}", or name the file that it was started with`]]]);
  expect((await ask(join(folder.path, 'none.json'))).lines[0]).toMatch(/none\.json: there is no such file; write/);
  expect((await ask()).lines[0]).toBe('ringbridge: status needs the file with which the gateway runs');
  expect((await ask(file, '--pid', 'x')).lines[0]).toBe('ringbridge: "x" is no process; write its number');
  const [first, second] = [await start(), await start()];
  const several = await ask(file);
  expect([several.exitCode, several.lines.length]).toEqual([1, 1]);
  for (const { process: { pid } } of [first, second])
    expect(several.stderr).toContain(`--pid ${pid}`);
  expect((await ask(file, '--pid', String(second.process.pid))).exitCode).toBe(0);
  second.process.kill('SIGSTOP');
  expect((await ask(file, '--pid', String(second.process.pid))).lines).toEqual([
    `the gateway with process ${second.process.pid} does not answer: it is stopped, or very busy; look into its log`]);
});

test('what a killed gateway has left behind is no gateway, and the next one takes it away', async () => {
  const killed = await start();
  killed.process.kill('SIGKILL');
  await killed.exited;
  expect(socketsOf(killed)).toHaveLength(1);
  expect((await ask(file)).lines[0]).toMatch(/^no gateway runs with/);
  await start();
  await expect.poll(() => socketsOf(killed), { timeout: 30_000 }).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('another user is told whose it is', async () => {
  chmodSync(folder.path, 0o755);
  const gateway = await start();
  const { spawnSync } = await import('node:child_process');
  const { status, stderr } = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', ...gateway.process.spawnargs.slice(0, 2),
    'status', file], { encoding: 'utf8', env });
  expect([status, stderr]).toEqual([1, `the gateway with process ${gateway.process.pid} is another user's: ask as that user, `
    + 'or as root (sudo)\n']);
});

test('--watch without a terminal prints lines; run --status prints the demo\'s', async () => {
  const gateway = await start('--status');
  const watch = new Command(['status', '--watch', file], undefined, env);
  running.push(watch);
  await watch.find('stdout', /^\{.*\}\n\{.*\}\n/);
  await gateway.find('stdout', /\nstatus upstream: [a-z ]+; nodes: 0 of 0; store: 0 of \d+ bytes, 0 messages, 0 dropped; broker: 0 accepted, 0 sent\n/);
});

test('--watch without a terminal goes on when the gateway ends and comes back', async () => {
  const gateway = await start();
  const watch = new Command(['status', '--watch', file], undefined, env);
  running.push(watch);
  await watch.find('stdout', /^\{.*\}\n/);
  gateway.process.kill('SIGTERM');
  await watch.find('stderr', /^no gateway runs with .*\n/);
  const { length } = watch.stdout;
  await start();
  await expect.poll(() => watch.stdout.slice(length), { timeout: 30_000 }).toMatch(/^\{.*\}\n/);
});

test('names who: user, address, since when, and when it was heard of last', async () => {
  folder.write('my.json', { ...CONFIGURATION, listener: { ...CONFIGURATION.listener, users: [{ username: 'n', password: 'n' }] } });
  const gateway = await start();
  const port = Number(/:(\d+) /.exec(gateway.stdout)![1]);
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.from('101400044d51545404c0003c00026e3100016e00016e', 'hex'));
  await gateway.find('stderr', /node "n1" .*connected/);
  const ofNode = async (): Promise<Status['nodes'][number]> => (JSON.parse((await ask(file)).stdout) as Status).nodes[0]!;
  const now = Math.floor(Date.now() / 1000);
  const there = await ofNode();
  expect(there).toMatchObject({ identifier: 'n1', user: 'n', connected: true, address: '127.0.0.1' });
  for (const time of [there.since!, there.lastSeen!])
    expect(Math.abs(time - now)).toBeLessThan(60);
  socket.end();
  await gateway.find('stderr', /node "n1" .* is gone/);
  await expect.poll(ofNode, { timeout: 30_000 }).toMatchObject({ user: 'n', connected: false, address: null });
  expect((await ofNode()).since).toBeGreaterThanOrEqual(there.since!);
});

test('a taken port is in status, health and metrics', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  folder.write('my.json', { ...CONFIGURATION, listener: { ...CONFIGURATION.listener, port }, page: { port: 0 } });
  const gateway = new Command(['run', '--config', file], undefined, env);
  running.push(gateway);
  const [, page] = await gateway.find('stdout', /^ready listener=none .* page=(\S+)\n/);
  await expect.poll(() => socketsOf(gateway), { timeout: 30_000 }).toHaveLength(1);
  const status = JSON.parse((await ask(file)).stdout) as Status;
  expect(status.listener).toEqual({ port: null, problem: expect.stringContaining(String(port)) });
  expect(status.advice).toBe(`no node can connect: ${status.listener.problem}`);
  expect(renderStatus(status, { columns: 200, rows: 40, colour: false })).toContain('not open');
  const health = await fetch(`${page}health`);
  expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('no node can connect')]);
  expect(await (await fetch(`${page}metrics`)).text()).toContain('\nringbridge_listener_open 0\n');
  expect(await (await fetch(`${page}api/status`)).json()).toMatchObject({ listener: status.listener });
  taken.close();
});

test('the view fits the terminal, and tells what the JSON tells', async () => {
  const { runtime, stop } = await startGateway(completeConfiguration({ ...CONFIGURATION,
    topic: Array.from({ length: 30 }, (_, index) => ({ pattern: `rule${index}/#` })),
    sensors: [{ name: 'air', type: 'simulated', topic: 'air/t' }] }), new Log(() => {}));
  const status = statusOf(runtime, 0, 1_800_000_000);
  await stop();
  const text = renderStatus(status, { columns: 100, rows: 24, colour: false });
  for (const part of ['gateway "shed"', 'of memory, lost at a restart', '0 accepted for the broker, 0 sent', 'RULES', 'more)',
    'rule0/#', 'SENSORS', 'air/t', 'q: quit'])
    expect(text).toContain(part);
  for (const rows of [0, 1, 5, 24, 50])
    expect(renderStatus(status, { columns: 40, rows, colour: true }).split('\n').length).toBeLessThanOrEqual(Math.max(rows, 1));
  const named = { ...status, name: 'a\u009b2J\u202e' };
  expect(statusLine(named)).not.toMatch(/[\u009b\u202e]/);
  expect(JSON.parse(statusLine(named))).toEqual(named);
});

test('a socket has no path that is too long, and no folder that is not there holds the gateway up', async () => {
  expect(makeSocketPath(`/${'x'.repeat(100)}`, file)).toBeUndefined();
  expect(statusFolders('/etc/r/a.json', { durability: 'flash', path: '/data/r.store' }, { RUNTIME_DIRECTORY: '/run/a:/run/b', XDG_RUNTIME_DIR: '/run/user/1' }, 'linux'))
    .toEqual(['/run/a', '/run/user/1', '/data', '/etc/r']);
  expect(statusFolders('C:\\a.json', undefined, {}, 'win32')).toEqual(['\\\\.\\pipe']);
  env['XDG_RUNTIME_DIR'] = join(folder.path, 'missing');
  await start();
  expect((await ask(file)).exitCode).toBe(0);
});

test('something else at such a place is told from a gateway', async () => {
  const server = createServer(socket => socket.end('hello\n'));
  await new Promise<void>(resolve => server.listen(makeSocketPath(folder.path, file), resolve));
  expect((await ask(file)).lines).toEqual([`the gateway with process ${process.pid} gives no status: what listens there is `
    + 'something else, or it is just ending']);
  server.close();
});
