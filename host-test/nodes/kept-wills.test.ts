/**
 * With durability "flash" the Will of a node is promised by CONNACK 0, as its session is: it is published even if the
 * gateway loses its power as well. Where it cannot be kept the node gets CONNACK 3, and the log says why.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { type ConnectOptions, publish } from '../world/packets.ts';
import { World } from '../world/world.ts';

const WILL = { topic: 'status/n', payload: 'offline', qos: 1, retain: true };
const NODES: [name: string, options: ConnectOptions][] = [
  ['with a clean session', { will: WILL }], ['whose session is kept', { will: WILL, clean: false }],
];

type Policy = 'refuse' | 'memory';

const of = (on_failure: Policy): PartialConfiguration =>
  ({ topic: [{}], store: { durability: 'flash', on_failure }, listener: { max_connections: 8 } });

/** There is no storage. */
const without = (on_failure: Policy): World =>
  World.quiet(of(on_failure), { openStorage: () => { throw new Error('cannot be opened'); } });

interface Breaking { world: World; fail: () => void }

/** A storage that fails whenever the test says so. */
function breaking(on_failure: Policy, failing: 'write' | 'all'): Breaking {
  const flashes: SimulatedFlash[] = [];
  const world = World.quiet(of(on_failure), {
    openStorage: (_store, arena) => {
      if (flashes.length > 0)
        throw new Error('still broken');
      flashes.push(new SimulatedFlash(arena, new FlashMedium(4096, 16), { failing }));
      return flashes[0]!;
    },
  });
  return { world, fail: () => { (flashes[0] as unknown as { failsAt: number }).failsAt = 0; } };
}

describe.each(NODES)('a node with a Will, %s,', (_name, options) => {
  it('gets CONNACK 3 while there is no storage, by name', () => {
    const world = without('refuse');
    expect(world.connect('n', options)[1]).toEqual(['CONNACK 3', 'closed']);
    expect(world.eventTexts.at(-1))
      .toMatch(/^node "n" refused: server unavailable, the storage of the store does not work/);
  });

  it('is let in while there is no storage, when all may be kept in memory', () => {
    const world = without('memory');
    expect(world.connect('n', options)[1]).toEqual(['CONNACK 0']);
  });

  it.each(['write', 'all'] as const)('gets CONNACK 3 when the storage fails at it (%s)', failing => {
    const { fail, world } = breaking('refuse', failing);
    fail();
    expect(world.connect('n', options)[1]).toEqual(['CONNACK 3', 'closed']);
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
  });

  it('gets CONNACK 3 when the storage has failed before', () => {
    const { fail, world } = breaking('refuse', 'write');
    fail();
    world.node('other').send(publish('a', 'x', { qos: 1, identifier: 1 }));
    expect(world.gateway.durableStore!.backlog.store.isWorking).toBe(false);
    expect(world.connect('n', options)[1]).toEqual(['CONNACK 3', 'closed']);
  });
});

it('a node without a Will, and without a session that is kept, needs no storage', () => {
  expect(without('refuse').connect('n')[1]).toEqual(['CONNACK 0']);
  const { fail, world } = breaking('refuse', 'write');
  fail();
  expect(world.connect('n')[1]).toEqual(['CONNACK 0']);
});

it('a node with a Will for which the store has no room gets CONNACK 3, and the log names the limit', () => {
  const listener = { max_connections: 60, max_sessions: 60, max_will_size: 1500 };
  const world = World.quiet({ listener, store: { durability: 'flash' } },
    { openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(4096, 12)) });
  const will = { ...WILL, payload: 'x'.repeat(800) };
  let answer: string[] = [];
  for (let at = 0; answer.length < 2 && at < 50; ++at)
    answer = world.connect(`n${at}`, { will })[1];
  expect(answer).toEqual(['CONNACK 3', 'closed']);
  expect(world.eventTexts.at(-1)).toContain('no room in the store (store.size)');
});
