import { expect, test } from 'vitest';
import { describeReason } from '../../src/gateway/reason-texts.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';

/** Every constant of the file. */
const CODES: [name: string, code: number][] = Object.entries(ReasonCode)
  .flatMap(([name, value]) => typeof value === 'number' ? [[name, value]] : []);

test('reasons are described, each in other words', () => {
  const texts = CODES.map(([, code]) => describeReason(code));
  expect(texts.every(text => text.length > 3)).toBe(true);
  expect(new Set(texts).size).toBe(texts.length);
  for (const [name, code] of CODES)
    if (code >= 0x100) // those never have a number that a user could look up
      expect(describeReason(code), name).not.toContain('0x');
  expect(describeReason(0xFF)).toBe('reason code 0xff');
});
