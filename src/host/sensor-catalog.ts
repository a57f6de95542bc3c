/**
 * What a person has to know of each type of sensor, beside what config/sensor-types.ts knows: the pages of docs/sensors
 * are made of both (`npm run figures`). Nothing here is loaded on a board.
 */
import type { SensorConfiguration } from '../config/configuration.ts';
import type { Quantity } from '../config/sensor-types.ts';

export interface CatalogEntry {
  readonly title: string;
  /** Each a line of a list. */
  readonly wiring: readonly string[];
  /** What the example says besides name, type and topic. */
  readonly example: Partial<SensorConfiguration>;
  /** From where to where each quantity goes, in its unit; what is outside is no reading. */
  readonly ranges?: Partial<Record<Quantity, string>>;
  readonly notes?: readonly string[];
  /** Milliseconds that a measurement takes, while everybody else is served. */
  readonly duration?: string;
}

export interface QuantityEntry {
  readonly unit: string;
  /** Of Home Assistant. */
  readonly deviceClass: string;
  readonly stateClass: string;
}

export const QUANTITY_CATALOG: Readonly<Record<Quantity, QuantityEntry>> = {
  temperature: { unit: '°C', deviceClass: 'temperature', stateClass: 'measurement' },
  humidity: { unit: '%', deviceClass: 'humidity', stateClass: 'measurement' },
  pressure: { unit: 'Pa', deviceClass: 'atmospheric_pressure', stateClass: 'measurement' },
  co2: { unit: 'ppm', deviceClass: 'carbon_dioxide', stateClass: 'measurement' },
  illuminance: { unit: 'lx', deviceClass: 'illuminance', stateClass: 'measurement' },
  voltage: { unit: 'V', deviceClass: 'voltage', stateClass: 'measurement' },
  current: { unit: 'A', deviceClass: 'current', stateClass: 'measurement' },
  power: { unit: 'W', deviceClass: 'power', stateClass: 'measurement' },
  pulses: { unit: 'pulses since the reading before', deviceClass: '', stateClass: 'measurement' },
  total: { unit: 'pulses', deviceClass: '', stateClass: 'total_increasing' },
  rate: { unit: 'pulses a minute', deviceClass: '', stateClass: 'measurement' },
};

const BUS: readonly string[] = ['3.3 V and ground', 'SDA at `data`, SCL at `clock`; pull-ups of 2.2 to 10 kOhm, which most '
  + 'modules have', 'several parts may share the two lines, each with its own address'];
const ON_BUS = { data: 21, clock: 22 };
const AIR = { temperature: '-40 to 125', humidity: '0 to 100' };
const WEATHER = { temperature: '-40 to 85', humidity: '0 to 100', pressure: '30,000 to 110,000' };
const DEGREES = { temperature: '-55 to 150' };

