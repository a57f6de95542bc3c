/**
 * Makes the page: one file with its script and its style in it, compressed, for a computer and a board. It names no
 * other host, and is no longer than a board's flash should give for it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const FOLDER = new URL('../web/page/', import.meta.url);
const RESULT = fileURLToPath(new URL('../../dist/page/page.html.gz', import.meta.url));

/** Bytes, compressed. */
const LARGEST_PAGE = 60 * 1024;

/** @returns the length of what was written @throws Error when that is too long */
export async function buildPage() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('main.tsx', FOLDER))],
    bundle: true, minify: true, write: false, format: 'iife', target: 'es2022', charset: 'utf8',
    jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none', logLevel: 'error',
  });
  const style = await build({
    stdin: { contents: '@import "uplot/dist/uPlot.min.css"; @import "./page.css";', loader: 'css',
      resolveDir: fileURLToPath(FOLDER) },
    bundle: true, minify: true, write: false, logLevel: 'error',
  });
  // Its end tag would end the script.
  const script = outputFiles[0].text.trim().replaceAll('</script', '<\\/script');
  const page = readFileSync(new URL('page.html', FOLDER), 'utf8')
    .replace('/*STYLE*/', () => style.outputFiles[0].text.trim())
    .replace('/*SCRIPT*/', () => script);
  const zipped = gzipSync(page, { level: 9 });
  if (zipped.length > LARGEST_PAGE)
    throw new Error(`the page has ${zipped.length} bytes, ${LARGEST_PAGE} are the limit`);
  mkdirSync(dirname(RESULT), { recursive: true });
  writeFileSync(RESULT, zipped);
  return zipped.length;
}
