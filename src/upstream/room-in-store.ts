/**
 * Making room in the persistent store: its oldest block is given up. Messages without a rule give way first. Of
 * topics whose last message is to be kept, that one moves to the tail.
 */
import { NO_BLOCK } from '../store/block-ring.ts';
import { NO_ROOM, NONE } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { BLOCK_HEADER_LENGTH } from '../store/record-format.ts';
import { GIVE_UP, KEEP, MOVE, type VictimHandler } from '../store/store-owner.ts';
import { MESSAGE_DOWN, type MessageFields, type StoredMessage } from '../store/stored-message.ts';
import type { LatestRecords } from './latest-records.ts';
import type { StoredRules } from './stored-rules.ts';
import { NO_RULE } from './topic-map.ts';

/** Blocks that are given up for one message, and those of them of which something is kept. */
const MOST_BLOCKS = 4;
const MOST_BLOCKS_KEPT = 2;

/** Told of what becomes of messages. */
export interface LogObserver {
  /** @param rule the one that `StoredRules.find`, asked for it last, has found */
  dropped(message: StoredMessage, rule: number): void;
  isUnderWay(message: StoredMessage): boolean;
}

export class RoomInStore implements VictimHandler {
  private readonly store: Store;
  private readonly rules: StoredRules;
  latest: LatestRecords | undefined;
  private readonly observer: LogObserver;
  mayKeep = false;
  /** What waits for nodes. */
  down: { readonly count: number } | undefined = undefined;
  /** Of the message that was judged last. */
  private rule = NO_RULE;
  private keepsLatest = false;
  /** A block that was found to hold nothing that may still go out, and bytes in it that move. */
  private movable = NO_BLOCK;
  private movableSequence = 0;
  private moved = 0;
  /** A block was given up of which not all has moved. */
  private hasGivenUp = false;

  constructor(store: Store, rules: StoredRules, latest: LatestRecords | undefined, observer: LogObserver) {
    this.store = store;
    this.rules = rules;
    this.latest = latest;
    this.observer = observer;
  }

  /** @param spare blocks that must stay free @returns as `MessageQueue.push` */
  push(fields: MessageFields, refusesNew: boolean, spare: number): number {
    const { queue } = this.store;
    let position = NO_ROOM;
    this.mayKeep = refusesNew;
    this.keepsLatest = true;
    for (let attempt = 0, left = queue.ring.blockCount;
      left > 0 && attempt < MOST_BLOCKS && position === NO_ROOM; --left) {
      this.hasGivenUp = !this.movesDown;
      if (!queue.makeRoom(this))
        break;
      position = queue.push(fields, 1, spare);
      if (this.hasGivenUp && ++attempt >= MOST_BLOCKS_KEPT)
        this.keepsLatest = false;
    }
    return position;
  }

  get movesDown(): boolean {
    return this.down !== undefined && this.down.count > 0;
  }

  /**
   * Whether `push` has room for a record of `length` bytes without giving up what may still go out: messages for nodes
   * move, those without a rule and those that are too old go.
   */
  canMake(length: number, spare: number): boolean {
    const { store: { queue } } = this;
    const { medium: { blockLength }, tailBlock } = queue.ring;
    const capacity = blockLength - BLOCK_HEADER_LENGTH;
    if (tailBlock === NO_BLOCK)
      return false;
    let block = queue.ring.following(tailBlock);
    for (let free = 0; ;) { // blocks that are free, one after the other, after the one that is written
      for (; block !== tailBlock && queue.isFree(block); block = queue.ring.following(block))
        ++free;
      if (block === tailBlock || free === 0)
        return false;
      const moved = this.movableLength(block);
      if (moved < 0)
        return false;
      // One of them is begun, and gets what moves out of this one, which becomes free.
      let next = queue.ring.following(block);
      for (; next !== tailBlock && queue.isFree(next); next = queue.ring.following(next))
        ++free;
      if (free > spare + 1 || capacity - moved >= length && (spare === 0 || free > spare))
        return true;
      block = next;
    }
  }

  /** What was found out of a block may be wrong now. */
  forget(): void {
    this.movable = NO_BLOCK;
  }

  /** @returns bytes that move when a block is given up; NONE when something in it may still go out */
  private movableLength(block: number): number {
    const { rules, store: { clock, queue } } = this;
    const { blockLength, sequences } = queue.ring.medium;
    if (block === this.movable && sequences[block] === this.movableSequence)
      return this.moved; // it does not become more
    const start = block * blockLength;
    let length = 0;
    for (let position = queue.firstIn(block, BLOCK_HEADER_LENGTH); position !== NONE;
      position = queue.firstIn(block, position + queue.record.length - start)) {
      const { record } = queue;
      if (record.kind === MESSAGE_DOWN) {
        length += record.length;
        continue;
      }
      const rule = rules.find(record);
      if (rule !== NO_RULE && !rules.isExpired(record, rule, clock))
        return NONE;
    }
    this.movable = block;
    this.movableSequence = sequences[block]!;
    return this.moved = length;
  }

  onVictim(message: StoredMessage): number {
    if (message.kind === MESSAGE_DOWN)
      return MOVE;
    const { latest, rules } = this;
    const rule = this.rule = rules.find(message);
    if (rule === NO_RULE || rules.isExpired(message, rule, this.store.clock))
      return GIVE_UP;
    if (this.mayKeep)
      return KEEP;
    return this.keepsLatest && rules.policies[rule]!.keepsLatest && latest!.isLatest(rules.hash, message.position)
      && !(rules.qosOf(message, rule) === 2 && this.observer.isUnderWay(message)) ? MOVE : GIVE_UP;
  }

  onGivenUp(message: StoredMessage): void {
    this.hasGivenUp = true;
    this.observer.dropped(message, this.rule);
  }
}
