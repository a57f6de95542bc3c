/**
 * Parts of Sensirion: a command of two bytes, time, then words of two bytes with a checksum each.
 *
 *   SHT3x   data sheet version 7, single shot without clock stretching, high repeatability
 *   SHTC3   data sheet version 4, woken and put to sleep for each measurement
 *   SCD4x   data sheet version 1.5, periodic measurement: a new one every five seconds
 */
import { BAD_CHECKSUM, NO_FAULT } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { crc8 } from './checksums.ts';
import { finished, I2CPart } from './part.ts';

const INITIAL = 0xFF;
/** Bytes of a word and its checksum. */
const WORD = 3;

const SHT3X_MEASURE = 0x2400;
const SHT3X_DURATION = 16;

const SHTC3_WAKE_UP = 0x3517;
const SHTC3_MEASURE = 0x7866;
const SHTC3_SLEEP = 0xB098;
const SHTC3_DURATION = 15;

const SCD4X_START = 0x21B1;
const SCD4X_STOP = 0x3F86;
const SCD4X_IS_READY = 0xE4B8;
const SCD4X_READ = 0xEC05;
const SCD4X_STOP_DURATION = 500;
const SCD4X_PERIOD = 5000;
/** From a command to what it brings. */
const SCD4X_EXECUTION = 2;
/** Of the status: zero while there is nothing new. */
const SCD4X_READY_BITS = 0x7FF;
const SCD4X_PAUSE = 500;
const SCD4X_PAUSES = 14;
const LARGEST_CO2 = 40_000;

abstract class SensirionPart extends I2CPart {
  constructor(io: I2CPort, quantityCount: number, wordCount: number) {
    super(io, quantityCount, 2, wordCount * WORD);
  }

  /** @returns a fault, negative, or 0 */
  protected receiveWords(input = this.input): number {
    const fault = this.io.read(input);
    if (fault !== NO_FAULT)
      return -fault;
    for (let offset = 0; offset < input.length; offset += WORD)
      if (crc8(input, offset, 2, INITIAL) !== input[offset + 2])
        return -BAD_CHECKSUM;
    return 0;
  }
}

/** Temperature, humidity. */
export class SHT3x extends SensirionPart {
  constructor(io: I2CPort) {
    super(io, 2, 2);
  }

  protected override step(stage: number): number {
    return stage === 0 ? this.send(SHT3X_MEASURE) || SHT3X_DURATION : this.receiveWords() || this.convert(65_535);
  }

  /** @param full what stands for the whole range */
  protected convert(full: number): number {
    const isWarm = this.put(0, 175 * this.wordAt(0) / full - 45, -40, 125);
    return finished(this.put(1, 100 * this.wordAt(WORD) / full, 0, 100) && isWarm);
  }
}

/** Temperature, humidity. */
export class SHTC3 extends SHT3x {
  protected override step(stage: number): number {
    switch (stage) {
      case 0: return this.send(SHTC3_WAKE_UP) || 1;
      case 1: return this.send(SHTC3_MEASURE) || SHTC3_DURATION;
      default: {
        const fault = this.receiveWords();
        this.send(SHTC3_SLEEP); // if it does not hear it, the next wake-up tells
        return fault || this.convert(65_536);
      }
    }
  }
}

/** Carbon dioxide, temperature, humidity. */
export class SCD4x extends SensirionPart {
  private readonly status: Uint8Array;

  constructor(io: I2CPort) {
    super(io, 3, 3);
    this.status = this.input.subarray(0, WORD);
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0:
        if (this.isSetUp)
          return this.goTo(3, 1);
        // It may be measuring since before our start, and takes no other command then; one that does not, answers too.
        return this.send(SCD4X_STOP) || SCD4X_STOP_DURATION;
      case 1: return this.send(SCD4X_START) || SCD4X_PERIOD;
      case 2:
      case 3: return this.send(SCD4X_IS_READY) || this.goTo(4, SCD4X_EXECUTION);
      case 4: return this.receiveWords(this.status) || this.readOrWait();
      default: return this.receiveWords() || this.convert();
    }
  }

  private readOrWait(): number {
    if ((this.wordAt(0) & SCD4X_READY_BITS) === 0) {
      const wait = this.repeat(SCD4X_PAUSE, SCD4X_PAUSES);
      return wait < 0 ? wait : this.goTo(3, wait);
    }
    return this.send(SCD4X_READ) || SCD4X_EXECUTION;
  }

  private convert(): number {
    const isWarm = this.put(1, 175 * this.wordAt(WORD) / 65_535 - 45, -40, 125);
    const isMoist = this.put(2, 100 * this.wordAt(2 * WORD) / 65_535, 0, 100);
    // Without air nobody lives who could read it: zero is what it says before its first measurement.
    return finished(this.put(0, this.wordAt(0), 1, LARGEST_CO2) && isWarm && isMoist);
  }
}
