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
import { type Clock, isDue } from '../session/clock.ts';
import type { ClientSession } from '../session/client-session.ts';
import { DONE, NONE } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import * as Reason from './quarantine-reasons.ts';

export const CALM = 0;
export const CAUTIOUS = 1;
export const CONTROL = 2;
export const BLAMED = 3;

/** What is established about a Server that closes connections, for the log and the advice. */
export const UNKNOWN_CAUSE = 0;
/** It is being found out. */
export const EXAMINED = 1;
/** It closes a connection with nothing under way as well. */
export const CLOSES_IDLE = 2;
/** It closes for different messages: of a node by a rule, of a rule, of any. */
export const NODE_BLAMED = 3;
export const RULE_BLAMED = 4;
export const SERVER_BLAMED = 5;

const CLOSES = 2;
const STRIKES = 3;
/** Milliseconds: a close that comes later after the sending tells nothing of it; so long a control must hold. */
const SOON = 5000;
const SECOND = 1000;
/** A connection that has lasted so long ends a row of closes; so long one without a suspect is watched. */
const STABLE = 60_000;
const WATCHED = 2000;
const LONGEST_WATCH = 60_000;
const LONG_AGO = 600_000;

/** In place of a packet identifier: nobody. A Topic Filter of the rule with index n is -2 - n. */
const NOBODY = -1;
const FILTER = -2;

/** Does what has been decided. */
export interface Court {
  /** Lets every message be looked at, and QoS 0 wait. */
  setCautious(isCautious: boolean): void;
  /** @returns the number of the message in the quarantine; 0: it could not be set aside */
  setAside(record: number, reason: number): number;
  /** @returns whether the message is back in the store */
  putBack(number: number): boolean;
  setFilterAside(rule: number, reason: number): void;
  /** The rule whose filter is asked for and not granted, -1: none. */
  readonly pendingFilter: number;
  /** Whether the node has as many in the quarantine as it may have. @param rule index */
  isShareFull(origin: number, rule: number): boolean;
  /** Nothing goes out with more than this QoS any more. @param isSilent it does not answer, else it closes */
  lowerQoS(isSilent: boolean): void;
  onCause(cause: number, rule: number): void;
}

export class Suspects {
  phase = CALM;
  cause = UNKNOWN_CAUSE;
  /** Index of the rule that is to blame. */
  blamedRule = NOBODY;
  private blamedOrigin = 0;
  /** The second one of those for which somebody else was blamed. When others succeed, it has one more try. */
  private second = NOBODY;
  private isSecondTry = false;
  private readonly session: ClientSession;
  private readonly clock: Clock;
  private readonly court: Court;
  private readonly usualInflight: number;
  private isUp = false;
  private connectedAt = 0;
  /** Rows: of closes, of the same one under way at each, of the same one that was never acknowledged. */
  private closeCount = 0;
  private strikes = 0;
  private suspect = NOBODY;
  private silences = 0;
  private silent = NOBODY;
  private hasLoweredQoS = false;
  /** Messages that had waited and were acknowledged, when the connection began, and at the last verdict. */
  private doneAtStart = 0;
  private doneAtVerdict = 0;
  /** Of the last message that was set aside. */
  private lastNumber = 0;
  private lastOrigin = 0;
  private lastRule = NOBODY;
  /** Something was under way at one of the closes, so the suspect need not be a message of QoS 0. */
  private hasCandidate = false;
  private watchedUntil = 0;
  /** How long the next messages are watched when no suspect is known, longer each time; and since when. */
  private watchTime = WATCHED;
  private cautiousAt = -LONG_AGO - 1;
  /** The last packet identifier that was given out, when it was looked at last; and whether one since was acknowledged. */
  private lastIdentifier = NOBODY;
  private hasFreshSuccess = false;
  /** Nothing was under way when the last connection ended. */
  wasIdle = false;
  private willStrikes = 0;

  constructor(session: ClientSession, court: Court) {
    this.session = session;
    this.clock = session.role.clock;
    this.court = court;
    this.usualInflight = this.queue.limits.maximumInflight;
  }

  private get queue(): OutboundQueue {
    return this.session.sessionState!.queue;
  }

