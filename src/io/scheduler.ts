/**
 * Tells the core what time it is before anything happens, and sets one timer to the core's next deadline afterwards.
 * Every event from outside, a socket's callback or a timer, is bracketed by `enter` and `leave`.
 */
import { isDue, type Clock } from '../session/clock.ts';
import type { Timer } from './transport.ts';

export class Scheduler {
  readonly clock: Clock;
  readonly time: () => number;
  private readonly timer: Timer;
  private readonly onTimeout: () => void;
  private timerSetTo = 0;
  private isTimerSet = false;

  /**
   * @param time milliseconds since any moment; only its low 32 bits are used
   * @param createTimer makes a timer that calls back when its time has come
   * @param onTimeout the core's deadline has come
   */
  constructor(clock: Clock, time: () => number, createTimer: (onTimer: () => void) => Timer, onTimeout: () => void) {
    this.clock = clock;
    this.time = time;
    this.onTimeout = onTimeout;
    this.timer = createTimer(() => this.timeout());
  }

  enter(): void {
    this.clock.now = this.time() | 0;
  }

  leave(): void {
    const clock = this.clock;
    clock.isChanged = false;
    if (clock.isArmed && (!this.isTimerSet || clock.deadline !== this.timerSetTo))
      this.setTimer(clock.deadline);
  }

  stop(): void {
    this.timer.clear();
    this.clock.isArmed = this.isTimerSet = false;
  }

  private setTimer(deadline: number): void {
    const wait = deadline - this.clock.now | 0;
    this.timerSetTo = deadline;
    this.isTimerSet = true;
    this.timer.set(wait > 0 ? wait : 0);
  }

  private timeout(): void {
    this.isTimerSet = false;
    this.enter();
    const clock = this.clock;
    // A timer may come a little early; whoever is asked too early asks again.
    if (clock.isArmed && isDue(clock.deadline, clock.now)) {
      clock.isArmed = false;
      this.onTimeout();
    }
    this.leave();
  }
}
