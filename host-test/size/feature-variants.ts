/** How each feature of a board's memory is measured: two configurations that differ in it, and in nothing else. */
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import type { FeatureId } from '../../src/io/board-features.ts';

export interface Variants {
  readonly without: PartialConfiguration;
  /** The feature said to be off, by null or a word: has to take what `without` takes. */
  readonly off?: PartialConfiguration;
  readonly with: PartialConfiguration;
  /** The two differ in more of the arena than the feature takes of it, which is nothing. */
  readonly isOutsideOfArena?: boolean;
}

type Listener = NonNullable<PartialConfiguration['listener']>;
type Rule = NonNullable<PartialConfiguration['topic']>[number];
type Sensor = NonNullable<PartialConfiguration['sensors']>[number];

/** So many of each: what is there for all of them together shows as little as possible. */
const MANY = 4;
const times = <T>(make: (index: number) => T, count = MANY): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

// Connections and sessions are given everywhere, or one would come with the other.
const LISTENER: Listener = { max_connections: 4, max_sessions: 12 };
const listener = (more: Listener = {}): PartialConfiguration => ({ listener: { ...LISTENER, ...more } });

const rule = (more: Rule) => (index: number): Rule =>
  ({ pattern: `room${index}/#`, direction: 'out', local_prefix: '', remote_prefix: 'site/', ...more });
const rules = (more: Rule): PartialConfiguration => ({ ...listener(), topic: times(rule(more)) });

const sensor = (more: Partial<Sensor>) => (index: number): Sensor =>
  ({ name: `air${index}`, type: 'simulated', topic: `air/${index}`, interval: 10, ...more });
const sensors = (more: Partial<Sensor>): PartialConfiguration => ({ ...listener(), sensors: times(sensor(more)) });

const user = (mount_point?: string) => (index: number) =>
  ({ username: `node${index}`, password: 'secret', ...mount_point !== undefined && { mount_point } });
const flash = (more: PartialConfiguration = {}): PartialConfiguration =>
  ({ ...listener(), store: { durability: 'flash' }, ...more });

/** A node with so many values. */
const announced = (count: number, name = ''): PartialConfiguration => ({ ...listener(), homeassistant: { enabled: true, devices: [
  { name: `soil${name}`, topic: 'soil', entities: times(index => ({ value: `v${index}` }), count) }] } });

/** Everything said that people say, and nothing that is a feature. */
export const NOTHING: PartialConfiguration = {
  name: 'greenhouse', upstream: { address: ['mqtt://broker'], remote_clientid: 'gateway' },
  listener: { ...LISTENER, address: '0.0.0.0', users: [], acl: [] }, topic: [], sensors: [],
  store: { path: 'store', durability: 'ram', full: 'drop_oldest' }, memory: { topics: 32 },
};

