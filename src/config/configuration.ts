/**
 * The configuration: the same JSON on the host and on the device. Names are those that users know: Mosquitto's bridge
 * directives for upstream and topic rules, its broker directives for the listener. Durations are seconds, sizes
 * bytes.
 *
 * Every key has a default here; config/config.schema.json describes the same keys and its defaults are tested against
 * these. Checking what a user wrote is the host's business (host/config.ts); on the device the file has been checked
 * at build time.
 */

import { profileOf, type ProfileName } from './broker-profiles.ts';
import type { TopicTest } from './topic-test.ts';

export type Direction = 'in' | 'out' | 'both';
export type FullPolicy = 'drop_oldest' | 'drop_newest' | 'latest_per_topic';
export type QueueFullPolicy = 'drop_newest' | 'drop_oldest';
export type OversizePolicy = 'close' | 'drop';
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export interface WillConfiguration {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

export interface UpstreamConfiguration {
  /** `mqtt://host:port`; tried in turn. */
  address: readonly string[];
  bridge_protocol_version: 'mqttv31' | 'mqttv311';
  /** Default: `name`. */
  remote_clientid: string;
  remote_username: string | null;
  remote_password: string | null;
  cleansession: boolean;
  keepalive_interval: number;
  connack_timeout: number;
  /** Base and cap of the wait between attempts. */
  restart_timeout: readonly [number, number];
  will: WillConfiguration | null;
  /** What is published after each connection; null: nothing, and nothing at a clean stop. Default: see `birthOf`. */
  birth: WillConfiguration | null;
  /** Whether the state of the connection, 1 or 0, is told here and there, as by Mosquitto's bridge. */
  notifications: boolean;
  notifications_local_only: boolean;
  /** Empty: $SYS/broker/connection/<remote_clientid>/state. */
  notification_topic: string;
  /** Whether the Server is told to unsubscribe what an earlier configuration may have subscribed. */
  bridge_attempt_unsubscribe: boolean;
  max_packet_size: number;
  /** Which broker's limits are kept, see broker-profiles.ts. */
  profile: ProfileName;
  /** Highest QoS of what is sent and asked for. */
  max_qos: number;
  /** Levels and bytes of a topic there; what exceeds them is not sent. */
  max_topic_levels: number;
  max_topic_length: number;
  /** Bytes of a packet that is sent; 0: no limit but that of the queues. */
  bridge_max_packet_size: number;
  max_inflight_messages: number;
  /** Incoming QoS 2 messages that may be unreleased. */
  max_unreleased_messages: number;
  acknowledgement_timeout: number;
  /** Whether small packets leave at once: TCP_NODELAY. */
  bridge_tcp_nodelay: boolean;
  send_timeout: number;
  oversize: OversizePolicy;
}

export interface UserConfiguration {
  username: string;
  password?: string;
  password_hash?: string;
  /** In front of all topics of this user's nodes, which see nothing else; %u and %c as in `acl`. */
  mount_point?: string;
}

export interface AccessConfiguration {
  /** Null: every node. */
  user: string | null;
  /** Topic Filter; %u is the user name of the node, %c its client identifier. */
  topic: string;
  access: 'read' | 'write' | 'readwrite' | 'deny';
}

export interface ListenerConfiguration {
  port: number;
  address: string;
  max_connections: number;
  /** Sessions that are kept, those of nodes that are away included. */
  max_sessions: number;
  connect_timeout: number;
  send_timeout: number;
  max_keepalive: number;
  max_packet_size: number;
  max_inflight_messages: number;
  /** Incoming QoS 2 messages that may be unreleased. */
  max_unreleased_messages: number;
  max_queued_messages: number;
  max_queued_bytes: number;
  max_clientid_length: number;
  max_will_size: number;
  max_subscriptions: number;
  max_subscription_bytes: number;
  max_retained_messages: number;
  max_retained_bytes: number;
  oversize: OversizePolicy;
  /** What the full queue of a node that is away gives up. */
  queue_full: QueueFullPolicy;
  /** Seconds after which the session of a node that stays away is forgotten; 0: never. */
  persistent_client_expiration: number;
  allow_anonymous: boolean;
  users: readonly UserConfiguration[];
  /** Who may read and write what; an empty list allows everything. */
  acl: readonly AccessConfiguration[];
  /** Messages per second that a node may publish; 0: any number. */
  max_publish_rate: number;
  /** Seconds between the figures under $SYS/broker/; 0: none. */
  sys_interval: number;
}

export interface TopicRuleConfiguration {
  pattern: string;
  direction: Direction;
  qos: number;
  local_prefix: string;
  remote_prefix: string;
  /**
   * Whether readings, and messages that nodes send with QoS 1 and 2, are kept while the Server is away, whatever
   * `qos` is.
   */
  store: boolean;
  /** Null: as `store.full`. */
  full: FullPolicy | null;
  /** Seconds after which a message that has not been sent is given up; 0: never. */
  expiry: number;
}

export interface SensorConfiguration {
  name: string;
  type: string;
  topic: string;
  interval: number;
  decimals: number;
  retain: boolean;
  /** json: `{"value":21.50,"time":1800000000}`, with the time of the reading; `number` when not given. */
  format?: 'number' | 'json';
  /** Which of the values of a sensor that measures several; `temperature` when not given. */
  quantity?: 'temperature' | 'humidity' | 'pressure';
  /** The reading is multiplied by `scale`, then `offset` is added: 1 and 0 when not given. */
  scale?: number;
  offset?: number;
  /** Nothing is published before the value has changed by this much; 0 when not given. */
  deadband?: number;
  /** Seconds after which a reading is repeated although `deadband` keeps it back; 0, as when not given: never. */
  heartbeat?: number;
  /**
   * Seconds without a reading after which it is "offline" under `<topic>/availability`; 0, as when not given: nothing
   * is told there.
   */
  expire_after?: number;
  /** Wiring, on a board only: GPIO numbers, address on the bus, speed of a serial line. */
  pin?: number;
  data?: number;
  clock?: number;
  address?: number;
  baud?: number;
}

export interface StoreConfiguration {
  ram: number;
  path: string;
  size: number;
  durability: 'ram' | 'flash';
  /**
   * What becomes of messages of nodes while the storage does not work: no acknowledgement, or one though they are in
   * memory only.
   */
  on_failure: 'refuse' | 'memory';
  full: FullPolicy;
  /** Messages per second that are sent of those that waited for the connection; 0: any number. */
  replay_rate: number;
  /** Messages and bytes of what the broker will not have: it is set aside and stays until somebody decides. */
  quarantine: readonly [number, number];
  /** For how many messages `ringbridge check` works out how long flash lasts. */
  messages_per_second: MessageRates;
}

export interface MessageRates {
  up: number;
  down: number;
  /** Changes of retained messages. */
  retained: number;
}

/** Sizes that a user changes only when memory is short. */
export interface MemoryConfiguration {
  /** Topic names that are remembered with all that was worked out for them; a power of two. */
  topics: number;
  /** Longest name that is remembered. */
  topic_length: number;
}

export interface Configuration {
  name: string;
  /** On a PC: what is less important is not said. */
  log_level: LogLevel;
  upstream: UpstreamConfiguration;
  listener: ListenerConfiguration;
  topic: readonly TopicRuleConfiguration[];
  sensors: readonly SensorConfiguration[];
  store: StoreConfiguration;
  memory: MemoryConfiguration;
}

/** What a file may leave out. */
export interface PartialConfiguration {
  name?: string;
  log_level?: LogLevel;
  upstream?: Partial<Omit<UpstreamConfiguration, 'birth' | 'will'>> & {
    birth?: Partial<WillConfiguration> | null;
    will?: Partial<WillConfiguration> | null;
  };
  listener?: Partial<Omit<ListenerConfiguration, 'acl'>> & { acl?: readonly Partial<AccessConfiguration>[] };
  topic?: readonly Partial<TopicRuleConfiguration>[];
  sensors?: readonly (Partial<SensorConfiguration> & { name: string; type: string })[];
  store?: Partial<Omit<StoreConfiguration, 'messages_per_second'>> & { messages_per_second?: Partial<MessageRates> };
  memory?: Partial<MemoryConfiguration>;
  /** Not part of the configuration that a gateway runs with. */
  tests?: readonly TopicTest[];
}

/** Sessions of nodes that are away, beside those of all that may be connected. */
const SPARE_SESSIONS = 2;

/** What `listener.max_sessions` is when it is 0. */
export const sessionsFor = (maximumConnections: number): number => maximumConnections + SPARE_SESSIONS;

/** What max_packet_size is at least; as in the schema. */
const SHORTEST_PACKET_SIZE = 128;

export const DEFAULT_NAME = 'ringbridge';
export const DEFAULT_LOG_LEVEL = 'info';

export const DEFAULT_UPSTREAM: UpstreamConfiguration = Object.freeze({
  address: Object.freeze(['mqtt://127.0.0.1:1883']),
  bridge_protocol_version: 'mqttv311',
  remote_clientid: '',
  remote_username: null,
  remote_password: null,
  cleansession: false,
  keepalive_interval: 60,
  connack_timeout: 10,
  restart_timeout: Object.freeze([5, 30] as const),
  will: null,
  birth: null,
  notifications: false,
  notifications_local_only: false,
  notification_topic: '',
  bridge_attempt_unsubscribe: true,
  max_packet_size: 1024,
  profile: 'auto',
  max_qos: 2,
  max_topic_levels: 200,
  max_topic_length: 65_535,
  bridge_max_packet_size: 0,
  max_inflight_messages: 20,
  max_unreleased_messages: 64,
  acknowledgement_timeout: 60,
  bridge_tcp_nodelay: true,
  send_timeout: 20,
  oversize: 'drop',
});

export const DEFAULT_WILL: WillConfiguration = Object.freeze({ topic: '', payload: '', qos: 0, retain: false });

export const DEFAULT_LISTENER: ListenerConfiguration = Object.freeze({
  port: 1883,
  address: '0.0.0.0',
  max_connections: 6,
  max_sessions: 0,
  connect_timeout: 10,
  send_timeout: 20,
  max_keepalive: 65535,
  max_packet_size: 1024,
  max_inflight_messages: 20,
  max_unreleased_messages: 64,
  max_queued_messages: 100,
  max_queued_bytes: 1280,
  max_clientid_length: 92,
  max_will_size: 256,
  max_subscriptions: 32,
  max_subscription_bytes: 1024,
  max_retained_messages: 32,
  max_retained_bytes: 4096,
  oversize: 'drop',
  queue_full: 'drop_newest',
  persistent_client_expiration: 2_592_000,
  allow_anonymous: false,
  users: Object.freeze([]),
  acl: Object.freeze([]),
  max_publish_rate: 0,
  sys_interval: 10,
});

export const DEFAULT_ACCESS: AccessConfiguration = Object.freeze({ user: null, topic: '#', access: 'readwrite' });

export const DEFAULT_TOPIC_RULE: TopicRuleConfiguration = Object.freeze({
  pattern: '#', direction: 'out', qos: 1, local_prefix: '', remote_prefix: '', store: true, full: null, expiry: 0,
});

export const DEFAULT_SENSOR: SensorConfiguration = Object.freeze({
  name: '', type: '', topic: '', interval: 10, decimals: 2, retain: false,
});

export const DEFAULT_STORE: StoreConfiguration = Object.freeze({
  ram: 8192, path: './ringbridge.store', size: 1_048_576, durability: 'ram', on_failure: 'refuse',
    full: 'drop_oldest', replay_rate: 0,
  quarantine: Object.freeze([16, 8192] as const),
  messages_per_second: Object.freeze({ up: 1, down: 0.2, retained: 1 }),
});

export const DEFAULT_MEMORY: MemoryConfiguration = Object.freeze({ topics: 32, topic_length: 64 });

const ONLINE = 'online';

/** Will and birth: both are about the state of the connection. Only who has a Will is told that he is there again. */
function aboutConnection(
  { birth, will }: NonNullable<PartialConfiguration['upstream']>, upstream: UpstreamConfiguration,
): Pick<UpstreamConfiguration, 'birth' | 'notification_topic' | 'will'> {
  const notification_topic = upstream.notification_topic === ''
    ? `$SYS/broker/connection/${upstream.remote_clientid}/state` : upstream.notification_topic;
  if (upstream.notifications && !upstream.notifications_local_only) {
    const state = { topic: notification_topic, qos: 1, retain: true };
    return { notification_topic, will: { ...state, payload: '0' }, birth: { ...state, payload: '1' } };
  }
  const completeWill = will === undefined || will === null ? null : { ...DEFAULT_WILL, ...will };
  const completeBirth = birth === null || birth === undefined && completeWill === null ? null
    : { ...DEFAULT_WILL, ...completeWill, payload: ONLINE, ...birth };
  return { notification_topic, will: completeWill, birth: completeBirth };
}

/** The defaults above fit a board. A PC has memory to spare; these sizes replace them there. */
export const PC_SIZES = Object.freeze({
  upstream: Object.freeze({ max_packet_size: 65_536, max_unreleased_messages: 1000 }),
  listener: Object.freeze({
    max_connections: 100, max_packet_size: 65_536, max_queued_messages: 1000, max_queued_bytes: 131_072,
      max_unreleased_messages: 1000, max_will_size: 4096,
    max_subscriptions: 2000, max_subscription_bytes: 131_072, max_retained_messages: 2000,
      max_retained_bytes: 1_048_576,
  }),
  store: Object.freeze({ ram: 1_048_576, quarantine: Object.freeze([256, 262_144] as const) }),
  memory: Object.freeze({ topics: 1024, topic_length: 256 }),
});

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
function fitState(listener: StateLimits, size: number, written: Partial<StateLimits>): void {
  if (written.max_retained_bytes === undefined)
    listener.max_retained_bytes = Math.min(listener.max_retained_bytes, size >> 4);
  if (written.max_retained_messages === undefined)
    listener.max_retained_messages = Math.min(listener.max_retained_messages, size >> 10);
  if (written.max_subscription_bytes === undefined)
    listener.max_subscription_bytes = Math.min(listener.max_subscription_bytes, size >> 6);
  if (written.max_subscriptions === undefined)
    listener.max_subscriptions = Math.min(listener.max_subscriptions, size >> 10);
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
  return {
    name,
    log_level: partial.log_level ?? DEFAULT_LOG_LEVEL,
    upstream: {
      ...upstream,
      ...aboutConnection(partial.upstream ?? {}, upstream),
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
  };
}
