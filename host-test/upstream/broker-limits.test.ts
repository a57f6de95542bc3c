/** Messages that the Server is known not to take: set aside, refused or dropped here, and nobody else notices. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { statusOf } from '../../src/gateway/status.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { publish } from '../world/packets.ts';
import { World } from '../world/world.ts';

const deep = (levels: number): string => Array.from({ length: levels }, () => 'a').join('/');

function start(upstream: NonNullable<PartialConfiguration['upstream']>, more: PartialConfiguration = {}): World {
  return World.connected({
    configuration: {
      topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }], upstream, memory: { topic_length: 32 },
      ...more,
    },
  });
}

const status = ({ clock, runtime: { gateway, sensors, upstream } }: World) =>
  statusOf({ gateway, sensors, upstream }, clock.now);

/** Topics at the Server without their prefix, each once. */
const arrived = ({ uplinks }: World): string[] =>
  [...new Set(uplinks.flatMap(peer => peer.all('publish').map(({ topic }) => topic.replace('up/', ''))))];

describe.each<[string, NonNullable<PartialConfiguration['upstream']>, string, string, number]>([
  ['too many levels after mapping', { max_topic_levels: 8 }, deep(8), deep(7), ReasonCode.TOPIC_NAME_INVALID],
  ['more levels than Mosquitto takes', {}, deep(200), deep(199), ReasonCode.TOPIC_NAME_INVALID],
  ['too many bytes in its topic after mapping', { max_topic_length: 20 }, 'b'.repeat(18), 'b'.repeat(17),
    ReasonCode.TOPIC_NAME_INVALID],
  ['a dot, for a broker of the profile "nats",', { profile: 'nats' }, 'a.b', 'ab', ReasonCode.TOPIC_NAME_INVALID],
  ['a space, for a broker of the profile "nats",', { profile: 'nats' }, 'a b', 'ab', ReasonCode.TOPIC_NAME_INVALID],
  ['more levels than a broker of the profile "aws-iot" takes', { profile: 'aws-iot' }, deep(8), deep(7),
    ReasonCode.TOPIC_NAME_INVALID],
  ['too long a routing key for a broker of the profile "rabbitmq"', { profile: 'rabbitmq' }, 'c'.repeat(253),
    'c'.repeat(252), ReasonCode.TOPIC_NAME_INVALID],
])('a message with %s', (_name, upstream, bad, good, reasonCode) => {
  it('is acknowledged and set aside; what just fits, and others, arrive', () => {
    const world = start(upstream);
    const node = world.node('rogue');
    expect(node.ask(publish(bad, 'x', { qos: 1, identifier: 1 }), publish(good, 'y', { qos: 1, identifier: 2 })))
      .toEqual(['PUBACK #1', 'PUBACK #2']);
    world.run(1000);
    expect([arrived(world), world.upstreamEndings]).toEqual([[good], []]);
    expect(status(world).quarantine).toMatchObject({ count: 1, setAside: 1, givenUp: 0,
      messages: [{ number: 1, topic: bad, bytes: 1, node: 'node "rogue"', rule: '#' }] });
    expect(world.eventTexts.at(-1)).toMatch(/^set aside a message to ".*" \(1 bytes\) of node "rogue": its topic .*upstream\./);
  });

  it('is dropped, counted and named when it need not arrive', () => {
    const world = start(upstream);
    world.node('rogue').send(publish(bad, 'x'), publish(good, 'y'));
    world.run(1000);
    expect([arrived(world), status(world).quarantine.count, world.gateway.bridge.droppedCount]).toEqual([[good], 0, 1]);
    expect(world.events.some(({ event }) => event === Event.MESSAGE_UNFIT)).toBe(true);
  });

  it('costs its node the connection when its share is used up; others go on, and nothing that was acknowledged is lost', () => {
    const world = start(upstream);
    const node = world.node('rogue');
    const answers = Array.from({ length: 17 }, (_, index) => node.ask(publish(bad, `${index}`, { qos: 1, identifier: index + 1 })));
    expect(answers.flat()).toEqual(['PUBACK #1', 'PUBACK #2', 'PUBACK #3', 'PUBACK #4', 'closed']);
    expect(world.detailsOf(Event.NODE_CLOSED)).toEqual([reasonCode]);
    expect(status(world).quarantine.messages.map(({ topic }) => topic)).toEqual(Array(4).fill(bad));
    expect(world.node('other').ask(publish(good, 'y', { qos: 1, identifier: 9 }))).toEqual(['PUBACK #9']);
    world.run(1000);
    expect([arrived(world), world.upstreamEndings]).toEqual([[good], []]);
  });
});

