/** Servers that are not what they claim: each is named once, with the key to set, and nothing is repeated for ever. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { statusOf } from '../../src/gateway/status.ts';
import { publish } from '../world/packets.ts';
import { accept, oblige, type Peer, World } from '../world/world.ts';

type Packet = Parameters<NonNullable<World['server']>>[1];

/** @param answer what the Server does with a packet instead; true: it has */
function start(answer: (peer: Peer, packet: Packet) => boolean, more: PartialConfiguration = {}): World {
  return World.connected({
    configuration: {
      topic: [{ pattern: 'two/#', direction: 'out', qos: 2 }, { pattern: '#', direction: 'out', qos: 1 }],
      ...more,
      upstream: { restart_timeout: [1, 2], acknowledgement_timeout: 5, ...more.upstream },
    },
    server: (peer, packet) => {
      if (!answer(peer, packet))
        oblige(peer, packet);
    },
  });
}

/** Topics that have arrived, with their QoS, as often as they have. */
const sent = ({ uplinks }: World): string[] =>
  uplinks.flatMap(peer => peer.all('publish').map(({ qos, topic }) => `${topic} q${qos}`));

const told = (world: World, text: string): number => world.eventTexts.filter(line => line.includes(text)).length;

/** A message every ten seconds. */
function talk(world: World, topics: readonly string[]): void {
  const node = world.node('n');
  topics.forEach((topic, index) => {
    node.ask(publish(topic, 'x', { qos: topic.startsWith('two') ? 2 : 1, identifier: index + 1 }));
    world.run(10_000);
  });
  world.run(60_000);
}

const waiting = ({ gateway }: World): number => gateway.waiting.pendingCount;

