/**
 * A gateway in the middle of a simulated network: above it a Server, below it a witness, a well-behaved node, and
 * whoever attacks. After each attack the invariant is checked:
 *
 *   Any bytes give packets or one Reason Code, never a throw, never growth, and nobody else notices.
 *
 * A throw needs no check: on the simulated network it ends the run.
 */
import type { Packet } from 'mqtt-packet';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { describeReason } from '../../src/gateway/reason-texts.ts';
import * as Event from '../../src/config/events.ts';
import { createSimulatedSensor } from '../../src/sensors/simulated-sensors.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import type { ScriptedPeer } from '../simulation/scripted-peer.ts';
import type { SimulatedLink } from '../simulation/simulated-link.ts';
import type { Sender } from '../vectors/vector.ts';
import { connect, publish, subscribe } from '../world/packets.ts';
import { acknowledge, oblige, Peer } from '../world/peer.ts';
import { World } from '../world/world.ts';

/** Small, so that every limit is met often. */
const SMALL: PartialConfiguration = {
  name: 'fuzzed',
  upstream: { max_packet_size: 512, max_inflight_messages: 4, restart_timeout: [1, 2], acknowledgement_timeout: 10 },
  listener: {
    max_connections: 3, max_packet_size: 256, max_inflight_messages: 4, max_queued_messages: 6, max_queued_bytes: 300,
    max_clientid_length: 32, max_will_size: 64, max_subscriptions: 8, max_subscription_bytes: 128,
    max_retained_messages: 6, max_retained_bytes: 300,
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
        { topic: 'w/#', access: 'readwrite' }, { topic: 'f/#', access: 'readwrite' },
        { topic: 'f/a/#', access: 'deny' },
        { topic: '%c/+', access: 'read' }, { user: 'm', topic: 'm/#', access: 'readwrite' },
      ],
    },
    upstream: { ...SMALL.upstream, bridge_protocol_version: 'mqttv31', oversize: 'close', cleansession: true },
  },
];

/** What each role may send; a Server DISCONNECT in 5.0 only, and what comes may say that it is that. */
const MAY_SAY: Readonly<Record<Sender, RegExp>> = {
  client: /^(CONNECT|PUBLISH|PUBACK|PUBREC|PUBREL|PUBCOMP|SUBSCRIBE|UNSUBSCRIBE|PINGREQ|DISCONNECT)\b(?! flags)/,
  server: /^(CONNACK|PUBLISH|PUBACK|PUBREC|PUBREL|PUBCOMP|SUBACK|UNSUBACK|PINGRESP|DISCONNECT)\b(?! flags)/,
};

