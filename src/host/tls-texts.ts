/**
 * Why TLS was not agreed on, in words that say what to do: of what Node and OpenSSL report on the side of a client.
 * Pure functions; nothing here is secret.
 */
import type { X509Certificate } from 'node:crypto';

/** What is known of the attempt that has failed. */
export interface HandshakeContext {
  /** What was asked for: a name, or an address. */
  readonly host: string;
  /** Where the trusted CAs come from: `upstream.bridge_cafile FILE`, or `the CAs of this system`. */
  readonly trust: string;
  readonly leastVersion: string;
  readonly hasCertificate: boolean;
  readonly hasPSK: boolean;
  /** Shown by the broker, as far as it has come. */
  readonly peer: X509Certificate | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface TLSError extends Error {
  readonly code?: string;
  readonly reason?: string;
}

/** A part of the subject or issuer of a certificate; it came from outside. */
const nameIn = (text: string | undefined): string => {
  const name = /(?:^|\n)CN=([^\n]*)/.exec(text ?? '')?.[1] ?? text?.replaceAll('\n', ', ');
  return name === undefined || name === '' ? '' : ` "${name.slice(0, 100)}"`;
};

const dayOf = (date: string): string => new Date(date).toISOString().slice(0, 10);

const describeNow = (now: number): string => `it is ${new Date(now).toISOString().slice(0, 16)}Z here: is the clock right?`;

const ofBroker = ({ peer }: HandshakeContext): string => `the certificate of the broker${nameIn(peer?.subject)}`;

const untrusted = (context: HandshakeContext): string => `${ofBroker(context)} is issued by${nameIn(context.peer?.issuer) || ' a CA'}, `
  + `which is not among ${context.trust}, or the broker leaves out certificates between the two: write a file with the CA's `
  + 'certificate as upstream.bridge_cafile';

type Describe = (context: HandshakeContext) => string;

/** What the check of the broker's certificate has found, by Node's code. */
const VERIFICATION: Readonly<Record<string, Describe>> = Object.freeze<Record<string, Describe>>({
  CERT_HAS_EXPIRED: context => `${ofBroker(context)}, or of its CA, has expired${context.peer === undefined ? ''
    : ` (valid until ${dayOf(context.peer.validTo)})`}: let its operator renew it; ${describeNow(context.now)}`,
  CERT_NOT_YET_VALID: context => `${ofBroker(context)}, or of its CA, is not valid yet${context.peer === undefined ? ''
    : ` (valid from ${dayOf(context.peer.validFrom)})`}: ${describeNow(context.now)}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: context => `${ofBroker(context)} is self-signed and not among ${context.trust}: if it is the right one, `
    + 'write a file with it as upstream.bridge_cafile',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: context => `${ofBroker(context)} is not signed by the CA of that name in ${context.trust}: the CA has `
    + 'another key by now, get its certificate anew',
  CERT_REVOKED: context => `${ofBroker(context)} is revoked: let its operator replace it`,
  INVALID_PURPOSE: context => `${ofBroker(context)} is not made for servers: let its operator replace it`,
  INVALID_CA: context => `${ofBroker(context)} is issued by what is no CA: let its operator replace it`,
  ERR_TLS_CERT_ALTNAME_INVALID: context => {
    const names = context.peer?.subjectAltName;
    return `${ofBroker(context)} is not for "${context.host}"${names === undefined ? ', and names no other' : `, but for ${names.slice(0, 200)}`}: `
      + 'write one of its names in upstream.address, or let its operator add this one; upstream.bridge_insecure takes any name';
  },
});

const WRONG_PSK = 'the pre-shared key is wrong: check upstream.bridge_psk, and bridge_identity';

const refused = (why: string): string => `for the broker the certificate of upstream.bridge_certfile ${why}: renew or replace it`;

/** What the broker has answered, by the number of its alert (RFC 8446 section 6). */
const ALERTS: Readonly<Record<number, Describe>> = Object.freeze<Record<number, Describe>>({
  20: context => context.hasPSK ? WRONG_PSK : 'the broker cannot decrypt what is said: something between changes it',
  40: ({ hasCertificate, hasPSK }) => hasPSK ? 'the broker does not take the pre-shared key, or knows none: check upstream.bridge_identity '
    + 'and bridge_psk' : hasCertificate ? 'the broker refuses the handshake: it does not take the certificate of upstream.bridge_certfile, '
    + 'or has no cipher in common' : 'the broker refuses the handshake: if it demands a client certificate, write upstream.bridge_certfile '
    + 'and bridge_keyfile; if it knows pre-shared keys, bridge_identity and bridge_psk',
  42: () => refused('is refused'),
  43: () => refused('is of a kind that it does not take'),
  44: () => refused('is revoked'),
  45: () => refused('has expired'),
  46: () => refused('is refused'),
  47: context => context.hasPSK ? WRONG_PSK : 'the broker does not understand the handshake: see its log',
  48: () => 'the broker does not know the CA that has issued upstream.bridge_certfile: give it that CA, or use a certificate of a CA that it knows',
  49: () => refused('has no right to connect'),
  51: context => context.hasPSK ? WRONG_PSK : refused('does not fit upstream.bridge_keyfile'),
  70: ({ leastVersion }) => `the broker knows no TLS version from ${leastVersion} on: let its operator renew it, or check upstream.bridge_tls_version`,
  71: () => 'the broker demands safer ciphers than there are here: ask its operator',
  80: () => 'the broker has an error of its own in the handshake: see its log',
  112: ({ host }) => `the broker does not know the name "${host}": check upstream.address`,
  115: () => 'the broker does not know upstream.bridge_identity: check its psk_file',
  116: () => 'the broker demands a client certificate: write upstream.bridge_certfile and bridge_keyfile',
  120: () => 'the broker does not speak what upstream.bridge_alpn says: check it',
});

/** What OpenSSL says here of what came, by a part of its words. */
const LOCAL: readonly (readonly [words: RegExp, describe: Describe])[] = Object.freeze<[RegExp, Describe][]>([
  [/wrong version number|packet length too long|http request|record layer failure|unknown protocol|unexpected message/,
    () => 'what listens there answers, but not in TLS: is it the port of plain MQTT, usually 1883? That of TLS is usually 8883; without TLS write mqtt://'],
  [/unsupported protocol|no protocols available|version too low/, ({ leastVersion }) =>
    `the broker knows no TLS version from ${leastVersion} on: let its operator renew it, or check upstream.bridge_tls_version`],
  [/key too small|md too weak|too weak|dh key/,
    context => `${ofBroker(context)}, or its key, is too weak: let its operator replace it`],
  [/decryption failed|bad record mac|decrypt error/, context => context.hasPSK ? WRONG_PSK
    : 'what the broker says cannot be decrypted: something between changes it'],
  [/no shared cipher|no ciphers available|no suitable/, () => 'there is no cipher in common with the broker: ask its operator'],
]);

/** @returns what is wrong and what to do, of an attempt in which the broker has not just gone away */
export function describeHandshakeError(error: TLSError, context: HandshakeContext): string {
  const words = `${error.reason ?? ''} ${error.message}`.toLowerCase();
  const alert = /alert number (\d+)/.exec(words)?.[1];
  const describe = VERIFICATION[error.code ?? ''] ?? (alert === undefined ? undefined : ALERTS[Number(alert)])
    ?? LOCAL.find(([pattern]) => pattern.test(words))?.[1];
  return describe?.(context)
    ?? `TLS was not agreed on: ${error.reason ?? error.code ?? 'unknown cause'}${alert === undefined ? '' : ` (alert ${alert})`}; see the log of the broker`;
}

/** What is said when the broker goes away, or is silent, in the middle of the handshake. */
export const describeSilence = (port: number, how: string): string =>
  `the broker ${how} the TLS handshake: does it speak TLS on port ${port}? Usually it does on 8883; a port of plain MQTT is written mqtt://`;
