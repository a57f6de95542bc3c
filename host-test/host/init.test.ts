/** `ringbridge init`: what is asked, what is written, and what is not overwritten. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/configuration.ts';
import { loadConfiguration } from '../../src/host/config.ts';
import { parsePasswordHash, verifyPassword } from '../../src/host/password.ts';
import { bundle, BUNDLED_PROGRAM, Folder, run } from './command-line.ts';
import { isTested } from '../programs-here.ts';

const folder = new Folder();
beforeAll(bundle);
afterAll(() => folder.remove());
let count = 0;
const newFile = (): string => join(folder.path, `made-${++count}.json`);

interface Made { readonly configuration: Configuration; readonly text: string; readonly stderr: string }

async function make(args: readonly string[], input?: string): Promise<Made> {
  const file = newFile();
  const { exitCode, stderr, stdout } = await run(['init', file, ...args], input);
  expect([exitCode, stdout], stderr).toEqual([0, '']);
  const { configuration, errors } = loadConfiguration(file);
  expect(errors).toEqual([]);
  return { configuration: configuration!, text: readFileSync(file, 'utf8'), stderr };
}

describe('without a terminal', () => {
  test('--yes takes what is proposed, with a password that is told once', async () => {
    const { configuration: { listener, store, topic, upstream }, stderr, text } = await make(['--yes']);
    const [, password] = /^the password of "node1" is (\S{16}); it is not shown again$/m.exec(stderr)!;
    const { password_hash, username } = listener.users[0]!;
    expect([username, listener.allow_anonymous]).toEqual(['node1', false]);
    expect(await verifyPassword(Buffer.from(password!), parsePasswordHash(password_hash!)!)).toBe(true);
    expect(text).not.toContain(password);
    expect(upstream.address).toEqual(['mqtt://127.0.0.1:1883']);
    expect(listener.port).toBe(1884); // the broker of this computer has the other one
    expect(topic.map(({ direction, pattern }) => [direction, pattern])).toEqual([['out', 'sensors/#'], ['in', 'command/#']]);
    expect(store.durability).toBe('flash');
  });

  test('options answer', async () => {
    const { configuration, stderr } = await make(['--yes', '--name', 'barn', '--address', 'broker.example:8883', '--cafile', '/ca.pem', '--username', 'me',
      '--password-file', '/secret', '--port', '1999', '--anonymous', '--out', 'a/#', '--in', '-', '--prefix', '${x}/', '--ram']);
    expect(configuration).toMatchObject({
      name: 'barn', listener: { port: 1999, allow_anonymous: true, users: [] }, store: { durability: 'ram' },
      upstream: { address: ['mqtts://broker.example:8883'], bridge_cafile: '/ca.pem', remote_username: 'me', remote_password_file: '/secret' } });
    expect(stderr).not.toContain('password of');
  });

  test('a comment stands over every key of a section, from the schema', async () => {
    const { text } = await make(['--yes', '--address', 'mqtts://b', '--cafile', '/ca']);
    const lines = text.split('\n');
    const keys = lines.flatMap((line, index) => /^ {2,4}"\w+": /.test(line) ? [index] : []);
    expect(keys.length).toBeGreaterThan(12);
    for (const index of keys)
      expect(lines[index - 1], lines[index]).toMatch(/^ +\/\/ \S/);
    expect(lines.every(line => line.length <= 120)).toBe(true);
    const plain = await make(['--yes', '--plain', '--anonymous', '--name', 'x']);
    expect(JSON.parse(plain.text)).toEqual(parse((await make(['--yes', '--anonymous', '--name', 'x'])).text));
  });

  test.each<readonly [string, readonly string[], RegExp]>([
    ['a wrong address', ['--address', 'http://x'], /upstream\.address\[0\]/],
    ['a wrong port', ['--port', 'http'], /"http" is no port; write a number/],
    ['a port that is none', ['--port', '70000'], /listener\.port/],
    ['a wrong filter', ['--out', 'a#'], /"a#" is no Topic Filter/],
    ['a CA without TLS', ['--cafile', '/ca.pem'], /there is no TLS without mqtts/],
    ['an empty user', ['--user', ''], /username/],
    ['a user and none', ['--user', 'a', '--anonymous'], /write either --user or --anonymous/],
  ])('%s is told, and nothing is written', async (_name, args, expected) => {
    const file = newFile();
    const { exitCode, stderr } = await run(['init', file, '--yes', ...args]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(expected) as string]);
    expect(existsSync(file)).toBe(false);
  });

  test('lines answer, empty ones as is proposed; too few of them write nothing', async () => {
    const answers = ['shed', 'mqtts://broker.example', '', 'me', 'pa$${ss', '', 'node7', 'node7 secret', '-', '', 'up/', 'no', ''].join('\n');
    const { configuration: { listener, name, store, topic, upstream }, stderr } = await make([], answers);
    expect(name).toBe('shed');
    expect(upstream).toMatchObject({ address: ['mqtts://broker.example'], bridge_cafile: null, remote_username: 'me', remote_password: 'pa$${ss' });
    expect(await verifyPassword(Buffer.from('node7 secret'), parsePasswordHash(listener.users[0]!.password_hash!)!)).toBe(true);
    expect(topic).toMatchObject([{ pattern: 'command/#', direction: 'in', remote_prefix: 'up/' }]);
    expect([listener.port, store.durability]).toEqual([1883, 'ram']);
    expect(stderr).not.toMatch(/ss|secret;/);
    const file = newFile();
    const { exitCode, stderr: complaint } = await run(['init', file], 'shed\n');
    expect([exitCode, complaint]).toEqual([2, expect.stringContaining('write --yes to take what is proposed for the rest') as string]);
    expect(existsSync(file)).toBe(false);
  });
});

/** util-linux makes a terminal. */
describe.runIf(isTested(spawnSync('script', ['--version']).status === 0))('at a terminal', () => {
  test('a wrong answer is asked for again, and no password is shown', async () => {
    const file = newFile();
    const terminal = spawn('script', ['-qec', `${process.execPath} ${BUNDLED_PROGRAM} init ${file}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let shown = '';
    const dialogue: [prompt: string, answer: string][] = [['name of this gateway [', 'shed'], ['address of the broker', 'http://x'],
      ['"http://x" is not an upstream address', ''], ['address of the broker, mqtts:// with TLS [mqtt://127.0.0.1:1883]: ', ''], ['user name at the broker', ''],
      ['port for the nodes [1884]: ', ''], ['user name for the nodes', ''], ['password for "node1"', 'one secret'], ['the same again: ', 'another'],
      ['these are two different', ''], ['password for "node1"', 'one secret'], ['the same again: ', 'one secret'], ['topics of nodes', ''],
      ['topics of the broker', ''], ['what their names begin with', ''], ['keep what waits', '']];
    let from = 0;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      for (let [next] = dialogue; next !== undefined && shown.indexOf(next[0], from) >= 0; [next] = dialogue) {
        from = shown.indexOf(next[0], from) + next[0].length;
        dialogue.shift();
        if (!/^"http|^these/.test(next[0])) // these are no questions
          terminal.stdin.write(`${next[1]}\r`);
      }
    });
    await once(terminal, 'close');
    expect(dialogue, shown).toEqual([]);
    expect(shown).not.toContain('secret');
    const { configuration } = loadConfiguration(file);
    expect(configuration).toMatchObject({ name: 'shed', upstream: { address: ['mqtt://127.0.0.1:1883'] } });
    expect(await verifyPassword(Buffer.from('one secret'), parsePasswordHash(configuration!.listener.users[0]!.password_hash!)!)).toBe(true);
  });
});

describe('a file', () => {
  test('is for its owner only, and in ringbridge.json unless it is named', async () => {
    const file = newFile();
    await run(['init', file, '--yes']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run(['check', '--pc', file])).exitCode).toBe(0);
    expect((await run(['--help'])).stdout).toContain('ringbridge.json');
  });

  test('that is there stays, unless --force is said; then it is replaced as a whole', async () => {
    const file = folder.write('there.json', '{ "name": "mine" }');
    chmodSync(file, 0o644);
    const refused = await run(['init', file, '--yes']);
    expect([refused.exitCode, refused.stderr]).toEqual([1, `ringbridge: ${file} is there already; write --force to replace it, or another name\n`]);
    expect(readFileSync(file, 'utf8')).toBe('{ "name": "mine" }');
    expect((await run(['init', file, '--yes', '--force'])).exitCode).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(loadConfiguration(file).configuration!.name).not.toBe('mine');
    expect(readdirSync(folder.path).filter(name => name.includes('.new-'))).toEqual([]);
  });

  test('that is a folder or a link, or in no folder, is told, also with --force', async () => {
    mkdirSync(join(folder.path, 'folder'));
    symlinkSync(join(folder.path, 'nowhere'), join(folder.path, 'link'));
    for (const [name, expected] of [['folder', 'is a folder'], ['link', 'is a symbolic link'], ['no/such/x.json', 'is in no folder; make the folder']] as const) {
      const { exitCode, stderr } = await run(['init', join(folder.path, name), '--yes', '--force']);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(expected) as string]);
    }
    expect(existsSync(join(folder.path, 'nowhere'))).toBe(false);
  });
});
