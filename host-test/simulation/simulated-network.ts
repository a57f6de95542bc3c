/**
 * A network in one process and in virtual time. Hosts have an address, a few connections and listeners as the ESP32 has
 * them; `host.TCP`, `host.Listener` and `network.Resolver` go where a program wants the platform's classes.
 *
 * Deterministic: the same seed and the same calls give the same events. Nothing happens until the test lets time pass.
 */
import type { ListenerOptions, Resolver, TCPOptions, Timer } from '../../src/io/transport.ts';
import { Random } from './random.ts';
import { SimulatedEndpoint } from './simulated-endpoint.ts';
import { SimulatedLink } from './simulated-link.ts';
import { SimulatedListener, SimulatedTCP } from './simulated-tcp.ts';
import { VirtualClock } from './virtual-clock.ts';

/** An unanswered connection attempt is repeated, and given up (lwIP), after so many milliseconds. */
const ATTEMPT_INTERVAL = 3000;
const ATTEMPT_TIMEOUT = 30_000;
/** First of the ports that are given to whoever asks for port 0. */
const FIRST_FREE_PORT = 49152;

export interface HostOptions {
  /** Listeners not included; a closed connection counts until the peer has closed its side too. */
  connectionLimit?: number;
  listenerLimit?: number;
  sendCapacity?: number;
  receiveWindow?: number;
}

/** The sizes of an ESP32 with the SDK's own configuration. */
export const ESP32: Required<HostOptions> = {
  connectionLimit: 8, listenerLimit: 4, sendCapacity: 8192, receiveWindow: 8192,
};

/** For the peers of a test: as many connections as wanted. */
export const PEER: Required<HostOptions> = { ...ESP32, connectionLimit: 1000, listenerLimit: 1000 };

export class SimulatedHost {
  readonly address: string;
  readonly clock: VirtualClock;
  readonly connectionLimit: number;
  readonly listenerLimit: number;
  readonly sendCapacity: number;
  readonly receiveWindow: number;
  /** False: the network is not configured yet, constructors throw. */
  isOnline = true;
  /** Connections in use. */
  readonly endpoints = new Set<SimulatedEndpoint>();
  readonly TCP: new (options: TCPOptions) => SimulatedTCP;
  readonly Listener: new (options: ListenerOptions) => SimulatedListener;
  readonly AcceptedTCP: new (endpoint: SimulatedEndpoint) => SimulatedTCP;
  /** As the clock's, but for `stall`. */
  readonly Timer: new (callback: () => void) => Timer;
  /** Grows when the power fails: what was to happen before does not. */
  private life = 0;
  private isStalled = false;
  private lateTimers: (() => void)[] = [];
  private lateEvents: (() => void)[] = [];
  private readonly network: SimulatedNetwork;
  private readonly listeners = new Map<number, SimulatedListener>();
  private nextPort = FIRST_FREE_PORT;

  constructor(network: SimulatedNetwork, address: string, options: Required<HostOptions>) {
    this.network = network;
    this.address = address;
    this.clock = network.clock;
    this.connectionLimit = options.connectionLimit;
    this.listenerLimit = options.listenerLimit;
    this.sendCapacity = options.sendCapacity;
    this.receiveWindow = options.receiveWindow;
    const host = this;
    this.Timer = class extends host.clock.Timer {
      constructor(callback: () => void) {
        const { life } = host;
        super(() => {
          if (life !== host.life)
            return;
          if (host.isStalled)
            host.lateTimers.push(callback);
          else
            callback();
        });
      }
    };
    this.TCP = class TCP extends SimulatedTCP {
      constructor(tcpOptions: TCPOptions) {
        super(host, tcpOptions);
      }
    };
    this.AcceptedTCP = class TCP extends SimulatedTCP {
      constructor(endpoint: SimulatedEndpoint) {
        super(host, endpoint);
      }
    };
    this.Listener = class Listener extends SimulatedListener {
      constructor(listenerOptions: ListenerOptions) {
        super(host, listenerOptions);
      }
    };
  }

  /**
   * The program on this host does nothing for so many milliseconds, as if it were stopped; the network goes on. Then
   * the timer that has become due comes first, as in a loop that looks at its timers before its sockets.
   */
  stall(milliseconds: number): void {
    this.isStalled = true;
    this.clock.schedule(milliseconds, () => {
      this.isStalled = false;
      for (const action of [...this.lateTimers.splice(0), ...this.lateEvents.splice(0)])
        this.clock.schedule(0, action);
    });
  }

  /** Called by sockets that have something to report. */
  report(action: () => void): void {
    const { life } = this;
    if (this.isStalled)
      this.lateEvents.push(action);
    else
      this.clock.schedule(0, () => {
        if (life === this.life)
          action();
      });
  }

