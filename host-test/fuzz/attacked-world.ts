/**
 * A gateway in the middle of a simulated network: above it a Server, below it a witness, a well-behaved node, and whoever
 * attacks. After each attack the invariant is checked:
 *
 *   Any bytes give packets or one Reason Code, never a throw, never growth, and nobody else notices.
 *
 * A throw needs no check: on the simulated network it ends the run.
 */
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { describeReason } from '../../src/gateway/event-texts.ts';
import * as Event from '../../src/config/events.ts';
import { createSimulatedSensor } from '../../src/sensors/simulated-sensors.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import type { ScriptedPeer } from '../simulation/scripted-peer.ts';
import type { SimulatedLink } from '../simulation/simulated-link.ts';
import { bytesOf, type Sender } from '../vectors/vector.ts';
import { World } from '../world/world.ts';
import { concatenate } from './input.ts';
import { PacketSplitter } from './packet-splitter.ts';

/** Small, so that every limit is met often. */
const SMALL: PartialConfiguration = {
  name: 'fuzzed',
  upstream: { max_packet_size: 512, max_inflight_messages: 4, restart_timeout: [1, 2], acknowledgement_timeout: 10 },
  listener: {
    max_connections: 3, max_packet_size: 256, max_inflight_messages: 4, max_queued_messages: 6, max_queued_bytes: 300,
    max_clientid_length: 32, max_will_size: 64, max_subscriptions: 8, max_subscription_bytes: 128, max_retained_messages: 6, max_retained_bytes: 300,
  },
  topic: [
    { pattern: '#', direction: 'out', qos: 2, remote_prefix: 'up/' },
    { pattern: '#', direction: 'in', qos: 2, remote_prefix: 'down/' },
    { pattern: 'f/#', direction: 'both', qos: 1 },
  ],
  store: { ram: 600 },
  memory: { topics: 8, topic_length: 24 },
};

/** Worlds take turns. In the second one a node that gives any user name is user "m". */
const CONFIGURATIONS: readonly PartialConfiguration[] = [
  SMALL,
  {
    ...SMALL,
    listener: {
      ...SMALL.listener, oversize: 'drop', max_publish_rate: 30, sys_interval: 1,
      users: [{ username: 'm', mount_point: 'm/%c/' }],
      acl: [
        { topic: 'w/#', access: 'readwrite' }, { topic: 'f/#', access: 'readwrite' }, { topic: 'f/a/#', access: 'deny' },
        { topic: '%c/+', access: 'read' }, { user: 'm', topic: 'm/#', access: 'readwrite' },
      ],
    },
    upstream: { ...SMALL.upstream, bridge_protocol_version: 'mqttv31', oversize: 'close', cleansession: true },
  },
];

/** MQTT 3.1.1, clean session, identifier "witness". */
const WITNESS_CONNECT = bytesOf('10 13 0004 4d515454 04 02 0000 0007 7769746e657373');
/** "w/1", QoS 1. */
const WITNESS_SUBSCRIBE = bytesOf('82 08 0001 0003 772f31 01');

/** Virtual milliseconds within which the gateway must have recovered from anything. */
const PATIENCE = 120_000;

export interface Attack {
  readonly sender: Sender;
  readonly bytes: Uint8Array;
  /** Longest fragment; 0: as TCP likes. */
  readonly fragmentLength: number;
  /** The attacker never reads. */
  readonly isDeaf: boolean;
  /** What the attacker does once all has been sent. */
  readonly ending: 'close' | 'reset' | 'wait';
}

export class AttackedWorld extends World {
  private readonly arenaLength: number;
  private readonly messages: string[] = [];
  /** Of the newest connection upstream. */
  private uplinkSocket!: ScriptedPeer;
  private uplinkCount = 0;
  private witness!: ScriptedPeer;
  private exchangeCount = 0;
  /** Of the sessions of nodes: begun and ended. */
  private openedCount = 0;
  private closedCount = 0;
  /** How sessions ended, by reason, for people: what was reached and what was not. */
  readonly endings: Map<string, number>;
  /** The Server upstream does not answer by itself: it attacks. */
  private isServerHostile = false;

  constructor(seed: number, resizable: boolean, endings = new Map<string, number>()) {
    super({
      configuration: CONFIGURATIONS[seed & 1]!,
      seed,
      board: { sendCapacity: 512 },
      nodes: { receiveWindow: 512 },
      authenticator: {
        authenticate(session, packet) {
          session.user = packet.userNameLength > 0 ? (seed & 1) - 1 : -1; // -1: nobody
          return ReasonCode.SUCCESS;
        },
      },
      createSensor: configuration => createSimulatedSensor(configuration, () => 0.5),
      landingCapacity: 384,
      resizable,
    });
    this.endings = endings;
    this.arenaLength = this.gateway.arena.length;
    this.onUplink = socket => this.serve(socket);
    this.runtime.start();
    this.wait('the connection upstream', () => this.isConnected);
    this.connectWitness();
  }

