/**
 * The network breaks at every byte between a node, the whole gateway with its store, and a Server, on either side of
 * the gateway and in either direction. What the node got an acknowledgement for must arrive, QoS 2 once, in order.
 */
import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { Runtime } from '../../src/io/runtime.ts';
import { SUCCESS } from '../../src/packet/reason-code.ts';
import { bytesOfHex } from '../simulation/hex.ts';
import { ScriptedPeer, ScriptedServer } from '../simulation/scripted-peer.ts';
import type { CutKind, SimulatedLink } from '../simulation/simulated-link.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER, type SimulatedHost, SimulatedNetwork } from '../simulation/simulated-network.ts';
import { NodeModel, ServerModel, split, TINY } from '../simulation/store-world.ts';

const GATEWAY = '10.0.0.1';
const SERVER = '10.0.0.2';
const PORT = 1883;
const PAYLOADS = ['a', 'b', 'c', 'd'];

/** Where a connection breaks: which one of that hop, after how many bytes of which direction. */
interface Cut {
  readonly hop: 'node' | 'upstream';
  readonly direction: 'toServer' | 'toClient';
  readonly length: number;
  readonly kind: CutKind;
  /** 0 is the first connection of the hop. */
  readonly connection: number;
}

/** Whole packets of a stream that comes in pieces. */
class Splitter {
  private rest: number[] = [];

  push(bytes: Uint8Array): number[][] {
    this.rest.push(...bytes);
    const packets: number[][] = [];
    while (this.rest.length >= 2) {
      const isLong = this.rest[1]! > 127;
      const length = isLong ? (this.rest[1]! & 127) + (this.rest[2] ?? 0) * 128 + 3 : this.rest[1]! + 2;
      if (this.rest.length < length)
        break;
      packets.push(split(this.rest.splice(0, length))[0]!);
    }
    return packets;
  }
}

class Scene {
  readonly network = new SimulatedNetwork();
  readonly server = new ServerModel();
  readonly node = new NodeModel('one');
  readonly runtime: Runtime;
  private readonly nodeHost: SimulatedHost;
  private readonly connections = { node: 0, upstream: 0 };
  private peer: ScriptedPeer | undefined;

  constructor(durability: 'ram' | 'flash', qos: number, cuts: readonly Cut[]) {
    const { network } = this;
    const board = network.addHost(GATEWAY, PEER);
    this.nodeHost = network.addHost('10.0.0.3', PEER);
    network.onLink = link => this.prepare(link, cuts);
    this.listen(network.addHost(SERVER, PEER));
    const medium = new FlashMedium(1024, 6);
    this.runtime = new Runtime(completeConfiguration({
      ...TINY,
      upstream: { ...TINY.upstream, address: [`mqtt://${SERVER}:${PORT}`], restart_timeout: [1, 2],
        acknowledgement_timeout: 5, connack_timeout: 5 },
      topic: [{ ...TINY.topic![0]!, qos }],
      store: { ...TINY.store, durability },
    }), {
      TCP: board.TCP, Listener: board.Listener, resolver: new network.Resolver(),
      authenticator: { authenticate: () => SUCCESS },
      createSensor: () => ({ read: () => NaN }),
      createTimer: onTimer => new network.clock.Timer(onTimer),
      time: () => network.clock.now,
      random: () => 0.5,
      landingCapacity: 512,
      resizable: true,
      openStorage: (_store, arena) => new SimulatedFlash(arena, medium),
    }, {
      onEvent() { /* counted elsewhere */ }, onSensorFailed() { /* none */ }, onSensorRecovered() { /* none */ },
        onListening() { /* at once */ },
      onListenerError(message) { throw new Error(message); },
      onException(error) { throw error; },
    });
    this.runtime.start();
  }

  /** The node sends everything, and both sides come back until all is done. */
  play(qos: number): void {
    const messages = PAYLOADS.flatMap(payload => this.node.add('t', payload, qos));
    let hasSent = false;
    for (let second = 0; second < 60; ++second) {
      if (this.peer === undefined || this.peer.isClosed)
        this.connectNode(() => {
          if (hasSent)
            return this.node.resume();
          hasSent = true;
          return messages;
        });
      this.network.run(1000);
      const { count, window } = this.runtime.gateway.upstreamQueue;
      if (this.node.messages.every(({ isDone }) => isDone) && this.runtime.gateway.upstream.isConnected
        && count + window!.waitingCount === 0)
        return;
    }
    throw new Error('not done within a minute');
  }

