/**
 * What `npm run sim` and `npm run flash` have in common: the bundle is built, the configuration is checked against the
 * memory of the board, and mcconfig gets it as one argument, so that nothing in it means anything to a shell.
 *
 * Nothing is built, and nothing is written to a board, when any of this fails.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const NO_SDK = 'MODDABLE is not set: install the Moddable SDK (https://moddable.com/documentation) '
  + 'and set MODDABLE to its folder';
const NO_MCCONFIG =
  'mcconfig is not in PATH: it is in the folder build/bin of the Moddable SDK, below the name of your system';

/** The end of the program, with what to tell people; empty when a program that was called has told them. */
export class Failure extends Error {
  /** @param {number} exitCode @param {string} message */
  constructor(exitCode, message = '') {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Takes `--config FILE` out of the arguments, wherever it stands.
 * @param {readonly string[]} args
 * @param {string} [option] another one than `--config` @param {string} [example] of its file
 * @returns {{ file: string | undefined, rest: string[] }}
 */
export function takeConfiguration(args, option = '--config', example = 'my.json') {
  const at = args.indexOf(option);
  if (at === -1)
    return { file: undefined, rest: [...args] };
  if (at + 1 === args.length)
    throw new Failure(2, `${option}: which file? For example ${option} ${example}`);
  return { file: args[at + 1], rest: [...args.slice(0, at), ...args.slice(at + 2)] };
}

/**
 * Values that are not to stand in the history of a shell, as `{ "wifi_ssid": "…", "wifi_password": "…" }`.
 * @param {string | undefined} file @returns {string[]} arguments for mcconfig
 */
export function readSecrets(file) {
  if (file === undefined)
    return [];
  let secrets;
  try {
    if (!statSync(file).isFile()) // a pipe would keep everybody waiting
      throw new Error('it is no regular file');
    secrets = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Failure(2, `${file}: cannot be used: ${error instanceof SyntaxError ? 'it is no JSON' : error.message}; `
      + 'write { "wifi_ssid": "NAME", "wifi_password": "PASSWORD" }');
  }
  return Object.entries(secrets).map(([name, value]) => {
    if (typeof value !== 'string' || value.includes('=') || !/^[a-z_]+$/.test(name))
      throw new Failure(2, `${file}: ${name}: must be a text without "="; mcconfig cannot take anything else`);
    return `${name}=${value}`;
  });
}

/** Runs a program that speaks for itself. @throws Failure with its exit code */
function run(command, args, missing = `${command} cannot be run`, environment = {}) {
  const { error, status } = spawnSync(command, args, {
    cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment },
  });
  if (error !== undefined)
    throw new Failure(1, error.code === 'ENOENT' ? missing : `${command}: ${error.message}`);
  if (status !== 0)
    throw new Failure(status ?? 1);
}

/**
 * JSON without a "=", by which mcconfig takes its arguments apart: in JSON it stands in strings only, where it can be
 * spelt.
 */
const asValue = json => json.replaceAll('=', '\\u003d');

/**
 * @param {{ checkArgs: readonly string[], mcconfigArgs: readonly string[], file: string | undefined,
 *   makeEnvironment?: () => Readonly<Record<string, string>> }} job what `ringbridge check` is told besides the file,
 *   what mcconfig is told besides the configuration, the file, and variables for mcconfig
 */
export function buildWithModdable({ checkArgs, file, makeEnvironment = () => ({}), mcconfigArgs }) {
  if (!process.env['MODDABLE'])
    throw new Failure(1, NO_SDK);
  run('npm', ['run', '--silent', 'build']);
  if (file !== undefined)
    run(process.execPath, ['dist/host/main.js', 'check', ...checkArgs, file]);
  const configuration = file === undefined ? [] : [`ringbridge=${asValue(readFileSync(file, 'utf8'))}`];
  run('mcconfig', [...mcconfigArgs, ...configuration], NO_MCCONFIG, makeEnvironment());
}

/** Runs a program of this folder: its failure becomes a line and an exit code. @param {() => void} main */
export function runProgram(main) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof Failure))
      throw error;
    if (error.message !== '')
      process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
