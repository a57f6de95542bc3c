/** Whether the connection to the Server stands, told as by Mosquitto's bridge. */
import { expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const TOPIC = '$SYS/broker/connection/gw/state';

function connected(upstream: NonNullable<PartialConfiguration['upstream']>): { heard: () => string[]; world: World } {
  const world = World.connected({ configuration: { name: 'gw', upstream, listener: { sys_interval: 0 } } });
  const node = world.node('n', {}, subscribe(1, '$SYS/broker/connection/#', 0, 'own/#', 0));
  world.node('late');
  return { heard: () => node.take(), world };
}

it('nodes and the Server are told, retained: 1 while it stands, and 0 by the Will when it does not', () => {
  const { heard, world } = connected({ notifications: true });
  const [connect] = world.uplink.all('connect');
  expect(connect!.will).toMatchObject({ topic: TOPIC, payload: Buffer.from('0'), qos: 1, retain: true });
  expect(world.uplink.all('publish').map(({ payload, qos, retain, topic }) => [topic, `${payload}`, qos, retain]))
    .toEqual([[TOPIC, '1', 1, true]]);
  world.uplink.close();
  world.until(() => !world.isConnected);
  world.until(() => world.isConnected);
  world.run(50);
  expect(heard()).toEqual([`PUBLISH ${TOPIC}=0 q0`, `PUBLISH ${TOPIC}=1 q0`]);
  expect(world.connect('later')[0].ask(subscribe(1, `${TOPIC}`, 0)))
    .toEqual(['SUBACK #1 0', `PUBLISH ${TOPIC}=1 q0 retain`]);
  world.runtime.stop(() => {});
  world.run(100);
  expect(world.uplink.messages.at(-1)).toBe(`${TOPIC} 0`);
});

it('before the first connection it is 0', () => {
  const world = World.quiet({ name: 'gw', upstream: { notifications: true }, listener: { sys_interval: 0 } });
  expect(world.node('n').ask(subscribe(1, TOPIC, 0))).toEqual(['SUBACK #1 0', `PUBLISH ${TOPIC}=0 q0 retain`]);
});

it('under another topic if that is wanted, and to nodes only, beside a Will', () => {
  const { heard, world } = connected({
    notifications: true, notifications_local_only: true, notification_topic: 'own/state',
    will: { topic: 'w', payload: 'gone' },
  });
  expect(world.uplink.all('connect')[0]!.will!.topic).toBe('w');
  expect(world.uplink.messages).toEqual(['w online']);
  world.uplink.close();
  world.until(() => !world.isConnected);
  world.run(50);
  expect(heard()).toEqual(['PUBLISH own/state=0 q0']);
});

it('not unless they are asked for', () => {
  const { world } = connected({});
  expect(world.uplink.packets.map(({ cmd }) => cmd)).toEqual(['connect', 'subscribe']);
  expect(world.node('m').ask(subscribe(1, '$SYS/broker/connection/#', 0), publish('a', 'x'))).toEqual(['SUBACK #1 0']);
});
