/** The socket within WebSocket over a socket that is driven by hand: every split, both roles, every rule. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CachedArea, type ExactArea, ResizedArea } from '../../src/io/exact-area.ts';
import type { TCPOptions, TCPSocket } from '../../src/io/transport.ts';
import { AREA_LENGTH, type WebSocketPlatform, WebSocketTCP } from '../../src/io/websocket.ts';
import { ClientOpening, ServerOpening } from '../../src/io/websocket-opening.ts';
import { ACCEPT, frame, readFrames, REQUEST } from './websocket-frame.ts';

const ROOM = 65_536;

class Below implements TCPSocket {
  static newest: Below;
  target: unknown;
  remoteAddress = '192.0.2.1';
  isClosed = false;
  room = ROOM;
  written = Buffer.alloc(0);
  private unread = Buffer.alloc(0);
  private readonly options: TCPOptions;

  constructor(options: TCPOptions) {
    this.options = options;
    Below.newest = this;
  }

  feed(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.isClosed)
      return;
    this.unread = Buffer.concat([this.unread, bytes]);
    this.options.onReadable!.call(this, this.unread.length);
  }

  takes(room: number): void {
    this.room = room;
    this.options.onWritable!.call(this, room);
  }

  read(view: Uint8Array): number {
    if (view.length === 0 || view.length > this.unread.length)
      throw new Error('invalid');
    view.set(this.unread.subarray(0, view.length));
    this.unread = this.unread.subarray(view.length);
    return view.length;
  }

  write(view: Uint8Array): number {
    if (view.length > this.room || this.isClosed)
      throw new Error('would block');
    this.written = Buffer.concat([this.written, view]);
    return this.room -= view.length;
  }

  close(): void {
    this.isClosed = true;
    expect(this.unread).toHaveLength(0);
  }
}

interface Scene {
  readonly socket: WebSocketTCP;
  readonly below: Below;
  readonly events: string[];
  readonly violations: string[];
  /** What the program has read. */
  received: Buffer;
  writable: number;
  /** Runs what was put off. */
  turn(): void;
  /** Behind the answer to the request. */
  frames(): ReturnType<typeof readFrames>;
}

/** @param most bytes that the program reads at a time, and in which manner: the rest is read in a later turn */
function stage(most = Infinity, area: ExactArea = new CachedArea(AREA_LENGTH)): Scene {
  const put: (() => void)[] = [];
  const violations: string[] = [];
  const platform: WebSocketPlatform = {
    TCP: Below, area, defer: callback => put.push(callback),
    onViolation: (_address, violation) => violations.push(violation),
  };
  const opening = new ServerOpening({ acceptFor: () => ACCEPT, judgeOrigin: () => '' });
  let unread = 0;
  const read = (socket: TCPSocket, count: number): void => {
    const view = new Uint8Array(Math.min(count, most));
    expect(socket.read(view)).toBe(view.length);
    scene.received = Buffer.concat([scene.received, view]);
    unread = count - view.length;
    if (unread > 0)
      put.push(() => {
        if (unread > 0)
          read(socket, unread);
      });
  };
  const socket = new WebSocketTCP({
    onReadable(count) {
      scene.events.push('readable');
      read(this as unknown as TCPSocket, count);
    },
    onWritable(count) {
      scene.events.push('writable');
      scene.writable = count;
    },
    onError() {
      scene.events.push('error');
      (this as unknown as TCPSocket).close();
    },
  }, platform, opening);
  const scene: Scene = {
    socket, below: Below.newest, events: [], violations, received: Buffer.alloc(0), writable: 0,
    turn() {
      while (put.length > 0)
        put.shift()!();
    },
    frames: () => readFrames(scene.below.written.subarray(scene.below.written.indexOf('\r\n\r\n') + 4)),
  };
  scene.below.takes(ROOM);
  return scene;
}

const LONG = 'ab'.repeat(300);
/** Fragments with control frames between them, an empty one, one of two bytes of length, a Pong that nobody wanted. */
const STREAM = Buffer.concat([Buffer.from(REQUEST), frame(0x02, '00112233'), frame(0x89, '6869'), frame(0x00, ''),
  frame(0x80, '445566'), frame(0x89, ''), frame(0x8A, '00'), frame(0x82, LONG), frame(0x82, ''), frame(0x82, 'c000')]);
const PAYLOAD = `00112233445566${LONG}c000`;

