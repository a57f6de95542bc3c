/**
 * Decides which node may connect: by user name and password of `listener.users`, or, if `listener.allow_anonymous`
 * says so, without them. Knows neither topics nor sockets.
 *
 * A password is verified in a thread, so the verdict is PENDING at first; by the time it is there, the session may be
 * closed or belong to another connection, hence the count of connections. Few verifications run at a time, the others
 * wait for their turn, one for each session at most: a flood of CONNECTs costs bounded memory, and all nodes of a
 * full gateway get in although they come at once. Nobody who waits is judged by the clock.
 *
 * A wrong password, an unknown user name and a user with another kind of hash take the same time and get the same
 * answer: for each kind of hash that any user has, one is derived. Of a plain password only a keyed tag is kept: it
 * needs no hash at the start, and the password itself is taken out of the configuration. Passwords are never logged.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeUTF8 } from '../bytes/utf8.ts';
import type { ListenerConfiguration, UserConfiguration } from '../config/configuration.ts';
import { type Authenticator, PENDING } from '../gateway/gateway.ts';
import type { LateVerdicts } from '../io/late-verdicts.ts';
import { ABSENT } from '../packet/data-representation.ts';
import type { Packet } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { CONNECTING } from '../session/connection-state.ts';
import type { ServerSession } from '../session/server-session.ts';
import { kindOf, parsePasswordHash, type PasswordHash, unmatchableHash, verifyPassword } from './password.ts';

/** Each takes a thread of Node's pool, which has four, and 16 MB. */
export const MAXIMUM_RUNNING = 2;

interface Verification {
  readonly session: ServerSession;
  readonly connection: number;
  /** -1: there is no such user. */
  readonly user: number;
  readonly password: Buffer;
}

type AuthenticationSettings = Pick<ListenerConfiguration, 'allow_anonymous' | 'users'>
  & Partial<Pick<ListenerConfiguration, 'use_identity_as_username'>>;

export type Verify = (password: Buffer, expected: PasswordHash) => Promise<boolean>;

export class PasswordAuthenticator implements Authenticator {
  /** To be set before the first node connects; it exists only after this has been made. */
  runtime: LateVerdicts | undefined;
  /** Per session: the user name of its last CONNECT that had one, and which connection that was. */
  private readonly claims: { readonly connection: number; readonly name: string }[] = [];
  private readonly allowsAnonymous: boolean;
  /** Whether nodes are who they have proved to be, and not who they say. */
  private readonly usesIdentity: boolean;
  private readonly userNames: readonly Buffer[];
  /** Of a user with a plain password: undefined. */
  private readonly hashes: readonly (PasswordHash | undefined)[];
  /** Of each kind one that nobody has. */
  private readonly dummies: readonly PasswordHash[];
  private readonly verify: Verify;
  /** Per user a tag of the password that was right last, so that a node which comes back is not verified again. */
  private readonly knownTags: (Buffer | undefined)[];
  private readonly tagKey = randomBytes(32);
  /** In the order in which they came; one for each session at most. */
  private waiting: Verification[] = [];
  private runningCount = 0;

  /** Takes plain passwords out of `listener`. @throws Error when a `password_hash` is none */
  static async create(listener: AuthenticationSettings, verify?: Verify): Promise<PasswordAuthenticator> {
    return new PasswordAuthenticator(listener, verify);
  }

  private constructor(listener: AuthenticationSettings, verify: Verify = verifyPassword) {
    const { allow_anonymous, use_identity_as_username = false, users } = listener;
    this.allowsAnonymous = allow_anonymous;
    this.usesIdentity = use_identity_as_username;
    this.verify = verify;
    this.userNames = users.map(({ username }) => Buffer.from(username));
    this.hashes = users.map(hashOf);
    const kinds = new Map(this.hashes.map(hash => unmatchableHash(hash)).map(dummy => [kindOf(dummy), dummy]));
    this.dummies = kinds.size === 0 ? [unmatchableHash()] : [...kinds.values()];
    this.knownTags = users.map(({ password }) =>
      password === undefined ? undefined : this.tagOf(Buffer.from(password)));
    for (const user of users)
      delete user.password;
  }

