/**
 * How the store lies on its storage (README.md has the drawing): offsets, checksums and marks of the format RBS2.
 */
import type { Arena } from '../bytes/arena.ts';

export const MAGIC = 0x52425332;
/** Of an earlier format, and the part that all formats share. */
export const MAGIC_VERSION_ONE = 0x52425331;
/** What a program of this revision may not touch has a later one. */
export const REVISION = 0;

// Block
export const BLOCK_SEQUENCE = 4;
export const BLOCK_LENGTH = 8;
export const BLOCK_BOUNDARY = 12;
export const BLOCK_CHECKSUM = 16;
export const BLOCK_ERASES_NEXT = 20;
/** In the queue: what is not settled in this block is given up. */
export const BLOCK_GIVEN_UP = 24;
/** In the map: all that is live in the following block has a copy in this one or in a later one. */
export const BLOCK_COMPLETE = 24;
export const BLOCK_NEXT_ERASED = 28;
export const BLOCK_HEADER_LENGTH = 32;

// Record
export const RECORD_MAGIC = 0xA5;
export const RECORD_BODY_LENGTH = 4;
export const RECORD_CHECKSUM = 8;
/** Of a message: identifier of its first destination, when a power cut has torn the word that is there for it. */
export const SPARE_IDENTIFIER = 12;
export const RECORD_MARKS = 16;

// Marks of a message, words after RECORD_MARKS
export const RELEASED = 0;
export const FIRST_DESTINATION = 1;
export const MARKS_PER_DESTINATION = 4;
export const IDENTIFIER_MARK = 0;
export const RECEIVED_MARK = 1;
export const DONE_MARK = 2;
export const GIVEN_UP_MARK = 3;

// Body of a message: when it was taken (4), then
export const DEADLINE = 4;
export const RULE = 8;
export const ORIGIN = 12;
export const ORIGIN_IDENTIFIER = 16;
export const TOPIC_LENGTH = 18;
/** QoS, 4 for RETAIN, and COPY_FLAG; and the length of the properties in the lower three bytes. */
export const FLAGS = 20;
export const MESSAGE_BODY = 24;
export const COPY_FLAG = 8;

// Properties of a message down
/** Its number: what a node gets goes by that, wherever the records lie. */
export const DOWN_NUMBER = 0;
/** Place of the record that it replaces; 0: it is no copy. */
export const DOWN_COPY = 4;
export const DOWN_PROPERTIES = 8;
/** With a deadline: the identity of the rule of direction "in" that sets it, and the length with that. */
export const DOWN_RULE = 8;
export const LONGEST_DOWN_PROPERTIES = 12;

// Kinds beside those of messages (stored-message.ts)
export const SESSION = 3;
export const SUBSCRIPTION = 4;
export const RETAINED = 5;
export const WILL = 6;
export const RECEIVED_IDENTIFIER = 7;
export const QUARANTINED = 8;
export const ANNOUNCED = 9;
export const COUNTER = 10;
export const CLOCK = 11;
/** As QUARANTINED, and after the payload the Client Identifier of the node that has sent it, and its length (2). */
export const QUARANTINED_OF_NODE = 12;
/** What Home Assistant was told of: homeassistant/announced-cards.ts. */
export const DISCOVERED = 13;
/** Total of a pulse counter (8), under the hash of its name. */
export const PULSES = 20;
/** Version of every kind so far. */
export const KIND_VERSION = 1;

export const ERASED = 0xFFFFFFFF;
export const WORD = 4;

/** Smallest block: a sector of the flash that boards have. */
export const SMALLEST_BLOCK = 4096;
/** Of an area: one that is written, one that is kept free for it, one with content. */
export const FEWEST_BLOCKS = 3;

const { imul } = Math;
const FACTOR = 0x9E3779B1 | 0;
/** FACTOR times it is 1. */
const INVERSE = 0xE8B2F51 | 0;

/** Whether the word of a mark says yes: 0, or most of its bits, for some may flip by themselves. */
export function isMark(word: number): boolean {
  if (word === -1 || word === ERASED)
    return false;
  let bits = ~word;
  bits -= bits >>> 1 & 0x55555555;
  bits = (bits & 0x33333333) + (bits >>> 2 & 0x33333333);
  return imul(bits + (bits >>> 4) & 0x0F0F0F0F, 0x01010101) >>> 24 > 16;
}

