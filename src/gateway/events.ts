/**
 * What happens in a gateway and is worth a line in the log, as integers, so that telling costs no memory. The edge that
 * has a log turns them into words with `describeEvent`; a device without one need not.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { nameOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Gateway } from './gateway.ts';

/** subject: index of the session; detail: protocol level. */
export const NODE_CONNECTED = 1;
/** subject: index of the session; detail: reason code. */
export const NODE_CLOSED = 2;
/** subject: index of the session; detail: reason code. It was never connected. */
export const NODE_REFUSED = 3;
/** subject: index of the session. */
export const WILL_PUBLISHED = 4;
/** subject: index of the session, or UPSTREAM; detail: payload length. */
export const OVERSIZE_DROPPED = 5;
/** subject: index of the session that the message was for. */
export const NODE_QUEUE_FULL = 6;
/** detail: 1 when the session was present at the Server. */
export const UPSTREAM_CONNECTED = 7;
/** detail: reason code. */
export const UPSTREAM_CLOSED = 8;
/** detail: messages dropped so far. */
export const STORE_FULL = 9;
/** Nothing is stored any more; detail: messages that are in the store. */
export const STORE_FAILED = 15;
/** detail: places in the store that are unreadable. */
export const STORE_DAMAGED = 16;
/** detail: messages found in the store at start. */
export const STORE_RESTORED = 17;
/** subject: index of the session. Told once for a connection. */
export const MESSAGE_REFUSED = 18;
/** subject: index of the rule among those of direction "in". */
export const SUBSCRIPTION_REFUSED = 10;
export const RETAINED_FULL = 11;
/** subject: index of the session. */
export const SUBSCRIPTIONS_FULL = 12;

/** subject: index of the session; detail: FORBIDDEN_PUBLISH, FORBIDDEN_SUBSCRIBE or FORBIDDEN_WILL. */
export const ACCESS_DENIED = 13;
/** subject: index of the session. It sends faster than listener.max_publish_rate and is made to wait. */
export const RATE_LIMITED = 14;

export const FORBIDDEN_PUBLISH = 1;
export const FORBIDDEN_SUBSCRIBE = 2;
export const FORBIDDEN_WILL = 3;

export const UPSTREAM = -1;

export interface GatewayObserver {
  /** Called from the middle of things: it must not call the gateway. */
  onEvent(event: number, subject: number, detail: number): void;
}

/** One sentence, with what to do next where the reader can do something. */
export function describeEvent(gateway: Gateway, event: number, subject: number, detail: number): string {
  switch (event) {
    case NODE_CONNECTED:
      return `node ${nodeName(gateway, subject)} connected with ${nameOf(detail)}`;
    case NODE_CLOSED:
      return `node ${nodeName(gateway, subject)} is gone: ${ReasonCode.describe(detail)}${adviceForNode(detail)}`;
    case NODE_REFUSED:
      return `node ${nodeName(gateway, subject)} refused: ${ReasonCode.describe(detail)}${adviceForNode(detail)}`;
    case WILL_PUBLISHED:
      return `published the Will of node ${nodeName(gateway, subject)}`;
    case OVERSIZE_DROPPED:
      return `dropped a message of ${detail} bytes from ${subject === UPSTREAM ? 'upstream: raise upstream' : `node ${nodeName(gateway, subject)}: raise listener`}.max_packet_size to take it`;
    case NODE_QUEUE_FULL:
      return `dropped a message for node ${nodeName(gateway, subject)}: its queue is full (listener.max_queued_messages, listener.max_queued_bytes)`;
    case UPSTREAM_CONNECTED:
      return `upstream connected${detail === 1 ? ', session present' : ''}`;
    case UPSTREAM_CLOSED:
      return `upstream: ${ReasonCode.describe(detail)}${adviceForUpstream(detail)}`;
    case STORE_FULL:
      return `the store is full, ${detail} message${detail === 1 ? '' : 's'} dropped so far (store.ram, store.size, store.full)`;
    case MESSAGE_REFUSED:
      return `the store is full: node ${nodeName(gateway, subject)} gets no acknowledgement, and is asked to send again when there is room (store.ram, store.size, store.full)`;
    case STORE_FAILED:
      return `the storage of the store has failed: messages are kept in memory only, and ${detail} may be delivered again after a restart; check store.path and the disk, then restart`;
    case STORE_DAMAGED:
      return `${detail} place${detail === 1 ? '' : 's'} in the store could not be read, after a power cut or because something else was there; the rest was recovered`;
    case STORE_RESTORED:
      return `${detail} message${detail === 1 ? '' : 's'} found in the store from before the start`;
    case SUBSCRIPTION_REFUSED:
      return `upstream refused the subscription of topic rule "${gateway.bridge.inbound.rules[subject]!.configuration.pattern}": check the access rights of upstream.remote_username`;
    case RETAINED_FULL:
      return 'no room for a retained message (listener.max_retained_messages, listener.max_retained_bytes): it was delivered but is not kept';
    case SUBSCRIPTIONS_FULL:
      return `refused a subscription of node ${nodeName(gateway, subject)}: no room (listener.max_subscriptions, listener.max_subscription_bytes)`;
    case ACCESS_DENIED:
      return `refused a ${detail === FORBIDDEN_PUBLISH ? 'message' : detail === FORBIDDEN_WILL ? 'Will' : 'subscription'} of node ${nodeName(gateway, subject)}: not allowed (listener.acl)`;
    case RATE_LIMITED:
      return `node ${nodeName(gateway, subject)} sends too fast and is made to wait (listener.max_publish_rate)`;
    default:
      return `event ${event}`;
  }
}

