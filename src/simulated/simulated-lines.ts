/** Parts that are no I2C parts: DS18B20 on a 1-Wire bus, and a device of Modbus RTU at a serial line. */
import type { OneWirePort, SerialPort } from '../drivers/buses.ts';
import { crcModbus, crcOneWire } from '../drivers/checksums.ts';
import { NO_ANSWER, NO_FAULT, STUCK_BUS } from '../sensors/sensor-faults.ts';
import { ABSENT, FINE, SILENT, SPOILT, STUCK } from './simulated-i2c.ts';
import type { Surroundings } from './surroundings.ts';

const NEVER = Number.MAX_VALUE;
const ROM_LENGTH = 8;
const SCRATCHPAD_LENGTH = 9;

const WAITS_FOR_ROM_COMMAND = 0;
const MATCHES_ROM = 1;
const WAITS_FOR_COMMAND = 2;
const SENDS = 3;
const IGNORES = 4;

export class SimulatedDS18B20 {
  trouble = FINE;
  private readonly rom = new Uint8Array(ROM_LENGTH);
  private readonly around: Surroundings;
  private readonly time: () => number;
  private readonly scratchpad = new Uint8Array(SCRATCHPAD_LENGTH);
  private state = IGNORES;
  private position = 0;
  private readyAt = NEVER;

  /** @param rom 16 hexadecimal digits, the family last */
  constructor(around: Surroundings, time: () => number, rom: string) {
    this.around = around;
    this.time = time;
    for (let index = 0; index < ROM_LENGTH; ++index)
      this.rom[ROM_LENGTH - 1 - index] = parseInt(rom.slice(2 * index, 2 * index + 2), 16);
    this.powerOn();
  }

  powerOn(): void {
    this.readyAt = NEVER;
    this.setWord(0x0550); // 85 degrees
  }

  reset(): void {
    this.state = WAITS_FOR_ROM_COMMAND;
  }

  take(byte: number): void {
    switch (this.state) {
      case WAITS_FOR_ROM_COMMAND:
        this.position = 0;
        this.state = byte === 0xCC ? WAITS_FOR_COMMAND : byte === 0x55 ? MATCHES_ROM : IGNORES;
        return;
      case MATCHES_ROM:
        if (byte !== this.rom[this.position])
          this.state = IGNORES;
        else if (++this.position === ROM_LENGTH)
          this.state = WAITS_FOR_COMMAND;
        return;
      case WAITS_FOR_COMMAND: this.obey(byte);
    }
  }

  /** @returns what it lets the line be, bit by bit: all ones when it says nothing */
  give(): number {
    if (this.state !== SENDS || this.position === SCRATCHPAD_LENGTH)
      return 0xFF;
    const byte = this.scratchpad[this.position++]!;
    return this.trouble === SPOILT && this.position === 1 ? byte ^ 1 : byte;
  }

  private obey(command: number): void {
    if (command === 0x44) {
      this.readyAt = this.time() + 750;
      this.state = IGNORES;
    } else if (command === 0xBE) {
      if (this.time() >= this.readyAt)
        this.setWord(Math.round(this.around.temperature * 16));
      this.position = 0;
      this.state = SENDS;
    } else
      this.state = IGNORES;
  }

  private setWord(word: number): void {
    const { scratchpad } = this;
    scratchpad.set(POWER_ON_SCRATCHPAD);
    scratchpad[0] = word;
    scratchpad[1] = word >> 8;
    scratchpad[8] = crcOneWire(scratchpad, SCRATCHPAD_LENGTH - 1);
  }
}

/** Alarms, 12 bits, reserved bytes. */
const POWER_ON_SCRATCHPAD: readonly number[] = Object.freeze([0, 0, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10, 0]);

/** All parts on it hear everything, and what they say is mixed: a zero of one is stronger. */
export class SimulatedOneWire implements OneWirePort {
  readonly parts: SimulatedDS18B20[] = [];

  reset(): number {
    let fault = NO_ANSWER;
    for (let index = 0; index < this.parts.length; ++index) {
      const part = this.parts[index]!;
      if (part.trouble === STUCK)
        return STUCK_BUS;
      part.reset();
      if (part.trouble !== ABSENT)
        fault = NO_FAULT;
    }
    return fault;
  }

  writeByte(byte: number): void {
    for (let index = 0; index < this.parts.length; ++index)
      this.parts[index]!.take(byte);
  }

  readByte(): number {
    let byte = 0xFF;
    for (let index = 0; index < this.parts.length; ++index) {
      const part = this.parts[index]!;
      if (part.trouble !== ABSENT && part.trouble !== SILENT)
        byte &= part.give();
    }
    return byte;
  }
}

const LONGEST_FRAME = 64;
const REGISTERS = 16;
/** Bits of a byte on the line: start, 8, parity or stop, stop. */
const BITS = 11;

/**
 * Devices with the same registers at all addresses, one of which answers 20 ms after it was asked, as fast as the line
 * is.
 */
export class SimulatedModbusLine implements SerialPort {
  trouble = FINE;
  /** Input and holding registers alike; what is behind the last one are these again. */
  readonly registers = new Uint16Array(REGISTERS);
  /** There are no more. */
  registerCount = 0x10000;
  private readonly time: () => number;
  private readonly perByte: number;
  private readonly answer = new Uint8Array(LONGEST_FRAME);
  private length = 0;
  private position = 0;
  private beginsAt = 0;

  constructor(time: () => number, baud: number) {
    this.time = time;
    this.perByte = BITS * 1000 / baud;
  }

  write(bytes: Uint8Array): void {
    const { answer } = this;
    this.length = this.position = 0;
    this.beginsAt = this.time() + bytes.length * this.perByte + 20;
    if (this.trouble === ABSENT || bytes.length !== 8)
      return;
    const crc = crcModbus(bytes, 6);
    if (bytes[6] !== (crc & 0xFF) || bytes[7] !== crc >> 8)
      return;
    const first = bytes[2]! << 8 | bytes[3]!;
    const count = bytes[4]! << 8 | bytes[5]!;
    answer[0] = bytes[0]!;
    answer[1] = bytes[1]!;
    if (first + count > this.registerCount)
      this.refuse(2);
    else if (bytes[1] === 3 || bytes[1] === 4) {
      answer[2] = 2 * count;
      for (let index = 0; index < count; ++index) {
        const word = this.registers[first + index & REGISTERS - 1]!;
        answer[3 + 2 * index] = word >> 8;
        answer[4 + 2 * index] = word;
      }
      this.length = 3 + 2 * count;
    } else
      this.refuse(1);
    this.close();
  }

  read(bytes: Uint8Array): number {
    const arrived = Math.floor((this.time() - this.beginsAt) / this.perByte);
    let count = 0;
    while (count < bytes.length && this.position < this.length && this.position < arrived)
      bytes[count++] = this.answer[this.position++]!;
    return count;
  }

  private refuse(code: number): void {
    this.answer[1]! |= 0x80;
    this.answer[2] = code;
    this.length = 3;
  }

  private close(): void {
    const { answer, length } = this;
    const crc = crcModbus(answer, length);
    answer[length] = crc;
    answer[length + 1] = crc >> 8;
    if (this.trouble === SPOILT)
      answer[3]! ^= 1;
    this.length = this.trouble === SILENT ? 2 : length + 2;
  }
}
