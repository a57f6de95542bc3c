import { it } from 'vitest';
import { STEP_BUDGETS } from '../xs/budgets.ts';
import { measure } from '../xs/measurement.ts';
it('x', async () => {
  let a = 0, b = 0;
  for (const { workload, steps, slots, chunkBytes } of await measure(64, 1000)) {
    const old = STEP_BUDGETS[workload]!; a += old; b += steps;
    const limit = Math.max(15, old * .05);
    console.log(`${steps - old > limit ? '!!' : '  '} ${workload}: ${old} -> ${steps} (${steps - old}, limit ${limit | 0}) ${slots} ${chunkBytes}`);
  }
  console.log('sum', a, b, b / a);
}, 200000);
