/**
 * Events and reasons in words, for those who have a log: one sentence each, with what to do next where the reader can
 * do something. The gateway itself knows only the numbers, so a device without a log does not carry this.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { nameOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import * as Event from '../config/events.ts';
import * as Loss from '../upstream/losses.ts';
import { describeDenial, describeFailure, describeStorage, describeTrouble, explainEnding } from './event-texts-nodes.ts';
import { describeReason, describeUpstreamReason } from './reason-texts.ts';
import { TRUSTED_USER } from '../nodes/access-lengths.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { Gateway } from './gateway.ts';
import { describeShortSessions, describeUpstreamEvent } from './upstream-texts.ts';
import { describeQuarantineEvent } from './quarantine-texts.ts';

/**
 * @param event, subject, detail as GatewayObserver gets them
 * @param name of the node that it is about, where the caller knows more of it, for instance its address
 */
export function describeEvent(
  gateway: Gateway, event: number, subject: number, detail: number, name = nodeName(gateway, subject),
): string {
  switch (event) {
    case Event.NODE_CONNECTED:
      return `node ${name} connected with ${nameOf(detail)}`;
    case Event.NODE_CLOSED:
      return `node ${name} is gone: ${describeReason(detail)}${explainEnding(gateway, subject, detail)}`;
    case Event.NODE_REFUSED:
      return `node ${name.replace(NO_IDENTIFIER, refusedIdentifier(gateway, detail))} refused: `
        + `${describeReason(detail)}${explainEnding(gateway, subject, detail)}`;
    case Event.WILL_PUBLISHED:
      return `published the Will of node ${name}`;
    case Event.OVERSIZE_DROPPED:
      return `dropped a message of ${detail} bytes ${topicAtHand(gateway)} from `
        + `${subject === Event.UPSTREAM ? 'upstream: raise upstream' : `node ${name}: raise listener`}`
        + '.max_packet_size to take it';
    case Event.UNASKED:
      return `dropped a message ${topicAtHand(gateway)} from upstream, and perhaps more: no rule of direction "in" asks `
        + 'for it; if an earlier configuration did, write that rule once more with "direction": "out", or delete the '
        + 'session of upstream.remote_clientid at the broker';
    case Event.DISCOVERY_TOLD:
      return `told Home Assistant of ${detail} device${detail === 1 ? '' : 's'}`;
    case Event.DISCOVERY_REFUSED:
      return 'upstream takes no announcement of a device for Home Assistant: let upstream.remote_username write to '
        + `"${gateway.configuration.homeassistant?.discovery_topic ?? ''}/device/+/config", or lower its entities`;
    case Event.RESTART_ASKED:
      return 'restarts, as Home Assistant has asked for';
    case Event.UNFIT_TOPIC:
      return `dropped a message ${topicAtHand(gateway)} from upstream: the topic has a control character or a `
        + 'non-character, for which libraries of nodes close their connection; whoever publishes it there should leave it out';
    case Event.NODE_QUEUE_FULL:
      return `dropped a message for node ${name}: its queue is full (listener.max_queued_messages, listener.max_queued_bytes)`;
    case Event.ABSENT_QUEUE_FULL:
      return `dropped a message for node "${identifierOf(gateway, gateway.nodes.states[detail]!)}", which is away: its queue is full `
        + '(listener.max_queued_messages, listener.max_queued_bytes, listener.queue_full)';
    case Event.UPSTREAM_CONNECTED:
      return `upstream connected${detail === 1 ? ', session present' : ''}`;
    case Event.UPSTREAM_CLOSED:
      return `upstream: ${describeUpstreamReason(gateway, detail)}${adviceForUpstream(detail)}`;
    case Event.STORE_FULL:
      return `the store is full, ${detail} message${detail === 1 ? '' : 's'} dropped so far (store.ram, store.size, store.full)`;
    case Event.MESSAGE_LOST:
      return `gave up a message of ${ruleName(gateway, subject)}: ${describeLoss(detail)}; ${gateway.bridge.droppedCount} dropped so far`;
    case Event.COMMAND_EXPIRED: {
      const rule = gateway.bridge.inbound.rules[subject];
      return `gave up a message for node "${identifierOf(gateway, gateway.nodes.states[detail]!)}": it had waited longer than the `
        + (rule === undefined ? 'expiry of its topic rule allowed'
          : `expiry of topic rule "${rule.configuration.pattern}" (in) allows; ${rule.dropped} dropped so far`);
    }
    case Event.STORE_ORPHANS:
      return `${detail} message${detail === 1 ? '' : 's'} in the store ${detail === 1 ? 'waits' : 'wait'} for a topic rule: none of direction "out" matches any more`;
    case Event.LOST_WITH_STORAGE:
      return `lost ${detail} message${detail === 1 ? '' : 's'} of ${ruleName(gateway, subject)}, which ${detail === 1 ? 'was' : 'were'} in the storage of `
        + `the store alone (${gateway.durableStore!.problem || 'it does not give them back'}); ${gateway.bridge.droppedCount} dropped so far`;
    case Event.STORE_BACK:
      return 'the storage of the store works again';
    case Event.MESSAGE_REFUSED:
      if (gateway.durableStore?.acknowledgesMemory === false && !gateway.durableStore.backlog.store.isWorking)
        return `the storage of the store does not work: node ${name} gets no acknowledgement, and is asked to send again when it does (${describeStorage(gateway)})`;
      return `the store is full: node ${name} gets no acknowledgement, and is asked to send again when there is room (store.ram, store.size, store.full)`;
    case Event.STORE_FAILED:
      return `the storage of the store has failed: ${gateway.durableStore!.problem}; ${describeFailure(gateway)}; ${detail} `
        + `message${detail === 1 ? ' waits' : 's wait'} in it; check store.path and the disk; tried again every 30 seconds`;
    case Event.STORE_DAMAGED:
      return `${detail} place${detail === 1 ? '' : 's'} in the store could not be read, after a power cut or because something else was there; the rest was recovered`;
    case Event.STORE_RESTORED:
      return `${detail} message${detail === 1 ? '' : 's'} found in the store from before the start`;
    case Event.SUBSCRIPTION_REFUSED:
      return `upstream refused the subscription of topic rule "${gateway.bridge.inbound.rules[subject]!.configuration.pattern}": check the access rights of upstream.remote_username`;
    case Event.RETAINED_FULL:
      return 'no room for a retained message (listener.max_retained_messages, listener.max_retained_bytes): it was delivered but is not kept';
    case Event.SUBSCRIPTIONS_FULL:
      return `refused a subscription of node ${name}: no room (listener.max_subscriptions, listener.max_subscription_bytes)`;
    case Event.SHARED_SUBSCRIPTION:
      return `node ${name} asked for a shared subscription that is none: write $share/GROUP/FILTER, GROUP without "+" and "#"; said once`;
    case Event.ACCESS_DENIED:
      return describeDenial(gateway, subject, detail, name);
    case Event.RATE_LIMITED:
      return `node ${name} sends too fast and is made to wait (listener.max_publish_rate)`;
    case Event.HELD_BY_FULL_STORE:
      return `messages come faster than the broker takes them: node ${name} is made to wait, and others that send as much, until there is room (store.ram, store.size)`;
    case Event.NODE_SLOWED:
    case Event.IDENTIFIER_FOUGHT_OVER:
      return describeTrouble(gateway, event, subject, detail, name);
    case Event.TURNED_AWAY:
      return 'closed a new connection: all places are taken (listener.max_connections)';
    case Event.SESSION_EVICTED: {
      const identifier = identifierOf(gateway, gateway.nodes.states[detail]!);
      return `forgot the session of node "${identifier}", which is away, to make room for node ${name} (listener.max_sessions)`;
    }
    case Event.STATE_FULL:
      return describeFullState(gateway, subject, detail);
    case Event.RESTORED_DROPPED:
      return `dropped ${detail === 1 ? '1 of the' : detail} ${describeDropped(subject)}`
        + `${subject === Event.DROPPED_LOST_WILL ? '' : detail === 1 ? ' in the store' : ' from the store'}`;
    case Event.DELAYED_WILL_PUBLISHED:
      return `published the Will of node "${identifierOf(gateway, gateway.nodes.states[detail]!)}", after its Will Delay`;
    case Event.STORED_WILL_PUBLISHED:
      return `published the Will of node "${identifierOf(gateway, gateway.nodes.states[detail]!)}", which has not come back `
        + 'since the start';
    case Event.SESSION_EXPIRED:
      return `forgot the session of node "${identifierOf(gateway, gateway.nodes.states[detail]!)}", which was away for `
        + 'longer than listener.persistent_client_expiration';
    case Event.IDENTIFIER_CLASH:
      return `upstream ${describeShortSessions(gateway)}`;
    case Event.MESSAGE_SET_ASIDE:
    case Event.MESSAGE_UNFIT:
      return describeQuarantineEvent(gateway, event, detail, '');
    case Event.MESSAGE_TURNED_BACK:
      return describeQuarantineEvent(gateway, event, detail, nodeName(gateway, subject));
    case Event.MESSAGE_REJECTED:
    case Event.VERSION_REFUSED:
    case Event.FILTER_SET_ASIDE:
    case Event.UPSTREAM_CAUSE:
    case Event.BROKER_DEVIATES:
    case Event.PROBE:
      return describeUpstreamEvent(gateway, event, subject, detail);
    default:
      return `event ${event}`;
  }
}

