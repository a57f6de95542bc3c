/** Finds the reader of a Control Packet: everything but PUBLISH, which the parser reads itself. */
import { readConnack } from './connack.ts';
import { readConnect } from './connect.ts';
import * as ControlPacket from './control-packet.ts';
import { readDisconnect } from './disconnect.ts';
import type { Packet } from './packet.ts';
import { hasProperties } from './protocol-version.ts';
import { readAcknowledgement } from './publish.ts';
import * as ReasonCode from './reason-code.ts';
import { readSuback, readTopicFilters } from './subscribe.ts';

/** What a handshake of TLS begins with, 0x16, is a CONNECT with these flags (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 6;

const judgeConnect = (reasonCode: number, { flags }: Packet): number =>
  reasonCode === ReasonCode.MALFORMED_PACKET && flags === TLS_HANDSHAKE ? ReasonCode.TLS_SPOKEN : reasonCode;

/**
 * Checks the flags and reads the variable header and payload of a packet that is complete. @param acceptedTypes what
 * its sender may say: bit n stands for type n @returns a reason code
 */
export function readPacket(type: number, packet: Packet, acceptedTypes: number): number {
  if (packet.flags !== ControlPacket.FLAGS[type]! && !ControlPacket.toleratesFlags(type, packet.flags, packet.version))
    return ReasonCode.MALFORMED_PACKET;
  if (type <= ControlPacket.PUBCOMP && type >= ControlPacket.PUBACK)
    return readAcknowledgement(packet);
  switch (type) {
    case ControlPacket.SUBSCRIBE:
    case ControlPacket.UNSUBSCRIBE:
      return readTopicFilters(packet);
    case ControlPacket.SUBACK:
      return readSuback(packet);
    case ControlPacket.UNSUBACK:
      return hasProperties(packet.version) ? readSuback(packet) : readAcknowledgement(packet);
    case ControlPacket.CONNECT:
      return judgeConnect(readConnect(packet), packet);
    case ControlPacket.CONNACK:
      return readConnack(packet);
    case ControlPacket.DISCONNECT:
      return readDisconnect(packet, (acceptedTypes >> ControlPacket.SUBSCRIBE & 1) !== 0);
    default: // PINGREQ and PINGRESP have no body
      return packet.end === packet.offset ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
  }
}
