/**
 * The gateway as users start it, killed again and again under load, with a real broker upstream. The nodes are as careful as
 * the specification asks: what was not acknowledged they send again. Counted at the broker.
 */
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { seeded } from '../session/pair.ts';
import { NodeModel } from '../simulation/store-world.ts';
import { Broker, freePort, Gateway, MOSQUITTO, requirePrograms, Subscriber } from './cast.ts';
import { Scene } from './program.ts';

requirePrograms(MOSQUITTO);

const KILLS = 20;
const WINDOW = 10;
const SEED = 20261124;

/** Keeps a window of messages under way, and connects anew when the gateway is gone. */
class LoadingNode {
  readonly model: NodeModel;
  isStopped = false;
  private readonly port: number;
  private socket: Socket | undefined;
  private received: number[] = [];
  private isAccepted = false;
  private readonly random: () => number;

  constructor(name: string, port: number, random: () => number) {
    this.model = new NodeModel(name);
    this.port = port;
    this.random = random;
    this.open();
  }

  get takenCount(): number {
    return this.model.messages.filter(({ isTaken }) => isTaken).length;
  }

  get isDone(): boolean {
    return this.model.messages.every(({ isDone }) => isDone);
  }

  close(): void {
    this.isStopped = true;
    this.socket?.destroy();
  }

  private open(): void {
    this.received = [];
    this.isAccepted = false;
    const { name } = this.model;
    const socket = this.socket = connect(this.port, '127.0.0.1', () =>
      socket.write(Buffer.from([0x10, 12 + name.length, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0, 0, 60, 0, name.length, ...Buffer.from(name)])));
    socket.on('data', data => this.receive(data)).on('error', () => {}).on('close', () => {
      if (!this.isStopped)
        setTimeout(() => this.open(), 20); // refused while the gateway is away
    });
  }

  private receive(data: Buffer): void {
    this.received.push(...data);
    const answers: number[] = [];
    while (this.received.length >= 4) { // CONNACK and acknowledgements all have 4 bytes
      const [first = 0, , ...rest] = this.received.splice(0, 4);
      if (first === 0x20) {
        this.isAccepted = true;
        answers.push(...this.model.resume());
      } else
        answers.push(...this.model.answer([first, ...rest]));
    }
    if (this.isAccepted)
      answers.push(...this.more());
    if (answers.length > 0)
      this.socket!.write(Buffer.from(answers));
  }

  private more(): number[] {
    const bytes: number[] = [];
    const { messages, name } = this.model;
    let underWay = messages.filter(({ isDone }) => !isDone).length;
    for (; underWay < WINDOW && !this.isFinishing; ++underWay)
      bytes.push(...this.model.add(`reading/${name}/${messages.length % 3}`, `${name}:${messages.length}:${'x'.repeat(this.random() * 60)}`, 1 + Math.floor(this.random() * 2)));
    return bytes;
  }

  isFinishing = false;
}

async function until(condition: () => boolean, limit: number, what: string): Promise<void> {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end)
      throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

it(`loses nothing and repeats nothing of QoS 2 when it is killed ${KILLS} times under load`, () => Scene.play(async scene => {
  const random = seeded(SEED);
  const broker = await Broker.start(scene, ['max_queued_messages 0']);
  const subscriber = await Subscriber.start(scene, broker.port, 'site/#');
  const port = await freePort();
  const configuration = {
    listener: { port },
    upstream: { address: [broker.address] },
    topic: [{ pattern: 'reading/#', direction: 'out' as const, qos: 2, remote_prefix: 'site/greenhouse/' }],
    store: { ram: 16_384, path: `${scene.directory}/store`, size: 4_194_304, durability: 'flash' as const },
  };
  let gateway = await Gateway.start(scene, configuration);
  const nodes = [new LoadingNode('one', port, random), new LoadingNode('two', port, random)];
  const takenCount = (): number => nodes.reduce((sum, node) => sum + node.takenCount, 0);
  try {
    for (let kill = 0; kill < KILLS; ++kill) {
      const goal = takenCount() + 20 + Math.floor(random() * 400);
      await until(() => takenCount() >= goal, 20_000, `${goal} messages taken after kill ${kill}`);
      gateway.program.kill('SIGKILL');
      await gateway.program.exit();
      gateway = await Gateway.start(scene, configuration);
    }
    nodes.forEach(node => { node.isFinishing = true; });
    await until(() => nodes.every(({ isDone }) => isDone), 20_000, 'everything acknowledged');
    const expected = nodes.flatMap(({ model }) => model.messages);
    const distinct = (): Set<string> => new Set(subscriber.messages.map(line => line.split(' ')[3]!));
    await until(() => distinct().size >= expected.length, 20_000, `${expected.length} messages at the broker`);

    const arrived = subscriber.messages.map(line => line.split(' '));
    const payloads = arrived.map(([, , , payload]) => payload!);
    expect(expected.filter(({ payload }) => !payloads.includes(payload))).toEqual([]);
    const exactlyOnce = expected.filter(({ qos }) => qos === 2).map(({ payload }) => payload);
    expect(exactlyOnce.length).toBeGreaterThan(KILLS * 10);
    expect(exactlyOnce.filter(payload => payloads.filter(one => one === payload).length !== 1)).toEqual([]);
    // A Server passes QoS 2 messages on when they are released, so order means something within one QoS only.
    for (const { model: { name } } of nodes)
      for (const qos of ['1', '2']) {
        const ours = arrived.filter(([atQoS, , , payload]) => atQoS === qos && payload!.startsWith(`${name}:`));
        const numbers = [...new Set(ours.map(([, , , payload]) => Number(payload!.split(':')[1])))];
        expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
      }
  } finally {
    nodes.forEach(node => node.close());
  }
}), 120_000);
