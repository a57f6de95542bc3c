/**
 * Tells the Server again what is retained here, when it may have lost it: the state of nodes and of sensors of our own,
 * never what came from there. Each topic once after a connection that is not known to continue, unless something newer
 * of it was published since. What waits of a topic, here or in the store, goes first.
 *
 * It waits in the lane of what waited for the connection, and so is paced as that is; half of the queue is left to
 * others. Goes through the retained messages in slices.
 */
import { END } from '../bytes/packed-records.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { PASSED, type RetainedMessages } from '../nodes/retained.ts';
import type { ClientSession } from '../session/client-session.ts';
import { isDue } from '../session/clock.ts';
import { DONE, NONE, NOT_STORED } from '../session/record-layout.ts';
import type { Aging } from './aging.ts';
import type { Guard } from './guard.ts';
import { isSetAside } from './quarantine-search.ts';
import type { StorePolicy } from './full-policy.ts';
import { FINE } from './quarantine-reasons.ts';
import { GUARDED, NO_RULE, type TopicMap, UNFIT } from './topic-map.ts';

/** Messages that are looked at in a turn. */
const SLICE = 64;
/** Of those that are told again, how many may wait in the queue. */
const MOST_WAITING = 16;
/** Milliseconds to the next look when there was no room, or something of a topic still waited. */
const INTERVAL = 100;
/** Milliseconds without a connection after which a Server that keeps no session is told. */
const FORGOTTEN_AFTER = 60_000;

/** Where it is noted that the telling is owed, so that it survives a power cut. */
interface TellingJournal {
  readonly owesTelling: boolean;
  noteTelling(isOwed: boolean): void;
}

export interface TellingSides {
  readonly aging: Aging;
  readonly guard: Guard;
  readonly backlog: TellingJournal | undefined;
}

export class RetainedTelling {
  toldCount = 0;
  private readonly retained: RetainedMessages;
  private readonly outbound: TopicMap;
  private readonly policies: readonly StorePolicy[];
  private readonly outgoing = new MessageSpans();
  private isTelling = false;
  /** All has been said, and not all of it has been acknowledged. */
  private isUnsettled = false;
  /** Some were left out because others of their topic waited. */
  private hasLeftOut = false;
  private resumesAt = 0;
  private wasConnected = false;
  private isConnected = false;
  private readonly sides: TellingSides;
  private closedAt = 0;

  constructor(
    retained: RetainedMessages, outbound: TopicMap, policies: readonly StorePolicy[], sides: TellingSides,
  ) {
    this.sides = sides;
    this.retained = retained;
    this.outbound = outbound;
    this.policies = policies;
  }

  /**
   * A connection is accepted. Of a clean session it says nothing that it is new.
   * @param isElsewhere whether the Server, or what is known of it here, is not what it was on the last one
   */
  begin({ cleanStart, role: { clock } }: ClientSession, sessionPresent: boolean, isElsewhere: boolean): void {
    const isForgotten = !cleanStart
      || !this.wasConnected || (clock.now - this.closedAt >>> 0) > FORGOTTEN_AFTER;
    const isFirst = !this.wasConnected;
    const { backlog } = this.sides;
    this.wasConnected = this.isConnected = true;
    if (isElsewhere || !sessionPresent && isForgotten || isFirst && backlog?.owesTelling === true) {
      if (!isFirst) // what was published since the start waits as a message; what was restored is owed already
        this.retained.oweAll();
      this.isTelling = true;
      this.isUnsettled = this.hasLeftOut = false;
      if (this.retained.count > 0)
        backlog?.noteTelling(true);
    }
    this.resumesAt = clock.now;
    if (this.isTelling || this.isUnsettled)
      clock.soon();
  }

  closed(now: number): void {
    if (this.isConnected)
      this.closedAt = now;
    this.isConnected = false;
  }

  /** A slice. Uses the place of mapped names that have no number: not in the middle of an event. */
  advance(session: ClientSession): void {
    if (!this.isTelling && !this.isUnsettled || !session.isConnected)
      return;
    const { clock } = session.role;
    if (!isDue(this.resumesAt, clock.now)) {
      clock.request(this.resumesAt);
      return;
    }
    if (this.isUnsettled) {
      this.settle(session);
      return;
    }
    const { retained } = this;
    for (let left = SLICE; left > 0; --left) {
      if (session.isGated || this.sides.guard.isCautious || !hasRoom(session)) {
        this.pause(session);
        return;
      }
      const at = retained.lookAtNext(this.outgoing);
      if (at === PASSED)
        continue;
      if (at === END) {
        this.isTelling = this.hasLeftOut;
        this.isUnsettled = !this.hasLeftOut && this.sides.backlog?.owesTelling === true;
        if (this.isTelling || this.isUnsettled)
          this.pause(session);
        this.hasLeftOut = false;
        session.writable();
        return;
      }
      if (this.tell(session, this.outgoing))
        retained.settle(at);
      else
        this.hasLeftOut = true;
    }
    session.writable();
    clock.soon();
  }

  /** What was said lies in memory alone: as long as any of that is not acknowledged it is owed. */
  private settle(session: ClientSession): void {
    const { queue } = session.sessionState!;
    for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
      if (queue.positionOf(record) === NOT_STORED && queue.stateOf(record) !== DONE) {
        this.pause(session);
        return;
      }
    this.isUnsettled = false;
    this.sides.backlog?.noteTelling(false);
  }

  private pause({ role: { clock } }: ClientSession): void {
    this.resumesAt = clock.now + INTERVAL | 0;
    clock.request(this.resumesAt);
  }

  /** @returns false when something of its topic waits, which must go first */
  private tell(session: ClientSession, message: Message): boolean {
    const { outbound, sides: { guard } } = this;
    const { queue } = session.sessionState!;
    const window = queue.window!;
    if (isSetAside(guard.quarantine, queue.limits.arena, message))
      return true; // the Server would close this connection for it as well
    let rule = outbound.resolve(outbound.uncached, message);
    if (rule === NO_RULE || rule === UNFIT)
      return true;
    if (rule <= GUARDED)
      rule = GUARDED - rule;
    const slot = window.slotOf(outbound.uncachedHash);
    if (window.isOccupied(slot))
      return false;
    message.topicNameOffset = outbound.placesOffset + outbound.uncached * outbound.placeLength;
    message.topicNameLength = outbound.uncachedLength;
    const qos = this.policies[rule]!.qosOf(message.qos);
    if (guard.reasonFor(message, qos, 0, outbound.rules[rule]!.identity) !== FINE)
      return true; // the Server does not take it
    window.position = NOT_STORED;
    window.time = this.policies[rule]!.expiry > 0 ? this.sides.aging.now : 0;
    window.rule = rule;
    window.slot = slot;
    window.stamp = 0;
    window.origin = 0; // nobody knows any more who has said it
    window.occupy(slot); // so it enters the lane of what waited
    if (queue.append(message, qos) !== NONE)
      ++this.toldCount;
    window.vacate(slot);
    return true;
  }
}

const hasRoom = ({ sessionState }: ClientSession): boolean => {
  const { count, limits, usedLength, window } = sessionState!.queue;
  return usedLength * 2 <= limits.capacity && count * 2 <= limits.maximumCount && window!.replayCount < MOST_WAITING;
};
