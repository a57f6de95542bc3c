/**
 * What well-known brokers take, beyond what MQTT says: what exceeds it they answer by closing the connection, or not at
 * all. `upstream.profile` names one of them, or lets the host name of the broker tell. A key that the configuration
 * gives by itself counts more than the profile.
 */
import { parseAddress } from './upstream-address.ts';

export type ProfileName = 'auto' | 'none' | 'aws-iot' | 'azure-iot-hub' | 'rabbitmq' | 'nats';

/** 0: no limit. */
export interface BrokerProfile {
  /** Highest Quality of Service of a PUBLISH. */
  readonly qos: number;
  readonly topicLevels: number;
  /** Bytes of a Topic Name. */
  readonly topicLength: number;
  /** Bytes of a packet. */
  readonly packetSize: number;
  /** Messages that may be unacknowledged at a time. */
  readonly inflight: number;
  /** Topic Filters of a SUBSCRIBE, which here has one, and of a connection. */
  readonly filtersPerPacket: number;
  readonly filters: number;
  /** Seconds. */
  readonly keepAlive: number;
  /** Whether it keeps retained messages. */
  readonly retains: boolean;
  /** Characters that a Topic Name must not contain. */
  readonly forbidden: string;
}

const ANYTHING: BrokerProfile = Object.freeze({
  qos: 2, topicLevels: 0, topicLength: 0, packetSize: 0, inflight: 0, filtersPerPacket: 0, filters: 0, keepAlive: 0,
  retains: true, forbidden: '',
});

const PROFILES: Readonly<Record<string, BrokerProfile>> = Object.freeze({
  /** It answers QoS 2 with silence, a topic with more than 7 slashes and a ninth filter by closing. */
  'aws-iot': Object.freeze({
    ...ANYTHING,
    qos: 1, topicLevels: 8, topicLength: 256, packetSize: 131_072, inflight: 100, filtersPerPacket: 8, filters: 50,
    keepAlive: 1200,
  }),
  'azure-iot-hub': Object.freeze({
    ...ANYTHING, qos: 1, packetSize: 262_144, filters: 50, keepAlive: 1140, retains: false,
  }),
  /** It answers QoS 2 with PUBACK; a topic becomes a routing key, which has 255 bytes at most. */
  'rabbitmq': Object.freeze({ ...ANYTHING, qos: 1, topicLength: 255 }),
  /** It closes on QoS 2, and on what cannot be in a subject. */
  'nats': Object.freeze({ ...ANYTHING, qos: 1, packetSize: 1_048_576, forbidden: ' .' }),
});

/** By the host name; of the last two a part of it. */
const HOSTS: readonly (readonly [profile: ProfileName, host: RegExp])[] = Object.freeze([
  ['aws-iot', /\.iot\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/i],
  ['azure-iot-hub', /\.azure-devices\.(?:net|cn|us|de)$/i],
  ['rabbitmq', /(?:^|[.-])rabbitmq[0-9]*(?:[.-]|$)/i],
  ['nats', /(?:^|[.-])nats[0-9]*(?:[.-]|$)/i],
]);

/** @returns the profile that `name` means for a broker at this address; "none" when nothing is known of it */
export function profileNameOf(name: ProfileName, address: string): ProfileName {
  if (name !== 'auto')
    return name;
  try {
    const { host } = parseAddress(address);
    return HOSTS.find(([, pattern]) => pattern.test(host))?.[0] ?? 'none';
  } catch {
    return 'none'; // it is refused elsewhere
  }
}

export const profileOf = (name: ProfileName, address: string): BrokerProfile =>
  PROFILES[profileNameOf(name, address)] ?? ANYTHING;