it('a node whose share is used up is refused for all that goes by the rule, with the cause; by another rule it goes on', () => {
  const world = start({ max_topic_levels: 3 }, { topic: [
    { pattern: 'other/#', direction: 'out', remote_prefix: 'up/' }, { pattern: '#', direction: 'out', remote_prefix: 'up/' },
  ] });
  const node = world.node('rogue');
  node.ask(...[1, 2, 3, 4].map(identifier => publish('a/b/c', 'x', { qos: 1, identifier })));
  expect(node.ask(publish('other/a', 'x', { qos: 1, identifier: 5 }))).toEqual(['PUBACK #5']);
  expect(node.ask(publish('a', 'x', { qos: 1, identifier: 6 }))).toEqual(['closed']);
  expect(world.eventTexts.find(text => text.startsWith('did not take'))).toContain('quarter of store.quarantine');
  expect(world.node('good').ask(publish('a', 'x', { qos: 1, identifier: 6 }))).toEqual(['PUBACK #6']);
});

it('a packet that is longer than bridge_max_packet_size is set aside, whatever its topic was before', () => {
  const world = start({ bridge_max_packet_size: 100 });
  const node = world.node('camera');
  const lengthOf = (payload: number): number => 2 + 2 + 'up/a'.length + 2 + payload;
  const most = 100 - lengthOf(0);
  expect(node.ask(publish('a', 'x'.repeat(most), { qos: 1, identifier: 1 }),
    publish('a', 'x'.repeat(most + 1), { qos: 1, identifier: 2 }))).toEqual(['PUBACK #1', 'PUBACK #2']);
  world.run(1000);
  expect(world.uplink.all('publish').map(({ payload }) => payload.length)).toEqual([most]);
  expect(status(world).quarantine.messages.map(({ bytes, reason }) => [bytes, reason]))
    .toEqual([[most + 1, 'its packet would have more than 100 bytes (upstream.bridge_max_packet_size)']]);
});

it('the Will of a node on such a topic is set aside under its name', () => {
  const world = start({ max_topic_levels: 3 });
  world.node('dying', { clean: false, will: { topic: 'a/b/c', payload: 'gone', qos: 1 } }).vanish();
  world.run(1000);
  expect(status(world).quarantine.messages.map(({ node, topic }) => [node, topic])).toEqual([['node "dying"', 'a/b/c']]);
  expect(arrived(world)).toEqual([]);
});

it('when the quarantine is full the oldest message is given up, and counted', () => {
  const world = start({ max_topic_levels: 3 }, { store: { quarantine: [4, 8192] } });
  for (let index = 0; index < 6; ++index)
    world.node(`n${index}`).ask(publish('a/b/c', `${index}`, { qos: 1, identifier: 1 }));
  expect(status(world).quarantine).toMatchObject({ count: 4, setAside: 6, givenUp: 2 });
  expect(status(world).quarantine.messages.map(({ number }) => number)).toEqual([3, 4, 5, 6]);
  expect(world.gateway.bridge.droppedCount).toBe(2);
});

it('max_qos lowers what is sent and asked for', () => {
  const world = start({ max_qos: 1 }, { topic: [
    { pattern: '#', direction: 'out', qos: 2 }, { pattern: 'in/#', direction: 'in', qos: 2 },
  ] });
  world.node('n').ask(publish('a', 'x', { qos: 2, identifier: 1 }));
  world.run(1000);
  expect(world.uplink.all('publish').map(({ qos }) => qos)).toEqual([1]);
  expect(world.uplink.all('subscribe').flatMap(({ subscriptions }) => subscriptions.map(({ qos }) => qos))).toEqual([1]);
});
