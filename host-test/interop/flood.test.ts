/**
 * Real libraries that send faster than the broker takes. A relay between gateway and broker lets few acknowledgements
 * through in a second; nobody is disconnected, nothing is lost, and whoever sends little is not made to wait.
 */
import { connect, createServer } from 'node:net';
import { connectAsync } from 'mqtt';
import { beforeAll, expect, vi } from 'vitest';
import { Broker, Gateway, interop, MOSQUITTO, requirePrograms } from './cast.ts';
import { compile, type Library, LIBRARIES } from './library-stage.ts';
import type { Program, Scene } from './program.ts';

const COUNT = 300;
/** Acknowledgements in a second. */
const RATE = 15;
/** Seconds; the shortest that libmosquitto takes. */
const KEEP_ALIVE = 5;
const QUIET = ['quiet/1', 'quiet/2'];
/** Milliseconds in which all has come through, on a busy machine. */
const LIMIT = 50_000;

beforeAll(() => {
  requirePrograms({ ...MOSQUITTO, gcc: 'gcc' });
  LIBRARIES.forEach(compile);
});

const PUBACK = 4;

/** Lets `RATE` PUBACKs from the broker through in a second, everything else at once. @returns the port here */
async function paced(scene: Scene, port: number): Promise<number> {
  const server = createServer(near => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far);
    let waiting = Buffer.alloc(0);
    let hasTurn = true;
    const turns = setInterval(() => {
      hasTurn = true;
      pump();
    }, 1000 / RATE);
    const pump = (): void => {
      while (waiting.length >= 2 && waiting.length >= 2 + waiting[1]! && (hasTurn || waiting[0]! >> 4 !== PUBACK)) {
        hasTurn &&= waiting[0]! >> 4 !== PUBACK;
        const length = 2 + waiting[1]!; // none that it sends to the gateway here is longer than 127 bytes
        near.write(waiting.subarray(0, length));
        waiting = waiting.subarray(length);
      }
    };
    far.on('data', bytes => {
      waiting = Buffer.concat([waiting, bytes]);
      pump();
    });
    for (const socket of [near, far])
      socket.setNoDelay(true).on('error', () => {}).on('close', () => {
        clearInterval(turns);
        near.destroy();
        far.destroy();
      });
    scene.finally(() => near.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  scene.finally(() => server.close());
  return (server.address() as { port: number }).port;
}

/** Without waiting for acknowledgements. */
async function flood(scene: Scene, { command: [command, ...args] }: Library, port: number,
  texts: readonly string[]): Promise<Program> {
  const program = scene.startWithInput('flooder', command!, ...args);
  program.write(`connect ${port} flooder 1 ${KEEP_ALIVE} - - - 0 0`);
  await program.line(/^connected /);
  texts.forEach(text => program.write(`publish flood ${text} 1 0`));
  return program;
}

/** The others send one message after the other. */
const FLOODERS = LIBRARIES.filter(({ name }) => ['MQTT.js', 'Paho C, asynchronous', 'libmosquitto'].includes(name));

for (const library of FLOODERS)
  interop(`${library.name} sends faster than the broker takes: it stays connected, and everything arrives`, async scene => {
    const broker = await Broker.start(scene, ['max_queued_messages 0']);
    const gateway = await Gateway.start(scene, {
      topic: [{ pattern: '#', direction: 'out', qos: 1 }],
      upstream: { address: [`mqtt://127.0.0.1:${await paced(scene, broker.port)}`] },
      listener: { max_packet_size: 1024 }, store: { ram: 8192 },
    });
    await gateway.connected();
    const watcher = await connectAsync(broker.address, { protocolVersion: 4 });
    scene.finally(() => watcher.end(true));
    const arrived: string[] = [];
    watcher.on('message', (topic, payload) => topic === 'flood' && arrived.push(String(payload).replace(/-.*/, '')));
    await watcher.subscribeAsync('#', { qos: 1 });
    const quiet = await connectAsync(`mqtt://127.0.0.1:${gateway.port}`, { protocolVersion: 4, keepalive: KEEP_ALIVE });
    scene.finally(() => quiet.end(true));

    const numbers = Array.from({ length: COUNT }, (_value, index) => String(index));
    const flooder = await flood(scene, library, gateway.port, numbers.map(number => `${number}-${'x'.repeat(80)}`));
    await gateway.program.line(/node "flooder" from \S+ is made to wait/);
    const waits: number[] = [];
    const speaking = setInterval(() => QUIET.forEach(topic => {
      const from = Date.now();
      void quiet.publishAsync(topic, 'q', { qos: 1 }).then(() => waits.push(Date.now() - from));
    }), 1000);
    scene.finally(() => clearInterval(speaking));
    await vi.waitFor(() => expect(arrived).toHaveLength(COUNT), { timeout: LIMIT, interval: 200 });
    expect(arrived).toEqual(numbers);
    expect(flooder.count(/^lost$/)).toBe(0);
    expect(gateway.program.lines.filter(line => line.includes('is gone'))).toEqual([]);
    expect(waits.length).toBeGreaterThan(10);
  });
