/** The gateway as users start it, with several ports for nodes at the same time. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect } from 'vitest';
import { authority, localServer } from '../host/certificates.ts';
import { freePort, Gateway, interop } from './cast.ts';
import type { Scene } from './program.ts';

const ca = authority();
const server = localServer(ca);

function certificate(scene: Scene): { certfile: string; keyfile: string } {
  const paths = { certfile: join(scene.directory, 'server.pem'), keyfile: join(scene.directory, 'server.key') };
  writeFileSync(paths.certfile, server.cert);
  writeFileSync(paths.keyfile, server.key);
  return paths;
}

/** Nobody is there, and nobody need be. */
const nowhere = async (): Promise<object> => ({ address: [`mqtt://127.0.0.1:${await freePort()}`] });

interop('nodes of a plain port, of TLS, of WebSocket and of both talk to each other', async scene => {
  const gateway = await Gateway.start(scene, { topic: [], upstream: await nowhere(), listener: [
    {}, { port: 0, ...certificate(scene) }, { port: 0, protocol: 'websockets' },
    { port: 0, protocol: 'websockets', ...certificate(scene) },
  ] });
  const [, places] = /listener=(\S+) /.exec(gateway.readyLine)!;
  const ports = places!.split(',').map(place => /^127\.0\.0\.1:(\d+)$/.exec(place)![1]);
  expect(new Set(ports).size).toBe(4);
  const nodes = await Promise.all(['mqtt', 'mqtts', 'ws', 'wss'].map((protocol, index) =>
    connectAsync(`${protocol}://localhost:${ports[index]}`, { ca: ca.cert, clientId: protocol, family: 4 } as never)));
  scene.finally(() => nodes.forEach(node => node.end(true)));
  const heard = nodes.map((): string[] => []);
  const everything = nodes.map((node, index) => new Promise<void>(resolve =>
    node.on('message', (_topic, payload) => {
      if (heard[index]!.push(payload.toString()) === nodes.length)
        resolve();
    })));
  await Promise.all(nodes.map(node => node.subscribeAsync('t', { qos: 1 })));
  for (const node of nodes)
    await node.publishAsync('t', String(node.options.clientId), { qos: 1 });
  await Promise.all(everything);
  expect(heard.map(list => [...list].sort().join())).toEqual(nodes.map(() => 'mqtt,mqtts,ws,wss'));
  const file = join(scene.directory, 'gateway.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"protocol":"websockets"', '"protocol":"mqtt"'));
  gateway.program.kill('SIGHUP');
  await gateway.program.line(/SIGHUP: listener \(all but the first one\): takes effect after a restart/);
  expect(await gateway.program.stop()).toEqual({ code: 0, signal: null });
});

interop('a port that is taken is named, and the others serve', async scene => {
  const taken = createServer().listen(0, '127.0.0.1');
  scene.finally(() => void taken.close());
  await new Promise(resolve => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const gateway = await Gateway.start(scene,
    { topic: [], upstream: await nowhere(), listener: [{ port }, { port: 0 }] });
  expect(gateway.readyLine).toMatch(/ listener=127\.0\.0\.1:\d+ /);
  expect(gateway.port).not.toBe(port);
  await gateway.program.line(new RegExp(`port ${port} on 127.0.0.1 is in use: .*; tried again every 30 seconds`));
  const node = await connectAsync(`mqtt://127.0.0.1:${gateway.port}`, { reconnectPeriod: 0 });
  await node.endAsync();
});
