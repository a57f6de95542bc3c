/** upstream.probe: whether messages flow, which an acknowledgement alone does not tell. */
import type { Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { ALL_IS_WELL } from '../../src/gateway/advice.ts';
import { describeReason } from '../../src/gateway/reason-texts.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { FiveServer } from '../world/five-server.ts';
import { acknowledge, oblige, type Peer, World, type WorldOptions } from '../world/world.ts';

const TOPIC = 'site/probe';
const INTERVAL = 10;

/** A Server that passes on what is published to whoever has subscribed it, as far as the test lets it. */
class PassingServer {
  /** The payloads of probes that have come. */
  readonly probes: string[] = [];
  /** Milliseconds until a message is passed on; Infinity: never. */
  delay = 5;
  grants = true;
  private readonly filters = new Map<Peer, Set<string>>();
  private identifier = 1;
  world!: World;

  readonly serve = (peer: Peer, packet: Packet): void => {
    if (packet.cmd === 'subscribe' && !this.grants && packet.subscriptions[0]!.topic === TOPIC) {
      peer.post({ cmd: 'suback', messageId: packet.messageId!, granted: [128] });
      return;
    }
    oblige(peer, packet);
    const filters = this.filters.get(peer) ?? new Set();
    this.filters.set(peer, filters);
    if (packet.cmd === 'subscribe')
      packet.subscriptions.forEach(({ topic }) => filters.add(topic));
    if (packet.cmd !== 'publish' || packet.topic !== TOPIC)
      return;
    this.probes.push(packet.payload.toString());
    if (this.delay !== Infinity && (filters.has(TOPIC) || filters.has('#')))
      this.world.clock.schedule(this.delay, () => {
        if (!peer.isClosed)
          peer.post({ cmd: 'publish', topic: TOPIC, payload: packet.payload, qos: 1, retain: false, dup: false,
            messageId: this.identifier++ });
      });
  };
}

function start(configuration: PartialConfiguration = {}, options: WorldOptions = {}):
{ world: World; server: PassingServer } {
  const server = new PassingServer();
  const world = server.world = new World({
    server: server.serve,
    configuration: {
      topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
      ...configuration,
      upstream: { probe: { topic: TOPIC, interval: INTERVAL }, ...configuration.upstream },
    }, ...options,
  });
  world.runtime.start();
  if (options.server === undefined)
    world.until(() => world.isConnected);
  return { world, server };
}

const probeOf = ({ clock, runtime }: World): NonNullable<ReturnType<typeof statusOf>['upstream']['probe']> =>
  statusOf(runtime, clock.now).upstream.probe!;
const adviceOf = ({ clock, runtime }: World): string => statusOf(runtime, clock.now).advice;
const seconds = (count: number): number => count * 1000;

describe('a probe', () => {
  it('comes back, is acknowledged, and tells the time that took', () => {
    const { server, world } = start();
    world.run(seconds(INTERVAL * 3));
    expect(server.probes.length).toBeGreaterThanOrEqual(3);
    expect(new Set(server.probes).size).toBe(server.probes.length);
    expect(world.uplink.all('puback').length).toBe(server.probes.length);
    const { lost, roundTrip, state } = probeOf(world);
    expect([lost, state]).toEqual([0, 'is sent']);
    expect(roundTrip).toBeGreaterThanOrEqual(server.delay / 1000);
    expect(roundTrip).toBeLessThan(0.2);
    expect(adviceOf(world)).toBe(ALL_IS_WELL);
  });

  it('goes out at once though hundreds of messages wait', () => {
    const { server, world } = start({ store: { ram: 32_768, replay_rate: 10 } }, { server: null });
    const node = world.client('one');
    for (let number = 0; number < 500; ++number)
      node.publish('t', `${number}`, 1);
    world.run(seconds(1));
    world.server = server.serve;
    world.listen();
    world.until(() => world.isConnected);
    world.run(seconds(5));
    expect(world.gateway.waiting.pendingCount).toBeGreaterThan(200);
    expect(probeOf(world).roundTrip).toBeLessThan(1);
  });

  it('is no message for nodes, whatever a rule of direction "in" asks for', () => {
    const { world } = start({ topic: [{ pattern: '#', direction: 'in' }] });
    const node = world.client('one', {}, acknowledge);
    node.subscribe('#', 1);
    world.run(seconds(INTERVAL * 2.5));
    expect(probeOf(world).lost).toBe(0);
    expect(probeOf(world).roundTrip).not.toBeNull();
    expect(node.messages).toEqual([]);
    expect(world.gateway.bridge.unaskedCount).toBe(0);
  });

  it('costs nothing where it is not configured: nothing of it is even there', () => {
    const { world } = start({ upstream: { probe: null } });
    expect(Object.keys(world.gateway.bridge)).not.toContain('probe');
    expect(statusOf(world.runtime, 0).upstream.probe).toBeNull();
    world.run(seconds(INTERVAL * 2));
    expect(world.uplink.all('subscribe')).toEqual([]);
  });

  it('of another Client, or of an earlier life, is not taken for the one that is awaited', () => {
    const { server, world } = start();
    server.delay = Infinity;
    world.run(seconds(INTERVAL));
    for (const payload of ['1000000000', 'hello', ''])
      world.uplink.post({ cmd: 'publish', topic: TOPIC, payload, qos: 0, retain: false, dup: false });
    world.run(seconds(INTERVAL * 1.5));
    expect(probeOf(world).lost).toBeGreaterThan(0);
    expect(world.gateway.bridge.unaskedCount).toBe(0);
  });
});

describe('a Server that acknowledges, and passes nothing on', () => {
  it('gets a new connection after three probes in a row, which is said', () => {
    const { server, world } = start();
    world.run(seconds(INTERVAL * 2));
    expect(world.uplinks.length).toBe(1);
    server.delay = Infinity;
    world.run(seconds(INTERVAL * 2.5));
    expect(probeOf(world).lost).toBe(2);
    expect(world.uplinks.length).toBe(1);
    world.until(() => !world.isConnected, seconds(INTERVAL * 2));
    const [ending] = world.upstreamEndings;
    expect(describeReason(ending!)).toBe('connected, but nothing flows: three probes in a row did not come back (upstream.probe)');
    expect(statusOf(world.runtime, world.clock.now).upstream.reason).toContain('connected, but nothing flows');
    server.delay = 5;
    world.until(() => world.isConnected);
    world.run(seconds(1));
    expect(probeOf(world)).toMatchObject({ lost: 0, state: 'is sent' });
    expect(adviceOf(world)).toBe(ALL_IS_WELL);
  });

  it('is not connected to again and again when that does not help, but told, and so is that it passes on again', () => {
    const { server, world } = start();
    server.delay = Infinity;
    world.run(seconds(INTERVAL * 9));
    expect(world.uplinks.length).toBe(2);
    expect(probeOf(world)).toMatchObject({ state: 'is sent, and does not come back' });
    expect(adviceOf(world)).toMatch(/^connected, but nothing flows: \d messages in a row to "site\/probe" \(upstream\.probe\) did not come back/);
    expect(world.eventTexts.filter(text => text.startsWith('connected, but nothing flows'))).toHaveLength(1);
    world.run(seconds(INTERVAL * 40));
    expect(world.uplinks.length).toBe(3);
    server.delay = 5;
    world.run(seconds(INTERVAL * 4));
    expect(world.eventTexts.at(-1)).toBe('messages to "site/probe" (upstream.probe) come back again');
    expect(adviceOf(world)).toBe(ALL_IS_WELL);
  });

  it('goes on being sent what nodes send', () => {
    const { server, world } = start();
    server.delay = Infinity;
    world.run(seconds(INTERVAL * 10));
    const node = world.client('one');
    node.publish('t', 'x', 1);
    world.run(seconds(1));
    expect(world.uplink.messages).toContain('up/t x');
  });
});

it('a probe that is slower than its interval is lost, and not taken for the next one', () => {
  const { server, world } = start({ upstream: { probe: { topic: TOPIC, interval: 1 } } });
  server.delay = 1500;
  world.run(2300);
  expect(probeOf(world)).toMatchObject({ lost: 2, roundTrip: null });
});

it('a Server that refuses the subscription is told of, and asked for nothing more on this connection', () => {
  const server = new PassingServer();
  server.grants = false;
  const world = server.world = new World({ server: server.serve, configuration: {
    topic: [{ pattern: 'a', direction: 'in' }], upstream: { probe: { topic: TOPIC, interval: INTERVAL } },
  } });
  world.runtime.start();
  world.until(() => world.isConnected);
  world.run(seconds(INTERVAL * 5));
  expect(server.probes).toEqual([]);
  expect(world.uplinks.length).toBe(1);
  expect(probeOf(world).state).toBe('is not sent: the broker has refused the subscription');
  expect(adviceOf(world)).toContain('the broker has refused the subscription to "site/probe" (upstream.probe)');
});

it('a Server that closes the connection for the probe gets no more of it after the third time', () => {
  const server = new PassingServer();
  const world = server.world = new World({
    server: (peer, packet) => {
      if (packet.cmd === 'publish' && packet.topic === TOPIC)
        peer.close();
      else
        server.serve(peer, packet);
    },
    configuration: { topic: [{ pattern: '#', direction: 'out' }], upstream: { probe: { topic: TOPIC, interval: INTERVAL } } },
  });
  world.runtime.start();
  world.run(seconds(180));
  const count = world.uplinks.length;
  expect(count).toBeLessThanOrEqual(5);
  expect(world.isConnected).toBe(true);
  expect(probeOf(world).state).toBe('is not sent: the broker closes the connection for it');
  world.run(seconds(180));
  expect(world.uplinks.length).toBe(count);
});

it('with MQTT 5.0 it is asked for without No Local, which everything else is not', () => {
  const server = new FiveServer();
  const world = server.world = World.connected({ server: server.serve, configuration: server.configure({
    topic: [{ pattern: 'a', direction: 'in' }], upstream: { probe: { topic: TOPIC, interval: INTERVAL } },
  }) });
  world.run(seconds(1));
  const asked = world.uplink.all('subscribe').flatMap(({ subscriptions }) => subscriptions);
  expect(asked.map(({ nl, topic }) => [topic, nl])).toEqual([['a', true], [TOPIC, false]]);
  server.publish(TOPIC, server.publishes[0]!.payload.toString());
  world.run(seconds(1));
  expect(probeOf(world).roundTrip).toBeGreaterThan(0);
});
