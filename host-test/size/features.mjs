/**
 * npm run features [-- --write]: measures what each feature costs in a board's memory and prints the table. It is in
 * FEATURES.md, for people, and in src/host/board-memory-figures.ts, by which `ringbridge check` estimates. Fails when
 * one of them is old; --write brings both up to date. What is measured is dist/device/core.js.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { importTypeScript } from '../bench/run-typescript.mjs';
import { measureFootprints } from './footprint.mjs';

const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const { CONFIGURATIONS, figuresOf, moduleOf, tableOf } = await importTypeScript('host-test/size/features.ts');
const figures = figuresOf(await measureFootprints(CONFIGURATIONS));
const files = { 'host-test/size/FEATURES.md': tableOf(figures), 'src/host/board-memory-figures.ts': moduleOf(figures) };
process.stdout.write(tableOf(figures));
for (const [file, text] of Object.entries(files)) {
  if (await readFile(root(file), 'utf8') === text) continue;
  if (process.argv.includes('--write')) await writeFile(root(file), text);
  else {
    process.stderr.write(`${file} is old: npm run features -- --write brings it up to date\n`);
    process.exitCode = 1;
  }
}
