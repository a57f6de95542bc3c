/**
 * Whether messages flow: now and then a message of QoS 1 goes to a topic of our own at the Server, to which we
 * subscribe, and must come back. An acknowledgement alone does not tell: a Server, or what stands before it, may answer
 * and pass nothing on.
 *
 * The probe goes beside the queue (announcements.ts), so what waits does not delay it. Its subscription is nobody's
 * rule: what comes under that topic ends here, whatever the rules of direction "in" say. One that is not back when the
 * next is due is lost. After three in a row the connection is given up; as long as none has come back since, that has
 * not helped, and is done every tenth time only.
 */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { writeDecimal } from '../bytes/decimal.ts';
import * as Event from '../config/events.ts';
import type { Message, MessageSpans } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import type { ClientSession } from '../session/client-session.ts';
import { isDue } from '../session/clock.ts';
import { NONE } from '../session/record-layout.ts';

/** In a row, and when reconnecting has not helped. */
const MOST_LOST = 3;
const MOST_LOST_AGAIN = 30;
/** Ends of connections in a row for which the probe, or its subscription, may be why. */
const MOST_ENDS = 3;
/** Milliseconds after a probe in which an end may be for it. */
const SOON = 5000;

/** All numbers have as many digits. */
const FIRST_NUMBER = 1_000_000_000;
/** What an earlier life has sent must not pass for ours: packet identifiers go on, or begin at random ones. */
const NUMBERS_APART = 0x4000;
export const PROBE_LENGTH = 10;

// States.
/** Not asked for on this connection. */
export const IDLE = 0;
export const ASKING = 1;
export const WATCHING = 2;
/** The Server has refused the subscription. */
export const REFUSED = 3;
/** The Server closes connections for it: it is sent no more. */
export const SET_ASIDE = 4;

export class Probe {
  state = IDLE;
  /** Milliseconds that the last one that came back took; NONE: none has yet. */
  roundTrip = NONE;
  /** In a row, on this connection. */
  lostCount = 0;
  /** Since the start. */
  lostTotal = 0;
  returnedTotal = 0;
  private readonly arena: Arena;
  private readonly session: ClientSession;
  private readonly interval: number;
  private readonly observer: Event.GatewayObserver;
  private number = 0;
  private isAwaited = false;
  private sentAt = 0;
  private dueAt = 0;
  private mayReconnect = true;
  private endCount = 0;

  /** @param interval milliseconds */
  constructor(session: ClientSession, interval: number, observer: Event.GatewayObserver) {
    this.arena = session.role.arena;
    this.session = session;
    this.interval = interval;
    this.observer = observer;
  }

  /** A connection is accepted. */
  begin(): void {
    if (this.number === 0)
      this.number = FIRST_NUMBER + this.session.sessionState!.queue.latestIdentifier * NUMBERS_APART;
    this.isAwaited = false;
    this.lostCount = 0;
    if (this.state !== SET_ASIDE)
      this.state = IDLE;
  }

  /** All rules have been asked for. @returns whether the topic of the probe is asked for now */
  subscribe(): boolean {
    const message = this.message;
    if (this.state !== IDLE || message === undefined)
      return false;
    this.state = ASKING;
    if (this.session.subscribe(message.topicNameOffset, message.topicNameLength, 1))
      return true;
    this.state = IDLE;
    return false;
  }

  /** @param code granted QoS, or SUBACK_FAILURE or greater @returns whether it answers the question above */
  takesAnswer(code: number): boolean {
    if (this.state !== ASKING)
      return false;
    this.state = code < SUBACK_FAILURE ? WATCHING : REFUSED;
    if (this.state === REFUSED)
      this.tell();
    else {
      this.dueAt = this.session.role.clock.now;
      this.handleTimeout();
    }
    return true;
  }

  handleTimeout(): void {
    const { dueAt, session, session: { role: { clock } } } = this;
    if (this.state !== WATCHING || !session.isConnected)
      return;
    if (!isDue(dueAt, clock.now)) {
      clock.request(dueAt);
      return;
    }
    clock.request(this.dueAt = clock.now + this.interval | 0);
    if (this.isAwaited)
      this.lose();
    if (session.isConnected && session.announcements.isSettled && !session.announcements.isHeld)
      this.send();
  }

  /** A message of the Server that no rule asks for. @returns whether it is one of ours, or under its topic */
  takes(packet: MessageSpans): boolean {
    if (!this.isTopic(packet))
      return false;
    const { arena, message, session: { role: { clock } } } = this;
    if (!this.isAwaited || packet.payloadLength !== PROBE_LENGTH
      || !equalBytes(arena, packet.payloadOffset, message!.payloadOffset, PROBE_LENGTH))
      return true; // of before, or somebody else's
    this.isAwaited = false;
    this.mayReconnect = true;
    this.roundTrip = clock.now - this.sentAt | 0;
    this.endCount = 0;
    ++this.returnedTotal;
    const hadStopped = this.isStopped;
    this.lostCount = 0;
    if (hadStopped)
      this.tell();
    return true;
  }

  /** Whether a name is that of the probe. */
  isTopic({ topicNameLength, topicNameOffset }: Message): boolean {
    const { message } = this;
    return message !== undefined && topicNameLength === message.topicNameLength
      && equalBytes(this.arena, topicNameOffset, message.topicNameOffset, topicNameLength);
  }

  /** Connected, but nothing flows. */
  get isStopped(): boolean {
    return this.lostCount >= MOST_LOST;
  }

  /** The connection has ended. */
  closed(reasonCode: number): void {
    const { now } = this.session.role.clock;
    const isByServer = reasonCode === ReasonCode.NETWORK_CLOSED || this.session.toldReason !== ReasonCode.SUCCESS;
    const isForProbe = this.state === ASKING || this.isAwaited && (now - this.sentAt | 0) < SOON;
    this.endCount = isByServer && isForProbe ? this.endCount + 1 : 0;
    if (this.endCount < MOST_ENDS || this.state === SET_ASIDE)
      return;
    this.state = SET_ASIDE;
    this.tell();
  }

  private get message(): Message | undefined {
    return this.session.announcements.probe;
  }

  private send(): void {
    const { arena, message, session } = this;
    writeDecimal(arena, message!.payloadOffset, ++this.number, 0);
    this.sentAt = session.role.clock.now;
    this.isAwaited = true;
    session.announcements.sayProbe();
    session.announce();
  }

  private lose(): void {
    ++this.lostTotal;
    ++this.lostCount;
    if (this.lostCount === (this.mayReconnect ? MOST_LOST : MOST_LOST_AGAIN)) {
      this.mayReconnect = false;
      this.session.fail(ReasonCode.NOTHING_FLOWS);
    } else if (this.lostCount === MOST_LOST)
      this.tell();
  }

  private tell(): void {
    this.observer.onEvent(Event.PROBE, Event.UPSTREAM, this.lostCount);
  }
}
