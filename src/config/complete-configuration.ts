/** Fills in what a configuration file does not say: the defaults, and what follows from other keys. */
import { profileOf } from './broker-profiles.ts';
import type {
  Configuration, ListenerConfiguration, PartialConfiguration, UpstreamConfiguration, WillConfiguration,
} from './configuration.ts';
import type { HomeAssistantConfiguration } from './home-assistant.ts';
import {
  DEFAULT_ACCESS, DEFAULT_DEVICE, DEFAULT_ENTITY, DEFAULT_HOME_ASSISTANT, DEFAULT_LISTENER, DEFAULT_LOG_LEVEL,
  DEFAULT_MEMORY, DEFAULT_NAME, DEFAULT_PAGE, DEFAULT_PROBE, DEFAULT_SENSOR, DEFAULT_STORE, DEFAULT_TOPIC_RULE,
  DEFAULT_UPSTREAM, DEFAULT_WILL, sessionsFor,
} from './defaults.ts';

/** What max_packet_size is at least; as in the schema. */
const SHORTEST_PACKET_SIZE = 128;

const ONLINE = 'online';

/** The Will where Home Assistant must be told whether the gateway is there, and nothing else is said of one. */
const statusOf = (identifier: string): WillConfiguration =>
  ({ topic: `${identifier}/status`, payload: 'offline', qos: 1, retain: true });

/** Will and birth: both are about the state of the connection. Only who has a Will is told that he is there again. */
function aboutConnection(
  { birth, will }: NonNullable<PartialConfiguration['upstream']>, upstream: UpstreamConfiguration,
  usualWill: WillConfiguration | null,
): Pick<UpstreamConfiguration, 'birth' | 'notification_topic' | 'will'> {
  const notification_topic = upstream.notification_topic === ''
    ? `$SYS/broker/connection/${upstream.remote_clientid}/state` : upstream.notification_topic;
  if (upstream.notifications && !upstream.notifications_local_only) {
    const state = { topic: notification_topic, qos: 1, retain: true };
    return { notification_topic, will: { ...state, payload: '0' }, birth: { ...state, payload: '1' } };
  }
  const completeWill = will === undefined ? usualWill : will === null ? null : { ...DEFAULT_WILL, ...will };
  const completeBirth = birth === null || birth === undefined && completeWill === null ? null
    : { ...DEFAULT_WILL, ...completeWill, payload: ONLINE, ...birth };
  return { notification_topic, will: completeWill, birth: completeBirth };
}

/** What the profile of the broker lowers, unless the file says it by itself. */
function limitsOf(
  upstream: UpstreamConfiguration, written: NonNullable<PartialConfiguration['upstream']> = {},
): Partial<UpstreamConfiguration> {
  const profile = profileOf(upstream.profile, upstream.address[0] ?? '');
  const limit = (given: number | undefined, most: number, usual: number): number =>
    given ?? (most === 0 ? usual : usual === 0 ? most : Math.min(most, usual));
  return {
    max_qos: written.max_qos ?? Math.min(profile.qos, upstream.max_qos),
    max_topic_levels: limit(written.max_topic_levels, profile.topicLevels, upstream.max_topic_levels),
    max_topic_length: limit(written.max_topic_length, profile.topicLength, upstream.max_topic_length),
    bridge_max_packet_size:
      limit(written.bridge_max_packet_size, profile.packetSize, upstream.bridge_max_packet_size),
    max_inflight_messages: limit(written.max_inflight_messages, profile.inflight, upstream.max_inflight_messages),
    keepalive_interval: limit(written.keepalive_interval, profile.keepAlive, upstream.keepalive_interval),
  };
}

type StateLimits = Pick<ListenerConfiguration,
  'max_retained_bytes' | 'max_retained_messages' | 'max_subscription_bytes' | 'max_subscriptions'>;

