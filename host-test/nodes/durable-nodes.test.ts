/**
 * With `store.durability` "flash" what a node may rely on is there after a power cut: its session and subscriptions,
 * messages that wait for it, retained messages and Wills; and what today's configuration does not allow is not.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import {
  connect, DISCONNECT, PINGREQ, puback, pubcomp, publish, pubrec, subscribe, unsubscribe,
} from '../world/packets.ts';
import { World, type WorldOptions } from '../world/world.ts';

type Listener = NonNullable<PartialConfiguration['listener']>;

const KEPT = { clean: false };

/** A gateway that loses its power whenever the test says so: the next one finds the same flash. */
class Site {
  readonly medium: FlashMedium;
  configuration: PartialConfiguration;
  world!: World;
  /** Seconds since 1970 at the beginning of each life; 0: nobody knows. */
  date = 0;

  constructor(listener: Listener = {}, medium = new FlashMedium(4096, 12)) {
    this.medium = medium;
    this.configuration = { listener, store: { durability: 'flash' } };
    this.start();
  }

  /** The power fails, and comes back. @param listener what was edited meanwhile */
  restart(listener: Listener = {}): World {
    const { configuration } = this;
    this.configuration = { ...configuration, listener: { ...configuration.listener, ...listener } };
    return this.start();
  }

  private start(): World {
    const options: WorldOptions = {
      openStorage: (_store, arena) => new SimulatedFlash(arena, this.medium),
      date: () => this.date === 0 ? 0 : this.date + Math.floor(this.world.clock.now / 1000),
    };
    return this.world = World.quiet(this.configuration, options);
  }
}

/** A site at which a node was, with this subscription, and has gone. */
function siteOf(filter: string, qos: number, listener: Listener = {}): Site {
  const site = new Site(listener);
  const node = site.world.open();
  expect(node.ask(connect('valve', KEPT), subscribe(1, filter, qos))).toEqual(['CONNACK 0', `SUBACK #1 ${qos}`]);
  node.vanish();
  return site;
}

/** What the log says of what was dropped at the start; the status has counted the same. */
function droppedIn(world: World): [reason: number, count: number][] {
  const { clock, events, runtime: { gateway, sensors, upstream } } = world;
  const told = events.filter(({ event }) => event === Event.RESTORED_DROPPED)
    .map(({ detail, subject }): [number, number] => [subject, detail]);
  const sum = (...reasons: number[]): number =>
    told.filter(([reason]) => reasons.includes(reason)).reduce((total, [, count]) => total + count, 0);
  expect(statusOf({ gateway, sensors, upstream }, clock.now).counters).toMatchObject({
    droppedSessions: sum(Event.DROPPED_USER, Event.DROPPED_EXPIRED, Event.DROPPED_PLACE),
    droppedSubscriptions: sum(Event.DROPPED_FILTER),
    droppedWills: sum(Event.DROPPED_WILL),
    droppedForNodes: sum(Event.DROPPED_MESSAGE),
  });
  return told;
}

