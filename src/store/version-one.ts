/**
 * Reads what version 0.1 has stored (RBS1), and drains it: its blocks form one ring over the whole storage and are
 * read before all others, in their order; nothing is added. Its records are encoded PUBLISH packets whose topics were
 * mapped before.
 *
 *   block    | "RBS1" | sequence | block length | checksum | next block is being erased | 3 words reserved |
 *            | records ... |
 *   record   | 0xA5, packet length (3) | time | origin | origin's identifier (2), identifier (2) | rule | replaces |
 *            | checksum | PUBREC has come | delivered or given up | PUBREL has come | the packet | padding to 4 |
 */
import type { Arena } from '../bytes/arena.ts';
import { QOS_SHIFT, RETAIN } from '../packet/control-packet.ts';
import { NO_BLOCK } from './block-ring.ts';
import { type BlockScan, VERSION_ONE } from './block-scan.ts';
import type { Medium } from './medium.ts';
import * as Format from './record-format.ts';
import { DONE, MESSAGE_UP, RECEIVED, type StoredMessage } from './stored-message.ts';

const BLOCK_CHECKSUM = 12;
const BLOCK_ERASES_NEXT = 16;
const ORIGIN = 8;
const IDENTIFIERS = 12;
const RULE = 16;
const REPLACES = 20;
const CHECKSUM = 24;
const RECEIVED_MARK = 28;
const DONE_MARK = 32;
const RELEASED_MARK = 36;
const RECORD_HEADER_LENGTH = 40;
const NONE = -1;

const lengthOf = (packetLength: number): number => RECORD_HEADER_LENGTH + packetLength + 3 & ~3;

/** Whether the header in the staging area is one of RBS1. */
export function isVersionOneHeader(arena: Arena, blockLength: number): boolean {
  const { stagingOffset, view } = arena;
  return view.getUint32(stagingOffset) === Format.MAGIC_VERSION_ONE
    && view.getUint32(stagingOffset + Format.BLOCK_LENGTH) === blockLength
    && view.getInt32(stagingOffset + BLOCK_CHECKSUM) === Format.checksum(arena, stagingOffset, BLOCK_CHECKSUM, 0);
}

export class VersionOne {
  oldestBlock = NO_BLOCK;
  /** Unreadable records that were met. */
  damagedCount = 0;
  private readonly medium: Medium;
  /** Of its blocks, 0 for all others. */
  private readonly sequences: Uint32Array;
  private readonly tailBlock: number;

  /** @returns undefined when there are no blocks of version 0.1 */
  static find(medium: Medium, scan: BlockScan): VersionOne | undefined {
    for (let block = 0; block < medium.blockCount; ++block)
      if ((scan.flags[block]! & VERSION_ONE) !== 0)
        return new VersionOne(medium, scan);
    return undefined;
  }

  private constructor(medium: Medium, scan: BlockScan) {
    const { arena, blockCount, blockLength } = medium;
    this.medium = medium;
    const sequences = this.sequences = new Uint32Array(blockCount);
    let tail = 0, erasesNext = false;
    for (let block = 0; block < blockCount; ++block) {
      if ((scan.flags[block]! & VERSION_ONE) === 0 || !medium.read(block * blockLength, Format.BLOCK_HEADER_LENGTH))
        continue;
      sequences[block] = arena.view.getUint32(arena.stagingOffset + Format.BLOCK_SEQUENCE);
      if (sequences[block]! > sequences[tail]!) {
        tail = block;
        erasesNext = Format.isMark(arena.view.getInt32(arena.stagingOffset + BLOCK_ERASES_NEXT));
      }
    }
    this.tailBlock = tail;
    const next = tail + 1 === blockCount ? 0 : tail + 1;
    if (erasesNext
      && sequences[next] !== 0) // void, however valid it looks, and after the tail is gone nobody would know
      this.invalidate(next);
    for (let block = next, left = blockCount; left > 0 && this.oldestBlock === NO_BLOCK; --left,
      block = block + 1 === blockCount ? 0 : block + 1)
      if (sequences[block] !== 0)
        this.oldestBlock = block;
  }

  sequenceOf(block: number): number {
    return this.sequences[block]!;
  }

  holds(block: number): boolean {
    return this.sequences[block] !== 0;
  }

  /** @returns the block after this one, NO_BLOCK after the newest */
  successor(block: number): number {
    const { blockCount } = this.medium;
    while (block !== this.tailBlock) {
      block = block + 1 === blockCount ? 0 : block + 1;
      if (this.sequences[block] !== 0)
        return block;
    }
    return NO_BLOCK;
  }

  receivedAt(position: number): number {
    return position + RECEIVED_MARK;
  }

  doneAt(position: number): number {
    return position + DONE_MARK;
  }

  releasedAt(position: number): number {
    return position + RELEASED_MARK;
  }

