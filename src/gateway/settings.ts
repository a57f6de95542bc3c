/** What the configuration means for the sessions: seconds become milliseconds, words become codes. Once at start. */
import { OVERSIZE_CLOSE, OVERSIZE_DROP } from '../packet/packet-handler.ts';
import type { ClientSessionSettings } from '../session/client-session.ts';
import { FOR_EVER } from '../session/server-session.ts';
import type { ServerSessionSettings } from '../session/server-role.ts';
import type { SessionLimits } from '../session/queue-limits.ts';
import type {
  Configuration, ListenerConfiguration, OversizePolicy, TopicRuleConfiguration, UpstreamConfiguration,
} from '../config/configuration.ts';

const oversizeOf = (policy: OversizePolicy): number => policy === 'drop' ? OVERSIZE_DROP : OVERSIZE_CLOSE;

export const clientSettingsOf = (upstream: UpstreamConfiguration): ClientSessionSettings => ({
  maximumPacketSize: upstream.max_packet_size,
  connackTimeout: upstream.connack_timeout * 1000,
  pingrespTimeout: upstream.connack_timeout * 1000,
  acknowledgementTimeout: upstream.acknowledgement_timeout * 1000,
  sendTimeout: upstream.send_timeout * 1000,
  oversize: oversizeOf(upstream.oversize),
});

export const serverSettingsOf = ({ listener, memory, store }: Configuration): ServerSessionSettings => ({
  storesState: store.durability === 'flash',
  maximumPacketSize: listener.max_packet_size,
  willCapacity: listener.max_will_size,
  maximumClientIdentifierLength: listener.max_clientid_length,
  connectTimeout: listener.connect_timeout * 1000,
  sendTimeout: listener.send_timeout * 1000,
  oversize: oversizeOf(listener.oversize),
  maximumKeepAlive: listener.max_keepalive,
  receiveMaximum: listener.max_unreleased_messages,
  sessionExpiry: listener.persistent_client_expiration === 0 ? FOR_EVER : listener.persistent_client_expiration,
  maximumPublishRate: listener.max_publish_rate,
  topicAliasMaximum: listener.max_topic_alias,
  topicAliasLength: memory.topic_length,
});

/** The queue towards the Server, which is the store's part in memory. */
export function upstreamLimitsOf(configuration: Configuration): SessionLimits {
  const { store, upstream } = configuration;
  return {
    queueCapacity: store.ram,
    maximumQueuedMessages: store.ram,
    maximumInflightMessages: upstream.max_inflight_messages,
    maximumUnreleasedMessages: upstream.max_unreleased_messages,
    isUpstream: true,
  };
}

/** @param isStored whether messages for nodes survive a power cut @param rules whether they may become too old */
export const nodeLimitsOf = (
  listener: ListenerConfiguration, isStored = false, rules: readonly TopicRuleConfiguration[] = [],
): SessionLimits => ({
  isStored,
  keepsAge: rules.some(({ direction, expiry }) => direction !== 'out' && expiry > 0),
  queueCapacity: listener.max_queued_bytes,
  maximumQueuedMessages: listener.max_queued_messages,
  maximumInflightMessages: listener.max_inflight_messages,
  maximumUnreleasedMessages: listener.max_unreleased_messages,
});
