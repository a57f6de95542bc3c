/**
 * The Listener of io/transport.ts with TLS, on Node. A connection is reported when its handshake is done. Those that
 * are in it take no place of a node, so they have a deadline and a number of their own; when there are too many, the
 * oldest of the address that has most of them goes. Knows nothing of MQTT.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ListenerConstructor, ListenerOptions } from '../io/transport.ts';
import { Listener, type ServerMaker } from './listener.ts';
import { chainOf } from './secure-tcp.ts';
import type { ServerSecurity } from './server-security.ts';
import { type HostTCPOptions, TCP } from './tcp.ts';
import { describeNodeError, describeNodeCertificate } from './tls-node-texts.ts';

/**
 * Handshakes at a time. Many more than nodes: a handshake over Wi-Fi takes a tenth of a second, and whoever opens
 * connections and says nothing must not push it out of its place within that.
 */
export const MOST_HANDSHAKES = 256;

/** @param address of the node, undefined when it has gone already */
type Report = (address: string | undefined, text: string) => void;

/** Of a port: the section of the configuration that is about it, and why a handshake has failed, or was too late. */
interface Words {
  readonly section: 'listener' | 'page';
  readonly late: string;
  readonly describe: (error: Error) => string;
}

const OF_NODES: Words = Object.freeze({
  section: 'listener', late: 'no TLS handshake in time (listener.connect_timeout): does it speak TLS?',
  describe: describeNodeError,
});

interface Pending {
  readonly raw: Socket;
  readonly timer: NodeJS.Timeout;
}

export class SecureListening {
  /** For the platform. */
  readonly Listener: ListenerConstructor;
  private readonly security: ServerSecurity;
  private readonly timeout: () => number;
  private readonly report: Report;
  private readonly words: Words;
  private server: Server | undefined = undefined;
  /** By the port of the node and its address; the oldest first. */
  private readonly pending = new Map<string, Pending>();
  /** Whose pre-shared key a node knows. */
  private readonly identities = new WeakMap<TLSSocket, string>();

  /** @param timeout milliseconds that a handshake may take, asked for each */
  constructor(security: ServerSecurity, timeout: () => number, report: Report, words: Words = OF_NODES) {
    this.words = words;
    this.security = security;
    this.timeout = timeout;
    this.report = report;
    const make: ServerMaker = onSocket => this.make(onSocket);
    this.Listener = class extends Listener {
      protected override readonly section = words.section;

      constructor(options: ListenerOptions) {
        super(options, make);
      }
    };
  }

  /** Reads the files anew, for handshakes from now on. @throws FileProblem; all is as before then */
  reload(): void {
    const read = this.security.read();
    this.server?.setSecureContext(read);
  }

  /** @throws FileProblem */
  private make(onSocket: (socket: TCP) => void): Server {
    const server = createServer({
      ...this.security.read(),
      ...this.security.optionsFor((socket, identity) => this.identities.set(socket, identity)),
      allowHalfOpen: true,
    }, socket => this.accept(socket, onSocket));
    server.on('connection', (raw: Socket) => this.begin(raw));
    server.on('tlsClientError', (error, socket) => {
      if (this.finish(socket))
        this.report(socket.remoteAddress, this.words.describe(error));
    });
    this.server = server;
    return server;
  }

  private begin(raw: Socket): void {
    const key = keyOf(raw);
    const giveUp = (text: string): void => {
      const { remoteAddress } = raw;
      this.pending.delete(key);
      raw.destroy();
      this.report(remoteAddress, text);
    };
    const { late } = this.words;
    const timer = setTimeout(() => giveUp(late), this.timeout());
    raw.once('close', () => {
      clearTimeout(timer);
      if (this.pending.get(key)?.raw === raw)
        this.pending.delete(key);
    });
    if (this.pending.size >= MOST_HANDSHAKES)
      this.makeRoom();
    this.pending.set(key, { raw, timer });
  }

  private makeRoom(): void {
    const counts = new Map<string | undefined, number>();
    for (const { raw: { remoteAddress } } of this.pending.values())
      counts.set(remoteAddress, (counts.get(remoteAddress) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [key, { raw, timer }] of this.pending) {
      const { remoteAddress } = raw;
      if (counts.get(remoteAddress) !== most)
        continue;
      clearTimeout(timer);
      this.pending.delete(key);
      raw.destroy();
      this.report(remoteAddress, `gave way to others in the TLS handshake: there are ${MOST_HANDSHAKES} at a time`);
      return;
    }
  }

  /** @returns whether its handshake was still to be done */
  private finish(socket: Socket): boolean {
    const key = keyOf(socket);
    const pending = this.pending.get(key);
    clearTimeout(pending?.timer);
    return this.pending.delete(key) || socket.remoteAddress === undefined;
  }

  private accept(socket: TLSSocket, onSocket: (socket: TCP) => void): void {
    this.finish(socket);
    const { asksForCertificate, requiresCertificate } = this.security;
    const chain = asksForCertificate ? chainOf(socket) : [];
    const isShown = chain.length > 0;
    if (asksForCertificate && !socket.authorized && (isShown || requiresCertificate)) {
      this.report(socket.remoteAddress, isShown
        ? describeNodeCertificate(String(socket.authorizationError), chain[0]!)
        : 'has shown no certificate, and listener.require_certificate demands one');
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const name: unknown = isShown ? socket.getPeerCertificate().subject?.CN : this.identities.get(socket);
    onSocket(new IdentifiedTCP({ from: socket }, typeof name === 'string' ? name : undefined));
  }
}

class IdentifiedTCP extends TCP {
  readonly identity: string | undefined;

  constructor(options: HostTCPOptions, identity: string | undefined) {
    super(options);
    this.identity = identity;
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remotePort} ${remoteAddress}`;
