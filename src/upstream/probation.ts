/**
 * Whose messages wait because the Server has closed connections for one of them: those of a node, by a rule; of what
 * has no node those of a topic.
 *
 *   FREE     may send, and is remembered
 *   WAITING  what it has sent is held, and what it sends is held as it comes, up to a limit
 *   TRIED    it is its turn (trials.ts): what was held goes out
 *   ALONE    it is its turn, but only of the message for which the connection was closed; the others wait
 *
 * Nobody is guilty before a message was set aside. From then on there is a pause before each turn, twice as long after
 * each message that is set aside.
 */
import { isDue } from '../session/clock.ts';
import { NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import {
  ALONE, DUE_AT, FIELDS, FREE, IDENTIFIER, LENGTH, NOBODY, PAUSE, ProbationTable, PROGRESS, PROOFS, SEEN_AT, STATE,
  STRIKES, TRIED, WAITING,
} from './probation-table.ts';

const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 600_000;
/** Milliseconds for which whoever is free is remembered. */
const MEMORY = 1_200_000;

export class Probation extends ProbationTable {
  /** Bytes that each may have waiting before no more is taken. */
  room = 0;

  /** Whether a message of the queue waits. */
  waits(queue: OutboundQueue, record: number): boolean {
    const at = this.isHolding ? this.findOf(queue, record) : NONE;
    return at !== NONE && this.isHeld(at)
      && (this.entries[at + STATE] === WAITING || queue.identifierOf(record) !== this.entries[at + IDENTIFIER]);
  }

  /** Whether a message that comes waits. @param rule index @param slot of its topic */
  holds(origin: number, rule: number, slot: number): boolean {
    const at = this.isHolding ? this.find(origin, rule, slot) : NONE;
    return at !== NONE && this.isHeld(at);
  }

  /** A message of theirs comes. @returns false: it waits, and more of them is waiting than may */
  mayCome(at: number, length: number): boolean {
    if (at === NONE || !this.isHeld(at))
      return true;
    const { entries } = this;
    if (entries[at + LENGTH]! > this.room && this.isGuilty(at))
      return false;
    entries[at + LENGTH]! += length;
    return true;
  }

  /** Packet identifier of the message that is suspected, or NOBODY. */
  identifierAt(at: number): number {
    return this.entries[at + IDENTIFIER]!;
  }

  strikesAt(at: number): number {
    return this.entries[at + STRIKES]!;
  }

  /** Whether each of the strikes tells that nothing else can be the cause. */
  isProvenAt(at: number): boolean {
    return this.entries[at + PROOFS]! >= this.entries[at + STRIKES]!;
  }

  /** Whether only one message of those whose turn it is may go out. */
  get isAlone(): boolean {
    return this.turn !== NONE && this.entries[this.turn + STATE] === ALONE;
  }

  /** Whether somebody is suspected who is not guilty. */
  get hasSuspects(): boolean {
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (!this.isGuilty(at))
        return true;
    return false;
  }

  /** A number for what had got through when the connection was first closed for the message that is suspected. */
  progressAt(at: number): number {
    return this.entries[at + PROGRESS]!;
  }

  /** The Server has closed the connection with this message under way. @param progress what has got through so far */
  strike(at: number, identifier: number, isProof: boolean, progress: number): void {
    const { entries } = this;
    if (identifier !== entries[at + IDENTIFIER]) {
      this.reset(at);
      ++this.revision;
    }
    entries[at + IDENTIFIER] = identifier;
    if (entries[at + STRIKES] === 0)
      entries[at + PROGRESS] = progress;
    ++entries[at + STRIKES]!;
    if (isProof)
      ++entries[at + PROOFS]!;
  }

  /** It is said how often in a row it has been under way. */
  presume(at: number, identifier: number, strikes: number, now: number): void {
    this.strike(at, identifier, false, 0);
    this.entries[at + STRIKES] = strikes;
    this.wait(at, now);
  }

  /** A message of theirs was set aside. @param isLast no more of theirs is taken */
  convict(at: number, isLast: boolean, now: number): void {
    const { entries } = this;
    const pause = entries[at + PAUSE]!;
    this.reset(at);
    entries[at + PAUSE] = isLast ? LONGEST_PAUSE : pause === 0 ? FIRST_PAUSE
      : Math.min(2 * pause, LONGEST_PAUSE);
    this.wait(at, now);
  }

  /** A message of this node was set aside before the start, or before rules had other positions. */
  remind(origin: number, rule: number, now: number): void {
    const found = this.find(origin, rule, 0);
    const at = found === NONE ? this.add(origin, rule) : found;
    this.entries[at + PAUSE] = 0;
    this.convict(at, false, now);
  }

  /** A message of theirs was never answered, which costs the others little: they wait from the second one on. */
  reprimand(at: number, now: number): void {
    if (this.isGuilty(at))
      return this.convict(at, false, now);
    this.entries[at + PAUSE] = FIRST_PAUSE;
    this.entries[at + SEEN_AT] = now;
  }

  /** The message that was suspected is acknowledged. Who is not guilty is forgotten; it is not their turn any more. */
  clear(at: number): void {
    this.reset(at);
    if (!this.isGuilty(at))
      this.remove(at);
    else if (this.turn === at) {
      this.entries[at + STATE] = TRIED;
      ++this.revision;
    }
  }

  /** The connection has ended in a way that tells nothing of any of them. */
  acquit(now: number): void {
    for (let at = (this.count - 1) * FIELDS; at >= 0; at -= FIELDS)
      if (!this.isGuilty(at))
        this.remove(at);
      else
        this.reset(at);
    this.endTurn(now);
  }

  /** The connection has ended in a way that nobody can explain. @returns whether it may have been one that was free */
  suspectAgain(now: number): boolean {
    let isAny = false;
    for (let at = (this.count - 1) * FIELDS; at >= 0; at -= FIELDS)
      if (this.entries[at + STATE] === FREE && this.isGuilty(at)) {
        if ((now - this.entries[at + SEEN_AT]! | 0) > MEMORY)
          this.remove(at);
        else {
          this.wait(at, now);
          isAny = true;
        }
      }
    return isAny;
  }

  /** One message at a time: whoever is suspected waits for others. */
  holdSuspects(now: number): void {
    for (let at = 0; at < this.count * FIELDS; at += FIELDS)
      if (!this.isGuilty(at))
        this.wait(at, now);
  }

  /**
   * @param isForSuspects it may be the turn of one that is not guilty @param isForGuilty of one that is
   * @returns the one whose turn comes, NONE: nobody's
   */
  next(isForSuspects: boolean, isForGuilty: boolean, now: number): number {
    const { entries } = this;
    let found = NONE;
    for (let at = 0; at < this.count * FIELDS; at += FIELDS) {
      if (entries[at + STATE] !== WAITING
        || !(this.isGuilty(at) ? isForGuilty && isDue(entries[at + DUE_AT]!, now) : isForSuspects))
        continue;
      // Of one that is not guilty that was when it was seen, so its turn comes first, or nearly so.
      if (found === NONE || (entries[at + DUE_AT]! - entries[found + DUE_AT]! | 0) < 0)
        found = at;
    }
    return found;
  }

  /** It is their turn. @param isAlone only that of the message that is suspected */
  begin(at: number, isAlone: boolean): void {
    this.turn = at;
    this.entries[at + STATE] = isAlone ? ALONE : TRIED;
    this.recount();
  }

  /** Only this one of their messages, from now on. */
  beginAlone(at: number, identifier: number): void {
    this.entries[at + IDENTIFIER] = identifier;
    this.begin(at, true);
  }

  /** All that they had waiting has got through. */
  free(at: number): void {
    this.entries[at + STATE] = FREE;
    this.entries[at + LENGTH] = 0;
    this.turn = NONE;
    this.recount();
  }

  /** It is nobody's turn any more. */
  endTurn(now: number): void {
    if (this.turn !== NONE)
      this.wait(this.turn, now);
  }

  wait(at: number, now: number): void {
    const { entries } = this;
    if (this.turn === at)
      this.turn = NONE;
    entries[at + STATE] = WAITING;
    entries[at + SEEN_AT] = now;
    entries[at + DUE_AT] = now + entries[at + PAUSE]! | 0;
    this.isHolding = true;
    ++this.revision;
  }

  private reset(at: number): void {
    this.entries[at + IDENTIFIER] = NOBODY;
    this.entries[at + STRIKES] = this.entries[at + PROOFS] = 0;
  }

  private isHeld(at: number): boolean {
    const state = this.entries[at + STATE]!;
    return state === WAITING || state === ALONE;
  }
}
