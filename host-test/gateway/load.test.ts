/** A thousand nodes on a computer, over real sockets: all of them are served, and memory stays as it is. */
import { connect as connectTCP, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { createPlatform } from '../../src/host/platform.ts';
import { Runtime } from '../../src/io/runtime.ts';
import { connect, describePackets, DISCONNECT, publish, subscribe } from '../world/packets.ts';

const NODES = 1000;
/** Sockets that are opened at a time: fewer than the system keeps waiting. */
const GROUP = 100;

class LoadNode {
  private readonly socket: Socket;
  private bytes: Buffer = Buffer.alloc(0);
  private wanted = 0;
  private onEnough: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connectTCP(port, '127.0.0.1');
    this.socket.on('data', data => {
      this.bytes = Buffer.concat([this.bytes, data]);
      if (this.bytes.length >= this.wanted)
        this.onEnough?.();
    });
    this.socket.on('error', () => this.onEnough?.());
    this.socket.on('close', () => this.onEnough?.());
  }

  send(packet: Uint8Array): void {
    this.socket.write(packet);
  }

  /** What has arrived, when it is `length` bytes or the connection is over. */
  async receive(length: number): Promise<string[]> {
    this.wanted = length;
    if (this.bytes.length < length && !this.socket.destroyed)
      await new Promise<void>(resolve => { this.onEnough = resolve; });
    this.onEnough = undefined;
    const events = describePackets(this.bytes);
    this.bytes = Buffer.alloc(0);
    return events;
  }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

test(`serves ${NODES} nodes at a time, and memory stays flat`, async () => {
  let port = 0;
  let onListening = (): void => undefined;
  const listening = new Promise<void>(resolve => { onListening = resolve; });
  const runtime = new Runtime(completeConfiguration({
    upstream: { restart_timeout: [3600, 3600] },
    listener: {
      port: 0, address: '127.0.0.1', allow_anonymous: true, max_connections: NODES, max_sessions: NODES,
        max_packet_size: 256, max_queued_bytes: 512, max_will_size: 32,
      max_subscriptions: 2 * NODES, max_subscription_bytes: 64 * NODES, sys_interval: 0,
    },
    memory: { topics: 2048 },
  }), createPlatform({ authenticate: () => 0 }), {
    onEvent() { /* counted by the gateway */ },
    onSensorFailed() { /* no sensors */ },
    onSensorRecovered() { /* no sensors */ },
    onListening(actual) {
      port = actual;
      onListening();
    },
    onListenerError(message) { throw new Error(message); },
    onException(error) { throw error; },
  });
  runtime.start();
  await listening;

  const nodes: LoadNode[] = [];
  for (let first = 0; first < NODES; first += GROUP) {
    const group = Array.from({ length: GROUP }, (_, index) => {
      const node = new LoadNode(port);
      node.send(connect(`node${first + index}`,
        { clean: false, will: { topic: 'gone', payload: `${first + index}` } }));
      node.send(subscribe(1, `command/${first + index}`, 1));
      return node;
    });
    for (const node of group)
      expect(await node.receive(9)).toEqual(['CONNACK 0', 'SUBACK #1 1']);
    nodes.push(...group);
  }
  expect(runtime.gateway.connectedCount).toBe(NODES);

  const surplus = new LoadNode(port);
  surplus.send(connect('surplus'));
  expect(await surplus.receive(4)).toEqual(['CONNACK 3']);

  /** Each node sends a command to its neighbour with QoS 1, and each gets one. */
  const round = async (payload: string): Promise<void> => {
    nodes.forEach((node, index) =>
      node.send(publish(`command/${(index + 1) % NODES}`, payload, { qos: 1, identifier: 7 })));
    for (const [index, node] of nodes.entries()) {
      const length = 4 + publish(`command/${index}`, payload, { qos: 1 }).length;
      const events = await node.receive(length);
      const message = events.find(event => event.startsWith('PUBLISH'));
      expect(events).toHaveLength(2);
      expect(events).toContain('PUBACK #7');
      expect(message).toContain(`command/${index}=${payload} q1 #`);
      const identifier = Number(message!.split('#')[1]);
      node.send(new Uint8Array([0x40, 2, identifier >> 8, identifier & 255]));
    }
  };
  await round('warm up');
  await round('warm up');
  const before = heapAfterCollection();
  for (let count = 0; count < 5; ++count)
    await round(`round ${count}`);
  const growth = heapAfterCollection() - before;
  expect(growth).toBeLessThan(2 * 1024 * 1024);
  expect([runtime.gateway.delivery.droppedCount, runtime.gateway.connectedCount]).toEqual([0, NODES]);

  const ends = nodes.map(node => {
    node.send(DISCONNECT);
    return node.receive(1);
  });
  for (const end of ends)
    expect(await end).toEqual([]);
  await new Promise<void>(resolve => runtime.stop(resolve));
  expect(runtime.gateway.connectedCount).toBe(0);
}, 60_000);
