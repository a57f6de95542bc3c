/**
 * The queue of outgoing messages against a plain array with the same rules, in random sequences and with capacities so
 * small that records wrap round, leave padding behind and are refused all the time.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaPlan } from '../../src/bytes/arena.ts';
import { DUP } from '../../src/packet/control-packet.ts';
import type { Message } from '../../src/packet/packet.ts';
import { OutboundQueue } from '../../src/session/outbound-queue.ts';
import { MAXIMUM_RECORD_COUNT, QueueLimits } from '../../src/session/queue-limits.ts';
import { DONE, NONE, QUEUED, RELEASED, SENT } from '../../src/session/record-layout.ts';
import { hex, LIMITS, NO_IDENTIFIERS } from './pair.ts';

const MARGIN = 16;
const TEXT_LENGTH = 300;

/** A queue between two margins that must stay as they are. */
class Bench {
  readonly arena: Arena;
  readonly queue: OutboundQueue;
  private readonly texts: number;
  private readonly region: number;

  constructor(capacity: number, maximumCount: number, stagingCapacity = 512) {
    const plan = new ArenaPlan();
    this.texts = plan.reserve('texts', TEXT_LENGTH);
    this.region = plan.reserve('margin, queue, margin', capacity + 2 * MARGIN) + MARGIN;
    this.arena = new Arena(plan, { landingCapacity: 0, stagingCapacity, resizable: false });
    this.arena.bytes.fill(0xA5);
    this.queue = new OutboundQueue(new QueueLimits(this.arena,
      { ...LIMITS, queueCapacity: capacity, maximumQueuedMessages: maximumCount }), this.region, undefined);
  }

  /** Topic 't', and a payload of `length` bytes that all are `fill`. */
  message(length: number, fill: number, retain = 0): Message {
    this.arena.bytes[this.texts] = 0x74;
    this.arena.bytes.fill(fill, this.texts + 1, this.texts + 1 + length);
    return { topicNameOffset: this.texts, topicNameLength: 1, payloadOffset: this.texts + 1, payloadLength: length,
      qos: 0, retain, packetIdentifier: 0, propertiesOffset: 0, propertiesLength: 0, ...NO_IDENTIFIERS };
  }

  staged(record: number): string {
    this.arena.bytes.fill(0xA5, this.arena.stagingOffset);
    const length = this.queue.lengthToSend(record);
    this.queue.stage(record, length);
    return hex(this.arena.bytes.subarray(this.arena.stagingOffset, this.arena.stagingOffset + length));
  }

  /** Everything that a refused call must not change. */
  snapshot(): string {
    const numbers = Object.entries(this.queue).filter(([, value]) => typeof value === 'number');
    return JSON.stringify(numbers) + hex(this.arena.bytes.subarray(this.region, this.region + this.queue.capacity));
  }

  marginsAreIntact(): boolean {
    const { bytes } = this.arena;
    const before = bytes.subarray(this.region - MARGIN, this.region);
    const after = bytes.subarray(this.region + this.queue.capacity, this.region + this.queue.capacity + MARGIN);
    return before.every(byte => byte === 0xA5) && after.every(byte => byte === 0xA5);
  }
}

/** The packet as hex, written anew: fixed header with `flags` beside the QoS, topic 't', identifier, payload. */
function publish(qos: number, identifier: number, length: number, fill: number, flags: number): string {
  const remaining = 3 + (qos === 0 ? 0 : 2) + length;
  return hex([
    0x30 | flags | qos << 1,
    ...remaining < 128 ? [remaining] : [remaining & 127 | 128, remaining >> 7],
    0, 1, 0x74,
    ...qos === 0 ? [] : [identifier >> 8, identifier & 255],
    ...new Array<number>(length).fill(fill),
  ]);
}

const pubrel = (identifier: number): string => hex([0x62, 2, identifier >> 8, identifier & 255]); // [MQTT311-3.6.1-1]