export const SENSOR_CATALOG: Readonly<Record<string, CatalogEntry>> = {
  simulated: { title: 'A made-up temperature', wiring: ['none'], example: {}, notes: ['It wanders between 15 and 30 degrees.'] },
  simulated_switch: { title: 'A made-up switch', wiring: ['none'], example: {}, notes: ['0 or 1, changes now and then.'] },
  digital: {
    title: 'A switch, or an open collector', wiring: ['between `pin` and ground; the chip pulls the pin up'], example: { pin: 4 },
    notes: ['0 while it is closed, 1 while it is open. A change counts when two readings in a row show it, so contacts may '
      + 'bounce. What changes less than once in two `interval`s is seen; to count pulses there is `pulse_count`.'],
  },
  pulse_count: {
    title: 'A counter of pulses: meters with S0 output, water and gas meters, rain gauges',
    wiring: ['switch or open collector between `pin` and ground; the chip pulls the pin up',
      'a contact that bounces needs 100 nF beside it: pulses shorter than 10 µs are left out, no others'],
    example: { pin: 4, quantity: 'total', interval: 60, scale: 0.001, decimals: 3 },
    notes: ['`pulses` are those since the reading before, `rate` is per minute. `scale` makes litres or kilowatt-hours of them.',
      '`total` never falls and counts nothing twice: with `store.durability` "flash" it is in the store before it is published, '
      + 'once a minute at most and at a clean stop, so it changes once a minute at most, and a power cut costs the pulses of the '
      + 'minute before. With "ram" it begins at 0 with each start. It belongs to the name of the sensor.',
      'ESP32, S2, S3 and C6 count in hardware (8 or 4 pins). A C3 counts edge by edge: up to 50 pulses a second; more than that '
      + 'are no reading, and left out.'],
  },
  analog: {
    title: 'A voltage at a pin', wiring: ['0 to 3.3 V at `pin`'], example: { pin: 34, scale: 3.3 },
    notes: ['The value is the share of full scale, 0 to 1. Pins of the second converter do not work while Wi-Fi is on, and '
      + '`ringbridge check --board` refuses them. For exact voltages take an `ads1115`.'],
  },
  serial: {
    title: 'A device that writes numbers on a serial line', wiring: ['its transmitter at `pin`, ground to ground'],
    example: { pin: 16, baud: 9600 },
    notes: ['One line, one number: `21.5`. Other lines are passed over; the last one before a reading counts. 8 bits, with '
      + '`baud`, `parity` and `stop_bits`. What arrives while the program is busy, or flash is erased, is kept (2 KB); a line of '
      + 'which something was lost all the same is no number.'],
  },
  ntc: {
    title: 'A thermistor', wiring: ['10 kOhm NTC (beta 3435) from 3.3 V to `pin`, 10 kOhm from `pin` to ground'],
    example: { pin: 34 },
  },
  ds18b20: {
    title: 'DS18B20, thermometer at a 1-Wire bus',
    wiring: ['3.3 V, ground, its line at `pin`, 4.7 kOhm from the line to 3.3 V; without its own power line (parasitic power) it '
      + 'is not supported', 'several may share the line: each needs `rom` then'],
    example: { pin: 4 }, ranges: { temperature: '-55 to 125' }, duration: '750',
    notes: ['`rom` is its number, 16 hexadecimal digits that end with `28`, as ESPHome and Linux write it without dashes.',
      '85.0 degrees is what it says after a loss of power, and no reading.'],
  },
  modbus: {
    title: 'A register of a Modbus RTU device', wiring: ['RS-485 transceiver with automatic direction: its output at `pin`, its '
      + 'input at `transmit`', 'devices in a row on one pair of wires; 120 Ohm at both ends of a long one'],
    example: { pin: 16, transmit: 17, address: 1, register: 0, register_type: 'input', value_type: 'FP32', baud: 9600 },
    duration: 'as long as the device takes, 500 at most',
    notes: ['`register` counts from 0, as in the telegram: what a manual calls 30001 or 40001 is 0. `register_type`: `holding` '
      + '(function 3) or `input` (function 4).',
      '`value_type`: `U_WORD`, `S_WORD`, `U_DWORD`, `S_DWORD`, `FP32`, and `U_DWORD_R`, `S_DWORD_R`, `FP32_R` with the lower word '
      + 'first. `scale` and `offset` make the unit.',
      'Each register is one sensor; those on one line have the same pins, `baud`, `parity` and `stop_bits`, and take turns.'],
  },
  aht10: {
    title: 'AHT10, AHT20, AHT21: temperature and humidity', wiring: BUS, example: ON_BUS,
    ranges: { temperature: '-40 to 85', humidity: '0 to 100' }, duration: '80',
  },
  sht3x: {
    title: 'SHT30, SHT31, SHT35: temperature and humidity', wiring: BUS, example: ON_BUS, ranges: AIR, duration: '16',
  },
  shtc3: { title: 'SHTC3: temperature and humidity', wiring: BUS, example: ON_BUS, ranges: AIR, duration: '16' },
  si7020: {
    title: 'SI7020, SI7021: temperature and humidity', wiring: BUS, example: ON_BUS, ranges: AIR, duration: '26',
  },
  bmp280: {
    title: 'BMP280: temperature and pressure', wiring: BUS, example: { ...ON_BUS, quantity: 'pressure', scale: 0.01 },
    ranges: { temperature: '-40 to 85', pressure: '30,000 to 110,000' }, duration: '10',
    notes: ['Without humidity; a BME280 looks the same and has it. `scale` 0.01 makes hectopascals.'],
  },
  bme280: {
    title: 'BME280: temperature, pressure and humidity', wiring: BUS, example: { ...ON_BUS, quantity: 'humidity' },
    ranges: WEATHER, duration: '10',
  },
  bme68x: {
    title: 'BME680, BME688: temperature, pressure and humidity', wiring: BUS,
    example: { ...ON_BUS, quantity: 'humidity' }, ranges: WEATHER, duration: '12',
    notes: ['Its gas sensor stays off: its heater would warm what the others measure.'],
  },
  tmp117: { title: 'TMP117: temperature', wiring: BUS, example: ON_BUS, ranges: DEGREES, duration: '0' },
  tmp102: { title: 'TMP102: temperature', wiring: BUS, example: ON_BUS, ranges: DEGREES, duration: '0' },
  lm75: { title: 'LM75 and its relatives: temperature', wiring: BUS, example: ON_BUS, ranges: DEGREES, duration: '0' },
  scd4x: {
    title: 'SCD40, SCD41: carbon dioxide, temperature and humidity', wiring: BUS,
    example: { ...ON_BUS, quantity: 'co2', interval: 30, decimals: 0 }, ranges: { co2: '1 to 40,000', ...AIR },
    duration: '4, the first one 5,500',
    notes: ['It measures every five seconds by itself; `interval` is 5 or more. It calibrates itself over days, if it sees '
      + 'fresh air now and then.'],
  },
  bh1750: { title: 'BH1750: light', wiring: BUS, example: ON_BUS, ranges: { illuminance: '0 to 54,612' }, duration: '180' },
  ina226: {
    title: 'INA226: voltage, current and power',
    wiring: [...BUS, 'the shunt in the line that is measured, between IN+ and IN-; VBUS at the voltage, 36 V at most'],
    example: { ...ON_BUS, quantity: 'power', shunt_resistance: 0.01 },
    ranges: { voltage: '0 to 36', current: '0.0819 V at the shunt, either way' }, duration: '39',
    notes: ['`shunt_resistance` in ohm, 0.1 by default. Each reading is the mean of 16.'],
  },
  ads1115: {
    title: 'ADS1115: four voltages, exactly', wiring: [...BUS, 'what is measured at A0 to A3, no more than the supply'],
    example: { ...ON_BUS, multiplexer: 'A0_GND', gain: 4.096, decimals: 4 },
    ranges: { voltage: 'less than `gain`, either way' }, duration: '9',
    notes: ['`multiplexer` names the input and what it is measured against, `gain` the volts of the whole scale (6.144 by '
      + 'default). Each input is one sensor; they take turns. An ADS1015 answers likewise, with fewer steps.'],
  },
};
