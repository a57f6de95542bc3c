/**
 * `ringbridge init`: asks for what a gateway needs, and writes a configuration with a comment at each key. Without a
 * terminal options and `--yes` answer. Nothing that is there is overwritten without `--force`.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Path } from '../rules/findings.ts';
import { writeCommented } from './commented-json.ts';
import { readConfiguration, readSchema } from './config.ts';
import type { Schema } from './config-violations.ts';
import { complain, FAILURE, USAGE_ERROR } from './exit-codes.ts';
import { kindOf } from './file-kind.ts';
import { type Answers, configurationOf, isAsked, type Key, normalize, NOTHING, objectionTo, PROPOSALS, QUESTIONS } from './init-plan.ts';
import { messageOf, printable } from './log.ts';
import { formatPasswordHash, hashPassword } from './password.ts';
import { askTerminal, Interrupted, INTERRUPTED, readLines } from './questions.ts';

export const DEFAULT_FILE = 'ringbridge.json';

export interface InitOptions {
  /** What options have answered already. */
  readonly given: Partial<Answers>;
  /** Take what is proposed for all else. */
  readonly isYes: boolean;
  readonly isForced: boolean;
  /** JSON without comments, as a board reads it. */
  readonly isPlain: boolean;
}

/** Bytes of a password that is made here. */
const RANDOM_LENGTH = 12;
const LONGEST_COMMENT = 100;
const MODE = 0o600;

type Ask = (question: string, isShown: boolean) => Promise<string>;

/** There are fewer lines than questions. */
class OutOfAnswers extends Error {}

/** @returns the exit code */
export async function initialize(file: string, options: InitOptions): Promise<number> {
  const obstacle = obstacleAt(file, options.isForced);
  if (obstacle !== undefined)
    return fail(FAILURE, obstacle);
  const isTerminal = process.stdin.isTTY === true;
  const ask = options.isYes ? undefined : isTerminal ? askTerminal : readLines(() => {
    throw new OutOfAnswers('there is no answer any more; write --yes to take what is proposed for the rest');
  });
  try {
    const answers = await collect(options.given, ask, isTerminal);
    if (typeof answers === 'string')
      return fail(USAGE_ERROR, answers);
    const configuration = configurationOf(answers);
    const text = options.isPlain ? `${JSON.stringify(configuration, undefined, 2)}\n` : textOf(configuration);
    const { errors } = readConfiguration(text, file);
    if (errors.length > 0)
      return fail(USAGE_ERROR, errors.join('\n'));
    write(file, text, options.isForced);
  } catch (error) {
    if (error instanceof Interrupted)
      return INTERRUPTED;
    return fail(error instanceof OutOfAnswers ? USAGE_ERROR : FAILURE, messageOf(error));
  }
  complain(`${file} is written, for its owner only. Next: "ringbridge check ${file} --online", then "ringbridge run --config ${file}"`);
  return 0;
}

function fail(code: number, message: string): number {
  complain(printable(`ringbridge: ${message}`));
  return code;
}

/** @returns why the file is not written */
function obstacleAt(file: string, isForced: boolean): string | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined)
    return undefined;
  if (stats.isSymbolicLink() || kindOf(stats) !== undefined)
    return `${file} is ${stats.isSymbolicLink() ? 'a symbolic link' : kindOf(stats)}; write the name of a file of its own`;
  return isForced ? undefined : `${file} is there already; write --force to replace it, or another name`;
}

/** @returns the answers, or what is wrong with those that options have given */
async function collect(given: Partial<Answers>, ask: Ask | undefined, isTerminal: boolean): Promise<Answers | string> {
  const answers = { passwordHash: '' } as Answers;
  for (const key of Object.keys(PROPOSALS) as Key[])
    answers[key] = '';
  const complete = (): Answers => {
    const all = { ...answers };
    for (const [key, propose] of Object.entries(PROPOSALS) as [Key, (typeof PROPOSALS)[Key]][])
      all[key] = answered.has(key) ? answers[key] : propose(all);
    return all;
  };
  const answered = new Set<Key>();
  for (const key of Object.keys(given) as Key[]) {
    answers[key] = normalize(key, given[key]!);
    answered.add(key);
    const objection = objectionTo(complete());
    if (objection !== undefined)
      return objection;
  }
  for (const key of Object.keys(PROPOSALS) as Key[]) {
    while (ask !== undefined && !answered.has(key) && isAsked(key, complete())) {
      answers[key] = await question(ask, key, complete());
      answered.add(key);
      const objection = objectionTo(complete());
      if (objection === undefined)
        break;
      if (!isTerminal)
        return objection;
      complain(printable(objection));
      answered.delete(key);
    }
    if (key === 'user' && complete().user !== NOTHING && !answered.has('passwordHash')) {
      answers.passwordHash = await hashFor(complete().user, ask, isTerminal);
      answered.add('passwordHash');
    }
  }
  return complete();
}

async function question(ask: Ask, key: Key, answers: Answers): Promise<string> {
  const proposal = PROPOSALS[key](answers);
  const isSecret = key === 'password';
  const typed = await ask(`${QUESTIONS[key]}${isSecret || proposal === '' ? '' : ` [${proposal}]`}: `, !isSecret);
  return typed === '' ? proposal : normalize(key, isSecret ? typed : typed.trim());
}

/** Of a password that is asked for, or made and shown once. */
async function hashFor(user: string, ask: Ask | undefined, isTerminal: boolean): Promise<string> {
  for (;;) {
    let password = ask === undefined ? '' : await ask(`password for "${user}", empty to have one made: `, false);
    if (password === '') {
      password = randomBytes(RANDOM_LENGTH).toString('base64url');
      complain(printable(`the password of "${user}" is ${password}; it is not shown again`));
    } else if (isTerminal && ask !== undefined && await ask('the same again: ', false) !== password) {
      complain('these are two different passwords; try again');
      continue;
    }
    return formatPasswordHash(await hashPassword(password));
  }
}

/** Over each key of a section stands what the schema says of it. */
function textOf(configuration: object): string {
  const schema = readSchema();
  return writeCommented(configuration, {
    above: path => path.length <= 2 && path.every(step => typeof step === 'string') ? wrap(schemaAt(schema, path)?.description ?? '') : undefined,
  }, ['A configuration of Ringbridge. Every key has a default; "ringbridge check FILE" says what is wrong with it.']);
}

const schemaAt = (schema: Schema, path: Path): Schema | undefined =>
  path.reduce<Schema | undefined>((at, step) => at?.properties?.[step as string], schema);

function wrap(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + word.length >= LONGEST_COMMENT)
      lines.push(word);
    else
      lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** In one step: there is the whole file, or what was there. */
function write(file: string, text: string, isForced: boolean): void {
  const place = isForced ? `${file}.new-${process.pid}` : file;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const descriptor = openSync(place, flags, MODE);
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    if (isForced)
      renameSync(place, file);
  } catch (error) {
    if (isForced)
      rmSync(place, { force: true });
    throw describeWriting(file, error);
  }
}

function describeWriting(file: string, error: unknown): Error {
  const { code = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': return new Error(`${file} is in no folder; make the folder, or write another name`);
    case 'EEXIST': return new Error(`${file} is there already; write --force to replace it, or another name`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS': return new Error(`${file} may not be written (${code}); write a name in a folder that may be`);
    case 'ENOSPC': return new Error(`the disk has no room for ${file}; free some`);
    default: return error as Error;
  }
}
