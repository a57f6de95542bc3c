/** The text of a file of PEM, or of identities and keys: read whole, never waited for. */
import { readRegular } from './file-kind.ts';

/** Bytes; that of all CAs of a system has some 220,000. */
export const LONGEST_PEM_FILE = 2_000_000;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; write its path, or copy it there',
  ENOTDIR: 'there is no such file; write its path, or copy it there',
  EACCES: 'this user may not read it; change its owner or its mode',
  EPERM: 'this user may not read it; change its owner or its mode',
};

/** @returns one character for each byte, or what is wrong */
export function readPEM(file: string): { readonly text: string } | { readonly problem: string } {
  try {
    const read = readRegular(file, LONGEST_PEM_FILE + 1);
    return 'kind' in read ? { problem: `is ${read.kind}; write the path of a regular file instead` }
      : { text: read.bytes.toString('latin1') };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return { problem: PROBLEMS[code] ?? `cannot be read (${code})` };
  }
}
