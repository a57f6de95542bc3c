/**
 * Whether the part of the store that keeps state can hold all that the configuration lets in: a session, a subscription
 * or a retained message that finds no room there is refused, which must be no surprise.
 */
import { fitState } from '../config/complete-configuration.ts';
import type { Configuration, PartialConfiguration } from '../config/configuration.ts';
import { BLOCK_HEADER_LENGTH, blockLengthFor, blocksOfMap, FEWEST_BLOCKS } from '../store/record-format.ts';
import { capacityOfState, lengthOfState } from '../store/state-log.ts';
import { discoveredEntries, discoveredLength } from '../homeassistant/discovery-plan.ts';
import { FILTER, IDENTIFIER } from '../nodes/stored-sessions.ts';
import { MAP_SHIFT } from '../upstream/quarantine.ts';
import { longestStoredPacket } from './packet-limits.ts';

/** Of the storage. */
export const STATE_SHARE = 0.375;
/**
 * Received identifiers that outlive the block of their message, and other entries of the map. The oldest blocks hold
 * few.
 */
const MOST_IN_MAP = 64;
const OTHERS_IN_MAP = 16;
/** Bytes of the other entries: received identifiers, counters, the clock. */
const OTHER_STATE_LENGTH = (MOST_IN_MAP + OTHERS_IN_MAP) * lengthOfState(12);

/** Of a record in memory: its length, which that of the store has as well. */
const MEMORY_HEADER = 4;
/** A node, QoS; a filter follows. */
const SUBSCRIPTION_HEADER = 3;
/** Wills longer than this are the exception: they count as so long. */
const TYPICAL_WILL = 256;
const WILL_HEADER = 13;

export interface StateNeeds {
  readonly sessions: number;
  readonly wills: number;
  readonly subscriptions: number;
  readonly retained: number;
  readonly total: number;
}

/** Entries of the map that a configuration can need. */
export function stateEntriesOf(configuration: Configuration): number {
  const { listener, sensors, store, topic } = configuration;
  const { max_connections, max_retained_messages, max_sessions, max_subscriptions, max_unreleased_messages } = listener;
  return 2 * max_sessions + max_subscriptions + max_retained_messages
    + Math.min(max_connections * max_unreleased_messages, MOST_IN_MAP) + OTHERS_IN_MAP + store.quarantine[0]
    + topic.filter(({ direction }) => direction !== 'out').length + discoveredEntries(configuration)
    + sensors.filter(({ quantity }) => quantity === 'total').length;
}

/** Bytes that records of the map can need. */
export function stateNeeds(configuration: Configuration): StateNeeds {
  const { listener } = configuration;
  const { max_clientid_length, max_connections, max_sessions, max_will_size } = listener;
  const sessions = max_sessions * lengthOfState(IDENTIFIER + max_clientid_length);
  const wills =
    max_connections * lengthOfState(WILL_HEADER + max_clientid_length + Math.min(max_will_size, TYPICAL_WILL));
  const subscriptions = listener.max_subscription_bytes
    + listener.max_subscriptions * (lengthOfState(FILTER) - SUBSCRIPTION_HEADER - MEMORY_HEADER);
  const retained = listener.max_retained_bytes + listener.max_retained_messages * (lengthOfState(0) - MEMORY_HEADER);
  const total = sessions + wills + subscriptions + retained + OTHER_STATE_LENGTH
    + discoveredLength(configuration);
  return { sessions, wills, subscriptions, retained, total };
}

/** Bytes that records of the map may have in a storage of this size; 0: it has no map. */
function stateCapacity(configuration: Configuration, size: number): number {
  const blockLength = blockLengthFor(longestStoredPacket(configuration));
  return capacityOfState(blocksOfMap(Math.floor(size / blockLength), STATE_SHARE), blockLength);
}

/** Bytes that messages which are set aside may have there. */
export const quarantineRoom = (configuration: Configuration, size: number): number =>
  stateCapacity(configuration, size) >> MAP_SHIFT;

/**
 * The smallest storage, in whole blocks, that holds it all.
 * @param written what the user wrote: what is not written grows with the storage
 */
export function leastStoreSize(configuration: Configuration, written: PartialConfiguration = {}): number {
  const { listener, store } = configuration;
  let least = leastFor(configuration);
  for (let size = 0; size < least;) {
    size = least;
    const grown = { ...listener };
    const bounds = { max_retained_bytes: Infinity, max_retained_messages: Infinity, max_subscription_bytes: Infinity,
      max_subscriptions: Infinity };
    const limited = { ...bounds };
    fitState(limited, store.size, {});
    fitState(bounds, size, {});
    for (const key of Object.keys(bounds) as (keyof typeof bounds)[])
      if (written.listener?.[key] === undefined && grown[key] === limited[key])
        grown[key] = Math.max(grown[key], bounds[key]);
    least = leastFor({ ...configuration, listener: grown });
  }
  return least;
}

function leastFor(configuration: Configuration): number {
  const blockLength = blockLengthFor(longestStoredPacket(configuration));
  const { total } = stateNeeds(configuration);
  const perBlock = (blockLength - BLOCK_HEADER_LENGTH) * 3 / 4;
  const blocks = Math.max(FEWEST_BLOCKS, Math.ceil(total / perBlock) + 1);
  return Math.max(2 * FEWEST_BLOCKS, Math.ceil(blocks / STATE_SHARE)) * blockLength;
}

/** @returns why the storage is too small, with what to write instead; undefined when it is not */
export function stateShortage(
  configuration: Configuration, size: number, written: PartialConfiguration = {},
): string | undefined {
  const { retained, sessions, subscriptions, total, wills } = stateNeeds(configuration);
  const capacity = stateCapacity(configuration, size);
  if (total <= capacity)
    return undefined;
  const { max_retained_bytes, max_sessions, max_subscription_bytes } = configuration.listener;
  return `${size} bytes keep ${capacity} bytes of state, and the limits of the listener let in ${total}: sessions ${sessions} `
    + `(listener.max_sessions ${max_sessions}), Wills ${wills}, subscriptions ${subscriptions} (max_subscription_bytes `
    + `${max_subscription_bytes}), retained messages ${retained} (max_retained_bytes ${max_retained_bytes}); write `
    + `${leastStoreSize(configuration, written)} or more instead, or lower those`;
}
