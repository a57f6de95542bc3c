/** The drivers of parts at simulated ones, which speak their data sheets. */
import { describe, expect, it, test } from 'vitest';
import type { Quantity } from '../../src/config/sensor-types.ts';
import { quantitiesOf } from '../../src/config/sensor-types.ts';
import {
  BAD_CHECKSUM, NO_ANSWER, NO_FAULT, OTHER_PART, OUT_OF_RANGE, STUCK_BUS, TOO_LATE,
} from '../../src/sensors/sensor-faults.ts';
import { ABSENT, FINE, SILENT, SPOILT, STUCK } from '../../src/simulated/simulated-i2c.ts';
import { Bench } from './bench.ts';

/** Steps in which a part gives its values, half of which may be missed. */
const RESOLUTION: Partial<Record<string, Partial<Record<Quantity, number>>>> = {
  aht10: { temperature: 0.001, humidity: 0.001 },
  sht3x: { temperature: 0.01, humidity: 0.01 },
  shtc3: { temperature: 0.01, humidity: 0.01 },
  si7020: { temperature: 0.01, humidity: 0.01 },
  bmp280: { temperature: 0.02, pressure: 1.2 },
  bme280: { temperature: 0.02, pressure: 1.2, humidity: 0.02 },
  bme68x: { temperature: 0.02, pressure: 1.2, humidity: 0.01 },
  tmp117: { temperature: 0.008 },
  tmp102: { temperature: 0.0625 },
  lm75: { temperature: 0.125 },
  scd4x: { co2: 1, temperature: 0.01, humidity: 0.01 },
  bh1750: { illuminance: 0.84 },
  ina226: { voltage: 0.00125, current: 0.000025, power: 0.001 },
  ads1115: { voltage: 0.0002 },
  ds18b20: { temperature: 0.0625 },
};
const TYPES = Object.keys(RESOLUTION);
const I2C_TYPES = TYPES.filter(type => type !== 'ds18b20');
/** Those whose answers carry a checksum. */
const CHECKED = ['sht3x', 'shtc3', 'si7020', 'scd4x'];

const WEATHERS = [
  { temperature: 21.37, humidity: 45.6, pressure: 101_325, co2: 612, illuminance: 333, voltage: 12.34, current: 0.5 },
  { temperature: -17.5, humidity: 88.1, pressure: 96_020, co2: 4999, illuminance: 0, voltage: 3.3, current: 0 },
  { temperature: 61.9, humidity: 9.7, pressure: 104_800, co2: 400, illuminance: 20_000, voltage: 24, current: 0.81 },
];

describe.each(TYPES)('a %s', type => {
  it('gives what is around it, each quantity, to the resolution of the part', () => {
    for (const weather of WEATHERS) {
      const bench = new Bench();
      Object.assign(bench.around, weather);
      for (const quantity of quantitiesOf(type)!) {
        const { fault, value } = bench.measure(bench.create({ type, quantity }));
        const wanted = quantity === 'power' ? weather.voltage * weather.current
          : type === 'ads1115' ? weather.voltage / 10 : weather[quantity as keyof typeof weather];
        expect(fault).toBe(NO_FAULT);
        expect(Math.abs(value - wanted), `${quantity} ${value} for ${wanted}`)
          .toBeLessThanOrEqual(RESOLUTION[type]![quantity]! * 0.501);
      }
    }
  });

  it('shows what has changed in the next measurement, and needs no more to be set up', () => {
    const bench = new Bench();
    const sensor = bench.create({ type });
    const first = bench.measure(sensor);
    Object.assign(bench.around, WEATHERS[1]);
    bench.now += 10_000;
    const second = bench.measure(sensor);
    expect(second.value).not.toBe(first.value);
    expect(second.fault).toBe(NO_FAULT);
    expect(second.steps).toBeLessThanOrEqual(first.steps);
  });

  it('works as well when it is called late', () => {
    const bench = new Bench();
    const sensor = bench.create({ type });
    for (let time = 0; time < 3; ++time) {
      expect(bench.measure(sensor, 250)).toMatchObject({ fault: NO_FAULT });
      bench.now += 10_000;
    }
  });
});

