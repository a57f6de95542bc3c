/**
 * Messages and filters that the Server never answers, though it is there: the same one on three connections, while
 * others are answered. What has QoS 2 is first tried with QoS 1: not every Server serves QoS 2. The Will of the
 * gateway, if the Server closes instead of answering CONNECT.
 */
import * as ReasonCode from '../packet/reason-code.ts';
import type { ClientSession } from '../session/client-session.ts';
import { NONE } from '../session/record-layout.ts';
import { BIRTH, type Court, FILTER, NOBODY, STRIKES } from './court.ts';
import * as Reason from './quarantine-reasons.ts';
import { findLongestUnderWay, isOneDoneAfter } from './suspect-records.ts';

export class Silences {
  private readonly session: ClientSession;
  private readonly court: Court;
  private count = 0;
  private silent = NOBODY;
  private willStrikes = 0;

  constructor(session: ClientSession, court: Court) {
    this.session = session;
    this.court = court;
  }

  /** The Server has accepted. */
  connected(): void {
    this.willStrikes = 0;
  }

  /** An attempt has failed before the Server accepted: its Will may be the reason. */
  judgeWill(reasonCode: number): void {
    const { session } = this;
    if (reasonCode !== ReasonCode.CLOSED_BEFORE_CONNACK || !session.hasWill || session.hasProperties) // a version first
      return;
    if (session.omitsWill) { // that was not it
      session.omitsWill = false;
      this.willStrikes = 0;
    } else if (++this.willStrikes >= STRIKES)
      session.omitsWill = true;
  }

  /**
   * The Server has owed an acknowledgement for too long.
   * @param connectedAt when it had accepted @param hasAnswered whether it has acknowledged any that had waited
   * @returns whether QoS 1 should be tried
   */
  judge(connectedAt: number, hasAnswered: boolean): boolean {
    const { court, session } = this;
    const { queue } = session.sessionState!;
    const filter = court.pendingFilter;
    const record = filter >= 0 ? NONE : findLongestUnderWay(queue, session.role.clock.now);
    const silent = filter >= 0 ? FILTER - filter : record !== NONE ? queue.identifierOf(record)
      : session.announcements.isBirthUnderWay(session.role.clock.now) ? BIRTH : NOBODY;
    if (silent === NOBODY)
      return false;
    if (silent !== this.silent) {
      this.silent = silent;
      this.count = 0;
    }
    ++this.count;
    if (silent === BIRTH) {
      if (this.count >= STRIKES && queue.latestIdentifier !== session.announcements.identifier)
        court.setBirthAside();
      return false;
    }
    const sentAt = record === NONE ? connectedAt : queue.sentAtOf(record);
    const isAlive = (session.lastReceivedAt - sentAt | 0) > 0;
    const tryLower = record !== NONE && queue.qosOf(record) === 2 && isAlive && this.count >= STRIKES - 1;
    if (this.count < STRIKES || filter < 0 && !hasAnswered && !isOneDoneAfter(queue, record))
      return tryLower;
    this.silent = NOBODY;
    if (filter >= 0)
      court.setFilterAside(filter, Reason.NEVER_ACKNOWLEDGED);
    else {
      const at = court.probation.enterOf(queue, record);
      court.setAside(record, Reason.NEVER_ACKNOWLEDGED);
      court.probation.reprimand(at, session.role.clock.now);
    }
    return false;
  }
}
