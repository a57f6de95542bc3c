/** Who gets which message: subscriptions, QoS, order. */
import { describe, expect, it } from 'vitest';
import { World } from '../world/world.ts';
import { DISCONNECT, packet, puback, pubcomp, publish, pubrec, pubrel, subscribe,
  unsubscribe } from '../world/packets.ts';

describe.each([4, 3])('a message, protocol level %i', level => {
  const readerOf = (...filters: (string | number)[]) => {
    const world = World.quiet();
    const reader = world.node('reader', { level }, subscribe(1, ...filters));
    reader.take();
    return { world, reader, writer: world.node('writer', { level }) };
  };

  it.each([[0, 0, 0], [0, 1, 0], [0, 2, 0], [1, 0, 0], [1, 1, 1], [1, 2, 1], [2, 0, 0], [2, 1, 1], [2, 2, 2]])(
    'of QoS %i reaches a subscription of QoS %i with QoS %i, and is acknowledged by its own [MQTT311-3.8.4-6] [MQTT311-3.3.4-1]', (published, granted, expected) => {
      const { reader, writer } = readerOf('a', granted);
      expect(writer.ask(publish('a', 'x', { qos: published, identifier: 77 }))).toEqual([[], ['PUBACK #77'],
        ['PUBREC #77']][published]);
      expect(reader.take()).toEqual([`PUBLISH a=x q${expected}${expected > 0 ? ' #1' : ''}`]); // QoS 0 without identifier [MQTT311-2.3.1-5]
    });

  it('arrives once however many subscriptions match, with the highest QoS of them [MQTT311-3.3.5-1]', () => {
    for (const filters of [['a/b', 0, 'a/+', 2, '#', 1], ['#', 1, 'a/+', 2, 'a/b', 0], ['a/+', 2, 'a/#', 2]]) {
      const { reader, writer } = readerOf(...filters);
      writer.send(publish('a/b', 'x', { qos: 2 }));
      expect(reader.take()).toEqual(['PUBLISH a/b=x q2 #1']);
    }
  });

  it('reaches every node that asked for it, the sender too, and nobody else [MQTT311-4.5.0-1] [MQTT311-3.3.2-3]',
    () => {
    const { reader, world, writer } = readerOf('a/+', 0);
    const other = world.node('other', { level }, subscribe(1, 'b/+', 0));
    other.take();
    expect(writer.ask(subscribe(1, 'a/#', 0), publish('a/b', 'x'))).toEqual(['SUBACK #1 0', 'PUBLISH a/b=x q0']);
    expect(reader.take()).toEqual(['PUBLISH a/b=x q0']);
    expect(other.take()).toEqual([]);
  });

  it.each([
    ['#', 'a', true], ['#', '/', true], ['a/#', 'a', true], ['a/#', 'a/b/c', true], ['a/#', 'ab', false],
      ['+', 'a', true], ['+', '/a', false], ['+/+', '/a', true],
    ['/+', '/a', true], ['+/a', '/a', true], ['a/+', 'a', false], ['a/+', 'a/', true], ['a/+/c', 'a/b/c', true],
      ['a/+/c', 'a/b/b/c', false], ['a//c', 'a//c', true],
    ['#', '$x', false], ['+/a', '$x/a', false], ['$x/#', '$x/a', true], ['$x/+', '$x/a', true], ['A', 'a', false],
      ['a ', 'a', false], ['\u00e4', 'a\u0308', false],
    ['\ufeffa', 'a', false], ['\ufeffa', '\ufeffa', true], ['+', '\u{1F600}', true],
  ])('for filter %j, topic %j: %s [MQTT311-4.7.1-2] [MQTT311-4.7.1-3] [MQTT311-4.7.2-1] [MQTT311-4.7.3-4] [MQTT311-1.5.3-3]', (filter, topic, matches) => {
    const { reader, writer } = readerOf(filter, 0);
    writer.send(publish(topic, 'x'));
    expect(reader.take()).toEqual(matches ? [`PUBLISH ${topic}=x q0`] : []);
  });

  it('is passed on with DUP 0, whatever the sender set [MQTT311-3.3.1-3]', () => {
    const { reader, writer } = readerOf('a', 2);
    writer.send(publish('a', 'x', { qos: 1, dup: true }), publish('a', 'y', { qos: 2, identifier: 2, dup: true }));
    expect(reader.take()).toEqual(['PUBLISH a=x q1 #1', 'PUBLISH a=y q2 #2']);
  });

  it('of QoS 1 with an identifier that was acknowledged is a new one, whatever DUP says [MQTT311-4.3.2-2]', () => {
    const { reader, writer } = readerOf('a', 0);
    expect(writer.ask(publish('a', 'x', { qos: 1 }), publish('a', 'x', { qos: 1, dup: true }))).toEqual(['PUBACK #1',
      'PUBACK #1']);
    expect(reader.take()).toEqual(['PUBLISH a=x q0', 'PUBLISH a=x q0']);
  });

  it('of QoS 2 is delivered once until PUBREL, and then the identifier is free [MQTT311-4.3.3-2]', () => {
    const { reader, writer } = readerOf('a', 0);
    const message = publish('a', 'x', { qos: 2, identifier: 9 });
    expect(writer.ask(message, message,
      publish('a', 'x', { qos: 2, identifier: 9, dup: true }))).toEqual(['PUBREC #9', 'PUBREC #9', 'PUBREC #9']);
    expect(reader.take()).toEqual(['PUBLISH a=x q0']);
    expect(writer.ask(pubrel(9), pubrel(9), message)).toEqual(['PUBCOMP #9', 'PUBCOMP #9', 'PUBREC #9']);
    expect(reader.take()).toEqual(['PUBLISH a=x q0']);
  });

  it('of QoS 2 that its sender has subscribed to comes back, and is acknowledged when it has been delivered [MQTT311-3.3.4-1]', () => {
    const { writer } = readerOf('a', 2);
    writer.ask(subscribe(1, 'a', 2));
    expect(writer.ask(publish('a', 'x', { qos: 2, identifier: 9 }))).toEqual(['PUBLISH a=x q2 #1', 'PUBREC #9']);
  });

  it('of QoS 1 to a new session has identifier 1, whoever had its place before [MQTT311-2.3.1-4]', () => {
    const world = World.quiet({ listener: { max_connections: 2, max_sessions: 2 } });
    for (const name of ['one', 'two', 'three', 'three']) {
      const node = world.node(name, { level }, subscribe(1, 'a', 1));
      node.take();
      expect(node.ask(publish('a', 'x', { qos: 0 }), publish('a', 'x', { qos: 1 }))).toEqual(['PUBLISH a=x q0',
        'PUBLISH a=x q1 #1', 'PUBACK #1']);
      node.vanish();
    }
  });

  it('of QoS 1 and 2 is under way until the reader has acknowledged it [MQTT311-4.3.2-1] [MQTT311-4.3.3-1] [MQTT311-2.3.1-6]', () => {
    const { reader, world, writer } = readerOf('a', 2);
    writer.send(publish('a', 'x', { qos: 1 }), publish('a', 'y', { qos: 2, identifier: 2 }));
    expect(reader.take()).toEqual(['PUBLISH a=x q1 #1', 'PUBLISH a=y q2 #2']);
    const queue = world.gateway.sessions[0]!.sessionState!;
    expect(queue.queue.count).toBe(2);
    expect(reader.ask(puback(1), pubrec(2), pubrec(2))).toEqual(['PUBREL #2', 'PUBREL #2']);
    expect(reader.ask(pubcomp(2), pubcomp(2), puback(1), pubcomp(99))).toEqual([]);
    expect(queue.queue.count).toBe(0);
  });

  it('keeps its place in the order of its publisher, topic and QoS [MQTT311-4.6.0-5] [MQTT311-4.6.0-6]', () => {
    for (const qos of [0, 1, 2]) {
      const { reader, writer } = readerOf('a', 2);
      writer.send(...Array.from({ length: 15 }, (_, index) =>
        publish('a', `${index}`, { qos, identifier: index + 1 })));
      expect(reader.take()).toEqual(Array.from({ length: 15 }, (_, index) =>
        `PUBLISH a=${index} q${qos}${qos > 0 ? ` #${index + 1}` : ''}`));
      // PUBREC in any order gives PUBREL in that order [MQTT311-4.6.0-4]
      if (qos === 2)
        expect(reader.ask(pubrec(3), pubrec(1), pubrec(2))).toEqual(['PUBREL #3', 'PUBREL #1', 'PUBREL #2']);
    }
  });

  it('is acknowledged in the order of arrival [MQTT311-4.6.0-2] [MQTT311-4.6.0-3]', () => {
    const { writer } = readerOf('a', 0);
    expect(writer.ask(publish('a', '', { qos: 1, identifier: 5 }), publish('a', '', { qos: 2, identifier: 4 }),
      publish('a', '', { qos: 1, identifier: 3 })))
      .toEqual(['PUBACK #5', 'PUBREC #4', 'PUBACK #3']);
  });

  it('with an empty payload is a message like any other', () => {
    const { reader, writer } = readerOf('a', 0);
    writer.send(publish('a', ''));
    expect(reader.take()).toEqual(['PUBLISH a= q0']);
  });
});

describe.each([4, 3])('SUBSCRIBE and UNSUBSCRIBE, protocol level %i', level => {
  it('are answered for all filters in one packet, in their order [MQTT311-3.8.4-1] [MQTT311-3.8.4-2] [MQTT311-3.8.4-4] [MQTT311-3.8.4-5] [MQTT311-3.9.3-1] [MQTT311-2.3.1-7] [MQTT311-3.10.4-6]', () => {
    const node = World.quiet().node('a', { level });
    expect(node.ask(subscribe(10, 'a', 2, 'b', 0, 'c/#', 1))).toEqual(['SUBACK #10 2 0 1']);
    expect(node.ask(unsubscribe(11, 'a', 'nothing', 'c/#'))).toEqual(['UNSUBACK #11']); // [MQTT311-3.10.4-6]
  });

  it('the same filter again replaces the subscription, also within one packet [MQTT311-3.8.4-3]', () => {
    const world = World.quiet();
    const node = world.node('a', { level });
    expect(node.ask(subscribe(1, 'a', 2, 'a', 0))).toEqual(['SUBACK #1 2 0']);
    expect(world.gateway.subscriptions.count).toBe(1);
    expect(node.ask(publish('a', 'x', { qos: 1 }))).toEqual(['PUBLISH a=x q0', 'PUBACK #1']);
  });

  it('UNSUBSCRIBE removes exactly that filter [MQTT311-3.10.4-1] [MQTT311-3.10.4-2]', () => {
    const node = World.quiet().node('a', { level });
    node.ask(subscribe(1, 'a/b', 0, 'a/+', 0));
    expect(node.ask(unsubscribe(2, 'a/+'), publish('a/b', 'x'), publish('a/c', 'x'))).toEqual(['UNSUBACK #2',
      'PUBLISH a/b=x q0']);
    expect(node.ask(unsubscribe(3, 'A/b'), publish('a/b', 'y'))).toEqual(['UNSUBACK #3', 'PUBLISH a/b=y q0']);
  });

  it('UNSUBSCRIBE is acknowledged when nothing was subscribed [MQTT311-3.10.4-4] [MQTT311-3.10.4-5]', () => {
    expect(World.quiet().node('a', { level }).ask(unsubscribe(700, 'x'))).toEqual(['UNSUBACK #700']);
  });

  it('deliveries that have begun are completed after UNSUBSCRIBE [MQTT311-3.10.4-3]', () => {
    const world = World.quiet();
    const node = world.node('a', { level }, subscribe(1, 'a', 2));
    node.take();
    world.node('b', { level }, publish('a', 'x', { qos: 2 }));
    expect(node.ask(unsubscribe(2, 'a'))).toEqual(['PUBLISH a=x q2 #1', 'UNSUBACK #2']);
    expect(node.ask(pubrec(1))).toEqual(['PUBREL #1']);
    expect(node.ask(pubcomp(1))).toEqual([]);
    expect(world.gateway.nodes.states[0]!.queue.count).toBe(0);
  });

  it('without room is refused with 0x80 in 3.1.1; 3.1 has no such code [MQTT311-3.9.3-2]', () => {
    const world = World.quiet({ listener: { max_subscriptions: 2 } });
    const node = world.node('a', { level });
    expect(node.ask(subscribe(1, 'a', 0, 'b', 1, 'c', 2))).toEqual([level === 4 ? 'SUBACK #1 0 1 80'
      : 'SUBACK #1 0 1 2']);
    expect(node.ask(publish('c', 'x'))).toEqual([]);
    expect(node.ask(unsubscribe(2, 'a'), subscribe(3, 'c', 0), publish('c', 'x'))).toEqual(['UNSUBACK #2',
      'SUBACK #3 0', 'PUBLISH c=x q0']);
    expect(world.eventTexts.filter(event =>
      event.includes('"a": no room (listener.max_subscriptions'))).toHaveLength(1);
  });

  it.each([
    ['without a filter [MQTT311-3.8.3-3]', packet(0x82, 0, 1), level === 3],
    ['UNSUBSCRIBE without a filter [MQTT311-3.10.3-2]', packet(0xA2, 0, 1), level === 3],
    ['with flags 0000 [MQTT311-3.8.1-1]', packet(0x80, 0, 1, 0, 1, 'a', 0), false],
    ['UNSUBSCRIBE with flags 0000 [MQTT311-3.10.1-1]', packet(0xA0, 0, 1, 0, 1, 'a'), false],
    ['with QoS 3 [MQTT311-3.8.3-4]', subscribe(1, 'a', 3), false],
    ['with reserved bits of the QoS byte [MQTT311-3.8.3-4]', subscribe(1, 'a', 0x80), false],
    ['with identifier 0 [MQTT311-2.3.1-1]', subscribe(0, 'a', 0), false],
    ['UNSUBSCRIBE with identifier 0 [MQTT311-2.3.1-1]', unsubscribe(0, 'a'), false],
    ['with an empty filter [MQTT311-4.7.3-1]', subscribe(1, '', 0), false],
    ['with U+0000 in the filter [MQTT311-4.7.3-2]', subscribe(1, 'a\0', 0), false],
    ['with "a#" [MQTT311-4.7.1-2]', subscribe(1, 'a#', 0), false],
    ['with "#/a" [MQTT311-4.7.1-2]', subscribe(1, '#/a', 0), false],
    ['with "a+/b" [MQTT311-4.7.1-3]', subscribe(1, 'a+/b', 0), false],
    ['with a surrogate [MQTT311-1.5.3-1] [MQTT311-3.8.3-1]', packet(0x82, 0, 1, 0, 3, 0xED, 0xA0, 0x80, 0), false],
    ['UNSUBSCRIBE with a surrogate [MQTT311-3.10.3-1]', packet(0xA2, 0, 1, 0, 3, 0xED, 0xA0, 0x80), false],
    ['with a filter that is good and one that is not', subscribe(1, 'good', 0, 'b#d', 0), false],
  ])('%s costs the connection, and nothing has been subscribed', (_name, bytes, isAllowed) => {
    const world = World.quiet();
    const node = world.node('a', { level, clean: false });
    expect(node.ask(bytes).at(-1) === 'closed').toBe(!isAllowed);
    expect(world.gateway.subscriptions.count).toBe(0);
  });
});

describe('max_inflight_messages', () => {
  it('limits what is sent and not acknowledged; the rest follows in order', () => {
    const world = World.quiet({ listener: { max_inflight_messages: 2 } });
    const reader = world.node('reader', {}, subscribe(1, 'a', 1));
    reader.take();
    const writer =
      world.node('writer', {},
        ...[1, 2, 3, 4].map(identifier => publish('a', `${identifier}`, { qos: 1, identifier })));
    expect(writer.take()).toEqual([]);
    expect(reader.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q1 #2']);
    expect(reader.ask(puback(1))).toEqual(['PUBLISH a=3 q1 #3']);
    expect(reader.ask(puback(2), puback(3))).toEqual(['PUBLISH a=4 q1 #4']);
    expect(writer.ask(DISCONNECT)).toEqual(['closed']);
  });
});
