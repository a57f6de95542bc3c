/** What the page knows of the gateway: the last status, its course over some minutes, and the lines of the log. */
import type { Status } from '../../gateway/status.ts';

export interface LogLine {
  readonly id: number;
  readonly time: string;
  readonly level: string;
  readonly text: string;
}

export interface View extends Status {
  readonly health: { readonly isWell: boolean; readonly reasons: readonly string[] };
  /** Whether /api/publish takes messages. */
  readonly mayPublish: boolean;
  /** Only in the demo: whether the plug is in. */
  readonly isPlugged?: boolean;
}

/** One second. */
export interface Moment {
  /** Seconds since 1970. */
  readonly time: number;
  readonly fromNodes: number;
  /** Readings included. */
  readonly accepted: number;
  readonly toBroker: number;
  readonly fromBroker: number;
  readonly toNodes: number;
  readonly stored: number;
  /** Last values of sensors, by name. */
  readonly readings: ReadonlyMap<string, number | null>;
}

/** Seconds that are kept. */
const COURSE = 600;
const MOST_LINES = 500;

export type Access = 'asking' | 'open' | 'closed';

const rate = (now: number, before: number, seconds: number): number => Math.max(0, (now - before) / seconds);

export class Model {
  access: Access = 'asking';
  passwordNeeded = false;
  /** Whether events arrive. */
  isConnected = false;
  view: View | undefined;
  readonly course: Moment[] = [];
  lines: LogLine[] = [];
  private events: EventSource | undefined;
  private before: { readonly at: number; readonly view: View } | undefined;
  private readonly listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async start(): Promise<void> {
    try {
      const session = await (await fetch('/api/session')).json() as { passwordNeeded: boolean; open: boolean };
      this.passwordNeeded = session.passwordNeeded;
      this.access = session.open ? 'open' : 'closed';
    } catch {
      setTimeout(() => void this.start(), 2000);
      return;
    }
    if (this.access === 'open')
      this.listen();
    this.tell();
  }

  /** @returns why not; undefined when it worked */
  async logIn(password: string): Promise<string | undefined> {
    const response = await post('/api/login', { password });
    if (!response.ok)
      return response.status === 401 ? 'The password is wrong.' : await response.text();
    await this.start();
    return undefined;
  }

  async logOut(): Promise<void> {
    await post('/api/logout', {});
    this.events?.close();
    this.view = undefined;
    this.course.length = 0;
    this.lines = [];
    await this.start();
  }

  private listen(): void {
    this.events?.close();
    const events = this.events = new EventSource('/api/events');
    events.addEventListener('status', event => this.takeStatus(JSON.parse(event.data as string) as View));
    events.addEventListener('log', event => this.takeLine(JSON.parse(event.data as string) as LogLine));
    events.addEventListener('open', () => {
      this.isConnected = true;
      void this.fetchLines();
    });
    events.addEventListener('error', () => {
      this.isConnected = false;
      this.tell();
      if (events.readyState === EventSource.CLOSED) // refused: the session may be over
        setTimeout(() => void this.start(), 2000);
    });
  }

  private takeStatus(view: View): void {
    const at = performance.now() / 1000;
    const { before } = this;
    this.view = view;
    if (before === undefined || view.uptime < before.view.uptime)
      this.before = { at, view };
    else if (at - before.at >= 0.5) {
      const seconds = at - before.at;
      const [now, then] = [view.counters, before.view.counters];
      this.course.push({
        time: view.time ?? Date.now() / 1000,
        fromNodes: rate(now.receivedFromNodes, then.receivedFromNodes, seconds),
        accepted: rate(now.acceptedForUpstream, then.acceptedForUpstream, seconds),
        toBroker: rate(now.sentUpstream, then.sentUpstream, seconds),
        fromBroker: rate(now.receivedFromUpstream, then.receivedFromUpstream, seconds),
        toNodes: rate(now.sentToNodes, then.sentToNodes, seconds),
        stored: view.store.count,
        readings: new Map(view.sensors.map(({ name, value }) => [name, value])),
      });
      if (this.course.length > COURSE)
        this.course.shift();
      this.before = { at, view };
    }
    this.tell();
  }

  private takeLine(line: LogLine): void {
    const last = this.lines.at(-1)?.id ?? 0;
    if (line.id > last + 1 && last > 0)
      void this.fetchLines(); // some were missed
    else if (line.id > last) {
      this.lines = [...this.lines.slice(1 - MOST_LINES), line];
      this.tell();
    }
  }

  private async fetchLines(): Promise<void> {
    try {
      this.lines = (await (await fetch('/api/log')).json() as { lines: LogLine[] }).lines;
    } catch { /* the next line asks again */ }
    this.tell();
  }

  private tell(): void {
    this.listeners.forEach(listener => listener());
  }
}

export const post = (path: string, body: unknown): Promise<Response> =>
  fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
