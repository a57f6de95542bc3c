/**
 * What 5.0 asks of a Server as 3.1.1 did, with nodes that speak 5.0: by the numbers of its statements. What is new in
 * 5.0 is in mqtt-five.test.ts.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { answer5, ask5, connect5, type ConnectOptions, disconnect5, publish5, subscribe5, take5,
  unsubscribe5 } from '../world/packets-of-five.ts';
import { bytesOf, packet, PINGREQ, puback, pubcomp, pubrec, pubrel } from '../world/packets.ts';
import { type Peer, World } from '../world/world.ts';

const KEPT: ConnectOptions = { clean: false, properties: '1100000064' };

const quiet = (listener: PartialConfiguration['listener'] = {}): World => World.quiet({ listener });

function node5(world: World, clientIdentifier: string, options: ConnectOptions = {}, ...packets: Uint8Array[]): Peer {
  const node = world.open().send(connect5(clientIdentifier, options), ...packets);
  take5(node);
  return node;
}

/** A node that reads `filter` with this QoS, and one that writes. */
function pair(filter = 't', qos = 2, options: ConnectOptions = {}): { world: World; reader: Peer; writer: Peer } {
  const world = quiet();
  return { world, reader: node5(world, 'r', options, subscribe5(1, filter, qos)), writer: node5(world, 'w') };
}

const first = (answers: string[]): string => answers[0]!.split(' {')[0]!;

describe('CONNECT', () => {
  it.each(['a', 'abcdefghijklmnopqrstuvw', '0123456789', 'ABCDEFGHIJKLMNOPQRSTUVW', 'xyzXYZ'])(
    'may name the node %s [MQTT5-3.1.3-5]', name => {
      expect(first(ask5(quiet().open(), connect5(name)))).toBe('CONNACK 0');
    });

  it('may not name it with an identifier that is too long [MQTT5-3.1.3-8]', () => {
    expect(ask5(quiet().open(), connect5('x'.repeat(200)))).toEqual(['CONNACK 85', 'closed']);
  });

  it('of a user whose password is wrong ends the connection, and what follows is not looked at '
    + '[MQTT5-3.1.4-2] [MQTT5-3.1.4-6] [MQTT5-4.12.0-4]', () => {
    const world = quiet();
    const reader = node5(world, 'r', {}, subscribe5(1, '#', 0));
    const refused = world.open().post(connect5('a', { user: 'nobody' }), publish5('t', 'x'), subscribe5(1, 't', 0));
    world.run();
    expect(take5(refused)).toEqual(['CONNACK 86', 'closed']);
    expect(take5(reader)).toEqual([]);
  });

  it('is answered once, by CONNACK in front of everything else, and a second one is an error '
    + '[MQTT5-3.2.0-1] [MQTT5-3.2.0-2] [MQTT5-3.1.0-2]', () => {
    const { reader, world, writer } = pair('t', 1, KEPT);
    reader.vanish();
    writer.send(publish5('t', 'x', '', { qos: 1 }));
    const again = world.open();
    const answers = ask5(again, connect5('r', KEPT), PINGREQ);
    expect(answers.map(text => text.split(' ')[0])).toEqual(['CONNACK', 'PUBLISH', 'PINGRESP']);
    expect(ask5(again, connect5('r', KEPT))).toEqual(['DISCONNECT 82', 'closed']);
  });

  it('that is refused is followed by no DISCONNECT [MQTT5-3.14.0-1]', () => {
    expect(ask5(quiet().open(), connect5('a', { user: 'nobody' })).filter(text => text.startsWith('DISCONNECT')))
      .toEqual([]);
  });

  it('of another name has another session, of the same name the same [MQTT5-3.1.3-2] [MQTT5-3.1.4-4] [MQTT5-4.1.0-1]',
    () => {
      const { reader, world, writer } = pair('t', 1, KEPT);
      world.run(200_000); // a session does not expire beside its connection
      expect(ask5(writer, publish5('t', '1', '', { qos: 1 }))).toEqual(['PUBACK #1']);
      expect(take5(reader)).toEqual(['PUBLISH t=1 q1 #1']);
      reader.send(puback(1)).vanish();
      writer.send(publish5('t', '2', '', { qos: 1 }));
      expect(ask5(world.open(), connect5('s', KEPT)).length).toBe(1);
      expect(ask5(world.open(), connect5('r', KEPT)).slice(1)).toEqual(['PUBLISH t=2 q1 #2']);
    });

  it.each([['0', 0, false], ['1', 1, true], ['2', 2, true]])(
    'may have a Will of QoS %s, retained or not [MQTT5-3.1.2-14] [MQTT5-3.1.2-15] [MQTT5-3.1.2-12]', (_name, qos, retain) => {
      const { reader, world } = pair('w', 2);
      node5(world, 'a', { will: { topic: 'w', payload: 'gone', qos, retain } }).vanish();
      const arrived = `PUBLISH w=gone q${qos}${qos > 0 ? ' #1' : ''}`;
      expect(take5(reader)).toEqual([arrived]);
      expect(ask5(node5(world, 'late'), subscribe5(1, 'w', 0))).toEqual(
        ['SUBACK #1 0', ...(retain ? ['PUBLISH w=gone q0 retain'] : [])]);
    });
});

