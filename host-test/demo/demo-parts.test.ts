import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DemoBroker, findFreePort } from '../../src/demo/broker.ts';
import { DemoCast, demoConfiguration } from '../../src/demo/cast.ts';
import { DemoNode } from '../../src/demo/node.ts';
import { Screen } from '../../src/host/screen.ts';
import { BrokerStatistics, Rate, textOfPayload } from '../../src/demo/statistics.ts';
import { Log } from '../../src/host/log.ts';
import { startGateway } from '../../src/host/run.ts';
import { MQTT_3_1, MQTT_3_1_1 } from '../../src/packet/protocol-version.ts';

const ADDRESS = '127.0.0.1';

/** Vitest's own second is not enough on a busy machine. */
const eventually = (look: () => void): Promise<void> => vi.waitFor(look, 15_000);

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse())
    await end();
});

/** A port in use, high up, where nothing else is expected. */
async function occupy(): Promise<number> {
  const server = createServer();
  endings.push(() => server.close());
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function startBroker(): Promise<{ broker: DemoBroker; messages: string[] }> {
  const messages: string[] = [];
  const broker = await DemoBroker.start(ADDRESS, await occupy(), {
    onMessage: (topic, payload) => messages.push(`${topic} ${payload.toString()}`),
    onClientConnected: identifier => messages.push(`${identifier} connected`),
    onClientGone: identifier => messages.push(`${identifier} gone`),
  });
  endings.push(() => broker.stop());
  return { broker, messages };
}

const silent = { onConnected() {}, onMessage() {} };

describe('the broker of the demo', () => {
  test('takes the next port when one is in use', async () => {
    const port = await occupy();
    expect(await findFreePort(ADDRESS, port)).toBeGreaterThan(port);
    const { broker } = await startBroker();
    const socket = connect(broker.port, ADDRESS);
    await once(socket, 'connect');
    socket.destroy();
  });

  test('takes the port itself when it is free', async () => {
    const port = await occupy();
    await endings.pop()!();
    expect(await findFreePort(ADDRESS, port)).toBe(port);
  });

  test('says which ports it has tried in vain', async () => {
    await expect(findFreePort(ADDRESS, 65_536)).rejects.toThrow('no port from 65536 to 65535 of 127.0.0.1 is free');
  });

  test('does not take another trouble for a port in use', async () => {
    await expect(findFreePort('192.0.2.1', 20_000)).rejects.toThrow('EADDRNOTAVAIL');
  });

  test('tells of messages and clients, and closes every connection when it stops', async () => {
    const { broker, messages } = await startBroker();
    const node = new DemoNode({ identifier: 'n', version: MQTT_3_1_1 }, ADDRESS, broker.port, {
      onConnected: () => node.publish('a/b', 'ü', 1),
      onMessage() {},
    });
    endings.push(() => node.stop());
    node.start();
    await eventually(() => expect(messages).toEqual(['n connected', 'a/b ü']));
    const stranger = connect(broker.port, ADDRESS);
    await once(stranger, 'connect');
    const closed = once(stranger, 'close');
    await broker.stop();
    await closed;
    expect(messages).toContain('n gone');
  });
});

describe('a node of the demo', () => {
  test.each([['3.1', MQTT_3_1],
    ['3.1.1', MQTT_3_1_1]])('speaks MQTT %s, hears what it subscribed to and says goodbye', async (_name, version) => {
    const { broker, messages } = await startBroker();
    const heard: string[] = [];
    const node = new DemoNode({ identifier: 'n', version, filter: 'to/#',
      will: { topic: 'will', payload: 'gone', qos: 1, retain: false } }, ADDRESS, broker.port, {
      onConnected() {},
      onMessage: (_node, topic, payload) => heard.push(`${topic} ${payload}`),
    });
    endings.push(() => node.stop());
    node.start();
    await eventually(() => {
      node.publish('to/me', 'hello', 1);
      expect(heard).toContain('to/me hello');
    });
    await node.stop();
    expect(node.isConnected).toBe(false);
    await eventually(() => expect(messages).toContain('n gone'));
    expect(messages).not.toContain('will gone');
  });

  test('vanishes without DISCONNECT, so that its Will is published, and comes back', async () => {
    const { broker, messages } = await startBroker();
    const node = new DemoNode({ identifier: 'n', version: MQTT_3_1_1,
      will: { topic: 'will', payload: 'gone', qos: 1, retain: false } }, ADDRESS, broker.port, silent);
    endings.push(() => node.stop());
    node.start();
    await eventually(() => expect(messages).toEqual(['n connected']));
    node.vanish(100);
    expect(node.isConnected).toBe(false);
    expect(node.publish('a', 'b', 0)).toBe(false);
    await eventually(() => expect(messages.filter(message => message === 'n connected')).toHaveLength(2));
    expect(messages).toContain('will gone');
    await eventually(() => expect(node.isConnected).toBe(true));
    expect(node.backAt).toBeUndefined();
  });

  test('comes back when its connection is lost or cannot be made', async () => {
    const port = await findFreePort(ADDRESS, await occupy());
    const node = new DemoNode({ identifier: 'n', version: MQTT_3_1_1 }, ADDRESS, port, silent);
    endings.push(() => node.stop());
    node.start();
    const broker = await DemoBroker.start(ADDRESS, port, { onMessage() {}, onClientConnected() {}, onClientGone() {} });
    endings.push(() => broker.stop());
    await eventually(() => expect(node.isConnected).toBe(true));
  });

  test('refuses a message that is too long for it', async () => {
    const { broker } = await startBroker();
    const node = new DemoNode({ identifier: 'n', version: MQTT_3_1_1 }, ADDRESS, broker.port, silent);
    endings.push(() => node.stop());
    node.start();
    await eventually(() => expect(node.publish('a', 'b'.repeat(500), 0)).toBe(true));
    expect(node.publish('a', 'b'.repeat(512), 0)).toBe(false);
  });
});

describe('the cast of the demo', () => {
  test('makes one node after the other vanish, and shows them beside guests', async () => {
    const { broker, messages } = await startBroker();
    const lines: string[] = [];
    const log = new Log(line => lines.push(line.replace(/^\S+ /, '')));
    const gateway = await startGateway({ ...demoConfiguration(0, broker.port) }, log);
    endings.push(() => gateway.stop());
    const cast = new DemoCast(gateway.port, log);
    endings.push(() => cast.stop());
    cast.killOne();
    expect(lines).toEqual(['info no node is connected: wait until one comes back']);
    cast.start();
    await eventually(() => expect(cast.view([]).map(({ isConnected }) => isConnected)).toEqual([true, true, true]));
    await eventually(() => expect(messages).toContain('demo/rover/status here'));
    for (let count = 0; count < 3; ++count)
      cast.killOne();
    expect(lines.filter(line => line.includes('vanishes'))).toEqual(['weather', 'door', 'rover'].map(name =>
      `info node "${name}" vanishes now, without DISCONNECT`));
    await eventually(() => expect(messages).toContain('demo/rover/status gone'));
    const view = cast.view([
      { identifier: 'door', connected: true, version: 'MQTT 3.1', queuedMessages: 0 },
      { identifier: 'guest', connected: true, version: 'MQTT 3.1', queuedMessages: 0 },
      { identifier: 'friend', connected: false, version: null, queuedMessages: 1 },
    ]);
    expect(view.map(({ identifier, isConnected, state, version }) =>
      [identifier, version, isConnected, state.replace(/\d s$/, '# s')])).toEqual([
      ['weather', 'MQTT 3.1.1', false, 'gone without DISCONNECT, back in # s'],
      ['door', 'MQTT 3.1', false, 'gone without DISCONNECT, back in # s'],
      ['rover', 'MQTT 3.1.1', false, 'gone without DISCONNECT, back in # s'],
      ['guest', 'MQTT 3.1', true, 'connected'],
      ['friend', '', false, 'away, 1 message waits for it'],
    ]);
    expect(cast.isKnownTo([{ identifier: 'door', connected: true }])).toBe(true);
    expect(cast.isKnownTo([{ identifier: 'door', connected: false },
      { identifier: 'guest', connected: true }])).toBe(false);
  });
});

describe('the statistics of the demo', () => {
  test('keep the last value and the count of each topic, the important ones first', () => {
    const statistics = new BrokerStatistics();
    statistics.add('a', '1');
    statistics.add('b', '2');
    statistics.add('a', '3');
    expect(statistics.count).toBe(3);
    expect(statistics.topics(topic => topic === 'b').map(({ count, payload, topic }) =>
      [topic, payload, count])).toEqual([['b', '2', 1], ['a', '3', 2]]);
    for (const { age } of statistics.topics(() => false))
      expect(age).toBeLessThan(5);
  });

  test('remember a limited number of topics and count all messages', () => {
    const statistics = new BrokerStatistics();
    for (let index = 0; index < 1000; ++index)
      statistics.add(`topic ${index}`, '');
    expect(statistics.topics(() => false)).toHaveLength(200);
    expect(statistics.count).toBe(1000);
    statistics.add('topic 0', 'again');
    expect(statistics.topics(() => false)[0]).toMatchObject({ payload: 'again', count: 2 });
  });

  test('average a rate over the last five seconds', () => {
    const rate = new Rate();
    expect(rate.update(0, 0)).toBe(0);
    expect(rate.update(1000, 10)).toBe(10);
    for (let second = 2; second <= 10; ++second)
      rate.update(second * 1000, 10);
    expect(rate.update(11_000, 20)).toBe(2);
    expect(rate.update(12_000, 20)).toBe(2);
    expect(rate.update(30_000, 20)).toBeLessThan(1);
  });

  test('shorten long payloads', () => {
    expect(textOfPayload(Buffer.from('short'))).toBe('short');
    expect(textOfPayload(Buffer.alloc(1000, 'x'))).toBe(`${'x'.repeat(64)}…`);
  });
});

describe('the screen of the demo', () => {
  class FakeTerminal extends EventEmitter {
    isTTY = true;
    columns = 80;
    rows = 24;
    written = '';
    rawModes: boolean[] = [];
    flow = '';
    writableNeedDrain = false;
    write(text: string): boolean {
      this.written += text;
      return true;
    }
    setRawMode(mode: boolean): void {
      this.rawModes.push(mode);
    }
    resume(): this {
      this.flow += 'resume ';
      return this;
    }
    pause(): this {
      this.flow += 'pause ';
      return this;
    }
  }

  function open(draw: (size: { columns: number; rows: number }) => string = ({ columns, rows }) =>
    `${columns} x ${rows}`) {
    const input = new FakeTerminal();
    const output = new FakeTerminal();
    const keys: string[] = [];
    const screen =
      new Screen(input as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream, draw, key =>
        keys.push(key));
    endings.push(screen.close);
    screen.open();
    return { input, keys, output, screen };
  }

  test('enters, draws at once, and leaves as it was', () => {
    const { input, output, screen } = open();
    expect(output.written).toBe('\x1b[?1049h\x1b[?25l\x1b[H80 x 24\x1b[K\x1b[J');
    output.written = '';
    const listeners = process.listenerCount('exit');
    screen.close();
    screen.close();
    expect(output.written).toBe('\x1b[?25h\x1b[?1049l');
    expect(input.rawModes).toEqual([true, false]);
    expect(input.flow).toBe('resume pause ');
    expect([input.listenerCount('data'), output.listenerCount('resize'), process.listenerCount('exit')]).toEqual([0,
      0, listeners - 1]);
  });

  test('draws anew when the size changes', () => {
    const { output } = open();
    output.written = '';
    output.columns = 100;
    output.emit('resize');
    expect(output.written).toBe('\x1b[H100 x 24\x1b[K\x1b[J');
  });

  test('writes a frame only when it is another one, and the terminal keeps up', () => {
    vi.useFakeTimers();
    endings.push(() => vi.useRealTimers());
    let frame = 'one';
    const { output } = open(() => frame);
    output.written = '';
    vi.advanceTimersByTime(1000);
    expect(output.written).toBe('');
    frame = 'two\nlines';
    output.writableNeedDrain = true;
    vi.advanceTimersByTime(1000);
    expect(output.written).toBe('');
    output.writableNeedDrain = false;
    vi.advanceTimersByTime(250);
    expect(output.written).toBe('\x1b[Htwo\x1b[K\r\nlines\x1b[K\x1b[J');
  });

  test('passes letters on, not the keys that send sequences', () => {
    const { input, keys } = open();
    input.emit('data', Buffer.from('un'));
    input.emit('data', Buffer.from('\x1b[1;5u'));
    input.emit('data', Buffer.from('\x03'));
    expect(keys).toEqual(['u', 'n', '\x03']);
  });

  test('gives a terminal of unknown size the usual one', () => {
    const { output } = open();
    output.written = '';
    output.columns = output.rows = 0;
    output.emit('resize');
    expect(output.written).toContain('80 x 24');
  });

  test('is not for pipes and typewriters', () => {
    const output = new FakeTerminal();
    vi.stubEnv('TERM', 'xterm');
    endings.push(() => vi.unstubAllEnvs());
    expect(Screen.isPossible(output as unknown as NodeJS.WriteStream)).toBe(true);
    vi.stubEnv('TERM', 'dumb');
    expect(Screen.isPossible(output as unknown as NodeJS.WriteStream)).toBe(false);
    vi.stubEnv('TERM', 'xterm');
    output.isTTY = false;
    expect(Screen.isPossible(output as unknown as NodeJS.WriteStream)).toBe(false);
  });
});
