/**
 * Reads and judges a configuration file: all that is wrong with it, each with its place, its path and what to write
 * instead. The form is described by config.schema.json; what a schema cannot say is in config-rules.ts.
 *
 * The contract is plain JSON, which is what a board understands. Comments and trailing commas are accepted here as well,
 * because people like them; `ringbridge check` says that they are in the way of a board.
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { completeConfiguration, type Configuration, type PartialConfiguration, PC_SIZES } from '../config/configuration.ts';
import { judgeConfiguration } from './config-rules.ts';
import { describeViolation, type Schema } from './config-violations.ts';
import { messageOf, printable } from './log.ts';

/** Keys and indices from the root of the file. */
export type Path = readonly (string | number)[];

/** Something wrong, or worth a warning, at a place of the configuration. */
export interface Finding {
  readonly path: Path;
  readonly text: string;
}

export interface LoadedConfiguration {
  /** Undefined when there are errors. */
  readonly configuration: Configuration | undefined;
  /** `FILE:LINE:COLUMN: path: what is wrong; write ... instead`, in the order of the file. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** What does not matter on this computer. */
  readonly notes: readonly string[];
}

/** Both src/host and dist/host, where the bundle lies, are two folders below the package. */
export const SCHEMA_FILE = new URL('../../src/config/config.schema.json', import.meta.url);

export const readSchema = (): Schema => JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as Schema;

let validator: ValidateFunction | undefined;

/**
 * @param sizes defaults that replace those of a board
 * @returns what the file says, or errors; a file that cannot be read is one of them
 */
export function loadConfiguration(file: string, sizes: PartialConfiguration = PC_SIZES): LoadedConfiguration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return failed([`${file}: ${isMissing ? 'there is no such file; write the path of a configuration file instead' : `cannot be read: ${messageOf(error)}`}`]);
  }
  return readConfiguration(text.replace(/^\uFEFF/, ''), file, sizes);
}

/** @param file its name, for the messages @param sizes as for `loadConfiguration` */
export function readConfiguration(text: string, file: string, sizes: PartialConfiguration = PC_SIZES): LoadedConfiguration {
  const syntaxErrors: ParseError[] = [];
  const root = parseTree(text, syntaxErrors, { allowTrailingComma: true });
  if (text.trim() === '')
    return failed([`${file}:1:1: the file is empty; write {} instead for a configuration of defaults`]);
  if (syntaxErrors.length > 0 || root === undefined)
    return failed(describeSyntaxErrors(text, file, syntaxErrors));

  const findings = [...findDuplicates(root, [])];
  const raw = getNodeValue(root) as unknown;
  validator ??= new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(readSchema());
  validator(raw);
  const violations = validator.errors ?? [];
  findings.push(...violations.map(violation => describeViolation(violation, validator!.schema as Schema)));

  // Judge what is left when everything of a wrong form is taken away, so that all errors are told at once.
  if (!violations.some(violation => violation.instancePath === '' && violation.keyword === 'type')) {
    const partial = getNodeValue(root) as PartialConfiguration & { $schema?: string };
    prune(partial, violations);
    delete partial.$schema;
    const configuration = completeConfiguration(partial, sizes);
    const { errors, warnings } = judgeConfiguration(configuration, partial);
    const isConsequence = ({ path }: Finding): boolean => findings.some(other => path.every((step, index) => other.path[index] === step));
    findings.push(...errors.filter(error => !isConsequence(error)));
    if (findings.length === 0)
      return { configuration, errors: [], warnings: describe(warnings, 'warning: ', text, file, root), notes: notesOn(text, file) };
  }
  return failed(describe(findings, '', text, file, root));
}

const failed = (errors: readonly string[]): LoadedConfiguration => ({ configuration: undefined, errors, warnings: [], notes: [] });

function describe(findings: readonly Finding[], prefix: string, text: string, file: string, root: Node): string[] {
  return findings
    .map(({ path, text: message }) => ({ offset: offsetOf(root, path), message: `${prefix}${path.length === 0 ? '' : `${formatPath(path)}: `}${message}` }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ message, offset }) => printable(`${file}:${placeOf(text, offset)}: ${message}`));
}

/** Of the key, if the file has it, else of what would contain it. */
function offsetOf(root: Node, path: Path): number {
  for (let length = path.length; length > 0; --length) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node !== undefined)
      return length === path.length && node.parent?.type === 'property' ? node.parent.offset : node.offset;
  }
  return root.offset;
}

