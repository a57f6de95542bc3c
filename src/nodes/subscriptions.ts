/**
 * Who asked for which Topic Filter: one list for all nodes. Belongs to the session state, so it survives the connection
 * of a node that asked for that. Few are looked through; from some number on filters are found by hash, so that it
 * does not matter how many there are.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { DOLLAR } from '../packet/topic.ts';
import { NO_LOCAL, OPTIONS_QOS, RETAIN_AS_PUBLISHED } from '../packet/subscribe.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';
import { FilterIndex } from './filter-index.ts';
import { CHAIN_LENGTH, COUNT, END, FILTER, LINK, NODE, PLACE_LENGTH, QOS, type RecordsPlan,
  SubscriptionRecords } from './subscription-records.ts';

export { END };
/** In place of the index of a node. */
const NOBODY = -1;
/** No subscription of this node matches. */
const NOT_SUBSCRIBED = -1;

/**
 * Beside the options, QoS among them, that are kept: retained messages are owed for this subscription; and once more,
 * because it was asked for again meanwhile.
 */
const OWED = 0x80;
const AGAIN = 0x40;
const OPTIONS = OPTIONS_QOS | NO_LOCAL | RETAIN_AS_PUBLISHED;
/** What of them goes into `granted`. */
const GRANTED = OPTIONS_QOS | RETAIN_AS_PUBLISHED;

/** So few are looked through rather than looked up, all of them or those of a node. */
const FEW = 8;
/** Where there can be no more than these, they are always looked through: no memory for an index. */
const UNINDEXED = 32;

export interface SubscriptionsPlan extends RecordsPlan {
  readonly indexOffset: number;
}

export class Subscriptions extends SubscriptionRecords {
  /** Subscriptions for which retained messages are owed. */
  owedCount = 0;
  /** Filters that begin with `$`: nothing else matches a topic that does [MQTT311-4.7.2-1]. */
  dollarCount = 0;
  /** Grows when one of these comes or goes. */
  dollarRevision = 0;
  /** Whether the index is kept: from the first subscription that makes them more than a few, to the last one. */
  isIndexed = false;
  /** Of the name that was matched last: the nodes with a subscription that matches, each once. */
  readonly matched: Uint16Array;
  matchedCount = 0;
  /**
   * Per node: the highest QoS granted for that name, and RETAIN_AS_PUBLISHED if one of its subscriptions says so; or
   * NOT_SUBSCRIBED.
   */
  readonly granted: Int8Array;
  /** Subscriptions with NO_LOCAL: who gets a message depends on who has sent it. */
  noLocalCount = 0;
  /** Who has sent the message whose name is matched, by index; -1: nobody, or it does not matter. */
  publisher = NOBODY;
  private readonly index: FilterIndex | undefined;

  static plan(plan: ArenaPlan, capacity: number, maximumCount: number, nodeCount: number): SubscriptionsPlan {
    return {
      ...SubscriptionRecords.planRecords(plan, capacity, maximumCount, nodeCount),
      indexOffset: maximumCount > UNINDEXED ? FilterIndex.plan(plan, maximumCount) : 0,
    };
  }

  constructor(arena: Arena, plan: SubscriptionsPlan, nodeCount: number) {
    super(arena, plan);
    const { indexOffset, maximumCount } = plan;
    this.index = maximumCount > UNINDEXED ? new FilterIndex(arena, indexOffset, maximumCount) : undefined;
    this.matched = new Uint16Array(nodeCount);
    this.granted = new Int8Array(nodeCount).fill(NOT_SUBSCRIBED);
  }

  /**
   * Adds a subscription or replaces the options of the same one [MQTT311-3.8.4-3] [MQTT5-3.8.4-3].
   * @param options QoS and others as SUBSCRIBE says them @param isOwed whether there may be retained messages for it
   * @returns its number; END when there is no room
   */
  add(node: number, filterOffset: number, filterLength: number, options: number, isOwed: boolean): number {
    const { bytes } = this.arena;
    let number = this.find(node, filterOffset, filterLength), old = 0;
    if (number === END) {
      number = this.append(node, filterOffset, filterLength);
      if (number === END)
        return END;
      this.enter(number);
    } else {
      old = bytes[this.recordOf(number) + QOS]!;
      if ((old & NO_LOCAL) !== 0)
        --this.noLocalCount;
      old &= OWED | AGAIN;
    }
    if (isOwed && (old & OWED) === 0)
      ++this.owedCount;
    if ((options & NO_LOCAL) !== 0)
      ++this.noLocalCount;
    bytes[this.recordOf(number) + QOS] = options & OPTIONS | old | (isOwed ? OWED : 0);
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
    bytes[at] = (qos & AGAIN) !== 0 ? qos & ~AGAIN : qos & OPTIONS;
    if ((qos & AGAIN) === 0)
      --this.owedCount;
  }

