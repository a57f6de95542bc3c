/**
 * How the store lies on its storage. All numbers are big-endian words.
 *
 *   block    | "RBS1" | sequence | block length | checksum | next block is being erased | 3 words reserved | records ... |
 *   record   | 0xA5, packet length (3) | time | origin | origin's identifier (2), identifier (2) | rule | replaces | checksum |
 *            | released | done | received | the encoded PUBLISH | padding to 4 |
 *
 * The sequence grows by one with each block that is begun. A record lies in one block. Its checksum covers the
 * block's sequence, the words before it and the packet; the three words behind it are marks: PUBREC has come from upstream;
 * delivered or given up; PUBREL has come from the node. A mark is 0xFFFFFFFF at first and programmed to 0, and the majority
 * of its bits counts: some that flip by themselves must not lose a message. A power cut while it is programmed may leave
 * either, and both are right: its fact has happened, and nothing that depends on it.
 *
 *   time       seconds since 1970 when the message was taken, 0 if nobody knew
 *   origin     hash of the Client Identifier of a node that sent the message with QoS 2, 0 for all others
 *   rule       index among the topic rules of direction "out"
 *   replaces   position of the record of which this one is a copy, 0 for none: that one is void
 */
import type { Arena } from '../bytes/arena.ts';

export const BLOCK_MAGIC = 0x52425331;
export const BLOCK_HEADER_LENGTH = 32;
export const BLOCK_SEQUENCE = 4;
export const BLOCK_LENGTH = 8;
export const BLOCK_CHECKSUM = 12;
export const BLOCK_ERASES_NEXT = 16;

export const RECORD_MAGIC = 0xA5;
export const RECORD_HEADER_LENGTH = 40;
export const TIME = 4;
export const ORIGIN = 8;
export const IDENTIFIERS = 12;
export const RULE = 16;
export const REPLACES = 20;
export const CHECKSUM = 24;
export const RELEASED = 28;
export const DONE = 32;
export const RECEIVED = 36;

export const ERASED_WORD = 0xFFFFFFFF;
export const WORD_LENGTH = 4;

/** Smallest block: a sector of the flash that boards have. */
export const SMALLEST_BLOCK = 4096;
/** One that is written, one that is kept free for it, one with messages. */
export const FEWEST_BLOCKS = 3;

const { imul } = Math;

/** Whether the word of a mark says yes. */
export function isMark(word: number): boolean {
  let bits = ~word;
  bits -= bits >>> 1 & 0x55555555;
  bits = (bits & 0x33333333) + (bits >>> 2 & 0x33333333);
  return imul(bits + (bits >>> 4) & 0x0F0F0F0F, 0x01010101) >>> 24 > 16;
}

/** Bytes of the record of a packet, padding included. */
export const lengthOfRecord = (packetLength: number): number => RECORD_HEADER_LENGTH + packetLength + 3 & ~3;

/** Smallest block length, a power of two, whose blocks hold a packet of `longest` bytes. */
export function blockLengthFor(longest: number): number {
  let length = SMALLEST_BLOCK;
  while (length < BLOCK_HEADER_LENGTH + lengthOfRecord(longest))
    length *= 2;
  return length;
}

/** Of `length` bytes, a multiple of 4. */
export function checksum(arena: Arena, offset: number, length: number, start: number): number {
  const { view } = arena;
  let sum = start;
  for (const end = offset + length; offset < end; offset += 4) {
    sum = imul(sum ^ view.getInt32(offset), 0x9E3779B1);
    sum ^= sum >>> 15;
  }
  return sum;
}

/** Of the record in the staging area whose packet has `packetLength` bytes, in a block of that sequence. */
export function checksumOfRecord(arena: Arena, packetLength: number, sequence: number): number {
  const sum = checksum(arena, arena.stagingOffset, CHECKSUM, BLOCK_MAGIC ^ sequence);
  return checksum(arena, arena.stagingOffset + RECORD_HEADER_LENGTH, packetLength + 3 & ~3, sum);
}
