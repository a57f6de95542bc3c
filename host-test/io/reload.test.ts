/**
 * Another configuration for a gateway that runs. The table of effects is proved for every key of the schema: a gateway
 * that has read another value must be, field by field and byte by byte, the one that starts with it, or, where the
 * table says "restart", the one that has not read it; and it is connected anew where the table says so, and only there.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { AT_ONCE, keyEffects, NEXT_CONNECTION, RECONNECTION, RESTART } from '../../src/config/reload-effects.ts';
import { withReloadRoom } from '../../src/config/reload-room.ts';
import { planReload, type ReloadPlan, reloadRuntime } from '../../src/io/reload.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { DISCONNECT, publish, subscribe } from '../world/packets.ts';
import type { PacketHandler } from '../world/peer.ts';
import { oblige, SECOND_SERVER, SERVER, World } from '../world/world.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
}

const SCHEMA_FILE = new URL('../../src/config/config.schema.json', import.meta.url);
const schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as Schema;

/** What every gateway here begins with: something in each list. */
const BASE = {
  name: 'gw',
  upstream: {
    address: [`mqtt://${SERVER}`], remote_clientid: 'gw', remote_username: 'u', remote_password: 'p',
    notification_topic: 'state',
    will: { topic: 'w', payload: 'x', qos: 0, retain: false }, probe: { topic: 'probe', interval: 60 },
  },
  listener: {
    users: [{ username: 'alice', mount_point: 'm/' }, { username: 'bob' }], acl: [{ user: 'bob', topic: 'a/#', access: 'read' }],
    allow_anonymous: false, max_sessions: 8,
  },
  topic: [{ pattern: '#', direction: 'both', qos: 0, local_prefix: 'l/', remote_prefix: 'r/', store: true, full: 'drop_oldest', expiry: 5 }],
  sensors: [{ name: 's', type: 'simulated', topic: 't', interval: 5, decimals: 1 }],
  store: { durability: 'flash' },
  homeassistant: { enabled: true, devices: [{ name: 'd', topic: 'l/d', entities: [{ value: 'v' }] }] },
} satisfies PartialConfiguration;

/** Where adding one to a number, or a letter to a text, would not do. */
const OTHERS: Readonly<Record<string, unknown>> = {
  'upstream.address': ['mqtt://10.0.0.77'], 'upstream.restart_timeout': [2, 9], 'memory.topics': 64,
  'topic.direction': 'out', 'listener.users.password': 'secret', 'listener.users.password_hash': 'hash',
  'listener.acl.user': 'alice', 'log_level': 'warning', 'upstream.max_qos': 1, 'upstream.max_topic_levels': 9,
  'upstream.max_topic_length': 99, 'listener.acl.topic': 'b/#',
  'listener.users': [{ username: 'bob' }, { username: 'caroline', mount_point: 'n/' }],
  'homeassistant.max_payload': 3000,
  'sensors.filters': [{ offset: 1 }], 'sensors.filters.calibrate_linear': [[0, 0], [1, 2]],
  'sensors.filters.median': {}, 'sensors.filters.min': {}, 'sensors.filters.max': {},
  'sensors.filters.sliding_window_moving_average': {},
  'sensors.type': 'simulated_switch', 'sensors.quantity': 'pressure', 'sensors.format': 'json',
  'store.messages_per_second': { up: 5 },
};

function otherThan(value: unknown, { default: standard, enum: choices, type }: Schema): unknown {
  const now = value ?? standard;
  if (choices !== undefined)
    return choices.find(choice => choice !== now);
  if (typeof now === 'boolean' || type === 'boolean')
    return now !== true;
  if (typeof now === 'number' || type === 'number' || type === 'integer')
    return Number(now ?? 0) + 1;
  return `${String(now ?? '')}more`;
}

/** Keys that are about the file, and nothing of the gateway. */
const NOT_IN_FORCE = ['$schema', 'tests'];

type Json = Record<string, unknown>;

