/**
 * The upstream side of the gateway with its messages in memory: what goes out, what is kept, what is given up for
 * what.
 */
import { describe, expect, it } from 'vitest';
import { ArenaPlan } from '../../src/bytes/arena.ts';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { RepeatedMessage } from '../../src/packet/packet.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

type Rule = Partial<NonNullable<PartialConfiguration['topic']>[number]>;

class Stage {
  readonly server = new ServerModel();
  readonly node = new NodeModel('one');
  readonly world: StoreWorld;

  constructor(rules: Rule[], store: PartialConfiguration['store'] = {}) {
    const configuration =
      { ...TINY, topic: rules.map(rule => ({ qos: 2, remote_prefix: 'up/', ...rule })),
        store: { ram: 400, durability: 'ram' as const, ...store } };
    this.world = new StoreWorld(new FlashMedium(512, 24), this.server, [this.node], {}, configuration);
    this.world.connectNode(0);
  }

  /** @param messages `topic=payload` */
  send(qos: number, ...messages: string[]): this {
    for (const message of messages) {
      const [topic = '', payload = ''] = message.split('=');
      this.world.send(0, [topic, payload, qos]);
      this.world.settle();
    }
    return this;
  }

  get arrived(): string[] {
    return this.server.delivered.map(({ payload, topic }) => `${topic}=${payload}`);
  }

  rule(index: number): { dropped: number; refused: number; forwarded: number } {
    const { dropped, forwarded, refused } = this.world.gateway.bridge.outbound.rules[index]!;
    return { dropped, forwarded, refused };
  }
}

const numbered = (topic: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_value, index) => `${topic}=${`${from + index}`.padStart(2, '0')}`);

describe('a rule', () => {
  it('names the message anew, and lowers its QoS, but never raises it', () => {
    const stage =
      new Stage([{ pattern: 'low/#', qos: 0 }, { pattern: 'mid/#', qos: 1, remote_prefix: '' },
        { pattern: '#', local_prefix: 'lo/', remote_prefix: 'far/' }]);
    stage.world.connectUpstream();
    for (const qos of [0, 1, 2])
      stage.send(qos, `low/a=${qos}`, `mid/a=${qos}`, `lo/a=${qos}`, `other=${qos}`);
    expect(stage.server.delivered.map(({ payload, qos, topic }) => `${topic}=${payload} q${qos}`)).toEqual([
      'up/low/a=0 q0', 'mid/a=0 q0', 'far/a=0 q0', 'up/low/a=1 q0', 'mid/a=1 q1', 'far/a=1 q1', 'up/low/a=2 q0',
        'mid/a=2 q1', 'far/a=2 q2',
    ]);
    expect([0, 1, 2].map(index => stage.rule(index).forwarded)).toEqual([3, 3, 3]);
  });
});

it('a name that a rule would make longer than 65,535 bytes, which is all that MQTT allows, stays here', () => {
  const plan = new ArenaPlan();
  const name = plan.reserve('a name', 65_500);
  const gateway =
    new Gateway(completeConfiguration({ ...TINY, upstream: { max_packet_size: 70_000 },
      topic: [{ pattern: '#', direction: 'out', remote_prefix: 'p'.repeat(36) }], store: { ram: 140_000 } }), {
    authenticator: { authenticate: () => ReasonCode.SUCCESS }, observer: { onEvent() { /* not looked at */ } },
      landingCapacity: 4096, plan, resizable: false,
  });
  gateway.arena.bytes.fill(0x74, name, name + 65_500);
  const message = new RepeatedMessage();
  message.qos = 1;
  for (const length of [65_499, 65_500]) {
    message.rename(name, length);
    expect(gateway.publish(message)).toBe(true);
    expect(gateway.upstream.sessionState!.queue.count).toBe(1);
  }
});

