/** Properties of messages between nodes of 5.0 and a Server of 5.0, in memory and in the log. */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { MessageSpans } from '../../src/packet/packet.ts';
import { selectProperties } from '../../src/packet/property-selection.ts';
import { hexOf, put, testArena } from '../bytes/test-arena.ts';
import { FlashMedium, SimulatedFlash } from '../simulation/simulated-flash.ts';
import { FiveServer } from '../world/five-server.ts';
import { ask5, connect5, publish5, subscribe5, take5 } from '../world/packets-of-five.ts';
import { publish } from '../world/packets.ts';
import { type Peer, World } from '../world/world.ts';

const FORMAT = '01 01 ';
const EXPIRY = '02 00000064 '; // 100 seconds
const CONTENT = '03 0001 74 ';
const RESPONSE = '08 0002 722f ';
const CORRELATION = '09 0002 0102 ';
const USERS = '26 0001 6b 0001 31 26 0001 6b 0001 32 ';
const ALL = FORMAT + EXPIRY + CONTENT + RESPONSE + CORRELATION + USERS;
const MEANT = {
  payloadFormatIndicator: true, contentType: 't', responseTopic: 'r/', correlationData: Buffer.from([1, 2]),
  userProperties: { k: ['1', '2'] },
};

function nodeIn(world: World, identifier = 'n'): Peer {
  const node = world.open();
  ask5(node, connect5(identifier));
  return node;
}

/** What the Server has got: topic and properties. */
const got = (server: FiveServer) => server.publishes.map(({ properties, topic }) => ({ topic, ...properties }));

const RULES: PartialConfiguration = { topic: [{ pattern: '#', direction: 'both', qos: 2 }] };

