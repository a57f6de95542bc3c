/** The queue of messages by itself: what comes back, in which order, at any fill, and what it counts. */
import { describe, expect, it } from 'vitest';
import { FAILED, NO_ROOM, NONE, TOO_LONG } from '../../src/store/message-queue.ts';
import { lengthOfMessage } from '../../src/store/record-format.ts';
import { GIVE_UP, KEEP, MOVE } from '../../src/store/store-owner.ts';
import { DONE, GIVEN_UP, MESSAGE_DOWN, RECEIVED } from '../../src/store/stored-message.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { numbered, StoreLife } from './store-life.ts';

const flash = (blockLength = 512, blockCount = 6): FlashMedium => new FlashMedium(blockLength, blockCount);

function fill(life: StoreLife, count: number, from = 0): number[] {
  return numbered(from, from + count).map(payload => life.push(payload));
}

describe('a message', () => {
  it('comes back with all its fields, in this life and in the next', () => {
    const medium = flash();
    const life = new StoreLife(medium);
    const pushed = {
      topic: 'room/1/temperature', payload: 'twenty', qos: 2, retain: 1, takenAt: 12, deadline: 3_000_000_000,
        rule: -5, origin: 0x7FFFFFFF,
      originIdentifier: 65_535, kind: MESSAGE_DOWN, isMapped: false, isReleased: false, isSettled: false, identifier: 0,
    };
    const position = life.push('twenty', pushed);
    expect(life.waiting).toEqual([{ ...pushed, position, states: [0] }]);
    const next = new StoreLife(medium);
    expect(next.recovered).toEqual([{ ...pushed, position, states: [0] }]);
    expect(next.waiting).toEqual(next.recovered);
  });

  it('carries the marks of each of four destinations, and is settled when the last of them is', () => {
    const medium = flash();
    const life = new StoreLife(medium);
    const position = life.push('many', { destinations: 4, qos: 2 });
    const { queue } = life.store;
    expect(queue.underWay(position, 1, 513, true)).toBe(true);
    queue.received(position, 1);
    queue.done(position, 0);
    queue.done(position, 1);
    queue.giveUp(position, 3);
    expect(queue.pendingCount).toBe(1);
    expect(life.waiting[0]!.states).toEqual([DONE, RECEIVED | DONE, 0, GIVEN_UP]);
    expect([...queue.record.identifiers]).toEqual([0, 513, 0, 0]);
    const next = new StoreLife(medium);
    expect(next.waiting[0]!.states).toEqual([DONE, RECEIVED | DONE, 0, GIVEN_UP]);
    next.store.queue.done(position, 2);
    expect(next.store.queue.pendingCount).toBe(0);
    expect(new StoreLife(medium).waiting).toEqual([]);
  });

  it('has one identifier: its word is programmed once', () => {
    const life = new StoreLife(flash());
    const position = life.push('one');
    expect(life.store.queue.underWay(position, 0, 7, true)).toBe(true);
    expect(life.store.queue.underWay(position, 0, 8, true)).toBe(false);
    expect(life.store.isWorking).toBe(true);
    expect(life.waiting[0]!.identifier).toBe(7);
  });

  it('of QoS 2 that is done is told of at a start until its origin has released it', () => {
    const medium = flash();
    const life = new StoreLife(medium);
    const [kept, released, plain] =
      [life.push('kept', { origin: 5, originIdentifier: 7, qos: 2 }),
        life.push('released', { origin: 5, originIdentifier: 8, qos: 2 }), life.push('plain')];
    for (const position of [kept, released, plain])
      life.store.queue.done(position, 0);
    life.store.queue.released(released);
    const next = new StoreLife(medium);
    expect(next.recovered.map(({ isSettled, payload }) => [payload, isSettled])).toEqual([['kept', true]]);
    expect(next.report.restoredCount).toBe(0);
  });

  it('that is longer than a block is refused, whatever the fill; the longest is not', () => {
    const life = new StoreLife(flash(), { staging: 4096 });
    const longest = 512 - 32 - 4 - lengthOfMessage(1, 1);
    expect(life.push('x'.repeat(longest + 4))).toBe(TOO_LONG);
    expect(life.push('x'.repeat(longest))).toBeGreaterThan(0);
    expect(life.push('x'.repeat(longest + 4))).toBe(TOO_LONG);
    expect(life.store.queue.canPush(lengthOfMessage(longest + 5, 1))).toBe(false);
  });
});

