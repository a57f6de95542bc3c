/**
 * Temperature and humidity without checksums worth the name.
 *
 *   SI7020   data sheet 1.2: humidity without clock stretching, then the temperature that it was measured with
 *   AHT10    data sheet 1.1; AHT20 and AHT21 answer likewise
 */
import { BAD_CHECKSUM } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { crc8 } from './checksums.ts';
import { finished, I2CPart } from './part.ts';

const FULL_16 = 65_536;
const FULL_20 = 1_048_576;

const SI7020_HUMIDITY = 0xF5;
const SI7020_TEMPERATURE = 0xE0;
/** Of 12 bits of humidity and 14 of temperature. */
const SI7020_DURATION = 25;

const AHT10_INITIALIZE = 0xE1;
const AHT10_MEASURE = 0xAC;
const AHT10_CALIBRATED = 0x08;
const AHT10_BUSY = 0x80;
const AHT10_DURATION = 80;
const AHT10_SET_UP = 20;
const AHT10_PAUSE = 10;
const AHT10_PAUSES = 20;

export class SI7020 extends I2CPart {
  private readonly word: Uint8Array;

  constructor(io: I2CPort) {
    super(io, 2, 1, 3);
    this.word = this.input.subarray(0, 2);
  }

  protected override step(stage: number): number {
    const { input, io, output } = this;
    switch (stage) {
      case 0:
        output[0] = SI7020_HUMIDITY;
        return -io.write(output) || SI7020_DURATION;
      case 1: {
        const fault = this.receive();
        if (fault < 0)
          return fault;
        if (crc8(input, 0, 2, 0) !== input[2])
          return -BAD_CHECKSUM;
        const humidity = 125 * this.wordAt(0) / FULL_16 - 6;
        // Close to its ends the scale gives a little less than 0, or more than 100 (data sheet 5.1.1).
        if (!this.put(1, humidity < 0 ? 0 : humidity > 100 ? 100 : humidity, 0, humidity + 6))
          return finished(false);
        output[0] = SI7020_TEMPERATURE;
        return -io.write(output) || 1;
      }
      default: return -io.read(this.word) || finished(this.put(0, 175.72 * this.wordAt(0) / FULL_16 - 46.85, -40, 125));
    }
  }
}

export class AHT10 extends I2CPart {
  private readonly status: Uint8Array;

  constructor(io: I2CPort) {
    super(io, 2, 3, 6);
    this.status = this.input.subarray(0, 1);
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0:
        if (this.isSetUp)
          return this.tell(AHT10_MEASURE, 0x33) || this.goTo(3, AHT10_DURATION);
        return -this.io.read(this.status) || 1;
      case 1: return (this.input[0]! & AHT10_CALIBRATED) !== 0 ? this.goTo(2, 1)
        : this.tell(AHT10_INITIALIZE, AHT10_CALIBRATED) || AHT10_SET_UP;
      case 2: return this.tell(AHT10_MEASURE, 0x33) || AHT10_DURATION;
      default: return this.receive() || this.convert();
    }
  }

  private tell(command: number, parameter: number): number {
    const { output } = this;
    output[0] = command;
    output[1] = parameter;
    output[2] = 0;
    return -this.io.write(output);
  }

  private convert(): number {
    const { input } = this;
    if ((input[0]! & AHT10_BUSY) !== 0)
      return this.repeat(AHT10_PAUSE, AHT10_PAUSES);
    const humidity = this.wordAt(1) << 4 | input[3]! >> 4;
    const temperature = (input[3]! & 0x0F) << 16 | this.wordAt(4);
    const isWarm = this.put(0, 200 * temperature / FULL_20 - 50, -40, 85);
    // Nothing but zeros comes from a part that has measured nothing.
    return humidity === 0 ? finished(false) : finished(this.put(1, 100 * humidity / FULL_20, 0, 100) && isWarm);
  }
}
