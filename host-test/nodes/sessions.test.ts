/** Sessions that outlive their connections, and connections that meet each other. */
import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../src/session/connection-state.ts';
import { World } from '../world/world.ts';
import { connect, DISCONNECT, PINGREQ, puback, pubcomp, publish, pubrec, pubrel, subscribe } from '../world/packets.ts';

describe.each([4, 3])('a session with Clean Session 0, protocol level %i', level => {
  const PRESENT = level === 4 ? 'CONNACK 0 present' : 'CONNACK 0';
  const CONTINUED = { level, clean: false };

  /** A node that has subscribed and gone, and one that writes. */
  const away = (qos = 2, listener = {}) => {
    const world = World.quiet({ listener });
    world.node('a', CONTINUED, subscribe(1, 'a/#', qos)).send(DISCONNECT);
    return { world, writer: world.node('writer', { level }) };
  };

  it('is not present at first, then it is [MQTT311-3.2.2-2] [MQTT311-3.2.2-3] [MQTT311-3.1.2-4]', () => {
    const world = World.quiet();
    const [first, answer] = world.connect('a', CONTINUED);
    expect(answer).toEqual(['CONNACK 0']);
    first.send(DISCONNECT);
    expect(world.connect('a', CONTINUED)[1]).toEqual([PRESENT]);
  });

  it('keeps what was published meanwhile with QoS 1 and 2, in order, DUP 0, and nothing of QoS 0 [MQTT311-3.1.2-5] [MQTT311-4.1.0-1]', () => {
    const { world, writer } = away();
    writer.send(publish('a/1', 'x', { qos: 1 }), publish('a/0', 'x'), publish('a/2', 'y', { qos: 2, identifier: 2 }),
      publish('a/1', 'z', { qos: 1, identifier: 3 }));
    expect(world.connect('a', CONTINUED)[1]).toEqual([PRESENT, 'PUBLISH a/1=x q1 #1', 'PUBLISH a/2=y q2 #2',
      'PUBLISH a/1=z q1 #3']);
  });

  it('keeps its subscriptions', () => {
    const { world, writer } = away(0);
    const node = world.node('a', CONTINUED);
    writer.send(publish('a/b', 'x'));
    expect(node.take()).toEqual(['PUBLISH a/b=x q0']);
  });

  it('sends again with DUP what was sent before and not acknowledged, under the same identifiers, in order [MQTT311-4.4.0-1] [MQTT311-3.3.1-1] [MQTT311-2.3.1-4] [MQTT311-4.6.0-6]', () => {
    const { world, writer } = away();
    let node = world.node('a', CONTINUED);
    writer.send(publish('a', '1', { qos: 1 }), publish('a', '2', { qos: 2, identifier: 2 }),
      publish('a', '3', { qos: 2, identifier: 3 }));
    expect(node.take()).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q2 #2', 'PUBLISH a=3 q2 #3']);
    node.send(pubrec(2));
    node.vanish();
    writer.send(publish('a', '4', { qos: 1, identifier: 4 }));
    let answer: string[];
    [node, answer] = world.connect('a', CONTINUED);
    expect(answer).toEqual([PRESENT, 'PUBLISH a=1 q1 #1 dup', 'PUBREL #2', 'PUBLISH a=3 q2 #3 dup',
      'PUBLISH a=4 q1 #4']);
    node.send(puback(1), pubcomp(2), pubrec(3), pubcomp(3), puback(4));
    node.vanish();
    expect(world.connect('a', CONTINUED)[1]).toEqual([PRESENT]);
  });

  it('remembers QoS 2 messages that it has taken: the same one again is not delivered twice [MQTT311-4.3.3-2]', () => {
    const world = World.quiet();
    const reader = world.node('reader', { level }, subscribe(1, '#', 0));
    reader.take();
    world.node('a', CONTINUED, publish('t', 'x', { qos: 2, identifier: 5 })).vanish();
    const node = world.node('a', CONTINUED);
    expect(node.ask(publish('t', 'x', { qos: 2, identifier: 5, dup: true }), pubrel(5))).toEqual(['PUBREC #5',
      'PUBCOMP #5']);
    expect(reader.take()).toEqual(['PUBLISH t=x q0']);
  });

  it('is wiped by Clean Session 1, for good [MQTT311-3.1.2-6] [MQTT311-3.2.2-1]', () => {
    const { world, writer } = away();
    writer.send(publish('a', 'x', { qos: 1 }));
    const [node, answer] = world.connect('a', { level });
    expect(answer).toEqual(['CONNACK 0']);
    writer.send(publish('a', 'y', { qos: 1, identifier: 2 }));
    expect(node.take()).toEqual([]);
    node.send(DISCONNECT);
    expect(world.connect('a', CONTINUED)[1]).toEqual(['CONNACK 0']);
    expect(world.gateway.subscriptions.count).toBe(0);
  });

  it('of Clean Session 1 ends with its connection [MQTT311-3.1.2-6] [MQTT311-4.1.0-2]', () => {
    const world = World.quiet();
    world.node('a', { level }, subscribe(1, 'a', 1)).vanish();
    expect(world.gateway.subscriptions.count).toBe(0);
    expect(world.connect('a', CONTINUED)[1]).toEqual(['CONNACK 0']);
  });

  it('belongs to the identifier, byte by byte [MQTT311-3.1.3-2] C7', () => {
    const { world } = away();
    for (const other of ['A', 'aa', 'b'])
      expect(world.connect(other, CONTINUED)[1]).toEqual(['CONNACK 0']);
    expect(world.connect('a', CONTINUED)[1]).toEqual([PRESENT]);
  });

  it('is continued by who takes it over: the older connection is closed, what it had not acknowledged is sent again [MQTT311-3.1.4-2] [MQTT311-3.1.4-3]', () => {
    const { world, writer } = away();
    const old = world.node('a', CONTINUED);
    writer.send(publish('a', 'x', { qos: 1 }));
    expect(old.take()).toEqual(['PUBLISH a=x q1 #1']);
    const [fresh, answer] = world.connect('a', CONTINUED);
    expect(answer).toEqual([PRESENT, 'PUBLISH a=x q1 #1 dup']);
    expect(old.take()).toEqual(['closed']);
    expect(fresh.ask(PINGREQ)).toEqual(['PINGRESP']);
    expect(world.gateway.connectedCount).toBe(2);
  });

  it('keeps max_queued_messages while its node is away, drops the rest and counts it', () => {
    const { world, writer } = away(1, { max_queued_messages: 3 });
    expect(writer.ask(...[1, 2, 3, 4, 5].map(identifier =>
      publish('a', `${identifier}`, { qos: 1, identifier })))).toHaveLength(5);
    expect(world.gateway.delivery.droppedCount).toBe(2);
    expect(world.connect('a', CONTINUED)[1]).toEqual([PRESENT, 'PUBLISH a=1 q1 #1', 'PUBLISH a=2 q1 #2',
      'PUBLISH a=3 q1 #3']);
  });

  it('keeps max_queued_bytes', () => {
    const { world, writer } = away(1, { max_queued_bytes: 128 });
    writer.send(...[1, 2, 3, 4, 5].map(identifier => publish('a', 'x'.repeat(40), { qos: 1, identifier })));
    expect(world.gateway.delivery.droppedCount).toBe(3);
    expect(world.connect('a', CONTINUED)[1]).toHaveLength(3);
  });

  it('of the node that has been away longest makes room for a new one when all places are taken, is counted and named', () => {
    const world = World.quiet({ listener: { max_connections: 2, max_sessions: 2 } });
    world.node('a', CONTINUED, subscribe(1, 'a', 1)).send(DISCONNECT);
    world.node('b', CONTINUED, subscribe(1, 'b', 1)).send(DISCONNECT);
    expect(world.connect('c', { level })[1]).toEqual(['CONNACK 0']);
    expect(world.eventTexts.at(-2)).toBe('forgot the session of node "a", which is away, to make room for node "c" (listener.max_sessions)');
    expect(world.gateway.admission.evictedCount).toBe(1);
    expect(world.connect('b', CONTINUED)[1]).toEqual([PRESENT]);
    expect(world.gateway.subscriptions.count).toBe(1);
  });
});