describe('the order', () => {
  it('is the one in which they came, through many turns of the ring and restarts', () => {
    const medium = flash(512, 4);
    let life = new StoreLife(medium);
    const got: string[] = [];
    for (let number = 0; number < 300; ++number) {
      if (life.push(`${number}`.padStart(4, '0')) === NO_ROOM) {
        got.push(...life.deliver(7));
        expect(life.push(`${number}`.padStart(4, '0'))).not.toBe(FAILED);
        if (!life.payloads.includes(`${number}`.padStart(4, '0'))) {
          got.push(...life.deliver(7));
          expect(life.push(`${number}`.padStart(4, '0'))).toBeGreaterThan(0);
        }
      }
      if (number % 17 === 0)
        life = new StoreLife(medium);
    }
    got.push(...life.deliver(1000));
    expect(got).toEqual(numbered(0, 300));
    expect(Math.max(...medium.wear) - Math.min(...medium.wear)).toBeLessThanOrEqual(1);
  });

  it('goes on where it is asked to, past messages that are settled', () => {
    const life = new StoreLife(flash());
    const positions = fill(life, 12);
    for (const index of [0, 1, 2, 5, 6, 11])
      life.store.queue.done(positions[index]!, 0);
    const { queue } = life.store;
    expect(queue.next(positions[5]!)).toBe(positions[7]);
    expect(queue.next(positions[11]!)).toBe(NONE);
    expect(life.payloads).toEqual(['0003', '0004', '0007', '0008', '0009', '0010']);
  });
});

describe('at any fill nothing outside the storage is read', () => {
  it.each([
    ['records of 60 bytes in blocks of 512', 512, 3, 60], ['records of 80 bytes in blocks of 512', 512, 3, 80],
    ['records of 480 bytes less the room of a copy', 512, 3, 476],
      ['records of 508 bytes in blocks of 4096', 4096, 3, 508],
    ['records of 1016 bytes in blocks of 4096', 4096, 4, 1016],
      ['records of 2032 bytes in blocks of 4096', 4096, 3, 2032],
  ])('%s, so that the last one may fill its block exactly', (_what, blockLength, blockCount, recordLength) => {
    const medium = flash(blockLength, blockCount);
    const isEmpty = recordLength === 60;
    const payload = (number: number): string => isEmpty ? '' : `${number}`.padStart(recordLength - 60 - 1, '0');
    let life = new StoreLife(medium);
    for (let number = 0; number < 200; ++number) {
      if (life.push(payload(number), isEmpty ? { topic: '' } : {}) === NO_ROOM) {
        const before = life.payloads;
        life = new StoreLife(medium);
        expect(life.payloads).toEqual(before);
        life.deliver(number % 3 === 0 ? 1000 : 1);
        life = new StoreLife(medium);
      }
      expect(life.waiting.length).toBe(life.store.queue.pendingCount);
      expect(life.failures).toEqual([]);
    }
  });

  it('24 records of 60 bytes fill 3 blocks of 512 exactly, and 16 of them wait', () => {
    const medium = flash(512, 3);
    let life = new StoreLife(medium);
    for (let number = 0; number < 24; ++number) {
      if (number === 16)
        life.deliver(8);
      expect(life.push('', { topic: '', rule: number })).toBe(number < 8 ? 32 + number * 60 : number < 16
        ? 512 + 32 + (number - 8) * 60 : 1024 + 32 + (number - 16) * 60);
      if (number === 7)
        life.deliver(0);
    }
    expect(life.waiting.map(({ rule }) => rule)).toEqual(Array.from({ length: 16 }, (_value, index) => index + 8));
    life = new StoreLife(medium);
    expect(life.waiting.map(({ rule }) => rule)).toEqual(Array.from({ length: 16 }, (_value, index) => index + 8));
    expect(life.store.queue.next(3 * 512)).toBe(NONE);
    expect(life.store.isWorking).toBe(true);
  });
});

