/**
 * How long the session of a node that is away is kept: as long as it has asked for, if it speaks 5.0, but no longer
 * than `listener.persistent_client_expiration` [MQTT5-4.1.0-2].
 */
import type { Clock } from '../session/clock.ts';
import { isDue } from '../session/clock.ts';
import { FOR_EVER } from '../session/server-session.ts';
import type { NodeState, NodeStates } from './node-states.ts';

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

/** Milliseconds from one look to the next, at most. */
const LONGEST_INTERVAL = 60_000;
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
  private isPending = false;
  private dueAt = 0;

  constructor(clock: Clock, nodes: NodeStates, expiration: number, keeper: AgeKeeper) {
    this.clock = clock;
    this.nodes = nodes;
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
    if (this.expiration === 0 && asked === FOR_EVER)
      return;
    const dueAt = this.clock.now + this.intervalFor(asked) | 0;
    if (!this.isPending || (dueAt - this.dueAt | 0) < 0)
      this.dueAt = dueAt;
    this.isPending = true;
    this.clock.request(this.dueAt);
  }

  /** Milliseconds to the next look, for one that is kept for `left` seconds more. */
  private intervalFor(left: number): number {
    return left < this.interval / 1000 ? left * 1000 + 1 : this.interval;
  }

  isExpired(since: number): boolean {
    return this.expiration !== 0 && this.keeper.aging.age(since) >= this.expiration;
  }

  /** Whether it is time to look at all sessions. */
  get isLookDue(): boolean {
    const { clock } = this;
    if (!this.isPending)
      return false;
    if (!isDue(this.dueAt, clock.now)) {
      clock.request(this.dueAt);
      return false;
    }
    this.isPending = false;
    return true;
  }

  /**
   * @returns a session that has been away for too long, or undefined; afterwards the clock is asked for the next look
   */
  findExpired(): NodeState | undefined {
    const { clock, nodes: { states }, times } = this;
    let interval = this.interval;
    for (let index = 0; index < states.length; ++index) {
      const node = states[index]!;
      if (node.identifierLength === 0 || node.session !== undefined)
        continue;
      const awayAt = times[index * FIELDS]!;
      const asked = times[index * FIELDS + ASKED]!;
      // Both are whole seconds: it may be up to one less since then.
      const left = asked === FOR_EVER ? FOR_EVER : asked - this.keeper.aging.age(awayAt);
      if (left < 0 || this.isExpired(awayAt))
        return node;
      interval = Math.min(interval, this.intervalFor(left + 1));
      if (this.expiration !== 0 || left !== FOR_EVER)
        this.isPending = true;
    }
    if (this.isPending) {
      this.dueAt = clock.now + interval | 0;
      clock.request(this.dueAt);
    }
    return undefined;
  }
}
