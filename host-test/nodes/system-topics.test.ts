/** Figures under $SYS/broker/, for those who ask. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { statusOf } from '../../src/gateway/status.ts';
import { VERSION } from '../../src/nodes/system-messages.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { oblige, World } from '../world/world.ts';
import { puback, publish, subscribe } from '../world/packets.ts';

describe('$SYS/broker', () => {
  it('tells the version of package.json', () => {
    const { version } =
      JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
    expect(World.quiet().node('a').ask(subscribe(1, '$SYS/broker/version', 0))).toEqual(['SUBACK #1 0',
      `PUBLISH $SYS/broker/version=ringbridge version ${version} q0 retain`]);
  });

  it('comes at once as retained, then every sys_interval', () => {
    const world = World.quiet({ listener: { sys_interval: 5 } });
    world.run(3000 - 40);
    const node = world.node('a', {}, subscribe(1, '$SYS/broker/uptime', 2));
    expect(world.node('b').ask(subscribe(1, '$SYS/broker/uptime', 1))).toEqual(['SUBACK #1 1',
      'PUBLISH $SYS/broker/uptime=3 seconds q0 retain']);
    world.run(10_000);
    expect(node.take()).toEqual(['PUBLISH $SYS/broker/uptime=5 seconds q0',
      'PUBLISH $SYS/broker/uptime=10 seconds q0']);
  });

  it('is told again only when it is not what it was, as by Mosquitto; all of it when readers come', () => {
    const world = World.quiet({ listener: { sys_interval: 5 } });
    const filters = ['version', 'clients/connected', 'publish/messages/received', 'load/publish/received/1min'].flatMap(name =>
      [`$SYS/broker/${name}`, 0]);
    const node = world.node('a', { keepAlive: 0 }, subscribe(1, ...filters as [string, number]));
    node.take();
    world.run(5000); // once, since there are readers
    expect(node.take()).toHaveLength(4);
    world.run(10_000);
    expect(node.take()).toEqual([]);
    world.node('b', { keepAlive: 0 }, publish('q', 'x'));
    world.run(5000);
    expect(node.take()).toEqual([
      'PUBLISH $SYS/broker/clients/connected=2 q0', 'PUBLISH $SYS/broker/publish/messages/received=1 q0',
      expect.stringMatching(/^PUBLISH \$SYS\/broker\/load\/publish\/received\/1min=\d+\.\d\d q0$/)]);
  });

  it('gives figures that are right', () => {
    const world = World.quiet();
    world.node('away', { clean: false }, subscribe(1, 'q', 1)).vanish();
    const node = world.node('a', {}, publish('q', 'x', { qos: 1 }), publish('r', 'x', { retain: true }));
    node.take();
    const figures =
      node.ask(subscribe(1, '$SYS/#', 0)).slice(1).map(event =>
        event.replace('PUBLISH $SYS/broker/', '').replace(' q0 retain', ''));
    expect(figures).toEqual([
      `version=ringbridge version ${VERSION}`, 'uptime=0 seconds', 'clients/connected=1', 'clients/disconnected=1',
        'clients/total=2', 'clients/maximum=1',
      // CONNECT, SUBSCRIBE; CONNECT, 2 PUBLISH, SUBSCRIBE
      'messages/received=6',
      // CONNACK, SUBACK; CONNACK, PUBACK, SUBACK, PUBLISH q and 7 figures
      expect.stringMatching(/^messages\/sent=\d+$/), 'publish/messages/received=2',
        expect.stringMatching(/^publish\/messages\/sent=\d+$/), 'publish/messages/dropped=0',
      'subscriptions/count=2', 'retained messages/count=1', 'store/messages/count=2',
        expect.stringMatching(/^store\/messages\/bytes=\d+$/),
      'messages/inflight=0', 'clients/expired=0', 'clients/refused=0', 'clients/malformed=0', 'messages/denied=0',
        'messages/held=0',
      'bridge/messages/dropped=0', 'bridge/messages/quarantined=0',
      ...['messages/received', 'messages/sent', 'publish/received', 'publish/sent', 'publish/dropped',
        'sockets'].flatMap(load =>
        [1, 5, 15].map(minutes => `load/${load}/${minutes}min=0.00`)),
    ]);
  });

  it('is not matched by # and +, and costs nothing when nobody asks [MQTT311-4.7.2-1]', () => {
    const world = World.connected({ configuration: { topic: [{ pattern: '#', direction: 'out' }],
      listener: { sys_interval: 1 } } });
    const node = world.node('a', {}, subscribe(1, '#', 0, '+/broker/#', 0));
    node.take();
    world.run(5000);
    expect([node.take(), world.gateway.delivery.sentCount,
      world.gateway.upstream.sessionState!.queue.count, world.uplink.messages]).toEqual([[], 0, 0, []]);
  });

  it.each([
    { pattern: '$SYS/#', remote_prefix: 'mon/' }, { pattern: '#', local_prefix: '$SYS/', remote_prefix: 'mon/$SYS/' },
  ])('goes to the broker where a rule says so, retained, while the broker is there: %j', rule => {
    const world = World.connected({ configuration: { topic: [{ pattern: '#', qos: 1 }, { ...rule, qos: 1 }],
      upstream: { restart_timeout: [600, 600] }, listener: { sys_interval: 1 } } });
    const node = world.node('a', {}, subscribe(1, '$SYS/broker/uptime', 0));
    node.take();
    world.run(1000);
    const told = world.uplink.all('publish');
    expect(told.slice(0, 2).map(({ qos, retain, topic }) => [topic, qos, retain]))
      .toEqual([['mon/$SYS/broker/version', 0, true], ['mon/$SYS/broker/uptime', 0, true]]);
    const { topicCount } = world.gateway.systemTopics as unknown as { topicCount: number };
    expect([told.length, new Set(told.map(({ topic }) => topic)).size]).toEqual([topicCount, topicCount]);
    expect(node.take()).toEqual(['PUBLISH $SYS/broker/uptime=1 seconds q0']);
    world.uplink.close();
    world.until(() => !world.isConnected);
    world.run(10_000);
    expect(world.gateway.waiting.pendingCount).toBe(0);
  });

  it('cannot be said by a node', () => {
    const world = World.quiet();
    const reader = world.node('r', {}, subscribe(1, '$SYS/fake', 0));
    reader.take();
    expect(world.node('a').ask(publish('$SYS/fake', 'x', { qos: 1, retain: true }))).toEqual(['PUBACK #1']);
    expect([reader.take(), world.gateway.retained.count, world.gateway.delivery.droppedCount]).toEqual([[], 0, 1]);
  });

  it('can be turned off', () => {
    const world = World.quiet({ listener: { sys_interval: 0 } });
    const node = world.node('a');
    expect(node.ask(subscribe(1, '$SYS/#', 0))).toEqual(['SUBACK #1 0']);
    world.run(60_000);
    expect(node.take()).toEqual([]);
  });

  it('does not wait for a node that is away', () => {
    const world = World.quiet({ listener: { sys_interval: 1 } });
    world.node('a', { clean: false }, subscribe(1, '$SYS/broker/uptime', 2)).vanish();
    world.run(10_000);
    expect(world.connect('a', { clean: false })[1]).toEqual(['CONNACK 0 present']);
  });

  /** The figures under these names, without `$SYS/broker/`. */
  const figuresOf = (world: World, ...names: string[]): string[] => names.map(name =>
    world.node('reader',
      {}).ask(subscribe(1, `$SYS/broker/${name}`, 0)).at(-1)!.replace(/^PUBLISH \$SYS\/broker\/.*=(.*) q0 retain$/,
        '$1'));

  it('counts what nodes were refused, denied, and made to wait for', () => {
    const world =
      World.quiet({ listener: { max_publish_rate: 1, acl: [{ topic: '$SYS/#', access: 'read' }, { topic: 'a' }] } });
    world.node('x', {}, subscribe(1, 'c', 0), publish('b', 'x'), publish('a', '1'), publish('a', '2')).vanish();
    world.open().send(new Uint8Array([0x30, 0]));
    world.node('y', {}, new Uint8Array([0xF0, 0]));
    world.node('y', {}, publish('#', 'x'));
    world.connect('', { clean: false });
    expect(figuresOf(world, 'messages/denied', 'messages/held', 'clients/refused', 'clients/malformed')).toEqual(['2',
      '1', '2', '3']);
  });

  it('tells how many messages are in flight, and how many sessions have made room', () => {
    const world = World.quiet({ listener: { max_connections: 3, max_sessions: 3 } });
    const slow = world.node('slow', {}, subscribe(1, 'a', 1));
    world.node('w', {}, publish('a', '1', { qos: 1 }), publish('a', '2', { qos: 1 })).vanish();
    slow.take();
    for (const name of ['p', 'q', 'r'])
      world.node(name, { clean: false }).vanish();
    expect(figuresOf(world, 'messages/inflight', 'clients/expired')).toEqual(['2',
      '2']); // one for "r", one for the reader
  });

  it('tells of the machine and of bytes where the platform can, and has exactly the topics that src/README.md lists', () => {
    const traffic = { receivedBytes: 1234, sentBytes: 5678 };
    const machine = {
      startText: 'started', resetReason: 6, startCount: 4, heapFree: 3000, heapMinimum: 2000, heapLargest: 1000,
      wifiSignal: -61,
    };
    const world = World.quiet({}, { machine, traffic });
    expect(figuresOf(world, 'heap/free', 'heap/minimum', 'heap/largest', 'wifi/signal', 'starts', 'reset reason'))
      .toEqual(['3000', '2000', '1000', '-61', '4', '6']);
    machine.heapFree = 2500;
    expect(figuresOf(world, 'heap/free')).toEqual(['2500']);
    expect(figuresOf(world, 'bytes/received', 'bytes/sent')).toEqual(['1234', '5678']);
    traffic.receivedBytes += 600;
    world.run(10_000);
    expect(Number(figuresOf(world, 'load/bytes/received/1min')[0])).toBeCloseTo((1 - Math.exp(-1 / 6)) * 1834 * 6, 1);
    const topics = new Set(world.node('a').ask(subscribe(1, '$SYS/#', 0)).slice(1)
      .map(event => /^PUBLISH \$SYS\/broker\/(.*?)=/.exec(event)![1]!.replace(/^(load\/.*)\/\d+min$/, '$1')));
    const readme = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8');
    const part = /<!-- sys -->\n([^]*)<!-- \/sys -->/.exec(readme)![1]!;
    expect([...part.matchAll(/`([a-z/ ]+)`/g)].map(([, name]) => name).sort()).toEqual([...topics].sort());
  });

  it('averages loads over 1, 5 and 15 minutes as Mosquitto does', () => {
    const world = World.quiet({ listener: { sys_interval: 10 } });
    const writer = world.node('w');
    const expected = [0, 0, 0];
    for (let round = 0; round < 40; ++round) {
      const count = round < 30 ? 7 : 0;
      for (let message = 0; message < count; ++message)
        writer.send(publish('t', 'x'));
      world.run(10_000 - count * 20 - (round === 0 ? 60 : 0));
      [1, 5, 15].forEach((minutes, index) => {
        const kept = Math.exp(-10 / (60 * minutes));
        expected[index] = expected[index]! * kept + (1 - kept) * count * 6;
      });
    }
    expect(figuresOf(world,
      ...[1, 5, 15].map(minutes => `load/publish/received/${minutes}min`))).toEqual(expected.map(value =>
        value.toFixed(2)));
  });
});

