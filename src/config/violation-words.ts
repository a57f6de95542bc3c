/**
 * What is wrong with a value or a text, and what to write instead, from the table of the schema. Never repeats the
 * value of a password. Words are made only for a configuration that is refused.
 */
import { nearest } from './nearest-key.ts';
import { isAddress } from './upstream-address.ts';
import { ARRAY, BOOLEAN, INTEGER, NUMBER, OBJECT, SCHEMA_TABLE, type SchemaRow, STRING } from './schema-table.ts';

/** In the order of their bits. */
const TYPE_NAMES: readonly string[] = Object.freeze([
  'a text in double quotes', 'a whole number', 'a number', 'true or false', 'a list [...]', 'an object {...}', 'null',
]);

/** A value as the validator has found it. */
export interface FoundValue {
  /** One bit of the table. */
  readonly type: number;
  /** Meaning of a string, else what is written; of a container nothing. */
  readonly text: string;
  readonly isSecret: boolean;
}

function typeNames({ types }: SchemaRow): string {
  return TYPE_NAMES.filter((_, bit) => (types & 1 << bit) !== 0).join(' or ');
}

export function describeType(row: SchemaRow, value: FoundValue): string {
  const isFraction = value.type === NUMBER && (row.types & INTEGER) !== 0;
  return `must be ${typeNames(row)}, not ${isFraction ? value.text : typeNames({ types: value.type })}; `
    + adviceForType(row, value);
}

export function describeChoice({ choices }: SchemaRow, { text, type }: FoundValue): string {
  return `${shown(text, type)} is not known here; write ${choices!.join(' or ')} instead`;
}

function shown(text: string, type: number): string {
  switch (type) {
    case STRING: return JSON.stringify(text);
    case NUMBER: return JSON.stringify(Number(text));
    case ARRAY: return '[...]';
    case OBJECT: return '{...}';
    default: return text;
  }
}

/** @param written of a number of the right type: it is out of range, infinite, or vanishes */
export function describeRange(row: SchemaRow, written: string): string {
  const value = Number(written);
  if (!Number.isFinite(value))
    return `${written} is ${value < 0 ? 'smaller' : 'larger'} than any number here; ${adviceForRange(row)}`;
  if (vanishes(written))
    return `${written} is so small that it would be 0; write 0 or a larger number instead`;
  return `${written} is too ${value < row.minimum! ? 'small' : 'large'}; ${adviceForRange(row)}`;
}

/** Whether it is 0 though it is not written so, as 1e-400 is. */
export const vanishes = (written: string): boolean => Number(written) === 0 && /^[^e]*[1-9]/i.test(written);

const adviceForRange = ({ maximum, minimum }: SchemaRow): string =>
  `write a number from ${minimum} to ${maximum} instead`;

/** The nearest number that would be accepted. */
function adviceForNumber(row: SchemaRow, value: number): string {
  const near = (row.types & INTEGER) === 0 ? value : Math.round(value);
  return near >= (row.minimum ?? -Infinity) && near <= (row.maximum ?? Infinity) ? `write ${near} instead`
    : adviceForRange(row);
}

export const describeShortness = (row: SchemaRow): string => `must not be empty; ${adviceByExample(row)}`;

export const describeLength = ({ maxLength }: SchemaRow): string =>
  `is too long; write at most ${maxLength} characters instead`;

export function describeCount(row: SchemaRow, count: number): string {
  return `has too ${count < (row.minItems ?? 0) ? 'few' : 'many'} entries; ${adviceByExample(row)}`;
}

export const describeAbsence = (key: string): string => `the key "${key}" is missing; write it as well`;

export const REPETITION = 'this key is there twice; write it once instead';

/** @param row of the object that has no such key */
export function describeUnknownKey(key: string, row: SchemaRow): string {
  const known = row.keys!.filter(name => !name.startsWith('$'));
  const meant = nearest(key, known);
  if (meant !== undefined)
    return `there is no such key; write "${meant}" instead`;
  const elsewhere: string[] = [];
  collectPaths(key, SCHEMA_TABLE[0]!, '', elsewhere);
  return elsewhere.length > 0
    ? `there is no such key; it belongs elsewhere: write ${elsewhere.join(' or ')} instead`
    : `there is no such key; remove it, or write one of these instead: ${known.join(', ')}`;
}

function collectPaths(key: string, row: SchemaRow, path: string, paths: string[]): void {
  row.keys?.forEach((name, index) => {
    const inner = path === '' ? name : `${path}.${name}`;
    const child = SCHEMA_TABLE[row.first! + index]!;
    if (name === key)
      paths.push(inner);
    collectPaths(key, child, inner, paths);
    if (child.items !== undefined)
      collectPaths(key, SCHEMA_TABLE[child.items]!, `${inner}[]`, paths);
  });
}