/** What has no room, which limit that is, and what is done. */
function describeFullState(gateway: Gateway, subject: number, detail: number): string {
  const node = subject === Event.UPSTREAM ? '' : nodeName(gateway, subject);
  const limit = 'the part of the store for state is full: raise store.size, or lower listener.max_sessions, '
    + 'max_subscription_bytes or max_retained_bytes';
  switch (detail) {
    case Event.FULL_FOR_SESSION:
      return node === '' ? `the session of a node does not survive a restart, ${limit}` : `refused node ${node}: its session cannot be kept, ${limit}`;
    case Event.FULL_FOR_SUBSCRIPTION: return `refused a subscription of node ${node}: ${limit}`;
    case Event.FULL_FOR_WILL: return `refused node ${node}: its Will cannot be kept, ${limit}`;
    case Event.FULL_FOR_RETAINED: return `a retained message will not survive a restart, ${limit}; said once`;
    default: return describeFullLog(detail);
  }
}

/** A message for a node has no room in the log. */
function describeFullLog(detail: number): string {
  const isInMemory = detail >= Event.FULL_IN_MEMORY;
  const done = isInMemory ? 'a message for a connected node is in memory only, and lost at a power cut until the node '
    + 'acknowledges it' : 'dropped a message for a node that is away';
  switch (detail - (isInMemory ? Event.FULL_IN_MEMORY : Event.FULL_FOR_MESSAGE)) {
    case 0: return `${done}: half of the store is full of messages for nodes (store.size, listener.max_queued_bytes); `
      + 'said once';
    case 1: return `${done}: the store is full of messages for the broker (store.size, store.full); said once`;
    default: return `${done}: it is longer than a block of the storage; said once`;
  }
}