export const VARIANTS: Readonly<Record<FeatureId, Variants>> = {
  connection: { without: listener(), with: listener({ max_connections: 4 + MANY }) },
  rateLimit: { without: listener(), off: listener({ max_publish_rate: 0 }), with: listener({ max_publish_rate: 10 }) },
  topicAlias: { without: listener(), off: listener({ max_topic_alias: 0 }), with: listener({ max_topic_alias: 4 }) },
  session: { without: listener(), with: listener({ max_sessions: 12 + MANY }) },
  user: { without: listener(), with: listener({ users: times(user()) }) },
  mountPoint: { without: listener({ users: times(user()) }), with: listener({ users: times(user('home/')) }) },
  accessEntry: {
    without: listener({ users: times(user(), 1) }),
    with: listener({
      users: times(user(), 1),
      acl: times(index => ({ user: 'node0', topic: `room${index}/#`, access: 'read' as const })),
    }),
  },
  ruleOut: { without: listener(), with: rules({}) },
  ruleIn: { without: listener(), with: rules({ direction: 'in' }) },
  ruleBoth: { without: listener(), with: rules({ direction: 'both' }) },
  ruleLatest: { without: rules({}), off: rules({ full: null }), with: rules({ full: 'latest_per_topic' }) },
  expiryForNodes: {
    without: rules({ direction: 'in' }), off: rules({ direction: 'in', expiry: 0 }), with: rules({ direction: 'in', expiry: 60 }),
  },
  ruleExpiry: { without: rules({}), off: rules({ expiry: 0 }), with: rules({ expiry: 60 }) },
  ruleWithoutStore: { without: rules({}), off: rules({ store: true }), with: rules({ store: false }) },
  sensor: { without: listener(), with: sensors({}) },
  sensorJSON: { without: sensors({}), with: sensors({ format: 'json' }) },
  sensorDeadband: { without: sensors({}), with: sensors({ deadband: 1 }) },
  sensorExpiry: { without: sensors({}), with: sensors({ expire_after: 60 }) },
  sensorCalibration: { without: sensors({}), with: sensors({ scale: 2, offset: 1 }) },
  sensorDriver: { without: sensors({}), with: {
    ...listener(), sensors: times(index => sensor({ type: 'bme68x', data: 1, clock: 2 + index })(index)),
  } },
  sensorFilter: {
    without: sensors({}), with: sensors({ filters: times(() => ({ delta: 1 })) }),
  },
  sensorFilterNumber: {
    without: sensors({ filters: [{ median: { window_size: 1 } }] }),
    with: sensors({ filters: [{ median: { window_size: 33 } }] }),
  },
  will: {
    without: listener(), off: { ...listener(), upstream: { will: null } },
    with: { ...listener(), upstream: { will: { topic: 'status', payload: 'offline', qos: 1, retain: true } } },
  },
  homeAssistant: {
    without: listener(), off: { ...listener(), homeassistant: null },
    with: { ...listener(), homeassistant: { enabled: false } },
  },
  announcedByte: { without: announced(1), with: announced(1, ' and more of its name, as long as people write it') },
  announcedComponent: { without: announced(1), with: announced(1 + MANY) },
  announcedDevice: {
    without: { ...sensors({}), homeassistant: { enabled: false } },
    with: { ...sensors({}), homeassistant: { enabled: true } },
  },
  credentials: {
    without: listener(), off: { ...listener(), upstream: { remote_username: null, remote_password: null } },
    with: { ...listener(), upstream: { remote_username: 'gateway', remote_password: 'secret' } },
  },
  address: {
    without: { ...listener(), upstream: { address: ['mqtt://broker0'] } },
    with: { ...listener(), upstream: { address: times(index => `mqtt://broker${index}`) } },
  },
  systemTopics: { without: listener({ sys_interval: 0 }), with: listener({ sys_interval: 10 }) },
  topic: { without: { ...listener(), memory: { topics: 32 } }, with: { ...listener(), memory: { topics: 64 } } },
  subscriptionByte: {
    without: listener({ max_subscription_bytes: 1024 }), with: listener({ max_subscription_bytes: 2048 }),
  },
  retainedByte: { without: listener({ max_retained_bytes: 2048 }), with: listener({ max_retained_bytes: 4096 }) },
  flash: { without: listener(), with: flash() },
  flashBlock: {
    without: flash({ upstream: { max_packet_size: 8000 }, listener: { ...LISTENER, max_packet_size: 8000 } }),
    with: flash({ upstream: { max_packet_size: 1000 }, listener: { ...LISTENER, max_packet_size: 1000 } }),
    isOutsideOfArena: true,
  },
  flashIdentifier: {
    without: flash({ listener: { ...LISTENER, max_unreleased_messages: 32 } }),
    with: flash({ listener: { ...LISTENER, max_unreleased_messages: 64 } }),
  },
  flashLatest: {
    without: flash({ topic: [rule({})(0)] }), with: flash({ topic: [rule({ full: 'latest_per_topic' })(0)] }),
  },
};
