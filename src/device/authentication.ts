/**
 * Decides which node may connect: by user name and password of `listener.users`, or, if `listener.allow_anonymous` says so,
 * without them. Knows neither topics nor sockets.
 *
 * `password_hash` is `pbkdf2-sha256$ITERATIONS$SALT$HASH`, salt and hash in base64. The scrypt hashes of the host need
 * 16 MB and are refused when the configuration is loaded. The verdict is given at once, so all other traffic waits for the
 * derivation; that is why the iterations are limited, and why a password that was right once is remembered as a tag: a
 * node that comes back costs two digests. An unknown user name takes the same time and gets the same answer as a wrong
 * password.
 */
import { Digest } from 'crypt';
import type { Packet, Configuration } from './core.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Authenticator } from '../gateway/gateway.ts';
import { ABSENT } from '../packet/data-representation.ts';
import type { ServerSession } from '../session/server-session.ts';

const DIGEST_LENGTH = 32;
const BLOCK_LENGTH = 64;

/** About half a second on an ESP32. */
export const MAXIMUM_ITERATIONS = 2000;

const FORM = /^pbkdf2-sha256\$([1-9][0-9]{0,3})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=)$/;

interface PasswordHash {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

interface User {
  readonly name: Uint8Array;
  /** Of the password that is right, as far as it is known. */
  tag: Uint8Array | undefined;
  /** Undefined for a plain password. */
  readonly hash: PasswordHash | undefined;
}

export class DeviceAuthenticator implements Authenticator {
  private readonly digest = new Digest('SHA256');
  private readonly allowsAnonymous: boolean;
  private readonly users: readonly User[];
  /** What an unknown user is verified against. */
  private readonly nobody: User;
  /** Tags are of no use without this key, which dies with the program. */
  private readonly tagKey: Uint8Array;

  /** @throws Error when a `password_hash` cannot be used here */
  constructor({ allow_anonymous, users }: Configuration['listener'], random: () => number) {
    this.allowsAnonymous = allow_anonymous;
    this.tagKey = randomBytes(random);
    this.users = users.map(({ password, password_hash, username }) => ({
      name: encode(username),
      tag: password_hash === undefined ? this.tagOf(encode(password ?? '')) : undefined,
      hash: password_hash === undefined ? undefined : parsePasswordHash(username, password_hash),
    }));
    const like = this.users.find(user => user.hash !== undefined)?.hash;
    this.nobody = { name: new Uint8Array(0), tag: randomBytes(random), hash: like && { ...like, hash: randomBytes(random) } };
  }

  authenticate(session: ServerSession, packet: Packet): number {
    if (packet.userNameLength === ABSENT)
      return this.allowsAnonymous ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
    if (this.allowsAnonymous && this.users.length === 0)
      return ReasonCode.SUCCESS; // everybody is welcome, whatever they call themselves
    const { bytes } = packet.arena;
    const name = bytes.subarray(packet.userNameOffset, packet.userNameOffset + packet.userNameLength);
    const password = packet.passwordLength === ABSENT ? new Uint8Array(0)
      : bytes.subarray(packet.passwordOffset, packet.passwordOffset + packet.passwordLength);
    const index = this.users.findIndex(user => isEqual(user.name, name));
    const user = this.users[index] ?? this.nobody;
    if (!this.verify(user, password) || user === this.nobody)
      return ReasonCode.BAD_USER_NAME_OR_PASSWORD;
    session.user = index;
    return ReasonCode.SUCCESS;
  }

  private verify(user: User, password: Uint8Array): boolean {
    const tag = this.tagOf(password);
    if (user.tag !== undefined && isEqual(user.tag, tag))
      return true;
    const { hash } = user;
    if (hash === undefined || !isEqual(hash.hash, derive(this.digest, password, hash.salt, hash.iterations)))
      return false;
    user.tag = tag;
    return true;
  }

  private tagOf(password: Uint8Array): Uint8Array {
    const { inner, outer } = pads(this.digest, this.tagKey);
    return authenticationCode(this.digest, inner, outer, password);
  }
}

/** @throws Error saying what to write instead */
export function parsePasswordHash(username: string, text: string): PasswordHash {
  const match = FORM.exec(text);
  if (match === null || Number(match[1]) > MAXIMUM_ITERATIONS)
    throw new Error(`the password_hash of user "${username}" cannot be used on a device: give a password, or pbkdf2-sha256$ITERATIONS$SALT$HASH with at most ${MAXIMUM_ITERATIONS} iterations`);
  return { iterations: Number(match[1]), salt: Uint8Array.fromBase64(match[2]!), hash: Uint8Array.fromBase64(match[3]!) };
}

/** PBKDF2-HMAC-SHA256 (RFC 8018, section 5.2), one block. */
export function derive(digest: Digest, password: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  const { inner, outer } = pads(digest, password);
  const first = new Uint8Array(salt.length + 4);
  first.set(salt);
  first[salt.length + 3] = 1;
  let last = authenticationCode(digest, inner, outer, first);
  const result = last.slice();
  while (--iterations > 0) {
    last = authenticationCode(digest, inner, outer, last);
    for (let index = 0; index < DIGEST_LENGTH; ++index)
      result[index]! ^= last[index]!;
  }
  return result;
}

/** HMAC (RFC 2104), its key as the two blocks that `pads` makes of it. */
function authenticationCode(digest: Digest, inner: Uint8Array, outer: Uint8Array, text: Uint8Array): Uint8Array {
  digest.reset();
  digest.write(inner);
  digest.write(text);
  const first = digest.close();
  digest.reset();
  digest.write(outer);
  digest.write(first);
  return new Uint8Array(digest.close());
}

function pads(digest: Digest, key: Uint8Array): { inner: Uint8Array; outer: Uint8Array } {
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

/** In constant time as far as the content goes. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length && index < b.length; ++index)
    difference |= a[index]! ^ b[index]!;
  return difference === 0;
}

function randomBytes(random: () => number): Uint8Array {
  const bytes = new Uint8Array(DIGEST_LENGTH);
  for (let index = 0; index < DIGEST_LENGTH; ++index)
    bytes[index] = random() * 256;
  return bytes;
}

const encode = (text: string): Uint8Array => new Uint8Array(ArrayBuffer.fromString(text));