describe.each(['ram', 'flash'] as const)('what waits, with durability "%s"', durability => {
  it('is what nobody has acknowledged, and not also what is behind it, in status and figures', () => {
    let first = true;
    const medium = new FlashMedium(4096, 12);
    const world = World.connected({
      configuration: { topic: [{ qos: 1 }], store: { durability } },
      openStorage: (_store, arena) => new SimulatedFlash(arena, medium),
      server: (peer, packet) => { // the first message is never acknowledged
        if (packet.cmd !== 'publish' || !first)
          oblige(peer, packet);
        else
          first = false;
      },
    });
    const sleepy = world.node('sleepy', { clean: false }, subscribe(1, 't/#', 1));
    const meter = world.node('meter');
    for (let identifier = 1; identifier <= 9; ++identifier)
      meter.send(publish(`t/${identifier}`, 'x', { qos: 1, identifier }));
    for (let identifier = 2; identifier <= 9; ++identifier)
      sleepy.send(puback(identifier));
    const { nodes, store, upstream } = statusOf(world.runtime, world.gateway.clock.now);
    expect([store.count, upstream.next]).toEqual([1, 'send 1 waiting message, or get them acknowledged']);
    expect(nodes.find(({ identifier }) => identifier === 'sleepy')!.queuedMessages).toBe(1);
    const figure = world.node('reader', {}, subscribe(1, '$SYS/broker/store/messages/count', 0));
    figure.take();
    world.run(10_000);
    expect(figure.take()).toEqual(['PUBLISH $SYS/broker/store/messages/count=2 q0']);
  });
});
