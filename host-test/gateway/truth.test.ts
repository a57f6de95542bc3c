/** What status and $SYS say of what waits, was given up or was refused, in virtual time. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { ALL_IS_WELL } from '../../src/gateway/advice.ts';
import { describeEvent } from '../../src/gateway/event-texts.ts';
import { statusOf, type Status } from '../../src/gateway/status.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { oblige } from '../world/peer.ts';
import { World, type WorldOptions } from '../world/world.ts';

const statusIn = (world: World, date = 0): Status => statusOf(world.runtime, world.clock.now, date);

/** What a node that asks is told under this name. */
function figureIn(world: World, name: string): string {
  const node = world.client('reader');
  node.subscribe(`$SYS/broker/${name}`);
  world.run(100);
  return node.messages.at(-1)!.split(' ').at(-1)!;
}

/** A world whose Server has gone. */
function alone(options: WorldOptions): World {
  const world = World.connected(options);
  world.stopListening();
  world.uplink.close();
  world.run(1000);
  return world;
}

it('a message is accepted when a rule has taken it, and sent when the broker has it', () => {
  const world = alone({ configuration: { topic: [{ pattern: '#', qos: 2 }] } });
  const node = world.client('n');
  for (const qos of [0, 1, 2] as const)
    node.publish('a', 'x', qos);
  world.run(1000);
  const { acceptedForUpstream, sentUpstream } = statusIn(world).counters;
  expect([acceptedForUpstream, sentUpstream]).toEqual([3, 0]);
  world.listen();
  world.until(() => world.isConnected, 60_000);
  world.run(1000);
  for (const qos of [0, 1, 2] as const)
    node.publish('b', 'x', qos);
  world.run(1000);
  expect(statusIn(world).counters).toMatchObject({ acceptedForUpstream: 6, sentUpstream: 6, droppedUpstream: 0 });
});

describe('the count of what is stored', () => {
  it('is that of the log, not of the part of it that is in memory; and so are its bytes', () => {
    const medium = new FlashMedium(4096, 64);
    const world = alone({
      configuration: { store: { durability: 'flash', ram: 1024, size: 64 * 4096 } },
      openStorage: (_store, arena) => new SimulatedFlash(arena, medium),
      date: () => 1_800_000_000,
    });
    const node = world.client('n');
    for (let count = 0; count < 500; ++count) {
      node.publish('a', Buffer.alloc(60), 1);
      world.run(20);
    }
    const { store } = statusIn(world, 1_800_000_100); // whatever the calendar says: the store counts seconds of power
    // Three eighths of the blocks are the map's; of the others one is kept free, and each has a header.
    expect(store).toMatchObject({ durable: true, count: 500, capacity: (64 - 24 - 1) * (4096 - 32),
      oldest: 500 * 20 / 1000, dropped: 0 });
    expect(store.bytes).toBeGreaterThan(500 * 70);
    expect(store.bytes).toBeLessThan(500 * 120 + 2 * 4096);
    expect(Number(figureIn(world, 'store/messages/count'))).toBe(500);
    expect(Number(figureIn(world, 'store/messages/bytes'))).toBeGreaterThan(500 * 70);
    world.listen();
    world.until(() => world.isConnected, 60_000);
    world.run(30_000);
    expect(statusIn(world).store).toMatchObject({ count: 0, bytes: 0, oldest: null });
  });

  it('is that of the memory without a log', () => {
    const world = alone({ configuration: { store: { ram: 2048 } } });
    const node = world.client('n');
    for (let count = 0; count < 5; ++count)
      node.publish('a', 'x', 1);
    world.run(100);
    expect(statusIn(world).store).toMatchObject({ durable: false, count: 5, capacity: 2048, oldest: null });
    expect(figureIn(world, 'store/messages/count')).toBe('5');
  });
});

describe('what was given up for the Server', () => {
  it('is told under $SYS, and by the status until some minutes have passed', () => {
    const world = alone({ configuration: { store: { ram: 256 } } });
    const node = world.client('n');
    for (let count = 0; count < 50; ++count)
      node.publish('a', 'x', 1);
    world.run(1000);
    const { dropped } = statusIn(world).store;
    expect(dropped).toBeGreaterThan(10);
    expect(figureIn(world, 'bridge/messages/dropped')).toBe(`${dropped}`);
    world.listen();
    world.until(() => world.isConnected, 60_000);
    world.run(1000);
    expect(statusIn(world).advice).toBe(`${dropped} messages for the broker were dropped in the last minutes: raise store.ram, or send less`);
    world.run(4 * 60_000);
    expect(statusIn(world).advice).toMatch(/dropped in the last minutes/);
    world.run(7 * 60_000);
    expect(statusIn(world).advice).toBe(ALL_IS_WELL);
    expect(statusIn(world).store.dropped).toBe(dropped);
  });

  it('is forgotten in time also where nobody gets figures', () => {
    const world = alone({ configuration: { store: { ram: 256 }, listener: { sys_interval: 0 } } });
    const node = world.client('n');
    for (let count = 0; count < 50; ++count)
      node.publish('a', 'x', 1);
    world.run(1000);
    world.listen();
    world.until(() => world.isConnected, 60_000);
    world.run(1000);
    expect(statusIn(world).advice).toMatch(/dropped in the last minutes/);
    world.run(16 * 60_000);
    expect(statusIn(world).advice).toBe(ALL_IS_WELL);
  });
});

