/**
 * Gets the text of a configuration file. What is no regular file, or not in UTF-8, is refused with one line that says
 * what to do: a pipe would keep the program waiting; text that is decoded as well as possible would be another text.
 */
import { isUtf8 } from 'node:buffer';
import { getLocation } from 'jsonc-parser';
import { formatPath } from '../config/schema-paths.ts';
import { readRegular } from './file-kind.ts';
import { placeOf } from './text-place.ts';
import { messageOf } from './log.ts';

/** Bytes; with all users and rights that there may be, and comments, a configuration has far less. */
const LONGEST_FILE = 16 * 1024 * 1024;

export type ReadText = { readonly text: string } | { readonly error: string };

const MISSING = 'there is no such file; write the path of a configuration file instead';

/** What the system says when it does not open a file. */
const OPEN_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: MISSING,
  ENOTDIR: MISSING,
  EACCES: 'this user may not read it; change its owner or its mode, for example with chmod',
  EPERM: 'this user may not read it; change its owner or its mode, for example with chmod',
  ELOOP: 'is a symbolic link that leads back to itself; write the path of the file itself instead',
  ENAMETOOLONG: 'the path is too long; write a shorter one instead',
};

/** @returns the text without a byte order mark, or the line that says what is wrong */
export function readText(file: string): ReadText {
  let bytes: Buffer;
  try {
    const read = readRegular(file, LONGEST_FILE + 1);
    if ('kind' in read)
      return { error: `${file}: is ${read.kind}; write the path of a regular file instead` };
    ({ bytes } = read);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return { error: `${file}: ${OPEN_ERRORS[code] ?? `cannot be read: ${messageOf(error)}`}` };
  }
  return textOf(bytes, file);
}

/** @param file its name, for the message @returns as `readText` */
export function textOf(bytes: Buffer, file: string): ReadText {
  if (bytes.length > LONGEST_FILE)
    return { error: `${file}: has more than ${LONGEST_FILE} bytes; write the path of a configuration file instead` };
  const wide = wideEncodingOf(bytes);
  if (wide !== undefined)
    return { error: `${file}:1:1: the file is in ${wide}; save it as UTF-8 instead` };
  if (!isUtf8(bytes))
    return { error: describeBadByte(bytes, file) };
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  bytes.fill(0); // there may be passwords in it
  return { text };
}

/** By the byte order mark; without one by the zero bytes that ASCII has in these encodings. */
function wideEncodingOf(bytes: Buffer): string | undefined {
  const [first = 1, second = 1, third = 1, fourth = 1] = bytes;
  const isLittle = first === 0xFF && second === 0xFE || first !== 0 && second === 0;
  const isBig = first === 0xFE && second === 0xFF || first === 0 && second !== 0;
  if (isLittle && third === 0 && fourth === 0 || first === 0 && second === 0)
    return 'UTF-32';
  return isLittle || isBig ? 'UTF-16' : undefined;
}

function describeBadByte(bytes: Buffer, file: string): string {
  const offset = offsetOfBadByte(bytes);
  const place = placeOf(bytes.toString('utf8', 0, offset), offset);
  const path = getLocation(bytes.toString('latin1'), offset).path.filter(step => step !== '');
  const byte = bytes[offset]!.toString(16).toUpperCase().padStart(2, '0');
  return `${file}:${place}: ${path.length === 0 ? '' : `${formatPath(path)}: `}the byte ${byte} is not UTF-8, `
    + 'as in a file of Latin-1 or Windows-1252; save the file as UTF-8 instead';
}

const REPLACEMENT = Buffer.from('\uFFFD');

/** Where the text that is decoded as well as possible begins to be another one. */
function offsetOfBadByte(bytes: Buffer): number {
  const decoded = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (bytes[at] === decoded[at])
    ++at;
  // The first bytes of a replacement may be the same by chance.
  for (let start = Math.max(0, at - REPLACEMENT.length + 1); start < at; ++start)
    if (decoded.subarray(start, start + REPLACEMENT.length).equals(REPLACEMENT))
      return start;
  return at;
}
