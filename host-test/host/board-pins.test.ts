/** What sensors may be wired to on each chip. */
import { describe, expect, it, test } from 'vitest';
import { refusalsOfBoard, warningsOfBoard } from '../../src/host/board-reading.ts';
import { BOARDS } from '../../src/host/board-memory.ts';
import { judgePins } from '../../src/host/board-pins.ts';
import { readConfiguration } from '../../src/host/config.ts';

function read(...sensors: object[]) {
  const text = JSON.stringify({
    upstream: { address: ['mqtt://10.0.0.1'] },
    sensors: sensors.map((sensor, index) => ({ name: `s${index}`, topic: `t${index}`, ...sensor })),
  });
  const { configuration, errors } = readConfiguration(text, 'f', {});
  return { text, configuration: configuration!, errors };
}

function judge(board: string, ...sensors: object[]): string[] {
  const { configuration, errors, text } = read(...sensors);
  expect(errors).toEqual([]);
  return refusalsOfBoard(text, 'f', configuration, board).map(line => line.replace(/^f:1:\d+: /, ''));
}

const warn = (board: string, ...sensors: object[]): string[] => {
  const { configuration, text } = read(...sensors);
  return warningsOfBoard(text, 'f', configuration, board).map(line => line.replace(/^f:1:\d+: warning: /, ''));
};

const bus = (type: string, data: number, clock: number, rest: object = {}): object => ({ type, data, clock, ...rest });

