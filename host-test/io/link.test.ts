/** One link between a socket that does as the test says and a session that only counts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { RingSpace } from '../../src/bytes/ring-buffer.ts';
import { CachedViews, ResizedViews, type ExactViews } from '../../src/io/exact-view.ts';
import { Link } from '../../src/io/link.ts';
import { LinkContext } from '../../src/io/link-context.ts';
import { Scheduler } from '../../src/io/scheduler.ts';
import type { TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import * as ReasonCode from '../../src/packet/reason-code.ts';
import { Clock } from '../../src/session/clock.ts';
import type { Session } from '../../src/session/session.ts';

const LANDING = 16;
const STAGING = 64;
const RING = 32;
const CLOSE_TIMEOUT = 2000;

/** Takes `writable` bytes, gives what the test has put into `incoming`. */
class Socket implements TCPSocket {
  static last: Socket;
  /** Against the rules (transport.ts): calls back from inside the constructor. */
  static callsEarly = false;
  readonly options: TCPOptions;
  writable = 0;
  incoming: number[] = [];
  readonly written: number[] = [];
  isClosed = false;
  /** Room that arises during the next write. */
  surplus = 0;
  /** The peer has closed, though there is more to read. */
  isDead = false;

  constructor(options: TCPOptions) {
    this.options = options;
    Socket.last = this;
    if (Socket.callsEarly) {
      this.arrive(1);
      this.drain(10);
      options.onError!.call(this);
    }
  }

  read(view: Uint8Array): number {
    if (this.isClosed || view.length === 0 || view.length > this.incoming.length)
      throw new Error('invalid');
    view.set(this.incoming.splice(0, view.length));
    return view.length;
  }

  write(view: Uint8Array): number | undefined {
    if (this.isClosed || this.isDead)
      throw new Error('not ready');
    if (view.length > this.writable)
      throw new Error('would block');
    this.written.push(...view);
    this.writable += this.surplus - view.length;
    this.surplus = 0;
    return this.writable;
  }

  close(): void {
    this.isClosed = true;
  }

  arrive(...bytes: number[]): void {
    this.incoming.push(...bytes);
    this.options.onReadable!.call(this, this.incoming.length);
  }

  drain(count: number): void {
    this.writable = count;
    this.options.onWritable!.call(this, count);
  }
}

function linked(createViews: (arena: Arena) => ExactViews = arena => new ResizedViews(arena)) {
  const plan = new ArenaPlan();
  const ring = plan.reserve('ring', RING);
  const arena = new Arena(plan, { landingCapacity: LANDING, stagingCapacity: STAGING, resizable: true });
  const clock = new Clock();
  const state = { time: 0, received: [] as number[], log: [] as string[] };
  const scheduler =
    new Scheduler(clock, () => state.time, () => ({ set: () => {}, clear: () => {} }),
      { handleTimeout: () => {}, handleDeferred: () => {} });
  const parser = {
    wanted: LANDING,
    receive: (offset: number, end: number) => {
      expect(end - offset).toBeLessThanOrEqual(LANDING);
      state.received.push(...arena.bytes.slice(offset, end));
    },
  };
  const session = {
    parser,
    open: () => state.log.push('open'),
    writable: () => state.log.push('writable'),
    outputWaits: () => {},
    transportClosed: (reasonCode: number) => state.log.push(`transport closed ${reasonCode}`),
  };
  const context = new LinkContext(arena, createViews(arena), scheduler, {
    TCP: Socket,
    owner: {
      onLinkEstablished: () => state.log.push('established'),
      onLinkClosed: (_link, reasonCode) => state.log.push(`closed ${reasonCode}`),
    },
    closeTimeout: CLOSE_TIMEOUT,
  });
  const link = new Link(context, session as unknown as Session, new RingSpace(arena, RING), ring);
  const send = (...bytes: number[]): boolean => {
    arena.bytes.set(bytes, arena.stagingOffset);
    return link.send(bytes.length);
  };
  return { arena, clock, link, parser, send, state };
}

