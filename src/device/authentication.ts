/**
 * Decides which node may connect: by user name and password of `listener.users`, or, if `listener.allow_anonymous` says
 * so, without them. Knows neither topics nor sockets.
 *
 * `password_hash` is `pbkdf2-sha256$ITERATIONS$SALT$HASH`, salt and hash in base64. The scrypt hashes of the host need
 * 16 MB and are refused when the configuration is loaded. A derivation is long for an ESP32 (half a second by
 * estimate), so it is done in slices of a few milliseconds, one derivation after the other, and the verdict comes
 * later; a password that was right once is remembered as a tag, and a node that comes back costs two digests. One waits
 * for each session at most, and none of them is judged by the clock meanwhile. By the
 * time a verdict is there the session may belong to another connection, hence the count of connections. An unknown user
 * name takes the same time and gets the same answer as a wrong password.
 */
import { Digest } from 'crypt';
import { type Configuration, type Packet, parseHashForm } from './core.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { type Authenticator, PENDING } from '../gateway/gateway.ts';
import type { LateVerdicts } from '../io/late-verdicts.ts';
import type { Timer } from '../io/transport.ts';
import { ABSENT } from '../packet/data-representation.ts';
import { CONNECTING } from '../session/connection-state.ts';
import type { ServerSession } from '../session/server-session.ts';
import { authenticationCode, Derivation, DIGEST_LENGTH, pads } from './key-derivation.ts';

/** Milliseconds of work without a break, and of a break. */
const SLICE = 10;
const BREAK = 5;
/** Between two looks at the clock. */
const ITERATIONS_AT_ONCE = 4;

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

interface Verification {
  readonly session: ServerSession;
  readonly connection: number;
  readonly index: number;
  readonly user: User;
  readonly password: Uint8Array;
  /** Once it is its turn. */
  derivation: Derivation | undefined;
}

export class DeviceAuthenticator implements Authenticator {
  /** To be set before the first node connects; it exists only after this has been made. */
  runtime: LateVerdicts | undefined;
  private readonly digest = new Digest('SHA256');
  private readonly allowsAnonymous: boolean;
  private readonly users: readonly User[];
  /** What an unknown user is verified against. */
  private readonly nobody: User;
  /** Tags are of no use without this key, which dies with the program. */
  private readonly tagKey: Uint8Array;
  private readonly timer: Timer;
  private readonly time: () => number;
  /** One for each session at most. */
  private waiting: Verification[] = [];

  /** @param time in milliseconds */
  constructor({ allow_anonymous, users }: Pick<Configuration['listener'], 'allow_anonymous' | 'users'>, random: () =>
    number,
    createTimer: (onTimer: () => void) => Timer, time: () => number) {
    this.timer = createTimer(() => this.work());
    this.time = time;
    this.allowsAnonymous = allow_anonymous;
    this.tagKey = randomBytes(random);
    this.users = users.map(({ password, password_hash, username }) => ({
      name: encode(username),
      tag: password_hash === undefined ? this.tagOf(encode(password ?? '')) : undefined,
      hash: password_hash === undefined ? undefined : parsePasswordHash(password_hash),
    }));
    const like = this.users.find(user => user.hash !== undefined)?.hash;
    this.nobody =
      { name: new Uint8Array(0), tag: randomBytes(random), hash: like && { ...like, hash: randomBytes(random) } };
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
    if (this.isKnown(user, password)) {
      session.user = index;
      return ReasonCode.SUCCESS;
    }
    if (user.hash === undefined)
      return ReasonCode.BAD_USER_NAME_OR_PASSWORD;
    this.waiting = this.waiting.filter(isWaited);
    this.waiting.push({ session, connection: session.connectionNumber, index, user, password: password.slice(),
      derivation: undefined });
    this.timer.set(0);
    return PENDING;
  }

  /** Until the slice is over, or nobody waits any more. */
  private work(): void {
    const start = this.time();
    while ((this.time() - start | 0) < SLICE) {
      const verification = this.waiting[0];
      if (verification === undefined)
        return;
      if (!isWaited(verification) || this.verify(verification))
        this.waiting.shift();
    }
    this.timer.set(BREAK);
  }

  /** @returns whether it has come to its end */
  private verify(verification: Verification): boolean {
    const { password, user } = verification;
    const { hash, iterations, salt } = user.hash!;
    if (verification.derivation === undefined && this.isKnown(user, password)) { // by now: others have it, too
      this.tell(verification, true);
      return true;
    }
    const derivation = verification.derivation ??= new Derivation(this.digest, password, salt, iterations);
    if (!derivation.advance(ITERATIONS_AT_ONCE))
      return false;
    const isRight = isEqual(hash, derivation.result);
    if (isRight)
      user.tag = this.tagOf(password);
    this.tell(verification, isRight && user !== this.nobody);
    return true;
  }

  private tell(verification: Verification, isAdmitted: boolean): void {
    this.runtime!.later(() => this.decide(verification, isAdmitted));
  }

  private isKnown({ tag }: User, password: Uint8Array): boolean {
    return tag !== undefined && isEqual(tag, this.tagOf(password));
  }

  private decide({ index, session }: Verification, isAdmitted: boolean): void {
    if (!isAdmitted) {
      session.refuse(ReasonCode.BAD_USER_NAME_OR_PASSWORD);
      return;
    }
    session.user = index;
    this.runtime!.gateway.admit(session);
    if (session.isConnected)
      session.continueReading();
  }

  private tagOf(password: Uint8Array): Uint8Array {
    const { inner, outer } = pads(this.digest, this.tagKey);
    return authenticationCode(this.digest, inner, outer, password);
  }
}

/** @param text that the rules for a board have let pass */
function parsePasswordHash(text: string): PasswordHash {
  const { costs, hash, salt } = parseHashForm(text)!;
  return { iterations: costs[0]!, salt: Uint8Array.fromBase64(salt), hash: Uint8Array.fromBase64(hash) };
}

/** Whether the connection that asked is still there and waits for the verdict. */
const isWaited = ({ connection, session }: Verification): boolean =>
  session.connectionNumber === connection && session.state === CONNECTING;

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
