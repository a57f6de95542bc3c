/**
 * The gateway killed with messages in its store, its configuration edited as people edit one, and started again beside
 * a real broker: what was acknowledged upwards arrives there, what waited downwards arrives at its node, and what
 * cannot is said.
 */
import { connect, type MqttClient } from 'mqtt';
import { beforeAll, describe, expect } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { Broker, Gateway, interop, MOSQUITTO, requirePrograms, Subscriber } from './cast.ts';
import { PATIENCE, patiently, type Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const COUNT = 30;
const COMMANDS = ['c0', 'c1', 'c2', 'c3', 'c4'];

/** A node with a session that is kept. @param received where its messages go */
async function join(scene: Scene, port: number, clientId: string, received: string[] = []): Promise<MqttClient> {
  const client = connect({ host: '127.0.0.1', port, clientId, clean: false, reconnectPeriod: 0 });
  scene.finally(() => client.end(true));
  client.on('message', (_topic, payload) => received.push(payload.toString()));
  await patiently('CONNACK', new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject)));
  return client;
}

const payloadOf = (number: number): string => `${number}${'.'.repeat(number % 7 * 100)}`;

/** The broker is not there: all waits. The node is away in the end, with commands that wait for it. */
async function fill(scene: Scene, configuration: PartialConfiguration): Promise<void> {
  const gateway = await Gateway.start(scene, configuration);
  const node = await join(scene, gateway.port, 'valve');
  await node.subscribeAsync('command/#', { qos: 1 });
  for (let number = 0; number < COUNT; ++number)
    await node.publishAsync(`reading/${number % 3}`, payloadOf(number), { qos: number % 2 === 0 ? 1 : 2 });
  await node.endAsync();
  const other = await join(scene, gateway.port, 'panel');
  for (const command of COMMANDS)
    await other.publishAsync('command/valve', command, { qos: 1 });
  await other.endAsync();
  await gateway.program.stop('SIGKILL');
}

const merge = (first: PartialConfiguration, second: PartialConfiguration): PartialConfiguration => ({
  ...first, ...second, listener: { ...first.listener, ...second.listener },
  upstream: { ...first.upstream, ...second.upstream }, store: { ...first.store, ...second.store },
});

interface Edited {
  readonly gateway: Gateway;
  /** At the broker. */
  readonly watcher: Subscriber;
}

async function edit(scene: Scene, change: PartialConfiguration): Promise<Edited> {
  const broker = await Broker.prepare(scene);
  const configuration: PartialConfiguration = {
    upstream: { address: [broker.address] },
    topic: [{ pattern: 'reading/#', direction: 'out', remote_prefix: 'site/' }],
    store: { durability: 'flash', path: `${scene.directory}/edited.store`, size: 1_048_576 },
  };
  await fill(scene, configuration);
  await broker.start();
  const watcher = await Subscriber.start(scene, broker.port, '#', '-i', 'watcher');
  return { watcher, gateway: await Gateway.start(scene, merge(configuration, change)) };
}

async function until(what: string, isThere: () => boolean): Promise<void> {
  const begin = performance.now();
  while (!isThere()) {
    if (performance.now() - begin > PATIENCE)
      throw new Error(`${what}: not within ${PATIENCE} ms`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

const EDITS: readonly (readonly [name: string, change: PartialConfiguration])[] = [
  ['the size of the store: larger', { store: { size: 4_194_304 } }],
  ['the longest packets: shorter than what waits',
    { listener: { max_packet_size: 256 }, upstream: { max_packet_size: 256 } }],
  ['the longest packets: longer', { listener: { max_packet_size: 60_000 }, upstream: { max_packet_size: 60_000 } }],
  ['the places for sessions and connections', { listener: { max_sessions: 2, max_connections: 1 } }],
  ['the topic table', { memory: { topics: 16, topic_length: 16 } }],
  ['the rules: another prefix, another order, one more', { topic: [
    { pattern: 'command/#', direction: 'in', remote_prefix: 'site/' },
    { pattern: 'reading/#', direction: 'out', remote_prefix: 'a/longer/prefix/site/', expiry: 3600 },
  ] }],
];

describe('what waits in the store, up and down, arrives after an edit of', () => {
  for (const [name, change] of EDITS)
    interop(name, async scene => {
      const { gateway, watcher } = await edit(scene, change);
      const arrived = (): string[] => watcher.messages.map(line => line.split(' ').at(-1)!);
      await until('all messages at the broker', () => new Set(arrived()).size === COUNT);
      const commands: string[] = [];
      await join(scene, gateway.port, 'valve', commands);
      await until('all commands at the node', () => commands.length === COMMANDS.length);
      expect(commands).toEqual(COMMANDS);
    });
});

interop('a shorter queue for nodes gives up what it has no room for, and the log says how many', async scene => {
  const { gateway } = await edit(scene, { listener: { max_queued_messages: 2 } });
  await gateway.program.line(/dropped 3 messages for nodes that .* have no room/);
  const commands: string[] = [];
  await join(scene, gateway.port, 'valve', commands);
  await until('the commands with room', () => commands.length === 2);
  expect(commands).toEqual(COMMANDS.slice(0, 2));
});

interop('a store that the configuration does not use any more is named, and left as it is', async scene => {
  const { gateway, watcher } = await edit(scene, { store: { durability: 'ram' } });
  await gateway.program.line(/edited\.store is a store of an earlier configuration, .* write "flash"/);
  await gateway.program.stop('SIGTERM');
  expect(watcher.messages.filter(line => line.includes('reading'))).toEqual([]);
});
