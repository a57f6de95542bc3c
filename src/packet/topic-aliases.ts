/**
 * Topic Aliases: numbers that a Client has said for topics, on one connection (5.0 section 3.3.2.3.4). Each connection
 * has a table in the arena, whose topics share the room behind it:
 *
 *   | bytes of topics (4) | of each alias: where its topic lies among them (4), its length (2), 0: none | topics |
 */
import type { Arena } from '../bytes/arena.ts';
import type { Packet } from './packet.ts';

const HEADER_LENGTH = 4;
const ENTRY_LENGTH = 6;
const LENGTH = 4;

export class TopicAliases {
  /** They are 1 to this. */
  readonly maximum: number;
  private readonly arena: Arena;
  private readonly capacity: number;

  /** Bytes of a table. @param topicLength bytes of a topic, on average */
  static lengthFor(maximum: number, topicLength: number): number {
    return maximum === 0 ? 0 : HEADER_LENGTH + maximum * (ENTRY_LENGTH + topicLength);
  }

  constructor(arena: Arena, maximum: number, topicLength: number) {
    this.arena = arena;
    this.maximum = maximum;
    this.capacity = maximum * topicLength;
  }

  /** None is known on a new connection [MQTT5-3.3.2-7]. */
  clear(table: number): void {
    this.arena.bytes.fill(0, table, this.topicsOf(table));
  }

  /** The alias stands for the topic of the packet from now on. @returns false when there is no room for it */
  define(table: number, alias: number, { topicNameLength: length, topicNameOffset }: Packet): boolean {
    const { arena: { bytes, view } } = this;
    const entry = this.entryOf(table, alias);
    const topics = this.topicsOf(table);
    if (view.getUint16(entry + LENGTH) !== length) {
      this.forget(table, entry);
      const usedLength = view.getUint32(table);
      if (usedLength + length > this.capacity)
        return false;
      view.setUint32(entry, usedLength);
      view.setUint16(entry + LENGTH, length);
      view.setUint32(table, usedLength + length);
    }
    const at = topics + view.getUint32(entry);
    bytes.copyWithin(at, topicNameOffset, topicNameOffset + length);
    return true;
  }

  /** Gives the packet the topic of an alias. @returns false: there is none */
  resolve(table: number, alias: number, packet: Packet): boolean {
    const { view } = this.arena;
    const entry = this.entryOf(table, alias);
    packet.topicNameLength = view.getUint16(entry + LENGTH);
    packet.topicNameOffset = this.topicsOf(table) + view.getUint32(entry);
    return packet.topicNameLength > 0;
  }

  /** Takes the topic of an alias out; those behind it move. */
  private forget(table: number, entry: number): void {
    const { bytes, view } = this.arena;
    const start = view.getUint32(entry);
    const topics = this.topicsOf(table);
    const usedLength = view.getUint32(table);
    const length = view.getUint16(entry + LENGTH);
    if (length === 0)
      return;
    for (let at = table + HEADER_LENGTH; at < topics; at += ENTRY_LENGTH) {
      const place = view.getUint32(at);
      if (place > start)
        view.setUint32(at, place - length);
    }
    bytes.copyWithin(topics + start, topics + start + length, topics + usedLength);
    view.setUint32(table, usedLength - length);
    view.setUint16(entry + LENGTH, 0);
  }

  private entryOf(table: number, alias: number): number {
    return table + HEADER_LENGTH + (alias - 1) * ENTRY_LENGTH;
  }

  private topicsOf(table: number): number {
    return this.entryOf(table, this.maximum + 1);
  }
}