  /** The QoS that was granted. */
  qosOf(number: number): number {
    return this.arena.bytes[this.recordOf(number) + QOS]! & OPTIONS_QOS;
  }

  /** That, NO_LOCAL and RETAIN_AS_PUBLISHED. */
  optionsOf(number: number): number {
    return this.arena.bytes[this.recordOf(number) + QOS]! & OPTIONS;
  }

  remove(number: number): void {
    this.unlink(number);
    this.release(number);
  }

  removeAll(node: number): void {
    for (let number = this.nextOf(node, END), next = END; number !== END; number = next) {
      next = this.nextOf(node, number);
      this.release(number);
    }
    this.forgetChain(node);
  }

  /**
   * Finds the nodes whose subscriptions match a name, each once however many of its subscriptions do
   * [MQTT311-3.3.5-1], with the highest QoS of these [MQTT311-3.3.2-3] [MQTT5-3.3.4-2]: see `matched` and
   * `granted`. To be followed by `forgetMatch`.
   */
  match(nameOffset: number, nameLength: number): void {
    const { index } = this;
    this.matchedCount = 0;
    if (index === undefined || !this.isIndexed)
      for (let at = this.recordAfter(END); at !== END; at = this.recordAfter(at))
        this.matchRecord(at, nameOffset, nameLength);
    else
      for (let number = index.firstMatch(nameOffset, nameLength); number !== END; number = index.next(number))
        this.matchRecord(this.recordOf(number), nameOffset, nameLength);
  }

  forgetMatch(): void {
    this.publisher = NOBODY;
    for (let index = 0; index < this.matchedCount; ++index)
      this.granted[this.matched[index]!] = NOT_SUBSCRIBED;
    this.matchedCount = 0;
  }

  /**
   * @returns the subscription of a node to this filter, or END. Filters are compared byte by byte [MQTT311-3.10.4-1]
   */
  find(node: number, filterOffset: number, filterLength: number): number {
    const { arena: { view }, index, placesOffset } = this;
    const chain = this.chainsOffset + node * CHAIN_LENGTH;
    if (index !== undefined && view.getUint16(chain + COUNT) > FEW) {
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

  // How it is done

  private isAt(record: number, node: number, filterOffset: number, filterLength: number): boolean {
    const { arena, arena: { view } } = this;
    return view.getUint16(record + NODE) === node && view.getUint16(record) === filterLength
      && equalBytes(arena, record + FILTER, filterOffset, filterLength);
  }

  private matchRecord(record: number, nameOffset: number, nameLength: number): void {
    const { arena, granted } = this;
    if (!matchesTopicFilter(arena, record + FILTER, arena.view.getUint16(record), nameOffset, nameLength))
      return;
    const node = arena.view.getUint16(record + NODE);
    const options = arena.bytes[record + QOS]!;
    if (node === this.publisher && (options & NO_LOCAL) !== 0) // [MQTT5-3.8.3-3]
      return;
    if (granted[node] === NOT_SUBSCRIBED) {
      this.matched[this.matchedCount++] = node;
      granted[node] = options & GRANTED;
    } else if ((options & OPTIONS_QOS) > (granted[node]! & OPTIONS_QOS)) // [MQTT5-3.3.4-2]
      granted[node] = granted[node]! & ~OPTIONS_QOS | options & GRANTED;
    else
      granted[node]! |= options & RETAIN_AS_PUBLISHED;
  }

  private enter(number: number): void {
    const { arena: { bytes }, index } = this;
    const filter = this.recordOf(number) + FILTER;
    if (bytes[filter] === DOLLAR) {
      ++this.dollarCount;
      ++this.dollarRevision;
    }
    if (index === undefined)
      return;
    if (this.isIndexed)
      index.add(number, filter, this.filterLengthOf(number));
    else if (this.count > FEW) {
      this.isIndexed = true;
      for (let at = this.recordAfter(END); at !== END; at = this.recordAfter(at))
        index.add(this.numberAt(at), at + FILTER, this.arena.view.getUint16(at));
    }
  }

  protected override release(number: number): void {
    const { bytes } = this.arena;
    const record = this.recordOf(number);
    if ((bytes[record + QOS]! & OWED) !== 0)
      --this.owedCount;
    if ((bytes[record + QOS]! & NO_LOCAL) !== 0)
      --this.noLocalCount;
    if (bytes[record + FILTER] === DOLLAR) {
      --this.dollarCount;
      ++this.dollarRevision;
    }
    if (this.isIndexed)
      this.index!.remove(number);
    super.release(number);
    if (this.count === 0)
      this.isIndexed = false;
  }
}
