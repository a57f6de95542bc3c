/**
 * The `tests` of a configuration: what its author expects of topics, checked before the file is used, so that an edit
 * cannot send messages elsewhere without a word. Who decides where a topic goes is routing.ts.
 */
import type { Configuration } from '../config/configuration.ts';
import type { TopicTest } from '../config/topic-test.ts';
import type { Finding } from '../rules/findings.ts';
import { Routing } from './routing.ts';
import type { Outgoing, Sender } from './routing-answers.ts';
import { flawOf, objectionTo } from './topic-flaws.ts';

/** Where a test says nothing else. */
const DEFAULT_QOS = 1;
export const DEFAULT_CLIENT = 'client';

const quoted = (text: string | null | undefined): string => text === null || text === undefined ? 'null' : `"${text}"`;

/** Those that fail, each with what is the case. @param configuration without errors */
export function findFailedTests(configuration: Configuration, tests: readonly TopicTest[]): Finding[] {
  if (tests.length === 0)
    return [];
  const routing = new Routing(configuration);
  return tests.flatMap((test, index) => judgeTest(routing, test).map(({ path, text }) =>
    ({ path: ['tests', index, ...path], text })));
}

function judgeTest(routing: Routing, test: TopicTest): Finding[] {
  const { clientid = DEFAULT_CLIENT, publish, receive, user } = test;
  const { listener } = routing.configuration;
  const topic = publish ?? receive;
  if (topic === undefined || publish !== undefined && receive !== undefined)
    return [{ path: [], text: 'write either "publish", the topic of a node, or "receive", a topic of the broker' }];
  if (!routing.isTopicName(topic))
    return [{
      path: [publish === undefined ? 'receive' : 'publish'],
      text: `"${topic}" is no Topic Name, or one too long for any packet; write one without "+" and "#" instead`,
    }];
  if (typeof user === 'string' && !listener.users.some(({ username }) => username === user))
    return [{ path: ['user'], text: `there is no user "${user}"; write one of listener.users, or leave it out` }];
  const objection = objectionTo(clientid, listener.max_clientid_length);
  if (objection !== undefined)
    return [{ path: ['clientid'], text: objection.replace('ask with', 'write') }];
  const expected = Object.entries(test.expect ?? {});
  if (expected.length === 0)
    return [{ path: [], text: 'expects nothing; write for example "expect": { "remote": "site/a/b", "qos": 1 }' }];
  const found = publish === undefined ? receiving(routing, test, topic)
    : publishing(routing, test, user === undefined ? undefined : { user, clientid });
  return expected.flatMap(([key, value]) => judgeExpectation(key, value, found));
}

/** What a test may ask for, and why it is so. */
interface Found {
  readonly values: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

/** @param sender undefined: nobody in particular, as if the gateway itself published it */
function publishing(routing: Routing, test: TopicTest, sender: Sender | undefined): Found {
  const { clientid = DEFAULT_CLIENT, publish = '', qos = DEFAULT_QOS } = test;
  const outgoing = sender === undefined ? routing.publishReading(publish, qos) : routing.publish(publish, sender, qos);
  const { localName, refusal, upstream } = outgoing;
  const values = {
    allowed: refusal === undefined,
    local: refusal === undefined ? localName : null,
    remote: upstream?.name ?? null,
    qos: upstream?.qos ?? null,
    stored: upstream !== undefined && qos !== 0 && upstream.policy.keeps,
    readers: refusal === undefined ? namesOf(routing, localName, clientid) : [],
  };
  return { values, reason: reasonOf(routing, outgoing) };
}

function receiving(routing: Routing, test: TopicTest, topic: string): Found {
  const { clientid = DEFAULT_CLIENT, qos = DEFAULT_QOS } = test;
  const isUnfit = flawOf(topic) !== undefined;
  const incoming = isUnfit ? undefined : routing.receive(topic, qos);
  return {
    values: {
      local: incoming?.name ?? null,
      qos: incoming?.qos ?? null,
      readers: incoming === undefined ? [] : namesOf(routing, incoming.name, clientid),
    },
    reason: isUnfit ? 'no node may have such a name' : incoming === undefined ? 'no rule of direction "in" matches' : `topic[${incoming.rule}] decides`,
  };
}

const namesOf = (routing: Routing, localName: string, clientid: string): (string | null)[] =>
  routing.readersOf(localName, clientid).map(({ user }) => user);

/** Why a message goes where it goes, in a few words. */
export function reasonOf(routing: Routing, { refusal, unfitRule, unsent, upstream }: Outgoing): string {
  const { configuration } = routing;
  switch (refusal) {
    case 'anonymous': return 'nodes without user may not connect (listener.allow_anonymous)';
    case 'acl': return 'listener.acl does not allow it';
    case 'name': return 'the user name or client identifier fits no mount point';
    case 'mount_point': return 'the topic fits no mount point';
    case 'system': return 'only the gateway itself publishes below $SYS/';
    case 'unfit':
    case 'malformed': return 'the listener closes the connection of a node that publishes such a name';
  }
  if (unfitRule !== undefined)
    return `topic[${unfitRule}] matches, but what it would make of the name is empty or too long`;
  if (unsent !== undefined)
    return `topic[${unsent.rule}] matches, but ${routing.describeUnsent(unsent)}`;
  return upstream !== undefined ? `topic[${upstream.rule}] decides`
    : `${configuration.topic.length === 0 ? 'there are no topic rules' : 'no rule of direction "out" matches'}`;
}

function judgeExpectation(key: string, expected: unknown, { reason, values }: Found): Finding[] {
  if (!(key in values))
    return [{
      path: ['expect', key],
      text: 'says nothing about a topic of the broker; write "local", "qos" or "readers" instead',
    }];
  const value = values[key];
  if (isSame(expected, value))
    return [];
  const shown = typeof value === 'string' || value === null ? quoted(value) : JSON.stringify(value);
  const why = key === 'readers' ? 'listener.acl and the mount points say so' : reason;
  return [{
    path: ['expect', key],
    text: `this test fails: it is ${shown}, because ${why}; correct that, or write ${shown} here`,
  }];
}

function isSame(expected: unknown, value: unknown): boolean {
  if (!Array.isArray(expected) || !Array.isArray(value))
    return expected === value;
  const sorted = (list: readonly unknown[]): string => JSON.stringify(list.map(each => JSON.stringify(each)).sort());
  return sorted(expected) === sorted(value);
}
