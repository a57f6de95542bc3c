/**
 * What the configuration means for packets: what CONNECT says upstream, and how long a packet can become.
 */
import type { Arena } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { CLEAN_START, type ConnectFields, PASSWORD, USER_NAME, WILL, WILL_QOS_SHIFT,
  WILL_RETAIN } from '../packet/connect.ts';
import { ABSENT } from '../packet/data-representation.ts';
import { hasProperties, versionNamed } from '../packet/protocol-version.ts';
import { HEADER_LENGTH, NODE_NOTES_LENGTH, NOTES_LENGTH } from '../session/record-layout.ts';
import { longestMountPoint } from '../nodes/access-lengths.ts';
import type { Configuration } from '../config/configuration.ts';
import { longestAnnouncement } from './announcement-texts.ts';
import { COPY_LENGTH, lengthOfMessage, LONGEST_DOWN_PROPERTIES } from '../store/record-format.ts';

/** Fixed header and lengths around topic and payload of a PUBLISH, at most. */
const PUBLISH_OVERHEAD = 9;

/** What CONNECT has beside its texts: header, properties of 5.0, and the lengths of the texts. */
const LONGEST_CONNECT_FRAME = 48;

/** Bytes that a record of the store has more than the topic and the payload of its message, a copy of it included. */
export const RECORD_OVERHEAD = lengthOfMessage(LONGEST_DOWN_PROPERTIES, 1) + COPY_LENGTH;

/**
 * No packet that the gateway sends is longer: a message may grow by a mount point and a prefix, and rings are
 * linearised by way of staging.
 */
export function longestOutgoingPacket(configuration: Configuration): number {
  const { listener, upstream } = configuration;
  const longestReceived = Math.max(listener.max_packet_size, upstream.max_packet_size);
  return Math.max(longestReceived + longestMountPoint(listener) + longestPrefix(configuration),
    lengthOfConnectTexts(configuration) + LONGEST_CONNECT_FRAME, longestAnnouncement(upstream)) + PUBLISH_OVERHEAD;
}

/** A limit that another one contradicts. */
export interface LimitConflict {
  readonly path: readonly string[];
  readonly text: string;
  /** What to write instead, or more. */
  readonly least: number;
}

/**
 * What a side's `max_packet_size` lets in must fit, alone, every queue that it may enter: else it would be
 * acknowledged and could only be dropped. @returns the limits that are too small, with what to write instead
 */
export function limitConflicts(configuration: Configuration): readonly LimitConflict[] {
  const { listener, store, topic, upstream } = configuration;
  const longestReceived = Math.max(listener.max_packet_size, upstream.max_packet_size);
  const longest = longestReceived + longestGrowth(configuration);
  const queued = lengthOfRecord(longest, HEADER_LENGTH + (store.durability === 'flash' ? NODE_NOTES_LENGTH : 0));
  const stored = lengthOfRecord(longestUpstreamPacket(configuration), HEADER_LENGTH + NOTES_LENGTH);
  const conflicts: LimitConflict[] = [];
  if (listener.max_queued_bytes < queued)
    conflicts.push({
      path: ['listener', 'max_queued_bytes'], least: queued,
      text: `${listener.max_queued_bytes} bytes cannot hold a message as long as listener.max_packet_size (${listener.max_packet_size}) and `
        + `upstream.max_packet_size (${upstream.max_packet_size}) let in; write ${queued} or more instead, or lower those`,
    });
  if (store.ram < stored && topic.some(({ direction }) => direction !== 'in'))
    conflicts.push({
      path: ['store', 'ram'], least: stored,
      text: `${store.ram} bytes cannot hold a message as long as listener.max_packet_size (${listener.max_packet_size}) lets in; `
        + `write ${stored} or more instead, or lower that`,
    });
  return conflicts;
}

