/**
 * The page of a gateway on a computer: the HTTP server of src/web over Node's sockets, with what it serves. Whatever
 * becomes of it, the gateway goes on.
 */
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { PageConfiguration } from '../config/configuration.ts';
import { type Status, statusOf } from '../gateway/status.ts';
import type { TLSStatus } from '../gateway/status-sources.ts';
import type { Runtime } from '../io/runtime.ts';
import { HTTPServer } from '../web/http-server.ts';
import type { Resource } from '../web/resource.ts';
import { Absence } from './absence.ts';
import { type Health, healthOf } from './health.ts';
import { Listener } from './listener.ts';
import type { Log } from './log.ts';
import { LogMemory } from './log-memory.ts';
import { metricsOf } from './metrics.ts';
import { PageEvents } from './page-events.ts';
import { PageGate } from './page-gate.ts';
import { PageRefusals } from './page-refusals.ts';
import { publishing } from './page-publishing.ts';
import { secureListening } from './page-security.ts';
import { pageResources } from './page-resources.ts';
import { PageSessions } from './page-sessions.ts';
import { parsePasswordHash } from './password.ts';
import type { SecureListening } from './secure-listener.ts';
import type { ServerSecurity } from './server-security.ts';
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
  readonly tls?: () => TLSStatus;
  /** The page is HTTPS. */
  readonly security?: ServerSecurity | undefined;
  /** As Measures.erasureCount. */
  readonly erasureCount?: () => number;
  /** What the event `status` tells besides. */
  readonly extras?: () => object;
}

export class PageServer {
  /** `http://HOST:PORT/`, or `https://`; undefined as long as it does not listen. */
  url: string | undefined = undefined;
  private readonly subject: PageSubject;
  private readonly server: HTTPServer;
  private readonly looking: NodeJS.Timeout;
  private readonly listening: SecureListening | undefined;
  private readonly turns = monitorEventLoopDelay({ resolution: 20 });
  private readonly absence = new Absence(performance.now());

  /**
   * @param resources beside those for reading
   * @param onSettled told once: it listens, or `message` says why not
   */
  constructor(configuration: PageConfiguration, subject: PageSubject, log: Log, resources: readonly Resource[],
    onSettled: (message?: string) => void) {
    this.subject = subject;
    const memory = new LogMemory();
    log.onLine = line => memory.add(line);
    const { address, allow_publish, password_hash, port } = configuration;
    const hash = password_hash === null ? undefined : parsePasswordHash(password_hash);
    const refusals = new PageRefusals(log);
    const sessions = hash && new PageSessions(hash, from => refusals.add(from));
    const cookieName = (): string => `ringbridge-${this.url?.split(':').at(-1)?.slice(0, -1) ?? port}`;
    const { security } = subject;
    this.listening = security && secureListening(security, log);
    const gate = new PageGate(sessions, cookieName, security !== undefined);
    const sources = {
      status: () => this.status(), health: () => this.health(), metrics: () => this.metrics(), log: memory,
      events: new PageEvents(memory, () => ({ ...this.status(), health: this.health(), mayPublish: allow_publish,
        ...subject.extras?.() })),
    };
    const name = hostname().toLowerCase();
    this.server = new HTTPServer({
      TCP, Listener: this.listening?.Listener ?? PageListener,
      createTimer: onTimer => new HostTimer(onTimer), time: () => performance.now(),
      resizable: false, port, address, connections: CONNECTIONS, eventConnections: CONNECTIONS / 2,
      landingCapacity: LANDING_CAPACITY,
      site: {
        gate, hosts: ['localhost', name, `${name}.local`], isSecure: security !== undefined,
        resources: [...pageResources(sources, gate, sessions), publishing(subject.runtime, allow_publish),
          ...resources],
      },
      onListening: actual => {
        this.url = `${security === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${actual}/`;
        onSettled();
      },
      onError: message => onSettled(message),
    });
    this.turns.enable();
    this.looking = setInterval(() => this.look(), LOOK_INTERVAL).unref();
  }

  /** Reads the certificate anew. @throws FileProblem; what was read before is shown then */
  reload(): void {
    this.listening?.reload();
  }

  close(): void {
    clearInterval(this.looking);
    this.turns.disable();
    this.server.close();
  }

  private status(): Status {
    const { runtime, status, tls } = this.subject;
    runtime.later(() => { /* so that the gateway knows how late it is: ages are counted from there */ });
    return status?.() ?? statusOf(runtime, performance.now() | 0, Math.floor(Date.now() / 1000), tls?.());
  }

  private look(): void {
    this.absence.look(this.subject.runtime.gateway.upstream.isConnected, performance.now());
  }

  private health(): Health {
    this.look();
    return healthOf(this.status(), this.subject.isStoreWanted, this.absence.seconds);
  }

  private metrics(): string {
    const longestTurn = this.turns.max / NANOSECONDS;
    this.turns.reset();
    const { absence, subject: { erasureCount, runtime: { gateway } } } = this;
    return metricsOf({
      status: this.status(), gateway, traffic: TRAFFIC, health: this.health(), // which looks
      absence: absence.seconds, offline: absence.total, erasureCount: erasureCount?.() ?? 0,
      longestTurn, residentMemory: process.memoryUsage.rss(),
    });
  }
}

/** Its messages name the page's port. */
class PageListener extends Listener {
  protected override readonly section = 'page';
}
