/**
 * How long the session of a node that is away is kept: as long as it has asked for, if it speaks 5.0, but no longer
 * than `listener.persistent_client_expiration` [MQTT5-4.1.0-2].
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import type { Clock } from '../session/clock.ts';
import { isDue } from '../session/clock.ts';
import { Deadlines } from '../session/deadlines.ts';
import { FOR_EVER } from '../session/server-session.ts';
import type { NodeState } from './node-state.ts';
import type { NodeStates } from './node-states.ts';

/** Seconds of power, and of time without power as far as it is known. */
export interface Age {
  readonly now: number;
  /** Seconds since `takenAt`. */
  age(takenAt: number): number;
}

/** Who knows the time by which sessions grow old. */
export interface AgeKeeper {
  readonly aging: Age;
}

/** Milliseconds from one look at a session to the next, at most: its age may grow at once, when a calendar is set. */
const LONGEST_INTERVAL = 3_600_000;
/** Seconds. */
const LONGEST_COARSENESS = 3600;
const SHORTEST_COARSENESS = 10;
/** Looks in the time for which a session is kept. */
const LOOKS = 16;
/** Of `times`: since when the node has been away, and seconds for which it has asked, or FOR_EVER. */
const FIELDS = 2;
const ASKED = 1;

export class SessionExpiry {
  /** Seconds; 0: for ever. */
  readonly expiration: number;
  private readonly clock: Clock;
  private readonly nodes: NodeStates;
  /** Per node. */
  private readonly times: Uint32Array;
  private readonly keeper: AgeKeeper;
  private readonly interval: number;
  /** When each session is looked at, whose node may be back by then. */
  private readonly deadlines: Deadlines;

  /** Reserves what so many sessions need. */
  static plan(plan: ArenaPlan, count: number): number {
    return plan.reserve('sessions that expire', Deadlines.lengthFor(1), count);
  }

  /** @param offset what `plan` returned for as many sessions as `nodes` has */
  constructor(clock: Clock, nodes: NodeStates, offset: number, expiration: number, keeper: AgeKeeper) {
    this.clock = clock;
    this.nodes = nodes;
    this.deadlines = new Deadlines(nodes.arena, offset);
    this.expiration = expiration;
    this.keeper = keeper;
    this.times = new Uint32Array(nodes.states.length * FIELDS);
    this.interval = expiration === 0 ? LONGEST_INTERVAL
      : Math.min(LONGEST_INTERVAL, Math.ceil(expiration * 1000 / LOOKS));
  }

  get now(): number {
    return this.keeper.aging.now;
  }

  /** Seconds by which a written time may be too early. */
  get coarseness(): number {
    return this.expiration === 0 ? LONGEST_COARSENESS
      : Math.min(LONGEST_COARSENESS, Math.max(SHORTEST_COARSENESS, this.expiration / LOOKS | 0));
  }

  /** A node whose session is kept is away, since `since`. @param asked seconds for which it has asked */
  leave(node: NodeState, since: number, asked = FOR_EVER): void {
    this.times[node.index * FIELDS] = since;
    this.times[node.index * FIELDS + ASKED] = asked;
    if (this.expiration !== 0 || asked !== FOR_EVER)
      this.request(node.index, asked);
  }

  /** Since when the node, which is away, has been. */
  awaySince(node: NodeState): number {
    return this.times[node.index * FIELDS]!;
  }

  /** The clock has been set forward by so many seconds, in which nothing has become older. */
  shift(seconds: number): void {
    for (let at = 0; at < this.times.length; at += FIELDS)
      this.times[at]! += seconds;
  }

  isExpired(since: number): boolean {
    return this.expiration !== 0 && this.keeper.aging.age(since) >= this.expiration;
  }

  /** Whether it is time to look at a session; else the clock is asked for that moment. */
  get isLookDue(): boolean {
    const { clock, deadlines } = this;
    if (deadlines.count === 0)
      return false;
    if (isDue(deadlines.first, clock.now))
      return true;
    clock.request(deadlines.first);
    return false;
  }

  /**
   * @returns a session that has been away for too long, or undefined; afterwards the clock is asked for the next look
   */
  findExpired(): NodeState | undefined {
    const { expiration, nodes: { states }, times } = this;
    while (this.isLookDue) {
      const index = this.deadlines.take();
      const node = states[index]!;
      if (node.identifierLength === 0 || node.session !== undefined)
        continue;
      const asked = times[index * FIELDS + ASKED]!;
      const age = this.keeper.aging.age(times[index * FIELDS]!);
      // Both are whole seconds: it may be up to one less since then.
      const left = asked === FOR_EVER ? FOR_EVER : asked - age;
      if (left < 0 || expiration !== 0 && age >= expiration)
        return node;
      if (expiration !== 0 || left !== FOR_EVER)
        this.request(index, Math.min(left + 1, expiration === 0 ? FOR_EVER : expiration - age));
    }
    return undefined;
  }

  /** The session of index `index` is kept for `left` seconds more, as far as is known. */
  private request(index: number, left: number): void {
    const { clock, deadlines, interval } = this;
    if (deadlines.request(index, clock.now + (left < interval / 1000 ? left * 1000 + 1 : interval) | 0))
      clock.request(deadlines.first);
  }
}
