/** Secrets of a configuration that stand elsewhere: in the environment, or among the credentials of a service. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { fillIn, lookUp } from '../../src/host/config-secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'broker'), 'from systemd\n');
writeFileSync(join(folder, 'latin'), Buffer.from('Küche', 'latin1'));
mkdirSync(join(folder, 'a-folder'));

const ENVIRONMENT = { PASSWORD: 's3cret word', NAME: 'attic', EMPTY: '', broker: 'of the environment' };
const find = (name: string): string | undefined => lookUp(name, { ...ENVIRONMENT, CREDENTIALS_DIRECTORY: folder });
const read = (text: string) => readConfiguration(text, 'f', PC_SIZES, find);
const upstream = (remote_password: string): string =>
  JSON.stringify({ topic: [{ pattern: '#' }], upstream: { remote_username: 'u', remote_password }, listener: { users: [{ username: 'u', password: remote_password }] } });

describe('a text of a configuration', () => {
  test.each([
    ['${PASSWORD}', 's3cret word'], ['<${NAME}/${NAME}>', '<attic/attic>'], ['$${NAME}', '${NAME}'], ['$7$101$abc', '$7$101$abc'],
    ['${broker}', 'from systemd'], ['a${EMPTY}b', 'ab'], ['$NAME', '$NAME'],
  ])('%s stands for %s', (written, meant) => expect(fillIn({ a: [written] }, find).value).toEqual({ a: [meant] }));

  test('may hold secrets wherever it is, and then stands in the file no more', () => {
    const { configuration, errors, warnings } = read(upstream('${PASSWORD}'));
    expect([errors, warnings]).toEqual([[], []]);
    expect([configuration!.upstream.remote_password, configuration!.listener.users[0]!.password]).toEqual(['s3cret word', 's3cret word']);
  });

  test.each([
    ['${MISSING}', 'there is no environment variable "MISSING", nor a credential of that name; set it, or write $${MISSING} for the characters themselves'],
    ['${}', '"${}" names nothing'], ['${a b}', '"${a b}" names nothing'], ['${../x}', '"${../x}" names nothing'],
    ['${latin}', 'is no text in UTF-8'], ['${a-folder}', 'is a folder; give the service a regular file instead'],
  ])('with %s is refused at its place, in one line for each', (written, why) => {
    const { configuration, errors } = read(`{\n  "upstream": { "remote_username": "u", "remote_password": ${JSON.stringify(written)} }\n}`);
    expect(configuration).toBeUndefined();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^f:2:\d+: upstream\.remote_password: /);
    expect(errors[0]).toContain(why);
  });

  test('is not repeated in a message once it has been filled in', () => {
    for (const text of ['{ "upstream": { "profile": "${PASSWORD}" } }', '{ "upstream": { "address": ["${PASSWORD}"] } }',
      '{ "topic": [ { "pattern": "${PASSWORD}/#/x" } ] }', '{ "listener": { "address": "${PASSWORD}" } }']) {
      const { errors } = read(text);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.join()).toContain('${PASSWORD}');
      expect(errors.join()).not.toContain('s3cret');
    }
  });
});

describe('a password that was written wrongly is repeated by no message', () => {
  const SECRET = 'UpPw-SECRET3';
  test.each([
    `{"upstream":{"remote_password":${SECRET}}}`, `{"upstream":{"remote_password":"a${SECRET[0]}"${SECRET}"}}`,
    `{"upstream":{"remote_password" "${SECRET}"}}`, `{"upstream":{"remote_password":"","${SECRET}"}}`,
    `{"upstream":{"remote_password":a,${SECRET}:1}}`, `{"upstream":{"remote_password":'${SECRET}'}}`,
    `{"upstream":{"remote_password":12${SECRET}}}`, `{"upstream":{"remote_password":"${SECRET}}}`,
    `{"upstream":{"bridge_psk":\n${SECRET}\n}}`, `{"upstream":{}} ${SECRET}`, `{} "${SECRET}"`, SECRET,
    `{"upstream":{"remote_password":"\\x${SECRET}"}}`, `{"upstream":{"remote_password":["${SECRET}"]}}`,
    `{"upstream":{"remote_password":"a"b,${SECRET}": "c"}}`,
  ])('%s', text => {
    const { errors } = read(text);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.join('\n')).not.toMatch(/SECRET|Pw/);
  });

  test('what this program knows is named', () => {
    expect(read('{ listener: {} }').errors).toEqual(['f:1:3: "listener" is no JSON; write text in double quotes instead, or true, false, null or a number']);
    expect(read('{ "page": None }').errors[0]).toContain('"None" is no JSON');
    expect(read('{ "name": "a" "topic": [] }').errors).toEqual(['f:1:15: found "\\"topic\\""; write "," in front of it']);
    expect(read('{ "name": green }').errors[0]).toContain('"g..." is no JSON');
  });
});

test.each([
  ['a pipe (FIFO)', () => spawnSync('mkfifo', [join(folder, 'strange')])],
  ['a device', () => symlinkSync('/dev/zero', join(folder, 'strange'))],
  ['a socket', () => createServer().listen(join(folder, 'strange')).unref()],
])('a credential that is %s is one line, and nothing waits', (kind, make) => {
  make();
  const file = join(folder, 'gateway.json');
  writeFileSync(file, upstream('${strange}'));
  const { signal, status, stderr } = spawnSync(process.execPath, ['dist/host/main.js', 'check', file],
    { encoding: 'utf8', timeout: 20_000, env: { ...process.env, CREDENTIALS_DIRECTORY: folder } });
  rmSync(join(folder, 'strange'), { force: true });
  expect([signal, status]).toEqual([null, 2]);
  expect(stderr.split('\n')[0]).toMatch(/gateway\.json:1:\d+: upstream\.remote_password: the credential \S+strange is /);
  expect(stderr).toContain(` is ${kind}; give the service a regular file instead`);
});
