/**
 * The records of subscriptions, bounded in bytes and in count. A subscription has a number as long as it exists; those
 * of a node form a chain, in the order in which they were made. A record is
 *
 *   | length of the filter (2) | number (2) | node (2) | granted QoS and flags (1) | filter | further fields |
 *
 * padded to 4, and begins where the table of places says. Flags say which fields there are: SHARED, of a group
 * (share-groups.ts), and IDENTIFIED, the Subscription Identifier (4). Records lie in the order of their making; what
 * is removed leaves a gap until the room is needed.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';

/** No subscription, no record. */
export const END = -1;

const NUMBER = 2;
export const NODE = 4;
export const QOS = 6;
export const FILTER = 7;

/** Flags: further fields behind the filter. */
export const SHARED = 0x10;
export const IDENTIFIED = 0x20;
export const FORM = SHARED | IDENTIFIED;
/** From each flag to the length of its fields, which is 4. */
const SHARED_SHIFT = 2;
const IDENTIFIED_SHIFT = 3;

/** In place of a number: a gap. */
const GAP = 0xFFFF;

/** Of a number: | place of its record (4) | next one of its node, or of the free ones (2) |, number + 1; 0: none. */
export const PLACE_LENGTH = 6;
export const LINK = 4;
/** Of a node: | first (2) | last (2) | count (2) |. */
export const CHAIN_LENGTH = 6;
const LAST = 2;
export const COUNT = 4;

const spanOf = (filterLength: number, flags: number): number => FILTER + filterLength
  + ((flags & SHARED) >> SHARED_SHIFT) + ((flags & IDENTIFIED) >> IDENTIFIED_SHIFT) + 3 & ~3;

export interface RecordsPlan {
  readonly capacity: number;
  readonly maximumCount: number;
  readonly recordsOffset: number;
  readonly placesOffset: number;
}

export class SubscriptionRecords {
  count = 0;
  protected readonly arena: Arena;
  protected readonly placesOffset: number;
  protected readonly chainsOffset: number;
  private readonly capacity: number;
  private readonly maximumCount: number;
  private readonly recordsOffset: number;
  /** Bytes up to the end of the last record, and of these in gaps. */
  private usedLength = 0;
  private gapLength = 0;
  /** Numbers given out so far; and the first one that has come back, + 1. */
  private numberCount = 0;
  private freeLink = 0;

  /** @param spare bytes behind the records, for the caller */
  static planRecords(plan: ArenaPlan, capacity: number, spare: number, maximumCount: number, nodeCount: number):
    RecordsPlan {
    return {
      capacity: capacity & ~3,
      maximumCount,
      recordsOffset: plan.reserve('subscriptions', capacity + spare),
      placesOffset: plan.reserve('places of subscriptions', maximumCount * PLACE_LENGTH + nodeCount * CHAIN_LENGTH),
    };
  }

  constructor(arena: Arena, plan: RecordsPlan) {
    this.arena = arena;
    this.capacity = plan.capacity;
    this.maximumCount = plan.maximumCount;
    this.recordsOffset = plan.recordsOffset;
    this.placesOffset = plan.placesOffset;
    this.chainsOffset = plan.placesOffset + plan.maximumCount * PLACE_LENGTH;
  }

  protected get recordsEnd(): number {
    return this.recordsOffset + this.capacity;
  }

  countOf(node: number): number {
    return this.arena.view.getUint16(this.chainsOffset + node * CHAIN_LENGTH + COUNT);
  }

  /** @returns the subscription of a node after another one of it, or its first one after END; END: there is none */
  nextOf(node: number, after: number): number {
    return this.arena.view.getUint16(after === END ? this.chainsOffset + node * CHAIN_LENGTH
      : this.placeOf(after) + LINK) - 1;
  }

  /** Where its filter lies, until the next one is added. */
  filterOffsetOf(number: number): number {
    return this.recordOf(number) + FILTER;
  }

  filterLengthOf(number: number): number {
    return this.arena.view.getUint16(this.recordOf(number));
  }

  /** Place of a record, until the next one is added. */
  protected recordOf(number: number): number {
    return this.arena.view.getInt32(this.placesOffset + number * PLACE_LENGTH);
  }

  /** @param at that of a record, or END @returns the place of the record after it, or of the first one; END: none */
  protected recordAfter(at: number): number {
    const { arena: { view }, recordsOffset } = this;
    const end = recordsOffset + this.usedLength;
    at = at === END ? recordsOffset : at + this.spanAt(at);
    while (at < end && view.getUint16(at + NUMBER) === GAP)
      at += this.spanAt(at);
    return at < end ? at : END;
  }

  protected numberAt(record: number): number {
    return this.arena.view.getUint16(record + NUMBER);
  }

