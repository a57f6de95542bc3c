/**
 * npm run bench -- [--engine node|xs32|xs64] [--seconds N] [--json]
 *
 * node: parsing and generating against mqtt-packet, our whole path, whole bridges against MQTT.js. xs32, xs64: the
 * whole path of every workload of host-test/xs, beside the recorded figures of Moddable's clients. Default: all
 * three. --seconds: how long each comparison on Node takes. --json: one JSON object per line and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildHost } from '../xs/build-host.mjs';
import { bundleForXS } from '../xs/bundle.mjs';
import { runXS } from '../xs/run-xs.mjs';
import { bundleForNode, importTypeScript } from './run-typescript.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const ENGINES = ['node', 'xs32', 'xs64'];
const USAGE = `usage: npm run bench -- [--engine ${ENGINES.join('|')}] [--seconds N] [--json]`;

/** Of each workload on XS: figures per packet are exact, whatever the number. */
const ROUNDS = 2000;

const readOptions = () => {
  try {
    const { values } = parseArgs({
      options: { engine: { type: 'string', multiple: true, default: ENGINES },
        seconds: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
    });
    if (!(Number(values.seconds) > 0)
      || !values.engine.every(engine =>
        ENGINES.includes(engine))) throw new Error('there is no such engine or duration');
    return { engines: values.engine, seconds: Number(values.seconds), isJSON: values.json };
  } catch (error) {
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    process.exit(2);
  }
};

// Measuring

async function* onNode(seconds) {
  const { compareGenerating, compareParsing } = await importTypeScript('host-test/bench/packets.ts');
  yield* compareParsing(seconds);
  yield* compareGenerating(seconds);
  const { measureWholePaths } = await importTypeScript('host-test/bench/whole-path.ts');
  yield* measureWholePaths(seconds / 4);
  const { compareBridges } = await importTypeScript('host-test/bench/bridges.ts');
  const program = await bundleForNode('host-test/bench/bridge-process.ts');
  try {
    yield* compareBridges(program, 3 * seconds);
  } finally {
    await rm(program);
  }
}

async function* onXS(bits) {
  if (!existsSync(join(ROOT, 'dist/device/core.js'))) // what it prints must not mix with figures
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const program = await bundleForXS(join(ROOT, 'host-test/xs/measure.ts'), `bench-${bits}-${process.pid}`);
  try {
    const { code, stderr, stdout } = await runXS(await buildHost(bits), program, [String(ROUNDS)]);
    if (code !== 0) throw new Error(`the workloads on XS, ${bits} bits, ended with ${code}: ${stderr}`);
    yield* stdout.trim().split('\n').map(line => JSON.parse(line));
  } finally {
    await rm(dirname(program), { recursive: true });
  }
  if (bits !== 32) return;
  const { RECORDED } = await importTypeScript('host-test/bench/recorded.ts');
  for (const figure of RECORDED) yield { engine: 'xs32', ...figure, collections: null, recorded: true };
}

const measure = (engine, seconds) => engine === 'node' ? onNode(seconds) : onXS(engine === 'xs32' ? 32 : 64);

// Telling

const count = number => number === null || number === undefined ? '' : Math.round(number).toLocaleString('en');

/** @param {string[][]} rows the first one is the head @param {string} alignment `l` or `r` for each column */
function printTable(rows, alignment) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  for (const row of rows)
    console.log(row.map((cell, column) => alignment[column] === 'r' ? cell.padStart(widths[column])
      : cell.padEnd(widths[column])).join('  ').trimEnd());
  console.log();
}

const byWorkload = figures => [...group(figures)];

/** Node 20 has no Map.groupBy. */
function group(figures) {
  const groups = new Map();
  for (const figure of figures) groups.set(figure.workload, [...groups.get(figure.workload) ?? [], figure]);
  return groups;
}

const ratio = (ours, theirs) => ours === undefined ? ['', '']
  : [count(ours.nsPerPacket), `${(theirs.nsPerPacket / ours.nsPerPacket).toFixed(1)} x`];

function printNode(figures) {
  const isBridge = ({ workload }) => workload.startsWith('bridge');
  const isPackets = ({ workload }) => /^(parse|generate) /.test(workload);
  console.log('Node: nanoseconds per packet, medians of rounds in turn in one process; packets per second of ours as a multiple.\n');
  const rows = byWorkload(figures.filter(isPackets)).map(([workload, [ours, theirs, copying]]) =>
    [workload, count(theirs.nsPerPacket), ...ratio(ours, theirs), ...ratio(copying, theirs)]);
  printTable([['', 'mqtt-packet', 'ringbridge', '', 'with string and Buffer', ''], ...rows], 'lrrrrr');
  console.log('Node: the whole path, from the socket\'s callback to the end, as on XS; nanoseconds per round of the workload.\n');
  printTable([['', 'ns'],
    ...figures.filter(figure => !isBridge(figure) && !isPackets(figure)).map(({ nsPerPacket, workload }) =>
      [workload, count(nsPerPacket)])], 'lr');
  console.log('A whole bridge, messages of 88 bytes; nanoseconds of CPU per message, and messages per second. With store: of ours a message is\nacknowledged when the disk has it (fdatasync), of mosquitto before that, whether it saves its persistence now and then or at each change.\n');
  const bridges =
    figures.filter(isBridge).map(({ nsPerPacket, packetsPerSecond, subject, workload }) =>
      [workload, subject, count(nsPerPacket), count(packetsPerSecond)]);
  printTable([['', '', 'ns', 'per second'], ...bridges], 'llrr');
}

function printXS(engine, figures) {
  console.log(`${engine}: the whole path, from the socket's callback to the end, per round of the workload. Slots, chunk bytes and collections of ours: of ${ROUNDS} rounds.\n`);
  const rows = byWorkload(figures).flatMap(([workload, group]) =>
    group.map(({ chunkBytes, collections, nsPerPacket, slots, steps, subject }, index) =>
    [index === 0 ? workload : '', subject, count(steps), count(slots), count(chunkBytes), count(collections),
      count(nsPerPacket)]));
  printTable([['', '', 'steps', 'slots', 'chunk bytes', 'collections', 'ns'], ...rows], 'llrrrrr');
  if (engine === 'xs32') console.log('recorded: not measured in this run, see host-test/bench/recorded.ts; their ns are of another computer.\n');
}

// The command

const { engines, isJSON, seconds } = readOptions();
try {
  for (const engine of engines) {
    const figures = [];
    for await (const figure of measure(engine, seconds)) {
      figures.push(figure);
      if (isJSON) console.log(JSON.stringify(figure));
    }
    if (!isJSON) engine === 'node' ? printNode(figures) : printXS(engine, figures);
  }
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}
