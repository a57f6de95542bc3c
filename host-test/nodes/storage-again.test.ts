/**
 * What else of nodes and of the quarantine memory knows better than a storage that comes back: Wills, what was set
 * aside, deadlines; and a storage that may only be read.
 */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { publish, subscribe } from '../world/packets.ts';
import { World } from '../world/world.ts';

const KEPT = { clean: false };
const copyOf = (medium: FlashMedium): FlashMedium => {
  const copy = new FlashMedium(medium.blockLength, medium.blockCount);
  copy.bytes.set(medium.bytes);
  return copy;
};

interface Place {
  /** What is opened next. */
  medium: FlashMedium;
  flash: SimulatedFlash;
}

function start(place: { medium: FlashMedium }, configuration = {}): World & { place: Place } {
  const world = World.quiet({
    topic: [{ pattern: '#', direction: 'out' }],
    store: { durability: 'flash', on_failure: 'memory', quarantine: [8, 4096] },
    ...configuration,
  }, {
    openStorage: (_store, arena) => (place as Place).flash = new SimulatedFlash(arena, place.medium),
  });
  return Object.assign(world, { place: place as Place });
}

let noises = 0;

/** The storage fails; half a minute later `medium` is what is there. */
function replace(world: World & { place: Place }, medium: FlashMedium, meanwhile = (): void => {}): void {
  world.place.flash.refuse();
  world.node(`noise ${++noises}`, { clean: false }).vanish();
  expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
  meanwhile();
  world.place.medium = medium;
  world.run(32_000);
  expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(true);
}

describe('Wills', () => {
  const WILL = { topic: 'status', payload: 'lost' };

  it('of a node that is here is in the storage that comes back, of one that has gone in order it is not', () => {
    const medium = new FlashMedium(512, 32);
    const world = start({ medium });
    world.node('here', { will: WILL });
    const leaving = world.node('leaving', { will: { ...WILL, payload: 'never' } });
    const old = copyOf(medium);
    replace(world, old, () => leaving.send({ cmd: 'disconnect' }));
    const next = start({ medium: old });
    next.run(120_000);
    expect(next.events.filter(({ event }) => event === Event.STORED_WILL_PUBLISHED)).toHaveLength(1);
    expect(next.gateway.waiting.pendingCount).toBe(1);
  });

  it('of a node that has not come back lies in the storage alone: when that is lost, it is said and counted', () => {
    const medium = new FlashMedium(512, 32);
    const before = start({ medium });
    before.node('away', { clean: false, will: WILL });
    const world = start({ medium });
    expect(world.gateway.durable!.wills.dueCount).toBe(1);
    replace(world, new FlashMedium(512, 32));
    expect(world.gateway.durable!.wills.dueCount).toBe(0);
    expect(world.gateway.durable!.restoration.lost[Event.DROPPED_LOST_WILL]).toBe(1);
    expect(world.eventTexts).toContain('dropped 1 of the Wills of nodes that have not come back, which lay in the file that was lost');
    const next = start({ medium: world.place.medium });
    expect(next.connect('away', KEPT)[1]).toEqual(['CONNACK 0 present']); // its session is there
  });
});

it('what was set aside is counted for its rule when its storage is lost, and does not come back when it was decided about', () => {
  const RULES = { topic: [{ pattern: 'x/#', direction: 'out' }, { pattern: '#', direction: 'out' }],
    upstream: { max_topic_levels: 2 } };
  const stage = (): World & { place: Place } => {
    const world = start({ medium: new FlashMedium(512, 32) }, RULES);
    const node = world.node('one');
    node.send(publish('a/b/c', '1', { qos: 1, identifier: 1 }), publish('a/b/d', '2', { qos: 1, identifier: 2 }));
    expect(world.gateway.bridge.guard.quarantine.count).toBe(2);
    return world;
  };
  const lost = stage();
  replace(lost, new FlashMedium(512, 32));
  expect(lost.gateway.bridge.guard.quarantine.count).toBe(0);
  expect(lost.gateway.bridge.outbound.rules.map(({ dropped }) => dropped)).toEqual([0, 2]);

  const decided = stage();
  const old = copyOf(decided.place.medium);
  decided.gateway.bridge.guard.quarantine.removeAt(0);
  replace(decided, old);
  expect(decided.gateway.bridge.guard.quarantine.count).toBe(1);
  expect(decided.gateway.bridge.droppedCount).toBe(0);
  expect(start({ medium: old }, RULES).gateway.bridge.guard.quarantine.count).toBe(1);
});

it('a clock that is further in the other storage makes nothing in memory older, one that is behind nothing younger', () => {
  const RULES = { topic: [{ pattern: '#', direction: 'out', expiry: 1000 }] };
  const ahead = new FlashMedium(512, 32);
  const other = start({ medium: ahead }, RULES);
  other.run(5_000_000);
  other.node('far').send(publish('t', 'far', { qos: 1, identifier: 1 }));
  other.gateway.durableStore!.backlog.store.close();
  const world = start({ medium: new FlashMedium(512, 32) }, RULES);
  const node = world.node('one');
  node.send(publish('t', 'first', { qos: 1, identifier: 1 }));
  const { clock } = world.gateway.durableStore!.backlog.store;
  const before = clock.now;
  replace(world, new FlashMedium(512, 32), () => node.send(publish('t', 'second', { qos: 1, identifier: 2 })));
  expect(clock.now).toBeGreaterThanOrEqual(before + 30);
  replace(world, ahead, () => node.send(publish('t', 'third', { qos: 1, identifier: 3 })));
  expect(clock.now).toBeGreaterThan(5000);
  const { queue } = world.gateway.durableStore!.backlog;
  for (let record = queue.following(-1); record !== -1; record = queue.following(record))
    expect(clock.age(queue.timeOf(record))).toBeLessThan(120);
});

it('a storage that may only be read does not hold the start up, whatever is in it', () => {
  const medium = new FlashMedium(512, 32);
  const before = start({ medium }, { listener: { users: [{ username: 'u', password: 'p' }, { username: 'v', password: 'p' }] } });
  before.node('valve', { ...KEPT, user: 'u', password: 'p' }, subscribe(1, 'a/#', 1));
  before.node('other', { ...KEPT, user: 'v', password: 'p', will: { topic: 's', payload: 'x' } }, subscribe(1, 'b/#', 1));
  const world = World.quiet({ topic: [], store: { durability: 'flash' }, listener: { users: [] } }, {
    openStorage: (_store, arena) => Object.assign(new SimulatedFlash(arena, medium, { failsAt: 0, failing: 'write' }),
      { isReadOnly: true, remark: 'may only be read' }),
  });
  expect(world.gateway.nodes.knownCount).toBe(0);
});

it('only nodes that wait are asked when something becomes durable', () => {
  const world = start({ medium: new FlashMedium(512, 64) }, { topic: [{ pattern: 'cmd/#', direction: 'in' }] });
  const listener = world.node('two', KEPT, subscribe(1, 'cmd/#', 2));
  const { awaiting } = world.gateway.durable!.messages;
  expect(awaiting.count).toBe(0);
  const idle = world.gateway.nodes.states.find(({ session }) => session !== undefined)!;
  expect(idle).toBeDefined();
  world.node('one').send(publish('cmd/x', 'go', { qos: 2, identifier: 1 }), { cmd: 'pubrel', messageId: 1 });
  world.run(200);
  expect(listener.take().join()).toContain('PUBLISH cmd/x=go q2');
  expect(awaiting.count).toBe(0);
});
