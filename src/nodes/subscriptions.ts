/**
 * Who asked for which Topic Filter: one list for all nodes, bounded in bytes and in count. Belongs to the session
 * state, so it survives the connection of a node that asked for that. A subscription has a number as long as it exists;
 * those of a node form a chain, in the order in which they were made. A record is
 *
 *   | length of the filter (2) | number (2) | node (2) | granted QoS, OWED, AGAIN (1) | filter | padding to 4 |
 *
 * and begins where the numbers say, four bytes each. Records lie in the order of their making; what is removed leaves a
 * gap until the room is needed.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { FilterIndex } from './filter-index.ts';

/** No subscription. */
export const END = -1;
/** No subscription of this node matches. */
export const NOT_SUBSCRIBED = -1;

const NUMBER = 2;
const NODE = 4;
const QOS = 6;
const FILTER = 7;

/** In place of a number: a gap. */
const GAP = 0xFFFF;

/**
 * Beside the QoS: retained messages are owed for this subscription; and once more, because it was asked for again
 * meanwhile.
 */
const OWED = 0x80;
const AGAIN = 0x40;
const QOS_MASK = 3;

/** Of a number: | place of its record (4) | next one of its node, or of the free ones (2) |, number + 1; 0: none. */
const PLACE_LENGTH = 6;
const LINK = 4;
/** Of a node: | first (2) | last (2) | count (2) |. */
const CHAIN_LENGTH = 6;
const LAST = 2;
const COUNT = 4;

/** So few are looked through rather than looked up, all of them or those of a node. */
const FEW = 8;

const spanOf = (filterLength: number): number => FILTER + filterLength + 3 & ~3;

export interface SubscriptionsPlan {
  readonly capacity: number;
  readonly maximumCount: number;
  readonly recordsOffset: number;
  readonly placesOffset: number;
  readonly indexOffset: number;
}

export class Subscriptions {
  count = 0;
  /** Subscriptions for which retained messages are owed. */
  owedCount = 0;
  /** Filters that begin with `$`: nothing else matches a topic that does [MQTT311-4.7.2-1]. */
  dollarCount = 0;
  /** Grows when one of these comes or goes. */
  dollarRevision = 0;
  /** Of the name that was matched last: the nodes with a subscription that matches, each once. */
  readonly matched: Uint16Array;
  matchedCount = 0;
  /** Per node: the highest QoS granted for that name, or NOT_SUBSCRIBED. */
  readonly granted: Int8Array;
  private readonly arena: Arena;
  private readonly index: FilterIndex;
  private readonly plan: SubscriptionsPlan;
  private readonly chainsOffset: number;
  /** Bytes up to the end of the last record, and of these in gaps. */
  private usedLength = 0;
  private gapLength = 0;
  /** Numbers given out so far; and the first one that has come back, + 1. */
  private numberCount = 0;
  private freeLink = 0;

  static plan(plan: ArenaPlan, capacity: number, maximumCount: number, nodeCount: number): SubscriptionsPlan {
    return {
      capacity: capacity & ~3,
      maximumCount,
      recordsOffset: plan.reserve('subscriptions', capacity),
      placesOffset: plan.reserve('places of subscriptions', maximumCount * PLACE_LENGTH + nodeCount * CHAIN_LENGTH),
      indexOffset: FilterIndex.plan(plan, maximumCount),
    };
  }

  constructor(arena: Arena, plan: SubscriptionsPlan, nodeCount: number) {
    this.arena = arena;
    this.plan = plan;
    this.chainsOffset = plan.placesOffset + plan.maximumCount * PLACE_LENGTH;
    this.index = new FilterIndex(arena, plan.indexOffset, plan.maximumCount);
    this.matched = new Uint16Array(nodeCount);
    this.granted = new Int8Array(nodeCount).fill(NOT_SUBSCRIBED);
  }

  /**
   * Adds a subscription or replaces the QoS of the same one [MQTT311-3.8.4-3].
   * @param isOwed whether there may be retained messages for it @returns its number; END when there is no room
   */
  add(node: number, filterOffset: number, filterLength: number, qos: number, isOwed: boolean): number {
    const { bytes } = this.arena;
    let number = this.find(node, filterOffset, filterLength);
    let flags = isOwed ? OWED : 0;
    if (number === END) {
      number = this.append(node, filterOffset, filterLength);
      if (number === END)
        return END;
      if (isOwed)
        ++this.owedCount;
    } else {
      const old = bytes[this.recordOf(number) + QOS]!;
      if (isOwed && (old & OWED) === 0)
        ++this.owedCount;
      flags |= old & (OWED | AGAIN);
    }
    bytes[this.recordOf(number) + QOS] = qos | flags;
    return number;
  }

