/**
 * A configuration with several upstreams is one for each: the first one has nodes, sensors and the page, the others
 * have the rules that name them. Here it is taken apart, and what is found in a part is put where it stands in the
 * file.
 */
import type { Configuration, PartialConfiguration } from '../config/configuration.ts';
import { completeConfiguration } from '../config/complete-configuration.ts';
import { DEFAULT_NAME, PC_SIZES } from '../config/defaults.ts';
import { overlap } from '../rules/topic-texts.ts';
import type { Finding, Path } from '../rules/findings.ts';

/** What a rule says that is about each upstream. */
const EACH = '*';
const NAME = /^[A-Za-z0-9_.-]+$/;

export interface View {
  /** Of the upstream; empty: it is the only one, and has none. */
  readonly name: string;
  readonly value: PartialConfiguration;
  /** Where something of `value` stands in the file. @returns undefined: it is not this part's to judge */
  place(path: Path): Path | undefined;
  /** A text that names rules of `value`, with their numbers in the file. */
  wordsOf(text: string): string;
}

type Upstream = NonNullable<PartialConfiguration['upstream']>;
type Rule = NonNullable<PartialConfiguration['topic']>[number];

/** What a part takes from `listener`: what a node may send and have, not who may connect. */
const SIZES = ['max_packet_size', 'max_inflight_messages', 'max_unreleased_messages', 'max_queued_messages',
  'max_queued_bytes', 'max_retained_messages', 'max_retained_bytes'] as const;

/** Bytes by which a packet may be longer on the way between two gateways than it came: of properties, and a prefix. */
const CABLE_OVERHEAD = 1024;
/** As in the schema. */
const SHORTEST_PACKET = 128;

/** The first gateway is the only node, for ever. */
const FOR_A_CABLE = Object.freeze(
  { max_connections: 1, max_sessions: 1, allow_anonymous: true, sys_interval: 0, persistent_client_expiration: 0 });

interface Views {
  /** The first one first. */
  readonly views: readonly View[];
  /** What is wrong with the names. */
  readonly findings: readonly Finding[];
}

/** @param whole of the right form */
export function viewsOf(whole: PartialConfiguration): Views {
  const upstream = whole.upstream as Upstream | readonly Upstream[] | undefined;
  const isList = Array.isArray(upstream);
  const list: readonly Upstream[] = isList ? upstream : [upstream ?? {}];
  const names = list.map(({ name = '' }) => name);
  const rules = whole.topic ?? [];
  const findings = [...isList ? findingsOf(list) : [], ...rules.flatMap((rule, index) => judge(rule, index, names))];
  const isOf = ({ upstream: wanted = names[0]! }: Rule, index: number): boolean =>
    wanted === EACH || wanted === names[index] || index === 0 && !names.includes(wanted);
  // As they come out of what is written, and of what has to fit into what.
  const limits = completeConfiguration(list.length > 1 ? first(whole, list[0]!, []) : {}, PC_SIZES);
  const views = list.map((entry, index): View => {
    const places = rules.flatMap((rule, at) => isOf(rule, index) && (index === 0 || !isOfSystem(rule)) ? [at] : []);
    const prefix: Path = isList ? ['upstream', index] : ['upstream'];
    return {
      name: names[index]!,
      value: index === 0 ? first(whole, entry, places) : further(whole, entry, places, limits),
      wordsOf: text => text.replace(/\btopic\[(\d+)\]/g, (_all, at: string) => `topic[${places[Number(at)] ?? at}]`),
      place: ([section, at, ...rest]) => section === 'upstream' ? [...prefix, ...at === undefined ? [] : [at], ...rest]
        : section === 'topic' && typeof at === 'number' ? ['topic', places[at]!, ...rest]
        : index > 0 && section !== 'store' ? undefined : [section!, ...at === undefined ? [] : [at], ...rest],
    };
  });
  return { views, findings: [...findings, ...longerThanListener(list, limits), ...storms(views)] };
}

/** What a further broker may send must find its way to nodes. */
function longerThanListener(list: readonly Upstream[], { listener: { max_packet_size } }: Configuration): Finding[] {
  const most = Math.max(SHORTEST_PACKET, max_packet_size - CABLE_OVERHEAD);
  return list.flatMap(({ max_packet_size: wanted = 0 }, index): Finding[] => index === 0 || wanted <= most ? []
    : [{ path: ['upstream', index, 'max_packet_size'], text: `nodes get what comes from there as messages of a node, of ${max_packet_size} `
      + `bytes at most (listener.max_packet_size); write ${most} or less instead` }]);
}

