/** A gateway in this process whose broker speaks TLS, right or wrong: what it logs, and what its status says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { Configuration, PartialConfiguration, UpstreamConfiguration } from '../../src/config/configuration.ts';
import { statusOf, type Status } from '../../src/gateway/status.ts';
import { HostGateway } from '../../src/host/host-gateway.ts';
import { Log } from '../../src/host/log.ts';

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

/** Longest wait for anything, in milliseconds, on a busy machine. */
const PATIENCE = 15_000;

export async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE; !condition();) {
    if (Date.now() > end)
      throw new Error(`did not come true: ${condition}`);
    await sleep(2);
  }
}

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'ringbridge-'));
  /** Without timestamps. */
  readonly lines: string[] = [];
  gateway: HostGateway | undefined;
  /** Of the listener; 0: there is none yet. */
  port = 0;
  configurationInForce!: Configuration;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  file(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** A broker that accepts everybody. @param onConnect null: it answers nothing @returns its port */
  broker(options: TlsOptions, onConnect: ((socket: TLSSocket) => void) | null = () => {}): Promise<number> {
    const server = createServer(options, socket => {
      this.keep(socket);
      socket.once('data', () => {
        if (onConnect === null)
          return;
        socket.write(CONNACK);
        onConnect(socket);
      });
    });
    server.on('connection', socket => this.keep(socket));
    server.on('tlsClientError', () => {});
    return this.listen(server);
  }

  /** Something else that listens. */
  plain(onConnection: (socket: Socket) => void): Promise<number> {
    return this.listen(createPlainServer(socket => {
      this.keep(socket);
      onConnection(socket);
    }));
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket.on('error', () => {}));
  }

  private listen(server: Server): Promise<number> {
    this.servers.push(server);
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
  }

  configuration(upstream: Partial<UpstreamConfiguration>, more: PartialConfiguration = {}): Configuration {
    return completeConfiguration({
      topic: [{}], ...more,
      listener: { port: 0, address: '127.0.0.1', allow_anonymous: true, ...more.listener },
      upstream: { restart_timeout: [0.05, 0.1], ...upstream } as PartialConfiguration['upstream'] & object,
    });
  }

  async start(upstream: Partial<UpstreamConfiguration>, more?: PartialConfiguration): Promise<HostGateway> {
    const log = new Log(line => this.lines.push(line.replace(/^\S+ /, '')));
    this.port = 0;
    this.configurationInForce = this.configuration(upstream, more);
    this.gateway = await HostGateway.create(this.configuration(upstream, more), log, {
      onListening: port => this.port = port, onNotListening: message => this.lines.push(`error ${message}`),
    });
    this.gateway.start();
    return this.gateway;
  }

  get status(): Status {
    const { runtime, tlsStatus } = this.gateway!;
    return statusOf(runtime, performance.now() | 0, 0, tlsStatus);
  }

  get isConnected(): boolean {
    return this.gateway!.runtime.gateway.upstream.isConnected;
  }

  async line(pattern: RegExp): Promise<string> {
    try {
      await until(() => this.lines.some(line => pattern.test(line)));
    } catch {
      throw new Error(`no line ${pattern} in\n${this.lines.join('\n')}`);
    }
    return this.lines.find(line => pattern.test(line))!;
  }

  /** Loses every connection of the brokers. */
  cut(): void {
    this.sockets.forEach(socket => socket.destroy());
    this.sockets.clear();
  }

  async end(): Promise<void> {
    await this.gateway?.stop();
    this.cut();
    this.servers.forEach(server => server.close());
    rmSync(this.folder, { recursive: true, force: true });
  }
}
