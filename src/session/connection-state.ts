/**
 * The CONNECT/CONNACK state machine: which Control Packet may come next on one network connection, and what it leads
 * to.
 *
 * The machine knows no role. Each entry is about a sender, the Client or the Server of MQTT, so what one side may
 * send is, by the same entry, what the other side may receive. A session of either role consults it in both
 * directions. What is not in the table is a protocol error.
 *
 *   OPENED      the network connection exists, nothing has been said; only the Client may speak: CONNECT
 *   CONNECTING  CONNECT is under way or being judged; the Server owes a CONNACK
 *   CONNECTED   accepted
 *   CLOSED      nothing more may be sent or received
 *
 * Three types lead on: CONNECT to CONNECTING, CONNACK to what `afterConnack` says, DISCONNECT to CLOSED. The diagram
 * in CONNECT-RULES.md is generated from the table (host-test/session/state-diagram.ts), and every session of a test
 * walks through it.
 *
 * Rules C1, C2, C3, C12, C15 of CONNECT-RULES.md; [MQTT311-3.1.0-1] [MQTT311-3.1.0-2] [MQTT311-3.2.0-1]
 * [MQTT311-3.14.4-2]. A Client of 3.1.1 may send other packets right behind CONNECT (section 3.1.4, non-normative):
 * the Server keeps them unread until it has answered, so in CONNECTING nothing but CONNACK moves the machine.
 */
import * as ControlPacket from '../packet/control-packet.ts';
import { SUCCESS } from '../packet/reason-code.ts';

export const OPENED = 0;
export const CONNECTING = 1;
export const CONNECTED = 2;
export const CLOSED = 3;

export const STATE_NAMES: readonly string[] = Object.freeze(['OPENED', 'CONNECTING', 'CONNECTED', 'CLOSED']);

/** Who sends the packet, as MQTT names the two ends of a connection. */
export const CLIENT = 0;
export const SERVER = 1;

const BOTH_WAYS =
  1 << ControlPacket.PUBLISH | 1 << ControlPacket.PUBACK | 1 << ControlPacket.PUBREC | 1 << ControlPacket.PUBREL
  | 1 << ControlPacket.PUBCOMP;
const FROM_CLIENT =
  BOTH_WAYS | 1 << ControlPacket.SUBSCRIBE | 1 << ControlPacket.UNSUBSCRIBE | 1 << ControlPacket.PINGREQ
  | 1 << ControlPacket.DISCONNECT;
const FROM_SERVER = BOTH_WAYS | 1 << ControlPacket.SUBACK | 1 << ControlPacket.UNSUBACK | 1 << ControlPacket.PINGRESP;

/** What the Client, and what the Server, may send in each state; bit n stands for type n. */
const LEGAL_TYPES: readonly number[] = Object.freeze([
  /* OPENED */ 1 << ControlPacket.CONNECT, 0,
  /* CONNECTING */ 0, 1 << ControlPacket.CONNACK,
  /* CONNECTED */ FROM_CLIENT, FROM_SERVER,
  /* CLOSED */ 0, 0,
]);

/** @returns the types that `sender` may send in `state`; bit n stands for type n */
export const legalTypes = (state: number, sender: number): number => LEGAL_TYPES[state * 2 + sender]!;

/** Of 5.0 alone: CONNECTED leads to CLOSED when the Server says DISCONNECT (5.0 section 3.14). */
export const FROM_SERVER_OF_5_0 = 1 << ControlPacket.DISCONNECT;

/** A CONNACK that refuses ends the connection [MQTT311-3.2.2-5]. */
export const afterConnack = (reasonCode: number): number => reasonCode === SUCCESS ? CONNECTED : CLOSED;
