/** `ringbridge check FILE --topic TOPIC`: where a topic goes, in words. Who decides that is routing.ts. */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from '../config/configuration.ts';
import type { FurtherConfiguration } from './config.ts';
import { reasonOf } from './config-tests.ts';
import { printable } from './log.ts';
import { Routing } from './routing.ts';
import type { Crossing, Outgoing, Reader, Refusal, Sender } from './routing-answers.ts';
import { flawOf, objectionTo } from './topic-flaws.ts';

export interface TopicQuestion {
  readonly topic: string;
  /** Undefined: whoever may publish it, a reading of the gateway included. */
  readonly user: string | null | undefined;
  readonly clientid: string;
  readonly qos: number;
}

interface TopicReport {
  readonly report?: string;
  readonly error?: string;
}

type Line = readonly [title: string, text: string];

/** @returns the report, or what is wrong with the question */
export function reportTopic(configuration: Configuration, question: TopicQuestion): TopicReport {
  const { topic, user } = question;
  const routing = new Routing(configuration);
  const { users } = configuration.listener;
  if (!routing.isTopicName(topic))
    return { error: `"${topic}" is no Topic Name, or one too long for any packet; ask for one without "+" and "#"` };
  if (typeof user === 'string' && !users.some(({ username }) => username === user)) {
    const names = users.map(({ username }) => `"${username}"`).join(', ');
    return { error: `there is no user "${user}" in listener.users${names === '' ? '' : `; ask for one of ${names}`}` };
  }
  const objection = objectionTo(question.clientid, configuration.listener.max_clientid_length);
  if (objection !== undefined)
    return { error: objection };
  const parts = [
    user === undefined ? describeLocal(routing, question)
      : describePublishing(routing, question, { user, clientid: question.clientid }),
    describeReceiving(routing, question),
  ];
  if (/\uFFFD/.test(topic))
    parts.push('Note: bytes that are no UTF-8 come from a command line as U+FFFD, which is in this topic. The listener '
      + 'closes the connection of a node that sends such bytes.');
  return { report: parts.join('\n\n') };
}

/** What a further upstream does with the topic, by its name on the gateway's side. */
export function reportFurther({ configuration, name }: FurtherConfiguration, { qos, topic }: TopicQuestion): string {
  const routing = new Routing(configuration);
  const outgoing = routing.publishReading(topic, qos);
  const { upstream } = outgoing;
  const incoming = flawOf(topic) === undefined ? routing.receive(topic, qos) : undefined;
  return section(`"${topic}" and upstream "${name}"`, [
    ...upstream === undefined ? [['broker', 'does not get it: no rule of direction "out" matches']] satisfies Line[]
      : [['broker', `gets "${upstream.name}" with QoS ${upstream.qos}`],
        ['kept', describeKeeping(routing, upstream, qos)]] satisfies Line[],
    ['here', incoming === undefined ? 'does not arrive from there: no rule of direction "in" matches'
      : `arrives from there as "${incoming.name}" with QoS ${incoming.qos}, as if a node had published it`],
  ]);
}

const WHY_CLOSED = {
  unfit: 'the topic has a control character or a non-character, for which brokers and libraries close connections',
  malformed: 'the topic has U+0000 or half of a character (a surrogate), which no text of MQTT has',
} as const;

/** Nobody in particular: first the topic, then who may publish it. */
function describeLocal(routing: Routing, { clientid, qos, topic }: TopicQuestion): string {
  const { listener } = routing.configuration;
  if (topic.startsWith('$SYS/'))
    return section(`"${topic}" here, if it is one of the gateway's figures (every ${listener.sys_interval} seconds)`,
      [describeFigure(routing, topic)]);
  const title = `"${topic}" here, as a reading or a node without mount point publishes it, with QoS ${qos}`;
  const flaw = flawOf(topic);
  if (flaw !== undefined)
    return section(title, describeRefusal(flaw, WHY_CLOSED[flaw]));
  const outgoing = routing.publishReading(topic, qos);
  const senders: Sender[] = listener.users.map(({ username }) => ({ user: username, clientid }));
  if (listener.allow_anonymous)
    senders.push({ user: null, clientid });
  const lines = senders.map((sender): Line => {
    const { localName, refusal } = routing.publish(topic, sender, qos);
    return [nameOf(sender.user), refusal === undefined
      ? `may publish it${localName === topic ? '' : `; from there it is "${localName}": ask with --user`}`
      : `may not: ${whyNot(routing, topic, sender, refusal)}`];
  });
  return section(title,
    [...describeOutgoing(routing, outgoing, { topic, clientid, qos }), ...lines]);
}

