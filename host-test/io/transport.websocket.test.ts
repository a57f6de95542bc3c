/** The rules of the transport for sockets within WebSocket, in both roles, over those of Node. */
import { randomFillSync } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { acceptFor } from '../../src/host/websocket-node.ts';
import { Listener } from '../../src/host/listener.ts';
import { TCP } from '../../src/host/tcp.ts';
import { CachedArea } from '../../src/io/exact-area.ts';
import type { TCPOptions } from '../../src/io/transport.ts';
import { AREA_LENGTH, type WebSocketPlatform, WebSocketTCP } from '../../src/io/websocket.ts';
import { ClientOpening, ServerOpening } from '../../src/io/websocket-opening.ts';
import { transportContract, type TransportEnvironment } from './transport-contract.ts';

const ADDRESS = '127.0.0.1';
const TIME_LIMIT = 10_000;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

const server: WebSocketPlatform = {
  TCP, area: new CachedArea(AREA_LENGTH), defer: queueMicrotask,
  onViolation(_address, violation) { throw new Error(violation); },
};
const client: WebSocketPlatform = { ...server, fillMask: mask => randomFillSync(mask), onViolation() {} };
const serverOpening = new ServerOpening({ acceptFor, judgeOrigin: () => '' });

/** A port that was free a moment ago. */
const findClosedPort = (): Promise<number> => new Promise(resolve => {
  const plain = createServer().listen(0, ADDRESS, () => {
    const { port } = plain.address() as AddressInfo;
    plain.close(() => resolve(port));
  });
});

const environment = async (): Promise<TransportEnvironment> => ({
  TCP: class extends WebSocketTCP {
    constructor(options: TCPOptions) {
      if (options.from === undefined)
        super(options, client, new ClientOpening(ADDRESS, '/mqtt', 'mqtt', KEY, acceptFor(KEY)));
      else
        super(options, server, serverOpening);
    }
  },
  address: ADDRESS,
  closedPort: await findClosedPort(),
  listen: onReadable => new Promise((resolve, reject) => {
    const listener = new Listener({
      port: 0, address: ADDRESS, onReadable,
      onListening: port => resolve({ listener, port }),
      onError: message => reject(new Error(message)),
    });
  }),
  async until(condition) {
    const end = Date.now() + TIME_LIMIT;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`not within ${TIME_LIMIT} ms: ${condition}`);
      await sleep(1);
    }
  },
  settle: () => sleep(60),
});

/** What cannot hold within frames, and the test of websocket.frames.test.ts for what holds instead. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'returns what may still be written': 'keeps room for what it says itself, and never takes back what it promised',
  'takes nothing and throws when more is written than is writable': 'reports room when there is some again',
  'reads in parts of any length, over the borders of what arrived': 'gives the same payload at every split, to a program that reads %s bytes at a time [MQTT311-6.0.0-2] [MQTT5-6.0.0-2]',
  'reports all unread bytes, not only new ones': 'reports what is unread of the frame at hand, and the next one when it has been read',
  'gives bytes that arrived before the takeover to the new socket': 'gives the same payload at every split, to a program that reads %s bytes at a time [MQTT311-6.0.0-2] [MQTT5-6.0.0-2]',
  'closes the connections that wait when the listener closes, and no others': 'a listener knows nothing of WebSocket',
};

describe('WebSocket over Node', () => {
  test.each(Object.entries(transportContract).filter(([name]) => !(name in OTHERWISE)))('%s', async (_name, check) => check(await environment()), 3 * TIME_LIMIT);

  test('has no exception that is not needed', () => {
    expect(Object.keys(OTHERWISE).filter(name => !(name in transportContract))).toEqual([]);
  });
});
