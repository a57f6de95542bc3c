/**
 * The gateway as a Client whose network and whose Server do everything wrong. The numbers are the rows of the project's
 * list of failure modes.
 */
import { describe, expect, it } from 'vitest';
import * as Event from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { oblige, type Peer, PORT, SECOND_SERVER, SERVER, Stage, type StageOptions } from './stage.ts';
import { ScriptedServer } from '../simulation/scripted-peer.ts';
import { PEER } from '../simulation/simulated-network.ts';

const BASE = 1000;
const CAP = 8000;
const CONNACK_TIMEOUT = 10_000;

/** A Server that answers CONNECT with these bytes, and to nothing else. */
const answering = (hex: string): NonNullable<StageOptions['server']> => (peer, packet) => {
  if (packet.cmd === 'connect')
    peer.sendHex(hex);
};

/** Milliseconds between the ends of attempts and the beginnings of the next ones. */
function waits(stage: Stage): number[] {
  const endings = stage.events.filter(({ event }) => event === Event.UPSTREAM_CLOSED);
  return stage.uplinks.slice(1).map(({ openedAt }, index) => openedAt - endings[index]!.time);
}

function started(options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  stage.runtime.start();
  return stage;
}

describe('no session comes about', () => {
  it('row 1: the port is closed: attempts, with growing random waits, never more often than the base', () => {
    const stage = new Stage();
    stage.stopListening();
    stage.runtime.start();
    stage.run(120_000);
    const times = stage.events.map(({ time }) => time);
    expect(new Set(stage.upstreamEndings)).toEqual(new Set([ReasonCode.NETWORK_UNREACHABLE]));
    expect(times.length).toBe(stage.network.links.length);
    expect(times.length).toBeGreaterThan(120_000 / (CAP + 100) - 1);
    for (let index = 1; index < times.length; ++index) {
      expect(times[index]! - times[index - 1]!).toBeGreaterThanOrEqual(BASE);
      expect(times[index]! - times[index - 1]!).toBeLessThanOrEqual(CAP + 100);
    }
    expect(new Set(times.map((time, index) => time - (times[index - 1] ?? 0))).size).toBeGreaterThan(3); // random
    stage.listen();
    stage.until(() => stage.isConnected, CAP + 100);
  });

  it('row 1: nobody answers the connection attempt: given up after connack_timeout', () => {
    const stage = new Stage();
    stage.network.onLink = link => link.isIgnored = true;
    stage.runtime.start();
    stage.run(CONNACK_TIMEOUT + 200);
    expect(stage.upstreamEndings).toEqual([ReasonCode.NETWORK_UNREACHABLE]);
    stage.network.onLink = undefined;
    stage.until(() => stage.isConnected, CAP + 100);
  });

  it.each([
    ['2: then FIN', (stage: Stage) => stage.uplink.close()],
    ['3: then RST', (stage: Stage) => stage.upstreamLink.reset()],
  ])('row %s: accepted', (_name, end) => {
    const stage = new Stage({ server: () => {} });
    stage.onUplink = () => end(stage);
    stage.runtime.start();
    stage.until(() => stage.uplinks.length === 6);
    expect(stage.upstreamEndings).toEqual(Array(5).fill(ReasonCode.CLOSED_BEFORE_CONNACK));
    expect(waits(stage).every(wait => wait >= BASE && wait <= CAP + 100)).toBe(true);
  });

  it('row 4: CONNACK never comes: closed after connack_timeout, nothing but CONNECT was sent, a new attempt says CONNECT', () => {
    const stage = started({ server: () => {}, configuration: { sensors: [{ name: 's', type: 'x', interval: 1 }] } });
    const node = stage.node('n');
    node.publish('a', 'x', 1);
    stage.until(() => stage.upstreamEndings.length === 3);
    stage.run(10);
    expect(stage.upstreamEndings).toEqual(Array(3).fill(ReasonCode.CONNACK_TIMEOUT));
    for (const uplink of stage.uplinks.slice(0, 3)) {
      expect(uplink.packets.map(({ cmd }) => cmd)).toEqual(['connect']);
      expect(uplink.isClosed).toBe(true);
    }
    const times = stage.events.filter(({ event }) => event === Event.UPSTREAM_CLOSED).map(({ time }) => time);
    stage.uplinks.slice(0, 3).forEach(({ openedAt }, index) => {
      expect(times[index]! - openedAt).toBeGreaterThanOrEqual(CONNACK_TIMEOUT - 5);
      expect(times[index]! - openedAt).toBeLessThan(CONNACK_TIMEOUT + 50);
    });
    expect(waits(stage).every(wait => wait >= BASE && wait <= CAP + 100)).toBe(true);
  });

  it('row 5: CONNACK late but in time is used', () => {
    const stage = started({ server: () => {} });
    stage.until(() => stage.uplinks.length === 1);
    stage.run(CONNACK_TIMEOUT - 100);
    stage.uplink.sendHex('20020000');
    stage.until(() => stage.isConnected, 50);
  });

  it('row 5: CONNACK too late is not taken for that of the next connection', () => {
    const stage = started({ server: () => {} });
    stage.network.onLink = link => link.toClient.set({ latency: stage.network.links.length === 1 ? 9000 : 1 });
    stage.until(() => stage.uplinks.length === 1);
    stage.until(() => stage.upstreamEndings.length === 1);
    stage.uplinks[0]!.sendHex('20020000'); // on its way while the gateway connects anew
    stage.until(() => stage.uplinks.length === 2);
    stage.run(9000);
    expect(stage.isConnected).toBe(false);
    expect(stage.uplinks[1]!.packets.map(({ cmd }) => cmd)).toEqual(['connect']);
    stage.uplinks[1]!.sendHex('20020000');
    stage.until(() => stage.isConnected, 50);
  });

  it.each([
    ['silence', undefined, ReasonCode.CONNACK_TIMEOUT],
    ['FIN', 'close', ReasonCode.CLOSED_BEFORE_CONNACK],
    ['RST', 'reset', ReasonCode.CLOSED_BEFORE_CONNACK],
  ] as const)('row 6: half a CONNACK, then %s', (_name, kind, reasonCode) => {
    const stage = started({ server: answering('2002') });
    stage.network.onLink = link => {
      if (kind !== undefined)
        link.toClient.cutAfter(2, kind);
    };
    stage.until(() => stage.upstreamEndings.length === 1);
    expect(stage.upstreamEndings).toEqual([reasonCode]);
    stage.network.onLink = undefined;
    stage.server = oblige;
    stage.until(() => stage.isConnected, CAP + 1000);
  });

  it('row 7: CONNACK with one byte every 200 ms is accepted', () => {
    const stage = started({ server: () => {} });
    stage.until(() => stage.uplinks.length === 1);
    for (const byte of ['20', '02', '00', '00']) {
      expect(stage.isConnected).toBe(false);
      stage.uplink.sendHex(byte);
      stage.run(200);
    }
    expect(stage.isConnected).toBe(true);
    expect(stage.upstreamEndings).toEqual([]);
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
    const stage = started({ server: answering(`200200${returnCode.toString(16).padStart(2, '0')}`) });
    stage.until(() => stage.uplinks.length === 6, 3_600_000);
    expect(stage.upstreamEndings).toEqual(Array(5).fill(reasonCode));
    for (const wait of waits(stage)) {
      expect(wait).toBeGreaterThanOrEqual(isSlow ? CAP : BASE);
      expect(wait).toBeLessThanOrEqual((isSlow ? CAP * 20 : CAP) + 100);
    }
    stage.server = oblige;
    stage.until(() => stage.isConnected, CAP * 20 + 1000);
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
    const stage = started({ server: answering(hex), configuration: { upstream: { cleansession: true } } });
    stage.until(() => stage.upstreamEndings.length === 1, 500);
    if (reasonCode !== undefined)
      expect(stage.upstreamEndings).toEqual([reasonCode]);
    expect(stage.isConnected).toBe(false);
    stage.until(() => stage.uplinks.length === 2, CAP * 20);
    expect(stage.uplinks[0]!.isClosed).toBe(true);
    expect(waits(stage)[0]).toBeGreaterThanOrEqual(BASE);
  });

  it('row 14: in 3.1 the byte is reserved and means nothing', () => {
    const stage = started({ server: answering('20020100'), configuration: { upstream: { cleansession: true, bridge_protocol_version: 'mqttv31' } } });
    stage.until(() => stage.isConnected, 500);
  });

  it('row 17: CONNACK twice: protocol error', () => {
    const stage = Stage.connected();
    stage.uplink.sendHex('20020000');
    stage.run(50);
    expect(stage.upstreamEndings).toEqual([ReasonCode.PROTOCOL_ERROR]);
    expect(stage.uplink.isClosed).toBe(true);
  });

  it('row 37: the name cannot be resolved: counted as a failure; tried again', () => {
    const stage = started({ configuration: { upstream: { address: ['mqtt://broker.example'] } } });
    stage.run(20_000);
    expect(new Set(stage.upstreamEndings)).toEqual(new Set([ReasonCode.NAME_NOT_RESOLVED]));
    expect(stage.upstreamEndings.length).toBeGreaterThan(2);
    stage.network.names.set('broker.example', SERVER);
    stage.until(() => stage.isConnected, CAP + 1000);
  });

  it('the list of addresses is gone through in turn', () => {
    const stage = new Stage({ configuration: { upstream: { address: ['mqtt://nowhere.example', `mqtt://${SERVER}`, `mqtt://${SECOND_SERVER}:1884`] } } });
    stage.stopListening();
    const second: Peer[] = [];
    new ScriptedServer(stage.network.addHost(SECOND_SERVER, PEER), 1884).onPeer = socket => second.push(stage.adopt(socket));
    stage.runtime.start();
    stage.until(() => stage.isConnected);
    expect(stage.upstreamEndings).toEqual([ReasonCode.NAME_NOT_RESOLVED, ReasonCode.NETWORK_UNREACHABLE]);
    expect(second.length).toBe(1);
    expect(stage.runtime.upstream.address).toEqual({ host: SECOND_SERVER, port: 1884 });
    expect(stage.network.links.map(({ address, port }) => `${address}:${port}`)).toEqual([`${SERVER}:${PORT}`, `${SECOND_SERVER}:1884`]);
  });
});
