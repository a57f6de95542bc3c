/** How many sessions each user has, and which of them may give way to a new node's: see node-states.ts. */
import type { NodeState } from './node-state.ts';
import type { Subscriptions } from './subscriptions.ts';

const NO_USER = -1;
/** Of `worthOf`: must not give way. */
export const SPARED = 4;
/** Of counts: those of absent nodes lie behind all. */
const ABSENT = 1;

export class SessionsOfUsers {
  /** Users without a session. */
  withoutCount: number;
  /** For nodes without user, then per user: how many sessions there are, and how many of absent nodes. */
  private readonly counts: Uint16Array;

  constructor(userCount: number) {
    this.withoutCount = userCount;
    this.counts = new Uint16Array(2 * (userCount + 1));
  }

  /** A session of an absent node comes, or goes. */
  count(user: number, difference: number): void {
    const { counts } = this;
    const place = placeOf(user);
    const before = counts[place]!;
    counts[place] = before + difference;
    counts[place + ABSENT]! += difference;
    if (user !== NO_USER && (before === 0 || before + difference === 0))
      this.withoutCount -= difference;
  }

  /** A node with a session goes, or comes. */
  countAbsent(user: number, difference: number): void {
    this.counts[placeOf(user) + ABSENT]! += difference;
  }

  absentCountOf(user: number): number {
    return this.counts[placeOf(user) + ABSENT]!;
  }
}

/** Where the sessions of a user are counted. */
const placeOf = (user: number): number => 2 * (user + 1);

/** What a session of an absent node is worth in the eyes of a new node of `user`: the least gives way. */
export function worthOf(state: NodeState, user: number, subscriptions: Subscriptions): number {
  const owner = state.user;
  if (owner !== user && owner !== NO_USER)
    return SPARED;
  if (state.queue.count > 0 || state.receivedCount > 0)
    return owner === user ? SPARED : 3;
  return owner !== user ? 1 : subscriptions.countOf(state.index) > 0 ? 2 : 0;
}
