/** Why a node and the listener did not agree on TLS, in words that say what to do. Pure functions. */
import type { X509Certificate } from 'node:crypto';

const UNTRUSTED = 'does not trust the certificate of listener.certfile: give it the CA that has issued that';

/** By a part of what OpenSSL says, or of the alert that the node has sent. */
const CAUSES: readonly (readonly [words: RegExp, text: string])[] = Object.freeze<[RegExp, string][]>([
  [/http request/, 'speaks HTTP to a port of MQTT over TLS'],
  [/wrong version number|unknown protocol|packet length too long|record layer failure/,
    'speaks no TLS, and this port does: let it connect with TLS (mqtts://), if it is MQTT'],
  [/alert number 4[2-6]\b|alert number 48/, UNTRUSTED],
  [/alert number 51|decryption failed|bad record mac|binder does not verify/, 'has another pre-shared key than listener.psk_file says'],
  [/alert number 112/, 'knows the listener by a name that it does not have'],
  [/alert number 70|unsupported protocol|version too low|no protocols available/,
    'knows no version of TLS from listener.tls_version on: renew it, or set that'],
  [/psk identity not found|unknown psk identity/, 'has an identity that is not in listener.psk_file'],
  [/no shared cipher|no suitable|handshake failure|alert number 40/,
    'has no cipher in common with the listener: it may know pre-shared keys where certificates are spoken (listener.certfile), or the reverse'],
  [/did not return a certificate/, 'has shown no certificate, and listener.require_certificate demands one'],
  [/econnreset|epipe|socket hang up|ended/, 'has gone in the middle of the TLS handshake: does it trust the CA of listener.certfile?'],
]);

export function describeNodeError(error: Error & { readonly code?: string; readonly reason?: string }): string {
  const words = `${error.code ?? ''} ${error.reason ?? ''} ${error.message}`.toLowerCase();
  return CAUSES.find(([pattern]) => pattern.test(words))?.[1] ?? `TLS was not agreed on: ${error.reason ?? error.code ?? 'unknown cause'}`;
}

const day = (date: string): string => new Date(date).toISOString().slice(0, 10);

/** @param code what the check of it has found */
export function describeNodeCertificate(code: string, { subject, validFrom, validTo }: X509Certificate): string {
  const name = /(?:^|\n)CN=([^\n]*)/.exec(subject)?.[1]?.slice(0, 100) ?? '';
  const certificate = `has shown the certificate "${name}"`;
  switch (code) {
    case 'CERT_HAS_EXPIRED': return `${certificate}, which has expired on ${day(validTo)}, or its CA: renew it`;
    case 'CERT_NOT_YET_VALID': return `${certificate}, which is valid from ${day(validFrom)} on: is the clock of this computer right?`;
    case 'INVALID_PURPOSE': return `${certificate}, which is not made for clients: replace it`;
    case 'CERT_REVOKED': return `${certificate}, which is revoked`;
    default: return `${certificate}, which no CA of listener.cafile has issued (${code}): add that CA, or replace the certificate`;
  }
}
