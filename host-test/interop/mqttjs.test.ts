/** MQTT.js as a node: a client with its own ideas about reconnecting, queues and identifiers. */
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { beforeAll, describe, expect } from 'vitest';
import { Broker, freePort, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import { patiently, type Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const VERSIONS: readonly { name: string; options: IClientOptions }[] = [
  { name: '3.1', options: { protocolVersion: 3, protocolId: 'MQIsdp' } },
  { name: '3.1.1', options: { protocolVersion: 4 } },
  { name: '5.0', options: { protocolVersion: 5, properties: { sessionExpiryInterval: 60 } } },
];
const QOS = [0, 1, 2] as const;

/** A node that ends with the scene, and keeps what it receives as `qos retain topic payload`. */
class Node {
  readonly client: MqttClient;
  readonly received: string[] = [];
  private readonly listeners = new Set<() => void>();

  private constructor(scene: Scene, port: number, options: IClientOptions) {
    const client = this.client = connect({ host: '127.0.0.1', port, reconnectPeriod: 0, ...options });
    client.on('message', (topic, payload, { qos, retain }) => {
      const line = `${qos} ${retain ? 1 : 0} ${topic} ${payload}`;
      scene.transcript.push(`${options.clientId ?? 'node'} receives ${line}`);
      this.received.push(line);
      for (const listener of this.listeners)
        listener();
    });
    client.on('error', error => scene.transcript.push(`${options.clientId ?? 'node'}: ${error.message}`));
    scene.finally(() => client.end(true));
  }

  static async start(scene: Scene, port: number, options: IClientOptions): Promise<Node> {
    const node = new Node(scene, port, options);
    await patiently('CONNACK',
      new Promise<void>((resolve, reject) => node.client.once('connect', () => resolve()).once('error', reject)));
    return node;
  }

  subscribe(filter: string, qos: 0 | 1 | 2 = 2) {
    return this.client.subscribeAsync(filter, { qos });
  }

  publish(topic: string, payload: string, options: { qos: 0 | 1 | 2; retain?: boolean }) {
    return patiently(`${topic} acknowledged`, this.client.publishAsync(topic, payload, options));
  }

  /** Waits until so many messages have come. */
  async has(count: number): Promise<string[]> {
    await patiently(`${count} messages`, new Promise<void>(resolve => {
      const listener = () => {
        if (this.received.length < count)
          return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
      listener();
    }));
    return this.received;
  }
}

describe.each(VERSIONS)('MQTT.js with MQTT $name', ({ options }) => {
  interop('publishes to the broker and gets commands, with every QoS', async scene => {
    const broker = await Broker.start(scene);
    const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] } });
    await broker.bridged();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
    const node = await Node.start(scene, gateway.port, { ...options, clientId: 'mqttjs' });
    const [granted] = await node.subscribe('command/#');
    expect(granted).toMatchObject({ topic: 'command/#', qos: 2 });
    for (const qos of QOS) {
      await node.publish(`reading/${qos}`, 'up', { qos });
      await atBroker.message(`${qos} 0 site/greenhouse/reading/${qos} up`);
      await publish(scene, broker.port, `site/greenhouse/command/${qos}`, 'down', '-q', String(qos));
    }
    expect(await node.has(3)).toEqual(QOS.map(qos => `${qos} 0 command/${qos} down`));
    await node.client.unsubscribeAsync('command/#');
    await node.subscribe('reading/#', 1);
    await publish(scene, broker.port, 'site/greenhouse/command/0', 'unheard', '-q', '1');
    await broker.program.line(/Received PUBACK from greenhouse \(Mid: 3/);
    await node.publish('reading/echo', 'own', { qos: 2 });
    expect((await node.has(4)).at(-1)).toBe('1 0 reading/echo own');
  });

  interop('keeps its session: what comes while it is away waits for it', async scene => {
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
    const sleeper = { ...options, clientId: 'sleeper', clean: false };
    const first = await Node.start(scene, gateway.port, sleeper);
    await first.subscribe('reading/#');
    first.client.stream.destroy();
    await gateway.program.line(/node "sleeper".* is gone/);
    const other = await Node.start(scene, gateway.port, { ...options, clientId: 'other' });
    for (const [index, qos] of [0, 1, 2, 1, 2].entries())
      await other.publish('reading/step', String(index), { qos: qos as 0 | 1 | 2 });
    const second = await Node.start(scene, gateway.port, sleeper);
    // It hands a message of QoS 2 over when PUBREL comes: in order among themselves.
    const received = await second.has(4);
    expect(received.filter(line => line.startsWith('1'))).toEqual(['1 0 reading/step 1', '1 0 reading/step 3']);
    expect(received.filter(line => line.startsWith('2'))).toEqual(['2 0 reading/step 2', '2 0 reading/step 4']);
    await second.client.endAsync();
    // A clean session ends the old one.
    await (await Node.start(scene, gateway.port, { ...sleeper, clean: true })).client.endAsync();
    await other.publish('reading/step', 'for nobody', { qos: 1 });
    const third = await Node.start(scene, gateway.port, sleeper);
    await third.subscribe('marker');
    await other.publish('marker', 'end', { qos: 1 });
    expect(await third.has(1)).toEqual(['1 0 marker end']);
  });

  interop('has a Will, and its retained messages greet whoever comes later', async scene => {
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
    const watcher = await Node.start(scene, gateway.port, { ...options, clientId: 'watcher' });
    await watcher.subscribe('state/#');
    const will = { topic: 'state/mortal', payload: Buffer.from('dead'), qos: 2 as const, retain: true };
    const mortal = await Node.start(scene, gateway.port, { ...options, clientId: 'mortal', will });
    await mortal.publish('state/mortal', 'alive', { qos: 1, retain: true });
    mortal.client.stream.destroy();
    expect(await watcher.has(2)).toEqual(['1 0 state/mortal alive', '2 0 state/mortal dead']);
    const late = await Node.start(scene, gateway.port, { ...options, clientId: 'late' });
    await late.subscribe('#');
    expect(await late.has(1)).toEqual(['2 1 state/mortal dead']);
  });

  interop('gets 200 messages of a burst in order, and the broker too', async scene => {
    const broker = await Broker.start(scene, ['max_queued_messages 1000', 'max_inflight_messages 20']);
    const gateway = await Gateway.start(scene, { upstream: { address: [broker.address] }, store: { ram: 262_144 } });
    await broker.bridged();
    const atBroker = await Subscriber.start(scene, broker.port, 'site/greenhouse/reading/#');
    const listener = await Node.start(scene, gateway.port, { ...options, clientId: 'listener' });
    await listener.subscribe('reading/#');
    const node = await Node.start(scene, gateway.port, { ...options, clientId: 'burst' });
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all(numbers.map(number => node.publish('reading/burst', String(number), { qos: 1 })));
    expect(await listener.has(200)).toEqual(numbers.map(number => `1 0 reading/burst ${number}`));
    await atBroker.message('1 0 site/greenhouse/reading/burst 199');
    expect(atBroker.messages).toEqual(numbers.map(number => `1 0 site/greenhouse/reading/burst ${number}`));
  });

  interop('takes its identifier over from itself', async scene => {
    const gateway = await Gateway.start(scene, { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] } });
    const first = await Node.start(scene, gateway.port, { ...options, clientId: 'twin' });
    const closed = new Promise<void>(resolve => first.client.once('close', () => resolve()));
    const second = await Node.start(scene, gateway.port, { ...options, clientId: 'twin' });
    await patiently('the first one is closed', closed);
    await gateway.program.line(/node "twin" .*is gone: session taken over/);
    await second.publish('reading/a', 'still here', { qos: 2 });
  });

  interop('stays connected by PINGREQ, reconnects by itself when the gateway was away', async scene => {
    const port = await freePort();
    const configuration = { upstream: { address: [`mqtt://127.0.0.1:${await freePort()}`] }, listener: { port } };
    const gateway = await Gateway.start(scene, configuration);
    const node = await Node.start(scene, port, { ...options, clientId: 'patient', keepalive: 1, reconnectPeriod: 50 });
    const answered = () => new Promise<void>(resolve => {
      const listener = ({ cmd }: { cmd?: string }) => {
        if (cmd !== 'pingresp')
          return;
        node.client.off('packetreceive', listener);
        resolve();
      };
      node.client.on('packetreceive', listener);
    });
    await patiently('PINGRESP', answered());
    expect(await gateway.program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const connected = new Promise<void>(resolve => node.client.once('connect', () => resolve()));
    await Gateway.start(scene, configuration);
    await patiently('connected again', connected);
    await node.publish('reading/a', 'still here', { qos: 1 });
  });
});