describe('when memory is full', () => {
  it('drop_oldest gives up the oldest, and counts it for the rule that it came by; one event for each time that the Server is away', () => {
    const stage = new Stage([{ pattern: 'a/#', full: 'drop_oldest' }, { pattern: 'b/#', full: 'drop_oldest' }]);
    stage.send(1, ...numbered('a/t', 0, 4), ...numbered('b/t', 0, 20));
    expect(stage.rule(0)).toEqual({ dropped: 4, forwarded: 4, refused: 0 });
    const { dropped } = stage.rule(1);
    expect(dropped).toBeGreaterThan(5);
    expect(stage.world.gateway.bridge.droppedCount).toBe(4 + dropped);
    const fullCount = (): number => stage.world.events.filter(event => event === Event.STORE_FULL).length;
    expect(fullCount()).toBe(1);
    stage.world.finish();
    expect(stage.arrived).toEqual(numbered('up/b/t', dropped, 20));
    stage.world.cutUpstream();
    stage.send(1, ...numbered('b/t', 20, 50));
    expect(fullCount()).toBe(2);
  });

  it('the rule of the new message decides: drop_newest makes no room, drop_oldest makes it at the expense of any',
    () => {
    const stage = new Stage([{ pattern: 'firm/#', full: 'drop_newest' }, { pattern: 'pushy/#', full: 'drop_oldest' }]);
    stage.send(0, ...numbered('firm/t', 0, 30));
    const { dropped } = stage.rule(0);
    expect(dropped).toBeGreaterThan(10);
    const kept = 30 - dropped;
    stage.send(0, 'pushy/t=x', 'firm/t=never', 'pushy/t=y');
    expect(stage.rule(1).dropped).toBe(0);
    stage.world.finish();
    expect(stage.arrived.at(-2)).toBe('up/pushy/t=x');
    expect(stage.arrived.at(-1)).toBe('up/pushy/t=y');
    const lost = stage.rule(0).dropped - dropped - 1; // given up for the pushy ones
    expect(lost).toBeGreaterThan(0);
    expect(stage.arrived.slice(0, -2)).toEqual(numbered('up/firm/t', lost, kept));
  });

  it('latest_per_topic keeps the last message of each topic, with the time at which it was taken', () => {
    const stage = new Stage([{ full: 'latest_per_topic', expiry: 100 }]);
    stage.send(1, 'quiet/1=q1', 'quiet/2=q2');
    stage.world.pass(60);
    stage.send(1, ...numbered('loud', 0, 30));
    stage.world.finish();
    expect(stage.arrived.filter(message => message.startsWith('up/quiet')).sort()).toEqual(['up/quiet/1=q1',
      'up/quiet/2=q2']);
    const loud = stage.arrived.filter(message => message.startsWith('up/loud'));
    expect(loud).toEqual(numbered('up/loud', 30 - loud.length, 30));
    expect(stage.rule(0).dropped).toBe(32 - stage.arrived.length);

    const late = new Stage([{ full: 'latest_per_topic', expiry: 100 }]);
    late.send(1, 'quiet/1=q1');
    late.world.pass(60);
    late.send(1, ...numbered('loud', 0, 30));
    late.world.pass(60); // too old by now, however often it was moved
    late.world.finish();
    expect(late.arrived.some(message => message.startsWith('up/quiet'))).toBe(false);
    expect(late.world.gateway.bridge.policies[0]!.expired).toBe(1);
  });

  it('what is under way on a live connection is not given up: the node waits', () => {
    const stage = new Stage([{ full: 'drop_oldest' }]);
    stage.world.connectUpstream();
    stage.server.isMute = true; // takes messages and says nothing
    stage.send(1, ...numbered('t', 0, 30));
    const taken = stage.node.messages.filter(({ isDone }) => isDone).length;
    expect(taken).toBeGreaterThan(2);
    expect(taken).toBeLessThan(30);
    expect(stage.rule(0)).toMatchObject({ dropped: 0, refused: 0 });
    stage.server.isMute = false;
    stage.world.cutUpstream();
    for (let turn = 0; turn < 20 && !stage.node.messages.every(({ isDone }) => isDone); ++turn) {
      stage.world.finish();
      stage.world.wait(1100);
    }
    expect([...new Set(stage.arrived)]).toEqual(numbered('up/t', 0, 30));
  });

  it('a flood of QoS 0 behind messages under way waits, and nothing of it is given up', () => {
    const stage = new Stage([{ full: 'drop_oldest' }]);
    stage.world.connectUpstream();
    stage.server.isMute = true;
    stage.send(1, 'calm=1');
    stage.send(0, ...numbered('flood', 0, 30));
    stage.send(1, 'calm=2');
    stage.send(0, ...numbered('flood', 30, 60));
    expect(stage.rule(0)).toMatchObject({ dropped: 0, refused: 0 });
    stage.server.isMute = false;
    stage.world.cutUpstream();
    stage.world.finish();
    stage.world.wait(1000);
    const expected = ['up/calm=1', ...numbered('up/flood', 0, 30), 'up/calm=2', ...numbered('up/flood', 30, 60)];
    expect([...new Set(stage.arrived)].sort()).toEqual(expected.sort());
  });
});

