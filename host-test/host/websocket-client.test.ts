/** A gateway whose broker is to be within WebSocket: another gateway, and what is none. */
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress, urlOf } from '../../src/config/upstream-address.ts';
import { Stage, until } from './tls-stage.ts';

let stage: Stage;
let other: Stage;
beforeEach(() => {
  stage = new Stage();
  other = new Stage();
});
afterEach(async () => {
  await stage.end();
  await other.end();
});

test('two gateways talk within WebSocket', async () => {
  await other.start({ address: ['mqtt://127.0.0.1:1'] }, { listener: { protocol: 'websockets' } });
  await until(() => other.port !== 0);
  await stage.start({ address: [`ws://127.0.0.1:${other.port}`] });
  await until(() => stage.isConnected);
  await stage.line(/^info upstream ws:\/\/127\.0\.0\.1:\d+\/mqtt connected/);
  await other.line(/node "ringbridge" from 127\.0\.0\.1 connected/);
});

describe('a server', () => {
  const answering = (answer: string) => (socket: Socket): void => void socket.once('data', () => socket.end(answer));

  test.each<[string, string, RegExp]>([
    ['that is no HTTP server', 'SSH-2.0-OpenSSH_9\r\n\r\n', /speaks no HTTP, with which a WebSocket begins$/],
    ['without this path', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', /answers 404 where it should begin a WebSocket \(101\): there is nothing at this path; most brokers want \/mqtt or \/$/],
    ['of HTTP/1.0', 'HTTP/1.0 404 File not found\r\nServer: x\r\n\r\n', /answers 404 where it should begin a WebSocket \(101\): there is nothing at this path/],
    ['of plain MQTT, which closes', '', /closes the connection where it should begin a WebSocket: is it a port of MQTT without WebSocket \(write mqtt:\/\/\), or of TLS/],
    ['whose broker is starting', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', /answers 502 where it should begin a WebSocket/],
    ['that answers for another', 'HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n', /another Sec-WebSocket-Accept than the one of our key/],
  ])('%s is named once, and tried again', async (_, answer, pattern) => {
    let count = 0;
    const port = await stage.plain(socket => {
      ++count;
      answering(answer)(socket);
    });
    await stage.start({ address: [`ws://127.0.0.1:${port}/x?token=geheim`], restart_timeout: [0.01, 0.02] });
    expect(await stage.line(/^warning upstream ws:\/\/127\.0\.0\.1:\d+\/x\?\.\.\.: /)).toMatch(pattern);
    await until(() => count > 2);
    expect(stage.lines.filter(line => pattern.test(line))).toHaveLength(1);
    expect(stage.lines.join()).not.toContain('geheim');
  });
});

describe('an address', () => {
  test.each([
    ['ws://h', { scheme: 'ws', host: 'h', port: 80, path: '/mqtt' }, 'ws://h:80/mqtt'],
    ['wss://h/', { scheme: 'wss', host: 'h', port: 443, path: '/' }, 'wss://h:443/'],
    ['wss://[2001:db8::1]:8443/a/b?c=d', { scheme: 'wss', host: '[2001:db8::1]', port: 8443, path: '/a/b?c=d' }, 'wss://[2001:db8::1]:8443/a/b?...'],
    ['mqtt://h/', { scheme: 'mqtt', host: 'h', port: 1883 }, 'mqtt://h:1883'],
  ])('%s is read, and shown without what may be a secret', (address, parsed, shown) => {
    expect(parseAddress(address)).toEqual(parsed);
    expect(urlOf(parseAddress(address))).toBe(shown);
  });

  test.each(['ws://', 'ws://h:0', 'ws://h:99999', 'ws://u:p@h', 'ws://h/a b', 'ws://h/a\r\nX: y', 'ws://h/#a', 'ws://h/"', 'mqtt://h/a', 'WS://h'])('%j is none', address => {
    expect(() => parseAddress(address)).toThrow(/is not an upstream address: write (?:ws|mqtt):\/\/host/);
  });
});
