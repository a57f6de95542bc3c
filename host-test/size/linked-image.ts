/**
 * What the image that the Moddable SDK links for an ESP32-C3 takes of the block of its `creation.static`, measured by
 * hand on 28 November 2026: SDK 8.2.3 (XS 17.7), `xsl` with the manifest's own preloads and strips, run with 32 bits on
 * a PC; sockets, timer, Wi-Fi, crypt and flash are stubs in C. The configuration is read as text; the network comes,
 * the upstream connection and all nodes that fit in connect, and send 50 messages of QoS 1 each. What does not depend
 * on the gateway, its firmware, is what these figures are for: they are not measured anew when the gateway changes.
 */
import type { PartialConfiguration } from '../../src/config/configuration.ts';

interface LinkedImage {
  readonly name: string;
  /** What is different from the configuration that is built in. */
  change(builtIn: PartialConfiguration): PartialConfiguration;
  /** Arena, slots and chunks of the gateway then, by footprint.ts. */
  readonly gateway: number;
  /** Slots and chunks that are alive with all nodes connected, and the stack. */
  readonly kept: number;
  /** Bytes of the block that were used in the end. */
  readonly block: number;
}

const listener = (more: PartialConfiguration['listener']) => (builtIn: PartialConfiguration): PartialConfiguration =>
  ({ ...builtIn, listener: { ...builtIn.listener, ...more } });
const durable = (builtIn: PartialConfiguration): PartialConfiguration =>
  ({ ...builtIn, store: { durability: 'flash' } });
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const HASH = 'pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';

export const LINKED: readonly LinkedImage[] = [
  { name: 'built in', change: builtIn => builtIn, gateway: 67446, kept: 87580, block: 91744 },
  { name: 'a store in flash', change: durable, gateway: 75478, kept: 95640, block: 99420 },
  {
    name: 'a store in flash, the latest of each topic',
    change: builtIn => ({ ...durable(builtIn), topic: [{ pattern: '#', direction: 'out', full: 'latest_per_topic' }] }),
    gateway: 78562, kept: 98724, block: 102664,
  },
  {
    name: 'a store in flash, six nodes', change: builtIn => durable(listener({ max_connections: 6 })(builtIn)),
    gateway: 83326, kept: 103520, block: 107524,
  },
  { name: 'one node', change: listener({ max_connections: 1 }), gateway: 57978, kept: 78064, block: 83020 },
  { name: 'six nodes', change: listener({ max_connections: 6 }), gateway: 73758, kept: 93924, block: 98312 },
  {
    name: 'eight rules',
    change: builtIn => ({
      ...builtIn, topic: [
        ...builtIn.topic!,
        ...times(6, index => ({ pattern: `t${index}/#`, direction: 'both' as const, remote_prefix: 'abcdefgh/' })),
      ],
    }),
    gateway: 72042, kept: 92176, block: 98076,
  },
  {
    name: 'four users',
    change: listener({ users: times(4, index => ({ username: `user${index}`, password: 'secret' })) }),
    gateway: 67874, kept: 89328, block: 94164,
  },
  {
    name: 'four users with hashes and mount points',
    change: listener({
      users: times(4, index => ({ username: `user${index}`, password_hash: HASH, mount_point: 'home/' })),
    }),
    gateway: 71764, kept: 94360, block: 100084,
  },
  {
    name: 'six rights',
    change: listener({ acl: times(6, index => ({ topic: `a${index}/#`, access: 'readwrite' as const })) }),
    gateway: 71118, kept: 91252, block: 97160,
  },
  {
    name: 'six sensors',
    change: builtIn =>
      ({ ...builtIn, sensors: times(6, index => ({ name: `s${index}`, type: 'simulated', interval: 1 })) }),
    gateway: 71419, kept: 90832, block: 95108,
  },
  {
    name: 'six sensors with everything',
    change: builtIn => ({
      ...builtIn, sensors: times(6, index => ({
        name: `s${index}`, type: 'simulated', interval: 1,
        format: 'json' as const, deadband: 1, expire_after: 20, scale: 2,
      })),
    }),
    gateway: 72041, kept: 91456, block: 96372,
  },
  {
    name: 'two switches',
    change: builtIn =>
      ({ ...builtIn, sensors: times(2, index => ({ name: `s${index}`, type: 'digital', pin: 4, interval: 1 })) }),
    gateway: 68235, kept: 88320, block: 92788,
  },
  { name: 'a rate limit', change: listener({ max_publish_rate: 10 }), gateway: 68014, kept: 88148, block: 92856 },
  {
    name: 'more topics', change: builtIn => ({ ...builtIn, memory: { topics: 64, topic_length: 64 } }),
    gateway: 75126, kept: 95260, block: 99424,
  },
  {
    name: 'a Will, and a user name upstream',
    change: builtIn => ({
      ...builtIn, upstream: {
        ...builtIn.upstream, will: { topic: 'a/b', payload: 'x', qos: 0, retain: false },
        remote_username: 'user', remote_password: 'secret',
      },
    }),
    gateway: 67596, kept: 87728, block: 92836,
  },
];
