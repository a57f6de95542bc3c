/** Nodes that send faster than the Server takes: they wait, and nothing of theirs is lost. */
import { describe, expect, it } from 'vitest';
import type { Packet } from 'mqtt-packet';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { publish } from '../world/packets.ts';
import { oblige, type Peer, World } from '../world/world.ts';

type Durability = 'flash' | 'ram';

/** A Server that acknowledges so many messages in a second, in their order; Infinity: each at once. */
class SlowServer {
  readonly arrived: string[] = [];
  rate: number;
  private readonly owed: [Peer, Packet][] = [];

  constructor(rate: number) {
    this.rate = rate;
  }

  readonly handle = (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'publish')
      this.arrived.push(packet.payload.toString());
    if (this.rate === Infinity || packet.cmd !== 'publish' || packet.qos === 0)
      oblige(peer, packet);
    else
      this.owed.push([peer, packet]);
  };

  /** A tenth of a second has passed. */
  tick(): void {
    for (let count = this.rate / 10; count > 0 && this.owed.length > 0; --count) {
      const [peer, packet] = this.owed.shift()!;
      if (!peer.isClosed)
        oblige(peer, packet);
    }
  }
}

interface Stage {
  readonly server: SlowServer;
  readonly world: World;
}

function start(rate: number, durability: Durability, configuration: PartialConfiguration = {},
  blockLength = 4096): Stage {
  const server = new SlowServer(rate);
  const world = World.connected({
    server: server.handle,
    board: PEER,
    landingCapacity: 16_384,
    configuration: {
      topic: [{ pattern: '#', direction: 'out', qos: 1 }],
      ...configuration,
      listener: { max_connections: 12, max_packet_size: 512, ...configuration.listener },
      store: { durability, ram: 65_536, full: 'drop_newest', ...configuration.store },
    },
    openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(blockLength, 64)),
  });
  return { server, world };
}

function run({ server, world }: Stage, seconds: number, eachTenth: () => void = () => { /* nothing */ }): void {
  for (let tenth = 0; tenth < seconds * 10; ++tenth) {
    eachTenth();
    world.run(100);
    server.tick();
  }
}

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_value, index) => `${from + index}`);

/** In one piece; an identifier is used again after 60,000. */
const flood = (texts: readonly string[], qos: number): Uint8Array[] =>
  texts.map((text, index) => publish('flood', text, { qos, identifier: qos === 0 ? 0 : index % 60_000 + 1 }));

const droppedOf = ({ world: { gateway: { bridge, delivery } } }: Stage): number[] =>
  [bridge.droppedCount, bridge.outbound.rules[0]!.refused, delivery.droppedCount];

