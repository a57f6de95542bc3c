/**
 * npm run size [-- --write] [--file FILE]: bytes of the bundles, byte code of the device core, memory on XS after start
 * and per node, and the RAM map of the README's example. Fails when the tables of SIZES.md are old, or when something
 * is above its budget; --write brings the tables up to date.
 *
 * Byte code and heap are XS's own figures, with the slots of 32 bits that the ESP32 has (host-test/xs).
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { transform } from 'esbuild';
import { buildHost } from '../xs/build-host.mjs';
import { bundleForXS } from '../xs/bundle.mjs';
import { runXS } from '../xs/run-xs.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const README = join(ROOT, 'README.md');
const SIZES = join(ROOT, 'host-test/size/SIZES.md');
const TABLE = /(<!-- size -->\n)([^]*?)(<!-- \/size -->)/;
const EXAMPLE = /<!-- example -->\n```json\n([^]*?)```/;

/**
 * Folders of the device core, as the imports point, with a budget of byte code each, in bytes, and what it pays for. It
 * is what the folder takes today and about a tenth: above it somebody has to say what is worth more flash, and raise it
 * here.
 */
const BUDGETS = {
  bytes: [7_200, 'arena, ring, packed records, hash chains, UTF-8, decimals to 2^53: what every other folder stands on'],
  packet: [30_800,
    'each packet of 3.x and 5.0 read and written, properties and their table, prediction, the topic table, filters, Topic Aliases'],
  config: [63_000,
    'defaults; the schema as a table, keys of TLS and page among them, the validator of a stored configuration, and places in its text, as the PC tells them'],
  store: [36_400,
    'two areas, power cuts at every word, failed flushes, what is done while nothing can be written, damage, the clock, and the format of version 0.1'],
  session: [45_000, 'both roles in 3.x and 5.0, answers to CONNECT that wait, QoS 0 to 2, a deadline for each acknowledgement, holds, long packets in slices'],
  nodes: [75_300,
    'sessions; subscriptions and retained messages, found by hash, as room comes; rights; nodes that fail again and again; $SYS in slices; what of them survives a power cut'],
  upstream: [69_300,
    'topic rules, full policies, nodes that wait for a slow broker, order per topic, replay, orphans; limits of brokers, suspects, quarantine, probation, telling again'],
  homeassistant: [25_600, 'devices and their entities, ready templates, what was announced, and taken back'],
  gateway: [35_800, 'the parts put together, announcements, advice; who gets what, limits that agree, the store opened and its losses told'],
  rules: [37_900, 'what must hold between the values of a stored configuration, in the words of the PC'],
  sensors: [10_100, 'readings, filters, totals of counters, deadband, heartbeat, availability, JSON'],
  io: [24_100, 'sockets that take little at a time, listener, one timer, flash blocks, the memory that a file needs'],
};
const LAYERS = Object.keys(BUDGETS);
/** What speaks the protocol, in both roles: parser, state machines, queue. */
const PROTOCOL = ['bytes', 'packet', 'session'];
const BIGGEST = 8;
/** Nodes of a board with the default sizes, and what they take. */
const EIGHT = 8;

/**
 * Bytes of heap for each node that may connect, beside its rings: session with what 5.0 asks, link, parser, place; and
 * a part of the index and the free places that there are from nine sessions on.
 */
const NODE_BUDGET = 2_000;
const SLOT_LENGTH = 16;

const sum = numbers => numbers.reduce((total, number) => total + number, 0);
const count = number => Math.round(number).toLocaleString('en');
const heapBytes = ({ slots, chunkBytes }) => slots * SLOT_LENGTH + chunkBytes;

// Measuring

