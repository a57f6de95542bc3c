/**
 * BME280 (temperature, pressure, humidity; data sheet 1.6) and BMP280 (without humidity; data sheet 1.14), one
 * measurement at a time in forced mode. What the part gives is raw: it is compensated with the numbers that it was
 * calibrated with, which are read once, by the data sheet's formulas: those of 32-bit integers for temperature and
 * humidity, the one of double precision for pressure, because integers of 64 bits would cost memory for each reading.
 */
import { OTHER_PART, TOO_LATE } from '../sensors/sensor-faults.ts';
import type { I2CPort } from './buses.ts';
import { finished } from './part.ts';
import { RegisterPart } from './register-part.ts';

const CALIBRATION = 0x88;
const CALIBRATION_LENGTH = 26;
const CHIP_ID = 0xD0;
const HUMIDITY_CALIBRATION = 0xE1;
const HUMIDITY_CALIBRATION_LENGTH = 7;
const CONTROL_HUMIDITY = 0xF2;
const STATUS = 0xF3;
const CONTROL = 0xF4;
const DATA = 0xF7;
const DATA_LENGTH = 8;

const BME280_ID = 0x60;
/** The last one is that of mass production. */
const FIRST_BMP280_ID = 0x56;
const LAST_BMP280_ID = 0x58;

const MEASURING = 0x08;
const COPYING = 0x01;
const ONCE = 0x01;
/** Temperature and pressure once, forced mode. */
const FORCED = ONCE << 5 | ONCE << 2 | 1;
/** The longest that the data sheet gives for one of each, 9.3 (appendix B). */
const DURATION = 10;
const PAUSE = 2;
const PAUSES = 20;
/** Of a quantity that was not measured. */
const SKIPPED = 0x80000;
const SKIPPED_HUMIDITY = 0x8000;

/** Where the numbers stand among those of calibration. */
const T1 = 0;
const T2 = 1;
const T3 = 2;
const P1 = 3;
const H1 = 12;
const H2 = 13;
const H3 = 14;
const H4 = 15;
const H5 = 16;
const H6 = 17;
const CALIBRATION_COUNT = 18;

export class BMP280 extends RegisterPart {
  protected readonly hasHumidity: boolean = false;
  private readonly calibration = new Int32Array(CALIBRATION_COUNT);
  private readonly byte: Uint8Array;
  private readonly humidityCalibration: Uint8Array;
  private readonly data: Uint8Array;

  constructor(io: I2CPort, quantityCount = 2) {
    super(io, quantityCount, CALIBRATION_LENGTH);
    this.byte = this.input.subarray(0, 1);
    this.humidityCalibration = this.input.subarray(0, HUMIDITY_CALIBRATION_LENGTH);
    this.data = this.input.subarray(0, DATA_LENGTH);
  }

  protected override step(stage: number): number {
    switch (stage) {
      case 0: return this.isSetUp ? this.begin() || this.goTo(3, DURATION) : this.identify() || this.goTo(1, 1);
      case 1: return this.calibrate() || 1;
      case 2: return this.begin() || DURATION;
      default: return this.get(STATUS, this.byte) || this.fetch();
    }
  }

  private identify(): number {
    const fault = this.get(CHIP_ID, this.byte);
    if (fault < 0)
      return fault;
    const id = this.input[0]!;
    const isBMP280 = id >= FIRST_BMP280_ID && id <= LAST_BMP280_ID;
    return id === BME280_ID || isBMP280 && !this.hasHumidity ? 0 : -OTHER_PART;
  }

  /** At power-on the part copies its calibration first. */
  private calibrate(): number {
    const { calibration, input } = this;
    let fault = this.get(STATUS, this.byte);
    if (fault < 0)
      return fault;
    if ((input[0]! & COPYING) !== 0)
      return this.repeat(PAUSE, PAUSES);
    fault = this.get(CALIBRATION);
    if (fault < 0)
      return fault;
    for (let index = T1; index < H1; ++index) {
      const word = input[2 * index]! | input[2 * index + 1]! << 8;
      calibration[index] = index === T1 || index === P1 ? word : word << 16 >> 16;
    }
    if (calibration[T1] === 0 || calibration[P1] === 0)
      return finished(false);
    if (!this.hasHumidity)
      return 0;
    calibration[H1] = input[25]!;
    fault = this.get(HUMIDITY_CALIBRATION, this.humidityCalibration);
    calibration[H2] = (input[0]! | input[1]! << 8) << 16 >> 16;
    calibration[H3] = input[2]!;
    calibration[H4] = input[3]! << 24 >> 20 | input[4]! & 0x0F;
    calibration[H5] = input[5]! << 24 >> 20 | input[4]! >> 4;
    calibration[H6] = input[6]! << 24 >> 24;
    return fault;
  }

