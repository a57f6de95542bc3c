/**
 * `ringbridge passwd`: makes an entry of listener.users. At a terminal it asks, and does not show what is typed; from a
 * pipe it reads lines: the user name, unless it was given, then the password. What is not UTF-8 is refused: a hash of
 * anything else than what nodes send would keep them out, and nobody would know why.
 */
import { FAILURE } from './exit-codes.ts';
import { formatPasswordHash, hashPassword } from './password.ts';
import { askTerminal, Interrupted, INTERRUPTED, readLines } from './questions.ts';

/** @param username undefined: is asked for; null: the hash alone is printed */
export async function makeUser(username: string | null | undefined, forDevice: boolean): Promise<number> {
  const ask = process.stdin.isTTY ? askTerminal : readLines();
  try {
    if (username === undefined)
      username = await ask('user name: ', true);
    const password = await ask('password: ', false);
    if (username === '' || password === '')
      return complain(`an empty ${username === '' ? 'user name' : 'password'} is not accepted`);
    if (/[\0\uFFFD]/.test(username ?? '') || password.includes('\uFFFD'))
      return complain(`the ${password.includes('\uFFFD') ? 'password' : 'user name'} holds what is not UTF-8, or U+0000; `
        + 'type it in a terminal set to UTF-8, or send it as UTF-8');
    if (process.stdin.isTTY && await ask('the same again: ', false) !== password)
      return complain('these are two different passwords; try again');
    const password_hash = formatPasswordHash(await hashPassword(password, forDevice));
    process.stdout.write(`${username === null ? password_hash : JSON.stringify({ username, password_hash })}\n`);
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
