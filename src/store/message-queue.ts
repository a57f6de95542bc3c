/**
 * Messages in the order in which they came: pushed at the tail, read back from the front, settled in any order. What
 * block is free follows from the number of messages in it that are not settled; nothing else is kept of a message in
 * memory.
 */
import { BlockRing, NO_BLOCK, type RingOwner } from './block-ring.ts';
import type { Medium } from './medium.ts';
import { giveUpAll, identifierOf, readMessage, stageCopy, stageHead, stageMessage,
  wordOfIdentifier } from './message-record.ts';
import * as Format from './record-format.ts';
import { NO_RECORD, type RecordWalker } from './record-walker.ts';
import { LONGEST_CLOCK_BODY, type StoreClock } from './store-clock.ts';
import { MESSAGE_DOWN, MESSAGE_UP, type MessageFields, SETTLED, StoredMessage } from './stored-message.ts';
import { RoomMaker } from './room-maker.ts';
import type { StoreOwner, VictimHandler } from './store-owner.ts';
import type { VersionOne } from './version-one.ts';

/** Results of `push` that are no position. */
export const NO_ROOM = 0;
export const TOO_LONG = -1;
export const FAILED = -2;
/** No record. */
export const NONE = -1;

const CLOCK_HEAD = Format.RECORD_MARKS;
const LONGEST_CLOCK = CLOCK_HEAD + LONGEST_CLOCK_BODY;

/** Writes down what time it is. @returns whether there was room */
export interface Ticker {
  tick(): boolean;
}

export class MessageQueue implements RingOwner {
  /** What `next` and `load` have read. */
  readonly record = new StoredMessage();
  /** Messages that are not settled. */
  pendingCount = 0;
  /** A message with a deadline has been among them since there were none. */
  hasDeadlines = false;
  readonly ring: BlockRing;
  /** Of version 0.1, as long as there are any. */
  versionOne: VersionOne | undefined = undefined;
  private readonly roomMaker: RoomMaker;
  private readonly medium: Medium;
  private readonly walker: RecordWalker;
  private owner: StoreOwner | undefined = undefined;
  private readonly ticker: Ticker;
  /** The log says when this life began: without that nobody could tell later what was taken in it and what before. */
  private hasTick = false;
  /** Messages that are not settled, per block of the storage. */
  private pending = new Uint16Array(0);
  private pendingBytes = 0;
  /** The message that was pushed last, as long as none of its marks has been programmed. */
  private untouched = NONE;
  /** A message with more than one destination is settled when its last one is: that must be looked up. */
  private mostDestinations = 1;

  constructor(medium: Medium, walker: RecordWalker, ticker: Ticker) {
    this.medium = medium;
    this.walker = walker;
    this.ticker = ticker;
    this.ring = new BlockRing(medium, this);
    this.roomMaker = new RoomMaker(this, medium);
  }

  open(owner: StoreOwner, boundary: number, versionOne: VersionOne | undefined): void {
    this.owner = owner;
    this.ring.open(0, boundary, boundary);
    this.pending = new Uint16Array(this.medium.blockCount);
    this.pendingCount = this.pendingBytes = 0;
    this.hasDeadlines = this.hasTick = false;
    this.untouched = NONE;
    this.mostDestinations = 1;
    this.versionOne = versionOne;
  }

  /** Bytes that they take: exact when they are of one length, else by their average. */
  get pendingLength(): number {
    return this.pendingBytes;
  }

  /** Bytes of the blocks that cannot be used for others. */
  get usedLength(): number {
    const { medium, pending, ring } = this;
    let length = 0;
    for (let block = 0; block < medium.blockCount; ++block)
      if (block === ring.tailBlock)
        length += ring.tailOffset - Format.BLOCK_HEADER_LENGTH;
      else if (pending[block] !== 0)
        length += medium.blockLength - Format.BLOCK_HEADER_LENGTH;
    return length;
  }

  /** Bytes that records can fill. */
  get capacity(): number {
    return this.ring.capacity;
  }

