/** What is remembered under the number of a topic, and forgotten in time. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { accept, World } from '../world/world.ts';
import { DISCONNECT, publish, subscribe, unsubscribe } from '../world/packets.ts';

const sensor = (topic: string, offset: number) =>
  ({ name: topic, type: 'simulated', topic, interval: 1, decimals: 0, offset });

describe('a message of the gateway itself', () => {
  const worldOf = (memory: NonNullable<PartialConfiguration['memory']>) => {
    const world = World.quiet({ memory, sensors: [sensor('air', 10), sensor('water/depth', 20)] });
    return { world, air: world.node('air', {}, subscribe(1, 'air', 0)),
      water: world.node('water', {}, subscribe(1, 'water/#', 0)), writer: world.node('writer') };
  };

  it.each([
    ['each has its place', { topics: 32, topic_length: 16 }],
    ['all share one place', { topics: 1, topic_length: 16 }],
    ['one has no place', { topics: 1, topic_length: 4 }],
    ['none has a place', { topics: 1, topic_length: 2 }],
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

/** How a message of the topic `name` comes in, and where nodes find it. */
const SOURCES = [
  ['from a node', (world: World, name: string, payload: string, qos: number) =>
    { world.node('writer').send(publish(name, payload, { qos })); }, ''],
  ['from upstream', (world: World, name: string, payload: string, qos: number) => {
    world.uplink.post(publish(`site/${name}`, payload, { qos }));
    world.run();
  }, 'in/'],
] as const;

