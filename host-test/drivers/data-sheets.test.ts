/**
 * What data sheets and specifications give as examples: checksums, telegrams, compensation. Hex is theirs, not what our
 * simulated parts say.
 */
import { describe, expect, it, test } from 'vitest';
import { BMP280 } from '../../src/drivers/bme280.ts';
import { crc8, crcModbus, crcOneWire } from '../../src/drivers/checksums.ts';
import { DS18B20 } from '../../src/drivers/ds18b20.ts';
import type { Part } from '../../src/drivers/part.ts';
import { SHT3x } from '../../src/drivers/sensirion.ts';
import { LM75 } from '../../src/drivers/words.ts';
import { bytesOfHex as bytes } from '../simulation/hex.ts';

test('checksums', () => {
  expect(crc8(bytes('BE EF'), 0, 2, 0xFF)).toBe(0x92); // SHT3x, 4.12
  expect(crc8(bytes('68 3A'), 0, 2, 0)).toBe(0x7C); // HTU21D/SI70xx, 683A
  expect(crcOneWire(bytes('02 1C B8 01 00 00 00'), 7)).toBe(0xA2); // Maxim's application note 27
  expect(crcModbus(bytes('02 07'), 2)).toBe(0x1241); // MODBUS over serial line, appendix B
  expect(crcModbus(bytes('11 03 00 6B 00 03'), 6)).toBe(0x8776);
});

/** A port that says what is written here, in this order. */
function scripted(...answers: string[]) {
  const written: string[] = [];
  return {
    written,
    write: (view: Uint8Array) => {
      written.push(Buffer.from(view).toString('hex'));
      return 0;
    },
    read: (view: Uint8Array) => {
      view.set(bytes(answers.shift()!).subarray(0, view.length));
      return 0;
    },
    recover: () => 1,
  };
}

function run(part: Part): readonly number[] {
  for (let now = 0; ;) {
    const wait = part.prepare(now, 0);
    if (wait <= 0)
      return part.fault === 0 ? [...part.values] : [NaN, part.fault];
    now += wait;
  }
}

test('a BMP280 by the example of its data sheet, 3.12', () => {
  const calibration = new Int16Array([
    27_504, 26_435, -1000, 36_477, -10_685, 3024, 2855, 140, -7, 15_500, -14_600, 6000, 0,
  ]);
  const raw = Buffer.alloc(8);
  raw.writeUIntBE(415_148 << 4, 0, 3);
  raw.writeUIntBE(519_888 << 4, 3, 3);
  const port = scripted('58', '00', Buffer.from(calibration.buffer).toString('hex'), '00', raw.toString('hex'));
  const [temperature, pressure] = run(new BMP280(port));
  expect(temperature).toBe(25.08);
  expect(pressure).toBeCloseTo(100_653.27, 1); // the data sheet's is 100653.27 with doubles, 25767236/256 with 64 bits
  expect(port.written).toEqual(['d0', 'f3', '88', 'f425', 'f3', 'f7']);
});

describe('temperatures', () => {
  it.each([['7F 00', 127], ['19 00', 25], ['00 10', 0.0625], ['FF C0', -0.25], ['E7 00', -25], ['C9 00', -55]])(
    'a TMP102 or LM75 says %s', (hex, degrees) => {
      expect(run(new LM75(scripted(hex)))).toEqual([degrees]);
    });

  it.each([['07D0', 125], ['0191', 25.0625], ['00A2', 10.125], ['0008', 0.5], ['0000', 0], ['FFF8', -0.5], ['FF5E', -10.125],
    ['FE6F', -25.0625], ['FC90', -55]])('a DS18B20 says %s', (hex, degrees) => {
    const word = parseInt(hex, 16);
    const scratchpad = Uint8Array.of(word, word >> 8, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10, 0);
    scratchpad[8] = crcOneWire(scratchpad, 8);
    const written: number[] = [];
    let at = 0;
    const port = {
      reset: () => 0, writeByte: (byte: number) => { written.push(byte); }, readByte: () => scratchpad[at++]!,
    };
    expect(run(new DS18B20(port, undefined))).toEqual([degrees]);
    expect(written).toEqual([0xCC, 0x44, 0xCC, 0xBE]);
  });

  it('a DS18B20 with a number is called by it, the family first', () => {
    const written: number[] = [];
    const port = { reset: () => 0, writeByte: (byte: number) => { written.push(byte); }, readByte: () => 0xFF };
    run(new DS18B20(port, '9c0000031edd2a28'));
    expect(written.slice(0, 10)).toEqual([0x55, 0x28, 0x2A, 0xDD, 0x1E, 0x03, 0x00, 0x00, 0x9C, 0x44]);
  });
});

test('an SHT3x has its whole range between the lowest and the highest word', () => {
  expect(run(new SHT3x(scripted('00 00 81 00 00 81')))).toEqual([NaN, 4]); // -45 is below what it can measure
  expect(run(new SHT3x(scripted('FF FF AC FF FF AC')))).toEqual([NaN, 4]);
  const [temperature, humidity] = run(new SHT3x(scripted('66 66 93 80 00 A2')));
  expect(temperature).toBeCloseTo(25, 2);
  expect(humidity).toBeCloseTo(50, 2);
});
