/**
 * The state of a gateway in words and numbers, as one object that is plain data: for a status page, a topic, a person.
 * Made on request, so it may allocate. Says nothing that must stay secret: no password, no payload.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { nameOf, versionNamed } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Direction } from '../config/configuration.ts';
import * as Event from '../config/events.ts';
import { urlOf } from '../config/upstream-address.ts';
import { COUNTED_REASONS } from '../nodes/disconnect-reasons.ts';
import { VERSION } from '../nodes/system-messages.ts';
import { adviceOf, secondsUntil } from './advice.ts';
import { describeProbe } from './probe-texts.ts';
import { describeReason, describeUpstreamReason } from './reason-texts.ts';
import { quarantineOf, type QuarantineStatus } from './quarantine-texts.ts';
import type { Gateway } from './gateway.ts';
import { type ListenerStatus, type LocalStatus, NO_TLS, type StatusSources, type TLSStatus,
  UNKNOWN_SIDE } from './status-sources.ts';
import type { TopicRule } from '../upstream/topic-map.ts';
import { CONNECTING, OPEN, RESOLVING, WAITING } from '../upstream/upstream-phase.ts';
import { UNKNOWN } from '../upstream/waiting-messages.ts';

/** Where nothing survives a restart. */
const NOTHING_LOST: ArrayLike<number> = Object.freeze(new Array<number>(Event.DROPPED_REASONS).fill(0));

export interface Status {
  name: string;
  version: string;
  /** Seconds since 1970; null where nobody knows. */
  time: number | null;
  /** Seconds. */
  uptime: number;
  /** What is wrong and what to do next; `ALL_IS_WELL` if nothing is. */
  advice: string;
  upstream: {
    state: string;
    address: string;
    /** Why there is no connection; null when there is one, or none has ended. */
    reason: string | null;
    next: string;
    /** Seconds, null unless an attempt is planned. */
    nextAttemptIn: number | null;
    attempts: number;
    /** That is spoken on the connection, null when there is none. */
    version: string | null;
    /** Null unless `upstream.probe` is configured. */
    probe: {
      /** 'waits for the connection', 'is sent', or why it is not. */
      state: string;
      /** Seconds that the last one that came back took; null: none has yet. */
      roundTrip: number | null;
      /** Of those that were sent on this connection, the last ones that did not come back. */
      lost: number;
    } | null;
  };
  /** On a PC: the connection to the broker, if it has TLS, and certificates with the days that they are still valid. */
  tls: TLSStatus;
  /** For the nodes. */
  listener: ListenerStatus;
  nodes: {
    identifier: string;
    /** Null: a node without user. */
    user: string | null;
    connected: boolean;
    /** While it is connected, where the platform tells. */
    address: string | null;
    /** Connected, or away, since then: seconds since 1970, null where nobody knows. */
    since: number | null;
    /** When it has sent something last: seconds since 1970, null where nobody knows. */
    lastSeen: number | null;
    version: string | null;
    queuedMessages: number;
    queuedBytes: number;
  }[];
  counters: {
    connectedNodes: number;
    receivedFromNodes: number;
    sentToNodes: number;
    droppedForNodes: number;
    receivedFromUpstream: number;
    /** Messages that topic rules have let through for the broker, and that were taken. */
    acceptedForUpstream: number;
    /** Acknowledged by the broker, or of QoS 0 and sent; also what an earlier run has left in the store. */
    sentUpstream: number;
    droppedUpstream: number;
    /** Longer than upstream.max_packet_size. */
    tooLongFromUpstream: number;
    /** With characters in their topics that no node may have. */
    unfitFromUpstream: number;
    /** That no rule asks for. */
    unaskedFromUpstream: number;
    subscriptions: number;
    retainedMessages: number;
    /**
     * Connections that were refused with a code or closed before CONNACK; that found no place at all; that ended
     * because the node broke a rule.
     */
    refused: number;
    turnedAway: number;
    brokenRules: number;
    /** Messages, Wills and subscriptions that listener.acl does not allow. */
    denied: number;
    /** Times that a node was made to wait by listener.max_publish_rate. */
    held: number;
    /** Times that a node was made to wait because the broker takes messages more slowly than they come. */
    heldForRoom: number;
    /** Sessions of absent nodes that made room for others. */
    evictedSessions: number;
    /** Found in the store, and dropped because today's configuration does not allow it, or for want of places. */
    droppedSessions: number;
    droppedSubscriptions: number;
    droppedWills: number;
  };
  /** Why connections of nodes have ended, or were refused: reason and count. */
  endings: Record<string, number>;
  /** What waits for the broker, and was given up. */
  store: {
    /** All that was acknowledged and waits, also for nodes, is in the file. */
    durable: boolean;
    /** Messages for the broker or for nodes that are in memory only, and lost at a restart. */
    inMemory: number;
    count: number;
    bytes: number;
    capacity: number;
    /** Seconds since the message that waits longest was taken; null when nothing waits or nobody knows. */
    oldest: number | null;
    dropped: number;
  };
  /** What the broker will not have. */
  quarantine: QuarantineStatus;
  rules: {
    pattern: string;
    direction: Direction;
    local: string;
    remote: string;
    /** Taken to be sent on. */
    forwarded: number;
    dropped: number;
    refused: number;
  }[];
  sensors: {
    name: string; topic: string; value: number | null; works: boolean;
    /** Attempts that have failed, and why the last one has; null while it works. */
    faults: number; fault: string | null;
  }[];
  /** Null where nobody can tell: on a PC. */
  board: { started: string; starts: number; heapFree: number; heapMinimum: number; heapLargest: number } | null;
}

