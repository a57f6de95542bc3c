/**
 * Who has to wait while the Server takes messages more slowly than nodes send them: nothing is read of such a node
 * for a while, and so nothing that it sends must be refused or given up. What a rule says of a full store counts only
 * while the Server is away, or acknowledges nothing.
 *
 *          released         held from here on          all are held
 *   ──────────┼──────────────────────┼─────────────────────┼──┤
 *          half                three quarters             room for one packet
 *
 * Above three quarters each node may fill an equal share of the rest; whoever has used that up is held. So one that
 * says little is not made to wait for one that says much. When there is room again, those that were held may fill an
 * equal part of it, and are held again. If all that does not suffice, everybody is held before the last place is
 * taken. Readings of sensors never wait.
 *
 * Amounts are parts of the store (store-fill.ts).
 */
import * as Event from '../config/events.ts';
import type { Message } from '../packet/packet.ts';
import { lengthOfPublish } from '../packet/publish.ts';
import { type Clock, isDue } from '../session/clock.ts';
import { HELD_BY_STORE } from '../session/holds.ts';
import type { ServerSession } from '../session/server-session.ts';
import { TAKEN } from '../session/session-role.ts';
import type { Bridge } from './bridge.ts';
import { type Crowd, CROWDED } from './crowd.ts';
import { StoreFill } from './store-fill.ts';

const HIGH = 0.75;
/** What those may fill that come above that; as much is for nodes that connect later. */
const SPARE = 0.125;
const LOW = 0.5;
/** Nobody is counted any more. */
const CALM = 0.25;
/** Of a session: what its node may still fill, the connection that it is about, and whether it was held on that. */
const FIELDS = 3;
const CONNECTION = 1;
const METERED = 2;
/** How often it is looked whether there is room, in milliseconds. */
const INTERVAL = 20;

/** What takes over messages that have to be durable, with as many places as it has. */
export interface Intake {
  readonly isHalfEmpty: boolean;
}

export interface PressureSides {
  readonly clock: Clock;
  readonly sessions: readonly ServerSession[];
  readonly observer: Event.GatewayObserver;
  /** Bytes of the longest packet that goes upstream. */
  readonly longestPacket: number;
}

export class BackPressure implements Crowd {
  /** Times that a node was made to wait. */
  heldCount = 0;
  intake: Intake | undefined = undefined;
  private readonly bridge: Bridge;
  private readonly clock: Clock;
  private readonly sessions: readonly ServerSession[];
  private readonly observer: Event.GatewayObserver;
  readonly fill: StoreFill;
  /** It has been told. */
  private isTold = false;
  /** Nodes are counted, and some may be held, since the store was three quarters full. */
  isPressing = false;
  /** Messages in the log are what it is about, not those in memory alone. */
  private isLogged = false;
  /** All nodes are held. */
  private isBrimful = false;
  /** They are until what has been written is durable. */
  private isIntakeFull = false;
  private dueAt = 0;
  /** Of the message at hand: what it takes, and how full the store is with it. */
  private cost = 0;
  private level = 0;
  /** Messages that had been delivered at the last look, and when that changed. */
  private deliveredCount = 0;
  private deliveredAt = 0;
  /** Where the next one is looked for that is released. */
  private cursor = 0;
  /** Per session FIELDS. */
  private readonly shares: Float64Array;

  constructor(bridge: Bridge, sides: PressureSides) {
    const { sessions } = sides;
    this.bridge = bridge;
    this.clock = sides.clock;
    this.sessions = sessions;
    this.observer = sides.observer;
    this.fill = new StoreFill(bridge, sides.longestPacket);
    this.shares = new Float64Array(sessions.length * FIELDS);
    bridge.overhead = this.fill.overhead;
  }

  weigh(message: Message, isLogged: boolean): number {
    const { bridge, fill, isPressing } = this;
    bridge.slack = 0;
    if (!bridge.session.isConnected)
      return TAKEN;
    fill.queue.closeHoles();
    const level = this.level = fill.of(isLogged);
    const hasRoom = fill.hasRoom(isLogged);
    if (!isPressing && level <= HIGH && hasRoom) {
      bridge.slack = fill.slackUntil(HIGH);
      return TAKEN;
    }
    if (!this.isTaking)
      return TAKEN;
    this.isLogged = isLogged;
    if (!isPressing)
      this.begin();
    this.cost = fill.costOf(isLogged, lengthOfPublish(message, message.qos));
    if (!hasRoom)
      this.isBrimful = true;
    return CROWDED;
  }

  /** The message that was weighed last is of this node. */
  press(session: ServerSession): void {
    const { level, shares } = this;
    const at = session.index * FIELDS;
    if (this.isBrimful) {
      this.holdAll(session);
      return;
    }
    if (shares[at + CONNECTION] !== session.connectionNumber) {
      shares[at + CONNECTION] = session.connectionNumber;
      shares[at + METERED] = 0;
      shares[at] = SPARE / session.role.openCount;
    }
    if (level <= HIGH && shares[at + METERED] === 0)
      return;
    shares[at] = shares[at]! - this.cost;
    if (shares[at]! > 0)
      return;
    shares[at + METERED] = 1;
    this.hold(session);
  }