/** Bytes of properties that go with a message from one side to the other: none with a version that has none. */
export const longestProperties = ({ upstream }: Configuration): number =>
  hasProperties(versionNamed(upstream.bridge_protocol_version)) ? upstream.max_properties : 0;

/** Of a queue, rounded up to its units. */
const lengthOfRecord = (packetLength: number, headerLength: number): number => headerLength + packetLength + 3 & ~3;

/** No packet whose message is stored is longer, for upstream or for a node; readings of sensors are short. */
export function longestStoredPacket(configuration: Configuration): number {
  const { listener, upstream } = configuration;
  const longest = Math.max(listener.max_packet_size, upstream.max_packet_size);
  return longest + longestMountPoint(listener) + longestPrefix(configuration) + PUBLISH_OVERHEAD;
}

/** No packet of a node becomes longer on its way upstream; readings of sensors are short. */
export function longestUpstreamPacket(configuration: Configuration): number {
  const { listener } = configuration;
  return listener.max_packet_size + longestMountPoint(listener) + longestPrefix(configuration) + PUBLISH_OVERHEAD;
}

/** Bytes by which a rule can lengthen a topic. */
/** Bytes by which a message can be longer in the queue of a node than it came, at most. */
export const longestGrowth = (configuration: Configuration): number =>
  longestMountPoint(configuration.listener) + longestPrefix(configuration) + PUBLISH_OVERHEAD;

export function longestPrefix(configuration: Configuration): number {
  return configuration.topic.reduce((longest, rule) =>
    Math.max(longest, lengthOfUTF8(rule.local_prefix), lengthOfUTF8(rule.remote_prefix)), 0);
}

/** Everything that CONNECT says, in the order in which `connectFields` writes it. */
function connectTexts(configuration: Configuration): readonly string[] {
  const { remote_clientid, remote_password, remote_username, will } = configuration.upstream;
  return [remote_clientid, will?.topic ?? '', will?.payload ?? '', remote_username ?? '', remote_password ?? ''];
}

/** Bytes of a password that stands in a file: a token is longer than what people choose. */
export const LONGEST_PASSWORD = 4096;

/** Bytes of the region that `connectFields` fills. */
export function lengthOfConnectTexts(configuration: Configuration): number {
  const { remote_password, remote_password_file } = configuration.upstream;
  return connectTexts(configuration).reduce((sum, text) => sum + lengthOfUTF8(text),
    remote_password_file !== null && remote_password === null ? LONGEST_PASSWORD : 0);
}

/** Writes the texts of CONNECT to the region at `offset`. */
export function connectFields(arena: Arena, offset: number, configuration: Configuration): ConnectFields {
  const { upstream } = configuration;
  const { will } = upstream;
  const texts = connectTexts(configuration);
  const lengths = texts.map(lengthOfUTF8);
  const offsets = texts.map(text => {
    const start = offset;
    offset = encodeUTF8(arena, start, text);
    return start;
  });
  return {
    version: versionNamed(upstream.bridge_protocol_version),
    connectFlags: (upstream.cleansession ? CLEAN_START : 0)
      | (will === null ? 0 : WILL | will.qos << WILL_QOS_SHIFT | (will.retain ? WILL_RETAIN : 0))
      | (upstream.remote_username === null ? 0 : USER_NAME)
      | (upstream.remote_password === null ? 0 : PASSWORD),
    keepAlive: upstream.keepalive_interval,
    clientIdentifierOffset: offsets[0]!,
    clientIdentifierLength: lengths[0]!,
    willTopicOffset: offsets[1]!,
    willTopicLength: lengths[1]!,
    willPayloadOffset: offsets[2]!,
    willPayloadLength: lengths[2]!,
    userNameOffset: offsets[3]!,
    userNameLength: upstream.remote_username === null ? ABSENT : lengths[3]!,
    passwordOffset: offsets[4]!,
    passwordLength: upstream.remote_password === null ? ABSENT : lengths[4]!,
  };
}
