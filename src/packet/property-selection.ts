/** Which properties of a message go with it where there is not room for all. */
import type { Arena } from '../bytes/arena.ts';
import type { Message } from './packet.ts';
import { behindProperty, CONTENT_TYPE, CORRELATION_DATA, findProperty, MESSAGE_EXPIRY_INTERVAL,
  PAYLOAD_FORMAT_INDICATOR, RESPONSE_TOPIC, USER_PROPERTY } from './properties.ts';

/** An answer needs the first two; what the last ones say is for whoever reads the payload. */
const BY_IMPORTANCE: readonly number[] = Object.freeze([
  CORRELATION_DATA, RESPONSE_TOPIC, MESSAGE_EXPIRY_INTERVAL, PAYLOAD_FORMAT_INDICATOR, CONTENT_TYPE,
]);

/**
 * Writes those that have room to `to`, the most important ones first; User Properties all of them, in their order, or
 * none. @param most bytes at `to` @returns the offset behind them
 */
export function selectProperties(arena: Arena, message: Message, to: number, most: number): number {
  const { propertiesLength, propertiesOffset } = message;
  const end = propertiesOffset + propertiesLength;
  const limit = to + most;
  for (let index = 0; index < BY_IMPORTANCE.length; ++index) {
    const value = findProperty(arena, propertiesOffset, end, BY_IMPORTANCE[index]!);
    const next = value < 0 ? 0 : behindProperty(arena, value - 1);
    if (value >= 0 && next - value + 1 <= limit - to)
      to = copy(arena, value - 1, next, to);
  }
  let length = 0;
  for (let at = propertiesOffset, next = 0; at < end; at = next) {
    next = behindProperty(arena, at);
    if (arena.bytes[at] === USER_PROPERTY)
      length += next - at;
  }
  if (length > limit - to)
    return to;
  for (let at = propertiesOffset, next = 0; at < end; at = next) {
    next = behindProperty(arena, at);
    if (arena.bytes[at] === USER_PROPERTY)
      to = copy(arena, at, next, to);
  }
  return to;
}

function copy({ bytes }: Arena, start: number, end: number, to: number): number {
  bytes.copyWithin(to, start, end);
  return to + end - start;
}
