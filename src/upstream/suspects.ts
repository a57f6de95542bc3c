/**
 * Finds out for which message, or Topic Filter, the Server closes connections, so that it can be set aside and
 * everybody else goes on. In 3.x a Server says nothing before it closes, so this is an experiment:
 *
 *   CALM      two closes in a row by the Server, with something sent
 *   CAUTIOUS  one message at a time. The same one under way at three closes in a row, each soon after it was sent:
 *   CONTROL   a connection with nothing under way. Holds it, the message is guilty; closes it, the message is not
 *   BLAMED    two guilty ones with no success between: then their rule or the Server is to blame, both are put back,
 *             and the slow curve is used
 *
 * A message that is never acknowledged on three connections, while others are, is set aside too; one of QoS 2 is first
 * tried with QoS 1, which not every Server serves. Nothing of this is done for each packet: a connection that has ended
 * is looked at, and while one is watched, once a second.
 */
import * as ReasonCode from '../packet/reason-code.ts';
import { Blame } from './blame.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { ClientSession } from '../session/client-session.ts';
import { NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import {
  BIRTH, BLAMED, blamesPacket, CALM, CAUTIOUS, CLOSES_IDLE, CONTROL, type Court, EXAMINED, FILTER, NOBODY, STRIKES,
  UNKNOWN_CAUSE,
} from './court.ts';
import * as Reason from './quarantine-reasons.ts';
import { Progress } from './progress.ts';
import { Silences } from './silences.ts';
import { findSuspect, hasHeld, hasOthers, holdGroup, release, sentAtOf } from './suspect-records.ts';

const CLOSES = 2;
/** Milliseconds: a close that comes later after the sending tells nothing of it; so long a control must hold. */
const SOON = 5000;
const SECOND = 1000;
/** A connection that has lasted so long ends a row of closes; so long one without a suspect is watched. */
const STABLE = 60_000;
const WATCHED = 2000;
const LONGEST_WATCH = 60_000;
const LONG_AGO = 600_000;

export class Suspects {
  phase = CALM;
  cause = UNKNOWN_CAUSE;
  /** Index of the rule that is to blame. */
  blamedRule = NOBODY;
  /** The second one of those for which somebody else was blamed. When others succeed, it has one more try. */
  private second = NOBODY;
  private isSecondTry = false;
  private readonly session: ClientSession;
  private readonly clock: Clock;
  private readonly court: Court;
  private readonly usualInflight: number;
  private readonly queue: OutboundQueue;
  private readonly progress: Progress;
  private readonly silences: Silences;
  private readonly blamed = new Blame();
  private isUp = false;
  private connectedAt = 0;
  /** Rows: of closes, and of the same one under way at each. */
  private closeCount = 0;
  private strikes = 0;
  private suspect = NOBODY;
  private hasLoweredQoS = false;
  /** Something was under way at one of the closes, so the suspect need not be a message of QoS 0. */
  private hasCandidate = false;
  private watchedUntil = 0;
  /** How long the next messages are watched when no suspect is known, longer each time; and since when. */
  private watchTime = WATCHED;
  private cautiousAt = -LONG_AGO - 1;
  /** Nothing was under way when the last connection ended. */
  wasIdle = false;

  constructor(session: ClientSession, court: Court) {
    this.session = session;
    this.clock = session.role.clock;
    this.court = court;
    this.queue = session.sessionState!.queue;
    this.progress = new Progress(this.queue, court);
    this.silences = new Silences(session, court);
    this.usualInflight = this.queue.limits.maximumInflight;
  }

  /** Whether the next attempt should come as soon as the first one: an experiment is under way. */
  get isExamining(): boolean {
    return this.phase === CAUTIOUS && this.strikes > 0 || this.phase === CONTROL;
  }

  /** Whether attempts should be made less often: nothing that was tried has got through. */
  get isHopeless(): boolean {
    return this.phase === BLAMED && this.blamed.isHopeless;
  }

  /** The Server has accepted. */
  connected(): void {
    const { now } = this.clock;
    this.isUp = true;
    this.connectedAt = now;
    this.progress.begin();
    this.silences.connected();
    this.apply();
    if (this.phase === BLAMED)
      this.blamed.hold(this.queue, this.court, now);
    if (this.phase !== CALM)
      this.watch(this.phase === CONTROL ? SOON : SECOND);
  }

  /** The connection, or an attempt to connect, has ended. */
  closed(reasonCode: number): void {
    const wasUp = this.isUp;
    this.isUp = false;
    if (!wasUp) {
      if (reasonCode === ReasonCode.NETWORK_UNREACHABLE) { // it is the Server, or the network, that was gone
        this.acquit();
        if (this.phase !== BLAMED)
          this.calm();
      }
      this.silences.judgeWill(reasonCode);
      return;
    }
    this.wasIdle = this.queue.inflightCount === 0 && this.court.pendingFilter < 0;
    if (reasonCode === ReasonCode.ACKNOWLEDGEMENT_TIMEOUT
      && this.silences.judge(this.connectedAt, this.progress.doneCount > 0) && !this.hasLoweredQoS)
      this.tryLowerQoS(true);
    if (reasonCode === ReasonCode.NETWORK_CLOSED || blamesPacket(this.session.toldReason))
      this.judgeClose();
    else
      this.acquit();
  }

  handleTimeout(): void {
    if (this.phase === CALM || !this.isUp)
      return;
    if (!isDue(this.watchedUntil, this.clock.now))
      return this.clock.request(this.watchedUntil);
    this.progress.look(this.session.announcements.isBirthFirst(this.clock.now));
    if (this.phase === CONTROL)
      this.convict();
    else if (this.phase === BLAMED && this.progress.hasSucceeded)
      this.endBlame();
    else if (this.isOver)
      this.calm();
    else if (this.phase === BLAMED)
      this.blamed.hold(this.queue, this.court, this.clock.now);
    else if (this.progress.hasSucceeded || !hasOthers(this.queue))
      release(this.queue, this.court);
    if (this.phase !== CALM) {
      this.watch(SECOND);
      this.apply();
      this.session.writable();
      this.session.announce();
    }
  }

  /** Whether all that can have been the suspect has been sent and acknowledged. */
  private get isOver(): boolean {
    const { queue } = this;
    const isThrough = queue.window!.replayTotal === 0 && queue.inflightCount === 0 && !hasHeld(queue, this.court)
      || this.progress.doneCount > 2 * this.usualInflight;
    return isThrough && this.phase === CAUTIOUS && !this.session.announcements.isBirthFirst(this.clock.now)
      && (this.clock.now - this.connectedAt | 0) >= (this.hasCandidate ? SECOND : this.watchTime);
  }

  private judgeClose(): void {
    const { clock: { now }, connectedAt, court, queue, session } = this;
    const suspect = findSuspect(session, court);
    if (queue.inflightCount > 0 || suspect !== NOBODY)
      this.hasCandidate = true;
    if (this.phase === CONTROL) { // it closes without a reason that we could give it
      this.acquit();
      this.say(CLOSES_IDLE, NOBODY);
      return this.calm();
    }
    this.closeCount = (now - connectedAt | 0) < STABLE ? this.closeCount + 1 : 1;
    if (this.phase === BLAMED)
      return this.accuse(this.blamed.closed(queue, suspect, now), this.blamedRule);
    if (suspect === NOBODY || (now - sentAtOf(session, suspect, connectedAt) | 0) > SOON)
      this.acquit();
    else if (suspect === this.suspect)
      ++this.strikes;
    else {
      this.acquit();
      this.suspect = suspect;
      this.strikes = 1;
    }
    if (this.closeCount >= CLOSES && this.phase === CALM) {
      this.phase = CAUTIOUS;
      this.progress.noteVerdict();
      const isFirst = (now - this.cautiousAt >>> 0) > LONG_AGO;
      this.watchTime = isFirst ? WATCHED : Math.min(2 * this.watchTime, LONGEST_WATCH);
      this.cautiousAt = now;
      court.setCautious(true);
      this.say(EXAMINED, NOBODY);
    }
    if (this.strikes >= STRIKES)
      this.phase = CONTROL;
  }

  private tryLowerQoS(isSilent: boolean): void {
    this.queue.lowerQoS();
    this.court.lowerQoS(isSilent);
    this.hasLoweredQoS = true;
  }

  /** The control has held. */
  private convict(): void {
    const { court, queue, suspect } = this;
    const isProven = this.isSecondTry || this.blamed.has(suspect);
    this.phase = CAUTIOUS;
    this.acquit();
    if (suspect <= FILTER)
      court.setFilterAside(FILTER - suspect, Reason.CLOSED_ON);
    else if (suspect === BIRTH)
      court.setBirthAside();
    if (suspect <= BIRTH)
      return this.apply();
    const record = queue.findSent(suspect);
    if (record === NONE)
      return this.apply();
    // Not sooner: a Server that has taken the message, and whose answer a cut link has lost, would get it twice.
    if (queue.qosOf(record) === 2 && !this.hasLoweredQoS) {
      this.tryLowerQoS(false);
      return this.apply();
    }
    const origin = queue.originOf(record);
    const rule = queue.ruleOf(record);
    const { blamed, clock: { now } } = this;
    if (blamed.lastNumber !== 0 && !isProven && !this.progress.hasSucceeded && court.putBack(blamed.lastNumber)) {
      this.phase = BLAMED;
      this.second = suspect;
      this.progress.noteVerdict();
      this.accuse(blamed.begin(origin, rule, suspect, now), rule);
      blamed.hold(queue, court, now);
      return this.apply();
    }
    const number = court.setAside(record, Reason.CLOSED_ON);
    blamed.note(isProven ? 0 : number, origin, rule);
    this.progress.noteVerdict();
    holdGroup(this.queue, this.court, origin, rule, true);
    this.apply();
    if (this.cause === EXAMINED) this.cause = UNKNOWN_CAUSE;
  }

  private accuse(cause: number, rule: number): void {
    if (cause !== this.cause)
      this.say(cause, rule);
  }

  private endBlame(): void {
    this.phase = CAUTIOUS;
    this.cause = UNKNOWN_CAUSE;
    this.progress.noteVerdict();
    release(this.queue, this.court);
    if (this.queue.findSent(this.second) === NONE)
      return;
    this.suspect = this.second;
    this.strikes = STRIKES - 1;
    this.isSecondTry = true;
  }

  /** Whether a filter must wait: it may be the reason why the Server closes connections. */
  get holdsFilters(): boolean {
    return this.phase === CONTROL && this.suspect <= FILTER;
  }

  private acquit(): void {
    this.suspect = NOBODY;
    this.strikes = 0;
    this.isSecondTry = false;
    if (this.phase === CONTROL) this.phase = CAUTIOUS;
  }

  private calm(): void {
    this.phase = CALM;
    this.closeCount = 0;
    this.hasCandidate = false;
    this.blamed.forget();
    if (this.cause === EXAMINED) this.cause = UNKNOWN_CAUSE;
    release(this.queue, this.court);
    this.apply();
    this.court.setCautious(false);
    this.session.writable();
  }

  /** How many messages may be under way. Of what is sent one at a time the birth is the first. */
  private apply(): void {
    const { clock, phase, queue: { limits }, session: { announcements } } = this;
    announcements.isHeld = phase === CONTROL;
    limits.maximumInflight = phase === CALM ? this.usualInflight
      : phase === CONTROL || announcements.isBirthFirst(clock.now) ? 0 : 1;
  }

  private watch(milliseconds: number): void {
    this.clock.request(this.watchedUntil = this.clock.now + milliseconds | 0);
  }

  private say(cause: number, rule: number): void {
    this.court.onCause(this.cause = cause, this.blamedRule = rule);
  }
}
