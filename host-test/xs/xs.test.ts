/**
 * What is claimed of the engine, proved on the engine: the device bundle's core runs on XS, and after a connection is
 * set up no packet takes a slot or a byte of the heap.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { PUBCOMP, PUBREC, PUBREL } from '../../src/packet/control-packet.ts';
import { STEP_BUDGETS } from './budgets.ts';
import { measure, type Measurement, runProgram, widths } from './measurement.ts';
import { FROM_PEERS, LEAST_OF_A_TYPE, type RandomTraffic, TO_PEERS } from './random-traffic-expectations.ts';
import { forEachVectorLine } from './vector-lines.ts';
import { ALLOCATING, workloads } from './workloads.ts';

const ROUNDS = 1000;
const TIME_LIMIT = 240_000;

const SEEDS = [1, 2, 3];
const EVENTS = 40_000;

describe.each(widths())('XS with %i bits', width => {
  let measurements: Measurement[];

  beforeAll(async () => {
    measurements = await measure(width, ROUNDS);
  }, TIME_LIMIT);

  it('runs every workload', () => {
    expect(measurements.map(({ workload }) => workload)).toEqual(workloads.map(({ name }) => name));
  });

  it.each(workloads.map(({ name }) => name))(`%s: ${ROUNDS} rounds allocate nothing`, name => {
    const { chunkBytes, collections, slots } = measurements.find(({ workload }) => workload === name)!;
    expect({ slots, chunkBytes, collections }).toEqual({ slots: 0, chunkBytes: 0, collections: 0 });
  });

  it.each(workloads.map(({ name }) =>
    name))('%s: keeps its budget of steps, and the budget is no more than a tenth above', name => {
    const { steps } = measurements.find(({ workload }) => workload === name)!;
    const budget = STEP_BUDGETS[name];
    expect(budget, `"${name}" has no budget: it takes ${steps} steps`).toBeDefined();
    expect(steps).toBeLessThanOrEqual(budget!);
    expect(steps).toBeGreaterThanOrEqual(budget! * 0.9);
  });

  it('would notice a handler that allocates', async () => {
    const [measurement] = await measure(width, ROUNDS, [ALLOCATING.name]);
    expect(measurement!.slots).toBeGreaterThanOrEqual(ROUNDS);
  }, TIME_LIMIT);

  it.each(SEEDS)('random traffic over slow sockets, seed %i: nothing is allocated, everything is answered, nobody is disconnected', async seed => {
    const [line] = await runProgram(width, 'random-traffic', [String(EVENTS), String(seed)]);
    const { received, sent, ...rest } = JSON.parse(line!) as RandomTraffic;
    expect(rest).toEqual({ slots: 0, chunkBytes: 0, collections: 0, restless: 0, closed: 0 });
    expect(FROM_PEERS.filter(type => sent[type]! < LEAST_OF_A_TYPE)).toEqual([]);
    expect(TO_PEERS.filter(type => received[type]! < LEAST_OF_A_TYPE)).toEqual([]);
    expect([received[PUBREL], received[PUBCOMP]]).toEqual([sent[PUBREC], sent[PUBREL]]);
  }, TIME_LIMIT);

  it('reads the vectors as Node does', async () => {
    const onNode: string[] = [];
    forEachVectorLine(false, line => onNode.push(line));
    expect(await runProgram(width, 'vectors')).toEqual(onNode);
  }, TIME_LIMIT);
});

it('has no budget for a workload that does not exist', () => {
  expect(Object.keys(STEP_BUDGETS).filter(name => !workloads.some(workload => workload.name === name))).toEqual([]);
});
