/** What is stored on its way upstream: under which topic it is sent, and when that it was delivered is durable. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

it('a mark that nobody waits for is durable a second later', () => {
  const server = new ServerModel();
  const medium = new FlashMedium(512, 12);
  const node = new NodeModel('one');
  const world = new StoreWorld(medium, server, [node], { isCached: true });
  world.connectUpstream();
  world.connectNode(0);
  world.send(0, ['t', 'delivered', 1]);
  world.settle();
  world.takeReading('t', 'delivered too');
  world.settle();
  expect(server.delivered.map(({ payload }) => payload)).toEqual(['delivered', 'delivered too']);
  const { flash } = world;
  const { flushCount } = flash;
  world.wait(1100);
  expect(flash.flushCount).toBe(flushCount + 1);
  world.wait(5000);
  expect(flash.flushCount, 'and nothing more').toBe(flushCount + 1);
  // The power fails: what is on the disk is all there is.
  expect(new StoreWorld(medium, server, [new NodeModel('one')], { isCached: true }).waitingCount).toBe(0);
});

describe('a message of a topic that is too long for the topic table', () => {
  const LONG = 'a/topic/that/has/more/than/thirty-two/bytes';

  it('keeps its topic when it is stored though others are given up for it', () => {
    const server = new ServerModel();
    const node = new NodeModel('one');
    const world =
      new StoreWorld(new FlashMedium(512, 6), server, [node], {},
        { ...TINY, store: { ...TINY.store, ram: 4000 }, upstream: { ...TINY.upstream, max_inflight_messages: 100 } });
    world.connectNode(0);
    for (let number = 0; number < 30; ++number)
      world.send(0, [`${LONG}/${number % 3}`, `${number}`, 1]);
    world.settle();
    expect(world.gateway.bridge.droppedCount).toBeGreaterThan(5);
    world.finish();
    expect(server.delivered.length).toBeGreaterThan(5);
    for (const { payload, topic } of server.delivered)
      expect(topic).toBe(`up/${LONG}/${Number(payload) % 3}`);
  });

  it('keeps its topic when others that wait in a failed storage come first', () => {
    const server = new ServerModel();
    const medium = new FlashMedium(512, 16);
    const configuration = { ...TINY, store: { ...TINY.store, ram: 1200 }, memory: { topics: 8, topic_length: 8 } };
    const first = new StoreWorld(medium, server, [], {}, configuration);
    first.takeReading('wind/north', '0');
    first.takeReading('air/south/and/east', '1');
    first.settle();
    const world = new StoreWorld(medium, server, [], { failsAt: 0, failing: 'write' }, configuration);
    world.takeReading('wind/north', '2');
    world.finish();
    expect(server.delivered.map(({ payload, topic }) => `${topic} ${payload}`)).toEqual(['up/wind/north 0',
      'up/air/south/and/east 1', 'up/wind/north 2']);
  });
});

it('after a power cut that has torn the identifier of a message nothing newer of its topic goes first', () => {
  const medium = new FlashMedium(512, 12);
  const server = new ServerModel();
  const node = new NodeModel('one');
  const configuration: PartialConfiguration = { ...TINY, topic: [{ pattern: '#', direction: 'out', qos: 1 }] };
  const world = new StoreWorld(medium, server, [node], {}, configuration);
  world.connectNode(0);
  for (const payload of ['older', 'newer'])
    world.send(0, ['t', payload, 1]);
  world.settle();
  const { queue } = world.gateway.durableStore!.backlog.store;
  const position = queue.first();
  const sent: string[] = [];
  world.onSend = (isUpstream, packet) => isUpstream && sent.push(packet.toString('latin1'));
  world.openUpstream();
  world.exchange(1); // CONNECT; what follows it does not arrive
  expect(sent.filter(packet => /older|newer/.test(packet))).toHaveLength(2);
  medium.bytes.fill(0xFF, position + 20, position + 24);
  new StoreWorld(medium, server, [node], {}, configuration).finish(false);
  expect(server.delivered.map(({ payload }) => payload)).toEqual(['older', 'newer']);
});