  /**
   * @param spare blocks that must stay free for others, beside the one that always is
   * @returns the position, or NO_ROOM, TOO_LONG, FAILED. What the message is made of may lie anywhere but in the
   * staging area
   */
  push(message: MessageFields, destinationCount = 1, spare = 0): number {
    const { medium, ring } = this;
    if (!medium.isWorking)
      return FAILED;
    if (message.deadline !== 0 && !this.hasTick && !(this.hasTick = this.ticker.tick()))
      return NO_ROOM;
    const length =
      Format.lengthOfMessage(message.topicNameLength + message.propertiesLength + message.payloadLength,
        destinationCount);
    if (!ring.fits(length)) {
      if (!ring.canHold(length + Format.COPY_LENGTH))
        return TOO_LONG;
      if (!this.canAdvance(spare))
        return NO_ROOM;
      if (!ring.advance())
        return FAILED;
    } else if (spare > 0 && !this.isFreeAhead(spare))
      return NO_ROOM; // what is left of this block is for others, too
    const position = ring.append(length, stageMessage(medium.arena, message, destinationCount));
    if (position === NO_BLOCK)
      return FAILED;
    this.count(ring.tailBlock, message, length);
    this.untouched = message.identifier === 0 ? position : NONE;
    if (destinationCount > this.mostDestinations)
      this.mostDestinations = destinationCount;
    medium.written = medium.written + 1 | 0;
    return position;
  }

  /** Whether a record of `length` bytes (`lengthOfMessage`) can be pushed without giving anything up. */
  canPush(length: number, spare = 0): boolean {
    return this.medium.isWorking && (this.ring.fits(length) ? spare === 0 || this.isFreeAhead(spare)
      : this.canHold(length) && this.canAdvance(spare));
  }

  /** Whether a block can. */
  canHold(length: number): boolean {
    return this.ring.canHold(length + Format.COPY_LENGTH);
  }

  /** Bytes that can be pushed for certain, where `canPush` says so of some. */
  certainLength(spare: number): number {
    const { medium: { blockLength }, ring } = this;
    return this.canAdvance(spare) ? blockLength - Format.BLOCK_HEADER_LENGTH : blockLength - ring.tailOffset;
  }

  /** Reads the oldest message that is not settled into `record`. @returns its position, or NONE */
  first(): number {
    const old = this.versionOne === undefined ? NO_BLOCK : this.versionOne.oldestBlock;
    const block = old === NO_BLOCK ? this.oldestBlock : old;
    return block === NO_BLOCK ? NONE : this.nextFrom(block, Format.BLOCK_HEADER_LENGTH);
  }

  /**
   * Reads the first message at or after `position` that is not settled into `record`: the one after it is at
   * `position + record.length`. @returns its position, or NONE
   */
  next(position: number): number {
    const { blockLength } = this.medium;
    const block = position / blockLength | 0;
    const offset = position - block * blockLength;
    return offset === 0 ? this.nextFrom(block - 1, blockLength)
      : this.nextFrom(block, offset); // 0: a record has filled the block before
  }

  /** Reads the message at `position`, settled or not, into `record`. @returns whether it is sound */
  load(position: number): boolean {
    const block = position / this.medium.blockLength | 0;
    if (this.versionOne?.holds(block))
      return this.versionOne.load(position, this.record);
    if (this.medium.sequences[block] === 0 || !this.walker.readAt(position) || !this.read(position))
      return false;
    if (this.pending[block] === 0)
      giveUpAll(this.record);
    return true;
  }

  /**
   * It is going to be sent under this identifier. @param isAwaited whether that must be durable before @returns false
   * when that cannot be written: it has another one, a power cut has torn its word, and of the first destination the
   * spare word too, or the storage has failed
   */
  underWay(position: number, destination: number, identifier: number, isAwaited: boolean): boolean {
    const { arena } = this.medium;
    if (this.versionOne?.holds(position / this.medium.blockLength | 0))
      return true;
    let at = this.markAt(position, destination, Format.IDENTIFIER_MARK);
    let word = position === this.untouched ? Format.ERASED : this.readWord(at);
    if (word !== Format.ERASED && destination === 0 && identifierOf(word) === 0)
      word = this.readWord(at = position + Format.SPARE_IDENTIFIER);
    if (word !== Format.ERASED)
      return false;
    this.untouched = NONE;
    arena.view.setInt32(arena.stagingOffset, wordOfIdentifier(identifier));
    return isAwaited ? this.note(this.medium.program(at, Format.WORD)) : this.medium.program(at, Format.WORD);
  }

  /** PUBREC has come. */
  received(position: number, destination: number): void {
    this.note(this.medium.mark(this.versionOne?.holds(position / this.medium.blockLength | 0)
      ? this.versionOne.receivedAt(position)
      : this.markAt(position, destination, Format.RECEIVED_MARK)));
  }

