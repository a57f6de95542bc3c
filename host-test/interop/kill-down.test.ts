/**
 * The gateway as users start it, killed again and again while a real broker sends it commands for nodes that come and
 * go. What was published at the broker arrives at the node that has subscribed, QoS 2 once.
 */
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { seeded } from '../session/pair.ts';
import { ListeningNode } from '../simulation/command-models.ts';
import { NodeModel, split } from '../simulation/store-world.ts';
import { Broker, freePort, Gateway, MOSQUITTO, requirePrograms } from './cast.ts';
import { Scene } from './program.ts';

requirePrograms(MOSQUITTO);

/** Another campaign: KILL_SEED=7 npx vitest run host-test/interop/kill-down.test.ts. */
const SEED = Number(process.env['KILL_SEED'] ?? 20261129);
const KILLS = 12;
const COMMANDS = 400;
const WINDOW = 10;
/** Commands that are published and not at the node yet, about. */
const AHEAD = 60;

/** Bytes of the first whole packet, 0 when it is not there yet. */
function wholeLength(bytes: readonly number[]): number {
  const longLength = (bytes[1] ?? 0) > 127;
  const length = longLength ? (bytes[1]! & 127) + (bytes[2] ?? 0) * 128 + 3 : (bytes[1] ?? 0) + 2;
  return bytes.length >= (longLength ? 3 : 2) && bytes.length >= length ? length : 0;
}

/** Keeps a model connected, whatever happens to the other side. */
class Line {
  isAccepted = false;
  isStopped = false;
  private readonly model: NodeModel;
  private readonly port: number;
  private socket: Socket | undefined;
  private received: number[] = [];

  constructor(model: NodeModel, port: number) {
    this.model = model;
    this.port = port;
    this.open();
  }

  send(bytes: number[]): void {
    if (this.isAccepted && bytes.length > 0)
      this.socket!.write(Buffer.from(bytes));
  }

  close(): void {
    this.isStopped = true;
    this.socket?.destroy();
  }

  private open(): void {
    this.received = [];
    this.isAccepted = false;
    const socket = this.socket = connect(this.port, '127.0.0.1', () => socket.write(Buffer.from(this.model.connect())));
    socket.on('data', data => this.receive(data)).on('error', () => {}).on('close', () => {
      this.isAccepted = false;
      if (!this.isStopped)
        setTimeout(() => this.open(), 20); // refused while the gateway is away
    });
  }

  private receive(data: Buffer): void {
    this.received.push(...data);
    for (let length = wholeLength(this.received); length > 0; length = wholeLength(this.received)) {
      const [packet = []] = split(this.received.splice(0, length));
      if (packet[0] === 0x20) {
        this.isAccepted = packet[2] === 0;
        this.send(this.model.connected(packet[1] === 1));
      } else
        this.send(this.model.answer(packet));
    }
  }
}

async function until(condition: () => boolean, limit: number, what: string): Promise<void> {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end)
      throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

it(`loses no command and repeats none of QoS 2 when the gateway is killed ${KILLS} times`, () => Scene.play(async scene => {
  const random = seeded(SEED);
  const broker = await Broker.prepare(scene, ['max_queued_messages 0']);
  await broker.start();
  const port = await freePort();
  const configuration = {
    listener: { port },
    upstream: { address: [broker.address] },
    topic: [{ pattern: 'cmd/#', direction: 'in' as const, qos: 2, remote_prefix: 'site/greenhouse/' }],
    store: { path: `${scene.directory}/store`, size: 8_388_608, durability: 'flash' as const },
  };
  let gateway = await Gateway.start(scene, configuration);
  const valve = new ListeningNode('valve', 'cmd/#', 2);
  const publisher = new NodeModel('publisher');
  const lines = [new Line(valve, port), new Line(publisher, broker.port)] as const;
  try {
    await until(() => valve.isSubscribed && lines[1].isAccepted, 30_000, 'everybody connected');
    while (valve.got.length === 0) { // the gateway has subscribed when the first one arrives
      lines[1].send(publisher.add('site/greenhouse/cmd/probe', 'probe', 0));
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    const commands = (): NodeModel['messages'] => publisher.messages.filter(({ payload }) => payload !== 'probe');
    const publishSome = (): void => {
      const all = commands();
      const underWay = all.filter(({ isDone }) => !isDone).length;
      const most = Math.min(COMMANDS, valve.got.length + AHEAD);
      for (let left = WINDOW - underWay, number = all.length; left > 0 && number < most; --left, ++number)
        lines[1].send(publisher.add(`site/greenhouse/cmd/${number % 3}`, `${number}`, 1 + Math.floor(random() * 2)));
    };
    const publishing = setInterval(publishSome, 2);
    for (let kill = 1; kill <= KILLS; ++kill) {
      const goal = Math.floor(COMMANDS * kill / (KILLS + 1) + random() * 10);
      await until(() => valve.got.length >= goal, 60_000, `${goal} commands at the node after kill ${kill}`);
      gateway.program.kill('SIGKILL');
      await gateway.program.exit();
      gateway = await Gateway.start(scene, configuration);
    }
    await until(() => commands().length === COMMANDS && commands().every(({ isDone }) => isDone), 60_000,
      'all commands published');
    clearInterval(publishing);
    const missing = (): number => {
      const got = new Set(valve.got);
      return commands().filter(({ payload }) => !got.has(payload)).length;
    };
    await until(() => missing() === 0, 60_000, 'all commands at the node').catch(() => { /* told below */ });
    expect(missing(), 'lost').toBe(0);
    expect(valve.lostSessions, 'sessions that were gone').toBe(0);
    const counts = new Map<string, number>();
    for (const payload of valve.got)
      counts.set(payload, (counts.get(payload) ?? 0) + 1);
    const exactlyOnce = commands().filter(({ qos }) => qos === 2);
    expect(exactlyOnce.length).toBeGreaterThan(COMMANDS / 3);
    const repeated = exactlyOnce.filter(({ payload }) => counts.get(payload) !== 1).map(({ payload }) => payload);
    expect(repeated, 'repeated').toEqual([]);
  } finally {
    lines.forEach(line => line.close());
  }
}), 240_000);
