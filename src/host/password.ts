/**
 * Passwords of nodes as salted scrypt hashes: `scrypt$N$r$p$salt$hash`, salt and hash in base64. The form carries its own
 * costs, so that they can be raised later without making old hashes invalid.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A parsed `password_hash`. */
export interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** About 50 ms and 16 MB. */
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const SALT_LENGTH = 16;
const HASH_LENGTH = 32;

/** A verification never takes more memory than this, whatever the file says. */
const MAXIMUM_MEMORY = 64 * 1024 * 1024;
const MAXIMUM_PARALLELIZATION = 16;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const NUMBER = /^[1-9][0-9]{0,7}$/;

/** @returns undefined when `text` is no hash, or one that would take too much memory or time */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [scheme, n, r, p, salt, hash, ...rest] = text.split('$');
  if (scheme !== 'scrypt' || hash === undefined || rest.length > 0 || !BASE64.test(salt!) || !BASE64.test(hash)
    || ![n, r, p].every(number => NUMBER.test(number!)))
    return undefined;
  const parsed: PasswordHash = {
    cost: Number(n), blockSize: Number(r), parallelization: Number(p),
    salt: Buffer.from(salt!, 'base64'), hash: Buffer.from(hash, 'base64'),
  };
  const isCostValid = parsed.cost >= 2 && (parsed.cost & parsed.cost - 1) === 0;
  return isCostValid && memoryOf(parsed) <= MAXIMUM_MEMORY && parsed.parallelization <= MAXIMUM_PARALLELIZATION && parsed.hash.length >= 16
    ? parsed : undefined;
}

export function formatPasswordHash({ cost, blockSize, parallelization, salt, hash }: PasswordHash): string {
  return ['scrypt', cost, blockSize, parallelization, salt.toString('base64'), hash.toString('base64')].join('$');
}

export async function hashPassword(password: string | Buffer): Promise<PasswordHash> {
  const form = { cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION, salt: randomBytes(SALT_LENGTH), hash: Buffer.alloc(HASH_LENGTH) };
  return { ...form, hash: await derive(password, form) };
}

/** A hash that no password has; to verify against it takes as long as against `like`. */
export function unmatchableHash(like?: PasswordHash): PasswordHash {
  return {
    cost: like?.cost ?? COST, blockSize: like?.blockSize ?? BLOCK_SIZE, parallelization: like?.parallelization ?? PARALLELIZATION,
    salt: randomBytes(SALT_LENGTH), hash: randomBytes(like?.hash.length ?? HASH_LENGTH),
  };
}

/** In constant time as far as the content goes. */
export async function verifyPassword(password: Buffer, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

const memoryOf = ({ cost, blockSize, parallelization }: PasswordHash): number => 128 * blockSize * (cost + parallelization);

/** In a thread of Node's pool: the event loop goes on. */
function derive(password: string | Buffer, form: PasswordHash): Promise<Buffer> {
  const { blockSize, cost, hash, parallelization, salt } = form;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, { cost, blockSize, parallelization, maxmem: 2 * MAXIMUM_MEMORY },
      (error, key) => error === null ? resolve(key) : reject(error));
  });
}
