/**
 * What Home Assistant knows of things that are measured: device classes, the units that each may have, and whether the
 * value is a measurement or a total. Made from its public documentation; a class that is not here is not announced.
 */

const LENGTHS: readonly string[] = Object.freeze(['m', 'mm', 'cm', 'km', 'in', 'ft', 'yd', 'mi', 'nmi']);
const PRESSURES: readonly string[] = Object.freeze([
  'hPa', 'Pa', 'kPa', 'mbar', 'cbar', 'bar', 'mmHg', 'inHg', 'inH₂O', 'psi',
]);
const ENERGIES: readonly string[] = Object.freeze([
  'kWh', 'Wh', 'mWh', 'MWh', 'GWh', 'TWh', 'J', 'kJ', 'MJ', 'GJ', 'cal', 'kcal', 'Mcal', 'Gcal',
]);
const TEMPERATURES: readonly string[] = Object.freeze(['°C', '°F', 'K']);
const VOLUMES: readonly string[] = Object.freeze(['m³', 'L', 'mL', 'ft³', 'CCF', 'gal', 'fl. oz.']);
const SPEEDS: readonly string[] = Object.freeze(['m/s', 'km/h', 'ft/s', 'mph', 'kn', 'Beaufort', 'mm/s', 'in/s']);
const RAINS: readonly string[] = Object.freeze(['mm/h', 'mm/d', 'in/h', 'in/d']);
const DENSITY: readonly string[] = Object.freeze(['µg/m³']);
const PERCENT: readonly string[] = Object.freeze(['%']);
const PARTS: readonly string[] = Object.freeze(['ppm']);
/** The class is a number without a unit. */
const NO_UNIT: readonly string[] = Object.freeze(['']);

/** Of each class of a sensor its units, the usual one first; "" is none. */
const UNITS: Readonly<Record<string, readonly string[] | undefined>> = Object.freeze({
  apparent_power: Object.freeze(['VA']),
  aqi: NO_UNIT,
  area: Object.freeze(['m²', 'cm²', 'km²', 'mm²', 'in²', 'ft²', 'yd²', 'mi²', 'ac', 'ha']),
  atmospheric_pressure: PRESSURES,
  battery: PERCENT,
  carbon_dioxide: PARTS,
  carbon_monoxide: PARTS,
  conductivity: Object.freeze(['µS/cm', 'mS/cm', 'S/cm']),
  current: Object.freeze(['A', 'mA']),
  data_rate: Object.freeze(['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'B/s', 'kB/s', 'MB/s', 'GB/s', 'KiB/s', 'MiB/s',
    'GiB/s']),
  data_size: Object.freeze(['B', 'kB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB', 'bit', 'kbit', 'Mbit', 'Gbit']),
  distance: LENGTHS,
  duration: Object.freeze(['s', 'min', 'h', 'd', 'ms']),
  energy: ENERGIES,
  energy_storage: ENERGIES,
  frequency: Object.freeze(['Hz', 'kHz', 'MHz', 'GHz']),
  gas: Object.freeze(['m³', 'ft³', 'CCF']),
  humidity: PERCENT,
  illuminance: Object.freeze(['lx']),
  irradiance: Object.freeze(['W/m²', 'BTU/(h⋅ft²)']),
  moisture: PERCENT,
  nitrogen_dioxide: DENSITY,
  nitrogen_monoxide: DENSITY,
  nitrous_oxide: DENSITY,
  ozone: DENSITY,
  ph: NO_UNIT,
  pm1: DENSITY,
  pm10: DENSITY,
  pm25: DENSITY,
  power: Object.freeze(['W', 'kW', 'MW', 'GW', 'TW']),
  power_factor: Object.freeze(['', '%']),
  precipitation: Object.freeze(['mm', 'cm', 'in']),
  precipitation_intensity: RAINS,
  pressure: PRESSURES,
  reactive_power: Object.freeze(['var']),
  signal_strength: Object.freeze(['dBm', 'dB']),
  sound_pressure: Object.freeze(['dB', 'dBA']),
  speed: Object.freeze(SPEEDS.concat(RAINS)),
  sulphur_dioxide: DENSITY,
  temperature: TEMPERATURES,
  temperature_delta: TEMPERATURES,
  timestamp: NO_UNIT,
  volatile_organic_compounds: DENSITY,
  volatile_organic_compounds_parts: Object.freeze(['ppb', 'ppm']),
  voltage: Object.freeze(['V', 'mV', 'µV', 'kV', 'MV']),
  volume: VOLUMES,
  volume_flow_rate: Object.freeze(['m³/h', 'L/min', 'mL/s', 'ft³/min', 'gal/min']),
  volume_storage: VOLUMES,
  water: Object.freeze(['m³', 'L', 'ft³', 'CCF', 'gal']),
  weight: Object.freeze(['kg', 'g', 'mg', 'µg', 'oz', 'lb', 'st']),
  wind_direction: Object.freeze(['°']),
  wind_speed: SPEEDS,
});