  authenticate(session: ServerSession, packet: Packet): number {
    if (this.usesIdentity)
      return this.judgeIdentity(session);
    if (packet.userNameLength === ABSENT)
      return this.allowsAnonymous ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
    if (this.allowsAnonymous && this.userNames.length === 0)
      return ReasonCode.SUCCESS; // everybody is welcome, whatever they call themselves
    const { bytes } = packet.arena;
    const userName = bytes.subarray(packet.userNameOffset, packet.userNameOffset + packet.userNameLength);
    const name = decodeUTF8(packet.arena, packet.userNameOffset, packet.userNameLength);
    this.claims[session.index] = { connection: session.connectionNumber, name };
    const user = this.userNames.findIndex(name => name.equals(userName));
    const password = packet.passwordLength === ABSENT ? Buffer.alloc(0)
      : Buffer.from(bytes.subarray(packet.passwordOffset, packet.passwordOffset + packet.passwordLength));
    if (this.isKnown(user, password)) {
      session.user = user;
      return ReasonCode.SUCCESS;
    }
    return this.enqueue({ session, connection: session.connectionNumber, user, password });
  }

  /** The proof was checked before CONNECT; whom it is about must be a user. */
  private judgeIdentity(session: ServerSession): number {
    const name = this.runtime?.identityOf?.(session.index) ?? '';
    this.claims[session.index] = { connection: session.connectionNumber, name };
    const user = this.userNames.findIndex(each => each.equals(Buffer.from(name)));
    if (user === -1)
      return this.allowsAnonymous ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
    session.user = user;
    return ReasonCode.SUCCESS;
  }

  /** The user name that the connection of a session has given, right or wrong: for the log. */
  claimedNameOf({ connectionNumber, index }: ServerSession): string | undefined {
    const claim = this.claims[index];
    return claim?.connection === connectionNumber ? claim.name : undefined;
  }

  private enqueue(verification: Verification): number {
    this.waiting = this.waiting.filter(isWaited); // what was asked on an earlier connection goes with that
    this.waiting.push(verification);
    this.runNext();
    return PENDING;
  }

  private runNext(): void {
    while (this.runningCount < MAXIMUM_RUNNING) {
      const verification = this.waiting.shift();
      if (verification === undefined)
        return;
      if (!isWaited(verification))
        continue;
      if (this.isKnown(verification.user, verification.password)) // by now: others have it, too
        this.tell(verification, ReasonCode.SUCCESS);
      else
        void this.run(verification);
    }
  }

  private async run(verification: Verification): Promise<void> {
    const { password, user } = verification;
    ++this.runningCount;
    let reasonCode = ReasonCode.SERVER_BUSY;
    try {
      const isRight = await this.isRight(password, this.hashes[user]);
      reasonCode = isRight && user !== -1 ? ReasonCode.SUCCESS : ReasonCode.BAD_USER_NAME_OR_PASSWORD;
    } catch { /* out of memory or threads: the node may come again */ }
    --this.runningCount;
    if (reasonCode === ReasonCode.SUCCESS)
      this.knownTags[user] = this.tagOf(password);
    this.tell(verification, reasonCode);
    this.runNext();
  }

  /** Takes the same time whatever hash is expected, and if there is none. */
  private async isRight(password: Buffer, expected: PasswordHash | undefined): Promise<boolean> {
    let isRight = false;
    for (const dummy of this.dummies) {
      const isOwn = expected !== undefined && kindOf(expected) === kindOf(dummy);
      const isEqual = await this.verify(password, isOwn ? expected : dummy);
      isRight ||= isOwn && isEqual;
    }
    return isRight;
  }

  private tell(verification: Verification, reasonCode: number): void {
    this.runtime!.later(() => this.decide(verification, reasonCode));
  }

  private decide(verification: Verification, reasonCode: number): void {
    const { session, user } = verification;
    if (!isWaited(verification))
      return;
    if (reasonCode !== ReasonCode.SUCCESS) {
      session.refuse(reasonCode);
      return;
    }
    session.user = user;
    this.runtime!.gateway.admit(session);
    if (session.isConnected)
      session.continueReading();
  }

  private isKnown(user: number, password: Buffer): boolean {
    const tag = this.tagOf(password);
    const known = this.knownTags[user];
    return known !== undefined && timingSafeEqual(known, tag);
  }

  /** Of no use to whoever reads it without the key, which dies with the process. */
  private tagOf(password: Buffer): Buffer {
    return createHmac('sha256', this.tagKey).update(password).digest();
  }
}

/** Whether the connection that asked is still there and waits for the verdict. */
const isWaited = ({ connection, session }: Verification): boolean =>
  session.connectionNumber === connection && session.state === CONNECTING;

function hashOf({ password_hash, username }: UserConfiguration): PasswordHash | undefined {
  if (password_hash === undefined)
    return undefined;
  const hash = parsePasswordHash(password_hash);
  if (hash === undefined)
    throw new Error(`the password_hash of user "${username}" cannot be used: make one with "ringbridge passwd"`);
  return hash;
}
