/** The gateway as users start it, stopped by the system for longer than its nodes may be silent, and continued. */
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { freePort, Gateway, interop } from './cast.ts';

const NODES = 10;
const KEEP_ALIVE = 2;
/** Milliseconds. Longer than one and a half times Keep Alive. */
const STOP = 5000;

const PINGREQ = Buffer.from([0xC0, 0]);
const PINGRESP = 0xD0;
const PUBLISH = 3;

const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));
const text = (value: string): Buffer => Buffer.from([0, value.length, ...Buffer.from(value)]);
const packet = (first: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.from([first, body.length, ...body]);
};

/** A node that says what the test says. */
class Node {
  isClosed = false;
  private received = Buffer.alloc(0);
  private readonly socket: Socket;

  /** @param will with it, and with Keep Alive */
  constructor(port: number, name: string, will?: string) {
    this.socket = connect(port, '127.0.0.1').on('error', () => {}).on('close', () => { this.isClosed = true; })
      .on('data', data => { this.received = Buffer.concat([this.received, data]); });
    this.send(packet(0x10, text('MQTT'),
      Buffer.from([4, will === undefined ? 2 : 6, 0, will === undefined ? 0 : KEEP_ALIVE]), text(name),
      ...will === undefined ? [] : [text(will), text('gone')]));
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** First bytes of what has arrived; every packet here is short. */
  get types(): number[] {
    const types: number[] = [];
    for (let at = 0; at + 1 < this.received.length; at += 2 + this.received[at + 1]!)
      types.push(this.received[at]!);
    return types;
  }

  get answers(): number {
    return this.types.filter(type => type === PINGRESP).length;
  }

  close(): void {
    this.socket.destroy();
  }
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 20) {
    if (waited > 15_000)
      throw new Error(`${what}: not within 15 seconds`);
    await sleep(20);
  }
}

interop('a gateway that is stopped for five seconds closes no node whose PINGREQ waits in its socket, and publishes no Will', async scene => {
  const gateway =
    await Gateway.start(scene, { topic: [], upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
  const watcher = new Node(gateway.port, 'watcher');
  watcher.send(packet(0x82, Buffer.from([0, 1]), text('will/#'), Buffer.from([0])));
  const nodes = Array.from({ length: NODES }, (_, index) => new Node(gateway.port, `n${index}`, `will/${index}`));
  scene.finally(() => [watcher, ...nodes].forEach(node => node.close()));
  await until('all nodes are connected', () => watcher.types.length === 2
    && nodes.every(({ types }) => types.length === 1));
  await sleep(KEEP_ALIVE * 1000 - 500); // the verdict on all of them falls due in the pause
  gateway.program.kill('SIGSTOP');
  await sleep(500);
  for (const node of nodes)
    node.send(PINGREQ);
  await sleep(STOP - 500);
  gateway.program.kill('SIGCONT');
  await until('all are answered, or closed', () => nodes.every(({ answers, isClosed }) => answers === 1 || isClosed));
  for (let round = 2; round <= 3; ++round) { // and life goes on
    for (const node of nodes)
      node.send(PINGREQ);
    await until('all are answered, or closed', () =>
      nodes.every(({ answers, isClosed }) => answers === round || isClosed));
    await sleep(1000);
  }
  expect(nodes.filter(({ isClosed }) => isClosed).length).toBe(0);
  expect(watcher.types.filter(type => type >> 4 === PUBLISH)).toEqual([]);
  expect(gateway.program.count(/is gone|published the Will/)).toBe(0);

  nodes[0]!.send(PINGREQ);
  await until('a node that is really silent is closed, and its Will published', () =>
    watcher.types.some(type => type >> 4 === PUBLISH));
});