/** All keys of the schema, those of entries of lists too: the key of the table, and another configuration. */
function* everyKey(): Generator<{ path: string; key: string; other: PartialConfiguration }> {
  function* within(path: string, key: string, at: Schema, value: unknown,
    change: (value: unknown) => PartialConfiguration): ReturnType<typeof everyKey> {
    const isSection = at.properties !== undefined && path.split('.').length === 1;
    const properties = at.properties ?? at.items?.properties;
    if (!isSection)
      yield { path, key, other: change(OTHERS[path] ?? (properties === undefined ? otherThan(value, at)
        : at.items === undefined ? null : [])) };
    const isList = at.items !== undefined && at.properties === undefined;
    const entries = isList ? value as Json[] | undefined ?? [] : [];
    for (const [name, inner] of Object.entries(properties ?? {})) {
      if (isList)
        yield* within(`${path}.${name}`, key, inner, entries[0]?.[name],
          to => change([{ ...entries[0], [name]: to }, ...entries.slice(1)]));
      else
        yield* within(`${path}.${name}`, isSection ? `${path}.${name}` : key, inner, (value as Json | undefined)?.[name],
          to => change({ ...value as Json, [name]: to }));
    }
  }
  for (const [name, inner] of Object.entries(schema.properties!))
    if (!NOT_IN_FORCE.includes(name))
      yield* within(name, name, inner, (BASE as Json)[name], to => ({ ...BASE, [name]: to }) as PartialConfiguration);
}

const KEYS = [...everyKey()];
const effectOf = (key: string): number => keyEffects().find(({ path }) => path === key)!.effect;

const LAYOUT = withReloadRoom(completeConfiguration(BASE));

function gateway(configuration: PartialConfiguration): World {
  return new World({ configuration: completeConfiguration(configuration), layout: LAYOUT });
}

function reload(world: World, other: PartialConfiguration, changedPasswords: readonly string[] = []): ReloadPlan {
  const { configuration, plans } = world.gateway;
  const plan = planReload(configuration, plans!.layout, completeConfiguration(other));
  reloadRuntime(world.runtime, plan, { authenticator: undefined, changedPasswords: new Set(changedPasswords) });
  return plan;
}

/** What differs without meaning anything: times, and for what memory was laid out. */
const VOLATILE = new Set(['clock', 'scheduler', 'platform', 'observer', 'layout', 'obsolete', 'dueAt', 'deadline',
  'credit', 'creditedAt', 'expiresAt', 'resolver', 'changes', 'random', 'create', 'mapCapacity']);

/** Every field of everything that a gateway consists of, by the path on which it is found first. */
function picture(root: object): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  const seen = new Map<object, string>();
  const visit = (path: string, value: unknown): void => {
    if (typeof value === 'function')
      return;
    if (typeof value !== 'object' || value === null) {
      fields.set(path, Number.isNaN(value) ? 'NaN' : value);
      return;
    }
    const known = seen.get(value);
    if (known !== undefined) {
      fields.set(path, `is ${known}`);
      return;
    }
    seen.set(value, path);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : new Uint8Array(value);
      fields.set(path, Buffer.from(bytes).toString('latin1'));
      return;
    }
    fields.set(path, Array.isArray(value) ? `list of ${value.length}` : value.constructor?.name);
    for (const name of Object.keys(value))
      if (!VOLATILE.has(name))
        visit(`${path}.${name}`, (value as Json)[name]);
  };
  visit('', root);
  return fields;
}

function differences(found: object, expected: object): string[] {
  const [left, right] = [picture(found), picture(expected)];
  return [...new Set([...left.keys(), ...right.keys()])].filter(path => left.get(path) !== right.get(path))
    .map(path => `${path}: ${String(left.get(path)).slice(0, 60)} instead of ${String(right.get(path)).slice(0, 60)}`);
}

describe('the table of effects', () => {
  it('has every key of the schema, and no other', () => {
    expect([...new Set(KEYS.map(({ key }) => key))].sort()).toEqual(keyEffects().map(({ path }) => path).sort());
  });

  it('is about values that differ', () => {
    const base = JSON.stringify(completeConfiguration(BASE));
    for (const { other, path } of KEYS)
      expect(JSON.stringify(completeConfiguration(other)), path).not.toBe(base);
  });

  it.each(KEYS)('tells the truth of $path: the gateway is as it says', ({ key, other }) => {
    const world = gateway(BASE);
    const plan = reload(world, other);
    const isTaken = effectOf(key) !== RESTART;
    expect(plan.changes.map(({ path }) => path).includes(key)).toBe(isTaken);
    expect(plan.refusals.map(({ path }) => path).includes(key)).toBe(!isTaken);
    expect(differences(world.runtime, gateway(isTaken ? other : BASE).runtime)).toEqual([]);
  });

  it.each(KEYS)('tells the truth of $path: it is connected anew, or not', ({ key, other }) => {
    const world = gateway(BASE);
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(50);
    reload(world, other);
    world.run(2000);
    expect(world.uplinks.length).toBe(effectOf(key) === RECONNECTION ? 2 : 1);
    expect(world.isConnected).toBe(true);
    expect([AT_ONCE, NEXT_CONNECTION, RECONNECTION, RESTART]).toContain(effectOf(key));
  });

  it('would find a value that is not taken', () => {
    const other = { ...BASE, store: { replay_rate: 7 } };
    expect(differences(gateway(BASE).runtime, gateway(other).runtime)).not.toEqual([]);
  });
});

