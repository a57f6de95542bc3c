/**
 * The way of the board to read and write exactly one view, on Node, which can resize buffers too: what a socket takes
 * in pieces must arrive as it was sent.
 */
import { expect, test } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { RingSpace } from '../../src/bytes/ring-buffer.ts';
import { ResizedViews } from '../../src/io/exact-view.ts';
import { Link, LinkContext } from '../../src/io/link.ts';
import { Scheduler } from '../../src/io/scheduler.ts';
import type { TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import { Clock } from '../../src/session/clock.ts';
import type { Session } from '../../src/session/session.ts';

const RING_CAPACITY = 256;
const STAGING_CAPACITY = 128;

/** Takes what it is allowed to take, and keeps it. */
class SlowSocket implements TCPSocket {
  static last: SlowSocket;
  readonly written: number[] = [];
  writable = 0;
  private readonly options: TCPOptions;

  constructor(options: TCPOptions) {
    this.options = options;
    SlowSocket.last = this;
  }

  read(): number {
    throw new Error('nothing to read');
  }

  write(view: Uint8Array): number {
    if (view.byteLength > this.writable)
      throw new Error('would block');
    this.written.push(...view);
    return this.writable -= view.byteLength;
  }

  close(): void { /* nothing is held */ }

  makeRoom(count: number): void {
    this.writable = count;
    this.options.onWritable!.call(this, count);
  }
}

function createLink(): { link: Link; arena: Arena } {
  const plan = new ArenaPlan();
  const ring = plan.reserve('ring', RING_CAPACITY);
  const arena = new Arena(plan, { landingCapacity: 64, stagingCapacity: STAGING_CAPACITY, resizable: true });
  const scheduler = new Scheduler(new Clock(), () => 0, () => ({ set() {}, clear() {} }), { handleTimeout: () => {}, handleDeferred: () => {} });
  const context = new LinkContext(arena, new ResizedViews(arena), scheduler, SlowSocket, { onLinkEstablished() {}, onLinkClosed() {} }, 1000);
  const session = { parser: { wanted: 64, receive() {} }, open() {}, writable() {}, outputWaits() {}, transportClosed() {} } as unknown as Session;
  return { link: new Link(context, session, new RingSpace(arena, RING_CAPACITY), ring), arena };
}

test.each([0, 1, 24, 99, 100, 101])('what a socket with room for %i bytes does not take follows unchanged', room => {
  const { link, arena } = createLink();
  link.connect('127.0.0.1', 1883);
  const socket = SlowSocket.last;
  socket.makeRoom(room);
  const packet = Array.from({ length: 100 }, (_, index) => index + 1);
  arena.bytes.set(packet, arena.stagingOffset);
  expect(link.send(packet.length)).toBe(true);
  while (socket.written.length < packet.length)
    socket.makeRoom(7);
  expect(socket.written).toEqual(packet);
});