interface ModelRecord {
  identifier: number;
  qos: number;
  state: number;
  length: number;
  fill: number;
  retain: number;
  /** Where it lies, and where it ends, in the reference layout. */
  start: number;
  end: number;
}

/** An array and a cursor. */
class Model {
  records: ModelRecord[] = [];
  cursor = 0;
  inflight = 0;
  identifier = 0;
  readonly capacity: number;
  readonly maximumCount: number;

  constructor(capacity: number, maximumCount: number) {
    this.capacity = capacity;
    this.maximumCount = maximumCount;
  }

  get usedLength(): number {
    const { records } = this;
    if (records.length === 0)
      return 0;
    const head = records[0]!.start;
    const last = records.at(-1)!;
    return last.start >= head ? last.end - head : this.capacity - head + last.end;
  }

  /** Where a record of `size` bytes goes, or -1. */
  place(size: number): number {
    const { capacity, records } = this;
    if (records.length >= this.maximumCount)
      return -1;
    if (records.length === 0)
      return size <= capacity ? 0 : -1;
    const head = records[0]!.start;
    const { end, start } = records.at(-1)!;
    if (start < head) // wrapped
      return end + size <= head ? end : -1;
    return end + size <= capacity ? end : size <= head ? 0 : -1;
  }

  append(qos: number, length: number, fill: number, retain: number): boolean {
    const remaining = 3 + (qos === 0 ? 0 : 2) + length;
    const size = Math.ceil((8 + 1 + (remaining < 128 ? 1 : 2) + remaining) / 4) * 4;
    const start = this.place(size);
    if (start < 0)
      return false;
    this.records.push({ identifier: 0, qos, state: QUEUED, length, fill, retain, start, end: start + size });
    return true;
  }

  /** The one that is sent next gets its identifier. */
  identify(record: ModelRecord): void {
    if (record.qos !== 0 && record.identifier === 0)
      record.identifier = this.identifier = this.identifier % 65535 + 1;
  }

  peek(): ModelRecord | undefined {
    while (this.cursor < this.records.length && this.records[this.cursor]!.state === DONE)
      ++this.cursor;
    return this.records[this.cursor];
  }

  markSent(): void {
    const record = this.records[this.cursor++]!;
    this.identify(record);
    if (record.qos === 0)
      record.state = DONE;
    else {
      ++this.inflight;
      if (record.state === QUEUED)
        record.state = SENT;
    }
    this.removeDone();
  }

  private sent(identifier: number): ModelRecord | undefined {
    return this.records.slice(0, this.cursor).find(record => record.identifier === identifier && record.state !== DONE);
  }

  complete(identifier: number, qos: number): boolean {
    const record = this.sent(identifier);
    if (record === undefined || record.qos !== qos || record.state !== (qos === 1 ? SENT : RELEASED))
      return false;
    record.state = DONE;
    --this.inflight;
    this.removeDone();
    return true;
  }

  release(identifier: number): boolean {
    const record = this.sent(identifier);
    if (record === undefined || record.qos !== 2)
      return false;
    record.state = RELEASED;
    return true;
  }

  rewind(): void {
    this.cursor = 0;
    this.inflight = 0;
  }

  restart(): void {
    this.rewind();
    for (const record of this.records)
      record.state = record.state === DONE ? DONE : QUEUED;
  }

  dropOldest(isConnected: boolean): boolean {
    const record = this.records[0];
    if (record === undefined || record.state !== QUEUED && (isConnected || record.qos === 2))
      return false;
    record.state = DONE;
    this.removeDone();
    return true;
  }

  /** What is done leaves, and all that is behind it comes nearer. */
  compact(): void {
    this.cursor -= this.records.slice(0, this.cursor).filter(({ state }) => state === DONE).length;
    this.records = this.records.filter(({ state }) => state !== DONE);
    let at = this.records[0]?.start ?? 0;
    for (const record of this.records) {
      const size = record.end - record.start;
      record.start = at + size > this.capacity ? 0 : at;
      at = record.end = record.start + size;
    }
  }

