/** The rules of the transport for the sockets with TLS, against a server with TLS of the same program. */
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, createServer as createTLSServer } from 'node:tls';
import { describe, test } from 'vitest';
import { SecureTCP } from '../../src/host/secure-tcp.ts';
import { type HostTCPOptions, TCP } from '../../src/host/tcp.ts';
import type { TCPListener, TCPSocket } from '../../src/io/transport.ts';
import { authority, localServer } from '../host/certificates.ts';
import { transportContract, type TransportEnvironment } from './transport-contract.ts';

const ADDRESS = '127.0.0.1';
const TIME_LIMIT = 10_000;

const ca = authority();
const server = localServer(ca);

/** A port that was free a moment ago. */
const findClosedPort = (): Promise<number> => new Promise(resolve => {
  const plain = createServer().listen(0, ADDRESS, () => {
    const { port } = plain.address() as AddressInfo;
    plain.close(() => resolve(port));
  });
});

const handshake = (version: 'TLSv1.2' | 'TLSv1.3') => ({
  host: ADDRESS, takesAnyName: false,
  options: { secureContext: createSecureContext({ ca: ca.cert, minVersion: version, maxVersion: version }) },
  onReachable() {}, onSecure() {}, onSession() {}, onHeard() {}, onFailed: () => undefined, onUnheard: () => undefined,
});

const environment = async (version: 'TLSv1.2' | 'TLSv1.3'): Promise<TransportEnvironment> => ({
  TCP: class extends SecureTCP {
    constructor(options: HostTCPOptions) {
      super(options, options.from === undefined ? handshake(version) : undefined);
    }
  },
  address: ADDRESS,
  closedPort: await findClosedPort(),
  listen: onReadable => new Promise((resolve, reject) => {
    const waiting: TCP[] = [];
    let isClosed = false;
    const tls = createTLSServer({ cert: server.cert, key: server.key, allowHalfOpen: true }, socket => {
      waiting.push(new TCP({ from: socket }));
      onReadable(waiting.length);
    });
    const listener: TCPListener = {
      read(): TCPSocket | undefined {
        if (isClosed)
          throw new SyntaxError('invalid host data');
        return waiting.shift();
      },
      close() {
        isClosed = true;
        tls.close();
        waiting.splice(0).forEach(socket => socket.close());
      },
    };
    tls.on('error', reject);
    tls.listen(0, ADDRESS, () => resolve({ listener, port: (tls.address() as AddressInfo).port }));
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

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('socket of the host with %s', version => {
  for (const [rule, check] of Object.entries(transportContract))
    test(rule, async () => check(await environment(version)), 30_000);
});
