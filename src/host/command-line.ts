/**
 * The command line. Exit codes: 0 all is well, 1 it could not be done, 2 the command or the configuration file is
 * wrong.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BOARDS } from './board-memory.ts';
import { asksForTopic, check, showTopic } from './check-command.ts';
import { loadConfiguration, SCHEMA_FILE } from './config.ts';
import { endTrial } from './config-trial.ts';
import { readText } from './config-file.ts';
import { complain, FAILURE, misused, print, USAGE_ERROR } from './exit-codes.ts';
import { importFile, type ImportOptions } from './import.ts';
import { DEFAULT_FILE, initialize } from './init.ts';
import { NOTHING } from './init-plan.ts';
import { Log, messageOf, printable } from './log.ts';
import { makeUser } from './passwd.ts';
import { ACTIONS, decideQuarantine } from './quarantine.ts';
import { type RunOptions, runUntilSignal } from './run.ts';
import { printStatus, watchStatus } from './status-command.ts';

const USAGE = `usage:
  ringbridge run [--strict] [--status] --config FILE
                                          runs the gateway; --strict: ends with 1 when the port of the listener or the
                                          storage of the store cannot be had, instead of going on without it;
                                          --status: prints a line about the status every five seconds
  ringbridge status FILE [--watch] [--pid NUMBER]
                                          prints the status of the gateway that runs with FILE, as one line of JSON;
                                          --watch: again and again, on a terminal as a view
  ringbridge check [--board NAME|--pc] FILE
                                          validates FILE; prints the topic rules and the memory that a board gives, and
                                          refuses what it has not: ${Object.keys(BOARDS).join(', ')}; --pc: no board
  ringbridge check FILE --topic TOPIC [--user NAME|--anonymous] [--clientid ID] [--qos 0|1|2]
                                          says where a topic goes, for a node of that user, and what the broker's
                                          topic of that name becomes here
  ringbridge check FILE --online [--publish] [--clientid ID]
                                          tests the whole way: clock, store and ports here, name, TCP, TLS and CONNECT
                                          there, with an identifier of its own, and each filter; --publish: sends one
                                          message for each rule "out"; ends with 1 for warnings, 2 for errors
  ringbridge init [FILE] [--yes] [--force] [--plain] [OPTION ...]
                                          asks, and writes a configuration with comments (${DEFAULT_FILE}), for its
                                          owner only; --yes: takes what is proposed; --force: replaces FILE; answers:
                                          --name NAME, --address URL, --cafile FILE, --username NAME,
                                          --password-file FILE, --port NUMBER, --user NAME|--anonymous,
                                          --out FILTER, --in FILTER, --prefix TEXT, --ram
  ringbridge import FILE [--connection NAME] [--listener PORT] [--plain]
                                          makes a configuration of a mosquitto.conf, on standard output; what of it is
                                          not carried, or not needed, is listed on standard error, with line and reason;
                                          of several: the first one, or that; --plain: without comments, for a board
  ringbridge quarantine FILE list|release|delete [NUMBER ...|all]
                                          what the gateway of FILE, which must not run, has set aside
  ringbridge passwd [--device] [USERNAME] asks for a password and prints an entry for listener.users;
                                          --device: with a hash that a board can verify as well
  ringbridge passwd --page                asks for a password and prints its hash, for page.password_hash
  ringbridge --help | --version

In FILE, which is JSON, every key has a default: {} is a valid file. Its keys are described in
${fileURLToPath(SCHEMA_FILE)}
`;

/** Options of `init` that are answers. */
const INIT_OPTIONS =
  ['name', 'address', 'cafile', 'username', 'password-file', 'port', 'user', 'out', 'in', 'prefix'] as const;

/** How many operands each command takes at most, and its options. */
const COMMANDS: Readonly<Record<string, { readonly operands: number; readonly options: readonly string[] }>> = {
  run: { operands: 0, options: ['config', 'status', 'strict'] },
  status: { operands: 1, options: ['pid', 'watch'] },
  check: { operands: 1, options: ['board', 'pc', 'topic', 'user', 'anonymous', 'clientid', 'qos', 'online', 'publish'] },
  init: {
    operands: 1, options: [...INIT_OPTIONS, 'anonymous', 'force', 'plain', 'ram', 'yes'],
  },
  import: { operands: 1, options: ['connection', 'listener', 'plain'] },
  quarantine: { operands: Infinity, options: [] },
  passwd: { operands: 1, options: ['device', 'page'] },
};

const DEFAULT_BOARD = 'esp32';

