import { describe, expect, test } from 'vitest';
import { ALL_IS_WELL } from '../../src/gateway/advice.ts';
import type { Status } from '../../src/gateway/status.ts';
import { NO_TLS } from '../../src/gateway/status-sources.ts';
import { render, type View } from '../../src/demo/view.ts';
import { durationOf, type ViewSize } from '../../src/host/frame.ts';

const STATUS: Status = {
  name: 'demo',
  version: '1.0.0',
  time: null,
  uptime: 5,
  advice: ALL_IS_WELL,
  upstream: { state: 'connected', address: 'mqtt://127.0.0.1:1884', reason: null, next: 'nothing waits',
    nextAttemptIn: null, attempts: 1, version: null, probe: null },
  listener: { port: 1883, problem: null },
  nodes: [],
  counters: {
    connectedNodes: 2, receivedFromNodes: 40, sentToNodes: 0, droppedForNodes: 0, receivedFromUpstream: 0,
      acceptedForUpstream: 60, sentUpstream: 60, droppedUpstream: 0,
    tooLongFromUpstream: 0, unfitFromUpstream: 0, unaskedFromUpstream: 0, subscriptions: 1, retainedMessages: 1,
    refused: 0, turnedAway: 0, brokenRules: 0, denied: 0, held: 0, heldForRoom: 0, evictedSessions: 0,
    droppedSessions: 0, droppedSubscriptions: 0, droppedWills: 0,
  },
  endings: {},
  store: { durable: false, inMemory: 0, count: 0, bytes: 0, capacity: 32_768, oldest: null, dropped: 0 },
  quarantine: { count: 0, bytes: 0, capacity: [256, 262_144], setAside: 0, givenUp: 0, messages: [] },
  rules: [],
  sensors: [
    { name: 'air', topic: 'air/temperature', value: 21.5, works: true, faults: 0, fault: null },
    { name: 'pump', topic: 'pump/running', value: 1, works: true, faults: 0, fault: null },
  ],
  board: null, tls: NO_TLS,
};

const VIEW: View = {
  status: STATUS,
  uptime: 65.4,
  gateway: '127.0.0.1:1883',
  broker: '127.0.0.1:1884',
  rates: { fromNodes: 2.5, forBroker: 4, atBroker: 3.96 },
  brokerCount: 57,
  nodes: [
    { identifier: 'weather', version: 'MQTT 3.1.1', isConnected: true, state: 'connected' },
    { identifier: 'door', version: 'MQTT 3.1', isConnected: true, state: 'connected' },
    { identifier: 'rover', version: 'MQTT 3.1.1', isConnected: false, state: 'gone without DISCONNECT, back in 3 s' },
  ],
  topics: [
    { topic: 'demo/air/temperature', payload: '21.50', count: 30, age: 0.4 },
    { topic: 'demo/pump/running', payload: '1', count: 15, age: 1.6 },
    { topic: 'demo/rover/status', payload: 'gone', count: 2, age: 12 },
    { topic: 'demo/door/state', payload: 'closed', count: 15, age: 1 },
    { topic: 'demo/weather/humidity', payload: '55.1', count: 30, age: 1 },
  ],
  events: [
    { time: '12:00:00', level: 'info', text: 'the oldest event' },
    { time: '12:00:01', level: 'info', text: 'node "door" connected with MQTT 3.1' },
    { time: '12:00:02', level: 'warning', text: 'node "rover" is gone: network connection lost' },
    { time: '12:00:03', level: 'info', text: 'published the Will of node "rover"' },
    { time: '12:00:04', level: 'error', text: 'the latest event' },
  ],
  commands: [
    { purpose: 'watch', command: "mosquitto_sub -h 127.0.0.1 -p 1884 -t 'demo/#' -v" },
    { purpose: 'send', command: 'mosquitto_pub -h 127.0.0.1 -p 1883 -t hello -m world' },
  ],
  keys: 'u: pull the upstream plug   n: make a node vanish   q: quit',
};

