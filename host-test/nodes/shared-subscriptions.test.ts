/** Shared subscriptions, `$share/GROUP/FILTER`: which node of a group gets a message. MQTT 5.0 section 4.8.2. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { answer5, ask5, connect5, publish5, subscribe5, take5, unsubscribe5 } from '../world/packets-of-five.ts';
import { connect, DISCONNECT, puback, publish, pubrec, subscribe, unsubscribe } from '../world/packets.ts';
import type { Peer } from '../world/peer.ts';
import { World } from '../world/world.ts';

const quiet = (listener: PartialConfiguration['listener'] = {}): World => World.quiet({ listener });
const told = (world: World): string[] => world.eventTexts.filter(text => text.includes('$share'));

/** Nodes of these names, each with these filters and QoS. */
function nodesOf(world: World, names: readonly string[], ...filters: (string | number)[]): Peer[] {
  return names.map(name => {
    const node = world.node(name, { clean: false }, subscribe(1, ...filters));
    node.take();
    return node;
  });
}

/** What each of them has got: payloads. */
const payloads = (nodes: readonly Peer[]): string[] =>
  nodes.map(node => node.take().map(event => /=(\S*)/.exec(event)?.[1] ?? event).join(' '));

/** Publishes 1 to `count`. */
function count(world: World, topic: string, last: number, qos = 0, first = 1): void {
  const writer = world.node(`w${first}`);
  for (let number = first; number <= last; ++number)
    writer.send(publish(topic, `${number}`, { qos, identifier: number }));
}

describe.each([3, 4, 5])('a group, protocol level %i', level => {
  const nodeOf = (world: World, name: string): Peer => {
    const node = world.open();
    expect(level === 5 ? ask5(node, connect5(name), subscribe5(1, '$share/g/a/+', 1)).at(-1)
      : node.ask(connect(name, { level }), subscribe(1, '$share/g/a/+', 1)).at(-1)).toBe('SUBACK #1 1');
    return node;
  };

  it.each([0, 1])('gets each message of QoS %i once, its nodes in turn', qos => {
    const world = quiet();
    const nodes = ['a', 'b', 'c'].map(name => nodeOf(world, name));
    count(world, 'a/x', 7, qos);
    const got = nodes.map(node => (level === 5 ? take5(node) : node.take())
      .map(event => /=(\d)/.exec(event)![1]).join(''));
    expect(got).toEqual(['147', '25', '36']);
  });
});

