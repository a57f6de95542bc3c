import { describe, expect, test } from 'vitest';
import * as Event from '../../src/config/events.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { LINE_LIMIT, Log, printable, REPEAT_INTERVAL } from '../../src/host/log.ts';
import { LogObserver } from '../../src/host/log-observer.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';

function prepare() {
  const lines: string[] = [];
  const time = { now: Date.UTC(2026, 0, 1) };
  const log = new Log(line => lines.push(line.replace(/^\S+ /, '')), () => time.now);
  return { lines, time, log };
}

describe('the log', () => {
  test('writes timestamp, level and text', () => {
    const lines: string[] = [];
    new Log(line => lines.push(line), () => Date.UTC(2026, 0, 2, 3, 4, 5, 6)).write('warning', 'careful');
    expect(lines).toEqual(['2026-01-02T03:04:05.006Z warning careful']);
  });

  test('says the same thing a few times, then counts, and tells the count when time has passed', () => {
    const { lines, log, time } = prepare();
    for (let count = 0; count < 10; ++count)
      log.write('info', 'again');
    expect(lines).toEqual(['info again', 'info again', 'info again']);
    time.now += REPEAT_INTERVAL;
    log.write('info', 'again');
    expect(lines.at(-1)).toBe('info again (7 more times since it was last said)');
    expect(lines).toHaveLength(4);
  });

  test('tells the count even if nothing happens any more', () => {
    const { lines, log, time } = prepare();
    log.write('info', 'once', 'key', 1);
    log.write('info', 'once', 'key', 1);
    log.flush();
    expect(lines).toHaveLength(1);
    time.now += REPEAT_INTERVAL;
    log.flush();
    expect(lines).toEqual(['info once', 'info once (1 more time since it was last said)']);
    time.now += REPEAT_INTERVAL;
    log.flush();
    log.flush();
    expect(lines).toHaveLength(2);
    log.write('info', 'once', 'key', 1);
    expect(lines.at(-1)).toBe('info once');
  });

  test('takes lines of one key for the same', () => {
    const { lines, log } = prepare();
    for (let count = 0; count < 5; ++count)
      log.write('info', `number ${count}`, 'key', 1);
    expect(lines).toEqual(['info number 0']);
    log.forget('k');
    log.write('info', 'number 6', 'key', 1);
    expect(lines).toHaveLength(2);
  });

  test('cuts off a flood and says how much is missing; what is not about nodes still gets through', () => {
    const { lines, log, time } = prepare();
    for (let count = 0; count < LINE_LIMIT + 50; ++count)
      log.write('info', `stranger ${count}`, `stranger ${count}`, 3, LINE_LIMIT);
    expect(lines).toHaveLength(LINE_LIMIT);
    for (let count = 0; count < LINE_LIMIT + 7; ++count)
      log.write('info', `upstream ${count}`);
    expect(lines).toHaveLength(2 * LINE_LIMIT);
    time.now += REPEAT_INTERVAL;
    log.write('info', 'next');
    expect(lines.slice(2 * LINE_LIMIT)).toEqual([`warning 57 lines were left out: there had been ${2 * LINE_LIMIT} in 10 minutes`, 'info next']);
  });

  test('lets no name break a line or reach the terminal', () => {
    const { lines, log } = prepare();
    log.write('info', 'node "a\n2026 error fake\u001b[2J\u202e\u2028é"');
    expect(lines).toEqual(['info node "a\\u000a2026 error fake\\u001b[2J\\u202e\\u2028é"']);
    expect(printable('plain ✓ 日本 😀')).toBe('plain ✓ 日本 😀');
  });
});

