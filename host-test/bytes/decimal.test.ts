import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LARGEST_EXACT, MAXIMUM_DECIMAL_LENGTH, MAXIMUM_DECIMAL_PLACES,
  writeDecimal } from '../../src/bytes/decimal.ts';
import { isPoisonOutside, testArena } from './test-arena.ts';

const OFFSET = 3;

function decimalOf(value: number, places: number): string {
  const arena = testArena(OFFSET + MAXIMUM_DECIMAL_LENGTH + 3);
  const end = writeDecimal(arena, OFFSET, value, places);
  expect(end - OFFSET).toBeLessThanOrEqual(MAXIMUM_DECIMAL_LENGTH);
  expect(isPoisonOutside(arena, OFFSET, end)).toBe(true);
  return Buffer.from(arena.bytes.slice(OFFSET, end)).toString('latin1');
}

/** Digits by BigInt, from units that are a whole number. */
function textOf(units: bigint, places: number): string {
  const size = units < 0n ? -units : units;
  const digits = size.toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return (units < 0n ? '-' : '') + whole + (places > 0 ? `.${digits.slice(digits.length - places)}` : '');
}

const anyPlaces = fc.integer({ min: 0, max: MAXIMUM_DECIMAL_PLACES });

describe('a decimal', () => {
  it.each([
    [0, 0, '0'], [0, 2, '0.00'], [-0, 2, '0.00'], [1, 0, '1'], [-1, 0, '-1'], [9, 0, '9'], [10, 0, '10'],
      [99, 0, '99'], [100, 0, '100'],
    [21.5, 2, '21.50'], [-21.5, 2, '-21.50'], [0.05, 2, '0.05'], [0.999, 2, '1.00'], [9.99, 1, '10.0'],
      [99.95, 0, '100'],
    [1.5, 0, '2'], [2.5, 0, '3'], [-1.5, 0, '-2'], [-2.5, 0, '-3'], [0.5, 0, '1'], [-0.5, 0, '-1'], [0.49, 0, '0'],
      [0.125, 2, '0.13'], [-0.125, 2, '-0.13'],
    [-0.004, 2, '0.00'], [-0.4, 0, '0'], [-0.005, 2, '-0.01'],
    [0.000001, 6, '0.000001'], [0.0000004, 6, '0.000000'], [123456.789012, 6, '123456.789012'],
    [999_999_999, 0, '999999999'], [999_999_999.994, 2, '999999999.99'], [5e-324, 6, '0.000000'],
  ])('%d with %i places is %s', (value, places, text) => {
    expect(decimalOf(value, places)).toBe(text);
  });

  it.each([
    [999_999_999.5, 0, '1000000000'], [1e9, 0, '1000000000'], [-1e9, 2, '-1000000000.00'],
      [1_000_000_001, 3, '1000000001.000'],
    [4_294_967_296, 0, '4294967296'], [-2_147_483_649, 6, '-2147483649.000000'],
      [999_999_999_999.75, 2, '999999999999.75'],
    [4_503_599_627_370_495.5, 1, '4503599627370495.5'], [4_503_599_627_370_495.5, 0, '4503599627370496'],
    [9_007_199_254_740_991, 0, '9007199254740991'], [LARGEST_EXACT, 6, '9007199254740992.000000'],
    [-LARGEST_EXACT, 6, '-9007199254740992.000000'],
  ])('of a large total, %d with %i places, is %s', (value, places, text) => {
    expect(decimalOf(value, places)).toBe(text);
  });

  it('has every digit of a whole number up to 2^53', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), anyPlaces, (whole, places) => {
      expect(decimalOf(Number(whole), places)).toBe(textOf(whole * 10n ** BigInt(places), places));
    }), { seed: 5, numRuns: 5000 });
  });

  it('has room for the longest', () => {
    expect(decimalOf(-LARGEST_EXACT, MAXIMUM_DECIMAL_PLACES).length).toBe(MAXIMUM_DECIMAL_LENGTH);
  });

  it('repeats exactly what has no more digits than asked for', () => {
    fc.assert(fc.property(fc.integer({ min: -999_999_999, max: 999_999_999 }), anyPlaces, (units, places) => {
      const value = units / 10 ** places;
      expect(decimalOf(value, places)).toBe(textOf(BigInt(units), places));
    }), { seed: 1, numRuns: 2000 });
  });

  it('rounds halves, as far as they have an exact binary form, away from zero', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 3 }), fc.boolean(),
      (whole, bits, isNegative) => {
      // n + 2^-bits ends in 5: 0.5, 0.25, 0.125; one place less is a tie.
      const places = bits - 1;
      const units = BigInt(Math.round((whole + 2 ** -bits) * 10 ** bits)); // the last digit is a 5
      const expected = (units + 5n) / 10n;
      expect(decimalOf(isNegative ? -(whole + 2 ** -bits) : whole + 2 ** -bits, places)).toBe(textOf(isNegative
        ? -expected : expected, places));
    }), { seed: 2, numRuns: 1000 });
  });

  it('is what toFixed says wherever that does not have to decide a tie', () => {
    fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), anyPlaces, (value, places) => {
      const text = decimalOf(value, places);
      const scaled = Math.abs(value) * 10 ** places;
      // So close to a half that the product of two doubles may fall on either side of it.
      fc.pre(Math.abs(scaled - Math.floor(scaled) - 0.5) > scaled * 2 ** -51);
      const fixed = value.toFixed(places);
      expect(text).toBe(/^-0(\.0*)?$/.test(fixed) ? fixed.slice(1) : fixed);
    }), { seed: 3, numRuns: 5000 });
  });

  it('has a digit before the point, exactly so many behind it, and a sign only if it is not zero', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, min: -LARGEST_EXACT, max: LARGEST_EXACT }), anyPlaces,
      (value, places) => {
      const text = decimalOf(value, places);
      expect(text).toMatch(new RegExp(`^-?(0|[1-9]\\d*)${places > 0 ? `\\.\\d{${places}}` : ''}$`));
      if (/^-?[0.]*$/.test(text))
        expect(text[0]).not.toBe('-');
      const size = Math.abs(value);
      expect(Math.abs(Math.abs(Number(text)) - size)).toBeLessThanOrEqual(0.5 * 10 ** -places + size * 2 ** -51);
    }), { seed: 4, numRuns: 5000 });
  });
});
