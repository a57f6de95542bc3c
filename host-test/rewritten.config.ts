/**
 * npm run test:rewritten [-- PATH…]: tests of the core with each of its modules as a board gets it
 * (src/build/rewrite-for-xs.mjs), so that the rewriting is tried by what tries the program. `npm test` runs it too:
 * about a minute on two cores.
 *
 * What runs are the tests that reach most of the core in least time: whole connections and whole gateways. Those that
 * repeat one small function thousands of times say little about the rewriting.
 */
import { transform } from 'esbuild';
import { parseAst } from 'rollup/parseAst';
import { defineConfig } from 'vitest/config';
import { rewrite } from '../src/build/rewrite-for-xs.mjs';
import config from './vitest.config.ts';

const CORE =
  /\/src\/(bytes|packet|config|store|session|nodes|upstream|homeassistant|gateway|sensors|drivers|io)\/[^/?]+\.ts/;
const tsconfigRaw = { compilerOptions: { useDefineForClassFields: false } };

export default defineConfig({
  ...config,
  plugins: [{
    name: 'as-on-a-board',
    enforce: 'pre',
    async transform(source, id) {
      if (!CORE.test(id)) return null;
      const { code } = await transform(source, { loader: 'ts', target: 'es2022', tsconfigRaw });
      return { code: await rewrite(code, parseAst), map: null };
    },
  }],
  test: {
    ...config.test,
    include: ['host-test/{session,nodes,upstream,gateway,sensors,drivers}/**/*.test.ts',
      'host-test/packet/packet-parser.test.ts'],
  },
});
