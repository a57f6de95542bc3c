/**
 * The command line. Exit codes: 0 all is well, 1 it could not be done, 2 the command or the configuration file is
 * wrong.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BOARDS } from './board-memory.ts';
import { noteOnLength, refusalsOfBoard } from './board-reading.ts';
import { describeConfiguration, findOverflow, notesForDevice } from './check.ts';
import { loadConfiguration, SCHEMA_FILE } from './config.ts';
import { readText } from './config-file.ts';
import { Log, messageOf } from './log.ts';
import { makeUser } from './passwd.ts';
import { runUntilSignal } from './run.ts';

const USAGE = `usage:
  ringbridge run [--strict] --config FILE runs the gateway; --strict: ends with 1 when the port of the listener or the
                                          storage of the store cannot be had, instead of going on without it
  ringbridge check [--board NAME|--pc] FILE
                                          validates FILE; prints the topic rules and the memory that a board gives, and
                                          refuses what it has not: ${Object.keys(BOARDS).join(', ')}; --pc: no board
  ringbridge passwd [--device] [USERNAME] asks for a password and prints an entry for listener.users;
                                          --device: with a hash that a board can verify as well
  ringbridge --help | --version

In FILE, which is JSON, every key has a default: {} is a valid file. Its keys are described in
${fileURLToPath(SCHEMA_FILE)}
`;

/** How many operands each command takes at most. */
const OPERANDS: Readonly<Record<string, number>> = { run: 0, check: 1, passwd: 1 };

const DEFAULT_BOARD = 'esp32';

const FAILURE = 1;
const USAGE_ERROR = 2;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const complain = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** @returns the exit code */
export async function runCommand(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        board: { type: 'string' },
        config: { type: 'string', short: 'c' },
        device: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        pc: { type: 'boolean' },
        strict: { type: 'boolean' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    return misused(messageOf(error));
  }
  const { positionals: [command, ...operands], values: { board, config, device, help, pc, strict, version } } = parsed;
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (version) {
    print((JSON.parse(readFileSync(new URL('../../package.json', import.meta.url),
      'utf8')) as { version: string }).version);
    return 0;
  }
  if (command === undefined)
    return misused('a command is missing');
  const most = OPERANDS[command];
  if (most === undefined)
    return misused(`there is no command "${command}"`);
  if (operands.length > most)
    return misused(command === 'run' ? `run takes no "${operands[0]}"; write --config ${operands[0]} instead`
      : `${command} takes no "${operands[most]}"`);
  if (config !== undefined && command !== 'run')
    return misused(`${command} takes no --config`);
  if (strict && command !== 'run')
    return misused(`${command} takes no --strict`);
  if (device && command !== 'passwd')
    return misused(`${command} takes no --device`);
  if ((board !== undefined || pc) && command !== 'check')
    return misused(`${command} takes no --${pc ? 'pc' : 'board'}`);
  if (board !== undefined && (pc || !Object.hasOwn(BOARDS, board)))
    return misused(pc ? 'write either --board or --pc'
      : `there is no board "${board}"; write one of ${Object.keys(BOARDS).join(', ')}`);
  switch (command) {
    case 'check':
      return operands[0] === undefined ? misused('check needs a file')
        : check(operands[0], pc ? undefined : board ?? DEFAULT_BOARD, board !== undefined);
    case 'passwd':
      return makeUser(operands[0], device === true);
    default:
      return config === undefined ? misused('run needs a file: write --config FILE, {} in it is enough')
        : run(config, strict === true);
  }
}

/**
 * @param board undefined: as it would run on this computer
 * @param isForBoard it is to be read by that board: what only a computer accepts is wrong
 */
function check(file: string, board: string | undefined, isForBoard: boolean): number {
  const { configuration, errors, notes, warnings } = board === undefined ? loadConfiguration(file)
    : loadConfiguration(file, {}); // the defaults of a board
  [...errors, ...warnings].forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  const text = textOf(file);
  const refusals = isForBoard ? refusalsOfBoard(text, file, configuration) : [];
  refusals.forEach(complain);
  if (refusals.length > 0)
    return USAGE_ERROR;
  const notesOfBoard = board === undefined ? []
    : [...notesForDevice(configuration), ...noteOnLength(text)].map(note => `${file}: note: ${note}`);
  [...notes, ...notesOfBoard].forEach(complain);
  print(describeConfiguration(configuration, board));
  const overflow = board === undefined ? undefined : findOverflow(configuration, board);
  if (overflow === undefined)
    return 0;
  complain(`${file}: ${overflow}`);
  return USAGE_ERROR;
}

/** Of a file that was read a moment ago. */
function textOf(file: string): string {
  const read = readText(file);
  return 'text' in read ? read.text : '';
}

async function run(file: string, isStrict: boolean): Promise<number> {
  const { configuration, errors, warnings } = loadConfiguration(file);
  [...errors, ...warnings].forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  const log = new Log(complain);
  try {
    return await runUntilSignal(configuration, log, print, { isStrict });
  } catch (error) {
    log.write('error', messageOf(error));
    return FAILURE;
  }
}

function misused(message: string): number {
  complain(`ringbridge: ${message}`);
  complain('write "ringbridge --help" to see what there is');
  return USAGE_ERROR;
}
