/**
 * The end of a connection is judged after the bytes that came before it, whatever the node was waiting for when it
 * came.
 */
import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PENDING, type Authenticator } from '../../src/gateway/gateway.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { CLOSED } from '../../src/session/connection-state.ts';
import type { ServerSession } from '../../src/session/server-session.ts';
import { acknowledge, type Peer, World } from '../world/world.ts';

const CONNECT: Packet = {
  cmd: 'connect', clientId: 'n', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0,
  will: { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false },
};
const WILL = { topic: 'will', payload: 'gone' };
const DISCONNECT: Packet = { cmd: 'disconnect' };
const publish = (payload: string, qos: 0 | 1 | 2 = 0): Packet =>
  ({ cmd: 'publish', topic: 'a', payload, qos, dup: false, retain: false, ...qos > 0 && { messageId: 1 } });
const numbered = (count: number): Packet[] => Array.from({ length: count }, (_, index) => publish(String(index)));
const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `up/a ${index}`);

class Slow implements Authenticator {
  readonly waiting: ServerSession[] = [];
  authenticate(session: ServerSession): number {
    this.waiting.push(session);
    return PENDING;
  }
}

/** All in one segment. */
const sendAtOnce = (node: Peer, ...packets: Packet[]): void =>
  node.socket.sendBytes(Buffer.concat(packets.map(packet => generate(packet))));

const ENDS = ['close', 'reset'] as const;
const end = (world: World, node: Peer, how: typeof ENDS[number]): void => {
  world.run(5); // so that the segment has arrived
  if (how === 'close')
    node.close();
  else
    world.network.lastLink.reset();
};

describe('a connection that ends while the password is being verified', () => {
  function asked(how: typeof ENDS[number], ...packets: Packet[]): { world: World; session: ServerSession } {
    const authenticator = new Slow();
    const world = World.connected({ authenticator });
    const node = world.dial(acknowledge);
    sendAtOnce(node, CONNECT, ...packets);
    end(world, node, how);
    world.run(1000);
    return { world, session: authenticator.waiting[0]! };
  }

  const admit = (world: World, session: ServerSession): void => {
    world.runtime.later(() => {
      world.runtime.gateway.admit(session);
      session.continueReading();
    });
    world.run(100);
  };

  it.each(ENDS)('by %s: what came behind CONNECT is delivered, DISCONNECT means that there is no Will', how => {
    const { session, world } = asked(how, publish('0'), publish('1', 1), publish('2', 2), DISCONNECT);
    expect(world.uplink.messages).toEqual([]);
    admit(world, session);
    expect(world.uplink.messages).toEqual(texts(3));
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
    expect(world.runtime.gateway.connectedCount).toBe(0);
  });

  it.each(ENDS)('by %s without DISCONNECT: delivered, then the Will', how => {
    const { session, world } = asked(how, publish('0'), publish('1', 1));
    admit(world, session);
    expect(world.uplink.messages).toEqual([...texts(2), 'up/will gone']);
    expect(world.nodeEndings).toEqual([ReasonCode.NETWORK_CLOSED]);
  });

  it('with half a packet at the end: what is whole counts', () => {
    const authenticator = new Slow();
    const world = World.connected({ authenticator });
    const node = world.dial(acknowledge);
    node.socket.sendBytes(Buffer.concat([generate(CONNECT), generate(publish('0')),
      generate(publish('1')).subarray(0, 4)]));
    end(world, node, 'close');
    world.run(1000);
    admit(world, authenticator.waiting[0]!);
    expect(world.uplink.messages).toEqual(['up/a 0', 'up/will gone']);
  });

  it('and is refused: nothing of it is delivered', () => {
    const { session, world } = asked('close', publish('0'), DISCONNECT);
    world.runtime.later(() => session.refuse(ReasonCode.BAD_USER_NAME_OR_PASSWORD));
    world.run(100);
    expect(session.state).toBe(CLOSED);
    expect(world.uplink.messages).toEqual([]);
  });

  it('for which the verdict comes later than connect_timeout is judged to its end all the same', () => {
    const { session, world } = asked('close', publish('0'), DISCONNECT);
    world.run(60_000);
    expect(world.nodeEndings).toEqual([]);
    admit(world, session);
    expect(world.uplink.messages).toEqual(texts(1));
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });

  it('and had sent nothing but CONNECT is over at once: no verdict is waited for', () => {
    const { session, world } = asked('close');
    expect(session.state).toBe(CLOSED);
    expect(world.nodeEndings).toEqual([ReasonCode.NETWORK_CLOSED]);
  });

  it('with more than the ring holds: the rest waits in the socket, and is read as well', () => {
    const { session, world } = asked('close', ...numbered(300), DISCONNECT);
    admit(world, session);
    world.run(1000);
    expect(world.uplink.messages).toEqual(texts(300));
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });
});

describe('a connection that ends while its node is held by max_publish_rate', () => {
  const limited = (): World => World.connected({ configuration: { listener: { max_publish_rate: 2 } } });

  it.each(ENDS)('by %s: all that had arrived is delivered in its time, and there is no Will after DISCONNECT', how => {
    const world = limited();
    const node = world.client('n', { will: WILL });
    sendAtOnce(node, ...numbered(8), DISCONNECT);
    end(world, node, how);
    world.run(100);
    expect(world.uplink.messages).toEqual(texts(2));
    world.run(10_000);
    expect(world.uplink.messages).toEqual(texts(8));
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });

  it('without DISCONNECT: the Will comes after the last message', () => {
    const world = limited();
    const node = world.client('n', { will: WILL, keepAlive: 1 });
    sendAtOnce(node, ...numbered(8));
    end(world, node, 'close');
    world.run(10_000);
    expect(world.uplink.messages).toEqual([...texts(8), 'up/will gone']);
  });

  it('and whose node comes back meanwhile: what it had sent comes first, and there is no Will', () => {
    const world = limited();
    const options = { will: WILL };
    const node = world.client('n', options);
    sendAtOnce(node, ...numbered(8), DISCONNECT);
    end(world, node, 'close');
    world.run(100);
    world.client('n', options).publish('a', '8');
    world.run(5000);
    expect(world.uplink.messages).toEqual(texts(9));
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
  });
});

describe('a connection whose node fetches nothing', () => {
  it('ends after send_timeout, but what it had sent is judged first: DISCONNECT means that there is no Will', () => {
    const world = World.connected({ configuration: { listener: { send_timeout: 5 } } });
    const node = world.client('n', { will: WILL });
    node.socket.stopReading();
    for (let count = 0; count < 12_000; ++count)
      node.post({ cmd: 'pingreq' });
    node.post(publish('0'), DISCONNECT);
    world.run(30_000);
    expect(world.nodeEndings).toEqual([ReasonCode.SUCCESS]);
    expect(world.uplink.messages).not.toContain('up/will gone');
  });
});
