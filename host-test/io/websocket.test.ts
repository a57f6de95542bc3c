/** MQTT within WebSocket at the listener: clients of others, requests by hand, and who may connect. */
import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect as connectMQTT } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { authority, localServer } from '../host/certificates.ts';
import { Stage, until } from '../host/tls-stage.ts';
import { frame, readFrames, REQUEST } from './websocket-frame.ts';

let stage: Stage;
const sockets: Socket[] = [];
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => {
  sockets.splice(0).forEach(socket => socket.destroy());
  await stage.end();
});

async function listen(more: PartialConfiguration['listener'] = {}): Promise<number> {
  await stage.start({ address: ['mqtt://127.0.0.1:1'] },
    { listener: { protocol: 'websockets', max_packet_size: 65_536, max_queued_bytes: 200_000, ...more } });
  await until(() => stage.port !== 0);
  return stage.port;
}

const CONNECT = '100d00044d5154540402003c000161';
const CONNACK = '20020000';

class Client {
  received = Buffer.alloc(0);
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number, socket: Socket = connect(port, '127.0.0.1')) {
    this.socket = socket;
    sockets.push(socket);
    socket.on('data', data => this.received = Buffer.concat([this.received, data]));
    socket.on('error', () => {}).on('close', () => this.isClosed = true).on('end', () => this.isClosed = true);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Of what came behind the answer to the request. */
  get frames(): ReturnType<typeof readFrames> {
    const end = this.received.indexOf('\r\n\r\n');
    return readFrames(end < 0 ? Buffer.alloc(0) : this.received.subarray(end + 4));
  }
}

const LENGTHS = [0, 1, 116, 117, 118, 119, 120, 125, 126, 1000, 16_000, 16_384, 40_000, 60_000];

