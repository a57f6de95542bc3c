/**
 * The CAs that this computer trusts: where a system keeps them as one file, else those that came with Node. OpenSSL's
 * own variable names another file.
 */
import { statSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { readPEM } from './pem-text.ts';

/** Debian and its children, Red Hat and its, SUSE, Alpine, BSD and macOS. */
const FILES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem'] as const;

let known: { readonly stamp: string; readonly text: string } | undefined;

/** PEM; read again when the file is another one. */
export function systemAuthorities(): string {
  for (const file of [process.env['SSL_CERT_FILE'] ?? '', ...FILES]) {
    const stamp = stampOf(file);
    if (stamp === undefined)
      continue;
    if (known?.stamp !== stamp) {
      const read = readPEM(file);
      if ('problem' in read || !read.text.includes('BEGIN CERTIFICATE'))
        continue;
      known = { stamp, text: read.text };
    }
    return known.text;
  }
  return rootCertificates.join('\n');
}

function stampOf(file: string): string | undefined {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return file === '' ? undefined : `${file} ${ino} ${mtimeMs} ${size}`;
  } catch {
    return undefined;
  }
}
