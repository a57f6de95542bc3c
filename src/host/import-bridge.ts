/** Of a mosquitto.conf: a connection to another broker, which becomes `upstream` and the topic rules. */
import { isAddress } from '../config/upstream-address.ts';
import { isIPv6 } from '../rules/ip-address.ts';
import type { Draft } from './import-draft.ts';
import { type Line, wordsOf } from './import-lines.ts';
import { remarkOnKey } from './import-reasons.ts';

/** Characters of `name`. */
const LONGEST_NAME = 64;
/** Where a system keeps the CAs that it trusts. */
const SYSTEM_FOLDER = /^\/etc\/(?:ssl|pki\/tls)\/certs\/?$/;

const UPSTREAM = 'upstream';

type Take = (draft: Draft, line: Line, key: string) => void;

const text: Take = (draft, line, key) => draft.set([UPSTREAM, key], line.value, line);
const number: Take = (draft, line, key) => draft.setNumber([UPSTREAM, key], Number(wordsOf(line.value)[0]), line);

/** @returns undefined, which has been said, unless it is one */
export function booleanOf(draft: Draft, line: Line): boolean | undefined {
  const [word = ''] = wordsOf(line.value);
  if (/^(?:true|1)$/.test(word))
    return true;
  if (/^(?:false|0)$/.test(word))
    return false;
  draft.remark(line, 'lost', 'is neither true nor false; correct it there, and import again');
  return undefined;
}

const boolean: Take = (draft, line, key) => {
  const value = booleanOf(draft, line);
  if (value !== undefined)
    draft.set([UPSTREAM, key], value, line);
};

/** By name; what is called the same is taken as it is. */
const TAKEN: Readonly<Record<string, readonly [key: string, take: Take]>> = Object.freeze({
  bridge_alpn: ['bridge_alpn', text],
  bridge_attempt_unsubscribe: ['bridge_attempt_unsubscribe', boolean],
  bridge_cafile: ['bridge_cafile', text],
  bridge_certfile: ['bridge_certfile', text],
  bridge_identity: ['bridge_identity', text],
  bridge_insecure: ['bridge_insecure', boolean],
  bridge_keyfile: ['bridge_keyfile', text],
  bridge_max_packet_size: ['bridge_max_packet_size', number],
  bridge_psk: ['bridge_psk', text],
  clean_session: ['cleansession', boolean],
  cleansession: ['cleansession', boolean],
  clientid: ['remote_clientid', text],
  keepalive_interval: ['keepalive_interval', number],
  notification_topic: ['notification_topic', text],
  notifications_local_only: ['notifications_local_only', boolean],
  password: ['remote_password', text],
  remote_clientid: ['remote_clientid', text],
  remote_password: ['remote_password', text],
  remote_username: ['remote_username', text],
  username: ['remote_username', text],
});

export function importConnection(draft: Draft, opening: Line, lines: readonly Line[]): void {
  const [name = ''] = wordsOf(opening.value);
  draft.set(['name'], name.slice(0, LONGEST_NAME), opening);
  if (name.length > LONGEST_NAME)
    draft.remark(opening, 'other', `a name has at most ${LONGEST_NAME} characters`);
  draft.set([UPSTREAM, 'address'], []);
  // As Mosquitto does where nothing is said.
  draft.set([UPSTREAM, 'notifications'], true);
  for (const line of lines)
    importLine(draft, line);
  if (draft.get([UPSTREAM, 'remote_clientid']) === undefined)
    draft.remark(opening, 'other', `without remote_clientid Mosquitto calls itself "HOST.${name}" at the broker; here it is "${name}", so the `
      + 'broker\'s session and rights for the old name do not count; write upstream.remote_clientid to keep it');
  finishAddresses(draft, opening, lines);
  finishUser(draft, opening);
}

function importLine(draft: Draft, line: Line): void {
  const taken = Object.hasOwn(TAKEN, line.key) ? TAKEN[line.key] : undefined;
  if (taken !== undefined)
    taken[1](draft, line, taken[0]);
  else if (Object.hasOwn(SPECIAL, line.key))
    SPECIAL[line.key]!(draft, line);
  else
    remarkOnKey(draft, line);
}

const SPECIAL: Readonly<Record<string, (draft: Draft, line: Line) => void>> = Object.freeze({
  address: takeAddresses,
  addresses: takeAddresses,
  bridge_capath: (draft, line) => {
    if (!SYSTEM_FOLDER.test(line.value))
      draft.remark(line, 'lost', 'a folder of CAs is not read; put them into one file, and write that as upstream.bridge_cafile');
  },
  bridge_protocol_version: (draft, line) => {
    if (line.value === 'mqttv31' || line.value === 'mqttv311' || line.value === 'mqttv50')
      text(draft, line, 'bridge_protocol_version');
    else
      draft.remark(line, 'other', 'there is no such version; 3.1.1 is used');
  },
  bridge_tls_use_os_certs: () => {},
  bridge_tls_version: (draft, line) => {
    if (line.value === 'tlsv1.2' || line.value === 'tlsv1.3')
      text(draft, line, 'bridge_tls_version');
    else
      draft.remark(line, 'other', 'TLS is spoken from 1.2 on, which is used; if the broker has no better one, let it be renewed');
  },
  notifications: (draft, line) => {
    const value = booleanOf(draft, line);
    if (value === false)
      draft.remove([UPSTREAM, 'notifications']); // is so by default
    else if (value === true)
      draft.set([UPSTREAM, 'notifications'], true, line);
  },
  restart_timeout: (draft, line) => {
    const [base = NaN, cap = base] = wordsOf(line.value).slice(0, 2).map(Number);
    if (base > 0 && cap >= base)
      draft.set([UPSTREAM, 'restart_timeout'], [base, cap], line);
    else
      draft.remark(line, 'lost', 'is no time, or the shorter one is not first; write upstream.restart_timeout, for example [5, 30]');
  },
  round_robin: () => {}, // is what is done; without it there is a line about the addresses
  start_type: (draft, line) => {
    if (line.value !== 'automatic')
      draft.remark(line, 'other', 'the connection to the broker is always kept, and made again when it is lost');
  },
  topic: takeRule,
  try_private: (draft, line) => {
    if (booleanOf(draft, line) === true)
      draft.remark(line, 'other', 'the broker is not told that this is a bridge: it sends back what a rule of direction "both" has brought, '
        + 'and forwards changes of retained messages without RETAIN; use rules of "out" and "in" with different topics if that matters');
  },
});