  /** @param form its flags, of FORM @returns the number of a new record; END when there is no room */
  protected append(node: number, filterOffset: number, filterLength: number, form: number): number {
    const { arena: { bytes, view }, capacity, placesOffset } = this;
    const span = spanOf(filterLength, form);
    if (this.count >= this.maximumCount || this.usedLength - this.gapLength + span > capacity)
      return END;
    if (this.usedLength + span > capacity)
      this.closeGaps();
    let link = this.freeLink;
    if (link === 0)
      link = ++this.numberCount;
    else
      this.freeLink = view.getUint16(placesOffset + (link - 1) * PLACE_LENGTH + LINK);
    const number = link - 1;
    const place = placesOffset + number * PLACE_LENGTH;
    const at = this.recordsOffset + this.usedLength;
    this.usedLength += span;
    view.setUint16(at, filterLength);
    view.setUint16(at + NUMBER, number);
    view.setUint16(at + NODE, node);
    bytes[at + QOS] = form;
    bytes.copyWithin(at + FILTER, filterOffset, filterOffset + filterLength);
    view.setInt32(place, at);
    view.setUint16(place + LINK, 0);
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    const last = view.getUint16(chain + LAST);
    view.setUint16(last === 0 ? chain : placesOffset + (last - 1) * PLACE_LENGTH + LINK, link);
    view.setUint16(chain + LAST, link);
    view.setUint16(chain + COUNT, view.getUint16(chain + COUNT) + 1);
    ++this.count;
    return number;
  }

  /** Gives a record other fields; its number stays. @returns false, and nothing has changed, when there is no room */
  protected reform(number: number, form: number): boolean {
    const { arena: { bytes, view }, capacity } = this;
    const span = spanOf(this.filterLengthOf(number), form);
    if (this.usedLength + span > capacity)
      this.closeGaps();
    if (this.usedLength + span > capacity)
      return false;
    const from = this.recordOf(number);
    const to = this.recordsOffset + this.usedLength;
    const length = this.spanAt(from);
    bytes.copyWithin(to, from, from + (length < span ? length : span));
    bytes[to + QOS] = bytes[to + QOS]! & ~FORM | form;
    view.setInt32(this.placeOf(number), to);
    view.setUint16(from + NUMBER, GAP);
    this.gapLength += length;
    this.usedLength += span;
    return true;
  }

  /** Where the fields of the group of a record lie. */
  protected groupAt(record: number): number {
    return record + FILTER + this.arena.view.getUint16(record);
  }

  /** Where the Subscription Identifier of a record lies that has one. */
  protected identifierAt(record: number): number {
    return this.groupAt(record) + ((this.arena.bytes[record + QOS]! & SHARED) >> SHARED_SHIFT);
  }

  private spanAt(record: number): number {
    return spanOf(this.arena.view.getUint16(record), this.arena.bytes[record + QOS]!);
  }

  /** Takes a subscription out of the chain of its node. */
  protected unlink(number: number): void {
    const { arena: { view } } = this;
    const chain = this.chainsOffset + view.getUint16(this.recordOf(number) + NODE) * CHAIN_LENGTH;
    let link = chain, previous = 0;
    while (view.getUint16(link) !== number + 1) {
      previous = view.getUint16(link);
      link = this.placeOf(previous - 1) + LINK;
    }
    view.setUint16(link, view.getUint16(this.placeOf(number) + LINK));
    if (view.getUint16(chain + LAST) === number + 1)
      view.setUint16(chain + LAST, previous);
    view.setUint16(chain + COUNT, view.getUint16(chain + COUNT) - 1);
  }

  protected forgetChain(node: number): void {
    const { view } = this.arena;
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    view.setUint16(chain, 0);
    view.setUint16(chain + LAST, 0);
    view.setUint16(chain + COUNT, 0);
  }

  /** The record of a number that is in no chain any more. */
  protected release(number: number): void {
    const { view } = this.arena;
    const record = this.recordOf(number);
    view.setUint16(record + NUMBER, GAP);
    view.setUint16(this.placeOf(number) + LINK, this.freeLink);
    this.freeLink = number + 1;
    this.gapLength += this.spanAt(record);
    if (--this.count === 0)
      this.usedLength = this.gapLength = 0;
  }

  private closeGaps(): void {
    const { arena: { bytes, view }, recordsOffset } = this;
    const end = recordsOffset + this.usedLength;
    let to = recordsOffset;
    for (let from = recordsOffset, span = 0; from < end; from += span) {
      span = this.spanAt(from);
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

  private placeOf(number: number): number {
    return this.placesOffset + number * PLACE_LENGTH;
  }
}