describe('PUBLISH', () => {
  it.each([[0, []], [1, ['PUBACK #7']], [2, ['PUBREC #7']]])('of QoS %i is answered by %j [MQTT5-3.3.4-1] '
    + '[MQTT5-4.3.2-4] [MQTT5-4.3.3-8]', (qos, answers) => {
    expect(ask5(node5(quiet(), 'w'), publish5('t', 'x', '', { qos, identifier: 7 }))).toEqual(answers);
  });

  it('of QoS 1 is a new message each time, whatever DUP says [MQTT5-4.3.2-5]', () => {
    const { reader, writer } = pair('t', 0);
    writer.send(publish5('t', '1', '', { qos: 1, identifier: 7 }));
    writer.send(publish5('t', '2', '', { qos: 1, identifier: 7, dup: true }));
    expect(take5(reader)).toEqual(['PUBLISH t=1 q0', 'PUBLISH t=2 q0']);
  });

  it('of QoS 2 is one message until PUBREL, and a new one after PUBCOMP '
    + '[MQTT5-4.3.3-10] [MQTT5-4.3.3-11] [MQTT5-4.3.3-12]', () => {
    const { reader, writer } = pair('t', 0);
    const message = { qos: 2, identifier: 7 };
    expect(ask5(writer, publish5('t', '1', '', message))).toEqual(['PUBREC #7']);
    expect(ask5(writer, publish5('t', '1', '', { ...message, dup: true }))).toEqual(['PUBREC #7']);
    expect(ask5(writer, pubrel(7))).toEqual(['PUBCOMP #7']);
    expect(ask5(writer, publish5('t', '2', '', message))).toEqual(['PUBREC #7']);
    expect(take5(reader)).toEqual(['PUBLISH t=1 q0', 'PUBLISH t=2 q0']);
  });

  it('of QoS 2 is acknowledged to the end, also when the message has expired [MQTT5-4.3.3-13]', () => {
    const { world, writer } = pair();
    writer.send(publish5('t', 'x', '0200000001', { qos: 2, identifier: 7 }));
    take5(writer);
    world.run(5_000);
    expect(ask5(writer, pubrel(7))).toEqual(['PUBCOMP #7']);
  });

  it('goes out with DUP 0 first, whatever it came with, and with DUP 1 again '
    + '[MQTT5-3.3.1-1] [MQTT5-3.3.1-3] [MQTT5-4.3.1-1] [MQTT5-4.3.2-2] [MQTT5-4.3.3-2]', () => {
    const { reader, world, writer } = pair('t', 2, KEPT);
    writer.send(publish5('t', '0'), publish5('t', '1', '', { qos: 1, identifier: 7, dup: true }),
      publish5('t', '2', '', { qos: 2, identifier: 8, dup: true }));
    expect(take5(reader)).toEqual(['PUBLISH t=0 q0', 'PUBLISH t=1 q1 #1', 'PUBLISH t=2 q2 #2']);
    reader.vanish();
    expect(ask5(world.open(), connect5('r', KEPT)).slice(1)).toEqual(['PUBLISH t=1 q1 #1 dup', 'PUBLISH t=2 q2 #2 dup']);
  });

  it('has an identifier that no other has until it is acknowledged '
    + '[MQTT5-2.2.1-4] [MQTT5-4.3.2-1] [MQTT5-4.3.2-3] [MQTT5-4.3.3-1] [MQTT5-4.3.3-3] [MQTT5-4.3.3-5]', () => {
    const { reader, writer } = pair('t', 2, { properties: '210004' });
    const identifiers = (): string[] => take5(reader).map(text => /#\d+/.exec(text)![0]);
    for (const qos of [1, 2, 1, 2, 1, 2])
      writer.send(publish5('t', 'x', '', { qos, identifier: qos }), pubrel(2));
    expect(identifiers()).toEqual(['#1', '#2', '#3', '#4']);
    expect(ask5(reader, pubrec(2), pubrec(4))).toEqual(['PUBREL #2', 'PUBREL #4']);
    reader.send(puback(3), pubcomp(2));
    expect(identifiers().every(identifier => identifier !== '#1' && identifier !== '#4')).toBe(true);
  });

  it('is not sent again behind PUBREL, which is [MQTT5-4.3.3-6]', () => {
    const { reader, world, writer } = pair('t', 2, KEPT);
    writer.send(publish5('t', 'x', '', { qos: 2 }));
    take5(reader);
    expect(ask5(reader, pubrec(1))).toEqual(['PUBREL #1']);
    reader.vanish();
    expect(ask5(world.open(), connect5('r', KEPT)).slice(1)).toEqual(['PUBREL #1']);
  });

  it('with RETAIN replaces what was retained, without changes nothing, empty removes it '
    + '[MQTT5-3.3.1-5] [MQTT5-3.3.1-6] [MQTT5-3.3.1-7] [MQTT5-3.3.1-8]', () => {
    const { reader, world, writer } = pair('t', 0);
    const retained = (): string[] => ask5(node5(world, 'late'), subscribe5(1, 't', 0)).slice(1);
    writer.send(publish5('t', '1', '', { retain: true }), publish5('t', '2', '', { retain: true }));
    expect(retained()).toEqual(['PUBLISH t=2 q0 retain']);
    writer.send(publish5('t', '3'), publish5('t', ''));
    expect(retained()).toEqual(['PUBLISH t=2 q0 retain']);
    writer.send(publish5('t', '', '', { retain: true }));
    expect(retained()).toEqual([]);
    expect(take5(reader)).toEqual(['1', '2', '3', '', ''].map(payload => `PUBLISH t=${payload} q0`));
  });

  it('goes to every session with a filter that matches, absent ones too, and to no other '
    + '[MQTT5-4.5.0-1] [MQTT5-3.3.2-3]', () => {
    const { reader, world, writer } = pair('a/+', 1);
    node5(world, 'away', KEPT, subscribe5(1, 'a/#', 1)).vanish();
    const other = node5(world, 'other', {}, subscribe5(1, 'a', 1, 'b/+', 1, 'a/b/+', 1));
    writer.send(publish5('a/b', 'x', '', { qos: 1 }));
    expect([take5(reader), take5(other)]).toEqual([['PUBLISH a/b=x q1 #1'], []]);
    expect(ask5(world.open(), connect5('away', KEPT)).slice(1)).toEqual(['PUBLISH a/b=x q1 #1']);
  });

  it.each([
    ['a\uFEFFb', 'a\uFEFFb', true], ['a\uFEFFb', 'ab', false], ['a', 'A', false], ['\u00E9', 'e\u0301', false], ['a/b', 'a/b/', false],
    ['$SYS/x', '#', false], ['$SYS/x', '+/x', false], ['a', '#', true], ['a/b', '+/+', true], ['/a', '+/a', true],
  ])('of %j is for %j: %s [MQTT5-4.7.3-4] [MQTT5-1.5.4-3] [MQTT5-4.7.2-1]', (topic, filter, matches) => {
    const { reader, world, writer } = pair(filter, 0);
    if (topic.startsWith('$'))
      world.run(30_000); // the gateway's own
    else
      writer.send(publish5(topic, 'x'));
    expect(take5(reader)).toEqual(matches ? [`PUBLISH ${topic}=x q0`] : []);
  });

  it.each([[0, 2, 0], [1, 2, 1], [2, 2, 2], [2, 1, 1], [1, 0, 0], [2, 0, 0]])(
    'of QoS %i for a subscription of QoS %i goes out with QoS %i [MQTT5-3.8.4-8]', (qos, granted, expected) => {
      const { reader, writer } = pair('t', granted);
      writer.send(publish5('t', 'x', '', { qos }));
      expect(take5(reader)[0]).toMatch(new RegExp(`^PUBLISH t=x q${expected}`));
    });

  it('that several filters of a node match goes out once, with the highest QoS of theirs [MQTT5-3.3.4-2]', () => {
    const { reader, writer } = pair('t/#', 0);
    reader.send(subscribe5(2, 't/+', 2, 't/x', 1));
    take5(reader);
    writer.send(publish5('t/x', 'x', '', { qos: 2 }));
    expect(take5(reader)).toEqual(['PUBLISH t/x=x q2 #1']);
  });

  it('of one node and topic stays in order, at each QoS [MQTT5-4.6.0-5] [MQTT5-4.6.0-6]', () => {
    for (const qos of [0, 1, 2]) {
      const { reader, writer } = pair('t', qos, { properties: '210003' });
      const seen: string[] = [];
      for (let count = 0; count < 9; ++count)
        writer.send(publish5('t', `${count}`, '', { qos, identifier: count + 1 }));
      for (let round = 0; round < 20; ++round) {
        for (const text of take5(reader)) {
          const [, payload, identifier] = /t=(\d+) q\d(?: #(\d+))?/.exec(text) ?? [];
          if (payload !== undefined)
            seen.push(payload);
          if (qos === 1 && identifier !== undefined)
            reader.send(puback(Number(identifier)));
          if (qos === 2 && identifier !== undefined)
            reader.send(pubrec(Number(identifier)), pubcomp(Number(identifier)));
        }
      }
      expect(seen).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
    }
  });
});

describe('SUBSCRIBE and UNSUBSCRIBE', () => {
  it('are answered under their identifiers, with a code for each filter in their order '
    + '[MQTT5-2.2.1-6] [MQTT5-3.8.4-1] [MQTT5-3.8.4-2] [MQTT5-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] '
    + '[MQTT5-3.9.3-1] [MQTT5-3.10.4-4] [MQTT5-3.10.4-5] [MQTT5-3.10.4-6]', () => {
    const node = node5(quiet({ acl: [{ topic: 'mine/#', access: 'read' }] }), 'a');
    expect(ask5(node, subscribe5(0x1234, 'mine/a', 2, 'other', 1, 'mine/b', 0))).toEqual(['SUBACK #4660 2 87 0']);
    expect(ask5(node, unsubscribe5(0x4321, 'nothing', 'mine/b'))).toEqual(['UNSUBACK #17185 11 0']);
    expect(ask5(node, unsubscribe5(0x4322, 'nothing'))).toEqual(['UNSUBACK #17186 11']);
  });

  it('delete the filter that is the same, character by character, and nothing new comes for it '
    + '[MQTT5-3.10.4-1] [MQTT5-3.10.4-2]', () => {
    const { reader, writer } = pair('t/+', 0);
    reader.send(unsubscribe5(2, 't/#', 't/x', 'T/+'));
    writer.send(publish5('t/x', '1'));
    expect(take5(reader).slice(1)).toEqual(['PUBLISH t/x=1 q0']);
    reader.send(unsubscribe5(3, 't/+'));
    writer.send(publish5('t/x', '2'));
    expect(take5(reader)).toEqual(['UNSUBACK #3 0']);
  });

  it('let what has begun come to its end [MQTT5-3.10.4-3]', () => {
    const { reader, world, writer } = pair('t', 2, KEPT);
    writer.send(publish5('t', 'x', '', { qos: 2 }));
    expect(take5(reader)).toEqual(['PUBLISH t=x q2 #1']);
    expect(ask5(reader, unsubscribe5(2, 't'))).toEqual(['UNSUBACK #2 0']);
    reader.vanish();
    const again = world.open();
    expect(ask5(again, connect5('r', KEPT)).slice(1)).toEqual(['PUBLISH t=x q2 #1 dup']);
    expect(ask5(again, pubrec(1))).toEqual(['PUBREL #1']);
  });

  it.each(['a/#/b', 'a#', '+a', 'a/b+', '#/', ''])('with the filter %j end the connection '
    + '[MQTT5-4.7.1-1] [MQTT5-4.7.1-2] [MQTT5-4.7.3-1]', filter => {
    expect(ask5(node5(quiet(), 'a'), subscribe5(1, filter, 0))).toEqual(['DISCONNECT 81', 'closed']);
  });
});

describe('a connection', () => {
  it('gets PINGRESP for PINGREQ [MQTT5-3.12.4-1]', () => {
    expect(ask5(node5(quiet(), 'a'), PINGREQ, PINGREQ)).toEqual(['PINGRESP', 'PINGRESP']);
  });

  it.each([
    ['PINGREQ', bytesOf(0xC1, 0), '81'], ['PUBACK', bytesOf(0x41, 2, 0, 1), '81'],
    ['PUBREL', bytesOf(0x60, 2, 0, 1), '81'], ['SUBSCRIBE', bytesOf(0x80, 7, 0, 1, 0, 0, 1, 'a', 0), '81'],
    ['UNSUBSCRIBE', bytesOf(0xA1, 6, 0, 1, 0, 0, 1, 'a'), '81'],
    ['DISCONNECT', bytesOf(0xE2, 0), '81'],
    ['AUTH', bytesOf(0xF1, 0), '82'], // an error whatever its flags are: CONNECT did not speak of it
  ])('ends for a %s with other flags [MQTT5-2.1.3-1] [MQTT5-3.14.1-1] [MQTT5-3.15.1-1]', (_name, bytes, reason) => {
    expect(ask5(node5(quiet(), 'a'), bytes)).toEqual([`DISCONNECT ${reason}`, 'closed']);
  });

  it.each([0x00, 0x18, 0x19, 0x7F])('ends for AUTH %i [MQTT5-3.15.2-1]', code => {
    expect(ask5(node5(quiet(), 'a'), packet(0xF0, code, 0))).toEqual(['DISCONNECT 82', 'closed']);
  });

  it('is closed behind DISCONNECT, which says nothing of the session '
    + '[MQTT5-3.14.4-1] [MQTT5-3.14.4-2] [MQTT5-3.14.2-2]', () => {
    const node = node5(quiet({ persistent_client_expiration: 60 }), 'a', KEPT);
    const answers = ask5(node, publish5('a/+', 'x'), PINGREQ, subscribe5(1, 't', 0));
    expect(answers).toEqual(['DISCONNECT 90', 'closed']);
  });

  it('is closed by DISCONNECT of the node, and nothing is sent behind it', () => {
    const node = node5(quiet(), 'a', {}, subscribe5(1, 't', 0));
    expect(ask5(node, disconnect5(0), publish5('t', 'x'), PINGREQ)).toEqual(['closed']);
  });

  it.each([['PUBLISH', publish5('a+', 'x'), '90'], ['PUBLISH with U+0000', publish5('a\0', 'x'), '81'],
    ['an answer to nothing that is no answer', bytesOf(0x20, 3, 0, 0, 0), '82']])(
    'ends for %s [MQTT5-4.7.0-1] [MQTT5-4.7.3-2] [MQTT5-4.13.1-1]', (_name, bytes, reason) => {
      expect(ask5(node5(quiet(), 'a'), bytes)).toEqual([`DISCONNECT ${reason}`, 'closed']);
    });

  it('takes a topic as long as there can be one, where packets may be so long [MQTT5-4.7.3-3]', () => {
    const topic = 'x'.repeat(65_535);
    const world = World.quiet(
      { listener: { max_packet_size: 70_000 }, memory: { topics: 4, topic_length: topic.length } });
    const reader = node5(world, 'r', { properties: '2700020000' }, subscribe5(1, '#', 0));
    expect(ask5(node5(world, 'w'), publish5(topic, 'p', '', { qos: 1 }))).toEqual(['PUBACK #1']);
    world.run(100);
    expect(take5(reader)).toEqual([`PUBLISH ${topic}=p q0`]);
  });

  it('has a quota that is never zero at its begin, and never more than the node takes [MQTT5-4.9.0-1]', () => {
    const { reader, writer } = pair('t', 1, { properties: '210001' });
    writer.send(publish5('t', '1', '', { qos: 1 }), publish5('t', '2', '', { qos: 1 }));
    expect(take5(reader)).toEqual(['PUBLISH t=1 q1 #1']);
    expect(ask5(reader, answer5(0x40, 1, 0))).toEqual(['PUBLISH t=2 q1 #2']);
  });
});
