/**
 * npm run test:rewritten [-- PATH…]: the tests of the core with each of its modules as a board gets it (src/host/rewrite-for-xs.mjs), so
 * that the rewriting is tried by everything that tries the program.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { transform } from 'esbuild';
import { parseAst } from 'rollup/parseAst';
import { defineConfig } from 'vitest/config';
import { varyingFields } from '../src/host/evaluation.mjs';
import { privateMethodsOf } from '../src/host/rewrite-calls.mjs';
import { rewrite } from '../src/host/rewrite-for-xs.mjs';
import config from './vitest.config.ts';

const CORE = /\/src\/(bytes|packet|session|gateway|io)\/[^/?]+\.ts/;

const toJavaScript = async (source: string): Promise<string> => (await transform(source, { loader: 'ts', target: 'es2022' })).code;

async function fieldsOf(files: readonly string[]): Promise<Set<string>> {
  const codes = await Promise.all(files.map(async file => toJavaScript(readFileSync(file, 'utf8'))));
  return new Set(codes.flatMap(code => [...varyingFields(parseAst(code))]));
}

const files = ['bytes', 'packet', 'session', 'gateway', 'io', 'device']
  .flatMap(folder => readdirSync(`src/${folder}`).filter(name => /(?<!\.d)\.ts$/.test(name)).map(name => `src/${folder}/${name}`));
const fields = await fieldsOf(files);

export default defineConfig({
  ...config,
  plugins: [{
    name: 'as-on-a-board',
    enforce: 'pre',
    async transform(source, id) {
      if (!CORE.test(id)) return null;
      return { code: rewrite(await toJavaScript(source), parseAst, { fields, privateMethods: new Set(privateMethodsOf(source)) }), map: null };
    },
  }],
  test: { ...config.test, include: ['host-test/{bytes,packet,session,gateway,io}/**/*.test.ts'] },
});
