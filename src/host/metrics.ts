/**
 * The figures of a gateway in the text format of Prometheus: those of $SYS/broker/, the state of upstream and store,
 * and what was dropped, by rule and by reason. Made when somebody asks, so it may allocate.
 */
import type { Gateway } from '../gateway/gateway.ts';
import type { Status } from '../gateway/status.ts';
import { type Figure, FIGURES, type Traffic } from '../nodes/system-figures.ts';
import { BOUNDS, type DeliveryTimes } from '../session/delivery-times.ts';
import { MeasuredQueue } from '../session/measured-queue.ts';
import type { LossTally } from '../upstream/loss-tally.ts';
import * as Loss from '../upstream/losses.ts';
import { NO_RULE } from '../upstream/topic-map.ts';
import type { Health } from './health.ts';

export interface MetricSources {
  readonly status: Status;
  readonly gateway: Gateway;
  readonly traffic: Traffic;
  readonly health: Health;
  /** Seconds since the broker was there last, 0 while it is there; and those without it since the start. */
  readonly absence: number;
  readonly offline: number;
  /** Blocks of the store that were erased since the start. */
  readonly erasureCount: number;
  /** Seconds of the longest turn of the event loop since the last question. */
  readonly longestTurn: number;
  /** Bytes. */
  readonly residentMemory: number;
}

/** Of the figures of $SYS, those that are no sum since the start. */
const GAUGES: ReadonlySet<string> = new Set(['clients/connected', 'clients/disconnected', 'clients/total', 'clients/maximum',
  'subscriptions/count', 'retained messages/count', 'store/messages/count', 'store/messages/bytes', 'messages/inflight',
  'bridge/messages/quarantined']);

const isThere = ({ isMachine }: Figure): boolean => isMachine !== true;

