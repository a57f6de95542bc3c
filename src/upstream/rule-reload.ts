/**
 * Other topic rules while the gateway runs. A rule that says the same as before keeps its figures, and what waits
 * goes by the rules of today, as after a restart: what has been encoded for the Server stays as it is, what waits in
 * the log is mapped anew, an orphan that has found a rule is sent.
 */
import type { Arena } from '../bytes/arena.ts';
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import type { StoreConfiguration } from '../config/store-configuration.ts';
import type { OutboundQueue } from '../session/outbound-queue.ts';
import { NONE, RULE } from '../session/record-layout.ts';
import { NONE as NO_MESSAGE } from '../store/message-queue.ts';
import { MESSAGE_UP } from '../store/stored-message.ts';
import type { Backlog } from './backlog.ts';
import type { Bridge } from './bridge.ts';
import { BrokerLimits } from './broker-limits.ts';
import { filtersToTakeBack } from './earlier-subscriptions.ts';
import { StorePolicy } from './full-policy.ts';
import { LatestRecords } from './latest-records.ts';
import { ObsoleteFilters } from './obsolete-filters.ts';
import { rulesOf, type TopicMap, type TopicMapPlan, type TopicRule } from './topic-map.ts';

/** Of a message whose rule is gone. */
const GONE = 0xFFFF;

export interface RulePlans {
  readonly outbound: TopicMapPlan;
  readonly inbound: TopicMapPlan;
  readonly earlierOffset: number;
}

/** What the Server is asked for by a rule of direction "in". */
const filterOf = ({ configuration: { pattern, remote_prefix } }: TopicRule): string => remote_prefix + pattern;

/** @param backlog that of the store, if there is one: it may be open or not */
export function reloadRules(arena: Arena, bridge: Bridge, plans: RulePlans, configuration: Configuration,
  backlog: Backlog | undefined): void {
  const { store, topic, upstream } = configuration;
  const { inbound, outbound, session } = bridge;
  const before = inbound.rules.map(filterOf);
  const oldOutbound = [...outbound.rules];
  const { guard } = bridge;
  bridge.highestQoS = upstream.max_qos;
  outbound.limits = guard.limits = new BrokerLimits(arena, upstream);
  guard.limits.learn(session.longestPacket, session.hasProperties);
  replaceRules(arena, outbound, plans.outbound, topic, upstream.max_qos);
  replaceRules(arena, inbound, plans.inbound, topic, upstream.max_qos);
  guard.update();
  const filters = filtersToTakeBack(topic);
  // On a connection that stands, what is gone is unsubscribed below.
  bridge.earlier.takeBack(plans.earlierOffset, filters, session.isConnected ? filters.length : 0);
  if (bridge.backlog !== undefined)
    bridge.earlier.store(bridge.backlog.store);
  reloadPolicies(bridge, store);
  noteRules(session.sessionState!.queue, oldOutbound, outbound.rules);
  bridge.setUnfitAside();
  if (backlog !== undefined)
    recountLog(backlog, bridge.backlog !== undefined);
  bridge.suspects.remind();
  (bridge.obsolete ??= new ObsoleteFilters(arena, session, inbound)).add(before, inbound.rules.map(filterOf));
  bridge.subscribing = 0;
  if (session.isConnected && !session.isSubscribing)
    bridge.subscribeNext();
  session.writable();
}

/** Also for another `store.full`. */
export function reloadPolicies(bridge: Bridge, store: StoreConfiguration): void {
  const policies = bridge.policies as StorePolicy[];
  const old = [...policies];
  policies.splice(0, policies.length, ...bridge.outbound.rules.map(rule => {
    const policy = new StorePolicy(rule, store);
    policy.expired = old.find(other => other.rule.identity === rule.identity)?.expired ?? 0;
    return policy;
  }));
}

function replaceRules(arena: Arena, map: TopicMap, plan: TopicMapPlan,
  configurations: readonly TopicRuleConfiguration[], mostQoS: number): void {
  const rules = map.rules as TopicRule[];
  const old = [...rules];
  arena.bytes.fill(0, plan.textsOffset, plan.placesOffset);
  rules.splice(0, rules.length, ...rulesOf(arena, plan.textsOffset, plan.direction, configurations));
  map.limitQoS(mostQoS);
  for (const rule of rules) {
    const same = old.find(other => other.identity === rule.identity);
    if (same === undefined)
      continue;
    rule.forwarded = same.forwarded;
    rule.dropped = same.dropped;
    rule.refused = same.refused;
    if (same.qos === rule.qos) // else it is asked for again
      rule.granted = same.granted;
  }
  map.losses?.replace(old, rules);
  map.forgetAll();
}

/** Each message of the queue says by the position of its rule which one it is. */
function noteRules(queue: OutboundQueue, old: readonly TopicRule[], rules: readonly TopicRule[]): void {
  const { view } = queue.limits.arena;
  for (let record = queue.following(NONE); record !== NONE; record = queue.following(record)) {
    const identity = old[queue.ruleOf(record)]?.identity;
    const index = rules.findIndex(rule => rule.identity === identity);
    view.setUint16(record + RULE, index === -1 ? GONE : index);
  }
}

/** What waits in the log, and what of it has no rule, is found out as at a start. @param isOpen there is a log */
export function recountLog(backlog: Backlog, isOpen: boolean): void {
  const { queue, room, rules: { policies }, store, window } = backlog;
  backlog.latest = room.latest = policies.some(policy => policy.keepsLatest) ? new LatestRecords() : undefined;
  backlog.refusesNew = policies.every(policy => policy.refusesNew);
  if (!isOpen)
    return;
  backlog.beginRecount();
  const { queue: log } = store;
  let next = 0;
  for (let position = log.first(); position !== NO_MESSAGE; position = log.next(next)) {
    const { record } = log;
    next = record.position + record.length;
    if (record.kind === MESSAGE_UP)
      backlog.restore(record);
  }
  if (window.waitingCount > 0 && queue.unsentCount > 0)
    queue.joinLanes(); // behind what waits of the same topic
}
