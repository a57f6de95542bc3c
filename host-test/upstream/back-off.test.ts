import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { BackOff, isRefusal } from '../../src/upstream/back-off.ts';
import { seeded } from '../session/pair.ts';

const BASE = 1000;
const CAP = 60_000;
const REFUSALS = [
  ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, ReasonCode.BAD_USER_NAME_OR_PASSWORD,
  ReasonCode.NOT_AUTHORIZED, ReasonCode.UNKNOWN_RETURN_CODE, ReasonCode.SESSION_PRESENT_UNEXPECTED,
  ReasonCode.BANNED, ReasonCode.BAD_AUTHENTICATION_METHOD, ReasonCode.RETAIN_NOT_SUPPORTED,
  ReasonCode.QOS_NOT_SUPPORTED, ReasonCode.USE_ANOTHER_SERVER, ReasonCode.SERVER_MOVED,
];
const FAILURES = [
  ReasonCode.SUCCESS, ReasonCode.NETWORK_CLOSED, ReasonCode.NETWORK_UNREACHABLE, ReasonCode.CONNACK_TIMEOUT,
    ReasonCode.SERVER_UNAVAILABLE,
  ReasonCode.CLOSED_BEFORE_CONNACK, ReasonCode.PINGRESP_TIMEOUT, ReasonCode.NAME_NOT_RESOLVED,
    ReasonCode.MALFORMED_PACKET,
];

describe('the wait before the next attempt', () => {
  it('stays between base and cap, and below three times the last one', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      { minLength: 1, maxLength: 50 }), draws => {
      let index = 0;
      const backOff = new BackOff(BASE, CAP, () => draws[index++ % draws.length]!);
      let previous = BASE;
      for (let attempt = 0; attempt < draws.length; ++attempt) {
        const wait = backOff.next(ReasonCode.NETWORK_CLOSED);
        expect(wait).toBeGreaterThanOrEqual(BASE);
        expect(wait).toBeLessThanOrEqual(Math.min(CAP, previous * 3));
        expect(Number.isInteger(wait)).toBe(true);
        previous = wait;
      }
    }), { seed: 1 });
  });

  it('is decorrelated: it depends on the last wait, not on the number of attempts', () => {
    const draws = [0.5, 0.5, 0, 0.5];
    let index = 0;
    const backOff = new BackOff(BASE, CAP, () => draws[index++]!);
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBe(2000); // 1000 + 0.5 x (3000 - 1000): the first is drawn too
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBe(3500); // 1000 + 0.5 x (6000 - 1000)
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBe(1000); // luck shortens it again
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBe(2000);
  });

  it('reaches the cap and stays there when the draws are high', () => {
    const backOff = new BackOff(BASE, CAP, () => 0.999);
    const waits = Array.from({ length: 8 }, () => backOff.next(ReasonCode.NETWORK_CLOSED));
    expect(waits.slice(-3)).toEqual([CAP, CAP, CAP]);
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
  });

  it('differs between two devices', () => {
    const [a, b] = [1, 2].map(seed => {
      const backOff = new BackOff(BASE, CAP, seeded(seed));
      return Array.from({ length: 5 }, () => backOff.next(ReasonCode.NETWORK_CLOSED));
    });
    expect(a).not.toEqual(b);
  });

  it('starts over only when told so, which accepted connections do not do', () => {
    const backOff = new BackOff(BASE, CAP, () => 0.999);
    for (let attempt = 0; attempt < 8; ++attempt)
      backOff.next(ReasonCode.NETWORK_CLOSED);
    for (const reasonCode of FAILURES)
      expect(backOff.next(reasonCode)).toBe(CAP);
    backOff.reset();
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBeLessThan(3 * BASE);
  });

  it('is an integer that a 32-bit clock can add, even with a cap of a day', () => {
    const day = 86_400_000;
    const backOff = new BackOff(BASE, day, () => 0.999);
    for (let attempt = 0; attempt < 20; ++attempt) {
      const wait = backOff.next(ReasonCode.NOT_AUTHORIZED);
      expect(wait).toBeGreaterThanOrEqual(day);
      expect(wait).toBeLessThanOrEqual(20 * day);
    }
  });
});

describe('a refusal that will not heal by itself', () => {
  it.each(REFUSALS)('waits at least the cap, at most twenty times that (reason 0x%s)', reasonCode => {
    const random = seeded(reasonCode);
    const backOff = new BackOff(BASE, CAP, random);
    for (let attempt = 0; attempt < 30; ++attempt) {
      const wait = backOff.next(reasonCode);
      expect(wait).toBeGreaterThanOrEqual(CAP);
      expect(wait).toBeLessThanOrEqual(20 * CAP);
    }
    const high = new BackOff(BASE, CAP, () => 0.999);
    for (let attempt = 0; attempt < 9; ++attempt)
      high.next(reasonCode);
    expect(high.next(reasonCode)).toBe(20 * CAP);
  });

  it('is one of these reasons, and no other', () => {
    for (let code = 0; code < 0x110; ++code)
      expect(isRefusal(code), `0x${code.toString(16)}`).toBe(REFUSALS.includes(code));
  });

  it('begins the slow curve at its start, and a failure after it the fast one', () => {
    const backOff = new BackOff(BASE, CAP, () => 0.5);
    backOff.next(ReasonCode.NETWORK_CLOSED);
    expect(backOff.next(ReasonCode.NOT_AUTHORIZED)).toBe(2 * CAP);
    expect(backOff.next(ReasonCode.NOT_AUTHORIZED)).toBe(3.5 * CAP);
    expect(backOff.next(ReasonCode.NETWORK_CLOSED)).toBe(2 * BASE);
  });

  it('is not "server unavailable", which is only a matter of time', () => {
    const backOff = new BackOff(BASE, CAP, () => 0);
    expect(backOff.next(ReasonCode.SERVER_UNAVAILABLE)).toBe(BASE);
  });
});

it('a session that lasted as long as the longest wait was stable', () => {
  expect(new BackOff(BASE, CAP, () => 0).stableInterval).toBe(CAP);
});
