/** The types of sensors that a configuration may name. */

/** The values of a sensor that measures several. */
export type Quantity = 'temperature' | 'humidity' | 'pressure';

/** Sensors at one pin. */
const AT_PIN: readonly string[] = Object.freeze(['digital', 'pulse_count', 'analog', 'serial', 'ntc']);
/** Sensors at a bus of two. */
const AT_BUS: readonly string[] = Object.freeze([
  'aht10', 'sht3x', 'shtc3', 'si7020', 'bmp280', 'bme68x', 'tmp117', 'tmp102', 'lm75',
]);

const TEMPERATURE: readonly Quantity[] = Object.freeze(['temperature']);
const AIR: readonly Quantity[] = Object.freeze(['temperature', 'humidity']);

/** What the parts measure. Types that are not here give one value, whatever it is of. */
const QUANTITIES: Readonly<Record<string, readonly Quantity[] | undefined>> = Object.freeze({
  aht10: AIR, sht3x: AIR, shtc3: AIR, si7020: AIR,
  bmp280: Object.freeze(['temperature', 'pressure'] as const),
  bme68x: Object.freeze(['temperature', 'humidity', 'pressure'] as const),
  tmp117: TEMPERATURE, tmp102: TEMPERATURE, lm75: TEMPERATURE, ntc: TEMPERATURE,
});

/** @returns undefined: the type gives one value, which may be called anything */
export const quantitiesOf = (type: string): readonly Quantity[] | undefined => QUANTITIES[type];

/** Types that people look for: what is no type, what it is not, and which types serve instead. */
export const OTHER_PARTS: Readonly<Record<string, { readonly not: string; readonly instead: string } | undefined>> =
  Object.freeze({
    bme280: Object.freeze({
      not: 'a "bmp280" is another part, which measures no humidity: for humidity ',
      instead: 'bme68x" or "sht3x" or "aht10',
    }),
  });

/** Which of its values a sensor may not be without: those that say where it is wired to. */
export const wiringOf = (type: string): readonly ('pin' | 'data' | 'clock')[] =>
  AT_PIN.includes(type) ? ['pin'] : AT_BUS.includes(type) ? ['data', 'clock'] : [];

export const SENSOR_TYPES: readonly string[] =
  Object.freeze(['simulated', 'simulated_switch'].concat(AT_PIN, AT_BUS));
