/** DISCONNECT, which has a reason code and properties in 5.0 (section 3.14); before, it is empty. */
import { DISCONNECT } from './control-packet.ts';
import type { Packet } from './packet.ts';
import { hasProperties } from './protocol-version.ts';
import { readTrailingProperties } from './publish.ts';
import * as ReasonCode from './reason-code.ts';

/** Of a Client, see `ReasonCode.isListed`. [MQTT5-3.14.2-1] */
const CLIENT_CODES = 0xF | 1 << 0x10 | 0x7F << 0x13;

/** Length of a DISCONNECT with a reason code. */
export const DISCONNECT_LENGTH = 3;

/** A DISCONNECT, or'ed with its reason code << 8: three bytes, big-endian. */
export const DISCONNECT_PACKET = DISCONNECT << 28 | 1 << 16;

/** Reads that of a Client. */
export function readDisconnect(packet: Packet): number {
  const { arena, end, offset } = packet;
  packet.reasonCode = ReasonCode.SUCCESS;
  packet.properties.clear();
  if (end === offset)
    return ReasonCode.SUCCESS;
  if (!hasProperties(packet.version))
    return ReasonCode.MALFORMED_PACKET;
  const code = packet.reasonCode = arena.bytes[offset]!;
  return ReasonCode.isListed(code, CLIENT_CODES) || code === ReasonCode.DISCONNECT_WITH_WILL
    ? readTrailingProperties(packet, offset + 1) : ReasonCode.PROTOCOL_ERROR;
}