describe('a message for a group', () => {
  it('goes to each group, and to who has subscribed for itself', () => {
    const world = quiet({ max_connections: 10 });
    const one = nodesOf(world, ['a1', 'a2'], '$share/one/t/#', 1);
    const two = nodesOf(world, ['b1', 'b2'], '$share/two/t/+', 0);
    const other = nodesOf(world, ['c1'], '$share/one/+/x', 1);
    const own = nodesOf(world, ['d'], 't/x', 0);
    count(world, 't/x', 4);
    expect(payloads([...one, ...two, ...other, ...own])).toEqual(
      ['1 3', '2 4', '1 3', '2 4', '1 2 3 4', '1 2 3 4']);
  });

  it('reaches a node twice that is a member and has a subscription of its own as well', () => {
    const world = quiet();
    const [node] = nodesOf(world, ['a'], '$share/g/t', 0, 't', 0);
    count(world, 't', 2);
    expect(payloads([node!])).toEqual(['1 1 2 2']);
  });

  it('has the QoS of the subscription of whom it goes to [MQTT5-4.8.2-3]', () => {
    const world = quiet();
    const nodes = [0, 1, 2].map(qos => nodesOf(world, [`n${qos}`], '$share/g/t', qos)[0]!);
    const writer = world.node('w');
    for (let identifier = 1; identifier <= 3; ++identifier)
      writer.send(publish('t', 'x', { qos: 2, identifier }));
    expect(nodes.map(node => node.take())).toEqual([['PUBLISH t=x q0'], ['PUBLISH t=x q1 #1'], ['PUBLISH t=x q2 #1']]);
  });

  it('that was retained before is not sent to whoever joins it', () => {
    const world = quiet();
    world.node('w').send(publish('t', 'kept', { retain: true }));
    expect(world.node('a').ask(subscribe(1, '$share/g/t', 0))).toEqual(['SUBACK #1 0']);
    expect(world.node('b').ask(subscribe(1, 't', 0))).toEqual(['SUBACK #1 0', 'PUBLISH t=kept q0 retain']);
  });

  it('keeps RETAIN for who asks for that', () => {
    const world = quiet();
    const nodes = [0, 8].map(options => {
      const node = world.open().send(connect5(`n${options}`), subscribe5(1, '$share/g/t', options));
      take5(node);
      return node;
    });
    const writer = world.node('w');
    writer.send(publish('t', '1', { retain: true }), publish('t', '2', { retain: true }));
    expect(nodes.map(take5)).toEqual([['PUBLISH t=1 q0'], ['PUBLISH t=2 q0 retain']]);
  });

  it('goes to figures of the gateway, too', () => {
    const world = World.quiet({ listener: { sys_interval: 1 } });
    const nodes = nodesOf(world, ['a', 'b'], '$share/g/$SYS/broker/uptime', 0);
    world.run(4_500);
    expect(nodes.map(node => node.take().length)).toEqual([2, 2]);
  });

  it('goes to those that are connected, and waits for one that is away only when none is', () => {
    const world = quiet();
    const [a, b, c] = nodesOf(world, ['a', 'b', 'c'], '$share/g/t', 1) as [Peer, Peer, Peer];
    b.vanish();
    count(world, 't', 4, 1);
    expect(payloads([a, c])).toEqual(['1 3', '2 4']);
    a.send(puback(1), puback(2)).vanish();
    c.send(puback(1), puback(2)).vanish();
    count(world, 't', 13, 1, 11);
    expect(['a', 'b', 'c'].map(name => world.open().ask(connect(name, { clean: false })).at(-1))).toEqual(
      ['PUBLISH t=11 q1 #3', 'PUBLISH t=12 q1 #1', 'PUBLISH t=13 q1 #3']);
  });

  it('of QoS 0 is not kept for a group of which nobody is there', () => {
    const world = quiet();
    const [a] = nodesOf(world, ['a'], '$share/g/t', 1);
    a!.vanish();
    count(world, 't', 2);
    const again = world.open();
    expect(again.ask(connect('a', { clean: false }))).toEqual(['CONNACK 0 present']);
  });

  it('goes to another member when the queue of the one in turn is full', () => {
    const world = quiet({ max_queued_messages: 2 });
    const [a, b] = nodesOf(world, ['a', 'b'], '$share/g/t', 1) as [Peer, Peer];
    count(world, 't', 3, 1);
    expect(payloads([a, b])).toEqual(['1 3', '2']);
    b.send(puback(1));
    count(world, 't', 12, 1, 11); // a has two that it has not acknowledged
    expect(payloads([a, b])).toEqual(['', '11 12']);
    expect(world.gateway.delivery.droppedCount).toBe(0);
  });

  it('makes its sender wait when no member has room, until one has', () => {
    const world = quiet({ max_queued_messages: 1 });
    const [a, b] = nodesOf(world, ['a', 'b'], '$share/g/t', 1) as [Peer, Peer];
    const writer = world.node('w');
    for (const identifier of [1, 2, 3])
      writer.send(publish('t', `${identifier}`, { qos: 1, identifier }));
    expect(writer.take()).toEqual(['PUBACK #1', 'PUBACK #2']);
    expect(payloads([a, b])).toEqual(['1', '2']);
    b.send(puback(1));
    world.run(100);
    expect(writer.take()).toEqual(['PUBACK #3']);
    expect(payloads([a, b])).toEqual(['', '3']);
    expect(world.gateway.delivery.droppedCount).toBe(0);
  });

  it('that a member refuses goes to nobody else [MQTT5-4.8.2-6]', () => {
    const world = quiet();
    const nodes = ['a', 'b'].map(name => {
      const node = world.open().send(connect5(name), subscribe5(1, '$share/g/t', 2));
      take5(node);
      return node;
    }) as [Peer, Peer];
    const writer = world.node('w');
    writer.send(publish('t', '1', { qos: 1 }), publish('t', '2', { qos: 2, identifier: 2 }));
    expect(nodes.map(take5)).toEqual([['PUBLISH t=1 q1 #1'], ['PUBLISH t=2 q2 #1']]);
    nodes[0].send(answer5(0x40, 1, 0x83));
    nodes[1].send(answer5(0x50, 1, 0x83));
    expect(nodes.map(take5)).toEqual([[], []]);
    expect(world.gateway.nodes.states.some(({ queue }) => queue.pendingCount > 0)).toBe(false);
  });
});

