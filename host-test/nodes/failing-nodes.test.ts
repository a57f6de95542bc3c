/**
 * A node that connects and fails at once, again and again, waits for its CONNACK; nobody else does, nor a node whose
 * network or power fails.
 */
import { describe, expect, it } from 'vitest';
import { IDENTIFIER_FOUGHT_OVER, NODE_SLOWED } from '../../src/config/events.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { ScriptedPeer } from '../simulation/scripted-peer.ts';
import { Peer, World } from '../world/world.ts';
import { connect, type ConnectOptions, DISCONNECT, PINGREQ, publish, subscribe } from '../world/packets.ts';

const SUBSCRIBE_WITHOUT_FILTER = new Uint8Array([0x82, 2, 0, 1]);
const KEEP_SESSION: ConnectOptions = { clean: false };

/** Milliseconds until CONNACK. */
function timeToAnswer(world: World, node: Peer, packet = connect('bad')): number {
  const start = world.clock.time;
  node.post(packet);
  world.until(() => node.socket.receivedLength > 0 || node.isClosed, 100_000);
  return Math.floor((world.clock.time - start) / 100) * 100;
}

/** A node at another address. */
function elsewhere(world: World, address = '10.0.0.9'): () => Peer {
  const host = world.network.addHost(address, PEER);
  return () => {
    const peer = new Peer(ScriptedPeer.connect(host, '10.0.0.1', 1883), world.clock);
    world.run();
    return peer;
  };
}

/** Connects, fails, and comes back after a second. */
function fail(world: World, times: number, bytes: Uint8Array = SUBSCRIBE_WITHOUT_FILTER): number[] {
  return Array.from({ length: times }, () => {
    const node = world.open();
    const waited = timeToAnswer(world, node);
    node.send(bytes);
    expect(node.isClosed).toBe(true);
    return waited;
  });
}

describe('a node that sends what costs its connection', () => {
  it('waits longer and longer, for a minute at most', () => {
    const world = World.quiet();
    expect(fail(world, 12)).toEqual([0, 0, 0, 900, 1900, 3900, 7900, 15900, 31900, 59900, 59900, 59900]);
  });

  it('is named once, with the cause', () => {
    const world = World.quiet({ listener: { max_packet_size: 200, oversize: 'close' } });
    fail(world, 6, publish('a', 'x'.repeat(500)));
    expect(world.events.filter(({ event }) => event === NODE_SLOWED)).toHaveLength(1);
    expect(world.eventTexts.find(text => text.includes('again and again'))).toBe('node "bad" fails again and again: packet '
      + 'too large: 506 bytes (listener.max_packet_size is 200); the answer to its CONNECT waits, a second at first and a '
      + 'minute at most, until a connection lasts');
  });

  it('slows down neither others, nor its own name at another address', () => {
    const world = World.quiet();
    const dial = elsewhere(world);
    fail(world, 5);
    expect(world.connect('good')[1]).toEqual(['CONNACK 0']);
    expect(timeToAnswer(world, dial())).toBe(0);
  });

  it('does not wait anew when it gives up and comes again', () => {
    const world = World.quiet();
    fail(world, 8); // a second, 2, 4, 8, 16: now it is 32
    for (let second = 0; second < 31; ++second) {
      const node = world.open();
      node.send(connect('bad'));
      world.run(960);
      expect(node.take()).toEqual([]);
      node.vanish();
    }
    expect(timeToAnswer(world, world.open())).toBeLessThan(2000);
  });

  it('is forgiven after a connection that lasts, and forgotten after two minutes', () => {
    const world = World.quiet();
    fail(world, 6);
    const node = world.open();
    expect(timeToAnswer(world, node)).toBe(7900);
    world.run(6000);
    node.send(DISCONNECT);
    expect(timeToAnswer(world, world.open())).toBe(0);
    fail(world, 3);
    world.run(121_000);
    expect(fail(world, 4)).toEqual([0, 0, 0, 900]);
  });

  it('is answered in the end, and what it has sent behind CONNECT is read then', () => {
    const world = World.quiet();
    fail(world, 4);
    const node = world.open().send(connect('bad', KEEP_SESSION), subscribe(1, 'a', 0), PINGREQ);
    expect(node.take()).toEqual([]);
    world.run(3000);
    expect(node.take()).toEqual(['CONNACK 0', 'SUBACK #1 0', 'PINGRESP']);
  });
});

