/** Costs on the engine do not grow with what else there is: steps of one message or connection beside few and many. */
import { describe, expect, it } from 'vitest';
import { WORKS_AMONG_NODES } from './flat-among-nodes.ts';
import { WORKS } from './flat-works.ts';
import { runProgram } from './measurement.ts';

const TIME_LIMIT = 240_000;
/** The dearest of a work's counts may take so many times the steps of the cheapest. */
const FLAT = 1.5;

interface Line {
  readonly work: string;
  readonly steps: number;
}

describe('on XS', () => {
  const works = [...WORKS, ...WORKS_AMONG_NODES].map(({ counts, name, stepsPerOther }) =>
    [name, counts, stepsPerOther ?? 0] as const);
  it.each(works)('%s: %j cost the same', async (name, counts, stepsPerOther) => {
    const lines = (await runProgram(64, 'flatness', [name])).map(line => JSON.parse(line) as Line);
    expect(lines.map(({ work }) => work)).toEqual(counts.map(() => name));
    const steps = lines.map((line, index) => line.steps - stepsPerOther * counts[index]!);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps) / Math.min(...steps)).toBeLessThanOrEqual(FLAT);
  }, TIME_LIMIT);
});
