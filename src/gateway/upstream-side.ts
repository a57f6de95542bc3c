/** Puts together the side of the Server: the session, the bridge with its rules, and what guards it. Once, at start. */
import type { Configuration } from '../config/configuration.ts';
import type * as Event from '../config/events.ts';
import { ClientSession } from '../session/client-session.ts';
import { QueueLimits } from '../session/queue-limits.ts';
import type { SessionContext } from '../session/session-role.ts';
import { SessionState } from '../session/session-state.ts';
import { UpstreamWindow } from '../session/upstream-window.ts';
import type { Acquaintances } from '../nodes/acquaintances.ts';
import type { Delivery } from '../nodes/delivery.ts';
import { Bridge, type BridgeOwner } from '../upstream/bridge.ts';
import { BrokerLimits } from '../upstream/broker-limits.ts';
import { EarlierSubscriptions } from '../upstream/earlier-subscriptions.ts';
import { StorePolicy } from '../upstream/full-policy.ts';
import { Guard } from '../upstream/guard.ts';
import { Probation } from '../upstream/probation.ts';
import { Quarantine } from '../upstream/quarantine.ts';
import { TopicMap } from '../upstream/topic-map.ts';
import { writeAnnouncements } from './announcement-texts.ts';
import { connectFields, longestProperties } from './packet-limits.ts';
import type { Regions } from './regions.ts';

/** Nodes of which messages may wait because the Server closes connections for them. */
const MOST_ON_PROBATION = 64;
/** More than messages that are told again wait at a time (retained-telling.ts). */
const LEAST_ON_PROBATION = 8;

/** Who works with it. */
export interface BridgeUsers {
  readonly acquaintances: Acquaintances;
  readonly delivery: Delivery;
  readonly observer: Event.GatewayObserver;
  readonly owner: BridgeOwner;
  /** See `GatewayOptions`. */
  readonly orderCounters: number | undefined;
}

export function createBridge(
  context: SessionContext, regions: Regions, configuration: Configuration, users: BridgeUsers,
): Bridge {
  const { arena } = context;
  const { listener, store, topic, upstream } = configuration;
  const { delivery, observer, owner } = users;
  const outbound = new TopicMap(arena, regions.outbound, topic);
  const policies = outbound.rules.map(rule => new StorePolicy(rule, store));
  const inbound = new TopicMap(arena, regions.inbound, topic);
  const earlier = new EarlierSubscriptions(arena, regions.earlier, upstream, inbound.rules);
  const bridge = new Bridge(outbound, inbound, delivery, policies, { owner, observer, earlier });
  const session = new ClientSession(context, regions.client,
    connectFields(arena, regions.connect, configuration),
    new SessionState(new QueueLimits(arena, regions.upstreamLimits), regions.upstreamState,
      new UpstreamWindow(users.orderCounters)), bridge);
  writeAnnouncements(session.announcements, arena, regions.announcements, upstream);
  session.replayRate = store.replay_rate;
  session.replayReserve = regions.longestPacket;
  const guard = new Guard(outbound, new BrokerLimits(arena, upstream),
    new Quarantine(arena, regions.quarantine, store.quarantine, regions.longestStored, regions.isDurable),
    new Probation(Math.max(LEAST_ON_PROBATION, Math.min(listener.max_connections, MOST_ON_PROBATION)),
      users.acquaintances),
    { losses: bridge, observer, nodes: delivery.nodes });
  bridge.watch(session, guard, upstream.max_qos);
  bridge.mostProperties = longestProperties(configuration);
  bridge.propertiesOffset = regions.properties;
  bridge.isDurable = regions.isDurable;
  bridge.refusesUnstored = regions.isDurable && store.on_failure === 'refuse';
  return bridge;
}
