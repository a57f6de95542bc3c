/**
 * Nodes that connect and fail at once, again and again: the answer to their CONNECT waits, a second at first and a
 * minute at most, so that one broken node costs the others little. Known by identifier, address and user together:
 * nobody slows a node down from elsewhere or with a wrong password, and one that has moved begins anew.
 *
 * A failure is a packet that costs the connection, a CONNECT that is refused for what it says, or the end of a
 * connection within seconds of CONNACK, by the node itself without DISCONNECT, or by another one of its name at another
 * address. The last kind counts half, and not at all if the node itself closes after it has published: a network that
 * breaks, or a restart, is no fault of its. The wait is counted from the last failure, so a client that gives up and
 * comes again does not wait anew.
 *
 * Fixed memory: a few places for each value of the hash; the one that has failed least gives way.
 */
import { hashOf } from '../bytes/compare.ts';
import type { Arena } from '../bytes/arena.ts';
import * as Event from '../config/events.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Clock } from '../session/clock.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { TakeOvers } from './take-overs.ts';

/** Milliseconds after CONNACK. */
const SOON = 5000;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 60_000;
/** Milliseconds after the last failure. */
const FORGOTTEN_AFTER = 2 * LONGEST_DELAY;

/** Points of a failure for which the node is to blame, and of an end that may have other reasons. */
const FAULT = 2;
const EARLY_END = 1;
/** So many points and the node is slowed down; each fault more doubles the delay. */
const SLOW = 3 * FAULT;
const MOST_POINTS = SLOW + 6 * FAULT;

/** Of a place: the key, when it has failed last, points. */
const FIELDS = 3;
const FAILED_AT = 1;
const POINTS = 2;

/** Places for one value of the hash, and of all. */
const WAYS = 4;
const FEWEST_PLACES = 16;
const MOST_PLACES = 1024;

const FNV_PRIME = 0x01000193;
const { imul } = Math;

export class FailingNodes {
  /** Why the message at hand is turned back, for which its session ends next: the caller's number; 0: it is not. */
  turnedBack = 0;
  /** Of each session when its CONNECT was accepted; then, from `placesAt` on, of each place FIELDS. */
  private readonly table: Int32Array;
  private readonly placesAt: number;
  /** The bits of a key that say which one is the first of its places. */
  private readonly mask: number;
  private readonly arena: Arena;
  private readonly clock: Clock;
  private readonly takeOvers: TakeOvers;
  private readonly observer: Event.GatewayObserver;

  /** @param connectionCount number of sessions */
  constructor(arena: Arena, clock: Clock, connectionCount: number, takeOvers: TakeOvers,
    observer: Event.GatewayObserver) {
    let places = FEWEST_PLACES;
    while (places < connectionCount && places < MOST_PLACES)
      places *= 2;
    this.arena = arena;
    this.clock = clock;
    this.table = new Int32Array(connectionCount + places * FIELDS);
    this.placesAt = connectionCount;
    this.mask = places - WAYS;
    this.takeOvers = takeOvers;
    this.observer = observer;
  }

  /** @returns milliseconds that the answer to the CONNECT of this session has to wait */
  delayOf(session: ServerSession): number {
    const { table } = this;
    const at = this.find(this.keyOf(session));
    if (at < 0 || table[at + POINTS]! < SLOW)
      return 0;
    const wait = FIRST_DELAY << (table[at + POINTS]! - SLOW >> 1);
    const left = table[at + FAILED_AT]! + (wait < LONGEST_DELAY ? wait : LONGEST_DELAY) - this.clock.now | 0;
    return left > 0 ? left : 0;
  }

  accepted({ index }: ServerSession): void {
    this.table[index] = this.clock.now;
  }