describe('what cannot work is refused, with the reason and pins that can be used', () => {
  it.each([
    ['not on this chip', 'esp32c3', { type: 'digital', pin: 40 },
      'sensors[0].pin: GPIO 40 is not there on an ESP32-C3; write 0 or 1 or 3 instead'],
    ['in the gap of an ESP32', 'esp32', { type: 'digital', pin: 24 },
      'sensors[0].pin: GPIO 24 is not there on an ESP32; write 4 or 5 or 13 instead'],
    ['in the gap of an S3', 'esp32s3', { type: 'digital', pin: 22 }, 'sensors[0].pin: GPIO 22 is not there on an ESP32-S3; '
      + 'write 1 or 2 or 3 instead'],
    ['the last of an S2', 'esp32s2', { type: 'digital', pin: 47 }, 'sensors[0].pin: GPIO 47 is not there on an ESP32-S2; '
      + 'write 1 or 2 or 3 instead'],
    ['of the flash', 'esp32', { type: 'digital', pin: 6 },
      'sensors[0].pin: GPIO 6 belongs to the flash of an ESP32; write 4 or 5 or 13 instead'],
    ['of the flash of a C6', 'esp32c6', { type: 'serial', pin: 24 },
      'sensors[0].pin: GPIO 24 belongs to the flash of an ESP32-C6; write 0 or 1 or 2 instead'],
    ['without a converter', 'esp32c3', { type: 'analog', pin: 10 },
      'sensors[0].pin: GPIO 10 cannot measure a voltage on an ESP32-C3; write 0 or 1 or 3 instead'],
    ['the second converter, with Wi-Fi', 'esp32', { type: 'ntc', pin: 25 },
      'sensors[0].pin: GPIO 25 is read by the second converter, which does not work while Wi-Fi is on; '
        + 'write 32 or 33 or 34 instead'],
    ['a strapping pin that a switch pulls down', 'esp32', { type: 'digital', pin: 0 },
      'sensors[0].pin: GPIO 0 decides at power-on how the chip starts, and must not be low then; write 4 or 5 or 13 '
        + 'instead'],
    ['a strapping pin that a pull-up lifts', 'esp32', { type: 'serial', pin: 12 },
      'sensors[0].pin: GPIO 12 decides at power-on how the chip starts, and must not be high then; write 4 or 5 or 13 '
        + 'instead'],
    ['an input without pull-up', 'esp32', { type: 'digital', pin: 34 },
      'sensors[0].pin: GPIO 34 has no pull-up of its own, which a switch to ground needs; write 4 or 5 or 13 instead'],
    ['an input as a bus', 'esp32', bus('sht3x', 21, 35),
      'sensors[0].clock: GPIO 35 can only be read, and a bus must be driven; write 4 or 5 or 13 instead'],
    ['an input as a 1-Wire bus', 'esp32', { type: 'ds18b20', pin: 36 },
      'sensors[0].pin: GPIO 36 can only be read, and a bus must be driven; write 4 or 5 or 13 instead'],
    ['an input that should send', 'esp32', { type: 'modbus', pin: 34, transmit: 35, address: 1, register: 0 },
      'sensors[0].transmit: GPIO 35 can only be read, and a serial line must be driven; write 4 or 5 or 13 instead'],
  ])('%s', (_, board, sensor, expected) => {
    expect(judge(board, sensor)).toEqual([expected]);
  });

  it('two sensors at one pin', () => {
    expect(judge('esp32', { type: 'digital', pin: 4 }, { type: 'pulse_count', pin: 4 })).toEqual([
      'sensors[1].pin: sensor "s0" is at GPIO 4 already; write 5 or 13 or 14 instead']);
    expect(judge('esp32', { type: 'serial', pin: 33 }, { type: 'analog', pin: 33 })).toEqual([
      'sensors[1].pin: sensor "s0" is at GPIO 33 already; write 32 or 34 or 35 instead']);
    expect(judge('esp32', { type: 'digital', pin: 21 }, bus('aht10', 21, 22))).toEqual([
      'sensors[1].data: sensor "s0" is at GPIO 21 already; write 4 or 5 or 13 instead']);
  });

  it('a bus that shares one of its two pins, or has one for both', () => {
    expect(judge('esp32', bus('aht10', 21, 22), bus('sht3x', 21, 23))).toEqual([
      'sensors[1].data: sensor "s0" is at GPIO 21 already; write 4 or 5 or 13 instead']);
    expect(judge('esp32', bus('aht10', 21, 22), bus('sht3x', 22, 21))).toHaveLength(2);
    expect(judge('esp32', bus('aht10', 21, 21))).toEqual([
      'sensors[0].clock: sensor "s0" is at GPIO 21 already; write 4 or 5 or 13 instead']);
  });

  it('more buses or serial lines than the chip has', () => {
    expect(judge('esp32c3', bus('aht10', 4, 5), bus('sht3x', 6, 7))).toEqual(['sensors[1].type: an ESP32-C3 has one I2C bus, '
      + 'and this sensor is on one more; write the "data" and "clock" of another sensor instead']);
    expect(judge('esp32', bus('aht10', 21, 22), bus('sht3x', 25, 26), bus('lm75', 32, 33))).toHaveLength(1);
    const line = { type: 'modbus', pin: 4, transmit: 5, address: 1, register: 0 };
    expect(judge('esp32c3', line, { ...line, address: 2 }, { ...line, register: 7 })).toEqual([]);
    expect(judge('esp32c3', line, { type: 'serial', pin: 6 })).toEqual(['sensors[1].type: an ESP32-C3 has one serial port '
      + 'beside that of the log, and this sensor is at one more; leave it out, or take another chip']);
  });

  it('two speeds on one serial line, and parts of 1-Wire at one pin that have no number', () => {
    const line = { type: 'modbus', pin: 4, transmit: 5, address: 1, register: 0 };
    expect(judge('esp32', line, { ...line, address: 2, baud: 19_200 })).toEqual(['pin', 'transmit'].map((key, index) =>
      `sensors[1].${key}: sensor "s0" is at GPIO ${4 + index} already (those on one line have the same pins, "baud", "parity" `
      + 'and "stop_bits"); write 13 or 14 or 15 instead'));
    const wire = { type: 'ds18b20', pin: 4, rom: '9c0000031edd2a28' };
    expect(judge('esp32', wire, { ...wire, rom: '1c0000031edd2a28' })).toEqual([]);
    expect(judge('esp32', wire, { type: 'ds18b20', pin: 4 })).toEqual([
      'sensors[1].pin: sensor "s0" is at GPIO 4 already (several at one pin need "rom" each); write 5 or 13 or 14 instead']);
  });

  it('two parts that answer at one address of a bus', () => {
    expect(judge('esp32', bus('tmp102', 21, 22), bus('lm75', 21, 22))).toEqual([
      'sensors[1].address: a tmp102, sensor "s0", has the address 72 on this bus already; write the other address '
        + 'that the part can have, or wire it to other pins']);
    expect(judge('esp32', bus('tmp102', 21, 22), bus('lm75', 21, 22, { address: 73 }))).toEqual([]);
    expect(judge('esp32', bus('tmp102', 21, 22), bus('lm75', 25, 26))).toEqual([]);
  });
});

