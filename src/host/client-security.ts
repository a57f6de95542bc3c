/**
 * TLS towards the broker: what the configuration and the files that it names say at this moment, the session to resume,
 * and in words what has gone wrong. Files are read again for each attempt; what is in them is looked at, not their
 * times, so that a file that was replaced in any way is noticed.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { UpstreamAddress } from '../config/upstream-address.ts';
import type { TLSStatus } from '../gateway/status-sources.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { CertificateWatch } from './certificate-watch.ts';
import { FileProblem, readCertificates, readKey } from './pem-files.ts';
import { Attempt, chainOf, type Handshake, SecureTCP } from './secure-tcp.ts';
import { systemAuthorities } from './system-authorities.ts';
import type { HostTCPOptions } from './tcp.ts';
import { PSK_CIPHERS, TLS_VERSIONS } from './tls-settings.ts';
import { describeHandshakeError, describeSilence } from './tls-texts.ts';

/**
 * So many handshakes in a row that the peer ends by going: it speaks no TLS there, if it never has. So many connections
 * that it ends before the first byte: it refuses the certificate, if it never has said anything; the alert that would
 * say so is often lost with TLS 1.3, where CONNECT is on its way already.
 */
const GONE_COUNT = 3;
/** Until so many certificates of a file of CAs each is looked at: all those of a system are not. */
const FEW_CERTIFICATES = 20;

interface Made {
  /** What the configuration said: names, not contents. */
  readonly names: string;
  /** Of the contents. */
  readonly digest: string;
  readonly context: SecureContext;
}

type Files = Pick<UpstreamConfiguration, 'bridge_cafile' | 'bridge_certfile' | 'bridge_keyfile' | 'bridge_identity'
  | 'bridge_psk' | 'bridge_tls_version' | 'bridge_insecure'>;

export class ClientSecurity {
  /** Of the last connection. */
  status: TLSStatus['upstream'] = null;
  private problem = '';
  private certificateFile: string | null = null;
  private made: Made | undefined = undefined;
  private readonly watch: CertificateWatch;
  private readonly warn: (text: string) => void;
  /** By host and port, for the context that there is. */
  private readonly sessions = new Map<string, Buffer>();
  /** Addresses where TLS was spoken once, and MQTT in it. */
  private readonly proven = new Set<string>();
  private readonly heard = new Set<string>();
  private goneCount = 0;
  private unheardCount = 0;
  /** An attempt has reached the peer, and its handshake is neither done nor over. */
  private isShakingHands = false;

  /** @param warn of what does not keep it from connecting; may be told again and again */
  constructor(watch: CertificateWatch, warn: (text: string) => void) {
    this.watch = watch;
    this.warn = warn;
  }

  /**
   * Reads the files. Where they cannot be used, what they were before goes on being used, as long as the configuration
   * names the same. @returns whether there is something to connect with; else `problemOf` says why not
   */
  refresh(upstream: UpstreamConfiguration): boolean {
    const names = JSON.stringify([upstream.bridge_cafile, upstream.bridge_certfile, upstream.bridge_keyfile,
      upstream.bridge_identity, upstream.bridge_psk, upstream.bridge_tls_version, upstream.bridge_insecure]
      .map(value => createHash('sha256').update(String(value)).digest('base64')));
    try {
      this.make(upstream, names);
      return true;
    } catch (error) {
      const text = error instanceof FileProblem ? error.message
        : `the files for TLS cannot be used together: ${(error as Error).message}; check upstream.bridge_cafile, bridge_certfile and bridge_keyfile`;
      if (this.made?.names === names) {
        this.warn(`${text}; until then what was read before goes on being used`);
        return true;
      }
      this.problem = text;
      return false;
    }
  }

  private make(upstream: Files, names: string): void {
    const { bridge_cafile, bridge_certfile, bridge_keyfile, bridge_psk, bridge_tls_version } = upstream;
    const ca = bridge_psk !== null ? '' : bridge_cafile === null ? systemAuthorities() : readAuthorities(bridge_cafile);
    const own = bridge_certfile === null ? undefined : readCertificates('upstream.bridge_certfile', bridge_certfile);
    const key = own === undefined || bridge_keyfile === null ? undefined
      : readKey('upstream.bridge_keyfile', bridge_keyfile, own.list[0]!);
    const digest = createHash('sha256').update([ca, own?.text, key, bridge_tls_version].join('\0')).digest('base64');
    if (this.made?.names === names && this.made.digest === digest)
      return;
    const context = createSecureContext({
      ca: ca === '' ? [] : ca, // none: a certificate in place of the pre-shared key is not accepted
      ...own !== undefined && { cert: own.text },
      ...key !== undefined && { key },
      minVersion: TLS_VERSIONS[bridge_tls_version],
      ...bridge_psk !== null && { ciphers: PSK_CIPHERS },
    });
    this.made = { names, digest, context };
    this.sessions.clear(); // what they vouch for may not hold any more
    this.watch.set('upstream.bridge_certfile', own?.list ?? []);
  }

