/**
 * Whole bridges on Node: messages of W1's size come from a raw TCP peer, cross the bridge, and reach a raw TCP peer
 * that counts them. Each bridge is a process of its own (bridge-process.ts); all live through the whole comparison
 * and take rounds in turn. The figure is CPU time of the bridge's process per message, because the time on the clock
 * depends on what else the computer does; messages per second are told too.
 *
 * With a store, Mosquitto's bridge is the peer: with its persistence as it comes, which is saved now and then and
 * when the program ends, and saved at each change. Neither makes a sender wait for its acknowledgement until the disk
 * has the message; ours does.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf } from '../xs/workloads.ts';
import { median, onNode, type Figure } from './figures.ts';
import { hasMosquitto, startMosquitto } from './mosquitto-bridge.ts';
import { listen, RawPeer } from './raw-peer.ts';

const SUBJECTS = ['ringbridge', 'aedes + MQTT.js', 'MQTT.js'];

const TOPIC_COUNT = 16;
/** Messages under way: few enough that nobody has to drop any, many enough that nobody waits. */
const WINDOW = 512;
const WARM_UP = 5000;
const ROUND = 5000;
const FEWEST_ROUNDS = 3;
/** A message that is lost ends the benchmark after so many milliseconds. */
const PATIENCE = 20_000;

interface BridgeFigure extends Figure {
  readonly packetsPerSecond: number;
}

/** A bridge that runs: it has a listener, or connects to the source itself. */
export interface BridgeProcess {
  /** Of its listener; 0: it connects. */
  readonly port: number;
  /** Microseconds so far. */
  cpuTime(): Promise<number>;
  stop(): void;
}

type Starter = (sourcePort: number, sinkPort: number) => Promise<BridgeProcess>;

class Bridge {
  readonly subject: string;
  readonly cpu: number[] = [];
  readonly time: number[] = [];
  private readonly process: BridgeProcess;
  private readonly servers: readonly Server[];
  private readonly source: RawPeer;
  private readonly sink: RawPeer;
  private identifier = 0;

  private constructor(subject: string, process: BridgeProcess, servers: readonly Server[], source: RawPeer,
    sink: RawPeer) {
    this.subject = subject;
    this.process = process;
    this.servers = servers;
    this.source = source;
    this.sink = sink;
  }

  static async start(subject: string, starter: Starter): Promise<Bridge> {
    const sink = await listen();
    const source = await listen();
    const process = await starter(source.port, sink.port);
    const { port } = process;
    const peer = port === 0 ? await source.peer : await RawPeer.connect(port);
    if (port !== 0) {
      peer.send(Buffer.from(bytesOf(0x10, 15, 0, 4, 'MQTT', 4, 2, 0, 0, 0, 3, 'src')));
    }
    const bridge = new Bridge(subject, process, [sink.server, source.server], peer, await sink.peer);
    await bridge.until(() => port === 0 || peer.connackCount === 1);
    return bridge;
  }

  /** Sends `count` messages, and waits until all have come out, and with QoS 1 are acknowledged. */
  async cross(qos: number, count: number): Promise<void> {
    const { sink, source } = this;
    const [published, acknowledged] = [sink.publishCount, source.pubackCount];
    const arrived = (): number =>
      Math.min(sink.publishCount - published, qos === 0 ? Infinity : source.pubackCount - acknowledged);
    for (let sent = 0; sent < count;) {
      const batch = Math.min(count - sent, WINDOW / 2);
      source.send(this.messages(qos, batch));
      sent += batch;
      await this.until(() => arrived() > sent - WINDOW / 2 || arrived() >= count);
    }
    await this.until(() => arrived() >= count);
    if (sink.publishCount - published !== count)
      throw new Error(`${this.subject}: ${sink.publishCount - published} messages came out, ${count} went in`);
  }

