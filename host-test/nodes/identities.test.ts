/** Identities beside a list that is searched. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { NodeStates } from '../../src/nodes/node-states.ts';

const COUNT = 12;
const LIMITS = { queueCapacity: 64, maximumQueuedMessages: 4, maximumInflightMessages: 2 };

it.each([8, COUNT])('of %i places are found whoever came, went, or was restored with an identity that another one has', places => {
  const change = fc.record({ name: fc.nat(COUNT - 1), act: fc.nat(3), identity: fc.integer({ min: -4, max: 4 }) });
  fc.assert(fc.property(fc.array(change, { maxLength: 60 }), changes => {
    const plan = new ArenaPlan();
    const at = plan.reserve('name', 1);
    const statesPlan = NodeStates.plan(plan, places, LIMITS, 8);
    const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
    const nodes = new NodeStates(arena, statesPlan, LIMITS, 8, 0);
    for (const { name, act, identity } of changes) {
      arena.bytes[at] = 0x61 + name;
      const known = nodes.find(at, 1);
      if (known !== undefined && act === 0)
        nodes.release(known);
      else if (known === undefined && nodes.findFree() !== undefined) {
        const node = nodes.findFree()!;
        nodes.name(node, at, 1, -1);
        if (act === 1)
          nodes.identities.give(node, identity);
        nodes.identities.distinguish(node);
      }
      const here = nodes.states.filter(state => state.identifierLength !== 0);
      expect(new Set(here.map(state => state.identity)).size).toBe(here.length);
      for (const state of here)
        expect(nodes.identities.find(state.identity)).toBe(state);
      expect(nodes.identities.find(77)).toBeUndefined();
    }
  }), { numRuns: 300 });
});
