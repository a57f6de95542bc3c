/**
 * Tells the Server again what is retained here, when it may have lost it: the state of nodes and of sensors of our own,
 * never what came from there. Each topic once after a connection that is not known to continue, unless something newer
 * of it was published since. What waits of a topic, here or in the store, goes first.
 *
 * It waits in the lane of what waited for the connection, and so is paced as that is; half of the queue is left to
 * others. Goes through the retained messages in slices.
 */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { END } from '../bytes/packed-records.ts';
import { type Message, MessageSpans } from '../packet/packet.ts';
import { PASSED, type RetainedMessages } from '../nodes/retained.ts';
import type { ClientSession } from '../session/client-session.ts';
import { isDue } from '../session/clock.ts';
import { ANYBODY } from '../session/outbound-queue.ts';
import { NONE, NOT_STORED } from '../session/record-layout.ts';
import type { Aging } from './aging.ts';
import type { Guard } from './guard.ts';
import type { StorePolicy } from './full-policy.ts';
import type { Quarantine } from './quarantine.ts';
import { FINE, isFoundOut } from './quarantine-reasons.ts';
import { GUARDED, NO_RULE, type TopicMap, UNFIT } from './topic-map.ts';

/** Messages that are looked at in a turn. */
const SLICE = 64;
/** Of those that are told again, how many may wait in the queue: the Server may close connections for each of them. */
const MOST_WAITING = 4;
/** Milliseconds to the next look when there was no room, or something of a topic still waited. */
const INTERVAL = 100;
/** Milliseconds without a connection after which a Server that keeps no session is told. */
const FORGOTTEN_AFTER = 60_000;

export interface TellingSides {
  readonly aging: Aging;
  readonly guard: Guard;
}

export class RetainedTelling {
  toldCount = 0;
  private readonly retained: RetainedMessages;
  private readonly outbound: TopicMap;
  private readonly policies: readonly StorePolicy[];
  private readonly outgoing = new MessageSpans();
  private isTelling = false;
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
    this.wasConnected = this.isConnected = true;
    if (isElsewhere || !sessionPresent && isForgotten) {
      if (!isFirst) // what was published since the start waits as a message; what was restored is owed already
        this.retained.oweAll();
      this.isTelling = true;
      this.hasLeftOut = false;
    }
    this.resumesAt = clock.now;
    if (this.isTelling)
      clock.soon();
  }

  closed(now: number): void {
    if (this.isConnected)
      this.closedAt = now;
    this.isConnected = false;
  }

  /** A slice. Uses the place of mapped names that have no number: not in the middle of an event. */
  advance(session: ClientSession): void {
    if (!this.isTelling || !session.isConnected)
      return;
    const { clock } = session.role;
    if (!isDue(this.resumesAt, clock.now)) {
      clock.request(this.resumesAt);
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
        if (this.hasLeftOut)
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

  private pause({ role: { clock } }: ClientSession): void {
    this.resumesAt = clock.now + INTERVAL | 0;
    clock.request(this.resumesAt);
  }

  /** @returns false when it must wait: something of its topic goes first, or the Server has closed for it */
  private tell(session: ClientSession, message: Message): boolean {
    const { outbound } = this;
    const { queue } = session.sessionState!;
    const window = queue.window!;
    const { guard } = this.sides;
    if (isSetAside(queue.limits.arena, guard.quarantine, message))
      return true; // the Server does not take it
    let rule = outbound.resolve(outbound.uncached, message);
    if (rule === NO_RULE || rule === UNFIT)
      return true;
    if (rule <= GUARDED)
      rule = GUARDED - rule;
    const slot = window.slotOf(outbound.hashOf[outbound.uncached]!);
    if (window.isOccupied(slot) || window.heldCount > 0 && queue.hasHeld(ANYBODY, slot, NONE)
      || guard.probation.isHolding && guard.probation.holds(0, rule, slot))
      return false;
    message.topicNameOffset = outbound.placesOffset + outbound.uncached * outbound.placeLength;
    message.topicNameLength = outbound.lengthOf[outbound.uncached]!;
    const qos = this.policies[rule]!.qosOf(message.qos);
    if (guard.reasonFor(message, qos, guard.author, outbound.rules[rule]!.identity) !== FINE)
      return true; // nor that
    window.position = NOT_STORED;
    window.time = this.policies[rule]!.expiry > 0 ? this.sides.aging.now : 0;
    window.rule = rule;
    window.origin = 0; // whoever has said it is not to blame that it is said again
    window.slot = slot;
    window.stamp = 0;
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

/** Whether a message of this topic is in the quarantine because the Server has closed connections for it. */
function isSetAside(arena: Arena, quarantine: Quarantine, { topicNameLength, topicNameOffset }: Message): boolean {
  for (let index = 0; index < quarantine.count; ++index) {
    const { reason, topicNameLength: length, topicNameOffset: offset } = quarantine.read(index);
    if (length === topicNameLength && isFoundOut(reason) && equalBytes(arena, offset, topicNameOffset, length))
      return true;
  }
  return false;
}
