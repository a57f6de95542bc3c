/** What is wrong with a gateway and what to do next, in one sentence, for its status. */
import type { TopicRule } from '../upstream/topic-map.ts';
import { REFUSED, UNANSWERED } from '../upstream/topic-map.ts';
import { CLOSES_IDLE, UNKNOWN_CAUSE } from '../upstream/court.ts';
import { decodeUTF8 } from '../bytes/utf8.ts';
import { describeCause, describeShortSessions } from './upstream-texts.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { isTrusted } from '../nodes/access-lengths.ts';
import { NONE } from '../session/record-layout.ts';
import { findLongestUnderWay, isOneDoneAfter } from '../upstream/suspect-records.ts';
import { CONNECTING, OPEN, RESOLVING, WAITING } from '../upstream/upstream-phase.ts';
import { IDENTIFIER_FOUGHT_OVER, UPSTREAM } from '../config/events.ts';
import { urlOf } from '../config/upstream-address.ts';
import { describeFailure, describeTrouble } from './event-texts-nodes.ts';
import { adviceForUpstream, identifierOf } from './event-texts.ts';
import { describeQuarantined } from './quarantine-texts.ts';
import { adviceAboutProbe, isProbeWell } from './probe-texts.ts';
import { describeReason } from './reason-texts.ts';
import type { Gateway } from './gateway.ts';
import type { StatusSources, UpstreamProgress } from './status-sources.ts';

export const ALL_IS_WELL = 'all is well';

/** An acknowledgement is overdue when it takes longer than this part of upstream.acknowledgement_timeout. */
const OVERDUE_PART = 10;

/** The worst first: one sentence helps more than five. */
export function adviceOf(sources: StatusSources, now: number, listenerProblem: string | null = null): string {
  const { gateway, upstream } = sources;
  if (gateway.durableStore?.backlog.store.isWorking === false) {
    const { problem } = gateway.durableStore;
    return `the storage of the store does not work${problem === '' ? '' : `: ${problem}`}; ${describeFailure(gateway)}`;
  }
  if (listenerProblem !== null)
    return `no node can connect: ${listenerProblem}`;
  const { suspects } = gateway.bridge;
  if (suspects.cause !== UNKNOWN_CAUSE && !(suspects.cause === CLOSES_IDLE && gateway.upstream.isConnected))
    return describeCause(gateway, suspects.cause, suspects.blamedRule);
  if (upstream.isFoughtOver(now))
    return `${urlOf(upstream.address)} ${describeShortSessions(gateway)}`;
  if (!gateway.upstream.isConnected)
    return adviceWithoutUpstream(upstream, now);
  const { probe } = gateway.bridge;
  if (probe !== undefined && !isProbeWell(probe))
    return adviceAboutProbe(gateway, probe);
  return adviceAboutSubscriptions(gateway) ?? adviceAboutQuarantine(gateway) ?? adviceAboutMessages(gateway, now)
    ?? adviceAboutNodes(sources, now) ?? ALL_IS_WELL;
}

function adviceAboutSubscriptions({ bridge }: Gateway): string | undefined {
  const rules = bridge.inbound.rules;
  const named = ({ configuration: { pattern, remote_prefix } }: TopicRule): string => `"${remote_prefix}${pattern}"`;
  const refused = rules.find(({ granted }) => granted === REFUSED);
  if (refused !== undefined)
    return `the broker has refused the subscription to ${named(refused)}: check the access rights of upstream.remote_username`;
  const lowered = rules.find(({ granted, qos }) => granted !== UNANSWERED && granted < qos);
  if (lowered !== undefined)
    return `the broker sends ${named(lowered)} with QoS ${lowered.granted} at most: ask its operator for ${lowered.qos}, `
      + 'or write that as the qos of the rule';
  const setAside = rules.find(({ granted, isSetAside }) => granted === UNANSWERED && isSetAside);
  if (setAside !== undefined)
    return `the broker closes the connection for the subscription to ${named(setAside)}, or never answers it, so it is not `
      + 'asked for any more: check the rule, and the rights of upstream.remote_username, then restart';
  const unanswered = rules.find(({ granted }) => granted === UNANSWERED);
  return unanswered && `the broker has not granted the subscription to ${named(unanswered)} yet: wait a moment`;
}

/** Somebody has to decide. */
function adviceAboutQuarantine(gateway: Gateway): string | undefined {
  const { bridge: { guard: { probation, quarantine } }, configuration: { store } } = gateway;
  const how = store.durability === 'flash' ? 'ringbridge quarantine FILE list' : 'the status lists them';
  if (quarantine.count === 0)
    return undefined;
  const full = quarantine.fullShare;
  if (full >= 0) {
    const { sender, pattern } = describeQuarantined(gateway, full);
    return `${sender} has as many messages in the quarantine by topic rule "${pattern}" as it may have, so no more of them `
      + `is taken: mend it, then decide about them (${how})`;
  }
  return `${messagesText(quarantine.count)} ${wereText(quarantine.count)} set aside, for the broker will not have `
    + `${quarantine.count === 1 ? 'it' : 'them'}${probation.isHolding ? ', and others of the same senders wait' : ''}: decide `
    + `about ${quarantine.count === 1 ? 'it' : 'them'} (${how})`;
}