const MEASUREMENT: readonly string[] = Object.freeze(['measurement']);
const TOTALS: readonly string[] = Object.freeze(['total_increasing', 'total']);
const NONE: readonly string[] = Object.freeze([]);
export const STATE_CLASSES: readonly string[] = Object.freeze(['measurement', 'total', 'total_increasing']);

/** Classes whose values are something else than measurements. The usual one first. */
const STATES: Readonly<Record<string, readonly string[] | undefined>> = Object.freeze({
  energy: TOTALS, gas: TOTALS, volume: TOTALS, water: TOTALS, timestamp: NONE, wind_direction: NONE,
  area: STATE_CLASSES, data_size: STATE_CLASSES, distance: STATE_CLASSES, duration: STATE_CLASSES,
  precipitation: STATE_CLASSES, weight: STATE_CLASSES,
});

export const SENSOR_CLASSES: readonly string[] = Object.freeze(Object.keys(UNITS));

/** Of what is on or off. */
export const BINARY_CLASSES: readonly string[] = Object.freeze([
  'battery', 'battery_charging', 'carbon_monoxide', 'cold', 'connectivity', 'door', 'garage_door', 'gas', 'heat',
  'light', 'lock', 'moisture', 'motion', 'moving', 'occupancy', 'opening', 'plug', 'power', 'presence', 'problem',
  'running', 'safety', 'smoke', 'sound', 'tamper', 'update', 'vibration', 'window',
]);
export const SWITCH_CLASSES: readonly string[] = Object.freeze(['outlet', 'switch']);
export const BUTTON_CLASSES: readonly string[] = Object.freeze(['identify', 'restart', 'update']);

export const isSensorClass = (name: string): boolean => Object.hasOwn(UNITS, name);

export const isBinaryClass = (name: string): boolean => BINARY_CLASSES.includes(name);

/** The sign of a millionth has two places in Unicode that look alike. */
export const usualUnit = (unit: string): string => unit.replaceAll('μ', 'µ');

/** Units of a class, "" for none; undefined: of what has no class, anything may be the unit. */
export const unitsOf = (deviceClass: string | undefined): readonly string[] | undefined =>
  deviceClass !== undefined && isSensorClass(deviceClass) ? UNITS[deviceClass] : undefined;

/** State classes that a class may have, the usual one first. */
export const statesOf = (deviceClass: string | undefined): readonly string[] =>
  deviceClass === undefined ? STATE_CLASSES
    : Object.hasOwn(STATES, deviceClass) ? STATES[deviceClass]! : MEASUREMENT;

interface Meaning {
  readonly device_class: string;
  readonly unit_of_measurement: string;
}

const meaning = (device_class: string, unit_of_measurement: string): Meaning =>
  Object.freeze({ device_class, unit_of_measurement });

/** What a wired sensor gives, by its `quantity`, as long as no `scale` makes something else of it. */
const QUANTITIES: Readonly<Record<string, Meaning | undefined>> = Object.freeze({
  temperature: meaning('temperature', '°C'),
  humidity: meaning('humidity', '%'),
  pressure: meaning('atmospheric_pressure', 'Pa'),
});

export const meaningOfQuantity = (quantity: string): Meaning | undefined =>
  Object.hasOwn(QUANTITIES, quantity) ? QUANTITIES[quantity] : undefined;