describe('making room', () => {
  function full(medium = flash(512, 4)): StoreLife {
    const life = new StoreLife(medium);
    let number = 0;
    while (life.push(`${number}`.padStart(4, '0'), { topic: `t${number % 2}` }) !== NO_ROOM)
      ++number;
    return life;
  }

  it('gives up the oldest block, and that is so after any restart', () => {
    const medium = flash(512, 4);
    const life = full(medium);
    const before = life.payloads;
    const lost = life.force('next');
    expect(lost.length).toBeGreaterThan(0);
    expect([...lost, ...life.payloads]).toEqual([...before, 'next']);
    const next = new StoreLife(medium);
    expect(next.payloads).toEqual(life.payloads);
    expect(next.store.queue.pendingCount).toBe(before.length - lost.length + 1);
  });

  it('moves what is to be kept to the tail, once, with its marks', () => {
    const medium = flash(512, 4);
    const life = full(medium);
    const before = life.waiting;
    life.store.queue.underWay(before[1]!.position, 0, 99, true);
    const lost = life.force('next', {}, ({ payload }) => payload === '0001' ? MOVE : GIVE_UP);
    expect(lost).not.toContain('0001');
    expect(life.moved.map(([from]) => from)).toEqual([before[1]!.position]);
    const kept = before.map(({ payload }) => payload).filter(payload => !lost.includes(payload) && payload !== '0001');
    expect(life.payloads).toEqual([...kept, '0001', 'next']);
    const next = new StoreLife(medium);
    expect(next.payloads).toEqual([...kept, '0001', 'next']);
    expect(next.waiting.find(({ payload }) => payload === '0001')).toMatchObject({ identifier: 99,
      position: life.moved[0]![1], topic: 't1' });
  });

  it('changes nothing when something must be kept', () => {
    const medium = flash(512, 4);
    const life = full(medium);
    const before = life.waiting;
    const bytes = medium.bytes.slice();
    const lost: string[] = [];
    expect(life.store.queue.makeRoom(life.handler(({ payload }) => payload === '0003' ? KEEP : MOVE,
      lost))).toBe(false);
    expect(medium.bytes).toEqual(bytes);
    expect(life.waiting).toEqual(before);
    expect(lost).toEqual([]);
    expect(life.push('next')).toBe(NO_ROOM);
  });

  it('of a block in which all is to be moved, again and again, keeps a copy of a copy as short as a copy', () => {
    const medium = flash(512, 4);
    const life = full(medium);
    const count = life.payloads.length;
    for (let turn = 0; turn < 20; ++turn)
      life.force(`n${turn}`, {}, ({ payload }) => payload < '0003' ? MOVE : GIVE_UP);
    expect(life.payloads.filter(payload => payload < '0003')).toEqual(['0000', '0001', '0002']);
    expect(new StoreLife(medium).payloads).toEqual(life.payloads);
    expect(count).toBeGreaterThan(6);
  });
});

describe('what it counts', () => {
  it('is what waits, in messages and bytes, also after a restart', () => {
    const medium = flash();
    const life = new StoreLife(medium);
    fill(life, 20);
    const { queue } = life.store;
    expect([queue.pendingCount, queue.pendingLength]).toEqual([20, 20 * lengthOfMessage(5, 1)]);
    life.deliver(5);
    expect([queue.pendingCount, queue.pendingLength]).toEqual([15, 15 * lengthOfMessage(5, 1)]);
    const next = new StoreLife(medium);
    expect([next.store.queue.pendingCount, next.store.queue.pendingLength, next.store.queue.usedLength]).toEqual([15,
      15 * lengthOfMessage(5, 1), queue.usedLength]);
    expect(queue.capacity).toBe(5 * 480);
    next.deliver(100);
    expect([next.store.queue.pendingCount, next.store.queue.pendingLength]).toEqual([0, 0]);
  });

  it('reads each record once at a start', () => {
    const medium = flash(4096, 6);
    const life = new StoreLife(medium);
    const positions = fill(life, 150);
    const next = new StoreLife(medium);
    expect(next.recovered.length).toBe(150);
    const begun = positions.map(position => next.flash.reads.filter(([from]) => from === position).length);
    expect(begun).toEqual([2, ...Array<number>(149).fill(1)]); // the first one is longer than what is read at first
    expect(next.flash.reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(150 * 72 + 7 * 4096);
  });
});

describe('durability', () => {
  it('of a storage that is durable at once is told at the end of flush', () => {
    const life = new StoreLife(flash());
    fill(life, 3);
    expect(life.durables).toEqual([]);
    life.store.flush();
    expect(life.durables).toEqual([life.store.written]);
    expect(life.store.isDirty).toBe(false);
    life.store.flush();
    expect(life.durables.length).toBe(1);
  });

  it('of a storage that is flushed in the background covers what was written before the flush began, and goes on by itself', () => {
    const life = new StoreLife(flash(), { isCached: true, isDeferred: true });
    fill(life, 2);
    life.store.flush();
    const first = life.store.written;
    fill(life, 2, 2);
    life.store.flush();
    expect(life.durables).toEqual([]);
    life.flash.finishFlush();
    expect(life.durables).toEqual([first]);
    expect(life.flash.isFlushing).toBe(true);
    life.flash.finishFlush();
    expect(life.durables).toEqual([first, life.store.written]);
    expect(life.flash.isFlushing).toBe(false);
  });

  it('does not wait for what is done', () => {
    const life = new StoreLife(flash());
    const position = life.push('x');
    const { written } = life.store;
    life.store.queue.done(position, 0);
    expect(life.store.written).toBe(written);
    expect(life.store.isDirty).toBe(true);
  });
});
