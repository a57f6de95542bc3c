/** What must hold between the keys for TLS. What stands in the files that they name is looked at when they are read. */
import type { Configuration } from '../config/configuration.ts';
import { isAddress, isSecure, parseAddress, urlOf } from '../config/upstream-address.ts';
import type { Findings } from './findings.ts';

/** Keys that do nothing without TLS, and would be believed to. */
const KEYS = Object.freeze([
  'bridge_cafile', 'bridge_certfile', 'bridge_keyfile', 'bridge_alpn', 'bridge_identity', 'bridge_psk',
] as const);
/** A broker that has TLS mostly has it there. */
const TLS_PORT = 8883;
const PLAIN_PORT = 1883;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export function judgeClientSecurity(findings: Findings, { upstream }: Configuration): void {
  const { address, bridge_certfile, bridge_identity, bridge_keyfile, bridge_psk } = upstream;
  const key = KEYS.find(each => upstream[each] !== null);
  if (key !== undefined && !address.some(isSecure))
    findings.add(['upstream', key], `there is no TLS without mqtts:// or wss://; write "${secureFormOf(address[0] ?? '')}" in upstream.address, `
      + 'or leave this out, instead');
  if (bridge_certfile !== null && bridge_keyfile === null)
    findings.add(['upstream', 'bridge_certfile'], 'a certificate is of no use without its key; write "bridge_keyfile" as well');
  if (bridge_keyfile !== null && bridge_certfile === null)
    findings.add(['upstream', 'bridge_keyfile'], 'a key is of no use without its certificate; write "bridge_certfile" as well');
  if (bridge_psk !== null && bridge_identity === null)
    findings.add(['upstream', 'bridge_psk'], 'the broker must know whose key it is; write "bridge_identity" as well');
  if (bridge_identity !== null && bridge_psk === null)
    findings.add(['upstream', 'bridge_identity'], 'a name is of no use without its key; write "bridge_psk" as well');
  if (bridge_psk !== null && !/^(?:[0-9A-Fa-f]{2})+$/.test(bridge_psk))
    findings.add(['upstream', 'bridge_psk'], 'is not hexadecimal; write two of 0 to 9 and a to f for each byte instead');
  const file = (['bridge_cafile', 'bridge_certfile'] as const).find(each => upstream[each] !== null);
  if (bridge_psk !== null && file !== undefined)
    findings.add(['upstream', 'bridge_psk'], `a pre-shared key takes the place of certificates; write either this or "${file}"`);
}

export function judgeServerSecurity(findings: Findings, { listener }: Configuration): void {
  const { cafile, certfile, keyfile, psk_file, require_certificate, use_identity_as_username } = listener;
  if (certfile !== null && keyfile === null)
    findings.add(['listener', 'certfile'], 'a certificate is of no use without its key; write "keyfile" as well');
  if (keyfile !== null && certfile === null)
    findings.add(['listener', 'keyfile'], 'a key is of no use without its certificate; write "certfile" as well');
  if (cafile !== null && certfile === null)
    findings.add(['listener', 'cafile'], 'nodes show certificates with TLS only; write "certfile" and "keyfile" as well');
  if (require_certificate && (cafile === null || certfile === null))
    findings.add(['listener', 'require_certificate'], 'which certificates are right must be known; write "cafile", and "certfile" and '
      + '"keyfile", as well');
  if (use_identity_as_username && !require_certificate && psk_file === null)
    findings.add(['listener', 'use_identity_as_username'], 'nodes need not prove who they are; write "require_certificate": true, or '
      + '"psk_file", as well');
  if (psk_file !== null && certfile !== null)
    findings.add(['listener', 'psk_file'], 'pre-shared keys take the place of certificates; write either this or "certfile"');
}

function secureFormOf(address: string): string {
  if (!isAddress(address))
    return 'mqtts://host';
  const parsed = parseAddress(address);
  const { port, scheme } = parsed;
  return scheme === 'ws' ? urlOf({ ...parsed, scheme: 'wss', port: port === HTTP_PORT ? HTTPS_PORT : port })
    : urlOf({ ...parsed, scheme: 'mqtts', port: port === PLAIN_PORT ? TLS_PORT : port });
}
