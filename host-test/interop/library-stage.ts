/**
 * Client libraries as nodes: each is a program that takes commands and says what happens (libraries/README.md). The
 * same play is given before the gateway and before Mosquitto, which is the control.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { Broker, freePort, Gateway } from './cast.ts';
import { patiently, type Program, type Scene } from './program.ts';

const FOLDER = fileURLToPath(new URL('libraries/', import.meta.url));

export interface Library {
  readonly name: string;
  /** How to start its adapter. */
  readonly command: readonly string[];
  /** What makes the adapter, and where. */
  readonly compile?: readonly string[];
  /** Seconds. */
  readonly shortestKeepAlive: number;
}

/** Where adapters in C are built. */
const built = mkdtempSync(join(tmpdir(), 'ringbridge-libraries-'));
process.on('exit', () => rmSync(built, { recursive: true, force: true }));

const inC = (name: string, source: string, library: string, shortestKeepAlive = 1): Library => ({
  name, shortestKeepAlive, command: [join(built, source)],
  compile: ['gcc', '-Wall', '-Wextra', '-Werror', '-o', join(built, source), join(FOLDER, `${source}.c`), `-l${library}`],
});

export const LIBRARIES: readonly Library[] = [
  { name: 'MQTT.js', shortestKeepAlive: 1, command: [process.execPath, join(FOLDER, 'mqttjs.mjs')] },
  // Debian's Python: it has Debian's libraries.
  { name: 'Paho for Python', shortestKeepAlive: 1, command: ['/usr/bin/python3', join(FOLDER, 'paho_python.py')] },
  inC('Paho C', 'paho', 'paho-mqtt3c'),
  inC('Paho C, asynchronous', 'paho_async', 'paho-mqtt3a'),
  inC('libmosquitto', 'libmosquitto', 'mosquitto', 5),
];

/** @throws Error with what the compiler says */
export function compile({ compile: words, name }: Library): void {
  const [command, ...args] = words ?? [];
  if (command === undefined)
    return;
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`the adapter of ${name} cannot be built:\n${stderr}`);
}

export interface ConnectOptions {
  readonly clean?: boolean;
  /** Seconds. */
  readonly keepAlive?: number;
  readonly password?: string;
  readonly will?: { readonly topic: string; readonly qos: number; readonly retain?: boolean };
  readonly port?: number;
}

const USER = 'node';
const PASSWORD = 'secret';

/** A node with the library on trial. */
export class LibraryNode {
  readonly program: Program;
  private readonly stage: Stage;
  private readonly identifier: string;
  private at = 0;

  constructor(stage: Stage, identifier: string) {
    const [command, ...args] = stage.library.command;
    this.stage = stage;
    this.identifier = stage.prefix + identifier;
    this.program = stage.scene.startWithInput(identifier, command!, ...args);
  }

  /** @returns what the library says: connected with Session Present, or refused with a code */
  connect(options: ConnectOptions = {}): Promise<string> {
    const { clean = true, keepAlive = 60, password = PASSWORD, port = this.stage.port, will } = options;
    this.program.write(['connect', port, this.identifier, clean ? 1 : 0, keepAlive, USER, password,
      will === undefined ? '-' : this.stage.full(will.topic),
      will?.qos ?? 0, will?.retain === true ? 1 : 0].join(' '));
    return this.next(/^(connected|refused) /);
  }

  subscribe(filter: string, qos: number): Promise<string> {
    this.program.write(`subscribe ${this.stage.full(filter)} ${qos}`);
    return this.next(/^subscribed /);
  }

  unsubscribe(filter: string): Promise<string> {
    this.program.write(`unsubscribe ${this.stage.full(filter)}`);
    return this.next(/^unsubscribed$/);
  }

  /** @returns when the library takes it for delivered */
  publish(topic: string, payload: string, qos: number, retain = false): Promise<string> {
    this.send(topic, payload, qos, retain);
    return this.next(new RegExp(`^(published|failed) ${this.stage.full(topic)}$`));
  }

  /** The same, without waiting. */
  send(topic: string, payload: string, qos: number, retain = false): void {
    this.program.write(`publish ${this.stage.full(topic)} ${payload} ${qos} ${retain ? 1 : 0}`);
  }

  disconnect(): Promise<string> {
    this.program.write('disconnect');
    return this.next(/^disconnected$/);
  }

  lost(): Promise<string> {
    return this.next(/^lost$/);
  }

  /** Waits for so many messages in all. @returns them, as `qos retain topic payload` */
  async messages(count: number): Promise<string[]> {
    while (this.program.count(/^message /) < count)
      await this.program.line(/^message /, this.program.lines.length);
    return this.program.lines.filter(line => line.startsWith('message '))
      .map(line => this.stage.short(line.slice('message '.length)));
  }