describe('properties of a message', () => {
  it.each([0, 1, 2] as const)('of a node go to the Server with QoS %i as they are, in their order '
    + '[MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]', qos => {
    const server = new FiveServer();
    const { world } = server.start(RULES);
    nodeIn(world).send(publish5('a', 'x', ALL, { qos }));
    world.run(500);
    expect(got(server)).toEqual([{ topic: 'a', ...MEANT, messageExpiryInterval: 100 }]);
  });

  it('of the Server go to a node of 5.0, and not to one of 3.1.1', () => {
    const server = new FiveServer();
    const { world } = server.start(RULES);
    const node = nodeIn(world);
    ask5(node, subscribe5(1, '#', 1));
    const old = world.client('old');
    old.subscribe('#', 1);
    world.run(50);
    server.publish('a', 'x', { properties: MEANT as never });
    world.run(50);
    expect(take5(node)[0]).toMatch(/^PUBLISH a=x q1 #1 \{.*0101.*\}$/);
    expect(old.messages).toEqual(['a x']);
  });

  it('of a node of 3.1.1 are none [MQTT5-2.2.2-1]', () => {
    const server = new FiveServer();
    const { world } = server.start(RULES);
    world.node('old').ask(publish('a', 'x', { qos: 1, identifier: 1 }));
    nodeIn(world).send(publish5('b', 'x', '', { qos: 1 }));
    world.run(500);
    expect(got(server)).toEqual([{ topic: 'a' }, { topic: 'b' }]);
  });

  it.each(['ram', 'flash'] as const)('wait in %s, and Message Expiry is counted down meanwhile [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]',
    durability => {
      const server = new FiveServer();
      const { world } = server.start({ ...RULES, store: { durability } },
        { openStorage: (_store, arena) => new SimulatedFlash(arena, new FlashMedium(4096, 16)) });
      world.stopListening();
      world.uplink.close();
      world.until(() => !world.isConnected);
      const node = nodeIn(world);
      node.send(publish5('long', 'x', ALL, { qos: 1, identifier: 1 }));
      node.send(publish5('short', 'x', '02 0000000a', { qos: 1, identifier: 2 }));
      node.send(publish5('for ever', 'x', CONTENT, { qos: 2, identifier: 3 }));
      world.run(30_000);
      world.listen();
      world.until(() => world.isConnected, 60_000);
      world.run(1000);
      const [long, ...rest] = got(server);
      expect(long).toMatchObject({ topic: 'long', ...MEANT });
      expect(long!.messageExpiryInterval).toBeGreaterThan(50);
      expect(long!.messageExpiryInterval).toBeLessThan(75);
      expect(rest).toEqual([{ topic: 'for ever', contentType: 't' }]);
      expect(world.gateway.bridge.droppedCount).toBe(1);
      expect(world.gateway.waiting.pendingCount).toBe(0);
    });

  it('are in the log after a power cut', () => {
    const medium = new FlashMedium(4096, 16);
    const server = new FiveServer();
    const openStorage = (_store: unknown, arena: ConstructorParameters<typeof SimulatedFlash>[0]) =>
      new SimulatedFlash(arena, medium);
    const { world } = server.start({ ...RULES, store: { durability: 'flash' } }, { openStorage });
    world.stopListening();
    world.uplink.close();
    world.until(() => !world.isConnected);
    nodeIn(world).send(publish5('a', 'x', ALL, { qos: 1, identifier: 1 }));
    world.run(1000);
    world.cutPower();
    const after = new FiveServer();
    after.start({ ...RULES, store: { durability: 'flash' } }, { openStorage });
    after.world.run(2000);
    expect(got(after)).toMatchObject([{ topic: 'a', ...MEANT }]);
  });

  it('that are set aside with their message are gone when it is released', () => {
    const server = new FiveServer();
    let isStrict = true;
    server.judge = () => isStrict ? 0x87 : 0;
    const { world } = server.start(RULES);
    nodeIn(world).send(publish5('a', 'x', ALL, { qos: 1 }));
    world.run(500);
    isStrict = false;
    const { bridge } = world.gateway;
    expect(bridge.guard.quarantine.count).toBe(1);
    expect(bridge.putBack(bridge.guard.quarantine.read(0).number)).toBe(true);
    world.run(500);
    expect(got(server)[1]).toEqual({ topic: 'a' });
  });

  it('that are longer than max_properties go as far as there is room', () => {
    const server = new FiveServer();
    const { world } = server.start({ ...RULES, upstream: { max_properties: 16 } });
    nodeIn(world).send(publish5('a', 'x', ALL, { qos: 1 }));
    world.run(500);
    expect(got(server)).toEqual([{ topic: 'a', correlationData: Buffer.from([1, 2]), responseTopic: 'r/',
      messageExpiryInterval: 100 }]);
    expect(world.gateway.bridge.curtailedCount).toBe(1);
  });

  it('reach nobody who speaks 3.1.1, also when they have waited', () => {
    const world = World.connected({ configuration: RULES });
    nodeIn(world).send(publish5('a', 'x', ALL, { qos: 1 }), publish5('b', 'x', ALL));
    world.run(500);
    expect(world.uplink.messages).toEqual(['a x', 'b x']);
    expect(world.upstreamEndings).toEqual([]);
  });
});

describe('selectProperties', () => {
  const select = (most: number): string => {
    const arena = testArena(512);
    const message = new MessageSpans();
    message.propertiesOffset = 200;
    message.propertiesLength = put(arena, 200, Uint8Array.from(Buffer.from(ALL.replaceAll(' ', ''), 'hex')));
    return hexOf(arena, 10, selectProperties(arena, message, 10, most));
  };
  const hex = (...parts: string[]): string => parts.join('').replaceAll(' ', '');

  it.each([
    [0, ''], [4, hex(FORMAT)], [5, hex(CORRELATION)], [10, hex(CORRELATION, RESPONSE)],
    [20, hex(CORRELATION, RESPONSE, EXPIRY, FORMAT)], [34, hex(CORRELATION, RESPONSE, EXPIRY, FORMAT, CONTENT)],
    [35, hex(CORRELATION, RESPONSE, EXPIRY, FORMAT, CONTENT, USERS)],
  ])('takes the most important ones first, User Properties all or none (%i bytes)', (most, expected) => {
    expect(select(most)).toBe(expected);
  });
});
