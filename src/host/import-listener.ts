/** Of a mosquitto.conf: the listener, limits, the store and the log. */
import { join } from 'node:path';
import { isIPv4, isIPv6 } from '../rules/ip-address.ts';
import { booleanOf } from './import-bridge.ts';
import type { Draft } from './import-draft.ts';
import { lastOf, type Line, wordsOf } from './import-lines.ts';
import { importIdentities, importRights, importUsers } from './import-people.ts';
import { remarkOnKey } from './import-reasons.ts';

const LISTENER = 'listener';
const WEBSOCKETS = 'websockets';
const STORE_FILE = 'ringbridge.store';
/** Topic, identifier and header of a message whose payload `message_size_limit` is about. */
const AROUND_PAYLOAD = 1024;
const SECONDS: Readonly<Record<string, number>> =
  Object.freeze({ h: 3600, d: 86_400, w: 604_800, m: 2_592_000, y: 31_536_000 });

type Take = (draft: Draft, line: Line) => void;

const numberOf = ({ value }: Line): number => Number(wordsOf(value)[0] ?? NaN);

const text = (key: string): Take => (draft, line) => draft.set([LISTENER, key], line.value, line);
const boolean = (key: string): Take => (draft, line) => {
  const value = booleanOf(draft, line);
  if (value !== undefined)
    draft.set([LISTENER, key], value, line);
};
/** @param unlimited what Mosquitto writes for no limit */
const number = (path: readonly string[], unlimited?: number): Take => (draft, line) => {
  const value = numberOf(line);
  if (value === unlimited)
    draft.remark(line, 'other', `there is always a limit; write ${path.join('.')} if that of this program is too low`);
  else
    draft.setNumber(path, value, line);
};

/** Keys of one listener. */
const OF_LISTENER: Readonly<Record<string, Take>> = Object.freeze<Record<string, Take>>({
  bind_address: (draft, line) => takeAddress(draft, line, line.value),
  cafile: text('cafile'),
  certfile: text('certfile'),
  keyfile: text('keyfile'),
  max_connections: number([LISTENER, 'max_connections'], -1),
  mount_point: () => {}, // of its users
  port: (draft, line) => draft.setNumber([LISTENER, 'port'], numberOf(line), line),
  psk_hint: () => {}, // makes it a listener with pre-shared keys
  protocol: (draft, line) => {
    if (line.value === WEBSOCKETS)
      draft.set([LISTENER, 'protocol'], WEBSOCKETS, line);
  },
  require_certificate: boolean('require_certificate'),
  socket_domain: (draft, line) => {
    if (draft.get([LISTENER, 'address']) === '::' && line.value === 'ipv4')
      draft.set([LISTENER, 'address'], '0.0.0.0', line);
  },
  tls_version: (draft, line) => {
    if (line.value === 'tlsv1.2' || line.value === 'tlsv1.3')
      draft.set([LISTENER, 'tls_version'], line.value, line);
    else
      draft.remark(line, 'other', 'TLS is spoken from 1.2 on, which is used; nodes that know no better one cannot connect');
  },
  use_identity_as_username: boolean('use_identity_as_username'),
  websockets_origin: () => {}, // all together
});

/** Pages that may connect: those that are named there, and of this computer only where Mosquitto lets in any. */
function importOrigins(draft: Draft, lines: readonly Line[]): void {
  const origins = lines.filter(({ key }) => key === 'websockets_origin');
  const [last] = origins.slice(-1);
  const protocol = lastOf(lines, 'protocol');
  if (protocol?.value !== WEBSOCKETS)
    for (const line of origins)
      draft.remark(line, 'needless', 'the listener that is carried is not within WebSocket');
  else if (last !== undefined)
    draft.set([LISTENER, 'websockets_origin'], origins.map(({ value }) => value), last);
  else
    draft.remark(protocol, 'other', 'Mosquitto lets in every web page that a browser has loaded, and here only those of this computer may connect; write the origins '
      + 'of others into listener.websockets_origin');
}

