/**
 * What each key of the configuration is when the file does not say it: for a board, and what a PC has in place of that.
 * The defaults of config.schema.json are tested against these.
 */
import type {
  AccessConfiguration, ListenerConfiguration, MemoryConfiguration, PageConfiguration, SensorConfiguration,
  TopicRuleConfiguration, UpstreamConfiguration, WillConfiguration, ProbeConfiguration,
} from './configuration.ts';
import type { StoreConfiguration } from './store-configuration.ts';
import type { DeviceConfiguration, EntityConfiguration, HomeAssistantConfiguration } from './home-assistant.ts';

/** Sessions of nodes that are away, beside those of all that may be connected. */
const SPARE_SESSIONS = 2;

/** What `listener.max_sessions` is when it is 0. */
export const sessionsFor = (maximumConnections: number): number => maximumConnections + SPARE_SESSIONS;

export const DEFAULT_NAME = 'ringbridge';
export const DEFAULT_LOG_LEVEL = 'info';

export const DEFAULT_UPSTREAM: UpstreamConfiguration = Object.freeze({
  address: Object.freeze(['mqtt://127.0.0.1:1883']),
  bridge_protocol_version: 'mqttv311',
  remote_clientid: '',
  remote_username: null,
  remote_password: null,
  remote_password_file: null,
  cleansession: false,
  keepalive_interval: 60,
  connack_timeout: 10,
  restart_timeout: Object.freeze([5, 30] as const),
  will: null,
  birth: null,
  notifications: false,
  notifications_local_only: false,
  notification_topic: '',
  probe: null,
  bridge_attempt_unsubscribe: true,
  max_packet_size: 1024,
  profile: 'auto',
  max_qos: 2,
  max_topic_levels: 200,
  max_topic_length: 65_535,
  bridge_max_packet_size: 0,
  max_properties: 128,
  max_inflight_messages: 20,
  max_unreleased_messages: 64,
  acknowledgement_timeout: 60,
  bridge_tcp_nodelay: true,
  bridge_cafile: null,
  bridge_certfile: null,
  bridge_keyfile: null,
  bridge_alpn: null,
  bridge_tls_version: 'tlsv1.2',
  bridge_insecure: false,
  bridge_identity: null,
  bridge_psk: null,
  send_timeout: 20,
  oversize: 'drop',
});

export const DEFAULT_PROBE: ProbeConfiguration = Object.freeze({ topic: '', interval: 60 });
export const DEFAULT_WILL: WillConfiguration = Object.freeze({ topic: '', payload: '', qos: 0, retain: false });

export const DEFAULT_LISTENER: ListenerConfiguration = Object.freeze({
  port: 1883,
  address: '0.0.0.0',
  protocol: 'mqtt',
  websockets_origin: Object.freeze([] as string[]),
  certfile: null,
  keyfile: null,
  cafile: null,
  require_certificate: false,
  use_identity_as_username: false,
  psk_file: null,
  tls_version: 'tlsv1.2',
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
  max_topic_alias: 0,
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

export const DEFAULT_PAGE: PageConfiguration = Object.freeze({
  port: 8080, address: '127.0.0.1', password_hash: null, certfile: null, keyfile: null, allow_publish: false,
});

export const DEFAULT_HOME_ASSISTANT: HomeAssistantConfiguration = Object.freeze({
  enabled: false, discovery_topic: 'homeassistant', status_topic: 'homeassistant/status', allow_restart: false,
  max_payload: 4096, devices: Object.freeze([]),
});

export const DEFAULT_ENTITY: EntityConfiguration = Object.freeze({ value: '' });

export const DEFAULT_DEVICE: DeviceConfiguration = Object.freeze({
  name: '', topic: '', template: 'json', entities: Object.freeze([]),
});

/** The defaults above fit a board. A PC has memory to spare; these sizes replace them there. */
export const PC_SIZES = Object.freeze({
  upstream: Object.freeze({ max_packet_size: 65_536, max_properties: 4096, max_inflight_messages: 1000,
    max_unreleased_messages: 1000 }),
  listener: Object.freeze({
    max_connections: 100, max_packet_size: 65_536, max_queued_messages: 1000, max_queued_bytes: 131_072,
      max_unreleased_messages: 1000, max_will_size: 4096, max_topic_alias: 10,
    max_subscriptions: 2000, max_subscription_bytes: 131_072, max_retained_messages: 2000,
      max_retained_bytes: 1_048_576,
  }),
  store: Object.freeze({ ram: 1_048_576, quarantine: Object.freeze([256, 262_144] as const) }),
  memory: Object.freeze({ topics: 1024, topic_length: 256 }),
  homeassistant: Object.freeze({ max_payload: 16_384 }),
});
