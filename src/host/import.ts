/**
 * `ringbridge import`: makes a configuration of a mosquitto.conf, and says what is not in it. What it makes is judged
 * as by `ringbridge check`; a value that is refused is left out, and said.
 */
import { parseTree, findNodeAtLocation, getLocation } from 'jsonc-parser';
import { relative, dirname } from 'node:path';
import { memoryMap } from './board-memory.ts';
import { writeCommented } from './commented-json.ts';
import { readConfiguration, readSchema } from './config.ts';
import { importConnection } from './import-bridge.ts';
import { Draft } from './import-draft.ts';
import { lastOf, type Line, type MosquittoFile, readMosquittoFile, wordsOf } from './import-lines.ts';
import { denyAll } from './import-people.ts';
import { importListener } from './import-listener.ts';
import type { Path } from '../rules/findings.ts';

/** Of values that depend on one another; each attempt mends all that is found. */
const ATTEMPTS = 20;
/** Bytes that are worth a line. */
const MUCH_MEMORY = 100_000_000;
const MISTAKE = /^made:(\d+):(\d+): (?:[^ ]+: )?(.*)$/s;

export interface ImportOptions {
  /** Of several: by name and by port. */
  readonly connection?: string | undefined;
  readonly listener?: string | undefined;
  /** JSON without comments, as a board reads it. */
  readonly isPlain: boolean;
}

export type Imported = { readonly text: string; readonly remarks: readonly string[] }
  | { readonly errors: readonly string[] };

export function importFile(file: string, options: ImportOptions): Imported {
  const read = readMosquittoFile(file);
  if (read.errors.length > 0)
    return { errors: read.errors };
  const draft = new Draft(readSchema());
  const error = takeConnection(draft, read, options.connection) ?? takeListener(draft, read, options.listener);
  if (error !== undefined)
    return { errors: [`${file}: ${error}`] };
  const mistakes = mend(draft);
  remarkOnMemory(draft);
  return mistakes.length > 0 ? { errors: mistakes }
    : { text: textOf(draft, file, options.isPlain), remarks: draft.lines() };
}

const nameOf = ({ value }: Line): string => wordsOf(value)[0] ?? '';

/** @returns what is wrong with `wanted` */
function takeConnection(draft: Draft, { connections, stray }: MosquittoFile, wanted: string | undefined):
  string | undefined {
  const chosen = wanted === undefined ? connections[0] : connections.find(({ opening }) => nameOf(opening!) === wanted);
  if (wanted !== undefined && chosen === undefined)
    return `there is no connection "${wanted}"; ${connections.length === 0 ? 'there is none at all'
      : `write one of ${connections.map(({ opening }) => `"${nameOf(opening!)}"`).join(', ')}`}`;
  if (chosen !== undefined)
    importConnection(draft, chosen.opening!, chosen.lines);
  for (const { opening } of connections)
    if (opening !== chosen?.opening)
      draft.remark(opening!, 'lost', `"${nameOf(opening!)}": a gateway has one broker; import it with --connection ${nameOf(opening!)} for a gateway of its own`);
  for (const line of stray)
    draft.remark(line, 'lost', 'stands before the first "connection", so it is about none; move it, and import again');
  return undefined;
}

const WEBSOCKETS = 'websockets';

/** Why a listener cannot be had here. */
function objectionTo(opening: Line | undefined, lines: readonly Line[]): string | undefined {
  const protocol = lastOf(lines, 'protocol');
  if (protocol !== undefined && protocol.value !== 'mqtt' && protocol.value !== WEBSOCKETS)
    return `it speaks "${protocol.value}"; let its clients use a listener of "mqtt" or "websockets"`;
  return opening !== undefined && wordsOf(opening.value)[0] === '0' ? 'it is a socket of the file system; let its clients use a port' : undefined;
}

/** Keys, and values, for which Mosquitto does not open the listener that has no line `listener`. */
const OPENS_NOTHING: Readonly<Record<string, RegExp>> = Object.freeze({
  allow_anonymous: /./, protocol: /^mqtt$/, tls_version: /./, tls_keyform: /./, tls_engine: /./, max_connections: /^-1$/, max_qos: /^2$/,
  allow_zero_length_clientid: /^true$/, require_certificate: /^false$/, use_identity_as_username: /^false$/,
  use_subject_as_username: /^false$/, use_username_as_clientid: /^false$/,
});

const opensListener = ({ key, value }: Line): boolean => !(OPENS_NOTHING[key]?.test(value) ?? false);

