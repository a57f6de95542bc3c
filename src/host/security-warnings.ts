/**
 * What is worth a warning about TLS and the password at the broker: in the configuration, and in the files that it
 * names, read as to connect.
 */
import type { Configuration } from '../config/configuration.ts';
import { isSecure } from '../config/upstream-address.ts';
import type { Findings } from '../rules/findings.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { ClientSecurity } from './client-security.ts';
import { messageOf } from './log.ts';
import { securityOfPage } from './page-security.ts';
import { readPasswordFile } from './password-file.ts';
import { hasTLS, ServerSecurity } from './server-security.ts';
import * as ReasonCode from '../packet/reason-code.ts';

export function warnOfSecurity(findings: Findings, { upstream }: Configuration): void {
  const { address, bridge_insecure } = upstream;
  const isMixed = address.some(isSecure) && !address.every(isSecure);
  if (isMixed)
    address.forEach((each, index) => {
      if (!isSecure(each))
        findings.add(['upstream', 'address', index], `"${each}" has no TLS, while others have: messages and the password cross `
          + 'the network readable when it is used; write mqtts:// or wss://');
    });
  if (bridge_insecure && address.some(isSecure))
    findings.add(['upstream', 'bridge_insecure'], 'whoever has a certificate of a trusted CA, for whatever name, can pose as the '
      + 'broker; write a name of the broker\'s certificate in upstream.address instead');
}

/** @returns what is wrong with the files, and what expires soon; a line each */
export function warnOfSecurityFiles(file: string, configuration: Configuration): string[] {
  const { listener, page, upstream } = configuration;
  const lines: string[] = [];
  const watch = new CertificateWatch(text => lines.push(text));
  const security = new ClientSecurity(watch, text => lines.push(text));
  if (upstream.address.some(isSecure) && !security.refresh(upstream))
    lines.push(security.problemOf(ReasonCode.TLS_UNUSABLE, 0));
  for (const server of [
    hasTLS(listener) ? new ServerSecurity(listener, watch) : undefined,
    page !== null && page.certfile !== null ? securityOfPage(page, configuration, watch) : undefined,
  ])
    try {
      server?.read();
    } catch (error) {
      lines.push(messageOf(error));
    }
  const { remote_password_file } = upstream;
  const read = remote_password_file === null ? undefined : readPasswordFile(remote_password_file);
  if (read !== undefined && 'problem' in read)
    lines.push(read.problem);
  watch.check();
  return lines.map(line => `${file}: warning: ${line}`);
}
