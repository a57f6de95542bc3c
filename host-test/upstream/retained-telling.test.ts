/** Retained state that the Server has lost, or may have, is told again. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { oblige, PORT, type Peer, SECOND_SERVER, SERVER, World } from '../world/world.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { ScriptedServer } from '../simulation/scripted-peer.ts';

const RULES = [
  { pattern: '#', direction: 'out' as const, qos: 1, remote_prefix: 'up/' },
  { pattern: '#', direction: 'in' as const, qos: 1, remote_prefix: 'down/' },
];

function made(configuration: PartialConfiguration = {}): { node: Peer; world: World } {
  const world = World.connected({ configuration: { topic: RULES, ...configuration } });
  const node = world.client('n');
  return { node, world };
}

function disconnect(world: World): void {
  world.uplink.close();
  world.until(() => !world.isConnected);
}

/** What was sent on the newest connection, a while after it was made. */
function reconnected(world: World, milliseconds = 500): string[] {
  world.until(() => world.isConnected, 200_000);
  world.run(milliseconds);
  return world.uplink.all('publish').map(({ payload, retain, topic }) => `${topic}=${payload}${retain ? ' r' : ''}`);
}

const remembers = (world: World): void => {
  world.server = (peer, packet) => packet.cmd === 'connect'
    ? void peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: true }) : oblige(peer, packet);
};

describe('after a connection that does not continue a session', () => {
  it('what nodes and sensors retain is told again, once, with the QoS that it has', () => {
    const { node, world } = made({ sensors: [{ name: 's', type: 'x', interval: 600, retain: true, expire_after: 900 }] });
    node.publish('a', 'on', 1, true);
    node.publish('b', 'x', 0, true);
    node.publish('event', 'once', 1);
    world.run(50);
    disconnect(world);
    expect(reconnected(world).sort())
      .toEqual(['up/a=on r', 'up/b=x r', 'up/s/availability=online r', 'up/s=21.00 r']);
    const qos = Object.fromEntries(world.uplink.all('publish').map(({ qos: value, topic }) => [topic, value]));
    expect(qos).toEqual({ 'up/a': 1, 'up/b': 0, 'up/s': 1, 'up/s/availability': 1 });
  });

  it('what came by a rule of direction in is not', () => {
    const { node, world } = made();
    world.uplink.publish('down/theirs', 'x', 1, true);
    world.run(50);
    node.publish('mine', 'x', 1, true);
    world.run(50);
    disconnect(world);
    expect(reconnected(world)).toEqual(['up/mine=x r']);
  });

  it('what comes back by a rule of direction both stays ours; what somebody else says there is theirs', () => {
    const { node, world } = made({ topic: [{ pattern: '#', direction: 'both', qos: 1 }] });
    world.client('watcher').subscribe('#', 1);
    node.publish('a', 'mine', 1, true);
    node.publish('b', 'mine', 1, true);
    world.run(50);
    world.uplink.publish('a', 'mine', 1);
    world.uplink.publish('b', 'theirs', 1);
    world.run(50);
    disconnect(world);
    expect(reconnected(world)).toEqual(['a=mine r']);
  });

  it('what was deleted here is not told, nor what no rule lets out', () => {
    const { node, world } = made({ topic: [{ pattern: 'a/#', direction: 'out', qos: 1 }] });
    node.publish('a/gone', 'x', 1, true);
    node.publish('a/kept', 'x', 1, true);
    node.publish('local', 'x', 1, true);
    node.publish('a/gone', '', 1, true);
    world.run(50);
    disconnect(world);
    expect(reconnected(world)).toEqual(['a/kept=x r']);
  });

  it('comes after what waited of the same topic, and never after something newer', () => {
    const { node, world } = made({ store: { replay_rate: 10 }, upstream: { max_inflight_messages: 2 } });
    disconnect(world);
    for (let count = 1; count <= 30; ++count)
      node.publish(count % 2 ? 'a' : 'b', `${count}`, 1, true);
    world.until(() => world.isConnected);
    world.run(20);
    node.publish('a', 'new', 1, true);
    const sent = reconnected(world, 10_000);
    const last = (topic: string): string[] => sent.filter(text => text.startsWith(`up/${topic}=`)).slice(-2);
    expect(last('a')).toEqual(['up/a=29 r', 'up/a=new r']);
    expect(last('b')).toEqual(['up/b=30 r', 'up/b=30 r']);
  });

  it('goes at replay_rate at most, and live messages pass', () => {
    const { node, world } = made({ store: { replay_rate: 5 } });
    for (let count = 0; count < 30; ++count)
      node.publish(`state/${count}`, 'x', 1, true);
    world.run(200);
    disconnect(world);
    world.until(() => world.isConnected);
    world.run(1000);
    node.publish('live', 'x', 1);
    world.run(100);
    const { messages } = world.uplink;
    expect(messages).toContain('up/live x');
    expect(messages.length).toBeLessThan(10);
    world.run(7000);
    expect(world.uplink.messages.filter(text => text.startsWith('up/state')).length).toBe(30);
  });

  it('goes on after a break, each once, when the next connection continues the session', () => {
    const { node, world } = made({ store: { replay_rate: 5 } });
    for (let count = 0; count < 30; ++count)
      node.publish(`state/${count}`, 'x', 1, true);
    world.run(200);
    disconnect(world);
    const first = reconnected(world, 1000);
    remembers(world);
    disconnect(world);
    const second = reconnected(world, 8000);
    expect([...new Set([...first, ...second])].length).toBe(30);
    expect(first.length + second.length).toBeLessThanOrEqual(31);
    remembers(world);
    disconnect(world);
    expect(reconnected(world, 8000)).toEqual([]);
  });

  it('leaves half of a full queue alone, and tells all the same', () => {
    const { node, world } = made({ store: { ram: 2300 }, upstream: { max_inflight_messages: 1 } });
    for (let count = 0; count < 30; ++count) {
      node.publish(`state/${count}`, 'x'.repeat(60), 1, true);
      world.run(100);
    }
    disconnect(world);
    for (let count = 0; count < 15; ++count)
      node.publish('a', 'y'.repeat(60), 1);
    world.run(100);
    expect(new Set(reconnected(world, 10_000).filter(text => text.startsWith('up/state'))).size).toBe(30);
    expect(world.gateway.bridge.droppedCount).toBe(0);
  });
});

