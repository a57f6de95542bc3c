/** Parts that give words: LM75, TMP102, TMP117, BH1750, INA226, ADS1115, as their data sheets describe them. */
import { putWord, SimulatedPart } from './simulated-i2c.ts';

const NEVER = Number.MAX_VALUE;

/** A part whose registers have 16 bits, the high byte first. */
abstract class WordPart extends SimulatedPart {
  protected pointer = 0;

  override write(bytes: Uint8Array): boolean {
    this.pointer = bytes[0]!;
    if (bytes.length === 3)
      this.set(this.pointer, bytes[1]! << 8 | bytes[2]!);
    return true;
  }

  override read(bytes: Uint8Array): boolean {
    putWord(bytes, 0, this.get(this.pointer));
    return true;
  }

  protected abstract get(register: number): number;
  protected set(_register: number, _word: number): void { /* most parts are only read */ }
}

/** Steps of half a degree in the high bits, or of 1/16 degree (TMP102). */
export class SimulatedLM75 extends WordPart {
  protected readonly step: number = 0.125;

  override powerOn(): void {
    this.pointer = 0;
  }

  protected override get(register: number): number {
    return register === 0 ? Math.round(this.around.temperature / this.step) * this.step * 256 : 0;
  }
}

export class SimulatedTMP102 extends SimulatedLM75 {
  protected override readonly step = 0.0625;
}

/** Has nothing for a second: -256 degrees. */
export class SimulatedTMP117 extends WordPart {
  private onSince = -1000;

  override powerOn(): void {
    this.onSince = this.now;
  }

  protected override get(register: number): number {
    return register === 0x0F ? 0x0117 : register !== 0 ? 0
      : this.now - this.onSince < 1000 ? 0x8000 : Math.round(this.around.temperature * 128);
  }
}

export class SimulatedBH1750 extends SimulatedPart {
  private readyAt = NEVER;
  private counts = 0;

  override powerOn(): void {
    this.readyAt = NEVER;
    this.counts = 0;
  }

  override write(bytes: Uint8Array): boolean {
    if (bytes[0] !== 0x20)
      return false;
    this.readyAt = this.now + 120;
    return true;
  }

  /** Before it is ready, the counts of the measurement before. */
  override read(bytes: Uint8Array): boolean {
    if (this.now >= this.readyAt) {
      this.readyAt = NEVER;
      this.counts = Math.min(Math.round(this.around.illuminance * 1.2), 0xFFFF);
    }
    putWord(bytes, 0, this.counts);
    return true;
  }
}

/** With a shunt of 0.1 ohm. */
export class SimulatedINA226 extends WordPart {
  private readyAt = NEVER;
  private bus = 0;
  private shunt = 0;
  private isReady = false;

  override powerOn(): void {
    this.readyAt = NEVER;
    this.isReady = false;
  }

  protected override set(register: number, word: number): void {
    if (register !== 0 || (word & 7) !== 3)
      return;
    this.isReady = false;
    this.readyAt = this.now + 16 * 2.2;
  }

  protected override get(register: number): number {
    const { around } = this;
    if (this.now >= this.readyAt) {
      this.readyAt = NEVER;
      this.isReady = true;
      this.bus = Math.round(around.voltage / 0.00125);
      this.shunt = Math.min(Math.round(around.current * 0.1 / 0.0000025), 0x7FFF);
    }
    switch (register) {
      case 0x01: return this.shunt;
      case 0x02: return this.bus;
      case 0x06: {
        const flags = this.isReady ? 0x0008 : 0;
        this.isReady = false; // reading it clears it
        return flags;
      }
      case 0xFE: return 0x5449;
      default: return 0;
    }
  }
}

/** The supply, divided by 10, at A0; half of that at A1; nothing at A2 and A3. */
export class SimulatedADS1115 extends WordPart {
  private configuration = 0x8583;
  private readyAt = 0;
  private conversion = 0;

  override powerOn(): void {
    this.configuration = 0x8583;
    this.readyAt = this.conversion = 0;
  }

  protected override set(register: number, word: number): void {
    if (register !== 1)
      return;
    this.configuration = word;
    if ((word & 0x8000) !== 0)
      this.readyAt = this.now + 1000 / 128;
  }

  protected override get(register: number): number {
    const isReady = this.now >= this.readyAt;
    if (register === 1)
      return this.configuration & 0x7FFF | (isReady ? 0x8000 : 0);
    if (isReady)
      this.conversion = this.convert();
    return this.conversion;
  }

  private inputAt(input: number): number {
    const volts = this.around.voltage / 10;
    return input === 0 ? volts : input === 1 ? volts / 2 : 0;
  }

  private convert(): number {
    const mux = this.configuration >> 12 & 7;
    const volts = mux >= 4 ? this.inputAt(mux - 4)
      : this.inputAt(mux === 0 ? 0 : mux - 1) - this.inputAt(mux === 0 ? 1 : 3);
    const gain = this.configuration >> 9 & 7;
    const full = gain === 0 ? 6.144 : 4.096 / 2 ** (Math.min(gain, 5) - 1);
    const word = Math.round(volts / full * 0x8000);
    return word > 0x7FFF ? 0x7FFF : word < -0x8000 ? -0x8000 : word;
  }
}
