/** Who may read and write what, and where a node's topics lie. */
import { describe, expect, it } from 'vitest';
import type {
  AccessConfiguration, ListenerConfiguration, PartialConfiguration, UserConfiguration,
} from '../../src/config/configuration.ts';
import { accept, World } from '../world/world.ts';
import { DISCONNECT, publish, subscribe, unsubscribe } from '../world/packets.ts';

const USERS: UserConfiguration[] =
  [{ username: 'anna', password: '' }, { username: 'bert', password: '' }, { username: 'a/b', password: '' }];
const worldWith = (acl: Partial<AccessConfiguration>[], listener: Partial<ListenerConfiguration> = {}) =>
  World.quiet({ listener: { users: USERS, acl: acl as AccessConfiguration[], ...listener } });

describe('listener.acl', () => {
  it('allows everything when there is none', () => {
    const node = worldWith([]).node('n');
    expect(node.ask(subscribe(1, '#', 0), publish('a', 'x'))).toEqual(['SUBACK #1 0', 'PUBLISH a=x q0']);
  });

  it('refuses what no entry allows: a PUBLISH is acknowledged, dropped and counted [MQTT311-3.3.5-2]', () => {
    const world = worldWith([{ topic: 'in/#', access: 'read' }, { topic: 'out/#', access: 'write' }]);
    const node = world.node('n');
    expect(node.ask(subscribe(1, 'in/#', 2), publish('in/a', 'x', { qos: 1 }),
      publish('in/a', 'x', { qos: 2, identifier: 2, retain: true }))).toEqual(['SUBACK #1 2', 'PUBACK #1',
        'PUBREC #2']);
    expect([world.gateway.deniedCount, world.gateway.retained.count]).toEqual([2, 0]);
    expect(world.eventTexts.filter(event =>
      event === 'refused a message of node "n" to "in/a": not allowed (listener.acl)')).toHaveLength(2);
  });

  it.each([[4, 'SUBACK #1 80 80 0'],
    [3, 'SUBACK #1 0 0 0']])('refuses a SUBSCRIBE with 0x80, in 3.1 by silence: level %i', (level, suback) => {
    const world = worldWith([{ topic: 'in/#', access: 'read' }, { topic: 'out/#', access: 'write' }]);
    const node = world.node('n', { level });
    expect(node.ask(subscribe(1, 'out/#', 0, 'other', 0, 'in/+', 0))).toEqual([suback]);
    expect([world.gateway.subscriptions.count, world.gateway.deniedCount]).toEqual([1, 2]);
    expect(node.ask(publish('out/x', 'x'))).toEqual([]);
  });

  it('grants a subscription of which the node may read a part, and delivers that part', () => {
    const world = worldWith([{ topic: '+/open/#' }, { topic: 'w/#', access: 'write' }]);
    const node = world.node('n', {}, publish('w/open/1', 'x', { retain: true }),
      publish('w/shut', 'x', { retain: true }));
    expect(node.ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 0', 'PUBLISH w/open/1=x q0 retain']);
    expect(node.ask(publish('w/shut', 'y'), publish('w/open/2', 'y'))).toEqual(['PUBLISH w/open/2=y q0']);
  });

  it('lets "deny" win, wherever it stands', () => {
    const world = worldWith([{ topic: '#' }, { topic: 'secret/#', access: 'deny' }]);
    const node = world.node('n');
    expect(node.ask(subscribe(1, 'secret/a', 0, 'secret/#', 0, '#', 0))).toEqual(['SUBACK #1 80 80 0']);
    expect(node.ask(publish('secret/a', 'x'), publish('open', 'x'))).toEqual(['PUBLISH open=x q0']);
  });

  it('knows users: an entry of another one is of no use', () => {
    const world = worldWith([{ user: 'anna', topic: 'a/#' }, { user: 'bert', topic: 'b/#' }]);
    const anna = world.node('1', { user: 'anna' }, subscribe(1, 'a/#', 0, 'b/#', 0));
    const bert = world.node('2', { user: 'bert' }, subscribe(1, 'a/#', 0, 'b/#', 0));
    const nobody = world.node('3', {}, subscribe(1, '#', 0));
    for (const node of [anna, bert, nobody])
      node.send(publish('a/x', 'x'), publish('b/x', 'x'));
    expect([anna.take(), bert.take(), nobody.take()]).toEqual([['PUBLISH a/x=x q0'], ['PUBLISH b/x=x q0'], []]);
  });

  it('puts user name and identifier for %u and %c', () => {
    const world = worldWith([{ topic: 'u/%u/#' }, { topic: 'c/%c/%c/x' }]);
    const anna = world.node('dev1', { user: 'anna' });
    expect(anna.ask(subscribe(1, 'u/anna/a', 0, 'u/bert/a', 0, 'c/dev1/dev1/x', 0, 'c/dev1/dev2/x',
      0))).toEqual(['SUBACK #1 0 80 0 80']);
    expect(anna.ask(publish('u/anna/a', 'x'), publish('u/bert/a', 'x'),
      publish('c/dev1/dev1/x', 'x'))).toEqual(['PUBLISH u/anna/a=x q0', 'PUBLISH c/dev1/dev1/x=x q0']);
    expect(world.node('dev2').ask(subscribe(1, 'u/#', 0, 'c/dev2/dev2/x',
      0))).toEqual(['SUBACK #1 80 0']); // no user: nothing with %u is about it
  });

  it.each(['+', '#', 'x/y'])('gives nothing to a node that calls itself %j where %%c is used', name => {
    const world = worldWith([{ topic: 'c/%c/#' }, { topic: 'open', access: 'readwrite' }]);
    expect(world.node(name).ask(subscribe(1, 'c/#', 0, 'c/x/y', 0, 'open', 0),
      publish('open', 'x'))).toEqual(['SUBACK #1 80 80 80']);
  });

  it('judges anew when a topic loses its place in the table, and when a place among the sessions changes hands', () => {
    const world =
      worldWith([{ user: 'anna', topic: '#' }, { user: 'bert', topic: '#', access: 'read' }],
        { max_connections: 1, max_sessions: 1 });
    for (const [user, count] of [['anna', 40], ['bert', 0], ['anna', 40]] as const) {
      const node = world.node(user, { user }, subscribe(1, '#', 0));
      expect(node.ask(...Array.from({ length: 40 }, (_, index) =>
        publish(`topic/${index % 20}`, 'x')))).toHaveLength(count);
      node.send(DISCONNECT);
    }
  });

  it('covers Wills: one that is not allowed is not published', () => {
    const world = worldWith([{ topic: 'ok', access: 'write' }, { topic: '#', access: 'read' }]);
    const reader = world.node('r', {}, subscribe(1, '#', 0));
    world.node('a', { will: { topic: 'ok', payload: '1' } }).vanish();
    world.node('b', { will: { topic: 'no', payload: '2' } }).vanish();
    expect(reader.take()).toEqual(['PUBLISH ok=1 q0']);
    expect(world.gateway.deniedCount).toBe(1);
  });

  it('covers what comes from upstream', () => {
    const world = World.quiet({
      topic: [{ pattern: '#', direction: 'in', local_prefix: 'up/', remote_prefix: '' }],
      listener: { acl: [{ topic: 'up/open/#', access: 'read' }] },
    }, { server: accept });
    const node = world.node('n', {}, subscribe(1, 'up/#', 0));
    world.uplink.post(publish('open/a', 'x'));
    world.uplink.post(publish('shut', 'x'));
    world.uplink.post(publish('open/a', 'y'));
    world.run();
    expect(node.take()).toEqual(['PUBLISH up/open/a=x q0', 'PUBLISH up/open/a=y q0']);
  });

  it.each(['', 'a#', '#/a', 'a/+b', '%u+'])('cannot have the topic %j', topic => {
    expect(() => worldWith([{ topic }])).toThrow('is no Topic Filter');
  });

  it('cannot name a user who is not there', () => {
    expect(() => worldWith([{ user: 'zoe' }])).toThrow('listener.acl[0].user: there is no user "zoe"; write one of listener.users');
  });
});

describe('a mount point', () => {
  const MOUNTED: UserConfiguration[] = [
    { username: 'anna', password: '', mount_point: 'site/%u/' },
      { username: 'bert', password: '', mount_point: 'dev/%c/' }, { username: 'root', password: '' },
  ];
  const mounted = (listener: NonNullable<PartialConfiguration['listener']> = {}, rest = {}) =>
    World.quiet({ listener: { users: MOUNTED, ...listener }, ...rest });

  it('is put in front of what the node publishes, and taken away from what it gets', () => {
    const world = mounted();
    const root = world.node('root', { user: 'root' }, subscribe(1, '#', 0));
    root.take();
    const anna = world.node('a', { user: 'anna' });
    expect(anna.ask(subscribe(1, 'x/+', 0, '#', 1), publish('x/y', '1', { qos: 1 }))).toEqual(['SUBACK #1 0 1',
      'PUBLISH x/y=1 q1 #1', 'PUBACK #1']);
    expect(root.take()).toEqual(['PUBLISH site/anna/x/y=1 q0']);
    root.send(publish('site/anna/cmd', '2'), publish('site/bert/cmd', '3'), publish('cmd', '4'),
      publish('site/anna', '5'));
    expect(anna.take()).toEqual(['PUBLISH cmd=2 q0']);
    expect(anna.ask(unsubscribe(2, '#'), unsubscribe(3, 'x/+'), publish('x/y', '6'))).toEqual(['UNSUBACK #2',
      'UNSUBACK #3']);
  });

  it.each(['a/+/', '#'])('cannot be %j', mountPoint => {
    expect(() => World.quiet({ listener: { users: [{ username: 'u', password: '',
      mount_point: mountPoint }] } })).toThrow('is no mount point; write one without');
  });

  it('is that of each node', () => {
    const world = mounted();
    const [one, two] =
      [world.node('d1', { user: 'bert' }, subscribe(1, '#', 0)),
        world.node('d2', { user: 'bert' }, subscribe(1, '#', 0))];
    one.take();
    two.take();
    one.send(publish('t', 'x'));
    expect([one.take(), two.take()]).toEqual([['PUBLISH t=x q0'], []]);
  });

  it('holds for Wills, retained messages and queued ones', () => {
    const world = mounted();
    const root = world.node('root', { user: 'root' }, subscribe(1, '#', 0));
    root.take();
    world.node('a', { user: 'anna', clean: false, will: { topic: 'w', payload: 'gone', retain: true } },
      subscribe(1, '#', 1)).vanish();
    expect(root.take()).toEqual(['PUBLISH site/anna/w=gone q0']);
    root.send(publish('site/anna/q', 'x', { qos: 1 }));
    const [anna, answer] = world.connect('a', { user: 'anna', clean: false });
    expect(answer).toEqual(['CONNACK 0 present', 'PUBLISH q=x q1 #1']);
    expect(anna.ask(subscribe(2, 'w', 0))).toEqual(['SUBACK #2 0', 'PUBLISH w=gone q0 retain']);
  });

  it('is part of the name that rights are about, and of what goes upstream', () => {
    const world = mounted({ acl: [{ topic: 'site/anna/ok', access: 'write' }] },
      { topic: [{ pattern: '#', direction: 'out', remote_prefix: 'gw/' }], upstream: { cleansession: true } });
    const anna = world.node('a', { user: 'anna' }, publish('ok', '1'), publish('no', '2'));
    expect(anna.ask(subscribe(1, '#', 0))).toEqual(['SUBACK #1 80']);
    expect([world.gateway.deniedCount, world.gateway.bridge.outbound.rules[0]!.forwarded]).toEqual([2, 1]);
  });

  it('hides topics with `$` on both sides: `#` never matches one [MQTT311-4.7.2-1]', () => {
    const world = mounted();
    const anna = world.node('a', { user: 'anna' }, subscribe(1, '#', 0));
    anna.take();
    expect(anna.ask(publish('$x', '1', { qos: 1 }), subscribe(2, '$SYS/#', 0))).toEqual(['PUBACK #1', 'SUBACK #2 80']);
    world.node('root', { user: 'root' }, publish('site/anna/$x', '2'));
    expect(anna.take()).toEqual([]);
  });

  it('refuses a node whose identifier would be a wildcard or another level', () => {
    const world = mounted();
    for (const identifier of ['+', '#', 'd1/x'])
      expect(world.connect(identifier, { user: 'bert' })[1]).toEqual(['CONNACK 5', 'closed']);
    expect(world.gateway.nodes.knownCount).toBe(0);
    expect(world.connect('', { user: 'bert' })[1]).toEqual(['CONNACK 0']);
  });

  it('may be as long as it likes: the longest packet still goes through', () => {
    const world =
      World.quiet({ listener: { users: [{ username: 'u', password: '', mount_point: `${'m'.repeat(1000)}/` }],
        max_packet_size: 300 } });
    const node = world.node('n', { user: 'u' }, subscribe(1, '#', 0));
    node.take();
    expect(node.ask(publish('t'.repeat(290), 'x'))).toEqual([`PUBLISH ${'t'.repeat(290)}=x q0`]);
  });
});

describe('a session belongs to its user', () => {
  it('nobody else takes it over or continues it, connected or away', () => {
    const world = worldWith([]);
    const anna = world.node('n', { user: 'anna', clean: false }, subscribe(1, 't', 1));
    anna.take();
    for (const options of [{ user: 'bert' }, { user: 'bert', clean: false }, {}])
      expect(world.connect('n', options)[1]).toEqual(['CONNACK 5', 'closed']);
    expect(anna.ask(publish('t', 'x'))).toEqual(['PUBLISH t=x q0']);
    anna.send(DISCONNECT);
    expect(world.connect('n', { user: 'bert', clean: false })[1]).toEqual(['CONNACK 5', 'closed']);
    expect(world.connect('n', { user: 'anna', clean: false })[1]).toEqual(['CONNACK 0 present']);
  });

  it('and the identifier is free again when there is no session left', () => {
    const world = worldWith([]);
    world.node('n', { user: 'anna' }).send(DISCONNECT);
    expect(world.connect('n', { user: 'bert' })[1]).toEqual(['CONNACK 0']);
  });
});