function describeDropped(reason: number): string {
  switch (reason) {
    case Event.DROPPED_USER: return 'sessions of nodes that are not allowed any more (listener.users, allow_anonymous)';
    case Event.DROPPED_EXPIRED:
      return 'sessions of nodes that were away for too long (listener.persistent_client_expiration)';
    case Event.DROPPED_PLACE:
      return 'sessions, of the nodes that were away longest, for want of places (listener.max_sessions)';
    case Event.DROPPED_FILTER:
      return 'subscriptions that are not allowed any more, or have no room (listener.acl, max_subscriptions)';
    case Event.DROPPED_MESSAGE:
      return 'messages for nodes that are not known here, may not read them any more, or have no room (listener.acl, max_queued_bytes)';
    case Event.DROPPED_LOST_WILL: return 'Wills of nodes that have not come back, which lay in the file that was lost';
    default: return 'Wills that may not be published any more (listener.users, acl)';
  }
}

const ruleName = (gateway: Gateway, rule: number): string =>
  rule < 0 ? 'no topic rule' : `topic rule "${gateway.bridge.outbound.rules[rule]!.configuration.pattern}"`;

function describeLoss(reason: number): string {
  switch (reason) {
    case Loss.EXPIRED: return 'it had waited longer than the expiry of its rule allows';
    case Loss.ORPHANED: return 'no rule lets it out, and the room was needed';
    case Loss.UNFIT: return 'the broker would not have it (upstream.profile, max_topic_levels, bridge_max_packet_size)';
    case Loss.QUARANTINE_FULL: return 'it was the oldest in the quarantine, which is full (store.quarantine)';
    case Loss.TOO_LONG: return 'it is longer than the store or the way upstream can hold (store.ram)';
    default: return 'there was no room for it (store.ram, store.size, store.full)';
  }
}

