/**
 * Configuration entries to drivers of the SDK. Each entry is one value; entries that name the same part share its
 * driver.
 *
 *   analog                     share of full scale, 0 to 1
 *   digital                    0 or 1, with pull-up; a change counts when two readings in a row show it
 *   pulse_count                pulses since the reading before
 *   serial                     the number on the last line received
 *   ntc                        degrees Celsius, 10 kOhm (beta 3435) against 10 kOhm
 *   aht10 sht3x shtc3 si7020   I2C: degrees Celsius, per cent
 *   bmp280 bme68x              I2C: degrees Celsius, pascal, per cent (bme68x)
 *   tmp117 tmp102 lm75         I2C: degrees Celsius
 *
 * A reading blocks for as long as the driver waits for its part: up to 150 ms (sht3x). The SDK's drivers allocate a few
 * objects per reading; nothing here does, nor on the way from the number to the network.
 */
import Analog from 'embedded:io/analog';
import Digital from 'embedded:io/digital';
import I2C from 'embedded:io/i2c';
import PulseCount from 'embedded:io/pulsecount';
import Serial from 'embedded:io/serial';
import SMBus from 'embedded:io/smbus';
import BME68x from 'embedded:sensor/Barometer-Humidity-Temperature/BME68x';
import BMP280 from 'embedded:sensor/Barometer-Temperature/BMP280';
import AHT10 from 'embedded:sensor/Humidity-Temperature/AHT10';
import SHT3x from 'embedded:sensor/Humidity-Temperature/SHT3x';
import SHTC3 from 'embedded:sensor/Humidity-Temperature/SHTC3';
import SI7020 from 'embedded:sensor/Humidity-Temperature/SI7020';
import LM75 from 'embedded:sensor/Temperature/LM75';
import NTC from 'embedded:sensor/Temperature/NTC_Thermistor';
import TMP102 from 'embedded:sensor/Temperature/TMP102';
import TMP117 from 'embedded:sensor/Temperature/TMP117';
import Time from 'time';
import { createSimulatedSensor, type SensorConfiguration } from './core.ts';
import { NumberLine } from './number-line.ts';
import type { Sensor } from '../sensors/sensors.ts';

/** What the drivers of the SDK return; not all of them everything. */
interface Sample {
  temperature?: number;
  thermometer?: { temperature?: number };
  hygrometer?: { humidity?: number };
  barometer?: { pressure?: number };
}

interface Driver {
  sample(): Sample | undefined;
}

type DriverConstructor = new (options: { sensor: Record<string, unknown>; onError(error: string): void }) => Driver;

/** Entries that are due at the same time share one measurement. */
const FRESH = 500;

const DEFAULT_BAUD = 9600;
const PER_CENT = 100;

class SharedDriver {
  private readonly create: () => Driver;
  private driver: Driver | undefined;
  private sample: Sample | undefined;
  private sampledAt = 0;
  private error: string | undefined;

  /** @param create makes the driver; again and again, if the part does not answer */
  constructor(Driver: DriverConstructor, sensor: Record<string, unknown>) {
    this.create = () => new Driver({ sensor, onError: error => { this.error = error; } });
  }

  /** @throws when there is no sample */
  measure(): Sample {
    const now = Time.ticks | 0;
    if (this.sample !== undefined && (now - this.sampledAt | 0) < FRESH)
      return this.sample;
    this.sample = this.error = undefined;
    this.driver ??= this.create();
    this.sample = this.driver.sample();
    this.sampledAt = now;
    if (this.sample === undefined || this.error !== undefined)
      throw new Error(this.error ?? 'no reading');
    return this.sample;
  }
}

class DriverSensor implements Sensor {
  private readonly driver: SharedDriver;
  private readonly quantity: string;
  private readonly humidityScale: number;

  constructor(driver: SharedDriver, quantity: string, humidityScale: number) {
    this.driver = driver;
    this.quantity = quantity;
    this.humidityScale = humidityScale;
  }