describe('retained state is not told again', () => {
  it('when the Server has kept the session', () => {
    const { node, world } = made();
    node.publish('a', 'on', 1, true);
    world.run(50);
    remembers(world);
    disconnect(world);
    expect(reconnected(world)).toEqual([]);
  });

  it('with cleansession, unless the last connection ended more than a minute ago', () => {
    const { node, world } = made({ upstream: { cleansession: true } });
    node.publish('a', 'on', 1, true);
    world.run(50);
    disconnect(world);
    expect(reconnected(world)).toEqual([]);
    world.stopListening();
    disconnect(world);
    world.run(50_000);
    world.listen();
    expect(reconnected(world)).toEqual([]);
    world.stopListening();
    disconnect(world);
    world.run(61_000);
    world.listen();
    expect(reconnected(world)).toEqual(['up/a=on r']);
  });
});

it('with MQTT 3.1, which does not say whether the session was there, it is told again', () => {
  const { node, world } = made({ upstream: { bridge_protocol_version: 'mqttv31' } });
  node.publish('a', 'on', 1, true);
  world.run(50);
  disconnect(world);
  expect(reconnected(world)).toEqual(['up/a=on r']);
});

it('at another address it is told again, whatever that Server says about the session', () => {
  const { node, world } = made({ upstream: { address: [`mqtt://${SERVER}`, `mqtt://${SECOND_SERVER}`] } });
  const second = new ScriptedServer(world.network.addHost(SECOND_SERVER, PEER), PORT);
  second.onPeer = socket => world.uplinks.push(world.adopt(socket));
  node.publish('a', 'on', 1, true);
  world.run(50);
  remembers(world);
  disconnect(world);
  expect(reconnected(world)).toEqual(['up/a=on r']);
});

it('for what the Server closes the connection for when it is told again, nobody else is blamed', () => {
  const { node, world } = made({ upstream: { restart_timeout: [1, 2] } });
  node.publish('bad', 'on', 1, true);
  world.client('other').publish('fine', 'x', 1);
  world.run(50);
  world.server = (peer, packet) => packet.cmd === 'publish' && packet.topic === 'up/bad' ? peer.close()
    : oblige(peer, packet);
  disconnect(world);
  world.run(60_000);
  const { clock, runtime: { gateway, sensors, upstream } } = world;
  expect(statusOf({ gateway, sensors, upstream }, clock.now).quarantine.messages)
    .toMatchObject([{ topic: 'bad', node: expect.not.stringContaining('other') as string }]);
});