function adviceForType(row: SchemaRow, { isSecret, text, type }: FoundValue): string {
  if (isSecret)
    return adviceByExample(row);
  const { types } = row;
  const number = Number(text);
  if ((types & STRING) !== 0 && (type === NUMBER || type === BOOLEAN) && !String(number).includes('+')) // a wildcard
    return `write "${type === NUMBER ? String(number) : text}" instead`;
  if ((types & (INTEGER | NUMBER)) !== 0 && type === STRING && text.trim() !== '' && !Number.isNaN(number))
    return adviceForNumber(row, number);
  if ((types & INTEGER) !== 0 && type === NUMBER)
    return adviceForNumber(row, number);
  if ((types & BOOLEAN) !== 0 && type === STRING && (text === 'true' || text === 'false'))
    return `write ${text} instead`;
  if ((types & ARRAY) !== 0 && row.items !== undefined && SCHEMA_TABLE[row.items]!.types === type
    && (row.minItems ?? 0) <= 1 && (type !== STRING || isAddress(text))) // the only texts of a list
    return `write [${shown(text, type)}] instead`;
  return adviceByExample(row);
}

function adviceByExample(row: SchemaRow): string {
  if (row.example !== undefined)
    return `write for example ${row.example} instead`;
  return row.types === 0 ? 'remove it' : `write ${typeNames(row)} instead`;
}

/** What may be wrong with a text that is to be JSON. */
export const INVALID_SYMBOL = 0;
export const VALUE_MISSING = 1;
export const KEY_MISSING = 2;
export const COLON_MISSING = 3;
export const COMMA_MISSING = 4;
export const BRACE_MISSING = 5;
export const BRACKET_MISSING = 6;
export const MORE_THAN_ONE = 7;
export const STRING_WITHOUT_END = 8;
export const INVALID_ESCAPE = 9;
export const INVALID_CHARACTER = 10;
export const INVALID_NUMBER = 11;
export const EMPTY = 12;
/** What a computer accepts, and a board does not. */
export const INVALID_UTF8 = 13;
export const COMMENTED = 14;
export const TRAILING_COMMA = 15;
export const TOO_DEEP = 16;

/** What other languages call a number. */
const NEARLY_NUMBERS = /^(?:[+-]?(?:NaN|Infinity|inf)|[+.]?[0-9])/i;

/** What may be repeated as it is: marks of JSON, and words of other languages. */
const HARMLESS = /^(?:[^]|true|false|null|none|nil|undefined|yes|no|on|off|[+-]?(?:nan|infinity|inf))$/i;

function isKey(text: string): boolean {
  for (const { keys } of SCHEMA_TABLE)
    if (keys !== undefined && keys.includes(text))
      return true;
  return false;
}

/**
 * Where quotes are missing nobody knows what is a key and what a password: only what this program knows is repeated,
 * of anything else the first character. @param found the token at a place; empty at the end
 */
export function shownToken(found: string): string {
  if (found === '')
    return 'the end of the file';
  const isKnown = HARMLESS.test(found) || isKey(found) || found.startsWith('"') && isKey(found.slice(1, -1));
  return JSON.stringify(isKnown ? found : `${String.fromCodePoint(found.codePointAt(0)!)}...`);
}

/** @param found the token at that place; empty at the end */
export function describeSyntax(error: number, found: string): string {
  const what = shownToken(found);
  switch (error) {
    case INVALID_SYMBOL:
      if (NEARLY_NUMBERS.test(found))
        return `${what} is no number of JSON; write one like 10 or 0.5 instead`;
      return `${what} is no JSON; write text in double quotes instead, or true, false, null or a number`;
    case VALUE_MISSING: return `found ${what} where a value is missing; write one instead`;
    case KEY_MISSING: return `found ${what}; write a key in double quotes instead`;
    case COLON_MISSING: return `found ${what}; write ":" between a key and its value`;
    case COMMA_MISSING: return `found ${what}; write "," in front of it`;
    case BRACE_MISSING: return `found ${what}; write "}" for a "{" that is still open`;
    case BRACKET_MISSING: return `found ${what}; write "]" for a "[" that is still open`;
    case MORE_THAN_ONE: return `found ${what} after the end of the configuration; write one object {...} only`;
    case STRING_WITHOUT_END: return 'this text has no end; write a double quote after it';
    case INVALID_ESCAPE: return 'a backslash that means nothing; write \\\\ for a backslash';
    case INVALID_CHARACTER: return 'a control character within a text; write it as an escape like \\n or \\t instead';
    case EMPTY: return 'the file is empty; write {} instead for a configuration of defaults';
    case INVALID_UTF8: return 'this text is not UTF-8; save the file in UTF-8 instead';
    case COMMENTED: return 'a comment; a board needs plain JSON, write none instead';
    case TRAILING_COMMA: return 'a comma after the last entry; a board needs plain JSON, write none instead';
    case TOO_DEEP: return 'too many brackets within each other; write fewer instead';
    default: return `found ${what}, which is no JSON; write {} for a configuration of defaults`;
  }
}