describe('what waits in memory', () => {
  it('is given up when it is older than its rule allows, and only then', () => {
    const stage =
      new Stage([{ pattern: 'short/#', expiry: 10 }, { pattern: 'long/#', expiry: 100 }, { pattern: 'ever/#' }]);
    stage.send(1, 'short/t=1', 'long/t=1', 'ever/t=1');
    stage.world.pass(50);
    stage.send(1, 'short/t=2');
    stage.world.pass(10);
    stage.world.finish();
    expect(stage.arrived).toEqual(['up/long/t=1', 'up/ever/t=1', 'up/short/t=2']);
    expect(stage.world.gateway.bridge.policies.map(({ expired }) => expired)).toEqual([1, 0, 0]);
    expect(stage.rule(0).dropped).toBe(1);
  });

  it('is not made older by a calendar that is set, nor younger', () => {
    const stage = new Stage([{ expiry: 10 }]);
    stage.world.seconds = 0;
    stage.send(1, 'fresh=1');
    stage.world.seconds = 1_800_000_000;
    stage.world.finish();
    expect(stage.arrived).toEqual(['up/fresh=1']);
    stage.world.cutUpstream();
    stage.send(1, 'old=1');
    stage.world.seconds -= 7200;
    stage.world.pass(11);
    stage.world.finish();
    expect(stage.arrived).toEqual(['up/fresh=1']);
  });

  it('keeps RETAIN, deletions too', () => {
    const stage = new Stage([{ qos: 1 }]);
    stage.world.send(0, ['lamp', 'on', 1, true], ['lamp', '', 1, true]);
    stage.world.finish();
    expect(stage.server.delivered.map(({ payload, retain }) => `${payload} ${retain}`)).toEqual(['on true', ' true']);
  });
});

describe.each(['ram', 'flash'] as const)('the replay of what waited (%s)', durability => {
  const RATE = 20;
  const WAITING = 60;

  const replaying = (): Stage => {
    const stage =
      new Stage([{ pattern: 'old/#', qos: 1 }, { pattern: 'live/#', qos: 0 }],
        { ram: 4000, durability, replay_rate: RATE });
    stage.send(1, ...numbered('old', 0, WAITING));
    expect(stage.rule(0).dropped).toBe(0);
    stage.world.connectUpstream();
    return stage;
  };

  it('is paced, and keeps its order', () => {
    const stage = replaying();
    const counts = [stage.arrived.length];
    for (let second = 0; second < 5; ++second) {
      stage.world.wait(1000);
      counts.push(stage.arrived.length);
    }
    counts.slice(1).forEach((count, second) => {
      const gained = count - counts[second]!;
      expect(gained).toBeLessThanOrEqual(RATE + 2);
      if (count < WAITING)
        expect(gained).toBeGreaterThan(RATE * 0.7); // time passes in steps here
    });
    expect(stage.arrived).toEqual(numbered('up/old', 0, WAITING));
  });

  it('does not make live messages wait, and they do not make it wait', () => {
    const stage = replaying();
    for (let number = 0; number < 30; ++number) {
      const before = stage.arrived.length;
      stage.send(0, `live=${number}`);
      expect(stage.arrived.slice(before)).toContain(`up/live=${number}`);
      stage.world.wait(100);
    }
    stage.world.wait(2000);
    expect(stage.arrived.filter(message => message.startsWith('up/old'))).toEqual(numbered('up/old', 0, WAITING));
  });

  it('leaves room in the connection for what is live', () => {
    const stage = new Stage([{ qos: 1 }], { ram: 4000, durability });
    stage.send(1, ...numbered('old', 0, 10));
    let count = 0;
    stage.world.onSend = (isUpstream, packet) => { count += isUpstream && packet[0]! >> 4 === 3 ? 1 : 0; };
    stage.world.upstreamRoom = stage.world.gateway.upstream.replayReserve + 10;
    stage.world.openUpstream();
    stage.world.exchange(1); // CONNECT, CONNACK
    expect(count).toBe(1); // the next one when that is acknowledged
    stage.world.settle();
    expect(stage.arrived).toEqual(numbered('up/old', 0, 10));
  });

  it('is over when everything that waited has gone: what is new goes at once, whatever its QoS', () => {
    const stage = replaying();
    stage.world.wait(5000);
    for (let number = WAITING; number < WAITING + 3 * RATE; ++number)
      stage.send(1, `old=${number}`);
    expect(stage.arrived).toEqual(numbered('up/old', 0, WAITING + 3 * RATE));
  });
});