  /** @throws Error when the invariant does not hold */
  attack(attack: Attack): void {
    if (attack.sender === 'client')
      this.attackFromBelow(attack);
    else
      this.attackFromAbove(attack);
    this.checkFigures();
    this.exchange();
    this.checkFigures();
  }

  // Attacks

  private attackFromBelow(attack: Attack): void {
    const { network } = this;
    const attacker = this.dial().socket;
    this.wait('a place for the attacker', () => attacker.isConnected || attacker.isClosed);
    this.strike(attacker, network.lastLink, network.lastLink.toServer, attack);
    this.checkAnswers(attacker, 'server', attack);
    attacker.close();
    this.wait('the end of the attacker\'s session', () => this.openedCount === this.closedCount + (this.witness.isClosed ? 0 : 1));
  }

  /** The next connection of the gateway is answered with the attack, after the CONNECT has come. */
  private attackFromAbove(attack: Attack): void {
    this.isServerHostile = true;
    const before = this.uplinkCount;
    this.uplinkSocket.close();
    this.wait('a new connection upstream', () => this.uplinkCount > before && this.uplinkSocket.receivedLength > 0);
    const attacker = this.uplinkSocket;
    this.strike(attacker, this.network.lastLink, this.network.lastLink.toClient, attack);
    this.checkAnswers(attacker, 'client', attack);
    this.isServerHostile = false;
    if (!this.uplinkSocket.isClosed)
      this.uplinkSocket.close();
    const connections = this.uplinkCount;
    this.wait('the connection upstream after the attack', () => this.uplinkCount > connections && this.isConnected);
  }

  private strike(attacker: ScriptedPeer, link: SimulatedLink, direction: SimulatedLink['toServer'], attack: Attack): void {
    direction.set({ fragmentLength: attack.fragmentLength, isFragmentLengthRandom: true });
    if (attack.isDeaf)
      attacker.stopReading();
    attacker.sendBytes(attack.bytes);
    this.run(attack.ending === 'wait' ? 30_000 : 50);
    if (attack.ending === 'reset')
      link.reset();
  }

  /** What the gateway has said to the attacker is MQTT. */
  private checkAnswers(attacker: ScriptedPeer, role: Sender, attack: Attack): void {
    const splitter = new PacketSplitter(role);
    splitter.push(bytesOf(attacker.take()));
    if (!attack.isDeaf && attack.ending !== 'reset' && splitter.restLength > 0)
      throw new Error(`the gateway has sent the beginning of a packet only: ${splitter.rest}`);
  }

  // The good ones

  private serve(peer: ScriptedPeer): void {
    this.uplinkSocket = peer;
    ++this.uplinkCount;
    peer.onReceived = undefined;
    if (this.isServerHostile)
      return;
    const splitter = new PacketSplitter('client');
    peer.onReceived = () => {
      for (const packet of splitter.push(bytesOf(peer.take())))
        this.answer(peer, packet);
    };
  }

  private answer(peer: ScriptedPeer, packet: Uint8Array): void {
    const type = packet[0]! >> 4;
    switch (type) {
      case 1:
        return peer.send('20 02 00 00');
      case 3:
        return this.acknowledge(peer, packet);
      case 5:
        return peer.sendBytes(Uint8Array.of(0x62, 2, packet[2]!, packet[3]!));
      case 6:
        return peer.sendBytes(Uint8Array.of(0x70, 2, packet[2]!, packet[3]!));
      case 8:
        return peer.sendBytes(Uint8Array.of(0x90, 3, packet[2]!, packet[3]!, 2));
      case 12:
        return peer.send('d0 00');
    }
  }

  private acknowledge(peer: ScriptedPeer, packet: Uint8Array): void {
    const qos = packet[0]! >> 1 & 3;
    const header = packet[1]! < 128 ? 2 : 3;
    const at = header + 2 + (packet[header]! << 8 | packet[header + 1]!);
    const topic = String.fromCharCode(...packet.subarray(header + 2, header + 2 + packet[header + 1]!));
    if (peer === this.witness && topic !== 'w/1')
      throw new Error(`the witness was sent ${topic}, which it has not subscribed`);
    const payload = String.fromCharCode(...packet.subarray(at + (qos > 0 ? 2 : 0)));
    if (payload.startsWith('exchange '))
      this.messages.push(`${peer === this.witness ? 'witness' : 'server'} ${payload}`);
    if (qos > 0)
      peer.sendBytes(Uint8Array.of(qos === 1 ? 0x40 : 0x50, 2, packet[at]!, packet[at + 1]!));
  }

