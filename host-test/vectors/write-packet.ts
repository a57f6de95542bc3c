/**
 * Writes a packet that was read, with the program's own writers. Engine-neutral.
 */
import { writeConnack } from '../../src/packet/connack.ts';
import { writeConnect } from '../../src/packet/connect.ts';
import * as ControlPacket from '../../src/packet/control-packet.ts';
import { writeFixedHeader } from '../../src/packet/data-representation.ts';
import type { Packet } from '../../src/packet/packet.ts';
import { PUBACK_PACKET, PUBCOMP_PACKET, PUBREC_PACKET, PUBREL_PACKET, UNSUBACK_PACKET,
  writePublish } from '../../src/packet/publish.ts';
import { hasProperties } from '../../src/packet/protocol-version.ts';
import { writePublishWithProperties } from '../../src/packet/publish-properties.ts';
import { toReturnCode } from '../../src/packet/reason-code.ts';
import { nextTopicFilter, writeSubackHeader, writeSubscribe, writeUnsubscribe } from '../../src/packet/subscribe.ts';

/** No writer makes such a packet. */
export const NOT_WRITABLE = -1;

/** @returns the offset behind the packet, or NOT_WRITABLE */
export function writePacket(packet: Packet, offset: number): number {
  const arena = packet.arena;
  if (hasProperties(packet.version)) // a Server writes its own packets of 5.0, and messages
    return packet.type === ControlPacket.PUBLISH
      ? writePublishWithProperties(arena, offset, packet, packet.qos, packet.packetIdentifier)
      : packet.type === ControlPacket.PINGREQ ? writeFixedHeader(arena, offset, packet.type << 4, 0) : NOT_WRITABLE;
  switch (packet.type) {
    case ControlPacket.CONNECT: {
      const flags = packet.connectFlags;
      const isComplete = ((flags & 0x80) !== 0) === packet.userNameLength >= 0
        && ((flags & 0x40) !== 0) === packet.passwordLength >= 0;
      return isComplete ? writeConnect(arena, offset, packet) : NOT_WRITABLE;
    }
    case ControlPacket.CONNACK: {
      const returnCode = toReturnCode(packet.reasonCode);
      return returnCode < 0 ? NOT_WRITABLE
        : writeConnack(arena, offset, packet.version, returnCode, packet.sessionPresent);
    }
    case ControlPacket.PUBLISH: {
      if (packet.isOversize)
        return NOT_WRITABLE;
      const end = writePublish(arena, offset, packet, packet.qos, packet.packetIdentifier);
      arena.bytes[offset]! |= packet.flags & ControlPacket.DUP; // whoever repeats a PUBLISH sets it
      return end;
    }
    case ControlPacket.PUBACK:
      return writeAcknowledgement(packet, offset, PUBACK_PACKET);
    case ControlPacket.PUBREC:
      return writeAcknowledgement(packet, offset, PUBREC_PACKET);
    case ControlPacket.PUBREL:
      return writeAcknowledgement(packet, offset, PUBREL_PACKET);
    case ControlPacket.PUBCOMP:
      return writeAcknowledgement(packet, offset, PUBCOMP_PACKET);
    case ControlPacket.UNSUBACK:
      return writeAcknowledgement(packet, offset, UNSUBACK_PACKET);
    case ControlPacket.SUBSCRIBE:
    case ControlPacket.UNSUBSCRIBE:
      return writeTopicFilter(packet, offset);
    case ControlPacket.SUBACK: {
      const start = writeSubackHeader(arena, offset, packet.packetIdentifier, packet.payloadLength);
      arena.bytes.copyWithin(start, packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
      return start + packet.payloadLength;
    }
    default:
      return writeFixedHeader(arena, offset, packet.type << 4, 0);
  }
}

/** Our own SUBSCRIBE and UNSUBSCRIBE have one filter. */
function writeTopicFilter(packet: Packet, offset: number): number {
  if (packet.topicFilterCount !== 1 || !nextTopicFilter(packet))
    return NOT_WRITABLE;
  const { arena, qos } = packet;
  return packet.type === ControlPacket.UNSUBSCRIBE ? writeUnsubscribe(arena, offset, packet)
    : writeSubscribe(arena, offset, packet, qos);
}

function writeAcknowledgement({ arena, packetIdentifier }: Packet, offset: number, acknowledgement: number): number {
  arena.view.setInt32(offset, acknowledgement | packetIdentifier);
  return offset + 4;
}
