/**
 * Runs on XS: what a message, a subscription or a connection costs beside many others. Prints one JSON object per work
 * and number of others: steps of one, and what the heap took. Script arguments: names of works; none: all.
 */
import { WORKS_AMONG_NODES } from './flat-among-nodes.ts';
import { WORKS } from './flat-works.ts';
import { host } from './globals.ts';

declare const print: (line: string) => void;
declare const readCounters: (counters: Float64Array) => void;
declare const scriptArguments: string[];

const before = new Float64Array(5);
const after = new Float64Array(5);

for (const { counts, name, prepare } of [...WORKS, ...WORKS_AMONG_NODES])
  if (scriptArguments.length === 0 || scriptArguments.includes(name))
    for (const others of counts) {
      const { rounds, run } = prepare(host, others);
      run();
      run();
      run();
      readCounters(before);
      readCounters(after);
      readCounters(before);
      run();
      readCounters(after);
      print(JSON.stringify({
        work: name,
        others,
        steps: Math.round((after[3]! - before[3]!) / rounds),
        slots: after[0]! - before[0]!,
        chunkBytes: after[1]! - before[1]!,
        collections: after[2]! - before[2]!,
      }));
    }
