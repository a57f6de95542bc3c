/** What lies in the queues of all nodes: they are looked through once in a round of `$SYS` that asks for it. */
import type { NodeState } from './node-state.ts';

export class QueueTally {
  /** Something may have changed since the last look. */
  isOld = true;
  /** Messages that wait or are not acknowledged, and their bytes. */
  private pendingCount = 0;
  private pendingLength = 0;
  private inflightCount = 0;
  private readonly states: readonly NodeState[];

  constructor(states: readonly NodeState[]) {
    this.states = states;
  }

  get pending(): number {
    this.look();
    return this.pendingCount;
  }

  get length(): number {
    this.look();
    return this.pendingLength;
  }

  get inflight(): number {
    this.look();
    return this.inflightCount;
  }

  private look(): void {
    if (!this.isOld)
      return;
    const { states } = this;
    let pendingCount = 0, length = 0, inflight = 0;
    for (let left = states.length; left > 0;) {
      const { queue } = states[--left]!;
      if (queue.count === 0) // as a rule
        continue;
      pendingCount += queue.unsentCount + queue.inflightCount;
      length += queue.usedLength;
      inflight += queue.inflightCount;
    }
    this.pendingCount = pendingCount;
    this.pendingLength = length;
    this.inflightCount = inflight;
    this.isOld = false;
  }
}
