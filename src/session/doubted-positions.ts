/**
 * A storage is opened, another one perhaps: no message of a queue is known to be stored before its record is found
 * again.
 */
import type { PublishRecords } from './publish-records.ts';
import { NONE, NOT_STORED } from './record-layout.ts';

/** Positions are those of words: this says that nobody knows what lies there now. */
const DOUBT = 1;

export function doubtPositions(queue: PublishRecords): void {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.positionOf(record) !== NOT_STORED)
      queue.notePosition(record, queue.positionOf(record) | DOUBT);
}

/** The message that was stored at `position` still is. @returns its record, or NONE when none was */
export function confirmPosition(queue: PublishRecords, position: number): number {
  const record = queue.findStored(position + DOUBT);
  if (record !== NONE)
    queue.notePosition(record, position);
  return record;
}

/** What was not found is not stored. */
export function endDoubt(queue: PublishRecords): void {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if ((queue.positionOf(record) & DOUBT) !== 0)
      queue.notePosition(record, NOT_STORED);
}