/** @returns the exit code */
export async function runCommand(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        address: { type: 'string' },
        anonymous: { type: 'boolean' },
        board: { type: 'string' },
        cafile: { type: 'string' },
        clientid: { type: 'string' },
        config: { type: 'string', short: 'c' },
        connection: { type: 'string' },
        device: { type: 'boolean' },
        page: { type: 'boolean' },
        force: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        in: { type: 'string' },
        listener: { type: 'string' },
        name: { type: 'string' },
        online: { type: 'boolean' },
        out: { type: 'string' },
        'password-file': { type: 'string' },
        pc: { type: 'boolean' },
        pid: { type: 'string' },
        plain: { type: 'boolean' },
        port: { type: 'string' },
        prefix: { type: 'string' },
        publish: { type: 'boolean' },
        qos: { type: 'string' },
        ram: { type: 'boolean' },
        status: { type: 'boolean' },
        strict: { type: 'boolean' },
        topic: { type: 'string' },
        user: { type: 'string' },
        username: { type: 'string' },
        version: { type: 'boolean', short: 'v' },
        watch: { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
      },
    });
  } catch (error) {
    return misused(messageOf(error));
  }
  const { positionals: [command, ...operands], values } = parsed;
  const { board, config, device, help, pc, status, strict, topic, version } = values;
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
  const known = COMMANDS[command];
  if (known === undefined)
    return misused(`there is no command "${command}"`);
  if (operands.length > known.operands)
    return misused(command === 'run' ? `run takes no "${operands[0]}"; write --config ${operands[0]} instead`
      : `${command} takes no "${operands[known.operands]}"`);
  const surplus = Object.keys(values).find(option => !known.options.includes(option));
  if (surplus !== undefined)
    return misused(`${command} takes no --${surplus}`);
  if (board !== undefined && (pc || !Object.hasOwn(BOARDS, board)))
    return misused(pc ? 'write either --board or --pc'
      : `there is no board "${board}"; write one of ${Object.keys(BOARDS).join(', ')}`);
  switch (command) {
    case 'check':
      if (operands[0] === undefined)
        return misused('check needs a file');
      if (values.online === true)
        return askOnline(operands[0], values);
      if (values.publish === true)
        return misused('--publish is about the broker; write --online as well');
      return topic === undefined && !asksForTopic(values)
        ? check(operands[0], pc ? undefined : board ?? DEFAULT_BOARD, board !== undefined)
        : showTopic(operands[0], board, values);
    case 'status':
      return showRunning(operands[0], values.pid, values.watch === true);
    case 'init':
      return start(operands[0] ?? DEFAULT_FILE, values);
    case 'import':
      return operands[0] === undefined ? misused('import needs a file, for example /etc/mosquitto/mosquitto.conf')
        : convert(operands[0], { ...values, isPlain: values.plain === true });
    case 'quarantine':
      return decide(operands);
    case 'passwd':
      return values.page !== true ? makeUser(operands[0], device === true)
        : device === true || operands.length > 0 ? misused('passwd --page takes no user name and no --device') : makeUser(null, false);
    default:
      return config === undefined ? misused('run needs a file: write --config FILE, {} in it is enough')
        : run(config, { isStrict: strict === true, reports: status === true });
  }
}

/** @param values of options */
function start(file: string, values: Readonly<Record<string, string | boolean | undefined>>): Promise<number> | number {
  const { anonymous, force, plain, ram, user, yes } = values;
  if (anonymous === true && user !== undefined)
    return misused('write either --user or --anonymous');
  const given: Record<string, string> = {};
  for (const option of INIT_OPTIONS)
    if (values[option] !== undefined)
      given[option === 'password-file' ? 'passwordFile' : option] = values[option] as string;
  return initialize(file, {
    given: { ...given, ...anonymous === true && { user: NOTHING }, ...ram === true && { durable: 'no' } },
    isYes: yes === true, isForced: force === true, isPlain: plain === true,
  });
}

/** Loaded when it is needed. */
async function askOnline(file: string, { clientid, publish, ...others }: Readonly<Record<string, unknown>>):
  Promise<number> {
  const surplus = Object.keys(others).find(option => option !== 'online');
  return surplus !== undefined ? misused(`write either --online or --${surplus}`)
    : (await import('./online.ts')).checkOnline(file, { clientid: clientid as string | undefined, publish: publish === true });
}

/** The configuration goes to standard output, so that it can be sent to a file; all else is said beside it. */
function convert(file: string, options: ImportOptions): number {
  const imported = importFile(file, options);
  if ('errors' in imported) {
    imported.errors.forEach(error => complain(printable(error)));
    return USAGE_ERROR;
  }
  imported.remarks.forEach(remark => complain(printable(remark)));
  process.stdout.write(imported.text);
  return 0;
}

function decide([file, action, ...numbers]: readonly string[]): number {
  if (file === undefined || action === undefined || !ACTIONS.includes(action))
    return misused(`quarantine needs a file and one of ${ACTIONS.join(', ')}`);
  const { configuration, errors } = loadConfiguration(file);
  errors.forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  try {
    decideQuarantine(configuration, action, numbers, print);
    return 0;
  } catch (error) {
    complain(messageOf(error));
    return FAILURE;
  }
}

async function showRunning(file: string | undefined, pid: string | undefined, isWatched: boolean): Promise<number> {
  if (file === undefined)
    return misused('status needs the file with which the gateway runs');
  if (pid !== undefined && !/^[1-9]\d*$/.test(pid))
    return misused(`"${pid}" is no process; write its number`);
  const read = readText(file);
  if ('error' in read) {
    complain(printable(read.error));
    return USAGE_ERROR;
  }
  try {
    await (isWatched ? watchStatus : printStatus)(file, pid === undefined ? undefined : Number(pid), print);
    return 0;
  } catch (error) {
    complain(printable(messageOf(error)));
    return FAILURE;
  }
}

async function run(file: string, options: RunOptions): Promise<number> {
  const log = new Log(complain);
  endTrial(file, log, 'the program ended while a configuration was on trial');
  const { configuration, errors, warnings, written, ...others } = loadConfiguration(file);
  [...errors, ...warnings].forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  try {
    return await runUntilSignal(configuration, log, print,
      { ...options, file, others, written, load: () => loadConfiguration(file) });
  } catch (error) {
    log.write('error', messageOf(error));
    return FAILURE;
  }
}