describe('what works is not refused', () => {
  it.each([
    ['several parts and several values of one part on a bus', 'esp32c3', [bus('bmp280', 4, 5, { quantity: 'pressure' }),
      bus('bmp280', 4, 5), bus('sht3x', 4, 5), bus('aht10', 4, 5, { quantity: 'humidity' })]],
    ['two buses', 'esp32', [bus('bmp280', 21, 22), bus('bmp280', 25, 26)]],
    ['the first converter', 'esp32', [{ type: 'analog', pin: 34 }, { type: 'ntc', pin: 32 }]],
    ['two readings of one thermistor', 'esp32', [{ type: 'ntc', pin: 32 }, { type: 'ntc', pin: 32, interval: 60 }]],
    ['a counter where there is one', 'esp32c6', [{ type: 'pulse_count', pin: 4 }]],
    ['sensors without pins', 'esp32c3', [{ type: 'simulated' }, { type: 'simulated_switch' }]],
  ])('%s', (_, board, sensors) => {
    expect(judge(board, ...sensors)).toEqual([]);
    expect(warn(board, ...sensors)).toEqual([]);
  });

  it('what works with care is a warning', () => {
    expect(judge('esp32c3', { type: 'pulse_count', pin: 4 })).toEqual([]);
    expect(warn('esp32c3', { type: 'pulse_count', pin: 4 })).toEqual(['sensors[0].type: an ESP32-C3 has no pulse counter: the '
      + 'pulses of this sensor are counted edge by edge, 50 a second at most']);
    const counters = [3, 4, 5, 6, 7].map(pin => ({ type: 'pulse_count', pin }));
    expect(warn('esp32c6', ...counters.slice(1))).toEqual([]);
    expect(warn('esp32c6', ...counters)).toEqual(['sensors[4].type: an ESP32-C6 has no more than 4 pulse counters: the pulses of '
      + 'this sensor are counted edge by edge, 50 a second at most']);
    expect(warn('esp32c3', bus('aht10', 8, 9))).toEqual([
      'sensors[0].data: GPIO 8 decides at power-on how an ESP32-C3 starts: what is wired to it must not pull it low then',
      'sensors[0].clock: GPIO 9 decides at power-on how an ESP32-C3 starts: what is wired to it must not pull it low then']);
    expect(warn('esp32', { type: 'digital', pin: 3 })).toEqual([
      'sensors[0].pin: GPIO 3 of an ESP32 is a line of the serial port or USB, by which programs are written and the '
        + 'log is read: neither works while something else is wired to it']);
    expect(judge('esp32', { type: 'digital', pin: 3 })).toEqual([]);
  });
});

test('the table of each chip agrees with itself, and every board has one', () => {
  for (const board of Object.keys(BOARDS))
    for (const type of ['digital', 'pulse_count', 'analog', 'serial', 'ntc', 'ds18b20', 'sht3x'])
      for (let pin = 0; pin <= 48; pin++) {
        const { configuration } = read(type === 'sht3x' ? bus(type, pin, 4) : { type, pin });
        for (const { path, text } of judgePins(configuration, board).refusals) {
          const proposed = /write (\d+) or \d+ or \d+ instead/.exec(text)?.[1];
          if (path[2] === 'type' || pin === 4)
            continue;
          expect(proposed, `${board} ${type} ${pin}: ${text}`).toBeDefined();
          const repaired = read(type === 'sht3x' ? bus(type, Number(proposed), 4) : { type, pin: Number(proposed) });
          expect(judgePins(repaired.configuration, board).refusals.filter(finding => finding.path[2] !== 'type'))
            .toEqual([]);
        }
      }
});

describe('what a type needs, and what it cannot be told', () => {
  it.each([
    [{ type: 'modbus', pin: 4, transmit: 5, address: 1 }, 'sensors[0]: a sensor of type "modbus" needs the key "register"; '
      + 'write it as well'],
    [{ type: 'modbus', pin: 4, address: 1, register: 1 }, 'sensors[0]: a sensor of type "modbus" needs the key "transmit", a '
      + 'GPIO number; write it as well'],
    [bus('sht3x', 21, 22, { address: 0x40 }), 'sensors[0].address: 64 is no address that a "sht3x" can have; write 68 or 69 '
      + 'instead'],
    [bus('scd4x', 21, 22, { interval: 1 }), 'sensors[0].interval: a "scd4x" measures every 5 seconds; write 5 or more instead'],
    [{ type: 'ds18b20', pin: 4, rom: '28ff641e8216c3a1' }, 'sensors[0].rom: "28ff641e8216c3a1" is no number of a DS18B20; write '
      + '16 hexadecimal digits that end with 28, like "9c0000031edd2a28", instead'],
    [bus('sht31', 21, 22), 'sensors[0].type: there is no sensor type "sht31"; write "sht3x" instead'],
  ])('%j', (sensor, expected) => {
    expect(read(sensor).errors).toEqual([expect.stringContaining(expected)]);
  });
});

describe('a value that a part does not measure', () => {
  it.each([
    ['bmp280', 'humidity', 'temperature" or "pressure'],
    ['tmp117', 'humidity', 'temperature'],
    ['ntc', 'pressure', 'temperature'],
    ['sht3x', 'pressure', 'temperature" or "humidity'],
  ])('%s and %s', (type, quantity, right) => {
    const wiring = type === 'ntc' ? { pin: 32 } : { data: 21, clock: 22 };
    expect(read({ type, quantity, ...wiring }).errors).toEqual([expect.stringContaining(
      `sensors[0].quantity: a sensor of type "${type}" does not measure ${quantity}; write "${right}" instead`)]);
  });

  it('is accepted of what measures it, and of what is simulated', () => {
    expect(read(bus('bme68x', 21, 22, { quantity: 'humidity' }), { type: 'simulated', quantity: 'pressure' }).errors)
      .toEqual([]);
  });

  it('an unknown type that an object of the language has by nature is one error', () => {
    for (const type of ['constructor', 'toString', '__proto__'])
      expect(read({ type, quantity: 'humidity' }).errors).toHaveLength(1);
  });
});
