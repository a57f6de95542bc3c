/**
 * A whole gateway (io/runtime.ts) in virtual time on a simulated network: a board, a Server above it that does as the
 * test says, and nodes. An exception that leaves a callback ends the test, as it would end the program on the board.
 *
 * `new World` has rules in both directions and a Server that behaves; `World.quiet` has nothing that speaks by
 * itself, for tests about nodes alone.
 */
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { describeEvent } from '../../src/gateway/event-texts.ts';
import type { Authenticator } from '../../src/gateway/gateway.ts';
import type { Platform } from '../../src/io/platform.ts';
import { Runtime } from '../../src/io/runtime.ts';
import { ABSENT } from '../../src/packet/data-representation.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { Random } from '../simulation/random.ts';
import { ScriptedPeer, ScriptedServer } from '../simulation/scripted-peer.ts';
import type { SimulatedLink } from '../simulation/simulated-link.ts';
import {
  ESP32, PEER, SimulatedNetwork, type HostOptions, type SimulatedHost,
} from '../simulation/simulated-network.ts';
import { VirtualClock } from '../simulation/virtual-clock.ts';
import { connect, type ConnectOptions } from './packets.ts';
import { A_MOMENT, accept, acknowledge, oblige, Peer, type PacketHandler, type Sendable } from './peer.ts';
import { silentObserver, testPlatform } from './platform.ts';

const GATEWAY = '10.0.0.1';
export const SERVER = '10.0.0.2';
export const SECOND_SERVER = '10.0.0.4';
const NODES = '10.0.0.3';
export const PORT = 1883;

/** Everything goes out below "up/", commands come in from "down/". */
const RULES: NonNullable<PartialConfiguration['topic']> = [
  { pattern: '#', direction: 'out', qos: 2, remote_prefix: 'up/' },
  { pattern: '#', direction: 'in', qos: 2, remote_prefix: 'down/' },
];

/** Of one life of the gateway; beside them, what of the platform differs from the simulated one. */
export interface LifeOptions extends Partial<Platform> {
  configuration?: PartialConfiguration;
  /** By default that ends the test. */
  onListenerError?: (message: string) => void;
  /** By default that ends the test. */
  onException?: (error: unknown) => void;
}

export interface WorldOptions extends LifeOptions {
  /** What the Server does with each packet; `oblige` unless told otherwise. `null`: nobody is there. */
  server?: PacketHandler | null;
  /** What the program sees as the time at the beginning. */
  origin?: number;
  seed?: number;
  board?: HostOptions;
  nodes?: HostOptions;
}

export interface Observed {
  event: number;
  subject: number;
  detail: number;
  time: number;
}

export class World {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly board: SimulatedHost;
  readonly nodes: SimulatedHost;
  /** Of this life of the gateway. */
  runtime!: Runtime;
  readonly events: Observed[] = [];
  /** The same in words, without what ends upstream. */
  readonly eventTexts: string[] = [];
  /** Of sensors: `name failed: message` `name recovered` or `name expired`. */
  readonly sensorNews: string[] = [];
  /** The Server's end of each connection. */
  readonly uplinks: Peer[] = [];
  server: PacketHandler | null;
  /** The Server has accepted a connection, nothing has arrived yet. */
  onUplink: ((socket: ScriptedPeer) => void) | undefined;
  private readonly random: Random;
  private life = 0;
  private serverHost: SimulatedHost | undefined;
  private scripted: ScriptedServer | undefined;

  constructor(options: WorldOptions = {}) {
    const { board, nodes, origin = 0, seed = 1, server = oblige, ...life } = options;
    const clock = this.clock = new VirtualClock(origin);
    this.network = new SimulatedNetwork(seed, clock);
    this.board = this.network.addHost(GATEWAY, { ...ESP32, ...board });
    this.nodes = this.network.addHost(NODES, { ...PEER, ...nodes });
    this.server = server;
    this.random = new Random(seed);
    if (server !== null)
      this.listen();
    this.begin(life);
  }

  /** Another life of the gateway, in the same place; not started. What is left of the one before is no part of it. */
  begin({ configuration = {}, onException, onListenerError, ...parts }: LifeOptions): void {
    const { clock, random } = this;
    const { TCP, Listener } = this.board;
    const life = ++this.life;
    this.board.isOnline = true;
    this.runtime = new Runtime(completeConfiguration({
      topic: RULES,
      ...configuration,
      upstream: { address: [`mqtt://${SERVER}`], restart_timeout: [1, 8], ...configuration.upstream },
      listener: { allow_anonymous: true, ...configuration.listener },
    }), testPlatform({
      TCP,
      Listener,
      resolver: new this.network.Resolver(),
      createTimer: onTimer => new this.board.Timer(onTimer),
      time: () => clock.now,
    }, {
      createSensor: () => ({ read: () => 21 }),
      random: () => random.integer(0, 999_999) / 1_000_000,
      landingCapacity: 1436,
      ...parts,
    }), {
      ...silentObserver,
      ...onListenerError !== undefined && { onListenerError },
      ...onException !== undefined && { onException },
      onEvent: (event, subject, detail) => {
        if (life === this.life)
          this.onEvent(event, subject, detail);
      },
      onSensorFailed: ({ name }, error) => this.sensorNews.push(`${name} failed: ${(error as Error).message}`),
      onSensorRecovered: ({ name }) => this.sensorNews.push(`${name} recovered`),
      onSensorExpired: ({ name }) => this.sensorNews.push(`${name} expired`),
    });
  }

