/**
 * A command of the broker that waits for its node for longer than `expiry` of its rule of direction "in" allows is
 * given up: counted for the rule, said in the log, and not delivered when the node comes back.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import { withReloadRoom } from '../../src/config/reload-room.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { planReload, reloadRuntime } from '../../src/io/reload.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { DISCONNECT, publish, subscribe } from '../world/packets.ts';
import { SERVER, World, type WorldOptions } from '../world/world.ts';

type Durability = 'ram' | 'flash';
const EXPIRY = 60;
const KEPT = { clean: false };
const RULES: NonNullable<PartialConfiguration['topic']> = [
  { pattern: 'valve/#', direction: 'in', qos: 2, expiry: EXPIRY },
  { pattern: 'state/#', direction: 'in', qos: 2 },
  { pattern: 'both/#', direction: 'both', qos: 2, expiry: EXPIRY },
];

class Site {
  readonly medium = new FlashMedium(4096, 12);
  world!: World;
  /** Seconds since 1970 at the beginning of a life. */
  date = 1_800_000_000;
  private readonly durability: Durability;
  private identifier = 0;

  constructor(durability: Durability, topic = RULES) {
    this.durability = durability;
    this.start(topic);
    this.world.node('valve', KEPT, subscribe(1, '#', 2), DISCONNECT);
    this.world.run(1000);
  }

  start(topic = RULES): void {
    this.world?.cutPower();
    const options: WorldOptions = {
      configuration: { topic, store: { durability: this.durability }, listener: { max_inflight_messages: 1 } },
      openStorage: (_store, arena) => new SimulatedFlash(arena, this.medium),
      date: () => this.date + Math.floor(this.world.clock.now / 1000),
    };
    this.world = World.connected(options);
  }

  command(topic: string, payload: string, qos = 1): void {
    this.world.uplink.post(publish(topic, payload, { qos, identifier: ++this.identifier }));
    this.world.run(20);
    if (qos === 2)
      this.world.uplink.post({ cmd: 'pubrel', messageId: this.identifier });
    this.world.run(20);
  }

  wait(seconds: number): void {
    this.world.run(seconds * 1000);
  }

  droppedBy(pattern: string): number {
    const { clock, runtime: { gateway, sensors, upstream } } = this.world;
    return statusOf({ gateway, sensors, upstream }, clock.now).rules.find(one =>
      one.pattern === pattern && one.direction === 'in')!.dropped;
  }

  get lines(): string[] {
    return this.world.eventTexts.filter(text => text.includes('waited longer'));
  }

  /** What the node gets when it comes back. */
  come(): string[] {
    const node = this.world.client('valve', KEPT);
    this.world.run(1000);
    return node.messages;
  }
}

describe.each(['ram', 'flash'] as const)('a command for a node that is away, with durability "%s",', durability => {
  it.each([1, 2])('is given up when it has waited longer than its rule allows, with QoS %d', qos => {
    const site = new Site(durability);
    site.command('valve/a', 'open', qos);
    site.wait(EXPIRY + 3);
    expect(site.droppedBy('valve/#')).toBe(1);
    expect(site.world.gateway.delivery.droppedCount).toBe(1);
    expect(site.lines).toEqual(['gave up a message for node "valve": it had waited longer than the expiry of topic rule '
      + '"valve/#" (in) allows; 1 dropped so far']);
    expect(site.come()).toEqual([]);
    expect(site.world.gateway.durableStore?.backlog.store.queue.pendingCount ?? 0).toBe(0);
  });

  it('arrives if the node comes in time', () => {
    const site = new Site(durability);
    site.command('valve/a', 'open');
    site.wait(EXPIRY - 3);
    expect(site.come()).toEqual(['valve/a open']);
    site.wait(EXPIRY);
    expect([site.droppedBy('valve/#'), site.lines]).toEqual([0, []]);
  });

  it('is judged by its own age and rule, in the middle of others', () => {
    const site = new Site(durability);
    site.command('state/a', '1');
    site.command('valve/a', '2');
    site.command('state/a', '3', 2);
    site.command('both/a', '4', 2);
    site.wait(30);
    site.command('valve/a', '5');
    site.world.node('other').send(publish('local', '6', { qos: 1, identifier: 1 }), DISCONNECT);
    site.wait(EXPIRY - 30 + 3);
    expect([site.droppedBy('valve/#'), site.droppedBy('both/#'), site.droppedBy('state/#')]).toEqual([1, 1, 0]);
    site.wait(30);
    expect(site.droppedBy('valve/#')).toBe(2);
    site.command('valve/a', '7');
    expect(site.come()).toEqual(['state/a 1', 'state/a 3', 'local 6', 'valve/a 7']);
    expect(site.lines).toHaveLength(3); // once, as long as it is the same rule and node
  });

  it('leaves its room to others', () => {
    const site = new Site(durability);
    for (let round = 0; round < 5; ++round) {
      for (let number = 0; number < 15; ++number)
        site.command('valve/a', `${round}/${number}`.padEnd(20, '.'));
      site.wait(EXPIRY + 3);
    }
    expect(site.droppedBy('valve/#')).toBe(75);
    for (let number = 0; number < 15; ++number)
      site.command('state/a', `${number}`.padEnd(20, '.'));
    expect(site.come()).toHaveLength(15);
  });

  it('is given up beside one that is under way, to a node that is here and acknowledges nothing', () => {
    const site = new Site(durability);
    const node = site.world.node('valve', KEPT);
    site.command('valve/a', 'first');
    site.command('valve/a', 'second');
    expect(node.take().join()).toMatch(/^PUBLISH valve\/a=first/);
    site.wait(EXPIRY + 3);
    expect(site.droppedBy('valve/#')).toBe(1);
    node.vanish();
    expect(site.come()).toEqual(['valve/a first']); // it may have it: it is repeated
  });
});

