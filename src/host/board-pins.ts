/**
 * What sensors may be wired to on a chip, for `ringbridge check --board`: from the data sheets of the chips, ADC2 and
 * the pulse counter as ESP-IDF and the SDK use them. Which pins a module or a board leads out is not known here.
 */
import type { Configuration, SensorConfiguration } from '../config/configuration.ts';
import { sensorTypeOf, type WiringKey, wiringOf } from '../config/sensor-types.ts';
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
  /** Pulse counters; without one pulses are counted edge by edge. */
  readonly counters: number;
  /** I2C buses, and serial ports beside that of the log. */
  readonly buses: number;
  readonly serialPorts: number;
}

const NONE: readonly number[] = [];
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** S2 and S3 have the same places. */
const LARGE = {
  pins: [...range(0, 21), ...range(26, 48)], flash: range(26, 32), adc1: range(1, 10), adc2: range(11, 20),
  startHigh: [0], startLow: [45, 46], console: [19, 20, 43, 44], counters: 4, buses: 2,
};

const CHIPS: Readonly<Record<string, Chip>> = Object.freeze({
  esp32: {
    name: 'an ESP32', pins: [...range(0, 19), ...range(21, 23), ...range(25, 27), ...range(32, 39)],
    flash: range(6, 11), inputOnly: range(34, 39), adc1: range(32, 39), adc2: [0, 2, 4, ...range(12, 15), 25, 26, 27],
    startHigh: [0], startLow: [2, 12], console: [1, 3], counters: 8, buses: 2, serialPorts: 2,
  },
  esp32c3: {
    name: 'an ESP32-C3', pins: range(0, 21), flash: range(11, 17), inputOnly: NONE, adc1: range(0, 4), adc2: [5],
    startHigh: [2, 8, 9], startLow: NONE, console: [18, 19, 20, 21], counters: 0, buses: 1,
    serialPorts: 1,
  },
  esp32c6: {
    name: 'an ESP32-C6', pins: range(0, 30), flash: range(24, 30), inputOnly: NONE, adc1: range(0, 6), adc2: NONE,
    startHigh: [8, 9], startLow: NONE, console: [12, 13, 16, 17], counters: 4, buses: 1,
    serialPorts: 1,
  },
  esp32s2: {
    ...LARGE, name: 'an ESP32-S2', pins: [...range(0, 21), ...range(26, 46)], inputOnly: [46], serialPorts: 1,
  },
  esp32s3: { ...LARGE, name: 'an ESP32-S3', inputOnly: NONE, serialPorts: 2 },
});

/** Types that a converter reads. */
const isAnalog = (type: string): boolean => type === 'analog' || type === 'ntc';
/** Types whose switch pulls the pin to ground, also at power-on. */
const isSwitch = (type: string): boolean => type === 'digital' || type === 'pulse_count';
/** Whether the chip must drive what is at a pin, also against a pull-up. */
const isDriven = (type: string, key: WiringKey): boolean => key !== 'pin' || type === 'ds18b20';

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
  const limits = new Limits(chip, refusals, warnings);
  sensors.forEach((sensor, index) => {
    limits.judge(sensor, index);
    for (const key of wiringOf(sensor.type)) {
      const pin = sensor[key]!;
      const path = ['sensors', index, key];
      const fault = faultOf(chip, sensor.type, key, pin);
      if (fault !== undefined)
        refusals.add(path, `GPIO ${pin} ${fault}; write ${proposeFor(chip, sensor.type, key, named)} instead`);
      else
        warn(warnings, chip, pin, path);
      const wiring = wiringText(sensor, key);
      const other = users.get(pin);
      if (other !== undefined && other.wiring !== wiring)
        refusals.add(path, `sensor "${other.sensor}" is at GPIO ${pin} already${explainClash(sensor, key)}; `
          + `write ${proposeFor(chip, sensor.type, key, named)} instead`);
      users.set(pin, other ?? { sensor: sensor.name, wiring });
    }
    judgeAddress(refusals, parts, sensor, index);
  });
  return { refusals: refusals.list, warnings: warnings.list };
}

/** What a chip has only so many of. */
class Limits {
  private readonly chip: Chip;
  private readonly refusals: Findings;
  private readonly warnings: Findings;
  private readonly buses = new Set<string>();
  private readonly lines = new Set<string>();
  private counterCount = 0;

