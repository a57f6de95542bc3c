/**
 * `npm run coverage`: how many branches of bytes, packet and session the tests of connections and whole gateways take,
 * and which they do not. The threshold only goes up, to 100. Where a branch cannot be taken, a comment at the place
 * says why: v8 ignore next -- the reason.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: '.',
    include: ['host-test/{bytes,packet,session,vectors,nodes,upstream,gateway}/**/*.test.ts',
      'host-test/store/{identifiers,network,promise}.test.ts', 'host-test/io/runtime.test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/{bytes,packet,session}/**/*.ts'],
      reporter: ['text'],
      reportOnFailure: true,
      reportsDirectory: 'node_modules/.cache/ringbridge-coverage',
      thresholds: { branches: 96.7 },
    },
  },
});
