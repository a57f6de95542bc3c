/** Packet identifiers are looked after in ranges: none is begun with in which one is in use. */
import type { PublishRecords } from './publish-records.ts';
import { DONE, NONE } from './record-layout.ts';

/** A power of two. */
export const IDENTIFIER_RANGE = 1024;
const LAST_IDENTIFIER = 65_535;

/** @returns the beginning of the first range from `start` on, which is one, in which no record has its identifier */
export function unusedRange(records: PublishRecords, start: number): number {
  let range = start & LAST_IDENTIFIER;
  for (let left = LAST_IDENTIFIER / IDENTIFIER_RANGE | 0; left > 0 && usesRange(records, range); --left)
    range = range + IDENTIFIER_RANGE & LAST_IDENTIFIER;
  return range;
}

function usesRange(records: PublishRecords, first: number): boolean {
  for (let record = records.following(NONE); record !== NONE; record = records.following(record)) {
    const identifier = records.identifierOf(record);
    if (identifier !== 0 && identifier >= first && identifier < first + IDENTIFIER_RANGE
      && records.stateOf(record) !== DONE)
      return true;
  }
  return false;
}
