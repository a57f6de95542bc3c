/**
 * PBKDF2-HMAC-SHA256 (RFC 8018, section 5.2), one block, of the digest that the SDK has; as many iterations at a time
 * as the caller can spare. Each costs four blocks of SHA-256 and two small buffers. Knows nothing of users.
 */
import type { Digest } from 'crypt';

export const DIGEST_LENGTH = 32;
const BLOCK_LENGTH = 64;

export class Derivation {
  /** The key, when `advance` has said so. */
  readonly result: Uint8Array;
  private readonly digest: Digest;
  private readonly inner: Uint8Array;
  private readonly outer: Uint8Array;
  private last: Uint8Array;
  private iterationsLeft: number;

  /** Does the first iteration. `digest` may serve others between two calls. */
  constructor(digest: Digest, password: Uint8Array, salt: Uint8Array, iterations: number) {
    const { inner, outer } = pads(digest, password);
    const first = new Uint8Array(salt.length + 4);
    first.set(salt);
    first[salt.length + 3] = 1;
    this.digest = digest;
    this.inner = inner;
    this.outer = outer;
    this.last = authenticationCode(digest, inner, outer, first);
    this.result = this.last.slice();
    this.iterationsLeft = iterations - 1;
  }

  /** Does up to `count` more. @returns whether it was the last */
  advance(count: number): boolean {
    const { digest, inner, outer, result } = this;
    let { last } = this;
    for (; count > 0 && this.iterationsLeft > 0; --count, --this.iterationsLeft) {
      last = authenticationCode(digest, inner, outer, last);
      for (let index = 0; index < DIGEST_LENGTH; ++index)
        result[index]! ^= last[index]!;
    }
    this.last = last;
    return this.iterationsLeft === 0;
  }
}

/** HMAC (RFC 2104), its key as the two blocks that `pads` makes of it. */
export function authenticationCode(digest: Digest, inner: Uint8Array, outer: Uint8Array, text: Uint8Array): Uint8Array {
  digest.reset();
  digest.write(inner);
  digest.write(text);
  const first = digest.close();
  digest.reset();
  digest.write(outer);
  digest.write(first);
  return new Uint8Array(digest.close());
}

export function pads(digest: Digest, key: Uint8Array): { inner: Uint8Array; outer: Uint8Array } {
  if (key.length > BLOCK_LENGTH) {
    digest.reset();
    digest.write(key);
    key = new Uint8Array(digest.close());
  }
  const inner = new Uint8Array(BLOCK_LENGTH).fill(0x36);
  const outer = new Uint8Array(BLOCK_LENGTH).fill(0x5c);
  for (let index = 0; index < key.length; ++index) {
    inner[index]! ^= key[index]!;
    outer[index]! ^= key[index]!;
  }
  return { inner, outer };
}
