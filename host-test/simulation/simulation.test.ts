import { describe, expect, test } from 'vitest';
import { Clock } from '../../src/session/clock.ts';
import { bytesOfHex } from './hex.ts';
import { ScriptedPeer, ScriptedServer } from './scripted-peer.ts';
import { PEER, SimulatedNetwork } from './simulated-network.ts';
import { VirtualClock } from './virtual-clock.ts';

const BOARD = '10.0.0.1';
const BROKER = '10.0.0.2';
const PORT = 1883;

/** A board that has connected to a scripted broker. */
const dialogue = (seed = 1) => {
  const network = new SimulatedNetwork(seed);
  const board = network.addHost(BOARD);
  const broker = network.addHost(BROKER, PEER);
  const server = new ScriptedServer(broker, PORT);
  const client = ScriptedPeer.connect(board, BROKER, PORT);
  network.clock.runUntil(() => client.isConnected && server.peers.length === 1);
  const link = network.lastLink;
  return { network, board, broker, server, client, link, peer: server.peer };
};

describe('virtual clock', () => {
  test('jumps to the next deadline of a session clock, across the wrap-around', () => {
    const time = new VirtualClock(0x7FFFFFFF - 100);
    const clock = new Clock();
    const calls: number[] = [];
    time.drive(clock, () => calls.push(clock.now));
    clock.request(clock.now + 86_400_000 | 0);
    time.runUntilIdle();
    expect(time.time).toBe(86_400_000);
    expect(calls).toEqual([0x7FFFFFFF - 100 + 86_400_000 | 0]);
    expect(clock.isArmed).toBe(false);
  });

  test('calls a timer once, at the time set last', () => {
    const clock = new VirtualClock();
    const calls: number[] = [];
    const timer = new clock.Timer(() => calls.push(clock.time));
    timer.set(10);
    timer.set(25);
    clock.advance(100);
    timer.set(10);
    timer.clear();
    clock.advance(100);
    expect(calls).toEqual([25]);
    expect(clock.time).toBe(200);
  });

  test('runs events of the same time in the order in which they were scheduled', () => {
    const clock = new VirtualClock();
    const order: number[] = [];
    for (let index = 0; index < 100; index++)
      clock.schedule((index * 7) % 10, () => order.push((index * 7) % 10 * 100 + index));
    clock.runUntilIdle();
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).toHaveLength(100);
  });

  test('stops an endless loop, and names the condition that did not come true', () => {
    const clock = new VirtualClock();
    const timer = new clock.Timer(() => timer.set(0));
    timer.set(0);
    expect(() => clock.runUntilIdle(1000)).toThrow('endless loop');
    timer.clear();
    expect(() => clock.runUntil(() => clock.time < 0, 50)).toThrow('clock.time < 0');
  });

  test('cannot be moved from inside an event', () => {
    const clock = new VirtualClock();
    clock.schedule(1, () => clock.advance(1));
    expect(() => clock.runUntilIdle()).toThrow('inside an event');
  });
});

describe('simulated link', () => {
  test('carries a dialogue of hexadecimal', () => {
    const { network, client, peer } = dialogue();
    peer.onReceived = () => peer.send('20 02 00 00');
    client.send('10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00');
    network.run(10);
    expect(peer.take()).toBe('10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00');
    expect(client.received).toBe('20 02 00 00');
  });

  test('takes the latency in each direction', () => {
    const { network, client, peer, link } = dialogue();
    link.toServer.set({ latency: 300 });
    client.send('c0 00');
    network.run(299);
    expect(peer.received).toBe('');
    network.run(2);
    expect(peer.received).toBe('c0 00');
  });

  test('reports each fragment by itself, and coalesces what arrives together', () => {
    const { network, client, peer, link } = dialogue();
    let arrivals = 0;
    peer.onReceived = () => arrivals++;
    link.toServer.set({ fragmentLength: 1 });
    client.send('01 02 03 04 05');
    network.run(10);
    expect(arrivals).toBe(5);
    link.toServer.set({ coalescing: 100 });
    client.send('06');
    network.run(20);
    client.send('07');
    network.run(200);
    expect(arrivals).toBe(6);
    expect(peer.received).toBe('01 02 03 04 05 06 07');
  });

  test('holds everything back while stalled, until the send buffer is full', () => {
    const { network, board, link, peer } = dialogue();
    link.stall(link.toClient);
    peer.sendBytes(new Uint8Array(20_000));
    network.run(60_000);
    expect(link.toClient.carriedLength).toBe(0);
    link.resume(link.toClient);
    network.run(1000);
    expect(link.toClient.carriedLength).toBe(20_000);
    expect(board.endpoints.size).toBe(1);
  });

  test('sends no more than the receive window to a peer that does not read', () => {
    const { network, client, peer, link } = dialogue();
    peer.stopReading();
    client.sendBytes(new Uint8Array(50_000));
    network.run(60_000);
    expect(link.toServer.carriedLength).toBe(8192);
    peer.startReading();
    network.run(1000);
    expect(peer.receivedLength).toBe(50_000);
  });

  test('resets both ends', () => {
    const { network, client, peer, link } = dialogue();
    link.reset();
    network.run(0);
    expect([client.isClosed, peer.isClosed]).toEqual([true, true]);
  });

  test('dropped silently tells nobody, and carries on when restored', () => {
    const { network, client, peer, link } = dialogue();
    link.drop();
    client.send('c0 00');
    network.run(3_600_000);
    expect([client.isClosed, peer.isClosed, peer.received]).toEqual([false, false, '']);
    link.restore();
    client.send('e0 00');
    network.run(10);
    expect(peer.received).toBe('c0 00 e0 00');
  });

  test.each(['reset', 'close', 'silence'] as const)('cut after 3 bytes by %s delivers 3 bytes', kind => {
    const { network, client, peer, link } = dialogue();
    link.toServer.cutAfter(3, kind);
    client.send('01 02 03 04 05');
    network.run(1000);
    expect(peer.received).toBe('01 02 03');
    expect(peer.isClosed).toBe(kind !== 'silence');
    expect(client.isClosed).toBe(kind !== 'silence');
  });

  test('refuses, or does not answer, a connection when told so', () => {
    const { network, board, broker } = dialogue();
    network.onLink = link => {
      link.isRefused = true;
    };
    const refused = ScriptedPeer.connect(board, broker.address, PORT);
    network.run(10);
    expect(refused.isClosed).toBe(true);
    network.onLink = link => {
      link.isIgnored = true;
    };
    const ignored = ScriptedPeer.connect(board, broker.address, PORT);
    network.run(20_000);
    expect(ignored.isClosed).toBe(false);
    network.run(20_000);
    expect(ignored.isClosed).toBe(true);
  });

  test('limits the bandwidth', () => {
    const { network, client, peer, link } = dialogue();
    link.toServer.set({ bytesPerSecond: 1000 });
    client.sendBytes(new Uint8Array(5000));
    expect(network.clock.runUntil(() => peer.receivedLength === 5000)).toBeCloseTo(5001, 0);
  });

  test('does the same for the same seed, and something else for another', () => {
    const arrivals = (seed: number): string => {
      const { network, client, peer, link } = dialogue(seed);
      const times: number[] = [];
      peer.onReceived = () => times.push(network.clock.time, peer.receivedLength);
      link.toServer.set({ fragmentLength: 50, isFragmentLengthRandom: true, jitter: 40 });
      client.sendBytes(new Uint8Array(3000));
      network.run(10_000);
      return times.join();
    };
    expect(arrivals(7)).toBe(arrivals(7));
    expect(arrivals(7)).not.toBe(arrivals(8));
  });
});

