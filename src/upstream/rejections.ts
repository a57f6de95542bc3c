/**
 * Messages that a Server of 5.0 refuses with a reason code, each of which is the end of an exchange. They are judged by
 * their reason:
 *
 *   not authorized, topic, payload format   that message, for good: it is set aside
 *   quota                                   nobody's fault: all waits for a while, and it goes first then
 *   unspecified, implementation, identifier perhaps that message: others go first. Refused three times, while others
 *                                           have been taken, it is set aside
 *
 * A wait is a second, twice as long each time up to a minute; a message that is taken ends the row. Nothing of this is
 * done for a message that is not refused.
 */
import * as Event from '../config/events.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { ClientSession } from '../session/client-session.ts';
import { type Clock, isDue } from '../session/clock.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { DONE, NONE } from '../session/record-layout.ts';
import { type Court, NOBODY, STRIKES } from './court.ts';
import * as Loss from './losses.ts';
import { release } from './suspect-records.ts';

/** Milliseconds. */
const SHORTEST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

export class Rejections {
  /** Since the start. */
  count = 0;
  private readonly session: ClientSession;
  private readonly clock: Clock;
  private readonly queue: OutboundQueue;
  private readonly court: Court;
  private readonly losses: Loss.LossObserver;
  private readonly observer: Event.GatewayObserver;
  private isWaiting = false;
  private resumesAt = 0;
  private wait = 0;
  /** Messages that had been delivered at the last refusal, and at the first one of the suspect. */
  private deliveredBefore = 0;
  private deliveredAtFirst = 0;
  /** Packet identifier, which a message keeps; and how often it was refused. */
  private suspect = NOBODY;
  private strikes = 0;

  constructor(session: ClientSession, court: Court, losses: Loss.LossObserver, observer: Event.GatewayObserver) {
    this.session = session;
    this.clock = session.role.clock;
    this.queue = session.sessionState!.queue;
    this.court = court;
    this.losses = losses;
    this.observer = observer;
  }

  /** A connection is accepted: another Server perhaps, and what is held is tried again. */
  connected(): void {
    this.session.isPaused = false;
    if (this.isWaiting)
      release(this.queue, this.court);
    this.isWaiting = false;
  }

  /** PUBACK or PUBREC has refused the message of a record. */
  refused(record: number, reasonCode: number): void {
    const { queue } = this;
    const rule = queue.ruleOf(record);
    ++this.count;
    switch (reasonCode) {
      case ReasonCode.NOT_AUTHORIZED:
      case ReasonCode.TOPIC_NAME_INVALID:
      case ReasonCode.PAYLOAD_FORMAT_INVALID:
        this.setAside(record, reasonCode);
        break;
      case ReasonCode.QUOTA_EXCEEDED:
        this.session.slowDown();
        queue.takeBack(record);
        queue.releaseHeld(); // it keeps its place before those of its topic
        this.begin(rule, reasonCode);
        break;
      default:
        if (this.isGuilty(record))
          this.setAside(record, reasonCode);
        else {
          this.holdBack(record);
          this.begin(rule, reasonCode);
        }
    }
  }

  handleTimeout(): void {
    if (!this.isWaiting)
      return;
    if (!isDue(this.resumesAt, this.clock.now)) {
      this.clock.request(this.resumesAt);
      return;
    }
    this.connected();
    this.session.writable();
    this.session.announce();
  }

  private isGuilty(record: number): boolean {
    const { queue } = this;
    const { deliveredCount } = queue.window!;
    const identifier = queue.identifierOf(record);
    if (identifier !== this.suspect) {
      if (this.suspect !== NOBODY && queue.findSent(this.suspect) !== NONE)
        return false; // one at a time
      this.suspect = identifier;
      this.strikes = 0;
      this.deliveredAtFirst = deliveredCount;
    }
    if (++this.strikes < STRIKES || deliveredCount === this.deliveredAtFirst)
      return false;
    this.suspect = NOBODY;
    return true;
  }

  /** It waits, and so do others of its node and rule if there are any besides. */
  private holdBack(record: number): void {
    const { queue } = this;
    const origin = queue.originOf(record);
    const rule = queue.ruleOf(record);
    queue.takeBack(record);
    if (!this.hasOthers(origin, rule))
      return;
    for (let other = queue.following(NONE); other !== NONE; other = queue.following(other))
      if (isMember(queue, other, origin, rule))
        queue.hold(other);
  }

  private hasOthers(origin: number, rule: number): boolean {
    const { queue } = this;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.stateOf(record) !== DONE && !queue.isHeld(record) && !isMember(queue, record, origin, rule))
        return true;
    return false;
  }

  /** @param rule index */
  private begin(rule: number, reasonCode: number): void {
    const { clock, queue } = this;
    const { deliveredCount } = queue.window!;
    if (this.isWaiting)
      return;
    const isFirst = this.wait === 0 || deliveredCount !== this.deliveredBefore;
    this.wait = isFirst ? SHORTEST_WAIT : Math.min(2 * this.wait, LONGEST_WAIT);
    this.deliveredBefore = deliveredCount;
    this.isWaiting = true;
    clock.request(this.resumesAt = clock.now + this.wait | 0);
    if (isFirst)
      this.observer.onEvent(Event.MESSAGE_REJECTED, rule, reasonCode);
  }

  private setAside(record: number, reasonCode: number): void {
    const { court, losses, queue } = this;
    const rule = queue.ruleOf(record);
    if (court.setAside(record, reasonCode) !== 0)
      return;
    queue.settle(record); // there is no quarantine
    losses.onLost(rule, Loss.UNFIT);
  }
}

/** Whether it waits, and has come by this rule from there. */
const isMember = (queue: OutboundQueue, record: number, origin: number, rule: number): boolean =>
  queue.stateOf(record) !== DONE && !queue.isUnderWay(record) && queue.ruleOf(record) === rule
  && queue.originOf(record) === origin;
