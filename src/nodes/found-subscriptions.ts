/**
 * Finds subscriptions: by their filter, and by a Topic Name that matches it. Few are looked through; from some number
 * on filters are found by hash, so that it does not matter how many there are. A group of shared ones is found as one.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { DOLLAR } from '../packet/topic.ts';
import { isShared, lengthOfShare, matchesTopicFilter } from '../packet/topic-filter.ts';
import { FilterIndex } from './filter-index.ts';
import { ShareGroups } from './share-groups.ts';
import { CHAIN_LENGTH, COUNT, END, FILTER, LINK, NODE, PLACE_LENGTH, QOS, type RecordsPlan, SHARED,
  SubscriptionRecords } from './subscription-records.ts';

/** So few are looked through rather than looked up, all of them or those of a node. */
const FEW = 8;
/** Bytes of one Subscription Identifier of a message, and of as many as it has at most. */
export const LONGEST_IDENTIFIER = 5;
export const LONGEST_IDENTIFIERS = 2 * LONGEST_IDENTIFIER;
/** Where there can be no more than these, they are always looked through: no memory for an index. */
const UNINDEXED = 32;

export interface SubscriptionsPlan extends RecordsPlan {
  readonly indexOffset: number;
}

export class FoundSubscriptions extends ShareGroups {
  /** Filters that begin with `$`: nothing else matches a topic that does [MQTT311-4.7.2-1]. */
  dollarCount = 0;
  /** Grows when one of these comes or goes. */
  dollarRevision = 0;
  /** Whether the index is kept: from the first subscription that makes them more than a few, to the last one. */
  isIndexed = false;
  protected readonly index: FilterIndex | undefined;

  /** Where the identifiers of a message are put together. */
  get identifiersOffset(): number {
    return this.recordsEnd;
  }

  static plan(plan: ArenaPlan, capacity: number, maximumCount: number, nodeCount: number): SubscriptionsPlan {
    return {
      ...SubscriptionRecords.planRecords(plan, capacity, LONGEST_IDENTIFIERS, maximumCount, nodeCount),
      indexOffset: maximumCount > UNINDEXED ? FilterIndex.plan(plan, maximumCount) : 0,
    };
  }

  constructor(arena: Arena, plan: SubscriptionsPlan) {
    super(arena, plan);
    const { indexOffset, maximumCount } = plan;
    this.index = maximumCount > UNINDEXED ? new FilterIndex(arena, indexOffset, maximumCount) : undefined;
  }

  /**
   * Goes through what matches a name: groups, by the subscription that stands for each, or what has an identifier. Each
   * comes once; no other name may be matched meanwhile.
   * @param after what was found last, or END @param form SHARED or IDENTIFIED @returns END: there is no further one
   */
  nextMatch(after: number, nameOffset: number, nameLength: number, form: number): number {
    const { index } = this;
    if (index === undefined || !this.isIndexed) {
      let at = this.recordAfter(after === END ? END : this.recordOf(after));
      while (at !== END && !this.isMatch(at, nameOffset, nameLength, form))
        at = this.recordAfter(at);
      return at === END ? END : this.numberAt(at);
    }
    let number = after === END ? index.firstMatch(nameOffset, nameLength) : index.next(after);
    while (number !== END
      && !(index.isOfShape(number) && this.isMatch(this.recordOf(number), nameOffset, nameLength, form)))
      number = index.next(number);
    return number;
  }

  /** Whether the filter proper of a subscription matches a name. */
  matches(number: number, nameOffset: number, nameLength: number): boolean {
    return this.matchesAt(this.recordOf(number), nameOffset, nameLength);
  }

