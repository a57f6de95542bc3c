/** A broker of 3.1.1 alone, aedes, as the peer of a gateway that is to speak 5.0: over real sockets. */
import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { expect } from 'vitest';
import { Gateway, interop, publish } from './cast.ts';

interop('aedes, which speaks 3.1.1 alone, is spoken to in that', async scene => {
  const broker = await Aedes.createBroker();
  const server: Server = createServer(socket => void broker.handle(socket));
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address() as { port: number };
  try {
    const gateway = await Gateway.start(scene, { upstream: {
      address: [`mqtt://127.0.0.1:${port}`], bridge_protocol_version: 'mqttv50' } });
    await gateway.program.line(/does not speak MQTT 5\.0: MQTT 3\.1\.1 is spoken with it for an hour/);
    await gateway.connected();
    const arrived = new Promise<string>(resolve => {
      broker.on('publish', ({ topic }) => {
        if (topic.startsWith('site/'))
          resolve(topic);
      });
    });
    await publish(scene, gateway.port, 'reading/a', 'x', '-q', '1', '-V', 'mqttv5');
    expect(await arrived).toBe('site/greenhouse/reading/a');
  } finally {
    broker.close();
    server.close();
  }
});
