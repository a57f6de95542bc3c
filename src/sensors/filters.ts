/**
 * What becomes of a reading on its way from the sensor to its message, one filter after the other in the order of the
 * configuration, under ESPHome's names. A filter gives a value or holds it back; what it remembers lies in memory that
 * it takes once, when it is made.
 *
 *   offset, multiply                what they say
 *   calibrate_linear                the line through two points, or from point to point through several
 *   median, min, max,               of the last `window_size` readings, given with every `send_every`th one, first
 *   sliding_window_moving_average   with the `send_first_at`th
 *   throttle                        so many seconds after the last one that it gave, not before
 *   delta                           what differs by so much from the last one that it gave
 */
import type { FilterConfiguration, WindowConfiguration } from '../config/filter-configuration.ts';
import { isDue } from '../session/clock.ts';

const DEFAULT_WINDOW = 5;
const DEFAULT_AVERAGE = 15;

/** What a filter holds back. */
const HELD = NaN;

abstract class Filter {
  /** @returns the value that goes on, or NaN: none does */
  abstract pass(value: number, now: number): number;
  /** As if there had been nothing before. */
  reset(): void { /* most have nothing to forget */ }
}

class Line extends Filter {
  private readonly factor: number;
  private readonly offset: number;

  constructor(factor: number, offset: number) {
    super();
    this.factor = factor;
    this.offset = offset;
  }

  override pass(value: number): number {
    return value * this.factor + this.offset;
  }
}

/** Between two points the line through them; beyond the first and the last one, that of the nearest two. */
class Calibration extends Filter {
  private readonly points: Float64Array;

  /** @param points [read, right], at least two, none of the first numbers twice */
  constructor(points: readonly (readonly number[])[]) {
    super();
    const sorted = [...points].sort((a, b) => a[0]! - b[0]!);
    const flat = this.points = new Float64Array(2 * sorted.length);
    for (let index = 0; index < sorted.length; ++index) {
      flat[2 * index] = sorted[index]![0]!;
      flat[2 * index + 1] = sorted[index]![1]!;
    }
  }

  override pass(value: number): number {
    const { points } = this;
    let at = 2;
    while (at + 2 < points.length && value > points[at]!)
      at += 2;
    const x = points[at - 2]!;
    const y = points[at - 1]!;
    return y + (value - x) * (points[at + 1]! - y) / (points[at]! - x);
  }
}

abstract class Window extends Filter {
  protected readonly values: Float64Array;
  /** How many of them there are. */
  protected count = 0;
  private next = 0;
  private readonly sendEvery: number;
  private readonly sendFirstAt: number;
  private waiting: number;

  constructor({ send_every, send_first_at = 1, window_size }: WindowConfiguration, defaultSize: number) {
    super();
    this.values = new Float64Array(window_size ?? defaultSize);
    this.sendEvery = send_every ?? defaultSize;
    this.sendFirstAt = send_first_at;
    this.waiting = send_first_at;
  }

  override pass(value: number): number {
    const { values } = this;
    values[this.next] = value;
    if (++this.next === values.length)
      this.next = 0;
    if (this.count < values.length)
      ++this.count;
    if (--this.waiting > 0)
      return HELD;
    this.waiting = this.sendEvery;
    return this.give();
  }

  override reset(): void {
    this.count = this.next = 0;
    this.waiting = this.sendFirstAt;
  }

  /** Of the first `count` values. */
  protected abstract give(): number;
}

class Average extends Window {
  protected override give(): number {
    const { count, values } = this;
    let sum = 0;
    for (let index = 0; index < count; ++index)
      sum += values[index]!;
    return sum / count;
  }
}

/** Sorts what is there once more each time, into a place of its own: windows are short. */
class Median extends Window {
  private readonly sorted = new Float64Array(this.values.length);

  protected override give(): number {
    const { count, sorted, values } = this;
    for (let index = 0; index < count; ++index) {
      const value = values[index]!;
      let at = index;
      for (; at > 0 && sorted[at - 1]! > value; --at)
        sorted[at] = sorted[at - 1]!;
      sorted[at] = value;
    }
    const middle = count >> 1;
    return (count & 1) === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }
}

class Extreme extends Window {
  private readonly sign: number;

  /** @param sign 1: the largest, -1: the least */
  constructor(window: WindowConfiguration, sign: number) {
    super(window, DEFAULT_WINDOW);
    this.sign = sign;
  }

  protected override give(): number {
    const { count, sign, values } = this;
    let found = values[0]!;
    for (let index = 1; index < count; ++index)
      if ((values[index]! - found) * sign > 0)
        found = values[index]!;
    return found;
  }
}

class Throttle extends Filter {
  private readonly pause: number;
  private isOpen = true;
  private opensAt = 0;

  /** @param seconds between two values */
  constructor(seconds: number) {
    super();
    this.pause = seconds * 1000;
  }

  override pass(value: number, now: number): number {
    if (!this.isOpen && !isDue(this.opensAt, now))
      return HELD;
    this.isOpen = false;
    this.opensAt = now + this.pause | 0;
    return value;
  }

  override reset(): void {
    this.isOpen = true;
  }
}

class Delta extends Filter {
  private readonly least: number;
  private last = NaN;

  constructor(least: number) {
    super();
    this.least = least;
  }

  override pass(value: number): number {
    const change = value - this.last;
    if (change < this.least && change > -this.least)
      return HELD;
    return this.last = value;
  }

  override reset(): void {
    this.last = NaN;
  }
}

/** The filters of one sensor. */
export class FilterChain {
  private readonly filters: readonly Filter[];

  /** @param configurations valid ones, one key each */
  constructor(configurations: readonly FilterConfiguration[]) {
    this.filters = configurations.map(create);
  }

  /** @param now when the reading was due, milliseconds @returns what is left of it; NaN: it is held back */
  pass(value: number, now: number): number {
    const { filters } = this;
    for (let index = 0; index < filters.length && value === value; ++index)
      value = filters[index]!.pass(value, now);
    return value;
  }

  reset(): void {
    for (let index = 0; index < this.filters.length; ++index)
      this.filters[index]!.reset();
  }
}

function create(filter: FilterConfiguration): Filter {
  const { calibrate_linear, delta, max, median, min, multiply, offset, sliding_window_moving_average, throttle }
    = filter;
  return calibrate_linear !== undefined ? new Calibration(calibrate_linear)
    : median !== undefined ? new Median(median, DEFAULT_WINDOW)
      : min !== undefined ? new Extreme(min, -1)
        : max !== undefined ? new Extreme(max, 1)
          : sliding_window_moving_average !== undefined ? new Average(sliding_window_moving_average, DEFAULT_AVERAGE)
            : throttle !== undefined ? new Throttle(throttle)
              : delta !== undefined ? new Delta(delta)
                : new Line(multiply ?? 1, offset ?? 0);
}

/** Numbers that a filter remembers, of 8 bytes each. */
export function memoryOf({ calibrate_linear, max, median, min, sliding_window_moving_average }: FilterConfiguration):
  number {
  const size = ({ window_size }: WindowConfiguration, standard: number): number => window_size ?? standard;
  return calibrate_linear !== undefined ? 2 * calibrate_linear.length
    : median !== undefined ? 2 * size(median, DEFAULT_WINDOW)
      : sliding_window_moving_average !== undefined ? size(sliding_window_moving_average, DEFAULT_AVERAGE)
        : max !== undefined || min !== undefined ? size(max ?? min!, DEFAULT_WINDOW) : 0;
}
