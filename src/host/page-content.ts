/** The forms in which the page's resources answer: JSON, text, and the page itself as the build has made it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Content, contentOf } from '../web/content.ts';

/** Nothing of an answer may be run, shown in a frame or kept. */
const PLAIN = ['Cache-Control: no-store', 'Content-Security-Policy: default-src \'none\'; frame-ancestors \'none\''];

/** Both src/host and dist/host, where the bundle lies, are two folders below the package. */
const PAGE_FILE = new URL('../../dist/page/page.html.gz', import.meta.url);
const INTERFACE_FILE = new URL('../../src/web/openapi.json', import.meta.url);

/** @param lines header lines besides */
export const jsonContent = (value: unknown, lines: readonly string[] = []): Content =>
  contentOf(['Content-Type: application/json', ...PLAIN, ...lines], Buffer.from(`${JSON.stringify(value)}\n`));

export const textContent = (text: string, type = 'text/plain; charset=utf-8'): Content =>
  contentOf([`Content-Type: ${type}`, ...PLAIN], Buffer.from(text));

export const interfaceContent = (): Content =>
  contentOf(['Content-Type: application/json', ...PLAIN], readFileSync(INTERFACE_FILE));

const hashOf = (text: string | Buffer): string => createHash('sha256').update(text).digest('base64');

/** One file with its script and its style in it. What runs is named by its hash: nothing else does. */
function policyOf(page: string): string {
  const sources = (tag: string): string => [...page.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))]
    .map(([, text]) => `'sha256-${hashOf(text!)}'`).join(' ') || '\'none\'';
  return `default-src 'none'; script-src ${sources('script')}; style-src ${sources('style')}; img-src data:; `
    + 'connect-src \'self\'; base-uri \'none\'; form-action \'none\'; frame-ancestors \'none\'';
}

/** @returns undefined when the page has not been built */
export function pageContent(): Content | undefined {
  let zipped: Buffer;
  try {
    zipped = readFileSync(PAGE_FILE);
  } catch {
    return undefined;
  }
  const page = gunzipSync(zipped);
  const lines = ['Content-Type: text/html; charset=utf-8', 'Cache-Control: no-cache',
    `Content-Security-Policy: ${policyOf(page.toString())}`];
  const etag = hashOf(page).slice(0, 16);
  return {
    ...contentOf([...lines, 'Content-Encoding: gzip'], zipped, `"${etag}-gzip"`),
    plain: contentOf(lines, page, `"${etag}"`),
  };
}
