/**
 * Who asked for which Topic Filter: one list for all nodes, bounded in bytes and in count. Belongs to the session
 * state, so it survives the connection of a node that asked for that. A record is
 *
 *   | node (2) | granted QoS, OWED, AGAIN (1) | filter |
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { END, PackedRecords } from '../bytes/packed-records.ts';
import { equalBytes } from '../bytes/compare.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';

const QOS = 2;
const FILTER = 3;

/**
 * Beside the QoS: retained messages are owed for this subscription; and once more, because it was asked for again
 * meanwhile.
 */
const OWED = 0x80;
const AGAIN = 0x40;
const QOS_MASK = 3;

/** No subscription of this node matches. */
export const NOT_SUBSCRIBED = -1;

export class Subscriptions {
  /** Subscriptions for which retained messages are owed. */
  owedCount = 0;
  private readonly arena: Arena;
  private readonly records: PackedRecords;

  static plan(plan: ArenaPlan, capacity: number): number {
    return plan.reserve('subscriptions', capacity);
  }

  constructor(arena: Arena, offset: number, capacity: number, maximumCount: number) {
    this.arena = arena;
    this.records = new PackedRecords(arena, offset, capacity, maximumCount);
  }

  get count(): number {
    return this.records.count;
  }

  /**
   * Adds a subscription or replaces the QoS of the same one [MQTT311-3.8.4-3].
   * @param isOwed whether there may be retained messages for it @returns where it lies; END when there is no room
   */
  add(node: number, filterOffset: number, filterLength: number, qos: number, isOwed: boolean): number {
    const { arena, records } = this;
    let at = this.find(node, filterOffset, filterLength);
    let flags = isOwed ? OWED : 0;
    if (at === END) {
      at = records.append(FILTER + filterLength);
      if (at === END)
        return END;
      arena.view.setUint16(at, node);
      arena.bytes.copyWithin(at + FILTER, filterOffset, filterOffset + filterLength);
      if (isOwed)
        ++this.owedCount;
    } else {
      const old = arena.bytes[at + QOS]!;
      if (isOwed && (old & OWED) === 0)
        ++this.owedCount;
      flags |= old & (OWED | AGAIN);
    }
    arena.bytes[at + QOS] = qos | flags;
    return at;
  }

  /** Once they have been sent they are to be sent once more. */
  oweAgain(at: number): void {
    this.arena.bytes[at + QOS]! |= AGAIN;
  }

  /** @returns the first subscription of a node for which retained messages are owed, or END */
  owedTo(node: number): number {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if ((arena.bytes[at + QOS]! & OWED) !== 0 && arena.view.getUint16(at) === node)
        return at;
    return END;
  }

  /** They have been sent. */
  settle(at: number): void {
    const { bytes } = this.arena;
    const qos = bytes[at + QOS]!;
    bytes[at + QOS] = (qos & AGAIN) !== 0 ? qos & ~AGAIN : qos & QOS_MASK;
    if ((qos & AGAIN) === 0)
      --this.owedCount;
  }

  /** Of the subscription at `at`: the QoS that was granted, and where its filter lies. */
  qosOf(at: number): number {
    return this.arena.bytes[at + QOS]! & QOS_MASK;
  }

  filterOffsetOf(at: number): number {
    return at + FILTER;
  }

  filterLengthOf(at: number): number {
    return this.records.lengthOf(at) - FILTER;
  }

  remove(at: number): void {
    if ((this.arena.bytes[at + QOS]! & OWED) !== 0)
      --this.owedCount;
    this.records.remove(at);
  }

  removeAll(node: number): void {
    const { arena, records } = this;
    let isAny = false;
    for (let at = records.first, next = END; at !== END; at = next) {
      next = records.next(at);
      if (arena.view.getUint16(at) !== node)
        continue;
      if ((arena.bytes[at + QOS]! & OWED) !== 0)
        --this.owedCount;
      records.mark(at);
      isAny = true;
    }
    if (isAny)
      records.sweep();
  }

  hasAny(node: number): boolean {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if (arena.view.getUint16(at) === node)
        return true;
    return false;
  }

  /** Whether any filter begins with `$`: nothing else matches a topic that does [MQTT311-4.7.2-1]. */
  hasDollarFilter(): boolean {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if (arena.bytes[at + FILTER] === DOLLAR)
        return true;
    return false;
  }

  /**
   * Raises `granted[node]` to the highest QoS of the node's matching subscriptions [MQTT311-3.3.2-3], so that
   * overlapping ones deliver a message once [MQTT311-3.3.5-1].
   */
  match(nameOffset: number, nameLength: number, granted: Int8Array): void {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at)) {
      if (!matchesTopicFilter(arena, at + FILTER, records.lengthOf(at) - FILTER, nameOffset, nameLength))
        continue;
      const node = arena.view.getUint16(at);
      const qos = arena.bytes[at + QOS]! & QOS_MASK;
      if (qos > granted[node]!)
        granted[node] = qos;
    }
  }

  /**
   * @returns the first subscription of a node after the one at `after`, or the first one of all after END; END when
   * there is none
   */
  nextOf(node: number, after: number): number {
    const { arena, records } = this;
    for (let at = after === END ? records.first : records.next(after); at !== END; at = records.next(at))
      if (arena.view.getUint16(at) === node)
        return at;
    return END;
  }

  /**
   * @returns the subscription of a node to this filter, or END. Filters are compared byte by byte [MQTT311-3.10.4-1]
   */
  find(node: number, filterOffset: number, filterLength: number): number {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if (arena.view.getUint16(at) === node && records.lengthOf(at) === FILTER + filterLength
        && equalBytes(arena, at + FILTER, filterOffset, filterLength))
        return at;
    return END;
  }
}