const DISCONNECTED: View = {
  ...VIEW,
  status: {
    ...STATUS,
    advice: 'no connection to the broker',
    upstream: { ...STATUS.upstream, state: 'waiting before the next attempt', reason: 'network connection lost',
      next: 'connect again', nextAttemptIn: 2 },
    store: { durable: false, inMemory: 0, count: 17, bytes: 700, capacity: 32_768, oldest: null, dropped: 0 },
  },
};

const USUAL: ViewSize = { columns: 80, rows: 24, colour: false };

/** What the terminal makes of colours. */
const withoutColours = (text: string): string => text.replace(/\x1b\[\d+m/g, '');

describe('the live view', () => {
  test('fills a usual terminal', () => {
    expect(render(VIEW, USUAL).split('\n')).toEqual([
      'Ringbridge gateway "demo", up 0:01:05',
      'all is well',
      '2 sensors, 2 of 3 nodes ──► gateway 127.0.0.1:1883 ══► broker 127.0.0.1:1884',
      'upstream  connected, nothing waits',
      'messages  2.5/s from nodes, 4.0/s for the broker; 4.0/s arrived, 57 in all',
      'store     ░░░░░░░░░░░░░░░░░░░░ 0 of 32768 bytes, 0 messages, 0 dropped',
      'NODES',
      '  ● weather MQTT 3.1.1  connected',
      '  ● door    MQTT 3.1    connected',
      '  ○ rover   MQTT 3.1.1  gone without DISCONNECT, back in 3 s',
      'AT THE BROKER: last value, messages, age',
      '  demo/air/temperature  21.50               30  0 s',
      '  demo/pump/running     1                   15  2 s',
      '  demo/rover/status     gone                 2  12 s',
      '  demo/door/state       closed              15  1 s',
      '  demo/weather/humidity 55.1                30  1 s',
      'EVENTS',
      '  12:00:01 node "door" connected with MQTT 3.1',
      '  12:00:02 node "rover" is gone: network connection lost',
      '  12:00:03 published the Will of node "rover"',
      '  12:00:04 the latest event',
      "  watch mosquitto_sub -h 127.0.0.1 -p 1884 -t 'demo/#' -v",
      '  send  mosquitto_pub -h 127.0.0.1 -p 1883 -t hello -m world',
      '  u: pull the upstream plug   n: make a node vanish   q: quit',
    ]);
  });

  test('shows that the broker is away, why, and what waits', () => {
    const lines = render(DISCONNECTED, { ...USUAL, columns: 120 }).split('\n');
    expect(lines[1]).toBe('no connection to the broker');
    expect(lines[2]).toBe('2 sensors, 2 of 3 nodes ──► gateway 127.0.0.1:1883 ═╳ ► broker 127.0.0.1:1884');
    expect(lines[3]).toBe('upstream  waiting before the next attempt in 2 s (network connection lost)');
    expect(lines[5]).toBe('store     █░░░░░░░░░░░░░░░░░░░ 700 of 32768 bytes, 17 messages, 0 dropped');
  });

  test('tells what was refused, if anything was', () => {
    const show = (counters: Partial<Status['counters']>): string[] =>
      render({ ...VIEW, status: { ...STATUS, counters: { ...STATUS.counters, ...counters } } },
        { ...USUAL, columns: 120 }).split('\n');
    expect(show({}).some(line => line.startsWith('nodes '))).toBe(false);
    expect(show({ refused: 2, turnedAway: 1, denied: 4, held: 5, heldForRoom: 0, evictedSessions: 6, brokenRules: 7,
      droppedForNodes: 8 }))
      .toContain('nodes     3 refused, 7 closed for broken rules, 4 denied by acl, 5 held by rate, 6 sessions evicted, 8 messages dropped');
  });

  test('fills the bar with the store', () => {
    const bar = (bytes: number): string =>
      /[█░]+/.exec(render({ ...VIEW, status: { ...STATUS, store: { ...STATUS.store, bytes } } }, USUAL))![0];
    expect(bar(0)).toBe('░'.repeat(20));
    expect(bar(1)).toBe(`█${'░'.repeat(19)}`);
    expect(bar(16_384)).toBe('█'.repeat(10) + '░'.repeat(10));
    expect(bar(32_768)).toBe('█'.repeat(20));
  });

  test('gives room to spare to blank lines and events', () => {
    const lines = render(VIEW, { ...USUAL, rows: 40 }).split('\n');
    expect(lines).toHaveLength(40);
    expect(lines.filter(line => line === '').length).toBeGreaterThanOrEqual(4);
    expect(lines).toContain('  12:00:00 the oldest event');
  });

  test('tells how many topics a small terminal hides, and leaves out the commands, never the keys', () => {
    const lines = render(VIEW, { ...USUAL, rows: 18 }).split('\n');
    expect(lines).toHaveLength(18);
    expect(lines).toContain('AT THE BROKER: last value, messages, age  (2 more)');
    expect(lines.join()).not.toContain('mosquitto');
    expect(lines.at(-1)).toBe(`  ${VIEW.keys}`);
  });

  test('fits every size, with and without colours', () => {
    const busy: View =
      { ...DISCONNECTED,
        nodes: Array.from({ length: 20 }, (_, index) => ({ ...VIEW.nodes[0]!, identifier: `node ${index}` })) };
    for (const view of [VIEW, busy])
      for (let rows = 1; rows <= 60; ++rows)
        for (const columns of [1, 2, 3, 10, 40, 79, 80, 200])
          for (const colour of [false, true]) {
            const lines = withoutColours(render(view, { columns, rows, colour })).split('\n');
            expect(lines.length).toBeLessThanOrEqual(rows);
            for (const line of lines)
              expect([...line].length).toBeLessThan(Math.max(columns, 1));
          }
  });

  test('colours the same text, and ends every colour in its line', () => {
    const coloured = render(DISCONNECTED, { ...USUAL, colour: true });
    expect(withoutColours(coloured)).toBe(render(DISCONNECTED, USUAL));
    expect(coloured).toContain('\x1b[31mwaiting before the next attempt\x1b[0m');
    for (const line of coloured.split('\n'))
      expect(line.match(/\x1b\[[1-9]\d*m/g)?.length ?? 0).toBe(line.match(/\x1b\[0m/g)?.length ?? 0);
    expect(render(DISCONNECTED, USUAL)).not.toContain('\x1b');
  });

  test('lets nothing that a stranger sent reach the terminal as a control sequence', () => {
    const evil = '\x1b[2J\r\n\x07\u202e';
    const view: View = {
      ...VIEW,
      nodes: [{ ...VIEW.nodes[0]!, identifier: evil }],
      topics: [{ topic: evil, payload: evil, count: 1, age: 0 }],
      events: [{ time: '12:00:00', level: 'info', text: evil }],
    };
    const frame = render(view, { ...USUAL, columns: 200 });
    expect(frame).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    expect(frame.split('\n')).toHaveLength(24);
    expect(frame.split('\\u001b[2J')).toHaveLength(5); // once per place
  });

  test('counts wide characters as two columns', () => {
    const view: View = { ...VIEW, events: [{ time: '12:00:00', level: 'info', text: '温度'.repeat(30) }] };
    const line = render(view, { ...USUAL, columns: 32 }).split('\n').find(text => text.includes('温'))!;
    expect(line).toBe(`  12:00:00 ${'温度'.repeat(4)}温…`);
  });

  test.each([[0, '0:00:00'], [59.9, '0:00:59'], [3725, '1:02:05'], [360_000, '100:00:00']])('writes %d seconds as %s',
    (seconds, text) => {
    expect(durationOf(seconds)).toBe(text);
  });
});
