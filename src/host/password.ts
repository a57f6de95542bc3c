/**
 * Passwords of nodes as salted hashes, made and verified by Node; their form is that of rules/password-hash.ts.
 */
import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { type HashForm, MAXIMUM_MEMORY, parseHashForm } from '../rules/password-hash.ts';

/** A parsed `password_hash`. */
export interface PasswordHash {
  readonly scheme: HashForm['scheme'];
  readonly costs: readonly number[];
  readonly salt: Buffer;
  readonly hash: Buffer;
}

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
  return form && { ...form, salt: Buffer.from(form.salt, 'base64'), hash: Buffer.from(form.hash, 'base64') };
}

export const formatPasswordHash = ({ costs, hash, salt, scheme }: PasswordHash): string =>
  [scheme, ...costs, salt.toString('base64'), hash.toString('base64')].join('$');

const newForm = (): PasswordHash => ({
  scheme: 'scrypt', costs: [COST, BLOCK_SIZE, PARALLELIZATION], salt: randomBytes(SALT_LENGTH), hash: Buffer.alloc(HASH_LENGTH),
});

/** @param forDevice a form that a board understands too */
export async function hashPassword(password: string | Buffer, forDevice = false): Promise<PasswordHash> {
  const form: PasswordHash = forDevice ? { ...newForm(), scheme: 'pbkdf2-sha256', costs: [DEVICE_ITERATIONS] } : newForm();
  return { ...form, hash: await derive(password, form) };
}

/** Hashes of one kind take the same time. */
export const kindOf = ({ costs, hash, scheme }: PasswordHash): string => [scheme, ...costs, hash.length].join();

/** A hash that no password has; to verify against it takes as long as against `like`, or a hash that is made today. */
export function unmatchableHash(like: PasswordHash = newForm()): PasswordHash {
  return { ...like, salt: randomBytes(like.salt.length), hash: randomBytes(like.hash.length) };
}

/** In constant time as far as the content goes. */
export async function verifyPassword(password: Buffer, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

/** In a thread of Node's pool: the event loop goes on. */
function derive(password: string | Buffer, form: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onDerived = (error: Error | null, key: Buffer): void => error === null ? resolve(key) : reject(error);
    const { costs: [cost = 1, blockSize = 1, parallelization = 1], hash, salt, scheme } = form;
    if (scheme === 'scrypt')
      scrypt(password, salt, hash.length, { cost, blockSize, parallelization, maxmem: 2 * MAXIMUM_MEMORY }, onDerived);
    else if (scheme === 'sha512')
      resolve(createHash('sha512').update(password).update(salt).digest());
    else
      pbkdf2(password, salt, cost, hash.length, scheme === 'pbkdf2-sha512' ? 'sha512' : 'sha256', onDerived);
  });
}
