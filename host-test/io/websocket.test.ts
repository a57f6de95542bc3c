/** MQTT within WebSocket at the listener: MQTT.js as browsers use it, frames by hand, and what breaks a rule. */
import { connect, type Socket } from 'node:net';
import { connect as connectMQTT } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { authority, localServer } from '../host/certificates.ts';
import { Stage, until } from '../host/tls-stage.ts';

let stage: Stage;
const sockets: Socket[] = [];
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => {
  sockets.splice(0).forEach(socket => socket.destroy());
  await stage.end();
});

async function listen(more: object = {}): Promise<number> {
  await stage.start({ address: ['mqtt://127.0.0.1:1'] },
    { listener: { protocol: 'websockets', max_packet_size: 65_536, max_queued_bytes: 200_000, ...more } });
  await until(() => stage.port !== 0);
  return stage.port;
}

/** The example of RFC 6455 section 1.3. */
const REQUEST = 'GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n'
  + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n';
const CONNECT = '100d00044d5154540402003c000161';
const CONNACK = '820420020000';

/** A frame of a client, with the mask 01020304. */
function frame(first: number, hex: string, declared?: number): Buffer {
  const payload = Buffer.from(hex, 'hex');
  const length = declared ?? payload.length;
  const head = length < 126 ? [length | 0x80] : [0xFE, length >> 8, length & 0xFF];
  return Buffer.concat([Buffer.from([first, ...head, 1, 2, 3, 4]), payload.map((byte, index) => byte ^ index % 4 + 1)]);
}

class Client {
  received = Buffer.alloc(0);
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', data => this.received = Buffer.concat([this.received, data]));
    this.socket.on('error', () => {}).on('close', () => this.isClosed = true).on('end', () => this.isClosed = true);
  }

  /** Of what came behind the answer to the request. */
  get frames(): string {
    const end = this.received.indexOf('\r\n\r\n');
    return end < 0 ? '' : this.received.subarray(end + 4).toString('hex');
  }
}

describe('MQTT within WebSocket', () => {
  test('serves MQTT.js with messages of all lengths, in both directions', async () => {
    const client = connectMQTT(`ws://127.0.0.1:${await listen()}/mqtt`, { reconnectPeriod: 0 });
    const lengths: number[] = [];
    client.on('message', (_topic, payload) => lengths.push(payload.length));
    await new Promise(resolve => client.once('connect', resolve));
    await client.subscribeAsync('a/#', { qos: 1 });
    const sent = [0, 1, 116, 117, 118, 119, 120, 125, 126, 1000, 16_000, 16_384, 40_000, 60_000];
    for (const length of sent)
      await client.publishAsync('a/b', Buffer.alloc(length, 65), { qos: 1 });
    await until(() => lengths.length === sent.length);
    expect(lengths).toEqual(sent);
    await client.endAsync();
  });

  test('serves it through TLS', async () => {
    const ca = authority();
    const { cert, key } = localServer(ca);
    const port = await listen({ certfile: stage.file('c', cert), keyfile: stage.file('k', key) });
    const client = connectMQTT(`wss://localhost:${port}/mqtt`, { reconnectPeriod: 0, ca: ca.cert });
    await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
    await client.endAsync();
  });

  test('answers the request as RFC 6455 says, and frames in any pieces, in fragments, with a ping between', async () => {
    const client = new Client(await listen());
    const bytes = Buffer.concat([Buffer.from(REQUEST), frame(0x02, CONNECT.slice(0, 8)), frame(0x89, '6869'),
      frame(0x00, ''), frame(0x80, CONNECT.slice(8)), frame(0x8A, '00'), frame(0x82, 'c000')]);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    await until(() => client.frames.endsWith('8202d000'));
    expect(client.received.toString('latin1')).toMatch(/^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    expect(client.received.toString('latin1')).toContain('\r\nSec-WebSocket-Protocol: mqtt\r\n');
    expect(client.frames).toBe(`8a026869${CONNACK}8202d000`);
    client.socket.write(frame(0x88, '03e8'));
    await until(() => client.isClosed);
    expect(client.frames.slice(-8)).toBe('880203e8');
  });

  test.each<[string, Buffer, RegExp, string]>([
    ['a reserved bit', frame(0xC2, ''), /a reserved bit is set/, '880203ea'],
    ['no mask', Buffer.from('8200', 'hex'), /a client must mask its frames/, '880203ea'],
    ['text', frame(0x81, '61'), /a frame of text, where MQTT needs binary ones/, '880203eb'],
    ['a reserved opcode', frame(0x83, ''), /an opcode that is reserved/, '880203ea'],
    ['a reserved control opcode', frame(0x8B, ''), /an opcode that is reserved/, '880203ea'],
    ['a continuation of nothing', frame(0x80, ''), /a continuation of no message/, '880203ea'],
    ['a message within a message', Buffer.concat([frame(0x02, ''), frame(0x82, '')]), /a new message begins within another one/, '880203ea'],
    ['a ping in fragments', frame(0x09, ''), /a control frame in fragments/, '880203ea'],
    ['a long ping', frame(0x89, '00'.repeat(126)), /a control frame of more than 125 bytes/, '880203ea'],
    ['half of a code', frame(0x88, '03'), /a Close frame with half of a code/, '880203ea'],
    ['a length in too many bytes', Buffer.from('82fe000101020304', 'hex'), /a length in more bytes than it needs/, '880203ea'],
    ['a length beyond numbers', Buffer.from('82ffffffffffffffffff01020304', 'hex'), /more bytes than numbers can count/, '880203ea'],
  ])('ends a connection with %s by a code, and names the rule', async (_, bytes, pattern, close) => {
    const client = new Client(await listen());
    client.socket.write(Buffer.concat([Buffer.from(REQUEST), bytes]));
    await until(() => client.isClosed);
    expect(client.frames).toBe(close);
    expect(await stage.line(/breaks a rule of WebSocket/)).toMatch(pattern);
  });

  test.each<[string, string, RegExp, RegExp]>([
    ['MQTT without WebSocket', `${Buffer.from(CONNECT, 'hex').toString('latin1')}\r\n\r\n`, /^HTTP\/1\.1 400/, /speaks no WebSocket: this port is for MQTT within it/],
    ['a page', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', /^HTTP\/1\.1 426/, /asks for no WebSocket: this port serves no pages/],
    ['another version', REQUEST.replace(': 13', ': 8'), /^HTTP\/1\.1 426[^]*Sec-WebSocket-Version: 13/, /another version of WebSocket than 13/],
    ['no key', REQUEST.replace('dGhl', ''), /^HTTP\/1\.1 400/, /sends no key of WebSocket/],
    ['another subprotocol', REQUEST.replace(': mqtt', ': chat'), /^HTTP\/1\.1 400/, /does not ask for the subprotocol "mqtt"/],
    ['a request that is too long', `GET / HTTP/1.1\r\nX: ${'x'.repeat(5000)}\r\n\r\n`, /^HTTP\/1\.1 431/, /a request of more than 4096 bytes/],
  ])('refuses %s in the words of HTTP, and says so in a line', async (_, text, answer, pattern) => {
    const client = new Client(await listen());
    client.socket.write(Buffer.from(text, 'latin1'));
    await until(() => client.isClosed);
    expect(client.received.toString('latin1')).toMatch(answer);
    await stage.line(pattern);
  });

  test('gives a request the time of a CONNECT', async () => {
    const client = new Client(await listen({ connect_timeout: 0.3 }));
    client.socket.write('GET /');
    await until(() => client.isClosed);
    await stage.line(/no CONNECT in time/);
  });
});
