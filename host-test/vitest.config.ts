import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: '.',
    include: ['host-test/**/*.test.ts'],
    globalSetup: ['host-test/build.ts'],
    // Two cores; some tests run brokers and gateways as processes of their own.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
