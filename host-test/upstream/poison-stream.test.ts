/**
 * A node that goes on sending what the Server closes the connection for, beside ten that send a message a second: those
 * go on, but for interruptions that are short and become rare. In virtual time, with memory alone and with a log.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { PC_SIZES } from '../../src/config/defaults.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { PEER } from '../simulation/simulated-network.ts';
import { connect, publish, pubrel } from '../world/packets.ts';
import { oblige, type Peer, World } from '../world/world.ts';

const GOOD_NODES = 10;
const SECOND = 1000;

interface Stream {
  more?: PartialConfiguration;
  isFlash?: boolean;
  rogues?: number;
  /** Seconds between two bad messages of a node. */
  interval?: number;
  /** Good messages of the same node between. */
  goodOnes?: number;
  qos?: 0 | 1 | 2;
  hasOneTopic?: boolean;
  seconds?: number;
  /** Milliseconds from a bad message to the close. */
  delay?: number;
  /** Each bad message comes from a node that nobody has seen before. */
  isAlwaysNew?: boolean;
}

/** A node that connects again, and sends again what was not acknowledged. */
class Sender {
  readonly acknowledged: string[] = [];
  private readonly unacknowledged = new Map<number, [topic: string, payload: string, qos: number]>();
  private readonly world: World;
  private readonly name: string;
  private peer: Peer | undefined;
  private isUp = false;
  private connectedAt = 0;
  private nextIdentifier = 1;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.connect();
  }

  private connect(): void {
    this.isUp = false;
    this.connectedAt = this.world.clock.time;
    const peer = this.peer = this.world.dial((_peer, packet) => {
      if (packet.cmd === 'connack' && packet.returnCode === 0) {
        this.isUp = true;
        for (const [identifier, [topic, payload, qos]] of this.unacknowledged)
          peer.post(publish(topic, payload, { qos, identifier, dup: true }));
      } else if (packet.cmd === 'puback' || packet.cmd === 'pubrec') {
        if (packet.cmd === 'pubrec')
          peer.post(pubrel(packet.messageId!));
        this.acknowledged.push(this.unacknowledged.get(packet.messageId!)?.[1] ?? '');
        this.unacknowledged.delete(packet.messageId!);
      }
    });
    peer.post(connect(this.name, { clean: true }));
  }

  leave(): void {
    this.peer!.close();
  }

  say(topic: string, payload: string, qos: number): void {
    if (this.peer!.isClosed && this.world.clock.time - this.connectedAt >= SECOND)
      this.connect();
    if (qos === 0) {
      if (this.isUp && !this.peer!.isClosed)
        this.peer!.post(publish(topic, payload));
      return;
    }
    const identifier = this.nextIdentifier++;
    this.unacknowledged.set(identifier, [topic, payload, qos]);
    if (this.isUp && !this.peer!.isClosed)
      this.peer!.post(publish(topic, payload, { qos, identifier }));
  }
}

interface Outcome {
  /** Good messages that nodes have an acknowledgement for, and that are neither at the Server nor wait. */
  lost: string[];
  /** Part of the time after the first message was set aside in which good messages flow. */
  share: number;
  /** Seconds: the longest time in which none did. */
  longestGap: number;
  setAside: string[];
}

