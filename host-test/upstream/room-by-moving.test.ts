/**
 * What lies in the log and is not on its way to the broker makes nobody wait: messages for nodes that are away move,
 * messages without a rule and those that are too old give way, whenever a message of a node needs their block.
 */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { DISCONNECT, publish, subscribe } from '../world/packets.ts';
import type { PacketHandler } from '../world/peer.ts';
import { oblige, type Peer, World, type WorldOptions } from '../world/world.ts';

type Rules = NonNullable<PartialConfiguration['topic']>;
const COMMANDS: Rules[number] = { pattern: 'cmd/#', direction: 'in', qos: 1 };
const OUT: Rules[number] = { pattern: 'up/#', direction: 'out', qos: 1 };
const TEXT = 'x'.repeat(200);

class Stage {
  readonly medium = new FlashMedium(4096, 16);
  readonly arrived = new Set<string>();
  /** Whether the broker acknowledges. */
  isTaking = true;
  world!: World;
  private readonly owed: [Peer, Packet][] = [];
  private count = 0;
  private readonly full: 'drop_newest' | 'drop_oldest';

  constructor(full: 'drop_newest' | 'drop_oldest', topic: Rules) {
    this.full = full;
    this.start(topic);
  }

  start(topic: Rules): void {
    this.world?.cutPower();
    const options: WorldOptions = {
      board: PEER, landingCapacity: 16_384, server: this.serve,
      configuration: {
        topic,
        listener: { max_connections: 6, max_queued_messages: 200, max_queued_bytes: 16_384, max_packet_size: 512 },
        store: { durability: 'flash', ram: 16_384, full: this.full },
      },
      openStorage: (_store, arena) => new SimulatedFlash(arena, this.medium),
    };
    this.world = World.connected(options);
  }

  /** So many messages go to the broker, one after the other. */
  send(node: Peer, count: number): void {
    for (; count > 0; --count) {
      node.publish('up/a', `${++this.count} ${TEXT}`, 1);
      this.world.run(20);
    }
  }

  /** A node sends as fast as it can. @returns milliseconds until all of it has arrived */
  flood(count: number): number {
    const { arrived, world } = this;
    const node = world.client('flooder');
    const before = arrived.size;
    const { heldCount } = world.gateway.pressure;
    const start = world.clock.time;
    const first = this.count;
    for (let number = 0; number < count; ++number)
      node.publish('up/a', `${++this.count} ${TEXT}`, 1);
    world.until(() => arrived.size === before + count, 600_000);
    expect(arrived.size - before, 'arrived').toBe(this.count - first);
    expect(world.gateway.pressure.heldCount - heldCount, 'times held').toBeLessThan(10);
    return world.clock.time - start;
  }

  get counted(): number[] {
    const { gateway: { bridge, delivery } } = this.world;
    return [bridge.droppedCount, delivery.droppedCount];
  }

  private readonly serve: PacketHandler = (peer, packet) => {
    if (packet.cmd === 'publish') {
      if (!this.isTaking) {
        this.owed.push([peer, packet]);
        return;
      }
      this.arrived.add(packet.payload.toString());
    }
    oblige(peer, packet);
  };

  /** The broker acknowledges what it has got. */
  catchUp(): void {
    this.isTaking = true;
    for (const [peer, packet] of this.owed.splice(0))
      this.serve(peer, packet);
  }
}

const PER_BLOCK = 14;
const BLOCKS = 10;

describe.each(['drop_newest', 'drop_oldest'] as const)('with %s', full => {
  it('commands of a node that is away, one in each block of the log, hold nobody up', () => {
    const stage = new Stage(full, [OUT, COMMANDS]);
    const { world } = stage;
    world.node('valve', { clean: false }, subscribe(1, 'cmd/#', 1), DISCONNECT);
    const writer = world.client('writer');
    for (let number = 1; number <= BLOCKS; ++number) {
      world.uplink.post(publish('cmd/a', `${number}`, { qos: 1, identifier: number }));
      stage.send(writer, PER_BLOCK);
    }
    expect(stage.flood(400)).toBeLessThan(10_000);
    expect(stage.counted).toEqual([0, 0]);
    const valve = world.client('valve', { clean: false });
    world.run(1000);
    expect(valve.messages).toEqual(Array.from({ length: BLOCKS }, (_value, at) => `cmd/a ${at + 1}`));
  });

  it('messages that no rule lets out any more, in every block of the log, hold nobody up, and are counted', () => {
    const stage = new Stage(full, [OUT, { ...OUT, pattern: 'old/#' }]);
    const writer = stage.world.client('writer');
    let identifier = 60_000;
    for (let number = 1; number <= BLOCKS; ++number) {
      stage.isTaking = false;
      writer.post(publish('old/a', `old ${number}`, { qos: 1, identifier: ++identifier }));
      stage.world.run(50);
      stage.isTaking = true;
      stage.send(writer, PER_BLOCK);
    }
    stage.start([OUT]);
    const before = stage.world.gateway.durableStore!.backlog.orphanCount;
    expect(before).toBeGreaterThan(BLOCKS - 3);
    expect(stage.flood(400)).toBeLessThan(10_000);
    const { orphanCount } = stage.world.gateway.durableStore!.backlog;
    expect(stage.counted).toEqual([before - orphanCount, 0]);
    expect(stage.counted[0]).toBeGreaterThan(0);
  });

  it('messages that are on their way make room for nobody: the node waits, and nothing is given up', () => {
    const stage = new Stage(full, [OUT, COMMANDS]);
    const { world } = stage;
    world.node('valve', { clean: false }, subscribe(1, 'cmd/#', 1), DISCONNECT);
    const writer = world.client('writer');
    stage.send(writer, 3 * PER_BLOCK);
    stage.isTaking = false; // acknowledges nothing for a while: less than acknowledgement_timeout
    const flooder = world.client('flooder');
    for (let number = 1; number <= 400; ++number) {
      if (number % 40 === 1)
        world.uplink.post(publish('cmd/a', `${number}`, { qos: 1, identifier: number }));
      flooder.publish('up/a', `f${number} ${TEXT}`, 1);
      world.run(2);
    }
    world.run(5000);
    expect(world.gateway.pressure.heldCount).toBeGreaterThan(0);
    expect(stage.counted).toEqual([0, 0]);
    expect(world.gateway.bridge.outbound.rules[0]!.refused).toBe(0);
    stage.catchUp();
    world.until(() => [...stage.arrived].filter(text => text.startsWith('f')).length === 400, 300_000);
    expect([...stage.arrived].filter(text => text.startsWith('f'))).toHaveLength(400);
    expect(stage.counted).toEqual([0, 0]);
  });
});