/** Of QoS 0, whatever the rule says, and for a broker that is there (upstream/figure-forwarding.ts). */
function describeFigure(routing: Routing, topic: string): Line {
  const outgoing = routing.publishReading(topic, 0);
  const { upstream } = outgoing;
  return ['broker', upstream === undefined ? `does not get it: ${reasonOf(routing, outgoing)}`
    : `gets "${upstream.name}" with QoS 0, retained, while it is connected, by ${ruleName(routing, upstream)}`];
}

function describePublishing(routing: Routing, question: TopicQuestion, sender: Sender): string {
  const { qos, topic } = question;
  const title = `"${topic}", published by ${nameOf(sender.user)}${withClient(routing, sender)} with QoS ${qos}`;
  const outgoing = routing.publish(topic, sender, qos);
  const { localName, refusal } = outgoing;
  if (refusal !== undefined)
    return section(title, describeRefusal(refusal, whyNot(routing, topic, sender, refusal)));
  const lines: Line[] = [['right', whyAllowed(routing, topic, sender)]];
  if (localName !== topic)
    lines.push(['full name', `"${localName}", by listener.users.mount_point`]);
  return section(title, [...lines, ...describeOutgoing(routing, outgoing, question)]);
}

/** What the listener does about it. */
function describeRefusal(refusal: Refusal, why: string): Line[] {
  const isClosed = refusal === 'unfit' || refusal === 'malformed';
  return [['right', `refused: ${why}`], ['goes', refusal === 'anonymous' || refusal === 'name' ? 'nowhere; its CONNECT is refused'
    : isClosed ? 'nowhere; the listener closes the connection of the node, and acknowledges nothing'
      : 'nowhere; QoS 1 and 2 are acknowledged all the same, as MQTT 3.1.1 wants it']];
}

function describeOutgoing(routing: Routing, outgoing: Outgoing, question: Omit<TopicQuestion, 'user'>): Line[] {
  const { echo, localName, unsent, upstream } = outgoing;
  const lines: Line[] = [];
  if (upstream === undefined)
    lines.push(['broker', `does not get it: ${reasonOf(routing, outgoing)}${unsent === undefined ? ''
      : unsent.isSetAside ? '; it is set aside (store.quarantine)' : '; it is dropped and counted'}`]);
  else
    lines.push(['broker', `gets "${upstream.name}" with QoS ${upstream.qos}, by ${ruleName(routing, upstream)}`],
      ['kept', describeKeeping(routing, upstream, question.qos)]);
  lines.push(['nodes', describeReaders(routing.readersOf(localName, question.clientid))],
    ['limit', describeLimit(routing.configuration, question, upstream)]);
  if (echo !== undefined)
    lines.push(['loop', `the broker sends it back, and by ${ruleName(routing, echo)} it is "${echo.name}" here`
      + `${echo.name === localName ? ': nodes that subscribe to it get it twice' : ''}`]);
  return lines;
}

function describeReceiving(routing: Routing, { clientid, qos, topic }: TopicQuestion): string {
  const incoming = routing.receive(topic, qos);
  const title = `"${topic}" at the broker, published there with QoS ${qos}`;
  const flaw = flawOf(topic);
  if (incoming === undefined || flaw !== undefined)
    return section(title, [['here', flaw === 'malformed' ? `ends the connection to the broker: ${WHY_CLOSED.malformed}`
      : flaw === undefined || !routing.asksFor(topic) ? 'does not arrive: no rule of direction "in" matches'
        : `is acknowledged, dropped and named in the log: ${WHY_CLOSED.unfit}`]]);
  const { max_packet_size } = routing.configuration.upstream;
  const { expiry } = routing.configuration.topic[incoming.rule]!;
  return section(title, [
    ['here', `arrives as "${incoming.name}" with QoS ${incoming.qos}, by ${ruleName(routing, incoming)}`],
    ['nodes', describeReaders(routing.readersOf(incoming.name, clientid))],
    ...expiry === 0 ? [] : [['waiting', `for a node that is away; given up after ${expiry} seconds`]] satisfies Line[],
    ['limit', `${payloadLimit(max_packet_size, topic, incoming.qos)} bytes of payload (upstream.max_packet_size)`],
  ]);
}

