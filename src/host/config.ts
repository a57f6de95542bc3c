/**
 * Reads and judges a configuration file: all that is wrong with it, each with its place, its path and what to write
 * instead. The form is described by config.schema.json; what a schema cannot say is in rules/.
 *
 * The contract is plain JSON, which is what a board understands. Comments and trailing commas are accepted here as
 * well, because people like them; `ringbridge check` says that they prevent a board from reading it.
 */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree,
  printParseErrorCode } from 'jsonc-parser';
import { completeConfiguration } from '../config/complete-configuration.ts';
import type { Configuration, ListenerConfiguration, PartialConfiguration } from '../config/configuration.ts';
import { PC_SIZES } from '../config/defaults.ts';
import { readText } from './config-file.ts';
import { formatPath } from '../config/schema-paths.ts';
import { judgeConfiguration } from '../rules/configuration-rules.ts';
import type { Finding, Path } from '../rules/findings.ts';
import { fillIn, lookUp, type Lookup } from './config-secrets.ts';
import { findFailedTests } from './config-tests.ts';
import { placeOf } from './text-place.ts';
import { describeDepth, describeForeignFile, describeSyntaxErrors, findBadKeys, findBadNumbers, findTooDeep } from './config-syntax.ts';
import { adviceForRange, describeViolation, type Schema } from './config-violations.ts';
import { warningsOf } from './config-warnings.ts';
import { printable } from './log.ts';
import { warnOfReaders } from './readers.ts';
import { warnOfSecurityFiles } from './security-warnings.ts';
import { portsOf } from './several-ports.ts';
import { type View, viewsOf } from './several-upstreams.ts';
import { isStoreItself, warnOfStoreFile } from './store-warnings.ts';
import { type WrittenKeys, writtenKeysOf } from './reload-causes.ts';

export interface LoadedConfiguration {
  /** With the first upstream. Undefined when there are errors. */
  readonly configuration: Configuration | undefined;
  /** Of each further listener: its port, protocol and certificates. */
  readonly listeners?: readonly ListenerConfiguration[];
  /** Name of the first upstream; empty: it has none. */
  readonly firstName?: string;
  /** For each further upstream. */
  readonly further?: readonly FurtherConfiguration[];
  /** What of it stands in the file. */
  readonly written?: WrittenKeys;
  /** `FILE:LINE:COLUMN: path: what is wrong; write ... instead`, in the order of the file. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Takes out of a text what was filled in for ${NAME}. */
  readonly hide?: (text: string) => string;
  /** What does not matter on this computer. */
  readonly notes: readonly string[];
}

/** Both src/host and dist/host, where the bundle lies, are two folders below the package. */
export const SCHEMA_FILE = new URL('../../src/config/config.schema.json', import.meta.url);

export const readSchema = (): Schema => JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as Schema;

export interface FurtherConfiguration {
  /** Of the upstream. */
  readonly name: string;
  readonly configuration: Configuration;
}

const ONE_UPSTREAM: Finding =
  { path: ['upstream'], text: 'a board has one upstream; write one object {...} instead of the list' };
const ONE_LISTENER: Finding =
  { path: ['listener'], text: 'a board has one listener; write one object {...} instead of the list' };

let validator: ValidateFunction | undefined;

/**
 * @param sizes defaults that replace those of a board
 * @returns what the file says, or errors; a file that cannot be read is one of them
 */
export function loadConfiguration(file: string, sizes: PartialConfiguration = PC_SIZES): LoadedConfiguration {
  const read = readText(file);
  return 'error' in read ? failed([printable(read.error)]) : judgeText(read.text, file, sizes);
}

/** What `loadConfiguration` says of a file with this text. */
export function judgeText(text: string, file: string, sizes: PartialConfiguration = PC_SIZES): LoadedConfiguration {
  const loaded = readConfiguration(text, file, sizes);
  const { configuration, hide = (line: string) => line, warnings } = loaded;
  if (configuration === undefined)
    return loaded;
  const isForBoard = sizes !== PC_SIZES; // store.path is no file there
  if (!isForBoard && isStoreItself(file, configuration))
    return failed([printable(`${file}: store.path: "${configuration.store.path}" is this configuration file; `
      + 'write the name of a file of its own instead')]);
  const ofListeners = (loaded.listeners ?? [])
    .flatMap(listener => warnOfSecurityFiles(file, { ...configuration, listener }));
  return { ...loaded, warnings: [...warnings, ...[...warnOfReaders(text, file, configuration),
    ...new Set([...warnOfSecurityFiles(file, configuration), ...ofListeners]),
    ...isForBoard ? [] : warnOfStoreFile(file, configuration)].map(line => hide(printable(line)))] };
}

