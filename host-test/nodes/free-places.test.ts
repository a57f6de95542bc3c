/** The ring of free places beside a list. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { FreePlaces } from '../../src/nodes/free-places.ts';

const COUNT = 9;

it('gives the place that has been free for longest, whatever else is taken and comes back', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(COUNT - 1)), { maxLength: 100 }), changes => {
    const plan = new ArenaPlan();
    const offset = plan.reserve('free places', FreePlaces.lengthFor(COUNT));
    const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
    const places = new FreePlaces(arena, offset, COUNT);
    const free = Array.from({ length: COUNT }, (_, index) => index);
    const taken: number[] = [];
    for (const [takes, which] of changes) {
      if (takes && free.length > 0) {
        const [place] = free.splice(which % free.length, 1);
        places.take(place!);
        taken.push(place!);
      } else if (!takes && taken.length > 0) {
        const [place] = taken.splice(which % taken.length, 1);
        places.add(place!);
        free.push(place!);
      }
      if (free.length > 0)
        expect(places.first).toBe(free[0]);
    }
  }), { numRuns: 500 });
});