  /** The origin will not send it again. */
  released(position: number): void {
    const { medium, versionOne } = this;
    const isVersionOne = versionOne?.holds(position / medium.blockLength | 0) === true;
    this.note(medium.mark(isVersionOne ? versionOne!.releasedAt(position) : position + Format.RECORD_MARKS));
    if (!isVersionOne)
      medium.unwritten.release(position);
  }

  /** Once for each destination. Nobody waits for that to be durable: at worst the last step is repeated. */
  done(position: number, destination: number): void {
    this.settle(position, destination, Format.DONE_MARK);
  }

  /** Once for each destination, in place of `done`. */
  giveUp(position: number, destination: number): void {
    this.settle(position, destination, Format.GIVEN_UP_MARK);
    this.note(true);
  }

  /**
   * Gives up the oldest block that stands in the way. A message that is to be moved and does not fit is given up.
   * @returns false when something in it must be kept, nothing has changed then; or the storage has failed
   */
  makeRoom(victims: VictimHandler): boolean {
    return this.medium.isWorking && this.roomMaker.run(victims);
  }

  // RingOwner

  isFree(block: number): boolean {
    return this.pending[block] === 0;
  }

  onBlockErased(block: number): void {
    const { blockLength } = this.medium;
    this.owner!.onBlockErased(block * blockLength, (block + 1) * blockLength);
  }

  /** Puts the clock into the log. @returns whether there was room */
  putClock(clock: StoreClock): boolean {
    const { medium, ring } = this;
    const { arena } = medium;
    if (!ring.fits(LONGEST_CLOCK) && !(this.canAdvance(0) && ring.advance()))
      return false;
    const bodyLength = clock.save(arena, arena.stagingOffset + CLOCK_HEAD);
    stageHead(arena, Format.CLOCK, 0, bodyLength);
    return this.note(ring.append(CLOCK_HEAD + bodyLength, CLOCK_HEAD) !== NO_BLOCK);
  }

  // For recovery, for making room and for what a failed flush has left

  /** A record of so many bytes that is not settled lies in the block. */
  count(block: number, message: MessageFields, length: number): void {
    ++this.pending[block]!;
    ++this.pendingCount;
    this.pendingBytes += length;
    if (message.deadline !== 0)
      this.hasDeadlines = true;
  }

  /** The record at `position` is read. @returns whether it is a message */
  read(position: number): boolean {
    const { record, walker } = this;
    record.position = position;
    record.length = walker.length;
    record.kind = walker.kind;
    if (walker.kind !== MESSAGE_UP && walker.kind !== MESSAGE_DOWN || walker.version !== Format.KIND_VERSION
      || !readMessage(this.medium.arena, record, walker.marks, walker.bodyLength))
      return false;
    if (record.destinationCount > this.mostDestinations)
      this.mostDestinations = record.destinationCount;
    if (!this.medium.isWorking && this.medium.unwritten.isSettled(position))
      giveUpAll(record);
    return true;
  }

  /** Appends a copy of `record`, which lies in the staging area. @returns its position, or NO_BLOCK */
  copy(): number {
    const { record, ring } = this;
    const { destinationCount, position } = record;
    const length = stageCopy(this.medium.arena, record);
    const to = ring.append(length, Format.RECORD_MARKS + Format.marksOf(destinationCount) * Format.WORD);
    if (to === NO_BLOCK)
      return NO_BLOCK;
    this.count(ring.tailBlock, record, length);
    this.owner!.onMoved(position, to);
    return to;
  }

  /** The message at `position`, which is read, has a copy that counts. */
  dropOriginal(position: number): void {
    const { medium, record: { destinationCount, states } } = this;
    for (let destination = 0; destination < destinationCount; ++destination)
      if ((states[destination]! & SETTLED) === 0
        && !medium.mark(this.markAt(position, destination, Format.GIVEN_UP_MARK)))
        medium.unwritten.settle(position);
  }

  /** Reads the first message at or after `offset` of the block that is not settled. @returns its position, or NONE */
  firstIn(block: number, offset: number): number {
    if (this.pending[block] === 0 || offset >= this.medium.blockLength)
      return NONE;
    const position = this.nextFrom(block, offset);
    return position !== NONE && (position / this.medium.blockLength | 0) === block ? position : NONE;
  }

  /** All messages of the block are given up. */
  clear(block: number): void {
    const count = this.pending[block]!;
    this.pendingCount -= count;
    this.forget(count);
    this.pending[block] = 0;
  }

