/** What a PC adds to connections to the broker: the password from its file, and TLS. */
import type { UpstreamAddress } from '../config/upstream-address.ts';
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

/** In front of the lines about files, which are news after SIGHUP. */
const FILES = 'TLS files ';

export class UpstreamConnector implements Connector {
  TCP: TCPConstructor | undefined = undefined;
  private readonly runtime: Pick<Runtime, 'gateway' | 'upstream'>;
  private readonly log: Log;
  private readonly watch: CertificateWatch;
  private readonly security: ClientSecurity;
  private passwordProblem = '';

  constructor(runtime: Pick<Runtime, 'gateway' | 'upstream'>, log: Log, watch: CertificateWatch) {
    this.runtime = runtime;
    this.log = log;
    this.watch = watch;
    this.security = new ClientSecurity(this.watch, text => log.write('warning', text, FILES + text, ONCE));
  }

  prepare(address: UpstreamAddress): number {
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
    if (address.scheme !== 'mqtts')
      return ReasonCode.SUCCESS;
    if (!this.security.refresh(upstream))
      return ReasonCode.TLS_UNUSABLE;
    this.TCP = this.security.socketsFor(upstream, address) as unknown as TCPConstructor;
    return ReasonCode.SUCCESS;
  }

  problemOf(reasonCode: number): string {
    const { port, scheme } = this.runtime.upstream.address;
    return reasonCode === ReasonCode.PASSWORD_MISSING ? this.passwordProblem
      : scheme === 'mqtts' ? this.security.problemOf(reasonCode, port) : '';
  }

  /** After SIGHUP: the files are read, and what is wrong with them is told, before the next connection needs them. */
  reload(): void {
    const { addresses } = this.runtime.upstream;
    const { upstream } = this.runtime.gateway.configuration;
    this.log.forget(FILES);
    if (addresses.some(({ scheme }) => scheme === 'mqtts') && !this.security.refresh(upstream)) {
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
