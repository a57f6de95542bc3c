/** SIGHUP, as a user sends it: what is said, and what becomes of those who are connected. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { holdSignals, takeSignals } from '../../src/host/early-signals.ts';
import { stopGuard } from '../../src/host/signal-guard.ts';
import { causesOf, writtenKeysOf } from '../../src/host/reload-causes.ts';
import { bundle, Command, exchange, FakeServer, Folder } from './command-line.ts';

/** CONNECT of 3.1.1, clean, Keep Alive 60, identifier "n", user "a", password "b". */
const CONNECT_AS_A = '10 13 00 04 4d 51 54 54 04 c2 00 3c 00 01 6e 00 01 61 00 01 62';

const folder = new Folder();
const endings: (() => void)[] = [];

beforeAll(bundle);
afterEach(() => {
  for (const end of endings.splice(0))
    end();
});
afterAll(() => folder.remove());

interface Started {
  readonly command: Command;
  readonly port: number;
  readonly server: FakeServer;
  /** Makes the file another one. */
  readonly write: (change: object) => void;
}

async function start(): Promise<Started> {
  const server = new FakeServer([0x20, 0x02, 0x00, 0x00]);
  endings.push(() => server.close());
  const upstream = { address: [`mqtt://127.0.0.1:${await server.listen()}`], remote_clientid: 'one' };
  const listener = { port: 0, address: '127.0.0.1', users: [{ username: 'a', password: 'b' }] };
  const configuration = { upstream, listener, topic: [{ pattern: '#' }] };
  const file = folder.write('reload.json', configuration);
  const command = new Command(['run', '--config', file]);
  endings.push(() => command.process.kill('SIGKILL'));
  const port = await command.ready();
  await command.find('stderr', /upstream .* connected/);
  const write = (change: object): void => writeFileSync(file, JSON.stringify({ ...configuration, ...change }));
  return { command, port, server, write };
}

/** What is said after a signal. */
async function hangUp(command: Command, last: RegExp): Promise<string[]> {
  const before = command.lines.length;
  command.process.kill('SIGHUP');
  await command.find('stderr', last);
  return command.lines.slice(before).filter(line => !line.includes('warning: '));
}

test('SIGHUP with other users and rules: in force, and whose user is gone is disconnected', async () => {
  const { command, port, write } = await start();
  const node = connect(port, '127.0.0.1');
  endings.push(() => node.destroy());
  node.write(Buffer.from(CONNECT_AS_A.replaceAll(' ', ''), 'hex'));
  await once(node, 'data');
  write({ listener: { port: 0, address: '127.0.0.1', users: [{ username: 'c', password: 'b' }] },
    topic: [{ pattern: 'x/#' }] });
  const said = await hangUp(command, /SIGHUP: listener\.users, topic: in force now/);
  expect(said).toContainEqual(expect.stringMatching(/^warning .*is gone: closed by the operator: its user is gone/));
  await once(node, 'close');
  expect(await exchange(port, CONNECT_AS_A, 4)).toBe('20020004');
  expect(await exchange(port, CONNECT_AS_A.replace('01 61 00 01 62', '01 63 00 01 62'), 4)).toBe('20020000');
});

test('SIGHUP with a file that has errors changes nothing, and says why as check does', async () => {
  const { command, port, write } = await start();
  write({ listener: { users: [], prot: 1 }, topic: [] });
  expect((await hangUp(command, /SIGHUP: nothing has changed/)).map(line => line.replace(/\S*reload\.json:/, ''))).toEqual([
    expect.stringMatching(/^error 1:\d+: listener\.prot: there is no such key; write "port" instead$/),
    'error SIGHUP: nothing has changed: the configuration has errors']);
  expect(await exchange(port, CONNECT_AS_A, 4)).toBe('20020000');
});

test('SIGHUP names what has to wait for a restart, says that nothing has changed, and is as good the second time', async () => {
  const { command, port, write } = await start();
  write({ listener: { port: 1, address: '127.0.0.1', max_connections: 7, users: [{ username: 'a', password: 'b' }] } });
  const waiting = ['warning SIGHUP: listener.port: takes effect after a restart; until then it is as before, 0',
    'warning SIGHUP: listener.max_connections: takes effect after a restart; until then it is as before, 100',
    'warning SIGHUP: listener.max_sessions (not written, it follows listener.max_connections): takes effect after a restart; until then it is as before, 102'];
  expect(await hangUp(command, /max_sessions .*: takes effect/)).toEqual(waiting);
  write({});
  expect(await hangUp(command, /says the same as before/)).toEqual(['info SIGHUP: the configuration says the same as before']);
  expect(await exchange(port, CONNECT_AS_A, 4)).toBe('20020000');
});

