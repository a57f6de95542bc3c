/**
 * What must hold on a board besides: a board is no computer on which a broker runs, and has no memory for scrypt. The
 * board itself and `ringbridge check --board` say it in the same words.
 */
import type { Configuration } from '../config/configuration.ts';
import { isSecure, isWebSocket, parseAddress } from '../config/upstream-address.ts';
import { type Finding, Findings } from './findings.ts';
import { type HashForm, parseHashForm } from './password-hash.ts';

/** Bytes of the text of a configuration that a board has room for in its flash (device/config-slots.ts). */
export const LONGEST_STORED_TEXT = 8160;

/** Half a second of an ESP32, by estimate. */
export const MAXIMUM_ITERATIONS = 2000;
/** Of what SHA-256 gives, in base64: characters, and where its padding begins. */
const DIGEST_TEXT_LENGTH = 44;
const DIGEST_TEXT_END = 43;

export const isLoopback = (host: string): boolean => host === 'localhost' || host.startsWith('127.');

export const describeLoopback = (address: string): string =>
  `"${address}" is the board itself, where no broker is; write the broker's address, like "mqtt://192.168.1.10:1883", `
    + 'instead';

/** @param configuration that can be used on a computer */
export function judgeAddresses({ upstream }: Configuration): readonly Finding[] {
  const findings = new Findings();
  upstream.address.forEach((address, index) => {
    const { host } = parseAddress(address);
    if (host.startsWith('['))
      findings.add(['upstream', 'address', index], `"${address}" is of IPv6, and a board speaks IPv4; `
        + 'write an address of IPv4, or a name, instead');
    else if (isLoopback(host))
      findings.add(['upstream', 'address', index], describeLoopback(address));
  });
  return findings.list;
}

/** @param configuration that can be used on a computer */
export function judgeSecrets({ listener, page, upstream }: Configuration): readonly Finding[] {
  const findings = new Findings();
  upstream.address.forEach((address, index) => {
    if (isWebSocket(address))
      findings.add(['upstream', 'address', index], `"${address}" is of WebSocket, which a board does not speak yet; write mqtt:// `
        + 'instead, in a network that you trust, and let a PC or the broker there lead out of it');
    else if (isSecure(address))
      findings.add(['upstream', 'address', index], `"${address}" is of TLS, which is not supported on a board yet; write mqtt:// `
        + 'instead, in a network that you trust, and let a PC or the broker there lead out of it');
  });
  if (page !== null)
    findings.add(['page'], 'a board has no page in this version; leave it out, or write null, instead');
  for (const key of ['certfile', 'psk_file'] as const)
    if (listener[key] !== null)
      findings.add(['listener', key], 'a board has no memory for nodes with TLS; leave this out, and let the Wi-Fi protect them '
        + '(WPA2 or WPA3), instead');
  if (listener.protocol === 'websockets')
    findings.add(['listener', 'protocol'], 'a board serves no WebSocket yet; write "mqtt" instead');
  if (upstream.remote_password_file !== null)
    findings.add(['upstream', 'remote_password_file'], 'a board has no files; write "remote_password" instead');
  listener.users.forEach(({ password_hash }, index) => {
    const form = password_hash === undefined ? undefined : parseHashForm(password_hash);
    if (form !== undefined && !isVerifiedByBoard(form))
      findings.add(['listener', 'users', index, 'password_hash'], 'a board cannot verify this hash; write one that '
        + '"ringbridge passwd --device" prints instead');
  });
  return findings.list;
}

const isVerifiedByBoard = ({ costs, hash, salt, scheme }: HashForm): boolean =>
  scheme === 'pbkdf2-sha256' && costs[0]! <= MAXIMUM_ITERATIONS && salt.length % 4 === 0
  && hash.length === DIGEST_TEXT_LENGTH && hash.indexOf('=') === DIGEST_TEXT_END;
