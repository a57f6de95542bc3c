/**
 * Passwords of nodes as salted hashes, made and verified by Node; their form is that of rules/password-hash.ts.
 */
import { pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { MAXIMUM_MEMORY, parseHashForm } from '../rules/password-hash.ts';

interface ScryptHash {
  readonly scheme: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

interface Pbkdf2Hash {
  readonly scheme: 'pbkdf2-sha256';
  readonly iterations: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** A parsed `password_hash`. */
export type PasswordHash = ScryptHash | Pbkdf2Hash;

/** About 50 ms and 16 MB. */
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const SALT_LENGTH = 16;
const HASH_LENGTH = 32;

/** As many as an ESP32 makes in half a second. */
const DEVICE_ITERATIONS = 2000;

/** @returns undefined when `text` is no hash, or one that would take too much memory or time */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const form = parseHashForm(text);
  if (form === undefined)
    return undefined;
  const [cost, blockSize, parallelization] = form.costs as [number, number, number];
  const common = { salt: Buffer.from(form.salt, 'base64'), hash: Buffer.from(form.hash, 'base64') };
  return form.scheme === 'scrypt' ? { scheme: 'scrypt', cost, blockSize, parallelization, ...common }
    : { scheme: 'pbkdf2-sha256', iterations: cost, ...common };
}

export function formatPasswordHash(form: PasswordHash): string {
  const costs = form.scheme === 'scrypt' ? [form.cost, form.blockSize, form.parallelization] : [form.iterations];
  return [form.scheme, ...costs, form.salt.toString('base64'), form.hash.toString('base64')].join('$');
}

/** @param forDevice a form that a board understands too */
export async function hashPassword(password: string | Buffer, forDevice = false): Promise<PasswordHash> {
  const common = { salt: randomBytes(SALT_LENGTH), hash: Buffer.alloc(HASH_LENGTH) };
  const form: PasswordHash = forDevice ? { scheme: 'pbkdf2-sha256', iterations: DEVICE_ITERATIONS, ...common }
    : { scheme: 'scrypt', cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION, ...common };
  return { ...form, hash: await derive(password, form) };
}

/** A hash that no password has; to verify against it takes as long as against `like`. */
export function unmatchableHash(like: PasswordHash | undefined): PasswordHash {
  const form: PasswordHash =
    like ?? { scheme: 'scrypt', cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION,
      salt: randomBytes(SALT_LENGTH), hash: Buffer.alloc(HASH_LENGTH) };
  return { ...form, salt: randomBytes(form.salt.length), hash: randomBytes(form.hash.length) };
}

/** In constant time as far as the content goes. */
export async function verifyPassword(password: Buffer, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

/** In a thread of Node's pool: the event loop goes on. */
function derive(password: string | Buffer, form: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onDerived = (error: Error | null, key: Buffer): void => error === null ? resolve(key) : reject(error);
    const { hash, salt } = form;
    if (form.scheme === 'scrypt') {
      const { blockSize, cost, parallelization } = form;
      scrypt(password, salt, hash.length, { cost, blockSize, parallelization, maxmem: 2 * MAXIMUM_MEMORY }, onDerived);
    } else
      pbkdf2(password, salt, form.iterations, hash.length, 'sha256', onDerived);
  });
}
