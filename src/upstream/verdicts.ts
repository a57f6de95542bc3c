/**
 * What becomes of a message that is guilty as far as three closes can tell: it is set aside, and those who have sent
 * it are on probation. But for the first one of QoS 2, which is tried with QoS 1 before; and if another one was set
 * aside before, and nothing has got through since: then both are put back, and somebody else is to blame (blame.ts).
 */
import type { Clock } from '../session/clock.ts';
import { NONE, RELEASED } from '../session/record-layout.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { Blame } from './blame.ts';
import { type Court, NOBODY, STRIKES, UNKNOWN_CAUSE } from './court.ts';
import type { Progress } from './progress.ts';
import * as Reason from './quarantine-reasons.ts';
import type { Silences } from './silences.ts';
import { release } from './suspect-records.ts';

export class Verdicts {
  readonly blamed = new Blame();
  hasLoweredQoS = false;
  /** Packet identifier of the message of QoS 2 that goes out with QoS 1, which tells whether QoS 2 was the reason. */
  private lowered = NOBODY;
  /** It was not. */
  private servesQoS2 = false;
  /** The second one of those for which somebody else was blamed. When others succeed, it has one more try. */
  isSecondTry = false;
  private second = NOBODY;
  private readonly clock: Clock;
  private readonly queue: OutboundQueue;
  private readonly court: Court;
  private readonly progress: Progress;

  constructor(clock: Clock, queue: OutboundQueue, court: Court, progress: Progress) {
    this.clock = clock;
    this.queue = queue;
    this.court = court;
    this.progress = progress;
  }

  private lowerQoS(isSilent: boolean): void {
    this.queue.lowerQoS();
    this.court.lowerQoS(isSilent);
    this.hasLoweredQoS = true;
  }

  /** Now and then: if the message has got through with QoS 1, all others go out with QoS 1 as well. */
  look(): void {
    if (this.lowered === NOBODY || this.queue.findSent(this.lowered) !== NONE)
      return;
    this.lowered = NOBODY;
    this.lowerQoS(false);
  }

  /** The connection has ended for want of an answer, which tells nothing of that message. */
  judgeSilence(silences: Silences, connectedAt: number): void {
    this.lowered = NOBODY;
    if (silences.judge(connectedAt, this.progress.doneCount > 0) && !this.hasLoweredQoS)
      this.lowerQoS(true);
  }

  /** @returns who is to blame in place of the message, UNKNOWN_CAUSE: nobody */
  pass(record: number): number {
    const { blamed, clock: { now }, court, progress, queue } = this;
    const probation = court.probation;
    const suspect = queue.identifierOf(record);
    const isProven = this.isSecondTry && suspect === this.second || blamed.has(suspect);
    this.isSecondTry = false;
    const at = probation.enterOf(queue, record);
    // Not sooner: a Server that has taken the message, and whose answer a cut link has lost, would get it twice.
    if (queue.qosOf(record) === 2 && !this.hasLoweredQoS && !this.servesQoS2 && queue.stateOf(record) !== RELEASED) {
      queue.changeQoS(record, 1);
      this.lowered = suspect;
      probation.clear(at);
      release(queue, court);
      return UNKNOWN_CAUSE;
    }
    if (suspect === this.lowered) { // everybody else keeps QoS 2
      queue.changeQoS(record, 2);
      this.lowered = NOBODY;
      this.servesQoS2 = true;
    }
    const origin = queue.originOf(record);
    const rule = queue.ruleOf(record);
    const hasSucceeded = progress.hasSucceeded || progress.count !== probation.progressAt(at);
    progress.noteVerdict();
    if (blamed.lastNumber !== 0 && !isProven && !hasSucceeded && court.putBack(blamed.lastNumber)) {
      this.second = suspect;
      probation.forgetAll();
      release(queue, court);
      const cause = blamed.begin(origin, rule, suspect, now);
      blamed.hold(queue, court, now);
      return cause;
    }
    const { replayedDoneCount } = queue.window!;
    const number = court.setAside(record, Reason.CLOSED_ON);
    queue.window!.replayedDoneCount = replayedDoneCount; // that was no success
    blamed.note(isProven ? 0 : number, origin, rule);
    probation.convict(at, court.isShareFull(origin, rule), now);
    release(queue, court);
    return UNKNOWN_CAUSE;
  }

  /** Somebody else's message has got through: the second one has one more try. */
  tryAgain(): void {
    const { court, queue } = this;
    const probation = court.probation;
    this.progress.noteVerdict();
    const record = queue.findSent(this.second);
    this.isSecondTry = record !== NONE;
    if (this.isSecondTry)
      probation.presume(probation.enterOf(queue, record), this.second, STRIKES - 1, this.clock.now);
    release(queue, court);
  }
}