/** `line:column`, from 1. */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

export function formatPath(path: Path): string {
  return path.map((step, index) => typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`).join('');
}

function* findDuplicates(node: Node, path: Path): Generator<Finding> {
  const seen = new Set<string>();
  for (const [index, child] of (node.children ?? []).entries()) {
    if (node.type !== 'object') {
      yield* findDuplicates(child, [...path, index]);
      continue;
    }
    const [key, value] = child.children!;
    const name = key!.value as string;
    if (seen.has(name))
      yield { path: [...path, name], text: 'this key is there twice; write it once instead' };
    seen.add(name);
    if (value !== undefined)
      yield* findDuplicates(value, [...path, name]);
  }
}

/** Takes away the values that violate the schema. */
function prune(root: unknown, violations: readonly ErrorObject[]): void {
  for (const { instancePath, keyword, params, parentSchema } of violations) {
    if (keyword === 'required')
      continue;
    const steps = instancePath.split('/').slice(1).map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (keyword === 'additionalProperties')
      removeAt(root, [...steps, (params as { additionalProperty: string }).additionalProperty], false);
    else
      removeAt(root, steps, (parentSchema as Schema).type === 'object');
  }
}

/** An entry that should be an object becomes an empty one, so that the others keep their indices; else its list goes too. */
function removeAt(root: unknown, steps: readonly string[], isObject: boolean): void {
  const last = steps.at(-1)!;
  const outer = steps.slice(0, -1);
  const container = outer.reduce((value, step) => (value as Record<string, unknown> | undefined)?.[step], root) as Record<string, unknown> | undefined;
  if (Array.isArray(container) && !isObject)
    removeAt(root, outer, false);
  else if (Array.isArray(container))
    container[Number(last)] = {};
  else if (container !== undefined)
    delete container[last];
}

/** One per line: what follows on the same line mostly follows from it. */
function describeSyntaxErrors(text: string, file: string, errors: readonly ParseError[]): string[] {
  const lines = new Map<string, string>();
  for (const [index, { error, length, offset }] of errors.entries()) {
    if (printParseErrorCode(error) === 'ValueExpected' && index > 0 && printParseErrorCode(errors[index - 1]!.error) === 'InvalidSymbol')
      continue; // the symbol should have been the value
    const place = placeOf(text, offset);
    const [line] = place.split(':');
    if (!lines.has(line!))
      lines.set(line!, printable(`${file}:${place}: ${describeSyntaxError(printParseErrorCode(error), text.slice(offset, offset + Math.min(length, 20)))}`));
  }
  return [...lines.values()];
}

function describeSyntaxError(error: string, found: string): string {
  const what = found === '' ? 'the end of the file' : JSON.stringify(found);
  switch (error) {
    case 'InvalidSymbol': return `${what} is no JSON; write text in double quotes instead, or true, false, null or a number`;
    case 'InvalidNumberFormat': return `${what} is no number; write one like 10 or 0.5 instead`;
    case 'PropertyNameExpected': return `found ${what}; write a key in double quotes instead`;
    case 'ValueExpected': return `found ${what} where a value is missing; write one instead`;
    case 'ColonExpected': return `found ${what}; write ":" between a key and its value`;
    case 'CommaExpected': return `found ${what}; write "," in front of it`;
    case 'CloseBraceExpected': return `found ${what}; write "}" for a "{" that is still open`;
    case 'CloseBracketExpected': return `found ${what}; write "]" for a "[" that is still open`;
    case 'EndOfFileExpected': return `found ${what} behind the end of the configuration; write one object {...} only`;
    case 'UnexpectedEndOfString': return 'this text has no end; write a double quote behind it';
    case 'UnexpectedEndOfComment': return 'this comment has no end; write */ behind it';
    case 'InvalidUnicode':
    case 'InvalidEscapeCharacter': return 'a backslash that means nothing; write \\\\ for a backslash';
    case 'InvalidCharacter': return 'a control character within a text; write it as an escape like \\n or \\t instead';
    default: return `found ${what}, which is no JSON; write {} for a configuration of defaults`;
  }
}

function notesOn(text: string, file: string): string[] {
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [`${file}: note: comments and trailing commas are fine on a computer; a board needs plain JSON`];
  }
}
