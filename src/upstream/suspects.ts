/**
 * Finds out for which message, or Topic Filter, the Server closes connections, so that it can be set aside and
 * everybody else goes on. In 3.x a Server says nothing before it closes, so this is an experiment:
 *
 *   CALM      two closes in a row by the Server, with something sent
 *   CAUTIOUS  one message at a time, those that are suspected after others (trials.ts). The same one alone under way
 *             at three closes:
 *   CONTROL   a connection with nothing under way. Holds it, the message is guilty; closes it, the message is not
 *   BLAMED    two guilty ones with no success between: then their rule or the Server is to blame, both are put back,
 *             and the slow curve is used
 *
 * A message that is never acknowledged on three connections, while others are, is set aside too; one of QoS 2 is first
 * tried with QoS 1, which not every Server serves. Nothing of this is done for each packet: a connection that has ended
 * is looked at, and while one is watched, once a second.
 */
import * as ReasonCode from '../packet/reason-code.ts';
import { Caution } from './caution.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { ClientSession } from '../session/client-session.ts';
import { NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import {
  BIRTH, BLAMED, blamesPacket, CALM, CAUTIOUS, CLOSES_IDLE, CONTROL, type Court, EXAMINED, FILTER, NOBODY, SOON,
  STRIKES, UNKNOWN_CAUSE,
} from './court.ts';
import * as Reason from './quarantine-reasons.ts';
import { Progress } from './progress.ts';
import { Silences } from './silences.ts';
import { findSuspect, release, sentAtOf } from './suspect-records.ts';
import { Trials } from './trials.ts';
import { Verdicts } from './verdicts.ts';

const CLOSES = 2;
const SECOND = 1000;
/** A connection that has lasted so long, in milliseconds, ends a row of closes. */
const STABLE = 60_000;

export class Suspects {
  phase = CALM;
  cause = UNKNOWN_CAUSE;
  /** Index of the rule that is to blame. */
  blamedRule = NOBODY;
  private readonly session: ClientSession;
  private readonly clock: Clock;
  private readonly court: Court;
  private readonly usualInflight: number;
  private readonly queue: OutboundQueue;
  private readonly progress: Progress;
  private readonly silences: Silences;
  readonly trials: Trials;
  private readonly verdicts: Verdicts;
  private readonly caution: Caution;
  private isUp = false;
  private connectedAt = 0;
  /** Rows: of closes, and of the same one under way at each. */
  private closeCount = 0;
  private strikes = 0;
  private suspect = NOBODY;
  /** Milliseconds for which a control must hold: longer than the Server took to close. */
  private controlTime = SOON;
  private watchedUntil = 0;
  /** Nothing was under way when the last connection ended. */
  wasIdle = false;

  constructor(session: ClientSession, court: Court) {
    this.session = session;
    this.clock = session.role.clock;
    this.court = court;
    this.queue = session.sessionState!.queue;
    this.progress = new Progress(this.queue, court);
    this.silences = new Silences(session, court);
    this.trials = new Trials(session, court);
    this.caution = new Caution(session, this.progress, this.trials.probation);
    this.verdicts = new Verdicts(this.clock, this.queue, court, this.progress);
    this.usualInflight = this.queue.limits.maximumInflight;
  }

  /** Whether the next attempt should come as soon as the first one: an experiment is under way. */
  get isExamining(): boolean {
    return this.phase === CAUTIOUS && this.strikes > 0 || this.phase === CONTROL;
  }

  /** Whether attempts should be made less often: nothing that was tried has got through. */
  get isHopeless(): boolean {
    return this.phase === BLAMED && this.verdicts.blamed.isHopeless;
  }

  /** The Server has accepted. */
  connected(): void {
    const { now } = this.clock;
    this.isUp = true;
    this.connectedAt = now;
    this.progress.begin();
    this.silences.connected();
    this.trials.connected(this.phase !== CALM);
    if (this.phase === BLAMED)
      this.verdicts.blamed.hold(this.queue, this.court, now);
    this.apply();
    if (this.isWatching)
      this.watch(this.phase === CONTROL ? this.controlTime : SECOND);
  }

  private get isWatching(): boolean {
    return this.phase !== CALM || this.trials.probation.isHolding;
  }

  /** The connection, or an attempt to connect, has ended. */
  closed(reasonCode: number): void {
    const wasUp = this.isUp;
    this.isUp = false;
    if (!wasUp) {
      this.trials.wasExpected = false;
      if (reasonCode === ReasonCode.NETWORK_UNREACHABLE) { // it is the Server, or the network, that was gone
        this.acquit();
        if (this.phase !== BLAMED)
          this.calm();
      }
      this.silences.judgeWill(reasonCode);
      this.trials.hold();
      return;
    }
    this.wasIdle = this.queue.inflightCount === 0 && this.court.pendingFilter < 0;
    this.verdicts.look();
    if (reasonCode === ReasonCode.ACKNOWLEDGEMENT_TIMEOUT)
      this.verdicts.judgeSilence(this.silences, this.connectedAt);
    const isByPeer = reasonCode === ReasonCode.NETWORK_CLOSED || blamesPacket(this.session.toldReason);
    if (!isByPeer)
      this.acquit();
    this.trials.closed(isByPeer && !this.judgeClose());
    this.trials.hold();
    this.apply();
  }

  handleTimeout(): void {
    if (!this.isWatching || !this.isUp)
      return;
    if (this.queue.closeHoles())
      this.session.writable();
    if (!isDue(this.watchedUntil, this.clock.now))
      return this.clock.request(this.watchedUntil);
    this.verdicts.look();
    this.progress.look(this.session.announcements.isBirthFirst(this.clock.now));
    if (this.phase === CONTROL)
      this.convict();
    else if (this.phase === BLAMED && this.progress.hasSucceeded) {
      this.phase = CAUTIOUS;
      this.cause = UNKNOWN_CAUSE;
      this.verdicts.tryAgain();
    }
    else if (this.phase === CAUTIOUS && this.caution.isOver(this.connectedAt))
      this.calm();
    else if (this.phase === BLAMED)
      this.verdicts.blamed.hold(this.queue, this.court, this.clock.now);
    else
      this.trials.advance(this.phase === CALM);
    if (this.phase === CALM && this.progress.hasSucceeded)
      this.verdicts.blamed.forget();
    this.trials.hold();
    this.apply();
    if (!this.isWatching)
      return;
    this.court.makeWay();
    this.watch(SECOND);
    this.session.writable();
    this.session.announce();
  }

  /** @returns whether it is known for which message the Server has closed the connection */
  private judgeClose(): boolean {
    const { clock: { now }, connectedAt, court, queue, session, trials } = this;
    const suspect = trials.suspect === NOBODY ? findSuspect(session, court) : trials.suspect;
    if (queue.inflightCount > 0 || suspect !== NOBODY)
      this.caution.hasCandidate = true;
    if (this.phase === CONTROL) { // it closes without a reason that we could give it
      this.acquit();
      this.say(CLOSES_IDLE, NOBODY);
      this.calm();
      return false;
    }
    this.closeCount = (now - connectedAt | 0) < STABLE ? this.closeCount + 1 : 1;
    if (this.phase === BLAMED) {
      this.accuse(this.verdicts.blamed.closed(queue, suspect, now), this.blamedRule);
      return false;
    }
    const waited = suspect === NOBODY ? 0 : now - sentAtOf(session, suspect, connectedAt) | 0;
    const isAlone = this.phase !== CALM || trials.isRunning;
    const isSuspected = suspect !== NOBODY && waited <= (isAlone ? session.settings.acknowledgementTimeout : SOON);
    if (!isSuspected)
      this.acquit();
    else if (suspect <= BIRTH) {
      this.strikes = suspect === this.suspect ? this.strikes + 1 : 1;
      this.suspect = suspect;
    } else
      this.strike(suspect);
    if (this.closeCount >= CLOSES && this.phase === CALM) {
      this.phase = CAUTIOUS;
      this.caution.begin();
      this.say(EXAMINED, NOBODY);
    }
    if (this.strikes >= STRIKES) {
      this.phase = CONTROL;
      const age = now - connectedAt | 0;
      this.controlTime = waited <= SOON ? SOON : (age < STABLE ? age : waited) + SECOND;
    }
    return isSuspected && suspect > BIRTH;
  }

  /** A message alone has been under way. */
  private strike(suspect: number): void {
    const { trials, trials: { probation } } = this;
    const at = trials.strike(this.queue.findSent(suspect), this.phase === CALM, this.progress.count);
    if (probation.isGuilty(at))
      this.closeCount = 0; // it is known why
    this.strikes = probation.strikesAt(at);
    this.suspect = suspect;
    if (this.strikes >= STRIKES && probation.isProvenAt(at))
      this.convict();
  }

  /** The control has held, or is not needed. */
  private convict(): void {
    const { court, suspect } = this;
    this.leaveControl();
    if (suspect <= FILTER)
      court.setFilterAside(FILTER - suspect, Reason.CLOSED_ON);
    else if (suspect === BIRTH)
      court.setBirthAside();
    const record = suspect <= BIRTH ? NONE : this.queue.findSent(suspect);
    if (record === NONE)
      return;
    const rule = this.queue.ruleOf(record);
    const cause = this.verdicts.pass(record);
    if (cause !== UNKNOWN_CAUSE)
      this.accuse(cause, rule);
    else if (this.cause === EXAMINED)
      this.cause = UNKNOWN_CAUSE;
  }

  private accuse(cause: number, rule: number): void {
    this.phase = BLAMED;
    if (cause !== this.cause)
      this.say(cause, rule);
  }

  /** Whether a filter must wait: it may be the reason why the Server closes connections. */
  get holdsFilters(): boolean {
    return this.phase === CONTROL && this.suspect <= FILTER;
  }

  /** A storage tells what is in the quarantine, or rules have other positions now. */
  remind(): void {
    this.trials.remind();
    this.apply();
    if (this.isUp && this.isWatching)
      this.watch(SECOND);
  }

  private acquit(): void {
    this.leaveControl();
    this.verdicts.isSecondTry = false;
    this.trials.probation.acquit(this.clock.now);
  }

  private leaveControl(): void {
    this.suspect = NOBODY;
    this.strikes = 0;
    if (this.phase === CONTROL) this.phase = CAUTIOUS;
  }

  private calm(): void {
    const { court, progress, queue, trials: { probation } } = this;
    this.phase = CALM;
    this.closeCount = 0;
    this.caution.hasCandidate = false;
    if (!probation.isHolding || progress.hasSucceeded)
      this.verdicts.blamed.forget();
    if (this.cause === EXAMINED) this.cause = UNKNOWN_CAUSE;
    release(queue, court);
    this.apply();
    this.session.writable();
  }

  /** How many messages may be under way. Of what is sent one at a time the birth is the first. */
  private apply(): void {
    const { clock, court, phase, queue: { limits }, session: { announcements }, trials } = this;
    const isCautious = phase !== CALM || trials.isRunning;
    court.setCautious(isCautious);
    announcements.isHeld = phase === CONTROL;
    limits.maximumInflight = !isCautious ? this.usualInflight
      : phase === CONTROL || announcements.isBirthFirst(clock.now) ? 0 : trials.isOpen ? this.usualInflight : 1;
  }

  private watch(milliseconds: number): void {
    this.clock.request(this.watchedUntil = this.clock.now + milliseconds | 0);
  }

  private say(cause: number, rule: number): void {
    this.court.onCause(this.cause = cause, this.blamedRule = rule);
  }
}
