/** A node that is made to wait: what is judged of it meanwhile, and what is read. */
import { describe, expect, it } from 'vitest';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { HELD_BY_NODE, HELD_BY_RATE, HELD_BY_STORE, HELD_BY_WORK } from '../../src/session/holds.ts';
import { expiryInterval, heldReadInterval } from '../../src/session/keep-alive.ts';
import { publish } from '../world/packets.ts';
import { acknowledge, type Peer, World } from '../world/world.ts';

const KEEP_ALIVE = 4;
const PINGREQ = { cmd: 'pingreq' } as const;

function heldBy(reason: number, listener = {}): { world: World; node: Peer } {
  const world = World.quiet({ listener: { max_packet_size: 256, ...listener } });
  const node = world.client('n', { keepAlive: KEEP_ALIVE });
  world.runtime.later(() => world.gateway.sessions[0]!.hold(reason));
  return { node, world };
}

/** A node that says something every second, as many do. */
function speak(world: World, node: Peer, seconds: number): void {
  for (let second = 0; second < seconds; ++second) {
    node.post(PINGREQ);
    world.run(1000);
  }
}

it('a quarter of Keep Alive is the time between two packets of a node that is held', () => {
  expect(heldReadInterval(60)).toBe(15_000);
  expect(heldReadInterval(1)).toBe(250);
  expect(heldReadInterval(65535)).toBe(16_383_750);
});

describe.each([['the store', HELD_BY_STORE], ['another node', HELD_BY_NODE],
  ['its rate', HELD_BY_RATE]])('a node that is held for %s', (_name, reason) => {
  it('is read a packet in every quarter of Keep Alive, so that each PINGREQ is answered', () => {
    const { node, world } = heldBy(reason);
    const start = world.clock.time;
    speak(world, node, 20);
    const times = node.times.slice(1);
    expect(node.all('pingresp').length).toBeGreaterThanOrEqual(18);
    let last = start;
    for (const time of times) {
      // The first may have come just after a look.
      expect(time - last).toBeLessThanOrEqual(2 * heldReadInterval(KEEP_ALIVE) + 20);
      last = time;
    }
    expect(world.nodeEndings).toEqual([]);
  });

  it('is not read faster than that', () => {
    const { node, world } = heldBy(reason);
    node.post(...Array.from({ length: 50 }, () => PINGREQ));
    for (let quarter = 1; quarter <= 8; ++quarter) {
      world.run(heldReadInterval(KEEP_ALIVE));
      expect(node.all('pingresp').length).toBeLessThanOrEqual(quarter);
      expect(node.all('pingresp').length).toBeGreaterThanOrEqual(quarter - 1);
    }
  });

  it('is not closed for silence as long as bytes of it wait, and is once they have been read', () => {
    const { node, world } = heldBy(reason);
    const count = 10;
    node.post(...Array.from({ length: count }, () => PINGREQ));
    world.until(() => node.all('pingresp').length === count);
    expect(world.clock.time).toBeGreaterThan(expiryInterval(KEEP_ALIVE));
    world.run(expiryInterval(KEEP_ALIVE) - 100);
    expect(world.nodeEndings).toEqual([]);
    world.run(200);
    expect(world.nodeEndings).toEqual([ReasonCode.KEEP_ALIVE_TIMEOUT]);
  });

  it('is closed when it says nothing', () => {
    const { world } = heldBy(reason);
    world.run(expiryInterval(KEEP_ALIVE) - 100);
    expect(world.nodeEndings).toEqual([]);
    world.run(200);
    expect(world.nodeEndings).toEqual([ReasonCode.KEEP_ALIVE_TIMEOUT]);
  });

  it('may say more than the gateway keeps: the rest waits in the network, and nothing of it is lost or turned round',
    () => {
    const { node, world } = heldBy(reason);
    const reader = world.client('reader');
    reader.subscribe('t');
    world.run(100);
    const texts = Array.from({ length: 100 }, (_, index) => `t ${String(index)}`);
    node.post(...texts.map(text => publish('t', text.slice(2))), PINGREQ);
    world.run(3 * heldReadInterval(KEEP_ALIVE));
    expect(reader.messages.length).toBeLessThanOrEqual(3);
    world.runtime.later(() => world.gateway.sessions[0]!.release(reason));
    world.run(1000);
    expect(reader.messages).toEqual(texts);
    expect(node.all('pingresp').length).toBe(1);
    expect(world.nodeEndings).toEqual([]);
  });

  it('whose PINGREQ comes in two pieces is answered all the same', () => {
    const { node, world } = heldBy(reason);
    node.post('C0');
    world.run(expiryInterval(KEEP_ALIVE) - 100);
    expect([node.all('pingresp').length, world.nodeEndings]).toEqual([0, []]);
    node.post('00');
    world.run(2 * heldReadInterval(KEEP_ALIVE));
    expect(node.all('pingresp').length).toBe(1);
    expect(world.nodeEndings).toEqual([]);
  });
});

it('a node that is held for two reasons is read again when both are gone', () => {
  const { node, world } = heldBy(HELD_BY_STORE);
  const session = world.gateway.sessions[0]!;
  world.runtime.later(() => session.hold(HELD_BY_NODE));
  node.post(PINGREQ);
  world.run(100);
  world.runtime.later(() => session.release(HELD_BY_STORE));
  world.run(100);
  expect(node.all('pingresp').length).toBe(0);
  world.runtime.later(() => session.release(HELD_BY_NODE));
  world.run(100);
  expect(node.all('pingresp').length).toBe(1);
});

it('a node whose packet is long work is not judged meanwhile, nor is anything read of it', () => {
  const { node, world } = heldBy(HELD_BY_WORK);
  node.post(PINGREQ);
  world.run(expiryInterval(KEEP_ALIVE) * 3);
  expect([node.all('pingresp').length, world.nodeEndings]).toEqual([0, []]);
});

it('a node without Keep Alive that is held is neither read nor closed until it is released', () => {
  const world = World.quiet();
  const node = world.client('n', { keepAlive: 0 }, acknowledge);
  const session = world.gateway.sessions[0]!;
  world.runtime.later(() => session.hold(HELD_BY_STORE));
  node.post(PINGREQ);
  world.run(86_400_000);
  expect([node.all('pingresp').length, world.nodeEndings]).toEqual([0, []]);
  world.runtime.later(() => session.release(HELD_BY_STORE));
  world.run(100);
  expect(node.all('pingresp').length).toBe(1);
});

it('a node that sends far more than listener.max_publish_rate allows has its PINGREQ answered in time, and stays',
  () => {
  const world = World.quiet({ listener: { max_packet_size: 256, max_publish_rate: 1, max_queued_messages: 100 } });
  const node = world.client('n', { keepAlive: 1 });
  for (let second = 0; second < 10; ++second) {
    node.post(publish('t', 'x'), publish('t', 'y'), PINGREQ);
    world.run(1000);
  }
  world.until(() => node.all('pingresp').length === 10);
  expect(world.gateway.router.heldCount).toBeGreaterThan(3);
  expect(world.nodeEndings).toEqual([]);
});
