/**
 * The record of a retained message:
 *
 *   | topic length (2) | QoS and flags (1) | topic | payload |
 *
 * and that of a message with properties has, before the payload, | their length (2) | second (4) | properties |: their
 * Message Expiry Interval counts from that second of the clock.
 */
import type { Arena } from '../bytes/arena.ts';
import type { MessageSpans } from '../packet/packet.ts';

export const QOS = 2;
/** Where the topic lies in a record; the payload follows it. */
export const TOPIC = 3;
export const QOS_MASK = 3;
/** Flags beside the QoS: it has properties. */
export const HAS_PROPERTIES = 0x10;
export const PROPERTIES_HEADER = 6;

/** Reads the record of `length` bytes at `at`; RETAIN is the caller's business. */
export function readRetained({ bytes, view }: Arena, at: number, length: number, message: MessageSpans): void {
  const notes = bytes[at + QOS]!;
  const topicNameLength = view.getUint16(at);
  let rest = at + TOPIC + topicNameLength;
  message.topicNameOffset = at + TOPIC;
  message.topicNameLength = topicNameLength;
  message.qos = notes & QOS_MASK;
  message.propertiesLength = 0;
  if ((notes & HAS_PROPERTIES) !== 0) {
    message.propertiesLength = view.getUint16(rest);
    message.propertiesOffset = rest + PROPERTIES_HEADER;
    rest = message.propertiesOffset + message.propertiesLength;
  }
  message.payloadOffset = rest;
  message.payloadLength = at + length - rest;
}