describe.each(SOURCES)('who gets a topic, %s,', (_title, say, prefix) => {
  const worldOf = (configuration: PartialConfiguration = {}) => World.quiet({
    topic: [{ pattern: '#', direction: 'in', qos: 2, local_prefix: 'in/', remote_prefix: 'site/' }],
    ...configuration,
  }, { server: accept });
  /** Twice: it is found out, then remembered. */
  const sayTwice = (world: World, name = 'a', qos = 0) => {
    say(world, name, '1', qos);
    say(world, name, '2', qos);
  };
  const got = (qos = 0, name = 'a') =>
    [1, 2].map(number => `PUBLISH ${prefix}${name}=${number} q${qos}${qos === 0 ? '' : ` #${number}`}`);

  it('is one node, until another one subscribes too, and again when that unsubscribes', () => {
    const world = worldOf();
    const first = world.node('first', {}, subscribe(1, `${prefix}a`, 0));
    sayTwice(world);
    expect(first.take()).toEqual(got());
    const second = world.node('second', {}, subscribe(1, `${prefix}+`, 1));
    sayTwice(world, 'a', 1);
    expect([first.take(), second.take()]).toEqual([got(), got(1)]);
    expect(first.ask(unsubscribe(2, `${prefix}a`))).toEqual(['UNSUBACK #2']);
    sayTwice(world);
    expect([first.take(), second.take()]).toEqual([[], got()]);
    expect(second.ask(unsubscribe(2, `${prefix}+`))).toEqual(['UNSUBACK #2']);
    sayTwice(world);
    expect([first.take(), second.take()]).toEqual([[], []]);
  });

  it('is nobody until a node subscribes', () => {
    const world = worldOf();
    sayTwice(world);
    const node = world.node('node', {}, subscribe(1, `${prefix}a`, 0));
    sayTwice(world);
    expect(node.take()).toEqual(got());
  });

  it('is one node with overlapping subscriptions: once, with the highest QoS of them that there is at the time [MQTT311-3.3.5-1]', () => {
    const world = worldOf();
    const node = world.node('node', {}, subscribe(1, `${prefix}#`, 0, `${prefix}a`, 1));
    sayTwice(world, 'a', 1);
    expect(node.take()).toEqual(got(1));
    node.ask(unsubscribe(2, `${prefix}a`));
    sayTwice(world, 'a', 1);
    expect(node.take()).toEqual(got(0));
    node.ask(subscribe(3, `${prefix}#`, 1)); // the same one with another QoS [MQTT311-3.8.4-3]
    sayTwice(world, 'a', 0);
    expect(node.take()).toEqual(got(0));
  });

  it('is nobody any more when the session of the only node has ended, and that of another node has its place', () => {
    const world = worldOf({ listener: { max_sessions: 6 } });
    const node = world.node('node', {}, subscribe(1, `${prefix}a`, 0));
    sayTwice(world);
    expect(node.take()).toEqual(got());
    node.send(DISCONNECT);
    const other = world.node('other');
    sayTwice(world);
    expect(other.take()).toEqual([]);
  });

  it('is nobody any more when the session of the only node, which is away, has made room for another one', () => {
    const world = worldOf({ listener: { max_connections: 2, max_sessions: 2 } });
    world.node('writer');
    const node = world.node('node', { clean: false }, subscribe(1, `${prefix}a`, 1));
    sayTwice(world);
    expect(node.take()).toEqual(got());
    node.send(DISCONNECT);
    const other = world.node('other');
    expect(world.gateway.admission.evictedCount).toBe(1);
    say(world, 'a', '3', 1);
    expect(other.take()).toEqual([]);
    expect(world.gateway.nodes.states.map(({ queue }) => queue.count)).toEqual([0, 0]);
  });

  it('is a node that comes back, for which it is kept', () => {
    const world = worldOf();
    const node = world.node('node', { clean: false }, subscribe(1, `${prefix}a`, 1));
    say(world, 'a', '0', 1);
    expect(node.take()).toEqual([`PUBLISH ${prefix}a=0 q1 #1`]);
    node.vanish();
    sayTwice(world, 'a', 1);
    const [again] = world.connect('node', { clean: false });
    say(world, 'a', '3', 0);
    expect(again.take()).toEqual([`PUBLISH ${prefix}a=3 q0`]);
    expect(world.gateway.nodes.states.map(({ queue }) => queue.count).filter(count => count > 0)).toEqual([3]);
  });

  it.each([['share a place', { topics: 1, topic_length: 16 }],
    ['have none', { topics: 1, topic_length: 2 }]])('is right for names that %s', (_case, memory) => {
    const world = worldOf({ memory });
    const nodes = ['abc', 'abd'].map(name => world.node(`of ${name}`, {}, subscribe(1, `${prefix}${name}`, 0)));
    const all = world.node('all', {}, subscribe(1, `${prefix}#`, 0));
    for (const name of ['abc', 'abd', 'abe', 'abc'])
      sayTwice(world, name);
    expect(nodes.map(node => node.take())).toEqual([[...got(0, 'abc'), ...got(0, 'abc')], got(0, 'abd')]);
    expect(all.take()).toEqual(['abc', 'abd', 'abe', 'abc'].flatMap(name => got(0, name)));
  });

  it('may be one node without the right to read it, or with a mount point', () => {
    const users = [{ username: 'anna', password: '' }, { username: 'bert', password: '', mount_point: 'in/' }];
    const world = worldOf({ listener: { users, max_sessions: 6, acl: [
      { user: null, topic: '#', access: 'write' as const },
        { user: 'anna', topic: `${prefix}+/x`, access: 'read' as const },
          { user: 'bert', topic: 'in/#', access: 'read' as const },
    ] } });
    const anna = world.node('anna', { user: 'anna' }, subscribe(1, `${prefix}#`, 0));
    sayTwice(world, 'a/x');
    sayTwice(world, 'a/y');
    expect(anna.take()).toEqual(got(0, 'a/x'));
    anna.send(DISCONNECT);
    const bert = world.node('bert', { user: 'bert' }, subscribe(1, '#', 0)); // where Anna was
    sayTwice(world, 'a/x');
    sayTwice(world, 'a/y');
    expect(bert.take()).toEqual(prefix === '' ? []
      : ['a/x', 'a/y'].flatMap(name => [1, 2].map(number => `PUBLISH ${name}=${number} q0`)));
  });
});

describe('what is retained of a topic that nobody has subscribed to', () => {
  it.each([['set', '', 'old', 'PUBLISH in/a=2 q0 retain'],
    ['removed', 'old', '', undefined]])('is what upstream says last, also when it was %s meanwhile',
      (_title, before, meanwhile, expected) => {
    const world =
      World.quiet({ topic: [{ pattern: '#', direction: 'in', local_prefix: 'in/', remote_prefix: 'site/' }] },
        { server: accept });
    const writer = world.node('writer', {}, publish('in/a', before, { retain: true }));
    const say = (payload: string) => {
      world.uplink.post(publish('site/a', payload));
      world.run();
    };
    say('1');
    writer.send(publish('in/a', meanwhile, { retain: true }));
    say('2');
    expect(world.node('late').ask(subscribe(1, 'in/a', 0)).slice(1)).toEqual(expected === undefined ? [] : [expected]);
  });
});
