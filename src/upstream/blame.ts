/**
 * Who is blamed when the Server has closed the connection for two messages in a row, and nothing got through between:
 * their node, their rule, or the Server. Others go first, and of those who are blamed another one is tried each time,
 * so that two bad ones, one after the other, do not keep what is behind them. If one gets through, those that were
 * tried are to blame after all.
 *
 * Those that were tried wait, and so does what a blamed node has sent: the connection stands for whoever comes, and now
 * and then they are tried again.
 */
import { isDue } from '../session/clock.ts';
import { DONE, NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { BIRTH, type Court, NODE_BLAMED, NOBODY, RULE_BLAMED, SERVER_BLAMED, UNKNOWN_CAUSE } from './court.ts';
import { hasOthers, holdGroup, holdMembers, release } from './suspect-records.ts';

const MOST = 64;
/** So many are tried without waiting longer than usual between connections. */
const QUICKLY = 4;
/** Milliseconds until they are tried again; twice as long each time. */
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;

export class Blame {
  /** Number of the message that was set aside last, while nothing got through since; 0: none. */
  lastNumber = 0;
  private lastOrigin = 0;
  private lastRule = NOBODY;
  private cause = UNKNOWN_CAUSE;
  private origin = 0;
  private rule = NOBODY;
  /** Packet identifiers of those that were tried. */
  private readonly identifiers = new Uint16Array(MOST);
  private count = 0;
  private triedCount = 0;
  private pause = FIRST_PAUSE;
  private retryAt = 0;

  /** A message was set aside. @param number 0 if that is no matter of blame */
  note(number: number, origin: number, rule: number): void {
    this.lastNumber = number;
    this.lastOrigin = origin;
    this.lastRule = rule;
  }

  /** A second one, under way as `identifier`: both are put back. @returns who is to blame: NODE_BLAMED and so on */
  begin(origin: number, rule: number, identifier: number, now: number): number {
    this.lastNumber = 0;
    this.origin = this.lastOrigin;
    this.rule = this.lastRule;
    this.cause = NODE_BLAMED;
    this.count = this.triedCount = 0;
    this.pause = FIRST_PAUSE;
    this.add(identifier, now);
    return this.widen(origin, rule);
  }

  /** Nobody is to blame any more. */
  forget(): void {
    this.count = this.lastNumber = 0;
  }

  /** The Server has closed for one more. @param suspect packet identifier, or less @returns who is to blame now */
  closed(queue: OutboundQueue, suspect: number, now: number): number {
    const record = suspect > BIRTH ? queue.findSent(suspect) : NONE;
    if (record === NONE)
      return this.cause;
    this.add(suspect, now);
    return this.widen(queue.originOf(record), queue.ruleOf(record));
  }

  private add(identifier: number, now: number): void {
    if (!this.has(identifier)) {
      if (this.count === MOST)
        this.count = 0;
      this.identifiers[this.count++] = identifier;
      ++this.triedCount;
    }
    this.retryAt = now + this.pause | 0;
    this.pause = this.pause * 2 < LONGEST_PAUSE ? this.pause * 2 : LONGEST_PAUSE;
  }

  /** Whether attempts should be made less often. */
  get isHopeless(): boolean {
    return this.cause !== NODE_BLAMED && this.triedCount >= QUICKLY;
  }

  private widen(origin: number, rule: number): number {
    if (rule !== this.rule)
      this.cause = SERVER_BLAMED;
    else if (this.cause === NODE_BLAMED && (origin !== this.origin || origin === 0))
      this.cause = RULE_BLAMED;
    return this.cause;
  }

  /** Was it tried? */
  has(identifier: number): boolean {
    const { count, identifiers } = this;
    for (let index = 0; index < count; ++index)
      if (identifiers[index] === identifier)
        return true;
    return false;
  }

  /** Holds what has to wait. */
  hold(queue: OutboundQueue, court: Court, now: number): void {
    const { cause, origin, rule } = this;
    const mayRetry = isDue(this.retryAt, now);
    if (cause === NODE_BLAMED && !mayRetry) {
      holdMembers(queue, origin, rule, true);
      return;
    }
    if (cause !== SERVER_BLAMED)
      holdGroup(queue, court, origin, rule, cause === NODE_BLAMED);
    this.holdTried(queue);
    if (hasOthers(queue))
      return;
    release(queue, court);
    this.holdTried(queue);
    if (hasOthers(queue) || !mayRetry)
      return;
    release(queue, court);
  }

  private holdTried(queue: OutboundQueue): void {
    if (this.count > 0)
      for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
        if (queue.stateOf(record) !== DONE && this.has(queue.identifierOf(record)))
          queue.hold(record);
  }
}
