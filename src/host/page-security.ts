/** HTTPS of the page: with a certificate of its own, or, where others reach it, with that of the listener. */
import type { Configuration, PageConfiguration } from '../config/configuration.ts';
import { isOfComputerItself } from '../rules/page-rules.ts';
import type { CertificateWatch } from './certificate-watch.ts';
import { type Log, LINE_LIMIT, ONCE } from './log.ts';
import { SecureListening } from './secure-listener.ts';
import { ServerSecurity } from './server-security.ts';

/** Milliseconds that a handshake may take. */
const TIMEOUT = 10_000;

/** @returns undefined: the page speaks HTTP */
export function securityOfPage(page: PageConfiguration, { listener }: Configuration, watch: CertificateWatch):
ServerSecurity | undefined {
  const isOwn = page.certfile !== null;
  const { certfile, keyfile } = isOwn ? page : listener;
  // On the loopback the certificate has another name than the page, and nobody listens.
  if (certfile === null || !isOwn && isOfComputerItself(page.address))
    return undefined;
  const { tls_version } = listener;
  const settings = { certfile, keyfile, tls_version, cafile: null, require_certificate: false, psk_file: null };
  return new ServerSecurity(settings, watch, isOwn ? 'page' : 'listener');
}

const describe = (error: Error & { readonly reason?: string; readonly code?: string }): string =>
  /http.request/i.test(`${error.code} ${error.reason}`) ? 'speaks HTTP, and the page is at https://'
    : `did not agree on TLS: ${error.reason ?? error.code ?? error.message}`;

export const secureListening = (security: ServerSecurity, log: Log): SecureListening =>
  new SecureListening(security, () => TIMEOUT, (address, text) => {
    const line = `page: ${address ?? 'somebody'} ${text}`;
    log.write('info', line, line, ONCE, LINE_LIMIT);
  }, { section: 'page', late: 'made no TLS handshake in time', describe });