  /** Once they have been sent they are to be sent once more. */
  oweAgain(number: number): void {
    this.arena.bytes[this.recordOf(number) + QOS]! |= AGAIN;
  }

  /** @returns the first subscription of a node for which retained messages are owed, or END */
  owedTo(node: number): number {
    const { bytes } = this.arena;
    for (let number = this.nextOf(node, END); number !== END; number = this.nextOf(node, number))
      if ((bytes[this.recordOf(number) + QOS]! & OWED) !== 0)
        return number;
    return END;
  }

  /** They have been sent. */
  settle(number: number): void {
    const { bytes } = this.arena;
    const at = this.recordOf(number) + QOS;
    const qos = bytes[at]!;
    bytes[at] = (qos & AGAIN) !== 0 ? qos & ~AGAIN : qos & QOS_MASK;
    if ((qos & AGAIN) === 0)
      --this.owedCount;
  }

  /** The QoS that was granted. */
  qosOf(number: number): number {
    return this.arena.bytes[this.recordOf(number) + QOS]! & QOS_MASK;
  }

  /** Where its filter lies, until the next one is added. */
  filterOffsetOf(number: number): number {
    return this.recordOf(number) + FILTER;
  }

  filterLengthOf(number: number): number {
    return this.arena.view.getUint16(this.recordOf(number));
  }

  remove(number: number): void {
    const { chainsOffset, arena: { view } } = this;
    const chain = chainsOffset + view.getUint16(this.recordOf(number) + NODE) * CHAIN_LENGTH;
    let link = chain, previous = 0;
    while (view.getUint16(link) !== number + 1) {
      previous = view.getUint16(link);
      link = this.placeOf(previous - 1) + LINK;
    }
    view.setUint16(link, view.getUint16(this.placeOf(number) + LINK));
    if (view.getUint16(chain + LAST) === number + 1)
      view.setUint16(chain + LAST, previous);
    view.setUint16(chain + COUNT, view.getUint16(chain + COUNT) - 1);
    this.release(number);
  }

  removeAll(node: number): void {
    const { arena: { view } } = this;
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    for (let link = view.getUint16(chain); link !== 0;) {
      const number = link - 1;
      link = view.getUint16(this.placeOf(number) + LINK);
      this.release(number);
    }
    view.setUint16(chain, 0);
    view.setUint16(chain + LAST, 0);
    view.setUint16(chain + COUNT, 0);
  }

  countOf(node: number): number {
    return this.arena.view.getUint16(this.chainsOffset + node * CHAIN_LENGTH + COUNT);
  }

  /**
   * Finds the nodes whose subscriptions match a name, each once however many of its subscriptions do
   * [MQTT311-3.3.5-1], with the highest QoS of these [MQTT311-3.3.2-3]: see `matched` and `granted`. To be followed by
   * `forgetMatch`.
   */
  match(nameOffset: number, nameLength: number): void {
    this.matchedCount = 0;
    if (this.count <= FEW)
      this.matchFew(nameOffset, nameLength);
    else
      for (let number = this.index.firstMatch(nameOffset, nameLength); number !== END; number = this.index.next(number))
        this.matchRecord(this.recordOf(number), nameOffset, nameLength);
  }

  forgetMatch(): void {
    for (let index = 0; index < this.matchedCount; ++index)
      this.granted[this.matched[index]!] = NOT_SUBSCRIBED;
    this.matchedCount = 0;
  }

  /** @returns the subscription of a node after another one of it, or its first one after END; END: there is none */
  nextOf(node: number, after: number): number {
    return this.arena.view.getUint16(after === END ? this.chainsOffset + node * CHAIN_LENGTH
      : this.placeOf(after) + LINK) - 1;
  }

  /**
   * @returns the subscription of a node to this filter, or END. Filters are compared byte by byte [MQTT311-3.10.4-1]
   */
  find(node: number, filterOffset: number, filterLength: number): number {
    const { index } = this;
    let number = END;
    if (this.countOf(node) <= FEW) {
      for (number = this.nextOf(node, END); number !== END; number = this.nextOf(node, number))
        if (this.isAt(this.recordOf(number), node, filterOffset, filterLength))
          break;
    } else
      for (number = index.find(filterOffset, filterLength); number !== END; number = index.next(number))
        if (this.isAt(this.recordOf(number), node, filterOffset, filterLength))
          break;
    return number;
  }