describe('a CONNECT that is refused', () => {
  it('is refused later and later, whatever the verdict', () => {
    const world = World.quiet({ listener: { allow_anonymous: false, users: [{ username: 'a', password: 'b' }] } });
    const waited = Array.from({ length: 5 }, () => {
      const node = world.open();
      const time = timeToAnswer(world, node);
      expect(node.take()).toEqual(['CONNACK 5', 'closed']);
      return time;
    });
    expect(waited).toEqual([0, 0, 0, 900, 1900]);
  });

  it('slows down nobody of another user, at the same address and with the same identifier', () => {
    const world = World.quiet({ listener: { users: [{ username: 'owner', password: '' }, { username: 'thief', password: '' }] } });
    world.node('n', { user: 'owner', clean: false }).send(DISCONNECT);
    const thieves = Array.from({ length: 5 }, () =>
      timeToAnswer(world, world.open(), connect('n', { user: 'thief' })));
    expect(thieves).toEqual([0, 0, 0, 900, 1900]);
    expect(timeToAnswer(world, world.open(), connect('n', { user: 'owner' }))).toBe(0);
  });

  it('for a Will that is too long counts as well', () => {
    const world = World.quiet({ listener: { max_will_size: 10 } });
    const packet = connect('bad', { will: { topic: 'w', payload: 'x'.repeat(100) } });
    expect(Array.from({ length: 4 }, () => timeToAnswer(world, world.open(), packet))).toEqual([0, 0, 0, 900]);
  });
});

