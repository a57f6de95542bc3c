/** Wills: published at every unexpected end, and at no other. */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { World, type Peer } from '../world/world.ts';
import { connect, DISCONNECT, PINGREQ, publish, subscribe, type WillFields } from '../world/packets.ts';

const WILL: WillFields = { topic: 'will/a', payload: 'gone' };

describe.each([4, 3])('the Will of a node, protocol level %i', level => {
  const worldWith = (will: WillFields = WILL, keepAlive = 0, clean = true) => {
    const world = World.quiet();
    const reader = world.node('reader', { level }, subscribe(1, 'will/#', 2));
    reader.take();
    return { world, reader, node: world.node('a', { level, will, keepAlive, clean }) };
  };

  const ENDS: [string, (node: Peer, world: World) => void][] = [
    ['the connection is lost', node => node.vanish()],
    ['the connection is reset', (_node, world) => { world.network.lastLink.reset(); world.run(); }],
    ['it sends a malformed packet', node => node.send(new Uint8Array([0x36, 3, 0, 1, 0x61]))],
    ['it sends a packet that only a Server may send', node => node.send(new Uint8Array([0x20, 2, 0, 0]))],
    ['it sends a second CONNECT [MQTT311-3.1.0-2]', node => node.send(connect('a', { level }))],
    ['it is taken over [MQTT311-3.1.4-2]', (_node, world) => void world.node('a', { level })],
  ];
  it.each(ENDS)('is published when %s [MQTT311-3.1.2-8] C10', (_name, end) => {
    const { node, reader, world } = worldWith();
    end(node, world);
    expect(reader.take()).toEqual(['PUBLISH will/a=gone q0']);
    expect(node.take().at(-1)).toBe('closed');
    world.run(60_000);
    expect(reader.take()).toEqual([]); // once [MQTT311-3.1.2-10]
  });

  it('is published when the Keep Alive runs out, after one and a half times its length [MQTT311-3.1.2-24] C10', () => {
    const { node, reader, world } = worldWith(WILL, 10);
    world.run(14_000);
    expect(node.ask(PINGREQ)).toEqual(['PINGRESP']);
    world.run(15_900); // and a second for a node that counts whole seconds
    expect(reader.take()).toEqual([]);
    world.run(200);
    expect(reader.take()).toEqual(['PUBLISH will/a=gone q0']);
    expect(node.take()).toEqual(['closed']);
  });

  it('is not published after DISCONNECT [MQTT311-3.14.4-3] [MQTT311-3.1.2-10]', () => {
    const { node, reader, world } = worldWith();
    expect(node.ask(DISCONNECT)).toEqual(['closed']);
    world.run(60_000);
    expect(reader.take()).toEqual([]);
  });

  it('is published when DISCONNECT has illegal bits [MQTT311-3.14.1-1]', () => {
    const { node, reader } = worldWith();
    node.send(new Uint8Array([0xE1, 0]));
    expect(reader.take()).toEqual(level === 4 ? ['PUBLISH will/a=gone q0'] : []); // 3.1 does not use them
  });

  it('is published when the gateway shuts down, as by Mosquitto: nobody here can tell any more what becomes of the node', () => {
    const { node, reader, world } = worldWith();
    let isStopped = false;
    world.runtime.stop(() => { isStopped = true; });
    world.run(3000);
    expect([isStopped, ...node.take(), reader.take().at(-1)]).toEqual([true, 'closed', 'closed']);
    expect(world.events.filter(({ event }) => event === Event.WILL_PUBLISHED).length).toBe(1);
  });

  it('is not published without a Will [MQTT311-3.1.2-12]', () => {
    const { reader, world } = worldWith();
    world.node('b', { level }).vanish();
    expect(reader.take()).toEqual([]);
  });

  it('is that of the last CONNECT only', () => {
    const { node, reader, world } = worldWith();
    node.send(DISCONNECT);
    world.node('a', { level }).vanish();
    expect(reader.take()).toEqual([]);
  });

  it('is not published when the CONNECT was refused', () => {
    const world = World.quiet({ listener: { allow_anonymous: false, users: [{ username: 'u', password: 'p' }] } });
    const reader = world.node('reader', { user: 'u' }, subscribe(1, '#', 0));
    const [node, answer] = world.connect('a', { level, will: WILL, user: 'stranger' });
    expect(answer).toEqual(['CONNACK 4', 'closed']);
    node.vanish();
    expect(reader.take()).toEqual([]);
  });

  it.each([0, 1, 2])('has QoS %i as asked, RETAIN 0 as asked [MQTT311-3.1.2-16] C9', qos => {
    const { node, reader, world } = worldWith({ ...WILL, qos });
    node.vanish();
    expect(reader.take()).toEqual([`PUBLISH will/a=gone q${qos}${qos > 0 ? ' #1' : ''}`]);
    expect(world.node('later', { level }).ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0']);
  });

  it('is retained if asked [MQTT311-3.1.2-17] C9', () => {
    const { node, reader, world } = worldWith({ ...WILL, retain: true });
    node.vanish();
    expect(reader.take()).toEqual(['PUBLISH will/a=gone q0']);
    expect(world.node('later', { level }).ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0',
      'PUBLISH will/a=gone q0 retain']);
  });

  it('with an empty message is published, and removes what is retained if asked', () => {
    const { node, reader, world } = worldWith({ topic: 'will/a', payload: '', retain: true });
    world.node('b', {}, publish('will/a', 'there', { retain: true }));
    reader.take();
    node.vanish();
    expect(reader.take()).toEqual(['PUBLISH will/a= q0']);
    expect(world.gateway.retained.count).toBe(0);
  });

  it('reaches the node itself when its session goes on', () => {
    const { node, world } = worldWith({ ...WILL, qos: 1 }, 0, false);
    node.send(subscribe(1, 'will/#', 1));
    node.vanish();
    expect(world.connect('a', { level, clean: false })[1]).toEqual([level === 4 ? 'CONNACK 0 present' : 'CONNACK 0',
      'PUBLISH will/a=gone q1 #1']);
  });

  it('of many nodes that vanish at once is published for each', () => {
    const { node, reader, world } = worldWith();
    const others =
      Array.from({ length: 3 }, (_, index) =>
        world.node(`n${index}`, { level, will: { topic: `will/n${index}`, payload: 'x' } }));
    for (const each of [node, ...others])
      each.close();
    world.run();
    expect(reader.take()).toHaveLength(4);
  });
});

describe('a Will that is too long', () => {
  it('is refused with return code 3: the node is not told that it will be kept', () => {
    const world = World.quiet({ listener: { max_will_size: 8 } });
    expect(world.connect('a', { will: { topic: '1234', payload: '12345' } })[1]).toEqual(['CONNACK 3', 'closed']);
    expect(world.connect('a', { will: { topic: '1234', payload: '1234' } })[1]).toEqual(['CONNACK 0']);
  });
});
