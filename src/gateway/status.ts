/**
 * The state of a gateway in words and numbers, as one object that is plain data: for a status page, a topic, a person.
 * Made on request, so it may allocate. Says nothing that must stay secret: no password, no user name, no payload.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { nameOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { Direction, SensorConfiguration } from '../config/configuration.ts';
import { adviceForUpstream, describeReason } from './event-texts.ts';
import type { Gateway } from './gateway.ts';
import type { TopicRule } from '../upstream/topic-map.ts';
import { CONNECTING, OPEN, RESOLVING, WAITING } from '../upstream/upstream-phase.ts';

/** What io/upstream.ts knows. */
export interface UpstreamProgress {
  /** One of upstream-phase.ts. */
  readonly phase: number;
  readonly reasonCode: number;
  readonly attemptCount: number;
  readonly deadline: number;
  readonly address: { readonly host: string; readonly port: number };
}

/** What sensors/sensors.ts knows of one sensor. */
export interface SensorProgress {
  readonly configuration: SensorConfiguration;
  /** NaN before the first reading. */
  readonly value: number;
  /** 1 while all is well. */
  readonly pause: number;
}

/** io/runtime.ts is one. */
export interface StatusSources {
  readonly gateway: Gateway;
  readonly upstream: UpstreamProgress;
  readonly sensors: { readonly states: readonly SensorProgress[] };
}

export interface Status {
  name: string;
  /** What is wrong and what to do next; `ALL_IS_WELL` if nothing is. */
  advice: string;
  upstream: {
    state: string;
    address: string;
    /** Why the last connection or attempt ended; null when none has. */
    reason: string | null;
    next: string;
    /** Seconds, null unless an attempt is planned. */
    nextAttemptIn: number | null;
    attempts: number;
  };
  nodes: { identifier: string; connected: boolean; version: string | null; queuedMessages: number; queuedBytes: number }[];
  counters: {
    connectedNodes: number;
    receivedFromNodes: number;
    sentToNodes: number;
    droppedForNodes: number;
    receivedFromUpstream: number;
    sentUpstream: number;
    droppedUpstream: number;
    subscriptions: number;
    retainedMessages: number;
    /** Connections that were refused with a code or closed before CONNACK; that found no place at all; that ended because the node broke a rule. */
    refused: number;
    turnedAway: number;
    brokenRules: number;
    /** Messages, Wills and subscriptions that listener.acl does not allow. */
    denied: number;
    /** Times that a node was made to wait by listener.max_publish_rate. */
    held: number;
    /** Sessions of absent nodes that made room for others. */
    evictedSessions: number;
  };
  /** Why connections of nodes have ended, or were refused: reason and count. */
  endings: Record<string, number>;
  store: { count: number; bytes: number; capacity: number; dropped: number };
  rules: { pattern: string; direction: Direction; local: string; remote: string; forwarded: number; dropped: number; refused: number }[];
  sensors: { name: string; topic: string; value: number | null; works: boolean }[];
}

/** All that a connection can end with: SUCCESS, and the two ranges of reason-code.ts. */
const REASON_CODES: readonly number[] = Object.freeze([0, ...Array.from({ length: 32 }, (_, index) => 0x80 + index), ...Array.from({ length: 32 }, (_, index) => 0x100 + index)]);

export const ALL_IS_WELL = 'all is well';

/** @param now the time of the gateway's clock, which itself only knows when the last event was */
export function statusOf(sources: StatusSources, now: number): Status {
  const { gateway, sensors, upstream } = sources;
  const { bridge, configuration, endings } = gateway;
  const queue = gateway.upstreamQueue;
  return {
    name: configuration.name,
    advice: adviceOf(sources, now),
    upstream: {
      state: describePhase(sources),
      address: urlOf(upstream),
      reason: upstream.reasonCode === ReasonCode.SUCCESS ? null : describeReason(upstream.reasonCode),
      next: describeNext(sources),
      nextAttemptIn: upstream.phase === WAITING ? secondsUntil(upstream.deadline, now) : null,
      attempts: upstream.attemptCount,
    },
    nodes: nodesOf(gateway),
    counters: {
      connectedNodes: gateway.connectedCount,
      receivedFromNodes: gateway.receivedCount,
      sentToNodes: gateway.delivery.sentCount,
      droppedForNodes: gateway.delivery.droppedCount,
      receivedFromUpstream: bridge.receivedCount,
      sentUpstream: bridge.outbound.rules.reduce((sum, { forwarded }) => sum + forwarded, 0),
      droppedUpstream: bridge.droppedCount,
      subscriptions: gateway.subscriptions.count,
      retainedMessages: gateway.retained.count,
      refused: endings.refusedCount,
      turnedAway: endings.turnedAwayCount,
      brokenRules: endings.brokenRuleCount,
      denied: gateway.deniedCount,
      held: gateway.heldCount,
      evictedSessions: gateway.evictedCount,
    },
    endings: Object.fromEntries(REASON_CODES.filter(code => endings.of(code) > 0).map(code => [describeReason(code), endings.of(code)])),
    store: { count: queue.count + queue.window!.waitingCount, bytes: queue.usedLength, capacity: queue.capacity, dropped: bridge.droppedCount },
    rules: [...bridge.outbound.rules.map(rule => ruleOf(rule, 'out')), ...bridge.inbound.rules.map(rule => ruleOf(rule, 'in'))],
    sensors: sensors.states.map(({ configuration: { name, topic }, pause, value }) => ({
      name, topic, value: Number.isNaN(value) ? null : value, works: pause === 1,
    })),
  };
}

