/**
 * How long flash lasts under the store: worked out from the format itself, for "ringbridge check" and the README.
 * Blocks of an area are used in turn, so all of them wear out at the same time.
 */
import { BLOCK_HEADER_LENGTH, blocksOfMap, DOWN_PROPERTIES, lengthOfMessage } from './record-format.ts';
import { lengthOfState } from './state-log.ts';

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

/** Per second. */
export interface Rates {
  readonly up: number;
  readonly down: number;
  /** Changes of retained messages that came with QoS 1 or 2. */
  readonly retained: number;
}

/** Of both areas. */
export interface Life {
  /** Erasures of each block in a second: all blocks of an area are erased equally often. */
  readonly queueErasures: number;
  readonly mapErasures: number;
  /** Until the blocks of that area have been erased ERASE_CYCLES times. */
  readonly queueYears: number;
  readonly mapYears: number;
}

/** Topic length and QoS of a retained message. */
const RETAINED_HEADER = 3;

/**
 * @param contentLength of an average message: topic and payload
 * @param stateLength bytes that the map holds all the time: they are copied each time round
 */
export function estimateLife(storage: Storage, contentLength: number, rates: Rates, stateLength: number): Life {
  const { blockLength, size, stateShare } = storage;
  const room = blockLength - BLOCK_HEADER_LENGTH;
  const all = Math.floor(size / blockLength);
  const mapBlocks = blocksOfMap(all, stateShare);
  const perBlock = (length: number): number => Math.floor(room / length);
  const queueErasures = (rates.up / perBlock(lengthOfMessage(contentLength, 1))
    + rates.down / perBlock(lengthOfMessage(contentLength + DOWN_PROPERTIES, 1))) / (all - mapBlocks);
  // Of each round through the map's blocks what is live takes its share.
  const copied = mapBlocks === 0 ? 0 : stateLength * mapBlocks / (mapBlocks - 1); // one block is always free
  const gained = Math.max(mapBlocks * room - copied, room) / room;
  const changesPerBlock = perBlock(lengthOfState(RETAINED_HEADER + contentLength));
  const mapErasures = mapBlocks === 0 ? 0 : rates.retained / changesPerBlock / gained;
  const years = (erasures: number): number => ERASE_CYCLES / erasures / SECONDS_PER_YEAR;
  return { queueErasures, mapErasures, queueYears: years(queueErasures), mapYears: years(mapErasures) };
}
