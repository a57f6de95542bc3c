/**
 * What is promised: messages that a node got an acknowledgement for, and readings. Whatever the QoS of their rule
 * they arrive when the Server comes back; and what cannot be kept is not acknowledged, but asked for again when there
 * is room.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

type Rule = Partial<NonNullable<PartialConfiguration['topic']>[number]>;

const configure = (durability: 'ram' | 'flash', ...rules: Rule[]): PartialConfiguration => ({
  ...TINY, topic: rules.map(rule => ({ ...TINY.topic![0]!, ...rule })), store: { ...TINY.store, durability },
});

class Stage {
  readonly medium = new FlashMedium(512, 9);
  readonly server = new ServerModel();
  readonly nodes = [new NodeModel('one'), new NodeModel('two')];
  readonly configuration: PartialConfiguration;

  constructor(configuration: PartialConfiguration) {
    this.configuration = configuration;
  }

  /** A life of the gateway: the next one, if there was one before. */
  start(): StoreWorld {
    const world = new StoreWorld(this.medium, this.server, this.nodes, {}, this.configuration);
    world.connectNode(0);
    return world;
  }

  get arrived(): string[] {
    return this.server.delivered.map(({ payload, qos, topic }) => `${topic}=${payload} q${qos}`);
  }
}

describe('a rule of QoS 0', () => {
  it('keeps what was promised while the Server is away, over a restart, and sends it with QoS 1, in order', () => {
    const stage = new Stage(configure('flash', { qos: 0 }));
    const first = stage.start();
    first.send(0, ['a', '1', 1], ['a', 'unpromised', 0], ['a', '2', 2]);
    first.settle();
    first.takeReading('air', '21.5');
    first.settle();
    expect(stage.nodes[0]!.messages.every(({ isDone }) => isDone)).toBe(true);
    stage.start().finish();
    expect(stage.arrived).toEqual(['up/a=1 q1', 'up/a=2 q1', 'up/air=21.5 q1']);
  });

  it('sends at once, with QoS 0 and without the log, while the Server is there', () => {
    const stage = new Stage(configure('flash', { qos: 0 }));
    const world = stage.start();
    world.connectUpstream();
    world.send(0, ['a', '1', 1], ['a', '2', 2], ['a', '3', 0]);
    world.takeReading('air', '21.5');
    world.settle();
    expect(stage.arrived).toEqual(['up/a=1 q0', 'up/a=2 q0', 'up/a=3 q0', 'up/air=21.5 q0']);
    expect(world.gateway.durableStore!.backlog.store.queue.usedLength).toBe(0);
  });

  it('keeps nothing in the log if it is not to store', () => {
    const stage = new Stage(configure('flash', { qos: 0, store: false }));
    const world = stage.start();
    const { programCount } = stage.medium; // the session of its node
    world.send(0, ['a', '1', 1]);
    world.settle();
    expect(stage.medium.programCount).toBe(programCount);
    world.finish();
    expect(stage.arrived).toEqual(['up/a=1 q0']);
  });

  it.each(['ram', 'flash'] as const)('lets nothing that was promised pass what waits (%s)', durability => {
    const stage =
      new Stage({ ...configure(durability, { qos: 0 }), store: { ram: 4096, durability, replay_rate: 10 } });
    const world = stage.start();
    for (let number = 0; number < 10; ++number)
      world.send(0, ['a', `${number}`, 1]);
    world.settle();
    world.connectUpstream();
    world.send(0, ['a', 'promised', 1], ['b', 'live', 0]);
    world.settle();
    expect(stage.arrived).toContain('up/b=live q0');
    expect(stage.arrived).not.toContain('up/a=promised q1');
    world.wait(2000);
    expect(stage.arrived.filter(one =>
      one.startsWith('up/a'))).toEqual([...Array.from({ length: 10 }, (_value, number) => `up/a=${number} q1`),
        'up/a=promised q1']);
  });
});

