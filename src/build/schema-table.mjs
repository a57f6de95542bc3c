/**
 * Makes the table from which a board validates a stored configuration, src/config/schema-table.ts, out of
 * src/config/config.schema.json. A keyword that the board's validator does not know is refused here, so that the two
 * cannot drift apart. Run by the build; `node src/build/schema-table.mjs` writes the table anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SCHEMA = new URL('../config/config.schema.json', import.meta.url);
const TABLE = new URL('../config/schema-table.ts', import.meta.url);

/** In the order in which a message names them. */
const TYPES = { string: 1, integer: 2, number: 4, boolean: 8, array: 16, object: 32, null: 64 };
/** Say nothing about the form. */
const REMARKS = ['$schema', '$id', 'title', 'description', 'default', 'examples', 'definitions', '$defs'];
const LIMITS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];
const KNOWN = [
  ...REMARKS, ...LIMITS, 'type', 'enum', 'properties', 'required', 'additionalProperties', 'items', '$ref',
];
/** As many as the validator can remember of one object. */
const MOST_KEYS = 62;
const WIDTH = 118;

/** @returns the text of src/config/schema-table.ts @throws Error when the validator could not keep to the schema */
export function makeSchemaTable(schema) {
  const rows = [];
  const pending = [[schema, '']];
  for (let index = 0; index < pending.length; ++index) // a row's children follow each other, which needs this order
    rows.push(makeRow(schema, pending[index], pending));
  return `${HEADER}export const SCHEMA_TABLE: readonly SchemaRow[] = Object.freeze([\n${rows.join('')}]);\n`;
}

function makeRow(root, [schema, path], pending) {
  const resolved = onlyOne(schema.$ref === undefined ? schema : { ...definition(root, schema.$ref), ...schema });
  const unknown = Object.keys(resolved).find(keyword => !KNOWN.includes(keyword));
  if (unknown !== undefined)
    throw new Error(`${path}: the board's validator does not know the keyword "${unknown}" of the schema`);
  const fields = [`types: ${typesOf(resolved, path)}`];
  const children = Object.entries(resolved.properties ?? {});
  if (children.length > MOST_KEYS || children.length > 0 && resolved.additionalProperties !== false)
    throw new Error(`${path}: an object has at most ${MOST_KEYS} keys, and "additionalProperties": false`);
  if (children.length > 0) {
    fields.push(`keys: ${frozen(children.map(([key]) => key))}`, `first: ${pending.length}`);
    pending.push(...children.map(([key, child]) => [child, path === '' ? key : `${path}.${key}`]));
  }
  if (resolved.items !== undefined) {
    fields.push(`items: ${pending.length}`);
    pending.push([resolved.items, `${path}[]`]);
  }
  if (resolved.required !== undefined)
    fields.push(`required: ${frozen(resolved.required)}`);
  if (resolved.enum !== undefined)
    fields.push(`choices: ${frozen(resolved.enum.map(choice => JSON.stringify(choice)))}`);
  fields.push(...LIMITS.filter(limit => resolved[limit] !== undefined).map(limit => `${limit}: ${resolved[limit]}`));
  const example = resolved.examples?.[0] ?? resolved.default;
  if (example !== undefined && example !== '' && example !== null)
    fields.push(`example: ${quoted(JSON.stringify(example))}`);
  return `${path === '' ? '' : `  // ${path}\n`}${wrapped(`  Object.freeze({ ${fields.join(', ')} }),`)}\n`;
}

/** What may be one object or a list of such is one on a board. */
function onlyOne(schema) {
  if (!Array.isArray(schema.type) || !schema.type.includes('array') || !schema.type.includes('object'))
    return schema;
  const { items, maxItems, minItems, ...rest } = schema;
  return { ...rest, type: 'object' };
}

/** Broken after commas that a space follows, of which examples have none. */
function wrapped(text) {
  const lines = [''];
  for (const part of text.split(/(?<=, )/)) {
    if (lines.at(-1).length + part.length > WIDTH)
      lines.push('    ');
    lines[lines.length - 1] += part;
  }
  return lines.map(line => line.trimEnd()).join('\n');
}

function typesOf({ type = [] }, path) {
  const names = [type].flat();
  const bits = names.map(name => TYPES[name]);
  if (bits.some((bit, index) => bit === undefined || index > 0 && bit < bits[index - 1]))
    throw new Error(`${path}: types are named in the order ${Object.keys(TYPES).join(', ')}`);
  return bits.reduce((sum, bit) => sum | bit, 0);
}

function definition(root, reference) {
  const steps = reference.split('/');
  const found = steps.slice(1).reduce((value, step) => value?.[step], root);
  if (steps[0] !== '#' || found === undefined)
    throw new Error(`there is no ${reference} in the schema`);
  return found;
}

const quoted = text => `'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`;
const frozen = texts => `Object.freeze([${texts.map(quoted).join(', ')}])`;

const HEADER = `/**
 * What config.schema.json says, for the validator of a board: made from it by src/build/schema-table.mjs, which the
 * build runs. Row 0 is the whole file.
 */
/* eslint max-lines: "off" -- a generated table is as long as the schema */

export const STRING = ${TYPES.string};
export const INTEGER = ${TYPES.integer};
export const NUMBER = ${TYPES.number};
export const BOOLEAN = ${TYPES.boolean};
export const ARRAY = ${TYPES.array};
export const OBJECT = ${TYPES.object};
export const NULL = ${TYPES.null};

export interface SchemaRow {
  /** Which may stand here; 0: any. */
  readonly types: number;
  /** Of an object. Their rows follow each other. */
  readonly keys?: readonly string[];
  /** Row of the first of them. */
  readonly first?: number;
  readonly required?: readonly string[];
  /** Row of the entries of a list. */
  readonly items?: number;
  /** As JSON. */
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** As JSON: what a message proposes. */
  readonly example?: string;
}

`;

export const schemaTableOfToday = () => makeSchemaTable(JSON.parse(readFileSync(SCHEMA, 'utf8')));

/** Writes the table if it is another one now. */
export function updateSchemaTable() {
  const text = schemaTableOfToday();
  let present;
  try {
    present = readFileSync(TABLE, 'utf8');
  } catch { /* it is to be made */ }
  if (present !== text)
    writeFileSync(fileURLToPath(TABLE), text);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  updateSchemaTable();
