/** A store.path that names somebody else's file: told by `check`, refused by `run`, and never touched. */
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/host/config.ts';
import { bundle, Command } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringbridge-foreign-'));
const file = join(folder, 'gateway.json');
const letter = join(folder, 'letter');
const TEXT = 'Dear Sir, '.repeat(1000);

beforeAll(async () => {
  await bundle();
  writeFileSync(letter, TEXT);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configure = (path: string): void => writeFileSync(file, JSON.stringify({
  listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
  upstream: { address: ['mqtt://127.0.0.1:1'] }, topic: [{ pattern: '#', direction: 'out' }],
  store: { durability: 'flash', path, on_failure: 'memory' },
}));

it('is a warning of check, by name', () => {
  configure(letter);
  expect(loadConfiguration(file).warnings)
    .toContain(`${file}: warning: store.path: "${letter}" is no store: give another store.path, or move it away yourself`);
  expect(loadConfiguration(file, {}).warnings.join(), 'for a board it is no file').not.toContain('is no store');
});

it('is refused by run, which goes on in memory, and nothing is touched', { timeout: 60_000 }, async () => {
  configure(letter);
  const before = readdirSync(folder);
  const command = new Command(['run', '--config', file], undefined, { ...process.env, XDG_RUNTIME_DIR: '/nowhere' });
  await command.ready();
  await command.find('stderr', /letter" is no store: give another store\.path, or move it away yourself/);
  command.process.kill('SIGTERM');
  await command.exited;
  expect(readFileSync(letter, 'utf8')).toBe(TEXT);
  expect(readdirSync(folder)).toEqual(before);
});

it('is an error when it is the configuration file itself, whatever it is called there', () => {
  const other = join(folder, 'gateway.store');
  configure(other);
  linkSync(file, other);
  const { configuration, errors } = loadConfiguration(file);
  expect(configuration).toBeUndefined();
  expect(errors).toEqual([`${file}: store.path: "${other}" is this configuration file; write the name of a file of its own instead`]);
});