  get lengths(): Record<string, number> {
    const [upstream, node] =
      [SERVER, GATEWAY].map(address => this.network.links.find(link => link.address === address)!) as [SimulatedLink,
        SimulatedLink];
    return {
      'node toServer': node.toServer.carriedLength, 'node toClient': node.toClient.carriedLength,
      'upstream toServer': upstream.toServer.carriedLength, 'upstream toClient': upstream.toClient.carriedLength,
    };
  }

  private prepare(link: SimulatedLink, cuts: readonly Cut[]): void {
    const hop = link.address === GATEWAY ? 'node' : 'upstream';
    const connection = this.connections[hop]++;
    for (const cut of cuts)
      if (cut.hop === hop && cut.connection === connection)
        link[cut.direction].cutAfter(cut.length, cut.kind);
  }

  private listen(host: SimulatedHost): void {
    new ScriptedServer(host, PORT).onPeer = peer => {
      const splitter = new Splitter();
      peer.onReceived = () => {
        for (const packet of splitter.push(bytesOfHex(peer.take())))
          peer.sendBytes(Uint8Array.from(this.server.answer(packet)));
      };
    };
  }

  private connectNode(first: () => number[]): void {
    const { node } = this;
    const peer = this.peer = ScriptedPeer.connect(this.nodeHost, GATEWAY, PORT);
    const splitter = new Splitter();
    peer.onReceived = () => {
      for (const packet of splitter.push(bytesOfHex(peer.take())))
        peer.sendBytes(Uint8Array.from(packet[0] === 0x20 ? first() : node.answer(packet)));
    };
    peer.sendBytes(Uint8Array.of(0x10, 15, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 3, 0x6F, 0x6E, 0x65));
  }
}

function expectPromise(scene: Scene, qos: number, cuts: readonly Cut[]): void {
  const arrived = scene.server.delivered.map(({ payload }) => payload);
  if (qos === 2) {
    expect(arrived).toEqual(PAYLOADS);
    return;
  }
  expect([...new Set(arrived)]).toEqual(PAYLOADS);
  // Each hop repeats a message for each of its connections that broke, at most.
  const times = (hop: Cut['hop']): number => 1 + cuts.filter(cut => cut.hop === hop).length;
  expect(arrived.length).toBeLessThanOrEqual(PAYLOADS.length * times('node') * times('upstream'));
}

describe.each([
  { durability: 'ram' as const, qos: 1 }, { durability: 'ram' as const, qos: 2 },
  { durability: 'flash' as const, qos: 1 }, { durability: 'flash' as const, qos: 2 },
])('$durability, QoS $qos', ({ durability, qos }) => {
  const whole = new Scene(durability, qos, []);
  whole.play(qos);
  const hops = ['node', 'upstream'] as const;
  const directions = ['toServer', 'toClient'] as const;

  it('arrives in order without repetition when nothing breaks', () => {
    expect(whole.server.delivered.map(({ payload }) => payload)).toEqual(PAYLOADS);
  });

  it.each(hops.flatMap(hop => directions.map(direction => [hop, direction] as const)))(
    'loses nothing wherever the connection breaks: %s, %s', (hop, direction) => {
      const length = whole.lengths[`${hop} ${direction}`]!;
      expect(length).toBeGreaterThan(4 + 4 * PAYLOADS.length - 1);
      for (let cut = 1; cut <= length; ++cut)
        for (const kind of cut % 4 === 0 && hop === 'upstream' ? ['reset', 'silence'] as const
          : [cut % 2 === 0 ? 'reset' : 'close'] as const)
          try {
            const cuts = [{ hop, direction, length: cut, kind, connection: 0 }];
            const scene = new Scene(durability, qos, cuts);
            scene.play(qos);
            expectPromise(scene, qos, cuts);
          } catch (error) {
            throw new Error(`${kind} after ${cut} bytes`, { cause: error });
          }
    }, 60_000);

  it('loses nothing when the next connection, and the one on the other side, break too', () => {
    for (const [first, second] of [['node', 'upstream'], ['upstream', 'node']] as const)
      for (let cut = 3; cut < whole.lengths[`${first} toServer`]!; cut += 3)
        for (const direction of directions) {
          const cuts: Cut[] = [
            { hop: first, direction: 'toServer', length: cut, kind: 'close', connection: 0 },
            { hop: first, direction, length: 4 + cut * 5 % 29, kind: 'reset', connection: 1 },
            { hop: second, direction, length: 4 + cut * 7 % 31, kind: 'reset', connection: 0 },
          ];
          try {
            const scene = new Scene(durability, qos, cuts);
            scene.play(qos);
            expectPromise(scene, qos, cuts);
          } catch (error) {
            throw new Error(JSON.stringify(cuts), { cause: error });
          }
        }
  }, 60_000);
});
