/**
 * The fifteen Control Packets (3.1 calls the type "message type"; AUTH came with 5.0) and the flags that their fixed
 * headers must carry. MQTT 3.1.1 section 2.2, MQTT 5.0 section 2.1. Import as a namespace: `ControlPacket.PUBLISH`.
 */
import { allowsDuplicateFlagOnRequests, ignoresUnusedHeaderFlags } from './protocol-version.ts';

export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** Length of PINGREQ, PINGRESP and, before 5.0, DISCONNECT, which are a fixed header only. */
export const EMPTY_PACKET_LENGTH = 2;

/** For people; index is the type. Type 0 is reserved, type 15 is in 3.1 and 3.1.1. */
export const NAMES: readonly string[] = Object.freeze([
  'reserved (0)', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK',
  'UNSUBSCRIBE', 'UNSUBACK', 'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH',
]);

/** PUBLISH flags, in the low four bits of the first byte. */
export const DUP = 8;
export const QOS_SHIFT = 1;
export const QOS_MASK = 6;
export const RETAIN = 1;

/** The flags of PUBREL, SUBSCRIBE and UNSUBSCRIBE: once "sent with QoS 1" (3.1), since 3.1.1 a reserved value. */
export const REQUEST_FLAGS = 2;

/**
 * The low four bits of the first byte; index is the type. PUBLISH has flags of its own, which its reader checks.
 * [MQTT311-2.2.2-1] [MQTT311-3.6.1-1] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1] [MQTT311-3.14.1-1]
 */
export const FLAGS: readonly number[] =
  Object.freeze([0, 0, 0, 0, 0, 0, REQUEST_FLAGS, 0, REQUEST_FLAGS, 0, REQUEST_FLAGS, 0, 0, 0, 0, 0]);

/**
 * Whether flags other than those of the table are accepted all the same; if not, the packet is malformed
 * [MQTT311-2.2.2-2].
 */
export function toleratesFlags(type: number, flags: number, version: number): boolean {
  switch (type) {
    case PUBREL:
    case SUBSCRIBE:
    case UNSUBSCRIBE:
      return flags === (REQUEST_FLAGS | DUP) && allowsDuplicateFlagOnRequests(version);
    case CONNECT: // its version is only known once it has been read: readConnect checks
      return true;
    default:
      return ignoresUnusedHeaderFlags(version);
  }
}
