/**
 * Reads a mosquitto.conf as Mosquitto does: lines of a key and a value, files of `include_dir` in their place, and
 * which listener or connection a line is about. Knows nothing of what keys mean here.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { readText } from './config-file.ts';

/** A line of a file: FILE:NUMBER. */
export interface Place {
  readonly file: string;
  readonly number: number;
}

export interface Line extends Place {
  readonly key: string;
  /** Without space at either end; it may hold some. */
  readonly value: string;
}

/** A listener or a connection, and the lines that belong to it. */
interface Section {
  /** `listener 1883` or `connection NAME`; undefined: the listener that Mosquitto has without a line. */
  readonly opening: Line | undefined;
  readonly lines: Line[];
}

export interface MosquittoFile {
  /** All but what belongs to one listener or one connection. */
  readonly global: readonly Line[];
  /** The first one has no `opening`. */
  readonly listeners: readonly Section[];
  readonly connections: readonly Section[];
  /** Lines about a connection where there is none yet. */
  readonly stray: readonly Line[];
  /** `FILE: what is wrong`. */
  readonly errors: readonly string[];
}

const LISTENER_KEYS: ReadonlySet<string> = new Set([
  'bind_address', 'bind_interface', 'cafile', 'capath', 'certfile', 'ciphers', 'ciphers_tls1.3', 'crlfile', 'dhparamfile',
  'http_dir', 'keyfile', 'max_connections', 'max_qos', 'max_topic_alias', 'max_topic_alias_broker', 'mount_point', 'port',
  'protocol', 'psk_hint', 'require_certificate', 'socket_domain', 'tls_engine', 'tls_engine_kpass_sha1', 'tls_keyform',
  'tls_version', 'use_identity_as_username', 'use_subject_as_username', 'use_username_as_clientid', 'websockets_origin',
]);

/** About one listener where `per_listener_settings` says so. */
const SECURITY_KEYS: ReadonlySet<string> = new Set([
  'acl_file', 'allow_anonymous', 'allow_zero_length_clientid', 'auth_plugin', 'auth_plugin_deny_special_chars',
  'auto_id_prefix', 'clientid_prefixes', 'password_file', 'plugin', 'psk_file',
]);

const CONNECTION_KEYS: ReadonlySet<string> = new Set([
  'address', 'addresses', 'clean_session', 'cleansession', 'clientid', 'idle_timeout', 'keepalive_interval',
  'local_cleansession', 'local_clientid', 'local_password', 'local_username', 'notification_topic', 'notifications',
  'notifications_local_only', 'password', 'remote_clientid', 'remote_password', 'remote_username', 'restart_timeout',
  'round_robin', 'start_type', 'threshold', 'topic', 'try_private', 'username',
]);

const isOfConnection = (key: string): boolean => CONNECTION_KEYS.has(key) || key.startsWith('bridge_');

export const wordsOf = (value: string): string[] => value.split(/[ \t]+/).filter(word => word !== '');

/** Of several lines Mosquitto takes the last one. */
export const lastOf = (lines: readonly Line[], key: string): Line | undefined =>
  lines.filter(line => line.key === key).at(-1);

/** The lines of a text that say something. @param splits whether a line begins with a key */
export function linesOf(text: string, file: string, splits = true): Line[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    const [, key = '', value = ''] = (splits ? /^(\S+)(?:[ \t]+(.*))?$/ : /^()(.*)$/).exec(line) ?? [];
    return line === '' || line.startsWith('#') ? [] : [{ file, number: index + 1, key, value: value.trim() }];
  });
}

/**
 * A file that another one names: as Mosquitto would find it, else beside that one, where somebody has copied both.
 * @returns undefined when it is in neither place
 */
export function findBeside(name: string, file: string): string | undefined {
  const folder = dirname(file);
  return name === '' ? undefined : [name, ...isAbsolute(name) ? [] : [join(folder, name)], join(folder, basename(name))]
    .find(each => existsSync(each));
}

export function readMosquittoFile(file: string): MosquittoFile {
  const errors: string[] = [];
  const all = readAll(file, true, errors);
  const isPerListener = all.some(({ key, value }) => key === 'per_listener_settings' && value === 'true');
  const global: Line[] = [];
  const stray: Line[] = [];
  const listeners: Section[] = [{ opening: undefined, lines: [] }];
  const connections: Section[] = [];
  for (const line of all) {
    const { key } = line;
    if (key === 'listener')
      listeners.push({ opening: line, lines: [] });
    else if (key === 'connection')
      connections.push({ opening: line, lines: [] });
    else if (LISTENER_KEYS.has(key) || isPerListener && SECURITY_KEYS.has(key))
      listeners.at(-1)!.lines.push(line);
    else if (isOfConnection(key))
      (connections.at(-1)?.lines ?? stray).push(line);
    else
      global.push(line);
  }
  return { global, listeners, connections, stray, errors };
}

function readAll(file: string, mayInclude: boolean, errors: string[]): Line[] {
  const read = readText(file);
  if ('error' in read) {
    errors.push(read.error);
    return [];
  }
  return linesOf(read.text, file).flatMap(line =>
    line.key === 'include_dir' && mayInclude ? readFolder(line, errors) : [line]);
}

/** Files of an included folder include no others. */
function readFolder({ file, number, value }: Line, errors: string[]): Line[] {
  const folder = findBeside(value, file);
  try {
    return readdirSync(folder ?? value).filter(name => name.endsWith('.conf')).sort(compareNames)
      .flatMap(name => readAll(join(folder ?? value, name), false, errors));
  } catch {
    errors.push(`${file}:${number}: include_dir: "${value}" is no folder that can be read; copy it beside ${file}`);
    return [];
  }
}

/** Alphabetical, of two letters the large one first. */
function compareNames(one: string, other: string): number {
  const [left, right] = [one.toLowerCase(), other.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : one < other ? -1 : 1;
}