async function measureBundles() {
  if (!existsSync(join(ROOT, 'dist/device/core.js')) || !existsSync(join(ROOT, 'dist/host/main.js')))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const bundles = [];
  for (const folder of ['dist/device', 'dist/host', 'dist/demo'])
    for (const name of (await readdir(join(ROOT, folder))).filter(file => file.endsWith('.js')).sort()) {
      const source = await readFile(join(ROOT, folder, name), 'utf8');
      const { code } = await transform(source, { minify: true, format: 'esm', legalComments: 'none' });
      bundles.push({ name: `${folder}/${name}`, length: Buffer.byteLength(source),
        minifiedLength: Buffer.byteLength(code) });
    }
  return bundles;
}

/**
 * @returns the modules of the bundle, the lowest layer first, with their text: each begins with a line that tells its
 * path
 */
function modulesOf(bundle) {
  const [, ...parts] = bundle.split(/^\/\/ src\/(\w+\/[\w-]+\.ts)$/m);
  const modules = [];
  for (let index = 0; index < parts.length; index += 2)
    modules.push({ name: parts[index], layer: dirname(parts[index]), text: parts[index + 1] });
  return modules.sort((a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer));
}

/**
 * The bundles, and what each module adds to those below it in the bundle of the core as a board gets it: imports point
 * down, so each stretch of modules is a program. What stands within another function (rewrite-for-xs.mjs) counts where
 * it stands.
 */
