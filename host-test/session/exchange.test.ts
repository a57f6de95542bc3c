/**
 * Both roles together over a wire that breaks: at every byte, once and twice, in both directions. What a QoS promises
 * must hold each time: QoS 2 exactly once, QoS 1 at least once, in order.
 */
import { MQTT_3_1_1, MQTT_5_0 } from '../../src/packet/protocol-version.ts';
import { NONE } from '../../src/session/record-layout.ts';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/session/session.ts';
import { Pair, type PairOptions, seeded } from './pair.ts';

const PAYLOADS = ['a', 'b', 'c'];
const OPTIONS: PairOptions = { cleanStart: false, clientIdentifier: 'n' };

interface Exchange {
  readonly pair: Pair;
  /** What the receiver's handler got, a list for each connection. */
  readonly connections: string[][];
}

/**
 * Three messages wait at the sender, then connections are made until nothing is left; the first ones break at `cuts`.
 */
function exchange(direction: 'up' | 'down', qos: number, side: 'server' | 'client', cuts: readonly number[],
  options: PairOptions = {}): Exchange {
  const pair = new Pair({ ...OPTIONS, ...options });
  const sender = direction === 'up' ? pair.world.clientState : pair.world.serverState;
  const receiver = direction === 'up' ? pair.serverLog : pair.clientLog;
  pair.serverLog.hasSession = true;
  for (const payload of PAYLOADS)
    expect(sender.queue.append(pair.world.message('t', payload), qos)).not.toBe(NONE);
  const connections: string[][] = [];
  for (const cut of [...cuts, Infinity]) {
    pair.serverLimit = side === 'server' ? cut : Infinity;
    pair.clientLimit = side === 'client' ? cut : Infinity;
    pair.connect();
    connections.push(receiver.messages.splice(0));
    if (pair.client.isConnected && pair.server.isConnected)
      break; // it was over before the cut
  }
  expect([pair.client.isConnected, pair.server.isConnected]).toEqual([true, true]);
  for (const state of [pair.world.clientState, pair.world.serverState]) {
    expect(state.queue.count).toBe(0);
    expect(state.queue.usedLength).toBe(0);
    expect(state.receivedCount).toBe(0);
  }
  return { pair, connections };
}

/** Bytes that arrive at a side when nothing breaks. */
function lengthAt(direction: 'up' | 'down', qos: number, side: 'server' | 'client'): number {
  const { pair } = exchange(direction, qos, side, []);
  return (side === 'server' ? pair.toServer : pair.toClient).sent.length;
}

function expectPromise(qos: number, connections: readonly string[][]): void {
  const payloads = connections.map(messages => messages.map(message => message.split(' ')[2]!));
  if (qos === 2) {
    expect(payloads.flat()).toEqual(PAYLOADS);
    return;
  }
  // Within a connection in order and without a gap; each message at least once, and a repetition says so.
  for (const list of payloads)
    expect('abc').toContain(list.join(''));
  const seen: string[] = [];
  for (const message of connections.flat()) {
    const payload = message.split(' ')[2]!;
    if (seen.includes(payload))
      expect(message.endsWith('DUP')).toBe(true);
    else
      seen.push(payload);
  }
  expect(seen).toEqual(PAYLOADS);
}

