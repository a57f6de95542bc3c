/**
 * Making room in the persistent store: its oldest block is given up. Messages without a rule give way first. Of
 * topics whose last message is to be kept, that one moves to the tail.
 */
import { NO_ROOM } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
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