async function measureByteCode(executable) {
  const scratch = await mkdtemp(join(tmpdir(), 'ringbridge-size-'));
  try {
    const bundle = await readFile(join(ROOT, 'dist/device/core.js'), 'utf8');
    const [exported] = /^export \{[^]*?\};$/m.exec(bundle);
    const modules = modulesOf(bundle.replace(exported, ''));
    const files = [join(ROOT, 'dist/device/core.js'), join(ROOT, 'dist/device/main.js')];
    for (let count = 0, text = ''; count <= modules.length; text += modules[count]?.text ?? '', ++count) {
      files.push(join(scratch, `${count}.js`));
      await writeFile(files.at(-1), text);
    }
    const [core, main, ...sizes] =
      execFileSync(executable, ['--code-size', ...files], { encoding: 'utf8' }).trim().split('\n').map(Number);
    return { core, main,
      modules: modules.map(({ layer, name }, index) => ({ layer, name, size: sizes[index + 1] - sizes[index] })) };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function measureHeap(executable, configuration) {
  const program = await bundleForXS(join(ROOT, 'host-test/size/resident.ts'), `size-${process.pid}`);
  try {
    const { code, stderr, stdout } = await runXS(executable, program, [JSON.stringify(configuration)]);
    if (code !== 0) throw new Error(`the gateway on XS ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  } finally {
    await rm(dirname(program), { recursive: true });
  }
}

// The table

function bundleTable(bundles) {
  return ['| bundle | bytes | minified |', '|---|--:|--:|',
    ...bundles.map(({ length, minifiedLength, name }) =>
      `| \`${name}\` | ${count(length)} | ${count(minifiedLength)} |`)];
}

function byteCodeTable({ core, main, modules }) {
  const sizeOf = layers => sum(modules.filter(({ layer }) => layers.includes(layer)).map(({ size }) => size));
  const biggest = [...modules].sort((a, b) => b.size - a.size).slice(0, BIGGEST);
  return ['| byte code on XS | bytes | budget | what it pays for |', '|---|--:|--:|---|',
    `| \`dist/device/core.js\` | ${count(core)} | | |`,
    ...LAYERS.map(layer => {
      const [budget, reason] = BUDGETS[layer];
      return `| of these \`src/${layer}\` | ${count(sizeOf([layer]))} | ${count(budget)} | ${reason} |`;
    }),
    `| of these exports | ${count(core - sizeOf(LAYERS))} | | |`,
    `| the protocol alone, both roles: \`src/${PROTOCOL.join('`, `src/')}\` | ${count(sizeOf(PROTOCOL))} | | |`,
    `| \`dist/device/main.js\` | ${count(main)} | | |`,
    `| the biggest modules | ${biggest.map(({ name, size }) => `${name} ${count(size)}`).join(', ')} | | |`];
}

function heapTable({ arenaBytes, connectedNode, possibleNode, started }, eight) {
  const row = (name, heap, arena) =>
    `| ${name} | ${count(heap.slots)} | ${count(heap.chunkBytes)} | ${count(heapBytes(heap))} | ${count(arena)} |`;
  return ['| memory of the example, 32-bit XS | slots | chunk bytes | heap | arena |', '|---|--:|--:|--:|--:|',
    row('after start', started, arenaBytes),
    row('each node more in `listener.max_connections`', possibleNode, possibleNode.arenaBytes),
    row(`each node that is connected; budget of both: ${count(NODE_BUDGET)} of heap`, connectedNode, 0),
    row(`${EIGHT} nodes connected, \`max_connections: ${EIGHT}\`, and nothing else`, {
      slots: eight.started.slots + EIGHT * eight.connectedNode.slots,
      chunkBytes: eight.started.chunkBytes + EIGHT * eight.connectedNode.chunkBytes,
    }, eight.arenaBytes)];
}

function memoryMap({ arenaBytes, regions }) {
  return ['| RAM map of the example | count | bytes each | bytes |', '|---|--:|--:|--:|',
    ...regions.map(({ count: number, length, name }) =>
      `| ${name} | ${count(number)} | ${count(length)} | ${count(number * length)} |`),
    `| arena | | | ${count(arenaBytes)} |`];
}

async function describe() {
  const example = EXAMPLE.exec(await readFile(README, 'utf8'))?.[1];
  if (example === undefined) throw new Error('there is no example: put a configuration between <!-- example --> and <!-- /example -->');
  const executable = await buildHost(32);
  const bundles = await measureBundles();
  const byteCode = await measureByteCode(executable);
  const heap = await measureHeap(executable, JSON.parse(example));
  const eight = await measureHeap(executable, { listener: { max_connections: EIGHT } });
  const tables = [bundleTable(bundles), byteCodeTable(byteCode), heapTable(heap, eight), memoryMap(heap)];
  return { text: `${tables.map(lines => lines.join('\n')).join('\n\n')}\n`, byteCode, heap };
}

/** @returns what is above its budget, in words */
function excesses({ byteCode, heap }) {
  const node = heapBytes(heap.possibleNode) + heapBytes(heap.connectedNode);
  const taken = layer => sum(byteCode.modules.filter(module => module.layer === layer).map(({ size }) => size));
  return [
    ...LAYERS.filter(layer => taken(layer) > BUDGETS[layer][0]).map(layer =>
      `the byte code of src/${layer} is ${count(taken(layer))} bytes, above its budget of ${count(BUDGETS[layer][0])}`),
    ...node > NODE_BUDGET
      ? [`a connected node takes ${count(node)} bytes of heap beside its part of the arena, above its budget of ${count(NODE_BUDGET)}`]
      : [],
  ];
}

// The command

async function main() {
  const { values } =
    parseArgs({ options: { write: { type: 'boolean', default: false }, file: { type: 'string', default: SIZES } } });
  const { file } = values;
  if (!existsSync(file)) throw new Error(`there is no ${file} to compare with: write one with <!-- size --> and <!-- /size -->`);
  const before = await readFile(file, 'utf8');
  if (!TABLE.test(before)) throw new Error(`${file} has no place for the table: put <!-- size --> and <!-- /size --> on lines of their own`);
  const measured = await describe();
  console.log(measured.text);
  const above = excesses(measured);
  if (above.length > 0) throw new Error(above.join('\n'));
  if (TABLE.exec(before)[2] === measured.text) return;
  if (!values.write) throw new Error(`the table in ${file} is old: npm run figures brings it up to date`);
  const current = await readFile(file, 'utf8'); // somebody may have written while we measured
  await writeFile(file, current.replace(TABLE, (_all, open, _old, close) => open + measured.text + close));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