/** Keys of all listeners, or of the program. */
const GLOBAL: Readonly<Record<string, Take>> = Object.freeze<Record<string, Take>>({
  acl_file: () => {}, // when the users are known
  allow_anonymous: boolean('allow_anonymous'),
  log_type: () => {}, // all together
  max_inflight_messages: (draft, line) => {
    number([LISTENER, 'max_inflight_messages'], 0)(draft, line);
    if (numberOf(line) > 0)
      draft.setNumber(['upstream', 'max_inflight_messages'], numberOf(line), line);
  },
  max_keepalive: number([LISTENER, 'max_keepalive']),
  max_packet_size: number([LISTENER, 'max_packet_size'], 0),
  max_queued_bytes: number([LISTENER, 'max_queued_bytes'], 0),
  max_queued_messages: number([LISTENER, 'max_queued_messages'], 0),
  max_topic_alias: number([LISTENER, 'max_topic_alias']),
  message_size_limit: (draft, line) => {
    if (numberOf(line) > 0 && draft.get([LISTENER, 'max_packet_size']) === undefined)
      draft.setNumber([LISTENER, 'max_packet_size'], numberOf(line) + AROUND_PAYLOAD, line);
  },
  password_file: () => {}, // before the rights
  per_listener_settings: () => {}, // has been looked at
  persistence: (draft, line) => {
    if (booleanOf(draft, line) === true)
      draft.set(['store', 'durability'], 'flash', line);
  },
  persistence_file: (draft, line) => draft.remark(line, 'other', 'what is in it is not read; let Mosquitto send it before you change over, and see store.path'),
  persistence_location: () => {}, // matters with persistence only
  persistent_client_expiration: (draft, line) => {
    const [, count, unit = 'd'] = /^(\d+)([hdwmy])$/.exec(line.value) ?? [];
    draft.setNumber([LISTENER, 'persistent_client_expiration'], Number(count ?? NaN) * SECONDS[unit]!, line);
  },
  psk_file: text('psk_file'),
  set_tcp_nodelay: (draft, line) => {
    const value = booleanOf(draft, line);
    if (value !== undefined)
      draft.set(['upstream', 'bridge_tcp_nodelay'], value, line);
  },
  sys_interval: number([LISTENER, 'sys_interval']),
});

function takeAddress(draft: Draft, line: Line, address: string): void {
  const meant = address === 'localhost' ? '127.0.0.1' : address;
  if (isIPv4(meant) || isIPv6(meant))
    draft.set([LISTENER, 'address'], meant, line);
  else {
    draft.set([LISTENER, 'address'], '127.0.0.1', line);
    draft.remark(line, 'lost', `"${address}" is no IP address, so only this computer is listened to; write the address that it stands for as listener.address`);
  }
}

/**
 * @param opening its line `listener`; undefined: the one that Mosquitto has without
 * @param lines its own @param global those of the program
 * @param isAlone there is no line of Mosquitto's about any listener
 */
export function importListener(
  draft: Draft, opening: Line | undefined, lines: readonly Line[], global: readonly Line[], isAlone: boolean,
): void {
  draft.set([LISTENER, 'port'], 1883);
  // Mosquitto listens on both families, or without any listener on this computer only, where everybody may connect.
  draft.set([LISTENER, 'address'], isAlone ? '127.0.0.1' : '::');
  draft.set([LISTENER, 'allow_anonymous'], isAlone);
  if (opening !== undefined) {
    const [port, address] = wordsOf(opening.value);
    draft.setNumber([LISTENER, 'port'], Number(port), opening);
    if (address !== undefined)
      takeAddress(draft, opening, address);
  }
  for (const line of [...global, ...lines]) {
    const take = OF_LISTENER[line.key] ?? GLOBAL[line.key];
    if (take === undefined)
      remarkOnKey(draft, line);
    else
      take(draft, line);
  }
  const last = (key: string): Line | undefined => lastOf([...global, ...lines], key);
  importOrigins(draft, lines);
  importStore(draft, last('persistence_location'));
  importLog(draft, global.filter(({ key }) => key === 'log_type'));
  finishSecurity(draft, opening, last('psk_file'), last('psk_hint'));
  importPeople(draft, last);
  const isSaid = ['allow_anonymous', 'password_file', 'psk_file', 'use_identity_as_username']
    .some(key => last(key) !== undefined);
  const people = last('password_file') ?? last('allow_anonymous');
  if (isAlone && people !== undefined)
    draft.remark(people, 'other', 'without a line "listener" Mosquitto 2 is there for this computer only, and so is the gateway; versions before were there for '
      + 'all; write "address": "0.0.0.0" in listener if nodes come from elsewhere');
  if (!isAlone && !isSaid)
    draft.remark(opening ?? { ...lines[0]!, key: 'listener' }, 'other', 'without allow_anonymous and password_file Mosquitto 2 lets no node in, and versions before '
      + 'let in everybody; write entries of listener.users, or "allow_anonymous": true in listener');
}