describe('a session that a node has asked to be kept', () => {
  it('is present after a power cut, with its subscriptions', () => {
    const site = siteOf('cmd/#', 1);
    const world = site.restart();
    const [node, answer] = world.connect('valve', KEPT);
    expect(answer).toEqual(['CONNACK 0 present']);
    world.node('other').send(publish('cmd/a', 'open', { qos: 1, identifier: 1 }));
    expect(node.take()).toEqual(['PUBLISH cmd/a=open q1 #1']);
  });

  it('is gone when the node has begun a clean one, and so are what waited and its subscriptions', () => {
    const site = siteOf('cmd/#', 1);
    site.world.node('other').send(publish('cmd/a', 'open', { qos: 1, identifier: 1 }));
    site.world.node('valve').vanish();
    const world = site.restart();
    const [node, answer] = world.connect('valve', KEPT);
    expect(answer).toEqual(['CONNACK 0']);
    world.node('other').send(publish('cmd/a', 'open', { qos: 1, identifier: 1 }));
    expect(node.take()).toEqual([]);
    expect(world.gateway.subscriptions.count).toBe(0);
    expect(world.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(0);
  });

  it('is present when the time without power is known, as are all others', () => {
    const site = new Site();
    site.date = 1_800_000_000;
    site.restart();
    for (const name of ['one', 'two', 'three'])
      site.world.node(name, KEPT, subscribe(1, `cmd/${name}`, 1)).vanish();
    site.world.run(700_000); // the calendar is noted
    site.date += 3600;
    const world = site.restart();
    for (const name of ['one', 'two', 'three'])
      expect(world.connect(name, KEPT)[1]).toEqual(['CONNACK 0 present']);
    expect(world.gateway.subscriptions.count).toBe(3);
  });

  it('has lost a subscription that was taken back, and has the QoS that was granted last', () => {
    const site = siteOf('cmd/a', 1);
    const node = site.world.node('valve', KEPT,
      subscribe(2, 'cmd/b', 2), unsubscribe(3, 'cmd/a'), subscribe(4, 'cmd/b', 0));
    node.vanish();
    const world = site.restart();
    expect(world.gateway.subscriptions.count).toBe(1);
    const back = world.node('valve', KEPT);
    world.node('other').send(publish('cmd/b', '1', { qos: 2, identifier: 1 }), publish('cmd/a', '2'));
    expect(back.take()).toEqual(['PUBLISH cmd/b=1 q0']);
  });

  it('survives as many restarts as there are, without being written again', () => {
    const site = siteOf('cmd/#', 1);
    const { programCount } = site.medium;
    for (let life = 0; life < 5; ++life) {
      expect(site.restart().connect('valve', KEPT)[1]).toEqual(['CONNACK 0 present']);
      site.world.run(1000);
    }
    expect(site.medium.programCount - programCount).toBeLessThan(12); // the time of each life
  });
});

describe('messages that wait for a node', () => {
  it('arrive after a power cut, in order, those of QoS 2 once', () => {
    const site = siteOf('cmd/#', 2);
    const other = site.world.node('other');
    for (let number = 1; number <= 6; ++number)
      other.send(publish(`cmd/${number % 2}`, `${number}`, { qos: 1 + number % 2, identifier: number }));
    const world = site.restart();
    const node = world.client('valve', KEPT);
    world.run();
    expect(node.messages).toEqual([1, 2, 3, 4, 5, 6].map(number => `cmd/${number % 2} ${number}`));
    expect(world.gateway.durableStore!.backlog.store.queue.pendingCount).toBe(0);
    node.vanish();
    const again = site.restart().client('valve', KEPT);
    site.world.run();
    expect(again.messages).toEqual([]);
  });

  it('go on with their packet identifiers in the middle of an exchange', () => {
    const site = siteOf('cmd/#', 2);
    const node = site.world.node('valve', KEPT);
    site.world.node('other').send(
      publish('cmd/a', '1', { qos: 2, identifier: 1 }), publish('cmd/b', '2', { qos: 2, identifier: 2 }));
    expect(node.take()).toEqual(['PUBLISH cmd/a=1 q2 #1', 'PUBLISH cmd/b=2 q2 #2']);
    expect(node.ask(pubrec(1))).toEqual(['PUBREL #1']);
    const world = site.restart();
    const back = world.open();
    expect(back.ask(connect('valve', KEPT))).toEqual(['CONNACK 0 present', 'PUBREL #1', 'PUBLISH cmd/b=2 q2 #2 dup']);
    expect(back.ask(pubcomp(1), pubrec(2))).toEqual(['PUBREL #2']);
    back.send(pubcomp(2));
    expect(site.restart().connect('valve', KEPT)[1]).toEqual(['CONNACK 0 present']);
  });

  it('are not counted as waiting for the Server, and do not stand in the way of what is', () => {
    const site = siteOf('cmd/#', 1);
    const { gateway } = site.world;
    site.world.node('other').send(publish('cmd/a', '1', { qos: 1, identifier: 1 }));
    expect(gateway.waiting.pendingCount).toBe(0);
    expect(gateway.waiting.oldestAge).toBe(-1);
    const node = site.world.node('valve', KEPT);
    expect(node.ask(puback(1))).toEqual([]);
    expect(gateway.durableStore!.backlog.store.queue.pendingCount).toBe(0);
  });

  it('stay while the log goes round many times, and keep their order', () => {
    const site = new Site({}, new FlashMedium(4096, 8));
    const topic = [{ pattern: 'up/#', direction: 'out', qos: 1, full: 'drop_oldest' }] as const;
    site.configuration = { ...site.configuration, topic };
    site.restart();
    site.world.node('valve', KEPT, subscribe(1, 'cmd/#', 1)).vanish();
    const other = site.world.node('other');
    for (let number = 0; number < 3; ++number) {
      other.send(publish('cmd/a', `${number}`, { qos: 1, identifier: 1 }));
      for (let filler = 0; filler < 100; ++filler)
        other.send(publish('up/x', 'x'.repeat(200), { qos: 1, identifier: 2 }));
    }
    const world = site.restart();
    const node = world.client('valve', KEPT);
    world.run();
    expect(node.messages).toEqual(['cmd/a 0', 'cmd/a 1', 'cmd/a 2']);
  });
});

describe('retained messages', () => {
  it('of QoS 1 are there after a power cut, the last one of each topic, and removed ones are not', () => {
    const site = new Site();
    site.world.node('a').send(publish('state/a', '1', { qos: 1, identifier: 1, retain: true }),
      publish('state/b', '1', { qos: 1, identifier: 2, retain: true }),
      publish('state/a', '2', { qos: 1, identifier: 3, retain: true }),
      publish('state/b', '', { qos: 1, identifier: 4, retain: true }));
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('state/#', 1);
    world.run();
    expect(reader.messages).toEqual(['state/a 2']);
  });

  it('of QoS 0 are written once a minute, and at a clean stop', () => {
    const site = new Site();
    const node = site.world.node('a');
    const { programCount } = site.medium;
    for (let second = 0; second < 50; ++second) {
      node.send(publish('state/a', `${second}`, { retain: true }));
      site.world.run(1000);
    }
    expect(site.medium.programCount).toBe(programCount);
    site.world.run(20_000);
    expect(site.restart().gateway.retained.count).toBe(1);
    site.world.node('a').send(publish('state/a', 'last', { retain: true }));
    site.world.runtime.stop(() => {});
    site.world.run(3000);
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('state/#');
    world.run();
    expect(reader.messages).toEqual(['state/a last']);
  });
});

describe('the Will of a node', () => {
  const WILL = { topic: 'will/a', payload: 'gone', qos: 1 };

  function siteWithWill(clean: boolean, keepAlive = 10): Site {
    const site = new Site();
    site.world.node('a', { clean, keepAlive, will: WILL });
    return site;
  }

  it.each([true, false])('is published when it stays away for one and a half Keep Alives after a cut (clean: %s)', clean => {
    const site = siteWithWill(clean);
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('will/#', 1);
    world.run(14_000);
    expect(reader.messages).toEqual([]);
    world.run(2000);
    expect(reader.messages).toEqual(['will/a gone']);
    expect(world.gateway.nodes.knownCount).toBe(clean ? 1 : 2);
    const again = site.restart().client('reader');
    again.subscribe('will/#', 1);
    site.world.run(60_000);
    expect(again.messages).toEqual([]); // once
  });

  it.each([true, false])('is not published when it comes back in time, and then has none (clean: %s)', clean => {
    const site = siteWithWill(clean);
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('will/#', 1);
    expect(world.connect('a', { clean, keepAlive: 0 })[1]).toEqual([clean ? 'CONNACK 0' : 'CONNACK 0 present']);
    world.run(60_000);
    expect(reader.messages).toEqual([]);
    const again = site.restart().client('reader');
    again.subscribe('will/#', 1);
    site.world.run(60_000);
    expect(again.messages).toEqual([]);
  });

  it('under $SYS/ is published to nobody after a cut, as without one: only the gateway speaks there', () => {
    const site = new Site();
    site.world.node('a', { keepAlive: 10, will: { topic: '$SYS/broker/alarm', payload: 'made up', qos: 1, retain: true } });
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('$SYS/broker/alarm');
    world.run(60_000);
    expect(reader.messages).toEqual([]);
    expect(world.gateway.retained.count).toBe(0);
  });

  it('is gone when it has said DISCONNECT', () => {
    const site = new Site();
    site.world.node('a', { keepAlive: 10, will: WILL }).send(DISCONNECT);
    const world = site.restart();
    const reader = world.client('reader');
    reader.subscribe('will/#', 1);
    world.run(60_000);
    expect(reader.messages).toEqual([]);
  });

  it('does not make a session: the node that comes back finds none', () => {
    const site = siteWithWill(true);
    expect(site.restart().connect('a', KEPT)[1]).toEqual(['CONNACK 0']);
  });
});

describe('what is restored is judged by today\'s configuration:', () => {
  const USERS: Listener = { users: [{ username: 'u', password: 'x' }, { username: 'v', password: 'x' }] };

  it('the session of a user that is gone is dropped, with all that belongs to it, counted and told', () => {
    const site = new Site(USERS);
    site.world.node('n', { ...KEPT, user: 'v', password: 'x' }, subscribe(1, 'cmd/#', 1)).vanish();
    site.world.node('w', { ...KEPT, user: 'u', password: 'x' }, subscribe(1, 'cmd/#', 1)).vanish();
    site.world.node('other', { user: 'u', password: 'x' }).send(publish('cmd/a', '1', { qos: 1, identifier: 1 }));
    const world = site.restart({ users: [{ username: 'u', password: 'x' }] });
    expect(world.gateway.nodes.knownCount).toBe(1);
    expect(droppedIn(world)).toEqual([[Event.DROPPED_USER, 1], [Event.DROPPED_MESSAGE, 1]]);
    expect(world.eventTexts.some(text => text.startsWith('dropped 1 of the sessions of nodes'))).toBe(true);
    expect(droppedIn(site.restart())).toEqual([]); // for good
    expect(site.world.gateway.subscriptions.count).toBe(1);
  });

  it('the session of a node without user is dropped where nobody may come without one', () => {
    const site = new Site();
    site.world.node('n', KEPT, subscribe(1, 'cmd/#', 1)).vanish();
    const world = site.restart({ ...USERS, allow_anonymous: false });
    expect(droppedIn(world)).toEqual([[Event.DROPPED_USER, 1]]);
  });

  it('a user that stands at another place of the list is the same one', () => {
    const site = new Site(USERS);
    site.world.node('n', { ...KEPT, user: 'v', password: 'x' }).vanish();
    const world = site.restart({ users: [...USERS.users!].reverse() });
    expect(world.connect('n', { ...KEPT, user: 'v', password: 'x' })[1]).toEqual(['CONNACK 0 present']);
  });

  it('a filter and a command outside its rights are dropped, others stay', () => {
    const site = new Site({ acl: [{ topic: '#', access: 'readwrite' }] });
    site.world.node('n', KEPT, subscribe(1, 'secret/#', 1), subscribe(2, 'cmd/#', 1)).vanish();
    site.world.node('other').send(
      publish('secret/a', '1', { qos: 1, identifier: 1 }), publish('cmd/a', '2', { qos: 1, identifier: 2 }));
    const world = site.restart({ acl: [{ topic: 'cmd/#', access: 'readwrite' }] });
    expect(droppedIn(world)).toEqual([[Event.DROPPED_FILTER, 1], [Event.DROPPED_MESSAGE, 1]]);
    const node = world.client('n', KEPT);
    world.run();
    expect(node.messages).toEqual(['cmd/a 2']);
  });

  it('a mount point that has moved leaves filters and messages of the old one behind', () => {
    const user = { username: 'u', password: 'x', mount_point: 'old/' };
    const site = new Site({ users: [user] });
    const as = { ...KEPT, user: 'u', password: 'x' };
    site.world.node('n', as, subscribe(1, 'cmd/#', 1)).vanish();
    site.world.node('other', as).send(publish('cmd/a', '1', { qos: 1, identifier: 1 }));
    const world = site.restart({ users: [{ ...user, mount_point: 'new/' }] });
    expect(droppedIn(world).map(([reason]) => reason)).toContain(Event.DROPPED_FILTER);
    expect(world.gateway.subscriptions.count).toBe(0);
  });

  it('a Will that may not be published any more is dropped when its time has come', () => {
    const site = new Site({ acl: [{ topic: '#', access: 'readwrite' }] });
    site.world.node('a', { keepAlive: 10, will: { topic: 'will/a', payload: 'gone' } });
    const world = site.restart({ acl: [{ topic: 'will/#', access: 'read' }] });
    const reader = world.client('reader');
    reader.subscribe('will/#', 1);
    world.run(20_000);
    expect(reader.messages).toEqual([]);
    expect(droppedIn(world)).toEqual([[Event.DROPPED_WILL, 1]]);
  });

  it('with fewer places than sessions those go first whose nodes were away longest', () => {
    const site = new Site({ max_connections: 4, max_sessions: 6 });
    for (const name of ['c', 'a', 'd', 'b']) {
      site.world.node(name, KEPT).vanish();
      site.world.run(5000);
    }
    const world = site.restart({ max_connections: 2, max_sessions: 2 });
    expect(droppedIn(world)).toEqual([[Event.DROPPED_PLACE, 2]]);
    expect(world.connect('d', KEPT)[1]).toEqual(['CONNACK 0 present']);
    expect(world.connect('b', KEPT)[1]).toEqual(['CONNACK 0 present']);
  });
});

describe('listener.persistent_client_expiration', () => {
  const HOUR = 3_600_000;

  it.each([['ram', 3600, 1], ['flash', 3600, 1], ['flash', 0, 0]] as const)(
    'with durability "%s" and %i seconds forgets %i session of a node that is away for that long',
    (durability, seconds, count) => {
      const site = new Site({ persistent_client_expiration: seconds });
      site.configuration = { ...site.configuration, store: { durability } };
      site.restart();
      site.world.node('n', KEPT, subscribe(1, 'cmd/#', 1)).vanish();
      site.world.node('here', KEPT);
      site.world.run(HOUR * 0.9);
      expect(site.world.gateway.nodes.knownCount).toBe(2);
      site.world.run(HOUR * 0.3);
      expect(site.world.gateway.nodes.knownCount).toBe(2 - count);
      expect(site.world.gateway.admission.expiredCount).toBe(count);
      expect(site.world.gateway.subscriptions.count).toBe(1 - count);
    });

  it('counts powered time over restarts, and time without power as far as the calendar is known', () => {
    const site = siteOf('cmd/#', 1, { persistent_client_expiration: 3600 });
    site.world.run(HOUR / 2);
    site.restart().run(HOUR / 4);
    expect(site.world.gateway.nodes.knownCount).toBe(1);
    site.restart().run(HOUR / 2);
    expect(site.world.gateway.nodes.knownCount).toBe(0);
    const known = new Site({ persistent_client_expiration: 3600 });
    known.date = 1_800_000_000;
    known.restart().node('n', KEPT).vanish();
    known.world.run(HOUR / 3);
    known.date += 7200;
    known.restart().run(1000);
    expect(known.world.gateway.nodes.knownCount).toBe(0);
  });

  it('does not forget a node that has been connected all the while before the power cut', () => {
    const site = new Site({ persistent_client_expiration: 3600 });
    site.world.node('n', KEPT);
    site.world.node('gone', KEPT).vanish();
    site.world.run(HOUR * 3);
    expect(site.restart().connect('n', KEPT)[1]).toEqual(['CONNACK 0 present']);
  });
});

describe('when the part of the store for state is full', () => {
  it('a new session gets CONNACK 3 and a new subscription SUBACK 0x80, and the log says which limit', () => {
    const listener = { max_connections: 60, max_sessions: 60, max_subscriptions: 400, max_subscription_bytes: 40_000 };
    const site = new Site(listener, new FlashMedium(512, 12));
    const { world } = site;
    const node = world.node('first', KEPT);
    let answers: string[] = [];
    for (let index = 0; index < 60 && !answers.some(answer => answer.includes(' 80')); ++index)
      answers = node.ask(subscribe(1, `filter/${index}/${'x'.repeat(40)}`, 1));
    expect(answers).toEqual(['SUBACK #1 80']);
    expect(world.eventTexts.at(-1)).toContain('store.size');
    const [, answer] = world.connect('a-rather-long-client-identifier', KEPT);
    expect(answer).toEqual(['CONNACK 3', 'closed']);
    expect(world.eventTexts.some(text => text.includes('its session cannot be kept'))).toBe(true);
    expect(world.connect('clean')[1]).toEqual(['CONNACK 0']); // needs nothing of it
    expect(node.ask(PINGREQ)).toEqual(['PINGRESP']);
  });
});

describe('while the storage does not work', () => {
  it('no session is confirmed that could not be kept, unless on_failure is "memory"', () => {
    for (const on_failure of ['refuse', 'memory'] as const) {
      const world = World.quiet({ store: { durability: 'flash', on_failure } },
        { openStorage: () => { throw new Error('no disk'); } });
      expect(world.connect('n', KEPT)[1]).toEqual(on_failure === 'refuse' ? ['CONNACK 3', 'closed'] : ['CONNACK 0']);
      expect(world.connect('clean')[1]).toEqual(['CONNACK 0']);
    }
  });
});
