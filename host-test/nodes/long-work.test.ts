/**
 * Work that one packet asks for is cut into slices: others are served between, and what does not fit at once comes as
 * room comes.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { SLICE as COMPARISONS_AT_ONCE } from '../../src/nodes/retained-delivery.ts';
import { SLICE as FILTERS_AT_ONCE } from '../../src/session/filter-requests.ts';
import { HELD_BY_WORK } from '../../src/session/holds.ts';
import { bytesOf, packet, subscribe, unsubscribe, publish } from '../world/packets.ts';
import { acknowledge, type Peer, World } from '../world/world.ts';

const number = (value: number): Uint8Array => bytesOf(value >> 8, value & 255);
const LARGE: PartialConfiguration = {
  listener: {
    max_packet_size: 65_536, max_queued_bytes: 131_072, max_queued_messages: 1000, max_subscriptions: 2000,
      max_subscription_bytes: 131_072,
    max_retained_messages: 2000, max_retained_bytes: 1_048_576, sys_interval: 0,
  },
};

const requestOf = (first: number, filters: readonly string[]): Uint8Array => packet(first, number(7),
  ...filters.map(filter => bytesOf(number(filter.length), filter, ...first === 0x82 ? [0] : [])));

/**
 * Runs until `isDone`. @returns the most filters that were entered, and messages compared with one, in one turn of
 * the loop
 */
function mostInOneTurn(world: World, isDone: () => boolean): { entered: number; compared: number } {
  const { retained, subscriptions } = world.gateway;
  const most = { entered: 0, compared: 0 };
  const present = { ...most };
  const add = subscriptions.add.bind(subscriptions);
  subscriptions.add = (...parts) => {
    ++present.entered;
    return add(...parts);
  };
  const matches = retained.matches.bind(retained);
  retained.matches = (...parts) => {
    ++present.compared;
    return matches(...parts);
  };
  for (let turn = 0; !isDone(); ++turn) {
    if (turn > 100_000 || !world.clock.step())
      throw new Error('never done');
    most.entered = Math.max(most.entered, present.entered);
    most.compared = Math.max(most.compared, present.compared);
    present.entered = present.compared = 0;
  }
  return most;
}