describe.each<[string, () => ExactArea]>([
  ['Node', () => new CachedArea(AREA_LENGTH)],
  ['XS', () => new ResizedArea(AREA_LENGTH)],
])('with the area of %s', (_, area) => {
  test.each([Infinity, 1, 3])('gives the same payload at every split, to a program that reads %s bytes at a time [MQTT311-6.0.0-2] [MQTT5-6.0.0-2]', most => {
    for (let split = 0; split <= STREAM.length; ++split) {
      const scene = stage(most, area());
      scene.below.feed(STREAM.subarray(0, split));
      if (split % 2 === 0)
        scene.turn();
      scene.below.feed(STREAM.subarray(split));
      scene.turn();
      expect(scene.received.toString('hex'), `split at ${split}`).toBe(PAYLOAD);
      expect(scene.frames(), `split at ${split}`).toEqual({ data: '', control: [[0x8A, '6869'], [0x8A, '']] });
      expect(scene.violations).toEqual([]);
    }
  });

  test.each([1, 2, 3, 5, 7, 11, 126])('gives the same payload in pieces of %i bytes', length => {
    const scene = stage(4, area());
    for (let at = 0; at < STREAM.length; at += length) {
      scene.below.feed(STREAM.subarray(at, at + length));
      scene.turn();
    }
    expect(scene.received.toString('hex')).toBe(PAYLOAD);
    expect(scene.frames().control).toEqual([[0x8A, '6869'], [0x8A, '']]);
  });
});

test.each([1, 125, 126, 127, 60_000])('sends a frame of %i bytes, in one piece', length => {
  const scene = stage();
  scene.below.feed(Buffer.from(REQUEST));
  expect(scene.events).toEqual(['writable']);
  const payload = Buffer.alloc(length, 7);
  scene.socket.write(payload);
  expect(scene.frames()).toEqual({ data: payload.toString('hex'), control: [] });
});

test('keeps room for what it says itself, and never takes back what it promised', () => {
  const scene = stage();
  scene.below.feed(Buffer.from(REQUEST));
  for (let count = 0; count < 100; ++count)
    scene.below.feed(frame(0x89, '00'.repeat(125)));
  expect(scene.frames().control.length).toBeGreaterThan(5);
  scene.socket.write(new Uint8Array(scene.writable));
  expect(scene.frames().data).toHaveLength(2 * scene.writable);
  scene.socket.close();
  expect(scene.frames().control.at(-1)).toEqual([0x88, '03e8']);
});

test('answers ten Pings at once', () => {
  const scene = stage();
  scene.below.feed(Buffer.from(REQUEST));
  scene.below.feed(Buffer.concat(Array.from({ length: 10 }, (_, index) => frame(0x89, `0${index}`))));
  expect(scene.frames().control).toEqual(Array.from({ length: 10 }, (_, index) => [0x8A, `0${index}`]));
});

test('reports room when there is some again', () => {
  const scene = stage();
  scene.below.feed(Buffer.from(REQUEST));
  expect(scene.socket.write(new Uint8Array(scene.writable))).toBe(0);
  expect(() => scene.socket.write(new Uint8Array(1))).toThrow('would block');
  scene.below.takes(100);
  expect(scene.events).toEqual(['writable']);
  scene.below.takes(2000);
  expect(scene.events).toEqual(['writable', 'writable']);
  expect(scene.writable).toBe(976);
});

test('reports what is unread of the frame at hand, and the next one when it has been read', () => {
  const counts: number[] = [];
  const scene = stage();
  Object.assign(scene.socket, { callbacks: { onReadable: (count: number) => counts.push(count) } });
  scene.below.feed(Buffer.concat([Buffer.from(REQUEST), frame(0x82, '001122', 5).subarray(0, -1)]));
  expect(counts).toEqual([2]);
  scene.below.feed(Buffer.concat([Buffer.from('77', 'hex'), Buffer.from('7777', 'hex'), frame(0x82, 'aa')]));
  expect(counts).toEqual([2, 5]);
  scene.below.feed(frame(0x82, 'bb'));
  expect(counts).toEqual([2, 5]);
  scene.socket.read(new Uint8Array(4));
  scene.turn();
  expect(counts).toEqual([2, 5]);
  scene.socket.read(new Uint8Array(1));
  expect(counts).toEqual([2, 5]);
  scene.turn();
  expect(counts).toEqual([2, 5, 1]);
  expect(scene.socket.read(new Uint8Array(1))).toBe(1);
  expect(scene.socket.read(new Uint8Array(1))).toBeUndefined();
  scene.turn();
  expect(counts).toEqual([2, 5, 1, 1]);
});

test('answers Close with its code, after all payload has been read', () => {
  const scene = stage(1);
  scene.below.feed(Buffer.concat([Buffer.from(REQUEST), frame(0x82, 'aabb'), frame(0x88, '0bb8')]));
  expect(scene.events).toEqual(['writable', 'readable']);
  scene.turn();
  expect(scene.received.toString('hex')).toBe('aabb');
  expect(scene.events).toEqual(['writable', 'readable', 'error']);
  expect(scene.frames().control).toEqual([[0x88, '0bb8']]);
  expect(scene.below.isClosed).toBe(true);
});