/** What a default lets in must fit the part of the store that keeps it: an eighth at most. */
export function fitState(listener: StateLimits, size: number, written: Partial<StateLimits>): void {
  if (written.max_retained_bytes === undefined)
    listener.max_retained_bytes = Math.min(listener.max_retained_bytes, size >>> 4);
  if (written.max_retained_messages === undefined)
    listener.max_retained_messages = Math.min(listener.max_retained_messages, size >>> 10);
  if (written.max_subscription_bytes === undefined)
    listener.max_subscription_bytes = Math.min(listener.max_subscription_bytes, size >>> 6);
  if (written.max_subscriptions === undefined)
    listener.max_subscriptions = Math.min(listener.max_subscriptions, size >>> 10);
}

function homeAssistantOf(
  { homeassistant }: PartialConfiguration, sizes: PartialConfiguration,
): HomeAssistantConfiguration | null {
  if (homeassistant === undefined || homeassistant === null)
    return null;
  const devices = (homeassistant.devices ?? []).map(device =>
    ({ ...DEFAULT_DEVICE, ...device, topic: device.topic ?? device.name ?? '',
      entities: (device.entities ?? []).map(entity => ({ ...DEFAULT_ENTITY, ...entity })) }));
  return { ...DEFAULT_HOME_ASSISTANT, ...sizes.homeassistant, ...homeassistant, devices };
}

/**
 * Fills in every default. `{}` is a valid file.
 * @param sizes replace the defaults of a board: PC_SIZES
 */
export function completeConfiguration(partial: PartialConfiguration, sizes: PartialConfiguration = {}): Configuration {
  const name = partial.name ?? DEFAULT_NAME;
  const upstream = { ...DEFAULT_UPSTREAM, ...sizes.upstream, ...partial.upstream } as UpstreamConfiguration;
  if (upstream.remote_clientid === '')
    upstream.remote_clientid = name;
  Object.assign(upstream, limitsOf(upstream, partial.upstream));
  const listener = { ...DEFAULT_LISTENER, ...sizes.listener, ...partial.listener };
  const store = {
    ...DEFAULT_STORE, ...sizes.store, ...partial.store,
    messages_per_second: { ...DEFAULT_STORE.messages_per_second, ...partial.store?.messages_per_second },
  };
  // A default must not let in what a queue cannot hold that somebody has made small.
  const half = { queue: partial.listener?.max_queued_bytes ?? Infinity, store: partial.store?.ram ?? Infinity };
  if (partial.upstream?.max_packet_size === undefined)
    upstream.max_packet_size =
      Math.min(upstream.max_packet_size, Math.max(SHORTEST_PACKET_SIZE, half.queue >> 1 || Infinity));
  if (partial.listener?.max_packet_size === undefined)
    listener.max_packet_size =
      Math.min(listener.max_packet_size,
        Math.max(SHORTEST_PACKET_SIZE, Math.min(half.queue, half.store) >> 1 || Infinity));
  if (store.durability === 'flash')
    fitState(listener, store.size, partial.listener ?? {});
  if (store.durability === 'flash' && partial.store?.quarantine === undefined)
    store.quarantine = [store.quarantine[0], Math.min(store.quarantine[1], store.size >>> 5)];
  return {
    name,
    log_level: partial.log_level ?? DEFAULT_LOG_LEVEL,
    upstream: {
      ...upstream,
      ...aboutConnection(partial.upstream ?? {}, upstream,
        partial.homeassistant?.enabled === true ? statusOf(upstream.remote_clientid) : null),
      probe: partial.upstream?.probe === undefined || partial.upstream.probe === null ? null
        : { ...DEFAULT_PROBE, ...partial.upstream.probe },
    },
    listener: {
      ...listener,
      max_sessions: listener.max_sessions === 0 ? sessionsFor(listener.max_connections) : listener.max_sessions,
      acl: listener.acl.map(entry => ({ ...DEFAULT_ACCESS, ...entry })),
    },
    topic: (partial.topic ?? []).map(rule => ({ ...DEFAULT_TOPIC_RULE, ...rule })),
    sensors: (partial.sensors ?? []).map(sensor =>
      ({ ...DEFAULT_SENSOR, ...sensor, topic: sensor.topic ?? sensor.name })),
    store,
    memory: { ...DEFAULT_MEMORY, ...sizes.memory, ...partial.memory },
    page: partial.page === undefined || partial.page === null ? null : { ...DEFAULT_PAGE, ...partial.page },
    homeassistant: homeAssistantOf(partial, sizes),
  };
}