describe('a SUBSCRIBE with as many filters as fit a packet', () => {
  const filters = Array.from({ length: 16_000 }, () => '#');

  it('stops nobody, is answered once, with a code for each filter, and brings each retained message once', () => {
    const world = World.quiet(LARGE, { landingCapacity: 65_536 });
    const writer = world.client('writer');
    for (let index = 0; index < 1000; ++index)
      writer.publish(`r/${index}`, 'kept', 0, true);
    world.run(1000);
    expect(world.gateway.retained.count).toBe(1000);
    const greedy = world.client('greedy');
    const other = world.client('other');
    greedy.post(requestOf(0x82, filters), bytesOf(0xC0, 0));
    world.until(() => world.gateway.serverRole.sessions.some(session => session.isHeldBy(HELD_BY_WORK)));
    other.post(bytesOf(0xC0, 0));
    let answered = 0;
    const most = mostInOneTurn(world, () => {
      if (answered === 0 && other.all('pingresp').length === 1)
        answered = greedy.all('suback').length + 1;
      return greedy.all('publish').length >= 1000;
    });
    expect(answered).toBe(1); // before the SUBACK of the greedy one
    expect(most.entered).toBe(FILTERS_AT_ONCE);
    expect(most.compared).toBeGreaterThan(0);
    expect(most.compared).toBeLessThanOrEqual(COMPARISONS_AT_ONCE);
    world.run(1000);
    expect(greedy.packets.slice(0, 2).map(({ cmd }) => cmd)).toEqual(['connack', 'suback']);
    expect(greedy.all('suback')[0]!.granted).toEqual(filters.map(() => 0));
    expect(greedy.messages.length).toBe(1000);
    expect(new Set(greedy.messages).size).toBe(1000);
    expect(greedy.all('pingresp').length).toBe(1); // its next packet waited
  });

  it.each([1, FILTERS_AT_ONCE, FILTERS_AT_ONCE + 1,
    FILTERS_AT_ONCE * 3])('with %i filters: what follows it in the same segment comes after its SUBACK', count => {
    const world = World.quiet(LARGE);
    const node = world.client('n');
    node.post(requestOf(0x82, Array.from({ length: count }, (_, index) => `f/${index}`)), publish('f/0', 'x'),
      publish('f/0', 'y'));
    world.run(1000);
    expect(node.packets.map(({ cmd }) => cmd)).toEqual(['connack', 'suback', 'publish', 'publish']);
    expect(world.gateway.subscriptions.count).toBe(count);
    node.post(requestOf(0xA2, Array.from({ length: count }, (_, index) => `f/${index}`)), publish('f/0', 'z'),
      bytesOf(0xC0, 0));
    world.run(1000);
    expect(node.packets.slice(4).map(({ cmd }) => cmd)).toEqual(['unsuback', 'pingresp']);
    expect(world.gateway.subscriptions.count).toBe(0);
  });

  it('that arrives in pieces, with others behind it, loses nothing', () => {
    const world =
      World.quiet({ listener: { max_packet_size: 1024, max_subscriptions: 200, max_subscription_bytes: 8192 } },
        { landingCapacity: 1436 });
    const node = world.client('n');
    const request = requestOf(0x82, Array.from({ length: 150 }, (_, index) => `${index}`));
    const rest = Array.from({ length: 200 }, (_, index) => publish('149', `${index}`));
    for (const cut of [1, 2, 3, 500, request.length - 1, request.length]) {
      node.packets.length = 0;
      node.post(request.subarray(0, cut));
      world.run(10);
      node.post(request.subarray(cut), ...rest);
      world.run(3000);
      expect(node.packets.map(({ cmd }) => cmd), `cut at ${cut}`).toEqual(['suback', ...rest.map(() => 'publish')]);
      expect(node.messages, `cut at ${cut}`).toEqual(rest.map((_, index) => `149 ${index}`));
    }
  });

  it('of a node that goes meanwhile is judged to its end, and so is DISCONNECT behind it', () => {
    const world = World.quiet(LARGE);
    const watcher = world.client('watcher');
    watcher.subscribe('will');
    const node = world.client('n', { clean: false, will: { topic: 'will', payload: 'gone' } });
    node.post(requestOf(0x82, Array.from({ length: 300 }, (_, index) => `f/${index}`)), bytesOf(0xE0, 0));
    world.run(2);
    node.close();
    world.run(1000);
    expect(world.gateway.subscriptions.count).toBe(301);
    expect(watcher.messages).toEqual([]);
  });
});

