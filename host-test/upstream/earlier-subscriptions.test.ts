/** What an earlier configuration has subscribed in a session that the Server keeps is taken back. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import * as Event from '../../src/config/events.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import type { PacketHandler } from '../world/peer.ts';
import { oblige, World } from '../world/world.ts';

type Rules = NonNullable<PartialConfiguration['topic']>;

const inward = (pattern: string): Rules[number] => ({ pattern, direction: 'in', remote_prefix: 'site/' });
const outward = (pattern: string): Rules[number] => ({ pattern, direction: 'out', remote_prefix: 'site/' });

/** A Server that answers UNSUBSCRIBE too, with the session or without. */
const serverWith = (sessionPresent: boolean): PacketHandler => (peer, packet) => {
  if (packet.cmd === 'connect')
    peer.post({ cmd: 'connack', returnCode: 0, sessionPresent });
  else if (packet.cmd === 'unsubscribe')
    peer.post({ cmd: 'unsuback', messageId: packet.messageId!, granted: [] });
  else
    oblige(peer, packet);
};

const connected = (topic: Rules, configuration: PartialConfiguration = {}, sessionPresent = true,
  medium?: FlashMedium): World => World.connected({
  server: serverWith(sessionPresent),
  configuration: { ...configuration, topic, ...medium !== undefined && { store: { durability: 'flash' } } },
  ...medium !== undefined && { openStorage: (_settings, arena) => new SimulatedFlash(arena, medium) },
});

const unsubscribed = (world: World): string[] => world.uplink.all('unsubscribe').flatMap(packet => packet.unsubscriptions);

describe('without a durable store', () => {
  it('what rules of direction out are called there is unsubscribed, unless a rule asks for the same', () => {
    const world = connected([outward('a/#'), outward('b/#'), inward('b/#'), { pattern: 'c', direction: 'both' },
      { pattern: '', direction: 'out', local_prefix: 'x', remote_prefix: 'y' }]);
    expect(unsubscribed(world)).toEqual(['site/a/#', 'y']);
    expect(world.uplink.all('subscribe').length).toBe(2);
  });

  it('it is done once, not on each connection', () => {
    const world = connected([outward('a/#')]);
    world.uplink.close();
    world.until(() => !world.isConnected);
    world.until(() => world.isConnected);
    world.run(50);
    expect([world.uplinks.length, unsubscribed(world)]).toEqual([2, []]);
  });

  it('goes on where an earlier connection has ended', () => {
    const world = connected([outward('a'), outward('b'), outward('c')], {}, true);
    expect(unsubscribed(world)).toEqual(['site/a', 'site/b', 'site/c']);
    const other = new World({ server: (peer, packet) => packet.cmd === 'unsubscribe' && packet.unsubscriptions[0] === 'site/b'
      ? peer.close() : serverWith(true)(peer, packet), configuration: { topic: [outward('a'), outward('b'), outward('c')] } });
    other.runtime.start();
    other.until(() => other.uplinks[0]?.isClosed === true);
    other.server = serverWith(true);
    other.until(() => other.uplinks.length === 2 && other.isConnected);
    other.run(50);
    expect(unsubscribed(other)).toEqual(['site/b', 'site/c']);
  });

  it.each<[string, PartialConfiguration, boolean]>([
    ['in a session that the Server does not know', {}, false],
    ['with bridge_attempt_unsubscribe false', { upstream: { bridge_attempt_unsubscribe: false } }, true],
  ])('%s nothing is', (_name, configuration, sessionPresent) => {
    expect(unsubscribed(connected([outward('a/#')], configuration, sessionPresent))).toEqual([]);
  });

  it('with 3.1, which does not say whether the session is known, it is; not with cleansession', () => {
    const upstream = { bridge_protocol_version: 'mqttv31' as const };
    expect(unsubscribed(connected([outward('a/#')], { upstream }, false))).toEqual(['site/a/#']);
    expect(unsubscribed(connected([outward('a/#')], { upstream: { ...upstream, cleansession: true } }, false)))
      .toEqual([]);
  });

  it('what no rule asks for is acknowledged, dropped, counted, and told once on a connection', () => {
    const world = connected([inward('new/#')]);
    const node = world.client('n');
    node.subscribe('#', 1);
    world.run(50);
    for (const qos of [0, 1, 2, 1] as const)
      world.uplink.publish('site/old/valve', 'open', qos);
    world.run(100);
    expect([node.messages, world.gateway.bridge.unaskedCount]).toEqual([[], 4]);
    expect(world.uplink.all('puback').length + world.uplink.all('pubcomp').length).toBe(3);
    expect(world.detailsOf(Event.UNASKED).length).toBe(1);
    expect(world.eventTexts.find(text => /no rule/.test(text))).toMatch(/"site\/old\/valve" from upstream/);
  });
});

describe('with a durable store', () => {
  const end = (world: World): void => {
    world.runtime.stop(() => {});
    world.run(3000);
  };

  it('what was asked for and is not any more is unsubscribed after a restart, once', () => {
    const medium = new FlashMedium(4096, 16);
    end(connected([inward('old/#'), inward('kept/#')], {}, true, medium));
    const second = connected([inward('kept/#'), inward('new/#')], {}, true, medium);
    expect(unsubscribed(second)).toEqual(['site/old/#']);
    end(second);
    const third = connected([inward('kept/#'), inward('new/#')], {}, true, medium);
    expect(unsubscribed(third)).toEqual([]);
    end(third);
    const fourth = connected([], {}, true, medium);
    expect(unsubscribed(fourth).sort()).toEqual(['site/kept/#', 'site/new/#']);
  });

  it('a power cut before it was answered leaves it to the next start', () => {
    const medium = new FlashMedium(4096, 16);
    end(connected([inward('old/#')], {}, true, medium));
    const cut = new World({
      server: (peer, packet) => packet.cmd === 'unsubscribe' || serverWith(true)(peer, packet),
      configuration: { topic: [], store: { durability: 'flash' } },
      openStorage: (_settings, arena) => new SimulatedFlash(arena, medium),
    });
    cut.runtime.start();
    cut.until(() => cut.isConnected);
    cut.run(50);
    expect(unsubscribed(cut)).toEqual(['site/old/#']);
    expect(unsubscribed(connected([], {}, true, medium))).toEqual(['site/old/#']);
  });

  it('a Server that does not know the session has nothing to take back, then and later', () => {
    const medium = new FlashMedium(4096, 16);
    end(connected([inward('old/#')], {}, true, medium));
    const second = connected([], {}, false, medium);
    expect(unsubscribed(second)).toEqual([]);
    end(second);
    expect(unsubscribed(connected([], {}, true, medium))).toEqual([]);
  });
});
