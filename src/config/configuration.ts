/**
 * The configuration: the same JSON on the host and on the device. Names are those that users know: Mosquitto's bridge
 * directives for upstream and topic rules, its broker directives for the listener. Durations are seconds, sizes
 * bytes.
 *
 * This is the shape of it; what a key is when the file does not say it stands in defaults.ts, and is filled in by
 * complete-configuration.ts. config.schema.json describes the same keys for whoever writes a file.
 */

import type { ProfileName } from './broker-profiles.ts';
import type { FilterConfiguration } from './filter-configuration.ts';
import type { Appearance, HomeAssistantConfiguration, PartialHomeAssistant } from './home-assistant.ts';
import type { Quantity } from './sensor-types.ts';
import type { FullPolicy, MessageRates, StoreConfiguration } from './store-configuration.ts';
import type { TopicTest } from './topic-test.ts';

export type Direction = 'in' | 'out' | 'both';
type QueueFullPolicy = 'drop_newest' | 'drop_oldest';
export type OversizePolicy = 'close' | 'drop';
type TLSVersion = 'tlsv1.2' | 'tlsv1.3';
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** A message to a topic of our own that must come back. */
export interface ProbeConfiguration {
  topic: string;
  /** Seconds from one to the next. */
  interval: number;
}

export interface WillConfiguration {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

export interface UpstreamConfiguration {
  /** `mqtt://host:port`, `mqtts://` with TLS, `ws://host:port/path` and `wss://`; tried in turn. */
  address: readonly string[];
  bridge_protocol_version: 'mqttv31' | 'mqttv311' | 'mqttv50';
  /** Default: `name`. */
  remote_clientid: string;
  remote_username: string | null;
  remote_password: string | null;
  /** Read before each CONNECT, on a computer only. */
  remote_password_file: string | null;
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
  /** Whether messages flow is tried so; null: it is not. */
  probe: ProbeConfiguration | null;
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
  /** Bytes of properties that go with a message from one side to the other. */
  max_properties: number;
  max_inflight_messages: number;
  /** Incoming QoS 2 messages that may be unreleased. */
  max_unreleased_messages: number;
  acknowledgement_timeout: number;
  /** Whether small packets leave at once: TCP_NODELAY. */
  bridge_tcp_nodelay: boolean;
  /** TLS, on a computer only. Files in PEM: trusted CAs, null: those of the system; certificate and key of our own. */
  bridge_cafile: string | null;
  bridge_certfile: string | null;
  bridge_keyfile: string | null;
  /** Application protocol to ask for. */
  bridge_alpn: string | null;
  /** The oldest version that is spoken. */
  bridge_tls_version: TLSVersion;
  /** Whether the name in the Server's certificate does not matter. */
  bridge_insecure: boolean;
  /** Name and pre-shared key, in hexadecimal digits, in place of certificates. */
  bridge_identity: string | null;
  bridge_psk: string | null;
  send_timeout: number;
  oversize: OversizePolicy;
  /** Of one of several, on a computer only. */
  name?: string;
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
  /** Whether nodes speak MQTT, or MQTT within WebSocket, as browsers do; on a computer only. */
  protocol: 'mqtt' | 'websockets';
  /** Of pages that may connect, besides those of this computer: `https://example.com`, or `*`. */
  websockets_origin: readonly string[];
  /** TLS, on a computer only. Files in PEM: certificate and key; CAs that issue certificates of nodes. */
  certfile: string | null;
  keyfile: string | null;
  cafile: string | null;
  require_certificate: boolean;
  /** Whether a node is the user whose name its certificate, or its pre-shared key, has, and needs no password. */
  use_identity_as_username: boolean;
  /** Pre-shared keys in place of certificates: lines of `identity:key`. */
  psk_file: string | null;
  tls_version: TLSVersion;
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
  /** Topic Aliases that a node may use; 0: none. */
  max_topic_alias: number;
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
  /** Name of the upstream that the rule is about, "*": of each. Undefined: the first one. */
  upstream?: string;
}

export interface SensorConfiguration extends Appearance {
  name: string;
  type: string;
  topic: string;
  interval: number;
  decimals: number;
  retain: boolean;
  /** json: `{"value":21.50,"time":1800000000}`, with the time of the reading; `number` when not given. */
  format?: 'number' | 'json';
  /** Which of the values of a sensor that measures several; the first of its type when not given. */
  quantity?: Quantity;
  /** The reading is multiplied by `scale`, then `offset` is added: 1 and 0 when not given. */
  scale?: number;
  offset?: number;
  /** What follows, in this order; the value is that with `scale` and `offset`. */
  filters?: readonly FilterConfiguration[];
  /** Nothing is published before the value has changed by this much; 0 when not given. */
  deadband?: number;
  /** Seconds after which a reading is repeated although `deadband` keeps it back; 0, as when not given: never. */
  heartbeat?: number;
  /**
   * Seconds without a reading after which it is "offline" under `<topic>/availability`; 0, as when not given: nothing
   * is told there.
   */
  expire_after?: number;
  /** Wiring, on a board only: GPIO numbers, address on the bus or of the device, form of a serial line. */
  pin?: number;
  transmit?: number;
  data?: number;
  clock?: number;
  address?: number;
  baud?: number;
  parity?: 'none' | 'even' | 'odd';
  stop_bits?: number;
  /** Of a ds18b20: 16 hexadecimal digits; not given: it is alone on its pin. */
  rom?: string;
  /** modbus: number of the first register, from 0; what it is, and what is in it. */
  register?: number;
  register_type?: 'holding' | 'input';
  value_type?: string;
  /** ads1115: input, and volts of the whole scale. */
  multiplexer?: string;
  gain?: number;
  /** ina226: ohm. */
  shunt_resistance?: number;
}

/** Sizes that a user changes only when memory is short. */
export interface MemoryConfiguration {
  /** Topic names that are remembered with all that was worked out for them; a power of two. */
  topics: number;
  /** Longest name that is remembered. */
  topic_length: number;
}

/** The page and its programming interface, on a computer. */
export interface PageConfiguration {
  /** 0: any free one. */
  port: number;
  address: string;
  /** Null: nobody is asked for a password, which is only possible on the loopback. */
  password_hash: string | null;
  /** PEM; null: those of the listener, where others reach the page. */
  certfile: string | null;
  keyfile: string | null;
  /** Whether messages may be published by it. */
  allow_publish: boolean;
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
  page: PageConfiguration | null;
  /** Null: Home Assistant is told nothing, nor is anything taken back. */
  homeassistant: HomeAssistantConfiguration | null;
}

/** What a file may leave out. */
export interface PartialConfiguration {
  name?: string;
  log_level?: LogLevel;
  upstream?: Partial<Omit<UpstreamConfiguration, 'birth' | 'will'>> & {
    birth?: Partial<WillConfiguration> | null;
    will?: Partial<WillConfiguration> | null;
    probe?: Partial<ProbeConfiguration> | null;
  };
  listener?: Partial<Omit<ListenerConfiguration, 'acl'>> & { acl?: readonly Partial<AccessConfiguration>[] };
  topic?: readonly Partial<TopicRuleConfiguration>[];
  sensors?: readonly (Partial<SensorConfiguration> & { name: string; type: string })[];
  store?: Partial<Omit<StoreConfiguration, 'messages_per_second'>> & { messages_per_second?: Partial<MessageRates> };
  memory?: Partial<MemoryConfiguration>;
  page?: Partial<PageConfiguration> | null;
  homeassistant?: PartialHomeAssistant | null;
  /** Not part of the configuration that a gateway runs with. */
  tests?: readonly TopicTest[];
}
