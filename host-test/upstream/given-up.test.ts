/**
 * A message of QoS 2 that is given up, because the log is full, when it has been sent and the Server has not said to
 * the end that it has it. Nobody knows whether the Server keeps its identifier.
 */
import { describe, expect, it } from 'vitest';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { NodeModel, ServerModel, StoreWorld, TINY } from '../simulation/store-world.ts';

const CONFIGURATION: PartialConfiguration = { ...TINY, store: { ...TINY.store, ram: 4000, full: 'drop_oldest' } };
const FIRST = 'first';

/** Packets towards the Server that are about messages: type and identifier, `PUBLISH dup first` with its name. */
const describePacket = (packet: Buffer): string => {
  const type = packet[0]! >> 4;
  if (type === 6)
    return `PUBREL ${packet.readUInt16BE(2)}`;
  const topicEnd = 4 + packet.readUInt16BE(2);
  return type !== 3 ? '' : `PUBLISH${(packet[0]! & 8) === 0 ? '' : ' dup'} ${packet.readUInt16BE(topicEnd)} `
    + packet.subarray(topicEnd + 2).toString();
};

interface Stage {
  readonly world: StoreWorld;
  readonly server: ServerModel;
  /** What was sent to the Server since the message was given up. */
  readonly sent: string[];
  readonly identifier: number;
}

/** @param exchange what has happened to the first message before the connection ended */
function giveUpFirst(exchange: (world: StoreWorld, server: ServerModel) => void,
  configuration = CONFIGURATION): Stage {
  const server = new ServerModel();
  const node = new NodeModel('one');
  const world = new StoreWorld(new FlashMedium(512, 9), server, [node], {}, configuration);
  const sent: string[] = [];
  world.onSend = (isUpstream, packet) => void (isUpstream && sent.push(describePacket(packet)));
  world.connectNode(0);
  world.connectUpstream();
  exchange(world, server);
  const identifier = Number(/ (\d+) first$/.exec(sent.find(one => one.endsWith(FIRST))!)![1]);
  world.cutUpstream();
  server.isMute = false;
  for (let number = 0; world.gateway.bridge.droppedCount === 0; ++number) {
    world.send(0, ['t', `later ${number}`, 2]);
    world.settle();
  }
  sent.length = 0;
  return { world, server, sent, identifier };
}

/** The PUBLISH leaves, and does not arrive. */
const loseMessage = (world: StoreWorld): void => {
  world.send(0, ['t', FIRST, 2]);
  const { clock } = world.gateway;
  for (let turn = 0; turn < 3; ++turn) { // the log takes it, then it goes out
    clock.now = clock.now + 1 | 0;
    world.gateway.commit();
    world.gateway.handleDeferred();
  }
};
/** The Server has it, its PUBREC is lost. */
const loseAnswer = (world: StoreWorld, server: ServerModel): void => {
  server.isMute = true;
  world.send(0, ['t', FIRST, 2]);
  world.settle();
};
/** PUBREC has come, PUBREL or PUBCOMP is lost. */
const loseRelease = (world: StoreWorld): void => {
  loseMessage(world);
  world.exchange(1);
};

const of = (sent: readonly string[], identifier: number): string[] =>
  sent.filter(one => new RegExp(` ${identifier}( |$)`).test(one));
const deliveries = ({ delivered }: ServerModel): number => delivered.filter(({ payload }) => payload === FIRST).length;

describe('the next connection, on which the Server knows the session,', () => {
  it.each([['that never got the message', loseMessage], ['that has it', loseAnswer]])(
    'begins with the message again, and releases it after PUBREC: a Server %s', (_name, exchange) => {
      const { identifier, sent, server, world } = giveUpFirst(exchange);
      world.finish();
      expect(of(sent, identifier)).toEqual([`PUBLISH dup ${identifier} ${FIRST}`, `PUBREL ${identifier}`]);
      expect(deliveries(server)).toBe(1);
      expect(server.unreleasedCount).toBe(0);
      expect(world.waitingCount).toBe(0);
    });

  it('goes on with PUBREL when PUBREC had come', () => {
    const { identifier, sent, server, world } = giveUpFirst(loseRelease);
    world.finish();
    expect(of(sent, identifier)).toEqual([`PUBREL ${identifier}`]);
    expect(deliveries(server)).toBe(1);
    expect(server.unreleasedCount).toBe(0);
  });
});

describe('the next connection, on which the Server does not know the session,', () => {
  it.each([['nothing has arrived', loseMessage], ['PUBREC was lost', loseAnswer], ['PUBREC had come', loseRelease]])(
    'says nothing of it: given up stays given up, when %s', (_name, exchange) => {
      const { identifier, sent, server, world } = giveUpFirst(exchange);
      const before = deliveries(server);
      server.keepsSession = false;
      world.finish();
      expect(of(sent, identifier)).toEqual([]);
      expect(sent.filter(one => one.endsWith(FIRST))).toEqual([]);
      expect(deliveries(server)).toBe(before);
      expect(server.delivered.length).toBeGreaterThan(before + 5); // what was not given up
      expect(world.waitingCount).toBe(0);
    });

  it('sends a message that waits beside suspects anew, and no PUBREL for it, though PUBREC had come before', () => {
    const server = new ServerModel();
    const world = new StoreWorld(new FlashMedium(512, 9), server, [new NodeModel('one')], {}, CONFIGURATION);
    const sent: string[] = [];
    world.onSend = (isUpstream, packet) => void (isUpstream && sent.push(describePacket(packet)));
    world.connectNode(0);
    world.connectUpstream();
    loseRelease(world);
    world.cutUpstream();
    world.queue.hold(world.queue.oldest);
    sent.length = 0;
    server.keepsSession = false;
    world.connectUpstream();
    world.queue.releaseHeld();
    world.gateway.upstream.writable();
    world.settle();
    expect(sent.filter(one => one !== '')).toEqual([
      expect.stringMatching(/^PUBLISH \d+ first$/), expect.stringMatching(/^PUBREL/)]);
  });

  it('sends a message again that was held while it was under way, whatever the clock says', () => {
    const server = new ServerModel();
    const world = new StoreWorld(new FlashMedium(512, 9), server, [new NodeModel('one')], {}, CONFIGURATION);
    const sent: string[] = [];
    world.onSend = (isUpstream, packet) => void (isUpstream && sent.push(describePacket(packet)));
    world.gateway.clock.now = 1_000_000;
    world.connectNode(0);
    world.connectUpstream();
    server.isMute = true;
    world.send(0, ['t', FIRST, 1]);
    world.settle();
    world.queue.hold(world.queue.oldest);
    sent.length = 0;
    world.queue.releaseHeld();
    world.gateway.upstream.writable();
    world.settle();
    expect(sent).toEqual([expect.stringMatching(/^PUBLISH( dup)? \d+ first$/)]);
  });
});
