/**
 * Entries of the configuration to drivers of this folder. Each entry is one quantity; entries that name the same part
 * share its driver, and parts that share a line take turns on it.
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import { quantitiesOf, sensorTypeOf } from '../config/sensor-types.ts';
import type { Sensor } from '../sensors/sensor-state.ts';
import { ADS1115 } from './ads1115.ts';
import { AHT10, SI7020 } from './air.ts';
import { BME280, BMP280 } from './bme280.ts';
import { BME68x } from './bme68x.ts';
import type { Buses, I2CPort, SerialPort } from './buses.ts';
import { DS18B20 } from './ds18b20.ts';
import { ModbusPart } from './modbus.ts';
import { type Part, PartSensor, Turn } from './part.ts';
import { SCD4x, SHT3x, SHTC3 } from './sensirion.ts';
import { BH1750, INA226, LM75, TMP117 } from './words.ts';

const DEFAULT_SHUNT = 0.1;
const DEFAULT_GAIN = 6.144;
const DEFAULT_MULTIPLEXER = 'A0_GND';
const DEFAULT_VALUE_TYPE = 'U_WORD';

interface Line<Port> {
  readonly port: Port;
  readonly turn: Turn;
}

export class DriverSensors {
  private readonly buses: Buses;
  private readonly parts = new Map<string, Part>();
  private readonly ports = new Map<string, Line<I2CPort>>();
  private readonly lines = new Map<string, Line<SerialPort>>();

  constructor(buses: Buses) {
    this.buses = buses;
  }

  /** @returns undefined: there is no driver for this type here @throws Error when there is no such bus */
  create(configuration: SensorConfiguration): Sensor | undefined {
    const { address, clock, data, gain, multiplexer, pin, register, register_type, rom, shunt_resistance, transmit,
      type, value_type } = configuration;
    const key = [type, pin, transmit, data, clock, address, rom, register, register_type, value_type, multiplexer, gain,
      shunt_resistance].join();
    let part = this.parts.get(key);
    if (part === undefined) {
      part = this.createPart(configuration);
      if (part === undefined)
        return undefined;
      this.parts.set(key, part);
    }
    const quantities = quantitiesOf(type) ?? [];
    const { quantity = quantities[0] } = configuration;
    return new PartSensor(part, quantity === undefined ? 0 : Math.max(quantities.indexOf(quantity), 0));
  }

  private createPart(configuration: SensorConfiguration): Part | undefined {
    if (configuration.type === 'ds18b20')
      return new DS18B20(this.buses.openOneWire(configuration), configuration.rom);
    if (configuration.type === 'modbus')
      return this.createModbus(configuration);
    const usual = sensorTypeOf(configuration.type)?.addresses?.[0];
    return usual === undefined ? undefined
      : this.createI2C(configuration, this.lineOf(configuration, configuration.address ?? usual));
  }

  private createI2C({ gain, multiplexer, shunt_resistance, type }: SensorConfiguration, { port, turn }: Line<I2CPort>):
    Part | undefined {
    switch (type) {
      case 'ads1115': return new ADS1115(port, turn, multiplexer ?? DEFAULT_MULTIPLEXER, gain ?? DEFAULT_GAIN);
      case 'aht10': return new AHT10(port);
      case 'bh1750': return new BH1750(port);
      case 'bme280': return new BME280(port);
      case 'bme68x': return new BME68x(port);
      case 'bmp280': return new BMP280(port);
      case 'ina226': return new INA226(port, shunt_resistance ?? DEFAULT_SHUNT);
      case 'lm75':
      case 'tmp102': return new LM75(port);
      case 'scd4x': return new SCD4x(port);
      case 'sht3x': return new SHT3x(port);
      case 'shtc3': return new SHTC3(port);
      case 'si7020': return new SI7020(port);
      case 'tmp117': return new TMP117(port);
      default: return undefined;
    }
  }

  private createModbus(configuration: SensorConfiguration): Part {
    const { address = 0, baud, parity, pin, register = 0, register_type = 'holding', stop_bits, transmit,
      value_type = DEFAULT_VALUE_TYPE } = configuration;
    const key = [pin, transmit, baud, parity, stop_bits].join();
    let line = this.lines.get(key);
    if (line === undefined)
      this.lines.set(key, line = { port: this.buses.openSerial(configuration), turn: new Turn() });
    return new ModbusPart(line.port, line.turn, { address, register, register_type, value_type });
  }

  /** One port for each address of a bus: what has two settings there, takes turns. */
  private lineOf(configuration: SensorConfiguration, address: number): Line<I2CPort> {
    const key = [configuration.data, configuration.clock, address].join();
    let line = this.ports.get(key);
    if (line === undefined)
      this.ports.set(key, line = { port: this.buses.openI2C(configuration, address), turn: new Turn() });
    return line;
  }
}
