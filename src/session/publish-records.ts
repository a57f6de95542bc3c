/**
 * The layout of a queue of encoded PUBLISH packets: a ring of records in the arena, none of which wraps. What is too long for
 * the end of the region starts over at 0.
 *
 *   | length (4) | state (1) | QoS (1) | packet identifier (2) | stored at (4), time (4), rule (4) | the encoded PUBLISH | padding to 4 |
 *
 * The three words in the middle are there only where the owner wants to know more of a record.
 *
 * Knows no order of sending and no acknowledgement: that is outbound-queue.ts.
 */
import type { Arena } from '../bytes/arena.ts';
import type { SessionStateKind } from './session-state-kind.ts';

export const HEADER_LENGTH = 8;
export const STATE = 4;
export const QOS = 5;
export const IDENTIFIER = 6;
export const POSITION = 8;
export const TIME = 12;
export const RULE = 16;
/** Bytes that an annotated record has more. */
export const NOTES_LENGTH = 12;

/** `positionOf` a record that is in no log. */
export const NOT_STORED = 0;
/** Returned when no record fits the question. */
export const NONE = -1;

export class PublishRecords {
  /** Records between head and tail, DONE ones included. */
  count = 0;
  readonly kind: SessionStateKind;
  protected readonly offset: number;
  protected head = 0;
  protected tail = 0;

  /** @param offset of a region of `kind.capacity` bytes; a session state needs `SessionStateKind.lengthOf` its limits */
  constructor(kind: SessionStateKind, offset: number) {
    this.kind = kind;
    this.offset = offset;
  }

  get capacity(): number {
    return this.kind.capacity;
  }

  /** Bytes between head and tail, headers and padding included. */
  get usedLength(): number {
    const length = this.tail - this.head;
    return this.count === 0 || length > 0 ? length : length + this.kind.capacity;
  }

  /** What the journal, and whoever gives messages up, must know of a record. */
  annotate(record: number, position: number, time: number, rule: number): void {
    const { view } = this.kind.arena;
    view.setUint32(record + POSITION, position);
    view.setUint32(record + TIME, time);
    view.setUint32(record + RULE, rule);
  }

  lengthOf(record: number): number {
    return this.kind.arena.view.getUint32(record);
  }

  stateOf(record: number): number {
    return this.kind.arena.bytes[record + STATE]!;
  }

  qosOf(record: number): number {
    return this.kind.arena.bytes[record + QOS]!;
  }

  identifierOf(record: number): number {
    return this.kind.arena.view.getUint16(record + IDENTIFIER);
  }

  positionOf(record: number): number {
    return this.kind.headerLength === HEADER_LENGTH ? NOT_STORED : this.kind.arena.view.getUint32(record + POSITION);
  }

  timeOf(record: number): number {
    return this.kind.arena.view.getUint32(record + TIME);
  }

  ruleOf(record: number): number {
    return this.kind.arena.view.getUint32(record + RULE);
  }

  /** Offset in the arena of the topic name of `record`; its length is in the two bytes before. */
  topicOf(record: number): number {
    return topicOfPacket(this.kind.arena, record + this.kind.headerLength);
  }

  /** The oldest record, NONE when there is none. */
  get oldest(): number {
    return this.count === 0 ? NONE : this.offset + this.head;
  }

  protected enter(at: number, packetLength: number, state: number, qos: number, identifier: number): void {
    const { kind } = this;
    const { view } = kind.arena;
    const record = this.offset + at;
    const headerLength = kind.headerLength;
    view.setUint32(record, packetLength);
    view.setUint32(record + STATE, state << 24 | qos << 16 | identifier);
    if (headerLength !== HEADER_LENGTH)
      this.annotate(record, NOT_STORED, kind.time, kind.rule);
    this.tail = at + (headerLength + packetLength + 3 & ~3);
    ++this.count;
  }

  /** Where the record behind the one at `at` begins; what lies there means nothing when `at` was the last one. */
  protected positionAfter(at: number): number {
    const kind = this.kind;
    const view = kind.arena.view;
    at += kind.headerLength + view.getUint32(this.offset + at) + 3 & ~3;
    // At the tail the next record's place is not known yet.
    return at !== this.tail && (at === kind.capacity || view.getUint32(this.offset + at) === 0) ? 0 : at;
  }
}

/** Offset of the topic name of an encoded PUBLISH. */
export function topicOfPacket(arena: Arena, packet: number): number {
  const { bytes } = arena;
  while (bytes[++packet]! > 0x7F); // Remaining Length
  return packet + 3;
}