type Users = NonNullable<PartialConfiguration['listener']>;

/** A gateway for nodes that are known by their names only, with room to be reloaded. */
function quiet(listener: Users, options: { rest?: PartialConfiguration } = {}): World {
  const configuration = { ...options.rest, listener: { allow_anonymous: true, ...listener } };
  return World.quiet(configuration, { layout: withReloadRoom(completeConfiguration(configuration)) });
}

/** @returns the plan, when things have settled @param listener what differs from that of before */
function reloadListener(world: World, listener: Users, changedPasswords: readonly string[] = []): ReloadPlan {
  const { configuration } = world.gateway;
  const plan =
    reload(world, { ...configuration, listener: { ...configuration.listener, ...listener } }, changedPasswords);
  world.run();
  return plan;
}

describe('users and rights that are others while nodes are connected', () => {
  const ANNA = { username: 'anna' }, BERT = { username: 'bert' }, CARL = { username: 'carl' };

  it('a node whose user is gone is disconnected, its Will is published, and its session ends; others stay', () => {
    const world = quiet({ users: [ANNA, BERT] });
    const anna = world.node('1', { user: 'anna', clean: false, will: { topic: 'gone', payload: '1' } }, subscribe(1, 'x', 1));
    const bert = world.node('2', { user: 'bert' }, subscribe(1, '#', 0));
    reloadListener(world, { users: [CARL, BERT] });
    expect([anna.isClosed, bert.isClosed]).toEqual([true, false]);
    expect(bert.take()).toEqual(['PUBLISH gone=1 q0']);
    expect(world.nodeEndings).toEqual([ReasonCode.ADMINISTRATIVE_ACTION]);
    expect([world.gateway.subscriptions.count, world.gateway.nodes.knownCount]).toEqual([1, 1]);
    expect(world.connect('1', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 4', 'closed']);
    expect(world.connect('1', { user: 'carl', clean: false })[1]).toEqual(['CONNACK 0']); // not Anna's session
    expect(bert.ask(publish('a', 'x'))).toEqual(['PUBLISH a=x q0']);
  });

  it('the session of a user that is gone ends though its node is away', () => {
    const world = quiet({ users: [ANNA] });
    world.node('1', { user: 'anna', clean: false }, subscribe(1, 'x', 1), DISCONNECT);
    reloadListener(world, { users: [BERT] });
    expect([world.gateway.subscriptions.count, world.gateway.nodes.knownCount]).toEqual([0, 0]);
  });

  it('a user that only stands elsewhere in the file keeps its connections, sessions and rights', () => {
    const acl = [{ user: 'anna', topic: 'a/#' }, { user: 'bert', topic: 'b/#' }] as const;
    const world = quiet({ users: [ANNA, BERT], acl });
    const anna = world.node('1', { user: 'anna', clean: false }, subscribe(1, '#', 0));
    reloadListener(world, { users: [CARL, BERT, ANNA] });
    expect(anna.ask(publish('a/x', 'x'), publish('b/x', 'x'))).toEqual(['PUBLISH a/x=x q0']);
    anna.send(DISCONNECT);
    expect(world.connect('1', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 0 present']);
  });

  it('a node whose password is another one is disconnected, and finds its session when it has that', () => {
    const world = quiet({ users: [ANNA, BERT] });
    const anna = world.node('1', { user: 'anna', clean: false });
    const bert = world.node('2', { user: 'bert' });
    const { configuration } = world.gateway;
    reload(world, { ...configuration, listener: { ...configuration.listener, users: [{ ...ANNA, password: 'new' }, BERT] } }, ['anna']);
    world.run();
    expect([anna.isClosed, bert.isClosed]).toEqual([true, false]);
    expect(world.connect('1', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 0 present']);
  });

  it('nodes without user are disconnected when they are not welcome any more', () => {
    const world = quiet({ users: [ANNA] });
    const [nobody, anna] = [world.node('1'), world.node('2', { user: 'anna' })];
    reloadListener(world, { allow_anonymous: false });
    expect([nobody.isClosed, anna.isClosed]).toEqual([true, false]);
    expect(world.connect('1')[1]).toEqual(['CONNACK 5', 'closed']);
  });

  it('narrower rights count for the next packet and for the subscriptions that there are; wider ones as well', () => {
    const world = quiet({}); // no right is limited: there was no table of rights
    const node = world.node('1', {}, subscribe(1, '#', 0));
    expect(node.ask(publish('a', 'x'), publish('b', 'x'))).toEqual(['PUBLISH a=x q0', 'PUBLISH b=x q0']);
    reloadListener(world, { acl: [{ topic: 'a' }, { topic: 'b', access: 'write' }] });
    expect(node.ask(publish('a', 'y'), publish('b', 'y'), publish('c', 'y'))).toEqual(['PUBLISH a=y q0']);
    expect(node.ask(subscribe(2, 'b', 0))).toEqual(['SUBACK #2 80']);
    expect(world.gateway.deniedCount).toBe(2);
    reloadListener(world, { acl: [] });
    expect(node.ask(publish('a', 'z'), publish('b', 'z'), publish('c', 'z')))
      .toEqual(['PUBLISH a=z q0', 'PUBLISH b=z q0', 'PUBLISH c=z q0']);
  });

  it('another mount point: the nodes of that user are disconnected, and what they had subscribed to is not theirs any more', () => {
    const world = quiet({ users: [{ ...ANNA, mount_point: 'x/' }, BERT] });
    const anna = world.node('1', { user: 'anna', clean: false }, subscribe(1, '#', 0));
    const bert = world.node('2', { user: 'bert' }, subscribe(1, '#', 0));
    reloadListener(world, { users: [{ ...ANNA, mount_point: 'other/' }, BERT] });
    expect(anna.isClosed).toBe(true);
    const again = world.node('1', { user: 'anna', clean: false });
    expect(again.ask(publish('a', '1'))).toEqual([]);
    expect(bert.ask(publish('x/a', '2'))).toEqual(['PUBLISH other/a=1 q0', 'PUBLISH x/a=2 q0']);
    expect(again.take()).toEqual([]);
  });

  it('a node that max_publish_rate makes wait is read again when that is 0, and waits when it comes', () => {
    const world = quiet({ max_publish_rate: 1 });
    const node = world.node('1', {}, subscribe(1, '#', 0));
    node.send(publish('a', '1'), publish('a', '2'), publish('a', '3'));
    expect(node.take()).toEqual(['PUBLISH a=1 q0']);
    reloadListener(world, { max_publish_rate: 0 });
    expect(node.take()).toEqual(['PUBLISH a=2 q0', 'PUBLISH a=3 q0']);
    reloadListener(world, { max_publish_rate: 1 });
    expect(node.ask(publish('a', '4'), publish('a', '5'))).toEqual(['PUBLISH a=4 q0']);
    world.run(1100);
    expect(node.take()).toEqual(['PUBLISH a=5 q0']);
  });

  it('figures of $SYS come in the new rhythm', () => {
    const world = quiet({ sys_interval: 0 });
    const node = world.node('1', {}, subscribe(1, '$SYS/broker/uptime', 0));
    world.run(100_000);
    expect(node.take()).toEqual([]);
    reloadListener(world, { sys_interval: 2 });
    world.run(6100);
    expect(node.take()).toHaveLength(3);
  });
});

describe('what finds no room', () => {
  it('is refused by name, the old goes on, and the rest is taken', () => {
    const world = quiet({ users: [{ username: 'anna' }] }, { rest: { topic: [{ pattern: '#', direction: 'out' }] } });
    const { configuration } = world.gateway;
    const many = Array.from({ length: 2000 }, (_, index) => ({ username: `somebody-${index}` }));
    const rules = Array.from({ length: 2000 }, (_, index) => ({ pattern: `sensor/${index}/#`, direction: 'out' as const }));
    const plan = reload(world, { ...configuration, topic: rules,
      listener: { ...configuration.listener, users: many, connect_timeout: 3 } });
    expect(plan.refusals).toEqual([
      { path: 'topic', text: 'needs more memory than was laid out at the start: takes effect after a restart' },
      { path: 'listener.users', text: 'needs more memory than was laid out at the start: takes effect after a restart' },
    ]);
    expect(plan.changes.map(({ path }) => path)).toEqual(['listener.connect_timeout']);
    expect(world.gateway.configuration.listener.users).toEqual([{ username: 'anna' }]);
    expect(world.gateway.bridge.outbound.rules).toHaveLength(1);
    expect(world.connect('1', { user: 'anna' })[1]).toEqual(['CONNACK 0']);
  });

  it('nor does what an old limit contradicts', () => {
    const world = quiet({ max_packet_size: 512, max_queued_bytes: 1096 },
      { rest: { upstream: { max_packet_size: 1024 }, topic: [{}] } });
    const { configuration } = world.gateway;
    const plan = reload(world, { ...configuration, topic: [{ remote_prefix: 'x'.repeat(100) }] });
    expect(plan.changes).toEqual([]);
    expect(plan.refusals).toEqual([{ path: 'topic', text: expect.stringMatching(/^listener\.max_queued_bytes: 1096 bytes cannot hold/) as string }]);
  });

  it('twice as many rules and users do find room', () => {
    const topic = Array.from({ length: 100 }, (_, index) => ({ pattern: `sensor/${index}/#`, direction: 'out' as const }));
    const world = quiet({ users: topic.map(({ pattern }) => ({ username: pattern })) }, { rest: { topic } });
    const { configuration } = world.gateway;
    const twice = [...topic, ...topic.map(({ pattern }) => ({ pattern: pattern.replace('s', 't'), direction: 'out' as const }))];
    const plan = reload(world, { ...configuration, topic: twice,
      listener: { ...configuration.listener, users: twice.map(({ pattern }) => ({ username: pattern })) } });
    expect(plan.refusals).toEqual([]);
  });
});

describe('rules that are others while the gateway is connected', () => {
  const connected = (configuration: PartialConfiguration): World => World.connected({
    configuration, layout: withReloadRoom(completeConfiguration(configuration)),
  });
  const asked = (world: World): string[] => world.uplink.packets.flatMap(packet =>
    packet.cmd === 'subscribe' ? packet.subscriptions.map(({ qos, topic }) => `+${topic} ${qos}`)
      : packet.cmd === 'unsubscribe' ? packet.unsubscriptions.map(filter => `-${filter}`) : []);
  const withRules = (world: World, topic: NonNullable<PartialConfiguration['topic']>): void => {
    reload(world, { ...world.gateway.configuration, topic });
    world.run(100);
  };

  it('what is sent goes by the new ones, the figures of those that stay go on', () => {
    const world = connected({ topic: [{ pattern: '#', remote_prefix: 'up/' }] });
    const node = world.client('n');
    node.publish('a/b', '1', 1);
    world.run(100);
    withRules(world, [{ pattern: 'a/#', remote_prefix: 'other/' }, { pattern: '#', remote_prefix: 'up/' }]);
    node.publish('a/b', '2', 1);
    node.publish('c', '3', 1);
    world.run(100);
    expect(world.uplink.messages).toEqual(['up/a/b 1', 'other/a/b 2', 'up/c 3']);
    expect(world.gateway.bridge.outbound.rules.map(({ forwarded }) => forwarded)).toEqual([1, 2]);
  });

  it('upstream is asked for what is new and unsubscribed from what is gone, and for nothing else', () => {
    const world = connected({ topic: [{ pattern: 'a/#', direction: 'in', qos: 1 }, { pattern: 'b/#', direction: 'in', qos: 1 }] });
    expect(asked(world)).toEqual(['+a/# 1', '+b/# 1']);
    world.uplink.packets.length = 0;
    withRules(world, [{ pattern: 'c/#', direction: 'in', qos: 1 }, { pattern: 'b/#', direction: 'in', qos: 1 }]);
    expect(asked(world)).toEqual(['-a/#', '+c/# 1']);
    world.uplink.packets.length = 0;
    withRules(world, [{ pattern: 'b/#', direction: 'in', qos: 2 }]);
    expect(asked(world)).toEqual(['-c/#', '+b/# 2']);
    const node = world.client('n');
    node.subscribe('#', 1);
    world.run(50);
    world.uplink.publish('b/x', 'there');
    world.run(50);
    expect(node.messages).toEqual(['b/x there']);
  });

  it('though the answer to a subscription of before is still awaited', () => {
    const held: Parameters<PacketHandler>[1][] = [];
    const handler: PacketHandler = (peer, packet) => packet.cmd === 'subscribe' && held.length === 0 ? void held.push(packet) : oblige(peer, packet);
    const configuration: PartialConfiguration = { topic: [{ pattern: 'a/#', direction: 'in', qos: 1 }] };
    const layout = withReloadRoom(completeConfiguration(configuration));
    const world = new World({ configuration, server: handler, layout });
    world.runtime.start();
    world.until(() => held.length === 1);
    withRules(world, [{ pattern: 'b/#', direction: 'in', qos: 1 }]);
    expect(asked(world)).toEqual(['+a/# 1']);
    oblige(world.uplink, held[0]!);
    world.run(100);
    expect(asked(world)).toEqual(['+a/# 1', '-a/#', '+b/# 1']);
    expect(world.gateway.bridge.inbound.rules[0]!.granted).toBe(1);
  });

  it('what was taken under a rule that is gone arrives all the same, and may be given up without harm', () => {
    const configuration: PartialConfiguration = { topic: [{ pattern: '#', remote_prefix: 'up/', qos: 1 }], store: { ram: 2300 } };
    const layout = withReloadRoom(completeConfiguration(configuration));
    const world = new World({ configuration, layout, server: null });
    world.runtime.start();
    world.run(100);
    const node = world.client('n');
    for (let count = 0; count < 3; ++count)
      node.publish('a', `${count}`, 1);
    world.run(100);
    withRules(world, [{ pattern: '#', remote_prefix: 'new/', qos: 1 }]);
    for (let count = 0; count < 60; ++count)
      node.publish('b', `${count} ${'x'.repeat(30)}`, 1);
    world.run(100);
    expect(world.gateway.bridge.droppedCount).toBeGreaterThan(3);
    world.server = oblige;
    world.listen();
    world.until(() => world.isConnected);
    world.run(2000);
    expect(world.uplink.messages.at(-1)).toBe(`new/b 59 ${'x'.repeat(30)}`);
    expect(world.gateway.upstreamQueue.count).toBe(0);
  });
});

describe('upstream that is another one', () => {
  const configuration = {
    topic: [{ pattern: '#', qos: 1 }],
    upstream: { address: [`mqtt://${SERVER}`], remote_clientid: 'one', restart_timeout: [60, 60] },
  } as const;
  const layout = withReloadRoom(completeConfiguration(configuration));
  const connected = (): World => World.connected({ configuration, layout });

  it('another identity: DISCONNECT, then CONNECT with it, and what waits meanwhile arrives', () => {
    const world = connected();
    const node = world.client('n');
    reload(world, { ...world.gateway.configuration, upstream: { ...world.gateway.configuration.upstream, remote_clientid: 'two' } });
    node.publish('a', 'x', 1);
    world.run(2000);
    expect(world.uplinks).toHaveLength(2);
    expect(world.uplinks[0]!.packets.at(-1)).toMatchObject({ cmd: 'disconnect' });
    expect(world.uplinks[1]!.packets[0]).toMatchObject({ cmd: 'connect', clientId: 'two' });
    expect(world.uplink.messages).toEqual(['a x']);
  });

  it('another identity is tried at once, though the next attempt were far away', () => {
    const world = new World({ configuration, layout: withReloadRoom(completeConfiguration(configuration)),
      server: (peer, packet) => packet.cmd === 'connect' && packet.clientId === 'one'
        ? void peer.post({ cmd: 'connack', returnCode: 4, sessionPresent: false }) : oblige(peer, packet) });
    world.runtime.start();
    world.run(3000);
    reload(world, { ...world.gateway.configuration, upstream: { ...world.gateway.configuration.upstream, remote_clientid: 'two' } });
    world.run(3000);
    expect(world.isConnected).toBe(true);
  });

  it('other addresses: the connection that stands stays, the next one goes to the first of them', () => {
    const world = connected();
    reload(world, { ...world.gateway.configuration, upstream: { ...world.gateway.configuration.upstream, address: [`mqtt://${SECOND_SERVER}`, `mqtt://${SERVER}`], restart_timeout: [1, 1] } });
    world.run(5000);
    expect(world.isConnected).toBe(true);
    expect(world.runtime.upstream.address.host).toBe(SERVER);
    world.uplink.close();
    world.run(1900);
    expect(world.network.links.map(({ address }) => address).filter(address => address !== '10.0.0.1')).toEqual([SERVER, SECOND_SERVER]);
    world.until(() => world.isConnected);
    expect(world.runtime.upstream.address.host).toBe(SERVER);
  });
});

describe('sensors that are others', () => {
  it('are read in the new rhythm under the new name; one that stays keeps its own', () => {
    const configuration: PartialConfiguration = { topic: [{ pattern: '#' }], sensors: [
      { name: 'a', type: 'x', topic: 'a', interval: 10 }, { name: 'b', type: 'x', topic: 'b', interval: 10 }] };
    let made = 0;
    const world = new World({ configuration, layout: withReloadRoom(completeConfiguration(configuration)),
      createSensor: () => { ++made; return { read: () => 21 }; } });
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(5000);
    world.uplink.packets.length = 0;
    reload(world, { ...world.gateway.configuration, sensors: [
      { name: 'new', type: 'x', topic: 'new', interval: 100 }, { name: 'b', type: 'x', topic: 'b', interval: 10 },
      { name: 'a', type: 'x', topic: 'longer/a', interval: 1, expire_after: 5 }] });
    world.run(1500);
    expect(world.uplink.messages).toEqual(['new 21.00', 'longer/a/availability online', 'longer/a 21.00', 'longer/a 21.00']);
    expect(made).toBe(3);
    world.run(5000);
    expect(world.uplink.messages.filter(message => message.startsWith('b '))).toHaveLength(1);
  });
});

describe('what nodes and the broker are told of the connection', () => {
  it('moves to another name with a reconnection, and nothing is kept under the old one', () => {
    const before: PartialConfiguration = { name: 'gw', upstream: { notifications: true }, topic: [],
      listener: { sys_interval: 0, allow_anonymous: true } };
    const layout = withReloadRoom(completeConfiguration(before));
    const world = World.connected({ configuration: before, layout });
    const old = '$SYS/broker/connection/gw/state';
    const node = world.node('n', {}, subscribe(1, '$SYS/broker/connection/#', 0, 'own/#', 0));
    node.take();
    const other = (upstream: NonNullable<PartialConfiguration['upstream']>): PartialConfiguration =>
      ({ ...before, upstream: { address: [`mqtt://${SERVER}`], ...upstream } });
    reload(world, other({ notifications: true, notification_topic: 'own/state' }));
    world.until(() => world.uplinks.length === 2 && world.isConnected);
    world.run(100);
    expect(world.uplinks[0]!.messages.at(-1)).toBe(`${old} 0`);
    expect(world.uplink.all('connect')[0]!.will).toMatchObject({ topic: 'own/state', payload: Buffer.from('0') });
    expect(world.uplink.messages).toEqual(['own/state 1']);
    expect(node.take()).toEqual([`PUBLISH ${old}=0 q0`, `PUBLISH ${old}= q0`, 'PUBLISH own/state=0 q0', 'PUBLISH own/state=1 q0']);
    expect(world.connect('late')[0].ask(subscribe(1, '$SYS/broker/connection/#', 0, 'own/#', 0)))
      .toEqual(['SUBACK #1 0 0', 'PUBLISH own/state=1 q0 retain']);
    reload(world, other({ notifications: false }));
    world.until(() => world.uplinks.length === 3 && world.isConnected);
    world.run(100);
    expect(node.take()).toEqual(['PUBLISH own/state=0 q0', 'PUBLISH own/state= q0']);
    expect(world.uplink.all('connect')[0]!.will).toBeUndefined();
  });

  it('a session becomes a clean one, and the other way round, with a reconnection', () => {
    const configuration: PartialConfiguration = { upstream: { address: [`mqtt://${SERVER}`] } };
    const world = World.connected({ configuration, layout: withReloadRoom(completeConfiguration(configuration)) });
    const clean: boolean[] = [];
    for (const cleansession of [true, false]) {
      reload(world, { upstream: { address: [`mqtt://${SERVER}`], cleansession } });
      world.until(() => world.isConnected && world.uplinks.length === clean.length + 2);
      clean.push(world.uplink.all('connect')[0]!.clean!);
    }
    expect(clean).toEqual([true, false]);
  });
});
