/** The page's programming interface, by a gateway in a process of its own, and its description. */
import { Ajv } from 'ajv';
import {
  chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmdirSync, rmSync,
  statSync, symlinkSync,
} from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { connectAsync } from 'mqtt';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Status } from '../../src/gateway/status.ts';
import { adviceOnWriting } from '../../src/host/page-changes.ts';
import { formatPasswordHash, hashPassword } from '../../src/host/password.ts';
import { allPaths } from '../web/paths-of-page.ts';
import { bundle, Command, Folder, run } from './command-line.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // each starts a program or two

const folder = new Folder();
const endings: (() => void)[] = [];
let hash: string;

const PASSWORD = 'correct horse';
const SECRETS = ['upstream-secret', 'node-secret'];

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

beforeAll(async () => {
  await bundle();
  hash = formatPasswordHash(await hashPassword(PASSWORD));
});
afterEach(() => endings.splice(0).forEach(end => end()));
afterAll(() => folder.remove());

const configure = (page: unknown, rest: object = {}): string => folder.write('page.json', {
  name: 'greenhouse',
  upstream: { address: ['mqtt://127.0.0.1:1'], restart_timeout: [60, 60], remote_username: 'gw', remote_password: SECRETS[0] },
  listener: { address: '127.0.0.1', port: 0, users: [{ username: 'n', password: SECRETS[1] }] },
  topic: [{ pattern: '#', direction: 'out', remote_prefix: 'site/"1"/' }],
  page, ...rest,
});

async function start(page: unknown, rest: object = {}): Promise<{ command: Command; url: string }> {
  const command = new Command(['run', '--config', configure(page, rest)]);
  endings.push(() => command.process.kill('SIGKILL'));
  const [, url] = await command.find('stdout', /^ready listener=\S+ upstream=\S+ page=(http:\/\/\S+:\d+\/)\n/m);
  return { command, url: url! };
}

async function ask(url: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, options);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit =>
  ({ method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });
