/**
 * What sensors may be wired to on a chip, for `ringbridge check --board`: from the data sheets of the chips, ADC2 and
 * the pulse counter as ESP-IDF and the SDK use them. Which pins a module or a board leads out is not known here.
 */
import type { Configuration, SensorConfiguration } from '../config/configuration.ts';
import { wiringOf } from '../config/sensor-types.ts';
import { type Finding, Findings, type Path } from '../rules/findings.ts';

interface Chip {
  readonly name: string;
  /** Numbers of GPIOs, those of the flash among them. */
  readonly pins: readonly number[];
  readonly flash: readonly number[];
  readonly inputOnly: readonly number[];
  /** Of the first converter, which works while Wi-Fi is on. */
  readonly adc1: readonly number[];
  readonly adc2: readonly number[];
  /** Must not be low at power-on. */
  readonly startHigh: readonly number[];
  /** Must not be high at power-on. */
  readonly startLow: readonly number[];
  /** Where the log and new programs come and go: UART0, and USB where the chip has it. */
  readonly console: readonly number[];
  readonly countsPulses: boolean;
}

const NONE: readonly number[] = [];
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** S2 and S3 have the same places. */
const LARGE = {
  pins: [...range(0, 21), ...range(26, 48)], flash: range(26, 32), adc1: range(1, 10), adc2: range(11, 20),
  startHigh: [0], startLow: [45, 46], console: [19, 20, 43, 44], countsPulses: true,
};

const CHIPS: Readonly<Record<string, Chip>> = Object.freeze({
  esp32: {
    name: 'an ESP32', pins: [...range(0, 19), ...range(21, 23), ...range(25, 27), ...range(32, 39)],
    flash: range(6, 11), inputOnly: range(34, 39), adc1: range(32, 39), adc2: [0, 2, 4, ...range(12, 15), 25, 26, 27],
    startHigh: [0], startLow: [2, 12], console: [1, 3], countsPulses: true,
  },
  esp32c3: {
    name: 'an ESP32-C3', pins: range(0, 21), flash: range(11, 17), inputOnly: NONE, adc1: range(0, 4), adc2: [5],
    startHigh: [2, 8, 9], startLow: NONE, console: [18, 19, 20, 21], countsPulses: false,
  },
  esp32c6: {
    name: 'an ESP32-C6', pins: range(0, 30), flash: range(24, 30), inputOnly: NONE, adc1: range(0, 6), adc2: NONE,
    startHigh: [8, 9], startLow: NONE, console: [12, 13, 16, 17], countsPulses: true,
  },
  esp32s2: { ...LARGE, name: 'an ESP32-S2', pins: [...range(0, 21), ...range(26, 46)], inputOnly: [46] },
  esp32s3: { ...LARGE, name: 'an ESP32-S3', inputOnly: NONE },
});

/** On the bus when `address` is not given, as the drivers of the SDK have it. */
const ADDRESSES: Readonly<Record<string, number>> = Object.freeze({
  aht10: 0x38, sht3x: 0x44, shtc3: 0x70, si7020: 0x40, bmp280: 0x76, bme68x: 0x77, tmp117: 0x48, tmp102: 0x48,
  lm75: 0x48,
});

/** Types that a converter reads. */
const isAnalog = (type: string): boolean => type === 'analog' || type === 'ntc';
/** Types whose switch pulls the pin to ground, also at power-on. */
const isSwitch = (type: string): boolean => type === 'digital' || type === 'pulse_count';

export interface PinFindings {
  /** What cannot work. */
  readonly refusals: readonly Finding[];
  /** What works with care. */
  readonly warnings: readonly Finding[];
}

