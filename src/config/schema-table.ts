/**
 * What config.schema.json says, for the validator of a board: made from it by src/build/schema-table.mjs, which the
 * build runs. Row 0 is the whole file.
 */
/* eslint max-lines: "off" -- a generated table is as long as the schema */

export const STRING = 1;
export const INTEGER = 2;
export const NUMBER = 4;
export const BOOLEAN = 8;
export const ARRAY = 16;
export const OBJECT = 32;
export const NULL = 64;

export interface SchemaRow {
  /** Which may stand here; 0: any. */
  readonly types: number;
  /** Of an object. Their rows follow each other. */
  readonly keys?: readonly string[];
  /** Row of the first of them. */
  readonly first?: number;
  readonly required?: readonly string[];
  /** Row of the entries of a list. */
  readonly items?: number;
  /** As JSON. */
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** As JSON: what a message proposes. */
  readonly example?: string;
}

export const SCHEMA_TABLE: readonly SchemaRow[] = Object.freeze([
  Object.freeze({ types: 32, keys: Object.freeze(['$schema', 'name', 'log_level', 'upstream', 'listener', 'topic',
    'sensors', 'store', 'memory', 'page', 'homeassistant', 'tests']), first: 1 }),
  // $schema
  Object.freeze({ types: 1 }),
  // name
  Object.freeze({ types: 1, minLength: 1, maxLength: 64, example: '"ringbridge"' }),
  // log_level
  Object.freeze({ types: 0, choices: Object.freeze(['"debug"', '"info"', '"warning"', '"error"']),
    example: '"info"' }),
  // upstream
  Object.freeze({ types: 32, keys: Object.freeze(['address', 'bridge_protocol_version', 'remote_clientid',
    'remote_username', 'remote_password', 'remote_password_file', 'cleansession', 'keepalive_interval',
    'connack_timeout', 'restart_timeout', 'will', 'birth', 'notifications', 'notifications_local_only',
    'notification_topic', 'probe', 'bridge_attempt_unsubscribe', 'max_packet_size', 'profile', 'max_qos',
    'max_topic_levels', 'max_topic_length', 'bridge_max_packet_size', 'max_properties', 'max_inflight_messages',
    'max_unreleased_messages', 'acknowledgement_timeout', 'bridge_tcp_nodelay', 'bridge_cafile', 'bridge_certfile',
    'bridge_keyfile', 'bridge_alpn', 'bridge_tls_version', 'bridge_insecure', 'bridge_identity', 'bridge_psk',
    'send_timeout', 'oversize', 'name']), first: 13 }),
  // listener
  Object.freeze({ types: 32, keys: Object.freeze(['port', 'address', 'protocol', 'websockets_origin', 'certfile',
    'keyfile', 'cafile', 'require_certificate', 'use_identity_as_username', 'psk_file', 'tls_version',
    'max_connections', 'max_sessions', 'connect_timeout', 'send_timeout', 'max_keepalive', 'max_packet_size',
    'max_inflight_messages', 'max_unreleased_messages', 'max_queued_messages', 'max_queued_bytes',
    'max_clientid_length', 'max_topic_alias', 'max_will_size', 'max_subscriptions', 'max_subscription_bytes',
    'max_retained_messages', 'max_retained_bytes', 'oversize', 'queue_full', 'persistent_client_expiration',
    'allow_anonymous', 'users', 'acl', 'max_publish_rate', 'sys_interval']), first: 52 }),
  // topic
  Object.freeze({ types: 16, items: 88, maxItems: 256, example: '[]' }),
  // sensors
  Object.freeze({ types: 16, items: 89, maxItems: 256, example: '[]' }),
  // store
  Object.freeze({ types: 32, keys: Object.freeze(['ram', 'path', 'size', 'durability', 'on_failure', 'full',
    'replay_rate', 'quarantine', 'messages_per_second']), first: 90 }),
  // memory
  Object.freeze({ types: 32, keys: Object.freeze(['topics', 'topic_length']), first: 99 }),
  // page
  Object.freeze({ types: 96, keys: Object.freeze(['port', 'address', 'password_hash', 'certfile', 'keyfile',
    'allow_publish']), first: 101 }),
  // homeassistant
  Object.freeze({ types: 96, keys: Object.freeze(['enabled', 'discovery_topic', 'status_topic', 'allow_restart',
    'max_payload', 'devices']), first: 107, example: '{"enabled":true}' }),
  // tests
  Object.freeze({ types: 16, items: 113, maxItems: 1024,
    example: '[{"publish":"a/b","user":"node1","expect":{"remote":"site/a/b","qos":1}}]' }),
  // upstream.address
  Object.freeze({ types: 16, items: 114, minItems: 1, maxItems: 16, example: '["mqtt://192.168.1.10:1883"]' }),
  // upstream.bridge_protocol_version
  Object.freeze({ types: 0, choices: Object.freeze(['"mqttv31"', '"mqttv311"', '"mqttv50"']),
    example: '"mqttv311"' }),
  // upstream.remote_clientid
  Object.freeze({ types: 1, maxLength: 65535 }),
  // upstream.remote_username
  Object.freeze({ types: 65, maxLength: 65535 }),
  // upstream.remote_password
  Object.freeze({ types: 65, maxLength: 65535 }),
  // upstream.remote_password_file
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // upstream.cleansession
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.keepalive_interval
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '60' }),
  // upstream.connack_timeout
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400, example: '10' }),
  // upstream.restart_timeout
  Object.freeze({ types: 16, items: 115, minItems: 2, maxItems: 2, example: '[5,30]' }),
  // upstream.will
  Object.freeze({ types: 96, keys: Object.freeze(['topic', 'payload', 'qos', 'retain']), first: 116,
    required: Object.freeze(['topic']) }),
  // upstream.birth
  Object.freeze({ types: 96, keys: Object.freeze(['topic', 'payload', 'qos', 'retain']), first: 120 }),
  // upstream.notifications
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.notifications_local_only
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.notification_topic
  Object.freeze({ types: 1, maxLength: 65535 }),
  // upstream.probe
  Object.freeze({ types: 96, keys: Object.freeze(['topic', 'interval']), first: 124,
    required: Object.freeze(['topic']) }),
  // upstream.bridge_attempt_unsubscribe
  Object.freeze({ types: 8, example: 'true' }),
  // upstream.max_packet_size
  Object.freeze({ types: 2, minimum: 128, maximum: 1048576, example: '1024' }),
  // upstream.profile
  Object.freeze({ types: 0, choices: Object.freeze(['"auto"', '"none"', '"aws-iot"', '"azure-iot-hub"', '"rabbitmq"',
    '"nats"']), example: '"auto"' }),
  // upstream.max_qos
  Object.freeze({ types: 2, minimum: 1, maximum: 2, example: '2' }),
  // upstream.max_topic_levels
  Object.freeze({ types: 2, minimum: 1, maximum: 65535, example: '200' }),
  // upstream.max_topic_length
  Object.freeze({ types: 2, minimum: 1, maximum: 65535, example: '65535' }),
  // upstream.bridge_max_packet_size
  Object.freeze({ types: 2, minimum: 0, maximum: 268435455, example: '0' }),
  // upstream.max_properties
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '128' }),
  // upstream.max_inflight_messages
  Object.freeze({ types: 2, minimum: 1, maximum: 32768, example: '20' }),
  // upstream.max_unreleased_messages
  Object.freeze({ types: 2, minimum: 1, maximum: 65535, example: '64' }),
  // upstream.acknowledgement_timeout
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400, example: '60' }),
  // upstream.bridge_tcp_nodelay
  Object.freeze({ types: 8, example: 'true' }),
  // upstream.bridge_cafile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // upstream.bridge_certfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // upstream.bridge_keyfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // upstream.bridge_alpn
  Object.freeze({ types: 65, minLength: 1, maxLength: 255 }),
  // upstream.bridge_tls_version
  Object.freeze({ types: 0, choices: Object.freeze(['"tlsv1.2"', '"tlsv1.3"']), example: '"tlsv1.2"' }),
  // upstream.bridge_insecure
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.bridge_identity
  Object.freeze({ types: 65, minLength: 1, maxLength: 128 }),
  // upstream.bridge_psk
  Object.freeze({ types: 65, minLength: 2, maxLength: 512 }),
  // upstream.send_timeout
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400, example: '20' }),
  // upstream.oversize
  Object.freeze({ types: 0, choices: Object.freeze(['"close"', '"drop"']), example: '"drop"' }),
  // upstream.name
  Object.freeze({ types: 1, minLength: 1, maxLength: 32, example: '"cloud"' }),
  // listener.port
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '1883' }),
  // listener.address
  Object.freeze({ types: 1, example: '"127.0.0.1"' }),
  // listener.protocol
  Object.freeze({ types: 0, choices: Object.freeze(['"mqtt"', '"websockets"']), example: '"mqtt"' }),
  // listener.websockets_origin
  Object.freeze({ types: 16, items: 126, maxItems: 64, example: '["https://example.com"]' }),
  // listener.certfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // listener.keyfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // listener.cafile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // listener.require_certificate
  Object.freeze({ types: 8, example: 'false' }),
  // listener.use_identity_as_username
  Object.freeze({ types: 8, example: 'false' }),
  // listener.psk_file
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // listener.tls_version
  Object.freeze({ types: 0, choices: Object.freeze(['"tlsv1.2"', '"tlsv1.3"']), example: '"tlsv1.2"' }),
  // listener.max_connections
  Object.freeze({ types: 2, minimum: 1, maximum: 1024, example: '6' }),
  // listener.max_sessions
  Object.freeze({ types: 2, minimum: 0, maximum: 4096, example: '0' }),
  // listener.connect_timeout
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400, example: '10' }),
  // listener.send_timeout
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400, example: '20' }),
  // listener.max_keepalive
  Object.freeze({ types: 2, minimum: 1, maximum: 65535, example: '65535' }),
  // listener.max_packet_size
  Object.freeze({ types: 2, minimum: 128, maximum: 1048576, example: '1024' }),
  // listener.max_inflight_messages
  Object.freeze({ types: 2, minimum: 1, maximum: 32768, example: '20' }),
  // listener.max_unreleased_messages
  Object.freeze({ types: 2, minimum: 1, maximum: 65535, example: '64' }),
  // listener.max_queued_messages
  Object.freeze({ types: 2, minimum: 1, maximum: 32768, example: '100' }),
  // listener.max_queued_bytes
  Object.freeze({ types: 2, minimum: 64, maximum: 16777216, example: '1280' }),
  // listener.max_clientid_length
  Object.freeze({ types: 2, minimum: 23, maximum: 1024, example: '92' }),
  // listener.max_topic_alias
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '0' }),
  // listener.max_will_size
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '256' }),
  // listener.max_subscriptions
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '32' }),
  // listener.max_subscription_bytes
  Object.freeze({ types: 2, minimum: 0, maximum: 16777216, example: '1024' }),
  // listener.max_retained_messages
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '32' }),
  // listener.max_retained_bytes
  Object.freeze({ types: 2, minimum: 0, maximum: 67108864, example: '4096' }),
  // listener.oversize
  Object.freeze({ types: 0, choices: Object.freeze(['"close"', '"drop"']), example: '"drop"' }),
  // listener.queue_full
  Object.freeze({ types: 0, choices: Object.freeze(['"drop_newest"', '"drop_oldest"']), example: '"drop_newest"' }),
  // listener.persistent_client_expiration
  Object.freeze({ types: 2, minimum: 0, maximum: 2147483647, example: '2592000' }),
  // listener.allow_anonymous
  Object.freeze({ types: 8, example: 'false' }),
  // listener.users
  Object.freeze({ types: 16, items: 127, maxItems: 1024, example: '[]' }),
  // listener.acl
  Object.freeze({ types: 16, items: 128, maxItems: 256,
    example: '[{"user":null,"topic":"site/%u/#","access":"readwrite"}]' }),
  // listener.max_publish_rate
  Object.freeze({ types: 2, minimum: 0, maximum: 100000, example: '0' }),
  // listener.sys_interval
  Object.freeze({ types: 4, minimum: 0, maximum: 86400, example: '10' }),
  // topic[]
  Object.freeze({ types: 32, keys: Object.freeze(['pattern', 'direction', 'qos', 'local_prefix', 'remote_prefix',
    'store', 'full', 'expiry', 'upstream']), first: 129 }),
  // sensors[]
  Object.freeze({ types: 32, keys: Object.freeze(['name', 'type', 'topic', 'interval', 'decimals', 'retain',
    'format', 'quantity', 'scale', 'offset', 'filters', 'deadband', 'heartbeat', 'expire_after', 'device_class',
    'unit_of_measurement', 'state_class', 'icon', 'pin', 'transmit', 'data', 'clock', 'address', 'baud', 'parity',
    'stop_bits', 'rom', 'register', 'register_type', 'value_type', 'multiplexer', 'gain', 'shunt_resistance']),
    first: 138, required: Object.freeze(['name', 'type']) }),
  // store.ram
  Object.freeze({ types: 2, minimum: 256, maximum: 67108864, example: '8192' }),
  // store.path
  Object.freeze({ types: 1, minLength: 1, maxLength: 4096, example: '"./ringbridge.store"' }),
  // store.size
  Object.freeze({ types: 2, minimum: 0, maximum: 4294967295, example: '1048576' }),
  // store.durability
  Object.freeze({ types: 0, choices: Object.freeze(['"ram"', '"flash"']), example: '"ram"' }),
  // store.on_failure
  Object.freeze({ types: 0, choices: Object.freeze(['"refuse"', '"memory"']), example: '"refuse"' }),
  // store.full
  Object.freeze({ types: 0, choices: Object.freeze(['"drop_oldest"', '"drop_newest"', '"latest_per_topic"']),
    example: '"drop_oldest"' }),
  // store.replay_rate
  Object.freeze({ types: 2, minimum: 0, maximum: 100000, example: '0' }),
  // store.quarantine
  Object.freeze({ types: 16, items: 171, minItems: 2, maxItems: 2, example: '[16,8192]' }),
  // store.messages_per_second
  Object.freeze({ types: 32, keys: Object.freeze(['up', 'down', 'retained']), first: 172,
    example: '{"up":1,"down":0.2,"retained":1}' }),
  // memory.topics
  Object.freeze({ types: 2, minimum: 1, maximum: 65536, example: '32' }),
  // memory.topic_length
  Object.freeze({ types: 2, minimum: 8, maximum: 4096, example: '64' }),
  // page.port
  Object.freeze({ types: 2, minimum: 0, maximum: 65535, example: '8080' }),
  // page.address
  Object.freeze({ types: 1, example: '"0.0.0.0"' }),
  // page.password_hash
  Object.freeze({ types: 65, maxLength: 1024 }),
  // page.certfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // page.keyfile
  Object.freeze({ types: 65, minLength: 1, maxLength: 4096 }),
  // page.allow_publish
  Object.freeze({ types: 8, example: 'false' }),
  // homeassistant.enabled
  Object.freeze({ types: 8, example: 'false' }),
  // homeassistant.discovery_topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"homeassistant"' }),
  // homeassistant.status_topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"homeassistant/status"' }),
  // homeassistant.allow_restart
  Object.freeze({ types: 8, example: 'false' }),
  // homeassistant.max_payload
  Object.freeze({ types: 2, minimum: 512, maximum: 65536, example: '4096' }),
  // homeassistant.devices
  Object.freeze({ types: 16, items: 175, maxItems: 256,
    example: '[{"name":"Plug","topic":"tasmota_A1B2C3","template":"tasmota","entities":[{"value":"POWER"}]}]' }),
  // tests[]
  Object.freeze({ types: 32, keys: Object.freeze(['publish', 'receive', 'user', 'clientid', 'qos', 'expect']),
    first: 176, required: Object.freeze(['expect']) }),
  // upstream.address[]
  Object.freeze({ types: 1, maxLength: 300, example: '"mqtt://192.168.1.10:1883"' }),
  // upstream.restart_timeout[]
  Object.freeze({ types: 4, minimum: 0.01, maximum: 86400 }),
  // upstream.will.topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535, example: '"site/greenhouse/status"' }),
  // upstream.will.payload
  Object.freeze({ types: 1, maxLength: 65535 }),
  // upstream.will.qos
  Object.freeze({ types: 2, minimum: 0, maximum: 2, example: '0' }),
  // upstream.will.retain
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.birth.topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535, example: '"site/greenhouse/status"' }),
  // upstream.birth.payload
  Object.freeze({ types: 1, maxLength: 65535, example: '"online"' }),
  // upstream.birth.qos
  Object.freeze({ types: 2, minimum: 0, maximum: 2, example: '0' }),
  // upstream.birth.retain
  Object.freeze({ types: 8, example: 'false' }),
  // upstream.probe.topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"site/greenhouse/probe"' }),
  // upstream.probe.interval
  Object.freeze({ types: 2, minimum: 1, maximum: 86400, example: '60' }),
  // listener.websockets_origin[]
  Object.freeze({ types: 1, minLength: 1, maxLength: 300, example: '"https://example.com"' }),
  // listener.users[]
  Object.freeze({ types: 32, keys: Object.freeze(['username', 'password', 'password_hash', 'mount_point']),
    first: 182, required: Object.freeze(['username']) }),
  // listener.acl[]
  Object.freeze({ types: 32, keys: Object.freeze(['user', 'topic', 'access']), first: 186 }),
  // topic[].pattern
  Object.freeze({ types: 1, maxLength: 65535, example: '"#"' }),
  // topic[].direction
  Object.freeze({ types: 0, choices: Object.freeze(['"in"', '"out"', '"both"']), example: '"out"' }),
  // topic[].qos
  Object.freeze({ types: 2, minimum: 0, maximum: 2, example: '1' }),
  // topic[].local_prefix
  Object.freeze({ types: 1, maxLength: 65535, example: '"greenhouse/"' }),
  // topic[].remote_prefix
  Object.freeze({ types: 1, maxLength: 65535, example: '"site/greenhouse/"' }),
  // topic[].store
  Object.freeze({ types: 8, example: 'true' }),
  // topic[].full
  Object.freeze({ types: 0, choices: Object.freeze(['"drop_oldest"', '"drop_newest"', '"latest_per_topic"',
    'null']) }),
  // topic[].expiry
  Object.freeze({ types: 4, minimum: 0, maximum: 2147483647, example: '0' }),
  // topic[].upstream
  Object.freeze({ types: 1, minLength: 1, maxLength: 32, example: '"cloud"' }),
  // sensors[].name
  Object.freeze({ types: 1, minLength: 1, maxLength: 64, example: '"air"' }),
  // sensors[].type
  Object.freeze({ types: 1, example: '"simulated"' }),
  // sensors[].topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535, example: '"air/temperature"' }),
  // sensors[].interval
  Object.freeze({ types: 4, minimum: 0.01, maximum: 65535, example: '10' }),
  // sensors[].decimals
  Object.freeze({ types: 2, minimum: 0, maximum: 6, example: '2' }),
  // sensors[].retain
  Object.freeze({ types: 8, example: 'false' }),
  // sensors[].format
  Object.freeze({ types: 0, choices: Object.freeze(['"number"', '"json"']) }),
  // sensors[].quantity
  Object.freeze({ types: 0, choices: Object.freeze(['"temperature"', '"humidity"', '"pressure"', '"co2"',
    '"illuminance"', '"voltage"', '"current"', '"power"', '"pulses"', '"total"', '"rate"']) }),
  // sensors[].scale
  Object.freeze({ types: 4, minimum: -1000000000, maximum: 1000000000 }),
  // sensors[].offset
  Object.freeze({ types: 4, minimum: -1000000000, maximum: 1000000000 }),
  // sensors[].filters
  Object.freeze({ types: 16, items: 189, maxItems: 8 }),
  // sensors[].deadband
  Object.freeze({ types: 4, minimum: 0, maximum: 1000000000 }),
  // sensors[].heartbeat
  Object.freeze({ types: 4, minimum: 0, maximum: 1000000 }),
  // sensors[].expire_after
  Object.freeze({ types: 4, minimum: 0, maximum: 1000000 }),
  // sensors[].device_class
  Object.freeze({ types: 1, minLength: 1, maxLength: 64 }),
  // sensors[].unit_of_measurement
  Object.freeze({ types: 1, minLength: 1, maxLength: 32 }),
  // sensors[].state_class
  Object.freeze({ types: 1, minLength: 1, maxLength: 32 }),
  // sensors[].icon
  Object.freeze({ types: 1, minLength: 1, maxLength: 64 }),
  // sensors[].pin
  Object.freeze({ types: 2, minimum: 0, maximum: 48 }),
  // sensors[].transmit
  Object.freeze({ types: 2, minimum: 0, maximum: 48 }),
  // sensors[].data
  Object.freeze({ types: 2, minimum: 0, maximum: 48 }),
  // sensors[].clock
  Object.freeze({ types: 2, minimum: 0, maximum: 48 }),
  // sensors[].address
  Object.freeze({ types: 2, minimum: 1, maximum: 247 }),
  // sensors[].baud
  Object.freeze({ types: 2, minimum: 300, maximum: 921600 }),
  // sensors[].parity
  Object.freeze({ types: 0, choices: Object.freeze(['"none"', '"even"', '"odd"']) }),
  // sensors[].stop_bits
  Object.freeze({ types: 2, minimum: 1, maximum: 2 }),
  // sensors[].rom
  Object.freeze({ types: 1, minLength: 1, maxLength: 64, example: '"9c0000031edd2a28"' }),
  // sensors[].register
  Object.freeze({ types: 2, minimum: 0, maximum: 65535 }),
  // sensors[].register_type
  Object.freeze({ types: 0, choices: Object.freeze(['"holding"', '"input"']) }),
  // sensors[].value_type
  Object.freeze({ types: 0, choices: Object.freeze(['"U_WORD"', '"S_WORD"', '"U_DWORD"', '"S_DWORD"', '"U_DWORD_R"',
    '"S_DWORD_R"', '"FP32"', '"FP32_R"']) }),
  // sensors[].multiplexer
  Object.freeze({ types: 0, choices: Object.freeze(['"A0_GND"', '"A1_GND"', '"A2_GND"', '"A3_GND"', '"A0_A1"',
    '"A0_A3"', '"A1_A3"', '"A2_A3"']) }),
  // sensors[].gain
  Object.freeze({ types: 0, choices: Object.freeze(['6.144', '4.096', '2.048', '1.024', '0.512', '0.256']) }),
  // sensors[].shunt_resistance
  Object.freeze({ types: 4, minimum: 0.000001, maximum: 1000 }),
  // store.quarantine[]
  Object.freeze({ types: 2, minimum: 0, maximum: 16777216 }),
  // store.messages_per_second.up
  Object.freeze({ types: 4, minimum: 0, maximum: 100000, example: '1' }),
  // store.messages_per_second.down
  Object.freeze({ types: 4, minimum: 0, maximum: 100000, example: '0.2' }),
  // store.messages_per_second.retained
  Object.freeze({ types: 4, minimum: 0, maximum: 100000, example: '1' }),
  // homeassistant.devices[]
  Object.freeze({ types: 32, keys: Object.freeze(['name', 'topic', 'template', 'availability_topic',
    'payload_available', 'payload_not_available', 'entities']), first: 190, required: Object.freeze(['name']) }),
  // tests[].publish
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535, example: '"a/b"' }),
  // tests[].receive
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535, example: '"site/command/x"' }),
  // tests[].user
  Object.freeze({ types: 65 }),
  // tests[].clientid
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"client"' }),
  // tests[].qos
  Object.freeze({ types: 2, minimum: 0, maximum: 2, example: '1' }),
  // tests[].expect
  Object.freeze({ types: 32, keys: Object.freeze(['allowed', 'local', 'remote', 'qos', 'stored', 'readers']),
    first: 197 }),
  // listener.users[].username
  Object.freeze({ types: 1, minLength: 1, maxLength: 65535 }),
  // listener.users[].password
  Object.freeze({ types: 1, maxLength: 65535 }),
  // listener.users[].password_hash
  Object.freeze({ types: 1, maxLength: 1024 }),
  // listener.users[].mount_point
  Object.freeze({ types: 1, maxLength: 1024, example: '"site/%u/"' }),
  // listener.acl[].user
  Object.freeze({ types: 65 }),
  // listener.acl[].topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"#"' }),
  // listener.acl[].access
  Object.freeze({ types: 0, choices: Object.freeze(['"read"', '"write"', '"readwrite"', '"deny"']),
    example: '"readwrite"' }),
  // sensors[].filters[]
  Object.freeze({ types: 32, keys: Object.freeze(['offset', 'multiply', 'calibrate_linear', 'median', 'min', 'max',
    'sliding_window_moving_average', 'throttle', 'delta']), first: 203 }),
  // homeassistant.devices[].name
  Object.freeze({ types: 1, minLength: 1, maxLength: 64, example: '"Plug"' }),
  // homeassistant.devices[].topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024, example: '"tasmota_A1B2C3"' }),
  // homeassistant.devices[].template
  Object.freeze({ types: 0, choices: Object.freeze(['"json"', '"tasmota"', '"shelly"', '"shelly2"']),
    example: '"json"' }),
  // homeassistant.devices[].availability_topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024 }),
  // homeassistant.devices[].payload_available
  Object.freeze({ types: 1, maxLength: 64 }),
  // homeassistant.devices[].payload_not_available
  Object.freeze({ types: 1, maxLength: 64 }),
  // homeassistant.devices[].entities
  Object.freeze({ types: 16, items: 212, maxItems: 64,
    example: '[{"value":"temperature","device_class":"temperature","unit_of_measurement":"°C"}]' }),
  // tests[].expect.allowed
  Object.freeze({ types: 8, example: 'true' }),
  // tests[].expect.local
  Object.freeze({ types: 65 }),
  // tests[].expect.remote
  Object.freeze({ types: 65 }),
  // tests[].expect.qos
  Object.freeze({ types: 66, minimum: 0, maximum: 2 }),
  // tests[].expect.stored
  Object.freeze({ types: 8, example: 'true' }),
  // tests[].expect.readers
  Object.freeze({ types: 16, items: 213, maxItems: 1024, example: '[]' }),
  // sensors[].filters[].offset
  Object.freeze({ types: 4, minimum: -1000000000, maximum: 1000000000 }),
  // sensors[].filters[].multiply
  Object.freeze({ types: 4, minimum: -1000000000, maximum: 1000000000 }),
  // sensors[].filters[].calibrate_linear
  Object.freeze({ types: 16, items: 214, minItems: 2, maxItems: 16, example: '[[0,0],[100,98.5]]' }),
  // sensors[].filters[].median
  Object.freeze({ types: 32, keys: Object.freeze(['window_size', 'send_every', 'send_first_at']), first: 215 }),
  // sensors[].filters[].min
  Object.freeze({ types: 32, keys: Object.freeze(['window_size', 'send_every', 'send_first_at']), first: 218 }),
  // sensors[].filters[].max
  Object.freeze({ types: 32, keys: Object.freeze(['window_size', 'send_every', 'send_first_at']), first: 221 }),
  // sensors[].filters[].sliding_window_moving_average
  Object.freeze({ types: 32, keys: Object.freeze(['window_size', 'send_every', 'send_first_at']), first: 224 }),
  // sensors[].filters[].throttle
  Object.freeze({ types: 4, minimum: 0.001, maximum: 1000000 }),
  // sensors[].filters[].delta
  Object.freeze({ types: 4, minimum: 0, maximum: 1000000000 }),
  // homeassistant.devices[].entities[]
  Object.freeze({ types: 32, keys: Object.freeze(['value', 'name', 'platform', 'topic', 'command_topic',
    'payload_on', 'payload_off', 'decimals', 'expire_after', 'device_class', 'unit_of_measurement', 'state_class',
    'icon']), first: 227, required: Object.freeze(['value']) }),
  // tests[].expect.readers[]
  Object.freeze({ types: 65 }),
  // sensors[].filters[].calibrate_linear[]
  Object.freeze({ types: 16, items: 240, minItems: 2, maxItems: 2, example: '[0,0]' }),
  // sensors[].filters[].median.window_size
  Object.freeze({ types: 2, minimum: 1, maximum: 256 }),
  // sensors[].filters[].median.send_every
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].median.send_first_at
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].min.window_size
  Object.freeze({ types: 2, minimum: 1, maximum: 256 }),
  // sensors[].filters[].min.send_every
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].min.send_first_at
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].max.window_size
  Object.freeze({ types: 2, minimum: 1, maximum: 256 }),
  // sensors[].filters[].max.send_every
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].max.send_first_at
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].sliding_window_moving_average.window_size
  Object.freeze({ types: 2, minimum: 1, maximum: 256 }),
  // sensors[].filters[].sliding_window_moving_average.send_every
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // sensors[].filters[].sliding_window_moving_average.send_first_at
  Object.freeze({ types: 2, minimum: 1, maximum: 65535 }),
  // homeassistant.devices[].entities[].value
  Object.freeze({ types: 1, maxLength: 128, example: '"POWER"' }),
  // homeassistant.devices[].entities[].name
  Object.freeze({ types: 1, minLength: 1, maxLength: 64 }),
  // homeassistant.devices[].entities[].platform
  Object.freeze({ types: 0, choices: Object.freeze(['"sensor"', '"binary_sensor"', '"switch"', '"button"']) }),
  // homeassistant.devices[].entities[].topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024 }),
  // homeassistant.devices[].entities[].command_topic
  Object.freeze({ types: 1, minLength: 1, maxLength: 1024 }),
  // homeassistant.devices[].entities[].payload_on
  Object.freeze({ types: 1, maxLength: 64 }),
  // homeassistant.devices[].entities[].payload_off
  Object.freeze({ types: 1, maxLength: 64 }),
  // homeassistant.devices[].entities[].decimals
  Object.freeze({ types: 2, minimum: 0, maximum: 6 }),
  // homeassistant.devices[].entities[].expire_after
  Object.freeze({ types: 4, minimum: 0, maximum: 1000000 }),
  // homeassistant.devices[].entities[].device_class
  Object.freeze({ types: 1, minLength: 1, maxLength: 64 }),
  // homeassistant.devices[].entities[].unit_of_measurement
  Object.freeze({ types: 1, minLength: 1, maxLength: 32 }),
  // homeassistant.devices[].entities[].state_class
  Object.freeze({ types: 1, minLength: 1, maxLength: 32 }),
  // homeassistant.devices[].entities[].icon
  Object.freeze({ types: 1, minLength: 1, maxLength: 64 }),
  // sensors[].filters[].calibrate_linear[][]
  Object.freeze({ types: 4, minimum: -1000000000, maximum: 1000000000 }),
]);