  constructor(chip: Chip, refusals: Findings, warnings: Findings) {
    this.chip = chip;
    this.refusals = refusals;
    this.warnings = warnings;
  }

  judge({ clock, data, pin, transmit, type }: SensorConfiguration, index: number): void {
    const { chip } = this;
    const path = ['sensors', index, 'type'];
    if (data !== undefined && wiringOf(type).includes('data') && this.buses.add(`${data} ${clock}`).size > chip.buses)
      this.refusals.add(path, `${chip.name} has ${several(chip.buses, 'I2C bus', 'I2C buses')}, and this sensor is on one `
        + `more; write the "data" and "clock" of another sensor instead`);
    if ((type === 'serial' || type === 'modbus') && this.lines.add(`${pin} ${transmit}`).size > chip.serialPorts)
      this.refusals.add(path, `${chip.name} has ${several(chip.serialPorts, 'serial port', 'serial ports')} beside that of `
        + 'the log, and this sensor is at one more; leave it out, or take another chip');
    if (type === 'pulse_count' && ++this.counterCount > chip.counters)
      this.warnings.add(path, `${chip.name} has ${chip.counters === 0 ? 'no pulse counter'
        : `no more than ${chip.counters} pulse counters`}: the pulses of this sensor are counted edge by edge, 50 a second `
        + 'at most');
  }
}

const several = (count: number, one: string, many: string): string => count === 1 ? `one ${one}` : `${count} ${many}`;

/** @returns what is wrong with a pin for a key of a type, after "GPIO 7 "; undefined: nothing */
function faultOf(chip: Chip, type: string, key: WiringKey, pin: number): string | undefined {
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
  if (chip.inputOnly.includes(pin) && isDriven(type, key))
    return `can only be read, and a ${type === 'modbus' ? 'serial line' : 'bus'} must be driven`;
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

/** A bus or a line may be used by many, and a thermistor by two readings of it. */
function wiringText(sensor: SensorConfiguration, key: WiringKey): string {
  const { baud, clock, data, name, parity, pin, quantity, rom, stop_bits, transmit, type } = sensor;
  switch (type) {
    case 'ntc': return `ntc ${pin}`;
    case 'ds18b20': return rom === undefined ? name : `1-Wire ${pin}`;
    case 'modbus': return `${key} of ${pin} ${transmit} ${baud ?? 9600} ${parity ?? 'none'} ${stop_bits ?? 1}`;
    case 'pulse_count': return quantity === undefined ? name : `pulses ${pin}`;
    default: return key === 'pin' ? name : `${key} of ${data} ${clock}`;
  }
}

/** What the one at a pin could do about another one there. */
function explainClash({ type }: SensorConfiguration, key: WiringKey): string {
  return type === 'ds18b20' ? ' (several at one pin need "rom" each)'
    : type === 'modbus' && key !== 'data' ? ' (those on one line have the same pins, "baud", "parity" and "stop_bits")' : '';
}

/** Two parts that answer at the same address of a bus are never understood; two readings of one part are. */
function judgeAddress(refusals: Findings, parts: Map<string, SensorConfiguration>, sensor: SensorConfiguration,
  index: number): void {
  if (!wiringOf(sensor.type).includes('data'))
    return;
  const { address = sensorTypeOf(sensor.type)!.addresses![0]!, clock, data, type } = sensor;
  const place = `${data} ${clock} ${address}`;
  const other = parts.get(place);
  if (other === undefined)
    parts.set(place, sensor);
  else if (other.type !== type)
    refusals.add(['sensors', index, 'address'], `a ${other.type}, sensor "${other.name}", has the address ${address} `
      + 'on this bus already; write the other address that the part can have, or wire it to other pins');
}

/** @returns the first pins that a sensor of the type may have and that no sensor names */
function proposeFor(chip: Chip, type: string, key: WiringKey, named: ReadonlySet<number>): string {
  const free = chip.pins.filter(pin => !named.has(pin) && faultOf(chip, type, key, pin) === undefined
    && !chip.console.includes(pin) && !chip.startHigh.includes(pin));
  return free.slice(0, 3).join(' or ');
}
