/**
 * A gateway that was killed, and kept its messages in memory only, gives out its identifiers anew, while the Server
 * still remembers some of QoS 2 that were never released. A new message must not be taken for one of those.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

const IN_MEMORY: PartialConfiguration = { ...TINY, store: { ...TINY.store, durability: 'ram' } };
const NOT_STORED: PartialConfiguration = { ...TINY, topic: [{ ...TINY.topic![0]!, store: false }] };

const start =
  (server: ServerModel, configuration: PartialConfiguration, medium = new FlashMedium(512, 9)): [StoreWorld,
    NodeModel] => {
  const node = new NodeModel('one');
  const world = new StoreWorld(medium, server, [node], {}, configuration);
  world.connectNode(0);
  return [world, node];
};

/** A life in which PUBREC for `count` messages has come from the Server, and nothing was released. */
function die(server: ServerModel, configuration: PartialConfiguration, count: number, medium?: FlashMedium): void {
  const [world] = start(server, configuration, medium);
  world.connectUpstream();
  server.isMute = true;
  for (let number = 0; number < count; ++number)
    world.send(0, ['t', `old ${number}`, 2]);
  world.settle();
  server.isMute = false;
}

describe.each([
  ['with messages in memory', IN_MEMORY], ['with a rule that does not store', NOT_STORED],
    ['with a store that is another one', TINY],
])('after a crash %s', (_name, configuration) => {
  it('every new message is delivered, and so are those that the Server held', () => {
    const server = new ServerModel();
    die(server, configuration, 3);
    expect(server.unreleasedCount).toBe(3);
    const [world] = start(server, configuration);
    world.connectUpstream();
    for (let number = 0; number < 8; ++number) {
      world.send(0, ['t', `new ${number}`, 2]);
      world.settle();
    }
    const payloads = server.delivered.map(({ payload }) => payload);
    expect(payloads.filter(payload => payload.startsWith('new'))).toEqual(Array.from({ length: 8 },
      (_value, number) => `new ${number}`));
    expect(server.pubrelCount, 'PUBREL for nothing but the new ones').toBe(8);
    expect(world.waitingCount).toBe(0);
  });

  it('a message that a connection of this life has lost is still delivered once', () => {
    const server = new ServerModel();
    die(server, configuration, 3);
    const [world] = start(server, configuration);
    for (let number = 0; number < 6; ++number) {
      world.connectUpstream();
      server.isMute = number % 2 === 0; // takes it, and its answer is lost
      world.send(0, ['t', `new ${number}`, 2]);
      world.settle();
      world.cutUpstream();
    }
    server.isMute = false;
    world.finish();
    expect(server.delivered.filter(({ payload }) => payload.startsWith('new')).map(({ payload }) => payload)).toEqual(
      Array.from({ length: 6 }, (_value, number) => `new ${number}`));
  });
});

it('nothing is released beforehand when the Server does not know us, or the store knows what was under way', () => {
  const server = new ServerModel();
  const medium = new FlashMedium(512, 9);
  die(server, TINY, 3, medium);
  const [world] = start(server, TINY, medium);
  world.finish();
  world.send(0, ['t', 'new', 2]);
  world.settle();
  expect(server.delivered.map(({ payload }) => payload)).toEqual(['old 0', 'old 1', 'old 2', 'new']);
  expect(server.pubrelCount).toBe(4);
  const another = new ServerModel();
  const [stranger] = start(another, IN_MEMORY);
  stranger.connectUpstream();
  stranger.send(0, ['t', 'new', 2]);
  stranger.settle();
  expect(another.pubrelCount).toBe(1);
});
