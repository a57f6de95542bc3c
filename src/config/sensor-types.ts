/** The types of sensors that a configuration may name: what each is wired by, needs to be told, and measures. */

/** The values of a sensor that measures several. */
export type Quantity = 'temperature' | 'humidity' | 'pressure' | 'co2' | 'illuminance' | 'voltage' | 'current' | 'power'
  | 'pulses' | 'total' | 'rate';

/** Keys of a sensor that name a GPIO. */
export type WiringKey = 'pin' | 'data' | 'clock' | 'transmit';
/** Keys without which a sensor cannot be asked, beside those of its wiring. */
type NeededKey = 'address' | 'register';

const PIN: readonly WiringKey[] = Object.freeze(['pin']);
const BUS: readonly WiringKey[] = Object.freeze(['data', 'clock']);
const LINE: readonly WiringKey[] = Object.freeze(['pin', 'transmit']);
const NONE: readonly never[] = Object.freeze([]);

export interface SensorType {
  readonly wiring: readonly WiringKey[];
  /** The first one is the default; undefined: one value, which may be called anything. */
  readonly quantities?: readonly Quantity[];
  /** On an I2C bus: those that the part can have, the default first. */
  readonly addresses?: readonly number[];
  readonly needs?: readonly NeededKey[];
  /** Seconds: the part measures no more often. */
  readonly shortestInterval?: number;
}

const TEMPERATURE: readonly Quantity[] = Object.freeze(['temperature']);
const AIR: readonly Quantity[] = Object.freeze(['temperature', 'humidity']);
const WEATHER: readonly Quantity[] = Object.freeze(['temperature', 'pressure', 'humidity']);
/** A0 to ground, to power, to SDA, to SCL. */
const FOUR: readonly number[] = Object.freeze([0x48, 0x49, 0x4A, 0x4B]);
const BOSCH: readonly number[] = Object.freeze([0x76, 0x77]);

const type = (value: SensorType): SensorType => Object.freeze(value);

const TYPES: Readonly<Record<string, SensorType | undefined>> = Object.freeze({
  simulated: type({ wiring: NONE }),
  simulated_switch: type({ wiring: NONE }),
  digital: type({ wiring: PIN }),
  pulse_count: type({ wiring: PIN, quantities: Object.freeze(['pulses', 'total', 'rate'] as const) }),
  analog: type({ wiring: PIN }),
  serial: type({ wiring: PIN }),
  ntc: type({ wiring: PIN, quantities: TEMPERATURE }),
  ds18b20: type({ wiring: PIN, quantities: TEMPERATURE }),
  modbus: type({ wiring: LINE, needs: Object.freeze(['address', 'register'] as const) }),
  aht10: type({ wiring: BUS, quantities: AIR, addresses: Object.freeze([0x38, 0x39]) }),
  sht3x: type({ wiring: BUS, quantities: AIR, addresses: Object.freeze([0x44, 0x45]) }),
  shtc3: type({ wiring: BUS, quantities: AIR, addresses: Object.freeze([0x70]) }),
  si7020: type({ wiring: BUS, quantities: AIR, addresses: Object.freeze([0x40]) }),
  bmp280: type({ wiring: BUS, quantities: Object.freeze(['temperature', 'pressure'] as const), addresses: BOSCH }),
  bme280: type({ wiring: BUS, quantities: WEATHER, addresses: BOSCH }),
  bme68x: type({ wiring: BUS, quantities: WEATHER, addresses: Object.freeze([0x77, 0x76]) }),
  tmp117: type({ wiring: BUS, quantities: TEMPERATURE, addresses: FOUR }),
  tmp102: type({ wiring: BUS, quantities: TEMPERATURE, addresses: FOUR }),
  lm75: type({
    wiring: BUS, quantities: TEMPERATURE, addresses: Object.freeze([0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F]),
  }),
  scd4x: type({
    wiring: BUS, quantities: Object.freeze(['co2', 'temperature', 'humidity'] as const),
    addresses: Object.freeze([0x62]), shortestInterval: 5,
  }),
  bh1750: type({ wiring: BUS, quantities: Object.freeze(['illuminance'] as const), addresses: Object.freeze([0x23, 0x5C]) }),
  ina226: type({
    wiring: BUS, quantities: Object.freeze(['voltage', 'current', 'power'] as const),
    addresses: Object.freeze([
      0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F,
    ]),
  }),
  ads1115: type({ wiring: BUS, quantities: Object.freeze(['voltage'] as const), addresses: FOUR }),
});

/** Names that people look for, and the type that serves them. */
export const OTHER_PARTS: Readonly<Record<string, string | undefined>> = Object.freeze({
  bme680: 'bme68x', bme688: 'bme68x', aht20: 'aht10', aht21: 'aht10', sht30: 'sht3x', sht31: 'sht3x', sht35: 'sht3x',
  sht3xd: 'sht3x', si7021: 'si7020', scd40: 'scd4x', scd41: 'scd4x', dallas: 'ds18b20', dallas_temp: 'ds18b20',
  pulse_counter: 'pulse_count', pulse_meter: 'pulse_count', adc: 'analog', gpio: 'digital', modbus_controller: 'modbus',
});

export const SENSOR_TYPES: readonly string[] = Object.freeze(Object.keys(TYPES));

/** @returns undefined: there is no such type */
export const sensorTypeOf = (name: string): SensorType | undefined =>
  SENSOR_TYPES.includes(name) ? TYPES[name] : undefined;

/** Which of its values a sensor may not be without: those that say where it is wired to. */
export const wiringOf = (name: string): readonly WiringKey[] => sensorTypeOf(name)?.wiring ?? NONE;

/** @returns undefined: the type gives one value, which may be called anything */
export const quantitiesOf = (name: string): readonly Quantity[] | undefined => sensorTypeOf(name)?.quantities;
