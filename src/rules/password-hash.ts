/**
 * The forms in which `password_hash` stores a password, salt and hash in base64. They carry their own costs, so that
 * these can be raised later without making old hashes invalid.
 *
 *   scrypt$N$r$p$SALT$HASH                 for a computer: guessing costs an attacker memory
 *   pbkdf2-sha256$ITERATIONS$SALT$HASH     for a board as well, which has no 16 MB (device/authentication.ts)
 *   $7$ITERATIONS$SALT$HASH                of mosquitto_passwd: PBKDF2 with SHA-512; on a computer
 *   $6$SALT$HASH                           of mosquitto_passwd before 2.0: SHA-512, once; on a computer
 *
 * Knows no cryptography.
 */

/** A verification never takes more than this, whatever the file says. */
export const MAXIMUM_MEMORY = 64 * 1024 * 1024;
const MAXIMUM_PARALLELIZATION = 16;
const MAXIMUM_ITERATIONS = 10_000_000;
/** Bytes. */
const MINIMUM_HASH_LENGTH = 16;

const SHA512_LENGTH = 64;

/** N times r of scrypt, and iterations of the others: less is worth a warning. */
const LEAST_SCRYPT_MEMORY = 8 * 8192;
const LEAST_ITERATIONS = 2000;
/** Bytes. */
const LEAST_SALT_LENGTH = 8;

const SCHEMES: Readonly<Record<string, HashForm['scheme']>> = Object.freeze({
  'scrypt': 'scrypt', 'pbkdf2-sha256': 'pbkdf2-sha256', '$7': 'pbkdf2-sha512', '$6': 'sha512',
});

export interface HashForm {
  readonly scheme: 'scrypt' | 'pbkdf2-sha256' | 'pbkdf2-sha512' | 'sha512';
  /** Of scrypt N, r and p; of pbkdf2 the iterations; of sha512 none. */
  readonly costs: readonly number[];
  /** In base64. */
  readonly salt: string;
  readonly hash: string;
}

/** @returns undefined when `text` is no hash, or one that would take too much memory or time */
export function parseHashForm(text: string): HashForm | undefined {
  const parts = text.startsWith('$') ? text.slice(1).split('$') : text.split('$');
  const name = text.startsWith('$') ? `$${parts[0]!}` : parts[0]!;
  const scheme = Object.hasOwn(SCHEMES, name) ? SCHEMES[name] : undefined;
  const costCount = scheme === 'scrypt' ? 3 : scheme === 'sha512' ? 0 : 1;
  const [salt = '', hash = ''] = parts.slice(1 + costCount);
  if (scheme === undefined || parts.length !== costCount + 3)
    return undefined;
  const isWritten = parts.every((part, at) => at === 0 || (at <= costCount ? isCost(part) : isBase64(part)));
  const costs = parts.slice(1, 1 + costCount).map(Number);
  const isAffordable = scheme === 'scrypt' ? isAffordableScrypt(costs) : (costs[0] ?? 1) <= MAXIMUM_ITERATIONS;
  const isWhole = scheme === 'sha512' ? lengthOfBase64(hash) === SHA512_LENGTH
    : lengthOfBase64(hash) >= MINIMUM_HASH_LENGTH;
  return isWritten && isAffordable && isWhole ? { scheme, costs, salt, hash } : undefined;
}

/** Whether whoever gets to see it, and perhaps others with it, tries passwords too quickly. */
export function isWeakHash({ costs, salt, scheme }: HashForm): boolean {
  if (lengthOfBase64(salt) < LEAST_SALT_LENGTH)
    return true;
  const cost = costs[0] ?? 1;
  return scheme === 'scrypt' ? cost * costs[1]! < LEAST_SCRYPT_MEMORY : cost < LEAST_ITERATIONS;
}

/** @param text of which `parseHashForm` makes nothing @returns why not */
export function objectionToHash(text: string): string {
  const name = /^\$?[^$]*/.exec(text)![0];
  if (!Object.hasOwn(SCHEMES, name))
    return `no kind of hash that is known here (${Object.keys(SCHEMES).join(', ')})`;
  const [cost = 1, blockSize = 1, parallelization = 1] = text.slice(name.length + 1).split('$').slice(0, -2).map(Number);
  const isCostly = name === 'scrypt' ? scryptMemory(cost, blockSize, parallelization) > MAXIMUM_MEMORY
    || parallelization > MAXIMUM_PARALLELIZATION : cost > MAXIMUM_ITERATIONS;
  return isCostly ? 'a hash that takes too much memory or time to verify'
    : 'cut off, changed, or of a size that does not fit its kind';
}

function isAffordableScrypt(costs: readonly number[]): boolean {
  const [cost, blockSize, parallelization] = costs as [number, number, number];
  return cost >= 2 && (cost & cost - 1) === 0 && scryptMemory(cost, blockSize, parallelization) <= MAXIMUM_MEMORY
    && parallelization <= MAXIMUM_PARALLELIZATION;
}

const scryptMemory = (cost: number, blockSize: number, parallelization: number): number =>
  128 * blockSize * (cost + parallelization);

const isCost = (text: string): boolean => /^[1-9][0-9]{0,7}$/.test(text);
const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** Bytes that it stands for. */
const lengthOfBase64 = (text: string): number => Math.floor(text.replaceAll('=', '').length * 3 / 4);
