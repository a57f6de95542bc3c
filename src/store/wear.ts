/**
 * How long flash lasts under the store: worked out from the format itself, for "ringbridge check" and the README. Blocks are
 * used in turn, so all wear out at the same time.
 */
import { BLOCK_HEADER_LENGTH, lengthOfRecord } from './format.ts';

/** Erasures that a sector of a board's flash is made for. */
export const ERASE_CYCLES = 100_000;

const SECONDS_PER_YEAR = 365.25 * 86_400;

export interface Wear {
  readonly recordLength: number;
  /** Erasures of a block for each message: a small part of one. */
  readonly erasuresPerMessage: number;
  /** Program operations for each message, the marks and its share of the blocks' included. */
  readonly programsPerMessage: number;
  readonly programmedBytesPerMessage: number;
  /** Messages that wait at most. */
  readonly capacity: number;
  /** Until every block has been erased ERASE_CYCLES times. */
  readonly years: number;
}

/**
 * @param size of the storage @param blockLength of it @param packetLength of an average PUBLISH packet
 * @param isExactlyOnce whether it is of QoS 2, from a node: PUBREC and PUBREL are marked too
 */
export function estimateWear(size: number, blockLength: number, packetLength: number, messagesPerSecond: number, isExactlyOnce: boolean): Wear {
  const recordLength = lengthOfRecord(packetLength);
  const perBlock = Math.floor((blockLength - BLOCK_HEADER_LENGTH) / recordLength);
  const blocks = Math.floor(size / blockLength);
  const marks = isExactlyOnce ? 3 : 1;
  return {
    recordLength,
    erasuresPerMessage: 1 / perBlock,
    programsPerMessage: 1 + marks + 2 / perBlock, // a block has a header and says once that the next one is erased
    programmedBytesPerMessage: recordLength + marks * 4 + 20 / perBlock,
    capacity: (blocks - 1) * perBlock,
    years: blocks * perBlock * ERASE_CYCLES / messagesPerSecond / SECONDS_PER_YEAR,
  };
}
