/**
 * A simulated I2C bus: parts at addresses, and what goes wrong on real ones. A transfer that fails says no more than a
 * board's I2C hardware does: that it has failed.
 */
import type { I2CPort } from '../drivers/buses.ts';
import { NO_ANSWER, NO_FAULT, STUCK_BUS } from '../sensors/sensor-faults.ts';
import type { Surroundings } from './surroundings.ts';

/** What is wrong with a part. */
export const FINE = 0;
/** It acknowledges nothing. */
export const ABSENT = 1;
/** The lowest bit of the first byte of an answer is wrong. */
export const SPOILT = 2;
/** It holds the line of data low from the next transfer on, until it has seen nine clocks. */
export const STUCK = 3;
/** It has nothing to say: the lines are high. */
export const SILENT = 4;

export abstract class SimulatedPart {
  trouble = FINE;
  protected readonly around: Surroundings;
  private readonly time: () => number;

  /** @param time milliseconds */
  constructor(around: Surroundings, time: () => number) {
    this.around = around;
    this.time = time;
  }

  protected get now(): number {
    return this.time();
  }

  /** What the part says when it has power again: nothing of before is left. */
  abstract powerOn(): void;
  /** @returns whether it acknowledges */
  abstract write(bytes: Uint8Array): boolean;
  abstract read(bytes: Uint8Array): boolean;
}

/** Bytes for `read`, each with what its data sheet says. */
export function putWord(bytes: Uint8Array, offset: number, word: number): void {
  bytes[offset] = word >> 8;
  bytes[offset + 1] = word;
}

export class SimulatedI2C {
  /** Times that the bus was freed. */
  recoveryCount = 0;
  /** The part that holds it. */
  holder: SimulatedPart | undefined = undefined;

  /** @returns the part's end of the bus */
  attach(part: SimulatedPart): I2CPort {
    return new SimulatedPort(this, part);
  }
}

class SimulatedPort implements I2CPort {
  private readonly bus: SimulatedI2C;
  private readonly part: SimulatedPart;

  constructor(bus: SimulatedI2C, part: SimulatedPart) {
    this.bus = bus;
    this.part = part;
  }

  write(bytes: Uint8Array): number {
    return this.isReachable() && this.part.write(bytes) ? NO_FAULT : NO_ANSWER;
  }

  read(bytes: Uint8Array): number {
    const { part } = this;
    if (!this.isReachable())
      return NO_ANSWER;
    if (part.trouble === SILENT) {
      bytes.fill(0xFF);
      return NO_FAULT;
    }
    if (!part.read(bytes))
      return NO_ANSWER;
    if (part.trouble === SPOILT)
      bytes[0]! ^= 1;
    return NO_FAULT;
  }

  recover(): number {
    const { bus } = this;
    const wasStuck = bus.holder !== undefined;
    if (wasStuck) {
      bus.holder = undefined;
      ++bus.recoveryCount;
    }
    return wasStuck ? STUCK_BUS : NO_ANSWER;
  }

  private isReachable(): boolean {
    const { bus, part } = this;
    if (part.trouble === STUCK)
      bus.holder = part;
    return bus.holder === undefined && part.trouble !== ABSENT;
  }
}