  /** The connection is over; the session is still as it was. @param node index of its state, -1: it was never let in */
  ended(session: ServerSession, node: number, reasonCode: number): void {
    const why = this.turnedBack;
    this.turnedBack = 0;
    if (session.clientIdentifierLength === 0) // nobody knows who it was
      return;
    const points = why === 0 ? this.judge(session, node, reasonCode) : FAULT;
    if (points > 0)
      this.add(session, points, why === 0 ? reasonCode : -why);
    else if (points < 0)
      this.forgive(session);
  }

  /** @returns points; 0: it means nothing; -1: all was well */
  private judge(session: ServerSession, node: number, reasonCode: number): number {
    const isEarly = node >= 0 && (this.clock.now - this.table[session.index]! | 0) < SOON;
    switch (reasonCode) {
      case ReasonCode.MALFORMED_PACKET:
      case ReasonCode.TLS_SPOKEN:
      case ReasonCode.PROTOCOL_ERROR:
      case ReasonCode.TOPIC_NAME_INVALID:
      case ReasonCode.PACKET_TOO_LARGE:
      case ReasonCode.RECEIVE_MAXIMUM_EXCEEDED:
        return FAULT;
      case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID:
      case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
      case ReasonCode.NOT_AUTHORIZED:
      case ReasonCode.WILL_TOO_LONG:
        return FAULT;
      case ReasonCode.SUCCESS:
        return -1;
      case ReasonCode.SESSION_TAKEN_OVER:
        return isEarly && this.takeOvers.isFromElsewhere(node) ? EARLY_END : 0;
      case ReasonCode.NETWORK_CLOSED:
        return node < 0 ? 0 : isEarly ? session.hasPublished ? 0 : EARLY_END : -1;
      default:
        return node < 0 || isEarly ? 0 : -1;
    }
  }

  private add(session: ServerSession, points: number, cause: number): void {
    const { table } = this;
    const key = this.keyOf(session);
    let at = this.find(key);
    if (at < 0) {
      at = this.findRoom(key);
      table[at] = key;
      table[at + POINTS] = 0;
    }
    const before = table[at + POINTS]!;
    table[at + POINTS] = before + points < MOST_POINTS ? before + points : MOST_POINTS;
    table[at + FAILED_AT] = this.clock.now;
    if (before < SLOW && before + points >= SLOW)
      this.observer.onEvent(Event.NODE_SLOWED, session.index, cause);
  }

  private forgive(session: ServerSession): void {
    const at = this.find(this.keyOf(session));
    if (at >= 0)
      this.table[at + POINTS] = this.table[at + POINTS]! >> 1;
  }

  /** @returns where the place of this key lies in the table, -1 for none */
  private find(key: number): number {
    const { table } = this;
    const first = this.placesAt + (key & this.mask) * FIELDS;
    for (let at = first; at < first + WAYS * FIELDS; at += FIELDS)
      if (table[at] === key && this.isRemembered(at))
        return at;
    return -1;
  }

  private findRoom(key: number): number {
    const { table } = this;
    const first = this.placesAt + (key & this.mask) * FIELDS;
    let best = first;
    for (let at = first; at < first + WAYS * FIELDS; at += FIELDS) {
      if (!this.isRemembered(at))
        return at;
      if (table[at + POINTS]! < table[best + POINTS]!)
        best = at;
    }
    return best;
  }

  private isRemembered(at: number): boolean {
    const age = this.clock.now - this.table[at + FAILED_AT]! | 0;
    return this.table[at + POINTS]! > 0 && age >= 0 && age < FORGOTTEN_AFTER;
  }

  private keyOf(session: ServerSession): number {
    const { clientIdentifierLength, clientIdentifierOffset, remoteAddress, user } = session;
    let key = imul(hashOf(this.arena, clientIdentifierOffset, clientIdentifierLength) ^ user, FNV_PRIME);
    if (remoteAddress !== undefined)
      for (let at = 0; at < remoteAddress.length; ++at)
        key = imul(key ^ remoteAddress.charCodeAt(at), FNV_PRIME);
    return key;
  }
}
