/**
 * Whole bridges on Node: messages of W1's size come from a raw TCP peer, cross the bridge, and reach a raw TCP peer that
 * counts them. Each bridge is a process of its own (bridge-process.ts); all live through the whole comparison and take
 * rounds in turn. The figure is CPU time of the bridge's process per message, because the time on the clock depends on
 * what else the computer does; messages per second are told too.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { bytesOf } from '../xs/workloads.ts';
import { median, onNode, type Figure } from './figures.ts';
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

export interface BridgeFigure extends Figure {
  readonly packetsPerSecond: number;
}

class Bridge {
  readonly subject: string;
  readonly cpu: number[] = [];
  readonly time: number[] = [];
  private readonly child: ChildProcess;
  private readonly servers: readonly Server[];
  private readonly source: RawPeer;
  private readonly sink: RawPeer;
  private identifier = 0;

  private constructor(subject: string, child: ChildProcess, servers: readonly Server[], source: RawPeer, sink: RawPeer) {
    this.subject = subject;
    this.child = child;
    this.servers = servers;
    this.source = source;
    this.sink = sink;
  }

  static async start(subject: string, program: string): Promise<Bridge> {
    const sink = await listen();
    const source = await listen();
    const child = fork(program, [subject, String(source.port), String(sink.port)]);
    const [port] = await ask(child) as [number];
    const peer = port === 0 ? await source.peer : await RawPeer.connect(port);
    if (port !== 0) {
      peer.send(Buffer.from(bytesOf(0x10, 15, 0, 4, 'MQTT', 4, 2, 0, 0, 0, 3, 'src')));
    }
    const bridge = new Bridge(subject, child, [sink.server, source.server], peer, await sink.peer);
    await bridge.until(() => port === 0 || peer.connackCount === 1);
    return bridge;
  }

  /** Sends `count` messages, and waits until all have come out, and with QoS 1 are acknowledged. */
  async cross(qos: number, count: number): Promise<void> {
    const { sink, source } = this;
    const [published, acknowledged] = [sink.publishCount, source.pubackCount];
    const arrived = (): number => Math.min(sink.publishCount - published, qos === 0 ? Infinity : source.pubackCount - acknowledged);
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
    const cpu = await this.cpuTime();
    const start = performance.now();
    await this.cross(qos, ROUND);
    this.time.push((performance.now() - start) * 1e6 / ROUND);
    this.cpu.push((await this.cpuTime() - cpu) * 1000 / ROUND);
  }

  stop(): void {
    this.child.disconnect();
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

  private async cpuTime(): Promise<number> {
    this.child.send('cpu time');
    return (await once(this.child, 'message') as [number])[0];
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
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the bridge ended with ${code} before it was ready`))),
  ]);
}

/** @param program the bundle of bridge-process.ts @param seconds for each QoS */
export async function* compareBridges(program: string, seconds: number): AsyncGenerator<BridgeFigure> {
  const bridges: Bridge[] = [];
  try {
    for (const subject of SUBJECTS)
      bridges.push(await Bridge.start(subject, program));
    for (const qos of [0, 1]) {
      for (const bridge of bridges) {
        await bridge.cross(qos, WARM_UP);
        bridge.cpu.length = bridge.time.length = 0;
      }
      const end = performance.now() + seconds * 1000;
      for (let round = 0; round < FEWEST_ROUNDS || performance.now() < end; ++round)
        for (const bridge of bridges)
          await bridge.measure(qos);
      for (const { cpu, subject, time } of bridges)
        yield { ...onNode(`bridge, QoS ${qos}`, subject, median(cpu)), packetsPerSecond: Math.round(1e9 / median(time)) };
    }
  } finally {
    bridges.forEach(bridge => bridge.stop());
  }
}
