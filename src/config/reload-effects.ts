/**
 * When a key of the configuration takes effect if it is changed while the gateway runs (SIGHUP on a PC). The keys of an
 * entry, of a rule for instance, are those of its list. The table in src/README.md is made of this one, and a test
 * changes every key of the schema and looks.
 */
import type {
  Configuration, ListenerConfiguration, MemoryConfiguration, PageConfiguration, UpstreamConfiguration,
} from './configuration.ts';
import type { StoreConfiguration } from './store-configuration.ts';
import type { HomeAssistantConfiguration } from './home-assistant.ts';

/** At once. */
export const AT_ONCE = 0;
/** When the gateway next connects to the broker, for whatever reason. */
export const NEXT_CONNECTION = 1;
/** At once, by leaving the broker and connecting anew. */
export const RECONNECTION = 2;
/** Not before the program is started anew: memory is laid out once, ports and files are opened once. */
export const RESTART = 3;

type Effects<Section> = Readonly<Record<keyof Section, number>>;

const UPSTREAM: Effects<UpstreamConfiguration> = Object.freeze({
  address: NEXT_CONNECTION,
  bridge_protocol_version: RECONNECTION,
  remote_clientid: RECONNECTION,
  remote_username: RECONNECTION,
  remote_password: RECONNECTION,
  remote_password_file: RECONNECTION,
  cleansession: RECONNECTION,
  keepalive_interval: RECONNECTION,
  connack_timeout: AT_ONCE,
  restart_timeout: AT_ONCE,
  will: RECONNECTION,
  birth: RECONNECTION,
  notifications: RECONNECTION,
  notifications_local_only: RECONNECTION,
  notification_topic: RECONNECTION,
  probe: RECONNECTION,
  bridge_attempt_unsubscribe: RESTART,
  profile: AT_ONCE,
  max_qos: AT_ONCE,
  max_topic_levels: AT_ONCE,
  max_topic_length: AT_ONCE,
  bridge_max_packet_size: AT_ONCE,
  max_properties: RESTART,
  max_packet_size: RESTART,
  max_inflight_messages: RESTART,
  max_unreleased_messages: RESTART,
  acknowledgement_timeout: AT_ONCE,
  bridge_tcp_nodelay: NEXT_CONNECTION,
  bridge_cafile: RECONNECTION,
  bridge_certfile: RECONNECTION,
  bridge_keyfile: RECONNECTION,
  bridge_alpn: RECONNECTION,
  bridge_tls_version: RECONNECTION,
  bridge_insecure: RECONNECTION,
  bridge_identity: RECONNECTION,
  bridge_psk: RECONNECTION,
  send_timeout: AT_ONCE,
  oversize: AT_ONCE,
  name: RESTART,
});

const LISTENER: Effects<ListenerConfiguration> = Object.freeze({
  port: RESTART,
  address: RESTART,
  protocol: RESTART,
  websockets_origin: AT_ONCE,
  certfile: RESTART,
  keyfile: RESTART,
  cafile: RESTART,
  require_certificate: RESTART,
  use_identity_as_username: RESTART,
  psk_file: RESTART,
  tls_version: RESTART,
  max_connections: RESTART,
  max_sessions: RESTART,
  connect_timeout: AT_ONCE,
  send_timeout: AT_ONCE,
  max_keepalive: AT_ONCE,
  max_packet_size: RESTART,
  max_inflight_messages: RESTART,
  max_unreleased_messages: RESTART,
  max_queued_messages: RESTART,
  max_queued_bytes: RESTART,
  max_clientid_length: RESTART,
  max_topic_alias: RESTART,
  max_will_size: RESTART,
  max_subscriptions: RESTART,
  max_subscription_bytes: RESTART,
  max_retained_messages: RESTART,
  max_retained_bytes: RESTART,
  oversize: AT_ONCE,
  persistent_client_expiration: RESTART,
  queue_full: AT_ONCE,
  allow_anonymous: AT_ONCE,
  users: AT_ONCE,
  acl: AT_ONCE,
  max_publish_rate: AT_ONCE,
  sys_interval: AT_ONCE,
});

const STORE: Effects<StoreConfiguration> = Object.freeze({
  ram: RESTART,
  path: RESTART,
  size: RESTART,
  durability: RESTART,
  on_failure: AT_ONCE,
  full: AT_ONCE,
  replay_rate: AT_ONCE,
  quarantine: RESTART,
  messages_per_second: AT_ONCE,
});

const MEMORY: Effects<MemoryConfiguration> = Object.freeze({ topics: RESTART, topic_length: RESTART });

const PAGE: Effects<PageConfiguration> = Object.freeze({ port: RESTART, address: RESTART, password_hash: RESTART,
  certfile: RESTART, keyfile: RESTART, allow_publish: RESTART });

const HOME_ASSISTANT: Effects<HomeAssistantConfiguration> = Object.freeze({
  enabled: AT_ONCE, discovery_topic: AT_ONCE, status_topic: AT_ONCE, allow_restart: AT_ONCE, max_payload: AT_ONCE,
  devices: AT_ONCE,
});

/** What is no section stands for all that is in it. */
type Table = { readonly [Key in keyof Configuration]: number | Readonly<Record<string, number>> };

const RELOAD_EFFECTS: Table = Object.freeze({
  name: AT_ONCE, log_level: AT_ONCE,
  upstream: UPSTREAM, listener: LISTENER, topic: AT_ONCE, sensors: AT_ONCE, store: STORE, memory: MEMORY,
  page: PAGE, homeassistant: HOME_ASSISTANT,
});

export interface KeyEffect {
  /** `upstream.address`. */
  readonly path: string;
  readonly effect: number;
}

/** All keys with what the table says. */
export const keyEffects = (): readonly KeyEffect[] => Object.entries(RELOAD_EFFECTS).flatMap(([section, effects]) =>
  typeof effects === 'number' ? [{ path: section, effect: effects }]
    : Object.entries(effects).map(([key, effect]) => ({ path: `${section}.${key}`, effect })));

/** The value of a key; `path` is that of a KeyEffect. */
export function valueAt(configuration: Configuration, path: string): unknown {
  const [section, key] = path.split('.') as [keyof Configuration, string?];
  const value = configuration[section];
  return key === undefined || value === null ? value : (value as unknown as Record<string, unknown>)[key];
}

/** `configuration` with the values that `other` has under `paths`. */
export function withValuesOf(other: Configuration, configuration: Configuration, paths: readonly string[]):
  Configuration {
  const made: Record<string, unknown> = { ...configuration };
  for (const path of paths) {
    const [section, key] = path.split('.') as [string, string?];
    made[section] = key === undefined || other[section as keyof Configuration] === null
      ? other[section as keyof Configuration]
      : { ...made[section] as object, [key]: valueAt(other, path) };
  }
  return made as unknown as Configuration;
}

/** The keys whose values differ. */
export const changesBetween = (old: Configuration, wanted: Configuration): readonly KeyEffect[] =>
  keyEffects().filter(({ path }) => JSON.stringify(valueAt(old, path)) !== JSON.stringify(valueAt(wanted, path)));
