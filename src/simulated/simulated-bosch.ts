/**
 * BMP280, BME280 and BME680 as their data sheets describe them: registers, forced mode, raw values. Which raw value a
 * temperature has is looked for with the data sheet's formulas of double precision. Those of calibration are the
 * example of the BMP280's data sheet (3.12), and what is usual for humidity.
 */
import { SimulatedPart } from './simulated-i2c.ts';

const NEVER = Number.MAX_VALUE;
const REGISTERS = 256;

const T: readonly number[] = Object.freeze([27_504, 26_435, -1000]);
const P: readonly number[] = Object.freeze([36_477, -10_685, 3024, 2855, 140, -7, 15_500, -14_600, 6000]);
const H: readonly number[] = Object.freeze([75, 370, 0, 313, 50, 30]);

/** T1 to T3, P1 to P10, H1 to H7 of a BME680, usual values. */
const T680: readonly number[] = Object.freeze([26_041, 26_442, 3]);
const P680: readonly number[] = Object.freeze([36_673, -10_351, 88, 7180, -122, 30, 38, -2559, -2464, 30]);
const H680: readonly number[] = Object.freeze([770, 1014, 0, 45, 20, 120, -100]);

/** Where P1 to P10 are; those of 16 bits have the low byte there. */
const PRESSURE_REGISTERS: readonly number[] =
  Object.freeze([0x8E, 0x90, 0x92, 0x94, 0x96, 0x99, 0x98, 0x9C, 0x9E, 0xA0]);
const WIDE: readonly number[] = Object.freeze([0, 1, 3, 4, 7, 8]);