const PROTOCOL_ERROR = '03ea';

test.each<[string, Buffer, RegExp, string]>([
  ['a reserved bit', frame(0xC2, ''), /a reserved bit is set/, PROTOCOL_ERROR],
  ['another reserved bit', frame(0x92, ''), /a reserved bit is set/, PROTOCOL_ERROR],
  ['no mask', Buffer.from('8200', 'hex'), /a client must mask its frames/, PROTOCOL_ERROR],
  ['text', frame(0x81, '61'), /a frame of text, where MQTT needs binary ones/, '03eb'],
  ['a reserved opcode', frame(0x83, ''), /an opcode that is reserved/, PROTOCOL_ERROR],
  ['a reserved control opcode', frame(0x8B, ''), /an opcode that is reserved/, PROTOCOL_ERROR],
  ['a continuation of nothing', frame(0x80, ''), /a continuation of no message/, PROTOCOL_ERROR],
  ['a continuation after the last fragment', Buffer.concat([frame(0x02, ''), frame(0x80, ''), frame(0x80, '')]), /a continuation of no message/, PROTOCOL_ERROR],
  ['a message within a message', Buffer.concat([frame(0x02, ''), frame(0x82, '')]), /a new message begins within another one/, PROTOCOL_ERROR],
  ['a Ping in fragments', frame(0x09, ''), /a control frame in fragments/, PROTOCOL_ERROR],
  ['a long Ping', frame(0x89, '00'.repeat(126)), /a control frame of more than 125 bytes/, PROTOCOL_ERROR],
  ['a long Close', frame(0x88, '00'.repeat(126)), /a control frame of more than 125 bytes/, PROTOCOL_ERROR],
  ['half of a code', frame(0x88, '03'), /a Close frame with half of a code/, PROTOCOL_ERROR],
  ['code 1006, which nobody may send', frame(0x88, '03ee'), /a Close frame with a code that nobody may send/, PROTOCOL_ERROR],
  ['code 999', frame(0x88, '03e7'), /a Close frame with a code that nobody may send/, PROTOCOL_ERROR],
  ['code 5000', frame(0x88, '1388'), /a Close frame with a code that nobody may send/, PROTOCOL_ERROR],
  ['two bytes for a length of 1', Buffer.from('82fe000101020304', 'hex'), /a length in more bytes than it needs/, PROTOCOL_ERROR],
  ['eight bytes for a length of 65535', Buffer.from('82ff000000000000ffff01020304', 'hex'), /a length in more bytes than it needs/, PROTOCOL_ERROR],
  ['a length of 2^63', Buffer.from('82ff800000000000000001020304', 'hex'), /a length of 2\^63 or more/, PROTOCOL_ERROR],
  ['a length of 2^64 - 1', Buffer.from('82ffffffffffffffffff01020304', 'hex'), /a length of 2\^63 or more/, PROTOCOL_ERROR],
  ['a length of 2^63 - 1', Buffer.from('82ff7fffffffffffffff01020304', 'hex'), /more than 2147483647 bytes/, '03f1'],
  ['a length of 2^31', Buffer.from('82ff000000008000000001020304', 'hex'), /more than 2147483647 bytes/, '03f1'],
])('ends a connection with %s by a code, names the rule once, and takes nothing that follows', (_, bytes, pattern, code) => {
  const scene = stage();
  scene.below.feed(Buffer.concat([Buffer.from(REQUEST), frame(0x82, '01'), bytes, frame(0x82, 'c000')]));
  scene.below.feed(frame(0x82, 'c000'));
  scene.turn();
  expect(scene.received.toString('hex')).toBe('01');
  expect(scene.frames().control).toEqual([[0x88, code]]);
  expect(scene.violations).toEqual([expect.stringMatching(/^breaks a rule of WebSocket: /)]);
  expect(scene.violations[0]).toMatch(pattern);
  expect(scene.events.filter(event => event === 'error')).toHaveLength(1);
});