  /**
   * The power fails: connections and listeners are gone, and nobody is told. Whoever sends to one of them is answered
   * with a reset, unless the link is dead.
   */
  cutPower(): void {
    ++this.life;
    this.isOnline = false;
    this.isStalled = false;
    this.lateTimers = [];
    this.lateEvents = [];
    for (const endpoint of this.endpoints)
      endpoint.vanish();
    this.listeners.clear();
  }

  /** Called by the constructors of sockets. */
  checkNetwork(): void {
    if (!this.isOnline)
      throw new Error('no network');
  }

  connect(address: string, port: number): SimulatedEndpoint {
    if (this.endpoints.size >= this.connectionLimit)
      throw new RangeError('no socket');
    return this.network.connect(this, address, port);
  }

  /** @returns the port, `port` unless that is 0 */
  listen(port: number, listener: SimulatedListener): number {
    if (port === 0)
      port = this.nextPort++;
    if (this.listeners.has(port) || this.listeners.size >= this.listenerLimit)
      throw new RangeError('no memory');
    this.listeners.set(port, listener);
    return port;
  }

  unlisten(port: number): void {
    this.listeners.delete(port);
  }

  listenerAt(port: number): SimulatedListener | undefined {
    return this.isOnline ? this.listeners.get(port) : undefined;
  }
}

export class SimulatedNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** All connections ever attempted, in order. */
  readonly links: SimulatedLink[] = [];
  /** What names mean; a name that is not here cannot be resolved. */
  readonly names = new Map<string, string>();
  resolverLatency = 10;
  readonly Resolver: new () => Resolver;
  /** Called for every connection attempt before anything is sent: the place to set faults. */
  onLink: ((link: SimulatedLink) => void) | undefined;
  private readonly hosts = new Map<string, SimulatedHost>();

  constructor(seed = 1, clock = new VirtualClock()) {
    this.clock = clock;
    this.random = new Random(seed);
    const { names } = this;
    const latency = (): number => this.resolverLatency;
    this.Resolver = class implements Resolver {
      resolve(name: string, onResolved: (address: string) => void, onError: () => void): void {
        clock.schedule(latency(), () => {
          const address = /^[\d.]+$/.test(name) ? name : names.get(name);
          if (address === undefined)
            onError();
          else
            onResolved(address);
        });
      }
    };
  }

  /** A host is as small as an ESP32 unless told otherwise. */
  addHost(address: string, options: HostOptions = {}): SimulatedHost {
    const host = new SimulatedHost(this, address, { ...ESP32, ...options });
    this.hosts.set(address, host);
    return host;
  }

  /** The link made last. */
  get lastLink(): SimulatedLink {
    const link = this.links.at(-1);
    if (!link)
      throw new Error('no connection was attempted');
    return link;
  }

  /** @returns false when nothing will happen any more */
  step(): boolean {
    return this.clock.step();
  }

  /** Lets virtual milliseconds pass; without a number, until nothing happens any more. */
  run(milliseconds?: number): void {
    if (milliseconds === undefined)
      this.clock.runUntilIdle();
    else
      this.clock.advance(milliseconds);
  }

  /** Called by hosts. */
  connect(host: SimulatedHost, address: string, port: number): SimulatedEndpoint {
    const link = new SimulatedLink(address, port, this.clock, this.random);
    const client = new SimulatedEndpoint(host, link, link.toServer);
    link.client = client;
    this.links.push(link);
    this.onLink?.(link);
    this.attempt(client, this.clock.time + ATTEMPT_TIMEOUT);
    return client;
  }

  private attempt(client: SimulatedEndpoint, end: number): void {
    const { link } = client;
    if (!client.isAlive || client.isEstablished)
      return;
    if (this.clock.time >= end) {
      client.receiveReset();
      return;
    }
    link.toServer.transmit(0, () => this.receiveSYN(client));
    this.clock.schedule(ATTEMPT_INTERVAL, () => this.attempt(client, end));
  }

  private receiveSYN(client: SimulatedEndpoint): void {
    const { link } = client;
    const host = this.hosts.get(link.address);
    if (link.isIgnored || link.server || !host || !client.isAlive)
      return;
    if (link.isRefused || !host.listenerAt(link.port)) {
      link.toClient.transmit(0, () => client.receiveReset());
      return;
    }
    // A board without a free connection does not answer; the attempt is repeated.
    if (host.endpoints.size >= host.connectionLimit)
      return;
    const server = new SimulatedEndpoint(host, link, link.toClient);
    link.server = server;
    server.peer = client;
    client.peer = server;
    link.toClient.transmit(0, () => {
      client.establish();
      link.toServer.transmit(0, () => this.accept(client, server));
    });
  }

  private accept(client: SimulatedEndpoint, server: SimulatedEndpoint): void {
    const listener = server.host.listenerAt(server.link.port);
    server.establish();
    if (listener && client.isEstablished)
      listener.accept(server);
    else
      server.close();
  }
}
