/**
 * How a message lies in a queue: an encoded PUBLISH after a header.
 *
 *   | length (4) | state (1) | QoS (1) | packet identifier (2) | notes (20) | the encoded PUBLISH | padding to 4 |
 *
 * The notes are there in the queue towards the Server: where the message is stored, when it was taken, its rule
 * (2) and its place among the order counters (2), and when it was sent, or until then what must be durable before it
 * may be. Where messages for nodes are stored, their queues have 8 bytes of notes: where, and what must be durable.
 * Where they may become too old there is a note on that (message-age.ts) behind those.
 */
import type { Arena } from '../bytes/arena.ts';

export const HEADER_LENGTH = 8;
export const STATE = 4;
export const QOS = 5;
export const IDENTIFIER = 6;
export const POSITION = 8;
/** In the queue of a node: what has to be durable before the message, or PUBREL for it, may be sent. */
export const NODE_STAMP = 12;
export const TIME = 12;
export const RULE = 16;
export const SLOT = 18;
export const SENT_AT = 20;
/** What has to be durable before the message may be sent; until it is. */
export const STAMP = SENT_AT;
/** Identity of the node that has sent it, 0 for none. */
export const ORIGIN = 24;
/** Bytes that a record with notes has more. */
export const NOTES_LENGTH = 20;
export const NODE_NOTES_LENGTH = 8;

/** Position of a record that is in no log. */
export const NOT_STORED = 0;
/**
 * The same of a message of QoS 2 that was given up while its receiver may know it: the exchange goes on from memory, as
 * long as the receiver knows the session. Greater positions are those of a log.
 */
export const ABANDONED = 1;
/** Positions are those of words: while a storage is opened this bit says that nobody knows what lies there now. */
export const DOUBT = 1;
/** Returned when no record fits the question. */
export const NONE = -1;

// States.
/** Not sent yet, on any connection. */
export const QUEUED = 0;
/** Sent; PUBACK or PUBREC is awaited. */
export const SENT = 1;
/** PUBREC received, PUBREL sent; PUBCOMP is awaited. */
export const RELEASED = 2;
/** Acknowledged or given up; the place is free as soon as it is at the head. */
export const DONE = 3;
export const STATE_MASK = 3;

// Flags beside the state.
/** To be sent, or sent again, on the present connection. */
export const PENDING = 4;
/** One of those that waited for the connection. */
export const REPLAYED = 8;
/** Not to be sent before `releaseHeld`; PENDING as well, and in neither lane. */
export const HELD = 16;

/** Offset of the topic name of an encoded PUBLISH; its length is in the two bytes before. */
export function topicOfPacket(arena: Arena, packet: number): number {
  const { bytes } = arena;
  while (bytes[++packet]! > 0x7F); // Remaining Length
  return packet + 3;
}
