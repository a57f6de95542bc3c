/**
 * The buses of a board: I2C by the SDK, 1-Wire and serial lines by our own C files (natives.ts). No call waits for a
 * part: I2C moves a few bytes, a byte of 1-Wire takes 0.6 ms, a serial line is only looked at.
 */
import Digital from 'embedded:io/digital';
import I2C from 'embedded:io/i2c';
import type { SensorConfiguration } from './core.ts';
import type { Natives } from './natives.ts';
import type { Buses, I2CPort, OneWirePort, SerialPort } from '../drivers/buses.ts';
import { NO_ANSWER, NO_FAULT, STUCK_BUS } from '../sensors/sensor-faults.ts';

/** What all of the parts can do. */
const I2C_HZ = 100_000;
/** Milliseconds; the longest transfer takes three of them. */
const I2C_TIMEOUT = 20;
/** A part that holds the line of data lets go after as many clocks as a byte and its acknowledgement have. */
const CLOCKS = 9;

const DEFAULT_BAUD = 9600;
const PARITIES: readonly string[] = Object.freeze(['none', '', 'even', 'odd']);
/** In place of a pin (serial-line.c). */
const NO_PIN = 255;
/** serial-line.c */
const COUNT = 0xFFFF;

interface I2COptions { data: number; clock: number; address: number; hz: number; timeout: number }

/** All ports at the same two pins. */
class Bus {
  readonly ports: BoardI2C[] = [];
  readonly data: number;
  readonly clock: number;

  constructor(data: number, clock: number) {
    this.data = data;
    this.clock = clock;
  }

  /** @returns whether the line of data was low. Without an open port the pins belong to nobody. */
  free(): boolean {
    for (const port of this.ports)
      port.close();
    const data = new Digital({ pin: this.data, mode: Digital.InputPullUp });
    const isStuck = data.read() === 0;
    if (isStuck) {
      const clock = new Digital({ pin: this.clock, mode: Digital.OutputOpenDrain });
      for (let count = 0; count < CLOCKS; ++count) {
        clock.write(0);
        clock.write(1);
      }
      clock.close();
    }
    data.close();
    return isStuck;
  }
}

class BoardI2C implements I2CPort {
  private readonly bus: Bus;
  private readonly options: I2COptions;
  private io: I2C | undefined;

  constructor(bus: Bus, address: number) {
    this.bus = bus;
    this.options = { data: bus.data, clock: bus.clock, address, hz: I2C_HZ, timeout: I2C_TIMEOUT };
    this.io = new I2C(this.options);
    bus.ports.push(this);
  }

  write(bytes: Uint8Array): number {
    try {
      (this.io ??= new I2C(this.options)).write(bytes);
      return NO_FAULT;
    } catch {
      return NO_ANSWER;
    }
  }

  read(bytes: Uint8Array): number {
    try {
      (this.io ??= new I2C(this.options)).read(bytes);
      return NO_FAULT;
    } catch {
      return NO_ANSWER;
    }
  }

  recover(): number {
    try {
      return this.bus.free() ? STUCK_BUS : NO_ANSWER;
    } catch {
      return NO_ANSWER;
    }
  }

  close(): void {
    this.io?.close();
    this.io = undefined;
  }
}

class BoardOneWire implements OneWirePort {
  private readonly natives: Natives;
  private readonly pin: number;

  constructor(natives: Natives, pin: number) {
    this.natives = natives;
    this.pin = pin;
  }

  reset(): number {
    const answer = this.natives.ringbridge_wire_reset(this.pin);
    return answer > 0 ? NO_FAULT : answer < 0 ? STUCK_BUS : NO_ANSWER;
  }

  writeByte(byte: number): void {
    this.natives.ringbridge_wire_write(this.pin, byte);
  }

  readByte(): number {
    return this.natives.ringbridge_wire_read(this.pin);
  }
}

export class BoardSerial implements SerialPort {
  /** Whether bytes may have been lost before those that were read last. */
  hasLost = false;
  private readonly natives: Natives;
  private readonly port: number;

  /** @throws Error when the chip has no serial port left */
  constructor(natives: Natives, sensor: SensorConfiguration) {
    const { baud = DEFAULT_BAUD, name, parity = 'none', pin = NO_PIN, stop_bits = 1, transmit = NO_PIN } = sensor;
    this.natives = natives;
    this.port = natives.ringbridge_serial_open(pin, transmit, baud, PARITIES.indexOf(parity) | stop_bits << 4);
    if (this.port < 0)
      throw new Error(`sensor "${name}": there is no serial port left for it on this chip`);
  }

  write(bytes: Uint8Array): void {
    this.natives.ringbridge_serial_write(this.port, bytes.buffer, bytes.byteOffset, bytes.length);
  }

  read(bytes: Uint8Array): number {
    const result = this.natives.ringbridge_serial_read(this.port, bytes.buffer, bytes.byteOffset, bytes.length);
    this.hasLost = result > COUNT;
    return result & COUNT;
  }
}

export class BoardBuses implements Buses {
  private readonly natives: Natives;
  private readonly buses = new Map<string, Bus>();

  constructor(natives: Natives) {
    this.natives = natives;
  }

  openI2C({ clock, data }: SensorConfiguration, address: number): I2CPort {
    const key = [data, clock].join();
    let bus = this.buses.get(key);
    if (bus === undefined)
      this.buses.set(key, bus = new Bus(data!, clock!));
    return new BoardI2C(bus, address);
  }

  openSerial(sensor: SensorConfiguration): SerialPort {
    return new BoardSerial(this.natives, sensor);
  }

  openOneWire({ pin }: SensorConfiguration): OneWirePort {
    return new BoardOneWire(this.natives, pin!);
  }
}
