/** The lines of a serial sensor. JavaScript's own `Number` says what a line means. */
import { expect, test } from 'vitest';
import { NumberLine } from '../../src/device/number-line.ts';
import { seeded } from '../session/pair.ts';

/** @returns what the sensor has after these bytes */
function valueOf(text: string): number {
  const line = new NumberLine();
  for (const byte of Buffer.from(text, 'latin1'))
    line.put(byte);
  return line.takeValue();
}

test.each([
  '0', '-0', '7', '21.5', '-3', '+4.25', '.5', '5.', ' 12 ', '\t8\r', '1e3', '1E3', '-2.5e-2', '1e+2', '0.1',
    '0.30000000000000004', '123456789.125',
  '000017', '0e999', '1e-400', '9007199254740991', '3.14159265358979', '100000000000000000000',
])('"%s" is what JavaScript takes it for', text => {
  expect(valueOf(`${text}\n`)).toBe(Number(text));
});

test.each([
  '', '\r', '   ', '-', '+', '.', 'e', 'e5', '1e', '1e-', '1.2.3', '--1', '1 2', '12,5', '0x10', 'NaN', 'Infinity',
    '21.5C', 'T=21.5', '\xB5',
  '1'.repeat(33),
])('"%s" is no reading', text => {
  expect(valueOf(`${text}\n`)).toBeNaN();
});

test.each([['1e999', Infinity], ['-1e999', -Infinity],
  ['123e400', Infinity]])('"%s" is too large for a number, which can be seen', (text, value) => {
  expect(valueOf(`${text}\n`)).toBe(value);
});

test('a line counts when it has ended, once, and the last one wins', () => {
  const line = new NumberLine();
  const put = (text: string): void => Buffer.from(text).forEach(byte => line.put(byte));
  put('1');
  expect(line.takeValue()).toBeNaN();
  put('2\n3');
  expect(line.takeValue()).toBe(12);
  expect(line.takeValue()).toBeNaN();
  put('\n4\n5\nrubbish\n');
  expect(line.takeValue()).toBe(5);
  put(`${'9'.repeat(1000)}\n6\n`);
  expect(line.takeValue()).toBe(6);
});

test('a line of which a part is lost is no number, the next one is', () => {
  const line = new NumberLine();
  const put = (text: string): void => Buffer.from(text, 'latin1').forEach(byte => line.put(byte));
  put('1');
  line.spoil(); // "2.5\n1" is lost
  put('3.4\n');
  expect(line.takeValue()).toBeNaN();
  put('5.6\n');
  expect(line.takeValue()).toBe(5.6);
});

test('numbers of up to 15 digits are exact, whatever lies around them', () => {
  const random = seeded(7);
  for (let count = 0; count < 20_000; ++count) {
    const value = Math.floor(random() * 1e15) / 10 ** Math.floor(random() * 16);
    const text = value.toPrecision(1 + Math.floor(random() * 15));
    const signed = random() < 0.5 ? `-${text}` : text;
    expect(valueOf(`${signed}\r\n`), signed).toBe(Number(signed));
  }
});
