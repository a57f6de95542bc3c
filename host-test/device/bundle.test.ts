/**
 * What the Moddable tools do not tell at build time: an import that no manifest provides, and a built-in that `strip`
 * has removed because its name is computed, both end the program on the board, without a word in a release build. Needs
 * no SDK.
 */
import { readFileSync } from 'node:fs';
import { type OutputChunk, rollup } from 'rollup';
import { parseAst } from 'rollup/parseAst';
import { beforeAll, describe, expect, test } from 'vitest';

interface Platform {
  readonly include: readonly string[];
  readonly modules: Record<string, string>;
  readonly preload?: readonly string[];
}

const readManifest = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

const manifest = readManifest('manifest.json') as {
  include: string[];
  modules: Record<string, string[]>;
  preload: string[];
  platforms: Record<string, Partial<Platform> & { include: string | string[] }>;
};

/** What boards have in common. */
const ESP32 = './src/device/manifest_esp32.json';
const esp32 = readManifest(ESP32) as Platform;

/** The sections of the manifest, with what those of boards include. */
const platforms: readonly Platform[] = Object.values(manifest.platforms)
  .map(platform => platform.include === ESP32 ? { ...platform, ...esp32 } : platform as Platform);

const BASE = '$(MODDABLE)/examples/manifest_base.json';
const IO = '$(MODDABLE)/modules/io/manifest.json';
const EVERYWHERE = ['main', 'log', 'core', 'board-simulator', 'board-esp32'];
const ON_BOARD = ['board-esp32'];
const IN_SIMULATOR = ['board-simulator'];

/**
 * Which manifest has a module, and where it may be imported: not what is only on the board in what runs in the
 * simulator.
 */
const PROVIDERS: Record<string, { by: string; in: string[] }> = {
  'time': { by: BASE, in: EVERYWHERE },
  'timer': { by: BASE, in: EVERYWHERE },
  'mc/config': { by: BASE, in: EVERYWHERE },
  'modules': { by: '$(MODULES)/base/modules/manifest.json', in: IN_SIMULATOR },
  'mc/ffi': { by: './manifest_natives.json', in: ON_BOARD },
  'embedded:storage/flash': { by: '$(MODULES)/io/flash/manifest.json', in: ON_BOARD },
  'embedded:io/socket/tcp': { by: IO, in: EVERYWHERE },
  'embedded:io/socket/listener': { by: IO, in: EVERYWHERE },
  'embedded:io/socket/udp': { by: IO, in: EVERYWHERE },
  'embedded:io/analog': { by: IO, in: ON_BOARD },
  'embedded:io/digital': { by: IO, in: ON_BOARD },
  'embedded:io/i2c': { by: IO, in: ON_BOARD },
  'sntp': { by: '$(MODDABLE)/examples/manifest_net.json', in: ON_BOARD },
  'embedded:network/dnssd': { by: '$(MODULES)/io/dnssd/manifest.json', in: ON_BOARD },
  'embedded:network/interface/wifi': { by: '$(MODDABLE)/examples/manifest_net.json', in: ON_BOARD },
  'embedded:network/dns/resolver/udp': { by: '$(MODDABLE)/examples/io/udp/dns/manifest_dns.json', in: EVERYWHERE },
  'crypt': { by: '$(MODDABLE)/modules/crypt/digest/manifest.json', in: EVERYWHERE },
  'preference': { by: '$(MODDABLE)/modules/files/preference/manifest.json', in: EVERYWHERE },
};

/** Not on XS, or not the same thing there. */
const ABSENT =
  ['console', 'setTimeout', 'setInterval', 'clearTimeout', 'queueMicrotask', 'TextEncoder', 'TextDecoder', 'URL',
    'Buffer', 'process',
  'performance', 'fetch', 'structuredClone', 'require', 'eval', 'Function'];

interface Node { type: string; [key: string]: unknown }

/** Calls `visit` for a node and everything below it. */
function walk(node: Node, visit: (node: Node, parent: Node | undefined, key: string) => void, parent?: Node,
  key = ''): void {
  visit(node, parent, key);
  for (const [name, value] of Object.entries(node))
    for (const child of Array.isArray(value) ? value as unknown[] : [value])
      if (typeof child === 'object' && child !== null && 'type' in child)
        walk(child as Node, visit, node, name);
}

/** The sections of the manifest whose `board` is this module; all of them for what is no board. */
const platformsOf = (name: string): readonly Platform[] =>
  platforms.filter(({ modules }) => !name.startsWith('board-') || modules['board']!.endsWith(`/${name}`));

