/** DISCONNECT, which has a reason code and properties in 5.0 (section 3.14); before, it is empty. */
import { DISCONNECT } from './control-packet.ts';
import type { Packet } from './packet.ts';
import { hasProperties } from './protocol-version.ts';
import { readTrailingProperties } from './publish.ts';
import * as ReasonCode from './reason-code.ts';

/** Of a Client, and of a Server below 0xA0, see `ReasonCode.isListed`. [MQTT5-3.14.2-1] */
const CLIENT_CODES = 0xF | 1 << 0x10 | 0x7F << 0x13;
const SERVER_CODES = 0xF | 1 << 0x07 | 1 << 0x09 | 1 << 0x0B | 0xF << 0x0D | 0x1FFF << 0x13;

/** Length of a DISCONNECT with a reason code. */
export const DISCONNECT_LENGTH = 3;

/** A DISCONNECT, or'ed with its reason code << 8: three bytes, big-endian. */
export const DISCONNECT_PACKET = DISCONNECT << 28 | 1 << 16;

const isOfClient = (code: number): boolean =>
  ReasonCode.isListed(code, CLIENT_CODES) || code === ReasonCode.DISCONNECT_WITH_WILL;

const isOfServer = (code: number): boolean => ReasonCode.isListed(code, SERVER_CODES)
  || code >= ReasonCode.MAXIMUM_CONNECT_TIME && code <= ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;

/** @returns SUCCESS; MALFORMED_PACKET; PROTOCOL_ERROR, for a code that its sender may not say */
export function readDisconnect(packet: Packet, isFromClient: boolean): number {
  const { arena, end, offset } = packet;
  packet.reasonCode = ReasonCode.SUCCESS;
  packet.properties.clear();
  if (end === offset)
    return ReasonCode.SUCCESS;
  if (!hasProperties(packet.version))
    return ReasonCode.MALFORMED_PACKET;
  const code = packet.reasonCode = arena.bytes[offset]!;
  return (isFromClient ? isOfClient(code) : isOfServer(code))
    ? readTrailingProperties(packet, offset + 1) : ReasonCode.PROTOCOL_ERROR;
}
