/**
 * A storage is opened, another one perhaps: no message of a queue is known to be stored before its record is found
 * again.
 */
import type { PublishRecords } from './publish-records.ts';
import { ABANDONED, DONE, DOUBT, NONE, NOT_STORED } from './record-layout.ts';

export function doubtPositions(queue: PublishRecords): void {
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record))
    if (queue.positionOf(record) > ABANDONED)
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
    if (queue.positionOf(record) > ABANDONED && (queue.positionOf(record) & DOUBT) !== 0)
      queue.notePosition(record, NOT_STORED);
}

/** Whether a message of QoS 1 or 2 that is not done lies in no log, as far as is known. */
export function isUnstored(queue: PublishRecords, record: number): boolean {
  const position = queue.positionOf(record);
  return (position === NOT_STORED || position > ABANDONED && (position & DOUBT) !== 0)
    && queue.qosOf(record) !== 0 && queue.stateOf(record) !== DONE;
}
