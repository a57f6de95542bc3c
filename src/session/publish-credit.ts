/**
 * How many messages a node may still publish: so many per second, and at most a second's worth at once. When the
 * credit is used up, nothing is read of the node for a moment: the network makes it wait.
 */
import { isDue } from './clock.ts';

/** Credit for one message. */
const TOKEN = 1000;
/** Shortest wait, in milliseconds: not a timer for each message. */
const SHORTEST_HOLD = 20;

export class PublishCredit {
  /** Nothing is read until `heldUntil`. */
  isHeld = false;
  heldUntil = 0;
  private readonly rate: number;
  /** In thousandths of a message. */
  private credit = 0;
  private creditedAt = 0;

  /** @param rate messages per second, 1 or more */
  constructor(rate: number) {
    this.rate = rate;
  }

  /** A new connection. */
  reset(now: number): void {
    this.isHeld = false;
    this.credit = this.rate * TOKEN;
    this.creditedAt = now;
  }

  /** One message counts. @returns whether a wait begins now */
  spend(now: number): boolean {
    const { rate } = this;
    const elapsed = now - this.creditedAt | 0;
    const credit = this.credit + (elapsed < 1000 ? elapsed : 1000) * rate;
    this.creditedAt = now;
    this.credit = (credit < rate * TOKEN ? credit : rate * TOKEN) - TOKEN;
    if (this.credit >= TOKEN || this.isHeld)
      return false;
    const wait = (TOKEN - this.credit + rate - 1) / rate | 0;
    this.isHeld = true;
    this.heldUntil = now + (wait > SHORTEST_HOLD ? wait : SHORTEST_HOLD) | 0;
    return true;
  }

  /** @returns whether the wait ends now */
  release(now: number): boolean {
    if (!isDue(this.heldUntil, now))
      return false;
    this.isHeld = false;
    return true;
  }
}