describe.each([
  { direction: 'up' as const, qos: 1 }, { direction: 'up' as const, qos: 2 },
  { direction: 'down' as const, qos: 1 }, { direction: 'down' as const, qos: 2 },
].flatMap(row => [MQTT_3_1_1, MQTT_5_0].map(version => ({ ...row, version }))))('QoS $qos, $direction, level $version', ({
  direction, qos, version,
}) => {
  const exchangeOf = (...[way, level, side, cuts, options]: Parameters<typeof exchange>): Exchange =>
    exchange(way, level, side, cuts, { version, ...options });
  it(`is delivered ${qos === 2 ? 'exactly once' : 'at least once'} and in order, wherever the connection breaks [MQTT311-4.${qos === 2 ? '3.3-1' : '3.2-1'}] [MQTT311-4.4.0-1] [MQTT311-4.6.0-1]`, () => {
    for (const side of ['server', 'client'] as const) {
      const length = lengthAt(direction, qos, side);
      expect(length).toBeGreaterThan(side === 'server' ? 20 : 4);
      for (let cut = 1; cut <= length; ++cut)
        for (const nextSize of [() => Infinity, () => 1])
          expectPromise(qos, exchangeOf(direction, qos, side, [cut], { nextSize }).connections);
    }
  });

  it('keeps that promise when the second connection breaks too', () => {
    for (const side of ['server', 'client'] as const) {
      const length = lengthAt(direction, qos, side);
      for (let first = 1; first <= length; ++first)
        for (let second = 1 + first % 3; second <= length; second += 3)
          expectPromise(qos, exchangeOf(direction, qos, side, [first, second]).connections);
    }
  });

  it('keeps that promise with one message in flight, and with latency and segments of any size', () => {
    const random = seeded(qos * 7);
    for (const side of ['server', 'client'] as const) {
      const length = lengthAt(direction, qos, side);
      for (let cut = 1; cut <= length; ++cut)
        expectPromise(qos, exchangeOf(direction, qos, side, [cut], {
          latency: 50, limits: { maximumInflightMessages: 1 }, nextSize: () => 1 + Math.floor(random() * 9),
        }).connections);
    }
  });
});

describe('a connection that does not break', () => {
  it.each([0, 1, 2])('brings QoS %i messages of both sides across, in order, in pieces of any size', qos => {
    for (let seed = 1; seed <= 20; ++seed) {
      const random = seeded(seed);
      const pair = new Pair({ latency: 100, nextSize: () => 1 + Math.floor(random() * 12) });
      pair.connect();
      const sides: [Session, string][] = [[pair.client, 'up'], [pair.server, 'down']];
      const expected: Record<string, string[]> = { up: [], down: [] };
      for (let count = 0; count < 12; ++count)
        for (const [session, name] of sides) {
          expect(session.enqueue(pair.world.message(`${name}/${count}`, 'p'.repeat(count)), qos)).toBe(true);
          expected[name]!.push(`${qos} ${name}/${count} ${'p'.repeat(count)}`);
          if (random() < 0.5)
            pair.drive(Math.floor(random() * 150));
        }
      pair.drive(5_000);
      expect(pair.serverLog.messages).toEqual(expected.up);
      expect(pair.clientLog.messages).toEqual(expected.down);
      expect(pair.world.clientState.queue.count + pair.world.serverState.queue.count).toBe(0);
    }
  });

  it('subscribes, gets what was retained after SUBACK, and unsubscribes', () => {
    const pair = new Pair({ latency: 20 });
    pair.connect();
    pair.serverLog.onGranted = session => { session.publish(pair.world.message('a/b', 'kept', 1)); };
    const filter = pair.world.text('a/#');
    pair.client.subscribe(filter.offset, filter.length, 1);
    pair.drive(100);
    expect(pair.clientLog.events).toEqual(['connected', 'subscribed 1']);
    expect(pair.clientLog.messages).toEqual(['0 a/b kept retained']);
    pair.client.unsubscribe(filter.offset, filter.length);
    pair.drive(100);
    expect(pair.clientLog.events).toEqual(['connected', 'subscribed 1', 'subscribed 0']);
    expect(pair.serverLog.events).toEqual(['connect gw', 'subscribe a/# 1', 'subscribed', 'unsubscribe a/#']);
  });

  it('leaves no Will when the client says goodbye, and the Will when it does not', () => {
    for (const isPolite of [true, false]) {
      const pair = new Pair({ will: { topicName: 'w', payload: 'gone', qos: 1, retain: true } });
      pair.connect();
      if (isPolite) {
        pair.client.disconnect();
        pair.settle();
      } else
        pair.cut();
      expect(pair.server.isConnected).toBe(false);
      expect(pair.serverLog.will).toBe(isPolite ? '' : 'w gone 1 1');
    }
  });
});
