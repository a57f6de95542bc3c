/**
 * A whole gateway (io/runtime.ts) on a simulated network: a board with the limits of an ESP32, a Server above it that does
 * as the test says, and nodes. Packets of the others are written and read with mqtt-packet: another program's opinion of
 * what the bytes mean. An exception that leaves a callback ends the test, as it would end the program on the board.
 */
import { generate, parser as createParser, type Packet } from 'mqtt-packet';
import { completeConfiguration, type PartialConfiguration, type SensorConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import type { Authenticator } from '../../src/gateway/gateway.ts';
import { type Platform, Runtime } from '../../src/io/runtime.ts';
import type { Sensor } from '../../src/sensors/sensors.ts';
import { SUCCESS } from '../../src/packet/reason-code.ts';
import { Random } from '../simulation/random.ts';
import { ScriptedPeer, ScriptedServer } from '../simulation/scripted-peer.ts';
import { bytesOfHex } from '../simulation/hex.ts';
import type { SimulatedLink } from '../simulation/simulated-link.ts';
import { ESP32, PEER, SimulatedNetwork, type HostOptions, type SimulatedHost } from '../simulation/simulated-network.ts';
import { VirtualClock } from '../simulation/virtual-clock.ts';

export const GATEWAY = '10.0.0.1';
export const SERVER = '10.0.0.2';
export const SECOND_SERVER = '10.0.0.4';
const NODES = '10.0.0.3';
export const PORT = 1883;

/** Everything goes out below "up/", commands come in from "down/". */
export const RULES: NonNullable<PartialConfiguration['topic']> = [
  { pattern: '#', direction: 'out', qos: 2, remote_prefix: 'up/' },
  { pattern: '#', direction: 'in', qos: 2, remote_prefix: 'down/' },
];

/** One connection as the other side sees it. */
export class Peer {
  readonly socket: ScriptedPeer;
  /** What has arrived, in order. */
  readonly packets: Packet[] = [];
  /** When it did, in virtual milliseconds. */
  readonly times: number[] = [];
  /** When the connection was accepted or asked for. */
  readonly openedAt: number;
  closedAt: number | undefined;
  nextIdentifier = 1;
  private readonly parser = createParser();

  constructor(socket: ScriptedPeer, clock: VirtualClock, onPacket: (peer: Peer, packet: Packet) => void) {
    this.socket = socket;
    this.openedAt = clock.time;
    this.parser.on('packet', packet => {
      this.packets.push(packet);
      this.times.push(clock.time);
      onPacket(this, packet);
    });
    this.parser.on('error', error => {
      throw error; // the gateway has sent what is none
    });
    socket.onReceived = () => this.parser.parse(Buffer.from(bytesOfHex(socket.take())));
  }

  send(...packets: Packet[]): void {
    for (const packet of packets)
      this.socket.sendBytes(generate(packet));
  }

  sendHex(hex: string): void {
    this.socket.send(hex);
  }

  close(): void {
    this.socket.close();
  }

  get isClosed(): boolean {
    return this.socket.isClosed;
  }

  /** `topic payload` of each PUBLISH, with QoS, identifier and DUP if asked for. */
  get messages(): string[] {
    return this.packets.flatMap(packet => packet.cmd === 'publish' ? [`${packet.topic} ${packet.payload}`] : []);
  }

  all<Command extends Packet['cmd']>(command: Command): Extract<Packet, { cmd: Command }>[] {
    return this.packets.filter(packet => packet.cmd === command) as Extract<Packet, { cmd: Command }>[];
  }

  subscribe(topic: string, qos: 0 | 1 | 2 = 0): void {
    this.send({ cmd: 'subscribe', messageId: this.nextIdentifier++, subscriptions: [{ topic, qos }] });
  }

  publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0, retain = false): void {
    this.send({ cmd: 'publish', topic, payload, qos, retain, dup: false, ...qos > 0 && { messageId: this.nextIdentifier++ } });
  }
}

/** What a Server does that behaves. */
export function oblige(peer: Peer, packet: Packet): void {
  switch (packet.cmd) {
    case 'connect':
      peer.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      break;
    case 'subscribe':
      peer.send({ cmd: 'suback', messageId: packet.messageId!, granted: packet.subscriptions.map(({ qos }) => qos) });
      break;
    case 'pingreq':
      peer.send({ cmd: 'pingresp' });
      break;
    default:
      acknowledge(peer, packet);
  }
}

/** The part of it that nodes do as well. */
export function acknowledge(peer: Peer, packet: Packet): void {
  const { messageId } = packet;
  switch (packet.cmd) {
    case 'publish':
      if (packet.qos > 0)
        peer.send({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: messageId! });
      break;
    case 'pubrec':
      peer.send({ cmd: 'pubrel', messageId: messageId! });
      break;
    case 'pubrel':
      peer.send({ cmd: 'pubcomp', messageId: messageId! });
  }
}

export interface StageOptions {
  configuration?: PartialConfiguration;
  /** What the Server does with each packet; `oblige` unless told otherwise. */
  server?: (peer: Peer, packet: Packet) => void;
  authenticator?: Authenticator;
  createSensor?: (configuration: SensorConfiguration) => Sensor;
  /** As on the board: exact views by resizing. */
  resizable?: boolean;
  /** What the program sees as the time at the beginning. */
  origin?: number;
  seed?: number;
  board?: HostOptions;
  landingCapacity?: number;
  /** Seconds since 1970, 0 while nobody knows. */
  date?: () => number;
  openStorage?: Platform['openStorage'];
  /** By default that ends the test. */
  onListenerError?: (message: string) => void;
}

