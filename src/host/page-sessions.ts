/**
 * Who may use the page: whoever knows its password, told by basic authentication, or once by the form of the page,
 * which gives a cookie for a day. Wrong passwords are limited, by address and in all, so that nobody can try them out;
 * whoever is logged in goes on meanwhile, and the limit for all is none for an address from which the right one came.
 *
 * A password that was right is remembered as a keyed tag, so a program that sends it each time costs one hash.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type PasswordHash, verifyPassword } from './password.ts';

/** Milliseconds. */
const SESSION_LIFE = 86_400_000;
const MOST_SESSIONS = 64;

/** Wrong passwords within `ATTEMPT_WINDOW` milliseconds: of one address, and of all that never had the right one. */
const ATTEMPTS_OF_ADDRESS = 5;
const ATTEMPTS_OF_ALL = 30;
const ATTEMPT_WINDOW = 60_000;
/** Addresses from which the right password came that are remembered. */
const MOST_FRIENDS = 64;

/**
 * Verifications at a time, each of 50 ms and 16 MB; who comes on top is asked to come again. One more for an address
 * from which the right password came.
 */
const MOST_VERIFICATIONS = 2;

/** What becomes of a password: it is right, wrong, or not even looked at. */
export type Verdict = 'right' | 'wrong' | 'too many';

export class PageSessions {
  private readonly hash: PasswordHash;
  private readonly now: () => number;
  private readonly key = randomBytes(32);
  private knownTag: Buffer | undefined = undefined;
  /** Tag of the token, and when it ends; the oldest first. */
  private readonly sessions = new Map<string, number>();
  /** When, and from where, wrong passwords came. */
  private failures: { readonly time: number; readonly address: string }[] = [];
  /** Addresses from which the right password came, the latest last. */
  private readonly friends = new Set<string>();
  private runningCount = 0;
  private readonly onRefused: (address: string) => void;

  /** @param onRefused told of each password that is not right @param now milliseconds, of a clock that is not set */
  constructor(hash: PasswordHash, onRefused: (address: string) => void = () => {},
    now: () => number = () => performance.now()) {
    this.hash = hash;
    this.onRefused = onRefused;
    this.now = now;
  }

  /** @returns undefined when that takes time: ask `verify` */
  isKnown(password: Buffer): boolean {
    return this.knownTag !== undefined && timingSafeEqual(this.knownTag, this.tagOf(password));
  }

  async verify(password: Buffer, address = ''): Promise<Verdict> {
    const verdict = await this.judge(password, address);
    if (verdict !== 'right')
      this.onRefused(address);
    return verdict;
  }

  private async judge(password: Buffer, address: string): Promise<Verdict> {
    this.forgetFailures();
    const most = MOST_VERIFICATIONS + (this.friends.has(address) ? 1 : 0);
    if (this.isLimited(address) || this.runningCount >= most)
      return 'too many';
    const failure = { time: this.now(), address };
    this.failures.push(failure); // until it is known to be right: those that come meanwhile count as well
    ++this.runningCount;
    let isRight = false;
    try {
      isRight = this.isKnown(password) || await verifyPassword(password, this.hash);
    } finally {
      --this.runningCount;
    }
    if (!isRight)
      return 'wrong';
    this.failures = this.failures.filter(other => other !== failure);
    this.knownTag = this.tagOf(password);
    this.friends.delete(address);
    this.friends.add(address);
    if (this.friends.size > MOST_FRIENDS)
      this.friends.delete(this.friends.values().next().value!);
    return 'right';
  }

  /** @returns the token of a new session */
  open(): string {
    const token = randomBytes(32).toString('base64url');
    this.sessions.set(this.tagOf(Buffer.from(token)).toString('base64'), this.now() + SESSION_LIFE);
    if (this.sessions.size > MOST_SESSIONS)
      this.sessions.delete(this.sessions.keys().next().value!);
    return token;
  }

  isOpen(token: string): boolean {
    const end = this.sessions.get(this.tagOf(Buffer.from(token)).toString('base64'));
    return end !== undefined && end > this.now();
  }

  close(token: string): void {
    this.sessions.delete(this.tagOf(Buffer.from(token)).toString('base64'));
  }

  private isLimited(address: string): boolean {
    const { failures, friends } = this;
    return failures.filter(failure => failure.address === address).length >= ATTEMPTS_OF_ADDRESS
      || !friends.has(address) && failures.filter(failure => !friends.has(failure.address)).length >= ATTEMPTS_OF_ALL;
  }

  private forgetFailures(): void {
    const start = this.now() - ATTEMPT_WINDOW;
    this.failures = this.failures.filter(({ time }) => time > start);
  }

  /** Looked up by tag, not by token: how long that takes tells nothing of the token. */
  private tagOf(text: Buffer): Buffer {
    return createHmac('sha256', this.key).update(text).digest();
  }
}
