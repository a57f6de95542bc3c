/**
 * npm run test:rewritten [-- PATH…]: the tests of the core with each of its modules as a board gets it (src/build/rewrite-for-xs.mjs), so
 * that the rewriting is tried by everything that tries the program.
 */
import { transform } from 'esbuild';
import { parseAst } from 'rollup/parseAst';
import { defineConfig } from 'vitest/config';
import { rewrite } from '../src/build/rewrite-for-xs.mjs';
import config from './vitest.config.ts';

const CORE = /\/src\/(bytes|packet|config|store|session|nodes|upstream|gateway|sensors|io)\/[^/?]+\.ts/;

export default defineConfig({
  ...config,
  plugins: [{
    name: 'as-on-a-board',
    enforce: 'pre',
    async transform(source, id) {
      if (!CORE.test(id)) return null;
      const { code } = await transform(source, { loader: 'ts', target: 'es2022', tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } } });
      return { code: await rewrite(code, parseAst), map: null };
    },
  }],
  test: { ...config.test, include: ['host-test/{bytes,packet,config,store,session,nodes,upstream,gateway,sensors,io}/**/*.test.ts'] },
});