/** With a connection that takes `writable` bytes at the moment. */
function connected(writable: number, createViews?: (arena: Arena) => ExactViews) {
  const all = linked(createViews);
  all.link.connect('10.0.0.2', 1883);
  const socket = Socket.last;
  socket.drain(writable);
  all.state.log.length = 0;
  return { ...all, socket };
}

const numbers = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

describe.each([
  ['ResizedViews', (arena: Arena) => new ResizedViews(arena)],
  ['CachedViews', (arena: Arena) => new CachedViews(arena)],
])('a link with %s', (_name, createViews) => {
  it('says that it stands before the session is opened', () => {
    const { link, state } = linked(createViews);
    expect(link.isFree).toBe(true);
    link.connect('10.0.0.2', 1883);
    expect(link.isFree).toBe(false);
    expect(Socket.last.options).toMatchObject({ address: '10.0.0.2', port: 1883 });
    expect(state.log).toEqual([]);
    Socket.last.drain(100);
    expect(state.log).toEqual(['established', 'open', 'writable']);
    Socket.last.drain(100);
    expect(state.log).toEqual(['established', 'open', 'writable', 'writable']);
  });

  it('hands over what arrives in pieces that fit the landing area', () => {
    const { link, socket, state } = connected(100, createViews);
    socket.arrive(1, 2, 3);
    socket.arrive(...numbers(50, 4));
    expect(state.received).toEqual(numbers(53));
    expect(link.isFree).toBe(false);
  });

  it('leaves bytes in the network while the session is paused', () => {
    const { link, parser, socket, state } = connected(100, createViews);
    parser.wanted = 0;
    socket.arrive(1, 2, 3);
    socket.arrive(4, 5);
    expect(state.received).toEqual([]);
    expect(socket.incoming.length).toBe(5);
    parser.wanted = 2;
    link.resume();
    expect(state.received).toEqual([1, 2, 3, 4, 5]);
  });

  it('writes straight to the socket while that takes everything', () => {
    const { link, send, socket } = connected(10, createViews);
    expect(send(1, 2, 3)).toBe(true);
    expect(socket.written).toEqual([1, 2, 3]);
    expect(link.room).toBe(7 + RING);
    expect(link.stalledFor(1000)).toBe(0);
  });

  it('keeps in its ring what the socket does not take, and sends all in order', () => {
    const { link, send, socket, state } = connected(10, createViews);
    expect(send(...numbers(25))).toBe(true);
    expect(socket.written).toEqual(numbers(10));
    expect(link.room).toBe(RING / 2 - 15);
    expect(send(...numbers(5, 26))).toBe(true);
    expect(socket.written.length).toBe(10);
    state.time = 700;
    expect(link.stalledFor(700)).toBe(700);
    socket.drain(7);
    expect(socket.written).toEqual(numbers(17));
    expect(link.stalledFor(900)).toBe(200);
    socket.drain(100);
    expect(socket.written).toEqual(numbers(30));
    expect(link.stalledFor(5000)).toBe(0);
    expect(send(31)).toBe(true);
    expect(socket.written).toEqual(numbers(31));
  });

  it('takes all or nothing when the ring is full', () => {
    const { link, send, socket } = connected(4, createViews);
    expect(link.room).toBe(4 + RING);
    expect(send(...numbers(4 + RING + 1))).toBe(false);
    expect(socket.written).toEqual([]);
    expect(send(...numbers(4 + RING))).toBe(true);
    expect(link.room).toBe(-RING / 2);
    expect(send(99)).toBe(false);
    socket.drain(100);
    expect(socket.written).toEqual(numbers(4 + RING));
  });

  it('keeps half of the ring for acknowledgements when messages wait in it', () => {
    const { link, send, socket } = connected(0, createViews);
    const message = (length: number): number[] => [0x30, ...numbers(length - 1)];
    expect(send(...message(RING / 2 - 4))).toBe(true);
    expect(link.room).toBe(4);
    expect(send(...message(5))).toBe(false);
    expect(send(...message(4))).toBe(true);
    expect(send(...message(2))).toBe(false);
    for (let free = RING / 2; free > 0; free -= 4)
      expect(send(0x40, 2, 0, free)).toBe(true);
    expect(send(0xD0, 0)).toBe(false);
    socket.drain(RING / 2 - 4);
    expect(link.room).toBe(-4);
  });

  it('takes a message that needs the whole ring when nothing waits', () => {
    const { send, socket } = connected(1, createViews);
    const message = [0x30, ...numbers(RING)];
    expect(send(...message)).toBe(true);
    socket.drain(100);
    expect(socket.written).toEqual(message);
  });

  it('keeps the order of whatever is sent, however little the peer fetches at a time', () => {
    const length = fc.integer({ min: 1, max: RING });
    fc.assert(fc.property(fc.array(fc.record({ length, isSent: fc.boolean() }), { maxLength: 60 }), steps => {
      const { link, send, socket } = connected(0, createViews);
      const taken: number[] = [];
      for (const { length: count, isSent } of steps) {
        const waiting = taken.length - socket.written.length;
        if (isSent) {
          const bytes =
            Array.from({ length: count }, (_, index) => (taken.length + index) % 0x30); // no PUBLISH among them
          const isTaken = send(...bytes);
          expect(isTaken).toBe(count <= socket.writable + RING - waiting);
          if (isTaken)
            taken.push(...bytes);
        } else {
          socket.drain(count);
          expect(socket.written.length).toBe(taken.length - Math.max(0, waiting - count));
        }
        expect(link.stalledFor(1) > 0).toBe(socket.written.length < taken.length);
        expect(socket.written).toEqual(taken.slice(0, socket.written.length));
      }
    }), { numRuns: 200 });
  });

  it('does not read for a session whose answers nobody fetches, until half of the ring has gone out', () => {
    const { send, socket, state } = connected(0, createViews);
    expect(send(...numbers(RING / 2))).toBe(true);
    socket.arrive(1);
    expect(state.received).toEqual([1]);
    expect(send(2)).toBe(true); // more than half
    socket.arrive(2);
    socket.arrive(3);
    expect(state.received).toEqual([1]);
    socket.drain(1);
    expect(state.received).toEqual([1, 2, 3]);
  });

  it('closes when everything has gone out', () => {
    const { clock, link, send, socket, state } = connected(2, createViews);
    send(1, 2, 3, 4);
    link.close();
    link.handleTimeout();
    expect(socket.isClosed).toBe(false);
    expect(clock.isArmed).toBe(true);
    socket.drain(1);
    expect(socket.isClosed).toBe(false);
    socket.drain(1);
    expect(socket.isClosed).toBe(true);
    expect(socket.written).toEqual([1, 2, 3, 4]);
    expect(state.log.at(-1)).toBe(`closed ${ReasonCode.SUCCESS}`);
    expect(link.isFree).toBe(true);
  });

  it('closes after a time although the peer fetches nothing', () => {
    const { clock, link, send, socket, state } = connected(0, createViews);
    send(1, 2, 3);
    link.close();
    clock.now = state.time = CLOSE_TIMEOUT - 1;
    link.handleTimeout();
    expect(socket.isClosed).toBe(false);
    clock.now = state.time = CLOSE_TIMEOUT;
    link.handleTimeout();
    expect(socket.isClosed).toBe(true);
    expect(link.isFree).toBe(true);
  });

  it('never closes from inside another call, and reads what has arrived before: unread bytes would reset the connection', () => {
    const { link, parser, socket, state } = connected(10, createViews);
    parser.wanted = 0;
    socket.arrive(...numbers(40));
    link.close();
    expect(socket.isClosed).toBe(false);
    link.handleTimeout();
    expect(socket.incoming).toEqual([]);
    expect(state.received).toEqual([]);
    expect(socket.isClosed).toBe(true);
  });

  it('does not mind a write that throws because the peer has closed: the end is reported later', () => {
    const { send, socket, state } = connected(10, createViews);
    socket.isDead = true;
    expect(send(1, 2, 3)).toBe(true);
    expect(send(4, 5, 6)).toBe(true);
    expect(send(...numbers(RING))).toBe(false);
    expect(socket.written).toEqual([]);
    socket.options.onError!.call(socket);
    expect(state.log).toEqual([`transport closed ${ReasonCode.NETWORK_CLOSED}`, `closed ${ReasonCode.NETWORK_CLOSED}`]);
    expect(socket.isClosed).toBe(true);
    expect(send(7)).toBe(false);
  });

  it('that never stood was unreachable', () => {
    const { link, state } = linked(createViews);
    link.connect('10.0.0.2', 1883);
    Socket.last.options.onError!.call(Socket.last);
    expect(state.log).toEqual([`transport closed ${ReasonCode.NETWORK_UNREACHABLE}`,
      `closed ${ReasonCode.NETWORK_UNREACHABLE}`]);
    expect(link.isFree).toBe(true);
  });

  it('given up says so once, and hears nothing of the old socket when it is used again', () => {
    const { link, socket, state } = connected(10, createViews);
    link.abort(ReasonCode.PROTOCOL_ERROR);
    link.abort(ReasonCode.PROTOCOL_ERROR);
    expect(state.log).toEqual([`transport closed ${ReasonCode.PROTOCOL_ERROR}`, `closed ${ReasonCode.PROTOCOL_ERROR}`]);
    state.log.length = 0;
    link.connect('10.0.0.3', 1883);
    socket.isClosed = false; // were it still able to, it might say this
    socket.arrive(9);
    socket.drain(5);
    socket.options.onError!.call(socket);
    expect(state.log).toEqual([]);
    expect(state.received).toEqual([]);
    Socket.last.drain(100);
    expect(state.log).toEqual(['established', 'open', 'writable']);
  });

  it('does not listen to a socket before it has it', () => {
    const { link, state } = linked(createViews);
    Socket.callsEarly = true;
    try {
      link.connect('10.0.0.2', 1883);
    } finally {
      Socket.callsEarly = false;
    }
    expect(state.log).toEqual([]);
    expect(state.received).toEqual([]);
    expect(link.isFree).toBe(false);
    Socket.last.drain(100);
    Socket.last.arrive(2);
    expect(state.log).toEqual(['established', 'open', 'writable']);
    expect(state.received).toEqual([1, 2]);
  });

  it('goes on at once when the socket takes more than it has said', () => {
    const { link, send, socket } = connected(4, createViews);
    socket.surplus = 3;
    expect(send(...numbers(20))).toBe(true);
    expect(socket.written).toEqual(numbers(7));
    expect(link.room).toBe(RING / 2 - 13);
    socket.drain(100);
    expect(socket.written).toEqual(numbers(20));
  });

  it('begins with an empty ring after an end with a full one', () => {
    const { link, send, socket } = connected(0, createViews);
    send(...numbers(RING));
    link.abort(ReasonCode.PROTOCOL_ERROR);
    expect(socket.written).toEqual([]);
    link.connect('10.0.0.2', 1883);
    Socket.last.drain(10);
    send(1);
    expect(Socket.last.written).toEqual([1]);
  });

  it('leaves the arena at its full length after an exception out of a socket', () => {
    const { arena, socket } = connected(10, createViews);
    socket.incoming = [];
    expect(() => socket.options.onReadable!.call(socket, 5)).toThrow('invalid'); // a socket that lies
    const views = createViews(arena);
    views.buffer.resize(views.length);
    expect(arena.buffer.byteLength).toBe(arena.length);
  });
});