describe('simulated board', () => {
  test('has 8 connections, outgoing ones and nodes together, and gets them back', () => {
    const { network, board, broker, client } = dialogue();
    const nodes = new ScriptedServer(board, PORT);
    const peers = Array.from({ length: 8 }, () => ScriptedPeer.connect(broker, BOARD, PORT));
    network.run(100);
    expect(board.endpoints.size).toBe(8);
    expect(nodes.peers).toHaveLength(7);
    expect(() => ScriptedPeer.connect(board, BROKER, PORT)).toThrow('no socket');
    client.close();
    network.run(10_000);
    expect(nodes.peers).toHaveLength(8);
    expect(peers.every(peer => peer.isConnected)).toBe(true);
  });

  test('keeps a closed connection while the peer does not close its side', () => {
    const { network, board, client, peer } = dialogue();
    // A peer that does not read does not learn of the end.
    peer.stopReading();
    client.send('e0 00');
    network.run(10);
    client.close();
    network.run(10_000);
    expect(board.endpoints.size).toBe(1);
    network.run(20_000);
    expect(board.endpoints.size).toBe(0);
  });

  test('resets the connection, and loses what was written, when closed with bytes unread', () => {
    const { network, server, client, peer } = dialogue();
    client.stopReading();
    peer.send('20 02 00 00');
    network.run(10);
    client.send('e0 00');
    client.close();
    network.run(10);
    expect(server.peer.received).toBe('');
    expect(server.peer.isClosed).toBe(true);
  });

  test('fails a write with "not ready" when the end has come but bytes are unread', () => {
    const { network, board, server } = dialogue();
    const errors: unknown[] = [];
    const socket = new board.TCP({
      address: BROKER, port: PORT,
      onReadable() {
        try {
          socket.write(bytesOfHex('40 02 00 01'));
        }
        catch (error) {
          errors.push(error);
        }
      },
    });
    network.run(10);
    network.lastLink.toClient.set({ coalescing: 50 });
    server.peer.send('32 05 00 01 61 00 01');
    network.run(0);
    server.peer.close();
    network.run(200);
    expect(errors).toEqual([new Error('not ready')]);
  });

  test('throws "no memory" for a port in use, and "no network" before it is up', () => {
    const network = new SimulatedNetwork();
    const board = network.addHost(BOARD);
    new ScriptedServer(board, PORT);
    expect(() => new ScriptedServer(board, PORT)).toThrow('no memory');
    board.isOnline = false;
    expect(() => new ScriptedServer(board, PORT + 1)).toThrow('no network');
  });

  test('resolves names later', () => {
    const network = new SimulatedNetwork();
    network.names.set('broker.local', BROKER);
    const answers: string[] = [];
    const resolver = new network.Resolver();
    for (const name of ['broker.local', BOARD, 'nowhere'])
      resolver.resolve(name, address => answers.push(address), () => answers.push('error'));
    expect(answers).toEqual([]);
    network.run();
    expect(answers).toEqual([BROKER, BOARD, 'error']);
  });
});
