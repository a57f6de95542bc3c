/**
 * The vectors as lines of text, the same on every engine: name, fragmentation, log. Long vectors are for Node alone,
 * where feeding them byte by byte is cheap.
 */
import { ALL_VECTORS } from '../vectors/all-vectors.ts';
import { type RunOptions, VectorMachine } from '../vectors/run-vector.ts';
import { bytesOf } from '../vectors/vector.ts';

const LONGEST = 200;

/** @param resizable as on the board, or as on Node */
export function forEachVectorLine(resizable: boolean, onLine: (line: string) => void): void {
  for (const vector of ALL_VECTORS) {
    const bytes = bytesOf(vector.hex);
    if (bytes.length > LONGEST)
      continue;
    const maximumPacketSize = Math.max(bytes.length, 8);
    const machine = new VectorMachine({ maximumPacketSize, resizable });
    const ways: RunOptions[] = [{}, { every: 1 }, { every: 2, pauseEvery: 1 }];
    for (let cut = 1; cut < bytes.length; ++cut)
      ways.push({ cuts: [cut] });
    for (const way of ways)
      onLine(`${vector.name} ${JSON.stringify(way)} ${machine.run(bytes, vector.sender, vector.version, way).join(' | ')}`);
  }
}
