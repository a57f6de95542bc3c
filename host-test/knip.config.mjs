/** npm run check: no export that nobody imports. */
export default {
  entry: [
    'host-test/**/*.test.ts', 'host-test/build.ts', 'host-test/host/lock-holder.mjs', 'host-test/interop/libraries/mqttjs.mjs',
    // Programs, some of which run on XS.
    'src/build/{sim,flash}.mjs', 'src/web/page/main.tsx', 'host-test/bench/{bench.mjs,bridges.ts,bridge-process.ts,packets.ts,whole-path.ts}',
    'host-test/device/contract-simulator/main.ts', 'host-test/fuzz/fuzz-command.ts', 'host-test/soak/soak-command.ts',
    'host-test/{figures.mjs,size/{size,features}.mjs,size/{resident,footprint}.ts}',
      'host-test/xs/{measure,random-traffic,vectors}.ts',
  ],
  vitest: { config: ['host-test/{vitest,rewritten,coverage}.config.ts'] },
  eslint: { config: ['host-test/eslint.config.mjs'] },
  project: ['src/**/*.{ts,tsx,mjs}', 'host-test/**/*.{ts,mjs}'],
  include: ['exports', 'types', 'files'],
};