  private removeDone(): void {
    while (this.records[0]?.state === DONE) {
      this.records.shift();
      this.cursor = Math.max(0, this.cursor - 1);
    }
  }
}

type Step =
  | { readonly kind: 'append'; readonly qos: number; readonly length: number; readonly retain: number }
  | { readonly kind: 'appendSent'; readonly qos: number; readonly length: number; readonly room: number }
  | { readonly kind: 'send' | 'peek' | 'rewind' | 'restart' | 'compact' }
  | { readonly kind: 'complete' | 'release'; readonly pick: number; readonly qos: number }
  | { readonly kind: 'drop'; readonly isConnected: boolean };

const pick = fc.nat({ max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), qos: fc.nat({ max: 2 }),
      length: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 24 }) },
        { weight: 1, arbitrary: fc.integer({ min: 100, max: 250 }) }), retain: fc.nat({ max: 1 }) }) },
  { weight: 3,
    arbitrary: fc.record({ kind: fc.constant('appendSent' as const), qos: fc.integer({ min: 1, max: 2 }),
      length: fc.nat({ max: 24 }), room: fc.oneof(fc.nat({ max: 40 }), fc.constant(4096)) }) },
  { weight: 5, arbitrary: fc.constant({ kind: 'send' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'peek' as const }) },
  { weight: 5,
    arbitrary: fc.record({ kind: fc.constant('complete' as const), pick, qos: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), pick, qos: fc.constant(2) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'rewind' }, { kind: 'restart' }, { kind: 'compact' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), isConnected: fc.boolean() }) },
);

/** The identifier of the record that `pick` points at among those that exist, or one that never does. */
const identifierAt = (model: Model, index: number): number =>
  model.records[index % (model.records.length + 1)]?.identifier || 40_000;

function expectPeeked(bench: Bench, model: Model): boolean {
  const expected = model.peek();
  const record = bench.queue.peek();
  expect(record === NONE).toBe(expected === undefined);
  if (expected === undefined)
    return false;
  bench.staged(record);
  model.identify(expected);
  const { fill, identifier, length, qos, retain, state } = expected;
  expect(bench.queue.stateOf(record)).toBe(state);
  expect(bench.queue.qosOf(record)).toBe(qos);
  expect(bench.queue.identifierOf(record)).toBe(identifier);
  expect(bench.staged(record)).toBe(state === RELEASED ? pubrel(identifier)
    : publish(qos, identifier, length, fill, (state === SENT ? DUP : 0) | retain));
  return true;
}

function run(bench: Bench, model: Model, action: Step, fill: number): void {
  const { queue } = bench;
  const before = bench.snapshot();
  let accepted = true;
  switch (action.kind) {
    case 'appendSent': {
      const { length, qos, room } = action;
      expect(queue.canSendNext).toBe(model.cursor === model.records.length
        && model.inflight < queue.limits.maximumInflight);
      if (!queue.canSendNext)
        break;
      bench.arena.bytes.fill(0xA5, bench.arena.stagingOffset);
      const packetLength = queue.appendSent(bench.message(length, fill), qos, room, 0);
      const packet = publish(qos, model.identifier % 65535 + 1, length, fill, 0);
      accepted = packetLength > 0;
      expect(accepted).toBe(packet.split(' ').length <= room && model.append(qos, length, fill, 0));
      if (accepted) {
        model.markSent();
        expect(hex(bench.arena.bytes.subarray(bench.arena.stagingOffset,
          bench.arena.stagingOffset + packetLength))).toBe(packet);
      }
      break;
    }
    case 'append':
      accepted = queue.append(bench.message(action.length, fill, action.retain), action.qos) !== NONE;
      expect(accepted).toBe(model.append(action.qos, action.length, fill, action.retain));
      break;
    case 'send':
      if (expectPeeked(bench, model)) {
        queue.markSent(queue.peek());
        model.markSent();
      }
      break;
    case 'peek':
      expectPeeked(bench, model);
      break;
    case 'complete': {
      const identifier = identifierAt(model, action.pick);
      accepted = queue.complete(identifier, action.qos);
      expect(accepted).toBe(model.complete(identifier, action.qos));
      break;
    }
    case 'release': {
      const identifier = identifierAt(model, action.pick);
      accepted = queue.release(identifier) !== NONE;
      expect(accepted).toBe(model.release(identifier));
      break;
    }
    case 'rewind':
      queue.rewind();
      model.rewind();
      break;
    case 'restart':
      queue.restart();
      model.restart();
      break;
    case 'compact':
      queue.compact();
      model.compact();
      break;
    case 'drop': {
      // As in use: inflight records are dropped between two connections only, and the next one begins with rewind.
      accepted = queue.dropOldest(action.isConnected);
      expect(accepted).toBe(model.dropOldest(action.isConnected));
      expect(queue.hasUnsent).toBe(model.cursor < model.records.length);
      if (accepted && !action.isConnected) {
        queue.rewind();
        model.rewind();
      }
    }
  }
  if (!accepted)
    expect(bench.snapshot()).toBe(before);
}