/** @returns the values of a text and where they stand, or what is wrong with it as JSON */
export function parseText(text: string, file: string):
  { readonly root: Node } | { readonly errors: readonly string[] } {
  const tooDeep = findTooDeep(text);
  if (tooDeep !== undefined)
    return { errors: [describeDepth(text, file, tooDeep)] };
  const syntaxErrors: ParseError[] = [];
  const root = parseTree(text, syntaxErrors, { allowTrailingComma: true });
  if (root === undefined && isWithoutValue(syntaxErrors))
    return { errors: [`${file}:1:1: the file is empty; write {} instead for a configuration of defaults`] };
  if (syntaxErrors.length === 0 && root !== undefined)
    return { root };
  const foreign = describeForeignFile(text, file);
  return { errors: foreign === undefined ? describeSyntaxErrors(text, file, syntaxErrors) : [printable(foreign)] };
}

/**
 * @param file its name, for the messages @param sizes as for `loadConfiguration` @param find what ${NAME} stands for
 */
export function readConfiguration(
  text: string, file: string, sizes: PartialConfiguration = PC_SIZES, find: Lookup = lookUp,
): LoadedConfiguration {
  const parsed = parseText(text, file);
  if ('errors' in parsed)
    return failed(parsed.errors);
  const { root } = parsed;
  validator ??= new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(readSchema());
  const { errors: unfilled, hide, value } = fillIn(getNodeValue(root), find);
  validator(value);
  const schema = validator.schema as Schema;
  const violations = validator.errors ?? [];
  validator.errors = null; // they hold the whole configuration
  const adviseRange = (path: Path): string | undefined => {
    const at = schemaAt(schema, path);
    return [at.type].flat().some(type => type === 'number' || type === 'integer') ? adviceForRange(at) : undefined;
  };
  const findings = [...findBadKeys(root), ...findBadNumbers(root, text, adviseRange), ...unfilled];
  const written = (path: Path): string => textAt(text, root, path);
  const told = new Set(findings.map(({ path }) => formatPath(path)));
  const mistyped =
    new Set(violations.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath));
  findings.push(...violations.filter(({ instancePath, keyword }) => keyword === 'type' || !mistyped.has(instancePath))
    .slice(0, 2 * MOST_FINDINGS).map(violation => describeViolation(violation, schema, written))
    .filter(({ path }) => !told.has(formatPath(path))));

  // Judge what is left when everything of a wrong form is taken away, so that all errors are told at once.
  if (!violations.some(violation => violation.instancePath === '' && violation.keyword === 'type')) {
    const partial = withoutMinusZero(value) as PartialConfiguration & { $schema?: string };
    prune(partial, violations);
    delete partial.$schema;
    const ports = portsOf(partial);
    const { findings: ofNames, views } = viewsOf(ports.whole);
    const parts = views.map(view => ({ ...view, configuration: completeConfiguration(view.value, sizes) }));
    const { configuration } = parts[0]!;
    const others = ports.further.map(port => ({ ...port, configuration: completeConfiguration(port.value, sizes) }));
    const errors = [...ofNames, ...ports.findings,
      ...parts.length > 1 && sizes !== PC_SIZES ? [ONE_UPSTREAM] : [],
      ...others.length > 0 && sizes !== PC_SIZES ? [ONE_LISTENER] : [],
      ...placed(parts.flatMap(part => placed(judgeConfiguration(part.configuration, part.value), part)), ports),
      ...others.flatMap(port => placed(judgeConfiguration(port.configuration, port.value), port))];
    const isConsequence = ({ path }: Finding): boolean =>
      findings.some(other => path.every((step, index) => other.path[index] === step));
    findings.push(...errors.filter(error => !isConsequence(error)));
    if (findings.length === 0)
      findings.push(...findFailedTests(configuration, partial.tests ?? []));
    if (findings.length === 0) {
      const isInFile = (path: Path): boolean => path.at(-2) === 'address' ? written(path) !== ''
        : path.at(-1) !== 'password' || !written(path).includes('${');
      const warnings = [
        ...placed(parts.flatMap(part => placed(warningsOf(part.configuration), part)), ports)
          .filter(({ path }) => path.length > 1 || path[0] !== 'topic' || partial.topic === undefined
            || partial.topic.length === 0),
        ...others.flatMap(port => placed(warningsOf(port.configuration), port)),
      ].filter(({ path }) => isInFile(path));
      const warned = describe(warnings, 'warning: ', text, file, root).map(hide);
      const notes = notesOn(text, file);
      const further = parts.slice(1).map(part => ({ name: part.name, configuration: part.configuration }));
      const listeners = others.map(port => port.configuration.listener);
      return { configuration, firstName: parts[0]!.name, further, hide, listeners,
        written: writtenKeysOf(parts[0]!.value), errors: [], warnings: warned, notes };
    }
  }
  return failed(describe(findings, '', text, file, root).map(hide));
}