  /** The block is going to be erased. A header of zeros makes it void, whatever an interrupted erasure leaves. */
  invalidate(block: number): void {
    if (!this.holds(block))
      return;
    const following = this.successor(block);
    this.medium.mark(block * this.medium.blockLength);
    this.medium.synchronize();
    this.sequences[block] = 0;
    if (block === this.oldestBlock)
      this.oldestBlock = following;
  }

  /**
   * Reads the first message at or after `offset` of the block, or in those after it, that is not settled. @returns
   * its position, or NONE
   */
  nextFrom(block: number, offset: number, record: StoredMessage): number {
    for (; block !== NO_BLOCK; block = this.successor(block), offset = Format.BLOCK_HEADER_LENGTH)
      for (let position = this.nextRecord(block * this.medium.blockLength + offset); position !== NONE;
        position = this.nextRecord(this.after(position)))
        if (this.load(position, record) && !record.isSettled)
          return position;
    return NONE;
  }

  /** @returns `position`, when a record can begin there; else NONE */
  nextRecord(position: number): number {
    return position % this.medium.blockLength !== 0 && this.packetLengthAt(position) !== NONE ? position : NONE;
  }

  /** @returns the position after the record at `position` */
  after(position: number): number {
    return position + lengthOf(this.packetLengthAt(position));
  }

  /** @returns whether the record is sound */
  load(position: number, record: StoredMessage): boolean {
    const { arena, blockLength } = this.medium;
    const { stagingOffset, view } = arena;
    const packetLength = this.packetLengthAt(position);
    const length = lengthOf(packetLength);
    const block = position / blockLength | 0;
    if (packetLength === NONE || length > arena.stagingCapacity || !this.medium.read(position, length))
      return false;
    const sum = Format.checksum(arena, stagingOffset, CHECKSUM, Format.MAGIC_VERSION_ONE ^ this.sequences[block]!);
    if (view.getInt32(stagingOffset + CHECKSUM) !== Format.checksum(arena, stagingOffset + RECORD_HEADER_LENGTH,
      packetLength + 3 & ~3, sum))
      return false;
    this.readFields(record, position, length);
    return this.readPacket(record, packetLength);
  }

  /** Whether the record is a copy of one that is there and not settled: one of the two is too many. */
  isVoidCopy(record: StoredMessage, scratch: StoredMessage): boolean {
    const { copyOf, position } = record;
    const { blockLength } = this.medium;
    const sequence = this.sequences[copyOf / blockLength | 0]!;
    return copyOf !== 0 && sequence !== 0 && sequence < this.sequences[position / blockLength | 0]!
      && this.load(copyOf, scratch) && !scratch.isSettled;
  }

  private packetLengthAt(position: number): number {
    const { arena, blockLength } = this.medium;
    const end = position - position % blockLength + blockLength;
    if (position + RECORD_HEADER_LENGTH > end || !this.medium.read(position, Format.WORD))
      return NONE;
    const word = arena.view.getUint32(arena.stagingOffset);
    const packetLength = word & 0xFFFFFF;
    return word >>> 24 === Format.RECORD_MAGIC && position + lengthOf(packetLength) <= end ? packetLength : NONE;
  }

  private readFields(record: StoredMessage, position: number, length: number): void {
    const { stagingOffset, view } = this.medium.arena;
    record.position = position;
    record.length = length;
    record.kind = MESSAGE_UP;
    record.isMapped = true;
    record.takenAt = record.deadline = 0;
    record.destinationCount = 1;
    record.origin = view.getInt32(stagingOffset + ORIGIN);
    record.originIdentifier = view.getUint16(stagingOffset + IDENTIFIERS);
    record.identifiers[0] = view.getUint16(stagingOffset + IDENTIFIERS + 2);
    record.rule = view.getUint32(stagingOffset + RULE);
    record.copyOf = view.getUint32(stagingOffset + REPLACES);
    record.isReleased = Format.isMark(view.getInt32(stagingOffset + RELEASED_MARK));
    record.states[0] = (Format.isMark(view.getInt32(stagingOffset + RECEIVED_MARK)) ? RECEIVED : 0)
      | (Format.isMark(view.getInt32(stagingOffset + DONE_MARK))
        || !this.medium.isWorking && this.medium.unwritten.isSettled(position) ? DONE : 0);
  }

  private readPacket(record: StoredMessage, packetLength: number): boolean {
    const { bytes, stagingOffset, view } = this.medium.arena;
    const packet = stagingOffset + RECORD_HEADER_LENGTH;
    const first = bytes[packet]!;
    let at = packet + 1;
    while (bytes[at++]! >= 0x80) { /* the Remaining Length */ }
    record.qos = first >> QOS_SHIFT & 3;
    record.retain = first & RETAIN;
    record.topicNameLength = view.getUint16(at);
    record.topicNameOffset = at + 2;
    record.payloadOffset = at + 2 + record.topicNameLength + (record.qos === 0 ? 0 : 2);
    record.payloadLength = packet + packetLength - record.payloadOffset;
    record.propertiesOffset = record.propertiesLength = 0;
    return record.payloadLength >= 0;
  }
}
