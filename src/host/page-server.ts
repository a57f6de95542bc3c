/**
 * The page of a gateway on a computer: the HTTP server of src/web over Node's sockets, with what it serves. Whatever
 * becomes of it, the gateway goes on.
 */
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { PageConfiguration } from '../config/configuration.ts';
import { type Status, statusOf } from '../gateway/status.ts';
import type { Runtime } from '../io/runtime.ts';
import { HTTPServer } from '../web/http-server.ts';
import type { Resource } from '../web/resource.ts';
import { type Health, healthOf } from './health.ts';
import { Listener } from './listener.ts';
import type { Log } from './log.ts';
import { LogMemory } from './log-memory.ts';
import { metricsOf } from './metrics.ts';
import { PageEvents } from './page-events.ts';
import { PageGate } from './page-gate.ts';
import { PageRefusals } from './page-refusals.ts';
import { pageResources } from './page-resources.ts';
import { PageSessions } from './page-sessions.ts';
import { parsePasswordHash } from './password.ts';
import { TCP, TRAFFIC } from './tcp.ts';
import { HostTimer } from './timer.ts';

/** At a time; half of them may be for events. */
const CONNECTIONS = 16;
const LANDING_CAPACITY = 4096;

/** Milliseconds from one look at the connection to the next: how long the broker is away is known to the second. */
const LOOK_INTERVAL = 1000;
const NANOSECONDS = 1e9;

/** What the page is about. */
export interface PageSubject {
  readonly runtime: Runtime;
  /** Of the whole program, where it is more than that. */
  readonly status?: () => Status;
  /** Of the broker's address, and of the store, as the gateway was started. */
  readonly isStoreWanted: boolean;
  /** What the event `status` tells besides. */
  readonly extras?: () => object;
}

export class PageServer {
  /** `http://HOST:PORT/`; undefined as long as it does not listen. */
  url: string | undefined = undefined;
  private readonly subject: PageSubject;
  private readonly server: HTTPServer;
  private readonly looking: NodeJS.Timeout;
  private readonly turns = monitorEventLoopDelay({ resolution: 20 });
  private lastSeen = performance.now();

  /**
   * @param resources beside those for reading
   * @param onSettled told once: it listens, or `message` says why not
   */
  constructor(configuration: PageConfiguration, subject: PageSubject, log: Log, resources: readonly Resource[],
    onSettled: (message?: string) => void) {
    this.subject = subject;
    const memory = new LogMemory();
    log.onLine = line => memory.add(line);
    const { address, password_hash, port } = configuration;
    const hash = password_hash === null ? undefined : parsePasswordHash(password_hash);
    const refusals = new PageRefusals(log);
    const sessions = hash && new PageSessions(hash, from => refusals.add(from));
    const cookieName = (): string => `ringbridge-${this.url?.split(':').at(-1)?.slice(0, -1) ?? port}`;
    const gate = new PageGate(sessions, cookieName);
    const sources = {
      status: () => this.status(), health: () => this.health(), metrics: () => this.metrics(), log: memory,
      events: new PageEvents(memory, () => ({ ...this.status(), health: this.health(), ...subject.extras?.() })),
    };
    const name = hostname().toLowerCase();
    this.server = new HTTPServer({
      TCP, Listener: PageListener, createTimer: onTimer => new HostTimer(onTimer), time: () => performance.now(),
      resizable: false, port, address, connections: CONNECTIONS, eventConnections: CONNECTIONS / 2,
      landingCapacity: LANDING_CAPACITY,
      site: {
        gate, hosts: ['localhost', name, `${name}.local`],
        resources: [...pageResources(sources, gate, sessions), ...resources],
      },
      onListening: actual => {
        this.url = `http://${address.includes(':') ? `[${address}]` : address}:${actual}/`;
        onSettled();
      },
      onError: message => onSettled(message),
    });
    this.turns.enable();
    this.looking = setInterval(() => this.look(), LOOK_INTERVAL).unref();
  }

  close(): void {
    clearInterval(this.looking);
    this.turns.disable();
    this.server.close();
  }

  private status(): Status {
    const { runtime, status } = this.subject;
    return status?.() ?? statusOf(runtime, performance.now() | 0, Math.floor(Date.now() / 1000));
  }

  /** Seconds without the broker. */
  private get absence(): number {
    this.look();
    return Math.floor((performance.now() - this.lastSeen) / 1000);
  }

  private look(): void {
    if (this.subject.runtime.gateway.upstream.isConnected)
      this.lastSeen = performance.now();
  }

  private health(): Health {
    return healthOf(this.status(), this.subject.isStoreWanted, this.absence);
  }

  private metrics(): string {
    const longestTurn = this.turns.max / NANOSECONDS;
    this.turns.reset();
    return metricsOf({
      status: this.status(), figures: this.subject.runtime.gateway, traffic: TRAFFIC, health: this.health(),
      absence: this.absence, longestTurn, residentMemory: process.memoryUsage.rss(),
    });
  }
}

/** Its messages name the page's port. */
class PageListener extends Listener {
  protected override readonly section = 'page';
}
