/** Where `ringbridge check` says that a topic goes is where it goes at run time. */
import { describe, expect, test } from 'vitest';
import type { AccessConfiguration, PartialConfiguration } from '../../src/config/configuration.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { Routing } from '../../src/host/routing.ts';
import { reportTopic } from '../../src/host/topic-report.ts';
import { Random } from '../simulation/random.ts';
import { DISCONNECT, publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const USERS = [{ username: 'anna' }, { username: 'bert', mount_point: 'm/%u/' }, { username: 'carl', mount_point: '%c/' }];
const LEVELS = ['a', 'b', 'm', 'bert', '$x'];
const PATTERNS = ['#', 'a/#', '+/b', 'm/+/a', 'b', ''];
const PREFIXES = ['', 'a/', 'x/y/', 'm/'];
const RIGHTS: AccessConfiguration['access'][] = ['read', 'write', 'readwrite', 'deny'];

const pick = <Value>(random: Random, values: readonly Value[]): Value => values[random.integer(0, values.length - 1)]!;

function anyConfiguration(random: Random): PartialConfiguration {
  const topic = Array.from({ length: random.integer(0, 4) }, () => {
    const pattern = pick(random, PATTERNS);
    const [local_prefix, remote_prefix] = pattern === '' ? ['a/b', 'q/r'] : [pick(random, PREFIXES), pick(random, PREFIXES)];
    return {
      pattern, local_prefix, remote_prefix,
      direction: pick(random, ['in', 'out', 'both'] as const), qos: random.integer(0, 2), store: random.integer(0, 1) === 0,
    };
  });
  const acl = Array.from({ length: random.integer(0, 4) }, () => ({
    user: pick(random, [null, 'anna', 'bert']), topic: pick(random, ['#', 'a/#', 'm/%u/#', '%c/+', '+/b', '$x/#']),
    access: pick(random, RIGHTS),
  }));
  const upstream = {
    max_qos: random.integer(0, 2), max_topic_levels: pick(random, [2, 3, 200]),
    max_topic_length: pick(random, [5, 65_535]),
    bridge_max_packet_size: pick(random, [0, 14]),
  };
  return { topic, listener: { users: USERS, acl, allow_anonymous: true }, upstream };
}

const anyTopic = (random: Random): string =>
  Array.from({ length: random.integer(1, 3) }, () => pick(random, LEVELS)).join('/');

/** A gateway with a broker; who names a user is that user. */
const running = (configuration: PartialConfiguration): World => World.connected({
  configuration,
  authenticator: {
    authenticate: (session, { arena, userNameLength, userNameOffset: at }) => {
      const name = Buffer.from(arena.bytes.subarray(at, at + Math.max(userNameLength, 0))).toString();
      session.user = USERS.findIndex(({ username }) => username === name);
      return 0;
    },
  },
});

/** What the broker gets, each as `name qQOS`, when a node of a running gateway publishes. */
function publishedByGateway(world: World, user: string | null, topic: string, qos: number): string[] {
  const { length } = world.uplink.packets;
  const node = world.node('c1', user === null ? {} : { user });
  node.send(publish(topic, '', { qos, identifier: 9 }), DISCONNECT);
  world.run(100);
  return world.uplink.packets.slice(length)
    .flatMap(packet => packet.cmd === 'publish' ? [`${packet.topic} q${packet.qos}`] : []);
}

describe('the answer where a topic goes', () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('is what a running gateway does, configuration %i', seed => {
    const random = new Random(seed);
    const partial = anyConfiguration(random);
    const world = running(partial);
    const routing = new Routing(world.gateway.configuration);
    for (let count = 0; count < 12; ++count) {
      const topic = anyTopic(random), qos = random.integer(0, 2);
      const user = pick(random, [null, 'anna', 'bert', 'carl']);
      const { refusal, upstream } = routing.publish(topic, { user, clientid: 'c1' }, qos);
      const denied = world.gateway.deniedCount;
      expect(publishedByGateway(world, user, topic, qos), `${user} ${topic} q${qos}`)
        .toEqual(upstream === undefined ? [] : [`${upstream.name} q${upstream.qos}`]);
      expect(world.gateway.deniedCount - denied, `${user} ${topic}`).toBe(refusal === undefined ? 0 : 1);
    }
  });

  /** What a node or the broker sends, and what it is in a question: half of a character has no bytes. */
  const FLAWED: readonly (readonly [topic: string, half: string])[] = [
    ...['a\x01', '\x1Fabcdefg', 'a\x7F', 'a\x85b', 'a\uFFFE', '\uFDD0', 'b/\u{1FFFF}', 'a\0', 'a/\0b'].map(topic => [topic, ''] as const),
    ['a\uD800', 'eda080'], ['\uDE00b', 'edb880'],
  ];
  const MARK = '@@@';
  const sent = (topic: string, half: string): Uint8Array => {
    const packet = publish(half === '' ? topic : topic.replace(/[\uD800-\uDFFF]/, MARK), 'x', { qos: 1, identifier: 9 });
    return Buffer.from(Buffer.from(packet).toString('hex').replace(Buffer.from(MARK).toString('hex'), half), 'hex');
  };

  test.each(FLAWED)('is that the connection ends for the topic %j, unless listener.acl forbids it first', (topic, half) => {
    for (const acl of [[], [{ user: null, topic: '#', access: 'write' }], [{ user: null, topic: 'other', access: 'write' }]] as const) {
      const world = running({ topic: [{}], listener: { users: USERS, acl, allow_anonymous: true } });
      for (const user of [null, 'anna', 'bert', 'carl'] as const) {
        const node = world.node('c1', user === null ? {} : { user });
        const answer = node.ask(sent(topic, half));
        const report = reportTopic(world.gateway.configuration, { topic, user, qos: 1, clientid: 'c1' }).report!;
        expect(answer.join(), `${user} ${JSON.stringify(acl)}`).toBe(report.includes('closes the connection of the node, and acknowledges nothing')
          ? 'closed' : 'PUBACK #9');
        expect(report).toMatch(/right\s+refused: /);
        node.send(DISCONNECT);
        world.run(50);
      }
    }
  });

  test.each(FLAWED)('is what becomes of the broker\'s topic %j', (topic, half) => {
    for (const pattern of ['#', 'other']) {
      const world = running({ topic: [{ pattern, direction: 'in' }] });
      world.uplink.send(sent(topic, half));
      world.run(100);
      const { report } = reportTopic(world.gateway.configuration, { topic, user: null, qos: 1, clientid: 'c1' });
      const { unfitCount } = world.gateway.bridge;
      expect([world.isConnected, unfitCount]).toEqual([!report!.includes('ends the connection to the broker'),
        report!.includes('is acknowledged, dropped and named') ? 1 : 0]);
    }
  });

  test.each(['x\x01', 'x\uFFFF', 'x\0', 'x\uD800', '', 'x'.repeat(93)])('is none for a node that is not let in: client identifier %j', clientid => {
    const question = { topic: 'a', user: null, qos: 1, clientid };
    expect(reportTopic(completeConfiguration(FILE), question)).toEqual({ error: expect.stringMatching(/; ask with /) });
  });

  test.each(Array.from({ length: 30 }, (_, seed) => seed + 100))('names who gets what the broker sends, configuration %i', seed => {
    const random = new Random(seed);
    const world = running(anyConfiguration(random));
    const routing = new Routing(world.gateway.configuration);
    for (const user of [null, 'anna', 'bert', 'carl'] as const)
      for (let count = 0; count < 6; ++count) {
        const topic = anyTopic(random);
        const incoming = routing.receive(topic, 0);
        const reader = incoming === undefined ? undefined
          : routing.readersOf(incoming.name, 'c1').find(other => other.user === user);
        const node = world.node('c1', user === null ? {} : { user }, subscribe(1, '#', 0, '$x/#', 0, 'm/#', 0));
        world.uplink.send(publish(topic, 'x', { qos: 0 }));
        world.run(100);
        expect(node.take().filter(event => event.startsWith('PUBLISH')), `${user} ${topic}`)
          .toEqual(reader === undefined ? [] : [`PUBLISH ${reader.name}=x q0`]);
        node.send(DISCONNECT);
        world.run(50);
      }
  });
});

