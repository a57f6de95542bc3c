/** Retained messages, by whole gateway and raw bytes. */
import { describe, expect, it } from 'vitest';
import { World } from '../world/world.ts';
import { publish, subscribe, unsubscribe } from '../world/packets.ts';

const retain = (topic: string, payload: string, qos = 0) => publish(topic, payload, { qos, retain: true });

describe.each([4, 3])('a retained message, protocol level %i', level => {
  const worldWith = (...messages: Uint8Array[]) => {
    const world = World.quiet();
    const writer = world.node('writer', { level }, ...messages);
    writer.take();
    return { world, writer, reader: world.node('reader', { level }) };
  };

  it('reaches who subscribes later, with RETAIN 1 [MQTT311-3.3.1-5] [MQTT311-3.3.1-6] [MQTT311-3.3.1-8]', () => {
    const { reader } = worldWith(retain('a/b', 'x'));
    expect(reader.ask(subscribe(1, 'a/+', 0))).toEqual(['SUBACK #1 0', 'PUBLISH a/b=x q0 retain']);
  });

  it('reaches who is subscribed already with RETAIN 0 [MQTT311-3.3.1-9]', () => {
    const { reader, writer } = worldWith();
    reader.ask(subscribe(1, 'a/b', 0));
    writer.send(retain('a/b', 'x'));
    expect(reader.take()).toEqual(['PUBLISH a/b=x q0']);
  });

  it('is replaced by the next one, of whatever QoS [MQTT311-3.3.1-5] [MQTT311-3.3.1-7]', () => {
    const { reader } = worldWith(retain('a', 'old', 1), retain('a', 'new', 0));
    expect(reader.ask(subscribe(1, 'a', 1))).toEqual(['SUBACK #1 1', 'PUBLISH a=new q0 retain']);
  });

  it('with an empty payload is delivered, removes the old one and is not kept [MQTT311-3.3.1-10] [MQTT311-3.3.1-11]',
    () => {
    const { reader, world, writer } = worldWith(retain('a', 'old'), retain('b', ''));
    expect(reader.ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0', 'PUBLISH a=old q0 retain']);
    writer.send(retain('a', ''));
    expect(reader.take()).toEqual(['PUBLISH a= q0']);
    expect(world.node('later', { level }).ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0']);
    expect(world.gateway.retained.count).toBe(0);
  });

  it('is not touched by a message with RETAIN 0, empty or not [MQTT311-3.3.1-12]', () => {
    const { reader } = worldWith(retain('a', 'kept'), publish('a', 'other'), publish('a', ''), publish('b', 'no'));
    expect(reader.ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0', 'PUBLISH a=kept q0 retain']);
  });

  it.each([[0, 2, 0], [1, 2, 1], [2, 1, 1], [2, 0, 0],
    [2, 2, 2]])('of QoS %i reaches a subscription of QoS %i with QoS %i [MQTT311-3.8.4-6]',
      (published, asked, expected) => {
    const { reader } = worldWith(retain('a', 'x', published));
    expect(reader.ask(subscribe(1, 'a', asked))).toEqual([`SUBACK #1 ${asked}`,
      `PUBLISH a=x q${expected}${expected > 0 ? ' #1' : ''} retain`]);
  });

  it('is sent again when the same subscription is made again [MQTT311-3.8.4-3]', () => {
    const { reader } = worldWith(retain('a', 'x', 1));
    reader.ask(subscribe(1, 'a', 0));
    expect(reader.ask(subscribe(2, 'a', 1))).toEqual(['SUBACK #2 1', 'PUBLISH a=x q1 #1 retain']);
  });

  it('is sent for each filter of one SUBSCRIBE, and never before SUBACK [MQTT311-3.8.4-4]', () => {
    const { reader } = worldWith(retain('a', 'x'), retain('b', 'y'));
    expect(reader.ask(subscribe(1, 'b', 0, 'a', 0))).toEqual(['SUBACK #1 0 0', 'PUBLISH b=y q0 retain',
      'PUBLISH a=x q0 retain']);
  });

  it('outlives all sessions [MQTT311-3.1.2-7]', () => {
    const { world, writer } = worldWith(retain('a', 'x'));
    writer.vanish();
    expect(world.node('later', { level }).ask(subscribe(1, 'a', 0))).toEqual(['SUBACK #1 0', 'PUBLISH a=x q0 retain']);
  });

  it('is not sent after UNSUBSCRIBE, and not for a filter that does not match', () => {
    const { reader, writer } = worldWith(retain('a', 'x'));
    expect(reader.ask(subscribe(1, 'b', 0))).toEqual(['SUBACK #1 0']);
    reader.ask(subscribe(2, 'a', 0), unsubscribe(3, 'a'));
    writer.send(retain('a', 'y'));
    expect(reader.take()).toEqual([]);
  });
});

describe('when retained messages have no room', () => {
  it('the new one is delivered, counted and not kept, and the old one of its topic is gone', () => {
    const world = World.quiet({ listener: { max_retained_messages: 2 } });
    const writer = world.node('writer', {}, retain('a', '1'), retain('b', '2'));
    const reader = world.node('reader', {}, subscribe(1, '#', 0));
    writer.send(retain('c', '3'), retain('a', '4'));
    expect(reader.take()).toEqual(['PUBLISH c=3 q0', 'PUBLISH a=4 q0']);
    expect(world.node('later').ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0', 'PUBLISH a=4 q0 retain',
      'PUBLISH b=2 q0 retain']);
    expect(world.eventTexts.filter(event => event.includes('max_retained_messages'))).toHaveLength(1);
  });

  it('in bytes, too: what is longer than all the room is delivered all the same', () => {
    const world = World.quiet({ listener: { max_retained_bytes: 64 } });
    const reader = world.node('reader', {}, subscribe(1, '#', 0));
    world.node('writer', {}, retain('a', 'x'.repeat(60)));
    expect(reader.take()).toEqual([`PUBLISH a=${'x'.repeat(60)} q0`]);
    expect(world.gateway.retained.count).toBe(0);
  });

  it('more of them than a node can be sent at once arrive all the same when it is ready to take them', () => {
    const world =
      World.quiet({ listener: { max_queued_messages: 100, max_queued_bytes: 8192, max_inflight_messages: 2 } });
    const topics = Array.from({ length: 30 }, (_, index) => `t/${index}`);
    world.node('writer', {}, ...topics.map(topic => retain(topic, 'x', 1)));
    const reader = world.node('reader');
    let seen = reader.ask(subscribe(1, 't/+', 1)).filter(event => event.startsWith('PUBLISH'));
    expect(seen).toHaveLength(2);
    for (let round = 1; round <= 30; ++round)
      seen = [...seen, ...reader.ask(new Uint8Array([0x40, 2, 0, round])).filter(event => event.startsWith('PUBLISH'))];
    expect(seen).toEqual(topics.map((topic, index) => `PUBLISH ${topic}=x q1 #${index + 1} retain`));
  });
});