function describeKeeping(routing: Routing, upstream: NonNullable<Outgoing['upstream']>, messageQoS: number): string {
  const { policy, qos } = upstream;
  const { store } = routing.configuration;
  if (messageQoS === 0)
    return 'no: what is published with QoS 0 is lost while the broker is away';
  if (!policy.keeps)
    return 'in memory while the broker is away, as long as there is room; its rule says "store": false';
  const place = policy.isStored ? `in ${store.path}, over a restart as well` : 'in memory (store.ram), until a restart';
  const full = policy.refusesNew ? 'drop_newest' : policy.keepsLatest ? 'latest_per_topic' : 'drop_oldest';
  const waiting = policy.qosOf(messageQoS);
  return `${place}, while the broker is away; when that is full: ${full}`
    + `${policy.expiry > 0 ? `; given up after ${policy.expiry} seconds` : ''}`
    + `${waiting === qos ? '' : `; what had to wait is sent with QoS ${waiting}`}`;
}

function describeReaders(readers: readonly Reader[]): string {
  if (readers.length === 0)
    return 'nobody may read it';
  const names = readers.map(({ name, user }) => `${nameOf(user)} as "${name}"`);
  return `get it if they subscribe to it: ${names.join(', ')}`;
}

function describeLimit({ listener, upstream: { bridge_max_packet_size } }: Configuration,
  question: Omit<TopicQuestion, 'user'>, upstream: Outgoing['upstream']): string {
  const { max_packet_size, max_publish_rate } = listener;
  const rate = max_publish_rate === 0 ? '' : `, ${max_publish_rate} messages per second (listener.max_publish_rate)`;
  const there = upstream === undefined || bridge_max_packet_size === 0 ? ''
    : `, ${payloadLimit(bridge_max_packet_size, upstream.name, upstream.policy.qosOf(question.qos))} for the broker (upstream.bridge_max_packet_size)`;
  return `${payloadLimit(max_packet_size, question.topic, question.qos)} bytes of payload (listener.max_packet_size)${there}${rate}`;
}

/** Of a PUBLISH that is not longer than `packetLength`. */
function payloadLimit(packetLength: number, topic: string, qos: number): number {
  const lengthBytes = packetLength < 128 + 2 ? 1 : packetLength < 16_384 + 3 ? 2 : packetLength < 2_097_152 + 4 ? 3 : 4;
  return Math.max(0, packetLength - 1 - lengthBytes - 2 - lengthOfUTF8(topic) - (qos === 0 ? 0 : 2));
}

function whyAllowed(routing: Routing, topic: string, sender: Sender): string {
  const { acl } = routing.configuration.listener;
  return acl.length === 0 ? 'allowed: there is no listener.acl'
    : `allowed by ${entries(routing.decidingEntries(topic, sender))}`;
}

function whyNot(routing: Routing, topic: string, sender: Sender, refusal: NonNullable<Outgoing['refusal']>): string {
  if (refusal === 'anonymous')
    return 'nodes without user may not connect (listener.allow_anonymous)';
  if (refusal === 'mount_point')
    return 'the topic fits no mount point (listener.users.mount_point)';
  if (refusal === 'name')
    return 'the user name or client identifier fits no mount point: no "+", "#" or "/" in it (listener.users.mount_point)';
  if (refusal === 'system')
    return 'only the gateway itself publishes below $SYS/';
  if (refusal !== 'acl')
    return WHY_CLOSED[refusal];
  const deciding = routing.decidingEntries(topic, sender);
  return deciding.length > 0 ? `denied by ${entries(deciding)}`
    : `no entry of listener.acl allows it${topic.startsWith('$') ? '; "#" is not about topics that begin with $' : ''}`;
}

const entries = (indices: readonly number[]): string => indices.map(index => `listener.acl[${index}]`).join(' and ');

function ruleName({ configuration }: Routing, { rule }: Crossing): string {
  const { direction, pattern } = configuration.topic[rule]!;
  return `topic[${rule}] ("${pattern}", ${direction})`;
}

const nameOf = (user: string | null): string => user === null ? 'a node without user' : `user "${user}"`;

/** Where it matters. */
function withClient({ configuration: { listener } }: Routing, { clientid, user }: Sender): string {
  const mountPoint = listener.users.find(({ username }) => username === user)?.mount_point ?? '';
  return [mountPoint, ...listener.acl.map(({ topic }) => topic)].some(text => text.includes('%c'))
    ? `, client identifier "${clientid}",` : '';
}

function section(title: string, lines: readonly Line[]): string {
  const width = lines.reduce((most, [name]) => Math.max(most, printable(name).length), 0);
  return [`${title}:`, ...lines.map(([name, text]) => `  ${printable(name).padEnd(width)}  ${text}`)]
    .map(printable).join('\n');
}
