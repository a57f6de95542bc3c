/** What the log says of a node names who, what and the limit that was hit, with figures. */
import { describe, expect, it } from 'vitest';
import type { ListenerConfiguration } from '../../src/config/configuration.ts';
import { traceMessages } from '../../src/host/message-trace.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const USERS = [{ username: 'anna' }, { username: 'bert', mount_point: '%c/' }];
const worldWith = (listener: Partial<ListenerConfiguration> = {}): World =>
  World.quiet({ listener: { users: USERS, ...listener } });

describe('a denial', () => {
  it('names user, identifier and topic of a message', () => {
    const world = worldWith({ acl: [{ user: null, topic: 'in/#', access: 'read' }] });
    world.node('n', { user: 'anna' }, publish('in/a', 'x'));
    expect(world.eventTexts.at(-1)).toBe('refused a message of node "n" of user "anna" to "in/a": not allowed (listener.acl)');
  });

  it('names the filter of a subscription, and says that # is not about $SYS', () => {
    const world = worldWith({ acl: [{ user: null, topic: '#', access: 'write' }] });
    world.node('n', {}, subscribe(1, 'a/+', 0, '$SYS/#', 0));
    expect(world.eventTexts.slice(-2)).toEqual([
      'refused a subscription of node "n" to "a/+": not allowed (listener.acl)',
      'refused a subscription of node "n" to "$SYS/#": not allowed (listener.acl; an entry for "#" is not about topics that begin with $)',
    ]);
  });

  it('names the topic of a Will', () => {
    const world = worldWith({ acl: [{ user: null, topic: 'in/#', access: 'read' }] });
    world.node('n', { will: { topic: 'in/will', payload: 'x' } }).vanish();
    expect(world.eventTexts.at(-1)).toBe('refused a Will of node "n" to "in/will": not allowed (listener.acl)');
  });
});

describe('the end of a connection', () => {
  it('by silence is told with the time and the Keep Alive', () => {
    const world = worldWith();
    world.node('n', { keepAlive: 10 });
    world.run(20_000);
    expect(world.eventTexts.at(-1)).toBe('node "n" is gone: keep alive timeout: nothing for 16 seconds, its Keep Alive is 10 seconds');
  });

  it('by an identifier that is too long is told with how it begins, and how long it is', () => {
    const world = worldWith({ max_clientid_length: 30 });
    world.node('ä'.repeat(60));
    expect(world.eventTexts.at(-1)).toBe(`node "${'ä'.repeat(32)}..." of 120 bytes refused: client identifier rejected `
      + '(1 to 23 characters with 3.1, at most listener.max_clientid_length, 30 bytes, else; without one only with Clean Session)');
    world.node('x'.repeat(24), { level: 3 });
    expect(world.eventTexts.at(-1)).toMatch(/^node "x{24}" of 24 bytes refused: /);
    world.node('', { clean: false });
    expect(world.eventTexts.at(-1)).toMatch(/^node \(no identifier\) refused: /);
  });

  it.each([[200, 203], [20_000, 20_004]])('by a packet that is too long is told with its length, %i bytes and the key', (length, total) => {
    const world = worldWith({ max_packet_size: 128, oversize: 'close', max_queued_bytes: 1280 });
    world.node('n').send(publish('a', 'x'.repeat(length - 3)));
    world.run(1000);
    expect(world.eventTexts.at(-1)).toBe(`node "n" is gone: packet too large: ${total} bytes (listener.max_packet_size is 128)`);
  });

  it('by a refusal names the limit that was hit', () => {
    const world = worldWith({ max_connections: 1, max_keepalive: 60 });
    const first = world.node('n', { keepAlive: 10 });
    world.node('m', { keepAlive: 10 });
    expect(world.eventTexts.at(-1)).toBe('node "m" refused: server unavailable (listener.max_connections is 1, and so many are connected)');
    first.vanish();
    world.node('m', { keepAlive: 600 });
    expect(world.eventTexts.at(-1)).toBe('node "m" refused: client identifier rejected (its Keep Alive is 600, and listener.max_keepalive 60)');
  });

  it.each([
    ['without user', 'x', {}, 'set listener.allow_anonymous, or give the node a user of listener.users'],
    ['with a name that fits no mount point', 'a/b', { user: 'bert' }, 'its name does not fit the mount point of its user'],
  ])('by "not authorized" says why: %s', (_name, identifier, options, why) => {
    const world = worldWith({ allow_anonymous: false });
    world.node(identifier, options);
    expect(world.eventTexts.at(-1)).toContain(why);
  });

  it('by "not authorized" says that the identifier is another user\'s', () => {
    const world = worldWith();
    world.node('n', { user: 'anna' });
    world.node('n', { user: 'bert' });
    expect(world.eventTexts.at(-1)).toContain('a node of another user has this identifier');
  });
});

it('each message can be told of, as it comes and as it goes', () => {
  const world = new World({ configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1, remote_prefix: 'up/' }] } });
  const lines: string[] = [];
  traceMessages(world.gateway, line => lines.push(line));
  world.runtime.start();
  world.until(() => world.isConnected);
  const node = world.node('n', {}, subscribe(1, 'a/#', 0));
  node.send(publish('a/b', 'hello', { qos: 1, retain: true }), publish('long', 'x'.repeat(300)));
  world.run(1000);
  expect(lines).toEqual([
    'from node "n": "a/b", QoS 1, 5 bytes, retained', 'to upstream: "up/a/b", QoS 1, 5 bytes, retained',
    'to node "n": "a/b", QoS 0, 5 bytes',
    'from node "n": "long", QoS 0, 300 bytes', 'to upstream: "up/long", QoS 0, 300 bytes',
  ]);
});
