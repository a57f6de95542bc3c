/** The page over HTTPS: its certificate or the listener's, the cookie, where a request comes from, SIGHUP. */
import { existsSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { CertificateWatch } from '../../src/host/certificate-watch.ts';
import { securityOfPage } from '../../src/host/page-security.ts';
import { formatPasswordHash, hashPassword } from '../../src/host/password.ts';
import { authority, localServer } from './certificates.ts';
import { bundle, Command, Folder, run } from './command-line.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const PASSWORD = 'correct horse';
const ca = authority();
const first = localServer(ca);
const second = localServer(ca);
const folder = new Folder();
const endings: (() => void)[] = [];
const [certfile, keyfile] = [join(folder.path, 'page.pem'), join(folder.path, 'page.key')];
let password_hash: string;

beforeAll(async () => {
  await bundle();
  password_hash = formatPasswordHash(await hashPassword(PASSWORD));
});
afterEach(() => endings.splice(0).forEach(end => end()));
afterAll(() => folder.remove());

function show({ cert, key }: typeof first): void {
  writeFileSync(certfile, cert);
  writeFileSync(keyfile, key);
}

const configure = (page: object): string => folder.write('https.json', {
  upstream: { address: ['mqtt://127.0.0.1:1'], restart_timeout: [60, 60] },
  listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
  topic: [{ pattern: '#', direction: 'out', remote_prefix: 'site/' }], page,
});

function start(page: object): Command {
  const command = new Command(['run', '--config', configure(page)]);
  endings.push(() => command.process.kill('SIGKILL'));
  return command;
}

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly strict: unknown;
  readonly serialNumber: string;
}

const ask = (url: string, options: RequestOptions = {}, body = ''): Promise<Answer> => new Promise((resolve, reject) => {
  const asked = request(url, { ca: ca.cert, agent: false, ...options }, response => {
    const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
    response.resume().on('end', () => resolve({ status: response.statusCode!, serialNumber,
      strict: response.headers['strict-transport-security'], cookie: response.headers['set-cookie']?.[0] ?? '' }));
  });
  asked.on('error', reject).end(body);
});

test('speaks HTTPS, gives a cookie that HTTP does not get, and takes nothing from the page of another scheme', async () => {
  show(first);
  const command = start({ port: 0, certfile, keyfile, password_hash });
  const [, url, port] = await command.find('stdout', /^ready .* page=(https:\/\/127\.0\.0\.1:(\d+)\/)\n/m);
  const post = (headers: Record<string, string>): RequestOptions =>
    ({ method: 'POST', headers: { 'Content-Type': 'application/json', 'Content-Length': '28', ...headers } });
  const body = JSON.stringify({ password: PASSWORD }).padEnd(28);
  const login = await ask(`${url}api/login`, post({ Origin: `https://127.0.0.1:${port}` }), body);
  expect([login.status, login.strict]).toEqual([200, undefined]);
  expect(login.cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/; Max-Age=86400; Secure$/);
  expect((await ask(`${url}api/status`)).status).toBe(401);
  expect((await ask(`${url}api/status`, { headers: { Cookie: login.cookie.split(';')[0]! } })).status).toBe(200);
  expect((await ask(`${url}api/login`, post({ Origin: `http://127.0.0.1:${port}` }), body)).status).toBe(403);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  await command.find('stderr', /page: 127\.0\.0\.1 speaks HTTP, and the page is at https:\/\//);
});

test('SIGHUP shows another certificate, and one that cannot be read is a line', async () => {
  show(first);
  const command = start({ port: 0, certfile, keyfile });
  const [, url] = await command.find('stdout', /^ready .* page=(https:\S+)\n/m);
  const before = (await ask(`${url}health`)).serialNumber;
  show(second);
  command.process.kill('SIGHUP');
  await expect.poll(async () => (await ask(`${url}health`)).serialNumber, { timeout: 30_000 }).not.toBe(before);
  writeFileSync(certfile, 'nothing');
  command.process.kill('SIGHUP');
  await command.find('stderr', /page\.certfile .*until then the page shows what was read before/);
  expect((await ask(`${url}health`)).status).toBe(200);
});

test('without its files there is no page, and the gateway goes on', async () => {
  const command = start({ port: 0, certfile: join(folder.path, 'none.pem'), keyfile });
  const [line] = await command.find('stdout', /^ready .*\n/);
  expect(line).not.toContain('page=');
  expect(existsSync(join(folder.path, 'none.pem'))).toBe(false);
  await command.find('stderr', /page\.certfile \S*none\.pem: .*; there is no page until then, tried again every 30 seconds/);
});

test.each<[PartialConfiguration['page'], PartialConfiguration['listener'], string | undefined]>([
  [{ address: '0.0.0.0' }, { certfile: 'l', keyfile: 'k' }, 'listener'],
  [{ address: '127.0.0.1' }, { certfile: 'l', keyfile: 'k' }, undefined],
  [{ address: '127.0.0.1', certfile: 'p', keyfile: 'q' }, { certfile: 'l', keyfile: 'k' }, 'page'],
  [{ address: '0.0.0.0' }, {}, undefined],
])('whose certificate: %j, %j', (page, listener, section) => {
  const configuration = completeConfiguration({ page: page!, listener: listener! });
  const security = securityOfPage(configuration.page!, configuration, new CertificateWatch(() => {}));
  expect(security === undefined).toBe(section === undefined);
  if (section !== undefined)
    expect(() => security!.read()).toThrow(`${section}.certfile ${section === 'page' ? 'p' : 'l'}: `);
});

test('check warns of a certificate that is not there', async () => {
  const { exitCode, stderr } = await run(['check', '--pc', configure({ certfile: join(folder.path, 'none.pem'), keyfile })]);
  expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/warning: page\.certfile \S*none\.pem: there is no such file/)]);
});

test('a certificate without its key, or a key without its certificate, is refused', async () => {
  for (const [key, other] of [['certfile', 'keyfile'], ['keyfile', 'certfile']]) {
    const { exitCode, stderr } = await run(['check', '--pc', configure({ [key!]: 'x.pem' })]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`page.${key}: a `)]);
    expect(stderr).toContain(`write "${other}" as well`);
  }
});
