/** What a PC adds to connections to the broker: the password from its file, TLS, and WebSocket. */
import type { Scheme, UpstreamAddress } from '../config/upstream-address.ts';
import { usePassword } from '../gateway/reload.ts';
import type { TLSStatus } from '../gateway/status-sources.ts';
import type { Connector } from '../io/connector.ts';
import type { Runtime } from '../io/runtime.ts';
import type { TCPConstructor } from '../io/transport.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import type { CertificateWatch } from './certificate-watch.ts';
import { ClientSecurity } from './client-security.ts';
import { type Log, ONCE } from './log.ts';
import { readPasswordFile } from './password-file.ts';
import { TCP } from './tcp.ts';
import { ClientWebSocket } from './websocket-client.ts';

/** In front of the lines about files, which are news after SIGHUP. */
const FILES = 'TLS files ';

export class UpstreamConnector implements Connector {
  TCP: TCPConstructor | undefined = undefined;
  private readonly runtime: Pick<Runtime, 'gateway' | 'upstream'>;
  private readonly log: Log;
  private readonly watch: CertificateWatch;
  private readonly security: ClientSecurity;
  private readonly webSocket = new ClientWebSocket();
  /** The last attempt has led to our own listener. */
  isOurOwn = false;
  private passwordProblem = '';

  constructor(runtime: Pick<Runtime, 'gateway' | 'upstream'>, log: Log, watch: CertificateWatch) {
    this.runtime = runtime;
    this.log = log;
    this.watch = watch;
    this.security = new ClientSecurity(this.watch, text => log.write('warning', text, FILES + text, ONCE));
  }

  prepare(address: UpstreamAddress): number {
    this.isOurOwn = false;
    const { upstream } = this.runtime.gateway.configuration;
    const file = upstream.remote_password_file;
    const read = file === null ? undefined : readPasswordFile(file);
    if (read !== undefined && 'problem' in read) {
      this.passwordProblem = read.problem;
      return ReasonCode.PASSWORD_MISSING;
    }
    if (read !== undefined)
      usePassword(this.runtime.gateway, read.password);
    this.TCP = undefined;
    if (hasTLS(address)) {
      if (!this.security.refresh(upstream))
        return ReasonCode.TLS_UNUSABLE;
      this.TCP = this.security.socketsFor(upstream, address) as unknown as TCPConstructor;
    }
    if (address.path !== undefined)
      this.TCP = this.webSocket.socketsFor(address, this.TCP ?? TCP, upstream.bridge_protocol_version);
    return ReasonCode.SUCCESS;
  }

  problemOf(reasonCode: number): string {
    const { address } = this.runtime.upstream;
    if (this.isOurOwn)
      return 'this address leads to this gateway\'s own listener: its CONNECT is refused, for every message would go round '
        + 'for ever; write the address of the broker in upstream.address, or another listener.port';
    if (reasonCode === ReasonCode.PASSWORD_MISSING)
      return this.passwordProblem;
    const problem = address.path === undefined ? '' : this.webSocket.problemOf(reasonCode);
    return problem !== '' || !hasTLS(address) ? problem : this.security.problemOf(reasonCode, address.port);
  }

  /** After SIGHUP: the files are read, and what is wrong with them is told, before the next connection needs them. */
  reload(): void {
    const { addresses } = this.runtime.upstream;
    const { upstream } = this.runtime.gateway.configuration;
    this.log.forget(FILES);
    if (addresses.some(hasTLS) && !this.security.refresh(upstream)) {
      const problem = this.security.problemOf(ReasonCode.TLS_UNUSABLE, 0);
      this.log.write('warning', problem, FILES + problem, ONCE);
    }
  }

  /** To be called now and then. */
  check(): void {
    this.watch.check();
  }

  get status(): TLSStatus {
    return { upstream: this.security.status, certificates: this.watch.status };
  }
}

const hasTLS = ({ scheme }: { readonly scheme: Scheme }): boolean => scheme === 'mqtts' || scheme === 'wss';
