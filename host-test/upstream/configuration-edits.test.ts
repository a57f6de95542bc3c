/** Messages wait in the store, the configuration is edited, the gateway starts again. */
import { expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

type Rule = NonNullable<PartialConfiguration['topic']>[number];

const TOPICS = ['a/1', 'b/1', 'c/1', 'a/2', 'b/2', 'c/2'];

class Edited {
  readonly medium = new FlashMedium(512, 12);
  readonly server = new ServerModel();
  readonly node = new NodeModel('one');

  start(...topic: Rule[]): StoreWorld {
    const world =
      new StoreWorld(this.medium, this.server, [this.node], {},
        { ...TINY, topic: topic.map(rule => ({ direction: 'out', qos: 1, ...rule })) });
    world.connectNode(0);
    return world;
  }

  /** Six messages wait. */
  fill(...topic: Rule[]): StoreWorld {
    const world = this.start(...topic);
    for (const name of TOPICS) {
      world.send(0, [name, name, 1]);
      world.settle();
    }
    expect(this.node.messages.every(({ isDone }) => isDone)).toBe(true);
    return world;
  }

  get arrived(): string[] {
    return this.server.delivered.map(({ topic }) => topic);
  }
}

it.each<[string, Rule[], Rule[], string[]]>([
  ['rules that change places', [{ pattern: 'a/#', remote_prefix: 'x/' }, { pattern: '#', remote_prefix: 'y/' }],
    [{ pattern: '#', remote_prefix: 'y/' }, { pattern: 'a/#', remote_prefix: 'x/' }],
    ['x/a/1', 'y/b/1', 'y/c/1', 'x/a/2', 'y/b/2', 'y/c/2']],
  ['a rule with expiry in front', [{ pattern: '#', remote_prefix: 'y/' }],
    [{ pattern: 'tmp/#', remote_prefix: 'y/', expiry: 1 }, { pattern: '#', remote_prefix: 'y/' }],
      TOPICS.map(name => `y/${name}`)],
  ['an expiry that their rule did not have', [{ pattern: '#', remote_prefix: 'y/' }],
    [{ pattern: '#', remote_prefix: 'y/', expiry: 1 }], TOPICS.map(name => `y/${name}`)],
  ['another prefix', [{ pattern: '#', remote_prefix: 'y/' }], [{ pattern: '#', remote_prefix: 'z/' }],
    TOPICS.map(name => `z/${name}`)],
  ['another QoS', [{ pattern: '#', remote_prefix: 'y/', qos: 1 }], [{ pattern: '#', remote_prefix: 'y/', qos: 0 }],
    TOPICS.map(name => `y/${name}`)],
])('stored messages survive %s', (_name, before, after, expected) => {
  const edited = new Edited();
  edited.fill(...before);
  const world = edited.start(...after);
  world.pass(60);
  world.finish();
  expect(edited.arrived).toEqual(expected);
  expect(world.gateway.bridge.droppedCount).toBe(0);
  expect(world.waitingCount).toBe(0);
});

it('messages without a rule wait, are told of and hold nothing up; a rule that matches again lets them out', () => {
  const edited = new Edited();
  edited.fill({ pattern: '#', remote_prefix: 'y/' });
  const without = edited.start({ pattern: 'b/#', remote_prefix: 'z/' });
  expect(without.events).toContain(Event.STORE_ORPHANS);
  expect(without.gateway.durableStore!.backlog.orphanCount).toBe(4);
  without.connectUpstream();
  without.send(0, ['b/3', 'b/3', 1]);
  without.settle();
  expect(edited.arrived).toEqual(['z/b/1', 'z/b/2', 'z/b/3']);
  expect(without.waitingCount).toBe(0);
  const again = edited.start({ pattern: '#', remote_prefix: 'y/' });
  again.finish();
  expect(edited.arrived.slice(3)).toEqual(['y/a/1', 'y/c/1', 'y/a/2', 'y/c/2']);
  expect(again.gateway.bridge.droppedCount).toBe(0);
});

it('messages without a rule are given up by their age, counted and told of', () => {
  const edited = new Edited();
  edited.fill({ pattern: '#', remote_prefix: 'y/', expiry: 10 });
  const without = edited.start({ pattern: 'other', remote_prefix: 'z/' });
  without.pass(11);
  without.send(0, ['other', 'x', 1]); // the log is looked through when something of it is sent
  without.finish();
  expect(without.gateway.bridge.droppedCount).toBe(6);
  expect(without.gateway.durableStore!.backlog.orphanCount).toBe(0);
  expect(without.events).toContain(Event.MESSAGE_LOST);
});

it('messages without a rule make room, even for a rule that gives nothing up', () => {
  const edited = new Edited();
  for (let round = 0; round < 4; ++round)
    edited.fill({ pattern: '#', remote_prefix: 'y/' });
  const world = edited.start({ pattern: 'other/#', remote_prefix: 'z/', full: 'drop_newest' });
  const { backlog } = world.gateway.durableStore!;
  expect(backlog.orphanCount).toBe(24);
  let sent = 0;
  for (; backlog.orphanCount > 12 && sent < 200; ++sent) { // a block that holds others too stays
    world.send(0, ['other/1', `${sent}`, 1]);
    world.settle();
  }
  expect(sent).toBeLessThan(200);
  expect(world.gateway.bridge.outbound.rules[0]!.refused).toBe(0);
  world.finish();
  expect(edited.node.messages.every(({ isDone }) => isDone)).toBe(true);
  expect(edited.server.delivered.map(({ payload }) => payload)).toEqual(Array.from({ length: sent },
    (_value, number) => `${number}`));
});

it('a message that is too old is given up for its own rule, wherever that stands now', () => {
  const edited = new Edited();
  edited.fill({ pattern: 'a/#', remote_prefix: 'x/', expiry: 10 }, { pattern: '#', remote_prefix: 'y/' });
  const world =
    edited.start({ pattern: '#', remote_prefix: 'y/' }, { pattern: 'a/#', remote_prefix: 'x/', expiry: 10 });
  world.pass(11);
  world.finish();
  expect(edited.arrived).toEqual(['y/b/1', 'y/c/1', 'y/b/2', 'y/c/2']);
  expect(world.gateway.bridge.outbound.rules.map(({ dropped }) => dropped)).toEqual([0, 2]);
});
