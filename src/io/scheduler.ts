/**
 * Tells the core what time it is before anything happens, and sets one timer to the core's next deadline afterwards.
 * Every event from outside, a socket's callback or a timer, is bracketed by `enter` and `leave`.
 *
 * A timer that comes late was held up, because the program was stopped or busy. What arrived in the meantime then
 * still waits in the sockets, and would come after the verdict on it. So the deadline is judged one turn of the
 * platform's loop later: in the turn between, all sockets are heard.
 */
import { isDue, type Clock } from '../session/clock.ts';
import type { Timer } from './transport.ts';

/** What is driven. */
export interface Driven {
  /** The core's deadline has come. */
  handleTimeout(): void;
  /** Work that was put off by `Clock.soon`. */
  handleDeferred(): void;
}

/** Milliseconds. Whoever is judged has more time than this to spare; a loop that has work to do is not as late. */
export const LATE = 100;

export class Scheduler {
  readonly clock: Clock;
  readonly time: () => number;
  private readonly timer: Timer;
  private readonly driven: Driven;
  private timerSetTo = 0;
  private isTimerSet = false;
  /** The timer came late, and what had arrived until then is being heard. */
  private isHearing = false;

  /**
   * @param time milliseconds since any moment; only its low 32 bits are used
   * @param createTimer makes a timer that calls back when its time has come
   */
  constructor(clock: Clock, time: () => number, createTimer: (onTimer: () => void) => Timer, driven: Driven) {
    this.clock = clock;
    this.time = time;
    this.driven = driven;
    this.timer = createTimer(() => this.timeout());
  }

  enter(): void {
    this.clock.now = this.time() | 0;
  }

  leave(): void {
    const { clock } = this;
    clock.isChanged = false;
    if (clock.isPressing) {
      if (this.isTimerSet && isDue(this.timerSetTo, clock.now))
        return;
      this.timerSetTo = clock.now;
      this.isTimerSet = true;
      this.timer.set(0);
    } else if (clock.isArmed && (!this.isTimerSet || clock.deadline !== this.timerSetTo)) {
      const wait = (this.timerSetTo = clock.deadline) - clock.now | 0;
      this.isTimerSet = true;
      this.timer.set(wait > 0 ? wait : 0);
    }
  }

  stop(): void {
    this.timer.clear();
    this.clock.isArmed = this.clock.isPressing = this.isTimerSet = this.isHearing = false;
  }

  private timeout(): void {
    const { clock } = this;
    const now = clock.now = this.time() | 0;
    this.isTimerSet = false;
    if (clock.isPressing) {
      clock.isPressing = false;
      this.driven.handleDeferred();
    }
    const lateness = now - clock.deadline | 0;
    // A timer may come a little early; whoever is asked too early asks again.
    if (clock.isArmed && lateness >= 0) {
      if (lateness >= LATE && !this.isHearing) {
        this.isHearing = this.isTimerSet = true;
        this.timerSetTo = clock.deadline;
        this.timer.set(0);
        return;
      }
      this.isHearing = clock.isArmed = false;
      this.driven.handleTimeout();
    }
    this.leave();
  }
}
