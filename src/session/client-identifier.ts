/**
 * How long a Client Identifier may be, in both roles (rules C6 and C8). Its form, UTF-8, is the packet reader's
 * business; a Server's configuration may set a lower limit of its own.
 */
import type { Arena } from '../bytes/arena.ts';
import * as ProtocolVersion from '../packet/protocol-version.ts';

/** 3.1 counts characters, not bytes. */
const MAXIMUM_CHARACTERS = 23;

/** [MQTT311-3.1.3-7] [MQTT311-3.1.3-8]; in 3.1 1 to 23 characters, always. */
export function isAllowedClientIdentifier(arena: Arena, offset: number, length: number, version: number,
  cleanStart: boolean): boolean {
  if (length === 0)
    return ProtocolVersion.allowsEmptyClientIdentifier(version, cleanStart);
  if (!ProtocolVersion.limitsClientIdentifierTo23(version))
    return true;
  const bytes = arena.bytes;
  let characters = 0;
  for (let index = 0; index < length; ++index)
    if ((bytes[offset + index]! & 0xC0) !== 0x80) // not a continuation byte
      ++characters;
  return characters <= MAXIMUM_CHARACTERS;
}
