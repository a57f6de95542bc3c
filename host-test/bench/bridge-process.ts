/**
 * One bridge in a process of its own, so that its CPU time can be told from that of its peers. Every one takes what
 * comes under `site/#` and publishes it upstream as `bridge/site/...` with the same QoS.
 *
 *   ringbridge         node ──► [ our listener ─ rule ─ our upstream ] ──► Server
 *   aedes + MQTT.js    node ──► [ aedes ──► MQTT.js ─ handler ─ MQTT.js ] ──► Server   what one would write
 *   MQTT.js            Server ──► [ MQTT.js ─ handler ─ MQTT.js ] ──► Server           the same without the broker
 */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Aedes } from 'aedes';
import mqtt, { type IClientPublishOptions, type MqttClient } from 'mqtt';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { Log } from '../../src/host/log.ts';
import { startGateway } from '../../src/host/run.ts';

const [subject, sourcePort, sinkPort, storePath] =
  process.argv.slice(2) as [string, string, string, string | undefined];
const PREFIX = 'bridge/';
const FILTER = 'site/#';

async function startRingbridge(): Promise<number> {
  const gateway = await startGateway(completeConfiguration({
    listener: { address: '127.0.0.1', port: 0, allow_anonymous: true },
    upstream: { address: [`mqtt://127.0.0.1:${sinkPort}`] },
    topic: [{ pattern: FILTER, direction: 'out', qos: 1, remote_prefix: PREFIX }],
    // The others queue without limit; the rest is as it comes.
    store: { ram: 1_048_576, ...storePath === undefined ? {}
      : { durability: 'flash', path: storePath, size: 16_777_216 } },
  }), new Log(() => {}));
  return gateway.port;
}

async function connectClient(port: string | number, clientId: string): Promise<MqttClient> {
  return mqtt.connectAsync({ host: '127.0.0.1', port: Number(port), clientId, protocolVersion: 4, reconnectPeriod: 0 });
}

/** @param port of whoever has the messages */
async function forward(port: string | number): Promise<void> {
  const upstream = await connectClient(sinkPort, 'upstream');
  const local = await connectClient(port, 'local');
  const options: Record<number, IClientPublishOptions> = { 0: { qos: 0 }, 1: { qos: 1 } };
  local.on('message', (topic, payload, packet) => {
    upstream.publish(PREFIX + topic, payload, options[packet.qos]!);
  });
  await local.subscribeAsync(FILTER, { qos: 1 });
}

async function startAedes(): Promise<number> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await forward(port);
  return port;
}

async function start(): Promise<number> {
  switch (subject) {
    case 'ringbridge':
      return startRingbridge();
    case 'aedes + MQTT.js':
      return startAedes();
    default:
      await forward(sourcePort);
      return 0;
  }
}

// The parent asks for the CPU time used so far, in microseconds.
process.on('message', () => {
  const { system, user } = process.cpuUsage();
  process.send!(user + system);
});
process.on('disconnect', () => process.exit());
process.send!(await start());
