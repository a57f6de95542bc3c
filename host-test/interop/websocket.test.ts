/** The way to a real Mosquitto within WebSocket, with TLS and without, in both versions, and with long messages. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { authority, type Identity, localServer } from '../host/certificates.ts';
import { Broker, freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber, VERSIONS } from './cast.ts';
import type { Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const ca = authority();

function file(scene: Scene, name: string, content: string): string {
  const path = join(scene.directory, name);
  writeFileSync(path, content);
  return path;
}

/** A broker with a second listener within WebSocket: the first one is for those who look. */
async function start(scene: Scene, identity?: Identity): Promise<{ broker: Broker; port: number; caFile: string }> {
  const port = await freePort();
  const caFile = file(scene, 'ca.pem', ca.cert);
  const broker = await Broker.start(scene, [`listener ${port} 127.0.0.1`, 'protocol websockets',
    ...identity === undefined ? []
      : [`certfile ${file(scene, 'own.pem', identity.cert)}`, `keyfile ${file(scene, 'own.key', identity.key)}`]]);
  return { broker, port, caFile };
}

/** Readings out, a command in. */
async function converse(scene: Scene, broker: Broker, gateway: Gateway): Promise<void> {
  await broker.bridged();
  const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
  const node = await Subscriber.start(scene, gateway.port, 'command/#');
  for (const payload of ['21', 'x'.repeat(100), 'x'.repeat(126), 'x'.repeat(3000)]) {
    await publish(scene, gateway.port, 'reading/t', payload, '-q', '1');
    await atBroker.message(`1 0 site/greenhouse/reading/t ${payload}`);
    await publish(scene, broker.port, 'site/greenhouse/command/x', payload, '-q', '2');
    await node.message(`2 0 command/x ${payload}`);
  }
  expect(gateway.program.lines.filter(line => line.includes(' warning '))).toEqual([]);
}

const SIZES = { max_packet_size: 8192 };

describe('a gateway and a Mosquitto within WebSocket', () => {
  for (const version of VERSIONS)
    interop(`talk in ${version}`, async scene => {
      const { broker, port } = await start(scene);
      const gateway = await Gateway.start(scene, { listener: SIZES,
        upstream: { ...SIZES, address: [`ws://127.0.0.1:${port}`], bridge_protocol_version: version } });
      await converse(scene, broker, gateway);
    });

  interop('talk through TLS', async scene => {
    const { broker, caFile, port } = await start(scene, localServer(ca));
    const gateway = await Gateway.start(scene, { listener: SIZES,
      upstream: { ...SIZES, address: [`wss://localhost:${port}/any/path?token=secret`], bridge_cafile: caFile } });
    await converse(scene, broker, gateway);
    expect(gateway.program.lines.join('\n')).not.toContain('secret');
  });

  interop('that is restarted meet again', async scene => {
    const { broker, port } = await start(scene);
    const gateway = await Gateway.start(scene, { upstream: { address: [`ws://127.0.0.1:${port}`] } });
    await broker.bridged();
    await broker.program.stop('SIGKILL');
    await publish(scene, gateway.port, 'reading/t', 'kept', '-q', '1');
    await broker.start();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
    await atBroker.message('1 0 site/greenhouse/reading/t kept');
  });
});
