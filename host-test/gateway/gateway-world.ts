/**
 * A whole gateway, Runtime and all, on the simulated network, with nodes that a test writes the bytes of. Time is virtual.
 * Users are checked by name only: who knows a password is host/authentication.ts's business.
 */
import { completeConfiguration, type PartialConfiguration } from '../../src/config/configuration.ts';
import { describeEvent } from '../../src/gateway/event-texts.ts';
import * as Event from '../../src/config/events.ts';
import type { Traffic } from '../../src/nodes/system-topics.ts';
import type { Authenticator } from '../../src/gateway/gateway.ts';
import { Runtime } from '../../src/io/runtime.ts';
import { ABSENT } from '../../src/packet/data-representation.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { bytesOfHex } from '../simulation/hex.ts';
import { ScriptedPeer, ScriptedServer } from '../simulation/scripted-peer.ts';
import { PEER, type SimulatedHost, SimulatedNetwork, type HostOptions } from '../simulation/simulated-network.ts';
import { connect, describePackets, type ConnectOptions } from './packets.ts';

export const BOARD = '10.0.0.1';
export const BROKER = '10.0.0.2';
const PORT = 1883;

/** Long enough for any exchange, too short for any time-out. */
const A_MOMENT = 20;

export interface WorldOptions {
  authenticator?: Authenticator;
  /** Sizes of the gateway's network; as large as wanted by default. */
  board?: HostOptions;
  traffic?: Traffic;
  /** Whether a broker listens that accepts and grants everything. */
  broker?: boolean;
}

export class TestNode {
  readonly peer: ScriptedPeer;
  private readonly world: GatewayWorld;
  private saidClosed = false;

  constructor(world: GatewayWorld, peer: ScriptedPeer) {
    this.world = world;
    this.peer = peer;
  }

  /** Sends packets in one piece and lets a moment pass. */
  send(...packets: Uint8Array[]): this {
    this.post(...packets);
    this.world.run();
    return this;
  }

  /** Sends without letting time pass. */
  post(...packets: Uint8Array[]): this {
    this.peer.sendBytes(new Uint8Array(Buffer.concat(packets)));
    return this;
  }

  /** What has arrived since the last call, in words; `closed` once at the end. */
  take(): string[] {
    const events = describePackets(bytesOfHex(this.peer.take()));
    if (this.peer.isClosed && !this.saidClosed) {
      this.saidClosed = true;
      events.push('closed');
    }
    return events;
  }

  /** Sends, and what came back. */
  ask(...packets: Uint8Array[]): string[] {
    return this.send(...packets).take();
  }

  /** The network connection ends without DISCONNECT. */
  vanish(): void {
    this.peer.close();
    this.world.run();
  }
}

export class GatewayWorld {
  readonly network = new SimulatedNetwork();
  readonly runtime: Runtime;
  /** Events of the gateway, in words. */
  readonly events: string[] = [];
  /** The same as they were told. */
  readonly rawEvents: [event: number, subject: number, detail: number][] = [];
  readonly exceptions: unknown[] = [];
  readonly broker: ScriptedServer | undefined;
  private readonly peers: SimulatedHost;

  constructor(configuration: PartialConfiguration = {}, options: WorldOptions = {}) {
    const { network } = this;
    const board = network.addHost(BOARD, { ...PEER, ...options.board });
    this.peers = network.addHost('10.0.0.3', PEER);
    if (options.broker === true)
      this.broker = this.startBroker();
    const complete = completeConfiguration({
      ...configuration,
      upstream: { address: [`mqtt://${BROKER}:${PORT}`], restart_timeout: [600, 600], keepalive_interval: 0, ...configuration.upstream },
      listener: { allow_anonymous: true, ...configuration.listener },
    });
    const { users } = complete.listener;
    const authenticator: Authenticator = options.authenticator ?? {
      authenticate(session, packet) {
        if (packet.userNameLength === ABSENT)
          return complete.listener.allow_anonymous ? ReasonCode.SUCCESS : ReasonCode.NOT_AUTHORIZED;
        const name = Buffer.from(packet.arena.bytes.subarray(packet.userNameOffset, packet.userNameOffset + packet.userNameLength)).toString();
        session.user = users.findIndex(({ username }) => username === name);
        return session.user === -1 ? ReasonCode.BAD_USER_NAME_OR_PASSWORD : ReasonCode.SUCCESS;
      },
    };
    this.runtime = new Runtime(complete, {
      TCP: board.TCP,
      Listener: board.Listener,
      resolver: new network.Resolver(),
      authenticator,
      createSensor: () => ({ read: () => 1 }),
      createTimer: onTimer => new network.clock.Timer(onTimer),
      time: () => network.clock.now,
      random: () => 0.5,
      landingCapacity: 512,
      ...options.traffic === undefined ? {} : { traffic: options.traffic },
      resizable: true,
    }, {
      onEvent: (event, subject, detail) => {
        this.rawEvents.push([event, subject, detail]);
        if (event !== Event.UPSTREAM_CLOSED)
          this.events.push(describeEvent(this.runtime.gateway, event, subject, detail));
      },
      onSensorFailed() { /* no sensors here */ },
      onSensorRecovered() { /* no sensors here */ },
      onListening() { /* at once */ },
      onListenerError(message) { throw new Error(message); },
      onException: error => { this.exceptions.push(error); },
    });
    this.runtime.start();
    this.run();
  }

  get gateway(): Runtime['gateway'] {
    return this.runtime.gateway;
  }

  /** Lets virtual milliseconds pass. */
  run(milliseconds = A_MOMENT): void {
    this.network.run(milliseconds);
  }

  /** A network connection on which nothing has been said. */
  open(): TestNode {
    const node = new TestNode(this, ScriptedPeer.connect(this.peers, BOARD, PORT));
    this.run();
    return node;
  }

  /** A node that has sent CONNECT, and whose answer has been taken. */
  node(clientIdentifier: string, options: ConnectOptions = {}, ...packets: Uint8Array[]): TestNode {
    const node = this.open().send(connect(clientIdentifier, options), ...packets);
    node.take();
    return node;
  }

  /** A node that has sent CONNECT, and its answer. */
  connect(clientIdentifier: string, options: ConnectOptions = {}): [node: TestNode, answer: string[]] {
    const node = this.open().send(connect(clientIdentifier, options));
    return [node, node.take()];
  }

  private startBroker(): ScriptedServer {
    const broker = new ScriptedServer(this.network.addHost(BROKER, PEER), PORT);
    broker.onPeer = peer => {
      let sawConnect = false;
      peer.onReceived = () => {
        if (sawConnect)
          return;
        sawConnect = true;
        peer.take();
        peer.send('20 02 00 00');
      };
    };
    return broker;
  }
}
