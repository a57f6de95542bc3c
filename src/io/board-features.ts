/**
 * What of a configuration takes memory of XS's heap on a board, beside the arena: each feature, and how often it is
 * there. What one of each takes is measured (board-memory-figures.ts).
 */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration, SensorConfiguration, TopicRuleConfiguration } from '../config/configuration.ts';
import { sensorTypeOf } from '../config/sensor-types.ts';
import { type Device, lengthOfDevice } from '../homeassistant/device-texts.ts';
import { devicesOf } from '../homeassistant/devices.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { memoryOf } from '../sensors/filters.ts';
import { blockLengthFor } from '../store/record-format.ts';

/** Of the partition that src/device/partitions.csv gives to the store. A board goes by that, not by `store.size`. */
export const DEVICE_STORE_SIZE = 0xF0000;

export interface Feature {
  readonly name: string;
  /** Where it is in the configuration. */
  readonly key: string;
  /** The line of `ringbridge check` to which it belongs. */
  readonly part: string;
  /** How often the configuration has it: 0 when it is off. */
  count(configuration: Configuration): number;
}

const isDurable = ({ store }: Configuration): boolean => store.durability === 'flash';
const keepsLatest = ({ store, topic }: Configuration): boolean =>
  topic.some(({ full }) => (full ?? store.full) === 'latest_per_topic');
const countRules = (test: (rule: TopicRuleConfiguration) => boolean) =>
  ({ topic }: Configuration): number => topic.filter(test).length;
const countSensors = (test: (sensor: SensorConfiguration) => boolean) =>
  ({ sensors }: Configuration): number => sensors.filter(test).length;
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const isOnBus = ({ type }: SensorConfiguration): boolean =>
  sensorTypeOf(type)?.addresses !== undefined || type === 'ds18b20' || type === 'modbus';
const countBlocks = (configuration: Configuration): number =>
  Math.floor(DEVICE_STORE_SIZE / blockLengthFor(longestStoredPacket(configuration)));

const sumOfDevices = (configuration: Configuration, of: (device: Device) => number): number =>
  devicesOf(configuration, true).list.reduce((sum, device) => sum + of(device), 0);

const CONNECTIONS = 'connections';
const SESSIONS = 'sessions';
const RIGHTS = 'users and their rights';
const RULES = 'topic rules';
const SENSORS = 'sensors';
const STORE = 'persistent store';
const OTHERS = 'other features';