/**
 * @param now the time of the gateway's clock, which itself only knows when the last event was
 * @param date seconds since 1970, 0 where nobody knows
 * @param tls what the platform knows of TLS @param side and of the side of the nodes
 */
export function statusOf(sources: StatusSources, now: number, date = 0, tls = NO_TLS, side = UNKNOWN_SIDE): Status {
  const { gateway, sensors, upstream } = sources;
  const { bridge, configuration, endings, machine, waiting } = gateway;
  const { oldestAge } = waiting;
  const inMemory = countInMemory(gateway);
  const lost = gateway.durable === undefined ? NOTHING_LOST : gateway.durable.restoration.lost;
  return {
    name: configuration.name,
    version: VERSION,
    time: date === 0 ? null : date,
    uptime: gateway.systemTopics.secondsSinceStart(now),
    advice: adviceOf(sources, now, side.listener.problem),
    upstream: {
      state: describePhase(sources),
      address: urlOf(upstream.address),
      reason: gateway.upstream.isConnected || upstream.reasonCode === ReasonCode.SUCCESS ? null
        : upstream.problem || describeUpstreamReason(gateway, upstream.reasonCode),
      next: describeNext(sources),
      nextAttemptIn: upstream.phase === WAITING ? secondsUntil(upstream.deadline, now) : null,
      attempts: upstream.attemptCount,
      version: gateway.upstream.isConnected ? describeVersion(gateway) : null,
      probe: bridge.probe === undefined ? null : {
        state: describeProbe(bridge.probe),
        roundTrip: bridge.probe.roundTrip < 0 ? null : bridge.probe.roundTrip / 1000,
        lost: bridge.probe.lostCount,
      },
    },
    tls,
    listener: side.listener,
    nodes: nodesOf(gateway, now, date, side),
    counters: {
      connectedNodes: gateway.connectedCount,
      receivedFromNodes: gateway.router.receivedCount,
      sentToNodes: gateway.delivery.sentCount,
      droppedForNodes: gateway.delivery.droppedCount,
      receivedFromUpstream: bridge.receivedCount,
      acceptedForUpstream: bridge.outbound.rules.reduce((sum, { forwarded }) => sum + forwarded, 0),
      sentUpstream: waiting.deliveredCount,
      droppedUpstream: waiting.givenUpCount,
      tooLongFromUpstream: bridge.oversizeCount,
      unfitFromUpstream: bridge.unfitCount,
      unaskedFromUpstream: bridge.unaskedCount,
      subscriptions: gateway.subscriptions.count,
      retainedMessages: gateway.retained.count,
      refused: endings.refusedCount,
      turnedAway: endings.turnedAwayCount,
      brokenRules: endings.brokenRuleCount,
      denied: gateway.deniedCount,
      held: gateway.router.heldCount,
      heldForRoom: gateway.pressure.heldCount + gateway.held.heldCount,
      evictedSessions: gateway.admission.evictedCount,
      droppedSessions: lost[Event.DROPPED_USER]! + lost[Event.DROPPED_EXPIRED]! + lost[Event.DROPPED_PLACE]!,
      droppedSubscriptions: lost[Event.DROPPED_FILTER]!,
      droppedWills: lost[Event.DROPPED_WILL]! + lost[Event.DROPPED_LOST_WILL]!,
    },
    endings: Object.fromEntries(COUNTED_REASONS.filter(code => endings.of(code) > 0)
      .map(code => [describeReason(code), endings.of(code)])),
    store: {
      durable: waiting.isDurable && inMemory === 0,
      inMemory,
      count: waiting.pendingCount,
      bytes: waiting.pendingLength,
      capacity: waiting.capacity,
      oldest: oldestAge === UNKNOWN ? null : oldestAge,
      dropped: waiting.givenUpCount,
    },
    quarantine: quarantineOf(gateway),
    rules: [...bridge.outbound.rules.map(rule => ruleOf(rule, 'out')),
      ...bridge.inbound.rules.map(rule => ruleOf(rule, 'in'))],
    sensors: sensors.states.map(({ configuration: { name, topic }, faultCount, faultText, pause, value }) => ({
      name, topic, value: Number.isNaN(value) ? null : value, works: pause === 1, faults: faultCount,
      fault: faultText === '' ? null : faultText,
    })),
    board: machine === undefined ? null : {
      started: machine.startText, starts: machine.startCount,
      heapFree: machine.heapFree, heapMinimum: machine.heapMinimum, heapLargest: machine.heapLargest,
    },
  };
}