  /** One message of the block less. */
  uncount(block: number): void {
    if (this.pending[block] === 0)
      return;
    --this.pending[block]!;
    --this.pendingCount;
    this.forget(1);
  }

  get oldestBlock(): number {
    return this.ring.tailBlock === NO_BLOCK ? NO_BLOCK : this.ring.following(this.ring.tailBlock);
  }

  // How it is done

  /** Whether the block that is needed when this one is full may be begun without giving anything up. */
  private canAdvance(spare: number): boolean {
    const { ring } = this;
    return ring.tailBlock === NO_BLOCK ? ring.firstFree !== NO_BLOCK : this.isFreeAhead(spare + 1);
  }

  /** Whether the block after the one that is written, which always is, and `count` more are free. */
  private isFreeAhead(count: number): boolean {
    const { ring } = this;
    let block = ring.following(ring.tailBlock);
    for (let left = count; left > 0 && this.isFree(block); --left)
      block = ring.following(block);
    return block !== ring.tailBlock && this.isFree(block);
  }

  private nextFrom(block: number, offset: number): number {
    const { medium, pending, ring, versionOne, walker } = this;
    if (versionOne?.holds(block)) { // version 0.1 has its own order, and all of it comes first
      const found = versionOne.nextFrom(block, offset, this.record);
      if (found !== NONE || (block = this.oldestBlock) === NO_BLOCK)
        return found;
      offset = Format.BLOCK_HEADER_LENGTH;
    }
    for (;;) {
      if (pending[block] !== 0 && !versionOne?.holds(block)) {
        walker.enter(block, offset, block === ring.tailBlock ? ring.tailOffset : medium.blockLength);
        for (let position = walker.next(); position !== NO_RECORD; position = walker.next())
          if (this.read(position) && !this.record.isSettled)
            return position;
      }
      if (block === ring.tailBlock)
        return NONE;
      block = ring.following(block);
      offset = Format.BLOCK_HEADER_LENGTH;
    }
  }

  markAt(position: number, destination: number, mark: number): number {
    return position + Format.RECORD_MARKS
      + (Format.FIRST_DESTINATION + destination * Format.MARKS_PER_DESTINATION + mark) * Format.WORD;
  }

  /** @returns the word at `position`, 0 when it cannot be read */
  private readWord(position: number): number {
    const { arena } = this.medium;
    return this.medium.read(position, Format.WORD) ? arena.view.getUint32(arena.stagingOffset) : 0;
  }

  /** Something that must be durable was written, if it was. */
  private note(isWritten: boolean): boolean {
    if (isWritten)
      this.medium.written = this.medium.written + 1 | 0;
    return isWritten;
  }

  private settle(position: number, destination: number, mark: number): void {
    const { medium } = this;
    const block = position / medium.blockLength | 0;
    if (this.pending[block] === 0 && medium.isWorking)
      return;
    medium.mark(this.versionOne?.holds(block) ? this.versionOne.doneAt(position)
      : this.markAt(position, destination, mark));
    if (this.mostDestinations === 1)
      medium.unwritten.settle(position);
    if (this.mostDestinations === 1 || this.isSettledAt(position))
      this.uncount(block);
  }

  private isSettledAt(position: number): boolean {
    const { arena } = this.medium;
    if (this.versionOne?.holds(position / this.medium.blockLength | 0)
      || !this.medium.read(position, Format.RECORD_MARKS))
      return true;
    const marks = arena.bytes[arena.stagingOffset + 3]!;
    for (let mark = Format.FIRST_DESTINATION + Format.DONE_MARK; mark < marks; mark += Format.MARKS_PER_DESTINATION) {
      if (!this.medium.read(position + Format.RECORD_MARKS + mark * Format.WORD, 2 * Format.WORD))
        return true;
      if (!Format.isMark(arena.view.getInt32(arena.stagingOffset))
        && !Format.isMark(arena.view.getInt32(arena.stagingOffset + Format.WORD)))
        return false;
    }
    return true;
  }

  /** So many messages are settled: their share of the bytes. */
  private forget(count: number): void {
    if (this.pendingCount <= 0)
      this.hasDeadlines = false;
    this.pendingBytes = this.pendingCount <= 0 ? 0
      : this.pendingBytes - (this.pendingBytes / (this.pendingCount + count) * count | 0);
  }
}
