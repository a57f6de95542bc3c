import { describe, expect, test } from 'vitest';
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { ALL_IS_WELL } from '../../src/gateway/advice.ts';
import { statusOf, type Status } from '../../src/gateway/status.ts';
import { NO_TLS } from '../../src/gateway/status-sources.ts';
import * as Phase from '../../src/upstream/upstream-phase.ts';
import { createPlatform } from '../../src/host/platform.ts';
import { Log } from '../../src/host/log.ts';
import { LogObserver } from '../../src/host/log-observer.ts';
import { startGateway } from '../../src/host/run.ts';
import { Runtime } from '../../src/io/runtime.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { VERSION } from '../../src/nodes/system-messages.ts';
import { CONNECTED } from '../../src/session/connection-state.ts';
import { exchange, FakeServer, freePort } from './command-line.ts';

const SECRETS = ['upstream-user', 'upstream-secret', 'node-user', 'node-secret'];

const BASE: PartialConfiguration = {
  name: 'greenhouse',
  upstream: { address: ['mqtt://broker:1884'], remote_username: SECRETS[0]!, remote_password: SECRETS[1]! },
  listener: { allow_anonymous: true, address: '127.0.0.1', port: 0,
    users: [{ username: SECRETS[2]!, password: SECRETS[3]! }] },
  topic: [{ pattern: '#', remote_prefix: 'site/' }, { pattern: 'set/#', direction: 'in', remote_prefix: 'site/' }],
  sensors: [{ name: 'air', type: 'simulated', topic: 'air/temperature' }],
};

/** A gateway that is not started, put into the state that a test wants. */
function build(partial: PartialConfiguration = {}): Runtime {
  const observer = new LogObserver(new Log(() => {}), { onListening() {}, onListenerError() {} });
  const runtime =
    new Runtime(completeConfiguration({ ...BASE, ...partial }),
      createPlatform({ authenticate: () => ReasonCode.SUCCESS }), observer);
  return observer.runtime = runtime;
}

function connected(partial: PartialConfiguration = {}): Runtime {
  const runtime = build(partial);
  runtime.upstream.phase = Phase.OPEN;
  runtime.gateway.upstream.state = CONNECTED;
  for (const rule of runtime.gateway.bridge.inbound.rules)
    rule.granted = rule.qos;
  return runtime;
}

