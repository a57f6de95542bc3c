/** How many messages a node may still publish, in a time that the test makes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PublishCredit } from '../../src/session/publish-credit.ts';

function fresh(rate: number, now = 0): PublishCredit {
  const credit = new PublishCredit(rate);
  credit.reset(now);
  return credit;
}

describe('the credit of a node', () => {
  it('is a second\'s worth at first, and the message that uses it up makes the node wait', () => {
    const credit = fresh(10);
    for (let count = 1; count < 10; ++count)
      expect(credit.spend(0), `message ${count}`).toBe(false);
    expect(credit.isHeld).toBe(false);
    expect(credit.spend(0)).toBe(true);
    expect(credit.isHeld).toBe(true);
    expect(credit.heldUntil).toBe(100);
  });

  it('begins one wait only, although messages that had arrived before still come', () => {
    const credit = fresh(1);
    expect(credit.spend(0)).toBe(true);
    expect(credit.spend(0)).toBe(false);
    expect(credit.heldUntil).toBe(1000);
  });

  it('ends the wait when its time has come, not before', () => {
    const credit = fresh(1);
    credit.spend(0);
    expect(credit.release(999)).toBe(false);
    expect(credit.isHeld).toBe(true);
    expect(credit.release(1000)).toBe(true);
    expect(credit.isHeld).toBe(false);
  });

  it('waits for 20 milliseconds at least, however high the rate', () => {
    const credit = fresh(1000);
    while (!credit.spend(0));
    expect(credit.heldUntil).toBe(20);
  });

  it('does not grow beyond a second\'s worth while nothing is sent', () => {
    const credit = fresh(3);
    credit.spend(0);
    let count = 1;
    while (!credit.spend(3_600_000))
      ++count;
    expect(count).toBe(3);
  });

  it('is new with a new connection', () => {
    const credit = fresh(1);
    credit.spend(0);
    credit.reset(5);
    expect(credit.isHeld).toBe(false);
    expect(credit.spend(5)).toBe(true);
  });

  it('lets through the rate and a second\'s worth at most, in whatever rhythm a node sends, across the wrap-around of time', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(400), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(0, 0x7FFF_FF00), (rate, pauses, start) => {
      const credit = fresh(rate, start | 0);
      let elapsed = 0, sent = 0;
      for (const pause of pauses) {
        elapsed += pause;
        const now = start + elapsed | 0;
        if (credit.isHeld && !credit.release(now))
          continue;
        credit.spend(now);
        ++sent;
        expect(sent).toBeLessThanOrEqual(rate + rate * elapsed / 1000 + 1);
      }
    }));
  });
});
