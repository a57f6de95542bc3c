/**
 * All nodes of a gateway come back at once, as after a power cut, each with a password of its own. In virtual time with
 * verifications that take as long as the test says, and with the real ones.
 */
import { describe, expect, it } from 'vitest';
import { PasswordAuthenticator, type Verify } from '../../src/host/authentication.ts';
import { hashPassword, formatPasswordHash } from '../../src/host/password.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { acknowledge, type Peer, World } from '../world/world.ts';

const NODES = 60;
/** scrypt with the least cost. */
const HASH = 'scrypt$2$1$1$AAAA$AAAAAAAAAAAAAAAAAAAAAA==';
const PASSWORD = (index: number): string => `secret ${index}`;
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const users = Array.from({ length: NODES }, (_, index) => ({ username: `u${index}`, password: PASSWORD(index) }));

async function worldOf(listener: { users: { username: string; password_hash: string }[] },
  verify?: Verify): Promise<World> {
  const authenticator = await PasswordAuthenticator.create({ allow_anonymous: false, users: listener.users }, verify);
  const world =
    World.quiet({ listener: { ...listener, allow_anonymous: false, max_connections: NODES, connect_timeout: 2 } },
      { authenticator });
  authenticator.runtime = world.runtime;
  return world;
}

/** @param passwordOf what node number `index` says */
function dialAll(world: World, passwordOf = PASSWORD): Peer[] {
  const nodes = Array.from({ length: NODES }, () => world.dial(acknowledge));
  nodes.forEach((node, index) => node.post({
    cmd: 'connect', clientId: `n${index}`, protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0,
    username: `u${index}`, password: Buffer.from(passwordOf(index)),
  }));
  world.run(100);
  return nodes;
}

const codesOf = (nodes: readonly Peer[]): (number | undefined)[] =>
  nodes.map(node => node.all('connack')[0]?.returnCode);

describe('sixty nodes that come at once', () => {
  /** One verification after the other ends, so many milliseconds apart. */
  async function verified(passwordOf = PASSWORD): Promise<{ world: World; nodes: Peer[]; mostRunning: number }> {
    const running: (() => void)[] = [];
    let mostRunning = 0;
    let count = 0;
    const world =
      await worldOf({ users: users.map(({ username }) => ({ username, password_hash: HASH })) }, password =>
        new Promise(resolve => {
      running.push(() => resolve(password.toString() === PASSWORD(Number(/\d+/.exec(password.toString())![0]))));
      mostRunning = Math.max(mostRunning, running.length);
      ++count;
    }));
    const nodes = dialAll(world, passwordOf);
    while (running.length > 0) {
      world.run(500);
      running.shift()!();
      await settle();
    }
    world.run(100);
    expect(count).toBe(NODES);
    return { world, nodes, mostRunning };
  }

  it('all get in, although the last of them waits for half a minute and connect_timeout is two seconds', async () => {
    const { mostRunning, nodes, world } = await verified();
    expect(codesOf(nodes)).toEqual(nodes.map(() => 0));
    expect(world.gateway.connectedCount).toBe(NODES);
    expect(world.nodeEndings).toEqual([]);
    expect(mostRunning).toBe(2);
  });

  it('with wrong passwords are all told that, and the log says nothing else', async () => {
    const { nodes, world } = await verified(index => `wrong ${index}`);
    expect(codesOf(nodes)).toEqual(nodes.map(() => 4));
    expect(world.nodeEndings).toEqual(nodes.map(() => ReasonCode.BAD_USER_NAME_OR_PASSWORD));
    expect(world.eventTexts.filter(text => text.includes('listener.'))).toEqual([]);
  });

  it('do not keep out one who came with them and is known already', async () => {
    const running: (() => void)[] = [];
    const world = await worldOf({ users: users.map(({ username }) => ({ username, password_hash: HASH })) },
      () => new Promise(resolve => running.push(() => resolve(true))));
    const connect = (): Peer => {
      const node = world.dial(acknowledge);
      node.post({ cmd: 'connect', clientId: 'n0', protocolId: 'MQTT', protocolVersion: 4, clean: true, username: 'u0',
        password: Buffer.from(PASSWORD(0)) });
      world.run(100);
      return node;
    };
    const first = connect();
    running.shift()!();
    await settle();
    world.run(100);
    first.close();
    world.run(100);
    const others = dialAll(world, index => index === 0 ? 'wrong' : PASSWORD(index));
    const again = connect();
    expect(codesOf([again])).toEqual([0]);
    expect(codesOf(others)).toEqual(others.map(() => undefined));
  });

  it('of which one cannot be verified: it alone is told to come again, and no limit is blamed', async () => {
    const world = await worldOf({ users: users.map(({ username }) => ({ username, password_hash: HASH })) },
      password => password.toString() === PASSWORD(7) ? Promise.reject(new Error('no memory')) : Promise.resolve(true));
    const nodes = dialAll(world);
    while (world.gateway.connectedCount < NODES - 1)
      await settle();
    world.run(100);
    expect(codesOf(nodes)).toEqual(nodes.map((_, index) => index === 7 ? 3 : 0));
    expect(world.eventTexts.filter(text => text.includes('refused'))).toEqual([
      'node "n7" refused: server busy (its password could not be verified: is there enough memory?)',
    ]);
  });

  it('all get in with real verifications', async () => {
    const hashes =
      await Promise.all(users.map(async ({ username, password }) =>
        ({ username, password_hash: formatPasswordHash(await hashPassword(password)) })));
    const world = await worldOf({ users: hashes });
    const nodes = dialAll(world);
    while (world.gateway.connectedCount + world.nodeEndings.length < NODES) {
      await new Promise(resolve => setTimeout(resolve, 20));
      world.run(1000); // the time of the nodes passes much faster
    }
    world.run(100);
    expect(codesOf(nodes)).toEqual(nodes.map(() => 0));
    expect(world.nodeEndings).toEqual([]);
  }, 60_000);
});

describe('a node that is refused', () => {
  it('for want of a place is told which limit it is', () => {
    const world = World.quiet({ listener: { max_connections: 1, max_sessions: 4 } });
    world.client('n0');
    const surplus = world.dial(acknowledge);
    surplus.post({ cmd: 'connect', clientId: 'n1', protocolId: 'MQTT', protocolVersion: 4, clean: true });
    world.run(100);
    expect(codesOf([surplus])).toEqual([3]);
    expect(world.eventTexts.at(-1)).toBe('node "n1" refused: server unavailable '
      + '(listener.max_connections is 1, and so many are connected)');
  });

  it('for its Will is told that', () => {
    const world = World.quiet({ listener: { max_will_size: 10 } });
    const node = world.dial(acknowledge);
    node.post({
      cmd: 'connect', clientId: 'n1', protocolId: 'MQTT', protocolVersion: 4, clean: true,
      will: { topic: 'will', payload: Buffer.from('seven b'), qos: 0, retain: false },
    });
    world.run(100);
    expect(codesOf([node])).toEqual([3]);
    expect(world.eventTexts.at(-1)).toBe('node "n1" refused: Will too long (listener.max_will_size is 10)');
  });
});
