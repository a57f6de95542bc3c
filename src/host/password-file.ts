/**
 * The password at the broker where it stands in a file of its own (`upstream.remote_password_file`), which somebody
 * may replace while the gateway runs. What stands in it is never repeated in a message.
 */
import { isUtf8 } from 'node:buffer';
import { LONGEST_PASSWORD } from '../gateway/packet-limits.ts';
import { readRegular } from './file-kind.ts';

type ReadPassword = { readonly password: string } | { readonly problem: string };

const KEY = 'upstream.remote_password_file';
/** A line end may follow. */
const LONGEST_FILE = LONGEST_PASSWORD + 2;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; make it, with the password and nothing else in it',
  EACCES: 'this user may not read it; change its owner or its mode',
  EPERM: 'this user may not read it; change its owner or its mode',
};

/** @returns the password without the line end that editors add, or the line that says what is wrong; never waits */
export function readPasswordFile(file: string): ReadPassword {
  const fail = (text: string): ReadPassword => ({ problem: `${KEY} ${file}: ${text}` });
  let bytes: Buffer;
  try {
    const read = readRegular(file, LONGEST_FILE + 1);
    if ('kind' in read)
      return fail(`is ${read.kind}; write the path of a regular file instead`);
    ({ bytes } = read);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return fail(PROBLEMS[code] ?? `cannot be read (${code})`);
  }
  if (!isUtf8(bytes) && bytes.length <= LONGEST_FILE)
    return fail('is no text in UTF-8; write such a password into it');
  const password = bytes.toString('utf8').replace(/\r?\n$/, '');
  bytes.fill(0);
  if (password === '')
    return fail('is empty; write the password into it');
  if (/[\r\n\0]/.test(password) && bytes.length <= LONGEST_FILE)
    return fail('has a line end or U+0000 within; write the password and nothing else into it');
  return bytes.length > LONGEST_FILE || Buffer.byteLength(password) > LONGEST_PASSWORD
    ? fail(`has more than ${LONGEST_PASSWORD} bytes; write the password and nothing else into it`) : { password };
}
