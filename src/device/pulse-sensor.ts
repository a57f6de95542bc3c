/**
 * Pulses at a pin: falling edges, as a switch or an open collector to ground makes them. Counted by the chip where it
 * can, else one by one as the edges come in, of which a board notes some fifty in a second.
 */
import Digital from 'embedded:io/digital';
import type { Natives } from './natives.ts';
import type { Sensor } from '../sensors/sensor-state.ts';

export class PulseSensor implements Sensor {
  private readonly natives: Natives;
  private readonly counter: number;
  private edges = 0;
  private last = 0;
  /** Kept, so that it lives. */
  readonly io: Digital | undefined;

  constructor(natives: Natives, pin: number) {
    this.natives = natives;
    this.counter = natives.ringbridge_pulses_open(pin);
    if (this.counter < 0)
      this.io = new Digital({
        pin, mode: Digital.InputPullUp, edge: Digital.Falling, onReadable: () => { ++this.edges; },
      });
    else
      this.last = natives.ringbridge_pulses_read(this.counter);
  }

  read(): number {
    const count = this.counter < 0 ? this.edges : this.natives.ringbridge_pulses_read(this.counter);
    const pulses = count - this.last >>> 0;
    this.last = count;
    return pulses;
  }
}
