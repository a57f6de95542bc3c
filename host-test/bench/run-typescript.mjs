/**
 * Runs a TypeScript program of host-test on Node: bundles it into the cache, imports it, and calls its `main` with the
 * rest of the command line. `main` returns the exit code.
 *
 *     node host-test/bench/run-typescript.mjs host-test/fuzz/fuzz-command.ts --seconds 3
 */
import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Below node_modules, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules/.cache/ringbridge-host-test');

/**
 * @param {string} entry a TypeScript module
 * @returns {Promise<string>} path of the bundle, a file of this process: two runs at a time do not disturb each other
 */
export async function bundleForNode(entry) {
  const outfile = join(CACHE, `${basename(entry, '.ts')}-${process.pid}.mjs`);
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20',
    packages: 'external', logLevel: 'error' });
  return outfile;
}

/** @returns {Promise<any>} the module's exports */
export async function importTypeScript(entry) {
  const file = await bundleForNode(resolve(ROOT, entry));
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [entry, ...args] = process.argv.slice(2);
  const { main } = await importTypeScript(entry);
  process.exitCode = await main(args);
}