/** With a reason if it is not the one of the configuration. */
function describeVersion({ configuration, upstream: { connect: { version } } }: Gateway): string {
  const wanted = versionNamed(configuration.upstream.bridge_protocol_version);
  return nameOf(version) + (version === wanted ? '' : `: the broker does not speak ${nameOf(wanted)}`);
}

function describePhase({ gateway, upstream }: StatusSources): string {
  switch (upstream.phase) {
    case RESOLVING: return 'asking for the address of the broker';
    case CONNECTING: return 'connecting';
    case OPEN: return gateway.upstream.isConnected ? 'connected' : 'waiting for the broker to accept';
    case WAITING: return 'waiting before the next attempt';
    default: return 'stopped';
  }
}

function describeNext({ gateway, upstream }: StatusSources): string {
  const { pendingCount } = gateway.waiting;
  switch (upstream.phase) {
    case RESOLVING: return 'connect';
    case CONNECTING: return 'say CONNECT';
    case OPEN:
      if (!gateway.upstream.isConnected)
        return 'subscribe and send what waits';
      return pendingCount === 0 ? 'nothing waits'
        : `send ${pendingCount} waiting message${pendingCount === 1 ? '' : 's'}, or get them acknowledged`;
    case WAITING: return 'connect again';
    default: return 'nothing';
  }
}

/** Where there is no file that is all that waits; else what is to be in it and is not. */
function countInMemory({ durableStore, nodes, waiting }: Gateway): number {
  return durableStore === undefined
    ? nodes.states.reduce((sum, { queue }) => sum + queue.pendingCount, waiting.pendingCount)
    : durableStore.inMemoryCount;
}

function nodesOf({ arena, configuration: { listener }, nodes }: Gateway, now: number, date: number,
  side: LocalStatus): Status['nodes'] {
  return nodes.states.filter(({ identifierLength }) => identifierLength > 0)
    .map(({ identifierLength, identifierOffset, index, queue, session, user }) => ({
      identifier: decodeUTF8(arena, identifierOffset, identifierLength),
      user: listener.users[user]?.username ?? null,
      connected: session !== undefined,
      address: session?.remoteAddress ?? null,
      since: side.sinceOf(index),
      lastSeen: session === undefined ? side.sinceOf(index)
        : date === 0 ? null : date - Math.max(0, Math.round((now - session.lastReceivedAt | 0) / 1000)),
      version: session === undefined ? null : nameOf(session.version),
      queuedMessages: queue.pendingCount,
      queuedBytes: queue.usedLength,
    }));
}

function ruleOf(rule: TopicRule, direction: Direction): Status['rules'][number] {
  const { configuration: { local_prefix, pattern, remote_prefix }, dropped, forwarded, refused } = rule;
  const local = local_prefix + pattern;
  const remote = remote_prefix + pattern;
  return { pattern, direction, local, remote, forwarded, dropped, refused };
}
