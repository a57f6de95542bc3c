/** Subscription Identifiers: what a node has said in SUBSCRIBE stands in the messages that it gets. 5.0, 3.3.4. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { ask5, connect5, type ConnectOptions, publish5, subscribe5, subscribeWith5, take5, unsubscribe5,
  variable } from '../world/packets-of-five.ts';
import { connect, publish, puback } from '../world/packets.ts';
import type { Peer } from '../world/peer.ts';
import { World } from '../world/world.ts';

const USER_PROPERTY = '2600016b000176';
const SESSION: ConnectOptions = { clean: false, properties: '1100000064' };
const LONGEST = 268_435_455;

const quiet = (listener: PartialConfiguration['listener'] = {}): World => World.quiet({ listener });

function node5(world: World, name: string, ...packets: Uint8Array[]): Peer {
  const node = world.open().send(connect5(name, SESSION), ...packets);
  take5(node);
  return node;
}

/** Of what a node has got: the identifiers of each message, in order of their numbers. */
const identifiers = (node: Peer): string[] => take5(node).map(event => {
  const hex = /\{(.*)\}/.exec(event)?.[1] ?? '';
  const found: number[] = [];
  for (let at = 0; at < hex.length;) {
    expect(hex.slice(at, at += 2)).toBe('0b');
    let value = 0, shift = 0, byte = 0;
    do {
      byte = parseInt(hex.slice(at, at += 2), 16);
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    found.push(value);
  }
  return found.sort((a, b) => a - b).join(' ');
});

describe('a message', () => {
  it.each([1, 127, 128, 16_383, 16_384, 2_097_152, LONGEST])('says identifier %i of the subscription that it comes by',
    identifier => {
    const world = quiet();
    const node = node5(world, 'r', subscribeWith5(identifier, 't', 1));
    const writer = node5(world, 'w');
    const said = `{0b${variable(identifier)}}`;
    writer.send(publish5('t', 'x'), publish5('t', 'y', USER_PROPERTY, { qos: 1 }), publish('t', 'z'));
    expect(take5(node)).toEqual([`PUBLISH t=x q0 ${said}`,
      `PUBLISH t=y q1 #1 ${said.replace('{', `{${USER_PROPERTY}`)}`]);
  });

  it('says those of all subscriptions that match, in one copy [MQTT5-3.3.4-3] [MQTT5-3.3.4-4]', () => {
    for (const places of [32, 500]) { // without an index, and with one
      const world = quiet({ max_subscriptions: places, max_subscription_bytes: 10_000 });
      const node = node5(world, 'r', subscribeWith5(1, 'a/b', 0), subscribeWith5(2, 'a/+', 1, 'c', 0),
        subscribeWith5(3, '#', 0), subscribe5(9, 'a/#', 0), subscribeWith5(5, 'a/b/#', 0));
      const other = node5(world, 'o', subscribeWith5(7, 'a/#', 0), ...Array.from({ length: 9 }, (_, index) =>
        subscribeWith5(8, `other/${index}`, 0)));
      const writer = node5(world, 'w');
      for (const topic of ['a/b', 'a', 'c'])
        writer.send(publish5(topic, 'x'));
      expect(identifiers(node)).toEqual(['1 2 3 5', '3', '2 3']);
      expect(identifiers(other)).toEqual(['7', '7']);
    }
  });

  it('says more of them than have room in further copies [MQTT5-3.3.4-5]', () => {
    const world = quiet();
    const FIRST = 3_000_000; // four bytes each
    const levels = ['a', 'b', 'c', 'd'];
    const filters = Array.from({ length: 16 }, (_, kind) =>
      levels.map((level, index) => (kind >> index & 1) === 1 ? '+' : level).join('/'));
    const node = node5(world, 'r', ...filters.map((filter, index) => subscribeWith5(FIRST + index, filter, 1)));
    const writer = node5(world, 'w');
    writer.send(publish5('a/b/c/d', 'x', '', { qos: 1 }));
    const found = identifiers(node);
    expect(found.map(each => each.split(' ').length)).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    expect(found.join(' ').split(' ').map(Number).sort((a, b) => a - b)).toEqual(
      filters.map((_, index) => FIRST + index));
    node.send(...filters.slice(2).map(filter => unsubscribe5(2, filter)));
    take5(node);
    writer.send(publish5('a/b/c/d', 'x'));
    expect(identifiers(node).length).toBe(1);
  });

  it('that was retained says that of the subscription that asks for it', () => {
    const world = quiet();
    node5(world, 'w').send(publish5('t', 'x', USER_PROPERTY, { retain: true, qos: 1 }));
    const node = node5(world, 'r', subscribeWith5(3, '#', 1));
    expect(ask5(node, subscribeWith5(300, 't', 0))).toEqual(
      ['SUBACK #1 0', `PUBLISH t=x q0 retain {${USER_PROPERTY}0bac02}`]);
    expect(ask5(node, subscribe5(1, 't', 0))).toEqual(['SUBACK #1 0', `PUBLISH t=x q0 retain {${USER_PROPERTY}}`]);
  });

  it('that is a figure of the gateway says it, at once and later', () => {
    const world = World.quiet({ listener: { sys_interval: 1 } });
    const node = world.open().send(connect5('r', SESSION), subscribeWith5(5, '$SYS/broker/uptime', 0));
    world.run(1_500);
    expect(take5(node).slice(2).map(event => event.includes('{0b05}'))).toEqual([true, true]);
  });

  it('does not say that of a subscription with No Local to whoever has sent it', () => {
    const world = quiet();
    const node = node5(world, 'a', subscribeWith5(1, 't', 4), subscribeWith5(2, '+', 0));
    expect(ask5(node, publish5('t', 'x'))).toEqual(['PUBLISH t=x q0 {0b02}']);
    node5(world, 'b').send(publish5('t', 'y'));
    expect(identifiers(node)).toEqual(['1 2']);
  });

  it('for a group says that of the member', () => {
    const world = quiet();
    const nodes = [1, 2].map(identifier => node5(world, `r${identifier}`, subscribeWith5(identifier, '$share/g/t', 0)));
    const own = node5(world, 'own', subscribeWith5(3, 't', 0, '$share/h/t', 0));
    const writer = node5(world, 'w');
    writer.send(publish5('t', 'x'), publish5('t', 'y'));
    expect([...nodes, own].map(identifiers)).toEqual([['1'], ['2'], ['3', '3', '3', '3']]);
  });

  it('that is longer with them than the node takes counts as delivered [MQTT5-3.1.2-24]', () => {
    const world = quiet();
    const node = world.open();
    ask5(node, connect5('r', { properties: '2700000016' }), subscribeWith5(LONGEST, 't', 1));
    const writer = node5(world, 'w');
    for (const qos of [0, 1])
      writer.send(publish5('t', 'x'.repeat(20 - qos * 2), '', { qos }), publish5('t', 'short', '', { qos }));
    expect(take5(node)).toEqual(['PUBLISH t=short q0 {0bffffff7f}', 'PUBLISH t=short q1 #2 {0bffffff7f}']);
  });
});

it.each([0, 1])('a message of QoS %i that they make longer than any may be is dropped and counted', qos => {
  const world = quiet();
  const node = node5(world, 'r', subscribeWith5(LONGEST, 't', 1), subscribeWith5(LONGEST, '+', 1));
  const writer = node5(world, 'w');
  writer.send(publish5('t', 'x'.repeat(1017 - 2 * qos), '', { qos })); // 1024 bytes, and 10 of identifiers
  expect(take5(node)).toEqual([]);
  expect(world.gateway.delivery.droppedCount).toBe(1);
  writer.send(publish5('t', 'x'.repeat(1016 - 2 * qos), '', { qos, identifier: 2 }), publish5('t', 'short'));
  expect(take5(node).map(event => event.length > 1000 || event)).toEqual(
    [true, 'PUBLISH t=short q0 {0bffffff7f0bffffff7f}']);
});

describe('the identifier of a subscription', () => {
  it('is replaced with it, and may come and go', () => {
    const world = quiet();
    const node = node5(world, 'r', subscribeWith5(1, 't', 0));
    const writer = node5(world, 'w');
    const said = [subscribeWith5(2, 't', 0), subscribe5(1, 't', 0), subscribeWith5(LONGEST, 't', 0)].map(packet => {
      node.send(packet);
      writer.send(publish5('t', 'x'));
      return take5(node).at(-1);
    });
    expect(said).toEqual(['PUBLISH t=x q0 {0b02}', 'PUBLISH t=x q0', 'PUBLISH t=x q0 {0bffffff7f}']);
    expect(world.gateway.subscriptions.count).toBe(1);
  });

  it('is kept beside others where there is no room for it, and that is told', () => {
    const world = quiet({ max_subscription_bytes: 24 });
    const node = node5(world, 'r', subscribe5(1, 't', 1, 'u', 1, 'v', 1));
    expect(ask5(node, subscribeWith5(1, 't', 0))).toEqual(['SUBACK #1 97']);
    node5(world, 'w').send(publish5('t', 'x', '', { qos: 1 }));
    expect(take5(node)).toEqual(['PUBLISH t=x q1 #1']); // as it was
    expect(ask5(node, unsubscribe5(2, 'u', 'v'), subscribeWith5(1, 't', 0))).toEqual(
      ['UNSUBACK #2 0 0', 'SUBACK #1 0']);
  });

  it('stays while the node is away, and what waits for it says it; 3.1.1 has no place for it', () => {
    const world = quiet();
    node5(world, 'r', subscribeWith5(9, 't', 1)).vanish();
    const writer = node5(world, 'w');
    writer.send(publish5('t', 'x', '', { qos: 1 }));
    const again = world.open();
    expect(ask5(again, connect5('r', SESSION)).slice(1)).toEqual(['PUBLISH t=x q1 #1 {0b09}']);
    again.send(puback(1)).vanish();
    const old = world.open();
    old.ask(connect('r', { clean: false }));
    writer.send(publish5('t', 'y', '', { qos: 1 }), publish5('t', 'z'));
    expect(old.take()).toEqual(['PUBLISH t=y q1 #2', 'PUBLISH t=z q0']);
  });

  it('is there after a power cut, and so is a subscription without one', () => {
    const medium = new FlashMedium(4096, 12);
    const live = (): World => World.quiet({ store: { durability: 'flash' } },
      { openStorage: (_store, arena) => new SimulatedFlash(arena, medium) });
    const before = live();
    const node = before.open();
    ask5(node, connect5('r', SESSION), subscribeWith5(LONGEST, 'a', 1), subscribe5(2, 'b', 1));
    before.run(100);
    node.send(subscribeWith5(7, 'b', 1), subscribeWith5(8, 'c', 1), subscribe5(3, 'c', 1));
    before.run(100);
    const world = live();
    const again = world.open();
    expect(ask5(again, connect5('r', SESSION))[0]).toContain('present');
    const writer = node5(world, 'w');
    for (const topic of ['a', 'b', 'c'])
      writer.send(publish5(topic, 'x'));
    expect(take5(again)).toEqual(['PUBLISH a=x q0 {0bffffff7f}', 'PUBLISH b=x q0 {0b07}', 'PUBLISH c=x q0']);
  });
});