export interface Observed {
  event: number;
  subject: number;
  detail: number;
  time: number;
}

export class Stage {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly board: SimulatedHost;
  readonly nodes: SimulatedHost;
  readonly serverHost: SimulatedHost;
  readonly runtime: Runtime;
  readonly events: Observed[] = [];
  /** Of sensors: `name failed: message` `name recovered` or `name expired`. */
  readonly sensorNews: string[] = [];
  /** Of the Server, one for each connection. */
  readonly uplinks: Peer[] = [];
  server: (peer: Peer, packet: Packet) => void;
  /** The Server has accepted a connection, nothing has arrived yet. */
  onUplink: (() => void) | undefined;
  private scripted: ScriptedServer | undefined;

  constructor(options: StageOptions = {}) {
    const { authenticator = { authenticate: () => SUCCESS }, configuration = {}, createSensor, landingCapacity = 1436, origin = 0, resizable = true, seed = 1 } = options;
    this.clock = new VirtualClock(origin);
    this.network = new SimulatedNetwork(seed, this.clock);
    this.board = this.network.addHost(GATEWAY, { ...ESP32, ...options.board });
    this.serverHost = this.network.addHost(SERVER, PEER);
    this.nodes = this.network.addHost(NODES, PEER);
    this.server = options.server ?? oblige;
    this.listen();
    const random = new Random(seed);
    const { clock } = this;
    this.runtime = new Runtime(completeConfiguration({
      topic: RULES,
      ...configuration,
      upstream: { address: [`mqtt://${SERVER}`], restart_timeout: [1, 8], ...configuration.upstream },
      listener: { allow_anonymous: true, ...configuration.listener },
    }), {
      TCP: this.board.TCP,
      Listener: this.board.Listener,
      resolver: new this.network.Resolver(),
      authenticator,
      createSensor: createSensor ?? (() => ({ read: () => 21 })),
      createTimer: onTimer => new clock.Timer(onTimer),
      time: () => clock.now,
      random: () => random.integer(0, 999_999) / 1_000_000,
      landingCapacity,
      resizable,
      ...options.date === undefined ? {} : { date: options.date },
      ...options.openStorage === undefined ? {} : { openStorage: options.openStorage },
    }, {
      onEvent: (event, subject, detail) => this.events.push({ event, subject, detail, time: clock.time }),
      onListening: () => {},
      onListenerError: options.onListenerError ?? (message => {
        throw new Error(message);
      }),
      onException: error => {
        throw error;
      },
      onSensorFailed: ({ name }, error) => this.sensorNews.push(`${name} failed: ${(error as Error).message}`),
      onSensorRecovered: ({ name }) => this.sensorNews.push(`${name} recovered`),
      onSensorExpired: ({ name }) => this.sensorNews.push(`${name} expired`),
    });
  }

  /** Started, and connected to the Server with all subscriptions made. */
  static connected(options: StageOptions = {}): Stage {
    const stage = new Stage(options);
    stage.runtime.start();
    stage.until(() => stage.isConnected);
    stage.run(50);
    return stage;
  }

  listen(): void {
    this.scripted = new ScriptedServer(this.serverHost, PORT);
    this.scripted.onPeer = socket => {
      this.uplinks.push(this.adopt(socket));
      this.onUplink?.();
    };
  }

  /** A connection that behaves as `server` says. */
  adopt(socket: ScriptedPeer): Peer {
    return new Peer(socket, this.clock, (peer, packet) => this.server(peer, packet));
  }

  /** For long runs: the Server forgets connections of old. */
  forgetPeers(): void {
    this.scripted!.peers.length = 0;
  }

  /** Connection attempts are refused from now on. */
  stopListening(): void {
    this.scripted!.close();
  }

  get isConnected(): boolean {
    return this.runtime.gateway.upstream.isConnected;
  }

  /** The Server's end of the newest connection. */
  get uplink(): Peer {
    return this.uplinks.at(-1)!;
  }

  /** What lies between the gateway and that. */
  get upstreamLink(): SimulatedLink {
    return this.network.links.filter(({ address }) => address !== GATEWAY).at(-1)!;
  }

  /** What ended or failed upstream, in order. */
  get upstreamEndings(): number[] {
    return this.events.filter(({ event }) => event === Event.UPSTREAM_CLOSED).map(({ detail }) => detail);
  }

  /** What ended for nodes. */
  get nodeEndings(): number[] {
    return this.events.filter(({ event }) => event === Event.NODE_CLOSED || event === Event.NODE_REFUSED).map(({ detail }) => detail);
  }

  run(milliseconds: number): void {
    this.clock.advance(milliseconds);
  }

  until(condition: () => boolean, milliseconds = 60_000): number {
    return this.clock.runUntil(condition, milliseconds);
  }

  /** Opens a connection to the listener and says nothing. */
  dial(onPacket: (peer: Peer, packet: Packet) => void = acknowledge): Peer {
    return new Peer(ScriptedPeer.connect(this.nodes, GATEWAY, PORT), this.clock, onPacket);
  }

  /** A node that is connected. */
  node(clientId: string, options: Partial<Extract<Packet, { cmd: 'connect' }>> = {}, onPacket = acknowledge): Peer {
    const peer = this.dial(onPacket);
    peer.send({ cmd: 'connect', clientId, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0, ...options });
    this.until(() => peer.packets.length > 0);
    return peer;
  }
}
