/**
 * Runs on XS: brings each workload into its steady state, warms it up, then counts what a number of rounds costs.
 * Prints one JSON object per workload. Script arguments: rounds, and optionally names of workloads.
 */
import { host } from './globals.ts';
import { ALLOCATING, workloads } from './workloads.ts';

declare const print: (line: string) => void;
declare const readCounters: (counters: Float64Array) => void;
declare const scriptArguments: string[];
declare const engine: string;

const before = new Float64Array(6);
const after = new Float64Array(6);
const rounds = Number(scriptArguments[0] ?? 1000);
const names = scriptArguments.slice(1);

/** Steps and time of the loop around each round and of the two readings, which no gateway spends. */
const overhead = { steps: 0, nanoseconds: 0 };
function measureOverhead(): void {
  readCounters(before);
  for (let round = 0; round < rounds; ++round)
    nothing.call(host, 88);
  readCounters(after);
  overhead.steps = after[3]! - before[3]!;
  overhead.nanoseconds = after[4]! - before[4]!;
}

function nothing(_count: number): void { /* what a socket would call */ }

for (const workload of names.length === 0 ? workloads
  : [...workloads, ALLOCATING].filter(({ name }) => names.includes(name))) {
  const run = workload.prepare(host);
  run(100);
  run(rounds);
  measureOverhead();
  readCounters(before);
  run(rounds);
  readCounters(after);
  print(JSON.stringify({
    engine,
    workload: workload.name,
    subject: 'ringbridge',
    steps: Math.round((after[3]! - before[3]! - overhead.steps) / rounds),
    slots: after[0]! - before[0]!,
    chunkBytes: after[1]! - before[1]!,
    collections: after[2]! - before[2]!,
    nsPerPacket: Math.round((after[4]! - before[4]! - overhead.nanoseconds) / rounds),
    stackBytes: after[5]!,
  }));
}