test('judges arbitrary frames and bytes alike, however they are cut', () => {
  const firsts = fc.constantFrom(0x02, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8A, 0x81, 0xC2);
  const whole = fc.tuple(firsts, fc.uint8Array({ maxLength: 140 })).map(([first, payload]) =>
    frame(first, Buffer.from(payload).toString('hex')));
  const part = fc.oneof({ arbitrary: whole, weight: 6 },
    { arbitrary: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)), weight: 1 });
  const run = (bytes: Buffer, cuts: readonly number[], most: number) => {
    const scene = stage(most);
    for (let at = 0, turn = 0; at < bytes.length; ++turn) {
      const length = cuts[turn % cuts.length]!;
      scene.below.feed(bytes.subarray(at, at + length));
      scene.turn();
      at += length;
    }
    return { received: scene.received.toString('hex'), frames: scene.frames(), violations: scene.violations,
      isClosed: scene.below.isClosed };
  };
  const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(fc.array(part, { maxLength: 8 }), lengths, (parts, cuts) => {
    const bytes = Buffer.concat([Buffer.from(REQUEST), ...parts]);
    const wholeRun = run(bytes, [bytes.length], Infinity);
    expect(run(bytes, cuts, 7)).toEqual(wholeRun);
    expect(wholeRun.violations.length).toBeLessThanOrEqual(1);
  }), { numRuns: 1000 });
});

test('takes a frame of 2147483647 bytes as it comes', () => {
  const scene = stage();
  scene.below.feed(Buffer.concat([Buffer.from(REQUEST), Buffer.from('82ff000000007fffffff00000000aabb', 'hex')]));
  expect(scene.received.toString('hex')).toBe('aabb');
});

describe('a client', () => {
  const masks = [Buffer.from('a1b2c3d4', 'hex')];
  const open = () => {
    const events: string[] = [];
    const violations: string[] = [];
    let received = '';
    const socket = new WebSocketTCP({
      address: '192.0.2.2', port: 1,
      onReadable(count) {
        const view = Buffer.alloc(count);
        (this as unknown as TCPSocket).read(view);
        received += view.toString('hex');
      },
      onWritable: () => events.push('writable'),
      onError: () => events.push('error'),
    }, {
      TCP: Below, area: new CachedArea(AREA_LENGTH), defer: () => expect.unreachable(),
      fillMask: mask => mask.set(masks[0]!), onViolation: (_address, violation) => violations.push(violation),
    }, new ClientOpening('broker:8080', '/mqtt', 'mqtt', 'dGhlIHNhbXBsZSBub25jZQ==', ACCEPT));
    return { socket, below: Below.newest, events, violations, received: () => received };
  };
  const ANSWER = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`;

  test('asks, masks what it sends, and takes frames without mask [MQTT311-6.0.0-3] [MQTT5-6.0.0-3]', () => {
    const { below, events, received, socket } = open();
    below.takes(ROOM);
    expect(below.written.toString()).toMatch(/^GET \/mqtt HTTP\/1\.1\r\nHost: broker:8080\r\n[^]*\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n$/);
    expect(events).toEqual([]);
    below.written = Buffer.alloc(0);
    below.feed(Buffer.concat([Buffer.from(ANSWER), Buffer.from('82020102', 'hex'), Buffer.from('890133', 'hex')]));
    expect(events).toEqual(['writable']);
    expect(received()).toBe('0102');
    expect(below.written.toString('hex')).toBe('8a81a1b2c3d492'); // 33 ^ a1
    below.written = Buffer.alloc(0);
    const packet = Buffer.from('1002030405', 'hex');
    socket.write(packet);
    expect(below.written.toString('hex')).toBe('8285a1b2c3d4b1b0c0d0a4');
    expect(packet.toString('hex')).toBe('1002030405');
    below.written = Buffer.alloc(0);
    socket.close();
    expect(below.written.toString('hex')).toBe('8882a1b2c3d4a25a');
  });

  test('does not take frames with a mask', () => {
    const { below, events, violations } = open();
    below.takes(ROOM);
    below.feed(Buffer.concat([Buffer.from(ANSWER), frame(0x82, '00')]));
    expect(violations).toEqual(['breaks a rule of WebSocket: a server must not mask its frames']);
    expect(events).toEqual(['writable', 'error']);
  });

  test.each<[string, RegExp]>([
    ['\x20', /speaks no HTTP/],
    ['SSH-2.0-OpenSSH\r\n\r\n', /speaks no HTTP/],
    ['HTTP/1.1 404 Not Found\r\n\r\n', /answers 404 .*most brokers want \/mqtt/],
    [ANSWER.replace('WebSocket', 'h2c'), /without "Upgrade: websocket"/],
    [ANSWER.replace('s3p', 'S3p'), /another Sec-WebSocket-Accept/],
    [ANSWER.replace(': mqtt', ': chat'), /does not agree to the subprotocol "mqtt"/],
    [ANSWER.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n'), /an extension/],
    [`HTTP/1.1 101 ${'x'.repeat(5000)}`, /speaks no HTTP/],
  ])('does not go on after %j', (answer, pattern) => {
    const { below, events, violations } = open();
    below.takes(ROOM);
    below.feed(Buffer.from(answer, 'latin1'));
    expect(violations).toEqual([expect.stringMatching(pattern)]);
    expect(events).toEqual(['error']);
  });
});
