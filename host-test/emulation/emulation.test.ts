/** The device core on an emulated microcontroller with the instruction set of an ESP32-C3. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { FROM_PEERS, LEAST_OF_A_TYPE, type RandomTraffic, TO_PEERS } from '../xs/random-traffic-expectations.ts';
import { forEachVectorLine } from '../xs/vector-lines.ts';
import { ALLOCATING, workloads } from '../xs/workloads.ts';
import { findOldRows, measureOnBoard, runProgramOnBoard, TABLE } from './instructions.mjs';

const TIME_LIMIT = 280_000;
/** What the SDK gives to the task that runs JavaScript on an ESP32. */
const C_STACK = 10_240;
const EVENTS = 40_000;
const SEED = 1;

describe('an emulated 32-bit RISC-V board', () => {
  let measurements: Awaited<ReturnType<typeof measureOnBoard>>;

  beforeAll(async () => {
    measurements = await measureOnBoard();
  }, TIME_LIMIT);

  it('runs every workload', () => {
    expect(measurements.map(({ workload }) => workload)).toEqual(workloads.map(({ name }) => name));
  });

  it.each(workloads.map(({ name }) => name))('%s: allocates nothing', name => {
    const { chunkBytes, collections, slots } = measurements.find(({ workload }) => workload === name)!;
    expect({ slots, chunkBytes, collections }).toEqual({ slots: 0, chunkBytes: 0, collections: 0 });
  });

  it('takes the instructions that INSTRUCTIONS.md tells (npm run instructions -- --write)', async () => {
    expect(findOldRows(measurements, await readFile(TABLE, 'utf8'))).toEqual([]);
  });

  it('needs less than half of the C stack of an ESP32', () => {
    for (const { stackBytes } of measurements) {
      expect(stackBytes).toBeGreaterThan(0);
      expect(stackBytes).toBeLessThan(C_STACK / 2);
    }
  });

  it('would notice a handler that allocates', async () => {
    const [measurement] = await measureOnBoard([ALLOCATING.name]);
    expect(measurement!.slots).toBeGreaterThan(0);
  }, TIME_LIMIT);

  it('counts the same instructions every time', async () => {
    const [first] = await measureOnBoard(['W1']);
    const [second] = await measureOnBoard(['W1']);
    expect(first!.instructions).toBe(second!.instructions);
  }, TIME_LIMIT);

  it('reads the vectors as Node does', async () => {
    const onNode: string[] = [];
    forEachVectorLine(false, line => onNode.push(line));
    expect(await runProgramOnBoard('vectors')).toEqual(onNode);
  }, TIME_LIMIT);

  it('allocates nothing for random traffic over slow sockets, and answers everything', async () => {
    const [line] = await runProgramOnBoard('random-traffic', [String(EVENTS), String(SEED)]);
    const { received, sent, ...rest } = JSON.parse(line!) as RandomTraffic;
    expect(rest).toEqual({ slots: 0, chunkBytes: 0, collections: 0, restless: 0, closed: 0 });
    expect(FROM_PEERS.filter(type => sent[type]! < LEAST_OF_A_TYPE)).toEqual([]);
    expect(TO_PEERS.filter(type => received[type]! < LEAST_OF_A_TYPE)).toEqual([]);
  }, TIME_LIMIT);
});

describe('a row of the table of instructions', () => {
  const row = (instructions: number): string => `| W1 | 314 | ${instructions} | 126 | 1 | 0 % |\n`;
  const measured = { workload: 'W1', instructions: 40_000 };

  it.each([
    ['of 2 % more is current', row(40_800), []],
    ['of 2 % less is current', row(39_300), []],
    ['that says more is old', row(41_000), ['W1']],
    ['that says less is old', row(39_000), ['W1']],
    ['that is missing is told', '', ['W1']],
    ['without a workload is told', `${row(40_000)}| W0 | 1 | 1 | 1 | 1 | 0 % |\n`, ['W0']],
  ])('%s', (_name, text, old) => {
    expect(findOldRows([measured], text)).toEqual(old);
  });
});