describe('a Server that', () => {
  it('answers QoS 2 with PUBACK has the message, gets the next ones with QoS 1, and QoS 2 again on a new connection '
    + '(deviation from [MQTT311-4.3.3-1] [MQTT311-4.8.0-1] [MQTT5-4.3.3-3])', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.qos !== 2)
        return false;
      peer.post({ cmd: 'puback', messageId: packet.messageId! });
      return true;
    });
    talk(world, ['two/a', 'two/b']);
    world.uplink.close();
    world.run(10_000);
    talk(world, ['two/c']);
    expect([sent(world), waiting(world)]).toEqual([['two/a q2', 'two/b q1', 'two/c q2'], 0]);
    expect(told(world, 'set upstream.max_qos to 1')).toBe(1);
  });

  it('answers QoS 1 with PUBREC has the message (deviation from [MQTT311-4.3.2-1] [MQTT5-4.3.2-3])', () => {
    const world = start((peer, packet) => {
      if (packet.cmd === 'publish' && packet.qos === 1)
        peer.post({ cmd: 'pubrec', messageId: packet.messageId! });
      else if (packet.cmd === 'pubrel')
        peer.post({ cmd: 'pubcomp', messageId: packet.messageId! });
      else
        return false;
      return true;
    });
    talk(world, ['a', 'b']);
    expect([sent(world), waiting(world), world.upstreamEndings]).toEqual([['a q1', 'b q1'], 0, []]);
    expect(told(world, 'answers QoS 1 with PUBREC')).toBe(1);
  });

  it('sends PUBCOMP before PUBREL has the message', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.qos !== 2)
        return false;
      peer.post({ cmd: 'pubcomp', messageId: packet.messageId! });
      return true;
    });
    talk(world, ['two/a', 'two/b']);
    expect([sent(world), waiting(world), world.upstreamEndings]).toEqual([['two/a q2', 'two/b q2'], 0, []]);
    expect(told(world, 'PUBCOMP before PUBREL')).toBe(1);
  });

  it('never answers QoS 2 gets the message with QoS 1 on the third connection, and all later ones', () => {
    const world = start((_peer, packet) => packet.cmd === 'publish' && packet.qos === 2);
    talk(world, ['two/a', 'b', 'c', 'two/d', 'e']);
    expect(waiting(world)).toBe(0);
    expect(sent(world).filter(text => text.startsWith('two/a'))).toEqual(['two/a q2', 'two/a q2', 'two/a q1']);
    expect(sent(world)).toContain('two/d q1');
    expect([told(world, 'never answers messages of QoS 2'), world.gateway.bridge.guard.quarantine.count]).toEqual([1, 0]);
  });

  it('closes on QoS 2 gets the message with QoS 1 when a connection with nothing under way has held', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.qos !== 2)
        return false;
      peer.close();
      return true;
    });
    talk(world, ['two/a', 'b', 'two/c']);
    expect([[...new Set(sent(world))].sort(), waiting(world)]).toEqual([['b q1', 'two/a q1', 'two/a q2', 'two/c q1'], 0]);
    expect(world.upstreamEndings.length).toBe(3);
    expect(told(world, 'set upstream.max_qos to 1')).toBe(1);
  });

  it('closes for one message of QoS 2, with QoS 1 as well, gets all others with QoS 2', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.topic !== 'two/bad')
        return false;
      peer.close();
      return true;
    });
    talk(world, ['two/bad', 'two/a', 'b', 'two/c', 'b', 'two/bad', 'two/d']);
    world.run(120_000);
    const good = sent(world).filter(text => !text.startsWith('two/bad'));
    expect([[...new Set(good)].sort(), waiting(world)]).toEqual([['b q1', 'two/a q2', 'two/c q2', 'two/d q2'], 0]);
    expect(told(world, 'set upstream.max_qos to 1')).toBe(0);
    const { quarantine } = world.gateway.bridge.guard;
    expect([quarantine.count, quarantine.read(0).qos]).toEqual([2, 2]);
  });

  it('closes on QoS 2 gets all that waits with QoS 1 when the first one has got through with that', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.qos !== 2)
        return false;
      peer.close();
      return true;
    });
    const node = world.node('n');
    node.ask(...Array.from({ length: 8 }, (_, index) => publish(`two/${index}`, 'x', { qos: 2, identifier: index + 1 })));
    world.run(60_000);
    expect([new Set(sent(world).filter(text => text.endsWith('q1'))).size, waiting(world)]).toEqual([8, 0]);
    expect([told(world, 'set upstream.max_qos to 1'), world.gateway.bridge.guard.quarantine.count]).toEqual([1, 0]);
  });

  it('never acknowledges one message, but others, has it set aside after three connections', () => {
    const world = start((_peer, packet) => packet.cmd === 'publish' && packet.topic === 'deaf');
    const node = world.node('n');
    for (let index = 0; index < 30; ++index) {
      node.ask(publish(index === 0 ? 'deaf' : `t${index}`, 'x', { qos: 1, identifier: index + 1 }));
      world.run(1000);
    }
    const { gateway, sensors, upstream } = world.runtime;
    expect(statusOf({ gateway, sensors, upstream }, world.clock.now).quarantine.messages
      .map(({ reason, topic }) => [topic, reason])).toEqual([['deaf', 'the broker acknowledges others, but never this message']]);
    expect([waiting(world), world.upstreamEndings.length]).toEqual([0, 3]);
  });

  it('closes for the filter of a rule is not asked for it any more; the other filters and all messages go on', () => {
    const world = start((peer, packet) => {
      if (packet.cmd !== 'subscribe' || packet.subscriptions[0]!.topic !== 'bad/#')
        return false;
      peer.close();
      return true;
    }, { topic: [{ pattern: 'bad/#', direction: 'in', qos: 1 }, { pattern: 'good/#', direction: 'in', qos: 1 },
      { pattern: '#', direction: 'out', qos: 1 }] });
    world.run(60_000);
    expect(world.uplink.all('subscribe').map(({ subscriptions }) => subscriptions[0]!.topic)).toEqual(['good/#']);
    talk(world, ['a']);
    expect([waiting(world), world.detailsOf(Event.FILTER_SET_ASIDE).length]).toEqual([0, 1]);
    expect(told(world, 'does not ask for "bad/#" any more')).toBe(1);
  });

  it('never answers the filter of a rule is not asked for it any more', () => {
    const world = start((_peer, packet) => packet.cmd === 'subscribe' && packet.subscriptions[0]!.topic === 'bad/#',
      { topic: [{ pattern: 'bad/#', direction: 'in', qos: 1 }, { pattern: 'good/#', direction: 'in', qos: 1 }] });
    world.run(120_000);
    expect(world.uplink.all('subscribe').map(({ subscriptions }) => subscriptions[0]!.topic)).toEqual(['good/#']);
  });

  it('closes on CONNECT for the Will of the gateway is told none, and that is said', () => {
    const will = { topic: 'status', payload: 'off', qos: 1, retain: true };
    const world = new World({
      configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1 }], upstream: { will, restart_timeout: [1, 2] } },
      server: (peer, packet) => {
        if (packet.cmd === 'connect' && packet.will !== undefined)
          peer.close();
        else
          oblige(peer, packet);
      },
    });
    world.runtime.start();
    world.run(60_000);
    expect([world.isConnected, world.uplinks.length, told(world, 'the Will of this gateway')]).toEqual([true, 4, 1]);
  });

  const birth = (peer: Peer, packet: Packet): boolean => {
    const isBirth = packet.cmd === 'publish' && packet.topic === 'status';
    if (isBirth)
      peer.close();
    return isBirth;
  };

  it.each([0, 1, 2] as const)('closes for the birth of the gateway, QoS %i, is not told it any more; all else goes on', qos => {
    const world = start(birth, { upstream: { birth: { topic: 'status', payload: 'on', qos } } });
    talk(world, ['a', 'b', 'c']);
    expect([world.isConnected, told(world, 'the birth of this gateway')]).toEqual([true, 1]);
    expect(world.uplinks.length).toBeLessThanOrEqual(6);
    expect([waiting(world), world.gateway.bridge.guard.quarantine.count]).toEqual([0, 0]);
    expect(world.uplink.all('publish').map(({ topic }) => topic)).toEqual(expect.arrayContaining(['a', 'b', 'c']));
  });

  it('closes for the birth, while messages wait, gets them, and none of them is suspected', () => {
    const world = start(birth, { upstream: { birth: { topic: 'status', payload: 'on', qos: 1 } } });
    const node = world.node('n');
    for (let index = 0; index < 20; ++index) {
      node.ask(publish(`t${index}`, 'x', { qos: 1, identifier: index + 1 }));
      world.run(300);
    }
    world.run(60_000);
    expect([world.isConnected, told(world, 'the birth of this gateway')]).toEqual([true, 1]);
    expect([waiting(world), world.gateway.bridge.guard.quarantine.count]).toEqual([0, 0]);
    expect(world.uplinks.length).toBeLessThanOrEqual(6);
  });

  it('closes for a message and takes the birth gets the birth, and the message is set aside', () => {
    const world = start((peer, packet) => {
      const isBad = packet.cmd === 'publish' && packet.topic === 'bad';
      if (isBad)
        peer.close();
      return isBad;
    }, { upstream: { birth: { topic: 'status', payload: 'on', qos: 1 } } });
    talk(world, ['a', 'bad', 'c']);
    expect([world.isConnected, told(world, 'the birth'), world.gateway.bridge.guard.quarantine.count]).toEqual([true, 0, 1]);
    expect(world.uplink.all('publish').map(({ topic }) => topic)).toContain('status');
    expect(world.uplinks.length).toBeLessThanOrEqual(6);
  });

  it('closes for the Will and for the birth is told neither, and all else goes on', () => {
    const will = { topic: 'status', payload: 'off', qos: 1, retain: true };
    const world = new World({
      configuration: { topic: [{ pattern: '#', direction: 'out', qos: 1 }], upstream: { will, restart_timeout: [1, 2] } },
      server: (peer, packet) => {
        if (packet.cmd === 'connect' && packet.will !== undefined)
          peer.close();
        else if (!birth(peer, packet))
          oblige(peer, packet);
      },
    });
    world.runtime.start();
    world.run(60_000);
    talk(world, ['a', 'b']);
    expect([world.isConnected, told(world, 'the Will of this gateway'), told(world, 'the birth of this gateway'), waiting(world)])
      .toEqual([true, 1, 1, 0]);
  });

  it('never acknowledges the birth, but messages, is not told it any more', () => {
    const world = start((_peer, packet) => packet.cmd === 'publish' && packet.topic === 'status',
      { upstream: { birth: { topic: 'status', payload: 'on', qos: 1 } } });
    talk(world, ['a', 'b', 'c', 'd', 'e', 'f']);
    expect([world.isConnected, told(world, 'the birth of this gateway'), waiting(world)]).toEqual([true, 1, 0]);
    expect(world.uplinks.length).toBeLessThanOrEqual(5);
  });

  it('crashes twenty times soon after the birth is told it all the same', () => {
    const world = start(() => false, { upstream: { birth: { topic: 'status', payload: 'on', qos: 1 } } });
    for (let crash = 0; crash < 20; ++crash) {
      world.until(() => world.isConnected);
      world.run(crash * 37 % 200);
      world.uplink.close();
      world.run(500);
    }
    world.run(60_000);
    expect([told(world, 'the birth of this gateway'), world.uplink.all('publish').map(({ topic }) => topic)]).toEqual([0, ['status']]);
  });

  it('says that the session is present, but has forgotten its PUBRECs, gets the message again instead of PUBREL for ever', () => {
    let isDeaf = true;
    const world = start((peer, packet) => {
      if (packet.cmd === 'connect') {
        peer.post({ cmd: 'connack', returnCode: 0, sessionPresent: true });
        return true;
      }
      if (packet.cmd === 'publish' && packet.qos === 2)
        isDeaf = false;
      return packet.cmd === 'pubrel' && (peer === world.uplinks[0] || isDeaf);
    });
    const node = world.node('n');
    node.ask(publish('two/a', 'x', { qos: 2, identifier: 1 }));
    isDeaf = true;
    for (let index = 0; index < 40; ++index) {
      node.ask(publish(`t${index}`, 'x', { qos: 1, identifier: index + 2 }));
      world.run(1000);
    }
    expect([told(world, 'has forgotten what it had taken'), world.gateway.bridge.guard.quarantine.count]).toEqual([1, 0]);
    expect(sent(world).filter(text => text.startsWith('two/')).length).toBeGreaterThanOrEqual(2);
    world.run(60_000);
    expect(waiting(world)).toBe(0);
  });
});

it('without a reason that is established the advice says that it is not known', () => {
  const world = start((peer, packet) => {
    accept(peer, packet);
    if (packet.cmd === 'publish')
      peer.close();
    return true;
  }, { topic: [{ pattern: '#', direction: 'out', qos: 1 }] });
  const adviceOf = (): string => {
    const { gateway, sensors, upstream } = world.runtime;
    return statusOf({ gateway, sensors, upstream }, world.clock.now).advice;
  };
  world.node('n').ask(publish('a', 'x', { qos: 1, identifier: 1 }));
  world.until(() => world.upstreamEndings.length === 2);
  expect(adviceOf()).toContain('until it is found out for which one');
  expect(adviceOf()).not.toContain('another client');
});