/** Of `length` bytes, a multiple of 4. */
export function checksum(arena: Arena, offset: number, length: number, start: number): number {
  const { view } = arena;
  const end = offset + length;
  let sum = start;
  for (const first = offset + (length & 3 * WORD); offset < first; offset += WORD) {
    sum = imul(sum ^ view.getInt32(offset), FACTOR);
    sum ^= sum >>> 15;
  }
  for (; offset < end; offset += 4 * WORD) { // four words a turn: a quarter of the turns
    sum = imul(sum ^ view.getInt32(offset), FACTOR);
    sum = imul(sum ^ sum >>> 15 ^ view.getInt32(offset + WORD), FACTOR);
    sum = imul(sum ^ sum >>> 15 ^ view.getInt32(offset + 2 * WORD), FACTOR);
    sum = imul(sum ^ sum >>> 15 ^ view.getInt32(offset + 3 * WORD), FACTOR);
    sum ^= sum >>> 15;
  }
  return sum;
}

/** Of the record in the staging area, whose body begins at `body`, for a place in a block of that sequence. */
export function checksumOfRecord(arena: Arena, sequence: number, place: number, body: number): number {
  const { stagingOffset, view } = arena;
  const bodyLength = view.getInt32(stagingOffset + RECORD_BODY_LENGTH);
  let sum = imul(MAGIC ^ sequence ^ place << 16 ^ view.getInt32(stagingOffset), FACTOR); // as `checksum` of two words
  sum = imul(sum ^ sum >>> 15 ^ bodyLength, FACTOR);
  return checksum(arena, stagingOffset + body, (bodyLength & 0xFFFFFF) + 3 & ~3, sum ^ sum >>> 15);
}

/**
 * `checksumOfRecord` the other way round: each of its steps can be undone. @param body of the whole record in the
 * staging area @returns the sequence of the block under which it is sound
 */
export function sequenceOfRecord(arena: Arena, place: number, body: number): number {
  const { stagingOffset, view } = arena;
  const bodyLength = view.getInt32(stagingOffset + RECORD_BODY_LENGTH);
  const start = stagingOffset + body;
  let sum = view.getInt32(stagingOffset + RECORD_CHECKSUM);
  for (let at = start + ((bodyLength & 0xFFFFFF) + 3 & ~3) - WORD; at >= start; at -= WORD)
    sum = imul(sum ^ sum >>> 15 ^ sum >>> 30, INVERSE) ^ view.getInt32(at);
  sum = imul(sum ^ sum >>> 15 ^ sum >>> 30, INVERSE) ^ bodyLength;
  sum = imul(sum ^ sum >>> 15 ^ sum >>> 30, INVERSE);
  return (sum ^ MAGIC ^ place << 16 ^ view.getInt32(stagingOffset)) >>> 0;
}

/** Bytes of a record with `marks` words of marks, padding included. */
export const lengthOfRecord = (marks: number, bodyLength: number): number =>
  RECORD_MARKS + marks * WORD + bodyLength + 3 & ~3;

export const marksOf = (destinationCount: number): number =>
  FIRST_DESTINATION + destinationCount * MARKS_PER_DESTINATION;

/** Bytes of a message's record. @param contentLength of topic, properties and payload together */
export const lengthOfMessage = (contentLength: number, destinationCount: number): number =>
  RECORD_MARKS + MESSAGE_BODY + contentLength + (FIRST_DESTINATION + destinationCount * MARKS_PER_DESTINATION) * WORD
    + 3 & ~3;

/** Bytes that a copy has more: the place of its original. */
export const COPY_LENGTH = 4;

/** Smallest block length, a power of two, whose blocks hold a record of `longest` bytes and its copy. */
export function blockLengthForRecord(longest: number): number {
  let length = SMALLEST_BLOCK;
  while (length < BLOCK_HEADER_LENGTH + longest + COPY_LENGTH)
    length *= 2;
  return length;
}

/** The same for a PUBLISH packet of `longest` bytes at most. */
export const blockLengthFor = (longest: number): number => blockLengthForRecord(lengthOfMessage(longest, 1));

/** Blocks of the map that may have so much of a storage; 0: it would leave the queue, or itself, too few. */
export function blocksOfMap(blockCount: number, stateShare: number): number {
  const wanted = Math.max(FEWEST_BLOCKS, Math.floor(blockCount * stateShare));
  return stateShare > 0 && blockCount - wanted >= FEWEST_BLOCKS ? wanted : 0;
}
