/** Figures under $SYS/broker/, for those who ask. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/gateway/system-topics.ts';
import { GatewayWorld } from './gateway-world.ts';
import { publish, subscribe } from './packets.ts';

describe('$SYS/broker', () => {
  it('tells the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
    expect(new GatewayWorld().node('a').ask(subscribe(1, '$SYS/broker/version', 0))).toEqual(['SUBACK #1 0', `PUBLISH $SYS/broker/version=ringbridge version ${version} q0 retain`]);
  });

  it('comes at once as retained, then every sys_interval', () => {
    const world = new GatewayWorld({ listener: { sys_interval: 5 } });
    world.run(3000 - 40);
    const node = world.node('a', {}, subscribe(1, '$SYS/broker/uptime', 2));
    expect(world.node('b').ask(subscribe(1, '$SYS/broker/uptime', 1))).toEqual(['SUBACK #1 1', 'PUBLISH $SYS/broker/uptime=3 seconds q0 retain']);
    world.run(10_000);
    expect(node.take()).toEqual(['PUBLISH $SYS/broker/uptime=5 seconds q0', 'PUBLISH $SYS/broker/uptime=10 seconds q0']);
  });

  it('gives figures that are right', () => {
    const world = new GatewayWorld();
    world.node('away', { clean: false }, subscribe(1, 'q', 1)).vanish();
    const node = world.node('a', {}, publish('q', 'x', { qos: 1 }), publish('r', 'x', { retain: true }));
    node.take();
    const figures = node.ask(subscribe(1, '$SYS/#', 0)).slice(1).map(event => event.replace('PUBLISH $SYS/broker/', '').replace(' q0 retain', ''));
    expect(figures).toEqual([
      `version=ringbridge version ${VERSION}`, 'uptime=0 seconds', 'clients/connected=1', 'clients/disconnected=1', 'clients/total=2', 'clients/maximum=1',
      // CONNECT, SUBSCRIBE; CONNECT, 2 PUBLISH, SUBSCRIBE
      'messages/received=6',
      // CONNACK, SUBACK; CONNACK, PUBACK, SUBACK, PUBLISH q and 7 figures
      expect.stringMatching(/^messages\/sent=\d+$/), 'publish/messages/received=2', expect.stringMatching(/^publish\/messages\/sent=\d+$/), 'publish/messages/dropped=0',
      'subscriptions/count=2', 'retained messages/count=1', 'store/messages/count=2', expect.stringMatching(/^store\/messages\/bytes=\d+$/),
    ]);
  });

  it('is not matched by # and +, costs nothing when nobody asks, and goes nowhere else [MQTT311-4.7.2-1]', () => {
    const world = new GatewayWorld({ topic: [{ pattern: '$SYS/#', direction: 'out' }, { pattern: '#', direction: 'out' }], listener: { sys_interval: 1 } });
    const node = world.node('a', {}, subscribe(1, '#', 0, '+/broker/#', 0));
    node.take();
    world.run(5000);
    expect([node.take(), world.gateway.delivery.sentCount, world.gateway.upstream.sessionState!.outbound.count]).toEqual([[], 0, 0]);
  });

  it('cannot be said by a node', () => {
    const world = new GatewayWorld();
    const reader = world.node('r', {}, subscribe(1, '$SYS/fake', 0));
    reader.take();
    expect(world.node('a').ask(publish('$SYS/fake', 'x', { qos: 1, retain: true }))).toEqual(['PUBACK #1']);
    expect([reader.take(), world.gateway.retained.count, world.gateway.delivery.droppedCount]).toEqual([[], 0, 1]);
  });

  it('can be turned off', () => {
    const world = new GatewayWorld({ listener: { sys_interval: 0 } });
    const node = world.node('a');
    expect(node.ask(subscribe(1, '$SYS/#', 0))).toEqual(['SUBACK #1 0']);
    world.run(60_000);
    expect(node.take()).toEqual([]);
  });

  it('does not wait for a node that is away', () => {
    const world = new GatewayWorld({ listener: { sys_interval: 1 } });
    world.node('a', { clean: false }, subscribe(1, '$SYS/broker/uptime', 2)).vanish();
    world.run(10_000);
    expect(world.connect('a', { clean: false })[1]).toEqual(['CONNACK 0 present']);
  });
});
