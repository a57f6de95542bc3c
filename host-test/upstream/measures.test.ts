/** How long messages take, how often they are repeated, what is given up by rule and reason: where it is counted. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { createQueue, Measures } from '../../src/host/measures.ts';
import { BOUNDS } from '../../src/session/delivery-times.ts';
import type { MeasuredQueue } from '../../src/session/measured-queue.ts';
import { LossTally } from '../../src/upstream/loss-tally.ts';
import * as Loss from '../../src/upstream/losses.ts';
import { NO_RULE } from '../../src/upstream/topic-map.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { oblige, type Peer, World, type WorldOptions } from '../world/world.ts';

interface Stage {
  readonly world: World;
  readonly measures: Measures;
  readonly queue: MeasuredQueue;
}

function start(configuration: PartialConfiguration = {}, options: WorldOptions = {}): Stage {
  const measures = new Measures();
  const medium = new FlashMedium(512, 12);
  const world = new World({
    createQueue, openStorage: (_store, arena) => measures.watch(new SimulatedFlash(arena, medium)),
    configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }], ...configuration },
    ...options,
  });
  measures.begin(world.gateway);
  world.runtime.start();
  return { world, measures, queue: world.gateway.upstreamQueue as MeasuredQueue };
}

/** Messages in the bucket up to `bound` milliseconds. */
const within = ({ times }: MeasuredQueue, bound: number): number => times.counts[BOUNDS.indexOf(bound)]!;

/** A Server that acknowledges messages so many milliseconds after they have come. */
const slow = (world: () => World, delay: number) => (peer: Peer, packet: Parameters<typeof oblige>[1]): void => {
  if (packet.cmd === 'publish')
    world().clock.schedule(delay, () => oblige(peer, packet));
  else
    oblige(peer, packet);
};

describe.each(['ram', 'flash'] as const)('with durability %s', durability => {
  const store = { durability, ram: 4096 } as const;

  it('counts from when a message was taken over to its last acknowledgement', () => {
    const stage: Stage = start({ store }, { server: slow(() => stage.world, 400) });
    const { queue, world } = stage;
    world.until(() => world.isConnected);
    const node = world.client('one');
    node.publish('a', '1', 1);
    node.publish('a', '2', 0);
    world.run(2000);
    expect([queue.times.count, within(queue, 500)]).toEqual([1, 1]);
    expect(queue.times.sum).toBeGreaterThanOrEqual(400);
  });

  it('counts the time without the broker, also of what has changed its place meanwhile', () => {
    const { queue, world } = start({ store }, { server: null });
    const node = world.client('one');
    for (let number = 0; number < 10; ++number) {
      node.publish('a', `${number}`.repeat(100), 1);
      world.run(1000);
    }
    world.run(20_000);
    world.server = oblige;
    world.listen();
    world.until(() => world.isConnected, 120_000);
    world.run(2000);
    expect(queue.times.count).toBe(10);
    expect(within(queue, 30_000) + within(queue, 60_000)).toBe(10);
    expect(queue.repeatedCount).toBe(0);
  });

  it('counts what is sent again', () => {
    const { queue, world } = start({ store }, { server: (peer, packet) => {
      if (packet.cmd !== 'publish')
        oblige(peer, packet);
    } });
    world.until(() => world.isConnected);
    world.client('one').publish('a', '1', 1);
    world.run(500);
    world.server = (peer, packet) => packet.cmd === 'connect'
      ? void peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: true }) : oblige(peer, packet);
    world.uplink.vanish();
    world.until(() => queue.times.count > 0);
    expect([queue.repeatedCount, queue.times.count]).toEqual([1, 1]);
  });

  it('knows how long the oldest message has waited', () => {
    const { world } = start({ store }, { server: null });
    expect(world.gateway.waiting.oldestAge).toBe(-1);
    world.client('one').publish('a', '1', 1);
    world.run(7500);
    world.runtime.later(() => { /* so that the gateway knows how late it is */ });
    expect(world.gateway.waiting.oldestAge).toBe(7);
  });

  it('counts what is given up by rule and reason, as often as the rule says', () => {
    const { world } = start({ store: { ...store, size: 8192 }, topic: [
      { pattern: 'b', direction: 'out', remote_prefix: 'up/' }, { pattern: '#', direction: 'out', remote_prefix: 'up/' },
    ] }, { server: null });
    const node = world.client('one');
    for (let number = 0; number < 60; ++number) {
      node.publish(number % 3 === 0 ? 'b' : 'a', 'x'.repeat(200), 1);
      world.run(100);
    }
    const { rules, losses } = world.gateway.bridge.outbound;
    expect(rules.map(({ dropped }) => dropped)).toEqual([0, 1].map(rule => losses!.countOf(rule, Loss.NO_ROOM)));
    expect(Math.min(...rules.map(({ dropped }) => dropped))).toBeGreaterThan(0);
  });
});

it('counts erasures of the store, and none where there is none', () => {
  const { measures, world } = start({ store: { durability: 'flash' } });
  world.until(() => world.isConnected);
  const node = world.client('one');
  for (let number = 0; number < 100; ++number) {
    node.publish('a', 'x'.repeat(200), 1);
    world.run(100);
  }
  expect(measures.erasureCount).toBeGreaterThan(10);
});

it('keeps the counts of a rule that stays when there are others', () => {
  const tally = new LossTally(2);
  tally.add(0, Loss.EXPIRED);
  tally.add(1, Loss.NO_ROOM);
  tally.add(NO_RULE, Loss.ORPHANED);
  tally.replace([{ identity: 7 }, { identity: 8 }], [{ identity: 9 }, { identity: 8 }, { identity: 10 }]);
  expect([0, 1, 2].map(rule => tally.countOf(rule, Loss.NO_ROOM))).toEqual([0, 1, 0]);
  expect([Loss.EXPIRED, Loss.ORPHANED].map(reason => tally.countOf(NO_RULE, reason))).toEqual([1, 1]);
  for (const reason of Object.values(Loss)) { // one of rule 2 would count for another rule if it had no place
    tally.add(1, reason);
    expect([1, 2].map(rule => tally.countOf(rule, reason))).toEqual([reason === Loss.NO_ROOM ? 2 : 1, 0]);
  }
});
