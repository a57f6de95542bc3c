/**
 * Where everything of a gateway lies in the arena, and how much of it there is: as the configuration says, with room
 * for one that comes while it runs. Only reserves; nothing is made here.
 */
import type { ArenaPlan } from '../bytes/arena.ts';
import { TopicTable } from '../packet/topic-table.ts';
import type { Configuration } from '../config/configuration.ts';
import { ClientSession } from '../session/client-session.ts';
import { QueueLimits } from '../session/queue-limits.ts';
import { ServerRole } from '../session/server-role.ts';
import { Access } from '../nodes/access.ts';
import { DelayedWills } from '../nodes/delayed-wills.ts';
import { NodeStates } from '../nodes/node-states.ts';
import { RetainedMessages } from '../nodes/retained.ts';
import { SessionExpiry } from '../nodes/session-expiry.ts';
import { Subscriptions } from '../nodes/subscriptions.ts';
import { SystemMessages } from '../nodes/system-messages.ts';
import { EarlierSubscriptions } from '../upstream/earlier-subscriptions.ts';
import { Quarantine } from '../upstream/quarantine.ts';
import { lengthOfRules, TopicMap } from '../upstream/topic-map.ts';
import { planAnnouncements } from './announcement-texts.ts';
import { DurableStore } from './durable-store.ts';
import { Notifications } from './notifications.ts';
import { lengthOfConnectTexts, longestOutgoingPacket, longestPrefix, longestProperties,
  longestStoredPacket } from './packet-limits.ts';
import { clientSettingsOf, nodeLimitsOf, serverSettingsOf, upstreamLimitsOf } from './settings.ts';

export type Regions = ReturnType<typeof planRegions>;

/** @param layout the configuration for which there is to be room */
export function planRegions(plan: ArenaPlan, configuration: Configuration, layout: Configuration) {
  const { listener, memory, store, topic, upstream } = configuration;
  const serverSettings = serverSettingsOf(configuration);
  const upstreamLimits = upstreamLimitsOf(configuration);
  const isDurable = store.durability === 'flash';
  const nodeLimits = nodeLimitsOf(listener, isDurable, layout.topic);
  const longestPacket = longestOutgoingPacket(layout);
  const longestStored = longestStoredPacket(layout);
  const sessionCount = listener.max_connections + 1;
  const mapSizes = {
    topicCount: memory.topics, capacity: memory.topic_length + longestPrefix(layout), longest: longestPacket,
  };
  return {
    isDurable, longestPacket, longestStored, nodeLimits, serverSettings, sessionCount, upstreamLimits,
    connect: plan.reserve('upstream: what CONNECT says', lengthOfConnectTexts(layout)),
    // On a PC another version may be configured while it runs.
    properties: plan.reserve('upstream: properties of a message',
      layout === configuration ? longestProperties(configuration) : upstream.max_properties),
    announcements: planAnnouncements(plan, layout.upstream),
    client: ClientSession.plan(plan, clientSettingsOf(upstream)),
    upstreamState: plan.reserve('store, RAM part', QueueLimits.lengthOf(upstreamLimits)),
    server: ServerRole.plan(plan, serverSettings, sessionCount),
    nodes: NodeStates.plan(plan, listener.max_sessions, nodeLimits, listener.max_clientid_length),
    expiry: SessionExpiry.plan(plan, listener.max_sessions),
    topics: TopicTable.plan(plan, memory.topics, memory.topic_length, sessionCount + 1),
    outbound: TopicMap.plan(plan, 'out', layout.topic, mapSizes),
    inbound: TopicMap.plan(plan, 'in', layout.topic, mapSizes),
    subscriptions: Subscriptions.plan(plan, listener.max_subscription_bytes, listener.max_subscriptions,
      listener.max_sessions),
    retained: RetainedMessages.plan(plan, listener.max_retained_bytes, listener.max_retained_messages),
    earlier: EarlierSubscriptions.plan(plan, topic,
      layout === configuration ? 0 : lengthOfRules('in', layout.topic) + lengthOfRules('out', layout.topic), isDurable),
    notifications: Notifications.plan(plan, layout.upstream),
    access: Access.plan(plan, layout.listener, memory.topics, listener.max_packet_size),
    systemTopics: SystemMessages.plan(plan),
    delayedWills: DelayedWills.plan(plan, listener.max_will_size, Math.max(1, listener.max_connections >> 3)),
    quarantine: Quarantine.plan(plan, store.quarantine, longestStored, isDurable),
    store: isDurable ? DurableStore.plan(plan, listener) : undefined,
  };
}
