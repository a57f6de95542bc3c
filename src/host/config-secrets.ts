/**
 * What need not stand in the file: `${NAME}` in any text of a configuration is a credential of systemd of that name (a
 * file in $CREDENTIALS_DIRECTORY), else the environment variable. `$${NAME}` stands for the characters themselves,
 * `$${` for `${`. What was filled in is never repeated in a message.
 */
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { isSecretKey } from '../config/schema-paths.ts';
import type { Finding, Path } from '../rules/findings.ts';
import { readRegular } from './file-kind.ts';

/** @returns undefined when there is nothing of that name @throws Error in words when it cannot be read */
export type Lookup = (name: string) => string | undefined;

export interface FilledIn {
  readonly value: unknown;
  readonly errors: readonly Finding[];
  /** Takes out of a message what was filled in. */
  hide(message: string): string;
}

const REFERENCE = /\$(\$?)\{(?:([^{}]*)\})?/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/** Bytes of a credential: no text of MQTT is longer. */
const LONGEST_CREDENTIAL = 65_536;
/** Shorter ones are only hidden within quotation marks: they may be part of anything. */
const LEAST_TELLING = 4;

/** Environment and credentials of this process. */
export function lookUp(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = environment['CREDENTIALS_DIRECTORY'];
  return (folder === undefined ? undefined : readCredential(join(folder, name))) ?? environment[name];
}

/** Without the line end that editors add. */
function readCredential(file: string): string | undefined {
  let read: ReturnType<typeof readRegular>;
  try {
    read = readRegular(file, LONGEST_CREDENTIAL + 1);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return undefined;
    throw new Error(`the credential ${file} cannot be read (${code}); change its owner or its mode`);
  }
  if ('kind' in read)
    throw new Error(`the credential ${file} is ${read.kind}; give the service a regular file instead`);
  const { bytes } = read;
  if (!isUtf8(bytes) || bytes.length > LONGEST_CREDENTIAL)
    throw new Error(`the credential ${file} is no text in UTF-8 of at most ${LONGEST_CREDENTIAL} bytes; `
      + 'write such a text instead');
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  bytes.fill(0);
  return text;
}

/** So that texts which somebody gives are read as they are. @param value for JSON */
export const standForThemselves = (value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('${', () => '$${')
    : Array.isArray(value) ? value.map(standForThemselves)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, standForThemselves(inner)])) : value;

/** @param value as read from JSON */
export function fillIn(value: unknown, find: Lookup = lookUp): FilledIn {
  const errors: Finding[] = [];
  const hidden = new Map<string, string>();
  const fillText = (whole: string, path: Path): string => whole.replace(REFERENCE, (written, ...groups: string[]) => {
    const [dollar, name] = groups as [string, string | undefined];
    if (dollar !== '')
      return written.slice(1);
    const found = name === undefined ? tell(errors, path, '"${" has no "}" behind its name; write $${ for the characters themselves')
      : NAME.test(name) ? findOrTell(find, name, path, errors)
      : tell(errors, path, `"${written}" names nothing: a name has letters, digits and "_"; write $${written} for the characters themselves`);
    if (found === '' && isSecretKey(path.at(-1)))
      tell(errors, path, `"${written}" is empty; set it to the secret`);
    if (found !== undefined && found !== '')
      hidden.set(found, written);
    return found ?? written;
  });
  const fill = (inner: unknown, path: Path): unknown => typeof inner === 'string' ? copyOf(fillText(inner, path))
    : Array.isArray(inner) ? inner.map((element, index) => fill(element, [...path, index]))
      : typeof inner === 'object' && inner !== null
        ? Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, fill(each, [...path, key])])) : inner;
  return { value: fill(value, []), errors, hide: message => hideAll(message, hidden) };
}

/** A part of a text keeps the whole text in memory, with all the passwords of the file. */
const copyOf = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');

function findOrTell(find: Lookup, name: string, path: Path, errors: Finding[]): string | undefined {
  try {
    return find(name) ?? tell(errors, path, `there is no environment variable "${name}", nor a credential of that name; `
      + `set it, or write $\${${name}} for the characters themselves`);
  } catch (error) {
    return tell(errors, path, (error as Error).message);
  }
}

function tell(errors: Finding[], path: Path, text: string): undefined {
  errors.push({ path, text });
}

function hideAll(message: string, hidden: ReadonlyMap<string, string>): string {
  for (const [value, written] of hidden) {
    const quoted = JSON.stringify(value);
    message = message.replaceAll(quoted, () => `"${written}"`).replaceAll(`"${value}"`, () => `"${written}"`);
    if (value.length >= LEAST_TELLING)
      message = message.replaceAll(value, () => written);
  }
  return message;
}
