/** The types of sensors that a configuration may name. */

/** Sensors at one pin. */
const AT_PIN: readonly string[] = Object.freeze(['digital', 'pulse_count', 'analog', 'serial', 'ntc']);
/** Sensors at a bus of two. */
const AT_BUS: readonly string[] = Object.freeze([
  'aht10', 'sht3x', 'shtc3', 'si7020', 'bmp280', 'bme68x', 'tmp117', 'tmp102', 'lm75',
]);

/** Which of its values a sensor may not be without: those that say where it is wired to. */
export const wiringOf = (type: string): readonly ('pin' | 'data' | 'clock')[] =>
  AT_PIN.includes(type) ? ['pin'] : AT_BUS.includes(type) ? ['data', 'clock'] : [];

export const SENSOR_TYPES: readonly string[] =
  Object.freeze(['simulated', 'simulated_switch'].concat(AT_PIN, AT_BUS));
