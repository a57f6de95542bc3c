/**
 * `ringbridge passwd`: makes an entry of listener.users. At a terminal it asks, and does not show what is typed; from a
 * pipe it reads lines: the user name, unless it was given, then the password. What is not UTF-8 is refused: a hash of
 * anything else than what nodes send would keep them out, and nobody would know why.
 */
import { isUtf8 } from 'node:buffer';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { formatPasswordHash, hashPassword } from './password.ts';

const FAILURE = 1;
const INTERRUPTED = 130;

/** The terminal's user pressed Ctrl-C or Ctrl-D. */
class Interrupted extends Error {}

export async function makeUser(username: string | undefined, forDevice: boolean): Promise<number> {
  const ask = process.stdin.isTTY ? askTerminal : readLines();
  try {
    username ??= await ask('user name: ', true);
    const password = await ask('password: ', false);
    if (username === '' || password === '')
      return complain(`an empty ${username === '' ? 'user name' : 'password'} is not accepted`);
    if (/[\0\uFFFD]/.test(username) || password.includes('\uFFFD'))
      return complain(`the ${password.includes('\uFFFD') ? 'password' : 'user name'} holds what is not UTF-8, or U+0000; `
        + 'type it in a terminal set to UTF-8, or send it as UTF-8');
    if (process.stdin.isTTY && await ask('the same again: ', false) !== password)
      return complain('these are two different passwords; try again');
    const entry = { username, password_hash: formatPasswordHash(await hashPassword(password, forDevice)) };
    process.stdout.write(`${JSON.stringify(entry)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted)
      return INTERRUPTED;
    throw error;
  }
}

function complain(message: string): number {
  process.stderr.write(`ringbridge: ${message}\n`);
  return FAILURE;
}

/** Questions go to stderr: stdout may be a file. */
function askTerminal(question: string, isShown: boolean): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal =
    createInterface({ input: process.stdin, output: isShown ? process.stderr : nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    let answer: string | undefined;
    terminal.on('line', line => {
      answer = line;
      terminal.close();
    });
    terminal.on('SIGINT', () => terminal.close());
    terminal.on('close', () => {
      if (!isShown)
        process.stderr.write('\n');
      if (answer === undefined)
        reject(new Interrupted());
      else
        resolve(answer);
    });
  });
}

/** Each byte is one character until the end of its line is known, so that nothing is decoded on the way. */
function readLines(): (question: string) => Promise<string> {
  const lines = createInterface({ input: process.stdin.setEncoding('latin1') })[Symbol.asyncIterator]();
  return async () => {
    const line = Buffer.from(((await lines.next()).value as string | undefined) ?? '', 'latin1');
    return isUtf8(line) ? line.toString('utf8') : '\uFFFD';
  };
}
