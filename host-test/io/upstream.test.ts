/** What the driver of the upstream connection tells to whoever asks; what it does is in runtime.hostile-*.test.ts. */
import { describe, expect, it } from 'vitest';
import { CONNECTING, OPEN, RESOLVING, STOPPED, WAITING } from '../../src/upstream/upstream-phase.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { SERVER, World } from '../world/world.ts';

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
