/**
 * The buses of a computer: whatever the configuration names is wired to them, as a simulated part, so that the drivers
 * run that a board has. Types that are wired to a pin alone have simulated values, and no part.
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Buses, I2CPort, OneWirePort, SerialPort } from '../drivers/buses.ts';
import { DriverSensors } from '../drivers/driver-sensors.ts';
import type { Sensor } from '../sensors/sensor-state.ts';
import { createSimulatedSensor } from '../sensors/simulated-sensors.ts';
import { STANDS_FOR } from '../sensors/simulated-types.ts';
import { SimulatedBME280, SimulatedBME680, SimulatedBMP280 } from './simulated-bosch.ts';
import { SimulatedI2C, type SimulatedPart } from './simulated-i2c.ts';
import { SimulatedDS18B20, SimulatedModbusLine, SimulatedOneWire } from './simulated-lines.ts';
import {
  SimulatedADS1115, SimulatedBH1750, SimulatedINA226, SimulatedLM75, SimulatedTMP102, SimulatedTMP117,
} from './simulated-registers.ts';
import {
  SimulatedAHT10, SimulatedSCD4x, SimulatedSHT3x, SimulatedSHTC3, SimulatedSI7020,
} from './simulated-sensirion.ts';
import { Surroundings } from './surroundings.ts';

type PartConstructor = new (around: Surroundings, time: () => number) => SimulatedPart;

const PARTS: Readonly<Record<string, PartConstructor | undefined>> = Object.freeze({
  ads1115: SimulatedADS1115, aht10: SimulatedAHT10, bh1750: SimulatedBH1750, bme280: SimulatedBME280,
  bme68x: SimulatedBME680, bmp280: SimulatedBMP280, ina226: SimulatedINA226, lm75: SimulatedLM75, scd4x: SimulatedSCD4x,
  sht3x: SimulatedSHT3x, shtc3: SimulatedSHTC3, si7020: SimulatedSI7020, tmp102: SimulatedTMP102,
  tmp117: SimulatedTMP117,
});

/** Of the one that is alone on its pin. */
const ROM = '9c0000031edd2a28';
const DEFAULT_BAUD = 9600;

export class SimulatedBuses implements Buses {
  private readonly around: Surroundings;
  /** By name of the sensor that has named it first. */
  readonly parts = new Map<string, SimulatedPart>();
  readonly buses = new Map<string, SimulatedI2C>();
  readonly wires = new Map<number, SimulatedOneWire>();
  readonly lines = new Map<string, SimulatedModbusLine>();
  private readonly time: () => number;

  /** @param time milliseconds */
  constructor(around: Surroundings, time: () => number) {
    this.around = around;
    this.time = () => {
      const now = time();
      around.wander(now);
      return now;
    };
  }

  openI2C({ clock, data, name, type }: SensorConfiguration, _address: number): I2CPort {
    const key = [data, clock].join();
    let bus = this.buses.get(key);
    if (bus === undefined)
      this.buses.set(key, bus = new SimulatedI2C());
    const part = new PARTS[type]!(this.around, this.time);
    part.powerOn();
    this.parts.set(name, part);
    return bus.attach(part);
  }

  openOneWire({ pin = 0, rom = ROM }: SensorConfiguration): OneWirePort {
    let wire = this.wires.get(pin);
    if (wire === undefined)
      this.wires.set(pin, wire = new SimulatedOneWire());
    wire.parts.push(new SimulatedDS18B20(this.around, this.time, rom));
    return wire;
  }

  openSerial({ baud = DEFAULT_BAUD, name }: SensorConfiguration): SerialPort {
    const line = new SimulatedModbusLine(this.time, baud);
    for (let register = 0; register < line.registers.length; ++register)
      line.registers[register] = 100 * register;
    this.lines.set(name, line);
    return line;
  }
}

/** What a computer has in place of wired sensors. */
export class SimulatedSensors {
  private readonly random: () => number;
  private readonly drivers: DriverSensors;

  /** @param random uniform in [0, 1) @param time milliseconds */
  constructor(random: () => number, time: () => number) {
    this.random = random;
    this.drivers = new DriverSensors(new SimulatedBuses(new Surroundings(random), time));
  }

  /** @throws Error when there is no such type */
  create(configuration: SensorConfiguration): Sensor {
    const { type } = configuration;
    return this.drivers.create(configuration)
      ?? createSimulatedSensor({ ...configuration, type: STANDS_FOR[type] ?? type }, this.random);
  }
}