/** What the user of a node, or of the gateway, can do about an ending. */
function adviceForNode(reasonCode: number): string {
  switch (reasonCode) {
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: return ' (this gateway speaks MQTT 3.1 and 3.1.1)';
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: return ' (1 to 23 characters with 3.1, at most listener.max_clientid_length bytes else; Keep Alive at most listener.max_keepalive)';
    case ReasonCode.SERVER_UNAVAILABLE: return ' (listener.max_connections, listener.max_sessions and listener.max_will_size are the limits)';
    case ReasonCode.NOT_AUTHORIZED: return ' (set listener.allow_anonymous, or give the node a user of listener.users and an identifier that no other user has)';
    case ReasonCode.PACKET_TOO_LARGE: return ' (the limit is listener.max_packet_size)';
    case ReasonCode.RECEIVE_MAXIMUM_EXCEEDED: return ' (the limit is listener.max_unreleased_messages)';
    default: return '';
  }
}

/** What to do about a connection to the Server that ended. */
export function adviceForUpstream(reasonCode: number): string {
  switch (reasonCode) {
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
    case ReasonCode.NOT_AUTHORIZED: return ': check upstream.remote_username and upstream.remote_password';
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: return ': choose another upstream.remote_clientid';
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: return ': try another upstream.bridge_protocol_version';
    case ReasonCode.NETWORK_UNREACHABLE: return ': is a broker listening at upstream.address?';
    case ReasonCode.NAME_NOT_RESOLVED: return ': check upstream.address, or the name server';
    case ReasonCode.MALFORMED_PACKET:
    case ReasonCode.PROTOCOL_ERROR: return ': is it an MQTT broker that listens at upstream.address?';
    case ReasonCode.SERVER_UNAVAILABLE: return ': the broker is there but does not serve; ask its operator if this lasts';
    case ReasonCode.CONNACK_TIMEOUT: return ': does an MQTT broker listen there? (upstream.connack_timeout)';
    case ReasonCode.CLOSED_BEFORE_CONNACK: return ': does the broker accept upstream.bridge_protocol_version?';
    case ReasonCode.PACKET_TOO_LARGE: return ': raise upstream.max_packet_size, or set upstream.oversize to "drop"';
    default: return '';
  }
}

export function nodeName(gateway: Gateway, index: number): string {
  const session = gateway.sessions[index]!;
  return session.clientIdentifierLength === 0 ? '(no identifier)'
    : `"${decodeUTF8(gateway.arena, session.clientIdentifierOffset, session.clientIdentifierLength)}"`;
}
