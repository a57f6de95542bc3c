/**
 * BME680 and BME688 (data sheets 1.9 and 1.3): temperature, pressure, humidity, one measurement at a time in forced
 * mode. The heater for gas stays off: it would warm what the others measure. Compensated by the data sheet's formulas
 * of floating point.
 */
import { OTHER_PART, TOO_LATE } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { finished } from './part.ts';
import { RegisterPart } from './register-part.ts';

const FIELD = 0x1D;
const FIELD_LENGTH = 10;
const CONTROL_HUMIDITY = 0x72;
const CONTROL = 0x74;
const CALIBRATION = 0x8A;
const CALIBRATION_LENGTH = 23;
const CHIP_ID = 0xD0;
const CALIBRATION_2 = 0xE1;
const CALIBRATION_2_LENGTH = 10;

const ID = 0x61;
const ONCE = 0x01;
const FORCED = ONCE << 5 | ONCE << 2 | 1;
const NEW_DATA = 0x80;
const DURATION = 12;
const PAUSE = 2;
const PAUSES = 20;

export class BME68x extends RegisterPart {
  private readonly t = new Int32Array(4);
  private readonly p = new Int32Array(11);
  private readonly h = new Int32Array(8);
  private readonly byte: Uint8Array;
  private readonly calibration2: Uint8Array;
  private readonly field: Uint8Array;

  constructor(io: I2CPort) {
    super(io, 3, CALIBRATION_LENGTH);
    this.byte = this.input.subarray(0, 1);
    this.calibration2 = this.input.subarray(0, CALIBRATION_2_LENGTH);
    this.field = this.input.subarray(0, FIELD_LENGTH);
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0: return this.isSetUp ? this.begin() || this.goTo(3, DURATION) : this.identify() || 1;
      case 1: return this.calibrate() || 1;
      case 2: return this.begin() || DURATION;
      default: return this.get(FIELD, this.field) || this.convert();
    }
  }

  private identify(): number {
    return this.get(CHIP_ID, this.byte) || (this.input[0] === ID ? 0 : -OTHER_PART);
  }

  /** Tables 11 to 13 of the data sheet: numbers count from 1, as there. */
  private calibrate(): number {
    const { h, input, p, t } = this;
    let fault = this.get(CALIBRATION);
    if (fault < 0)
      return fault;
    t[2] = this.signedAt(0);
    t[3] = signed(input[2]!);
    p[1] = input[4]! | input[5]! << 8;
    p[2] = this.signedAt(6);
    p[3] = signed(input[8]!);
    p[4] = this.signedAt(10);
    p[5] = this.signedAt(12);
    p[7] = signed(input[14]!);
    p[6] = signed(input[15]!);
    p[8] = this.signedAt(18);
    p[9] = this.signedAt(20);
    p[10] = input[22]!;
    fault = this.get(CALIBRATION_2, this.calibration2);
    if (fault < 0)
      return fault;
    h[1] = input[2]! << 4 | input[1]! & 0x0F;
    h[2] = input[0]! << 4 | input[1]! >> 4;
    for (let index = 3; index <= 7; ++index)
      h[index] = index === 6 ? input[index]! : signed(input[index]!);
    t[1] = input[8]! | input[9]! << 8;
    return t[1] === 0 || p[1] === 0 ? finished(false) : 0;
  }

  private begin(): number {
    return this.setByte(CONTROL_HUMIDITY, ONCE) || this.setByte(CONTROL, FORCED);
  }

  private convert(): number {
    const { input } = this;
    if ((input[0]! & NEW_DATA) === 0) {
      const wait = this.repeat(PAUSE, PAUSES);
      return wait < 0 ? -TOO_LATE : wait;
    }
    const fine = this.fineTemperature(input[5]! << 12 | input[6]! << 4 | input[7]! >> 4);
    const isWarm = this.put(0, fine / 5120, -40, 85);
    const pressure = input[2]! << 12 | input[3]! << 4 | input[4]! >> 4;
    const isPressed = this.put(1, this.pressure(pressure, fine), 30_000, 110_000);
    const humidity = this.humidity(this.wordAt(8), fine / 5120);
    return finished(this.put(2, humidity < 0 ? 0 : humidity > 100 ? 100 : humidity, 0, 100) && isWarm && isPressed);
  }

  private fineTemperature(raw: number): number {
    const { t } = this;
    const difference = raw / 131_072 - t[1]! / 8192;
    return (raw / 16_384 - t[1]! / 1024) * t[2]! + difference * difference * t[3]! * 16;
  }

  private pressure(raw: number, fine: number): number {
    const { p } = this;
    const x = fine / 2 - 64_000;
    const second = (x * x * p[6]! / 131_072 + x * p[5]! * 2) / 4 + p[4]! * 65_536;
    const first = (1 + (p[3]! * x * x / 16_384 + p[2]! * x) / 524_288 / 32_768) * p[1]!;
    if (first === 0)
      return NaN;
    const pressure = (1_048_576 - raw - second / 4096) * 6250 / first;
    const part = pressure / 256;
    return pressure + (p[9]! * pressure * pressure / 2_147_483_648 + pressure * p[8]! / 32_768
      + part * part * part * p[10]! / 131_072 + p[7]! * 128) / 16;
  }

  private humidity(raw: number, temperature: number): number {
    const { h } = this;
    const first = (raw - (h[1]! * 16 + h[3]! / 2 * temperature)) * h[2]! / 262_144
      * (1 + h[4]! / 16_384 * temperature + h[5]! / 1_048_576 * temperature * temperature);
    return first + (h[6]! / 16_384 + h[7]! / 2_097_152 * temperature) * first * first;
  }

  /** The low byte first. */
  private signedAt(offset: number): number {
    return (this.input[offset]! | this.input[offset + 1]! << 8) << 16 >> 16;
  }
}

const signed = (byte: number): number => byte << 24 >> 24;
