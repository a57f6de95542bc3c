/**
 * What 5.0 asks of a Client as 3.1.1 did, towards a Server of 5.0: by the numbers of its statements. What is new in 5.0
 * is in five.test.ts.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { FiveServer } from '../world/five-server.ts';
import { publish } from '../world/packets.ts';
import { World } from '../world/world.ts';

const BOTH: PartialConfiguration = { topic: [{ pattern: '#', direction: 'both', qos: 2 }] };

/** What has arrived at the Server on the last connection: `publish a q1 #3`. */
const arrived = (world: World): string[] => world.uplink.packets.map(packet => packet.cmd === 'publish'
  ? `publish ${packet.topic} q${packet.qos}${packet.dup ? ' dup' : ''}${packet.qos > 0 ? ` #${packet.messageId}` : ''}`
  : `${packet.cmd}${'messageId' in packet && packet.cmd.startsWith('pub') ? ` #${packet.messageId}` : ''}`);

function talk(world: World, messages: readonly (readonly [topic: string, qos: number])[]): void {
  const node = world.node('n', { clean: true });
  messages.forEach(([topic, qos], index) => node.ask(publish(topic, 'x', { qos, identifier: index + 1 })));
  node.vanish();
}

describe('CONNECT', () => {
  it('has a user name and a password when they are configured, and neither when not '
    + '[MQTT5-3.1.2-16] [MQTT5-3.1.2-17] [MQTT5-3.1.2-18] [MQTT5-3.1.2-19] [MQTT5-3.1.3-3] [MQTT5-3.1.3-4] [MQTT5-3.1.3-12]',
  () => {
    const bare = new FiveServer();
    bare.start();
    expect(bare.connects[0]).not.toHaveProperty('username');
    expect(bare.connects[0]).not.toHaveProperty('password');
    const named = new FiveServer();
    named.start({ upstream: { remote_clientid: 'gate-é', remote_username: 'ü', remote_password: 'secret' } });
    expect(named.connects[0]).toMatchObject({ clientId: 'gate-é', username: 'ü', password: Buffer.from('secret') });
  });

  it('has no Will QoS and no Will Retain without a Will, and each QoS with one '
    + '[MQTT5-3.1.2-11] [MQTT5-3.1.2-12] [MQTT5-3.1.2-13] [MQTT5-3.1.3-11]', () => {
    const bare = new FiveServer();
    bare.start();
    expect(bare.connects[0]).not.toHaveProperty('will');
    for (const qos of [0, 1, 2] as const) {
      const server = new FiveServer();
      server.start({ upstream: { will: { topic: 'w/ö', payload: 'x', qos, retain: qos === 1 }, birth: null } });
      expect(server.connects[0]!.will).toMatchObject({ topic: 'w/ö', qos, retain: qos === 1 });
    }
  });
});

describe('CONNACK', () => {
  it('with a session where none was asked for ends the connection [MQTT5-3.2.2-4]', () => {
    const server = new FiveServer();
    server.sessionPresent = true;
    const configuration = server.configure({ upstream: { cleansession: true } });
    const world = new World({ configuration, server: server.serve });
    world.runtime.start();
    world.run(1000);
    expect(world.upstreamEndings).toContain(ReasonCode.SESSION_PRESENT_UNEXPECTED);
  });

  it('without a session makes what was under way a new message, with DUP 0 [MQTT5-3.2.2-5]', () => {
    const server = new FiveServer();
    server.isMute = true;
    const { world } = server.start(BOTH);
    talk(world, [['a', 1], ['b', 2]]);
    expect(arrived(world).filter(text => text.startsWith('publish'))).toEqual(['publish a q1 #2', 'publish b q2 #3']);
    world.uplink.close();
    world.run(10_000);
    expect(arrived(world).filter(text => text.startsWith('publish')).map(text => text.split(' #')[0]))
      .toEqual(['publish a q1', 'publish b q2']);
  });
});

describe('messages', () => {
  it('are sent again in their first order, with their identifiers and DUP, when the session goes on '
    + '[MQTT5-4.6.0-1] [MQTT5-4.4.0-1] [MQTT5-3.3.1-1] [MQTT5-2.2.1-3]', () => {
    const server = new FiveServer();
    server.isMute = server.sessionPresent = true;
    const { world } = server.start(BOTH);
    talk(world, [['a', 1], ['b', 2], ['c', 1]]);
    const before = arrived(world).filter(text => text.startsWith('publish'));
    expect(new Set(before.map(text => text.split('#')[1])).size).toBe(3);
    world.uplink.close();
    world.run(10_000);
    expect(arrived(world).filter(text => text.startsWith('publish'))).toEqual(before.map(text => text.replace(' #', ' dup #')));
  });

  it('of the Server are acknowledged in the order in which they came, wanted or not '
    + '[MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT5-4.5.0-2] [MQTT5-3.3.4-1]', () => {
    const server = new FiveServer();
    const { world } = server.start({ topic: [{ pattern: 'wanted/#', direction: 'in', qos: 2 }] });
    const from = world.uplink.packets.length;
    for (const [topic, qos] of [['wanted/1', 1], ['other', 1], ['wanted/2', 2], ['other', 2], ['wanted/0', 0]] as const)
      server.publish(topic, 'x', { qos });
    world.run(500);
    expect(arrived(world).slice(from)).toEqual(
      ['puback #1', 'puback #2', 'pubrec #3', 'pubrec #4', 'pubcomp #3', 'pubcomp #4']);
  });

  it('of QoS 2 get their PUBRELs in the order of the PUBRECs [MQTT5-4.6.0-4]', () => {
    const server = new FiveServer();
    server.isMute = true;
    const { world } = server.start(BOTH);
    talk(world, [['a', 2], ['b', 2], ['c', 2]]);
    const identifiers = server.publishes.map(({ messageId }) => messageId!);
    for (const messageId of [identifiers[2]!, identifiers[0]!, identifiers[1]!])
      world.uplink.post({ cmd: 'pubrec', messageId });
    world.run(100);
    expect(arrived(world).filter(text => text.startsWith('pubrel')))
      .toEqual([identifiers[2], identifiers[0], identifiers[1]].map(identifier => `pubrel #${identifier}`));
  });

  it('beyond Receive Maximum wait, and nothing else does [MQTT5-3.3.4-8]', () => {
    const server = new FiveServer({ receiveMaximum: 1 });
    server.isMute = true;
    const { world } = server.start(BOTH);
    talk(world, [['a', 1], ['b', 1]]);
    server.publish('wanted', 'x', { qos: 2 });
    world.run(500);
    expect(arrived(world).filter(text => text.startsWith('publish'))).toEqual(['publish a q1 #2']);
    expect(arrived(world).slice(-2)).toEqual(['pubrec #1', 'pubcomp #1']);
  });
});
