/**
 * The command line as users have it: bundled, in a process of its own. The bundle lies two folders below the package,
 * as dist/host does, because it finds the schema and package.json from there.
 */
import { build } from 'esbuild';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
/** Of this worker of the test runner: another one may write its bundle while a process of ours reads it. */
const BUNDLE = fileURLToPath(new URL(`build/command-line-${process.env['VITEST_POOL_ID'] ?? '0'}/`, ROOT));
/** The program of `bundle`. */
export const BUNDLED_PROGRAM = join(BUNDLE, 'main.js');

export async function bundle(): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('src/host/main.ts', ROOT))],
    outdir: BUNDLE, bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20',
      packages: 'external', logLevel: 'error',
  });
}

export class Command {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  private readonly waiting = new Set<() => void>();

  constructor(args: readonly string[], input?: string | Buffer, env = process.env) {
    this.process = spawn(process.execPath, [BUNDLED_PROGRAM, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], env,
    });
    this.process.stdin?.end(input);
    for (const name of ['stdout', 'stderr'] as const)
      this.process[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.waiting.forEach(check => check());
      });
    this.exited = new Promise(resolve => this.process.on('close', (code, signal) => {
      resolve(code ?? signal!);
      this.waiting.forEach(check => check());
    }));
  }

  /** @returns the first match, as soon as there is one @throws when the process ends before */
  find(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(this[stream]);
        if (match === null && this.process.exitCode === null && this.process.signalCode === null)
          return;
        this.waiting.delete(check);
        if (match === null)
          reject(new Error(`ended without ${pattern} in ${stream}:\n${this.stdout}\n${this.stderr}`));
        else
          resolve(match);
      };
      this.waiting.add(check);
      check();
    });
  }

  async ready(): Promise<number> {
    return Number((await this.find('stdout', /^ready listener=127\.0\.0\.1:(\d+) upstream=.*\n/))[1]);
  }

  /** Of the log, without timestamps. */
  get lines(): string[] {
    return this.stderr.trimEnd().split('\n').map(line => line.replace(/^\d{4}-\S+ /, ''));
  }
}

/** Runs to the end. */
export async function run(args: readonly string[],
  input?: string | Buffer): Promise<Command & { exitCode: number | string }> {
  const command = new Command(args, input);
  return Object.assign(command, { exitCode: await command.exited });
}

/** Counts what it gets and answers with fixed bytes. */
export class FakeServer {
  connectionCount = 0;
  /** All bytes of all connections, in hex. */
  received = '';
  readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();

  /** @param answer to the first bytes of a connection; undefined: closes at once */
  constructor(answer: readonly number[] | undefined, closesAfterwards = false) {
    this.server = createServer(socket => {
      ++this.connectionCount;
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      if (answer === undefined)
        socket.end();
      else
        socket.once('data', () => closesAfterwards ? socket.end(Buffer.from(answer))
          : socket.write(Buffer.from(answer)));
      socket.on('data', data => {
        this.received += data.toString('hex');
        this.waiting.forEach(check => check());
      });
      this.waiting.forEach(check => check());
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = (): void => {
        if (condition()) {
          this.waiting.delete(check);
          resolve();
        }
      };
      this.waiting.add(check);
      check();
    });
  }

  close(): void {
    this.server.close();
    this.sockets.forEach(socket => socket.destroy());
  }
}

/** A port on which nobody listens: it was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = new FakeServer(undefined);
  const port = await server.listen();
  server.close();
  await once(server.server, 'close');
  return port;
}

/** Sends bytes to a port. @returns what came back, in hex, when `length` bytes have come or the peer has closed */
export async function exchange(port: number, hex: string, length: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  let answer = '';
  for await (const data of socket) {
    answer += (data as Buffer).toString('hex');
    if (answer.length >= length * 2)
      break;
  }
  socket.destroy();
  return answer;
}

export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'ringbridge-'));

  write(name: string, content: string | object): string {
    const path = join(this.path, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
