/**
 * The gateway as a Client: what a network and a Server do wrong while a session is under way. Rows as in
 * runtime.hostile-link.test.ts.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { oblige, type Peer, World } from '../world/world.ts';

/** Obliging, but for packets of these types, which are not answered. */
const ignoring = (...commands: Packet['cmd'][]) => (peer: Peer, packet: Packet): void => {
  if (!commands.includes(packet.cmd))
    oblige(peer, packet);
};

/** Obliging, and remembers the session. */
const remembering = (ignored: Packet['cmd'][] = []) => (peer: Peer, packet: Packet): void => {
  if (packet.cmd === 'connect')
    peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  else if (!ignored.includes(packet.cmd))
    oblige(peer, packet);
};

const identities = (peer: Peer): string[] =>
  peer.all('publish').map(({ dup, messageId, payload, qos }) => `${payload} q${qos} m${messageId} d${dup ? 1 : 0}`);

describe('a session breaks', () => {
  it.each(['close', 'reset',
    'silence'] as const)('row 18: %s in mid packet: the part is discarded, the next connection starts afresh', kind => {
    const world = World.connected({ configuration: { upstream: { keepalive_interval: 10 } } });
    const node = world.client('n');
    node.subscribe('a', 1);
    world.run(50);
    world.upstreamLink.toClient.cutAfter(9, kind);
    world.uplink.publish('down/a', 'never complete', 1);
    world.until(() => world.upstreamEndings.length === 1);
    world.until(() => world.isConnected);
    world.run(50);
    world.uplink.publish('down/a', 'complete', 1);
    world.run(50);
    expect(node.messages).toEqual(['a complete']);
  });

  it('rows 19, 20: RST before PUBACK: sent again with the same identifier and DUP when the session continues', () => {
    const world = World.connected({ server: remembering(['publish']) });
    const node = world.client('n');
    node.publish('a', 'one', 1);
    node.publish('a', 'two', 2);
    node.publish('a', 'zero', 0);
    world.run(50);
    const first = identities(world.uplink);
    expect(first.map(text => text.slice(-2))).toEqual(['d0', 'd0', 'd0']);
    world.upstreamLink.reset();
    world.server = remembering();
    world.until(() => world.uplinks.length === 2 && world.isConnected);
    world.run(50);
    expect(identities(world.uplink)).toEqual(first.slice(0, 2).map(text => text.replace('d0', 'd1')));
    expect(world.uplink.all('pubrel').length).toBe(1);
    expect(world.runtime.gateway.upstream.sessionState!.queue.count).toBe(0);
  });

  it('rows 19, 20: the same with a new session: new messages', () => {
    const world = World.connected({ server: ignoring('publish') });
    const node = world.client('n');
    node.publish('a', 'one', 1);
    node.publish('a', 'two', 2);
    world.run(50);
    world.upstreamLink.reset();
    world.server = oblige;
    world.until(() => world.uplinks.length === 2 && world.isConnected);
    world.run(50);
    expect(world.uplink.all('publish').map(({ dup, payload }) => [dup, String(payload)])).toEqual([[false, 'one'],
      [false, 'two']]);
    expect(world.runtime.gateway.upstream.sessionState!.queue.count).toBe(0);
  });

  it('row 21: PUBACK never: the window is bounded, nothing is repeated on the connection, which is given up in the end', () => {
    const world =
      World.connected({ server: ignoring('publish'),
        configuration: { upstream: { max_inflight_messages: 3, acknowledgement_timeout: 30 } } });
    const node = world.client('n');
    for (let number = 0; number < 10; ++number)
      node.publish('a', String(number), 1);
    world.run(29_000);
    expect(world.uplink.messages).toEqual(['up/a 0', 'up/a 1', 'up/a 2']);
    expect(node.all('puback').length).toBe(10); // kept here, so acknowledged here
    expect(world.upstreamEndings).toEqual([]);
    world.until(() => world.upstreamEndings.length === 1, 2000);
    expect(world.upstreamEndings).toEqual([ReasonCode.ACKNOWLEDGEMENT_TIMEOUT]);
    world.server = oblige;
    world.until(() => world.uplink.messages.length === 10);
    expect(world.uplink.messages).toEqual(Array.from({ length: 10 }, (_, number) => `up/a ${number}`));
  });

  it('row 22: an acknowledgement for something else, or twice, frees nothing', () => {
    const world =
      World.connected({ server: ignoring('publish'), configuration: { upstream: { max_inflight_messages: 2 } } });
    const node = world.client('n');
    for (const text of ['one', 'two', 'three'])
      node.publish('a', text, 1);
    world.run(50);
    const [one, two] = world.uplink.all('publish').map(({ messageId }) => messageId!);
    world.uplink.post({ cmd: 'puback', messageId: 999 }, { cmd: 'pubcomp', messageId: one! },
      { cmd: 'pubrec', messageId: 998 });
    world.run(50);
    expect(world.uplink.messages.length).toBe(2);
    world.uplink.post({ cmd: 'puback', messageId: two! }, { cmd: 'puback', messageId: two! });
    world.run(50);
    expect(world.uplink.messages.length).toBe(3);
    expect(world.runtime.gateway.upstream.sessionState!.queue.inflightCount).toBe(2);
    expect(world.upstreamEndings).toEqual([]);
  });

  it('row 23: SUBACK never: messages go out when it is due, then the connection is given up and begun again', () => {
    const world =
      World.connected({ server: ignoring('subscribe'), configuration: { upstream: { acknowledgement_timeout: 5 } } });
    world.client('n').publish('a', 'x', 1);
    world.run(4800);
    expect([world.uplink.messages, world.upstreamEndings]).toEqual([[], []]);
    world.run(400);
    expect([world.uplink.messages, world.upstreamEndings]).toEqual([['up/a x'], []]);
    world.until(() => world.upstreamEndings.length === 1, 6000);
    expect(world.upstreamEndings).toEqual([ReasonCode.ACKNOWLEDGEMENT_TIMEOUT]);
  });

  it('row 23: SUBACK says no: told once, everything else works', () => {
    const world = World.connected({
      server: (peer, packet) => packet.cmd === 'subscribe'
        ? peer.post(`9003${packet.messageId!.toString(16).padStart(4, '0')}80`) : oblige(peer, packet),
    });
    expect(world.events.filter(({ event }) => event === Event.SUBSCRIPTION_REFUSED).length).toBe(1);
    const node = world.client('n');
    node.publish('a', 'x', 1);
    world.run(50);
    expect(world.uplink.messages).toEqual(['up/a x']);
  });

  it('row 24: PINGRESP never: given up connack_timeout after PINGREQ', () => {
    const world =
      World.connected({ server: ignoring('pingreq'),
        configuration: { upstream: { keepalive_interval: 20, connack_timeout: 6 } } });
    world.until(() => world.upstreamEndings.length === 1);
    expect(world.upstreamEndings).toEqual([ReasonCode.PINGRESP_TIMEOUT]);
    const ping = world.uplink.times[world.uplink.packets.findIndex(({ cmd }) => cmd === 'pingreq')]!;
    expect(world.events.at(-1)!.time - ping).toBeGreaterThan(5900);
    expect(world.events.at(-1)!.time - ping).toBeLessThan(6100);
  });

  it('rows 25, 40: PINGREQ comes early enough, PINGRESP late but in time is accepted', () => {
    const world = World.connected({ configuration: { upstream: { keepalive_interval: 20, connack_timeout: 6 } } });
    world.upstreamLink.toClient.set({ latency: 5000 });
    world.run(300_000);
    expect(world.upstreamEndings).toEqual([]);
    const { times } = world.uplink;
    expect(times.length).toBeGreaterThan(10);
    for (let index = 1; index < times.length; ++index)
      expect(times[index]! - times[index - 1]!).toBeLessThanOrEqual(20_000);
  });

  it('row 26: half-open: found by keep alive, although readings go on', () => {
    const world =
      World.connected({ configuration: { upstream: { keepalive_interval: 20 },
        sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    world.upstreamLink.drop();
    const begin = world.clock.time;
    world.until(() => world.upstreamEndings.length === 1);
    expect(world.upstreamEndings).toEqual([ReasonCode.PINGRESP_TIMEOUT]);
    expect(world.clock.time - begin).toBeLessThanOrEqual(30_000 + 10_000);
    world.until(() => world.isConnected);
  });

  it('row 27: the Server stops reading: nodes and sensors are served, the connection is given up after send_timeout',
    () => {
    const world =
      World.connected({ configuration: { upstream: { send_timeout: 20, max_inflight_messages: 1000 },
        store: { ram: 60_000 }, sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    const watcher = world.client('watcher');
    watcher.subscribe('#');
    world.uplink.socket.stopReading();
    const begin = world.clock.time;
    const node = world.client('n');
    for (let number = 0; number < 30; ++number)
      node.publish('a', Buffer.alloc(1000, 0x61), 1);
    world.run(2000);
    expect(node.all('puback').length).toBe(30);
    expect(watcher.messages.filter(message => message.startsWith('s ')).length).toBeGreaterThanOrEqual(2);
    world.until(() => world.upstreamEndings.length === 1);
    expect(world.upstreamEndings).toEqual([ReasonCode.SEND_TIMEOUT]);
    expect(world.clock.time - begin).toBeLessThan(25_000);
    world.until(() => world.uplinks.length === 2
      && world.uplink.all('publish').filter(({ qos }) => qos === 1).length === 30);
  });

  it.each([1, 7])('row 28: %i bytes per segment in both directions: no difference', length => {
    const world = new World();
    world.network.onLink = link => link.set({ fragmentLength: length });
    world.runtime.start();
    world.until(() => world.isConnected);
    const node = world.client('n');
    node.subscribe('#', 2);
    world.run(100);
    for (const qos of [0, 1, 2] as const) {
      world.uplink.publish('down/a', `in ${qos}`, qos);
      node.publish('b', `out ${qos}`, qos);
    }
    world.run(500);
    expect(world.uplink.messages.sort()).toEqual(['up/b out 0', 'up/b out 1', 'up/b out 2']);
    expect(node.messages.sort()).toEqual(['a in 0', 'a in 1', 'a in 2', 'b out 0', 'b out 1', 'b out 2']);
  });

  it('row 29: 100 packets in one segment are taken in order, and all acknowledged', () => {
    const world =
      World.connected({ configuration: { listener: { max_queued_bytes: 16_384, max_queued_messages: 200 } } });
    const node = world.client('n');
    node.subscribe('#', 1);
    world.run(50);
    const texts = Array.from({ length: 100 }, (_, number) => String(number));
    world.upstreamLink.toClient.set({ coalescing: 100 });
    for (const text of texts)
      world.uplink.publish('down/a', text, 1);
    world.run(1000);
    expect(world.uplink.all('puback').map(({ messageId }) => messageId)).toEqual(texts.map(text => Number(text) + 1));
    expect(node.messages).toEqual(texts.map(text => `a ${text}`));
  });

  it('row 30: a packet larger than the ring is passed over, told, acknowledged; or ends the session', () => {
    const settings = { max_packet_size: 1000 };
    const world = World.connected({ configuration: { upstream: settings } });
    const node = world.client('n');
    node.subscribe('#', 1);
    world.run(50);
    world.uplink.publish('down/big', Buffer.alloc(5000), 1);
    world.uplink.publish('down/small', 'x', 1);
    world.run(100);
    expect(node.messages).toEqual(['small x']);
    expect(world.events.filter(({ event }) => event === Event.OVERSIZE_DROPPED).map(({ detail }) =>
      detail)).toEqual([5000]);
    expect(world.uplink.all('puback').length).toBe(2);

    const strict = World.connected({ configuration: { upstream: { ...settings, oversize: 'close' } } });
    strict.uplink.publish('down/big', Buffer.alloc(5000), 1);
    strict.run(100);
    expect(strict.upstreamEndings).toEqual([ReasonCode.PACKET_TOO_LARGE]);
  });

  it('row 33: accepted and dropped after half a second, again and again: CONNACK alone does not reset the wait', () => {
    const world = new World();
    world.server = (peer, packet) => {
      oblige(peer, packet);
      if (packet.cmd === 'connect')
        world.clock.schedule(500, () => peer.close());
    };
    world.runtime.start();
    world.until(() => world.uplinks.length === 30, 600_000);
    const starts = world.uplinks.map(({ openedAt }) => openedAt);
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!);
    // Waits that began anew each time would be 2 s on the average; drawn up to three times the last one they are 5 s.
    expect(gaps.slice(5).reduce((sum, gap) => sum + gap, 0) / (gaps.length - 5)).toBeGreaterThan(3500);
    // A session that lasts is another matter.
    world.server = oblige;
    for (let count = 0; count < 10; ++count) {
      world.until(() => world.isConnected);
      world.run(10_000);
      world.uplink.close();
      world.until(() => !world.isConnected);
      world.until(() => world.isConnected, 3100);
    }
  });

  it('row 34: the old connection is closed before the new one begins, and what it still says is not heard', () => {
    const world = World.connected({ configuration: { upstream: { keepalive_interval: 5, connack_timeout: 2 } } });
    const node = world.client('n');
    node.subscribe('#', 1);
    world.run(50);
    const old = world.network.links[0]!;
    const [first] = world.uplinks;
    old.drop();
    world.until(() => world.upstreamEndings.length === 1);
    world.until(() => world.uplinks.length === 2 && world.isConnected);
    first!.publish('down/a', 'from the grave', 1);
    old.restore();
    world.run(1000);
    expect(node.messages).toEqual([]);
    expect(world.upstreamEndings.length).toBe(1);
    world.uplink.publish('down/a', 'alive', 1);
    world.run(50);
    expect(node.messages).toEqual(['a alive']);
  });

  it.each([0x7FFFFFFF - 20_000,
    0xFFFFFFFF - 20_000])('row 36: the clock wraps round at %i: sessions, pings, waits and sensors go on', origin => {
    const world =
      World.connected({ origin,
        configuration: { upstream: { keepalive_interval: 10 }, sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    const node = world.client('n', { keepAlive: 10 });
    const pings: number[] = [];
    for (let second = 0; second < 60; second += 5) {
      node.post({ cmd: 'pingreq' });
      world.run(5000);
      pings.push(node.all('pingresp').length);
    }
    expect(pings.at(-1)).toBe(12);
    expect(world.upstreamEndings).toEqual([]);
    expect(world.uplink.messages.length).toBeGreaterThan(58);
    expect(world.uplink.messages.length).toBeLessThan(64);
    world.uplink.close();
    world.until(() => world.uplinks.length === 2 && world.isConnected, 10_000);
  });

  it('row 38: 10,000 reconnects: memory stays flat', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const world = new World({ configuration: { upstream: { restart_timeout: [0.01, 0.02] } } });
    world.server = (peer, packet) => {
      oblige(peer, packet);
      if (packet.cmd === 'subscribe')
        peer.close();
    };
    world.runtime.start();
    const reconnect = (count: number): number => {
      for (let done = 0; done < count; done += 100) {
        world.until(() => world.uplinks.length >= 100, 600_000);
        // What the test itself remembers
        world.forget();
      }
      world.run(30_000);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = reconnect(4000); // the engine has compiled what it will
    const after = reconnect(10_000);
    expect(world.runtime.upstream.attemptCount).toBeGreaterThanOrEqual(14_000);
    expect(after - before).toBeLessThan(1_000_000); // 100 bytes per connection would be as much
  }, 60_000);

  it('row 39: 1 KB/s with 2 s of latency, give or take one: no false time-out', () => {
    const world =
      new World({ configuration: { upstream: { keepalive_interval: 30 },
        sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    world.network.onLink = link => link.set({ bytesPerSecond: 1000, latency: 1500, jitter: 1000 });
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(600_000);
    expect(world.upstreamEndings).toEqual([]);
    expect(world.uplink.messages.length).toBeGreaterThan(580);
  });
});