function adviceAboutMessages(gateway: Gateway, now: number): string | undefined {
  const { configuration, durableStore, systemTopics, upstream, waiting } = gateway;
  const { recentlyGivenUp, recentlyUnreadable } = systemTopics;
  const owed = upstream.owedFor(now);
  if (owed > configuration.upstream.acknowledgement_timeout * 1000 / OVERDUE_PART)
    return describeOverdue(gateway, owed, now);
  const unreadable = recentlyUnreadable.growthTo(waiting.unreadableCount);
  if (unreadable > 0)
    return `${messagesText(unreadable)} for the broker ${wereText(unreadable)} in the storage of the store alone, and lost with it in `
      + `the last minutes${durableStore?.problem ? `: ${durableStore.problem}` : ''}; the log has the topic rules; see that nobody `
      + 'else touches store.path';
  const givenUp = recentlyGivenUp.growthTo(waiting.givenUpCount);
  if (givenUp === 0)
    return undefined;
  const key = waiting.isDurable ? 'store.size' : 'store.ram';
  const isFull = waiting.pendingLength * 2 > waiting.capacity;
  return `${messagesText(givenUp)} for the broker ${wereText(givenUp)} dropped in the last minutes`
    + `${isFull ? ', and the store is nearly full' : ''}: raise ${key}, or send less`;
}

/** An answer of the broker that is overdue: nothing is answered, or only that. */
function describeOverdue({ arena: { view }, arena, upstream }: Gateway, owed: number, now: number): string {
  const { queue } = upstream.sessionState!;
  const time = secondsText(Math.floor(owed / 1000));
  const record = findLongestUnderWay(queue, now);
  if (record === NONE || !isOneDoneAfter(queue, record))
    return `the broker has acknowledged nothing for ${time}: it, or the network, is slow or stuck`;
  const topic = queue.topicOf(record), qos = queue.qosOf(record);
  return `the broker has not acknowledged a message of QoS ${qos} to "${decodeUTF8(arena, topic, view.getUint16(topic - 2))}" for `
    + `${time}, but others that came later: ${qos === 2 ? 'if it serves no QoS 2, set upstream.max_qos to 1' : 'its log may say why'}`;
}

function adviceAboutNodes({ gateway, sensors }: StatusSources, now: number): string | undefined {
  const { bridge, configuration: { listener, topic }, delivery, nodes, systemTopics, takeOvers } = gateway;
  const broken = sensors.states.find(({ pause }) => pause !== 1);
  if (broken !== undefined)
    return `sensor "${broken.configuration.name}" does not answer: check its wiring`;
  const fought =
    nodes.states.find(({ identifierLength, index }) => identifierLength > 0 && takeOvers.isFoughtOver(index, now));
  if (fought !== undefined)
    return describeTrouble(gateway, IDENTIFIER_FOUGHT_OVER, UPSTREAM, fought.index, `"${identifierOf(gateway, fought)}"`);
  const tooLong = systemTopics.recentlyTooLong.growthTo(bridge.oversizeCount);
  if (tooLong > 0)
    return `${messagesText(tooLong)} from the broker ${wereText(tooLong)} dropped in the last minutes: `
      + 'raise upstream.max_packet_size; the log has the topics';
  const dropped = systemTopics.recentlyDropped.growthTo(delivery.droppedCount);
  if (dropped > 0)
    return `${messagesText(dropped)} from or for nodes ${wereText(dropped)} dropped in the last minutes: `
      + 'raise listener.max_queued_messages, max_queued_bytes or max_packet_size';
  if (topic.length === 0)
    return 'nothing crosses the bridge: write rules in "topic"';
  if (!listener.allow_anonymous && listener.users.every(isTrusted))
    return 'no node can connect: write users in listener.users, or set listener.allow_anonymous';
  return undefined;
}

/** Rounded up: a wait that is not over is not 0. */
export const secondsUntil = (deadline: number, now: number): number =>
  Math.max(0, Math.ceil((deadline - now | 0) / 1000));

const secondsText = (seconds: number): string => `${seconds} second${seconds === 1 ? '' : 's'}`;

const messagesText = (count: number): string => `${count} message${count === 1 ? '' : 's'}`;

const wereText = (count: number): string => count === 1 ? 'was' : 'were';

function adviceWithoutUpstream(upstream: UpstreamProgress, now: number): string {
  const { deadline, phase, problem, reasonCode } = upstream;
  const url = urlOf(upstream.address);
  if (phase !== WAITING && phase !== RESOLVING && phase !== CONNECTING && phase !== OPEN)
    return 'the gateway is stopped: start it again';
  if (reasonCode === ReasonCode.SUCCESS)
    return `the connection to ${url} is being made: wait a moment`;
  const wait = phase === WAITING ? `; the next attempt is in ${secondsText(secondsUntil(deadline, now))}, at ${url}`
    : `; an attempt is being made at ${url}`;
  const reason = problem === '' ? describeReason(reasonCode) + adviceForUpstream(reasonCode) : problem;
  return `no connection to the broker: ${reason}${wait}`;
}
