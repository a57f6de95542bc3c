/**
 * Who plays in the interop tests: the gateway as users start it, a Mosquitto broker, and Mosquitto's clients as nodes
 * and as those who talk to the broker. Everything listens on loopback, on ports that are free.
 */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { type Program, Scene } from './program.ts';

/** What users start; built before the tests (host-test/build.ts). */
export const GATEWAY_PROGRAM = fileURLToPath(new URL('../../dist/host/main.js', import.meta.url));

/** Of one test, in milliseconds: every wait in it has a shorter limit of its own. */
const TEST_TIMEOUT = 60_000;

/** Below the ports that systems give to whoever asks for any, so that only another test could be faster. */
const FIRST_PORT = 10_000;
const LAST_PORT = 30_000;

export const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv50'] as const;

/** What Mosquitto's clients call a version after `-V`. */
export const optionOf = (version: string): string => version === 'mqttv50' ? 'mqttv5' : version;

/** Retries at once: the tests do not wait for the sake of waiting. */
const IMPATIENT: [number, number] = [0.1, 0.3];

/** What goes out, and what comes in. */
const RULES: PartialConfiguration['topic'] = [
  { pattern: 'reading/#', direction: 'out', qos: 2, remote_prefix: 'site/greenhouse/' },
  { pattern: 'command/#', direction: 'in', qos: 2, remote_prefix: 'site/greenhouse/' },
];

/** A test with a scene of its own. Those of one file run side by side. */
export function interop(name: string, play: (scene: Scene) => Promise<void>): void {
  it.concurrent(name, () => Scene.play(play), TEST_TIMEOUT);
}

/**
 * @throws Error naming the Debian packages to install: what is to be tested against must be there, else nothing has
 * been tested
 */