  read(): number {
    const value = this.pick(this.driver.measure());
    if (value === undefined)
      throw new Error(`no ${this.quantity} in its reading`);
    return value;
  }

  private pick(sample: Sample): number | undefined {
    switch (this.quantity) {
      case 'humidity': {
        const humidity = sample.hygrometer?.humidity;
        return humidity === undefined ? undefined : humidity * this.humidityScale;
      }
      case 'pressure': return sample.barometer?.pressure;
      default: return sample.thermometer?.temperature ?? sample.temperature;
    }
  }
}

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

class PulseSensor implements Sensor {
  private readonly io: PulseCount;
  private last: number;

  constructor(signal: number) {
    this.io = new PulseCount({ signal });
    this.last = this.io.read();
  }

  read(): number {
    const count = this.io.read();
    const pulses = count - this.last;
    this.last = count;
    return pulses;
  }
}

class SerialSensor implements Sensor {
  /** Kept, so that it lives. */
  readonly io: Serial;
  private readonly line = new NumberLine();

  constructor(receive: number, baud: number) {
    const { line } = this;
    this.io = new Serial({
      receive, baud, port: 1, format: 'number',
      onReadable(this: Serial, count: number) {
        while (count-- > 0)
          line.put(this.read()!);
      },
    });
  }

  /** @returns NaN when there has been no new line */
  read(): number {
    return this.line.takeValue();
  }
}

export class BoardSensors {
  private readonly drivers = new Map<string, SharedDriver>();

  /** @throws Error saying what is missing in the entry */
  create(configuration: SensorConfiguration): Sensor {
    switch (configuration.type) {
      case 'analog': return new AnalogSensor(need(configuration, 'pin'));
      case 'digital': return new DigitalSensor(need(configuration, 'pin'));
      case 'pulse_count': return new PulseSensor(need(configuration, 'pin'));
      case 'serial': return new SerialSensor(need(configuration, 'pin'), configuration.baud ?? DEFAULT_BAUD);
      case 'ntc': return this.driven(configuration, NTC, { io: Analog, pin: need(configuration, 'pin') });
      case 'aht10': return this.onBus(configuration, AHT10, I2C);
      case 'sht3x': return this.onBus(configuration, SHT3x, I2C);
      case 'shtc3': return this.onBus(configuration, SHTC3, I2C);
      case 'si7020': return this.onBus(configuration, SI7020, I2C);
      case 'bmp280': return this.onBus(configuration, BMP280, I2C);
      case 'bme68x': return this.onBus(configuration, BME68x, I2C, PER_CENT); // its driver gives a share of 1
      case 'tmp117': return this.onBus(configuration, TMP117, SMBus);
      case 'tmp102': return this.onBus(configuration, TMP102, SMBus);
      case 'lm75': return this.onBus(configuration, LM75, SMBus);
      default: return createSimulatedSensor(configuration, Math.random);
    }
  }

  private onBus(configuration: SensorConfiguration, Driver: unknown, io: unknown, humidityScale = 1): Sensor {
    const { address } = configuration;
    const wiring = { io, data: need(configuration, 'data'), clock: need(configuration, 'clock') };
    return this.driven(configuration, Driver, address === undefined ? wiring : { ...wiring, address }, humidityScale);
  }

  private driven(configuration: SensorConfiguration, Driver: unknown, sensor: Record<string, unknown>,
    humidityScale = 1): Sensor {
    const { address, clock, data, pin, quantity = 'temperature', type } = configuration;
    const key = [type, pin, data, clock, address].join();
    let driver = this.drivers.get(key);
    if (driver === undefined)
      this.drivers.set(key, driver = new SharedDriver(Driver as DriverConstructor, sensor));
    return new DriverSensor(driver, quantity, humidityScale);
  }
}

function need(configuration: SensorConfiguration, key: 'pin' | 'data' | 'clock'): number {
  const value = configuration[key];
  if (value === undefined)
    throw new Error(`sensor "${configuration.name}": a sensor of type "${configuration.type}" needs "${key}", a GPIO number`);
  return value;
}
