/** Where a connection stands, and how much time it has there. */
import { type Clock, isDue } from '../session/clock.ts';
import { SEND_TIMEOUT, STALL_TIMEOUT } from './http-limits.ts';

export const FREE = 0;
/** The head arrives. */
export const HEAD_COMES = 1;
/** The gate has not judged yet; what arrives waits in the socket. */
export const JUDGED = 2;
/** The body arrives. */
export const BODY_COMES = 3;
/** The resource has its answer in the making. */
export const ANSWERING = 4;
/** The answer goes out. */
export const SENDING = 5;
/** Events go out as they come. */
export const EVENTS = 6;
/** All has been said; the rest of what the client sends is thrown away, so that it can read the answer. */
export const DRAINING = 7;

/** How soon a connection loses its place to another one; 0: never. */
export const rankOf = (phase: number): number =>
  phase === FREE || phase === EVENTS ? 0 : phase === HEAD_COMES || phase === DRAINING ? 2 : 1;

export class Deadline {
  private readonly clock: Clock;
  private time = 0;
  private isSet = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** @param milliseconds from now */
  set(milliseconds: number): void {
    this.setTo(this.clock.now + milliseconds | 0);
  }

  /** The client has taken something; but a whole answer, which began at `start`, has an end. */
  moveAnswer(start: number): void {
    const end = start + SEND_TIMEOUT | 0;
    const stall = this.clock.now + STALL_TIMEOUT | 0;
    this.setTo(isDue(end, stall) ? end : stall);
  }

  clear(): void {
    this.isSet = false;
  }

  /** @returns whether it is over; if not, it is asked for again */
  isOver(): boolean {
    if (!this.isSet)
      return false;
    if (isDue(this.time, this.clock.now))
      return true;
    this.clock.request(this.time);
    return false;
  }

  private setTo(time: number): void {
    this.time = time;
    this.isSet = true;
    this.clock.request(time);
  }
}
