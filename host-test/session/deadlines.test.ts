/** The heap of deadlines beside a list that is searched. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { Deadlines } from '../../src/session/deadlines.ts';

const SESSIONS = 12;

function deadlinesOf(count: number): Deadlines {
  const plan = new ArenaPlan();
  const offset = plan.reserve('deadlines', Deadlines.lengthFor(count));
  return new Deadlines(new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false }), offset);
}

describe('deadlines of sessions', () => {
  it.each([0, 0x7FFFFFF0])('come in the order of their moments, each session once, also around %i', start => {
    const change = fc.record({ session: fc.nat(SESSIONS - 1), after: fc.nat(40), takes: fc.boolean() });
    fc.assert(fc.property(fc.array(change, { maxLength: 200 }), changes => {
      const deadlines = deadlinesOf(SESSIONS);
      const moments = new Map<number, number>();
      for (const { after, session, takes } of changes) {
        if (takes && moments.size > 0) {
          const earliest = Math.min(...moments.values());
          expect(deadlines.first).toBe(start + earliest | 0);
          const taken = deadlines.take();
          expect(moments.get(taken)).toBe(earliest);
          moments.delete(taken);
        } else {
          const before = Math.min(Infinity, ...moments.values());
          moments.set(session, Math.min(after, moments.get(session) ?? Infinity));
          const isEarliest = deadlines.request(session, start + after | 0);
          expect(isEarliest || moments.get(session)! >= before).toBe(true);
          expect(isEarliest && moments.get(session)! > before).toBe(false);
        }
        expect(deadlines.count).toBe(moments.size);
      }
    }), { numRuns: 500 });
  });

  it('are asked for by as many sessions as there are', () => {
    const deadlines = deadlinesOf(1000);
    for (let session = 0; session < 1000; ++session)
      deadlines.request(session, session * 7919 % 1000);
    expect(Array.from({ length: 1000 }, () => deadlines.take() * 7919 % 1000)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index));
  });
});
