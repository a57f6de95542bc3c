/**
 * Whose turn it is of those that wait because the Server has closed connections for what they send (probation.ts).
 * Others go first. Who is only suspected has its turn when nothing else waits, or others had five seconds. Who is
 * guilty has it after a pause in which the connection was undisturbed, for ten times as long at least as the turn
 * before has cost the others.
 *
 * A message alone under way that is not answered does not keep the others waiting for long: they go on then, and so
 * prove that it is the message, and not the connection, when that is closed in the end.
 */
import { type Clock, isDue } from '../session/clock.ts';
import type { ClientSession } from '../session/client-session.ts';
import { NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { type Court, NOBODY, SOON } from './court.ts';
import type { Probation } from './probation.ts';
import { findLongestUnderWay, hasMembers, hasOthers, release } from './suspect-records.ts';

/** Milliseconds for which a message alone under way keeps the others waiting. */
const PATIENCE = 2000;
const SECOND = 1000;
/** Milliseconds until the next attempt to connect, when the connection was closed for a message that was sent alone. */
const TRIAL_WAIT = 1000;
/** Bytes that come of those that wait and are kept: so few that they can move out of the way of the log. */
const MOST_WAITING = 2048;
/** How much longer others have an undisturbed connection than a turn has cost them. */
const SHARE = 10;

export class Trials {
  readonly probation: Probation;
  /** Others go on beside the message whose turn it is. */
  isOpen = false;
  /** The connection has just ended for a message whose turn it was, as far as can be told. */
  wasExpected = false;
  private readonly clock: Clock;
  private readonly queue: OutboundQueue;
  private readonly court: Court;
  private deliveredAtOpening = 0;
  private beganAt = 0;
  /** When the last connection had ended, and for how long others had waited before for the sake of a turn. */
  private closedAt = 0;
  private stall = 0;
  /** No turn of guilty ones sooner. */
  private nextAt = 0;
  private connectedAt = 0;

  constructor(session: ClientSession, court: Court) {
    this.clock = session.role.clock;
    this.queue = session.sessionState!.queue;
    this.court = court;
    this.probation = court.probation;
    this.probation.room = Math.min(this.queue.limits.capacity >> 4, MOST_WAITING);
  }

  /** It is somebody's turn. */
  get isRunning(): boolean {
    return this.probation.turn !== NONE;
  }

  /** @param isCautious messages go out one at a time */
  connected(isCautious: boolean): void {
    const { clock: { now }, probation } = this;
    this.connectedAt = now;
    this.nextAt = this.wasExpected ? now + SHARE * ((now - this.closedAt | 0) + this.stall) | 0 : now;
    this.wasExpected = false;
    this.stall = 0;
    if (isCautious)
      probation.holdSuspects(now);
    release(this.queue, this.court); // who was acquitted meanwhile waits no more
  }

  /** Now and then while it is connected. @param isCalm no one is being looked for */
  advance(isCalm: boolean): void {
    const { clock: { now }, probation } = this;
    if (this.isRunning)
      this.watch(probation.turn);
    if (this.isRunning || !probation.isHolding)
      return;
    const isLate = (now - this.connectedAt | 0) >= SOON;
    const next = probation.next(isLate || !hasOthers(this.queue), isCalm && isLate && isDue(this.nextAt, now), now);
    if (next !== NONE)
      this.begin(next);
  }

  /** @returns milliseconds until the next attempt to connect, in place of so many */
  shorten(wait: number): number {
    return this.wasExpected ? Math.min(wait, TRIAL_WAIT) : wait;
  }

  /** The message under way for which the Server has closed the connection if others were under way too; or NOBODY. */
  get suspect(): number {
    const { probation, queue } = this;
    const record = this.isOpen && this.isRunning ? queue.findSent(probation.identifierAt(probation.turn)) : NONE;
    return record !== NONE && queue.isUnderWay(record) ? queue.identifierOf(record) : NOBODY;
  }

  /**
   * The connection has ended with this message under way. @param progress a number for what has got through
   * @returns place of those who are to be judged for it
   */
  strike(record: number, isCalm: boolean, progress: number): number {
    const { clock: { now }, probation, queue } = this;
    const at = probation.enterOf(queue, record);
    const sentAt = queue.sentAtOf(record);
    const isProof = probation.isGuilty(at) && (sentAt - this.connectedAt | 0) >= SOON
      || this.isOpen && queue.window!.deliveredCount !== this.deliveredAtOpening;
    probation.strike(at, queue.identifierOf(record), isProof, progress);
    if (!isCalm || probation.isGuilty(at)) {
      this.wasExpected = true;
      this.stall = Math.min(now - sentAt | 0, PATIENCE + SECOND);
      probation.wait(at, now);
    }
    return at;
  }

  /** @param isUnexplained the Server has closed it, and nobody knows why */
  closed(isUnexplained: boolean): void {
    const { clock: { now }, probation } = this;
    this.closedAt = now;
    this.isOpen = false;
    if (this.isRunning)
      this.wasExpected = true;
    probation.endTurn(now);
    if (isUnexplained && probation.suspectAgain(now))
      this.wasExpected = true;
  }

  /** Who is on probation is what the quarantine tells. */
  remind(): void {
    this.probation.forgetAll();
    this.court.remind();
    this.hold();
  }

  /** What is held becomes what waits. */
  hold(): void {
    if (this.probation.isChanged)
      release(this.queue, this.court);
  }

  private begin(at: number): void {
    const { court, probation, queue } = this;
    const identifier = probation.identifierAt(at);
    const record = identifier === NOBODY ? NONE : queue.findSent(identifier);
    if (record === NONE) { // it has been acknowledged, or given up
      const isGuilty = probation.isGuilty(at);
      probation.clear(at);
      if (!isGuilty)
        return release(queue, court);
    }
    this.beganAt = this.clock.now;
    probation.begin(at, record !== NONE);
    release(queue, court);
  }

  private watch(at: number): void {
    const { clock: { now }, court, probation, queue } = this;
    const isAlone = probation.isAlone;
    const record = isAlone ? queue.findSent(probation.identifierAt(at)) : findLongestUnderWay(queue, now);
    if (isAlone && record === NONE) {
      this.isOpen = false;
      this.beganAt = now;
      probation.clear(at);
      release(queue, court);
    } else if (isAlone || record !== NONE && probation.findOf(queue, record) === at) {
      if (this.isOpen || !queue.isUnderWay(record) || (now - queue.sentAtOf(record) | 0) < PATIENCE)
        return;
      this.open(at, queue.identifierOf(record));
    } else if ((now - this.beganAt | 0) >= SECOND && !hasMembers(queue, probation, at)) {
      probation.free(at);
      release(queue, court);
    }
  }

  private open(at: number, identifier: number): void {
    const { court, probation, queue } = this;
    this.isOpen = true;
    this.deliveredAtOpening = queue.window!.deliveredCount;
    probation.beginAlone(at, identifier);
    release(queue, court);
  }
}
