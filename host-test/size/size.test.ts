/** The tables of SIZES.md are those of the program: the same command that people run says so. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SIZES = fileURLToPath(new URL('SIZES.md', import.meta.url));
/** The XS host may have to be built first. */
const TIME_LIMIT = 240_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringbridge-size-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** `npm run size` without npm. */
const size = (...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> => new Promise(resolve => {
  execFile(process.execPath, [fileURLToPath(new URL('size.mjs', import.meta.url)), ...args], (error, stdout, stderr) =>
    resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr, stdout }));
});

const writeDocument = async (text: string): Promise<string> => {
  const file = join(folder, 'SIZES.md');
  await writeFile(file, text);
  return file;
};

const emptyTable = async (): Promise<string> =>
  (await readFile(SIZES, 'utf8')).replace(/(<!-- size -->\n)[^]*?(<!-- \/size -->)/, '$1$2');

test('the tables in SIZES.md are current, and nothing is above its budget (npm run figures)', async () => {
  const { code, stderr } = await size();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}, TIME_LIMIT);

test('an old table is told, rewritten, and told no more', async () => {
  const file = await writeDocument(await emptyTable());
  const old = await size('--file', file);
  expect(old.code).toBe(1);
  expect(old.stderr).toContain('is old: npm run figures');
  expect(await size('--file', file, '--write')).toMatchObject({ code: 0, stderr: '' });
  expect(await size('--file', file)).toMatchObject({ code: 0, stderr: '' });
  const written = await readFile(file, 'utf8');
  expect(written.replace(/(<!-- size -->\n)[^]*?(<!-- \/size -->)/, '$1$2')).toBe(await emptyTable());
  // The figures are there, and they are some.
  for (const row of [/core\.js` \| [\d,]{6,7} \| \| \|/, /\| after start \| [\d,]{3,6} \|/, /\| landing \| 1 \| 1,536 \| 1,536 \|/])
    expect(written).toMatch(row);
  const figure = (row: RegExp): number => Number(row.exec(written)![1]!.replaceAll(',', ''));
  const layers =
    ['bytes', 'packet', 'config', 'store', 'session', 'nodes', 'upstream', 'homeassistant', 'gateway', 'rules', 'sensors', 'io'].map(layer =>
      figure(new RegExp(`\\| of these \`src/${layer}\` \\| ([\\d,]+) \\|`)));
  for (const layer of layers)
    expect(layer).toBeGreaterThan(100);
  expect(layers.reduce((sum, layer) => sum + layer,
    figure(/\| of these exports \| ([\d,]+) \|/))).toBe(figure(/core\.js` \| ([\d,]+) \| \| \|/));
}, TIME_LIMIT);

test('a missing document, and one without a place for the table, say what to write', async () => {
  expect(await size('--file', join(folder, 'absent.md'))).toMatchObject({ code: 1,
    stderr: expect.stringContaining('<!-- size -->') as string });
  const file = await writeDocument('# Nothing\n');
  expect(await size('--file', file)).toMatchObject({ code: 1,
    stderr: expect.stringContaining('no place for the table') as string });
});