  // How it is done

  private isAt(record: number, node: number, filterOffset: number, filterLength: number): boolean {
    const { arena, arena: { view } } = this;
    return view.getUint16(record + NODE) === node && view.getUint16(record) === filterLength
      && equalBytes(arena, record + FILTER, filterOffset, filterLength);
  }

  private matchFew(nameOffset: number, nameLength: number): void {
    const { arena: { view }, plan: { recordsOffset } } = this;
    for (let at = recordsOffset, end = recordsOffset + this.usedLength; at < end; at += spanOf(view.getUint16(at)))
      if (view.getUint16(at + NUMBER) !== GAP)
        this.matchRecord(at, nameOffset, nameLength);
  }

  private matchRecord(record: number, nameOffset: number, nameLength: number): void {
    const { arena, granted } = this;
    if (!matchesTopicFilter(arena, record + FILTER, arena.view.getUint16(record), nameOffset, nameLength))
      return;
    const node = arena.view.getUint16(record + NODE);
    const qos = arena.bytes[record + QOS]! & QOS_MASK;
    if (granted[node] === NOT_SUBSCRIBED)
      this.matched[this.matchedCount++] = node;
    if (qos > granted[node]!)
      granted[node] = qos;
  }

  private append(node: number, filterOffset: number, filterLength: number): number {
    const { arena: { bytes, view }, plan } = this;
    const span = spanOf(filterLength);
    if (this.count >= plan.maximumCount || this.usedLength - this.gapLength + span > plan.capacity)
      return END;
    if (this.usedLength + span > plan.capacity)
      this.closeGaps();
    let number = this.numberCount;
    if (this.freeLink === 0)
      ++this.numberCount;
    else {
      number = this.freeLink - 1;
      this.freeLink = view.getUint16(this.placeOf(number) + LINK);
    }
    const at = plan.recordsOffset + this.usedLength;
    this.usedLength += span;
    ++this.count;
    view.setUint16(at, filterLength);
    view.setUint16(at + NUMBER, number);
    view.setUint16(at + NODE, node);
    bytes.copyWithin(at + FILTER, filterOffset, filterOffset + filterLength);
    view.setInt32(this.placeOf(number), at);
    view.setUint16(this.placeOf(number) + LINK, 0);
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    const last = view.getUint16(chain + LAST);
    view.setUint16(last === 0 ? chain : this.placeOf(last - 1) + LINK, number + 1);
    view.setUint16(chain + LAST, number + 1);
    view.setUint16(chain + COUNT, view.getUint16(chain + COUNT) + 1);
    this.index.add(number, at + FILTER, filterLength);
    if (bytes[at + FILTER] === DOLLAR) {
      ++this.dollarCount;
      ++this.dollarRevision;
    }
    return number;
  }

  /** A number that is in no chain any more. */
  private release(number: number): void {
    const { bytes, view } = this.arena;
    const record = this.recordOf(number);
    if ((bytes[record + QOS]! & OWED) !== 0)
      --this.owedCount;
    if (bytes[record + FILTER] === DOLLAR) {
      --this.dollarCount;
      ++this.dollarRevision;
    }
    this.index.remove(number);
    view.setUint16(record + NUMBER, GAP);
    view.setUint16(this.placeOf(number) + LINK, this.freeLink);
    this.freeLink = number + 1;
    this.gapLength += spanOf(view.getUint16(record));
    if (--this.count === 0)
      this.usedLength = this.gapLength = 0;
  }

  private closeGaps(): void {
    const { arena: { bytes, view }, plan: { recordsOffset } } = this;
    const end = recordsOffset + this.usedLength;
    let to = recordsOffset;
    for (let from = recordsOffset, span = 0; from < end; from += span) {
      span = spanOf(view.getUint16(from));
      const number = view.getUint16(from + NUMBER);
      if (number === GAP)
        continue;
      bytes.copyWithin(to, from, from + span);
      view.setInt32(this.placeOf(number), to);
      to += span;
    }
    this.usedLength = to - recordsOffset;
    this.gapLength = 0;
  }

  private recordOf(number: number): number {
    return this.arena.view.getInt32(this.placeOf(number));
  }

  private placeOf(number: number): number {
    return this.plan.placesOffset + number * PLACE_LENGTH;
  }
}