test('SIGHUP says which written key another one follows that the user has not touched, each time', async () => {
  const { command, write } = await start();
  write({ store: { ram: 20_000 } });
  const waiting = ['warning SIGHUP: listener.max_packet_size (not written, it follows store.ram): takes effect after a restart; until then it is as before, 65536',
    'warning SIGHUP: store.ram: takes effect after a restart; until then it is as before, 1048576'];
  expect(await hangUp(command, /store\.ram: takes effect/)).toEqual(waiting);
  expect(await hangUp(command, /(store\.ram: takes effect[^]*){2}/)).toEqual(waiting);
});

test.each<readonly [path: string, before: object, now: object, causes: readonly string[]]>([
  ['listener.max_packet_size', {}, { store: { ram: 9000 } }, ['store.ram']],
  ['listener.max_packet_size', {}, { store: { ram: 9000 }, listener: { max_queued_bytes: 9000 } }, ['store.ram', 'listener.max_queued_bytes']],
  ['upstream.max_packet_size', {}, { store: { ram: 9000 }, listener: { max_queued_bytes: 9000 } }, ['listener.max_queued_bytes']],
  ['listener.max_packet_size', { listener: { max_packet_size: 500 } }, {}, []],
  ['listener.max_packet_size', {}, { store: { ram: 9000 }, listener: { max_packet_size: 500 } }, []],
  ['upstream.remote_clientid', { name: 'a' }, { name: 'b' }, ['name']],
  ['upstream.max_qos', {}, { upstream: { profile: 'aws-iot' } }, ['upstream.profile']],
  ['upstream.birth', {}, { upstream: { will: { topic: 't' } } }, ['upstream.will']],
  ['upstream.notification_topic', { name: 'a' }, { name: 'b', upstream: { remote_clientid: 'a' } }, []],
  ['upstream.keepalive_interval', {}, { upstream: { address: ['mqtt://x.azure-devices.net'], keepalive_interval: 7 } }, []],
  ['listener.max_retained_bytes', { store: { durability: 'flash' } }, { store: { durability: 'flash', size: 2_097_152 } }, ['store.size']],
  ['store.quarantine', { store: { durability: 'flash', size: 4_194_304 } }, { store: { size: 4_194_304 } }, ['store.durability']],
])('%s follows from %j to %j what is written: %j', (path, before, now, causes) => {
  expect(causesOf(path, writtenKeysOf(before), writtenKeysOf(now))).toEqual(causes);
});

test('what is remembered of a file has no secret in it', () => {
  const keys = writtenKeysOf({ upstream: { remote_username: 'u', remote_password: 's3cret' },
    listener: { users: [{ username: 'u', password: 's3cret' }] } });
  expect(JSON.stringify([...keys])).not.toContain('s3cret');
});

test('SIGHUP with another identity says DISCONNECT and CONNECT, and the program still ends as it should', async () => {
  const { command, server, write } = await start();
  write({ upstream: { address: [`mqtt://127.0.0.1:${(server.server.address() as { port: number }).port}`], remote_clientid: 'two' } });
  await hangUp(command, /upstream\.remote_clientid.*: in force now, upstream is connected anew/);
  await server.until(() => server.connectionCount === 2 && server.received.includes(Buffer.from('two').toString('hex')));
  expect(server.received).toMatch(/e000.*74776f/);
  command.process.kill('SIGTERM');
  expect(await command.exited).toBe(0);
});

test('SIGHUP before the gateway is ready is no reason to end, and is done afterwards', async () => {
  const users = Array.from({ length: 20 }, (_, index) => ({ username: `u${index}`, password: 'x' }));
  const command = new Command(['run', '--config', folder.write('early.json', { listener: { port: 0, address: '127.0.0.1', users }, topic: [{}] })]);
  endings.push(() => command.process.kill('SIGKILL'));
  await command.find('stderr', /listener\.users\[19\]\.password/);
  await new Promise(resolve => setTimeout(resolve, 50));
  command.process.kill('SIGHUP');
  await command.find('stderr', /SIGHUP: the configuration says the same as before/);
  await command.ready();
});

test('SIGHUP before anything is loaded is kept for the gateway, and only for one', () => {
  const hangUp = (): boolean => process.emit('SIGHUP', 'SIGHUP');
  holdSignals('check');
  expect([hangUp(), takeSignals()[0]]).toEqual([false, false]);
  holdSignals('run');
  void stopGuard();
  expect([hangUp(), takeSignals()[0], hangUp()]).toEqual([true, true, false]);
  for (const program of ['host', 'demo']) { // all that comes before the signal can be caught
    const text = readFileSync(new URL(`../../src/${program}/main.ts`, import.meta.url), 'utf8');
    expect([...text.matchAll(/^import .* from '(.*)'/gm)].map(([, name]) => name!.split('/').at(-1))).toEqual(['early-signals.ts']);
  }
});