describe('more retained messages than a node takes at once', () => {
  /** The defaults of a board. */
  function retained(count: number, qos: 0 | 1 = 1): World {
    const world = World.quiet();
    const writer = world.client('writer');
    for (let index = 0; index < count; ++index)
      writer.publish(`r/${index}`, 'x'.repeat(60), qos, true);
    world.run(1000);
    return world;
  }

  it.each([0, 1] as const)('of QoS %i all arrive, as room comes [MQTT311-3.3.1-6]', qos => {
    const world = retained(25, qos);
    const reader = world.client('reader');
    reader.subscribe('r/#', 1);
    world.run(2000);
    expect(reader.all('publish').map(({ topic, retain }) => `${topic} ${retain}`)).toEqual(Array.from({ length: 25 },
      (_, index) => `r/${index} true`));
  });

  /** A reader that acknowledges only when told. */
  function slow(world: World): { reader: Peer; acknowledgeAll: () => void } {
    const reader = world.client('reader', {}, () => {});
    reader.subscribe('r/#', 1);
    world.run(100);
    let done = 0;
    return {
      reader,
      acknowledgeAll: () => {
        for (let isIdle = false; !isIdle;) {
          const waiting = reader.all('publish').slice(done);
          done += waiting.length;
          for (const message of waiting)
            acknowledge(reader, message);
          world.run(100);
          isIdle = waiting.length === 0;
        }
      },
    };
  }

  it('one that changes before its turn is sent as it is then, and no older value after it', () => {
    const world = retained(25);
    const { acknowledgeAll, reader } = slow(world);
    const writer = world.client('second writer');
    for (const [topic, value] of [['r/24', 'new'], ['r/20', 'longer than before'.repeat(5)],
      ['r/0', 'after its turn']] as const)
      writer.publish(topic, value, 1, true);
    world.run(100);
    acknowledgeAll();
    for (const [topic, value] of [['r/24', 'new'], ['r/20', 'longer than before'.repeat(5)],
      ['r/0', 'after its turn']] as const)
      expect(reader.all('publish').filter(message => message.topic === topic).at(-1)!.payload.toString()).toBe(value);
    expect(reader.all('publish').filter(({ topic }) => topic === 'r/24').map(({ payload }) =>
      payload.toString())).not.toContain('x'.repeat(60));
    expect(new Set(reader.all('publish').map(({ topic }) => topic)).size).toBe(25);
  });

  it('one that is removed before its turn is not sent, and none is left out or sent twice for it', () => {
    const world = retained(25);
    const { acknowledgeAll, reader } = slow(world);
    const writer = world.client('second writer');
    for (const topic of ['r/1', 'r/24', 'r/15'])
      writer.publish(topic, '', 0, true);
    world.run(100);
    acknowledgeAll();
    const topics = reader.all('publish').filter(({ payload }) => payload.length > 0).map(({ topic }) => topic);
    expect(topics).toEqual(Array.from({ length: 25 }, (_, index) => `r/${index}`).filter(topic => topic !== 'r/24'
      && topic !== 'r/15'));
  });

  it('are not sent any more when the subscription is given up, and those for the next one are, from the first', () => {
    const world = retained(25);
    const { acknowledgeAll, reader } = slow(world);
    reader.subscribe('r/2', 1);
    reader.post(unsubscribe(9, 'r/#'));
    world.run(100);
    const before = reader.all('publish').length;
    acknowledgeAll();
    expect(before).toBeLessThan(25);
    expect(reader.all('publish').slice(before).map(({ topic }) => topic)).toEqual(['r/2']);
  });

  it('are sent again from the first when the same subscription is made again', () => {
    const world = retained(25);
    const { acknowledgeAll, reader } = slow(world);
    reader.subscribe('r/#', 1);
    acknowledgeAll();
    expect(reader.all('publish').length).toBe(50);
  });

  it('go on when the node comes back to its session', () => {
    const world = retained(25);
    const first = world.client('reader', { clean: false }, () => {});
    first.subscribe('r/#', 1);
    world.run(100);
    first.close();
    world.run(100);
    const second = world.client('reader', { clean: false });
    world.run(2000);
    expect(new Set(second.all('publish').map(({ topic }) => topic)).size).toBe(25);
  });
});

describe('the figures of $SYS', () => {
  it('for many nodes come in slices, each figure to each node', () => {
    const world = World.quiet({ ...LARGE, listener: { ...LARGE.listener, max_connections: 60, sys_interval: 10 } });
    const nodes = Array.from({ length: 50 }, (_, index) => world.client(`n${index}`));
    for (const node of nodes)
      node.post(...Array.from({ length: 30 }, (_, index) => subscribe(1, `$SYS/${index}/#`, 0)),
        subscribe(2, '$SYS/#', 0));
    world.run(5000);
    const topics = new Set(nodes[0]!.all('publish').map(({ topic }) => topic));
    expect(topics.size).toBeGreaterThan(30);
    for (const node of nodes)
      node.packets.length = 0;
    world.run(10_000);
    for (const node of nodes)
      expect(node.all('publish').map(({ topic }) => topic)).toEqual([...topics]);
  });
});
