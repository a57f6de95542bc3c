/**
 * That the Server is to be told of retained state is not forgotten by a power cut: the session that it began then is
 * there for the gateway's next life, and the state is not.
 */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { oblige, type Peer, World, type WorldOptions } from '../world/world.ts';

const COUNT = 30;
const TOPICS = Array.from({ length: COUNT }, (_value, index) => `up/state/${index}`).sort();

class Stage {
  readonly medium = new FlashMedium(4096, 16);
  world!: World;
  /** Topics of what is retained at the Server. */
  readonly retained = new Set<string>();
  hasSession = false;
  acknowledges = true;
  private replayRate = 0;

  start(replayRate = this.replayRate): this {
    this.replayRate = replayRate;
    this.world?.cutPower();
    const options: WorldOptions = {
      board: PEER, server: this.serve,
      configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
        store: { durability: 'flash', replay_rate: replayRate } },
      openStorage: (_store, arena) => new SimulatedFlash(arena, this.medium),
    };
    this.world = World.connected(options);
    return this;
  }

  /** Nodes have retained something, and the Server has it. */
  fill(): this {
    const node = this.world.client('n');
    for (let index = 0; index < COUNT; ++index) {
      node.publish(`state/${index}`, 'x', 1, true);
      this.world.run(50);
    }
    expect([...this.retained].sort()).toEqual(TOPICS);
    return this;
  }

  /** The Server loses all that it has, and the connection. */
  forget(): void {
    const { world } = this;
    this.hasSession = false;
    this.retained.clear();
    world.uplink.close();
    world.until(() => !world.isConnected);
    world.until(() => world.isConnected, 100_000);
  }

  private readonly serve = (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'connect') {
      peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: this.hasSession });
      this.hasSession = true;
      return;
    }
    if (packet.cmd === 'publish' && !this.acknowledges)
      return; // it is lost
    if (packet.cmd === 'publish' && packet.retain)
      this.retained.add(packet.topic);
    oblige(peer, packet);
  };
}

describe('when the power fails while the Server is told of what it has forgotten', () => {
  it('the rest is told in the next life, on a session that continues', () => {
    const stage = new Stage().start(5).fill();
    stage.forget();
    stage.world.run(2000);
    expect(stage.retained.size).toBeGreaterThan(3);
    expect(stage.retained.size).toBeLessThan(COUNT);
    stage.start();
    stage.world.run(20_000);
    expect([...stage.retained].sort()).toEqual(TOPICS);
  });

  it('at once after the Server has begun its session, all is told', () => {
    const stage = new Stage().start(5).fill();
    stage.forget();
    stage.retained.clear();
    stage.start();
    stage.world.run(20_000);
    expect([...stage.retained].sort()).toEqual(TOPICS);
  });

  it('what has been said and not acknowledged is told again', () => {
    const stage = new Stage().start(0).fill();
    stage.acknowledges = false;
    stage.forget();
    stage.world.run(2000);
    expect(stage.retained.size).toBe(0);
    stage.acknowledges = true;
    stage.start();
    stage.world.run(5000);
    expect([...stage.retained].sort()).toEqual(TOPICS);
  });

  it('a second power cut changes nothing', () => {
    const stage = new Stage().start(5).fill();
    stage.forget();
    for (let life = 0; life < 3; ++life) {
      stage.world.run(1000);
      stage.start();
    }
    stage.world.run(20_000);
    expect([...stage.retained].sort()).toEqual(TOPICS);
  });
});

it('what was told, and acknowledged, is not told again in the next life', () => {
  const stage = new Stage().start(0).fill();
  stage.forget();
  stage.world.run(5000);
  expect([...stage.retained].sort()).toEqual(TOPICS);
  stage.retained.clear();
  stage.start();
  stage.world.run(5000);
  expect(stage.retained.size).toBe(0);
});