describe('a member that leaves', () => {
  it('by UNSUBSCRIBE gets nothing more, whichever it was', () => {
    for (const gone of [0, 1, 2]) {
      const world = quiet();
      const nodes = nodesOf(world, ['a', 'b', 'c'], '$share/g/t', 0);
      count(world, 't', 1);
      expect(nodes[gone]!.ask(unsubscribe(2, '$share/g/t')).at(-1)).toBe('UNSUBACK #2');
      count(world, 't', 15, 0, 12);
      const got = payloads(nodes);
      expect(got[gone]).toBe('');
      expect(got.join(' ').match(/1[2-5]/g)!.sort()).toEqual(['12', '13', '14', '15']);
      nodes.forEach(node => node.send(unsubscribe(3, '$share/g/t')));
      expect(world.gateway.subscriptions.count).toBe(0);
    }
  });

  it('and whose session ends, leaves to the others what it has not acknowledged', () => {
    const world = quiet();
    const [a, b] = ['a', 'b'].map(name => world.node(name, {}, subscribe(1, '$share/g/t/#', 1))) as [Peer, Peer];
    a.take();
    b.take();
    count(world, 't/x', 5, 1);
    expect(payloads([a, b])).toEqual(['1 3 5', '2 4']);
    a.send(puback(2)).vanish();
    expect(payloads([b])).toEqual(['1 5']);
    b.vanish(); // nobody is left
    expect(world.gateway.subscriptions.count).toBe(0);
  });

  it('leaves a message of QoS 2 that was never sent, and takes the others with it [MQTT5-4.8.2-4] [MQTT5-4.8.2-5]', () => {
    const world = quiet({ max_inflight_messages: 1 });
    const [a, b] = nodesOf(world, ['a', 'b'], '$share/g/t', 2) as [Peer, Peer];
    count(world, 't', 4, 2);
    expect(payloads([a, b])).toEqual(['1', '2']);
    a.vanish();
    expect(b.take()).toEqual([]); // its session goes on
    const again = world.open();
    expect(again.ask(connect('a', { clean: false }))).toEqual(['CONNACK 0 present', 'PUBLISH t=1 q2 #1 dup']);
    again.vanish();
    world.node('a', { clean: true }); // and ends
    expect(b.ask(pubrec(1))).toEqual(['PUBREL #1']);
    b.send(new Uint8Array([0x70, 2, 0, 1]));
    expect(payloads([b])).toEqual(['4']);
    b.send(pubrec(2), new Uint8Array([0x70, 2, 0, 2]));
    expect(payloads([b])).toEqual(['PUBREL #2 3']);
  });

  it('keeps what has come by a subscription of its own', () => {
    const world = quiet();
    const [a, b] = ['a', 'b'].map(name => world.node(name, {}, subscribe(1, '$share/g/t', 1))) as [Peer, Peer];
    a.send(subscribe(2, 't', 1));
    count(world, 't', 1, 1);
    b.take();
    a.vanish();
    expect(b.take()).toEqual([]);
  });

  it('leaves messages with what they have of their lifetime, and without identifiers that were its own', () => {
    const world = quiet();
    const session = { properties: '1100000064' };
    const open = (name: string, identifier: string): Peer => {
      const node = world.open();
      ask5(node, connect5(name, session),
        new Uint8Array([0x82, 18, 0, 1, 2, 0x0B, Number(identifier), 0, 10, ...Buffer.from('$share/g/t'), 1]));
      return node;
    };
    const a = open('a', '7'), b = open('b', '9');
    const writer = world.open();
    ask5(writer, connect5('w'), publish5('t', 'x', '2600016b0001760200000014', { qos: 1 }));
    expect(take5(a)).toEqual(['PUBLISH t=x q1 #1 {2600016b00017602000000140b07}']);
    a.vanish();
    world.run(8_000);
    ask5(world.open(), connect5('a'));
    expect(take5(b)).toEqual(['PUBLISH t=x q1 #1 {2600016b000176020000000c0b09}']);
    b.vanish();
    world.run(14_000);
    ask5(world.open(), connect5('b'));
    expect(world.gateway.nodes.states.some(({ queue }) => queue.pendingCount > 0)).toBe(false);
  });
});