  private connectWitness(): void {
    const witness = this.witness = this.dial().socket;
    const splitter = new PacketSplitter('server');
    const types: number[] = [];
    witness.onReceived = () => {
      for (const packet of splitter.push(bytesOf(witness.take()))) {
        types.push(packet[0]! >> 4);
        if (packet[0]! >> 4 === 4)
          this.messages.push('puback');
        this.answer(witness, packet);
      }
    };
    witness.sendBytes(concatenate([WITNESS_CONNECT, WITNESS_SUBSCRIBE]));
    this.wait('the witness to be let in', () => types.includes(2) && types.includes(9));
  }

  /** The witness publishes with QoS 1: it gets PUBACK and its own message, and the Server gets it too. */
  private exchange(): void {
    if (this.witness.isClosed) // an attacker may well have said that it is the witness
      this.connectWitness();
    this.messages.length = 0;
    const text = `exchange ${++this.exchangeCount}`;
    this.witness.sendBytes(concatenate([Uint8Array.of(0x32, 7 + text.length, 0, 3, 0x77, 0x2F, 0x31, 0, 1), new TextEncoder().encode(text)]));
    const expected = ['puback', `witness ${text}`, `server ${text}`];
    this.wait('the exchange of the witness', () => expected.every(message => this.messages.includes(message)));
  }

  // Checks

  private wait(what: string, condition: () => boolean): void {
    const { clock } = this;
    const end = clock.time + PATIENCE;
    for (let step = 1; !condition(); step = Math.min(step * 2, 1000)) {
      if (clock.time > end)
        throw new Error(`waited in vain for ${what}`);
      this.run(step);
    }
  }

  protected override onEvent(event: number, subject: number, detail: number): void {
    if (event === Event.NODE_CONNECTED)
      ++this.openedCount;
    if (event === Event.NODE_CLOSED)
      ++this.closedCount;
    if (event !== Event.NODE_CLOSED && event !== Event.NODE_REFUSED && event !== Event.UPSTREAM_CLOSED)
      return;
    const reason = describeReason(detail);
    if (reason.startsWith('reason code'))
      throw new Error(`session ${subject} ended for a reason that has no words: ${detail}`);
    this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1);
  }

  private checkFigures(): void {
    const { gateway } = this;
    const { listener, upstream } = gateway.configuration;
    const { arena, nodes, retained, sessions, subscriptions } = gateway;
    const states = [gateway.upstream.sessionState!, ...nodes.states];
    const isWithin = (name: string, value: number, most: number): void => {
      if (!(Number.isInteger(value) && value >= 0 && value <= most))
        throw new Error(`${name} is ${value}, not 0 to ${most}`);
    };
    const isEqual = (name: string, value: number, expected: number): void => {
      if (value !== expected)
        throw new Error(`${name}: ${value}, not ${expected}`);
    };
    isEqual('length of the arena', arena.buffer.byteLength, this.arenaLength);
    isEqual('length of the arena\'s view', arena.bytes.length, this.arenaLength);
    isEqual('connected nodes, counted', gateway.connectedCount, sessions.filter(session => session.isConnected).length);
    isEqual('connected nodes, by their states', gateway.connectedCount, nodes.states.filter(({ session }) => session !== undefined).length);
    isEqual('connected nodes, by their events', gateway.connectedCount, this.openedCount - this.closedCount);
    isWithin('connected nodes', gateway.connectedCount, listener.max_connections);
    isWithin('subscriptions', subscriptions.count, listener.max_subscriptions);
    isWithin('retained messages', retained.count, listener.max_retained_messages);
    for (const [index, state] of states.entries()) {
      isWithin('messages in a queue', state.queue.count, index === 0 ? gateway.configuration.store.ram : listener.max_queued_messages);
      isWithin('bytes in a queue', state.queue.usedLength, state.queue.capacity);
      isWithin('unacknowledged messages', state.queue.inflightCount, Math.min(state.queue.count, state.queue.limits.maximumInflight));
      isWithin('unreleased messages', state.receivedCount, index === 0 ? upstream.max_unreleased_messages : listener.max_unreleased_messages);
    }
  }
}