describe('the places', () => {
  it('are not held by those who wait: a newcomer gets one, with CONNACK 3 for the other', () => {
    const world = World.quiet({ listener: { max_connections: 2 } });
    const friend = world.node('friend');
    fail(world, 6);
    const slowed = [world.open(), world.open()];
    slowed[0]!.send(connect('bad'));
    slowed[1]!.send(connect('worse'));
    expect(slowed[0]!.take()).toEqual([]);
    slowed[1]!.send(DISCONNECT);
    const silent = world.open();
    expect(world.connect('good')[1]).toEqual(['CONNACK 0']);
    expect(slowed[0]!.take()).toEqual(['CONNACK 3', 'closed']);
    expect(world.eventTexts).toContain('node "bad" refused: server unavailable, somebody else needed the place');
    expect([silent.isClosed, friend.ask(PINGREQ)]).toEqual([false, ['PINGRESP']]);
  });

  it('are not held by those who have not said CONNECT, and the log says so, not that they were late', () => {
    const world = World.quiet({ listener: { max_connections: 2 } });
    const nodes = ['a', 'b'].map(name => world.node(name));
    const early = world.open(); // beyond max_connections: the place for refusals
    const surplus = world.open();
    expect([early.take(), surplus.isClosed]).toEqual([['closed'], false]);
    expect(world.eventTexts.at(-1)).toBe('node (no identifier) refused: server unavailable, somebody else needed the '
      + 'place before it had said CONNECT (listener.max_connections is 2)');
    expect(surplus.ask(connect('c'))).toEqual(['CONNACK 3', 'closed']);
    expect(world.eventTexts.at(-1)).toContain('(listener.max_connections is 2, and so many are connected)');
    expect(world.eventTexts.join()).not.toContain('no CONNECT in time');
    for (const node of nodes)
      expect(node.ask(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('are not held twice by one node: its newer connection ends the older one', () => {
    const world = World.quiet();
    fail(world, 6);
    const older = world.open().send(connect('bad'));
    const newer = world.open().send(connect('bad'));
    expect(older.take()).toEqual(['closed']);
    world.run(10_000);
    expect(newer.take()).toEqual(['CONNACK 0']);
    expect(world.gateway.serverRole.postponed.count).toBe(0);
  });
});

describe('a node that closes its connection soon, by itself', () => {
  const hurry = (world: World, times: number, ...packets: Uint8Array[]): number[] =>
    Array.from({ length: times }, () => {
      const node = world.open();
      const waited = timeToAnswer(world, node);
      node.send(...packets);
      node.vanish();
      world.run(1000);
      return waited;
    });

  it('is slowed down too, but later', () => {
    const world = World.quiet();
    expect(hurry(world, 10, subscribe(1, 'a', 0))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 900, 900]);
    expect(world.eventTexts.find(text => text.includes('again and again'))).toContain('network connection lost');
  });

  it('but has published before is not: its power or its network fails', () => {
    const world = World.quiet();
    expect(hurry(world, 20, subscribe(1, 'a', 0), publish('a', '1'))).toEqual(Array<number>(20).fill(0));
  });

  it('with DISCONNECT is not', () => {
    const world = World.quiet();
    expect(hurry(world, 20, DISCONNECT)).toEqual(Array<number>(20).fill(0));
  });
});

it('a node that roams is not slowed down, and one whose link flaps', () => {
  const world = World.quiet();
  const dials = ['10.0.1.1', '10.0.1.2', '10.0.1.3'].map(address => elsewhere(world, address));
  for (let round = 0; round < 12; ++round) {
    expect(timeToAnswer(world, dials[round % 3]!(), connect('roams'))).toBe(0);
    world.run(8000);
  }
  for (let round = 0; round < 12; ++round) {
    const node = world.open();
    expect(timeToAnswer(world, node, connect('flaps'))).toBe(0);
    world.run(6000);
    node.vanish();
  }
});

describe('two nodes with one identifier', () => {
  it('are told as such with both addresses, and slowed down', () => {
    const world = World.quiet();
    const dial = elsewhere(world);
    const answers = Array.from({ length: 24 }, (_, round) => {
      const node = round % 2 === 0 ? world.open() : dial();
      const waited = timeToAnswer(world, node, connect('twin'));
      node.send(publish('a', '1'));
      world.run(1000);
      return waited;
    });
    const expected = 'two nodes call themselves "twin" and throw each other out, from 10.0.0.3 and from 10.0.0.9: give each '
      + 'one an identifier of its own';
    expect(world.eventTexts).toContain(expected);
    expect(world.detailsOf(IDENTIFIER_FOUGHT_OVER)).not.toHaveLength(0);
    expect(answers.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(Math.max(...answers)).toBeGreaterThanOrEqual(1000);
  });

  it('at one address are told as well, but may be one whose link flaps: nobody is slowed down', () => {
    const world = World.quiet();
    for (let round = 0; round < 20; ++round)
      expect(world.connect('twin')[1]).toEqual(['CONNACK 0']);
    expect(world.eventTexts.at(-3)).toBe('two nodes call themselves "twin" and throw each other out, both from 10.0.0.3: '
      + 'give each one an identifier of its own');
  });
});

it('of more nodes that wait than there are places the rest is refused at once', () => {
  const world = World.quiet({ listener: { max_connections: 40, max_sessions: 40 } });
  const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
  for (let round = 0; round < 4; ++round)
    for (const name of names)
      world.node(name).send(SUBSCRIBE_WITHOUT_FILTER);
  const answers = names.map(name => world.connect(name)[1]);
  expect(answers.filter(answer => answer.length === 0)).toHaveLength(16);
  expect(answers.filter(answer => answer.join() === 'CONNACK 3,closed')).toHaveLength(4);
  world.run(5000);
  expect(world.gateway.connectedCount).toBe(16);
});

it('more failing nodes than places: the table stays as it is, and the worst are remembered', () => {
  const world = World.quiet();
  fail(world, 8);
  for (let other = 0; other < 300; ++other) {
    const node = world.node(`other${other}`);
    node.send(SUBSCRIBE_WITHOUT_FILTER);
  }
  expect(timeToAnswer(world, world.open())).toBeGreaterThan(1000);
});