/** In the file, as far as they are this part's to find. */
function placed(findings: readonly Finding[],
  { place, wordsOf = text => text }: Pick<View, 'place'> & Partial<Pick<View, 'wordsOf'>>): Finding[] {
  return findings.flatMap(finding => {
    const path = place(finding.path);
    return path === undefined ? [] : [{ ...finding, path, text: wordsOf(finding.text) }];
  });
}

/** A file with more is told no more. */
const MOST_FINDINGS = 200;

/** There is nothing but space and comments. */
const isWithoutValue = ([first, second]: readonly ParseError[]): boolean =>
  first !== undefined && second === undefined && first.length === 0
    && printParseErrorCode(first.error) === 'ValueExpected';

const failed = (errors: readonly string[]): LoadedConfiguration =>
  ({ configuration: undefined, errors, warnings: [], notes: [] });

function describe(all: readonly Finding[], prefix: string, text: string, file: string, root: Node): string[] {
  const findings = all.slice(0, MOST_FINDINGS);
  const more = all.length - findings.length;
  const lines = findings
    .map(({ offset, path, text: message }) => ({
      offset: offset ?? offsetOf(root, path),
      message: `${prefix}${path.length === 0 ? '' : `${formatPath(path)}: `}${message}`,
    }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ message, offset }) => printable(`${file}:${placeOf(text, offset)}: ${message}`));
  return more === 0 ? lines : [...lines, printable(`${file}: ${more} more mistakes are not told; correct these first`)];
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

/** What the file has as the value at `path`. */
function textAt(text: string, root: Node, path: Path): string {
  const node = findNodeAtLocation(root, [...path]);
  return node === undefined ? '' : text.slice(node.offset, node.offset + node.length);
}

function schemaAt(schema: Schema, path: Path): Schema {
  return path.reduce<Schema>((at, step) => {
    const inner = (typeof step === 'number' ? at.items : at.properties?.[step]) ?? {};
    return typeof step === 'number' && inner.properties === undefined && at.properties !== undefined ? at : inner;
  }, schema);
}

/** JSON has a 0 of either sign, and nobody means the other one. */
function withoutMinusZero(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(withoutMinusZero);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutMinusZero(inner)]));
  return value === 0 ? 0 : value;
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

/** An entry that should be an object becomes an empty one, so that others keep their places; else its list goes too. */
function removeAt(root: unknown, steps: readonly string[], isObject: boolean): void {
  type Container = Record<string, unknown> | undefined;
  const last = steps.at(-1)!;
  const outer = steps.slice(0, -1);
  const container = outer.reduce((value, step) => (value as Container)?.[step], root) as Container;
  if (Array.isArray(container) && !isObject)
    removeAt(root, outer, false);
  else if (Array.isArray(container))
    container[Number(last)] = {};
  else if (container !== undefined)
    delete container[last];
}

function notesOn(text: string, file: string): string[] {
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [`${file}: note: comments and trailing commas are fine on a computer; a board needs plain JSON`];
  }
}