describe('a message of the Server that is too long', () => {
  it('counts for the rule by which it comes, and is named by its topic', () => {
    const texts: string[] = [];
    const world: World = World.connected({ configuration: { upstream: { max_packet_size: 200 } } });
    const { observer } =
      world.gateway as unknown as { observer: { onEvent(event: number, subject: number, detail: number): void } };
    const { onEvent } = observer;
    observer.onEvent = (event, subject, detail) => {
      if (event === Event.OVERSIZE_DROPPED)
        texts.push(describeEvent(world.gateway, event, subject, detail));
      onEvent(event, subject, detail);
    };
    const node = world.client('n');
    node.subscribe('#');
    world.run(100);
    world.uplink.publish('down/big', Buffer.alloc(500), 1);
    world.run(100);
    const { counters, rules, advice } = statusIn(world);
    expect(rules.map(({ direction, dropped }) => [direction, dropped])).toEqual([['out', 0], ['in', 1]]);
    expect(counters).toMatchObject({ tooLongFromUpstream: 1, droppedUpstream: 0 });
    expect(advice).toBe('1 message from the broker was dropped in the last minutes: raise upstream.max_packet_size; the log has the topics');
    expect(texts).toEqual(['dropped a message of 500 bytes to "down/big" from upstream: raise upstream.max_packet_size to take it']);
  });
});

describe('all is well only when', () => {
  it('every subscription is granted on this connection, with the QoS that was asked for', () => {
    const answers = [[2], [1], [0x80], []];
    const world: World = new World({
      server: (peer, packet) => {
        if (packet.cmd !== 'subscribe')
          oblige(peer, packet);
        else if (answers[0]!.length > 0)
          peer.post({ cmd: 'suback', messageId: packet.messageId!, granted: answers[0]! });
      },
    });
    world.runtime.start();
    const advice: string[] = [];
    while (answers.length > 0) {
      world.until(() => world.isConnected, 60_000);
      world.run(1000);
      advice.push(statusIn(world).advice);
      answers.shift();
      if (answers.length === 0)
        break;
      world.uplink.close();
      world.run(60_000 - 1000);
    }
    expect(advice).toEqual([
      ALL_IS_WELL,
      'the broker sends "down/#" with QoS 1 at most: ask its operator for 2, or write that as the qos of the rule',
      'the broker has refused the subscription to "down/#": check the access rights of upstream.remote_username',
      'the broker has not granted the subscription to "down/#" yet: wait a moment',
    ]);
  });

  it('the Server acknowledges what it gets', () => {
    const world = World.connected({
      server: (peer, packet) => {
        if (packet.cmd !== 'publish')
          oblige(peer, packet);
      },
    });
    expect(statusIn(world).advice).toBe(ALL_IS_WELL);
    world.client('n').publish('a', 'x', 1);
    world.run(5000);
    expect(statusIn(world).advice).toBe(ALL_IS_WELL);
    world.run(4000);
    expect(statusIn(world).advice).toMatch(/^the broker has acknowledged nothing for [89] seconds/);
  });

  it('the Server acknowledges everything, and not all but QoS 2', () => {
    const world = World.connected({
      configuration: { topic: [{ qos: 2 }], upstream: { acknowledgement_timeout: 60 } },
      server: (peer, packet) => {
        if (packet.cmd !== 'publish' || packet.qos !== 2)
          oblige(peer, packet);
      },
    });
    const node = world.client('n');
    node.publish('two/a', 'x', 2);
    for (let count = 0; count < 8; ++count) {
      node.publish('one', 'x', 1);
      world.run(1000);
    }
    expect(statusIn(world).advice).toMatch(/^the broker has not acknowledged a message of QoS 2 to "two\/a" for [78] seconds, but others that came later: if it serves no QoS 2, set upstream\.max_qos to 1$/);
  });

  it('a subscription that is never answered is given up, and told as such', () => {
    const world = World.connected({
      configuration: { topic: [{ pattern: 'down/#', direction: 'in' }, { pattern: 'up/#' }],
        upstream: { acknowledgement_timeout: 5, restart_timeout: [1, 2] } },
      server: (peer, packet) => {
        if (packet.cmd !== 'subscribe')
          oblige(peer, packet);
      },
    });
    expect(statusIn(world).advice).toBe('the broker has not granted the subscription to "down/#" yet: wait a moment');
    world.run(60_000);
    expect(statusIn(world).advice).toMatch(/^the broker closes the connection for the subscription to "down\/#", or never answers it, so it is not asked for any more: /);
  });

  it('no two nodes throw each other out', () => {
    const world = World.connected();
    for (let count = 0; count < 4; ++count) {
      expect(statusIn(world).advice).toBe(ALL_IS_WELL);
      world.client('twin');
      world.run(5000);
    }
    expect(statusIn(world).advice).toBe('two nodes call themselves "twin" and throw each other out, both from 10.0.0.3: give each one an identifier of its own');
    world.run(61_000);
    expect(statusIn(world).advice).toBe(ALL_IS_WELL);
  });
});
