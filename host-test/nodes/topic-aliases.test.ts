/** Topic Aliases that nodes use. MQTT 5.0 section 3.3.2.3.4. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { ask5, connect5, publish5, subscribe5, take5 } from '../world/packets-of-five.ts';
import { puback } from '../world/packets.ts';
import type { Peer } from '../world/peer.ts';
import { World } from '../world/world.ts';

const USER_PROPERTY = '2600016b000176';
const alias = (number: number): string => `23${number.toString(16).padStart(4, '0')}`;

interface Site {
  world: World;
  reader: Peer;
  writer: Peer;
}

function site(listener: PartialConfiguration['listener'] = {}, memory: PartialConfiguration['memory'] = {}): Site {
  const world = World.quiet({ listener: { max_topic_alias: 3, ...listener }, memory });
  const reader = world.open(), writer = world.open();
  ask5(reader, connect5('r'), subscribe5(1, '#', 1));
  ask5(writer, connect5('w'));
  return { world, reader, writer };
}

describe('a Topic Alias', () => {
  it('is offered in CONNACK if the configuration says so [MQTT5-3.2.2-18]', () => {
    const { world } = site();
    expect(ask5(world.open(), connect5('a'))).toEqual(['CONNACK 0 {2100402700000400220003}']);
    expect(ask5(World.quiet().open(), connect5('a'))).toEqual(['CONNACK 0 {2100402700000400}']);
  });

  it('stands for the topic that came with it, and goes no further [MQTT5-3.3.2-12]', () => {
    const { reader, writer } = site();
    writer.send(publish5('first/topic', '1', alias(1)), publish5('second/topic', '2', alias(3) + USER_PROPERTY),
      publish5('', '3', alias(1)), publish5('', '4', USER_PROPERTY + alias(3), { qos: 1 }), publish5('plain', '5'),
      publish5('', '6', alias(1), { qos: 2, identifier: 2 }));
    expect(take5(reader)).toEqual(['PUBLISH first/topic=1 q0', `PUBLISH second/topic=2 q0 {${USER_PROPERTY}}`,
      'PUBLISH first/topic=3 q0', `PUBLISH second/topic=4 q1 #1 {${USER_PROPERTY}}`, 'PUBLISH plain=5 q0',
      'PUBLISH first/topic=6 q1 #2']);
  });

  it('may be given another topic, longer or shorter, as often as wanted', () => {
    const { reader, writer } = site();
    const topics = ['a', 'a/long/one/of/many/levels', 'b/c', 'as/long', 'so/long', 'a/long/one/of/many/levels', 'd'];
    for (let round = 0; round < 60; ++round)
      for (const [index, number] of [1, 2, 3].entries()) {
        const topic = `${number}/${topics[(round + index) % topics.length]!}`;
        writer.send(publish5(topic, 'x', alias(number)));
        for (const other of [1, 2, 3].slice(0, round === 0 ? number : 3))
          writer.send(publish5('', 'y', alias(other)));
        const shown = take5(reader).map(event => event.slice(8, event.indexOf('=')));
        expect(shown[0]).toBe(topic);
        expect(shown.slice(1)[number - 1]).toBe(topic);
        expect(shown.slice(1).map(name => name[0])).toEqual(['1', '2', '3'].slice(0, round === 0 ? number : 3));
      }
  });

  it('is recognised between messages that are predicted', () => {
    const { reader, writer } = site();
    for (let round = 0; round < 4; ++round)
      for (const [topic, hex] of [['air/temperature', alias(1)], ['', alias(1)], ['', alias(1)], ['', alias(1)],
        ['air/temperature', ''], ['air/temperature', ''], ['air/temperature', '']] as const) {
        writer.send(publish5(topic, '1', hex, { qos: round & 1 }));
        expect(take5(reader)[0]).toMatch(/^PUBLISH air\/temperature=1 q/);
      }
  });

  it('means nothing on another connection [MQTT5-3.3.2-7]', () => {
    const { reader, world, writer } = site();
    writer.send(publish5('t', 'x', alias(1)));
    expect(ask5(node(world, 'other'), publish5('', 'x', alias(1)))).toEqual(['DISCONNECT 82', 'closed']);
    writer.vanish();
    expect(ask5(node(world, 'w'), publish5('', 'x', alias(1)))).toEqual(['DISCONNECT 82', 'closed']);
    expect(take5(reader)).toEqual(['PUBLISH t=x q0']);
  });

  it.each([
    ['0 [MQTT5-3.3.2-8]', publish5('t', 'x', alias(0)), '94'],
    ['beyond the maximum [MQTT5-3.3.2-9]', publish5('t', 'x', alias(4)), '94'],
    ['beyond the maximum, without a topic', publish5('', 'x', alias(4)), '94'],
    ['that stands for nothing', publish5('', 'x', alias(2)), '82'],
    ['said twice', publish5('t', 'x', alias(1) + alias(1)), '82'],
    ['for no Topic Name', publish5('t/#', 'x', alias(1)), '90'],
  ])('%s ends the connection', (_name, packet, code) => {
    expect(ask5(site().writer, packet)).toEqual([`DISCONNECT ${code}`, 'closed']);
  });

  it('of topics that have no room together ends the connection, and the log says why', () => {
    const { world, writer } = site({}, { topic_length: 16 });
    expect(ask5(writer, publish5('a'.repeat(20), 'x', alias(1)), publish5('b'.repeat(20), 'x', alias(2)))).toEqual([]);
    expect(ask5(writer, publish5('c'.repeat(9), 'x', alias(3)))).toEqual(['DISCONNECT 97', 'closed']);
    expect(world.eventTexts.at(-1)).toMatch(/Topic Aliases.*memory\.topic_length/);
  });

  it('is judged under the mount point of its user', () => {
    const { reader, world } = site({ users: [{ username: 'one', password: 'p', mount_point: 'one/' }] });
    const one = world.open();
    ask5(one, connect5('one', { user: 'one' }), publish5('t', 'x', alias(1)), publish5('u', 'y', alias(2)),
      publish5('', 'z', alias(1)));
    expect(take5(reader)).toEqual(['PUBLISH one/t=x q0', 'PUBLISH one/u=y q0', 'PUBLISH one/t=z q0']);
  });

  it.each(['a/topic', ''])('goes with a message that has to wait for a reader without room, topic %j', topic => {
    const world = World.quiet({ listener: { max_topic_alias: 3, max_queued_messages: 1 } });
    const reader = world.open(), writer = world.open();
    ask5(reader, connect5('r'), subscribe5(1, '#', 1));
    ask5(writer, connect5('w'), publish5('a/topic', 'first', alias(2)));
    writer.send(publish5('x', '1', '', { qos: 1 }),
      publish5(topic, '2', alias(2) + USER_PROPERTY, { qos: 1, identifier: 2 }), publish5('', '3', alias(2)));
    expect(take5(writer)).toEqual(['PUBACK #1']); // the second one waits
    reader.send(puback(1));
    world.run(100);
    expect(take5(writer)).toEqual(['PUBACK #2']);
    expect(take5(reader)).toEqual(['PUBLISH a/topic=first q0', 'PUBLISH x=1 q1 #1',
      `PUBLISH a/topic=2 q1 #2 {${USER_PROPERTY}}`, 'PUBLISH a/topic=3 q0']);
  });

  it('works in any fragmentation', () => {
    const { reader, writer } = site();
    const bytes = Buffer.concat([publish5('a/topic', 'x', alias(1)), publish5('', 'y', alias(1), { qos: 1 })]);
    for (const byte of bytes)
      writer.send(new Uint8Array([byte]));
    expect(take5(reader)).toEqual(['PUBLISH a/topic=x q0', 'PUBLISH a/topic=y q1 #1']);
  });
});

function node(world: World, name: string): Peer {
  const peer = world.open();
  ask5(peer, connect5(name));
  return peer;
}