const basic = (password: string): RequestInit =>
  ({ headers: { Authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}` } });

describe('the page', () => {
  test('is named by the ready line, and asks nobody on the loopback', async () => {
    const { url } = await start({ port: 0 });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const status = await ask(`${url}api/status`);
    expect(status.status).toBe(200);
    expect(JSON.parse(status.text)).toMatchObject({ name: 'greenhouse', upstream: { address: 'mqtt://127.0.0.1:1' } });
    expect(JSON.parse((await ask(`${url}api/session`)).text)).toEqual({ passwordNeeded: false, open: true });
    expect(JSON.parse((await ask(`${url}health`)).text)).toEqual({ status: 'ok', reasons: [] });
    expect((await ask(url)).headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  });

  test('is not there where nobody asks for it', async () => {
    const command = new Command(['run', '--config', configure(null)]);
    endings.push(() => command.process.kill('SIGKILL'));
    const [line] = await command.find('stdout', /^ready .*\n/);
    expect(line).not.toContain('page=');
  });

  test('tells figures as Prometheus reads them', async () => {
    const { url } = await start({ port: 0 });
    const { headers, text } = await ask(`${url}metrics`);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const types = new Map<string, string>();
    const seen = new Set<string>();
    for (const line of text.trimEnd().split('\n')) {
      const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
      if (name !== undefined) {
        expect(types.has(name), name).toBe(false);
        types.set(name, type!);
      }
      if (line.startsWith('#'))
        continue;
      const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)+\})? (-?\d+(?:\.\d+)?(?:e-?\d+)?)$/.exec(line);
      expect(match, line).not.toBeNull();
      const [, whole, part] = /^(.*?)(_count|_sum|_bucket)?$/.exec(match![1]!)!;
      expect(types.get(whole!), line).toBe(part !== undefined ? 'histogram' : whole!.endsWith('_total') ? 'counter' : 'gauge');
      expect(seen.has(match![1]! + match![2]), line).toBe(false);
      seen.add(match![1]! + match![2]);
    }
    for (const name of ['ringbridge_upstream_connected', 'ringbridge_store_oldest_message_age_seconds', 'ringbridge_clients_connected',
      'ringbridge_bytes_received_total', 'ringbridge_rule_messages_dropped_total', 'ringbridge_longest_turn_seconds'])
      expect([...types.keys()]).toContain(name);
    expect(text).toContain('ringbridge_rule_messages_dropped_total{rule="0",direction="out",local="#",remote="site/\\"1\\"/#",reason="no room"} 0');
  });

  test('tells the log, and events as they come', async () => {
    const { url } = await start({ port: 0 });
    await expect.poll(async () => (await ask(`${url}api/log`)).text).toContain('upstream mqtt://127.0.0.1:1');
    const { lines } = JSON.parse((await ask(`${url}api/log`)).text) as { lines: { id: number }[] };
    expect(JSON.parse((await ask(`${url}api/log?after=${lines.at(-1)!.id}`)).text)).toEqual({ lines: [] });
    for (const query of ['?after=zz', '?after=', '?after=-1', '?since=3'])
      expect((await ask(`${url}api/log${query}`)).status, query).toBe(400);
    const response = await fetch(`${url}api/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.getReader();
    let text = '';
    while ((text.match(/^event: status$/gm)?.length ?? 0) < 3)
      text += Buffer.from((await reader.read()).value!).toString();
    await reader.cancel();
    expect(text).toMatch(/^retry: 2000\n\nevent: status\ndata: \{"name":"greenhouse".*"health":\{"isWell":true/);
  });

  test('answers no name that is not its own, and no other site', async () => {
    const { url } = await start({ port: 0 });
    const { port } = new URL(url);
    const status = await new Promise(resolve => httpRequest({ port, path: '/api/status', headers: { Host: 'evil.example' } },
      response => resolve(response.statusCode)).end());
    expect(status).toBe(421);
    expect((await ask(`${url}api/logout`, json({}, { Origin: 'http://evil.example' }))).status).toBe(403);
    expect((await ask(`${url}api/logout`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'text/plain' } })).status).toBe(415);
  });

  test('never tells a secret', async () => {
    const { url } = await start({ port: 0, password_hash: hash });
    for (const path of ['', 'api/status', 'metrics', 'api/log', 'health', 'api/session', 'api/config']) {
      const { text } = await ask(url + path, basic(PASSWORD));
      for (const secret of [...SECRETS, PASSWORD, hash.split('$').at(-1)!])
        expect(text).not.toContain(secret);
    }
  });

  test('its port is taken: the gateway goes on without it, and says so', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => server.once('listening', resolve));
    endings.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const command = new Command(['run', '--config', configure({ port })]);
    endings.push(() => command.process.kill('SIGKILL'));
    expect((await command.find('stdout', /^ready .*\n/))[0]).not.toContain('page=');
    expect(command.stderr).toContain(`error port ${port} on 127.0.0.1 is in use: stop the program that uses it or set "page.port"; there is no page until then`);
    const strict = await run(['run', '--strict', '--config', configure({ port })]);
    expect(strict.exitCode).toBe(1);
  });

  test('ends with the gateway, whoever listens to events', async () => {
    const { command, url } = await start({ port: 0 });
    const response = await fetch(`${url}api/events`);
    command.process.kill('SIGTERM');
    expect(await command.exited).toBe(0);
    await response.body!.cancel().catch(() => {});
  });
});