export const FEATURES = Object.freeze({
  connection: {
    name: 'node that may be connected, and is', key: 'listener.max_connections', part: CONNECTIONS,
    count: ({ listener }) => listener.max_connections,
  },
  rateLimit: {
    name: 'rate limit of a node', key: 'listener.max_publish_rate', part: CONNECTIONS,
    count: ({ listener }) => listener.max_publish_rate > 0 ? listener.max_connections : 0,
  },
  topicAlias: {
    name: 'Topic Aliases of nodes', key: 'listener.max_topic_alias', part: CONNECTIONS,
    count: ({ listener }) => listener.max_topic_alias > 0 ? 1 : 0,
  },
  session: {
    name: 'session that is kept', key: 'listener.max_sessions', part: SESSIONS,
    count: ({ listener }) => listener.max_sessions,
  },
  user: { name: 'user', key: 'listener.users', part: RIGHTS, count: ({ listener }) => listener.users.length },
  mountPoint: {
    name: 'mount point of a user', key: 'listener.users[].mount_point', part: RIGHTS,
    count: ({ listener }) => listener.users.filter(({ mount_point }) => mount_point !== undefined).length,
  },
  accessEntry: { name: 'right', key: 'listener.acl', part: RIGHTS, count: ({ listener }) => listener.acl.length },
  ruleOut: {
    name: 'rule out', key: 'topic[].direction: "out"', part: RULES,
    count: countRules(({ direction }) => direction === 'out'),
  },
  ruleIn: {
    name: 'rule in', key: 'topic[].direction: "in"', part: RULES,
    count: countRules(({ direction }) => direction === 'in'),
  },
  ruleBoth: {
    name: 'rule both', key: 'topic[].direction: "both"', part: RULES,
    count: countRules(({ direction }) => direction === 'both'),
  },
  ruleLatest: {
    name: 'rule that keeps the latest of each topic', key: 'topic[].full: "latest_per_topic"', part: RULES,
    count: countRules(({ full }) => full === 'latest_per_topic'),
  },
  ruleExpiry: {
    name: 'rule whose messages expire', key: 'topic[].expiry', part: RULES,
    count: countRules(({ expiry }) => expiry > 0),
  },
  expiryForNodes: {
    name: 'messages for nodes that expire', key: 'topic[].expiry, direction: "in"', part: RULES,
    count: ({ topic }) => topic.some(({ direction, expiry }) => direction !== 'out' && expiry > 0) ? 1 : 0,
  },
  ruleWithoutStore: {
    name: 'rule without the store', key: 'topic[].store: false', part: RULES, count: countRules(({ store }) => !store),
  },
  sensor: { name: 'sensor, simulated', key: 'sensors', part: SENSORS, count: ({ sensors }) => sensors.length },
  sensorJSON: {
    name: 'sensor: readings as JSON', key: 'sensors[].format: "json"', part: SENSORS,
    count: countSensors(({ format }) => format === 'json'),
  },
  sensorDeadband: {
    name: 'sensor: deadband', key: 'sensors[].deadband', part: SENSORS,
    count: countSensors(({ deadband = 0 }) => deadband > 0),
  },
  sensorExpiry: {
    name: 'sensor: availability', key: 'sensors[].expire_after', part: SENSORS,
    count: countSensors(({ expire_after = 0 }) => expire_after > 0),
  },
  sensorCalibration: {
    name: 'sensor: scale and offset', key: 'sensors[].scale', part: SENSORS,
    count: countSensors(({ offset = 0, scale = 1 }) => offset !== 0 || scale !== 1),
  },
  sensorDriver: {
    name: 'sensor: driver of a part on a bus', key: 'sensors[].type', part: SENSORS, count: countSensors(isOnBus),
  },
  sensorFilter: {
    name: 'sensor: filter', key: 'sensors[].filters', part: SENSORS,
    count: ({ sensors }) => sum(sensors.map(({ filters = [] }) => filters.length)),
  },
  sensorFilterNumber: {
    name: 'sensor: number that a filter remembers', key: 'sensors[].filters[].median.window_size', part: SENSORS,
    count: ({ sensors }) => sum(sensors.flatMap(({ filters = [] }) => filters.map(memoryOf))),
  },
  will: {
    name: 'Will of the gateway', key: 'upstream.will', part: OTHERS,
    count: ({ upstream }) => upstream.will === null ? 0 : 1,
  },
  credentials: {
    name: 'user name and password of the gateway', key: 'upstream.remote_username', part: OTHERS,
    count: ({ upstream }) => upstream.remote_username === null ? 0 : 1,
  },
  address: {
    name: 'upstream address after the first', key: 'upstream.address', part: OTHERS,
    count: ({ upstream }) => upstream.address.length - 1,
  },
  homeAssistant: {
    name: 'Home Assistant', key: 'homeassistant', part: OTHERS,
    count: ({ homeassistant }) => homeassistant === null ? 0 : 1,
  },
  announcedByte: {
    name: 'Home Assistant: byte of announcements', key: 'homeassistant', part: OTHERS,
    count: it => sumOfDevices(it, lengthOfDevice),
  },
  announcedComponent: {
    name: 'Home Assistant: value that is shown', key: 'homeassistant.devices[].entities', part: OTHERS,
    count: it => sumOfDevices(it, ({ components }) => components.length),
  },
  announcedDevice: {
    name: 'Home Assistant: device', key: 'homeassistant.devices', part: OTHERS, count: it => sumOfDevices(it, () => 1),
  },
  systemTopics: {
    name: '$SYS', key: 'listener.sys_interval', part: OTHERS,
    count: ({ listener }) => listener.sys_interval > 0 ? 1 : 0,
  },
  topic: {
    name: 'topic name that is remembered', key: 'memory.topics', part: OTHERS, count: ({ memory }) => memory.topics,
  },
  subscriptionByte: {
    name: 'byte for subscriptions', key: 'listener.max_subscription_bytes', part: OTHERS,
    count: ({ listener }) => listener.max_subscription_bytes,
  },
  retainedByte: {
    name: 'byte for retained messages', key: 'listener.max_retained_bytes', part: OTHERS,
    count: ({ listener }) => listener.max_retained_bytes,
  },
  flash: { name: 'store in flash', key: 'store.durability: "flash"', part: STORE, count: it => isDurable(it) ? 1 : 0 },
  flashBlock: {
    name: 'store in flash: block', key: 'store.durability: "flash"', part: STORE,
    count: it => isDurable(it) ? countBlocks(it) : 0,
  },
  flashIdentifier: {
    name: 'store in flash: identifier of QoS 2 of each node', key: 'listener.max_unreleased_messages', part: STORE,
    count: it => isDurable(it) ? it.listener.max_unreleased_messages * it.listener.max_connections : 0,
  },
  flashLatest: {
    name: 'store in flash: the latest of each topic', key: 'store.full: "latest_per_topic"', part: STORE,
    count: it => isDurable(it) && keepsLatest(it) ? 1 : 0,
  },
} as const satisfies Record<string, Feature>);

export type FeatureId = keyof typeof FEATURES;

/** Header of a chunk of XS's heap, and the byte that ends a text. */
const CHUNK_HEADER = 8;
const WORD = 4;

/** Bytes that a board keeps of the texts of a configuration. */
export function lengthOfTexts(value: unknown): number {
  if (typeof value === 'string')
    return CHUNK_HEADER + Math.ceil((lengthOfUTF8(value) + 1) / WORD) * WORD;
  return typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, part) => sum + lengthOfTexts(part), 0) : 0;
}