describe('rights and mount points', () => {
  const USERS = ['one', 'two'].map(username => ({ username, password: 'p', mount_point: `${username}/` }));

  it('are about the filter proper', () => {
    const world = quiet({ acl: [{ topic: 'mine/#', access: 'readwrite' }, { topic: 'mine/secret', access: 'deny' }] });
    const node = world.node('a');
    expect(node.ask(subscribe(1, '$share/g/mine/x', 1, '$share/g/other', 1, '$share/g/mine/secret', 1)))
      .toEqual(['SUBACK #1 1 80 80']);
    world.node('w').send(publish('mine/x', 'x'));
    expect(node.take()).toEqual(['PUBLISH mine/x=x q0']);
  });

  it('leave out a member that may not read the message', () => {
    const users = ['one', 'two'].map(username => ({ username, password: 'p' }));
    const world = quiet({ users,
      acl: [{ user: 'one', topic: '#', access: 'readwrite' }, { user: 'two', topic: 't/a', access: 'read' }] });
    const [one, two] = ['one', 'two'].map(user => world.node(user, { user }, subscribe(1, '$share/g/t/+', 0)));
    one!.take();
    two!.take();
    const writer = world.node('w', { user: 'one' });
    for (const topic of ['t/a', 't/b', 't/b', 't/a', 't/a'])
      writer.send(publish(topic, 'x'));
    expect([one!.take().length, two!.take().length]).toEqual([4, 1]);
  });

  it('put the mount point in front of the filter proper, so groups of users are their own', () => {
    const world = quiet({ users: USERS });
    const nodes = ['one', 'one', 'two'].map((user, index) =>
      world.node(`n${index}`, { user }, subscribe(1, '$share/g/t', 1)));
    nodes.forEach(node => node.take());
    const writers = ['one', 'two'].map(user => world.node(`w-${user}`, { user }));
    for (const [index, writer] of writers.entries())
      for (let number = 1; number <= 4; ++number)
        writer.send(publish('t', `${index}${number}`, { qos: 1, identifier: number }));
    expect(payloads(nodes)).toEqual(['01 03', '02 04', '11 12 13 14']);
    nodes[1]!.send(DISCONNECT); // what it has not acknowledged goes on under its full name
    expect(payloads([nodes[0]!, nodes[2]!])).toEqual(['02 04', '']);
    expect(nodes[0]!.ask(unsubscribe(2, '$share/g/t'))).toEqual(['UNSUBACK #2']);
    expect(nodes[0]!.ask(subscribe(3, '$share/g/$x', 1))).toEqual(['SUBACK #3 80']);
  });
});

it('shared subscriptions and their messages are there after a power cut', () => {
  const medium = new FlashMedium(4096, 12);
  const live = (): World => World.quiet({ store: { durability: 'flash' } },
    { openStorage: (_store, arena) => new SimulatedFlash(arena, medium) });
  const before = live();
  const nodes = ['a', 'b'].map(name => {
    const node = before.open();
    expect(node.ask(connect(name, { clean: false }), subscribe(1, '$share/g/t/#', 1)))
      .toEqual(['CONNACK 0', 'SUBACK #1 1']);
    return node;
  });
  nodes.forEach(node => node.vanish());
  const writer = before.node('w');
  for (const identifier of [1, 2, 3])
    writer.send(publish('t/x', `${identifier}`, { qos: 1, identifier }));
  before.run(1000);
  const world = live();
  const again = ['a', 'b'].map(name => world.open().send(connect(name, { clean: false })));
  expect(again.map(node => node.take())).toEqual([
    ['CONNACK 0 present', 'PUBLISH t/x=1 q1 #1', 'PUBLISH t/x=3 q1 #2'], ['CONNACK 0 present', 'PUBLISH t/x=2 q1 #1']]);
  count(world, 't/x', 12, 0, 11);
  expect(again.map(node => node.take().length)).toEqual([1, 1]);
  again[0]!.vanish();
  world.node('a', { clean: true }).vanish(); // its session ends: the other one has its messages, also after this
  world.run(1000);
  again[1]!.vanish();
  expect(live().open().ask(connect('b', { clean: false })).filter(event => event.includes('PUBLISH')).length).toBe(3);
});

describe('a filter that only begins like a shared one', () => {
  it.each(['$share/', '$share/g', '$share/g/', '$share//a', '$share/+/a', '$share/#'])(
    '%s is refused: in 3.1.1 with 0x80, and said once in the log; in 5.0 it is malformed [MQTT5-4.8.2-1] [MQTT5-4.8.2-2]', filter => {
    const world = quiet();
    const node = world.node('n');
    expect(node.ask(subscribe(1, filter, 1), subscribe(2, filter, 1))).toEqual(['SUBACK #1 80', 'SUBACK #2 80']);
    expect(node.ask(unsubscribe(3, filter))).toEqual(['UNSUBACK #3']);
    expect(world.gateway.subscriptions.count).toBe(0);
    expect(told(world).length).toBe(1);
    for (const packet of [subscribe5(1, filter, 1), unsubscribe5(1, filter)])
      expect(ask5(world.open(), connect5('five'), packet).slice(1)).toEqual(['DISCONNECT 81', 'closed']);
  });

  it('is granted in 3.1, which has no code for a refusal, and said in the log', () => {
    const world = quiet();
    const node = world.node('n', { level: 3 });
    expect(node.ask(subscribe(1, '$share/g', 1))).toEqual(['SUBACK #1 1']);
    expect(told(world).length).toBe(1);
  });

  it('is told from names that only look alike', () => {
    const world = quiet();
    const node = world.node('n');
    expect(node.ask(subscribe(1, '$share', 1))).toEqual(['SUBACK #1 1']);
    expect(node.ask(subscribe(2, '$shared/a', 1))).toEqual(['SUBACK #2 1']);
    expect(node.ask(subscribe(3, 'a/$share/b', 1))).toEqual(['SUBACK #3 1']);
    expect(told(world)).toEqual([]);
  });
});