describe('what the page changes', () => {
  const put = (url: string, body: unknown, query = ''): Promise<Answer> =>
    ask(`${url}api/config${query}`, { ...json(body), method: 'PUT' });
  const inFile = (file = 'page.json'): Record<string, unknown> =>
    JSON.parse(readFileSync(join(folder.path, file), 'utf8')) as Record<string, unknown>;

  test('the configuration: without secrets out, with them back in, and read at once', async () => {
    const { command, url } = await start({ port: 0 });
    const { text } = await ask(`${url}api/config`);
    const configuration = JSON.parse(text) as { upstream: Record<string, unknown>; listener: { users: unknown[] } };
    expect(configuration.upstream['remote_password']).toBe('(kept)');
    expect(configuration.listener.users).toEqual([{ username: 'n', password: '(kept)' }]);
    configuration.listener.users.unshift({ username: 'new', password: 'another' });
    const answer = await put(url, { ...configuration, name: 'changed' });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { onTrial: 0 }]);
    expect(inFile()).toMatchObject({ name: 'changed', upstream: { remote_password: SECRETS[0] },
      listener: { users: [{ username: 'new', password: 'another' }, { username: 'n', password: SECRETS[1] }] } });
    expect(inFile('page.json.previous')).toMatchObject({ name: 'greenhouse' });
    await command.find('stderr', /SIGHUP: .*name/);
    expect(JSON.parse((await ask(`${url}api/status`)).text)).toMatchObject({ name: 'changed' });
  });

  test('a configuration with mistakes changes nothing: they are named by path, in the words of check', async () => {
    const { url } = await start({ port: 0 });
    const before = inFile();
    const answer = await put(url, { ...before, listener: { prot: 1 }, store: { ram: 1 } });
    expect(answer.status).toBe(422);
    const { errors } = JSON.parse(answer.text) as { errors: { path: string; text: string }[] };
    expect(errors.map(({ path }) => path)).toEqual(['listener.prot', 'store.ram']);
    expect(errors[0]!.text).toBe('there is no such key; write "port" instead');
    expect((await ask(`${url}api/config`, { ...json({}), method: 'PUT', body: '{' })).status).toBe(422);
    for (const query of ['?try=x', '?try=', '?try=0', '?try=601', '?tri=5', '?try=5&b=1'])
      expect((await put(url, before, query)).status, query).toBe(400);
    const tooLong = await put(url, { name: 'x'.repeat(300_000) });
    expect([tooLong.status, tooLong.text]).toEqual([413, expect.stringContaining('a configuration may have 262144 bytes')]);
    expect(inFile()).toEqual(before);
  });

  test('a trial ends with the configuration before, unless somebody confirms it', async () => {
    const { command, url } = await start({ port: 0 });
    const before = inFile();
    expect(JSON.parse((await put(url, { ...before, name: 'tried' }, '?try=2')).text)).toMatchObject({ onTrial: 2 });
    expect(inFile()).toMatchObject({ name: 'tried' });
    await command.find('stderr', /nobody has confirmed the configuration that was tried/);
    expect(inFile()).toEqual(before);
    await put(url, { ...before, name: 'confirmed' }, '?try=2');
    expect(JSON.parse((await ask(`${url}api/config/confirm`, json({}))).text)).toEqual({ confirmed: true });
    await new Promise(resolve => setTimeout(resolve, 2500));
    expect(inFile()).toMatchObject({ name: 'confirmed' });
    await put(url, { ...before, name: 'tried' }, '?try=600');
    command.process.kill('SIGTERM');
    await command.exited;
    expect(inFile()).toMatchObject({ name: 'confirmed' });
  });

  test('a secret goes nowhere else: what turns it elsewhere has to tell it anew', async () => {
    const { url } = await start({ port: 0 });
    const before = JSON.parse((await ask(`${url}api/config`)).text) as { upstream: Record<string, unknown> };
    const send = (upstream: object): Promise<Answer> =>
      put(url, { ...before, upstream: { ...before.upstream, ...upstream } });
    for (const [upstream, path, words] of [
      [{ address: ['mqtt://127.0.0.1:2'] }, 'remote_password', 'upstream.address has changed'],
      [{ address: ['mqtt://127.0.0.1:1', 'mqtt://127.0.0.1:2'] }, 'remote_password', 'write it out in place of'],
      [{ address: ['mqtts://127.0.0.1:1'], bridge_insecure: true }, 'remote_password', 'upstream.address and upstream.bridge_insecure have'],
      [{ remote_username: '${HOME}' }, 'remote_username', 'the page takes no ${NAME}'],
      [{ remote_password: undefined, remote_password_file: join(folder.path, 'page.json') }, 'remote_password_file', 'does not choose a file'],
    ] as const) {
      const answer = await send(upstream);
      expect([answer.status, answer.text]).toEqual([422, expect.stringContaining(words)]);
      expect(answer.text).toContain(`"path":"upstream.${path}"`);
    }
    expect((await put(url, { ...before, listener: { address: '127.0.0.1', users: [{ username: 'm', password: '(kept)' }] } })).text)
      .toContain('there is nothing in the file');
    expect(inFile()).toMatchObject({ upstream: { address: ['mqtt://127.0.0.1:1'], remote_password: SECRETS[0] } });
    expect((await send({ address: ['mqtt://127.0.0.1:2'], remote_password: 'told anew' })).status).toBe(200);
    expect((await send({ address: ['mqtt://127.0.0.1:2'], keepalive_interval: 30 })).status).toBe(200);
    expect(inFile()).toMatchObject({ upstream: { remote_password: 'told anew', keepalive_interval: 30 } });
  });

  test('what is sent is read as check reads a file', async () => {
    const { url } = await start({ port: 0 });
    const before = readFileSync(join(folder.path, 'page.json'));
    const send = async (body: string | Buffer): Promise<string> => {
      const answer = await ask(`${url}api/config`, { ...json({}), method: 'PUT', body });
      expect(answer.status).toBe(422);
      return answer.text;
    };
    expect(await send('{"name":"a","name":"b"}')).toContain('{"path":"name","text":"this key is there twice');
    expect(await send(Buffer.from('{"name":"K\xfcche"}', 'latin1'))).toContain('the byte FC is not UTF-8');
    expect(await send('{"store":{"ram":1e999}}')).toContain('1e999 is larger than any number here');
    expect(await send('{"a":'.repeat(5000))).toContain('too many brackets');
    expect(await send('{"upstream":{"remote_password":UpPw-SECRET}}')).not.toContain('UpPw');
    expect(readFileSync(join(folder.path, 'page.json'))).toEqual(before);
  });

  test('what waits for a restart is named, and nothing else cannot be tried', async () => {
    const { url } = await start({ port: 0 });
    const before = inFile();
    const refused = await put(url, { ...before, store: { ram: 300_000 } }, '?try=60');
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('"path":"store.ram"')]);
    expect(refused.text).toContain('takes effect after a restart: nothing would be tried');
    expect(inFile()).toEqual(before);
    const { afterRestart } = JSON.parse((await put(url, { ...before, name: 'n', store: { ram: 300_000 } }, '?try=60')).text) as
      { afterRestart: unknown };
    expect(afterRestart).toContainEqual({ path: 'store.ram', text: 'takes effect after a restart' });
  });

  test('a trial does not outlive the program that is killed, and check warns of it', async () => {
    const { command, url } = await start({ port: 0 });
    const before = inFile();
    await put(url, { ...before, name: 'tried' }, '?try=60');
    await put(url, { ...before, name: 'tried again' }, '?try=60');
    command.process.kill('SIGKILL');
    await command.exited;
    const file = join(folder.path, 'page.json');
    expect(inFile()).toMatchObject({ name: 'tried again' });
    expect(statSync(`${file}.trial`).mode & 0o777).toBe(0o600);
    expect((await run(['check', '--pc', file])).stderr).toContain('warning: this configuration is on trial');
    const again = new Command(['run', '--config', file]);
    endings.push(() => again.process.kill('SIGKILL'));
    await again.find('stdout', /^ready/m);
    expect(inFile()).toEqual(before);
    expect(again.stderr).toContain('warning the program ended while a configuration was on trial: the one before is back');
    expect(existsSync(`${file}.trial`)).toBe(false);
  });

  test('what somebody has changed by hand during a trial stays, whatever ends it', async () => {
    const { command, url } = await start({ port: 0 });
    const before = inFile();
    await put(url, { ...before, name: 'tried' }, '?try=1');
    const file = folder.write('page.json', { ...before, name: 'by hand' });
    await command.find('stderr', /nobody has confirmed .*, but somebody has changed \S+ meanwhile: it stays as it is/);
    expect(inFile()).toMatchObject({ name: 'by hand' });
    expect(existsSync(`${file}.trial`)).toBe(false);
    await put(url, { ...before, name: 'tried' }, '?try=60');
    command.process.kill('SIGKILL');
    await command.exited;
    folder.write('page.json', { ...before, name: 'by hand again' });
    const again = new Command(['run', '--config', file]);
    endings.push(() => again.process.kill('SIGKILL'));
    await again.find('stdout', /^ready/m);
    expect(inFile()).toMatchObject({ name: 'by hand again' });
    expect(again.stderr).toContain('the program ended while a configuration was on trial, but somebody has changed');
  });

  test('a link stays a link, and its target keeps user, group and mode, also when a trial ends', async () => {
    const real = join(folder.path, 'real');
    rmSync(real, { recursive: true, force: true });
    mkdirSync(real);
    const [target, file] = [join(real, 'target.json'), configure({ port: 0 })];
    renameSync(file, target);
    symlinkSync(target, file);
    endings.push(() => rmSync(file));
    const mask = process.umask(0o077);
    endings.push(() => process.umask(mask));
    chmodSync(target, 0o664);
    if (process.getuid!() === 0)
      chownSync(target, 1234, 2345);
    const command = new Command(['run', '--config', file]);
    endings.push(() => command.process.kill('SIGKILL'));
    const [, url] = await command.find('stdout', /page=(http:\S+)\n/m);
    const facts = (): unknown => {
      const { gid, mode, uid } = statSync(target);
      return [lstatSync(file).isSymbolicLink(), readlinkSync(file), uid, gid, mode & 0o7777];
    };
    const before = facts();
    const content = inFile();
    expect((await put(url!, { ...content, name: 'saved' })).status).toBe(200);
    expect([facts(), inFile('real/target.json')]).toEqual([before, expect.objectContaining({ name: 'saved' })]);
    await put(url!, { ...content, name: 'tried' }, '?try=1');
    expect(facts()).toEqual(before);
    await command.find('stderr', /nobody has confirmed the configuration that was tried/);
    expect([facts(), inFile()]).toEqual([before, expect.objectContaining({ name: 'saved' })]);
    expect(existsSync(`${target}.new`)).toBe(false);
  });

  test('where the folder cannot be written PUT says so in plain words, and nothing is lost', async () => {
    const { url } = await start({ port: 0 });
    const before = inFile();
    mkdirSync(join(folder.path, 'page.json.new')); // root may write anywhere; nobody may write this
    const answer = await put(url, { ...before, name: 'n' }, '?try=60');
    rmdirSync(join(folder.path, 'page.json.new'));
    expect([answer.status, answer.text]).toEqual([422, expect.stringContaining('the file cannot be written: ')]);
    expect(answer.text).toContain('change the file itself and send SIGHUP');
    expect(inFile()).toEqual(before);
    expect(existsSync(join(folder.path, 'page.json.trial'))).toBe(false);
    expect(adviceOnWriting(Object.assign(new Error('x'), { code: 'EROFS' })))
      .toContain('the folder of the file is read-only for this program, as in the sandbox of a service');
  });

  test('the quarantine: what is deleted is gone, what nobody knows is refused', async () => {
    const { command, url } = await start({ port: 0 }, { upstream: { address: ['mqtt://127.0.0.1:1'], bridge_max_packet_size: 128 },
      listener: { address: '127.0.0.1', port: 0, allow_anonymous: true } });
    const client = await connectAsync(`mqtt://127.0.0.1:${await command.ready()}`);
    await client.publishAsync('large', 'x'.repeat(300), { qos: 1 });
    await client.endAsync();
    const { quarantine } = JSON.parse((await ask(`${url}api/status`)).text) as Status;
    expect(quarantine.messages.map(({ topic }) => topic)).toEqual(['large']);
    const { number } = quarantine.messages[0]!;
    const decide = (body: unknown): Promise<Answer> => ask(`${url}api/quarantine`, json(body));
    expect((await decide({ action: 'eat', number })).text).toContain('"path":"action"');
    expect((await decide({ action: 'delete', number: number + 1 })).text).toContain('"path":"number"');
    expect(JSON.parse((await decide({ action: 'delete', number })).text)).toMatchObject({ count: 0, messages: [] });
    expect((await decide({ action: 'delete', number })).status).toBe(422);
  });
});

