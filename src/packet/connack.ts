/** CONNACK, read and written. MQTT 3.1.1 section 3.2; 3.1 chapter 3.2; 5.0 section 3.2. */
import type { Arena } from '../bytes/arena.ts';
import { CONNACK } from './control-packet.ts';
import type { Packet } from './packet.ts';
import * as ProtocolVersion from './protocol-version.ts';
import * as ReasonCode from './reason-code.ts';

/** The Remaining Length of CONNACK before 5.0: its flags and its code. */
const CONNACK_BODY_LENGTH = 2;

/**
 * Writes a CONNACK of 5.0, whose properties the caller has written before, at `propertiesOfConnack(offset)`; they are
 * shorter than 120 bytes. @param end of them @returns the offset after the packet
 */
export function writeConnackAround(
  { bytes }: Arena, offset: number, reasonCode: number, sessionPresent: boolean, end: number,
): number {
  bytes[offset] = CONNACK << 4;
  bytes[offset + 1] = end - offset - 2;
  bytes[offset + 2] = sessionPresent ? 1 : 0; // [MQTT5-3.2.2-1]
  bytes[offset + 3] = reasonCode;
  bytes[offset + 4] = end - propertiesOfConnack(offset);
  return end;
}

/** Where the properties of a CONNACK at `offset` begin. */
export const propertiesOfConnack = (offset: number): number => offset + 5;

/** @returns SUCCESS, MALFORMED_PACKET or PROTOCOL_ERROR; the Server's answer itself is in `packet.reasonCode` */
export function readConnack(packet: Packet): number {
  const { offset } = packet;
  if (ProtocolVersion.hasProperties(packet.version))
    return readConnackWithProperties(packet);
  if (packet.end - offset !== CONNACK_BODY_LENGTH)
    return ReasonCode.MALFORMED_PACKET;
  const bytes = packet.arena.bytes;
  const flags = ProtocolVersion.hasConnackFlags(packet.version) ? bytes[offset]! : 0;
  packet.reasonCode = ReasonCode.fromReturnCode(bytes[offset + 1]!);
  packet.sessionPresent = flags === 1;
  // Bits 7 to 1 are reserved; a refusal never has a session [MQTT311-3.2.2-4]
  return flags > 1 || flags === 1 && packet.reasonCode !== ReasonCode.SUCCESS
    ? ReasonCode.MALFORMED_PACKET : ReasonCode.SUCCESS;
}

/**
 * The answer to a CONNECT of 5.0. A Server that does not speak it may answer in the form of the version that it speaks:
 * without properties. It means that it does not, unless it names another reason.
 */
function readConnackWithProperties(packet: Packet): number {
  const { arena, arena: { bytes }, end, offset, properties } = packet;
  const length = end - offset;
  properties.clear();
  if (length < CONNACK_BODY_LENGTH || bytes[offset]! > 1) // [MQTT5-3.2.2-1]
    return ReasonCode.MALFORMED_PACKET;
  const code = bytes[offset + 1]!;
  packet.sessionPresent = bytes[offset] === 1;
  packet.reasonCode = code === ReasonCode.SUCCESS || code >= ReasonCode.UNSPECIFIED_ERROR ? code
    : ReasonCode.fromReturnCode(code);
  if (length === CONNACK_BODY_LENGTH) {
    if (code === ReasonCode.SUCCESS)
      packet.reasonCode = ReasonCode.UNSUPPORTED_PROTOCOL_VERSION;
    return ReasonCode.SUCCESS;
  }
  const next = properties.read(arena, offset + CONNACK_BODY_LENGTH, end, CONNACK);
  if (next < 0)
    return -next;
  // A refusal never has a session [MQTT5-3.2.2-6]
  return next !== end || packet.sessionPresent && code !== ReasonCode.SUCCESS ? ReasonCode.MALFORMED_PACKET
    : ReasonCode.SUCCESS;
}

/** @param returnCode 0 to 5, see reason-code.ts @returns the offset after the packet */
export function writeConnack(
  arena: Arena, offset: number, version: number, returnCode: number, sessionPresent: boolean,
): number {
  const bytes = arena.bytes;
  bytes[offset] = CONNACK << 4;
  bytes[offset + 1] = CONNACK_BODY_LENGTH;
  bytes[offset + 2] = sessionPresent && returnCode === 0 && ProtocolVersion.hasConnackFlags(version) ? 1 : 0;
  bytes[offset + 3] = returnCode;
  return offset + 4;
}