describe('CONNECT', () => {
  it('with an empty identifier and Clean Session 1 gets one of its own [MQTT311-3.1.3-6]', () => {
    const world = World.quiet();
    const [first, answer] = world.connect('');
    const [second] = world.connect('');
    expect(answer).toEqual(['CONNACK 0']);
    expect([first.ask(PINGREQ), second.ask(PINGREQ)]).toEqual([['PINGRESP'], ['PINGRESP']]);
    expect(new Set(world.eventTexts.filter(event => event.includes('connected'))).size).toBe(2);
  });

  it('with an empty identifier and Clean Session 0 is refused with code 2 [MQTT311-3.1.3-8]', () => {
    expect(World.quiet().connect('', { clean: false })[1]).toEqual(['CONNACK 2', 'closed']);
  });

  it('with an empty identifier in 3.1 is refused with code 2 [MQTT311-3.1.3-9] C6', () => {
    expect(World.quiet().connect('', { level: 3 })[1]).toEqual(['CONNACK 2', 'closed']);
  });

  it.each([[3, 23, '0'], [3, 24, '2'], [4, 24, '0'], [4, 64, '0'],
    [4, 65, '2']])('of level %i with an identifier of %i characters gets code %s [MQTT311-3.1.3-5] C8',
      (level, length, code) => {
    expect(World.quiet({ listener: { max_clientid_length: 64 } }).connect('a'.repeat(length),
      { level })[1][0]).toBe(`CONNACK ${code}`);
  });

  it('a second time on a connection ends it [MQTT311-3.1.0-2] C3', () => {
    expect(World.quiet().node('a').ask(connect('a'))).toEqual(['closed']);
  });

  it('may be followed by packets at once; after a refusal nothing of them is processed [MQTT311-3.1.4-5] [MQTT311-3.2.0-1]', () => {
    const world = World.quiet({ listener: { users: [{ username: 'u', password: 'p' }] } });
    const reader = world.node('reader', {}, subscribe(1, '#', 0));
    reader.take();
    expect(world.open().ask(connect('a'), publish('t', '1', { qos: 1 }), PINGREQ)).toEqual(['CONNACK 0', 'PUBACK #1',
      'PINGRESP']);
    expect(world.open().ask(connect('b', { user: 'stranger' }), publish('t', '2', { qos: 1 }),
      PINGREQ)).toEqual(['CONNACK 4', 'closed']);
    expect(reader.take()).toEqual(['PUBLISH t=1 q0']);
  });

  it('of the surplus node is refused with code 3, the others stay, and there is room again when one leaves [MQTT311-3.2.2-5]', () => {
    const world = World.quiet({ listener: { max_connections: 2 } });
    const a = world.node('a');
    const b = world.node('b');
    expect(world.connect('c')[1]).toEqual(['CONNACK 3', 'closed']);
    expect([...a.ask(PINGREQ), ...b.ask(PINGREQ)]).toEqual(['PINGRESP', 'PINGRESP']);
    expect(world.connect('b')[1]).toEqual(['CONNACK 0']); // taking over needs no further place
    a.send(DISCONNECT);
    expect(world.connect('c')[1]).toEqual(['CONNACK 0']);
  });

  it.each([[60, '0'], [61, '2'], [0, '2']])('with Keep Alive %i and max_keepalive 60 gets code %s',
    (keepAlive, code) => {
    expect(World.quiet({ listener: { max_keepalive: 60 } }).connect('a', { keepAlive })[1][0]).toBe(`CONNACK ${code}`);
  });

  it('that does not come in time costs the connection; whoever said it stays', () => {
    const world = World.quiet({ listener: { connect_timeout: 5 } });
    const silent = world.open();
    const node = world.node('a');
    world.run(4900);
    expect(silent.take()).toEqual([]);
    world.run(200);
    expect(silent.take()).toEqual(['closed']);
    expect(node.ask(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('is waited for on each open connection, whichever have ended before', () => {
    const world = World.quiet({ listener: { connect_timeout: 5 } });
    const { serverRole, sessions } = world.gateway;
    const first = [world.open(), world.open(), world.node('a')];
    const later = [world.open(), world.node('b', { keepAlive: 1 })];
    expect(serverRole.openCount).toBe(5);
    for (const node of first)
      node.vanish();
    expect([serverRole.openCount, sessions.findIndex(({ state }) => state !== CLOSED)]).toEqual([2, 3]);
    world.run(3100);
    expect(later.map(node => node.take())).toEqual([[], ['closed']]);
    world.run(2000);
    expect(later[0]!.take()).toEqual(['closed']);
    expect(serverRole.openCount).toBe(0);
  });

  it('of a user whose verdict comes late is answered then, and what follows waits', () => {
    let admit = (): void => undefined;
    const world = World.quiet({}, { authenticator: { authenticate(session) {
      admit = () => {
        world.gateway.admit(session);
        session.continueReading();
      };
      return -1;
    } } });
    const node = world.open();
    expect(node.ask(connect('a'), subscribe(1, 'a', 0), PINGREQ)).toEqual([]);
    world.runtime.later(admit);
    world.run();
    expect(node.take()).toEqual(['CONNACK 0', 'SUBACK #1 0', 'PINGRESP']);
  });
});