describe.each(['ram', 'flash'] as const)('a flood of messages (%s)', durability => {
  it('beside nine quiet nodes: nobody is closed, nothing is lost, and the quiet ones are answered at once', () => {
    const stage = start(10, durability);
    const { server, world } = stage;
    const flooder = world.client('flooder', { keepAlive: 5 });
    const quiet = numbered(9).map(name => world.client(`quiet${name}`, { keepAlive: 5 }));
    const COUNT = 3000;
    flooder.post(...flood(numbered(COUNT), 1));
    let pings = 0;
    const sentAt: number[][] = quiet.map(() => []);
    let tenth = 0;
    run(stage, 300, () => {
      ++tenth;
      if (tenth % 20 === 0) {
        flooder.post({ cmd: 'pingreq' });
        ++pings;
      }
      const turn = tenth % 10;
      if (tenth % 20 < 10 && turn < 9) { // each one every two seconds
        sentAt[turn]!.push(world.clock.time);
        quiet[turn]!.publish(`quiet/${turn}`, `q${turn}-${sentAt[turn]!.length}`, 1);
      }
    });
    expect(world.gateway.pressure.heldCount).toBeGreaterThan(0);
    expect(world.nodeEndings).toEqual([]);
    expect(droppedOf(stage)).toEqual([0, 0, 0]);
    const waits = quiet.flatMap((node, index) => {
      const answers = node.times.filter((_time, at) => node.packets[at]!.cmd === 'puback');
      expect(answers).toHaveLength(sentAt[index]!.length);
      return answers.map((time, at) => time - sentAt[index]![at]!);
    }).sort((left, right) => left - right);
    expect(waits[Math.floor(waits.length * 0.99)]).toBeLessThan(1000);
    expect(waits.at(-1)).toBeLessThan(1000);
    server.rate = 100_000;
    run(stage, 20, () => [flooder, ...quiet].forEach(node => node.post({ cmd: 'pingreq' })));
    expect(server.arrived.filter(text => !text.startsWith('q'))).toEqual(numbered(COUNT));
    expect(flooder.all('pingresp')).toHaveLength(pings + 200);
    expect(world.events.filter(({ event }) => event === Event.HELD_BY_FULL_STORE).length).toBeGreaterThan(0);
    expect(world.nodeEndings).toEqual([]);
  });

  it('10,000 small messages of QoS 1 at once: no close, nothing lost', () => {
    const stage = start(Infinity, durability);
    const node = stage.world.client('n', { keepAlive: 5 });
    node.post(...flood(numbered(10_000), 1));
    run(stage, 60, () => { node.post({ cmd: 'pingreq' }); });
    expect(stage.server.arrived).toEqual(numbered(10_000));
    expect(node.all('puback')).toHaveLength(10_000);
    expect(stage.world.nodeEndings).toEqual([]);
    expect(droppedOf(stage)).toEqual([0, 0, 0]);
  });

  it('8 messages of 64 KB under way: no close, nothing lost', () => {
    const stage = start(10, durability, {
      listener: { max_packet_size: 66_000 }, store: { ram: 1_048_576 },
    }, 131_072);
    const node = stage.world.client('n', { keepAlive: 5 });
    const texts = numbered(24).map(text => text.padEnd(65_000, '.'));
    for (let index = 0; index < texts.length; index += 8) {
      node.post(...flood(texts.slice(index, index + 8), 1));
      run(stage, 4);
      node.post({ cmd: 'pingreq' });
    }
    run(stage, 5);
    expect(stage.server.arrived.map(parseFloat)).toEqual(texts.map(parseFloat));
    expect(stage.world.nodeEndings).toEqual([]);
    expect(droppedOf(stage)).toEqual([0, 0, 0]);
  });
});

describe('a small store', () => {
  const SMALL = { listener: { max_packet_size: 1024 }, store: { ram: 8192 } };

  it.each([
    ['beside a Server from which longer packets may come', { ...SMALL, upstream: { max_packet_size: 65_536 } }, 4000],
    // A node that has sent nothing takes no turn: the one that sends has one in each interval.
    ['that holds one message of the greatest length', { ...SMALL, store: { ram: 1088 } }, 900],
  ])('%s: a node is not slower than the Server', (_name, configuration, least) => {
    const stage = start(Infinity, 'ram', configuration);
    const [flooder, ...quiet] = numbered(10).map(name => stage.world.client(name, { keepAlive: 5 }));
    flooder!.post(...flood(numbered(10_000), 1));
    run(stage, 20, () => [flooder!, ...quiet].forEach(node => node.post({ cmd: 'pingreq' })));
    expect(stage.server.arrived.length).toBeGreaterThan(least);
    expect(stage.server.arrived).toEqual(numbered(stage.server.arrived.length));
    expect(stage.world.nodeEndings).toEqual([]);
    expect(droppedOf(stage)).toEqual([0, 0, 0]);
  }, 120_000);
});

it('100,000 messages of QoS 0 at once: no close, nothing lost', () => {
  const stage = start(Infinity, 'ram');
  const node = stage.world.client('n', { keepAlive: 5 });
  node.post(...flood(numbered(100_000), 0));
  run(stage, 120, () => { node.post({ cmd: 'pingreq' }); });
  expect(stage.server.arrived).toEqual(numbered(100_000));
  expect(stage.world.nodeEndings).toEqual([]);
  expect(droppedOf(stage)).toEqual([0, 0, 0]);
}, 60_000);

