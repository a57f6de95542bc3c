/**
 * The CONNECT/CONNACK state machine: which Control Packet may come next on one network connection, and what it leads to.
 *
 * The machine knows no role. Each row is about a sender, the Client or the Server of MQTT, so what one side may send is,
 * by the same entry, what the other side may receive. A session of either role consults it in both directions. No entry
 * means: protocol error.
 *
 *   OPENED      the network connection exists, nothing has been said; only the Client may speak: CONNECT
 *   CONNECTING  CONNECT is under way or being judged; the Server owes a CONNACK
 *   CONNECTED   accepted
 *   CLOSED      nothing more may be sent or received
 *
 * Two transitions depend on more than the type and stand below the table, in `afterConnack`; the diagram in the README
 * is generated from both (host-test/session/connection-state.test.ts).
 *
 * Rules: C1, C2, C3, C12, C15 of the user's notes; [MQTT311-3.1.0-1] [MQTT311-3.1.0-2] [MQTT311-3.2.0-1]
 * [MQTT311-3.14.4-2]. A Client of 3.1.1 may send other packets right behind CONNECT (section 3.1.4, non-normative): the
 * Server keeps them unread until it has answered, so in CONNECTING nothing but CONNACK moves the machine.
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

/** No entry in the table. */
export const ILLEGAL = -1;

type Row = readonly number[];

/** @param entries pairs of Control Packet type and next state */
function row(...entries: number[]): Row {
  const next = new Array<number>(16).fill(ILLEGAL);
  for (let index = 0; index < entries.length; index += 2)
    next[entries[index]!] = entries[index + 1]!;
  return Object.freeze(next);
}

const NOTHING = row();

/** TABLE[state][sender][Control Packet type] is the next state. */
const TABLE: readonly (readonly Row[])[] = Object.freeze([
  /* OPENED */ Object.freeze([
    row(ControlPacket.CONNECT, CONNECTING),
    NOTHING,
  ]),
  /* CONNECTING */ Object.freeze([
    NOTHING,
    row(ControlPacket.CONNACK, CONNECTED),
  ]),
  /* CONNECTED */ Object.freeze([
    row(
      ControlPacket.PUBLISH, CONNECTED,
      ControlPacket.PUBACK, CONNECTED,
      ControlPacket.PUBREC, CONNECTED,
      ControlPacket.PUBREL, CONNECTED,
      ControlPacket.PUBCOMP, CONNECTED,
      ControlPacket.SUBSCRIBE, CONNECTED,
      ControlPacket.UNSUBSCRIBE, CONNECTED,
      ControlPacket.PINGREQ, CONNECTED,
      ControlPacket.DISCONNECT, CLOSED,
    ),
    row(
      ControlPacket.PUBLISH, CONNECTED,
      ControlPacket.PUBACK, CONNECTED,
      ControlPacket.PUBREC, CONNECTED,
      ControlPacket.PUBREL, CONNECTED,
      ControlPacket.PUBCOMP, CONNECTED,
      ControlPacket.SUBACK, CONNECTED,
      ControlPacket.UNSUBACK, CONNECTED,
      ControlPacket.PINGRESP, CONNECTED,
    ),
  ]),
  /* CLOSED */ Object.freeze([NOTHING, NOTHING]),
]);

/** @returns the state after `sender` has sent a packet of `type`, or ILLEGAL. For CONNACK see `afterConnack`. */
export const nextState = (state: number, sender: number, type: number): number => TABLE[state]![sender]![type]!;

/** Beside the table: a CONNACK that refuses ends the connection [MQTT311-3.2.2-5]. */
export const afterConnack = (reasonCode: number): number => reasonCode === SUCCESS ? CONNECTED : CLOSED;

/** @returns the types that `sender` may send in `state`; bit n stands for type n */
export function legalTypes(state: number, sender: number): number {
  const next = TABLE[state]![sender]!;
  let types = 0;
  for (let type = 0; type < next.length; ++type)
    if (next[type] !== ILLEGAL)
      types |= 1 << type;
  return types;
}