describe.each(I2C_TYPES)('a %s in trouble', type => {
  const troubled = (trouble: number) => {
    const bench = new Bench();
    const sensor = bench.create({ type });
    expect(bench.measure(sensor).fault).toBe(NO_FAULT);
    bench.now += 10_000;
    bench.part(type).trouble = trouble;
    const measured = bench.measure(sensor);
    bench.part(type).trouble = FINE;
    bench.now += 10_000;
    return { bench, measured, after: () => bench.measure(sensor) };
  };

  it('that does not acknowledge has no reading, says so, and works again when it is back', () => {
    const { after, measured } = troubled(ABSENT);
    expect(measured).toMatchObject({ value: NaN, fault: NO_ANSWER });
    expect(after().fault).toBe(NO_FAULT);
  });

  it('that holds the bus is told apart, and the bus is free for others', () => {
    const { after, bench, measured } = troubled(STUCK);
    expect(measured).toMatchObject({ value: NaN, fault: STUCK_BUS });
    expect(bench.bus.recoveryCount).toBe(1);
    expect(bench.bus.holder).toBeUndefined();
    expect(after().fault).toBe(NO_FAULT);
  });

  it('that says nothing while the lines are high has no reading, as far as its answer shows it', () => {
    const { after, measured } = troubled(SILENT);
    if (['lm75', 'tmp102', 'tmp117'].includes(type)) // all ones are a little below zero, and a reading
      expect(measured.value).toBeCloseTo(0, 1);
    else
      expect(measured.value).toBeNaN();
    expect(after().fault).toBe(NO_FAULT);
  });

  it('that has lost its power in between is set up again', () => {
    const bench = new Bench();
    const sensor = bench.create({ type });
    const { value } = bench.measure(sensor);
    bench.part(type).powerOn();
    for (let attempt = 0; attempt < 2; ++attempt) {
      bench.now += 10_000;
      const again = bench.measure(sensor);
      if (again.fault === NO_FAULT)
        expect(again.value).toBeCloseTo(value, 1);
      else
        expect([attempt, again.value]).toEqual([0, NaN]);
    }
  });
});

test.each(CHECKED)('a %s whose answer has a wrong bit has no reading', type => {
  const bench = new Bench();
  const sensor = bench.create({ type });
  bench.measure(sensor);
  bench.now += 10_000;
  bench.part(type).trouble = SPOILT;
  expect(bench.measure(sensor)).toMatchObject({ value: NaN, fault: BAD_CHECKSUM });
});

test('another part at the address is told', () => {
  for (const [type, other] of [['bme280', 'bme68x'], ['bme68x', 'bme280'], ['tmp117', 'lm75'], ['ina226', 'lm75'],
    ['ads1115', 'lm75']]) {
    const bench = new Bench();
    bench.create({ type: other!, address: 0x10 });
    const impostor = bench.part(other!);
    const sensor = bench.create({ type: type! });
    const part = bench.part(type!);
    part.write = bytes => impostor.write(bytes);
    part.read = bytes => impostor.read(bytes);
    expect(bench.measure(sensor), type).toMatchObject({ value: NaN, fault: OTHER_PART });
  }
});

test('values that the part cannot measure are none', () => {
  for (const [type, around] of [['bme280', { pressure: 20_000 }], ['bh1750', { illuminance: 60_000 }],
    ['ina226', { current: 0.9 }], ['ads1115', { voltage: 62 }], ['ds18b20', { temperature: 130 }]] as const) {
    const bench = new Bench();
    Object.assign(bench.around, around);
    expect(bench.measure(bench.create({ type })), type).toMatchObject({ value: NaN, fault: OUT_OF_RANGE });
  }
});

test('a part that is never ready is given up', () => {
  for (const type of ['bme280', 'bme68x', 'aht10', 'ina226', 'ads1115', 'scd4x']) {
    const bench = new Bench();
    const sensor = bench.create({ type });
    bench.measure(sensor);
    bench.now += 10_000;
    // Its clock stands still, the gateway's does not.
    const { now } = bench;
    Object.defineProperty(bench.part(type), 'now', { get: () => now });
    if (type === 'scd4x') // has one ready from before
      bench.measure(sensor);
    bench.now += 10_000;
    const { duration, fault, value } = bench.measure(sensor);
    expect([type, value, fault]).toEqual([type, NaN, TOO_LATE]);
    expect(duration).toBeLessThan(10_000);
  }
});
