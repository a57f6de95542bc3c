/** How long messages go out one at a time, while it is found out for what the Server closes connections. */
import type { ClientSession } from '../session/client-session.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import type { Probation } from './probation.ts';
import type { Progress } from './progress.ts';
import { hasHeld } from './suspect-records.ts';

const SECOND = 1000;
/** Milliseconds: so long a connection without a suspect is watched. */
const WATCHED = 2000;
const LONGEST_WATCH = 60_000;
/** One on which messages got through for so long is good, whatever else waits. */
const LONG = 30_000;
const LONG_AGO = 600_000;

export class Caution {
  /** Something was under way at one of the closes, so the suspect need not be a message of QoS 0. */
  hasCandidate = false;
  private readonly session: ClientSession;
  private readonly queue: OutboundQueue;
  private readonly progress: Progress;
  private readonly probation: Probation;
  private readonly usualInflight: number;
  /** How long the next messages are watched when no suspect is known, longer each time; and since when. */
  private watchTime = WATCHED;
  private beganAt = -LONG_AGO - 1;

  constructor(session: ClientSession, progress: Progress, probation: Probation) {
    this.session = session;
    this.queue = session.sessionState!.queue;
    this.progress = progress;
    this.probation = probation;
    this.usualInflight = this.queue.limits.maximumInflight;
  }

  begin(): void {
    const { now } = this.session.role.clock;
    this.progress.noteVerdict();
    this.watchTime = (now - this.beganAt >>> 0) > LONG_AGO ? WATCHED : Math.min(2 * this.watchTime, LONGEST_WATCH);
    this.beganAt = now;
  }

  /** Whether all that can have been the suspect has been sent and acknowledged. @param connectedAt and since when */
  isOver(connectedAt: number): boolean {
    const { probation, progress, queue, session } = this;
    const { now } = session.role.clock;
    const age = now - connectedAt | 0;
    const window = queue.window!;
    if (probation.hasSuspects || session.announcements.isBirthFirst(now))
      return false;
    const isThrough = window.replayTotal === window.deferredCount && queue.inflightCount === 0
      && !hasHeld(queue, probation) || progress.doneCount > 2 * this.usualInflight;
    return isThrough && age >= (this.hasCandidate ? SECOND : this.watchTime) || age >= LONG && progress.hasSucceeded;
  }
}
