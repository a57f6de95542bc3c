/**
 * Pulses at a pin: falling edges, as a switch or an open collector to ground makes them. Counted by the chip where it
 * can, else one by one as the edges come in: a board takes one turn of its loop for each, and what comes faster than
 * that is not noticed. More than 50 a second are not believed.
 */
import Digital from 'embedded:io/digital';
import Time from 'time';
import type { Natives } from './natives.ts';
import type { Sensor } from '../sensors/sensor-state.ts';
import { NO_FAULT, TOO_FAST } from '../sensors/sensor-faults.ts';

const MOST_EDGES_PER_SECOND = 50;
/** For those that come in a bunch. */
const SPARE_EDGES = 10;

/** Counts the pulses at one pin, for all sensors that are there. */
export class PulseCounter {
  private readonly natives: Natives;
  private readonly counter: number;
  private edges = 0;
  /** Kept, so that it lives. */
  readonly io: Digital | undefined;

  constructor(natives: Natives, pin: number) {
    this.natives = natives;
    this.counter = natives.ringbridge_pulses_open(pin);
    if (this.counter < 0)
      this.io = new Digital({
        pin, mode: Digital.InputPullUp, edge: Digital.Falling, onReadable: () => { ++this.edges; },
      });
  }

  get isHardware(): boolean {
    return this.counter >= 0;
  }

  /** Pulses since the start, modulo 2^32. */
  get count(): number {
    return this.isHardware ? this.natives.ringbridge_pulses_read(this.counter) : this.edges;
  }
}

/** Pulses since the reading before. */
export class PulseSensor implements Sensor {
  fault = NO_FAULT;
  private readonly counter: PulseCounter;
  private last: number;
  private readAt = Time.ticks;

  constructor(counter: PulseCounter) {
    this.counter = counter;
    this.last = counter.count;
  }

  /** @returns NaN when there have been more than can be counted: they are left out of every total */
  read(): number {
    const { counter: { count, isHardware } } = this;
    const now = Time.ticks;
    const pulses = count - this.last >>> 0;
    const most = (now - this.readAt | 0) * MOST_EDGES_PER_SECOND / 1000 + SPARE_EDGES;
    this.last = count;
    this.readAt = now;
    this.fault = isHardware || pulses <= most ? NO_FAULT : TOO_FAST;
    return this.fault === NO_FAULT ? pulses : NaN;
  }
}