  async measure(qos: number): Promise<void> {
    const cpu = await this.process.cpuTime();
    const start = performance.now();
    await this.cross(qos, ROUND);
    this.time.push((performance.now() - start) * 1e6 / ROUND);
    this.cpu.push((await this.process.cpuTime() - cpu) * 1000 / ROUND);
  }

  stop(): void {
    this.process.stop();
    this.source.close();
    this.sink.close();
    this.servers.forEach(server => server.close());
  }

  private until(condition: () => boolean): Promise<void> {
    const { sink, source, subject } = this;
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`${subject} has lost messages: ${sink.publishCount} came out, ${source.pubackCount} acknowledgements came back`)), PATIENCE);
      const check = (): void => {
        if (!condition())
          return;
        clearTimeout(limit);
        resolve();
      };
      sink.onCounted = source.onCounted = check;
      check();
    });
  }

  private messages(qos: number, count: number): Buffer {
    return Buffer.concat(Array.from({ length: count }, (_, index) => {
      const topic = `site/room1/temp/00${String(index % TOPIC_COUNT).padStart(2, '0')}`;
      this.identifier = this.identifier % 65535 + 1;
      const identifier = qos === 0 ? [] : [this.identifier >> 8, this.identifier & 255];
      return bytesOf(0x30 | qos << 1, 86 + identifier.length, 0, 20, topic, ...identifier, 'p'.repeat(64));
    }));
  }
}

/** The child's first message; fails when it ends instead. */
function ask(child: ChildProcess): Promise<unknown[]> {
  return Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`the bridge ended with ${code} before it was ready`))),
  ]);
}

/** @param args of bridge-process.ts, behind the ports */
const forked = (program: string, subject: string, ...args: string[]): Starter => async (sourcePort, sinkPort) => {
  const child = fork(program, [subject, String(sourcePort), String(sinkPort), ...args]);
  const [port] = await ask(child) as [number];
  return {
    port,
    async cpuTime() {
      child.send('cpu time');
      return (await once(child, 'message') as [number])[0];
    },
    stop: () => child.disconnect(),
  };
};

/** @param program the bundle of bridge-process.ts @param seconds for each QoS */
export async function* compareBridges(program: string, seconds: number): AsyncGenerator<BridgeFigure> {
  yield* compare('bridge', SUBJECTS.map(subject => [subject, forked(program, subject)]), [0, 1], seconds);
  const folder = mkdtempSync(join(tmpdir(), 'ringbridge-bench-'));
  try {
    const subjects: [string, Starter][] = [['ringbridge', forked(program, 'ringbridge', join(folder, 'store'))]];
    if (hasMosquitto())
      subjects.push(['mosquitto', startMosquitto(join(folder, 'mosquitto'), 'now and then')],
        ['mosquitto, each change', startMosquitto(join(folder, 'each'), 'each change')]);
    else
      process.stderr.write('bridge with store: mosquitto not found, so there is no peer; apt-get install mosquitto\n');
    yield* compare('bridge with store', subjects, [1], seconds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function* compare(workload: string, subjects: readonly [string, Starter][], qualities: readonly number[],
  seconds: number): AsyncGenerator<BridgeFigure> {
  const bridges: Bridge[] = [];
  try {
    for (const [subject, starter] of subjects)
      bridges.push(await Bridge.start(subject, starter));
    for (const qos of qualities) {
      for (const bridge of bridges) {
        await bridge.cross(qos, WARM_UP);
        bridge.cpu.length = bridge.time.length = 0;
      }
      const end = performance.now() + seconds * 1000;
      for (let round = 0; round < FEWEST_ROUNDS || performance.now() < end; ++round)
        for (const bridge of bridges)
          await bridge.measure(qos);
      for (const { cpu, subject, time } of bridges)
        yield { ...onNode(`${workload}, QoS ${qos}`, subject, median(cpu)),
          packetsPerSecond: Math.round(1e9 / median(time)) };
    }
  } finally {
    bridges.forEach(bridge => bridge.stop());
  }
}