  /** One attempt on its own, after `refresh`. */
  attempt(upstream: UpstreamConfiguration, address: UpstreamAddress): Attempt {
    return new Attempt(this.handshake(upstream, address, this.made!.context));
  }

  /** @returns sockets for the next attempt, after `refresh` */
  socketsFor(upstream: UpstreamConfiguration, address: UpstreamAddress): new (options: HostTCPOptions) => SecureTCP {
    const handshake = this.handshake(upstream, address, this.made!.context);
    return class extends SecureTCP {
      constructor(options: HostTCPOptions) {
        super(options, handshake);
      }
    };
  }

  private handshake(upstream: UpstreamConfiguration, address: UpstreamAddress, context: SecureContext): Handshake {
    const { bridge_alpn, bridge_cafile, bridge_certfile, bridge_identity, bridge_insecure, bridge_psk,
      bridge_tls_version } = upstream;
    const place = `${address.host}:${address.port}`;
    const session = this.sessions.get(place);
    this.certificateFile = bridge_certfile;
    const host = address.host.replace(/^\[(.*)\]$/, '$1');
    this.isShakingHands = false;
    return {
      host,
      takesAnyName: bridge_insecure || bridge_psk !== null,
      options: {
        secureContext: context,
        ...bridge_alpn !== null && { ALPNProtocols: [bridge_alpn] },
        ...session !== undefined && { session },
        ...bridge_psk !== null
          && { pskCallback: () => ({ identity: bridge_identity ?? '', psk: Buffer.from(bridge_psk, 'hex') }) },
      },
      onReachable: () => this.isShakingHands = true,
      onSecure: socket => this.noteSecure(socket, place),
      onSession: ticket => {
        if (this.made?.context === context)
          this.sessions.set(place, ticket);
      },
      onHeard: () => {
        this.unheardCount = 0;
        this.heard.add(place);
      },
      onUnheard: () => {
        this.sessions.delete(place);
        this.problem = describeUnheard(bridge_certfile);
        return ++this.unheardCount >= GONE_COUNT && !this.heard.has(place) ? ReasonCode.TLS_FAILED : undefined;
      },
      onFailed: (error, peer) => {
        this.isShakingHands = false;
        this.sessions.delete(place);
        this.problem = error === undefined ? describeSilence(address.port, 'ends')
          : describeHandshakeError(error, { host, peer, now: Date.now(), leastVersion: TLS_VERSIONS[bridge_tls_version],
            trust: bridge_cafile === null ? 'the CAs that this system trusts' : `the CAs of upstream.bridge_cafile ${bridge_cafile}`,
            hasCertificate: bridge_certfile !== null, hasPSK: bridge_psk !== null });
        if (error !== undefined)
          return ReasonCode.TLS_FAILED;
        return ++this.goneCount >= GONE_COUNT && !this.proven.has(place) ? ReasonCode.TLS_FAILED
          : ReasonCode.TLS_CLOSED;
      },
    };
  }

  private noteSecure(socket: TLSSocket, place: string): void {
    this.isShakingHands = false;
    this.goneCount = 0;
    this.proven.add(place);
    const resumed = socket.isSessionReused();
    this.status = { version: socket.getProtocol() ?? '', cipher: socket.getCipher().standardName, resumed };
    if (!resumed)
      this.watch.set('broker', chainOf(socket));
  }

  /** As Connector.problemOf, for a connection of this kind. */
  problemOf(reasonCode: number, port: number): string {
    switch (reasonCode) {
      case ReasonCode.TLS_FAILED:
      case ReasonCode.TLS_CLOSED:
      case ReasonCode.TLS_UNUSABLE:
        return this.problem;
      case ReasonCode.NETWORK_UNREACHABLE:
        return this.isShakingHands ? describeSilence(port, 'does not answer') : '';
      case ReasonCode.CLOSED_BEFORE_CONNACK:
        return describeUnheard(this.certificateFile);
      default:
        return '';
    }
  }
}

const describeUnheard = (certificateFile: string | null): string => 'connection closed instead of a CONNACK: does the broker '
  + `${certificateFile === null ? 'demand a client certificate (upstream.bridge_certfile)' : `refuse upstream.bridge_certfile ${certificateFile}`}, `
  + 'or not accept upstream.bridge_protocol_version? See its log';

function readAuthorities(file: string): string {
  const { text } = readCertificates('upstream.bridge_cafile', file, FEW_CERTIFICATES);
  return text;
}
