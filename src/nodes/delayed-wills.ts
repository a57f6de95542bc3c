/**
 * Wills of nodes that speak 5.0 and have gone, until their Will Delay is over or their session ends, whichever comes
 * first [MQTT5-3.1.2-8]; whoever is back before that has none [MQTT5-3.1.3-9]. A Will that finds no place here is
 * published at once. A record is
 *
 *   | node (2) | QoS, RETAIN << 2 (1) | free (1) | due at, in seconds of the clock (4) |
 *   | topic length (2) | topic | payload length (2) | payload | length of the properties (2) | properties |
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { END, PackedRecords } from '../bytes/packed-records.ts';
import type { MessageSpans } from '../packet/packet.ts';
import type { Clock } from '../session/clock.ts';
import type { ServerSession } from '../session/server-session.ts';
import type { NodeState } from './node-state.ts';

const FLAGS = 2;
const DUE_AT = 4;
const WILL = 8;
const LENGTHS = 6;
const RETAIN_SHIFT = 2;
/** Seconds from one look to the next at most: milliseconds have 32 bits. */
const LONGEST_PAUSE = 1_000_000;

export interface DelayedWillsPlan {
  readonly offset: number;
  readonly capacity: number;
}

export class DelayedWills {
  private readonly arena: Arena;
  private readonly clock: Clock;
  private readonly records: PackedRecords;

  /** @param count Wills of `willCapacity` bytes that have room at a time; of shorter ones more */
  static plan(plan: ArenaPlan, willCapacity: number, count: number): DelayedWillsPlan {
    const capacity = count * (4 + WILL + LENGTHS + willCapacity + 3 & ~3);
    return { capacity, offset: plan.reserve('Wills that are delayed', capacity) };
  }

  constructor(arena: Arena, clock: Clock, plan: DelayedWillsPlan) {
    this.arena = arena;
    this.clock = clock;
    this.records = new PackedRecords(arena, plan.offset, plan.capacity, plan.capacity);
  }

  /** Wills that wait. */
  get count(): number {
    return this.records.count;
  }

  /** Takes the Will of a node that has gone. @param will filled in here @returns false: it is to be published now */
  keep(node: NodeState, session: ServerSession, will: MessageSpans): boolean {
    const { arena: { bytes, view }, clock, records } = this;
    const { willDelay } = session;
    if (willDelay === 0 || session.isTransient)
      return false;
    session.readWill(will);
    const region = will.topicNameOffset - 2;
    const length = will.propertiesOffset + will.propertiesLength - region;
    const at = records.append(WILL + length);
    if (at === END)
      return false;
    view.setUint16(at, node.index);
    bytes[at + FLAGS] = will.qos | will.retain << RETAIN_SHIFT;
    view.setUint32(at + DUE_AT, Math.min(0xFFFFFFFF, clock.countSeconds() + willDelay));
    bytes.copyWithin(at + WILL, region, region + length);
    this.request(willDelay);
    return true;
  }

  /** @returns where the Will of a node waits, or END */
  find(node: NodeState): number {
    const { arena: { view }, records } = this;
    let at = records.first;
    while (at !== END && view.getUint16(at) !== node.index)
      at = records.next(at);
    return at;
  }

  /** @returns where a Will waits that is due, or END; afterwards the clock is asked for the next one */
  findDue(): number {
    const { arena: { view }, clock, records } = this;
    const now = clock.countSeconds();
    let least = LONGEST_PAUSE;
    for (let at = records.first; at !== END; at = records.next(at)) {
      const left = view.getUint32(at + DUE_AT) - now;
      if (left <= 0)
        return at;
      least = Math.min(least, left);
    }
    if (records.count > 0)
      this.request(least);
    return END;
  }

  /** Index of the node whose Will waits at `at`. */
  nodeAt(at: number): number {
    return this.arena.view.getUint16(at);
  }

  /** Makes `will` the one that waits at `at`; its spans lie there until it is removed. */
  read(at: number, will: MessageSpans): void {
    const { bytes, view } = this.arena;
    will.qos = bytes[at + FLAGS]! & 3;
    will.retain = bytes[at + FLAGS]! >> RETAIN_SHIFT & 1;
    will.topicNameOffset = at + WILL + 2;
    will.topicNameLength = view.getUint16(at + WILL);
    will.payloadOffset = will.topicNameOffset + will.topicNameLength + 2;
    will.payloadLength = view.getUint16(will.payloadOffset - 2);
    will.propertiesOffset = will.payloadOffset + will.payloadLength + 2;
    will.propertiesLength = view.getUint16(will.propertiesOffset - 2);
  }

  remove(at: number): void {
    this.records.remove(at);
  }

  private request(seconds: number): void {
    const { clock } = this;
    clock.request(clock.now + Math.min(LONGEST_PAUSE, seconds) * 1000 | 0);
  }
}
