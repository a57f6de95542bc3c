/**
 * Entries of the configuration to what is wired to a board. Parts on a bus have the drivers of src/drivers; the others
 * are read at once:
 *
 *   analog        share of full scale, 0 to 1
 *   digital       0 or 1, with pull-up; a change counts when two readings in a row show it
 *   pulse_count   pulses: counted in hardware, where the chip has it, else edge by edge (pulse-sensor.ts)
 *   serial        the number on the last line received
 *   ntc           degrees Celsius, 10 kOhm (beta 3435) against 10 kOhm
 *
 * No reading waits, and none allocates.
 */
import Analog from 'embedded:io/analog';
import Digital from 'embedded:io/digital';
import Timer from 'timer';
import { BoardBuses, BoardSerial } from './buses.ts';
import { createSimulatedSensor, type SensorConfiguration } from './core.ts';
import type { Natives } from './natives.ts';
import { NumberLine } from './number-line.ts';
import { PulseCounter, PulseSensor } from './pulse-sensor.ts';
import { DriverSensors } from '../drivers/driver-sensors.ts';
import type { Sensor } from '../sensors/sensor-state.ts';

/** Of a thermistor: kelvin at which it has what stands in series, and how steep it is. */
const NTC_KELVIN = 298.15;
const NTC_BETA = 3435;
const ZERO_CELSIUS = 273.15;

/** Milliseconds; at 115,200 baud 460 bytes arrive meanwhile. */
const LISTENING_INTERVAL = 40;
const CHUNK = 128;

class AnalogSensor implements Sensor {
  private readonly io: Analog;
  private readonly full: number;

  constructor(pin: number) {
    this.io = new Analog({ pin });
    this.full = 2 ** this.io.resolution - 1;
  }

  read(): number {
    return this.io.read() / this.full;
  }
}

class Thermistor extends AnalogSensor {
  override read(): number {
    const share = super.read();
    return 1 / (Math.log(1 / share - 1) / NTC_BETA + 1 / NTC_KELVIN) - ZERO_CELSIUS;
  }
}

class DigitalSensor implements Sensor {
  private readonly io: Digital;
  private last: number;
  private stable: number;

  constructor(pin: number) {
    this.io = new Digital({ pin, mode: Digital.InputPullUp });
    this.last = this.stable = this.io.read();
  }

  read(): number {
    const now = this.io.read();
    if (now === this.last)
      this.stable = now;
    this.last = now;
    return this.stable;
  }
}

class SerialSensor implements Sensor {
  private readonly line = new NumberLine();
  private readonly port: BoardSerial;
  private readonly bytes = new Uint8Array(CHUNK);
  /** Kept, so that it lives. */
  readonly timer: object;

  constructor(natives: Natives, configuration: SensorConfiguration) {
    this.port = new BoardSerial(natives, configuration);
    this.timer = Timer.repeat(() => this.listen(), LISTENING_INTERVAL);
  }

  /** @returns NaN when there has been no new line */
  read(): number {
    this.listen();
    return this.line.takeValue();
  }

  private listen(): void {
    const { bytes, line, port } = this;
    let count = port.read(bytes);
    while (count > 0) {
      if (port.hasLost)
        line.spoil();
      for (let index = 0; index < count; ++index)
        line.put(bytes[index]!);
      count = count < CHUNK ? 0 : port.read(bytes);
    }
  }
}

export class BoardSensors {
  private readonly natives: Natives;
  private readonly drivers: DriverSensors;
  private readonly counters = new Map<number, PulseCounter>();

  constructor(natives: Natives) {
    this.natives = natives;
    this.drivers = new DriverSensors(new BoardBuses(natives));
  }

  /** @throws Error saying what is missing in the entry */
  create(configuration: SensorConfiguration): Sensor {
    switch (configuration.type) {
      case 'analog': return new AnalogSensor(need(configuration));
      case 'digital': return new DigitalSensor(need(configuration));
      case 'ntc': return new Thermistor(need(configuration));
      case 'pulse_count': return new PulseSensor(this.counterAt(need(configuration)));
      case 'serial': return new SerialSensor(this.natives, configuration);
      default: return this.drivers.create(configuration) ?? createSimulatedSensor(configuration, Math.random);
    }
  }

  /** A pin is counted once, whatever is made of it. */
  private counterAt(pin: number): PulseCounter {
    let counter = this.counters.get(pin);
    if (counter === undefined)
      this.counters.set(pin, counter = new PulseCounter(this.natives, pin));
    return counter;
  }
}

function need({ name, pin, type }: SensorConfiguration): number {
  if (pin === undefined)
    throw new Error(`sensor "${name}": a sensor of type "${type}" needs "pin", a GPIO number`);
  return pin;
}
