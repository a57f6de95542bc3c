/** What is remembered under the number of a topic, and forgotten in time. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/gateway/configuration.ts';
import { GatewayWorld } from './gateway-world.ts';
import { publish, subscribe } from './packets.ts';

const sensor = (topic: string, offset: number) => ({ name: topic, type: 'simulated', topic, interval: 1, decimals: 0, offset });

describe('a message of the gateway itself', () => {
  const worldOf = (memory: NonNullable<PartialConfiguration['memory']>) => {
    const world = new GatewayWorld({ memory, sensors: [sensor('air', 10), sensor('water/depth', 20)] });
    return { world, air: world.node('air', {}, subscribe(1, 'air', 0)), water: world.node('water', {}, subscribe(1, 'water/#', 0)), writer: world.node('writer') };
  };

  it.each([
    ['each has its place', { topics: 32, topic_length: 16 }],
    ['all share one place', { topics: 1, topic_length: 16 }],
    ['one has no place', { topics: 1, topic_length: 4 }],
  ])('goes to those who asked for its name while others take its number: %s', (_title, memory) => {
    const { air, water, world, writer } = worldOf(memory);
    air.take();
    water.take();
    for (let second = 0; second < 3; ++second) {
      writer.send(publish('fire', 'x'));
      world.run(980);
      expect([air.take(), water.take()]).toEqual([['PUBLISH air=11 q0'], ['PUBLISH water/depth=21 q0']]);
      world.run(1000); // nobody else has said anything
      expect([air.take(), water.take()]).toEqual([['PUBLISH air=11 q0'], ['PUBLISH water/depth=21 q0']]);
    }
  });

  it('reaches those who ask for its name while it is remembered', () => {
    const { air, world, writer } = worldOf({ topics: 32, topic_length: 16 });
    world.run(2000);
    air.take();
    expect(writer.ask(subscribe(2, '+', 0))).toEqual(['SUBACK #2 0']);
    world.run(980);
    expect(writer.take()).toEqual(['PUBLISH air=11 q0']);
    expect(air.take()).toEqual(['PUBLISH air=11 q0']);
  });
});