/** Only backslash, quote and line end are special in a label. */
const labelOf = (text: string): string => text.replace(/[\\"\n]/g, character => character === '\n' ? '\\n' : `\\${character}`);

/** Names that would say something else to Prometheus, or are taken. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'clients/total': 'ringbridge_clients_known', 'store/messages/count': 'ringbridge_kept_messages',
  'store/messages/bytes': 'ringbridge_kept_messages_bytes',
};

/** Prometheus takes what ends in `_total` for a sum since the start, and in `_count` for a part of a histogram. */
const nameOf = ({ name }: Figure): string => OTHER_NAMES[name]
  ?? `ringbridge_${name.replace(/[^a-z]/g, '_')}${GAUGES.has(name) ? '' : '_total'}`.replace(/_count$/, '');

/** As labels; those that messages of direction "in" have. */
const REASONS: readonly (readonly [reason: number, label: string])[] = [
  [Loss.NO_ROOM, 'no room'], [Loss.EXPIRED, 'too old'], [Loss.ORPHANED, 'no rule any more'],
  [Loss.UNREADABLE, 'unreadable in the store'], [Loss.TOO_LONG, 'too long'], [Loss.UNFIT, 'not for this broker'],
  [Loss.QUARANTINE_FULL, 'quarantine full'],
];
const REASONS_IN = REASONS.filter(([reason]) => reason === Loss.EXPIRED || reason === Loss.TOO_LONG);

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

class MetricText {
  text = '';

  add(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[] | number): void {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of typeof samples === 'number' ? [[{}, samples] as const] : samples) {
      const list = Object.entries(labels).map(([key, label]) => `${key}="${labelOf(label)}"`).join(',');
      this.text += `${name}${list === '' ? '' : `{${list}}`} ${value}\n`;
    }
  }

  /** @param help of a time that is told in seconds */
  addTimes(name: string, help: string, { count, counts, sum }: DeliveryTimes): void {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
    let cumulated = 0;
    BOUNDS.forEach((bound, bucket) => {
      cumulated += counts[bucket]!;
      this.text += `${name}_bucket{le="${bound / 1000}"} ${cumulated}\n`;
    });
    this.text += `${name}_bucket{le="+Inf"} ${count}\n${name}_sum ${sum / 1000}\n${name}_count ${count}\n`;
  }
}

/** Where the gateway counts them: of each rule and of what had no rule any more, by reason. */
function lossesOf({ bridge: { inbound, outbound } }: Gateway, rules: Status['rules']): Sample[] {
  const samples = (tally: LossTally | undefined, rule: number, labels: Readonly<Record<string, string>>,
    reasons: typeof REASONS): Sample[] =>
    tally === undefined ? []
      : reasons.map(([reason, label]) => [{ ...labels, reason: label }, tally.countOf(rule, reason)]);
  const outCount = outbound.rules.length;
  return [
    ...rules.flatMap((rule, index) => rule.direction === 'out'
      ? samples(outbound.losses, index, labelsOf(rule, index), REASONS)
      : samples(inbound.losses, index - outCount, labelsOf(rule, index), REASONS_IN)),
    ...samples(outbound.losses, NO_RULE, { rule: 'none', direction: 'out', local: '', remote: '' }, REASONS),
  ];
}

const labelsOf = ({ direction, local, remote }: Status['rules'][number], index: number): Record<string, string> =>
  ({ rule: String(index), direction, local, remote });

export function metricsOf(sources: MetricSources): string {
  const { absence, erasureCount, gateway, health, longestTurn, offline, residentMemory, status, traffic } = sources;
  const metrics = new MetricText();
  const { counters, endings, rules, store, tls, upstream } = status;
  const { bridge: { probe }, upstreamQueue: queue } = gateway;
  metrics.add('ringbridge_info', 'gauge', 'Name and version of the gateway.',
    [[{ name: status.name, version: status.version }, 1]]);
  metrics.add('ringbridge_uptime_seconds', 'gauge', 'Since the start.', status.uptime);
  metrics.add('ringbridge_healthy', 'gauge', '1 if GET /health answers 200.', health.isWell ? 1 : 0);
  metrics.add('ringbridge_listener_open', 'gauge', '1 while nodes can connect.', status.listener.problem === null ? 1 : 0);
  metrics.add('ringbridge_upstream_connected', 'gauge', '1 while the broker is connected.', upstream.state === 'connected' ? 1 : 0);
  metrics.add('ringbridge_upstream_absence_seconds', 'gauge', 'Since the broker was there last; 0 while it is there.', absence);
  metrics.add('ringbridge_upstream_offline_seconds_total', 'counter', 'Without the broker, since the start.', offline);
  metrics.add('ringbridge_upstream_attempts_total', 'counter', 'Attempts to connect to the broker.', upstream.attempts);
  if (probe !== undefined) {
    metrics.add('ringbridge_upstream_probe_round_trip_seconds', 'gauge', 'Of the last probe that came back.',
      probe.roundTrip < 0 ? [] : probe.roundTrip / 1000);
    metrics.add('ringbridge_upstream_probes_returned_total', 'counter', 'Probes that came back.', probe.returnedTotal);
    metrics.add('ringbridge_upstream_probes_lost_total', 'counter', 'Probes that did not.', probe.lostTotal);
  }
  metrics.add('ringbridge_upstream_messages_accepted_total', 'counter', 'Messages that topic rules have taken for the broker.',
    counters.acceptedForUpstream);
  metrics.add('ringbridge_upstream_messages_sent_total', 'counter',
    'Messages that the broker has acknowledged, or of QoS 0 and sent.', counters.sentUpstream);
  if (queue instanceof MeasuredQueue) {
    metrics.add('ringbridge_upstream_messages_repeated_total', 'counter',
      'Messages that were sent again, because the connection had ended before they were acknowledged.', queue.repeatedCount);
    metrics.addTimes('ringbridge_upstream_delivery_seconds',
      'From when a message of QoS 1 or 2 was taken over to its last acknowledgement by the broker.', queue.times);
  }
  metrics.add('ringbridge_upstream_messages_received_total', 'counter', 'Messages of the broker.', counters.receivedFromUpstream);
  metrics.add('ringbridge_upstream_messages_received_dropped_total', 'counter', 'Messages of the broker that went to nobody, by reason.', [
    [{ reason: 'too long' }, counters.tooLongFromUpstream], [{ reason: 'topic is unfit' }, counters.unfitFromUpstream],
    [{ reason: 'no rule asks for it' }, counters.unaskedFromUpstream],
  ]);
  metrics.add('ringbridge_store_bytes', 'gauge', 'Taken by what waits for the broker.', store.bytes);
  metrics.add('ringbridge_store_capacity_bytes', 'gauge', 'There for what waits for the broker.', store.capacity);
  metrics.add('ringbridge_store_messages', 'gauge', 'Messages that wait for the broker.', store.count);
  metrics.add('ringbridge_store_durable', 'gauge', '1 while what waits survives a power cut.', store.durable ? 1 : 0);
  metrics.add('ringbridge_store_messages_in_memory', 'gauge', 'Messages for the broker or nodes that a restart would lose.',
    store.inMemory);
  metrics.add('ringbridge_store_oldest_message_age_seconds', 'gauge', 'Of the message that has waited longest; 0 if none waits.',
    store.oldest ?? 0);
  metrics.add('ringbridge_store_erasures_total', 'counter', 'Blocks of the store that were erased.', erasureCount);
  metrics.add('ringbridge_certificate_validity_seconds', 'gauge',
    'For which a certificate is still valid; less than 0 when it has expired. Divided by 86400: days.',
    tls.certificates.map(({ expires, of }) => [{ of }, Math.floor(Date.parse(expires) / 1000) - (status.time ?? 0)]));
  const samplesOf = (of: (rule: Status['rules'][number]) => number): Sample[] => rules.map((rule, index) => [labelsOf(rule, index), of(rule)]);
  metrics.add('ringbridge_rule_messages_forwarded_total', 'counter', 'Messages that a topic rule has taken.',
    samplesOf(({ forwarded }) => forwarded));
  metrics.add('ringbridge_rule_messages_dropped_total', 'counter', 'Messages that were given up, by topic rule and reason.',
    lossesOf(gateway, rules));
  metrics.add('ringbridge_rule_messages_refused_total', 'counter', 'Messages of a topic rule that were not taken from nodes.',
    samplesOf(({ refused }) => refused));
  metrics.add('ringbridge_node_endings_total', 'counter', 'Connections of nodes that have ended, or were refused, by reason.',
    Object.entries(endings).map(([reason, count]) => [{ reason }, count]));
  for (const figure of FIGURES.filter(isThere))
    metrics.add(nameOf(figure), GAUGES.has(figure.name) ? 'gauge' : 'counter', `$SYS/broker/${figure.name}`,
      figure.of(gateway, traffic));
  metrics.add('ringbridge_longest_turn_seconds', 'gauge', 'Longest turn of the event loop since the last question.', longestTurn);
  metrics.add('process_resident_memory_bytes', 'gauge', 'Memory of the process.', residentMemory);
  return metrics.text;
}
