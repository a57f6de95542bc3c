/**
 * Certificates for tests, made by Node's keys and a little DER, so that none lies in the repository and expires: a CA,
 * and whatever it issues, right or wrong in one respect. RFC 5280 has the structures, X.690 the encoding.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0C;
const GENERALIZED_TIME = 0x18;
const BOOLEAN = 0x01;

const der = (tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer => {
  const content = Buffer.concat(parts.map(part => Buffer.from(part)));
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xFF];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
};

const oid = (text: string): Buffer => {
  const [first, second, ...rest] = text.split('.').map(Number) as [number, number, ...number[]];
  const bytes = rest.flatMap(value => {
    const groups = [value & 0x7F];
    for (let left = value >>> 7; left > 0; left >>>= 7)
      groups.unshift(left & 0x7F | 0x80);
    return groups;
  });
  return der(OBJECT_IDENTIFIER, [first * 40 + second, ...bytes]);
};

const nameOf = (commonName: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid('2.5.4.3'), der(UTF8_STRING, Buffer.from(commonName)))));

const timeOf = (date: Date): Buffer =>
  der(GENERALIZED_TIME, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`));

const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  der(SEQUENCE, oid(id), ...isCritical ? [der(BOOLEAN, [0xFF])] : [], der(OCTET_STRING, value));

const addressBytes = (address: string): Buffer => {
  if (isIP(address) === 4)
    return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => text === '' ? [] : text.split(':');
  const missing = 8 - groups(head).length - groups(tail).length;
  return Buffer.from([...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
    .map(group => group.padStart(4, '0')).join(''), 'hex');
};

const SIGNATURE = der(SEQUENCE, oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256

export interface Wishes {
  /** DNS names and addresses. */
  names?: readonly string[];
  commonName?: string;
  /** Days from now. */
  from?: number;
  until?: number;
  isAuthority?: boolean;
  /** Signed by itself, whoever issues it. */
  isSelfSigned?: boolean;
  /** Object identifier of the extended key usage. */
  usage?: string;
}

export interface Identity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
  readonly commonName: string;
}

const DAY = 86_400_000;

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;

/** @param issuer undefined: it signs itself */
export function issue(issuer: Identity | undefined, wishes: Wishes = {}): Identity {
  const { commonName = 'localhost', from = -1, isAuthority = false, isSelfSigned = false, names = [], until = 365, usage } = wishes;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = isSelfSigned || issuer === undefined ? { commonName, privateKey } : issuer;
  const keyBytes = publicKey.export({ type: 'spki', format: 'der' });
  const identifierOf = (key: KeyObject): Buffer =>
    createHash('sha1').update(key.export({ type: 'spki', format: 'der' })).digest();
  const general = names.map(name => isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name)));
  const extensions = [
    extension('2.5.29.19', true, der(SEQUENCE, ...isAuthority ? [der(BOOLEAN, [0xFF])] : [])),
    extension('2.5.29.14', false, der(OCTET_STRING, identifierOf(publicKey))),
    extension('2.5.29.35', false, der(SEQUENCE, der(0x80, identifierOf(createPublicKey(signer.privateKey))))),
    ...general.length === 0 ? [] : [extension('2.5.29.17', false, der(SEQUENCE, ...general))],
    ...usage === undefined ? [] : [extension('2.5.29.37', false, der(SEQUENCE, oid(usage)))],
  ];
  const body = der(SEQUENCE,
    der(0xA0, der(INTEGER, [2])), der(INTEGER, [0x01, ...randomBytes(8)]), SIGNATURE, nameOf(signer.commonName),
    der(SEQUENCE, timeOf(new Date(Date.now() + from * DAY)), timeOf(new Date(Date.now() + until * DAY))),
    nameOf(commonName), keyBytes, der(0xA3, der(SEQUENCE, ...extensions)));
  const signature = sign('sha256', body, signer.privateKey);
  const cert = pem('CERTIFICATE', der(SEQUENCE, body, SIGNATURE, der(BIT_STRING, [0], signature)));
  new X509Certificate(cert); // else what follows would not say why
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, privateKey, commonName };
}

export const authority = (commonName = 'Test CA', wishes: Wishes = {}): Identity =>
  issue(undefined, { commonName, isAuthority: true, ...wishes });

/** What a broker on this computer shows. */
export const localServer = (ca: Identity, wishes: Wishes = {}): Identity =>
  issue(ca, { names: ['localhost', '127.0.0.1', '::1'], ...wishes });