  private begin(): number {
    const fault = this.hasHumidity ? this.setByte(CONTROL_HUMIDITY, ONCE) : 0; // takes effect with the next one
    return fault < 0 ? fault : this.setByte(CONTROL, FORCED);
  }

  private fetch(): number {
    if ((this.input[0]! & MEASURING) !== 0)
      return this.repeat(PAUSE, PAUSES);
    const fault = this.get(DATA, this.data);
    if (fault < 0)
      return fault;
    const { input } = this;
    const pressure = input[0]! << 12 | input[1]! << 4 | input[2]! >> 4;
    const temperature = input[3]! << 12 | input[4]! << 4 | input[5]! >> 4;
    // Not measured: it has lost its settings, with its power.
    if (temperature === SKIPPED || pressure === SKIPPED)
      return -TOO_LATE;
    const fine = this.fineTemperature(temperature);
    const isWarm = this.put(0, (fine * 5 + 128 >> 8) / 100, -40, 85);
    const isPressed = this.put(1, this.pressure(pressure, fine), 30_000, 110_000);
    if (!this.hasHumidity)
      return finished(isWarm && isPressed);
    const humidity = this.wordAt(6);
    return humidity === SKIPPED_HUMIDITY ? -TOO_LATE
      : finished(this.put(2, this.humidity(humidity, fine), 0, 100) && isWarm && isPressed);
  }

  /** Data sheet of the BME280, 4.2.3. @returns the temperature in 1/5120 degree, which the others are corrected by */
  private fineTemperature(raw: number): number {
    const { calibration } = this;
    const t1 = calibration[T1]!;
    const first = ((raw >> 3) - (t1 << 1)) * calibration[T2]! >> 11;
    const difference = (raw >> 4) - t1;
    return first + ((difference * difference >> 12) * calibration[T3]! >> 14);
  }

  /** Data sheet, appendix A. @returns pascal */
  private pressure(raw: number, fine: number): number {
    const { calibration } = this;
    let first = fine / 2 - 64_000;
    let second = first * first * calibration[P1 + 5]! / 32_768;
    second += first * calibration[P1 + 4]! * 2;
    second = second / 4 + calibration[P1 + 3]! * 65_536;
    first = (calibration[P1 + 2]! * first * first / 524_288 + calibration[P1 + 1]! * first) / 524_288;
    first = (1 + first / 32_768) * calibration[P1]!;
    if (first === 0)
      return NaN;
    const pressure = (1_048_576 - raw - second / 4096) * 6250 / first;
    first = calibration[P1 + 8]! * pressure * pressure / 2_147_483_648;
    second = pressure * calibration[P1 + 7]! / 32_768;
    return pressure + (first + second + calibration[P1 + 6]!) / 16;
  }

  /** Data sheet, 4.2.3: 32-bit integers that wrap round. @returns per cent */
  private humidity(raw: number, fine: number): number {
    const { calibration } = this;
    const x = fine - 76_800;
    const left = (raw << 14) - (calibration[H4]! << 20) - Math.imul(calibration[H5]!, x) + 16_384 >> 15;
    const bent = Math.imul(Math.imul(x, calibration[H6]!) >> 10, (Math.imul(x, calibration[H3]!) >> 11) + 32_768);
    const right = Math.imul((bent >> 10) + 2_097_152, calibration[H2]!) + 8192 >> 14;
    let value = Math.imul(left, right);
    const square = value >> 15;
    value = value - (Math.imul(Math.imul(square, square) >> 7, calibration[H1]!) >> 4) | 0;
    value = value < 0 ? 0 : value > 419_430_400 ? 419_430_400 : value;
    return (value >> 12) / 1024;
  }
}

export class BME280 extends BMP280 {
  protected override readonly hasHumidity = true;

  constructor(io: I2CPort) {
    super(io, 3);
  }
}
