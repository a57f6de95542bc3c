/**
 * What a schema finds wrong, in words for the author of the file: what is wrong, and what to write instead. Never
 * repeats the value of a password.
 */
import type { ErrorObject } from 'ajv';
import { FOREIGN_KEYS, FOREIGN_KEYS_OF } from './foreign-keys.ts';
import { nearest } from '../config/nearest-key.ts';
import { isSecretKey } from '../config/schema-paths.ts';
import { isAddress } from '../config/upstream-address.ts';
import type { Finding, Path } from '../rules/findings.ts';

/** The part of JSON Schema that config.schema.json uses. */
export interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly [keyword: string]: unknown;
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text in double quotes', integer: 'a whole number', number: 'a number', boolean: 'true or false',
  array: 'a list [...]', object: 'an object {...}', null: 'null',
};

/**
 * @param root the whole schema, to find keys that stand in the wrong object
 * @param written what the file has at a place
 */
export function describeViolation(violation: ErrorObject, root: Schema, written: (path: Path) => string): Finding {
  const path = pathOf(violation.instancePath);
  const schema = violation.parentSchema as Schema;
  const params = violation.params as Record<string, unknown>;
  const value: unknown = violation.data;
  switch (violation.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      return { path: [...path, key], text: `there is no such key; ${adviceForKey(key, schema, root, path)}` };
    }
    case 'required':
      return { path, text: `the key "${String(params.missingProperty)}" is missing; write it as well` };
    case 'type':
      return {
        path,
        text: `must be ${typeNames(schema)}, not ${typeof value === 'number' && typesOf(schema).includes('integer') ? written(path)
          : NAMES[typeOf(value)]}; `
          + adviceForType(value, schema, isSecret(path)),
      };
    case 'enum': {
      const choices = schema.enum!.map(choice => JSON.stringify(choice)).join(' or ');
      return { path, text: `${shown(value)} is not known here; write ${choices} instead` };
    }
    case 'minimum':
    case 'maximum': {
      const how = violation.keyword === 'minimum' ? 'small' : 'large';
      return { path, text: `${written(path)} is too ${how}; ${adviceForRange(schema)}` };
    }
    case 'minLength':
      return { path, text: `must not be empty; ${adviceByExample(schema)}` };
    case 'maxLength':
      return { path, text: `is too long; write at most ${String(params.limit)} characters instead` };
    case 'minItems':
      return { path, text: `has too few entries; ${adviceByExample(schema)}` };
    case 'maxItems':
      return { path, text: `has too many entries; ${adviceByExample(schema)}` };
    default:
      return { path, text: `${violation.message ?? 'is wrong'}; ${adviceByExample(schema)}` };
  }
}

/** Steps of a JSON Pointer; what looks like an index is one, for no key does. */
function pathOf(pointer: string): (string | number)[] {
  return pointer.split('/').slice(1)
    .map(step => /^[0-9]+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As JSON; not what is in a list or an object, which may be secret. */
const shown = (value: unknown): string => Array.isArray(value) ? '[...]'
  : typeof value === 'object' && value !== null ? '{...}' : JSON.stringify(value);

const isSecret = (path: Finding['path']): boolean => isSecretKey(path.at(-1));

const typeOf = (value: unknown): string => value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

const typesOf = ({ type }: Schema): readonly string[] => typeof type === 'string' ? [type] : type ?? [];

/** What may be a list of objects as well is one, for whoever has to be told. */
const typeNames = (schema: Schema): string => typesOf(schema)
  .filter((type, _index, all) => type !== 'array' || !all.includes('object')).map(type => NAMES[type]).join(' or ');

function adviceForType(value: unknown, schema: Schema, secret: boolean): string {
  const types = typesOf(schema);
  const isText = typeof value === 'string';
  if (!secret) {
    if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')
      && !String(value).includes('+')) // a wildcard
      return `write "${String(value)}" instead`;
    const isNumeric = types.includes('integer') || types.includes('number');
    if (isNumeric && isText && value.trim() !== '' && !Number.isNaN(Number(value)))
      return adviceForNumber(Number(value), schema);
    if (types.includes('integer') && typeof value === 'number')
      return adviceForNumber(value, schema);
    if (types.includes('boolean') && (value === 'true' || value === 'false'))
      return `write ${value} instead`;
    if (types.includes('array') && typeOf(value) === schema.items?.type && Number(schema.minItems ?? 0) <= 1
      && (!isText || isAddress(value))) // the only texts of a list
      return `write [${shown(value)}] instead`;
  }
  return adviceByExample(schema);
}

/** The nearest number that would be accepted. */
function adviceForNumber(value: number, schema: Schema): string {
  const { maximum = Infinity, minimum = -Infinity } = schema;
  const near = typesOf(schema).includes('integer') ? Math.round(value) : value;
  return near >= minimum && near <= maximum ? `write ${near} instead` : adviceForRange(schema);
}

/** For a number of the wrong size. */
export const adviceForRange = ({ maximum, minimum }: Schema): string =>
  `write a number from ${minimum} to ${maximum} instead`;

function adviceByExample(schema: Schema): string {
  const example = schema.examples?.[0] ?? schema.default;
  if (example !== undefined && example !== '' && example !== null)
    return `write for example ${JSON.stringify(example)} instead`;
  return schema.type === undefined ? 'remove it' : `write ${typeNames(schema)} instead`;
}

function adviceForKey(key: string, schema: Schema, root: Schema, path: Path): string {
  const known = Object.keys(schema.properties ?? {}).filter(name => !name.startsWith('$'));
  const here = FOREIGN_KEYS_OF[path.filter(step => typeof step === 'string').join('.')] ?? {};
  if (Object.hasOwn(here, key))
    return here[key]!;
  if (Object.hasOwn(FOREIGN_KEYS, key))
    return FOREIGN_KEYS[key]!;
  const meant = nearest(key, known);
  if (meant !== undefined)
    return `write "${meant}" instead`;
  const elsewhere = [...pathsOf(key, root, '')];
  if (elsewhere.length > 0)
    return `it belongs elsewhere: write ${elsewhere.join(' or ')} instead`;
  return `remove it, or write one of these instead: ${known.join(', ')}`;
}

function* pathsOf(key: string, schema: Schema, path: string): Generator<string> {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const innerPath = path === '' ? name : `${path}.${name}`;
    if (name === key)
      yield innerPath;
    yield* pathsOf(key, inner, innerPath);
    if (inner.items !== undefined)
      yield* pathsOf(key, inner.items, `${innerPath}[]`);
  }
}