describe('the status', () => {
  test('tells of the board why it started, and its memory, where it can be asked', () => {
    const machine = {
      startText: 'started because the power came', resetReason: 1, startCount: 3,
      heapFree: 30_000, heapMinimum: 20_000, heapLargest: 10_000, wifiSignal: 0,
    };
    const platform = { ...createPlatform({ authenticate: () => ReasonCode.SUCCESS }), machine };
    const observer = new LogObserver(new Log(() => {}), { onListening() {}, onListenerError() {} });
    const runtime = observer.runtime = new Runtime(completeConfiguration(BASE), platform, observer);
    expect(statusOf(runtime, 0).board).toEqual({
      started: 'started because the power came', starts: 3, heapFree: 30_000, heapMinimum: 20_000, heapLargest: 10_000,
    });
  });

  test('is plain data with everything in it', () => {
    const status = statusOf(connected(), 0);
    expect(status).toEqual<Status>({
      name: 'greenhouse',
      version: VERSION,
      time: null,
      uptime: 0,
      advice: ALL_IS_WELL,
      upstream: { state: 'connected', address: 'mqtt://broker:1884', reason: null, next: 'nothing waits',
        nextAttemptIn: null, attempts: 0, version: 'MQTT 3.1.1', probe: null },
      listener: { port: null, problem: null },
      nodes: [],
      counters: {
        connectedNodes: 0, receivedFromNodes: 0, sentToNodes: 0, droppedForNodes: 0, receivedFromUpstream: 0,
          acceptedForUpstream: 0, sentUpstream: 0, droppedUpstream: 0,
        tooLongFromUpstream: 0, unfitFromUpstream: 0, unaskedFromUpstream: 0, subscriptions: 0, retainedMessages: 0,
          refused: 0,
          turnedAway: 0, brokenRules: 0,
          denied: 0, held: 0, heldForRoom: 0, evictedSessions: 0, droppedSessions: 0, droppedSubscriptions: 0,
          droppedWills: 0,
      },
      endings: {},
      store: { durable: false, inMemory: 0, count: 0, bytes: 0, capacity: 8192, oldest: null, dropped: 0 },
      quarantine: { count: 0, bytes: 0, capacity: [16, 8192], setAside: 0, givenUp: 0, messages: [] },
      rules: [
        { pattern: '#', direction: 'out', local: '#', remote: 'site/#', forwarded: 0, dropped: 0, refused: 0 },
        { pattern: 'set/#', direction: 'in', local: 'set/#', remote: 'site/set/#', forwarded: 0, dropped: 0,
          refused: 0 },
      ],
      sensors: [{ name: 'air', topic: 'air/temperature', value: null, works: true, faults: 0, fault: null }],
      board: null, tls: NO_TLS,
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  test('holds no secret', () => {
    const text = JSON.stringify([statusOf(connected(), 0), statusOf(build(), 0)]);
    for (const secret of SECRETS)
      expect(text).not.toContain(secret);
  });

  test.each<readonly [string, number, boolean, string, string]>([
    ['stopped', Phase.STOPPED, false, 'stopped', 'nothing'],
    ['resolving', Phase.RESOLVING, false, 'asking for the address of the broker', 'connect'],
    ['connecting', Phase.CONNECTING, false, 'connecting', 'say CONNECT'],
    ['open', Phase.OPEN, false, 'waiting for the broker to accept', 'subscribe and send what waits'],
    ['connected', Phase.OPEN, true, 'connected', 'nothing waits'],
    ['waiting', Phase.WAITING, false, 'waiting before the next attempt', 'connect again'],
  ])('tells the phase in words: %s', (_name, phase, isConnected, state, next) => {
    const runtime = isConnected ? connected() : build();
    runtime.upstream.phase = phase;
    expect(statusOf(runtime, 0).upstream).toMatchObject({ state, next });
  });

  test('counts down to the next attempt, also when the clock wraps round', () => {
    const runtime = build();
    Object.assign(runtime.upstream,
      { phase: Phase.WAITING, reasonCode: ReasonCode.NETWORK_UNREACHABLE, deadline: 0x7FFFFFFF + 1000 | 0,
        attemptCount: 3 });
    expect(statusOf(runtime, 0x7FFFFFFF - 500).upstream).toMatchObject({ nextAttemptIn: 2, attempts: 3,
      reason: 'cannot reach the network address' });
    expect(statusOf(runtime, 0x7FFFFFFF + 2000 | 0).upstream.nextAttemptIn).toBe(0);
  });
});

function granted(code: number): Runtime {
  const runtime = connected();
  runtime.gateway.bridge.inbound.rules[0]!.granted = code;
  return runtime;
}

describe('the advice', () => {
  const WAITING = { phase: Phase.WAITING, deadline: 5000 };
  test.each<readonly [string, () => Runtime, string]>([
    ['nothing is wrong', () => connected(), ALL_IS_WELL],
    ['stopped', () => build(), 'the gateway is stopped: start it again'],
    ['the first attempt', () => {
      const runtime = build();
      runtime.upstream.phase = Phase.CONNECTING;
      return runtime;
    }, 'the connection to mqtt://broker:1884 is being made: wait a moment'],
    ['no broker', () => {
      const runtime = build();
      Object.assign(runtime.upstream, WAITING, { reasonCode: ReasonCode.NETWORK_UNREACHABLE });
      return runtime;
    }, 'no connection to the broker: cannot reach the network address: is a broker listening at upstream.address?; the next attempt is in 5 seconds, at mqtt://broker:1884'],
    ['a wrong password, while trying again', () => {
      const runtime = build();
      Object.assign(runtime.upstream, { phase: Phase.CONNECTING, reasonCode: ReasonCode.NOT_AUTHORIZED });
      return runtime;
    }, 'no connection to the broker: not authorized: check upstream.remote_username and upstream.remote_password; an attempt is being made at mqtt://broker:1884'],
    ['a broken sensor', () => {
      const runtime = connected();
      runtime.sensors.states[0]!.pause = 2;
      return runtime;
    }, 'sensor "air" does not answer: check its wiring'],
    ['messages dropped for nodes', () => {
      const runtime = connected();
      runtime.gateway.delivery.droppedCount = 3;
      return runtime;
    }, '3 messages from or for nodes were dropped in the last minutes: raise listener.max_queued_messages, max_queued_bytes or max_packet_size'],
    ['a message dropped for the broker', () => {
      const runtime = connected();
      runtime.gateway.bridge.droppedCount = 1;
      return runtime;
    }, '1 message for the broker was dropped in the last minutes: raise store.ram, or send less'],
    ['messages of the broker that were too long', () => {
      const runtime = connected();
      runtime.gateway.bridge.oversizeCount = 2;
      return runtime;
    }, '2 messages from the broker were dropped in the last minutes: raise upstream.max_packet_size; the log has the topics'],
    ['a subscription that was refused', () => granted(0x80),
      'the broker has refused the subscription to "site/set/#": check the access rights of upstream.remote_username'],
    ['a subscription that was granted with less', () => granted(0),
      'the broker sends "site/set/#" with QoS 0 at most: ask its operator for 1, or write that as the qos of the rule'],
    ['a subscription that was not answered', () => granted(-1),
      'the broker has not granted the subscription to "site/set/#" yet: wait a moment'],
    ['a subscription that was given up', () => {
      const runtime = granted(-1);
      runtime.gateway.bridge.inbound.rules[0]!.isSetAside = true;
      return runtime;
    }, 'the broker closes the connection for the subscription to "site/set/#", or never answers it, so it is not asked for any more: '
      + 'check the rule, and the rights of upstream.remote_username, then restart'],
    ['an identifier that is fought over', () => {
      const runtime = connected();
      Object.assign(runtime.upstream, { clash: { isLikely: true } });
      return runtime;
    }, 'mqtt://broker:1884 accepts this gateway, and the connection is lost soon, again and again, with nothing under way; why is not known: the log of the broker tells whether another client calls itself "greenhouse"; if it does not, look at the network, and at what lies between'],
    ['an acknowledgement that is overdue', () => {
      const runtime = connected();
      Object.assign(runtime.gateway.upstream,
        { pendingIdentifier: 1, requestedAt: -7500 }); // a tenth of 60 seconds is 6
      return runtime;
    }, 'the broker has acknowledged nothing for 7 seconds: it, or the network, is slow or stuck'],
    ['an acknowledgement that is awaited, as it should be', () => {
      const runtime = connected();
      Object.assign(runtime.gateway.upstream, { pendingIdentifier: 1, requestedAt: -5500 });
      return runtime;
    }, ALL_IS_WELL],
    ['no rules', () => connected({ topic: [] }), 'nothing crosses the bridge: write rules in "topic"'],
    ['no users', () => connected({ listener: {} }),
      'no node can connect: write users in listener.users, or set listener.allow_anonymous'],
  ])('in the case of %s', (_name, make, advice) => {
    expect(statusOf(make(), 0).advice).toBe(advice);
  });
});

describe('of a running gateway', () => {
  /**
   * CONNECT with Clean Session 0 and identifier "n1"; SUBSCRIBE "a" QoS 1; PUBLISH "b" QoS 1; DISCONNECT is not sent.
   */
  const CONNECT = '10 0e 00 04 4d 51 54 54 04 00 00 3c 00 02 6e 31';
  const SUBSCRIBE = '82 06 00 01 00 01 61 01';
  const PUBLISH = '32 06 00 01 62 00 02 78';

  test('shows the node, what it sent, and the store while the broker is away', async () => {
    const port = await freePort();
    const configuration =
      completeConfiguration({ ...BASE, upstream: { address: [`mqtt://127.0.0.1:${port}`] },
        topic: [{ pattern: '#', qos: 1 }], sensors: [] });
    const { port: listenerPort, runtime, stop } = await startGateway(configuration, new Log(() => {}));
    expect(await exchange(listenerPort, `${CONNECT} ${SUBSCRIBE} ${PUBLISH}`,
      13)).toBe('20020000' + '9003000101' + '40020002');
    const status = statusOf(runtime, performance.now() | 0);
    expect(status.nodes).toEqual([expect.objectContaining({ identifier: 'n1', queuedMessages: 0 })]);
    expect(status.counters)
      .toMatchObject({ receivedFromNodes: 1, subscriptions: 1, acceptedForUpstream: 1, sentUpstream: 0 });
    expect(status.store.count).toBe(1);
    expect(status.rules[0]).toMatchObject({ forwarded: 1, dropped: 0 });
    expect(status.advice).toMatch(/^(no connection to the broker|the connection to)/);
    await stop();
    expect(statusOf(runtime, performance.now() | 0).upstream.state).toBe('stopped');
  });

  test('tells when it was asked, how long it has run, and no reason while all is well', async () => {
    const server = new FakeServer([0x20, 0x02, 0x00, 0x00]);
    const configuration =
      completeConfiguration({ ...BASE, topic: [{}],
        upstream: { address: [`mqtt://127.0.0.1:${await server.listen()}`] } });
    const { runtime, stop } = await startGateway(configuration, new Log(() => {}));
    await server.until(() => server.received.includes(Buffer.from('air/temperature').toString('hex')));
    runtime.upstream.reasonCode = ReasonCode.NETWORK_CLOSED; // of an earlier attempt
    expect(statusOf(runtime, (performance.now() | 0) + 5000, 1_800_000_000)).toMatchObject({ time: 1_800_000_000,
      uptime: 5, upstream: { state: 'connected', reason: null } });
    await stop();
    server.close();
  });

  test('shows the readings of its sensors', async () => {
    const server = new FakeServer([0x20, 0x02, 0x01, 0x00]); // the session goes on: readings need not wait for SUBACK
    const configuration =
      completeConfiguration({ ...BASE, upstream: { address: [`mqtt://127.0.0.1:${await server.listen()}`] } });
    const { runtime, stop } = await startGateway(configuration, new Log(() => {}));
    await server.until(() => runtime.gateway.upstream.isConnected
      && server.received.includes(Buffer.from('site/air/temperature').toString('hex')));
    const status = statusOf(runtime, performance.now() | 0);
    expect(status.sensors).toEqual([{ name: 'air', topic: 'air/temperature', value: expect.any(Number) as number,
      works: true, faults: 0, fault: null }]);
    expect(status.upstream).toMatchObject({ state: 'connected', attempts: 1 });
    await stop();
    server.close();
  });
});
