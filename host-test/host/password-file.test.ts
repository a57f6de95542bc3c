/** Secrets in files: the password at the broker, and who may read what holds secrets. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { refusalsOfBoard } from '../../src/host/board-reading.ts';
import { loadConfiguration, readConfiguration } from '../../src/host/config.ts';
import { readPasswordFile } from '../../src/host/password-file.ts';
import { bundle, Command, FakeServer, Folder } from './command-line.ts';

const folder = new Folder();
const endings: (() => unknown)[] = [];
beforeAll(bundle);
afterEach(async () => {
  for (const end of endings.splice(0))
    await end();
});
afterAll(() => folder.remove());

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** A gateway whose broker refuses each CONNECT, so that there is soon another one. */
async function start(password: string, code = 5): Promise<{ command: Command; file: string; server: FakeServer }> {
  const server = new FakeServer([0x20, 2, 0, code], code !== 0);
  const file = folder.write('password', password);
  const configuration = folder.write('gateway.json', { log_level: 'debug', listener: { port: 0, address: '127.0.0.1', allow_anonymous: true },
    topic: [{}], upstream: { address: [`mqtt://127.0.0.1:${await server.listen()}`], remote_username: 'u',
      remote_password_file: file, restart_timeout: [0.1, 0.1] } });
  const command = new Command(['run', '--config', configuration]);
  endings.push(() => {
    command.process.kill('SIGKILL');
    server.close();
  });
  return { command, file, server };
}

describe('upstream.remote_password_file', () => {
  test('is read again before every CONNECT, without a restart, and never logged', async () => {
    const { command, file, server } = await start('first-secret\n');
    await server.until(() => server.received.includes(`000175000c${hex('first-secret')}`));
    writeFileSync(file, 'another and longer secret');
    await server.until(() => server.received.includes(`0001750019${hex('another and longer secret')}`));
    command.process.kill('SIGUSR2');
    await command.find('stdout', /\n\{.*\}\n/);
    expect(command.stdout + command.stderr).not.toMatch(/first-secret|longer secret/);
  });

  test('that is missing is one line, attempts go on, and it is taken as soon as it is there', async () => {
    const { command, file, server } = await start('secret', 0);
    await server.until(() => server.received.includes(hex('secret')));
    rmSync(file);
    server.close();
    const [line] = await command.find('stderr', /warning upstream mqtt:\S+ upstream\.remote_password_file.*/);
    expect(line).toMatch(/: there is no such file; make it, with the password and nothing else in it$/);
    await new Promise(resolve => setTimeout(resolve, 1000));
    expect(command.lines.filter(each => each.includes('remote_password_file'))).toHaveLength(1);
    folder.write('password', '');
    await command.find('stderr', /is empty; write the password into it/);
    command.process.kill('SIGUSR2');
    await command.find('stdout', /"reason":"[^}]*is empty; write the password into it"/);
  });

  test('is taken by a reload, with a reconnection', async () => {
    const { command, server } = await start('secret', 0);
    await server.until(() => server.received.includes(hex('secret')));
    const other = folder.write('other', 'other-word');
    folder.write('gateway.json', { listener: { port: 0, address: '127.0.0.1', allow_anonymous: true }, topic: [{}],
      upstream: { address: [`mqtt://127.0.0.1:${(server.server.address() as { port: number }).port}`], remote_username: 'u',
        remote_password_file: other, restart_timeout: [0.1, 0.1] } });
    command.process.kill('SIGHUP');
    await command.find('stderr', /upstream\.remote_password_file.*: in force now, upstream is connected anew/);
    await server.until(() => server.received.includes(hex('other-word')));
  });

  test.each<readonly [string, string | Buffer, RegExp]>([
    ['empty', '', /is empty; write the password into it$/],
    ['a line end and nothing else', '\r\n', /is empty/],
    ['too long', 'x'.repeat(4097), /has more than 4096 bytes; write the password and nothing else into it$/],
    ['far too long', 'x'.repeat(100_000), /has more than 4096 bytes/],
    ['no UTF-8', Buffer.from([0x61, 0xE9]), /is no text in UTF-8; write such a password into it$/],
  ])('%s: one line, in which nothing of it stands', (_name, content, expected) => {
    const file = join(folder.path, 'bad');
    writeFileSync(file, content);
    const read = readPasswordFile(file);
    expect(read).toEqual({ problem: expect.stringMatching(expected) as string });
    expect(JSON.stringify(read)).not.toMatch(/xx/);
  });

  test('a folder, a pipe and a link that leads nowhere are one line, and nothing waits', () => {
    const path = (name: string): string => join(folder.path, name);
    execFileSync('mkfifo', [path('pipe')]);
    symlinkSync(path('nowhere'), path('link'));
    expect(['pipe', '.', 'link'].map(name => (readPasswordFile(path(name)) as { problem: string }).problem.replace(/^.*?: /, ''))).toEqual([
      'is a pipe (FIFO); write the path of a regular file instead', 'is a folder; write the path of a regular file instead',
      'there is no such file; make it, with the password and nothing else in it']);
    writeFileSync(path('longest'), `${'x'.repeat(4096)}\r\n`);
    expect(readPasswordFile(path('longest'))).toEqual({ password: 'x'.repeat(4096) });
  });

  test('needs a user name, excludes remote_password, and is refused for a board by name', () => {
    const errorsOf = (upstream: object): readonly string[] => readConfiguration(JSON.stringify({ upstream }), 'f').errors;
    expect(errorsOf({ remote_password_file: 'p' })).toEqual([expect.stringMatching(/remote_password_file: .*write "remote_username" as well/)]);
    expect(errorsOf({ remote_username: 'u', remote_password: 'x', remote_password_file: 'p' }))
      .toEqual([expect.stringMatching(/remote_password_file: there are two passwords; leave out "remote_password"/)]);
    expect(errorsOf({ remote_username: 'u', remote_password_file: '' })).toHaveLength(1);
    const text = '{ "upstream": { "address": ["mqtt://10.0.0.1"], "remote_username": "u", "remote_password_file": "p" } }';
    expect(refusalsOfBoard(text, 'f', readConfiguration(text, 'f', {}).configuration!, 'esp32')).toEqual([
      expect.stringMatching(/^f:1:\d+: upstream\.remote_password_file: a board has no files; write "remote_password" instead$/)]);
  });
});