const FILE: PartialConfiguration = {
  listener: {
    users: USERS,
    acl: [
      { user: null, topic: 'sensors/%u/#', access: 'write' }, { user: null, topic: 'm/#', access: 'readwrite' },
      { user: null, topic: 'sensors/anna/secret', access: 'deny' },
    ],
  },
  topic: [
    { pattern: '#', direction: 'out', qos: 1, remote_prefix: 'site/' },
    { pattern: 'command/#', direction: 'in', qos: 1, local_prefix: 'm/', remote_prefix: 'site/' },
  ],
};

const ask = (topic: string, user: string | null | undefined, qos = 1, partial = FILE): string[] => {
  const { error, report } = reportTopic(completeConfiguration(partial), { topic, user, qos, clientid: 'c1' });
  return (report ?? error!).split('\n').map(line => line.trim().replace(/ {2,}/, ': '));
};

describe('the report about a topic', () => {
  test('says right, rule, name at the broker, QoS, store and limit', () => {
    expect(ask('sensors/anna/t', 'anna', 2)).toEqual([
      '"sensors/anna/t", published by user "anna" with QoS 2:',
      'right: allowed by listener.acl[0]',
      'broker: gets "site/sensors/anna/t" with QoS 1, by topic[0] ("#", out)',
      'kept: in memory (store.ram), until a restart, while the broker is away; when that is full: drop_oldest',
      'nodes: nobody may read it',
      'limit: 1003 bytes of payload (listener.max_packet_size)',
      '',
      '"sensors/anna/t" at the broker, published there with QoS 2:',
      'here: does not arrive: no rule of direction "in" matches',
    ]);
  });

  test('names the entry that denies, and says when none allows', () => {
    expect(ask('sensors/anna/secret', 'anna')[1]).toBe('right: refused: denied by listener.acl[2]');
    expect(ask('sensors/bert/t', 'anna')[1]).toBe('right: refused: no entry of listener.acl allows it');
    expect(ask('x', null)[1]).toBe('right: refused: nodes without user may not connect (listener.allow_anonymous)');
  });

  test('puts the mount point in front', () => {
    expect(ask('t', 'bert').slice(1, 4)).toEqual([
      'right: allowed by listener.acl[1]', 'full name: "m/bert/t", by listener.users.mount_point',
      'broker: gets "site/m/bert/t" with QoS 1, by topic[0] ("#", out)',
    ]);
  });

  test('says what a topic of the broker becomes, and for whom', () => {
    expect(ask('site/command/x', undefined).slice(-3)).toEqual([
      'here: arrives as "m/command/x" with QoS 1, by topic[1] ("command/#", in)',
      'nodes: get it if they subscribe to it: user "anna" as "m/command/x"',
      'limit: 1003 bytes of payload (upstream.max_packet_size)',
    ]);
  });

  test('says which limit of the broker keeps it here, and how long a payload may be', () => {
    const upstream = { max_topic_levels: 3, max_topic_length: 20, bridge_max_packet_size: 500, profile: 'nats' as const, max_qos: 1 };
    const topic = [{ pattern: 'a/#', direction: 'out' as const, qos: 2, remote_prefix: 'site/' }, { pattern: 'b/#', qos: 0, store: false }];
    const partial = { upstream, topic, listener: { allow_anonymous: true } };
    expect(ask('a/b/c', null, 2, partial)).toContain(
      'broker: does not get it: topic[0] matches, but its topic at the broker would have more than 3 levels (upstream.max_topic_levels); '
      + 'it is set aside (store.quarantine)');
    expect(ask(`b/${'x'.repeat(20)}`, null, 1, partial)).toContain(
      'broker: does not get it: topic[1] matches, but its topic at the broker would have more than 20 bytes (upstream.max_topic_length); '
      + 'it is dropped and counted');
    expect(ask('a/b.c', null, 1, partial).join()).toMatch(/matches, but its topic has a space or a dot.*upstream\.profile/);
    const report = ask('a/b', null, 2, partial).join();
    expect(report).toContain('gets "site/a/b" with QoS 1, by topic[0]');
    expect(report).toContain(', 485 for the broker (upstream.bridge_max_packet_size)');
  });

  test('warns of what comes back', () => {
    const looped = { ...FILE, listener: { users: USERS }, topic: [{ pattern: 'c/#', direction: 'both' as const }] };
    expect(ask('c/x', 'anna', 1, looped)).toContain('loop: the broker sends it back, and by topic[0] ("c/#", both) it is "c/x" here: '
      + 'nodes that subscribe to it get it twice');
  });

  test('says that QoS 0 is not kept, what a rule without store does, and where a durable store is', () => {
    const kept = (qos: number, rule: object, store = {}): string =>
      ask('a', 'anna', qos, { listener: { users: USERS }, topic: [{ pattern: '#', ...rule }], store }).find(line => line.startsWith('kept'))!;
    expect(kept(0, {})).toBe('kept: no: what is published with QoS 0 is lost while the broker is away');
    expect(kept(1, { store: false })).toContain('its rule says "store": false');
    expect(kept(1, { qos: 0, expiry: 60, full: 'drop_newest' }, { durability: 'flash', path: '/x.store' }))
      .toBe('kept: in /x.store, over a restart as well, while the broker is away; when that is full: drop_newest; '
        + 'given up after 60 seconds; what had to wait is sent with QoS 1');
  });

  test('refuses a question about what is no topic, and about nobody', () => {
    expect(ask('a/#', undefined)[0]).toContain('"a/#" is no Topic Name');
    expect(ask('', undefined)[0]).toContain('"" is no Topic Name');
    expect(ask('a'.repeat(70_000), undefined)[0]).toContain('is no Topic Name, or one too long for any packet');
    expect(ask('a', 'dora')[0]).toBe('there is no user "dora" in listener.users; ask for one of "anna", "bert", "carl"');
  });
});