function importStore(draft: Draft, location: Line | undefined): void {
  if (location === undefined)
    return;
  if (draft.get(['store', 'durability']) !== 'flash') {
    draft.remark(location, 'needless', 'without "persistence true" nothing is kept there');
    return;
  }
  draft.set(['store', 'path'], join(location.value, STORE_FILE), location);
  draft.remark(location, 'other', 'the gateway\'s user must be able to write there; write another store.path if it is not');
}

/** @param last line of a key */
function importPeople(draft: Draft, last: (key: string) => Line | undefined): void {
  const [passwords, rights, mount] = [last('password_file'), last('acl_file'), last('mount_point')];
  const isByIdentity = draft.get([LISTENER, 'use_identity_as_username']) === true;
  if (passwords !== undefined)
    importUsers(draft, passwords, mount?.value);
  const allowsAnonymous = draft.get([LISTENER, 'allow_anonymous']) === true;
  if (mount !== undefined && (allowsAnonymous || passwords === undefined))
    draft.remark(mount, 'lost', 'it is written for each user, and nodes without user have none; give them one in listener.users, with "mount_point"');
  const keys = draft.get([LISTENER, 'psk_file']) === undefined ? undefined : last('psk_file');
  if (isByIdentity && keys !== undefined)
    importIdentities(draft, keys);
  if (rights !== undefined)
    importRights(draft, rights, allowsAnonymous, isByIdentity);
  if (isByIdentity && keys === undefined)
    draft.remark(last('use_identity_as_username')!, 'other', 'Mosquitto lets in whoever has a certificate; here the name in it must be a user of listener.users, '
      + 'which acl_file names only in part; write { "username": "..." } for each other one');
}

/** CAs are named there for nodes that need show nothing; here nodes are asked then. */
function finishSecurity(draft: Draft, opening: Line | undefined, keys: Line | undefined, hint: Line | undefined): void {
  if (keys !== undefined && hint === undefined) {
    draft.remove([LISTENER, 'psk_file']);
    draft.remark(keys, 'needless', 'without psk_hint the listener has no pre-shared keys');
  }
  const place = draft.placeOf([LISTENER, 'cafile']) ?? opening;
  const isAsked = draft.get([LISTENER, 'require_certificate']) === true;
  if (draft.get([LISTENER, 'cafile']) === undefined || isAsked || place === undefined)
    return;
  draft.remove([LISTENER, 'cafile']);
  draft.remark({ ...place, key: 'cafile' }, 'needless', 'nodes need no certificate (require_certificate), so they are not asked for one');
}

/** The least important of the types that are logged. */
function importLog(draft: Draft, lines: readonly Line[]): void {
  const types = lines.flatMap(({ value }) => wordsOf(value));
  const [last] = lines.slice(-1);
  const has = (...words: readonly string[]): boolean => types.some(type => words.includes(type));
  const level = has('debug', 'all') ? 'debug' : has('information', 'notice', 'subscribe', 'unsubscribe') ? 'info'
    : has('warning') ? 'warning' : 'error';
  if (last !== undefined && level !== 'info')
    draft.set(['log_level'], level, last);
}
