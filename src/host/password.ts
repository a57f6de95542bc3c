/**
 * Passwords of nodes as salted hashes, salt and hash in base64. The forms carry their own costs, so that these can be
 * raised later without making old hashes invalid.
 *
 *   scrypt$N$r$p$SALT$HASH                 for a computer: guessing costs an attacker memory
 *   pbkdf2-sha256$ITERATIONS$SALT$HASH     for a board as well, which has no 16 MB (device/authentication.ts)
 */
import { pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

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

/** A verification never takes more than this, whatever the file says. */
const MAXIMUM_MEMORY = 64 * 1024 * 1024;
const MAXIMUM_PARALLELIZATION = 16;
const MAXIMUM_ITERATIONS = 10_000_000;
const MINIMUM_HASH_LENGTH = 16;

const BASE64 = '([A-Za-z0-9+/]+={0,2})';
const NUMBER = '([1-9][0-9]{0,7})';
const SCRYPT = new RegExp(`^scrypt\\$${NUMBER}\\$${NUMBER}\\$${NUMBER}\\$${BASE64}\\$${BASE64}$`);
const PBKDF2 = new RegExp(`^pbkdf2-sha256\\$${NUMBER}\\$${BASE64}\\$${BASE64}$`);

/** @returns undefined when `text` is no hash, or one that would take too much memory or time */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const hash = parseScrypt(SCRYPT.exec(text)) ?? parsePbkdf2(PBKDF2.exec(text));
  return hash === undefined || hash.hash.length < MINIMUM_HASH_LENGTH ? undefined : hash;
}

function parseScrypt(match: RegExpExecArray | null): ScryptHash | undefined {
  if (match === null)
    return undefined;
  const [cost, blockSize, parallelization] = match.slice(1, 4).map(Number) as [number, number, number];
  const isAffordable = 128 * blockSize * (cost + parallelization) <= MAXIMUM_MEMORY
    && parallelization <= MAXIMUM_PARALLELIZATION;
  if (cost < 2 || (cost & cost - 1) !== 0 || !isAffordable)
    return undefined;
  return { scheme: 'scrypt', cost, blockSize, parallelization, salt: Buffer.from(match[4]!, 'base64'),
    hash: Buffer.from(match[5]!, 'base64') };
}

function parsePbkdf2(match: RegExpExecArray | null): Pbkdf2Hash | undefined {
  if (match === null || Number(match[1]) > MAXIMUM_ITERATIONS)
    return undefined;
  return { scheme: 'pbkdf2-sha256', iterations: Number(match[1]), salt: Buffer.from(match[2]!, 'base64'),
    hash: Buffer.from(match[3]!, 'base64') };
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
