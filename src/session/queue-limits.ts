/** How much the session states of one role may hold: the same for all of them, and never changed. */
import type { Arena } from '../bytes/arena.ts';
import { AGE_LENGTH, type MessageAge } from './message-age.ts';
import type { MessageForms } from './message-forms.ts';
import type { NodeJournal } from './node-journal.ts';
import { HEADER_LENGTH, NODE_NOTES_LENGTH, NOTES_LENGTH } from './record-layout.ts';

export interface SessionLimits {
  /** Bytes of the queue of outgoing messages. */
  readonly queueCapacity: number;
  /** Messages in that queue. */
  readonly maximumQueuedMessages: number;
  /** Outgoing messages that may be unacknowledged at a time. */
  readonly maximumInflightMessages: number;
  /**
   * Incoming QoS 2 messages that may be unreleased at a time; default: as many. A sender of 3.x does not know the
   * limit.
   */
  readonly maximumUnreleasedMessages?: number;
  /**
   * Whether there is an upstream window: its records carry notes, and received identifiers the time at which they
   * came.
   */
  readonly isUpstream?: boolean;
  /** Whether messages are stored: those of a node, with a journal. */
  readonly isStored?: boolean;
  /** Whether messages may become too old while they wait: those of a node. */
  readonly keepsAge?: boolean;
}

/** Told when a queue may have no room for the next message. */
export interface RoomWatch {
  onLittleRoom(): void;
  /** Messages may be so long from now on, in bytes of a packet. */
  onLongerMessage(length: number): void;
}

/** Records in a queue at most, so that the numbers that are counted in it stay far from 16 bits. */
export const MAXIMUM_RECORD_COUNT = 32_768;

/** Of the identifiers of incoming QoS 2 messages, which lie after the queue, and of the times of each after those. */
export const IDENTIFIER_LENGTH = 2;
export const RECEIVED_TIME_LENGTH = 4;

/** The longest message fits, with its note. */
const capacityOf = ({ keepsAge, queueCapacity }: SessionLimits): number =>
  (queueCapacity + 3 & ~3) + (keepsAge === true ? AGE_LENGTH : 0);
const unreleasedOf = (limits: SessionLimits): number =>
  limits.maximumUnreleasedMessages ?? limits.maximumInflightMessages;
const receivedLengthOf = (limits: SessionLimits): number => limits.isUpstream === true
  ? IDENTIFIER_LENGTH + RECEIVED_TIME_LENGTH : IDENTIFIER_LENGTH;

export class QueueLimits {
  readonly arena: Arena;
  /** Of all queues of nodes, when their messages are stored. */
  journal: NodeJournal | undefined = undefined;
  /** What is noted of the age of each message that is entered, and where in its record; undefined: nothing. */
  age: MessageAge | undefined = undefined;
  readonly ageOffset: number;
  /** Of all queues of nodes. */
  watch: RoomWatch | undefined = undefined;
  /** Writes messages for nodes that speak 5.0. */
  forms: MessageForms | undefined = undefined;
  readonly isStored: boolean;
  /** Whether received identifiers carry the time at which they came. */
  readonly isUpstream: boolean;
  /** Bytes of the region of one state. */
  readonly length: number;
  /** Bytes in front of each packet in a queue. */
  readonly headerLength: number;
  /** Bytes of a queue, a multiple of 4, and records in it. */
  readonly capacity: number;
  readonly maximumCount: number;
  /**
   * Bytes of the longest record that may come next, and so many bytes and records after which there is room for one;
   * towards the Server nothing is kept free for that.
   */
  longestNext = 0;
  plenty: number;
  readonly plentyCount: number;
  /** Towards the Server it is lowered while it is found out for what that closes connections. */
  maximumInflight: number;
  readonly maximumUnreleased: number;

  /** Bytes of the region that a state with these limits needs. */
  static lengthOf(limits: SessionLimits): number {
    return capacityOf(limits) + unreleasedOf(limits) * receivedLengthOf(limits);
  }

  constructor(arena: Arena, limits: SessionLimits) {
    const { isStored = false, isUpstream = false, maximumInflightMessages, maximumQueuedMessages } = limits;
    const notesLength = isUpstream ? NOTES_LENGTH : isStored ? NODE_NOTES_LENGTH : 0;
    this.arena = arena;
    this.length = QueueLimits.lengthOf(limits);
    this.isStored = isStored;
    this.isUpstream = isUpstream;
    this.ageOffset = HEADER_LENGTH + notesLength;
    this.headerLength = this.ageOffset + (limits.keepsAge === true ? AGE_LENGTH : 0);
    this.capacity = capacityOf(limits);
    this.maximumCount = maximumQueuedMessages < MAXIMUM_RECORD_COUNT ? maximumQueuedMessages : MAXIMUM_RECORD_COUNT;
    this.plenty = this.capacity;
    this.plentyCount = isUpstream ? this.maximumCount : this.maximumCount - 1;
    this.maximumInflight = maximumInflightMessages;
    this.maximumUnreleased = unreleasedOf(limits);
  }

  /** A packet may be so long from now on. */
  expect(packetLength: number): void {
    this.longestNext = Math.min(Math.max(this.longestNext, this.headerLength + packetLength + 3 & ~3), this.capacity);
    this.plenty = this.capacity - this.longestNext;
  }
}