function expectSame(bench: Bench, model: Model): void {
  const { queue } = bench;
  expect(queue.count).toBe(model.records.length);
  expect(queue.usedLength).toBe(model.usedLength);
  expect(queue.inflightCount).toBe(model.inflight);
  expect(queue.hasUnsent).toBe(model.cursor < model.records.length);
  expect(bench.marginsAreIntact()).toBe(true);
  const identifiers = model.records.map(record => record.identifier).filter(identifier => identifier !== 0);
  expect(new Set(identifiers).size).toBe(identifiers.length);
}

describe('the queue against a model', () => {
  it('does what an array would do, in every order of calls', () => {
    fc.assert(fc.property(
      fc.integer({ min: 5, max: 40 }), fc.integer({ min: 1, max: 8 }), fc.array(step, { minLength: 1, maxLength: 120 }),
      (words, maximumCount, steps) => {
        const bench = new Bench(words * 4, maximumCount);
        const model = new Model(words * 4, maximumCount);
        steps.forEach((action, index) => {
          run(bench, model, action, index & 0xFF);
          expectSame(bench, model);
        });
        // What is left is intact and in order.
        bench.queue.rewind();
        model.rewind();
        while (expectPeeked(bench, model)) {
          bench.queue.markSent(bench.queue.peek());
          model.markSent();
        }
        expectSame(bench, model);
      },
    ), { numRuns: 1500, seed: 20261123 });
  }, 60_000);
});

describe('identifiers', () => {
  it('go from 65535 to 1 and never are 0 [MQTT311-2.3.1-1] [MQTT311-2.3.1-2]', () => {
    const { queue } = new Bench(64, 4);
    for (let expected = 1; expected <= 65535; ++expected)
      expect(queue.nextIdentifier()).toBe(expected);
    expect(queue.nextIdentifier()).toBe(1);
  });

  it('wrap round in a queue that is never empty without meeting one in use', () => {
    const bench = new Bench(160, 8);
    const { queue } = bench;
    const inUse: number[] = [];
    for (let count = 0; count < 70_000; ++count) {
      expect(queue.append(bench.message(0, 0), 1)).not.toBe(NONE);
      const record = queue.peek();
      queue.stage(record, queue.lengthToSend(record));
      const identifier = queue.identifierOf(record);
      if (identifier === 0 || inUse.includes(identifier))
        throw new Error(`identifier ${identifier} is used twice`);
      queue.markSent(record);
      inUse.push(identifier);
      if (inUse.length === 4) // the oldest two, the later one first
        for (const [acknowledged] of [inUse.splice(1, 1), inUse.splice(0, 1)])
          expect(queue.complete(acknowledged!, 1)).toBe(true);
    }
    expect(queue.count).toBe(inUse.length);
  });

  it('are the same when a message is sent again [MQTT311-2.3.1-3] [MQTT311-4.4.0-1]', () => {
    const bench = new Bench(160, 8);
    const { queue } = bench;
    for (let count = 0; count < 3; ++count)
      queue.append(bench.message(1, count), 1 + (count & 1));
    for (let count = 0; count < 3; ++count) {
      bench.staged(queue.peek());
      queue.markSent(queue.peek());
    }
    queue.rewind();
    for (const expected of [publish(1, 1, 1, 0, DUP), publish(2, 2, 1, 1, DUP), publish(1, 3, 1, 2, DUP)]) {
      expect(bench.staged(queue.peek())).toBe(expected);
      queue.markSent(queue.peek());
    }
  });

  it('are kept by restart too, but DUP is not set: for a new session it is a new message [MQTT311-4.3.2-1]', () => {
    const bench = new Bench(160, 8);
    const { queue } = bench;
    queue.append(bench.message(1, 9), 1);
    bench.staged(queue.peek());
    queue.markSent(queue.peek());
    queue.restart();
    expect(bench.staged(queue.peek())).toBe(publish(1, 1, 1, 9, 0));
  });
});

