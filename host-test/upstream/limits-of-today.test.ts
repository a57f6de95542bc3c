/**
 * What the Server is known today not to take is not sent, although it was let in when less was known: not from the log,
 * not after it has been under way in an earlier life, and not from memory.
 */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { withReloadRoom } from '../../src/config/reload-room.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { planReload, reloadRuntime } from '../../src/io/reload.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { oblige, type Peer, SERVER, World, type WorldOptions } from '../world/world.ts';

type Upstream = NonNullable<PartialConfiguration['upstream']>;
const LONG = 'x'.repeat(300);
const DEEP = 'a/b/c/d/e/f/g';
const LIMITS: [name: string, limits: Upstream, topic: string, payload: string][] = [
  ['longer than bridge_max_packet_size', { bridge_max_packet_size: 200 }, 'bad', LONG],
  ['deeper than max_topic_levels', { max_topic_levels: 5 }, DEEP, 'x'],
];

class Stage {
  readonly medium = new FlashMedium(4096, 16);
  readonly arrived: string[] = [];
  world!: World;
  /** Takes nothing: what is sent stays under way. */
  isMute = false;

  start(upstream: Upstream, more: PartialConfiguration = {}, layout?: WorldOptions['layout']): this {
    this.world?.cutPower();
    const configuration: PartialConfiguration = {
      topic: [{ pattern: '#', direction: 'out', qos: 1 }], store: { durability: 'flash' }, ...more,
      upstream: { address: [`mqtt://${SERVER}`], ...upstream },
    };
    this.world = World.connected({
      configuration, server: this.serve, openStorage: (_store, arena) => new SimulatedFlash(arena, this.medium),
      ...layout !== undefined && { layout },
    });
    return this;
  }

  goAway(): void {
    this.world.stopListening();
    this.world.uplink.close();
    this.world.until(() => !this.world.isConnected);
  }

  publish(topic: string, payload: string): void {
    const node = this.world.client('n');
    node.publish('before', '1', 1);
    node.publish(topic, payload, 1);
    node.publish('after', '2', 1);
    this.world.run(100);
    expect(node.all('puback')).toHaveLength(3);
    node.vanish();
  }

  expectSetAside(topic: string, count = 1): void {
    const { clock, runtime: { gateway, sensors, upstream } } = this.world;
    const { quarantine, rules } = statusOf({ gateway, sensors, upstream }, clock.now);
    expect(this.arrived).toEqual(['before', 'after']);
    expect(quarantine).toMatchObject({ count, messages: count === 0 ? [] : [{ topic }] });
    expect(gateway.waiting.pendingCount).toBe(0);
    expect(gateway.durableStore?.backlog.store.queue.pendingCount ?? 0).toBe(0);
    expect(rules[0]!.dropped).toBe(1 - count);
  }

  private readonly serve = (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'publish') {
      if (this.isMute)
        return;
      expect(packet.payload.length).toBeLessThan(200);
      expect(packet.topic.split('/').length).toBeLessThanOrEqual(5);
      this.arrived.push(packet.topic);
    }
    oblige(peer, packet);
  };
}

describe.each(LIMITS)('a message that is %s today', (_name, limits, topic, payload) => {
  it('is set aside when it waits in the log', () => {
    const stage = new Stage().start({});
    stage.goAway();
    stage.publish(topic, payload);
    stage.world.listen();
    stage.start(limits);
    stage.world.run(5000);
    stage.expectSetAside(topic);
    expect(stage.world.upstreamEndings).toEqual([]);
  });

  it('is set aside when it was under way in an earlier life', () => {
    const stage = new Stage().start({});
    stage.isMute = true;
    stage.publish(topic, payload);
    stage.isMute = false;
    stage.start(limits);
    stage.world.run(5000);
    stage.expectSetAside(topic);
  });

  it('is given up and counted when there is no quarantine', () => {
    const quarantine: PartialConfiguration = { store: { durability: 'flash', quarantine: [0, 0] } };
    const stage = new Stage().start({}, quarantine);
    stage.goAway();
    stage.publish(topic, payload);
    stage.world.listen();
    stage.start(limits, quarantine);
    stage.world.run(5000);
    stage.expectSetAside(topic, 0);
  });

  it.each(['ram', 'flash'] as const)('is set aside when the limit comes while it waits, in %s', durability => {
    const more: PartialConfiguration = { store: { durability }, listener: { allow_anonymous: true } };
    const topics: PartialConfiguration = { topic: [{ pattern: '#', direction: 'out', qos: 1 }] };
    const before = completeConfiguration({ ...more, ...topics, upstream: { address: [`mqtt://${SERVER}`] } });
    const stage = new Stage().start({}, more, withReloadRoom(before));
    stage.goAway();
    stage.publish(topic, payload);
    const { world } = stage;
    const { configuration, plans } = world.gateway;
    const plan = planReload(configuration, plans!.layout,
      { ...configuration, upstream: { ...configuration.upstream, ...limits } as typeof configuration.upstream });
    reloadRuntime(world.runtime, plan, { authenticator: undefined, changedPasswords: new Set() });
    world.listen();
    world.until(() => world.isConnected, 100_000);
    world.run(5000);
    stage.expectSetAside(topic);
  });
});
