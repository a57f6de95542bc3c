/** Finds a message in the quarantine by what it says, whosever it is. */
import type { Arena } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import type { Message } from '../packet/packet.ts';
import { HEADER_LENGTH, type Quarantine } from './quarantine.ts';

/** Whether a message with this local topic and this payload is set aside. */
export function isSetAside(quarantine: Quarantine, arena: Arena, message: Message): boolean {
  const { payloadLength, payloadOffset, topicNameLength, topicNameOffset } = message;
  const least = HEADER_LENGTH + topicNameLength + payloadLength;
  for (let index = 0; index < quarantine.count; ++index) {
    if (quarantine.lengthOf(index) < least)
      continue;
    const found = quarantine.read(index);
    if (found.topicNameLength === topicNameLength && found.payloadLength === payloadLength
      && equalBytes(arena, found.topicNameOffset, topicNameOffset, topicNameLength)
      && equalBytes(arena, found.payloadOffset, payloadOffset, payloadLength))
      return true;
  }
  return false;
}