describe.each(['ram', 'flash'] as const)('while nodes are held (%s)', durability => {
  const COUNT = 5000;

  function held(configuration: PartialConfiguration = {}): Stage & { readonly node: Peer } {
    const stage = start(10, durability, configuration);
    const node = stage.world.client('n', { keepAlive: 5, clean: false });
    node.post(...flood(numbered(COUNT), 1));
    run(stage, 2, () => { node.post({ cmd: 'pingreq' }); });
    expect(stage.world.gateway.pressure.heldCount).toBeGreaterThan(0);
    expect(node.all('puback').length).toBeLessThan(COUNT);
    return { ...stage, node };
  }

  it('a Server that goes away leaves the rest to the rule: drop_newest, the node gets no acknowledgement', () => {
    const { node, server, world } = held();
    world.stopListening();
    world.uplink.close();
    run({ server, world }, 20, () => { node.post({ cmd: 'pingreq' }); });
    expect(world.gateway.bridge.outbound.rules[0]!.refused).toBe(1);
    expect(world.events.filter(({ event }) => event === Event.MESSAGE_REFUSED)).toHaveLength(1);
    expect(world.nodeEndings).toEqual([]);
    const taken = node.all('puback').length;
    expect(taken).toBeLessThan(COUNT);
    world.listen();
    server.rate = 100_000;
    world.until(() => node.isClosed); // there is room: it is asked to send again
    run({ server, world }, 60);
    expect(new Set(server.arrived)).toEqual(new Set(numbered(taken)));
  });

  it('a Server that goes away leaves the rest to the rule: drop_oldest, everything is taken', () => {
    const { node, server, world } = held({ store: { full: 'drop_oldest' } });
    world.stopListening();
    world.uplink.close();
    run({ server, world }, 20, () => { node.post({ cmd: 'pingreq' }); });
    expect(node.all('puback')).toHaveLength(COUNT);
    expect(world.gateway.bridge.droppedCount).toBeGreaterThan(0);
    expect(world.nodeEndings).toEqual([]);
    world.listen();
    server.rate = 100_000;
    run({ server, world }, 60, () => { node.post({ cmd: 'pingreq' }); });
    expect(server.arrived.at(-1)).toBe(String(COUNT - 1));
  });

  it('a Server that acknowledges nothing does so too, after upstream.acknowledgement_timeout', () => {
    const { node, server, world } = held({
      store: { full: 'drop_oldest' }, upstream: { acknowledgement_timeout: 6, keepalive_interval: 60 },
    });
    server.rate = 0;
    run({ server, world }, 4, () => { node.post({ cmd: 'pingreq' }); });
    expect(world.gateway.bridge.droppedCount).toBe(0);
    run({ server, world }, 20, () => { node.post({ cmd: 'pingreq' }); });
    expect(world.gateway.bridge.droppedCount).toBeGreaterThan(0);
    server.rate = 100_000;
    run({ server, world }, 60, () => { node.post({ cmd: 'pingreq' }); });
    expect(node.all('puback')).toHaveLength(COUNT);
    expect(server.arrived.at(-1)).toBe(String(COUNT - 1));
    expect(world.nodeEndings).toEqual([]);
  });

  it('a node that comes is let in, and its messages arrive', () => {
    const { node, server, world } = held();
    const late = world.client('late', { keepAlive: 5 });
    late.publish('t', 'late', 1);
    run({ server, world }, 5, () => [node, late].forEach(one => one.post({ cmd: 'pingreq' })));
    expect(late.all('puback')).toHaveLength(1);
    server.rate = 100_000;
    run({ server, world }, 30, () => [node, late].forEach(one => one.post({ cmd: 'pingreq' })));
    expect(server.arrived.filter(text => text !== 'late')).toEqual(numbered(COUNT));
    expect(server.arrived).toContain('late');
    expect(world.nodeEndings).toEqual([]);
  });

  it('readings go on', () => {
    const sensors = [{ name: 'air', type: 'x', topic: 'air', interval: 1 }];
    const { node, server, world } = held({ sensors });
    const before = world.gateway.bridge.outbound.rules[0]!.forwarded;
    run({ server, world }, 10, () => { node.post({ cmd: 'pingreq' }); });
    expect(world.gateway.bridge.outbound.rules[0]!.forwarded - before).toBeGreaterThanOrEqual(9);
    expect(world.gateway.bridge.droppedCount).toBe(0);
  });

  it('ten nodes that all send as fast as they can get about equal parts', () => {
    const stage = start(100, durability);
    const { server, world } = stage;
    const nodes = numbered(10).map(name => world.client(name, { keepAlive: 5 }));
    for (const [name, node] of nodes.entries())
      node.post(...numbered(4000).map((text, index) => publish(`t/${name}`, `${name}/${text}`, { qos: 1, identifier: index + 1 })));
    run(stage, 150, () => nodes.forEach(node => node.post({ cmd: 'pingreq' })));
    const counts = nodes.map((_node, name) => server.arrived.filter(text => text.startsWith(`${name}/`)).length);
    const all = counts.reduce((sum, count) => sum + count, 0);
    expect(all).toBeGreaterThan(14_000);
    expect(Math.min(...counts)).toBeGreaterThan(0.7 * all / 10); // whoever was the first has filled the empty store
    expect(world.nodeEndings).toEqual([]);
    expect(droppedOf(stage)).toEqual([0, 0, 0]);
  });
});