describe('a command in the store', () => {
  it('is as old after a power cut as the time off tells', () => {
    const site = new Site('flash');
    site.wait(700); // the calendar is noted
    site.command('valve/a', '1');
    site.command('state/a', '2');
    site.wait(30);
    site.date += 20;
    site.start();
    site.command('valve/a', '3');
    expect(site.droppedBy('valve/#')).toBe(0);
    site.wait(15);
    expect([site.droppedBy('valve/#'), site.lines.length]).toEqual([1, 1]);
    site.date += EXPIRY + 5;
    site.start(); // what was too old then is given up at once
    expect([site.droppedBy('valve/#'), site.lines.length]).toEqual([1, 1]);
    expect(site.come()).toEqual(['state/a 2']);
    site.start();
    expect(site.come()).toEqual([]);
  });

  it('becomes no older by an edit: of what its rule said and says the longer time counts', () => {
    const site = new Site('flash');
    site.command('valve/a', '1');
    site.command('both/a', '2');
    const other = (expiry: number) => RULES.map(rule => rule.pattern === 'valve/#' ? { ...rule, expiry } : rule);
    site.start(other(10));
    site.wait(EXPIRY - 10);
    expect(site.droppedBy('valve/#')).toBe(0);
    site.start(other(200));
    site.wait(100);
    expect([site.droppedBy('valve/#'), site.droppedBy('both/#')]).toEqual([0, 1]);
    site.wait(100);
    expect(site.droppedBy('valve/#')).toBe(1);
  });

  it('waits for ever when its rule says so today, and is given up by what it said when it is gone', () => {
    const site = new Site('flash');
    site.command('valve/a', '1');
    site.command('both/a', '2');
    site.start([{ pattern: 'valve/#', direction: 'in', qos: 2 }, { pattern: 'x', direction: 'in', expiry: 5 }]);
    site.wait(3 * EXPIRY);
    expect(site.lines).toEqual(['gave up a message for node "valve": it had waited longer than the expiry of its topic '
      + 'rule allowed']);
    expect(site.come()).toEqual(['valve/a 1']);
  });
});

it('a rule gets its expiry while the gateway runs', () => {
  const before: PartialConfiguration = {
    upstream: { address: [`mqtt://${SERVER}`] }, listener: { allow_anonymous: true },
    topic: [{ pattern: '#', direction: 'in', qos: 1 }],
  };
  const layout = withReloadRoom(completeConfiguration(before));
  const world = World.connected({ configuration: before, layout });
  world.node('valve', KEPT, subscribe(1, '#', 1), DISCONNECT);
  const command = (payload: string, identifier: number): void => {
    world.uplink.post(publish('a', payload, { qos: 1, identifier }));
    world.run(100);
  };
  command('1', 1);
  const { topic } = completeConfiguration({ topic: [{ ...before.topic![0], expiry: EXPIRY }] });
  const { configuration } = world.gateway;
  const plan = planReload(configuration, layout, { ...configuration, topic });
  expect(plan.refusals).toEqual([]);
  reloadRuntime(world.runtime, plan, { authenticator: undefined, changedPasswords: new Set() });
  world.run(1000);
  command('2', 2);
  world.run((EXPIRY + 3) * 1000);
  expect(world.gateway.bridge.inbound.rules[0]!.dropped).toBe(1);
  const node = world.client('valve', KEPT);
  world.run(1000);
  expect(node.messages).toEqual(['a 1']);
});