describe('a message that is published by the page', () => {
  const OPEN = { listener: { address: '127.0.0.1', port: 0, allow_anonymous: true } };
  const publish = (url: string, body: unknown, headers = {}): Promise<Answer> =>
    ask(`${url}api/publish`, json(body, headers));

  test('reaches nodes, retained or not, and the rules', async () => {
    const { command, url } = await start({ port: 0, allow_publish: true }, OPEN);
    const client = await connectAsync(`mqtt://127.0.0.1:${await command.ready()}`);
    const got: string[] = [];
    client.on('message', (topic, payload, { qos, retain }) => got.push(`${topic} ${payload.toString()} ${qos} ${retain}`));
    await client.subscribeAsync('#', { qos: 2 });
    for (const body of [{ topic: 'a/b', payload: 'grüße', qos: 1 }, { topic: 'a' }, { topic: 'kept', payload: 'x', retain: true, qos: 2 }]) {
      const answer = await publish(url, body);
      expect([answer.status, answer.text]).toEqual([200, '{"published":true}\n']);
    }
    await expect.poll(() => got, { timeout: 20_000 }).toEqual(['a/b grüße 1 false', 'a  0 false', 'kept x 2 false']);
    await client.unsubscribeAsync('#');
    await client.subscribeAsync('kept');
    await expect.poll(() => got.at(-1), { timeout: 20_000 }).toBe('kept x 0 true');
    await client.endAsync();
    const { counters, rules } = JSON.parse((await ask(`${url}api/status`)).text) as Status;
    expect([counters.acceptedForUpstream, rules[0]!.forwarded]).toEqual([3, 3]);
  });

  test('is refused by name when it cannot be published', async () => {
    const { url } = await start({ port: 0, allow_publish: true }, OPEN);
    for (const [body, path, words] of [
      [{ topic: 'a/#' }, 'topic', 'without \\"+\\" and \\"#\\"'], [{}, 'topic', 'must be a Topic Name'], [{ topic: '$SYS/x' }, 'topic', 'own'],
      [{ topic: 'a\u0000' }, 'topic', 'must be a Topic Name'], [{ topic: 'a', payload: 7 }, 'payload', 'must be a text'],
      [{ topic: 'a', qos: 3 }, 'qos', 'write 0, 1 or 2'], [{ topic: 'a', retain: 1 }, 'retain', 'write true or false'],
      [{ topic: 'a', pay: 1 }, 'pay', 'there is no such key'], [[], '', 'is no JSON object'], [null, '', 'is no JSON object'],
      [{ topic: 'a', payload: 'x'.repeat(20_000) }, 'payload', 'topic and payload have 20001 bytes, 16384 are the limit'],
    ] as const) {
      const { status, text } = await publish(url, body);
      expect([status, text], JSON.stringify(body).slice(0, 50)).toEqual([422, expect.stringContaining(`{"path":"${path}","text":"`)]);
      expect(text).toContain(words);
    }
    expect((await ask(`${url}api/publish`, { ...json({}), body: '{' })).status).toBe(422);
  });

  test('is not taken unless the configuration allows it, nor from another site, nor without the password', async () => {
    const shut = await start({ port: 0 }, OPEN);
    expect((await publish(shut.url, { topic: 'a' })).text).toContain('set \\"allow_publish\\": true');
    const { url } = await start({ port: 0, allow_publish: true, password_hash: hash }, OPEN);
    expect((await publish(url, { topic: 'a' })).status).toBe(401);
    const { Authorization } = basic(PASSWORD).headers as { Authorization: string };
    expect((await publish(url, { topic: 'a' }, { Authorization })).status).toBe(200);
    expect((await publish(url, { topic: 'a' }, { Authorization, Origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask(`${url}api/publish`, { method: 'POST', body: '{"topic":"a"}', headers: { Authorization, 'Content-Type': 'text/plain' } })).status).toBe(415);
  });
});

describe('with a password', () => {
  test('only what a browser needs to ask for it is for everybody', async () => {
    const { url } = await start({ port: 0, password_hash: hash });
    for (const path of ['', 'health', 'api/session', 'api/openapi.json'])
      expect((await ask(url + path)).status, path).toBe(200);
    for (const path of ['api/status', 'metrics', 'api/log', 'api/events'])
      expect((await ask(url + path)).status, path).toBe(401);
    expect((await ask(`${url}api/status`, basic(PASSWORD))).status).toBe(200);
    expect((await ask(`${url}api/status`, basic('wrong'))).status).toBe(401);
    expect((await ask(`${url}api/status`, { headers: { Authorization: 'Basic %%%' } })).status).toBe(401);
  });

  test('the form gives a cookie, until it is given back', async () => {
    const { url } = await start({ port: 0, password_hash: hash });
    const login = await ask(`${url}api/login`, json({ password: PASSWORD }));
    expect(login.status).toBe(200);
    const line = login.headers.get('set-cookie')!;
    expect(line).toMatch(new RegExp(`^ringbridge-${new URL(url).port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/; Max-Age=86400$`));
    const Cookie = `other=1; ${line.split(';')[0]!}`;
    expect((await ask(`${url}api/status`, { headers: { Cookie } })).status).toBe(200);
    expect(JSON.parse((await ask(`${url}api/session`, { headers: { Cookie } })).text)).toEqual({ passwordNeeded: true, open: true });
    expect((await ask(`${url}api/status`, { headers: { Cookie: `${Cookie}x` } })).status).toBe(401);
    await ask(`${url}api/logout`, json({}, { Cookie }));
    expect((await ask(`${url}api/status`, { headers: { Cookie } })).status).toBe(401);
  });

  test('wrong ones are limited, and those who are logged in go on', async () => {
    const { url } = await start({ port: 0, password_hash: hash });
    const [cookie] = (await ask(`${url}api/login`, json({ password: PASSWORD }))).headers.get('set-cookie')!.split(';');
    const statuses: number[] = [];
    for (let count = 0; count < 8; ++count)
      statuses.push((await ask(`${url}api/login`, json({ password: `wrong ${count}` }))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await ask(`${url}api/login`, json({ password: PASSWORD }))).status).toBe(429);
    expect((await ask(`${url}api/status`, { headers: { Cookie: cookie! } })).status).toBe(200);
    expect((await ask(`${url}api/login`, json({ password: 7 }))).status).toBe(422);
  });
});

describe('a configuration', () => {
  test.each([
    [{ address: '0.0.0.0' }, 'page: everybody who reaches 0.0.0.0 could read all and change all; write "password_hash"'],
    [{ address: 'localhost' }, 'page.address: must be an IP address; write "127.0.0.1" instead'],
    [{ address: 'gateway' }, 'page.address: "gateway" is no IP address'],
    [{ password_hash: 'secret' }, 'page.password_hash: is no hash that can be used; write what "ringbridge passwd --page" prints instead'],
    [{ port: 1883 }, 'page.port: 1883 is the port of the listener for nodes (listener.port)'],
    [{ port: 65_536 }, 'page.port'],
    [{ prot: 80 }, 'page.prot'],
    [true, 'page: '],
  ])('%j is refused', async (page, message) => {
    const { exitCode, stderr } = await run(['check', '--pc', configure(page, { listener: { port: 1883, allow_anonymous: true } })]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test('for a board is refused by name', async () => {
    const { exitCode, stderr } = await run(['check', '--board', 'esp32', folder.write('board.json',
      { upstream: { address: ['mqtt://192.168.1.10'] }, page: { port: 80 } })]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('page: a board has no page in this version; leave it out, or write null, instead');
  });
});

interface Operation {
  readonly security?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { 
    readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
  }>>;
}

describe('the description of the interface', () => {
  const file = new URL('../../src/web/openapi.json', import.meta.url);
  const description = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>; components: object;
  };
  const validate = (schema: object, value: unknown): unknown => {
    const ajv = new Ajv({ strict: false });
    const check = ajv.compile({ ...schema, components: description.components });
    return check(value) ? null : check.errors;
  };

  test('names what is there: each answer is of its form, and nobody is asked for less than it says', async () => {
    const open = await start({ port: 0 });
    const closed = await start({ port: 0, password_hash: hash });
    for (const [path, operations] of Object.entries(description.paths))
      for (const [method, { responses, security }] of Object.entries(operations)) {
        const name = `${method} ${path}`;
        const options: RequestInit = method === 'get' ? {} : { ...json({ password: 'x' }), method };
        if (path === '/api/events')
          continue; // endless: see above
        const answer = await ask(open.url + path.slice(1), options);
        const described = responses[String(answer.status)];
        expect(described, `${name}: ${answer.status}`).toBeDefined();
        const schema = described!.content?.['application/json']?.schema;
        if (schema !== undefined)
          expect(validate(schema, JSON.parse(answer.text)), name).toBeNull();
        const refused = await ask(closed.url + path.slice(1), options);
        if (path !== '/api/login')
          expect(refused.status === 401, name).toBe(security === undefined);
      }
    const served = await ask(`${open.url}api/openapi.json`);
    expect(served.text).toBe(readFileSync(file, 'utf8'));
  });

  test('names all that is there', async () => {
    const { url } = await start({ port: 0 });
    expect(allPaths().sort()).toEqual(Object.keys(description.paths).sort());
    expect((await ask(`${url}api/none`)).status).toBe(404);
  });
});