describe('MQTT within WebSocket', () => {
  test.each([3, 4, 5] as const)('serves MQTT.js, protocol level %i, with messages of all lengths, in both directions', async level => {
    const client = connectMQTT(`ws://127.0.0.1:${await listen()}/mqtt`,
      { reconnectPeriod: 0, protocolVersion: level, ...level === 3 && { protocolId: 'MQIsdp' } });
    const lengths: number[] = [];
    client.on('message', (_topic, payload) => lengths.push(payload.length));
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await client.subscribeAsync('a/#', { qos: 1 });
    for (const length of LENGTHS)
      await client.publishAsync('a/b', Buffer.alloc(length, 65), { qos: 1 });
    await until(() => lengths.length === LENGTHS.length);
    expect(lengths).toEqual(LENGTHS);
    await client.endAsync();
  });

  test('serves MQTT.js through TLS', async () => {
    const ca = authority();
    const { cert, key } = localServer(ca);
    const port = await listen({ certfile: stage.file('c', cert), keyfile: stage.file('k', key) });
    const client = connectMQTT(`wss://localhost:${port}/mqtt`, { reconnectPeriod: 0, ca: ca.cert });
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await client.endAsync();
    const plain = new Client(port, connectTLS({ port, host: '127.0.0.1', ca: ca.cert, servername: 'localhost' }));
    plain.socket.write(Buffer.from(CONNECT, 'hex'));
    await stage.line(/speaks no WebSocket/);
  });

  test('serves Paho Python, with messages of all lengths', async () => {
    const program = `
import sys, time
import paho.mqtt.client as mqtt
lengths = [${LENGTHS.join()}]
got = []
client = mqtt.Client(client_id="paho", transport="websockets", protocol=mqtt.MQTTv311)
client.ws_set_options(path="/mqtt")
def connected(client, userdata, flags, code):
    client.subscribe("p/#", 1)
def subscribed(client, userdata, mid, granted):
    for length in lengths:
        client.publish("p/q", b"x" * length, 1)
client.on_connect = connected
client.on_subscribe = subscribed
client.on_message = lambda client, userdata, message: got.append(len(message.payload))
client.connect("127.0.0.1", int(sys.argv[1]), 60)
end = time.time() + 15
while len(got) < len(lengths) and time.time() < end:
    client.loop(0.1)
client.disconnect()
client.loop(0.1)
sys.exit(0 if sorted(got) == lengths else 1)
`;
    const { stderr } =
      await promisify(execFile)('/usr/bin/python3', ['-c', program, String(await listen())], { timeout: 30_000 });
    expect(stderr).toBe('');
    expect(stage.lines.filter(line => line.startsWith('warning a node'))).toEqual([]);
  }, 40_000);

  test('answers the request as RFC 6455 says, and frames byte by byte, in fragments, with a Ping between', async () => {
    const client = new Client(await listen());
    const bytes = Buffer.concat([Buffer.from(REQUEST), frame(0x02, CONNECT.slice(0, 8)), frame(0x89, '6869'),
      frame(0x00, ''), frame(0x80, CONNECT.slice(8)), frame(0x8A, '00'), frame(0x82, 'c000')]);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await until(() => client.frames.data.length >= 12);
    expect(client.text).toMatch(/^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    expect(client.text).toContain('\r\nSec-WebSocket-Protocol: mqtt\r\n');
    // How packets are shared out between frames depends on when they came.
    expect(client.frames).toEqual({ data: `${CONNACK}d000`, control: [[0x8A, '6869']] });
    client.socket.write(frame(0x88, '03e8'));
    await until(() => client.isClosed);
    expect(client.frames.control.at(-1)).toEqual([0x88, '03e8']);
  });

  test('carries thousands of messages from node to node, in order, within WebSocket and through TLS', async () => {
    const ca = authority();
    const { cert, key } = localServer(ca);
    const port = await listen({ certfile: stage.file('c', cert), keyfile: stage.file('k', key),
      max_queued_messages: 1000 });
    const url = `wss://localhost:${port}/`;
    const [reader, writer] = await Promise.all(['reader', 'writer'].map(clientId => connectMQTT(url,
      { reconnectPeriod: 0, clientId, ca: ca.cert })).map(client =>
      new Promise<typeof client>((resolve, reject) => client.once('connect', () => resolve(client)).once('error', reject))));
    const seen: number[] = [];
    reader!.on('message', (_topic, payload) => seen.push(payload.readUInt32BE(0)));
    await reader!.subscribeAsync('n/#', { qos: 1 });
    const COUNT = 2000;
    for (let count = 0; count < COUNT;) {
      const batch = Array.from({ length: 50 }, () => {
        const payload = Buffer.alloc(4 + count % 700);
        payload.writeUInt32BE(count++);
        return writer!.publishAsync('n/m', payload, { qos: 1 });
      });
      await Promise.all(batch);
      await until(() => seen.length > count - 200); // of more than its queue holds the rest would be dropped
    }
    await until(() => seen.length === COUNT);
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    await Promise.all([reader!.endAsync(), writer!.endAsync()]);
  }, 60_000);

  test('reads a node that may send so many messages a second no faster, whatever frames they come in', async () => {
    const client = new Client(await listen({ max_publish_rate: 20 }));
    const publish = (identifier: number): string => `320800036162630${identifier.toString(16).padStart(3, '0')}ff`;
    const packets = Array.from({ length: 30 }, (_, index) => publish(index + 1));
    const all = packets.join('');
    client.socket.write(Buffer.concat([Buffer.from(REQUEST), frame(0x82, CONNECT),
      ...packets.slice(0, 10).map(packet => frame(0x82, packet)), // one each
      frame(0x82, packets.slice(10, 20).join('')), // ten in one
      ...Array.from({ length: 100 }, (_, index) => // one byte each
        frame(0x82, all.slice(400 + 2 * index, 402 + 2 * index)))]));
    const began = Date.now();
    await until(() => client.frames.data.length >= (4 + 30 * 4) * 2);
    expect(Date.now() - began).toBeGreaterThan(400);
    expect(client.frames.data).toBe(CONNACK
      + packets.map((_, index) => `4002${(index + 1).toString(16).padStart(4, '0')}`).join(''));
  });

  test('says Close to a node that says DISCONNECT, or breaks a rule of MQTT', async () => {
    for (const packets of [`${CONNECT}e000`, `${CONNECT}3600`]) {
      const client = new Client(stage.port || await listen());
      client.socket.write(Buffer.concat([Buffer.from(REQUEST), frame(0x82, packets)]));
      await until(() => client.isClosed);
      expect(client.frames).toEqual({ data: CONNACK, control: [[0x88, '03e8']] });
    }
  });

  test('ends a connection with text by code 1003, and names the rule [MQTT311-6.0.0-1] [MQTT5-6.0.0-1]', async () => {
    const client = new Client(await listen());
    client.socket.write(Buffer.concat([Buffer.from(REQUEST), frame(0x81, '61')]));
    await until(() => client.isClosed);
    expect(client.frames.control).toEqual([[0x88, '03eb']]);
    await stage.line(/^warning a node from 127\.0\.0\.1 breaks a rule of WebSocket: a frame of text, where MQTT needs/);
  });
});

describe('a request', () => {
  test.each<[string, string, RegExp, RegExp]>([
    ['MQTT without WebSocket', Buffer.from(CONNECT, 'hex').toString('latin1'), /^HTTP\/1\.1 400/, /speaks no WebSocket: this port is for MQTT within it/],
    ['TLS', '\x16\x03\x01\x02\x00\x01', /^HTTP\/1\.1 400/, /speaks TLS, and this port does not/],
    ['a page', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', /^HTTP\/1\.1 426/, /asks for no WebSocket: this port serves no pages/],
    ['what is no HTTP', 'HELO you\r\n\r\n', /^HTTP\/1\.1 400/, /a malformed request of HTTP/],
    ['a folded line', REQUEST.replace('Upgrade:', ' Upgrade:'), /^HTTP\/1\.1 400/, /a malformed request of HTTP/],
    ['HTTP 1.0', REQUEST.replace('1.1', '1.0'), /^HTTP\/1\.1 400/, /a malformed request of HTTP/],
    ['no Host', REQUEST.replace('Host: h\r\n', ''), /^HTTP\/1\.1 400/, /without one Host/],
    ['two Hosts', REQUEST.replace('Host: h\r\n', 'Host: h\r\nHost: i\r\n'), /^HTTP\/1\.1 400/, /without one Host/],
    ['POST', REQUEST.replace('GET', 'POST'), /^HTTP\/1\.1 405/, /another method than GET/],
    ['a body', REQUEST.replace('Host: h\r\n', 'Host: h\r\nContent-Length: 3\r\n'), /^HTTP\/1\.1 400/, /with a body/],
    ['another version', REQUEST.replace(': 13', ': 8'), /^HTTP\/1\.1 426[^]*Sec-WebSocket-Version: 13/, /another version of WebSocket than 13/],
    ['no key', REQUEST.replace('dGhl', ''), /^HTTP\/1\.1 400/, /sends no key of WebSocket/],
    ['two keys', REQUEST.replace('Host: h\r\n', 'Host: h\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'), /^HTTP\/1\.1 400/, /sends no key of WebSocket/],
    ['another subprotocol', REQUEST.replace(': mqtt', ': chat, MQTT'), /^HTTP\/1\.1 400/, /does not ask for the subprotocol "mqtt"/],
    ['no end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(5000)}\r\n\r\n`, /^HTTP\/1\.1 431/, /a request of more than 4096 bytes/],
  ])('with %s is refused in the words of HTTP, and a line says so', async (_, text, answer, pattern) => {
    const client = new Client(await listen());
    client.socket.write(Buffer.from(text, 'latin1'));
    await until(() => client.isClosed);
    expect(client.text).toMatch(answer);
    expect(await stage.line(pattern)).toMatch(/^warning a node from 127\.0\.0\.1 /);
  });

  test('may ask for the subprotocol of 3.1, and for others that are not ours [MQTT311-6.0.0-4] [MQTT5-6.0.0-4]', async () => {
    const client = new Client(await listen());
    client.socket.write(REQUEST.replace(': mqtt', ': chat, mqttv3.1,mqtt'));
    await until(() => client.text.endsWith('\r\n\r\n'));
    expect(client.text).toContain('\r\nSec-WebSocket-Protocol: mqttv3.1\r\n');
  });

  test('has the time of a CONNECT, however slowly it comes', async () => {
    const client = new Client(await listen({ connect_timeout: 0.3 }));
    while (!client.isClosed) {
      client.socket.write('G');
      await sleep(20);
    }
    expect(client.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    await stage.line(/no CONNECT in time/);
  });

  test('that never ends holds no place that a node needs', async () => {
    const port = await listen({ max_connections: 2, connect_timeout: 30 });
    const held = Array.from({ length: 10 }, () => new Client(port));
    held.forEach(({ socket }) => socket.write('GET /'));
    await until(() => held.filter(({ isClosed }) => isClosed).length >= 7);
    const client = connectMQTT(`ws://127.0.0.1:${port}/mqtt`, { reconnectPeriod: 0 });
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await client.endAsync();
  });
});

describe('a page', () => {
  const answerTo = async (origin: string, host: string): Promise<string> => {
    const client = new Client(stage.port);
    client.socket.write(REQUEST.replace('Host: h\r\n', `Host: ${host}\r\nOrigin: ${origin}\r\n`));
    await until(() => client.text.includes('\r\n\r\n'));
    return client.text.slice(9, 12);
  };

  test.each<[string, string, string]>([
    ['http://192.0.2.5:8080', '192.0.2.5:9001', '101'],
    ['http://[2001:db8::1]', '[2001:db8::1]:9001', '101'],
    ['http://localhost:5173', '192.0.2.5:9001', '101'],
    ['http://127.0.0.1', '192.0.2.5:9001', '101'],
    ['https://panel.example', '192.0.2.5:9001', '101'],
    ['https://evil.example', '192.0.2.5:9001', '403'],
    ['http://evil.example:9001', 'evil.example:9001', '403'], // whose name now points here
    ['http://192.0.2.6', '192.0.2.5:9001', '403'],
    ['http://192.0.2.5.evil.example', '192.0.2.5:9001', '403'],
    ['http://127.evil.example', '192.0.2.5:9001', '403'],
    ['null', '192.0.2.5:9001', '403'],
  ])('of %s, which names us %s, gets %s', async (origin, host, status) => {
    await listen({ websockets_origin: ['https://panel.example'] });
    expect(await answerTo(origin, host)).toBe(status);
    if (status === '403')
      expect(await stage.line(/listener\.websockets_origin$/)).toContain(`runs a page of "${origin}", which may not connect; if it should, add "${origin}" to`);
  });

  test('of any origin may connect with "*", from the next connection on', async () => {
    await listen();
    expect(await answerTo('https://evil.example', 'h')).toBe('403');
    await stage.gateway!.reload(stage.configuration({ address: ['mqtt://127.0.0.1:1'] },
      { listener: { ...stage.configurationInForce.listener, websockets_origin: ['*'] } }));
    expect(await answerTo('https://evil.example', 'h')).toBe('101');
  });
});