describe('the observer of a gateway', () => {
  function observe() {
    const { lines, log, time } = prepare();
    const observer = new LogObserver(log, { onListening() {}, onListenerError() {} });
    const address = { scheme: 'mqtt' as const, host: 'broker', port: 1883 };
    const bytes = Buffer.from('abcdef');
    const sessions =
      [0, 1, 1, 1].map((clientIdentifierLength, clientIdentifierOffset) =>
        ({ clientIdentifierLength, clientIdentifierOffset }));
    const packet = { topicNameOffset: 0, topicNameLength: 2 };
    const states = [{ identifierLength: 3, identifierOffset: 3 }];
    const gateway =
      { arena: { bytes }, configuration: { upstream: { remote_clientid: 'me' } }, sessions, nodes: { states, find: () => undefined },
        packet, upstream: { toldReason: 0 } } as unknown as Gateway;
    const addresses = ['10.0.0.7', '10.0.0.8', undefined, '10.0.0.9'];
    observer.runtime = { gateway, upstream: { address }, addressOf: session => addresses[session] };
    const closed = (reasonCode: number): void => observer.onEvent(Event.UPSTREAM_CLOSED, Event.UPSTREAM, reasonCode);
    const connected = (): void => observer.onEvent(Event.UPSTREAM_CONNECTED, Event.UPSTREAM, 0);
    return { addresses, lines, packet, sessions, time, observer, address, closed, connected };
  }

  test('says once that the broker is away and what to do, again when the reason changes or it was there in between',
    () => {
    const { closed, connected, lines } = observe();
    for (let count = 0; count < 100; ++count)
      closed(ReasonCode.NETWORK_UNREACHABLE);
    expect(lines).toEqual(['warning upstream mqtt://broker:1883: cannot reach the network address: is a broker listening at upstream.address?']);
    closed(ReasonCode.BAD_USER_NAME_OR_PASSWORD);
    expect(lines.at(-1)).toBe('warning upstream mqtt://broker:1883: bad user name or password: check upstream.remote_username and upstream.remote_password');
    closed(ReasonCode.NETWORK_UNREACHABLE);
    expect(lines).toHaveLength(2);
    connected();
    closed(ReasonCode.PINGRESP_TIMEOUT);
    closed(ReasonCode.NETWORK_UNREACHABLE);
    expect(lines).toHaveLength(5);
  });

  test('a broker that is away for a day costs a line every ten minutes', () => {
    const { closed, lines, time } = observe();
    for (let second = 0; second < 86_400; second += 30) {
      closed(ReasonCode.NETWORK_UNREACHABLE);
      time.now += 30_000;
    }
    expect(lines).toHaveLength(144);
    expect(lines[1]).toContain('(19 more times');
  });

  test('a broker that accepts and drops does not flood, and no cause is named that nobody knows', () => {
    const { closed, connected, lines, observer, time } = observe();
    for (let count = 0; count < 100; ++count) {
      connected();
      time.now += 1000;
      closed(ReasonCode.NETWORK_CLOSED);
      if (count >= 2)
        observer.onEvent(Event.IDENTIFIER_CLASH, Event.UPSTREAM, count + 1);
      time.now += 4000;
    }
    expect(lines.length).toBeLessThan(10);
    expect(lines.filter(line => line.includes('"me"'))).toEqual([
      'warning upstream mqtt://broker:1883 accepts this gateway, and the connection is lost soon, again and again, with nothing under way; why is '
        + 'not known: the log of the broker tells whether another client calls itself "me"; if it does not, look at the network, and at what lies between',
    ]);
  });

  test('a message that is too long is named by its topic, once for each, whichever side it comes from', () => {
    const { lines, observer, packet } = observe();
    for (const [offset, length] of [[0, 3000], [0, 3001], [2, 3000]] as const) {
      packet.topicNameOffset = offset;
      observer.onEvent(Event.OVERSIZE_DROPPED, Event.UPSTREAM, length);
      observer.onEvent(Event.OVERSIZE_DROPPED, 1, length);
    }
    expect(lines).toEqual(['ab', 'cd'].flatMap(topic => [
      `warning dropped a message of 3000 bytes to "${topic}" from upstream: raise upstream.max_packet_size to take it`,
      `warning dropped a message of 3000 bytes to "${topic}" from node "b" from 10.0.0.8: raise listener.max_packet_size to take it`,
    ]));
  });

  test('the end that we made ourselves is no warning', () => {
    const { closed, connected, lines } = observe();
    connected();
    closed(ReasonCode.SUCCESS);
    expect(lines).toEqual(['info upstream mqtt://broker:1883 connected',
      'info upstream mqtt://broker:1883: normal disconnection']);
  });

  test('a stranger that is refused has an address, and does not flood from there', () => {
    const { addresses, lines, observer } = observe();
    for (let count = 0; count < 100; ++count)
      observer.onEvent(Event.NODE_REFUSED, 0, ReasonCode.NOT_AUTHORIZED);
    expect(lines).toHaveLength(10);
    expect(lines[0]).toMatch(/^warning node \(no identifier\) from 10\.0\.0\.7 refused: not authorized .*listener.allow_anonymous/);
    observer.onEvent(Event.NODE_REFUSED, 0, ReasonCode.MALFORMED_PACKET);
    expect(lines.at(-1)).toBe('warning node (no identifier) from 10.0.0.7 refused: malformed packet');
    addresses[0] = undefined;
    observer.onEvent(Event.NODE_REFUSED, 0, ReasonCode.MALFORMED_PACKET);
    expect(lines.at(-1)).toBe('warning node (no identifier) from an unknown address refused: malformed packet');
  });

  test('what one node does is no repetition of what another one did in the same place', () => {
    const { lines, observer, sessions } = observe();
    for (const event of [Event.NODE_QUEUE_FULL, Event.OVERSIZE_DROPPED, Event.SUBSCRIPTIONS_FULL, Event.ACCESS_DENIED,
      Event.RATE_LIMITED, Event.MESSAGE_REFUSED]) {
      lines.length = 0;
      for (const offset of [0, 0, 1, 1, 0]) {
        sessions[3]!.clientIdentifierOffset = offset;
        observer.onEvent(event, 3, 1);
      }
      expect(lines.map(line => /node "(.)"/.exec(line)?.[1])).toEqual(['a', 'b']);
    }
    observer.onEvent(Event.ACCESS_DENIED, 3, Event.FORBIDDEN_SUBSCRIBE);
    observer.onEvent(Event.ACCESS_DENIED, 3, Event.FORBIDDEN_SUBSCRIBE);
    expect(lines.filter(line => line.includes('subscription'))).toHaveLength(1);
  });

  test('a node that is closed for breaking rules is named each time, up to ten times', () => {
    const { lines, observer } = observe();
    for (let count = 0; count < 20; ++count) {
      observer.onEvent(Event.NODE_CLOSED, 1, ReasonCode.MALFORMED_PACKET);
      observer.onEvent(Event.NODE_CLOSED, 2, ReasonCode.SUCCESS);
    }
    expect(lines.filter(line => line === 'warning node "b" from 10.0.0.8 is gone: malformed packet')).toHaveLength(10);
    expect(lines.filter(line => line === 'info node "c" from an unknown address is gone: normal disconnection')).toHaveLength(3);
    observer.onEvent(Event.NODE_CONNECTED, 1, 4);
    expect(lines.at(-1)).toBe('info node "b" from 10.0.0.8 connected with MQTT 3.1.1');
    observer.onEvent(Event.SESSION_EVICTED, 1, 0);
    expect(lines.at(-1)).toBe('warning forgot the session of node "def", which is away, to make room for node "b" from 10.0.0.8 (listener.max_sessions)');
    observer.onEvent(Event.TURNED_AWAY, Event.UPSTREAM, 0);
    observer.onEvent(Event.TURNED_AWAY, Event.UPSTREAM, 0);
    expect(lines.slice(-1)).toEqual(['warning closed a new connection from an unknown address: all places are taken (listener.max_connections)']);
  });

  test('numbers in the text do not make it news', () => {
    const { lines, observer } = observe();
    observer.onEvent(Event.STORE_FULL, Event.UPSTREAM, 1);
    observer.onEvent(Event.STORE_FULL, Event.UPSTREAM, 2);
    expect(lines).toHaveLength(1);
  });

  test('sensors that fail, and our own defects', () => {
    const { lines, observer } = observe();
    const sensor = { name: 'air', type: 'x', topic: 'air', interval: 1, decimals: 1, retain: false };
    observer.onSensorFailed(sensor, new Error('no answer'));
    observer.onSensorRecovered(sensor);
    observer.onException(new TypeError('oops'));
    observer.onException('odd');
    expect(lines.slice(0,
      2)).toEqual(['warning sensor "air" failed: no answer; it is asked again, less and less often',
        'info sensor "air" works again']);
    expect(lines[2]).toMatch(/^error a defect of ringbridge, please report it: TypeError: oops \| at /);
    expect(lines[3]).toContain('odd');
  });
});
