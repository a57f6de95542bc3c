/**
 * The command line. Exit codes: 0 all is well, 1 it could not be done, 2 the command or the configuration file is wrong.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadConfiguration } from './config.ts';
import { Log, messageOf } from './log.ts';
import { runUntilSignal } from './run.ts';

const USAGE = `usage:
  ringbridge run [--config FILE]   runs the gateway; without FILE a demo with a broker and nodes of its own
  ringbridge check FILE            validates FILE; prints the topic rules and the memory that it takes
  ringbridge passwd [USERNAME]     asks for a password and prints an entry for listener.users
  ringbridge --help | --version
`;

const FAILURE = 1;
const USAGE_ERROR = 2;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const complain = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { config: { type: 'string', short: 'c' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
  } catch (error) {
    return misused(messageOf(error));
  }
  const { positionals: [command, ...operands], values: { config, help, version } } = parsed;
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (version) {
    print((JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version);
    return 0;
  }
  switch (command) {
    case 'run':
      return operands.length > 0 ? misused(`run takes no "${operands[0]}"; a file is given as --config ${operands[0]}`) : run(config);
    default:
      return misused(command === undefined ? 'a command is missing' : `there is no command "${command}"`);
  }
}

async function run(file: string | undefined): Promise<number> {
  if (file === undefined) {
    const { runDemo } = await import('./demo.ts'); // has an embedded broker, which nobody else needs to load
    return runDemo();
  }
  const { configuration, errors, warnings } = loadConfiguration(file);
  [...errors, ...warnings].forEach(complain);
  if (configuration === undefined)
    return USAGE_ERROR;
  const log = new Log(complain);
  try {
    return await runUntilSignal(configuration, log, print);
  } catch (error) {
    log.write('error', messageOf(error));
    return FAILURE;
  }
}

function misused(message: string): number {
  complain(`ringbridge: ${message}`);
  process.stderr.write(USAGE);
  return USAGE_ERROR;
}

// Whoever reads our output may go away before we do.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));
// Nothing should hold the process any more; if something does, it is not worth waiting for.
setTimeout(() => process.exit(), 500).unref();
