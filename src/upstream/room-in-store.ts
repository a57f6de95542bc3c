/**
 * Making room in the persistent store: its oldest block is given up. Messages without a rule give way first. Of
 * topics whose last message is to be kept, that one moves to the tail.
 */
import { NO_ROOM } from '../store/message-queue.ts';
import type { Store } from '../store/message-store.ts';
import { GIVE_UP, KEEP, MOVE, type VictimHandler } from '../store/store-owner.ts';
import type { MessageFields, StoredMessage } from '../store/stored-message.ts';
import type { StorePolicy } from './full-policy.ts';
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
  /** Of the message that was judged last. */
  private rule = NO_RULE;
  private keepsLatest = false;

  constructor(store: Store, rules: StoredRules, latest: LatestRecords | undefined, observer: LogObserver) {
    this.store = store;
    this.rules = rules;
    this.latest = latest;
    this.observer = observer;
  }

  /** @returns as `MessageQueue.push` */
  push(fields: MessageFields, policy: StorePolicy): number {
    const { queue } = this.store;
    let position = NO_ROOM;
    this.mayKeep = policy.refusesNew;
    for (let attempt = 0; attempt < MOST_BLOCKS && position === NO_ROOM; ++attempt) {
      this.keepsLatest = attempt < MOST_BLOCKS_KEPT;
      if (!queue.makeRoom(this))
        break;
      position = queue.push(fields);
    }
    return position;
  }

  onVictim(message: StoredMessage): number {
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
    this.observer.dropped(message, this.rule);
  }
}
