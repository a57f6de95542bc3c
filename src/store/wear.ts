/**
 * How long flash lasts under the store: worked out from the format itself, for "ringbridge check" and the README.
 * Blocks of the queue are used in turn, so all of them wear out at the same time; the map's are written far less.
 */
import { BLOCK_HEADER_LENGTH, blocksOfMap, lengthOfMessage } from './record-format.ts';

/** Erasures that a sector of a board's flash is made for. */
export const ERASE_CYCLES = 100_000;

const SECONDS_PER_YEAR = 365.25 * 86_400;
/** Of each block: its header, and two marks of the block before. */
const PROGRAMS_PER_BLOCK = 3;

export interface Storage {
  /** Bytes of it, and of a block. */
  readonly size: number;
  readonly blockLength: number;
  /** Share of the map, 0 to 1. */
  readonly stateShare: number;
}

export interface Wear {
  readonly recordLength: number;
  /** Erasures of a block for each message: a small part of one. */
  readonly erasuresPerMessage: number;
  /**
   * Program operations for each message that goes out at once, the marks and its share of the blocks' included; one
   * more for each that has waited.
   */
  readonly programsPerMessage: number;
  /** Messages that wait at most. */
  readonly capacity: number;
  /** Until every block of the queue has been erased ERASE_CYCLES times. */
  readonly years: number;
}

/**
 * @param contentLength of an average message: topic and payload
 * @param isExactlyOnce whether it is of QoS 2, from a node: PUBREC and PUBREL are marked too
 */
export function estimateWear(storage: Storage, contentLength: number, messagesPerSecond: number,
  isExactlyOnce: boolean): Wear {
  const { blockLength, size, stateShare } = storage;
  const recordLength = lengthOfMessage(contentLength, 1);
  const perBlock = Math.floor((blockLength - BLOCK_HEADER_LENGTH) / recordLength);
  const all = Math.floor(size / blockLength);
  const blocks = all - blocksOfMap(all, stateShare);
  const marks = isExactlyOnce ? 3 : 1; // done; received and released. The identifier lies in the record
  return {
    recordLength,
    erasuresPerMessage: 1 / perBlock,
    programsPerMessage: 1 + marks + PROGRAMS_PER_BLOCK / perBlock,
    capacity: (blocks - 1) * perBlock,
    years: blocks * perBlock * ERASE_CYCLES / messagesPerSecond / SECONDS_PER_YEAR,
  };
}
