/**
 * What the session states of one kind share, so that each of them keeps only what is its own. A program has one kind for
 * the nodes, and one for its own session with a Server; only that one may have a journal, and then it is the only state of
 * its kind.
 */
import type { Arena } from '../bytes/arena.ts';
import { HEADER_LENGTH, NOTES_LENGTH } from './publish-records.ts';

export interface SessionStateLimits {
  /** Bytes of the queue of outgoing messages. */
  readonly queueCapacity: number;
  /** Messages in that queue. */
  readonly maximumQueuedMessages: number;
  /** Outgoing messages that may be unacknowledged at a time. */
  readonly maximumInflightMessages: number;
  /** Incoming QoS 2 messages that may be unreleased at a time; default: as many. A sender of 3.x does not know the limit. */
  readonly maximumUnreleasedMessages?: number;
  /** Whether records of the queue carry notes, and the smallest identifier that the queue itself gives out. */
  readonly isAnnotated?: boolean;
  readonly firstIdentifier?: number;
}

/** Keeps what happens to stored messages where it survives. Positions are the journal's own. */
export interface Journal {
  /** PUBREC has come. PUBREL must not go out before that is durable: the journal sees to it, `isReleasing` until then. */
  released(position: number, identifier: number): void;
  isReleasing(identifier: number): boolean;
  /** Delivered, or given up. */
  done(position: number): void;
  /** Moves waiting messages into the queue. */
  refill(): void;
}

/** Keeps the identifiers in use far from a full turn of the counter. */
export const MAXIMUM_RECORD_COUNT = 32_768;

/** Of the identifiers of incoming QoS 2 messages, which lie behind the queue. */
export const IDENTIFIER_LENGTH = 2;

const capacityOf = (limits: SessionStateLimits): number => limits.queueCapacity + 3 & ~3;
const unreleasedOf = (limits: SessionStateLimits): number => limits.maximumUnreleasedMessages ?? limits.maximumInflightMessages;

export class SessionStateKind {
  readonly arena: Arena;
  /** Bytes of the region of one state. */
  readonly length: number;
  /** Bytes in front of each packet in a queue. */
  readonly headerLength: number;
  /** Bytes of a queue, a multiple of 4, and records in it. */
  readonly capacity: number;
  readonly maximumCount: number;
  readonly maximumInflight: number;
  readonly maximumUnreleased: number;
  /** Where identifiers given out by a queue begin; those below are the journal's. */
  readonly firstIdentifier: number;
  journal: Journal | undefined = undefined;
  /** Records at the tail of the queue that must not be sent yet, because they are not durable. */
  heldCount = 0;
  /** Messages of the journal's log that come behind those in the queue. */
  waitingCount = 0;
  /** What is noted of the next message that is entered, if records are annotated. */
  time = 0;
  rule = 0;

  /** Bytes of the region that a state with these limits needs. */
  static lengthOf(limits: SessionStateLimits): number {
    return capacityOf(limits) + unreleasedOf(limits) * IDENTIFIER_LENGTH;
  }

  constructor(arena: Arena, limits: SessionStateLimits) {
    const { firstIdentifier, isAnnotated, maximumInflightMessages, maximumQueuedMessages } = limits;
    this.arena = arena;
    this.length = SessionStateKind.lengthOf(limits);
    this.headerLength = isAnnotated ? HEADER_LENGTH + NOTES_LENGTH : HEADER_LENGTH;
    this.capacity = capacityOf(limits);
    this.maximumCount = maximumQueuedMessages < MAXIMUM_RECORD_COUNT ? maximumQueuedMessages : MAXIMUM_RECORD_COUNT;
    this.maximumInflight = maximumInflightMessages;
    this.maximumUnreleased = unreleasedOf(limits);
    this.firstIdentifier = firstIdentifier ?? 1;
  }
}
