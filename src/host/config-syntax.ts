/**
 * What is wrong with a configuration file as JSON, before anybody asks what its keys mean. Of the text
 * only what this program knows is repeated: see `shownToken`.
 */
import { createScanner, type Node, type ParseError, printParseErrorCode } from 'jsonc-parser';
import type { Finding, Path } from '../rules/findings.ts';
import { shownToken } from '../config/violation-words.ts';
import { placeOf } from './text-place.ts';
import { printable } from './log.ts';

/** Of lists and objects in one another. A configuration has five; readers of JSON that recurse have an end. */
const DEEPEST = 30;
/** What other languages call a number. */
const NEARLY_NUMBERS = /^(?:[+-]?(?:NaN|Infinity|inf)|[+.]?[0-9])/i;
/** @returns the offset of the first bracket that is one too deep, undefined when there is none */
export function findTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenLength() > 0; scanner.scan()) {
    const first = text[scanner.getTokenOffset()]!;
    if ('[{'.includes(first) && ++depth > DEEPEST)
      return scanner.getTokenOffset();
    if (']}'.includes(first))
      --depth;
  }
  return undefined;
}

export const describeDepth = (text: string, file: string, offset: number): string =>
  `${file}:${placeOf(text, offset)}: too many brackets within each other; write fewer instead`;

/** Keys that are there twice, of which readers of JSON take either, and the one that is no key for JavaScript. */
export function* findBadKeys(node: Node, path: Path = []): Generator<Finding> {
  const seen = new Set<string>();
  for (const [index, child] of (node.children ?? []).entries()) {
    if (node.type !== 'object') {
      yield* findBadKeys(child, [...path, index]);
      continue;
    }
    const [key, value] = child.children!;
    const name = key!.value as string;
    if (seen.has(name))
      yield { path: [...path, name], text: 'this key is there twice; write it once instead', offset: child.offset };
    else if (name === '__proto__')
      yield { path: [...path, name], text: 'there is no such key; remove it', offset: child.offset };
    seen.add(name);
    if (value !== undefined)
      yield* findBadKeys(value, [...path, name]);
  }
}

/**
 * Numbers that do not arrive as they are written. @param advise what to write at a place instead; undefined: no
 * number belongs there
 */
export function* findBadNumbers(
  node: Node, text: string, advise: (path: Path) => string | undefined, path: Path = [],
): Generator<Finding> {
  if (node.type === 'number') {
    const value = node.value as number;
    const { offset } = node.parent?.type === 'property' ? node.parent : node;
    const written = text.slice(node.offset, node.offset + node.length);
    const advice = advise(path);
    if (advice === undefined)
      return;
    if (!Number.isFinite(value))
      yield { path, text: `${written} is ${value < 0 ? 'smaller' : 'larger'} than any number here; ${advice}`, offset };
    else if (value === 0 && /[1-9]/.test(written.replace(/e.*/i, '')))
      yield { path, text: `${written} is so small that it would be 0; write 0 or a larger number instead`, offset };
  }
  for (const [index, child] of (node.children ?? []).entries()) {
    const [key, value] = child.children ?? [];
    if (node.type !== 'object')
      yield* findBadNumbers(child, text, advise, [...path, index]);
    else if (value !== undefined)
      yield* findBadNumbers(value, text, advise, [...path, key!.value as string]);
  }
}

/** Keys with which a mosquitto.conf begins, and what is on such a line. */
const MOSQUITTO_LINE = /^(?:#.*\n|\s)*(?:acl_file|allow_anonymous|connection|include_dir|listener|log_\w+|max_\w+|password_file|per_listener_settings|persistence\w*|pid_file|port|user)[ \t]+[^\s:]/;

/** @returns what to do with a file that is no JSON because it is Mosquitto's; undefined: it is not */
export const describeForeignFile = (text: string, file: string): string | undefined => MOSQUITTO_LINE.test(text)
  ? `${file}:1:1: this is a configuration of Mosquitto; write "ringbridge import ${file} > gateway.json" instead, and use that file` : undefined;

/** One per line: what follows on the same line mostly follows from it. */
export function describeSyntaxErrors(text: string, file: string, errors: readonly ParseError[]): string[] {
  const lines = new Map<string, string>();
  for (const [index, { error, length, offset }] of errors.entries()) {
    const last = index > 0 ? printParseErrorCode(errors[index - 1]!.error) : '';
    if (printParseErrorCode(error) === 'ValueExpected' && last === 'InvalidSymbol')
      continue; // the symbol should have been the value
    const place = placeOf(text, offset);
    const [line] = place.split(':');
    const found = text.slice(offset, offset + length);
    if (!lines.has(line!))
      lines.set(line!, printable(`${file}:${place}: ${describeSyntaxError(printParseErrorCode(error), found)}`));
  }
  return [...lines.values()];
}

function describeSyntaxError(error: string, found: string): string {
  const what = shownToken(found);
  switch (error) {
    case 'InvalidSymbol':
      if (NEARLY_NUMBERS.test(found))
        return `${what} is no number of JSON; write one like 10 or 0.5 instead`;
      return `${what} is no JSON; write text in double quotes instead, or true, false, null or a number`;
    case 'InvalidNumberFormat': return `${what} is no number; write one like 10 or 0.5 instead`;
    case 'PropertyNameExpected': return `found ${what}; write a key in double quotes instead`;
    case 'ValueExpected': return `found ${what} where a value is missing; write one instead`;
    case 'ColonExpected': return `found ${what}; write ":" between a key and its value`;
    case 'CommaExpected': return `found ${what}; write "," in front of it`;
    case 'CloseBraceExpected': return `found ${what}; write "}" for a "{" that is still open`;
    case 'CloseBracketExpected': return `found ${what}; write "]" for a "[" that is still open`;
    case 'EndOfFileExpected': return `found ${what} after the end of the configuration; write one object {...} only`;
    case 'UnexpectedEndOfString': return 'this text has no end; write a double quote after it';
    case 'UnexpectedEndOfComment': return 'this comment has no end; write */ after it';
    case 'InvalidUnicode':
    case 'InvalidEscapeCharacter': return 'a backslash that means nothing; write \\\\ for a backslash';
    case 'InvalidCharacter': return 'a control character within a text; write it as an escape like \\n or \\t instead';
    default: return `found ${what}, which is no JSON; write {} for a configuration of defaults`;
  }
}
