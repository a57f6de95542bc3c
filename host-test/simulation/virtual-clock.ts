/**
 * Time that passes only when a test says so. Events lie in one queue, ordered by time and then by the order in which
 * they were scheduled; each step jumps to the next one, so that a day takes as long as its events.
 *
 * Drives what the program has: `Timer` objects (a class for io/, made by `clock.Timer`) and session clocks (`drive`).
 * Knows neither sockets nor MQTT.
 */
import { isDue, type Clock } from '../../src/session/clock.ts';
import type { Timer } from '../../src/io/transport.ts';

/** What `schedule` gives; hand it to `cancel`. */
export interface ScheduledEvent {
  readonly time: number;
  readonly sequence: number;
  action: (() => void) | undefined;
}

interface DrivenClock {
  readonly clock: Clock;
  readonly handleTimeout: () => void;
}

/** A test that causes more events than this in one call has most likely found an endless loop. */
const DEFAULT_EVENT_LIMIT = 1_000_000;

export class VirtualClock {
  /** Milliseconds since the start, with fractions; does not wrap around. */
  time = 0;
  /** What the program sees as the time when `time` is 0: near the end of 32 bits, to test the wrap-around. */
  readonly origin: number;
  /** Class for whatever wants a timer, `new clock.Timer(callback)`. */
  readonly Timer: new (callback: () => void) => Timer;
  /** Binary heap. */
  private readonly events: ScheduledEvent[] = [];
  private readonly driven: DrivenClock[] = [];
  private sequence = 0;
  private isRunning = false;

  constructor(origin = 0) {
    this.origin = origin;
    const clock = this;
    this.Timer = class implements Timer {
      #event: ScheduledEvent | undefined;
      readonly #callback: () => void;
      constructor(callback: () => void) {
        this.#callback = callback;
      }
      set(milliseconds: number): void {
        this.clear();
        this.#event = clock.schedule(milliseconds, this.#callback);
      }
      clear(): void {
        if (this.#event)
          clock.cancel(this.#event);
        this.#event = undefined;
      }
    };
  }

  /** The time as the program sees it: whole milliseconds as a 32-bit integer that wraps round. */
  get now(): number {
    return this.origin + Math.floor(this.time) | 0;
  }

  /** From now on `clock.now` is kept right, and `handleTimeout` is called when the clock's deadline has come. */
  drive(clock: Clock, handleTimeout: () => void): void {
    clock.now = this.now;
    this.driven.push({ clock, handleTimeout });
  }

  /** Calls `action` `delay` milliseconds from now, 0 or more, and never from inside this call. */
  schedule(delay: number, action: () => void): ScheduledEvent {
    if (!(delay >= 0))
      throw new RangeError(`delay must be 0 or more, got ${delay}`);
    const event = { time: this.time + delay, sequence: this.sequence++, action };
    this.push(event);
    return event;
  }

  cancel(event: ScheduledEvent): void {
    event.action = undefined;
  }

  /** Jumps to the next event and runs it. @returns false when there is none */
  step(): boolean {
    return this.stepUntil(Infinity);
  }

  /** Lets `milliseconds` pass, with everything that happens in them. */
  advance(milliseconds: number, eventLimit = DEFAULT_EVENT_LIMIT): void {
    const end = this.time + milliseconds;
    for (let count = 0; this.stepUntil(end); count++)
      this.checkLimit(count, eventLimit);
    this.moveTo(end);
  }

  /** Runs until nothing is scheduled any more; not for programs with periodic timers. */
  runUntilIdle(eventLimit = DEFAULT_EVENT_LIMIT): void {
    for (let count = 0; this.step(); count++)
      this.checkLimit(count, eventLimit);
  }

  /**
   * Runs until `condition` holds.
   * @returns how many milliseconds that took
   * @throws Error when it does not hold within `milliseconds`
   */
  runUntil(condition: () => boolean, milliseconds = 60_000, eventLimit = DEFAULT_EVENT_LIMIT): number {
    const start = this.time;
    const end = start + milliseconds;
    for (let count = 0; !condition(); count++) {
      if (!this.stepUntil(end)) {
        this.moveTo(end);
        if (condition())
          break;
        throw new Error(`not within ${milliseconds} ms of virtual time: ${condition}`);
      }
      this.checkLimit(count, eventLimit);
    }
    return this.time - start;
  }

  private checkLimit(count: number, limit: number): void {
    if (count >= limit)
      throw new Error(`more than ${limit} events by ${this.time} ms of virtual time: an endless loop?`);
  }

  /** Runs the next event or deadline that comes at `end` or before. @returns false when there is none */
  private stepUntil(end: number): boolean {
    if (this.isRunning)
      throw new Error('time must not be moved from inside an event');
    const event = this.peek();
    const next = this.nextDriven();
    const deadline = next ? this.deadlineOf(next) : Infinity;
    if (event && event.time <= deadline) {
      if (event.time > end)
        return false;
      this.pop();
      this.moveTo(event.time);
      this.run(event.action!);
      return true;
    }
    if (!next || deadline > end)
      return false;
    this.moveTo(deadline);
    next.clock.isArmed = false;
    this.run(next.handleTimeout);
    return true;
  }

  private run(action: () => void): void {
    this.isRunning = true;
    try {
      action();
    }
    finally {
      this.isRunning = false;
    }
  }

  private moveTo(time: number): void {
    if (time > this.time)
      this.time = time;
    for (const { clock } of this.driven)
      clock.now = this.now;
  }

  private nextDriven(): DrivenClock | undefined {
    let next: DrivenClock | undefined;
    for (const driven of this.driven) {
      if (driven.clock.isArmed && (!next || this.deadlineOf(driven) < this.deadlineOf(next)))
        next = driven;
    }
    return next;
  }

  /** Whole milliseconds: at a fraction before, the program would not see the deadline as due. */
  private deadlineOf({ clock }: DrivenClock): number {
    const { now } = this;
    return isDue(clock.deadline, now) ? this.time : Math.floor(this.time) + (clock.deadline - now | 0);
  }

  private peek(): ScheduledEvent | undefined {
    while (this.events.length > 0 && this.events[0]!.action === undefined)
      this.pop();
    return this.events[0];
  }

  private push(event: ScheduledEvent): void {
    const { events } = this;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = index - 1 >> 1;
      if (isBefore(events[parent]!, event))
        break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
  }

  private pop(): void {
    const { events } = this;
    const last = events.pop()!;
    const { length } = events;
    if (length === 0)
      return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length)
        break;
      if (child + 1 < length && isBefore(events[child + 1]!, events[child]!))
        child++;
      if (isBefore(last, events[child]!))
        break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
  }
}

const isBefore = (a: ScheduledEvent, b: ScheduledEvent): boolean =>
  a.time < b.time || a.time === b.time && a.sequence < b.sequence;
