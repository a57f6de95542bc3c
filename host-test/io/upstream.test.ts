/** What the driver of the upstream connection tells to whoever asks; what it does is in runtime.hostile-*.test.ts. */
import { describe, expect, it } from 'vitest';
import { CONNECTING, OPEN, RESOLVING, STOPPED, WAITING } from '../../src/upstream/upstream-phase.ts';
import * as Event from '../../src/config/events.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { SECOND_SERVER, SERVER, World } from '../world/world.ts';

describe('the connection upstream', () => {
  it('goes through its phases, and counts attempts', () => {
    const world = new World();
    const { upstream } = world.runtime;
    expect([upstream.phase, upstream.attemptCount, upstream.reasonCode]).toEqual([STOPPED, 0, ReasonCode.SUCCESS]);
    world.runtime.start();
    expect([upstream.phase, upstream.attemptCount]).toEqual([RESOLVING, 1]);
    world.until(() => upstream.phase === CONNECTING);
    world.until(() => upstream.phase === OPEN);
    world.until(() => world.isConnected);
    world.uplink.close();
    world.until(() => upstream.phase === WAITING);
    expect(upstream.reasonCode).toBe(ReasonCode.NETWORK_CLOSED);
    expect(upstream.deadline - world.clock.now).toBeGreaterThanOrEqual(1000);
    expect(upstream.deadline - world.clock.now).toBeLessThanOrEqual(8000);
    world.until(() => world.isConnected);
    expect(upstream.attemptCount).toBe(2);
    world.runtime.stop(() => {});
    world.run(100);
    expect(upstream.phase).toBe(STOPPED);
  });

  it('refuses an address that is none when it is made', () => {
    expect(() => new World({ configuration: { upstream: { address: ['http://example'] } } })).toThrow('write mqtt://host');
  });

  it('ignores an answer of the resolver that comes too late', () => {
    const world = new World({ configuration: { upstream: { address: ['mqtt://broker.example'] } } });
    world.network.names.set('broker.example', SERVER);
    world.network.resolverLatency = 5000;
    world.runtime.start();
    world.run(1000);
    world.runtime.stop(() => {});
    world.run(10_000);
    expect(world.network.links.length).toBe(0);
  });

  it('gives up a name server that never answers after connack_timeout, and tries the next address', () => {
    const asked: string[] = [];
    const world: World = new World({
      configuration: { upstream: { address: ['mqtt://broker.example', `mqtt://${SERVER}`], connack_timeout: 3 } },
      resolver: {
        resolve(host, onResolved) {
          asked.push(host);
          if (host === SERVER)
            world.clock.schedule(1, () => onResolved(host));
        },
      },
    });
    world.runtime.start();
    const { upstream } = world.runtime;
    world.run(2900);
    expect([upstream.phase, upstream.attemptCount]).toEqual([RESOLVING, 1]);
    world.run(200);
    expect([upstream.phase, upstream.reasonCode, world.upstreamEndings]).toEqual([WAITING,
      ReasonCode.NAME_NOT_RESOLVED, [ReasonCode.NAME_NOT_RESOLVED]]);
    world.until(() => world.isConnected, 10_000);
    expect(asked).toEqual(['broker.example', SERVER]);
  });

  /** A world whose Server has a name, and what its resolver still knows of that. */
  function named(others: string[], options: ConstructorParameters<typeof World>[0] = {}): World {
    const rest: string[] = [];
    const world: World = new World({
      configuration: { upstream: { address: ['mqtt://broker.example'], restart_timeout: [20, 20] } },
      resolver: {
        resolve(_host, onResolved) {
          const [first, ...later] = others;
          rest.splice(0, rest.length, ...later);
          world.clock.schedule(1, () => onResolved(first!));
        },
        next: () => rest.shift(),
        cancel: () => rest.splice(0),
      },
      ...options,
    });
    world.runtime.start();
    return world;
  }

  it('tries all addresses of a name before it waits, and again after a failure', () => {
    const world = named(['10.0.0.98', '10.0.0.99', SERVER]);
    world.stopListening();
    world.until(() => world.runtime.upstream.phase === WAITING);
    expect(world.network.links.map(({ address }) => address)).toEqual(['10.0.0.98', '10.0.0.99', SERVER]);
    expect(world.upstreamEndings).toEqual([ReasonCode.NETWORK_UNREACHABLE]); // told once
    world.listen();
    world.until(() => world.isConnected);
    expect(world.network.links.map(({ address }) => address).slice(3)).toEqual(['10.0.0.98', '10.0.0.99', SERVER]);
  });

  it('goes on to the next address of a name when a Server closes the connection instead of a CONNACK', () => {
    const world = named([SERVER, SECOND_SERVER], { server: peer => peer.close() });
    world.until(() => world.upstreamEndings.length === 1);
    world.run(1000);
    expect(world.network.links.map(({ address }) => address)).toEqual([SERVER, SECOND_SERVER]);
  });

  it('does not: when it refuses the credentials, which it would do on every address', () => {
    const world = named([SERVER, SECOND_SERVER], { server: peer => peer.post({ cmd: 'connack', returnCode: 5, sessionPresent: false }) });
    world.until(() => world.upstreamEndings.length === 1);
    world.run(1000);
    expect(world.network.links.map(({ address }) => address)).toEqual([SERVER]);
  });

  it('tells a resolver that nobody waits any more: after the deadline, and at the end', () => {
    let cancelled = 0;
    const world = new World({
      configuration: { upstream: { address: ['mqtt://broker.example'], connack_timeout: 3, restart_timeout: [1, 1] } },
      resolver: { resolve() {}, cancel: () => ++cancelled },
    });
    world.runtime.start();
    world.run(3100);
    expect(cancelled).toBe(1);
    world.run(1500);
    expect(world.runtime.upstream.phase).toBe(RESOLVING);
    let stopped = 0;
    world.runtime.stop(() => ++stopped);
    expect([cancelled, stopped]).toEqual([2, 1]);
  });

  it('is fought over when the Server ends three sessions in a row soon after it accepted them', () => {
    const world = new World({ configuration: { upstream: { restart_timeout: [1, 1] } } });
    const { upstream } = world.runtime;
    const clashes = (): number[] =>
      world.events.filter(({ event }) => event === Event.IDENTIFIER_CLASH).map(({ detail }) => detail);
    const end = (after: number): void => {
      world.until(() => world.isConnected);
      world.run(after);
      world.uplink.close();
      world.until(() => upstream.phase === WAITING);
    };
    world.runtime.start();
    end(1000);
    end(1000);
    expect([upstream.isFoughtOver(world.clock.now), clashes()]).toEqual([false, []]);
    end(1000);
    end(1000);
    expect([upstream.isFoughtOver(world.clock.now), clashes()]).toEqual([true, [3, 4]]);
    world.until(() => world.isConnected);
    expect(upstream.isFoughtOver(world.clock.now)).toBe(true);
    world.run(10_000);
    expect(upstream.isFoughtOver(world.clock.now)).toBe(false);
    world.uplink.close();
    world.until(() => upstream.phase === WAITING);
    expect([upstream.isFoughtOver(world.clock.now), clashes()]).toEqual([false, [3, 4]]);
  });

  it('takes a board without a free socket for an attempt that failed', () => {
    const world = new World({ board: { connectionLimit: 1 } });
    const node = world.dial(); // has the only one
    world.runtime.start();
    world.run(5);
    expect(world.board.endpoints.size).toBe(1);
    world.until(() => world.upstreamEndings.length === 2);
    expect(world.upstreamEndings).toEqual([ReasonCode.NETWORK_UNREACHABLE, ReasonCode.NETWORK_UNREACHABLE]);
    node.close();
    world.until(() => world.isConnected, 30_000);
  });

  it('survives a network that is not there yet', () => {
    const world = new World();
    world.runtime.start();
    world.board.isOnline = false;
    world.run(10_000);
    expect(new Set(world.upstreamEndings)).toEqual(new Set([ReasonCode.NETWORK_UNREACHABLE]));
    world.board.isOnline = true;
    world.until(() => world.isConnected);
  });

  it('can be unplugged and plugged in again: at once, without waiting', () => {
    const world = World.connected();
    world.runtime.later(() => world.runtime.upstream.unplug());
    expect(world.isConnected).toBe(false);
    world.run(30_000);
    expect(world.isConnected).toBe(false);
    const node = world.client('n');
    node.publish('a', 'kept', 1);
    world.run(100);
    world.runtime.joinNetwork();
    world.until(() => world.isConnected, 200);
    world.run(100);
    expect(world.uplink.messages).toEqual(['up/a kept']);
  });
});