describe('limits', () => {
  it('are whole words of memory', () => {
    expect(new Bench(61, 4).queue.capacity).toBe(64);
  });

  it('never let more than 32768 records in, so that identifiers stay unique', () => {
    const bench = new Bench(MAXIMUM_RECORD_COUNT * 20, 100_000);
    expect(bench.queue.limits.maximumCount).toBe(32_768);
  });

  it('refuse a record more than allowed, and one byte more than there is', () => {
    const bench = new Bench(32, 1);
    expect(bench.queue.append(bench.message(18, 1), 1)).toBe(NONE); // 8 + 2 + 5 + 18 = 33
    expect(bench.queue.append(bench.message(17, 1), 1)).not.toBe(NONE);
    bench.queue.clear();
    expect(bench.queue.append(bench.message(0, 1), 0)).not.toBe(NONE);
    expect(bench.queue.append(bench.message(0, 1), 0)).toBe(NONE); // the count
  });

  it('refuse a message that is longer than the staging area, because it could never be sent whole', () => {
    const bench = new Bench(256, 4, 64);
    const before = bench.snapshot();
    expect(bench.queue.canHold(bench.message(58, 1), 1)).toBe(false);
    expect(bench.queue.append(bench.message(58, 1), 1)).toBe(NONE); // 2 + 5 + 58 = 65
    expect(bench.snapshot()).toBe(before);
    expect(bench.queue.canHold(bench.message(57, 1), 1)).toBe(true);
    expect(bench.queue.append(bench.message(57, 1), 1)).not.toBe(NONE);
    expect(bench.staged(bench.queue.peek())).toBe(publish(1, 1, 57, 1, 0));
  });

  it('say beforehand whether a message fits an empty queue', () => {
    const bench = new Bench(32, 1);
    expect(bench.queue.canHold(bench.message(18, 1), 1)).toBe(false);
    expect(bench.queue.canHold(bench.message(17, 1), 1)).toBe(true);
    expect(OutboundQueue.lengthOfRecord(bench.message(17, 1), 1)).toBe(32);
  });
});

describe('making room', () => {
  it('does not drop what is under way on a live connection', () => {
    const bench = new Bench(64, 4);
    const { queue } = bench;
    queue.append(bench.message(0, 0), 1);
    queue.markSent(queue.peek());
    expect(queue.dropOldest(true)).toBe(false);
    expect(queue.dropOldest(false)).toBe(true);
    expect(queue.count).toBe(0);
  });

  it('never drops a QoS 2 message that the receiver may know', () => {
    const bench = new Bench(64, 4);
    const { queue } = bench;
    queue.append(bench.message(0, 0), 2);
    queue.markSent(queue.peek());
    expect(queue.dropOldest(false)).toBe(false);
    queue.release(1);
    expect(queue.dropOldest(false)).toBe(false);
  });
});
