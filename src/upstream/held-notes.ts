/** What is noted of messages that wait for room, and lie in the rings of parsers from their Topic Names on. */
import { DUP } from '../packet/control-packet.ts';
import type { Packet } from '../packet/packet.ts';

/** What is noted of a message; places are counted from its Topic Name. */
const FIELDS = 10;
/** The connection, or FREE. */
const CONNECTION = 0;
const TOPIC_LENGTH = 1;
const PAYLOAD_AT = 2;
const PAYLOAD_LENGTH = 3;
const PROPERTIES_AT = 4;
const PROPERTIES_LENGTH = 5;
const FLAGS = 6;
const QOS = 7;
const RETAIN = 8;
const IDENTIFIER = 9;
const FREE = 0;

export class HeldNotes {
  private readonly notes: Int32Array;

  /** @param count of those who may have sent one */
  constructor(count: number) {
    this.notes = new Int32Array(count * FIELDS);
  }

  has(source: number): boolean {
    return this.notes[source * FIELDS] !== FREE;
  }

  isOf(source: number, connection: number): boolean {
    return this.notes[source * FIELDS] === connection;
  }

  remove(source: number): void {
    this.notes[source * FIELDS] = FREE;
  }

  add(source: number, connection: number, packet: Packet): void {
    const { notes } = this;
    const at = source * FIELDS;
    const { topicNameOffset } = packet;
    notes[at + CONNECTION] = connection;
    notes[at + TOPIC_LENGTH] = packet.topicNameLength;
    notes[at + PAYLOAD_AT] = packet.payloadOffset - topicNameOffset;
    notes[at + PAYLOAD_LENGTH] = packet.payloadLength;
    notes[at + PROPERTIES_AT] = packet.propertiesOffset - topicNameOffset;
    notes[at + PROPERTIES_LENGTH] = packet.propertiesLength;
    notes[at + FLAGS] = packet.flags;
    notes[at + QOS] = packet.qos;
    notes[at + RETAIN] = packet.retain;
    notes[at + IDENTIFIER] = packet.packetIdentifier;
  }

  /** What was noted becomes the packet at hand, but for the number of its topic. @returns its end */
  recall(source: number, start: number, packet: Packet): number {
    const { notes } = this;
    const at = source * FIELDS;
    packet.topicNameOffset = start;
    packet.topicNameLength = notes[at + TOPIC_LENGTH]!;
    packet.payloadOffset = start + notes[at + PAYLOAD_AT]!;
    packet.payloadLength = notes[at + PAYLOAD_LENGTH]!;
    packet.propertiesOffset = start + notes[at + PROPERTIES_AT]!;
    packet.propertiesLength = notes[at + PROPERTIES_LENGTH]!;
    packet.flags = notes[at + FLAGS]! | DUP; // some of it may be stored already
    packet.qos = notes[at + QOS]!;
    packet.retain = notes[at + RETAIN]!;
    packet.packetIdentifier = notes[at + IDENTIFIER]!;
    return packet.payloadOffset + packet.payloadLength;
  }
}
