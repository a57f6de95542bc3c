/**
 * The forms in which `password_hash` stores a password, salt and hash in base64. They carry their own costs, so that
 * these can be raised later without making old hashes invalid.
 *
 *   scrypt$N$r$p$SALT$HASH                 for a computer: guessing costs an attacker memory
 *   pbkdf2-sha256$ITERATIONS$SALT$HASH     for a board as well, which has no 16 MB (device/authentication.ts)
 *
 * Knows no cryptography.
 */

/** A verification never takes more than this, whatever the file says. */
export const MAXIMUM_MEMORY = 64 * 1024 * 1024;
const MAXIMUM_PARALLELIZATION = 16;
const MAXIMUM_ITERATIONS = 10_000_000;
/** Bytes. */
const MINIMUM_HASH_LENGTH = 16;

export interface HashForm {
  readonly scheme: 'scrypt' | 'pbkdf2-sha256';
  /** Of scrypt N, r and p, else the iterations. */
  readonly costs: readonly number[];
  /** In base64. */
  readonly salt: string;
  readonly hash: string;
}

/** @returns undefined when `text` is no hash, or one that would take too much memory or time */
export function parseHashForm(text: string): HashForm | undefined {
  const parts = text.split('$');
  const scheme = parts[0];
  const costCount = scheme === 'scrypt' ? 3 : 1;
  const [salt = '', hash = ''] = parts.slice(1 + costCount);
  if (scheme !== 'scrypt' && scheme !== 'pbkdf2-sha256' || parts.length !== costCount + 3)
    return undefined;
  const isWritten = parts.every((part, at) => at === 0 || (at <= costCount ? isCost(part) : isBase64(part)));
  const costs = parts.slice(1, 1 + costCount).map(Number);
  const isAffordable = scheme === 'scrypt' ? isAffordableScrypt(costs) : costs[0]! <= MAXIMUM_ITERATIONS;
  return isWritten && isAffordable && lengthOfBase64(hash) >= MINIMUM_HASH_LENGTH ? { scheme, costs, salt, hash }
    : undefined;
}

function isAffordableScrypt(costs: readonly number[]): boolean {
  const cost = costs[0]!;
  const parallelization = costs[2]!;
  return cost >= 2 && (cost & cost - 1) === 0 && 128 * costs[1]! * (cost + parallelization) <= MAXIMUM_MEMORY
    && parallelization <= MAXIMUM_PARALLELIZATION;
}

const isCost = (text: string): boolean => /^[1-9][0-9]{0,7}$/.test(text);
const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** Bytes that it stands for. */
const lengthOfBase64 = (text: string): number => Math.floor(text.replaceAll('=', '').length * 3 / 4);
