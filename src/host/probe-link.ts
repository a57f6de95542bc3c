/**
 * A connection with which `ringbridge check --online` asks a broker: TCP, TLS and WebSocket where they are wanted, and
 * packets, with a deadline for each step. Knows nothing of what is asked.
 */
import { connect as connectPlain, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { UpstreamAddress } from '../config/upstream-address.ts';
import { CONNACK } from '../packet/control-packet.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { ClientSecurity } from './client-security.ts';
import { PacketCutter, type Received } from './probe-packets.ts';
import { ProbeWebSocket } from './probe-websocket.ts';
import { chainOf } from './secure-tcp.ts';

/** Why there is no connection, in words that say what to do. */
export interface Failure {
  readonly phase: 'TCP' | 'TLS';
  /** Whether TCP stood; null: nothing was tried, for want of what TLS needs. */
  readonly isReachable: boolean | null;
  readonly problem: string;
}

/** What came in place of a packet. */
export type Missing = 'closed' | 'silent' | 'foreign';

export interface SecurityReport {
  readonly version: string;
  readonly cipher: string;
  /** From the broker's own to the CA. */
  readonly chain: readonly X509Certificate[];
}

const LONGEST_SAMPLE = 24;

function describeTCP(code: string | undefined, address: UpstreamAddress, seconds: number): string {
  switch (code) {
    case 'ECONNREFUSED': return `nothing listens on port ${address.port} there: start the broker, or correct the port in upstream.address`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL': return `there is no way to it (${code}): check the address, the network and the routes of this computer`;
    case 'ETIMEDOUT': return `no answer within ${seconds} seconds: check the address, and firewalls on the way`;
    default: return `cannot be connected to (${code ?? 'no reason given'}): check the address, and firewalls on the way`;
  }
}

export class ProbeLink {
  security: SecurityReport | undefined = undefined;
  /** The first bytes of what is no MQTT. */
  sample = '';
  private readonly socket: Socket;
  private within: ProbeWebSocket | undefined = undefined;
  private readonly cutter = new PacketCutter();
  private readonly received: Received[] = [];
  private missing: Missing | undefined = undefined;
  private hasHeard = false;
  private notify = (): void => {};

  /** @param isWithin what comes is read by `upgrade`, which is to be called at once */
  private constructor(socket: Socket, isWithin: boolean) {
    this.socket = socket;
    if (isWithin)
      return;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('end', this.onEnd);
    socket.on('close', this.onEnd);
    socket.on('error', this.onEnd);
  }

  private readonly onEnd = (): void => {
    this.missing ??= 'closed';
    this.notify();
  };

  /**
   * Begins the WebSocket that `address` wants; what is sent and received afterwards is within it.
   * @returns why there is none, in words that say what to do; empty: there is
   */
  async upgrade(upstream: UpstreamConfiguration, address: UpstreamAddress, seconds: number): Promise<string> {
    const hearer = { onData: (chunk: Buffer) => this.take(chunk), onEnd: this.onEnd };
    const opened = await ProbeWebSocket.open(upstream, address, this.socket, seconds, hearer);
    if (typeof opened === 'string')
      return opened;
    this.within = opened;
    return '';
  }

  /**
   * @param ip one of the addresses of `address`
   * @param seconds for TCP, and again for TLS
   */
  static open(upstream: UpstreamConfiguration, address: UpstreamAddress, ip: string, seconds: number):
    Promise<ProbeLink | Failure> {
    const target: TcpNetConnectOpts =
      { host: ip, port: address.port, family: isIP(ip.replace(/%.*$/, '')), autoSelectFamily: false };
    return address.scheme === 'mqtts' || address.scheme === 'wss' ? ProbeLink.openSecure(upstream, address, target, seconds)
      : ProbeLink.openPlain(address, target, seconds);
  }

  private static openPlain(address: UpstreamAddress, target: TcpNetConnectOpts, seconds: number):
    Promise<ProbeLink | Failure> {
    return new Promise(resolve => {
      const socket = connectPlain(target);
      const fail = (code?: string): void => {
        socket.destroy();
        resolve({ phase: 'TCP', isReachable: false, problem: describeTCP(code, address, seconds) });
      };
      const timer = setTimeout(() => fail('ETIMEDOUT'), seconds * 1000);
      socket.once('error', ({ code }: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(code);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new ProbeLink(socket, address.path !== undefined));
      });
    });
  }

  private static openSecure(
    upstream: UpstreamConfiguration, address: UpstreamAddress, target: TcpNetConnectOpts, seconds: number,
  ): Promise<ProbeLink | Failure> {
    const security = new ClientSecurity(new CertificateWatch(() => {}), () => {});
    if (!security.refresh(upstream))
      return Promise.resolve({ phase: 'TLS', isReachable: null, problem: security.problemOf(ReasonCode.TLS_UNUSABLE, 0) });
    return new Promise(resolve => {
      const attempt = security.attempt(upstream, address);
      let socket: TLSSocket | undefined = undefined;
      let isReachable = false;
      let timer = setTimeout(() => fail('ETIMEDOUT'), seconds * 1000);
      const fail = (code?: string): void => {
        clearTimeout(timer);
        socket?.destroy();
        resolve(isReachable
          ? { phase: 'TLS', isReachable, problem: security.problemOf(attempt.failure ?? ReasonCode.NETWORK_UNREACHABLE, address.port) }
          : { phase: 'TCP', isReachable, problem: describeTCP(code, address, seconds) });
      };
      const opened = socket = attempt.open(target);
      opened.once('connect', () => {
        isReachable = true;
        clearTimeout(timer);
        timer = setTimeout(fail, seconds * 1000);
      });
      opened.once('secureConnect', () => {
        clearTimeout(timer);
        opened.off('error', onError);
        opened.off('close', onClose);
        const link = new ProbeLink(opened, address.path !== undefined);
        link.security = { version: opened.getProtocol() ?? '', cipher: opened.getCipher().standardName, chain: chainOf(opened) };
        resolve(link);
      });
      const onError = ({ code }: NodeJS.ErrnoException): void => fail(code);
      const onClose = (): void => fail('closed');
      opened.once('error', onError);
      opened.once('close', onClose);
    });
  }

  private take(chunk: Buffer): void {
    if (!this.hasHeard) {
      this.hasHeard = true;
      this.sample = chunk.subarray(0, LONGEST_SAMPLE).toString('latin1');
      if (chunk[0] !== CONNACK << 4) // a broker says nothing else first
        this.missing = 'foreign';
    }
    const packets = this.missing === undefined ? this.cutter.take(chunk) : [];
    if (packets === undefined)
      this.missing = 'foreign';
    else
      this.received.push(...packets);
    this.notify();
  }

  send(bytes: Buffer): void {
    if (this.missing !== undefined)
      return;
    if (this.within === undefined)
      this.socket.write(bytes);
    else
      this.within.send(bytes);
  }

  /** The next packet of one of these types; others are passed over. @param until milliseconds, as Date.now() */
  next(types: readonly number[], until: number): Promise<Received | Missing> {
    return new Promise(resolve => {
      const timer = setTimeout(() => end('silent'), Math.max(0, until - Date.now()));
      const end = (answer: Received | Missing): void => {
        clearTimeout(timer);
        this.notify = () => {};
        resolve(answer);
      };
      this.notify = (): void => {
        for (let packet = this.received.shift(); packet !== undefined; packet = this.received.shift())
          if (types.includes(packet.type)) {
            end(packet);
            return;
          }
        if (this.missing !== undefined)
          end(this.missing);
      };
      this.notify();
    });
  }

  /** Says what is to be said last, and goes. */
  close(last?: Buffer): void {
    if (this.within !== undefined) {
      if (last !== undefined && this.missing === undefined)
        this.within.send(last);
      this.within.close();
      return;
    }
    if (last !== undefined && this.missing === undefined)
      this.socket.end(last);
    const timer = setTimeout(() => this.socket.destroy(), last === undefined ? 0 : 200);
    this.socket.once('close', () => clearTimeout(timer));
  }
}
