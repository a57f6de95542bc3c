/**
 * An HTTP/1.1 server for a page and a programming interface, over the Listener and TCP of io/transport.ts: the same on
 * a board and on a computer. Memory is laid out at the start, in an arena of its own: a number of connections, each
 * with room for the head of a request, and nothing that grows.
 *
 * GET, HEAD, PUT and POST; one request for each connection; no chunked request. When all places are taken, the
 * connection that has said least makes room, then the one that takes its answer most slowly; events are never pushed
 * out, but leave some places to others.
 *
 * Knows neither MQTT nor what is shown.
 */
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { Clock } from '../session/clock.ts';
import { CachedViews, type ExactViews, ResizedViews } from '../io/exact-view.ts';
import { type Driven, Scheduler } from '../io/scheduler.ts';
import type { ListenerConstructor, TCPConstructor, TCPListener, TCPSocket, Timer } from '../io/transport.ts';
import { AcceptedForms } from './accepted-forms.ts';
import { FREE, rankOf } from './connection-phase.ts';
import { asciiOf, FieldNames } from './field-names.ts';
import type { HTTPContext } from './http-context.ts';
import { HTTPConnection, lengthOfConnection } from './http-connection.ts';
import { GRACE } from './http-limits.ts';
import { OwnHost } from './own-host.ts';
import type { Gate, Site } from './resource.ts';
import { Resources } from './resources.ts';
import { ResponseWriter, STAGING_CAPACITY } from './response-writer.ts';

export interface HTTPOptions {
  readonly TCP: TCPConstructor;
  readonly Listener: ListenerConstructor;
  readonly createTimer: (onTimer: () => void) => Timer;
  /** Milliseconds since any moment; only the low 32 bits are used. */
  readonly time: () => number;
  /** As in Platform. */
  readonly resizable: boolean;
  readonly port: number;
  /** Only on a computer. */
  readonly address?: string;
  /** Connections at a time. */
  readonly connections: number;
  /** How many of them may be for events. */
  readonly eventConnections: number;
  /** Bytes read from a socket at a time. */
  readonly landingCapacity: number;
  readonly site: Site;
  /** The port cannot be had, or is gone. */
  onError(message: string): void;
  /** Only where the platform tells. */
  onListening?(port: number): void;
}

export class HTTPServer implements Driven, HTTPContext {
  readonly arena: Arena;
  readonly views: ExactViews;
  readonly buffer: ExactViews['buffer'];
  readonly length: number;
  readonly scheduler: Scheduler;
  readonly clock = new Clock();
  readonly TCP: TCPConstructor;
  readonly names = new FieldNames();
  readonly own: OwnHost;
  readonly resources: Resources;
  readonly gate: Gate;
  readonly writer: ResponseWriter;
  readonly forms = new AcceptedForms();
  readonly expectation: Uint8Array;
  /** Connections that found no place, or lost theirs to another one. */
  turnedAwayCount = 0;
  readonly connections: readonly HTTPConnection[];
  private readonly eventConnections: number;
  private readonly listener: TCPListener;
  private lastTicket = 0;

  /** @throws where the platform's listener reports by an exception that the port cannot be had */
  constructor(options: HTTPOptions) {
    const { address, connections, landingCapacity, port, resizable, site } = options;
    const plan = new ArenaPlan();
    const texts = ResponseWriter.plan(plan);
    const length = lengthOfConnection(landingCapacity);
    const offset = plan.reserve('page: connection', length, connections);
    const arena = this.arena = new Arena(plan, { landingCapacity, stagingCapacity: STAGING_CAPACITY, resizable });
    this.views = resizable ? new ResizedViews(arena) : new CachedViews(arena);
    this.buffer = this.views.buffer;
    this.length = arena.length;
    this.TCP = options.TCP;
    this.own = new OwnHost(site.hosts, site.isSecure);
    this.resources = new Resources(site.resources);
    this.gate = site.gate;
    this.writer = new ResponseWriter(arena, texts);
    this.expectation = asciiOf('100-continue');
    this.eventConnections = options.eventConnections;
    this.scheduler = new Scheduler(this.clock, options.time, options.createTimer, this);
    this.connections = Array.from({ length: connections },
      (_, index) => new HTTPConnection(this, offset + index * length));
    const { onListening } = options;
    this.listener = new options.Listener({
      port,
      ...address !== undefined && { address },
      onReadable: count => this.accept(count),
      onError: message => options.onError(message),
      ...onListening !== undefined && { onListening },
    });
  }

  /** No more connections, and those that there are end at once. */
  close(): void {
    this.listener.close();
    for (let index = 0; index < this.connections.length; ++index)
      this.connections[index]!.close();
    this.scheduler.stop();
  }

  nextTicket(): number {
    return this.lastTicket = this.lastTicket + 1 | 0;
  }

  hasPlaceForEvents(): boolean {
    const { connections } = this;
    let count = 0;
    for (let index = 0; index < connections.length; ++index)
      if (connections[index]!.isEndless)
        ++count;
    return count <= this.eventConnections; // the one that asks is among them
  }

  /** For the scheduler. */
  handleTimeout(): void {
    const { connections } = this;
    for (let index = 0; index < connections.length; ++index)
      connections[index]!.handleTimeout();
  }

  /** For the scheduler: nothing is put off here. */
  handleDeferred(): void { /* nobody asks for it */ }

  /** Takes exactly `count` connections: on the board, asking for one that is not there leaks. */
  private accept(count: number): void {
    this.scheduler.enter();
    while (count-- > 0) {
      const socket = this.listener.read();
      if (socket !== undefined)
        this.acceptOne(socket);
    }
    this.scheduler.leave();
  }

  private acceptOne(socket: TCPSocket): void {
    const connection = this.findPlace();
    if (connection === undefined) {
      ++this.turnedAwayCount;
      socket.close();
      return;
    }
    try {
      connection.accept(socket);
    } catch { // reset in the meantime
      socket.close();
    }
  }

  /** @returns a free connection; one whose client has had its time; undefined when all are in use */
  private findPlace(): HTTPConnection | undefined {
    const { clock, connections } = this;
    let chosen: HTTPConnection | undefined = undefined;
    for (let index = 0; index < connections.length; ++index) {
      const connection = connections[index]!;
      if (connection.phase === FREE)
        return connection;
      if (isLess(connection, chosen) && (clock.now - connection.since | 0) >= GRACE)
        chosen = connection;
    }
    if (chosen !== undefined) {
      ++this.turnedAwayCount;
      chosen.close();
    }
    return chosen;
  }
}

/** Whether `connection` loses its place before `other`: who has said least, then who has been there longest. */
function isLess(connection: HTTPConnection, other: HTTPConnection | undefined): boolean {
  const rank = rankOf(connection.phase);
  if (rank === 0)
    return false;
  if (other === undefined)
    return true;
  const otherRank = rankOf(other.phase);
  return rank > otherRank || rank === otherRank && (connection.since - other.since | 0) < 0;
}
