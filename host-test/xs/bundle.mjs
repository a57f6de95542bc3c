/**
 * Puts a program for XS into a folder: the device bundle's core as it is, and the program, which imports it from there.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import esbuild from 'rollup-plugin-esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const source = join(root, 'src/device/core.ts');

/**
 * @param {string} input a TypeScript module that imports src/device/core.ts and its own neighbours
 * @param {string} name of the folder and the file
 * @returns {Promise<string>} path of the program
 */
export async function bundleForXS(input, name) {
  const folder = join(root, 'node_modules/.cache/ringbridge-xs', name);
  await mkdir(folder, { recursive: true });
  await copyFile(join(root, 'dist/device/core.js'), join(folder, 'core.js'));
  const bundle = await rollup({
    input,
    plugins: [esbuild({ target: 'es2022' })],
    external: id => resolve(id) === source,
  });
  const file = join(folder, `${name}.js`);
  await bundle.write({ file, format: 'es', paths: { [source]: './core.js' } });
  await bundle.close();
  return file;
}
