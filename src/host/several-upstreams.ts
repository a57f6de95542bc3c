/**
 * A configuration with several upstreams is one for each: the first one has nodes, sensors and the page, the others
 * have the rules that name them. Here it is taken apart, and what is found in a part is put where it stands in the
 * file.
 */
import type { PartialConfiguration } from '../config/configuration.ts';
import { DEFAULT_NAME, DEFAULT_STORE } from '../config/defaults.ts';
import type { Finding, Path } from '../rules/findings.ts';

/** What a rule says that is about each upstream. */
const EACH = '*';
const NAME = /^[A-Za-z0-9_.-]+$/;

interface View {
  /** Of the upstream; empty: it is the only one, and has none. */
  readonly name: string;
  readonly value: PartialConfiguration;
  /** Where something of `value` stands in the file. @returns undefined: it is not this part's to judge */
  place(path: Path): Path | undefined;
}

type Upstream = NonNullable<PartialConfiguration['upstream']>;
type Rule = NonNullable<PartialConfiguration['topic']>[number];

/** What a part takes from `listener`: what a node may send and have, not who may connect. */
const SIZES = ['max_packet_size', 'max_inflight_messages', 'max_unreleased_messages', 'max_queued_messages',
  'max_queued_bytes', 'max_retained_messages', 'max_retained_bytes'] as const;

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
  const views = list.map((entry, index): View => {
    const places = rules.flatMap((rule, at) => isOf(rule, index) && (index === 0 || !isOfSystem(rule)) ? [at] : []);
    const prefix: Path = isList ? ['upstream', index] : ['upstream'];
    return {
      name: names[index]!,
      value: index === 0 ? first(whole, entry, places) : further(whole, entry, places),
      place: ([section, at, ...rest]) => section === 'upstream' ? [...prefix, ...at === undefined ? [] : [at], ...rest]
        : section === 'topic' && typeof at === 'number' ? ['topic', places[at]!, ...rest]
        : index > 0 ? undefined : [section!, ...at === undefined ? [] : [at], ...rest],
    };
  });
  return { views, findings };
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

/** A gateway whose only node is the first one. */
function further(whole: PartialConfiguration, { name = '', ...upstream }: Upstream, places: readonly number[]):
  PartialConfiguration {
  const { listener = {}, log_level, memory, name: gateway = DEFAULT_NAME, store = {} } = whole;
  const sizes = Object.fromEntries(SIZES.filter(key => listener[key] !== undefined).map(key => [key, listener[key]]));
  return {
    name: `${gateway}-${name}`,
    ...log_level !== undefined && { log_level },
    ...memory !== undefined && { memory },
    upstream,
    listener: { ...sizes, ...FOR_A_CABLE },
    store: { ...store, path: `${store.path ?? DEFAULT_STORE.path}-${name}` },
    topic: rulesAt(whole, places),
  };
}
