/** What `check` says of files, secrets, hashes and numbers that look right and are not. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeText, readConfiguration } from '../../src/host/config.ts';
import { bundle, Command, Folder } from './command-line.ts';

const folder = new Folder();
beforeAll(bundle);
afterAll(() => folder.remove());

const errorsOf = (file: object, environment: Record<string, string> = {}): string =>
  readConfiguration(JSON.stringify(file), 'f', undefined, name => environment[name]).errors.join('\n');
const warningsOf = (file: object): string => judgeText(JSON.stringify(file), `${folder.path}/f.json`).warnings.join('\n');

test('a store that is a folder, or in none, is warned about', () => {
  mkdirSync(`${folder.path}/folder`);
  const ofStore = (path: string): string => warningsOf({ store: { durability: 'flash', path } });
  expect(ofStore(`${folder.path}/folder`)).toContain('is a folder; write the name of a regular file instead');
  expect(ofStore('/dev/null')).toContain('is a device; write');
  expect(ofStore(`${folder.path}/none/x`)).toContain('is in no folder; make it');
  expect(ofStore(`${folder.path}/x.store`)).not.toContain('store.path');
});

test('a remote_password_file that is missing, or has more than a password, is warned about', () => {
  const ofFile = (name: string): string => warningsOf({ upstream: { remote_username: 'u', remote_password_file: `${folder.path}/${name}` } });
  for (const [name, content] of [['two', 'a\nb\n'], ['zero', 'a\0b'], ['good', 'a b\n']] as const)
    writeFileSync(`${folder.path}/${name}`, content);
  expect(ofFile('missing')).toContain('there is no such file');
  expect(ofFile('two')).toContain('has a line end or U+0000 within');
  expect(ofFile('zero')).toContain('has a line end or U+0000 within');
  expect(ofFile('good')).not.toContain('remote_password_file');
});

test('an empty secret and a reference without its end are mistakes', () => {
  expect(errorsOf({ upstream: { remote_username: 'u', remote_password: '${E}' } }, { E: '' })).toContain('"${E}" is empty; set it');
  expect(errorsOf({ name: 'a${X' })).toContain('"${" has no "}" behind its name; write $${ for the characters themselves');
  expect(readConfiguration('{ "name": "a$${X" }', 'f').configuration!.name).toBe('a${X');
});

test('what was filled in stands neither in the rule table, nor in --topic, nor in a warning about a file', async () => {
  const file = folder.write('secret.json', {
    upstream: { address: ['mqtts://h'], bridge_cafile: '/nosuch/${X}' }, topic: [{ pattern: 'a/#', remote_prefix: '${X}/' }],
  });
  for (const args of [['check', file], ['check', file, '--topic', 'a/b']]) {
    const command = new Command(args, undefined, { ...process.env, X: 'SUPERSECRET' });
    expect(await command.exited).toBe(0);
    expect(command.stdout).toContain('${X}');
    expect(command.stdout + command.stderr).not.toContain('SUPERSECRET');
  }
});

test.each([
  ['scrypt$1048576$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg==', 'a hash that takes too much memory or time'],
  ['$7$2147483647$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg==', 'a hash that takes too much memory or time'],
  ['scrypt$1000$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg==', 'cut off, changed'],
  ['$2y$10$abcdefghijklmnopqrstuv', 'no kind of hash that is known here (scrypt,'], ['pw', 'no kind of hash'],
])('a hash that cannot be used is refused with the reason: %s', (password_hash, reason) => {
  expect(errorsOf({ listener: { users: [{ username: 'u', password_hash }] } })).toContain(`is ${reason}`);
});

test.each(['scrypt$16384$8$1$YQ==$MDEyMzQ1Njc4OWFiY2RlZg==', 'pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg=='])(
  'a short salt and few steps are warned about: %s', password_hash => {
    expect(warningsOf({ listener: { users: [{ username: 'u', password_hash }] } })).toContain('so few steps does it take, or so short is its salt');
  });

test('numbers are told as they are, and no file fills a screen with mistakes', () => {
  expect(errorsOf({ listener: { port: 1883.5 } })).toContain('must be a whole number, not 1883.5; write 1884 instead');
  expect(readConfiguration('{ "listener": { "port": -1e999 } }', 'f').errors.join()).toContain('-1e999 is smaller than any number here');
  const { errors } = readConfiguration(`{${Array.from({ length: 2000 }, (_, index) => `"k${index}":1`).join()}}`, 'f');
  expect([errors.length, errors.at(-1)]).toEqual([201, expect.stringMatching(/more mistakes are not told/)]);
});

test('a name with a control character is refused', () => {
  expect(errorsOf({ name: 'a\x01b' })).toMatch(/name: .*control character/);
});
