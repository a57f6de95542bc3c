/**
 * Writes what a failed flush was for again, elsewhere: as copies at the tail of the queue, whose originals are
 * dropped when those are durable.
 */
import { NO_BLOCK } from './block-ring.ts';
import type { MessageQueue } from './message-queue.ts';
import * as Format from './record-format.ts';

/** Copies the messages from `from` on; negative: all. @returns whether that was possible */
export function copyFrom(queue: MessageQueue, from: number): boolean {
  const { record, ring } = queue;
  const { blockLength, sequences } = ring.medium;
  if (ring.tailBlock === NO_BLOCK || ring.tail === from)
    return true;
  const last = sequences[ring.tailBlock]!;
  if (!ring.advance())
    return false;
  for (let position = from < 0 ? queue.first() : queue.next(from), next = 0;
    position >= 0 && sequences[position / blockLength | 0]! <= last; position = queue.next(next)) {
    next = position + record.length;
    if (!ring.fits(record.length + Format.COPY_LENGTH)
      && !(ring.advance() && queue.load(position))) // a new block is begun by way of the staging area
      return false;
    if (queue.copy() === NO_BLOCK)
      return false;
  }
  return true;
}

/** The copies are durable. @param until position after the last original */
export function dropOriginals(queue: MessageQueue, from: number, until: number): void {
  const { record, ring } = queue;
  const { blockLength, sequences } = ring.medium;
  const last = sequences[(until - 1) / blockLength | 0]!;
  for (let position = from < 0 ? queue.first() : queue.next(from), next = 0;
    position >= 0 && sequences[position / blockLength | 0]! <= last; position = queue.next(next)) {
    next = position + record.length;
    queue.dropOriginal(position);
    queue.uncount(position / blockLength | 0);
  }
}
