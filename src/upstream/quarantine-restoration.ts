/**
 * What of the quarantine lies in the map of a store, when that is opened. After a restart that is all there is. A
 * storage that works again, or another one in its place, does not know what has been decided meanwhile: of what memory
 * has had numbers for, only what it still knows counts.
 */
import type { Arena } from '../bytes/arena.ts';
import type { Store } from '../store/message-store.ts';
import { QUARANTINED, QUARANTINED_OF_NODE } from '../store/record-format.ts';
import type { StateMap } from '../store/state-map.ts';
import * as Loss from './losses.ts';
import { type Quarantine, RULE } from './quarantine.ts';
import { NO_RULE, type TopicMap } from './topic-map.ts';

export class QuarantineRestoration {
  private readonly quarantine: Quarantine;
  private readonly arena: Arena;
  private readonly map: TopicMap;
  private readonly losses: Loss.LossObserver;
  /** Of each message: whether the storage that is being opened has it. */
  private readonly isFound: Uint8Array;
  /** Some of the store are not known here, for want of room. */
  private hasMore = false;
  /** What has a number up to this, and is not known, has been decided about. */
  private decided = 0;

  constructor(quarantine: Quarantine, arena: Arena, map: TopicMap, losses: Loss.LossObserver) {
    this.quarantine = quarantine;
    this.arena = arena;
    this.map = map;
    this.losses = losses;
    this.isFound = new Uint8Array(quarantine.capacity);
  }

  /** Bytes. */
  get tableLength(): number {
    return this.isFound.byteLength;
  }

  /** A storage is opened, which will tell what it has. @param isAgain it, or another one, has been in use before */
  begin(store: Store, isAgain: boolean): void {
    const { quarantine } = this;
    quarantine.store = store;
    if (!isAgain) {
      quarantine.clear();
      this.hasMore = false;
    }
    this.decided = isAgain && !this.hasMore ? quarantine.lastNumber : 0;
    this.isFound.fill(0);
  }

  /** One was found. @param offset of a copy of it that is valid now */
  restore(number: number, offset: number, length: number): void {
    const { quarantine } = this;
    const index = quarantine.indexOf(number);
    if (index >= 0) {
      if (this.isAt(index, offset, length))
        this.isFound[index] = 1;
      return;
    }
    if (number <= this.decided)
      return;
    if (number > quarantine.lastNumber)
      quarantine.lastNumber = number;
    if (quarantine.count < quarantine.capacity && quarantine.usedLength + length <= quarantine.length) {
      this.isFound[quarantine.count] = 1;
      quarantine.enter(number, offset, length);
    } else
      this.hasMore = true; // it stays in the store, for a configuration with more room
  }

  /** The storage has told all: what it has lost is counted, what was decided about is removed from it. */
  end(): void {
    const { isFound, quarantine } = this;
    for (let index = quarantine.count - 1; index >= 0; --index)
      if (isFound[index] === 0)
        index = this.forgetMissing(quarantine.ruleOf(index), index);
    const state = quarantine.store?.state;
    if (state === undefined || this.decided === 0)
      return;
    this.removeDecided(state, QUARANTINED);
    this.removeDecided(state, QUARANTINED_OF_NODE);
  }

  /** Those of a rule, from `index` down. @returns where to go on: there is none of it at `index` or after it */
  private forgetMissing(rule: number, index: number): number {
    const { isFound, losses, quarantine } = this;
    let count = 0;
    for (let at = index; at >= 0; --at) {
      if (isFound[at] !== 0 || quarantine.ruleOf(at) !== rule)
        continue;
      isFound.copyWithin(at, at + 1);
      quarantine.forgetAt(at);
      ++count;
    }
    losses.onLost(this.indexOfRule(rule), Loss.UNREADABLE, count);
    return index - count + 1;
  }

  private removeDecided(state: StateMap, kind: number): void {
    const { decided, quarantine } = this;
    for (let at = state.next(kind, 0); at >= 0; at = state.next(kind, at + 1)) {
      const number = state.keyAt(at) >>> 0;
      const index = quarantine.indexOf(number);
      if (number <= decided && (index < 0 || quarantine.kindOf(index) !== kind) && state.remove(kind, number))
        --at; // others have moved
    }
  }

  /** Whether what lies at `offset` is the message at `index`. */
  private isAt(index: number, offset: number, length: number): boolean {
    const { arena: { view }, quarantine } = this;
    return quarantine.lengthOf(index) === length && view.getUint32(offset) === quarantine.originOf(index)
      && view.getUint32(offset + RULE) === quarantine.ruleOf(index);
  }

  private indexOfRule(identity: number): number {
    const { rules } = this.map;
    for (let index = 0; index < rules.length; ++index)
      if (rules[index]!.identity === identity)
        return index;
    return NO_RULE;
  }
}