const isNameOnly = (parent: Node | undefined, key: string): boolean =>
  parent !== undefined && parent.computed !== true
    && (parent.type === 'MemberExpression' && key === 'property' || key === 'key');

let chunks: OutputChunk[] = [];
const chunkOf = (name: string): OutputChunk => chunks.find(chunk => chunk.name === name)!;

beforeAll(async () => {
  const { default: configurations } =
    await import('../../rollup.config.mjs') as { default: (Parameters<typeof rollup>[0] & { output: { dir: string } })[] };
  const device = configurations.find(({ output }) => output.dir === 'dist/device')!;
  const bundle = await rollup(device);
  const { output } = await bundle.generate(device.output);
  chunks = output.filter(part => part.type === 'chunk');
  await bundle.close();
}, 60_000);

describe('the device bundle', () => {
  test('has the modules that the manifest names, and no others', () => {
    const named =
      [...manifest.modules['*']!, ...platforms.map(({ modules }) => modules['board']!.replace(/^(\.\.\/)+/, './'))];
    expect(chunks.map(({ fileName }) => `./dist/device/${fileName}`).sort())
      .toEqual([...new Set(named)].map(path => `${path}.js`).sort());
  });

  test('is the same for every board: each section but that of the simulator includes what boards have in common',
    () => {
    const boards = Object.entries(manifest.platforms).filter(([name]) => name !== '...');
    expect(boards.map(([name, { include }]) => [name, include]))
      .toEqual([['esp32/esp32c3', ESP32], ['esp32', ESP32], ['esp32/*', ESP32]]);
    expect(esp32.preload).toEqual(['board']);
  });

  test('imports only what an included manifest provides on that platform', () => {
    const specifierOfChunk = new Map(chunks.map(({ fileName, name }) => [fileName, name]));
    for (const { imports, name } of chunks)
      for (const specifier of imports) {
        const own = specifierOfChunk.get(specifier) ?? (specifier === 'board' ? specifier : undefined);
        if (own !== undefined) {
          expect(['core', 'drivers', 'log', 'board'], `${name} imports ${own}`).toContain(own);
          continue;
        }
        expect(PROVIDERS, `${name} imports "${specifier}"`).toHaveProperty([specifier]);
        const { by, in: where } = PROVIDERS[specifier]!;
        for (const platform of platformsOf(name))
          expect([...manifest.include, ...platform.include], `"${specifier}" needs ${by}`).toContain(by);
        expect(where, `${name} imports "${specifier}"`).toContain(name);
      }
  });

  test('finds the files of the simulator, which it asks for by name', () => {
    expect(chunkOf('board-simulator').code).toContain('"embedded:storage/files"');
    for (const { include } of platformsOf('board-simulator'))
      expect(include).toContain('$(MODULES)/io/files/manifest.json');
  });

  test('core stands alone', () => {
    expect(chunkOf('core').imports).toEqual([]);
    expect(chunkOf('core').dynamicImports).toEqual([]);
  });

  test('preloads nothing that opens a socket', () => {
    expect(manifest.preload).not.toContain('main');
    for (const name of manifest.preload)
      expect(chunkOf(name).imports.every(specifier => specifier.startsWith('core')), name).toBe(true);
  });

  test('uses no global that XS does not have', () => {
    const found: string[] = [];
    for (const { code, name } of chunks)
      walk(parseAst(code) as unknown as Node, (node, parent, key) => {
        if (node.type === 'Identifier' && !isNameOnly(parent, key) && ABSENT.includes(node.name as string))
          found.push(`${name}: ${String(node.name)}`);
      });
    expect(found).toEqual([]);
  });

  test('computes no name of a built-in', () => {
    for (const { code, name } of chunks)
      walk(parseAst(code) as unknown as Node, node => {
        if (node.type !== 'MemberExpression' || node.computed !== true)
          return;
        const source = `${name}: ${code.slice(node.start as number, node.end as number)}`;
        // An index may be computed; a text that is put together may not.
        walk(node.property as Node, part => {
          expect(part.type, source).not.toBe('TemplateLiteral');
          expect(typeof part.value, source).not.toBe('string');
        });
      });
  });

  test('waits for nothing: no promise, no generator', () => {
    const found: string[] = [];
    for (const { code, name } of chunks)
      walk(parseAst(code) as unknown as Node, node => {
        if (node.type === 'AwaitExpression' || node.async === true || node.generator === true)
          found.push(`${name}: ${code.slice(node.start as number, (node.start as number) + 80)}`);
      });
    expect(found).toEqual([]);
  });
});