  /** The gateway has no power from now on, until `begin`; whatever it still does comes to nothing. */
  cutPower(): void {
    ++this.life;
    this.board.cutPower();
  }

  /** Started, and connected to the Server with all subscriptions made. */
  static connected(options: WorldOptions = {}): World {
    const world = new World(options);
    world.runtime.start();
    world.until(() => world.isConnected);
    world.run(50);
    return world;
  }

  /**
   * Started, without rules, and with as many sockets as wanted; the Server is not there unless `server` is given.
   * Users are checked by name only: who knows a password is host/authentication.ts's business.
   */
  static quiet(configuration: PartialConfiguration = {}, options: WorldOptions = {}): World {
    const world: World = new World({
      board: PEER,
      server: null,
      createSensor: () => ({ read: () => 1 }),
      random: () => 0.5,
      landingCapacity: 512,
      authenticator: { authenticate: (session, packet) => byName(world, session, packet) },
      ...options,
      configuration: {
        topic: [],
        ...configuration,
        upstream: { restart_timeout: [600, 600], keepalive_interval: 0, ...configuration.upstream },
      },
    });
    world.runtime.start();
    world.run();
    return world;
  }

  get gateway(): Runtime['gateway'] {
    return this.runtime.gateway;
  }

  get isConnected(): boolean {
    return this.gateway.upstream.isConnected;
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
    return this.detailsOf(Event.UPSTREAM_CLOSED);
  }

  /** What ended for nodes. */
  get nodeEndings(): number[] {
    return this.detailsOf(Event.NODE_CLOSED, Event.NODE_REFUSED);
  }

  detailsOf(...events: number[]): number[] {
    return this.events.filter(({ event }) => events.includes(event)).map(({ detail }) => detail);
  }

  /** Lets virtual milliseconds pass. */
  run(milliseconds = A_MOMENT): void {
    this.clock.advance(milliseconds);
  }

  until(condition: () => boolean, milliseconds = 60_000): number {
    return this.clock.runUntil(condition, milliseconds);
  }

  // The Server

  listen(): void {
    this.serverHost ??= this.network.addHost(SERVER, PEER);
    this.scripted = new ScriptedServer(this.serverHost, PORT);
    this.scripted.onPeer = socket => {
      this.uplinks.push(this.adopt(socket));
      this.onUplink?.(socket);
    };
  }

  /** Connection attempts are refused from now on. */
  stopListening(): void {
    this.scripted!.close();
  }

  /** A connection that behaves as `server` says. */
  adopt(socket: ScriptedPeer): Peer {
    return new Peer(socket, this.clock, (peer, packet) => this.server?.(peer, packet));
  }

  /** For long runs: nobody remembers connections and events of old. */
  forget(): void {
    for (const list of [this.uplinks, this.network.links, this.events, this.eventTexts, this.scripted!.peers])
      list.length = 0;
  }

  // Nodes

  /** A connection to the listener on which nothing has been said, nor has time passed. */
  dial(onPacket?: PacketHandler): Peer {
    return new Peer(ScriptedPeer.connect(this.nodes, GATEWAY, PORT), this.clock, onPacket);
  }

  /** The same a moment later. */
  open(): Peer {
    const peer = this.dial();
    this.run();
    return peer;
  }

  /** A node whose every word the test says: it has sent CONNECT and these packets, and the answers have been taken. */
  node(clientIdentifier: string, options: ConnectOptions = {}, ...packets: Sendable[]): Peer {
    const node = this.open().send(connect(clientIdentifier, options), ...packets);
    node.take();
    return node;
  }

  /** A node that has sent CONNECT, and its answer. */
  connect(clientIdentifier: string, options: ConnectOptions = {}): [node: Peer, answer: string[]] {
    const node = this.open();
    return [node, node.ask(connect(clientIdentifier, options))];
  }

  /** A node that acknowledges by itself, or does what `onPacket` says; its CONNECT has been answered. */
  client(clientIdentifier: string, options: ConnectOptions = {}, onPacket: PacketHandler = acknowledge): Peer {
    const peer = this.dial(onPacket).post(connect(clientIdentifier, options));
    this.until(() => peer.packets.length > 0);
    return peer;
  }

  protected onEvent(event: number, subject: number, detail: number): void {
    this.events.push({ event, subject, detail, time: this.clock.time });
    if (event !== Event.UPSTREAM_CLOSED)
      this.eventTexts.push(describeEvent(this.gateway, event, subject, detail));
  }
}

/** Who names a user of the configuration is that user. */
function byName(
  { gateway: { configuration: { listener } } }: World, ...[session, packet]: Parameters<Authenticator['authenticate']>
): number {
  const { arena, userNameLength, userNameOffset } = packet;
  if (userNameLength === ABSENT)
    return listener.allow_anonymous ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
  const name = Buffer.from(arena.bytes.subarray(userNameOffset, userNameOffset + userNameLength)).toString();
  session.user = listener.users.findIndex(({ username }) => username === name);
  return session.user === -1 ? ReasonCode.BAD_USER_NAME_OR_PASSWORD : ReasonCode.SUCCESS;
}

export { accept, acknowledge, oblige, Peer };