/** Rules by which a broker before 5.0 sends back what it gets. @returns the place of one, -1: there is none */
function echoOf({ value: { topic = [], upstream = {} } }: View): number {
  if (upstream.bridge_protocol_version === 'mqttv50') // No Local
    return -1;
  const remoteOf = ({ pattern = '#', remote_prefix = '' }: Rule): string => remote_prefix + pattern;
  return topic.findIndex(out => out.direction !== 'in' && topic.some(inward =>
    inward.direction !== undefined && inward.direction !== 'out' && overlap(remoteOf(out), remoteOf(inward))));
}

/** Two brokers that send back what they get pass it to each other for ever. */
function storms(views: readonly View[]): Finding[] {
  const found = views.map(view => ({ view, at: echoOf(view) })).filter(({ at }) => at >= 0);
  return found.length < 2 ? [] : found.map(({ at, view }) => ({ path: view.place(['topic', at, 'direction'])!,
    text: `what goes out by this rule comes back from upstream "${view.name}", goes to another one, and so round for ever; write `
      + '"bridge_protocol_version": "mqttv50" in all upstreams but one, or rules of "in" and "out" with different topics' }));
}

function findingsOf(list: readonly Upstream[]): Finding[] {
  return list.flatMap(({ name }, index): Finding[] => {
    const path: Path = ['upstream', index, 'name'];
    if (Array.isArray(list[index]))
      return [{ path: ['upstream', index], text: 'must be an object {...}, not a list [...]; write its entries instead' }];
    if (name === undefined)
      return list.length === 1 ? []
        : [{ path: ['upstream', index], text: 'each of several upstreams has a name; write "name": "cloud" as well' }];
    if (!NAME.test(name))
      return [{ path, text: `"${name}" is no name of an upstream; write letters, digits, "-", "_" and "." only` }];
    return list.findIndex(other => other.name === name) < index
      ? [{ path, text: `there is an upstream "${name}" already; write another name instead` }] : [];
  });
}

/** Nodes do not publish there, and to a further gateway the first one is a node. */
const isOfSystem = ({ local_prefix = '', pattern = '#' }: Rule): boolean => (local_prefix + pattern).startsWith('$');

function judge(rule: Rule, index: number, names: readonly string[]): Finding[] {
  const { upstream } = rule;
  if (upstream === undefined)
    return [];
  const path: Path = ['topic', index, 'upstream'];
  const choices = [...names.filter(name => name !== ''), EACH].map(name => `"${name}"`).join(' or ');
  if (upstream !== EACH && !names.includes(upstream))
    return [{ path, text: `there is no upstream "${upstream}"; write ${choices} instead` }];
  return upstream !== EACH && upstream !== names[0] && isOfSystem(rule)
    ? [{ path, text: 'what begins with "$" goes to the first upstream only; leave this out' }] : [];
}

const rulesAt = (whole: PartialConfiguration, places: readonly number[]): Rule[] =>
  places.map(at => without('upstream', whole.topic![at]!));

function without<Key extends string, Value extends object>(key: Key, value: Value): Omit<Value, Key> {
  const rest: Value & Partial<Record<Key, unknown>> = { ...value };
  delete rest[key];
  return rest;
}

function first(whole: PartialConfiguration, upstream: Upstream, places: readonly number[]): PartialConfiguration {
  return {
    ...whole,
    ...whole.upstream !== undefined && { upstream: without('name', upstream) },
    ...whole.topic !== undefined && { topic: rulesAt(whole, places) },
  };
}

/** A gateway whose only node is the first one. @param limits of the first one, complete */
function further(whole: PartialConfiguration, { name = '', ...upstream }: Upstream, places: readonly number[],
  limits: Configuration): PartialConfiguration {
  const { listener = {}, log_level, memory, name: gateway = DEFAULT_NAME, store = {} } = whole;
  const sizes = Object.fromEntries(SIZES.filter(key => listener[key] !== undefined).map(key => [key, listener[key]]));
  const longest = limits.listener.max_packet_size;
  const longestOfAll = Math.max(longest, limits.upstream.max_packet_size) + CABLE_OVERHEAD;
  return {
    name: `${gateway}-${name}`,
    ...log_level !== undefined && { log_level },
    ...memory !== undefined && { memory },
    upstream: { max_packet_size: Math.max(SHORTEST_PACKET, longest - CABLE_OVERHEAD), ...upstream },
    listener: { ...sizes, max_packet_size: longestOfAll, ...FOR_A_CABLE,
      max_queued_bytes: Math.max(limits.listener.max_queued_bytes, 2 * longestOfAll) },
    store: { ...store, ram: Math.max(limits.store.ram, longestOfAll + CABLE_OVERHEAD), path: `${limits.store.path}-${name}` },
    topic: rulesAt(whole, places),
  };
}
