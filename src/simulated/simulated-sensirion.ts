/** SHT3x, SHTC3, SCD4x, SI7020 and AHT10 as their data sheets describe them: commands, time, words with checksums. */
import { crc8 } from '../drivers/checksums.ts';
import { putWord, SimulatedPart } from './simulated-i2c.ts';

const NEVER = Number.MAX_VALUE;
const WORD = 3;

/** A word and its checksum. */
function putChecked(bytes: Uint8Array, index: number, word: number): void {
  putWord(bytes, index * WORD, word);
  bytes[index * WORD + 2] = crc8(bytes, index * WORD, 2, 0xFF);
}

const commandOf = (bytes: Uint8Array): number => bytes.length === 2 ? bytes[0]! << 8 | bytes[1]! : -1;

export class SimulatedSHT3x extends SimulatedPart {
  protected readyAt = NEVER;

  override powerOn(): void {
    this.readyAt = NEVER;
  }

  override write(bytes: Uint8Array): boolean {
    if (commandOf(bytes) !== 0x2400)
      return false;
    this.readyAt = this.now + 15;
    return true;
  }

  /** Does not acknowledge while it measures. */
  override read(bytes: Uint8Array): boolean {
    if (this.now < this.readyAt)
      return false;
    this.readyAt = NEVER;
    const { humidity, temperature } = this.around;
    putChecked(bytes, 0, Math.round((temperature + 45) / 175 * 65_535));
    putChecked(bytes, 1, Math.round(humidity / 100 * 65_535));
    return true;
  }
}

export class SimulatedSHTC3 extends SimulatedSHT3x {
  private isAwake = false;

  override powerOn(): void {
    super.powerOn();
    this.isAwake = false;
  }

  override write(bytes: Uint8Array): boolean {
    const command = commandOf(bytes);
    if (command === 0x3517)
      return this.isAwake = true;
    if (!this.isAwake || command !== 0xB098 && command !== 0x7866)
      return false;
    if (command === 0xB098)
      this.isAwake = false;
    else
      this.readyAt = this.now + 12.1;
    return true;
  }
}

export class SimulatedSCD4x extends SimulatedPart {
  private startedAt = NEVER;
  private busyUntil = 0;
  private readCount = 0;
  private command = 0;

  override powerOn(): void {
    this.startedAt = NEVER;
    this.busyUntil = this.readCount = 0;
  }

  private get isMeasuring(): boolean {
    return this.startedAt !== NEVER;
  }

  /** One every five seconds; the last one stays until it has been read. */
  private get hasNew(): boolean {
    return this.isMeasuring && Math.floor((this.now - this.startedAt) / 5000) > this.readCount;
  }

  override write(bytes: Uint8Array): boolean {
    const { now } = this;
    const command = commandOf(bytes);
    if (now < this.busyUntil)
      return false;
    switch (command) {
      case 0x21B1:
        if (this.isMeasuring)
          return false;
        this.startedAt = now;
        this.readCount = 0;
        break;
      case 0x3F86:
        this.startedAt = NEVER;
        this.busyUntil = now + 500;
        break;
      case 0xE4B8:
      case 0xEC05: break;
      default: return false;
    }
    this.command = command;
    return true;
  }

  override read(bytes: Uint8Array): boolean {
    if (this.command === 0xE4B8) {
      putChecked(bytes, 0, this.hasNew ? 0x8006 : 0x8000);
      return true;
    }
    if (this.command !== 0xEC05 || !this.hasNew)
      return false;
    this.readCount = Math.floor((this.now - this.startedAt) / 5000);
    const { co2, humidity, temperature } = this.around;
    putChecked(bytes, 0, Math.round(co2));
    putChecked(bytes, 1, Math.round((temperature + 45) / 175 * 65_535));
    putChecked(bytes, 2, Math.round(humidity / 100 * 65_535));
    return true;
  }
}

export class SimulatedSI7020 extends SimulatedPart {
  private readyAt = NEVER;
  private command = 0;
  private humidity = 0;
  private temperature = 0;

  override powerOn(): void {
    this.readyAt = NEVER;
  }

  override write(bytes: Uint8Array): boolean {
    const command = bytes[0]!;
    if (command === 0xF5) {
      this.readyAt = this.now + 22.8;
      this.humidity = Math.round((this.around.humidity + 6) / 125 * 65_536);
      this.temperature = Math.round((this.around.temperature + 46.85) / 175.72 * 65_536);
    } else if (command !== 0xE0)
      return false;
    this.command = command;
    return true;
  }

  override read(bytes: Uint8Array): boolean {
    if (this.now < this.readyAt)
      return false;
    putWord(bytes, 0, this.command === 0xF5 ? this.humidity : this.temperature);
    if (this.command === 0xF5)
      bytes[2] = crc8(bytes, 0, 2, 0);
    return true;
  }
}

export class SimulatedAHT10 extends SimulatedPart {
  private isCalibrated = false;
  private readyAt = 0;
  private humidity = 0;
  private temperature = 0;

  override powerOn(): void {
    this.isCalibrated = false;
    this.readyAt = this.humidity = this.temperature = 0;
  }

  override write(bytes: Uint8Array): boolean {
    if (bytes[0] === 0xE1 && bytes[1] === 0x08)
      this.isCalibrated = true;
    else if (bytes[0] === 0xAC && bytes[1] === 0x33 && this.isCalibrated) {
      this.readyAt = this.now + 75;
      this.humidity = Math.round(this.around.humidity / 100 * 0x100000);
      this.temperature = Math.round((this.around.temperature + 50) / 200 * 0x100000);
    } else
      return false;
    return true;
  }

  override read(bytes: Uint8Array): boolean {
    bytes[0] = (this.now < this.readyAt ? 0x80 : 0) | (this.isCalibrated ? 0x08 : 0) | 0x10;
    if (bytes.length < 6)
      return true;
    putWord(bytes, 1, this.humidity >> 4);
    bytes[3] = this.humidity << 4 | this.temperature >> 16;
    putWord(bytes, 4, this.temperature);
    return true;
  }
}