  /** Whether the next attempt should come as soon as the first one: an experiment is under way. */
  get isExamining(): boolean {
    return this.phase === CAUTIOUS && this.strikes > 0 || this.phase === CONTROL;
  }

  /** Whether the Server has accepted. */
  connected(): void {
    const { now } = this.clock;
    this.isUp = true;
    this.connectedAt = now;
    this.doneAtStart = this.queue.window!.replayedDoneCount;
    this.lastIdentifier = NOBODY;
    this.willStrikes = 0;
    this.apply();
    if (this.phase === BLAMED && this.cause !== SERVER_BLAMED)
      this.holdGroup(this.blamedOrigin, this.blamedRule, this.cause === NODE_BLAMED);
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
        this.closeCount = 0;
        if (this.phase === CAUTIOUS)
          this.calm();
      }
      this.judgeWill(reasonCode);
      return;
    }
    this.wasIdle = this.queue.inflightCount === 0 && this.court.pendingFilter < 0;
    if (reasonCode === ReasonCode.ACKNOWLEDGEMENT_TIMEOUT)
      this.judgeSilence();
    if (reasonCode === ReasonCode.NETWORK_CLOSED)
      this.judgeClose();
    else
      this.acquit();
  }

  handleTimeout(): void {
    if (this.phase === CALM || !this.isUp)
      return;
    const { clock } = this;
    if (!isDue(this.watchedUntil, clock.now)) {
      clock.request(this.watchedUntil);
      return;
    }
    this.lookForSuccess();
    if (this.phase === CONTROL)
      this.convict();
    else if (this.phase === BLAMED && this.hasSucceeded)
      this.endBlame();
    else if (this.isOver)
      this.calm();
    else if (this.hasSucceeded || !this.hasOthers)
      this.release();
    if (this.phase !== CALM) {
      this.watch(SECOND);
      this.session.writable();
    }
  }

  /** Whether a message was acknowledged since the last verdict. */
  private get hasSucceeded(): boolean {
    return this.hasFreshSuccess || this.queue.window!.replayedDoneCount !== this.doneAtVerdict;
  }

  /** Of those that have not waited: with one under way at a time, all before the last one that was sent have arrived. */
  private lookForSuccess(): void {
    const { court, lastIdentifier, queue } = this;
    const latest = queue.latestIdentifier;
    this.lastIdentifier = court.pendingFilter >= 0 ? NOBODY : latest;
    if (court.pendingFilter < 0 && lastIdentifier !== NOBODY && latest !== lastIdentifier
      && (queue.inflightCount === 0 || latest - lastIdentifier !== 1))
      this.hasFreshSuccess = true;
  }

  /** The Server closes instead of answering CONNECT: its Will may be the reason. */
  private judgeWill(reasonCode: number): void {
    const { session } = this;
    if (reasonCode !== ReasonCode.CLOSED_BEFORE_CONNACK || !session.hasWill)
      return;
    if (session.omitsWill) { // that was not it
      session.omitsWill = false;
      this.willStrikes = 0;
    } else if (++this.willStrikes >= STRIKES)
      session.omitsWill = true;
  }

  /** Whether all that can have been the suspect has been sent and acknowledged. */
  private get isOver(): boolean {
    const { queue } = this;
    const { replayedDoneCount, replayTotal } = queue.window!;
    const isThrough = replayTotal === 0 && queue.inflightCount === 0 && !this.hasHeld
      || replayedDoneCount - this.doneAtStart > 2 * this.usualInflight;
    return isThrough && this.phase === CAUTIOUS
      && (this.clock.now - this.connectedAt | 0) >= (this.hasCandidate ? SECOND : this.watchTime);
  }

  private get hasHeld(): boolean {
    const { queue } = this;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.stateOf(record) !== DONE && queue.isHeld(record) && !this.isHeldForGood(record))
        return true;
    return false;
  }

  /** Whether something waits, or is under way, that is not held. */
  private get hasOthers(): boolean {
    const { queue } = this;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.stateOf(record) !== DONE && !queue.isHeld(record))
        return true;
    return queue.window!.waitingCount > 0;
  }

  private judgeClose(): void {
    const { clock: { now }, court, queue } = this;
    const isShort = (now - this.connectedAt | 0) < STABLE;
    const filter = court.pendingFilter;
    const record = queue.inflightCount === 1 && filter < 0 ? this.underWay() : NONE;
    const suspect = filter >= 0 ? FILTER - filter : record === NONE ? NOBODY : queue.identifierOf(record);
    if (queue.inflightCount > 0 || filter >= 0)
      this.hasCandidate = true;
    if (this.phase === CONTROL) { // it closes without a reason that we could give it
      this.acquit();
      this.say(CLOSES_IDLE, NOBODY);
      this.calm();
      return;
    }
    this.closeCount = isShort ? this.closeCount + 1 : 1;
    if (this.phase === BLAMED)
      return;
    const sentAt = filter >= 0 ? this.connectedAt : record === NONE ? 0 : queue.sentAtOf(record);
    if (suspect === NOBODY || (now - sentAt | 0) > SOON)
      this.acquit();
    else if (suspect === this.suspect)
      ++this.strikes;
    else {
      this.suspect = suspect;
      this.strikes = 1;
      this.isSecondTry = false;
    }
    if (this.strikes === STRIKES - 1 && record !== NONE && queue.qosOf(record) === 2 && !this.hasLoweredQoS)
      this.tryLowerQoS(false);
    if (this.closeCount >= CLOSES && this.phase === CALM) {
      this.phase = CAUTIOUS;
      this.noteVerdict();
      const isFirst = (now - this.cautiousAt >>> 0) > LONG_AGO;
      this.watchTime = isFirst ? WATCHED : Math.min(2 * this.watchTime, LONGEST_WATCH);
      this.cautiousAt = now;
      court.setCautious(true);
      this.say(EXAMINED, NOBODY);
    }
    if (this.strikes >= STRIKES)
      this.phase = CONTROL;
  }

  /** The Server has owed an acknowledgement for too long. */
  private judgeSilence(): void {
    const { court, queue, session } = this;
    const filter = court.pendingFilter;
    const record = filter >= 0 ? NONE : this.longestUnderWay();
    const silent = filter >= 0 ? FILTER - filter : record === NONE ? NOBODY : queue.identifierOf(record);
    if (silent === NOBODY)
      return;
    const sentAt = record === NONE ? this.connectedAt : queue.sentAtOf(record);
    const isAlive = (session.lastReceivedAt - sentAt | 0) > 0;
    const areOthersAnswered = filter >= 0 ? true : this.isOneDoneAfter(record)
      || queue.window!.replayedDoneCount !== this.doneAtStart;
    if (silent !== this.silent) {
      this.silent = silent;
      this.silences = 0;
    }
    ++this.silences;
    if (record !== NONE && queue.qosOf(record) === 2 && isAlive && this.silences >= 2 && !this.hasLoweredQoS)
      this.tryLowerQoS(true);
    if (this.silences < STRIKES || !areOthersAnswered)
      return;
    this.silent = NOBODY;
    this.silences = 0;
    if (filter >= 0)
      court.setFilterAside(filter, Reason.NEVER_ACKNOWLEDGED);
    else
      court.setAside(record, Reason.NEVER_ACKNOWLEDGED);
  }

  private tryLowerQoS(isSilent: boolean): void {
    this.hasLoweredQoS = true;
    this.queue.lowerQoS();
    this.court.lowerQoS(isSilent);
  }

  /** The control has held. */
  private convict(): void {
    const { court, isSecondTry: isProven, queue, suspect } = this;
    this.phase = CAUTIOUS;
    this.acquit();
    if (suspect <= FILTER) {
      court.setFilterAside(FILTER - suspect, Reason.CLOSED_ON);
      this.apply();
      return;
    }
    const record = queue.findSent(suspect);
    if (record === NONE) {
      this.apply();
      return;
    }
    const origin = queue.originOf(record);
    const rule = queue.ruleOf(record);
    const { lastNumber, lastOrigin, lastRule } = this;
    if (lastNumber !== 0 && !isProven && !this.hasSucceeded && court.putBack(lastNumber)) {
      this.lastNumber = 0;
      this.second = suspect;
      const isRule = rule === lastRule;
      const isNode = isRule && origin === lastOrigin && origin !== 0;
      this.blame(isNode ? NODE_BLAMED : isRule ? RULE_BLAMED : SERVER_BLAMED, origin, rule);
      return;
    }
    const number = court.setAside(record, Reason.CLOSED_ON);
    this.lastNumber = isProven ? 0 : number;
    this.lastOrigin = origin;
    this.lastRule = rule;
    this.noteVerdict();
    this.holdGroup(origin, rule, true);
    this.apply();
    if (this.cause === EXAMINED)
      this.cause = UNKNOWN_CAUSE;
  }

  private blame(cause: number, origin: number, rule: number): void {
    this.phase = BLAMED;
    this.blamedOrigin = origin;
    this.noteVerdict();
    if (cause !== SERVER_BLAMED)
      this.holdGroup(origin, rule, cause === NODE_BLAMED);
    this.apply();
    this.say(cause, rule);
  }

  private endBlame(): void {
    this.phase = CAUTIOUS;
    this.cause = UNKNOWN_CAUSE;
    this.noteVerdict();
    this.release();
    if (this.queue.findSent(this.second) === NONE)
      return;
    this.suspect = this.second;
    this.strikes = STRIKES - 1;
    this.isSecondTry = true;
  }

  /** Others first: whether those pass tells whether the Server is to blame. If there are none, nothing is held. */
  private holdGroup(origin: number, rule: number, isNode: boolean): void {
    const { queue } = this;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.stateOf(record) !== DONE && queue.ruleOf(record) === rule
        && (!isNode || queue.originOf(record) === origin))
        queue.hold(record);
    if (!this.hasOthers)
      this.release();
  }

  /** Whatever was held may be sent, but for nodes that have used up their share: what they have sent before waits, too. */
  private release(): void {
    const { queue } = this;
    queue.releaseHeld();
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.stateOf(record) !== DONE && this.isHeldForGood(record))
        queue.hold(record);
  }

  private isHeldForGood(record: number): boolean {
    const { court, queue } = this;
    return court.isShareFull(queue.originOf(record), queue.ruleOf(record));
  }

  private noteVerdict(): void {
    this.doneAtVerdict = this.queue.window!.replayedDoneCount;
    this.hasFreshSuccess = false;
  }

  /** Whether a filter must wait: it may be the reason why the Server closes connections. */
  get holdsFilters(): boolean {
    return this.phase === CONTROL && this.suspect <= FILTER;
  }

  private acquit(): void {
    this.suspect = NOBODY;
    this.strikes = 0;
    this.isSecondTry = false;
    if (this.phase === CONTROL)
      this.phase = CAUTIOUS;
  }

  private calm(): void {
    this.phase = CALM;
    this.closeCount = 0;
    this.hasCandidate = false;
    this.lastNumber = 0;
    if (this.cause === EXAMINED)
      this.cause = UNKNOWN_CAUSE;
    this.release();
    this.apply();
    this.court.setCautious(false);
    this.session.writable();
  }

  /** How many messages may be under way. */
  private apply(): void {
    const { phase, queue: { limits } } = this;
    limits.maximumInflight = phase === CALM ? this.usualInflight : phase === CONTROL ? 0 : 1;
  }

  private watch(milliseconds: number): void {
    const { clock } = this;
    this.watchedUntil = clock.now + milliseconds | 0;
    clock.request(this.watchedUntil);
  }

  private say(cause: number, rule: number): void {
    this.cause = cause;
    this.blamedRule = rule;
    this.court.onCause(cause, rule);
  }

  /** The only record that is under way. */
  private underWay(): number {
    const { queue } = this;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.isUnderWay(record))
        return record;
    return NONE;
  }

  private longestUnderWay(): number {
    const { clock: { now }, queue } = this;
    let found = NONE;
    let longest = -1;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.isUnderWay(record) && (now - queue.sentAtOf(record) | 0) > longest) {
        longest = now - queue.sentAtOf(record) | 0;
        found = record;
      }
    return found;
  }

  private isOneDoneAfter(record: number): boolean {
    const { queue } = this;
    for (let later = queue.following(record); later !== NONE; later = queue.following(later))
      if (queue.stateOf(later) === DONE)
        return true;
    return false;
  }
}