const urlOf = ({ address: { host, port } }: UpstreamProgress): string => `mqtt://${host}:${port}`;

/** Rounded up: a wait that is not over is not 0. */
const secondsUntil = (deadline: number, now: number): number => Math.max(0, Math.ceil((deadline - now | 0) / 1000));

const secondsText = (seconds: number): string => `${seconds} second${seconds === 1 ? '' : 's'}`;

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
  const { count } = gateway.upstreamQueue;
  switch (upstream.phase) {
    case RESOLVING: return 'connect';
    case CONNECTING: return 'say CONNECT';
    case OPEN:
      if (!gateway.upstream.isConnected)
        return 'subscribe and send what waits';
      return count === 0 ? 'nothing waits' : `send ${count} waiting message${count === 1 ? '' : 's'}, or get them acknowledged`;
    case WAITING: return 'connect again';
    default: return 'nothing';
  }
}

function nodesOf({ arena, nodes }: Gateway): Status['nodes'] {
  return nodes.states.filter(({ identifierLength }) => identifierLength > 0)
    .map(({ identifierLength, identifierOffset, queue, session }) => ({
      identifier: decodeUTF8(arena, identifierOffset, identifierLength),
      connected: session !== undefined,
      version: session === undefined ? null : nameOf(session.version),
      queuedMessages: queue.count,
      queuedBytes: queue.usedLength,
    }));
}

function ruleOf({ configuration, dropped, forwarded, refused }: TopicRule, direction: Direction): Status['rules'][number] {
  const { local_prefix, pattern, remote_prefix } = configuration;
  return { pattern, direction, local: local_prefix + pattern, remote: remote_prefix + pattern, forwarded, dropped, refused };
}

/** The worst first: one sentence helps more than five. */
function adviceOf({ gateway, sensors, upstream }: StatusSources, now: number): string {
  const { configuration: { listener, topic }, delivery: { droppedCount } } = gateway;
  const queue = gateway.upstreamQueue;
  if (gateway.configuration.store.durability === 'flash' && gateway.durableStore?.backlog.store.isWorking !== true)
    return 'the storage of the store does not work, so messages would not survive a restart: the log says why';
  if (!gateway.upstream.isConnected)
    return adviceWithoutUpstream(upstream, now);
  if (gateway.bridge.droppedCount > 0 && queue.usedLength * 2 > queue.capacity)
    return `the store is nearly full and ${gateway.bridge.droppedCount} messages were dropped: raise store.ram, or send less`;
  const broken = sensors.states.find(({ pause }) => pause !== 1);
  if (broken !== undefined)
    return `sensor "${broken.configuration.name}" does not answer: check its wiring`;
  if (droppedCount > 0)
    return `${droppedCount} messages from or for nodes were dropped: raise listener.max_queued_messages, max_queued_bytes or max_packet_size`;
  if (topic.length === 0)
    return 'nothing crosses the bridge: write rules in "topic"';
  if (!listener.allow_anonymous && listener.users.length === 0)
    return 'no node can connect: write users in listener.users, or set listener.allow_anonymous';
  return ALL_IS_WELL;
}

function adviceWithoutUpstream(upstream: UpstreamProgress, now: number): string {
  const { deadline, phase, reasonCode } = upstream;
  const url = urlOf(upstream);
  if (phase !== WAITING && phase !== RESOLVING && phase !== CONNECTING && phase !== OPEN)
    return 'the gateway is stopped: start it again';
  if (reasonCode === ReasonCode.SUCCESS)
    return `the connection to ${url} is being made: wait a moment`;
  const wait = phase === WAITING ? `; the next attempt is in ${secondsText(secondsUntil(deadline, now))}, at ${url}` : `; an attempt is being made at ${url}`;
  return `no connection to the broker: ${describeReason(reasonCode)}${adviceForUpstream(reasonCode)}${wait}`;
}