export function requirePrograms(packageOf: Readonly<Record<string, string>>): void {
  const missing =
    Object.keys(packageOf).filter(program =>
      spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${program}`]).status !== 0);
  if (missing.length > 0)
    throw new Error(`${missing.join(', ')} not found. These tests need other people's programs: apt-get install ${[...new Set(missing.map(program => packageOf[program]))].join(' ')}`);
}

export const MOSQUITTO = {
  mosquitto: 'mosquitto', mosquitto_passwd: 'mosquitto', mosquitto_pub: 'mosquitto-clients',
    mosquitto_sub: 'mosquitto-clients', stdbuf: 'coreutils',
};

const isFree = (port: number): Promise<boolean> => new Promise(resolve => {
  const server = createServer();
  server.on('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port))
      return port;
  }
}

export class Broker {
  readonly port: number;
  program!: Program;
  private readonly scene: Scene;
  private readonly passwordFile: string;
  private readonly settings: readonly string[];

  private constructor(scene: Scene, port: number, settings: readonly string[]) {
    this.scene = scene;
    this.port = port;
    this.passwordFile = join(scene.directory, 'passwords');
    this.settings = settings;
  }

  /**
   * @param settings further lines of its configuration file @param users name and password; without, everybody may
   * connect
   */
  static async start(scene: Scene, settings: readonly string[] = [], users?: Readonly<Record<string,
    string>>): Promise<Broker> {
    const broker = await Broker.prepare(scene, settings, users);
    await broker.start();
    return broker;
  }

  /** One that is not running yet. */
  static async prepare(scene: Scene, settings: readonly string[] = [], users?: Readonly<Record<string,
    string>>): Promise<Broker> {
    const broker = new Broker(scene, await freePort(), users === undefined
      ? ['allow_anonymous true', ...settings]
      : ['allow_anonymous false', `password_file ${join(scene.directory, 'passwords')}`, ...settings]);
    if (users !== undefined)
      broker.setUsers(users);
    return broker;
  }

  get address(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  setUsers(users: Readonly<Record<string, string>>): void {
    for (const [index, [name, password]] of Object.entries(users).entries())
      expect(spawnSync('mosquitto_passwd',
        [...index === 0 ? ['-c'] : [], '-b', this.passwordFile, name, password]).status).toBe(0);
  }

  async start(): Promise<void> {
    const file = join(this.scene.directory, `mosquitto-${this.port}.conf`);
    await writeFile(file, [
      `listener ${this.port} 127.0.0.1`,
      'user root', // else it gives up the right to read the files of whoever runs the tests as root
      'persistence false',
      'log_dest stderr',
      'log_type all',
      ...this.settings,
      '',
    ].join('\n'));
    this.program = this.scene.start('broker', 'mosquitto', '-c', file);
    await this.program.line(/mosquitto version .* running/);
  }

  /** `settle`: the gateway has connected and its subscriptions are made. */
  async bridged(from = 0, subscriptions = 1): Promise<void> {
    let at = from;
    for (let count = 0; count < subscriptions; ++count) {
      await this.program.line(/Sending SUBACK to greenhouse/, at);
      at = this.program.lines.findIndex((line, index) => index >= at && /Sending SUBACK to greenhouse/.test(line)) + 1;
    }
  }
}

type Upstream = NonNullable<PartialConfiguration['upstream']>;

type Listener = NonNullable<PartialConfiguration['listener']>;

/** With one upstream and listener, or several. */
export type GatewayConfiguration = Omit<PartialConfiguration, 'listener' | 'upstream'>
  & { readonly listener?: Listener | readonly Listener[]; readonly upstream?: Upstream | readonly Upstream[] };

const OPEN: Listener = { port: 0, allow_anonymous: true, max_connections: 20, max_queued_bytes: 65536,
  max_queued_messages: 500 };

export class Gateway {
  readonly program: Program;
  readonly port: number;
  readonly readyLine: string;

  private constructor(program: Program, port: number, readyLine: string) {
    this.program = program;
    this.port = port;
    this.readyLine = readyLine;
  }

  /** Returns when nodes may connect. */
  static async start(scene: Scene, configuration: GatewayConfiguration): Promise<Gateway> {
    const program = await Gateway.run(scene, configuration);
    const readyLine = await program.line(/^ready /);
    return new Gateway(program, Number(/listener=127\.0\.0\.1:(\d+)[ ,]/.exec(readyLine)![1]), readyLine);
  }

  /** Returns at once. */
  static async run(scene: Scene, configuration: GatewayConfiguration): Promise<Program> {
    const file = join(scene.directory, 'gateway.json');
    await writeFile(file, JSON.stringify({
      name: 'greenhouse',
      topic: RULES,
      ...configuration,
      listener: Array.isArray(configuration.listener)
        ? configuration.listener.map((each: object, index) => ({ address: '127.0.0.1', ...index === 0 && OPEN, ...each }))
        : { address: '127.0.0.1', ...OPEN, ...configuration.listener },
      upstream: Array.isArray(configuration.upstream)
        ? configuration.upstream.map((each: object) => ({ restart_timeout: IMPATIENT, ...each }))
        : { restart_timeout: IMPATIENT, ...configuration.upstream },
    }));
    return scene.start('gateway', process.execPath, GATEWAY_PROGRAM, 'run', '--config', file);
  }

  async connected(from = 0): Promise<void> {
    await this.program.line(/upstream mqtt:\S+ connected/, from);
  }
}

/** Publishes with mosquitto_pub, which returns when the message has been acknowledged. */
export async function publish(scene: Scene, port: number, topic: string, payload: string,
  ...args: string[]): Promise<void> {
  const exit = await scene.start('mosquitto_pub', 'mosquitto_pub', '-h', '127.0.0.1', '-p', String(port), '-t', topic,
    ...payload === '' ? ['-n'] : ['-m', payload], ...args).exit();
  expect(exit).toEqual({ code: 0, signal: null });
}

/** What mosquitto_sub receives: `MESSAGE qos retain topic payload`. */
export class Subscriber {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  /** Returns when the subscription stands. */
  static async start(scene: Scene, port: number, topic: string, ...args: string[]): Promise<Subscriber> {
    const program =
      scene.start('mosquitto_sub', 'stdbuf', '-oL', 'mosquitto_sub', '-h', '127.0.0.1', '-p', String(port),
      '-d', '-q', '2', '-F', 'MESSAGE %q %r %t %p', '-t', topic, ...args);
    await program.line(/^Subscribed /);
    return new Subscriber(program);
  }

  get messages(): string[] {
    return this.program.lines.filter(line => line.startsWith('MESSAGE ')).map(line => line.slice('MESSAGE '.length));
  }

  /** Waits for `qos retain topic payload`. */
  async message(expected: string): Promise<void> {
    await this.program.line(new RegExp(`^MESSAGE ${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));
  }
}

/** Sends bytes to a listener. @returns what comes back until the other side closes, as hexadecimal */
export function exchange(port: number, hex: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(hex.replace(/\s/g, ''), 'hex')));
    socket.on('data', chunk => received.push(chunk));
    socket.on('end', () => {
      socket.end();
      resolve(Buffer.concat(received).toString('hex'));
    });
    socket.on('error', reject);
  });
}