function takeListener(draft: Draft, { global, listeners }: MosquittoFile, wanted: string | undefined):
  string | undefined {
  const [implicit, ...others] = listeners;
  const isImplicitUsed = implicit!.lines.some(opensListener);
  const all = isImplicitUsed ? [...others, implicit!] : others;
  const portOf = ({ lines, opening }: typeof all[number]): string =>
    wordsOf((opening ?? lastOf(lines, 'port'))?.value ?? '1883')[0] ?? '';
  const possible = all.filter(section => objectionTo(section.opening, section.lines) === undefined);
  const chosen = wanted !== undefined ? all.find(section => portOf(section) === wanted)
    : possible.find(({ lines }) => lastOf(lines, 'protocol')?.value !== WEBSOCKETS) ?? possible[0];
  if (wanted !== undefined && chosen === undefined)
    return `there is no listener "${wanted}"; write one of ${all.map(portOf).join(', ')}`;
  for (const section of all) {
    const { lines, opening } = section;
    if (section !== chosen)
      draft.remark(opening ?? { ...lines[0]!, key: 'listener' }, 'lost', `${portOf(section)}: ${objectionTo(opening, lines)
        ?? `a gateway has one listener; import it with --listener ${portOf(section)} for a gateway of its own, or let its nodes use the other one`}`);
  }
  if (!isImplicitUsed && others.length > 0)
    for (const line of implicit!.lines)
      draft.remark(line, 'needless', 'it is about a listener without a line "listener", and Mosquitto opens none for it alone');
  importListener(draft, chosen?.opening, chosen?.lines ?? implicit!.lines, global, all.length === 0);
  return undefined;
}

/** Mosquitto takes memory when a message comes, a gateway at the start. */
function remarkOnMemory(draft: Draft): void {
  const place = draft.placeOf(['listener', 'max_packet_size']);
  const { configuration } = readConfiguration(JSON.stringify(draft.value), 'made');
  if (configuration === undefined || place === undefined)
    return;
  const bytes = memoryMap(configuration).reduce((sum, { count, length }) => sum + count * length, 0);
  if (bytes > MUCH_MEMORY)
    draft.remark({ ...place, key: 'max_packet_size' }, 'other', `messages of ${configuration.listener.max_packet_size} bytes for `
      + `${configuration.listener.max_connections} nodes take ${Math.round(bytes / 1e6)} MB of memory from the start on; lower `
      + 'listener.max_packet_size and max_queued_bytes, or max_connections, if nobody sends such messages');
}

/** Leaves out what is refused. @returns what could not be mended, which is a defect of this program */
function mend(draft: Draft): readonly string[] {
  let errors: readonly string[] = [];
  for (let left = ATTEMPTS; left > 0; --left) {
    const text = JSON.stringify(draft.value, undefined, 1);
    ({ errors } = readConfiguration(text, 'made'));
    if (errors.length === 0)
      return [];
    // From the end, so that entries of lists keep their places until it is their turn.
    for (const error of [...errors].reverse())
      mendOne(draft, text, error);
  }
  return errors;
}

function mendOne(draft: Draft, text: string, error: string): void {
  const [, line = '1', column = '1', what = error] = MISTAKE.exec(error) ?? [];
  const offset = text.split('\n').slice(0, Number(line) - 1).reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1;
  const found = getLocation(text, offset + 1).path;
  const [, section = '', key = ''] = /: ([a-z_]+)\.([a-z_]+): /.exec(error) ?? [];
  const least = Number(/write (\d+) or more/.exec(what)?.[1] ?? NaN);
  if (least > 0 && section !== '') { // it follows from another key, and need not have been written
    draft.set([section, key], least, draft.placeOf([section, key]));
    return;
  }
  const path: Path = typeof found[1] === 'number' || found.length === 1 ? found.slice(0, 2) : found.slice(0, typeof found[2] === 'number' ? 3 : 2);
  const root = parseTree(text)!;
  const place = draft.placeOf(path) ?? draft.placeOf(path.slice(0, 2)) ?? { file: 'mosquitto.conf', number: 0 };
  if (findNodeAtLocation(root, [...path]) === undefined)
    return;
  draft.remove(path);
  const source = { ...place, key: String(path[typeof path.at(-1) === 'number' ? path.length - 2 : path.length - 1]) };
  draft.remark(source, 'lost', what);
  if (path[1] === 'acl' && ((draft.get(['listener', 'acl']) ?? []) as unknown[]).length === 0)
    denyAll(draft, source);
}

function textOf(draft: Draft, file: string, isPlain: boolean): string {
  if (isPlain)
    return `${JSON.stringify(draft.value, undefined, 2)}\n`;
  const { value } = draft;
  const order = ['name', 'log_level', 'upstream', 'listener', 'topic', 'store'];
  const ordered = Object.fromEntries(order.filter(key => value[key] !== undefined).map(key => [key, value[key]]));
  return writeCommented(ordered, {
    behind: path => {
      const place = draft.placeOf(path);
      return place === undefined ? undefined : `${relative(dirname(file), place.file)}:${place.number}`;
    },
  }, [`Made by "ringbridge import" of ${file}: behind each value stands the line that it is from.`,
    'Keys that are not here have their defaults: see config.schema.json.']);
}
