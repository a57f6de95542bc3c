/**
 * Why the connection of a node was refused or has ended, in words: the reason with its figures, and the key of the
 * configuration that decides. Told while the session is as it was at the end.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { MessageSpans } from '../packet/packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { ServerSession } from '../session/server-session.ts';
import * as Event from '../config/events.ts';
import { FINE } from '../upstream/quarantine-reasons.ts';
import type { Gateway } from './gateway.ts';
import { describeNamed, describeSetAside } from './quarantine-texts.ts';
import { describeReason } from './reason-texts.ts';

/** After the reason, in brackets or after a colon. */
export function explainEnding(gateway: Gateway, index: number, reasonCode: number): string {
  const { listener } = gateway.configuration;
  const session = gateway.sessions[index]!;
  switch (reasonCode) {
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: return ' (this gateway speaks MQTT 3.1, 3.1.1 and 5.0)';
    case ReasonCode.SERVER_BUSY: return ' (its password could not be verified: is there enough memory?)';
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: return explainIdentifier(gateway, session);
    case ReasonCode.NOT_AUTHORIZED: return explainRefusal(gateway, session);
    case ReasonCode.SERVER_UNAVAILABLE:
      return gateway.connectedCount >= listener.max_connections
        ? ` (listener.max_connections is ${listener.max_connections}, and so many are connected)`
        : ` (listener.max_sessions is ${listener.max_sessions}, and no session may give way)`;
    case ReasonCode.STORE_UNAVAILABLE: return ` (${describeStorage(gateway)})`;
    case ReasonCode.STORE_FULL: return ' (store.size)';
    case ReasonCode.QUOTA_EXCEEDED:
      return session.isRefused ? ': it is to send again what it got no acknowledgement for, for there is room now'
        : explainQuota(gateway);
    case ReasonCode.WILL_TOO_LONG: return ` (listener.max_will_size is ${listener.max_will_size})`;
    case ReasonCode.ADMINISTRATIVE_ACTION:
      return session.user < 0 ? ': nodes without user may not connect any more (listener.allow_anonymous)'
        : ': its user is gone, or has another password or mount point (listener.users)';
    case ReasonCode.PLACE_NEEDED:
      return session.clientIdentifierLength > 0 ? ''
        : ` before it had said CONNECT (listener.max_connections is ${listener.max_connections})`;
    case ReasonCode.CONNECT_TIMEOUT: return ` (listener.connect_timeout is ${secondsOf(listener.connect_timeout)})`;
    case ReasonCode.SEND_TIMEOUT: return ` (listener.send_timeout is ${secondsOf(listener.send_timeout)})`;
    case ReasonCode.PACKET_TOO_LARGE:
      return `: ${packetLength(gateway)} bytes (listener.max_packet_size is ${listener.max_packet_size})`;
    case ReasonCode.RECEIVE_MAXIMUM_EXCEEDED:
      return ` (listener.max_unreleased_messages is ${listener.max_unreleased_messages})`;
    case ReasonCode.KEEP_ALIVE_TIMEOUT:
      return `: nothing for ${secondsOf(Math.round((gateway.clock.now - session.lastReceivedAt | 0) / 1000))}, `
        + `its Keep Alive is ${secondsOf(session.keepAlive)}`;
    default: return '';
  }
}

/** Why the storage of the store does not work, and which keys decide what that means. */
export function describeStorage({ configuration: { store }, durableStore }: Gateway): string {
  const { problem = '' } = durableStore ?? {};
  return `${problem.includes(store.path) ? problem : `store.path "${store.path}": ${problem}`}; store.on_failure is "${store.on_failure}"`;
}

/** What becomes of messages while the storage does not work. */
export const describeFailure = ({ configuration: { store: { on_failure } } }: Gateway): string =>
  on_failure === 'memory' ? 'messages are kept in memory only (store.on_failure is "memory")'
    : 'until that is mended, nodes get no acknowledgement for QoS 1 and 2, and none is let in whose session is to be kept '
      + '(store.on_failure is "refuse"); readings are kept in memory';

