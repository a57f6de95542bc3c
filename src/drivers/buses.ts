/**
 * What drivers need of a platform: lines to the parts that are wired to it. A board has them in hardware (src/device),
 * a computer has simulated parts at their ends (src/simulated).
 *
 * Each call moves a few bytes and returns; none waits for a part to finish what it was told to do. What they get and
 * give are views that the driver has made once: no call allocates. What they return is NO_FAULT, or one of
 * sensors/sensor-faults.ts.
 */
import type { SensorConfiguration } from '../config/configuration.ts';

/** A part on an I2C bus. */
export interface I2CPort {
  /** START, address, all of the bytes, STOP. */
  write(bytes: Uint8Array): number;
  /** START, address, as many bytes as the view has, STOP. */
  read(bytes: Uint8Array): number;
  /**
   * After a call has failed: frees a bus that a part holds, by nine clocks, and makes it ready for the next call.
   * @returns STUCK_BUS when a line was held low, else NO_ANSWER
   */
  recover(): number;
}

/** A serial line, of which each byte that arrives is kept for some time. */
export interface SerialPort {
  /** Begins to send; 64 bytes at most. */
  write(bytes: Uint8Array): void;
  /** @returns how many bytes of the view are there now; the others are as they were */
  read(bytes: Uint8Array): number;
}

/** A 1-Wire bus. Time within a call, between bits, is the platform's business; between calls there may be any. */
export interface OneWirePort {
  /** Reset. @returns NO_ANSWER when there is no presence pulse, STUCK_BUS when the line stays low */
  reset(): number;
  writeByte(byte: number): void;
  readByte(): number;
}

export interface Buses {
  /** @param address 7 bits @throws Error when there is no such bus */
  openI2C(configuration: SensorConfiguration, address: number): I2CPort;
  /** With the speed, parity and stop bits of the configuration. */
  openSerial(configuration: SensorConfiguration): SerialPort;
  openOneWire(configuration: SensorConfiguration): OneWirePort;
}
