/**
 * One number for a topic, for the counters of order and for the records that are the last ones of their topics; and
 * for a whole message.
 */
import type { Arena } from '../bytes/arena.ts';
import type { Message } from '../packet/packet.ts';

const { imul } = Math;
const FACTOR = 0x9E3779B1 | 0;

/** Mixes `length` bytes into `start`, four at a time. */
function mix(arena: Arena, offset: number, length: number, start: number): number {
  const { bytes, view } = arena;
  let hash = start ^ length;
  let left = length;
  for (; left >= 4; left -= 4, offset += 4) {
    hash = imul(hash ^ view.getInt32(offset), FACTOR);
    hash ^= hash >>> 15;
  }
  for (; left > 0; --left, ++offset)
    hash = imul(hash ^ bytes[offset]!, FACTOR);
  return hash ^ hash >>> 13;
}

/** Of the local name of a message. */
export const hashOfTopic = (arena: Arena, offset: number, length: number): number => mix(arena, offset, length, 0);

/** Of the last bytes of its topic, and of its payload: mount points change only the beginning of a name. */
export const hashOfContent = (arena: Arena, message: Message): number =>
  mix(arena, message.payloadOffset, message.payloadLength, message.topicNameLength === 0 ? 0
    : arena.bytes[message.topicNameOffset + message.topicNameLength - 1]!);