function run({ delay = 0, goodOnes = 0, hasOneTopic = false, interval = 2, isAlwaysNew = false, isFlash = false,
  more = {}, qos = 1, rogues = 1, seconds = 600 }: Stream): Outcome {
  const medium = new FlashMedium(4096, 64);
  const taken = new Set<string>();
  const perSecond = new Array<number>(seconds).fill(0);
  let first = Infinity;
  const world: World = World.connected({
    board: PEER,
    ...isFlash && { openStorage: (_settings, arena) => new SimulatedFlash(arena, medium) },
    configuration: {
      topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }],
      ...more,
      listener: { max_connections: 20, ...more.listener },
      upstream: { restart_timeout: [5, 30], ...more.upstream },
      store: { ram: 262_144, ...more.store, ...isFlash && { durability: 'flash', size: 262_144 } },
    },
    server: (peer, packet) => {
      if (packet.cmd === 'publish' && packet.topic.includes('bad')) {
        if (delay === 0)
          peer.close();
        else
          world.clock.schedule(delay, () => peer.close());
        return;
      }
      if (packet.cmd === 'publish' && !taken.has(String(packet.payload))) {
        taken.add(String(packet.payload));
        const second = Math.floor((world.clock.time - start) / SECOND);
        if (packet.topic.startsWith('up/good') && second < seconds)
          ++perSecond[second]!;
      }
      oblige(peer, packet);
    },
  });
  const start = world.clock.time;
  const bad = Array.from({ length: rogues }, (_, index) => new Sender(world, `rogue${index}`));
  const good = Array.from({ length: GOOD_NODES }, (_, index) => new Sender(world, `good${index}`));
  let count = 0;
  for (let second = 0; second < seconds; ++second) {
    for (const [index, node] of good.entries())
      node.say(`good/${index}`, `g${index} ${second}`, 1);
    if (isAlwaysNew && second % interval === 0) {
      bad[0]!.leave();
      bad[0] = new Sender(world, `new${count}`);
    }
    for (const [index, node] of bad.entries()) {
      if (second % interval === 0)
        node.say(hasOneTopic ? 'bad' : `bad/${count++}`, 'x', qos);
      for (let left = goodOnes; left > 0; --left)
        node.say(`fine/${index}`, `f${index} ${second} ${left}`, qos);
    }
    world.run(SECOND);
    if (world.gateway.bridge.guard.quarantine.count > 0)
      first = Math.min(first, second);
  }
  const after = perSecond.slice(first + 1, -1);
  world.run(700 * SECOND);
  const { gateway, sensors, upstream } = world.runtime;
  const missing = [...good, ...bad].flatMap(({ acknowledged }) => acknowledged)
    .filter(text => text.length > 1 && !taken.has(text));
  const waiting = missing.filter(text => text.startsWith('f')).length;
  const { quarantine } = statusOf({ gateway, sensors, upstream }, world.clock.now);
  const setAside = quarantine.messages.map(({ topic }) => topic);
  const keptCount = gateway.waiting.pendingCount + setAside.filter(topic => topic.startsWith('fine')).length;
  const isLoss = waiting > keptCount
    || world.detailsOf(Event.MESSAGE_LOST, Event.STORE_FULL).length > 0;
  let gap = 0;
  return {
    lost: isLoss ? missing : missing.filter(text => !text.startsWith('f')),
    share: after.filter(one => one > 0).length / after.length,
    longestGap: perSecond.reduce((most, one) => Math.max(most, gap = one > 0 ? 0 : gap + 1), 0),
    setAside,
  };
}

describe.each<[string, Stream]>([
  ['a bad message every two seconds', {}],
  ['of QoS 0', { qos: 0 }],
  ['to one topic', { hasOneTopic: true }],
  ['with good ones between', { goodOnes: 1 }],
  ['with the memory of a PC', { more: PC_SIZES }],
  ['with a log', { isFlash: true }],
  ['with a log, and good ones between', { isFlash: true, goodOnes: 1, more: { store: { quarantine: [64, 16_384] } } }],
  ['of two nodes', { rogues: 2 }],
  ['every seven seconds', { interval: 7 }],
  ['for which the Server closes after 8 seconds', { delay: 8000 }],
  ['for which the Server closes after 20 seconds', { delay: 20_000, seconds: 900 }],
  ['of QoS 2', { more: { topic: [{ pattern: '#', direction: 'out', qos: 2, remote_prefix: 'up/' }] }, qos: 2 }],
  ['of nine nodes', { rogues: 9 }],
  ['each of another node', { isAlwaysNew: true }],
  ['each of another node, with a log', { isAlwaysNew: true, isFlash: true }],
  ['with a log, of five nodes', { isFlash: true, rogues: 5 }],
  ['with a Server that is soon asked again', { more: { upstream: { restart_timeout: [1, 2] } } }],
])('%s', (_name, stream) => {
  it('interrupts the others for less than a tenth of the time; nothing good is set aside, nothing is lost', () => {
    const { longestGap, lost, setAside, share } = run(stream);
    // What the same node has sent besides may have to leave the log, which has gone round.
    const wrong = setAside.filter(topic => !topic.startsWith('bad') && !(stream.isFlash && topic.startsWith('fine')));
    expect({ lost: lost.slice(0, 5), wrong }).toEqual({ lost: [], wrong: [] });
    expect(setAside.length).toBeGreaterThan(0);
    expect(share).toBeGreaterThan(0.9);
    expect(longestGap).toBeLessThan(60);
  }, 60_000);
});