  /**
   * @returns the subscription of a node to this filter, or END. Filters are compared byte by byte [MQTT311-3.10.4-1]
   */
  find(node: number, filterOffset: number, filterLength: number): number {
    const { arena: { view }, index, placesOffset } = this;
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    if (index !== undefined && view.getUint16(chain + COUNT) > FEW) {
      if (this.sharedCount > 0 && isShared(this.arena, filterOffset, filterLength))
        return this.memberOf(node, this.groupOf(filterOffset, filterLength));
      let number = index.find(filterOffset, filterLength);
      while (number !== END && !this.isAt(this.recordOf(number), node, filterOffset, filterLength))
        number = index.next(number);
      return number;
    }
    let link = view.getUint16(chain);
    for (let place = 0; link !== 0; link = view.getUint16(place + LINK)) {
      place = placesOffset + (link - 1) * PLACE_LENGTH;
      if (this.isAt(view.getInt32(place), node, filterOffset, filterLength))
        break;
    }
    return link - 1;
  }

  /** @returns the first one of the group with this whole filter, or END */
  protected groupOf(filterOffset: number, filterLength: number): number {
    const { arena, index } = this;
    if (index === undefined || !this.isIndexed) {
      let at = this.recordAfter(END);
      while (at !== END && !this.isGroup(at, filterOffset, filterLength))
        at = this.recordAfter(at);
      return at === END ? END : this.numberAt(at);
    }
    const shareLength = lengthOfShare(arena, filterOffset, filterLength);
    let number = index.find(filterOffset + shareLength, filterLength - shareLength);
    while (number !== END && !this.isGroup(this.recordOf(number), filterOffset, filterLength))
      number = index.next(number);
    return number;
  }

  private matchesAt(record: number, nameOffset: number, nameLength: number): boolean {
    const { arena, arena: { view } } = this;
    const shareLength = this.shareLengthAt(record);
    return matchesTopicFilter(arena, record + FILTER + shareLength, view.getUint16(record) - shareLength, nameOffset,
      nameLength);
  }

  protected isMatch(record: number, nameOffset: number, nameLength: number, form: number): boolean {
    const flags = this.arena.bytes[record + QOS]!;
    return (flags & form) !== 0 && ((flags & SHARED) === 0 || form === SHARED && this.isFirst(record))
      && this.matchesAt(record, nameOffset, nameLength);
  }

  private isAt(record: number, node: number, filterOffset: number, filterLength: number): boolean {
    const { arena, arena: { view } } = this;
    return view.getUint16(record + NODE) === node && view.getUint16(record) === filterLength
      && equalBytes(arena, record + FILTER, filterOffset, filterLength);
  }

  protected enter(number: number): void {
    const { arena: { bytes }, index } = this;
    const record = this.recordOf(number);
    if (bytes[record + FILTER] === DOLLAR && bytes[record + FILTER + this.shareLengthAt(record)] === DOLLAR) {
      ++this.dollarCount;
      ++this.dollarRevision;
    }
    if (index === undefined)
      return;
    if (this.isIndexed)
      this.enterIndex(index, record);
    else if (this.count > FEW) {
      this.isIndexed = true;
      for (let at = this.recordAfter(END); at !== END; at = this.recordAfter(at))
        this.enterIndex(index, at);
    }
  }

  /** Of a group only the first one is in the index. */
  private enterIndex(index: FilterIndex, record: number): void {
    const shareLength = this.shareLengthAt(record);
    if (shareLength === 0 || this.isFirst(record))
      index.add(this.numberAt(record), record + FILTER + shareLength, this.arena.view.getUint16(record) - shareLength);
  }

  protected override release(number: number): void {
    const { arena: { bytes }, index } = this;
    const record = this.recordOf(number);
    const isShared = (bytes[record + QOS]! & SHARED) !== 0;
    if (bytes[record + FILTER] === DOLLAR && bytes[record + FILTER + this.shareLengthAt(record)] === DOLLAR) {
      --this.dollarCount;
      ++this.dollarRevision;
    }
    if (this.isIndexed && (!isShared || this.isFirst(record)))
      index!.remove(number);
    const heir = isShared ? this.leaveGroup(number) : END;
    if (this.isIndexed && heir !== END)
      this.enterIndex(index!, this.recordOf(heir));
    super.release(number);
    if (this.count === 0)
      this.isIndexed = false;
  }
}