describe.runIf(process.platform !== 'win32')('a file with passwords that everybody may read', () => {
  const open = mkdtempSync(join(tmpdir(), 'ringbridge-open-'));
  chmodSync(open, 0o755);
  afterAll(() => rmSync(open, { recursive: true }));
  const warningsOf = (configuration: object, mode: number, name = 'c.json'): readonly string[] => {
    const file = join(open, name);
    writeFileSync(file, JSON.stringify({ listener: { address: '127.0.0.1', allow_anonymous: true }, topic: [{}], ...configuration }));
    chmodSync(file, mode);
    return loadConfiguration(file).warnings.filter(line => line.includes('everybody on this computer'));
  };
  const SECRET = { upstream: { remote_username: 'u', remote_password: 's3cret' } };

  test('is warned about, with what to write; not when only its owner and group may read it, or reach it', () => {
    expect(warningsOf(SECRET, 0o644)).toEqual([`${open}/c.json: warning: everybody on this computer may read this file, and there are `
      + `passwords in it; write "chmod 600 ${open}/c.json", or 640 with the group of the service`]);
    expect(warningsOf({ listener: { users: [{ username: 'a', password: 'pw' }] } }, 0o604)).toHaveLength(1);
    expect([warningsOf(SECRET, 0o600), warningsOf(SECRET, 0o640), warningsOf({}, 0o644)]).toEqual([[], [], []]);
    mkdirSync(join(open, 'closed'), { mode: 0o700 });
    expect(warningsOf(SECRET, 0o644, 'closed/c.json')).toEqual([]);
  });

  test('is warned about where it is the password\'s own, and not where the environment has the password', () => {
    process.env['RINGBRIDGE_TEST_SECRET'] = 's3cret';
    expect(warningsOf({ upstream: { remote_username: 'u', remote_password: '${RINGBRIDGE_TEST_SECRET}' } }, 0o644)).toEqual([]);
    delete process.env['RINGBRIDGE_TEST_SECRET'];
    const file = join(open, 'p');
    writeFileSync(file, 'x', { mode: 0o644 });
    expect(warningsOf({ upstream: { remote_username: 'u', remote_password_file: file } }, 0o644)).toHaveLength(1);
  });
});
