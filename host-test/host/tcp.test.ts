import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { Listener } from '../../src/host/listener.ts';
import { HostResolver } from '../../src/host/resolver.ts';
import { READABLE_CAPACITY, TCP, type HostTCPOptions } from '../../src/host/tcp.ts';
import { HostTimer, LONGEST_TIME } from '../../src/host/timer.ts';

const ADDRESS = '127.0.0.1';

const hasIPv6 = Object.values(networkInterfaces()).flat().some(found => found?.address === '::1');

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0))
    end();
});

const until = async (condition: () => boolean): Promise<void> => {
  for (let count = 0; !condition(); count++) {
    if (count > 5000)
      throw new Error(`did not come true: ${condition}`);
    await sleep(1);
  }
};

/** A plain server of Node and one of our sockets, connected. */
const connected =
  async (callbacks: Omit<HostTCPOptions,
    'address' | 'port'> = {}): Promise<{ peer: Socket; socket: TCP; server: Server }> => {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, ADDRESS);
  await once(server, 'listening');
  let isConnected = false;
  const socket = new TCP({
    ...callbacks,
    address: ADDRESS,
    port: (server.address() as AddressInfo).port,
    onWritable: () => {
      isConnected = true;
    },
  });
  const [peer] = await once(server, 'connection') as [Socket];
  peer.on('error', () => {});
  endings.push(() => {
    socket.close();
    peer.destroy();
    server.close();
  });
  await until(() => isConnected);
  return { peer, socket, server };
};

describe('TCP of the host', () => {
  test('stops receiving when much lies unread, and goes on when it has been read', async () => {
    let unread = 0;
    const { peer, socket } = await connected({ onReadable: count => unread = count });
    const total = 24 * 1024 * 1024;
    peer.write(Buffer.alloc(total, 7));
    await until(() => unread > READABLE_CAPACITY);
    await sleep(50);
    expect(unread).toBeLessThan(READABLE_CAPACITY + 0x20000);
    expect(peer.writableLength).toBeGreaterThan(0);
    let read = 0;
    while (read < total) {
      await until(() => unread > 0);
      read += socket.read(new Uint8Array(unread))!;
      unread = 0;
    }
    expect(read).toBe(total);
  });

  test('sends the writes of one turn together', async () => {
    const { peer, socket } = await connected({ nodelay: true });
    const lengths: number[] = [];
    peer.on('data', chunk => lengths.push(chunk.length));
    for (let count = 0; count < 100; count++)
      socket.write(new Uint8Array(20));
    await until(() => lengths.length > 0);
    expect(lengths).toEqual([2000]);
  });

  test('sends what was written in the turn in which the peer closed its side', async () => {
    const { peer, socket } = await connected({
      onReadable(count) {
        socket.read(new Uint8Array(count));
        socket.write(new Uint8Array([0x40, 2, 0, 1]));
      },
      onError: () => socket.close(),
    });
    peer.end(Buffer.from([0x32, 5, 0, 1, 0x61, 0, 1]));
    const [answer] = await once(peer, 'data') as [Buffer];
    expect([...answer]).toEqual([0x40, 2, 0, 1]);
    await once(peer, 'end');
  });

  test('still reports bytes that came before a reset', async () => {
    const events: (string | number)[] = [];
    const { peer, socket } = await connected({
      onReadable: count => events.push(count),
      onError: () => events.push('error'),
    });
    peer.write(Buffer.alloc(10));
    await until(() => events.length === 1);
    peer.resetAndDestroy();
    await sleep(50);
    expect(events).toEqual([10]);
    socket.read(new Uint8Array(10));
    expect(events).toEqual([10]);
    await until(() => events.length === 2);
    expect(events).toEqual([10, 'error']);
  });

  test('close does not reset a peer that goes on sending', async () => {
    const { peer, socket } = await connected();
    let error: unknown;
    peer.on('error', reason => error = reason);
    socket.write(new Uint8Array([0x20, 2, 0, 5]));
    socket.close();
    peer.write(Buffer.alloc(100_000));
    const [answer] = await once(peer, 'data') as [Buffer];
    peer.end(Buffer.alloc(100_000));
    await once(peer, 'close');
    expect([...answer]).toEqual([0x20, 2, 0, 5]);
    expect(error).toBeUndefined();
  });

  test('knows the address of its peer', async () => {
    const { socket } = await connected();
    expect(socket.remoteAddress).toBe(ADDRESS);
    socket.close();
    expect(socket.remoteAddress).toBeUndefined();
  });

  test('takes over only sockets of its own kind', () => {
    const stranger = { read: () => 0, write: () => 0, close() {} };
    expect(() => new TCP({ from: stranger })).toThrow('invalid from');
  });
});