/** @param board a name of BOARDS (board-memory.ts) */
export function judgePins({ sensors }: Configuration, board: string): PinFindings {
  const chip = CHIPS[board]!;
  const refusals = new Findings();
  const warnings = new Findings();
  /** Who is at a pin, and how. */
  const users = new Map<number, { sensor: string; wiring: string }>();
  const named = new Set(sensors.flatMap(sensor => wiringOf(sensor.type).map(key => sensor[key]!)));
  /** Who answers at an address of a bus. */
  const parts = new Map<string, SensorConfiguration>();
  sensors.forEach((sensor, index) => {
    if (sensor.type === 'pulse_count' && !chip.countsPulses)
      refusals.add(['sensors', index, 'type'], `${chip.name} has no pulse counter; write "digital" instead, for what `
        + 'changes less than once in two intervals, or take another chip');
    for (const key of wiringOf(sensor.type)) {
      const pin = sensor[key]!;
      const path = ['sensors', index, key];
      const fault = faultOf(chip, sensor.type, pin);
      if (fault !== undefined)
        refusals.add(path, `GPIO ${pin} ${fault}; write ${proposeFor(chip, sensor.type, named)} instead`);
      else
        warn(warnings, chip, pin, path);
      const wiring = wiringText(sensor, key);
      const other = users.get(pin);
      if (other !== undefined && other.wiring !== wiring)
        refusals.add(path, `sensor "${other.sensor}" is at GPIO ${pin} already; `
          + `write ${proposeFor(chip, sensor.type, named)} instead`);
      users.set(pin, other ?? { sensor: sensor.name, wiring });
    }
    judgeAddress(refusals, parts, sensor, index);
  });
  return { refusals: refusals.list, warnings: warnings.list };
}

/** @returns what is wrong with a pin for a type, after "GPIO 7 "; undefined: nothing */
function faultOf(chip: Chip, type: string, pin: number): string | undefined {
  if (!chip.pins.includes(pin))
    return `is not there on ${chip.name}`;
  if (chip.flash.includes(pin))
    return `belongs to the flash of ${chip.name}`;
  if (isAnalog(type) && chip.adc2.includes(pin))
    return 'is read by the second converter, which does not work while Wi-Fi is on';
  if (isAnalog(type) && !chip.adc1.includes(pin))
    return `cannot measure a voltage on ${chip.name}`;
  if (chip.startLow.includes(pin))
    return 'decides at power-on how the chip starts, and must not be high then';
  if (chip.startHigh.includes(pin) && (isSwitch(type) || isAnalog(type)))
    return 'decides at power-on how the chip starts, and must not be low then';
  if (chip.inputOnly.includes(pin) && wiringOf(type).includes('data'))
    return 'can only be read, and a bus must be driven';
  if (chip.inputOnly.includes(pin) && isSwitch(type))
    return 'has no pull-up of its own, which a switch to ground needs';
  return undefined;
}

function warn(warnings: Findings, chip: Chip, pin: number, path: Path): void {
  if (chip.console.includes(pin))
    warnings.add(path, `GPIO ${pin} of ${chip.name} is a line of the serial port or USB, by which programs are written `
      + 'and the log is read: neither works while something else is wired to it');
  else if (chip.startHigh.includes(pin))
    warnings.add(path, `GPIO ${pin} decides at power-on how ${chip.name} starts: what is wired to it must not pull it `
      + 'low then');
}

/** A bus may be used by many, and a thermistor by two readings of it. */
function wiringText({ clock, data, name, pin, type }: SensorConfiguration, key: string): string {
  return key === 'pin' ? type === 'ntc' ? `ntc ${pin}` : name : `${key} of ${data} ${clock}`;
}

/** Two parts that answer at the same address of a bus are never understood; two readings of one part are. */
function judgeAddress(refusals: Findings, parts: Map<string, SensorConfiguration>, sensor: SensorConfiguration,
  index: number): void {
  if (!wiringOf(sensor.type).includes('data'))
    return;
  const { address = ADDRESSES[sensor.type]!, clock, data, type } = sensor;
  const place = `${data} ${clock} ${address}`;
  const other = parts.get(place);
  if (other === undefined)
    parts.set(place, sensor);
  else if (other.type !== type)
    refusals.add(['sensors', index, 'address'], `a ${other.type}, sensor "${other.name}", has the address ${address} `
      + 'on this bus already; write the other address that the part can have, or wire it to other pins');
}

/** @returns the first pins that a sensor of the type may have and that no sensor names */
function proposeFor(chip: Chip, type: string, named: ReadonlySet<number>): string {
  const free = chip.pins.filter(pin => !named.has(pin) && faultOf(chip, type, pin) === undefined
    && !chip.console.includes(pin) && !chip.startHigh.includes(pin));
  return free.slice(0, 3).join(' or ');
}