/** A first word that begins with "#" is a Topic Filter. */
const withoutComment = (words: readonly string[]): readonly string[] =>
  words.slice(0, words.findIndex((word, index) => index > 0 && word.startsWith('#')) >>> 0);

/** `host`, `host:port`, `[::1]:port`, an address of IPv6. */
function takeAddresses(draft: Draft, line: Line): void {
  const list = draft.get([UPSTREAM, 'address']) as string[];
  for (const word of withoutComment(wordsOf(line.value))) {
    const host = isIPv6(word) ? `[${word}]` : word;
    if (isAddress(`mqtt://${host}`))
      list.push(`mqtt://${host}`);
    else
      draft.remark(line, 'lost', `"${word}" is no address of a broker; write one like mqtt://host:1883 in upstream.address`);
  }
  draft.set([UPSTREAM, 'address'], list, line);
}

function finishAddresses(draft: Draft, opening: Line, lines: readonly Line[]): void {
  const list = draft.get([UPSTREAM, 'address']) as string[];
  const find = (...keys: readonly string[]): Line | undefined => lines.find(({ key }) => keys.includes(key));
  const tls = find('bridge_cafile', 'bridge_capath', 'bridge_psk', 'bridge_identity')
    ?? lines.find(({ key, value }) => key === 'bridge_tls_use_os_certs' && value === 'true');
  // Mosquitto has TLS where CAs or a key are named, at port 1883 unless another one is written.
  const secure = (address: string): string => /:\d+$/.test(address) && !address.endsWith(']') ? address : `${address}:1883`;
  if (tls !== undefined)
    draft.set([UPSTREAM, 'address'], list.map(address => secure(address).replace('mqtt:', 'mqtts:')),
      draft.placeOf([UPSTREAM, 'address']));
  else
    for (const key of ['bridge_certfile', 'bridge_keyfile', 'bridge_alpn']) {
      const line = find(key);
      if (line !== undefined) {
        draft.remove([UPSTREAM, key]);
        draft.remark(line, 'lost', 'without bridge_cafile Mosquitto speaks no TLS there; write mqtts:// in upstream.address if it should, and this key');
      }
    }
  if (tls === undefined && list.some(address => address.endsWith(':8883')))
    draft.remark(find('address', 'addresses')!, 'other', 'without bridge_cafile Mosquitto speaks no TLS there, and so it is here; if the broker has TLS '
      + 'on port 8883, write mqtts:// in upstream.address');
  if (list.length === 0) {
    draft.remove([UPSTREAM, 'address']);
    draft.remark(opening, 'lost', 'the connection has no address; write upstream.address, for example ["mqtt://192.168.1.10:1883"]');
  }
  if (list.length > 1 && !lines.some(({ key, value }) => key === 'round_robin' && value === 'true'))
    draft.remark(find('address', 'addresses')!, 'other', 'the addresses are tried in turn; nobody goes back to the first one while another one works');
}

/** MQTT 3.1.1 has no password without a user name. */
function finishUser(draft: Draft, opening: Line): void {
  if (draft.get([UPSTREAM, 'remote_password']) === undefined || draft.get([UPSTREAM, 'remote_username']) !== undefined)
    return;
  draft.remark({ ...draft.placeOf([UPSTREAM, 'remote_password']) ?? opening, key: 'remote_password' }, 'lost',
    'MQTT allows no password without a user name; write upstream.remote_username and remote_password');
  draft.remove([UPSTREAM, 'remote_password']);
}

const DIRECTIONS: readonly string[] = ['in', 'out', 'both'];

/** `topic PATTERN [[[out|in|both] QOS] LOCAL_PREFIX REMOTE_PREFIX]`; `""` stands for nothing. */
function takeRule(draft: Draft, line: Line): void {
  const [pattern = '', direction = 'out', qos = '0', local_prefix = '', remote_prefix = '', ...others] =
    withoutComment(wordsOf(line.value)).map(word => word === '""' ? '' : word);
  if (others.length > 0 || !DIRECTIONS.includes(direction.toLowerCase()) || !/^[012]$/.test(qos)) {
    draft.remark(line, 'lost', 'is no line that Mosquitto understands: PATTERN, out, in or both, QoS, and two prefixes; write an entry of "topic"');
    return;
  }
  draft.add(['topic'], {
    pattern, direction: direction.toLowerCase(), qos: Number(qos),
    ...local_prefix !== '' && { local_prefix },
    ...remote_prefix !== '' && { remote_prefix },
  }, line);
}
