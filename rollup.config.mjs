/**
 * Three programs from one source.
 *
 * dist/device: `core` and `drivers` have no side effects, so that the XS linker can preload them into flash; `main`
 *              opens sockets and cannot be preloaded. Everything that the Moddable SDK provides stays an import.
 *              Rewritten for XS, whose compiler does not optimise (rewrite-for-xs.mjs).
 * dist/host:   the same core with Node's sockets and the command line. dist/demo: what `npm start` shows, over
 * dist/host.
 */
import { chmod } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import esbuild from 'rollup-plugin-esbuild';
import { buildPage } from './src/build/page.mjs';
import { rewritingForXS } from './src/build/rewrite-for-xs.mjs';
import { updateSchemaTable } from './src/build/schema-table.mjs';

const { dependencies, devDependencies } = createRequire(import.meta.url)('./package.json');

/** Specifiers that the Moddable SDK resolves on the device. */
const moddable =
  /^(embedded:|mc\/|pins\/|dns\/|text\/|setup\/|(timer|time|system|instrumentation|preference|net|socket|wifi|sntp|mdns|file|flash|worker|crypt|modules|board)$)/;
const node = new RegExp(`^(node:|(${[...builtinModules, ...Object.keys({ ...dependencies, ...devDependencies })].join('|')})($|/))`);

/** Folders whose modules have no side effects, but for what only the log or the simulator needs. */
const CORE = /src\/(bytes|packet|config|store|session|nodes|upstream|homeassistant|gateway\/(?!event-texts)|sensors\/(?!simulated-types)|io)|src\/device\/(core|config-slots|crc32|start-list|start-plan)\.ts$/;

const typescript = () => esbuild({ target: 'es2022' });
const output = dir =>
  ({ dir, format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js', sourcemap: false });

/** npm links the bin to this file; git does not carry the mode of a file that is built. */
const executable = {
  name: 'executable',
  writeBundle: ({ dir }) => chmod(`${dir}/host/main.js`, 0o755),
};

updateSchemaTable();
await buildPage();

export default [
  {
    input: {
      core: 'src/device/core.ts',
      main: 'src/device/main.ts',
      'board-esp32': 'src/device/board-esp32.ts',
      'board-simulator': 'src/device/board-simulator.ts',
    },
    external: moddable,
    preserveEntrySignatures: 'allow-extension', // else core becomes a facade before a third file
    plugins: [typescript(), rewritingForXS()],
    output: {
      ...output('dist/device'),
      manualChunks: id => CORE.test(id) ? 'core' : /src\/drivers\//.test(id) ? 'drivers' : undefined,
    },
  },
  {
    input: { 'host/main': 'src/host/main.ts', 'demo/main': 'src/demo/main.ts' },
    external: node,
    plugins: [typescript(), executable],
    output: {
      ...output('dist'),
      chunkFileNames: 'host/[name].js',
      // The signals in a file of their own: it is loaded before everything else.
      manualChunks: id => id.includes('early-signals') ? 'early-signals'
        : /src\/(demo\/|host\/main)/.test(id) ? undefined : 'gateway',
      banner: '#!/usr/bin/env node',
    },
  },
];