/** What to do about a connection to the Server that ended. */
export function adviceForUpstream(reasonCode: number): string {
  switch (reasonCode) {
    case ReasonCode.BAD_USER_NAME_OR_PASSWORD:
    case ReasonCode.NOT_AUTHORIZED: return ': check upstream.remote_username and upstream.remote_password';
    case ReasonCode.TLS_FAILED: return ': check the certificates at both ends';
    case ReasonCode.WEBSOCKET_FAILED: return ': check host, port and path in upstream.address';
    case ReasonCode.TLS_UNUSABLE: return ': check upstream.bridge_cafile, bridge_certfile and bridge_keyfile';
    case ReasonCode.PASSWORD_MISSING: return ': make the file, so that this user may read it';
    case ReasonCode.CLIENT_IDENTIFIER_NOT_VALID: return ': choose another upstream.remote_clientid';
    case ReasonCode.UNSUPPORTED_PROTOCOL_VERSION: return ': try another upstream.bridge_protocol_version';
    case ReasonCode.NETWORK_UNREACHABLE: return ': is a broker listening at upstream.address?';
    case ReasonCode.NAME_NOT_RESOLVED: return ': check upstream.address, or the name server';
    case ReasonCode.MALFORMED_PACKET:
    case ReasonCode.PROTOCOL_ERROR: return ': is it an MQTT broker that listens at upstream.address?';
    case ReasonCode.SERVER_UNAVAILABLE: return ': the broker is there but does not serve; ask its operator if this lasts';
    case ReasonCode.CONNACK_TIMEOUT: return ': does an MQTT broker listen there? (upstream.connack_timeout)';
    case ReasonCode.CLOSED_BEFORE_CONNACK: return ': does the broker speak TLS there (write mqtts://), or not accept upstream.bridge_protocol_version?';
    case ReasonCode.QUOTA_EXCEEDED:
      return ': the broker is to send again what was not taken while the storage of the store did not work';
    case ReasonCode.QOS_NOT_SUPPORTED: return ': lower upstream.will.qos';
    case ReasonCode.RETAIN_NOT_SUPPORTED: return ': set upstream.will.retain to false';
    case ReasonCode.PACKET_TOO_LARGE: return ': raise upstream.max_packet_size, or set upstream.oversize to "drop"';
    default: return '';
  }
}

/** Of the packet from which the event comes. */
function topicAtHand({ arena, packet: { topicNameLength, topicNameOffset } }: Gateway): string {
  return `to "${decodeUTF8(arena, topicNameOffset, topicNameLength)}"`;
}

/** Of a session that is kept. */
export const identifierOf = ({ arena }: Gateway, { identifierLength, identifierOffset }: NodeState): string =>
  decodeUTF8(arena, identifierOffset, identifierLength);

/** Said of a node that has not given one, or none that can be used. */
const NO_IDENTIFIER = '(no identifier)';
/** So many characters are shown of one that is too long. */
const SHOWN = 32;

/** What the CONNECT at hand says, if it is refused for that. */
function refusedIdentifier({ arena, packet }: Gateway, reasonCode: number): string {
  const { clientIdentifierLength: length, clientIdentifierOffset } = packet;
  if (reasonCode !== ReasonCode.CLIENT_IDENTIFIER_NOT_VALID || length === 0)
    return NO_IDENTIFIER;
  const text = decodeUTF8(arena, clientIdentifierOffset, Math.min(length, 4 * SHOWN));
  return `"${text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text}" of ${length} bytes`;
}

/** The identifier of a node, and its user; of the connection of UPSTREAM nothing. */
export function nodeName(gateway: Gateway, index: number): string {
  const session = gateway.sessions[index];
  if (session === undefined)
    return '';
  const { clientIdentifierLength, clientIdentifierOffset, user } = session;
  const identifier = clientIdentifierLength === 0 ? NO_IDENTIFIER
    : `"${decodeUTF8(gateway.arena, clientIdentifierOffset, clientIdentifierLength)}"`;
  const name = user >= 0 ? gateway.configuration.listener.users[user]?.username : undefined;
  return name === undefined || name === TRUSTED_USER ? identifier : `${identifier} of user "${name}"`;
}
