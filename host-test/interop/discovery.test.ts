/**
 * What Home Assistant would find at a real Mosquitto that a real gateway has told of its devices, over a start, a
 * rename, a removal, an edit while it runs, a broker that has lost everything and another broker.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { Broker, Gateway, interop, MOSQUITTO, publish, requirePrograms, Subscriber } from './cast.ts';
import type { Scene } from './program.ts';

beforeAll(() => requirePrograms(MOSQUITTO));

const AIR = { name: 'air', type: 'simulated', topic: 'reading/air', expire_after: 60 };
const SOIL = { name: 'soil', type: 'simulated', topic: 'reading/soil' };

/** Names of the devices that are retained at a broker, when somebody asks. */
async function devicesAt(scene: Scene, { port }: Broker): Promise<string[]> {
  await publish(scene, port, 'end', 'x', '-r');
  const reader = await Subscriber.start(scene, port, 'homeassistant/#', '-t', 'end');
  await reader.program.line(/^MESSAGE . 1 end x$/);
  return reader.messages.map(text => /^. 1 homeassistant\/device\/(.*)\/config \{/.exec(text)?.[1])
    .filter(name => name !== undefined).sort();
}

describe.each(['flash', 'ram'] as const)('with the store in %s', durability => {
  const configured = (scene: Scene, brokers: readonly Broker[],
    more: PartialConfiguration = {}): PartialConfiguration => ({
    homeassistant: { enabled: true }, sensors: [AIR, SOIL], ...more,
    upstream: { address: brokers.map(({ address }) => address) },
    store: { durability, path: join(scene.directory, 'gateway.store') },
  });

  interop('announces devices, and takes back after a start what is not there any more', async scene => {
    const broker = await Broker.start(scene);
    await publish(scene, broker.port, 'homeassistant/device/greenhouse_other/config', '{"o":{"name":"other"}}', '-r');
    const first = await Gateway.start(scene, configured(scene, [broker]));
    await first.program.line(/told Home Assistant of 3 devices/);
    expect(await devicesAt(scene, broker)).toEqual(['greenhouse', 'greenhouse__air', 'greenhouse__soil', 'greenhouse_other']);
    await first.program.stop();
    const second = await Gateway.start(scene, configured(scene, [broker], { sensors: [{ ...AIR, name: 'climate' }] }));
    await second.program.line(/told Home Assistant of 4 devices/);
    expect(await devicesAt(scene, broker)).toEqual(['greenhouse', 'greenhouse__climate', 'greenhouse_other']);
    await second.program.stop('SIGKILL');
    const third = await Gateway.start(scene, configured(scene, [broker], { homeassistant: { enabled: false } }));
    await third.program.line(/told Home Assistant of 2 devices/);
    expect(await devicesAt(scene, broker)).toEqual(['greenhouse_other']);
  });

  interop('follows an edit while it runs, and Home Assistant\'s start', async scene => {
    const broker = await Broker.start(scene);
    const gateway = await Gateway.start(scene, configured(scene, [broker]));
    await gateway.program.line(/told Home Assistant of 3 devices/);
    const reader = await Subscriber.start(scene, broker.port, 'homeassistant/device/+/config');
    let mark = gateway.program.mark;
    await writeFile(join(scene.directory, 'gateway.json'), JSON.stringify({
      name: 'greenhouse', topic: [{ pattern: 'reading/#', remote_prefix: 'site/greenhouse/', qos: 2 }],
      listener: { port: 0, address: '127.0.0.1', allow_anonymous: true, max_connections: 20, max_queued_bytes: 65536, max_queued_messages: 500 },
      ...configured(scene, [broker], { sensors: [AIR, { ...SOIL, topic: 'reading/earth' }] }),
    }));
    gateway.program.kill('SIGHUP');
    await gateway.program.line(/told Home Assistant of 1 device/, mark);
    await reader.program.line(/^MESSAGE 1 0 homeassistant\/device\/greenhouse__soil\/config .*"stat_t":"site\/greenhouse\/reading\/earth"/);
    mark = gateway.program.mark;
    await publish(scene, broker.port, 'homeassistant/status', 'online');
    await gateway.program.line(/told Home Assistant of 3 devices/, mark);
    expect(reader.messages.filter(text => text.startsWith('1 0 homeassistant/device/greenhouse/config {'))).toHaveLength(1);
  });

  interop('announces everything to a broker that has lost it, and to another one', async scene => {
    const broker = await Broker.start(scene);
    const other = await Broker.prepare(scene);
    const gateway = await Gateway.start(scene, configured(scene, [broker, other]));
    await gateway.program.line(/told Home Assistant of 3 devices/);
    let mark = gateway.program.mark;
    await broker.program.stop();
    await broker.start();
    await gateway.program.line(/told Home Assistant of 3 devices/, mark);
    expect(await devicesAt(scene, broker)).toEqual(['greenhouse', 'greenhouse__air', 'greenhouse__soil']);
    mark = gateway.program.mark;
    await broker.program.stop();
    await other.start();
    await gateway.program.line(/told Home Assistant of 3 devices/, mark);
    expect(await devicesAt(scene, other)).toEqual(['greenhouse', 'greenhouse__air', 'greenhouse__soil']);
  });
});
