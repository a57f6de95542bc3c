/** The gateway as users start it, between several real brokers at the same time. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { expect } from 'vitest';
import type { WholeStatus } from '../../src/host/gateways.ts';
import { Broker, freePort, Gateway, type GatewayConfiguration, interop, MOSQUITTO, publish, requirePrograms,
  Subscriber } from './cast.ts';
import type { Scene } from './program.ts';

requirePrograms(MOSQUITTO);

const RULES: GatewayConfiguration['topic'] = [
  { pattern: 'home/#', direction: 'out', qos: 2 },
  { pattern: 'cloud/#', direction: 'out', qos: 2, upstream: 'cloud', remote_prefix: 'site/' },
  { pattern: 'all/#', direction: 'out', qos: 1, upstream: '*' },
  { pattern: 'command/#', direction: 'in', qos: 2, upstream: 'cloud', remote_prefix: 'site/' },
];

const between = (home: string, cloud: string, more: GatewayConfiguration = {}): GatewayConfiguration => ({
  topic: RULES, ...more, upstream: [{ name: 'home', address: [home] }, { name: 'cloud', address: [cloud] }],
});

async function bothConnected({ program }: Gateway): Promise<void> {
  await program.line(/info upstream mqtt:\S+ connected/);
  await program.line(/upstream "cloud": upstream mqtt:\S+ connected/);
}

async function statusOf({ program }: Gateway): Promise<WholeStatus> {
  const { mark } = program;
  program.kill('SIGUSR2');
  return JSON.parse(await program.line(/^\{/, mark)) as WholeStatus;
}

async function clientAt(scene: Scene, port: number, clientId: string): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId, clean: true, reconnectPeriod: 0 });
  scene.finally(() => void client.end(true));
  return client;
}

interop('two brokers get what their rules say, and what a further one sends reaches nodes', async scene => {
  const [home, cloud] = [await Broker.start(scene), await Broker.start(scene)];
  const gateway = await Gateway.start(scene, between(home.address, cloud.address));
  expect(gateway.readyLine).toContain(`upstream=${home.address},${cloud.address}`);
  await bothConnected(gateway);
  const atHome = await Subscriber.start(scene, home.port, '#');
  const atCloud = await Subscriber.start(scene, cloud.port, '#');
  const node = await Subscriber.start(scene, gateway.port, 'command/#', '-i', 'node');
  for (const topic of ['home/a', 'cloud/b', 'all/c', 'nobody/d'])
    await publish(scene, gateway.port, topic, topic, '-q', '2');
  await publish(scene, gateway.port, 'all/last', 'kept', '-q', '1', '-r');
  for (const reader of [atHome, atCloud])
    await reader.message('1 0 all/last kept');
  expect(atHome.messages).toEqual(['2 0 home/a home/a', '1 0 all/c all/c', '1 0 all/last kept']);
  expect(atCloud.messages).toEqual(['2 0 site/cloud/b cloud/b', '1 0 all/c all/c', '1 0 all/last kept']);
  for (const { port } of [home, cloud])
    await (await Subscriber.start(scene, port, 'all/#')).message('1 1 all/last kept'); // retained
  await publish(scene, cloud.port, 'site/command/x', 'on', '-q', '2');
  await node.message('2 0 command/x on');
  const status = await statusOf(gateway);
  expect(status.upstreams).toMatchObject([{ name: 'cloud', advice: 'all is well',
    upstream: { state: 'connected', address: cloud.address },
    rules: [{ pattern: 'cloud/#', forwarded: 1 }, { pattern: 'all/#', forwarded: 2 }, { pattern: 'command/#' }] }]);
  expect(status.rules.map(({ pattern }) => pattern)).toEqual(['home/#', 'all/#']);
  expect(await gateway.program.stop()).toEqual({ code: 0, signal: null });
});

interop('what a further broker has not got survives its absence and kill -9 of the gateway, in order', async scene => {
  const home = await Broker.start(scene);
  const cloud = await Broker.prepare(scene);
  const configuration = between(home.address, cloud.address, { store: { durability: 'flash', size: 1_048_576,
    path: join(scene.directory, 'store') } });
  const gateway = await Gateway.start(scene, configuration);
  const client = await clientAt(scene, gateway.port, 'writer');
  const numbers = Array.from({ length: 300 }, (_, index) => `${index}`);
  for (const number of numbers)
    await client.publishAsync('all/n', number, { qos: 1 });
  gateway.program.kill('SIGKILL');
  await gateway.program.exit();
  await cloud.start();
  const atCloud = await Subscriber.start(scene, cloud.port, 'all/#');
  await Gateway.start(scene, configuration);
  await atCloud.message('1 0 all/n 299');
  expect([...new Set(atCloud.messages.map(text => text.split(' ').at(-1)))]).toEqual(numbers);
});

interop('a further broker that is away does not hold the first one up, nor the nodes', async scene => {
  const home = await Broker.start(scene);
  const gateway = await Gateway.start(scene, between(home.address, `mqtt://127.0.0.1:${await freePort()}`,
    { store: { ram: 20_000, full: 'drop_oldest' } }));
  await gateway.program.line(/info upstream mqtt:\S+ connected/);
  const atHome = await Subscriber.start(scene, home.port, '#');
  const client = await clientAt(scene, gateway.port, 'writer');
  for (let number = 0; number < 1000; ++number)
    await client.publishAsync('all/n', `${number} ${'x'.repeat(100)}`, { qos: 1 });
  await atHome.program.line(/all\/n 999 /);
  expect(atHome.messages).toHaveLength(1000);
  const { upstreams } = await statusOf(gateway);
  expect(upstreams![0]!.rules.find(({ pattern }) => pattern === 'all/#')!.dropped).toBeGreaterThan(500);
});

interop('a further store that is full makes nodes wait, for as long as it takes', async scene => {
  const home = await Broker.start(scene);
  const cloud = await Broker.prepare(scene);
  const gateway = await Gateway.start(scene, between(home.address, cloud.address, {
    store: { ram: 20_000, full: 'drop_newest' }, listener: { send_timeout: 1, max_queued_bytes: 20_000 } }));
  const client = await clientAt(scene, gateway.port, 'writer');
  const numbers = Array.from({ length: 600 }, (_, index) => index);
  let acknowledged = 0;
  const all = Promise.all(numbers.map(async number => {
    await client.publishAsync(`all/${number}/end`, 'x'.repeat(100), { qos: 1 });
    ++acknowledged;
  }));
  await new Promise(resolve => setTimeout(resolve, 4000)); // longer than anybody waits for a node that takes nothing
  expect(acknowledged).toBeLessThan(numbers.length);
  await cloud.start();
  await all;
  await Promise.all(numbers.map(number =>
    cloud.program.line(new RegExp(`Received PUBLISH from greenhouse-cloud .*'all/${number}/end'`))));
});

interop('rights are about nodes, and no node can be a cable', async scene => {
  const [home, cloud] = [await Broker.start(scene), await Broker.start(scene)];
  const gateway = await Gateway.start(scene, between(home.address, cloud.address, {
    listener: { acl: [{ topic: 'all/public/#', access: 'readwrite' }, { topic: 'all/secret', access: 'deny' }] },
    sensors: [{ name: 's', type: 'simulated_switch', topic: 'all/secret', interval: 0.2 }],
  }));
  await bothConnected(gateway);
  const atCloud = await Subscriber.start(scene, cloud.port, '#');
  await atCloud.program.line(/all\/secret [01]/);
  await publish(scene, gateway.port, 'all/public/x', 'y', '-q', '1');
  await atCloud.message('1 0 all/public/x y');
  await expect(connectAsync(`mqtt://127.0.0.1:${gateway.port}`, { clientId: 'upstream:cloud', reconnectPeriod: 0 }))
    .rejects.toThrow(/[Ii]dentifier/);
  await publish(scene, gateway.port, 'all/public/x', 'z', '-q', '1');
  await atCloud.message('1 0 all/public/x z');
});

interop('SIGHUP changes the rules of a further upstream, a restart forgets one that is gone', async scene => {
  const [home, cloud] = [await Broker.start(scene), await Broker.start(scene)];
  const configuration = between(home.address, cloud.address, { store: { durability: 'flash', size: 1_048_576,
    path: join(scene.directory, 'store') } });
  const lab = { name: 'lab', address: [`mqtt://127.0.0.1:${await freePort()}`] };
  const gateway = await Gateway.start(scene,
    { ...configuration, upstream: [...configuration.upstream as readonly object[], lab] });
  await bothConnected(gateway);
  const file = join(scene.directory, 'gateway.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"pattern":"cloud/#"', '"pattern":"new/#"'));
  gateway.program.kill('SIGHUP');
  await gateway.program.line(/SIGHUP: upstream "cloud": topic: in force now/);
  const atCloud = await Subscriber.start(scene, cloud.port, '#');
  for (const topic of ['cloud/old', 'new/x', 'all/end'])
    await publish(scene, gateway.port, topic, '1', '-q', '1');
  await atCloud.message('1 0 all/end 1');
  expect(atCloud.messages).toEqual(['1 0 site/new/x 1', '1 0 all/end 1']);
  await gateway.program.stop();
  const again = await Gateway.start(scene, configuration);
  await again.program.line(/there is no upstream "lab" any more: 0 messages that waited for it are given up/);
  expect((await statusOf(again)).nodes.map(({ identifier }) => identifier)).toEqual(['upstream:cloud']);
});
