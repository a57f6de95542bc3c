/**
 * Before the tests: builds dist, which the tests on XS and those of the command line run. A run of named tests that
 * need none of it builds nothing, and neither does one whose dist is newer than all that it is made of.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const NEED_DIST = /bench|demo|device|emulation|interop|page(\/|$)|size|xs|build/;
const RESULTS = ['dist/device/core.js', 'dist/host/main.js', 'dist/demo/main.js',
  'dist/page/page.html.gz'];
const CONFIGURATION = ['package.json', 'package-lock.json', 'rollup.config.mjs', 'tsconfig.json'];

const changedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isCurrent(): boolean {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map(file => join('src', file));
  const newest = Math.max(...[...sources, ...CONFIGURATION].map(changedAt));
  return RESULTS.every(file => changedAt(file) > newest);
}

export default function build(): void {
  const named =
    process.argv.slice(2).filter(argument => argument.startsWith('host-test/') && !/config\.ts$/.test(argument));
  if (named.length > 0 && !named.some(path => NEED_DIST.test(path)) || isCurrent())
    return;
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
