/** How long the session of a node that is away is kept: `listener.persistent_client_expiration`. */
import type { Clock } from '../session/clock.ts';
import { isDue } from '../session/clock.ts';
import type { NodeState, NodeStates } from './node-states.ts';

/** Seconds of power, and of time without power as far as it is known. */
export interface Age {
  readonly now: number;
  /** Seconds since `takenAt`. */
  age(takenAt: number): number;
}

/** Milliseconds from one look to the next, at most. */
const LONGEST_INTERVAL = 60_000;
/** Seconds. */
const LONGEST_COARSENESS = 3600;
const SHORTEST_COARSENESS = 10;
/** Looks in the time for which a session is kept. */
const LOOKS = 16;

export class SessionExpiry {
  /** Seconds; 0: for ever. */
  readonly expiration: number;
  private readonly clock: Clock;
  private readonly nodes: NodeStates;
  /** Since when each node has been away. */
  private readonly awayAt: Uint32Array;
  private readonly time: () => Age;
  private readonly interval: number;
  private isPending = false;
  private dueAt = 0;

  constructor(clock: Clock, nodes: NodeStates, expiration: number, time: () => Age) {
    this.clock = clock;
    this.nodes = nodes;
    this.expiration = expiration;
    this.time = time;
    this.awayAt = new Uint32Array(expiration === 0 ? 0 : nodes.states.length);
    this.interval = Math.min(LONGEST_INTERVAL, Math.ceil(expiration * 1000 / LOOKS));
  }

  get now(): number {
    return this.time().now;
  }

  /** Seconds by which a written time may be too early. */
  get coarseness(): number {
    return this.expiration === 0 ? LONGEST_COARSENESS
      : Math.min(LONGEST_COARSENESS, Math.max(SHORTEST_COARSENESS, this.expiration / LOOKS | 0));
  }

  /** A node whose session is kept is away, since `since`. */
  leave(node: NodeState, since: number): void {
    if (this.expiration === 0)
      return;
    this.awayAt[node.index] = since;
    if (!this.isPending)
      this.dueAt = this.clock.now + this.interval | 0;
    this.isPending = true;
    this.clock.request(this.dueAt);
  }

  isExpired(since: number): boolean {
    return this.expiration !== 0 && this.time().age(since) >= this.expiration;
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
    const { awayAt, clock, nodes: { states } } = this;
    for (let index = 0; index < states.length; ++index) {
      const node = states[index]!;
      if (node.identifierLength === 0 || node.session !== undefined)
        continue;
      if (this.isExpired(awayAt[index]!))
        return node;
      this.isPending = true;
    }
    if (this.isPending) {
      this.dueAt = clock.now + this.interval | 0;
      clock.request(this.dueAt);
    }
    return undefined;
  }
}