describe.each(['ram', 'flash'] as const)('when there is no room and the rule gives up nothing (%s)', durability => {
  const COUNT = 60;

  function fill(world: StoreWorld, qos: number): void {
    for (let number = 0; number < COUNT; ++number) {
      world.send(0, [`t${number % 3}`, `${number}`, qos]);
      world.settle();
    }
  }

  it.each([1, 2])('a message of QoS %i is not acknowledged, nor any behind it; all arrive when there is room again, once and in order [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]', qos => {
    const stage = new Stage(configure(durability, { pattern: 'other', full: 'drop_oldest' }, { full: 'drop_newest' }));
    const world = stage.start();
    fill(world, qos);
    const [node] = stage.nodes;
    const taken = node!.messages.filter(({ isTaken }) => isTaken).length;
    expect(taken).toBeGreaterThan(3);
    expect(taken).toBeLessThan(COUNT);
    expect(node!.messages.slice(taken).some(({ isTaken }) => isTaken)).toBe(false);
    const { dropped, refused } = world.gateway.bridge.outbound.rules[1]!;
    expect([dropped, refused]).toEqual([0, 1]);
    expect(world.events.filter(event => event === Event.MESSAGE_REFUSED)).toHaveLength(1);
    // Another rule would make room: but acknowledgements keep their order.
    world.send(0, ['other', 'behind', qos]);
    world.settle();
    expect(node!.messages.at(-1)!.isTaken).toBe(false);
    // Everything else goes on, for as long as it takes.
    world.say(0, 0xC0, 0);
    expect(world.toNodes[0]!.at(-1)).toBe('d0');
    world.wait(10_000);
    expect(world.isNodeConnected(0)).toBe(true);

    world.connectUpstream();
    for (let life = 0; !node!.messages.every(({ isDone }) => isDone); ++life) {
      expect(life, 'not done').toBeLessThan(30);
      world.wait(2000);
      world.connectNode(0);
    }
    world.settle();
    for (let topic = 0; topic < 3; ++topic)
      expect(stage.server.delivered.filter(one => one.topic === `up/t${topic}`).map(({ payload }) =>
        payload)).toEqual(Array.from({ length: COUNT / 3 }, (_value, index) => `${3 * index + topic}`));
    expect(stage.server.delivered.filter(one => one.topic === 'up/other').map(({ payload }) =>
      payload)).toEqual(['behind']);
    expect(world.waitingCount).toBe(0);
  });

  it('nobody here gets a message that will come again', () => {
    const stage = new Stage(configure(durability, { full: 'drop_newest' }));
    const world = stage.start();
    world.connectNode(1);
    world.say(1, 0x82, 6, 0, 1, 0, 1, 0x23, 0); // SUBSCRIBE "#"
    fill(world, 1);
    const taken = stage.nodes[0]!.messages.filter(({ isTaken }) => isTaken).length;
    expect(world.toNodes[1]!.filter(one => one.startsWith('30'))).toHaveLength(taken);
  });

  it('readings, which nobody can send again, and messages of QoS 0 are dropped and counted', () => {
    const stage = new Stage(configure(durability, { full: 'drop_newest' }));
    const world = stage.start();
    for (let number = 0; number < COUNT; ++number)
      world.takeReading('air', `${number}`);
    const rule = world.gateway.bridge.outbound.rules[0]!;
    const { dropped } = rule;
    expect(dropped).toBeGreaterThan(0);
    world.send(0, ['t', 'x'.repeat(80), 0], ['t', 'x'.repeat(80), 0], ['t', 'x'.repeat(80), 0],
      ['t', 'x'.repeat(80), 0]);
    expect(rule.dropped).toBeGreaterThan(dropped);
    expect(rule.refused).toBe(0);
    world.finish();
    expect(stage.server.delivered.filter(({ topic }) => topic === 'up/air').map(({ payload }) => payload)).toEqual(
      Array.from({ length: COUNT - dropped }, (_value, number) => `${number}`));
  });

  it('a message of a rule that does not store is acknowledged and dropped', () => {
    const stage = new Stage(configure(durability, { full: 'drop_newest', store: false }));
    const world = stage.start();
    fill(world, 1);
    expect(stage.nodes[0]!.messages.every(({ isTaken }) => isTaken)).toBe(true);
    expect(world.gateway.bridge.outbound.rules[0]!.dropped).toBeGreaterThan(0);
  });
});

it('a message that can never be kept is acknowledged and dropped: it would come again for ever', () => {
  for (const durability of ['ram', 'flash'] as const) {
    const configuration = configure(durability, { full: 'drop_newest' });
    const stage = new Stage({ ...configuration, listener: { ...configuration.listener, max_packet_size: 1024 } });
    const world = stage.start();
    world.send(0, ['t', 'x'.repeat(700), 1], ['t', 'short', 1]);
    world.finish();
    expect(stage.nodes[0]!.messages.every(({ isDone }) => isDone)).toBe(true);
    expect(stage.server.delivered.map(({ payload }) => payload)).toEqual(['short']);
    expect(world.gateway.bridge.outbound.rules[0]!.dropped).toBe(1);
  }
});
