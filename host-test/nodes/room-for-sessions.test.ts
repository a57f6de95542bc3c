/** A flood of new identifiers: whose session gives way, whose never does, and that nobody is kept out. */
import { describe, expect, it } from 'vitest';
import { NODE_REFUSED } from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { World } from '../world/world.ts';
import { type ConnectOptions, DISCONNECT, publish, subscribe } from '../world/packets.ts';

const PLACES = 8;
const PRESENT = 'CONNACK 0 present';

const worldFor = (...usernames: string[]): World => World.quiet({ listener: {
  max_connections: 4, max_sessions: PLACES, max_queued_messages: 4,
    users: usernames.map(username => ({ username, password: 'p' })),
} });

/** A session that stays behind, with a subscription, and with so many messages. */
function leave(world: World, name: string, options: ConnectOptions, messages = 0): void {
  const node = world.node(name, { ...options, clean: false }, subscribe(1, name, 1));
  node.vanish();
  for (let count = 0; count < messages; ++count)
    world.node('writer', { ...options }).send(publish(name, `${count}`, { qos: 1 }), DISCONNECT);
}

/** New persistent identifiers, one after the other. @returns the codes of CONNACK */
function flood(world: World, options: ConnectOptions, subscribes: boolean, count = 30): Set<string> {
  const codes = new Set<string>();
  for (let index = 0; index < count; ++index) {
    const [node, [code]] = world.connect(`flood${options.user ?? ''}${index}`, { ...options, clean: false });
    codes.add(code!);
    if (!node.isClosed && subscribes)
      node.send(subscribe(1, '#', 1));
    node.vanish();
  }
  return codes;
}

const returns = (world: World, name: string, options: ConnectOptions): string[] => {
  const [node, answer] = world.connect(name, { ...options, clean: false });
  node.vanish();
  return answer;
};

describe.each([false, true])('a flood of identifiers, with subscriptions: %s,', subscribes => {
  const anna = { user: 'anna' };
  const bert = { user: 'bert' };

  it('of one user leaves the sessions of another one, and their messages', () => {
    const world = worldFor('anna', 'bert');
    leave(world, 'a1', anna);
    leave(world, 'a2', anna, 2);
    leave(world, 'b1', bert, 1);
    expect(flood(world, bert, subscribes)).toEqual(new Set(['CONNACK 0']));
    expect(returns(world, 'a1', anna)).toEqual([PRESENT]);
    expect(returns(world, 'a2', anna)).toEqual([PRESENT, 'PUBLISH a2=0 q1 #1', 'PUBLISH a2=1 q1 #2']);
    expect(returns(world, 'b1', bert)).toEqual([PRESENT, 'PUBLISH b1=0 q1 #1']);
    expect(world.gateway.admission.evictedCount).toBeGreaterThan(20);
  });

  it('of nodes without a user leaves the sessions of users, and they keep nobody with a user out', () => {
    const world = worldFor('anna', 'bert');
    leave(world, 'a1', anna, 1);
    leave(world, 'n1', {}, 1);
    flood(world, {}, subscribes);
    expect(returns(world, 'a1', anna)).toEqual([PRESENT, 'PUBLISH a1=0 q1 #1']);
    expect(returns(world, 'n1', {})).toEqual([PRESENT, 'PUBLISH n1=0 q1 #1']);
    for (const name of ['b1', 'b2', 'b3'])
      expect(returns(world, name, bert)).toEqual(['CONNACK 0']);
    expect(returns(world, 'a2', anna)).toEqual(['CONNACK 0']);
  });

  it('of one user cannot keep another one out that has no session yet', () => {
    const world = worldFor('anna', 'bert', 'carl');
    flood(world, bert, subscribes);
    expect(returns(world, 'a1', anna)).toEqual(['CONNACK 0']);
    expect(returns(world, 'c1', { user: 'carl' })).toEqual(['CONNACK 0']);
  });

  it('among nodes without users spares messages, and those who have subscribed as long as it has not', () => {
    const world = worldFor();
    leave(world, 'n1', {}, 1);
    leave(world, 'n2', {});
    flood(world, {}, subscribes);
    expect(returns(world, 'n1', {})).toEqual([PRESENT, 'PUBLISH n1=0 q1 #1']);
    expect(returns(world, 'n2', {})).toEqual([subscribes ? 'CONNACK 0' : PRESENT]);
  });
});

it('when every session is spared a new node is refused with code 3, counted and named; those who are known get in [MQTT311-3.2.2-5]', () => {
  const world = worldFor();
  for (let index = 0; index < PLACES; ++index)
    leave(world, `n${index}`, {}, index === PLACES - 1 ? 0 : 1);
  world.node('writer').send(publish(`n${PLACES - 1}`, 'x', { qos: 1 }));
  world.node('writer').vanish();
  leave(world, 'last', {}, 0);
  world.node('last', { clean: false }).send(publish('last', 'x', { qos: 1 })).vanish();
  world.events.length = 0;
  const evicted = world.gateway.admission.evictedCount;
  for (const clean of [true, false]) {
    expect(world.connect('new', { clean })[1]).toEqual(['CONNACK 3', 'closed']);
    expect(world.events.at(-1)).toMatchObject({ event: NODE_REFUSED,
      detail: ReasonCode.SERVER_UNAVAILABLE });
    expect(world.eventTexts.at(-1)).toMatch(/^node "new" refused: server unavailable .*listener\.max_sessions/);
  }
  expect(world.gateway.admission.evictedCount).toBe(evicted);
  expect(world.gateway.endings.of(ReasonCode.SERVER_UNAVAILABLE)).toBe(2);
  expect(returns(world, 'last', {})).toEqual([PRESENT, 'PUBLISH last=x q1 #1 dup']);
});

it('users that have never come do not keep more than a quarter of the places free', () => {
  const world = worldFor(...Array.from({ length: 20 }, (_, index) => `u${index}`));
  const user = { user: 'u0' };
  for (let index = 0; index < PLACES - PLACES / 4; ++index) {
    const node = world.node(`n${index}`, { ...user, clean: false }, subscribe(1, 'a', 1));
    node.send(publish('a', 'x', { qos: 1 })).vanish();
  }
  expect(world.gateway.nodes.knownCount).toBe(PLACES - PLACES / 4);
  expect(returns(world, 'one more', user)).toEqual(['CONNACK 3', 'closed']);
  expect(returns(world, 'n0', user)[0]).toBe(PRESENT);
});