  /** No message more can be taken over before what has been written is durable. */
  fillUp(session: ServerSession): void {
    if (!this.isPressing)
      this.begin();
    this.isIntakeFull = true;
    this.holdAll(session);
  }

  /** A node has come. */
  admit(session: ServerSession): void {
    if (this.isBrimful || this.isIntakeFull)
      session.hold(HELD_BY_STORE);
  }

  /** While `isPressing`. */
  handleTimeout(): void {
    const { clock } = this;
    if (isDue(this.dueAt, clock.now)) {
      this.look();
      if (!this.isPressing)
        return;
      this.dueAt = clock.now + INTERVAL | 0;
    }
    clock.request(this.dueAt);
  }

  // How it is done

  /** Whether the Server is there, and acknowledges what it gets. */
  private get isTaking(): boolean {
    const { bridge: { session }, clock } = this;
    const { deliveredCount } = session.sessionState!.queue.window!;
    if (this.deliveredCount !== deliveredCount || !this.isPressing) {
      this.deliveredCount = deliveredCount;
      this.deliveredAt = clock.now;
    }
    return session.isConnected && (clock.now - this.deliveredAt | 0) < session.settings.acknowledgementTimeout;
  }

  private begin(): void {
    const { bridge, clock } = this;
    this.isPressing = true;
    bridge.slack = 0;
    this.shares.fill(0);
    this.dueAt = clock.now + INTERVAL | 0;
    clock.request(this.dueAt);
  }

  private hold(session: ServerSession): void {
    if (session.isHeldBy(HELD_BY_STORE))
      return;
    ++this.heldCount;
    session.hold(HELD_BY_STORE);
    if (this.isTold || this.isIntakeFull)
      return;
    this.isTold = true;
    this.observer.onEvent(Event.HELD_BY_FULL_STORE, session.index, 0);
  }

  /** @param first the one that is told of */
  private holdAll(first: ServerSession): void {
    const { sessions } = this;
    first.role.hasNoRoom = true;
    this.hold(first);
    for (let index = 0; index < sessions.length; ++index)
      if (sessions[index]!.isConnected)
        this.hold(sessions[index]!);
  }

  private look(): void {
    const { bridge, fill, isTaking } = this;
    if (this.isIntakeFull && !this.intake!.isHalfEmpty)
      return;
    this.isIntakeFull = false;
    fill.queue.closeHoles();
    const isLogged = this.isLogged = this.isLogged && fill.isLogging;
    const level = isTaking ? fill.of(isLogged) : 0;
    if (isTaking && fill.count > 0 && !fill.hasRoom(isLogged))
      return;
    this.isBrimful = this.sessions[0]!.role.hasNoRoom = false;
    if (this.isSomebodyHeld)
      this.release(level, isTaking);
    else if (level < CALM && (isTaking || !bridge.session.isConnected))
      this.isPressing = this.isTold = false;
  }

  private get isSomebodyHeld(): boolean {
    const { sessions } = this;
    for (let index = 0; index < sessions.length; ++index)
      if (sessions[index]!.isHeldBy(HELD_BY_STORE))
        return true;
    return false;
  }

  /** Nodes that are held and have sent something. */
  private countWaiting(): number {
    const { sessions } = this;
    let count = 0;
    for (let index = 0; index < sessions.length; ++index)
      if (sessions[index]!.isHeldBy(HELD_BY_STORE) && sessions[index]!.parser.hasWaiting)
        ++count;
    return count;
  }

  /**
   * Those that were held for others are released first, those that have sent too much when the store is half empty;
   * one after the other, as far as there is room for what they may send, of which a store that is half empty has some
   * for one of them, however long its packets may be. One that has sent nothing takes no turn. When the Server does
   * not take, all are.
   */
  private release(level: number, isTaking: boolean): void {
    const { cursor, sessions, shares } = this;
    const isLow = level <= LOW;
    const longest = isTaking ? this.fill.costOf(this.isLogged) : 0;
    const part = isTaking ? Math.max((HIGH - level) / Math.max(this.countWaiting(), 1), longest) : 0;
    let room = (isLow ? HIGH : 1) - level;
    let isNobodyReleased = isLow;
    for (let step = 0; step < sessions.length; ++step) {
      const index = (cursor + step) % sessions.length;
      const session = sessions[index]!;
      const at = index * FIELDS;
      if (!session.isHeldBy(HELD_BY_STORE) || !isLow && shares[at + METERED] === 1
        && shares[at + CONNECTION] === session.connectionNumber)
        continue;
      if (session.parser.hasWaiting) {
        if (room < longest && !isNobodyReleased)
          continue;
        room -= part;
        isNobodyReleased = false;
        this.cursor = index + 1;
      }
      shares[at] = part;
      session.release(HELD_BY_STORE);
    }
    if (!isLow)
      return;
    for (let at = 0; at < shares.length; at += FIELDS)
      if (shares[at + METERED] === 0)
        shares[at + CONNECTION] = 0;
  }
}