/** @returns the raw value below `end` at which `f`, which rises, has reached `wanted` */
function solve(f: (raw: number) => number, wanted: number, end: number): number {
  let low = 0;
  let high = end;
  while (high - low > 1) {
    const middle = low + high >> 1;
    if (f(middle) <= wanted)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/** With a chip of registers of 8 bits, of which the master sets the pointer. */
abstract class BoschPart extends SimulatedPart {
  protected readonly registers = new Uint8Array(REGISTERS);
  private pointer = 0;
  private readyAt = NEVER;

  override powerOn(): void {
    this.registers.fill(0);
    this.readyAt = NEVER;
    this.fill();
  }

  override write(bytes: Uint8Array): boolean {
    this.pointer = bytes[0]!;
    for (let index = 1; index < bytes.length; index += 2) {
      this.registers[bytes[index - 1]!] = bytes[index]!;
      if (bytes[index - 1] === this.control && (bytes[index]! & 3) === 1) {
        this.readyAt = this.now + this.duration;
        this.setBusy(true);
      }
    }
    return true;
  }

  override read(bytes: Uint8Array): boolean {
    if (this.now >= this.readyAt) {
      this.readyAt = NEVER;
      this.setBusy(false);
      this.measure();
    }
    for (let index = 0; index < bytes.length; ++index)
      bytes[index] = this.registers[this.pointer + index & 0xFF]!;
    return true;
  }

  protected abstract readonly control: number;
  protected abstract readonly duration: number;
  /** What the part has from its maker. */
  protected abstract fill(): void;
  protected abstract setBusy(isBusy: boolean): void;
  protected abstract measure(): void;

  protected putLow(register: number, word: number): void {
    this.registers[register] = word;
    this.registers[register + 1] = word >> 8;
  }

  /** 20 bits in three bytes. */
  protected put20(register: number, raw: number): void {
    this.registers[register] = raw >> 12;
    this.registers[register + 1] = raw >> 4;
    this.registers[register + 2] = raw << 4;
  }

  protected put16(register: number, raw: number): void {
    this.registers[register] = raw >> 8;
    this.registers[register + 1] = raw;
  }
}

export class SimulatedBME280 extends BoschPart {
  protected override readonly control = 0xF4;
  protected override readonly duration = 9.3;
  protected readonly id: number = 0x60;

  protected override fill(): void {
    const { registers } = this;
    registers[0xD0] = this.id;
    for (let index = 0; index < T.length; ++index)
      this.putLow(0x88 + 2 * index, T[index]!);
    for (let index = 0; index < P.length; ++index)
      this.putLow(0x8E + 2 * index, P[index]!);
    registers[0xF7] = registers[0xFA] = 0x80; // nothing measured
    if (this.id !== 0x60)
      return;
    registers[0xFD] = 0x80;
    registers[0xA1] = H[0]!;
    this.putLow(0xE1, H[1]!);
    registers[0xE3] = H[2]!;
    registers[0xE4] = H[3]! >> 4;
    registers[0xE5] = H[3]! & 0x0F | H[4]! << 4;
    registers[0xE6] = H[4]! >> 4;
    registers[0xE7] = H[5]!;
  }

  protected override setBusy(isBusy: boolean): void {
    this.registers[0xF3] = isBusy ? 0x08 : 0;
  }

  protected override measure(): void {
    const { around, registers } = this;
    if ((registers[0xF4]! & 0xE0) === 0)
      return;
    const temperature = solve(raw => fineTemperature(raw) / 5120, around.temperature, 1 << 20);
    const fine = fineTemperature(temperature);
    this.put20(0xFA, temperature);
    this.put20(0xF7, (1 << 20) - solve(turned => pressure((1 << 20) - turned, fine), around.pressure, 1 << 20));
    if (this.id === 0x60 && (registers[0xF2]! & 7) !== 0)
      this.put16(0xFD, solve(raw => humidity(raw, fine), around.humidity, 1 << 16));
  }
}

export class SimulatedBMP280 extends SimulatedBME280 {
  protected override readonly id = 0x58;
}

function fineTemperature(raw: number): number {
  const first = (raw / 16_384 - T[0]! / 1024) * T[1]!;
  const difference = raw / 131_072 - T[0]! / 8192;
  return first + difference * difference * T[2]!;
}

function pressure(raw: number, fine: number): number {
  let a = fine / 2 - 64_000;
  let b = a * a * P[5]! / 32_768 + a * P[4]! * 2;
  b = b / 4 + P[3]! * 65_536;
  a = (P[2]! * a * a / 524_288 + P[1]! * a) / 524_288;
  a = (1 + a / 32_768) * P[0]!;
  const value = (1_048_576 - raw - b / 4096) * 6250 / a;
  return value + (P[8]! * value * value / 2_147_483_648 + value * P[7]! / 32_768 + P[6]!) / 16;
}

function humidity(raw: number, fine: number): number {
  const x = fine - 76_800;
  const value = (raw - (H[3]! * 64 + H[4]! / 16_384 * x))
    * (H[1]! / 65_536 * (1 + H[5]! / 67_108_864 * x * (1 + H[2]! / 67_108_864 * x)));
  return value * (1 - H[0]! * value / 524_288);
}

export class SimulatedBME680 extends BoschPart {
  protected override readonly control = 0x74;
  protected override readonly duration = 11.3;

  protected override fill(): void {
    const { registers } = this;
    registers[0xD0] = 0x61;
    this.putLow(0x8A, T680[1]!);
    registers[0x8C] = T680[2]!;
    for (let index = 0; index < P680.length; ++index)
      if (WIDE.includes(index))
        this.putLow(PRESSURE_REGISTERS[index]!, P680[index]!);
      else
        registers[PRESSURE_REGISTERS[index]!] = P680[index]!;
    registers[0xE1] = H680[1]! >> 4;
    registers[0xE2] = H680[1]! << 4 | H680[0]! & 0x0F;
    registers[0xE3] = H680[0]! >> 4;
    for (let index = 2; index < H680.length; ++index)
      registers[0xE4 + index - 2] = H680[index]!;
    this.putLow(0xE9, T680[0]!);
  }

  protected override setBusy(isBusy: boolean): void {
    this.registers[0x1D] = isBusy ? 0x20 : 0x80;
  }

  protected override measure(): void {
    const { around } = this;
    const temperature = solve(raw => fine680(raw) / 5120, around.temperature, 1 << 20);
    const fine = fine680(temperature);
    this.put20(0x22, temperature);
    this.put20(0x1F, (1 << 20) - solve(turned => pressure680((1 << 20) - turned, fine), around.pressure, 1 << 20));
    this.put16(0x25, solve(raw => humidity680(raw, fine / 5120), around.humidity, 1 << 16));
  }
}

function fine680(raw: number): number {
  const first = (raw / 16_384 - T680[0]! / 1024) * T680[1]!;
  return first + (raw / 131_072 - T680[0]! / 8192) ** 2 * T680[2]! * 16;
}

function pressure680(raw: number, fine: number): number {
  let a = fine / 2 - 64_000;
  let b = a * a * P680[5]! / 131_072 + a * P680[4]! * 2;
  b = b / 4 + P680[3]! * 65_536;
  a = (P680[2]! * a * a / 16_384 + P680[1]! * a) / 524_288;
  a = (1 + a / 32_768) * P680[0]!;
  const value = (1_048_576 - raw - b / 4096) * 6250 / a;
  return value + (P680[8]! * value * value / 2_147_483_648 + value * P680[7]! / 32_768
    + (value / 256) ** 3 * P680[9]! / 131_072 + P680[6]! * 128) / 16;
}

function humidity680(raw: number, temperature: number): number {
  const a = raw - (H680[0]! * 16 + H680[2]! / 2 * temperature);
  const b = a * (H680[1]! / 262_144 * (1 + H680[3]! / 16_384 * temperature + H680[4]! / 1_048_576 * temperature ** 2));
  return b + (H680[5]! / 16_384 + H680[6]! / 2_097_152 * temperature) * b * b;
}