/** @throws Error when a gateway in this role must not say that */
export function checkRole(role: Sender, said: readonly string[]): void {
  const wrong = said.find(packet => !MAY_SAY[role].test(packet));
  if (wrong !== undefined)
    throw new Error(`the gateway has sent what its role must not send: ${wrong}`);
}

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
  private witness!: Peer;
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
      server: (peer, packet) => this.serve(peer, packet),
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
    const attacker = this.dial();
    this.wait('a place for the attacker', () => attacker.socket.isConnected || attacker.isClosed);
    this.strike(attacker, network.lastLink, network.lastLink.toServer, attack);
    this.checkAnswers(attacker, 'server', attack);
    attacker.close();
    this.wait('the end of the attacker\'s session', () =>
      this.openedCount === this.closedCount + (this.witness.isClosed ? 0 : 1));
  }

  /** The next connection of the gateway is answered with the attack, after the CONNECT has come. */
  private attackFromAbove(attack: Attack): void {
    this.isServerHostile = true;
    const { length } = this.uplinks;
    this.uplink.close();
    this.wait('a new connection upstream', () => this.uplinks.length > length && this.uplink.socket.receivedLength > 0);
    const attacker = this.uplink;
    this.strike(attacker, this.network.lastLink, this.network.lastLink.toClient, attack);
    this.checkAnswers(attacker, 'client', attack);
    this.isServerHostile = false;
    attacker.close();
    const connections = this.uplinks.length;
    this.wait('the connection upstream after the attack', () => this.uplinks.length > connections && this.isConnected);
  }

  /** While the Server attacks, what comes is kept. */
  override adopt(socket: ScriptedPeer): Peer {
    return this.isServerHostile ? new Peer(socket, this.clock) : super.adopt(socket);
  }

  private strike(attacker: Peer, link: SimulatedLink, direction: SimulatedLink['toServer'], attack: Attack): void {
    direction.set({ fragmentLength: attack.fragmentLength, isFragmentLengthRandom: true });
    if (attack.isDeaf)
      attacker.socket.stopReading();
    attacker.post(attack.bytes);
    this.run(attack.ending === 'wait' ? 30_000 : 50);
    if (attack.ending === 'reset')
      link.reset();
  }

  /** What the gateway has said to the attacker is MQTT, of the types that its role may say. */
  private checkAnswers(attacker: Peer, role: Sender, attack: Attack): void {
    const answers = attacker.take().filter(answer => answer !== 'closed');
    const isCut = answers.at(-1)?.startsWith('part of a packet') === true;
    if (isCut && !attack.isDeaf && attack.ending !== 'reset')
      throw new Error(`the gateway has sent the beginning of a packet only: ${answers.at(-1)}`);
    checkRole(role, isCut ? answers.slice(0, -1) : answers);
  }

  // The good ones

  private serve(peer: Peer, packet: Packet): void {
    checkRole('client', [packet.cmd.toUpperCase()]);
    oblige(peer, packet);
    this.note('server', packet);
  }

  private note(receiver: string, packet: Packet): void {
    if (packet.cmd === 'publish' && String(packet.payload).startsWith('exchange '))
      this.messages.push(`${receiver} ${packet.payload}`);
    else if (packet.cmd === 'puback')
      this.messages.push('puback');
  }

  private connectWitness(): void {
    const witness = this.witness = this.dial((peer, packet) => {
      checkRole('server', [packet.cmd.toUpperCase()]);
      if (packet.cmd === 'publish' && packet.topic !== 'w/1')
        throw new Error(`the witness was sent ${packet.topic}, which it has not subscribed`);
      acknowledge(peer, packet);
      this.note('witness', packet);
    });
    witness.post(connect('witness'), subscribe(1, 'w/1', 1));
    this.wait('the witness to be let in', () => witness.all('suback').length > 0);
  }

  /** The witness publishes with QoS 1: it gets PUBACK and its own message, and the Server gets it too. */
  private exchange(): void {
    if (this.witness.isClosed) // an attacker may well have said that it is the witness
      this.connectWitness();
    this.messages.length = 0;
    const text = `exchange ${++this.exchangeCount}`;
    this.witness.post(publish('w/1', text, { qos: 1 }));
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
    isEqual('connected nodes, by their states', gateway.connectedCount,
      nodes.states.filter(({ session }) => session !== undefined).length);
    isEqual('connected nodes, by their events', gateway.connectedCount, this.openedCount - this.closedCount);
    isWithin('connected nodes', gateway.connectedCount, listener.max_connections);
    isWithin('subscriptions', subscriptions.count, listener.max_subscriptions);
    isWithin('retained messages', retained.count, listener.max_retained_messages);
    for (const [index, state] of states.entries()) {
      const mostMessages = index === 0 ? gateway.configuration.store.ram : listener.max_queued_messages;
      isWithin('messages in a queue', state.queue.count, mostMessages);
      isWithin('bytes in a queue', state.queue.usedLength, state.queue.capacity);
      isWithin('unacknowledged messages', state.queue.inflightCount,
        Math.min(state.queue.count, state.queue.limits.maximumInflight));
      const { max_unreleased_messages } = index === 0 ? upstream : listener;
      isWithin('unreleased messages', state.receivedCount, max_unreleased_messages);
    }
  }
}