describe('Listener of the host', () => {
  test('says what to do when the port is in use', async () => {
    const { server } = await connected();
    const { port } = server.address() as AddressInfo;
    const message = await new Promise<string>(resolve => {
      const listener = new Listener({ port, address: ADDRESS, onReadable() {}, onError: resolve });
      endings.push(() => listener.close());
      expect(listener.port).toBeUndefined();
    });
    expect(message).toBe(`port ${port} on ${ADDRESS} is in use: stop the program that uses it or set "listener.port"`);
  });

  test('says what to do when the address is not one of this computer', async () => {
    const message = await new Promise<string>(resolve => {
      const listener = new Listener({ port: 0, address: '192.0.2.1', onReadable() {}, onError: resolve });
      endings.push(() => listener.close());
    });
    expect(message).toContain('set "listener.address"');
  });

  test('names the port that was found, and listens on all addresses when none is given', async () => {
    let listener!: Listener;
    const port = await new Promise<number>(resolve => {
      listener = new Listener({
        port: 0,
        onReadable: () => listener.read()!.close(),
        onListening: resolve,
      });
    });
    endings.push(() => listener.close());
    expect(listener.port).toBe(port);
    const peer = connect(port, ADDRESS);
    peer.resume();
    await once(peer, 'end');
    listener.close();
    listener.close();
    expect(() => listener.read()).toThrow(SyntaxError);
  });

  test.runIf(hasIPv6)('on :: is there for both families, and names peers as they are known', async () => {
    const peers: (string | undefined)[] = [];
    let listener!: Listener;
    const port = await new Promise<number>(resolve => {
      listener = new Listener({
        port: 0, address: '::', onListening: resolve,
        onReadable: () => peers.push(listener.read()!.remoteAddress),
      });
    });
    endings.push(() => listener.close());
    for (const address of ['::1', '127.0.0.1']) {
      const socket = new TCP({ address, port });
      endings.push(() => socket.close());
    }
    await until(() => peers.length === 2);
    expect(peers.sort()).toEqual(['127.0.0.1', '::1']);
  });

  test('throws for a port or an address that is none', () => {
    expect(() => new Listener({ port: 65536, onReadable() {} })).toThrow(RangeError);
    expect(() => new Listener({ port: 0, address: 'localhost', onReadable() {} })).toThrow('invalid address');
  });
});

describe('resolver of the host', () => {
  const resolve = (host: string): Promise<string> => new Promise(done => {
    let isInside = true;
    new HostResolver().resolve(host, address => done(isInside ? 'too early' : address), () =>
      done(isInside ? 'too early' : 'error'));
    isInside = false;
  });

  test('gives all addresses of a name, of both families, one after the other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringbridge-'));
    const { PATH } = process.env;
    writeFileSync(join(folder, 'getent'), `#!/bin/sh
printf '2001:db8::1 STREAM b\\n2001:db8::1 DGRAM\\n192.0.2.1 STREAM\\n192.0.2.1 RAW\\n'\n`, { mode: 0o755 });
    process.env['PATH'] = `${folder}:${PATH!}`;
    try {
      const resolver = new HostResolver();
      const first = await new Promise<string>(done => resolver.resolve('broker.example', done, () => done('error')));
      expect([first, resolver.next(), resolver.next(), resolver.next()])
        .toEqual(['2001:db8::1', '192.0.2.1', undefined, undefined]);
      resolver.resolve('[::1]', () => {}, () => {});
      expect(resolver.next()).toBeUndefined();
    } finally {
      process.env['PATH'] = PATH;
      rmSync(folder, { recursive: true });
    }
  });

  test('passes addresses through, finds names, and reports those that do not exist', async () => {
    expect(await resolve('10.1.2.3')).toBe('10.1.2.3');
    expect(await resolve('2001:db8::7')).toBe('2001:db8::7');
    expect(await resolve('[2001:db8::7]')).toBe('2001:db8::7');
    expect(['127.0.0.1', '::1']).toContain(await resolve('localhost'));
    expect(await resolve('')).toBe('error');
    expect(await resolve('no-such-host.invalid')).toBe('error');
    expect(await resolve('-h')).toBe('error');
  });

  test('needs no program but Node', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = '/nowhere';
    try {
      expect(['127.0.0.1', '::1']).toContain(await resolve('localhost'));
      expect(await resolve('no-such-host.invalid')).toBe('error');
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  test('says nothing more after it has been told that nobody waits, and answers the next question', async () => {
    const answers: string[] = [];
    const resolver = new HostResolver();
    for (const host of ['localhost', '10.0.0.1']) {
      resolver.resolve(host, address => answers.push(address), () => answers.push('error'));
      resolver.cancel();
    }
    resolver.resolve('10.0.0.2', address => answers.push(address), () => answers.push('error'));
    await sleep(200);
    expect(answers).toEqual(['10.0.0.2']);
  });
});

describe('timer of the host', () => {
  test('calls back once, at the time set last, and not when cleared', async () => {
    let count = 0;
    const timer = new HostTimer(() => count++);
    timer.set(1);
    timer.set(20);
    await sleep(5);
    expect(count).toBe(0);
    await until(() => count === 1);
    timer.set(1);
    timer.clear();
    await sleep(10);
    expect(count).toBe(1);
  });

  test('does not take a very long time for a short one', async () => {
    let count = 0;
    const timer = new HostTimer(() => count++);
    timer.set(2 * LONGEST_TIME);
    await sleep(10);
    timer.clear();
    expect(count).toBe(0);
  });
});