  /** As when the power is cut. */
  vanish(): void {
    this.program.kill('SIGKILL');
  }

  /** The next line of a kind: what has been seen is not seen again. */
  private async next(pattern: RegExp): Promise<string> {
    const line = await this.program.line(pattern, this.at);
    this.at = this.program.lines.indexOf(line, this.at) + 1;
    return this.stage.short(line);
  }
}

/** One before which plays are given: the gateway, or Mosquitto. */
export interface House {
  readonly port: number;
  restart(): Promise<void>;
}

export async function gatewayHouse(scene: Scene): Promise<House> {
  const configuration = {
    topic: [], upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] },
    listener: { port: await freePort(), allow_anonymous: false, users: [{ username: USER, password: PASSWORD }],
      max_connections: 60, max_queued_messages: 1000 },
  };
  let { port, program } = await Gateway.start(scene, configuration);
  return { port, restart: async () => {
    await program.stop();
    ({ port, program } = await Gateway.start(scene, configuration));
  } };
}

export async function mosquittoHouse(scene: Scene): Promise<House> {
  const broker = await Broker.start(scene, ['max_queued_messages 1000'], { [USER]: PASSWORD });
  return { port: broker.port, restart: async () => {
    await broker.program.stop();
    await broker.start();
  } };
}

/** For one play: its topics and identifiers are those of no other one in the same house. */
export class Stage {
  readonly scene: Scene;
  readonly library: Library;
  readonly prefix: string;
  readonly port: number;
  private readonly house: House;

  constructor(scene: Scene, library: Library, house: House, prefix: string) {
    this.scene = scene;
    this.library = library;
    this.house = house;
    this.prefix = prefix;
    this.port = house.port;
  }

  restart(): Promise<void> {
    return this.house.restart();
  }

  full(topic: string): string {
    return `${this.prefix}/${topic}`;
  }

  short(line: string): string {
    return line.replaceAll(`${this.prefix}/`, '');
  }

  /** A node with the library on trial. */
  node(identifier = 'node'): LibraryNode {
    return new LibraryNode(this, identifier);
  }

  /** Another client, whose library is not on trial. */
  async peer(...filters: string[]): Promise<Peer> {
    const client = await patiently('the peer connects', connectAsync({ host: '127.0.0.1', port: this.port, protocolVersion: 4,
      reconnectPeriod: 0, username: USER, password: PASSWORD, clientId: `${this.prefix}peer` }));
    this.scene.finally(() => client.end(true));
    const peer = new Peer(client, this);
    for (const filter of filters)
      await client.subscribeAsync(this.full(filter), { qos: 2 });
    return peer;
  }

  /** A network that carries a few bytes at a time. @returns its port here */
  async slowNetwork(): Promise<number> {
    const port = await freePort();
    const sockets = new Set<Socket>();
    const server = createServer(near => {
      const far = connect(this.port, '127.0.0.1');
      for (const [from, to] of [[near, far], [far, near]] as const) {
        sockets.add(from);
        let sending = Promise.resolve();
        from.on('data', bytes => {
          sending = sending.then(async () => {
            for (let at = 0; at < bytes.length; at += 3) {
              to.write(bytes.subarray(at, at + 3));
              await new Promise(resolve => setTimeout(resolve, 4));
            }
          });
        }).on('close', () => void sending.then(() => to.end())).on('error', () => {});
        from.setNoDelay(true);
      }
    });
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    this.scene.finally(() => {
      server.close();
      sockets.forEach(socket => socket.destroy());
    });
    return port;
  }
}

export class Peer {
  private readonly client: MqttClient;
  private readonly stage: Stage;
  private readonly received: string[] = [];
  private wake = (): void => {};

  constructor(client: MqttClient, stage: Stage) {
    this.client = client;
    this.stage = stage;
    client.on('message', (topic, payload, { qos, retain }) => {
      this.received.push(`${qos} ${retain ? 1 : 0} ${stage.short(topic)} ${payload.length === 0 ? '-' : String(payload)}`);
      this.wake();
    });
  }

  publish(topic: string, payload: string, qos: 0 | 1 | 2, retain = false): Promise<unknown> {
    return patiently(`${topic} acknowledged`, this.client.publishAsync(this.stage.full(topic), payload, { qos, retain }));
  }

  /** Waits for so many messages in all. */
  async messages(count: number): Promise<string[]> {
    await patiently(`${count} messages`, new Promise<void>(resolve => {
      this.wake = () => this.received.length >= count && resolve();
      this.wake();
    }));
    return this.received;
  }
}
