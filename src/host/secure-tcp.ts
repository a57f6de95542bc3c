/**
 * The TCP socket of io/transport.ts with TLS below, on Node, in the role of a client. Knows nothing of MQTT, and
 * nothing of where certificates come from. The connection stands when the handshake is done; bytes are counted without
 * TLS.
 */
import { X509Certificate } from 'node:crypto';
import { isIP, type TcpNetConnectOpts } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import { type HostTCPOptions, TCP } from './tcp.ts';

/** What TLS needs, and who is told. */
export interface Handshake {
  /** Of the broker: a name, or an address without brackets. */
  readonly host: string;
  /** For node:tls: the context, versions, ciphers. */
  readonly options: ConnectionOptions;
  /** Whether the name in the certificate does not matter. */
  readonly takesAnyName: boolean;
  /** TCP stands. */
  onReachable(): void;
  onSecure(socket: TLSSocket): void;
  /** For resumption. */
  onSession(session: Buffer): void;
  /** The first bytes have come through it. */
  onHeard(): void;
  /**
   * It will not stand, or has been refused before anything was received.
   * @param error undefined: the peer has just gone
   * @param peer certificate that it has shown
   * @returns the code for `failure`
   */
  onFailed(error: Error | undefined, peer: X509Certificate | undefined): number | undefined;
  /** As `onFailed`, of a peer that has gone without a word after the handshake. */
  onUnheard(): number | undefined;
}

export class SecureTCP extends TCP {
  readonly #attempt: Attempt | undefined;

  constructor(options: HostTCPOptions, handshake?: Handshake) {
    const attempt = handshake === undefined ? undefined : new Attempt(handshake);
    super(attempt === undefined ? options : { ...options, open: target => attempt.open(target) });
    this.#attempt = attempt;
  }

  get failure(): number | undefined {
    return this.#attempt?.failure;
  }
}

/** So many certificates of a chain are looked at. */
const LONGEST_CHAIN = 10;

/**
 * What the peer has shown, from its own certificate to the CA that is trusted. (getPeerX509Certificate of Node 20 takes
 * the certificate out of what is checked later.)
 */
export function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<unknown>();
  for (let at: PeerCertificate | undefined = socket.getPeerCertificate(true);
    at?.raw !== undefined && !seen.has(at) && chain.length < LONGEST_CHAIN;
    at = (at as { issuerCertificate?: PeerCertificate }).issuerCertificate) {
    seen.add(at);
    chain.push(new X509Certificate(at.raw));
  }
  return chain;
}

/** A handshake, and what becomes of it. */
export class Attempt {
  failure: number | undefined = undefined;
  private readonly handshake: Handshake;
  private isReachable = false;
  private isSecure = false;
  private peer: X509Certificate | undefined = undefined;

  constructor(handshake: Handshake) {
    this.handshake = handshake;
  }

  open(target: TcpNetConnectOpts): TLSSocket {
    const { host, options, takesAnyName } = this.handshake;
    const name = host.replace(/%.*$/, '');
    const socket = connect({
      ...target,
      ...options,
      ...isIP(name) === 0 && { servername: name },
      checkServerIdentity: (_, certificate: PeerCertificate) =>
        takesAnyName ? undefined : checkServerIdentity(name, certificate),
    });
    socket.once('connect', () => {
      this.isReachable = true;
      this.handshake.onReachable();
    });
    // Not documented, and only for the words of an error: after the check there is nothing to be asked any more.
    socket.prependOnceListener('secure', () => this.peer = chainOf(socket)[0]);
    socket.once('secureConnect', () => {
      this.isSecure = true;
      this.handshake.onSecure(socket);
    });
    socket.on('session', (session: Buffer) => this.handshake.onSession(session));
    // These come before those of tcp.ts, which report the end. What was received shows that TLS is fine.
    const onError = (error: Error): void => this.fail(error);
    const onEnd = (): void => this.fail(undefined);
    socket.once('data', () => {
      this.handshake.onHeard();
      socket.off('error', onError);
      socket.off('end', onEnd);
    });
    socket.on('error', onError);
    socket.on('end', onEnd);
    return socket;
  }

  private fail(error: Error | undefined): void {
    const isGone = error === undefined || /^(ECONNRESET|EPIPE)$/.test((error as NodeJS.ErrnoException).code ?? '');
    if (this.isReachable && this.failure === undefined)
      this.failure = isGone && this.isSecure ? this.handshake.onUnheard()
        : this.handshake.onFailed(isGone ? undefined : error, this.peer);
  }
}
