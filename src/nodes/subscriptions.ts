/**
 * Who asked for which Topic Filter: one list for all nodes, bounded in bytes and in count. Belongs to the session state,
 * so it survives the connection of a node that asked for that. A record is
 *
 *   | node (2) | granted QoS (1) | filter |
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { END, PackedRecords } from '../bytes/packed-records.ts';
import { equalBytes } from '../bytes/compare.ts';
import { DOLLAR } from '../packet/topic.ts';
import { matchesTopicFilter } from '../packet/topic-filter.ts';

const QOS = 2;
const FILTER = 3;

/** No subscription of this node matches. */
export const NOT_SUBSCRIBED = -1;

export class Subscriptions {
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

  /** Adds a subscription or replaces the QoS of the same one [MQTT311-3.8.4-3]. @returns false when there is no room */
  add(node: number, filterOffset: number, filterLength: number, qos: number): boolean {
    const { arena, records } = this;
    let at = this.find(node, filterOffset, filterLength);
    if (at === END) {
      at = records.append(FILTER + filterLength);
      if (at === END)
        return false;
      arena.view.setUint16(at, node);
      arena.bytes.copyWithin(at + FILTER, filterOffset, filterOffset + filterLength);
    }
    arena.bytes[at + QOS] = qos;
    return true;
  }

  has(node: number, filterOffset: number, filterLength: number): boolean {
    return this.find(node, filterOffset, filterLength) !== END;
  }

  /** Filters are compared byte by byte [MQTT311-3.10.4-1]. */
  remove(node: number, filterOffset: number, filterLength: number): void {
    const at = this.find(node, filterOffset, filterLength);
    if (at !== END)
      this.records.remove(at);
  }

  removeAll(node: number): void {
    const { arena, records } = this;
    let at = records.first;
    while (at !== END)
      at = arena.view.getUint16(at) === node ? records.remove(at) : records.next(at);
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
   * Raises `granted[node]` to the highest QoS of the node's matching subscriptions [MQTT311-3.3.2-3], so that overlapping ones deliver a
   * message once [MQTT311-3.3.5-1].
   */
  match(nameOffset: number, nameLength: number, granted: Int8Array): void {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at)) {
      if (!matchesTopicFilter(arena, at + FILTER, records.lengthOf(at) - FILTER, nameOffset, nameLength))
        continue;
      const node = arena.view.getUint16(at);
      const qos = arena.bytes[at + QOS]!;
      if (qos > granted[node]!)
        granted[node] = qos;
    }
  }

  private find(node: number, filterOffset: number, filterLength: number): number {
    const { arena, records } = this;
    for (let at = records.first; at !== END; at = records.next(at))
      if (arena.view.getUint16(at) === node && records.lengthOf(at) === FILTER + filterLength
        && equalBytes(arena, at + FILTER, filterOffset, filterLength))
        return at;
    return END;
  }
}
