/**
 * Certificates and keys in files, in PEM: read again whenever they are needed, because somebody may replace them while
 * the gateway runs. What is wrong with one is a line that says what to do; no key is ever repeated in it.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { LONGEST_PEM_FILE, readPEM } from './pem-text.ts';

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** What is wrong with a file, with the key of the configuration that names it. */
export class FileProblem extends Error {}

export interface Certificates {
  readonly text: string;
  /** In the order of the file: of a server or client its own first. */
  readonly list: readonly X509Certificate[];
}

/**
 * @param key of the configuration, for the message @param most of more than so many no one is looked at, and `list` is
 * empty @throws FileProblem
 */
export function readCertificates(key: string, file: string, most = Infinity): Certificates {
  const text = readText(key, file);
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    throw new FileProblem(`${key} ${file}: there is no certificate in it; ${text.includes('PRIVATE KEY')
      ? 'it is a key, write the file of the certificate instead' : 'write one in PEM, with -----BEGIN CERTIFICATE-----'}`);
  try {
    return { text, list: blocks.length > most ? [] : blocks.map(block => new X509Certificate(block)) };
  } catch {
    throw new FileProblem(`${key} ${file}: a certificate in it is damaged; copy the file anew`);
  }
}

/** @param certificate that it belongs to @throws FileProblem */
export function readKey(key: string, file: string, certificate: X509Certificate): string {
  const text = readText(key, file);
  if (!text.includes('PRIVATE KEY-----'))
    throw new FileProblem(`${key} ${file}: there is no private key in it; write one in PEM, with -----BEGIN PRIVATE KEY-----`);
  if (text.includes('ENCRYPTED'))
    throw new FileProblem(`${key} ${file}: the key is protected by a passphrase, which nobody could type; write it without, `
      + 'readable by this user only ("openssl pkey -in FILE -out NEW")');
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(text);
  } catch {
    throw new FileProblem(`${key} ${file}: the key in it is damaged; copy the file anew`);
  }
  if (!certificate.checkPrivateKey(privateKey))
    throw new FileProblem(`${key} ${file}: the key belongs to another certificate; write the key with which the certificate was asked for`);
  return text;
}

function readText(key: string, file: string): string {
  const read = readPEM(file);
  if ('problem' in read)
    throw new FileProblem(`${key} ${file}: ${read.problem}`);
  const { text } = read;
  if (text.length > LONGEST_PEM_FILE)
    throw new FileProblem(`${key} ${file}: has more than ${LONGEST_PEM_FILE} bytes; write the certificates that are needed only`);
  if (text.startsWith('\x30\x82'))
    throw new FileProblem(`${key} ${file}: is in DER; write it in PEM instead ("openssl x509 -inform der -in FILE -out NEW", or pkey)`);
  return text;
}
