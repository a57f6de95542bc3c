/** Nodes for which messages wait: whether they take anything, and how long the Server has waited for each. */
import type { NodeState } from '../nodes/node-state.ts';

/** Milliseconds that the Server may be made to wait for a node. */
const CREDIT = 1000;
/** Of that a part of the time that passes is given back, and so much for each message that the node gets. */
const CREDIT_SHARE = 10;
const CREDIT_EACH = 10;

export class HeldReceivers {
  private readonly states: readonly NodeState[];
  /** Per node: how far it had come when it was seen last, and when that changed. */
  private readonly progress: Int32Array;
  private readonly movedAt: Int32Array;
  /** Milliseconds that the Server was made to wait for it, when that was counted, and what it had been given then. */
  private readonly spent: Int32Array;
  private readonly chargedAt: Int32Array;
  private readonly given: Int32Array;

  constructor(states: readonly NodeState[]) {
    const { length } = states;
    this.states = states;
    this.progress = new Int32Array(length);
    this.movedAt = new Int32Array(length);
    this.spent = new Int32Array(length);
    this.chargedAt = new Int32Array(length);
    this.given = new Int32Array(length);
  }

  /** A node has no room. @param progress another number than before when it has taken something since */
  watch(index: number, progress: number, now: number): void {
    if (this.progress[index] === progress)
      return;
    this.progress[index] = progress;
    this.movedAt[index] = now;
  }

  /** Milliseconds for which it has taken nothing, as far as it was watched. */
  idleFor(index: number, now: number): number {
    return now - this.movedAt[index]! | 0;
  }

  /** Time has passed, in which the Server was made to wait for a node, or was not. @returns whether it may wait more */
  charge(index: number, hasWaited: boolean, now: number): boolean {
    const { chargedAt, given, spent, states } = this;
    const elapsed = Math.max(now - chargedAt[index]! | 0, 0);
    const { latestIdentifier } = states[index]!.queue;
    const count = Math.max(latestIdentifier - given[index]!, 0);
    chargedAt[index] = now;
    given[index] = latestIdentifier;
    spent[index] = Math.max(0, spent[index]! + (hasWaited ? elapsed : -elapsed / CREDIT_SHARE) - count * CREDIT_EACH);
    return spent[index] < CREDIT;
  }
}
