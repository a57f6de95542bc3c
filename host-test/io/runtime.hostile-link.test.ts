/**
 * The gateway as a Client whose network and whose Server do everything wrong. The numbers are the rows of the project's
 * list of failure modes.
 */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { oblige, type Peer, PORT, SECOND_SERVER, SERVER, World, type WorldOptions } from '../world/world.ts';
import { ScriptedServer } from '../simulation/scripted-peer.ts';
import { PEER } from '../simulation/simulated-network.ts';

const BASE = 1000;
const CAP = 8000;
const CONNACK_TIMEOUT = 10_000;

/** A Server that answers CONNECT with these bytes, and to nothing else. */
const answering = (hex: string): NonNullable<WorldOptions['server']> => (peer, packet) => {
  if (packet.cmd === 'connect')
    peer.post(hex);
};

/** Milliseconds between the ends of attempts and the beginnings of the next ones. */
function waits(world: World): number[] {
  const endings = world.events.filter(({ event }) => event === Event.UPSTREAM_CLOSED);
  return world.uplinks.slice(1).map(({ openedAt }, index) => openedAt - endings[index]!.time);
}

function started(options: WorldOptions = {}): World {
  const world = new World(options);
  world.runtime.start();
  return world;
}

describe('no session comes about', () => {
  it('row 1: the port is closed: attempts, with growing random waits, never more often than the base', () => {
    const world = new World();
    world.stopListening();
    world.runtime.start();
    world.run(120_000);
    const times = world.events.map(({ time }) => time);
    expect(new Set(world.upstreamEndings)).toEqual(new Set([ReasonCode.NETWORK_UNREACHABLE]));
    expect(times.length).toBe(world.network.links.length);
    expect(times.length).toBeGreaterThan(120_000 / (CAP + 100) - 1);
    for (let index = 1; index < times.length; ++index) {
      expect(times[index]! - times[index - 1]!).toBeGreaterThanOrEqual(BASE);
      expect(times[index]! - times[index - 1]!).toBeLessThanOrEqual(CAP + 100);
    }
    expect(new Set(times.map((time, index) => time - (times[index - 1] ?? 0))).size).toBeGreaterThan(3); // random
    world.listen();
    world.until(() => world.isConnected, CAP + 100);
  });

  it('row 1: nobody answers the connection attempt: given up after connack_timeout', () => {
    const world = new World();
    world.network.onLink = link => link.isIgnored = true;
    world.runtime.start();
    world.run(CONNACK_TIMEOUT + 200);
    expect(world.upstreamEndings).toEqual([ReasonCode.NETWORK_UNREACHABLE]);
    world.network.onLink = undefined;
    world.until(() => world.isConnected, CAP + 100);
  });

  it.each([
    ['2: then FIN', (world: World) => world.uplink.close()],
    ['3: then RST', (world: World) => world.upstreamLink.reset()],
  ])('row %s: accepted', (_name, end) => {
    const world = new World({ server: () => {} });
    world.onUplink = () => end(world);
    world.runtime.start();
    world.until(() => world.uplinks.length === 6);
    expect(world.upstreamEndings).toEqual(Array(5).fill(ReasonCode.CLOSED_BEFORE_CONNACK));
    expect(waits(world).every(wait => wait >= BASE && wait <= CAP + 100)).toBe(true);
  });

  it('row 4: CONNACK never comes: closed after connack_timeout, nothing but CONNECT was sent, a new attempt says CONNECT', () => {
    const world = started({ server: () => {}, configuration: { sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    const node = world.client('n');
    node.publish('a', 'x', 1);
    world.until(() => world.upstreamEndings.length === 3);
    world.run(10);
    expect(world.upstreamEndings).toEqual(Array(3).fill(ReasonCode.CONNACK_TIMEOUT));
    for (const uplink of world.uplinks.slice(0, 3)) {
      expect(uplink.packets.map(({ cmd }) => cmd)).toEqual(['connect']);
      expect(uplink.isClosed).toBe(true);
    }
    const times = world.events.filter(({ event }) => event === Event.UPSTREAM_CLOSED).map(({ time }) => time);
    world.uplinks.slice(0, 3).forEach(({ openedAt }, index) => {
      expect(times[index]! - openedAt).toBeGreaterThanOrEqual(CONNACK_TIMEOUT - 5);
      expect(times[index]! - openedAt).toBeLessThan(CONNACK_TIMEOUT + 50);
    });
    expect(waits(world).every(wait => wait >= BASE && wait <= CAP + 100)).toBe(true);
  });

  it('row 5: CONNACK late but in time is used', () => {
    const world = started({ server: () => {} });
    world.until(() => world.uplinks.length === 1);
    world.run(CONNACK_TIMEOUT - 100);
    world.uplink.post('20020000');
    world.until(() => world.isConnected, 50);
  });

  it('row 5: CONNACK too late is not taken for that of the next connection', () => {
    const world = started({ server: () => {} });
    world.network.onLink = link => link.toClient.set({ latency: world.network.links.length === 1 ? 9000 : 1 });
    world.until(() => world.uplinks.length === 1);
    world.until(() => world.upstreamEndings.length === 1);
    world.uplinks[0]!.post('20020000'); // on its way while the gateway connects anew
    world.until(() => world.uplinks.length === 2);
    world.run(9000);
    expect(world.isConnected).toBe(false);
    expect(world.uplinks[1]!.packets.map(({ cmd }) => cmd)).toEqual(['connect']);
    world.uplinks[1]!.post('20020000');
    world.until(() => world.isConnected, 50);
  });

  it.each([
    ['silence', undefined, ReasonCode.CONNACK_TIMEOUT],
    ['FIN', 'close', ReasonCode.CLOSED_BEFORE_CONNACK],
    ['RST', 'reset', ReasonCode.CLOSED_BEFORE_CONNACK],
  ] as const)('row 6: half a CONNACK, then %s', (_name, kind, reasonCode) => {
    const world = started({ server: answering('2002') });
    world.network.onLink = link => {
      if (kind !== undefined)
        link.toClient.cutAfter(2, kind);
    };
    world.until(() => world.upstreamEndings.length === 1);
    expect(world.upstreamEndings).toEqual([reasonCode]);
    world.network.onLink = undefined;
    world.server = oblige;
    world.until(() => world.isConnected, CAP + 1000);
  });

  it('row 7: CONNACK with one byte every 200 ms is accepted', () => {
    const world = started({ server: () => {} });
    world.until(() => world.uplinks.length === 1);
    for (const byte of ['20', '02', '00', '00']) {
      expect(world.isConnected).toBe(false);
      world.uplink.post(byte);
      world.run(200);
    }
    expect(world.isConnected).toBe(true);
    expect(world.upstreamEndings).toEqual([]);
  });

  it.each([
    [8, 1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION, true],
    [9, 2, ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, true],
    [10, 3, ReasonCode.SERVER_UNAVAILABLE, false],
    [11, 4, ReasonCode.BAD_USER_NAME_OR_PASSWORD, true],
    [11, 5, ReasonCode.NOT_AUTHORIZED, true],
    [12, 6, ReasonCode.UNKNOWN_RETURN_CODE, true],
    [12, 255, ReasonCode.UNKNOWN_RETURN_CODE, true],
  ])('row %i: return code %i', (_row, returnCode, reasonCode, isSlow) => {
    const world = started({ server: answering(`200200${returnCode.toString(16).padStart(2, '0')}`) });
    world.until(() => world.uplinks.length === 6, 3_600_000);
    expect(world.upstreamEndings).toEqual(Array(5).fill(reasonCode));
    for (const wait of waits(world)) {
      expect(wait).toBeGreaterThanOrEqual(isSlow ? CAP : BASE);
      expect(wait).toBeLessThanOrEqual((isSlow ? CAP * 20 : CAP) + 100);
    }
    world.server = oblige;
    world.until(() => world.isConnected, CAP * 20 + 1000);
  });

  it.each([
    ['14: session present where a clean session was asked for', '20020100', ReasonCode.SESSION_PRESENT_UNEXPECTED],
    ['15: reserved acknowledge flags', '20020200', ReasonCode.MALFORMED_PACKET],
    ['15: reserved acknowledge flags', '2002ff00', ReasonCode.MALFORMED_PACKET],
    ['16: HTTP', '485454502f312e3120343030204261642052657175657374 0d0a0d0a', undefined],
    ['16: a TLS alert', '15030100020228', undefined],
    ['16: an SSH banner', '5353482d322e302d4f70656e5353480d0a', undefined],
    ['16: zeros', '00000000', undefined],
    ['16: a PUBLISH before CONNACK', '30050001 6178 79', undefined],
    ['16: CONNACK with a length that never ends', '20ffffffffff', undefined],
    ['16: CONNACK too long', '2003000000', undefined],
    ['16: CONNACK too short', '200100', undefined],
  ])('row %s: closed at once, counted as a failure', (_name, hex, reasonCode) => {
    const world = started({ server: answering(hex), configuration: { upstream: { cleansession: true } } });
    world.until(() => world.upstreamEndings.length === 1, 500);
    if (reasonCode !== undefined)
      expect(world.upstreamEndings).toEqual([reasonCode]);
    expect(world.isConnected).toBe(false);
    world.until(() => world.uplinks.length === 2, CAP * 20);
    expect(world.uplinks[0]!.isClosed).toBe(true);
    expect(waits(world)[0]).toBeGreaterThanOrEqual(BASE);
  });

  it('row 14: in 3.1 the byte is reserved and means nothing', () => {
    const world =
      started({ server: answering('20020100'),
        configuration: { upstream: { cleansession: true, bridge_protocol_version: 'mqttv31' } } });
    world.until(() => world.isConnected, 500);
  });

  it('row 17: CONNACK twice: protocol error', () => {
    const world = World.connected();
    world.uplink.post('20020000');
    world.run(50);
    expect(world.upstreamEndings).toEqual([ReasonCode.PROTOCOL_ERROR]);
    expect(world.uplink.isClosed).toBe(true);
  });

  it('row 37: the name cannot be resolved: counted as a failure; tried again', () => {
    const world = started({ configuration: { upstream: { address: ['mqtt://broker.example'] } } });
    world.run(20_000);
    expect(new Set(world.upstreamEndings)).toEqual(new Set([ReasonCode.NAME_NOT_RESOLVED]));
    expect(world.upstreamEndings.length).toBeGreaterThan(2);
    world.network.names.set('broker.example', SERVER);
    world.until(() => world.isConnected, CAP + 1000);
  });

  it('the list of addresses is gone through in turn', () => {
    const world =
      new World({ configuration: { upstream: { address: ['mqtt://nowhere.example', `mqtt://${SERVER}`,
        `mqtt://${SECOND_SERVER}:1884`] } } });
    world.stopListening();
    const second: Peer[] = [];
    new ScriptedServer(world.network.addHost(SECOND_SERVER, PEER), 1884).onPeer = socket =>
      second.push(world.adopt(socket));
    world.runtime.start();
    world.until(() => world.isConnected);
    expect(world.upstreamEndings).toEqual([ReasonCode.NAME_NOT_RESOLVED, ReasonCode.NETWORK_UNREACHABLE]);
    expect(second.length).toBe(1);
    expect(world.runtime.upstream.address).toEqual({ scheme: 'mqtt', host: SECOND_SERVER, port: 1884 });
    expect(world.network.links.map(({ address, port }) => `${address}:${port}`)).toEqual([`${SERVER}:${PORT}`,
      `${SECOND_SERVER}:1884`]);
  });
});