describe('the tests of a configuration', () => {
  const errorsOf = (tests: readonly object[]): readonly string[] => {
    const hash = 'scrypt$16384$8$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==';
    const users = USERS.map(user => ({ ...user, password_hash: hash }));
    return readConfiguration(JSON.stringify({ ...FILE, listener: { ...FILE.listener, users }, tests }), 'f').errors
      .map(line => line.replace(/^f:1:\d+: /, ''));
  };

  test('pass when they tell what is the case', () => {
    expect(errorsOf([
      { publish: 'sensors/anna/t', user: 'anna', expect: { allowed: true, remote: 'site/sensors/anna/t', qos: 1, stored: true, readers: [] } },
      { publish: 'sensors/anna/t', qos: 0, expect: { qos: 0, stored: false } },
      { publish: 'sensors/anna/secret', user: 'anna', expect: { allowed: false, remote: null, qos: null } },
      { publish: 't', user: 'bert', expect: { local: 'm/bert/t', readers: ['bert', 'anna'] } },
      { publish: 'x', user: null, expect: { allowed: false } },
      { receive: 'site/command/x', expect: { local: 'm/command/x', qos: 1, readers: ['anna'] } },
      { receive: 'elsewhere', expect: { local: null } },
    ])).toEqual([]);
  });

  test('fail with what is the case, and why', () => {
    expect(errorsOf([
      { publish: 'sensors/anna/t', user: 'anna', expect: { remote: 'site/t', qos: 2 } },
      { publish: 'sensors/anna/secret', user: 'anna', expect: { remote: 'site/sensors/anna/secret' } },
      { receive: 'site/else', expect: { local: 'm/else' } },
    ])).toEqual([
      'tests[0].expect.remote: this test fails: it is "site/sensors/anna/t", because topic[0] decides; correct that, or write "site/sensors/anna/t" here',
      'tests[0].expect.qos: this test fails: it is 1, because topic[0] decides; correct that, or write 1 here',
      'tests[1].expect.remote: this test fails: it is null, because listener.acl does not allow it; correct that, or write null here',
      'tests[2].expect.local: this test fails: it is null, because no rule of direction "in" matches; correct that, or write null here',
    ]);
  });

  test('know what the broker is known not to take', () => {
    const { errors } = readConfiguration(JSON.stringify({
      upstream: { max_topic_levels: 3, max_qos: 1 }, topic: [{ pattern: 'a/#', qos: 2 }],
      tests: [{ publish: 'a/b', qos: 2, expect: { remote: 'a/b', qos: 2 } }, { publish: 'a/b/c/d', expect: { remote: 'a/b/c/d' } }],
    }), 'f.json');
    expect(errors.map(error => error.replace(/^\S+ /, ''))).toEqual([
      'tests[0].expect.qos: this test fails: it is 1, because topic[0] decides; correct that, or write 1 here',
      'tests[1].expect.remote: this test fails: it is null, because topic[0] matches, but its topic at the broker would have more than '
      + '3 levels (upstream.max_topic_levels); correct that, or write null here']);
  });

  test('that ask for nothing, for two things, for no topic or for nobody are mistakes', () => {
    expect(errorsOf([
      { publish: 'a', expect: {} }, { publish: 'a', receive: 'b', expect: { qos: 1 } }, { expect: { qos: 1 } },
      { publish: 'a/#', expect: { qos: 1 } }, { publish: 'a', user: 'dora', expect: { qos: 1 } },
      { receive: 'a', expect: { remote: 'b' } },
    ]).map(line => line.replace(/:.*/, ''))).toEqual(
      ['tests[0]', 'tests[1]', 'tests[2]', 'tests[3].publish', 'tests[4].user', 'tests[5].expect.remote']);
    expect(errorsOf([{ publish: 'a', exect: { qos: 1 } }])).toEqual([
      'tests[0]: the key "expect" is missing; write it as well', 'tests[0].exect: there is no such key; write "expect" instead',
    ]);
  });
});
