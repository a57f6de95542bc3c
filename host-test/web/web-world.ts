/** The HTTP server on a simulated network, and a client that sends bytes and keeps what comes. */
import { contentOf, eventsOf } from '../../src/web/content.ts';
import { COOKIE } from '../../src/web/field-names.ts';
import { HTTPServer } from '../../src/web/http-server.ts';
import { GET, HEAD, POST, PUT } from '../../src/web/request-head.ts';
import { type Exchange, PENDING, type Resource } from '../../src/web/resource.ts';
import type { TCPSocket } from '../../src/io/transport.ts';
import { SimulatedNetwork, PEER, type SimulatedHost } from '../simulation/simulated-network.ts';

const ADDRESS = '10.0.0.1';
const PORT = 80;

export const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

export class WebClient {
  received = '';
  isOver = false;
  /** Bytes that are taken at a time; others wait in the network. */
  appetite = Infinity;
  private readonly socket: TCPSocket;
  private waiting = '';
  private writable = 0;

  constructor(host: SimulatedHost, port = PORT) {
    const client = this;
    this.socket = new host.TCP({
      address: ADDRESS, port, nodelay: true,
      onReadable(this: TCPSocket, count: number) {
        const take = Math.min(count, client.appetite);
        if (take === 0)
          return;
        const view = new Uint8Array(take);
        this.read(view);
        client.received += Buffer.from(view).toString('latin1');
      },
      onWritable(count: number) {
        client.writable = count;
        client.flush();
      },
      onError() {
        client.isOver = true;
      },
    });
  }

  send(text: string): void {
    this.waiting += text;
    this.flush();
  }

  close(): void {
    this.socket.close();
    this.isOver = true;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.received)?.[1] ?? 0);
  }

  /** Of the body of the last answer. */
  get body(): string {
    return this.received.slice(this.received.indexOf('\r\n\r\n') + 4);
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, 'im').exec(this.received)?.[1];
  }

  private flush(): void {
    while (this.waiting.length > 0 && this.writable > 0 && !this.isOver) {
      const part = this.waiting.slice(0, this.writable);
      try {
        this.writable = this.socket.write(latin(part)) ?? 0;
      } catch {
        return;
      }
      this.waiting = this.waiting.slice(part.length);
    }
  }
}

const base = { methods: GET | HEAD, isPublic: true, bodyCapacity: 0, isEndless: false } as const;

export const ETAG = '"abc"';
export const PAGE_TEXT = '<p>page</p>';

export interface WebWorldOptions {
  readonly connections?: number;
  readonly eventConnections?: number;
  readonly resizable?: boolean;
  readonly extra?: readonly Resource[];
}

/** `/` with an ETag, `/large` of 40,000 bytes, `/private` with `Cookie: k`, `/echo` for bodies; the rest as named. */
export class WebWorld {
  readonly network = new SimulatedNetwork();
  readonly host = this.network.addHost(ADDRESS, PEER);
  readonly server: HTTPServer;
  /** What has opened the stream of events, and is still there. */
  readonly listening = new Set<Exchange>();
  /** `PATH?QUERY BODY` of what was accepted. */
  readonly accepted: string[] = [];
  later: Exchange | undefined;
  private readonly clients = this.network.addHost('10.0.0.2', PEER);
  private readonly body = new Map<Exchange, string>();

  constructor({ connections = 4, eventConnections = 2, resizable = true, extra = [] }: WebWorldOptions = {}) {
    const { accepted, body, clock, host, listening } = { ...this, clock: this.network.clock };
    const text = (content: string, etag = '') => contentOf(['Content-Type: text/plain'], latin(content), etag);
    const page = text(PAGE_TEXT, ETAG);
    const zipped = { ...contentOf(['Content-Encoding: gzip'], latin('zipped'), '"gz"'), plain: text('plain', '"pl"') };
    const large = text('x'.repeat(40_000));
    const note = ({ head }: Exchange, content = ''): void => {
      const part = (offset: number, length: number): string =>
        Buffer.from(head.bytes.subarray(offset, offset + length)).toString('latin1');
      accepted.push(`${part(head.pathOffset, head.pathLength)}?${part(head.queryOffset, head.queryLength)} ${content}`);
    };
    const resources: Resource[] = [
      { ...base, path: '/', respond: exchange => { note(exchange); exchange.answer(200, page); } },
      { ...base, path: '/large', respond: exchange => exchange.answer(200, large) },
      { ...base, path: '/private', isPublic: false, respond: exchange => exchange.answer(200, text('secret')) },
      { ...base, path: '/zipped', respond: exchange => exchange.answer(200, zipped) },
      { ...base, path: '/later', respond: exchange => this.later = exchange },
      ...['/echo', '/private-echo'].map((path): Resource => ({
        ...base, path, isPublic: path === '/echo', methods: PUT | POST, bodyCapacity: 5000,
        begin: exchange => body.set(exchange, ''),
        receive: (exchange, bytes, from, to) =>
          body.set(exchange, body.get(exchange)! + Buffer.from(bytes.subarray(from, to)).toString('latin1')),
        respond: exchange => {
          note(exchange, body.get(exchange));
          exchange.answer(200, text(body.get(exchange)!));
        } })),
      { ...base, path: '/events', methods: GET | HEAD, isEndless: true,
        respond: exchange => {
          exchange.answer(200, eventsOf(['Content-Type: text/event-stream'], latin('retry: 3000\n\n')));
          if (exchange.head.method === GET)
            listening.add(exchange);
        },
        closed: exchange => listening.delete(exchange) },
      ...extra,
    ];
    this.server = new HTTPServer({
      TCP: host.TCP, Listener: host.Listener, createTimer: onTimer => new host.Timer(onTimer), time: () => clock.now,
      resizable, port: PORT, connections, eventConnections, landingCapacity: 512,
      onError: message => { throw new Error(message); },
      site: {
        resources, hosts: ['localhost', 'gateway.local'],
        gate: { judge: (exchange, { isPublic }) => {
          const cookie = exchange.head.lengthOf(COOKIE);
          if (isPublic)
            return 0;
          if (cookie === 4) { // "late": the verdict comes a second later
            clock.schedule(1000, () => exchange.decide(0));
            return PENDING;
          }
          return cookie === 1 ? 0 : 401;
        } },
      },
    });
  }

  connect(): WebClient {
    return new WebClient(this.clients);
  }

  /** @param parts sent one after the other, with time between them */
  ask(...parts: string[]): WebClient {
    const client = this.connect();
    for (const part of parts) {
      client.send(part);
      this.network.run(20);
    }
    this.network.run(50);
    return client;
  }

  get usedCount(): number {
    return this.server.connections.filter(({ phase }) => phase !== 0).length;
  }
}

/** With a Host, and the lines in between. */
export const request = (line: string, ...lines: string[]): string =>
  [`${line} HTTP/1.1`, 'Host: 10.0.0.1', ...lines, '', ''].join('\r\n');
