/** What the driver of the upstream connection tells to whoever asks; what it does is in runtime.hostile-*.test.ts. */
import { describe, expect, it } from 'vitest';
import { CONNECTING, OPEN, RESOLVING, STOPPED, WAITING } from '../../src/upstream/upstream-phase.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { SERVER, Stage } from './stage.ts';

describe('the connection upstream', () => {
  it('goes through its phases, and counts attempts', () => {
    const stage = new Stage();
    const { upstream } = stage.runtime;
    expect([upstream.phase, upstream.attemptCount, upstream.reasonCode]).toEqual([STOPPED, 0, ReasonCode.SUCCESS]);
    stage.runtime.start();
    expect([upstream.phase, upstream.attemptCount]).toEqual([RESOLVING, 1]);
    stage.until(() => upstream.phase === CONNECTING);
    stage.until(() => upstream.phase === OPEN);
    stage.until(() => stage.isConnected);
    stage.uplink.close();
    stage.until(() => upstream.phase === WAITING);
    expect(upstream.reasonCode).toBe(ReasonCode.NETWORK_CLOSED);
    expect(upstream.deadline - stage.clock.now).toBeGreaterThanOrEqual(1000);
    expect(upstream.deadline - stage.clock.now).toBeLessThanOrEqual(8000);
    stage.until(() => stage.isConnected);
    expect(upstream.attemptCount).toBe(2);
    stage.runtime.stop(() => {});
    stage.run(100);
    expect(upstream.phase).toBe(STOPPED);
  });

  it('refuses an address that is none when it is made', () => {
    expect(() => new Stage({ configuration: { upstream: { address: ['http://example'] } } })).toThrow('write mqtt://host');
  });

  it('ignores an answer of the resolver that comes too late', () => {
    const stage = new Stage({ configuration: { upstream: { address: ['mqtt://broker.example'] } } });
    stage.network.names.set('broker.example', SERVER);
    stage.network.resolverLatency = 5000;
    stage.runtime.start();
    stage.run(1000);
    stage.runtime.stop(() => {});
    stage.run(10_000);
    expect(stage.network.links.length).toBe(0);
  });

  it('takes a board without a free socket for an attempt that failed', () => {
    const stage = new Stage({ board: { connectionLimit: 1 } });
    const node = stage.dial(); // has the only one
    stage.runtime.start();
    stage.run(5);
    expect(stage.board.endpoints.size).toBe(1);
    stage.until(() => stage.upstreamEndings.length === 2);
    expect(stage.upstreamEndings).toEqual([ReasonCode.NETWORK_UNREACHABLE, ReasonCode.NETWORK_UNREACHABLE]);
    node.close();
    stage.until(() => stage.isConnected, 30_000);
  });

  it('survives a network that is not there yet', () => {
    const stage = new Stage();
    stage.runtime.start();
    stage.board.isOnline = false;
    stage.run(10_000);
    expect(new Set(stage.upstreamEndings)).toEqual(new Set([ReasonCode.NETWORK_UNREACHABLE]));
    stage.board.isOnline = true;
    stage.until(() => stage.isConnected);
  });

  it('can be unplugged and plugged in again: at once, without waiting', () => {
    const stage = Stage.connected();
    stage.runtime.later(() => stage.runtime.upstream.unplug());
    expect(stage.isConnected).toBe(false);
    stage.run(30_000);
    expect(stage.isConnected).toBe(false);
    const node = stage.node('n');
    node.publish('a', 'kept', 1);
    stage.run(100);
    stage.runtime.joinNetwork();
    stage.until(() => stage.isConnected, 200);
    stage.run(100);
    expect(stage.uplink.messages).toEqual(['up/a kept']);
  });
});
