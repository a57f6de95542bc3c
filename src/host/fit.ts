/**
 * Helps a configuration to fit the memory of a board: which key makes which region of the arena as long as it is, and
 * a proposal of sizes with which it fits. Only sizes are proposed that leave everything working, less of it at a
 * time: how many nodes may connect is the last to be lowered.
 */
import type { Configuration } from '../config/configuration.ts';
import { limitConflicts } from '../gateway/packet-limits.ts';
import { sessionsFor } from '../config/defaults.ts';

/** By the beginning of the region's name. */
const KEYS: readonly (readonly [region: string, keys: string])[] = [
  ['upstream: transmit ring', 'upstream.max_packet_size, listener.max_packet_size'],
  ['upstream: receive ring', 'upstream.max_packet_size'],
  ['upstream: what CONNECT says', 'upstream.will'],
  ['node: transmit ring', 'listener.max_connections, max_packet_size, max_queued_bytes'],
  ['node: receive ring',
    'listener.max_connections, max_packet_size, max_will_size, max_clientid_length, max_topic_alias'],
  ['node: deadlines', 'listener.max_connections'],
  ['node: outgoing queue', 'listener.max_sessions, max_queued_bytes, max_clientid_length'],
  ['index of identifiers', 'listener.max_sessions'],
  ['free places of sessions', 'listener.max_sessions'],
  ['sessions that expire', 'listener.max_sessions'],
  ['store, RAM part', 'store.ram'],
  ['topic table', 'memory.topics, topic_length'],
  ['index of topics', 'memory.topics, listener.max_connections'],
  ['mapped topics', 'memory.topics, topic_length, topic[].remote_prefix'],
  ['longest mapped topic', 'upstream.max_packet_size, listener.max_packet_size'],
  ['topic rules', 'topic'],
  ['subscriptions', 'listener.max_subscription_bytes'],
  ['places of subscriptions', 'listener.max_subscriptions, max_sessions'],
  ['index of subscriptions', 'listener.max_subscriptions'],
  ['retained messages', 'listener.max_retained_bytes'],
  ['Wills that are delayed', 'listener.max_will_size, max_connections'],
  ['index of retained messages', 'listener.max_retained_messages'],
  ['access', 'listener.acl, memory.topics'],
  ['sensors', 'sensors'],
  ['$SYS topics', 'listener.sys_interval'],
  ['quarantine', 'store.quarantine, listener.max_packet_size'],
  ['staging', 'upstream.max_packet_size, listener.max_packet_size'],
];

/** @returns the keys that a region of the arena depends on; empty: none */
export const keysOfRegion = (name: string): string => KEYS.find(([region]) => name.startsWith(region))?.[1] ?? '';

type Section = 'upstream' | 'listener' | 'store' | 'memory';

interface Step {
  readonly section: Section;
  readonly key: string;
  readonly value: number;
}

/** So many messages of QoS 2 the clients of Mosquitto and Paho have under way. */
const USUALLY_UNDER_WAY = 20;

/** In the order in which they hurt least. */
const STEPS: readonly Step[] = [
  { section: 'listener', key: 'max_topic_alias', value: 0 },
  { section: 'listener', key: 'max_clientid_length', value: 32 },
  { section: 'listener', key: 'max_will_size', value: 128 },
  { section: 'listener', key: 'max_unreleased_messages', value: USUALLY_UNDER_WAY },
  { section: 'upstream', key: 'max_packet_size', value: 1024 },
  { section: 'listener', key: 'max_packet_size', value: 1024 },
  { section: 'listener', key: 'max_retained_bytes', value: 2048 },
  { section: 'listener', key: 'max_queued_bytes', value: 1024 },
  { section: 'listener', key: 'max_subscription_bytes', value: 1024 },
  { section: 'memory', key: 'topics', value: 32 },
  { section: 'memory', key: 'topic_length', value: 64 },
  { section: 'store', key: 'ram', value: 8192 },
  { section: 'listener', key: 'max_sessions', value: 0 },
  { section: 'listener', key: 'max_packet_size', value: 512 },
  { section: 'upstream', key: 'max_packet_size', value: 512 },
  { section: 'listener', key: 'max_queued_bytes', value: 512 },
  { section: 'listener', key: 'max_retained_bytes', value: 1024 },
  { section: 'store', key: 'ram', value: 4096 },
  { section: 'memory', key: 'topics', value: 16 },
  { section: 'listener', key: 'max_connections', value: 4 },
  { section: 'store', key: 'ram', value: 2048 },
  { section: 'listener', key: 'max_connections', value: 3 },
  { section: 'listener', key: 'max_connections', value: 2 },
  { section: 'listener', key: 'max_connections', value: 1 },
];

type Sizes = Readonly<Record<Section, Record<string, number>>>;

const sizesOf = (configuration: Configuration): Sizes => configuration as unknown as Sizes;

/**
 * A configuration with one size lowered; undefined when it is as low already. `max_sessions` follows the connections.
 */
function lowered(configuration: Configuration, { key, section, value }: Step): Configuration | undefined {
  const wanted = key === 'max_sessions' ? sessionsFor(configuration.listener.max_connections) : value;
  if (sizesOf(configuration)[section][key]! <= wanted)
    return undefined;
  const changed = { ...configuration, [section]: { ...configuration[section], [key]: wanted } };
  const { listener } = changed;
  return key === 'max_connections'
    ? { ...changed, listener: { ...listener, max_sessions: Math.min(listener.max_sessions, sessionsFor(wanted)) } }
    : settled(changed, configuration, section, key);
}

/** A queue that would not hold the longest message that is let in is refused: it gets as much as it needs. */
function settled(
  changed: Configuration, before: Configuration, section: Section, key: string,
): Configuration | undefined {
  const least = limitConflicts(changed).find(({ path }) => path[0] === section && path[1] === key)?.least;
  if (least === undefined)
    return changed;
  return least < sizesOf(before)[section][key]! ? { ...changed, [section]: { ...changed[section], [key]: least } }
    : undefined;
}

/**
 * @param fits whether a configuration fits the board
 * @returns the sizes to write, by section, as JSON; undefined when there are none with which it fits
 */
export function proposeSizes(configuration: Configuration, fits: (configuration: Configuration) =>
  boolean): string | undefined {
  const taken: Step[] = [];
  let current = configuration;
  for (const step of STEPS) {
    if (fits(current))
      break;
    const next = lowered(current, step);
    if (next !== undefined) {
      current = next;
      taken.push(step);
    }
  }
  if (!fits(current))
    return undefined;
  for (const step of [...taken]) { // a later one may have made it needless
    const others = taken.filter(other => other !== step);
    const without = others.reduce((result, other) => lowered(result, other) ?? result, configuration);
    if (fits(without)) {
      taken.splice(taken.indexOf(step), 1);
      current = without;
    }
  }
  return describeSizes(configuration, current);
}

function describeSizes(before: Configuration, after: Configuration): string {
  const sections = (['upstream', 'listener', 'store', 'memory'] as const).map(section => {
    const changed =
      Object.entries(sizesOf(after)[section]).filter(([key, value]) => sizesOf(before)[section][key] !== value);
    return changed.length === 0 ? ''
      : `"${section}": { ${changed.map(([key, value]) => `"${key}": ${value}`).join(', ')} }`;
  });
  return sections.filter(text => text !== '').join(', ');
}