/** It has said what was not taken. */
function explainQuota(gateway: Gateway): string {
  const { turnedBack } = gateway.bridge.guard;
  return turnedBack === FINE ? ''
    : `: its message to ${describeNamed(gateway)} was not taken, for ${describeSetAside(gateway, turnedBack)}`;
}

const secondsOf = (seconds: number): string => `${seconds} second${seconds === 1 ? '' : 's'}`;

/** Of the packet at hand, its fixed header included. */
function packetLength({ packet: { end, offset } }: Gateway): number {
  const remaining = end - offset;
  return remaining + (remaining < 1 << 7 ? 2 : remaining < 1 << 14 ? 3 : remaining < 1 << 21 ? 4 : 5);
}

function explainIdentifier({ configuration: { listener } }: Gateway, { keepAlive }: ServerSession): string {
  const { max_clientid_length, max_keepalive } = listener;
  const isTooQuiet = keepAlive > max_keepalive || keepAlive === 0 && max_keepalive < 65_535;
  return isTooQuiet ? ` (its Keep Alive is ${keepAlive}, and listener.max_keepalive ${max_keepalive})`
    : ` (1 to 23 characters with 3.1, at most listener.max_clientid_length, ${max_clientid_length} bytes, else; `
      + 'without one only with Clean Session)';
}

function explainRefusal(gateway: Gateway, session: ServerSession): string {
  const other = gateway.nodes.find(session.clientIdentifierOffset, session.clientIdentifierLength);
  if (other !== undefined && other.user !== session.user)
    return ' (a node of another user has this identifier: give it one of its own)';
  return session.user >= 0 ? ' (its name does not fit the mount point of its user: no "+", "#" or "/" in it)'
    : ' (set listener.allow_anonymous, or give the node a user of listener.users)';
}

/**
 * Why a node has to wait from now on, or is thrown out again and again.
 * @param name of the node; of two with one identifier: that
 */
export function describeTrouble(
  gateway: Gateway, event: number, subject: number, detail: number, name: string,
): string {
  if (event === Event.NODE_SLOWED) {
    const cause = detail < 0 ? `its message to ${describeNamed(gateway)} is not taken: ${describeSetAside(gateway, -detail)}`
      : `${describeReason(detail)}${explainEnding(gateway, subject, detail)}`;
    return `node ${name} fails again and again: ${cause}; the answer to its CONNECT waits, a second at first and a `
      + 'minute at most, until a connection lasts';
  }
  const { takeOvers } = gateway;
  const from = takeOvers.loserOf(detail), to = takeOvers.winnerOf(detail);
  return `two nodes call themselves ${name} and throw each other out`
    + `${to === undefined ? '' : from === to ? `, both from ${to}` : `, from ${from} and from ${to}`}`
    + ': give each one an identifier of its own';
}

/** What a node may not do, with the topic as it has said it. @param name of the node */
export function describeDenial(gateway: Gateway, index: number, what: number, name: string): string {
  const { arena, packet } = gateway;
  if (what === Event.FORBIDDEN_SUBSCRIBE) {
    const filter = decodeUTF8(arena, packet.topicFilterOffset, packet.topicFilterLength);
    return `refused a subscription of node ${name} to "${filter}": not allowed (listener.acl`
      + `${filter.startsWith('$') ? '; an entry for "#" is not about topics that begin with $' : ''})`;
  }
  let message = packet as Pick<MessageSpans, 'topicNameLength' | 'topicNameOffset'>;
  if (what === Event.FORBIDDEN_WILL) {
    const will = new MessageSpans();
    gateway.sessions[index]!.readWill(will);
    message = will;
  }
  return `refused a ${what === Event.FORBIDDEN_WILL ? 'Will' : 'message'} of node ${name} to `
    + `"${decodeUTF8(arena, message.topicNameOffset, message.topicNameLength)}": not allowed (listener.acl)`;
}
