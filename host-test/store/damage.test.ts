/**
 * What damage costs, by itself: bytes that cannot be read or are wrong, passing errors, foreign content, a flush that
 * fails.
 */
import { describe, expect, it } from 'vitest';
import { seeded } from '../session/pair.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { numbered, StoreLife } from './store-life.ts';
import { KEEP } from '../../src/store/store-owner.ts';

const BLOCK = 2048;

/** A ring that has turned, and what waits in it. */
function filled(): { medium: FlashMedium; kept: string[]; positions: number[] } {
  const medium = new FlashMedium(BLOCK, 8);
  const life = new StoreLife(medium);
  for (let number = 0; number < 400; ++number)
    if (life.push(`${number}`.padStart(4, '0'), { topic: `t${number % 7}`, qos: number % 3 }) === 0) {
      life.deliver(50);
      life.push(`${number}`.padStart(4, '0'), { topic: `t${number % 7}`, qos: number % 3 });
    }
  const { waiting } = life;
  return { medium, kept: waiting.map(({ payload }) => payload), positions: waiting.map(({ position }) => position) };
}

describe('512 bytes that cannot be read', () => {
  it.each(Array.from({ length: 32 }, (_value, index) =>
    index * 512))('at %i cost the messages that lie there, and none else', start => {
    const { kept, medium, positions } = filled();
    const fails = (position: number, length: number): boolean => position < start + 512 && position + length > start;
    const life = new StoreLife(medium, { failsRead: fails });
    const spared = kept.filter((_payload, index) => !fails(positions[index]!, 68));
    expect(life.recovered.map(({ payload }) => payload)).toEqual(spared);
    expect(life.payloads).toEqual(spared);
    expect(life.store.isWorking).toBe(true);
    expect(life.push('new')).not.toBeLessThan(0);
  });

  it.each(Array.from({ length: 32 }, (_value, index) => index * 512))('or are zeros, or anything, at %i: the same',
    start => {
    for (const value of [0, 0xA5, -1]) {
      const { kept, medium, positions } = filled();
      const random = seeded(start + 1);
      for (let at = start; at < start + 512; ++at)
        medium.bytes[at] = value < 0 ? Math.floor(random() * 256) : value;
      const life = new StoreLife(medium);
      const spared =
        kept.filter((_payload, index) => positions[index]! >= start + 512 || positions[index]! + 68 <= start);
      expect(life.payloads.filter(payload => spared.includes(payload))).toEqual(spared);
      expect(life.payloads.length).toBeLessThanOrEqual(spared.length + 8); // a piece of one that is done or padding
      const damaged = life.report.damagedCount + life.report.foreignBlockCount;
      expect(damaged).toBeGreaterThanOrEqual(spared.length < kept.length ? 1 : 0);
    }
  });
});

describe('a storage that cannot be read at all', () => {
  it('is found out with a few hundred attempts for each block of 2048 bytes', () => {
    const { medium } = filled();
    let isDead = false;
    let attempts = 0;
    const life = new StoreLife(medium, { failsRead: () => isDead && ++attempts > 0 });
    isDead = true;
    expect(life.payloads).toEqual([]);
    expect(attempts).toBeLessThanOrEqual(8 * 600);
  });
});

describe('a passing error', () => {
  it.each([1, 2])('of %i reads in a row costs nothing, at a start and while messages are read back', count => {
    const { kept, medium } = filled();
    let number = 0;
    const life = new StoreLife(medium, { failsRead: () => number++ % 7 < count });
    expect(life.recovered.map(({ payload }) => payload)).toEqual(kept);
    expect(life.report.damagedCount).toBe(0);
    expect(life.payloads).toEqual(kept);
    expect(life.store.isWorking).toBe(true);
  });
});

describe('a damaged header', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('of block %i costs nothing', block => {
    const { kept, medium } = filled();
    medium.bytes.fill(0x55, block * BLOCK, block * BLOCK + 20);
    const life = new StoreLife(medium);
    expect(life.payloads).toEqual(kept);
    life.force('next');
    expect(new StoreLife(medium).payloads).toEqual(life.payloads);
  });

  it.each([
    ['damaged', 0x55], ['not there, though its records are: a cut has left it out', 0xFF],
  ])('of a block that is given up gives nothing back, where it is the beginning that is %s', (_what, value) => {
    const medium = new FlashMedium(512, 6);
    const life = new StoreLife(medium);
    for (let number = 0; number < 40; ++number)
      life.force(`${number}`.padStart(4, '0'));
    const { payloads } = life;
    for (let block = 0; block < 6; ++block) {
      const damaged = new FlashMedium(512, 6);
      damaged.bytes.set(medium.bytes);
      damaged.bytes.fill(value, block * 512, block * 512 + 20);
      expect(new StoreLife(damaged).payloads).toEqual(payloads);
    }
  });

  it('of one bit that makes the format look like a later one is a damaged header', () => {
    const { kept, medium } = filled();
    for (let block = 0; block < 8; ++block)
      if (medium.bytes[block * BLOCK] === 0x52)
        medium.bytes[block * BLOCK + 3] = 0x33;
    expect(new StoreLife(medium).payloads).toEqual(kept);
  });
});

describe('a bit that flips by itself', () => {
  it('in a mark changes nothing, in a record costs that record', () => {
    const { kept, medium, positions } = filled();
    for (const position of positions)
      for (let mark = position + 16; mark < position + 36; mark += 4)
        medium.bytes[mark + mark % 3] = medium.bytes[mark + mark % 3]! ^ 1 << mark % 8;
    medium.bytes[positions[5]! + 60] = medium.bytes[positions[5]! + 60]! ^ 4;
    const life = new StoreLife(medium);
    expect(life.payloads).toEqual(kept.filter((_payload, index) => index !== 5));
    expect(life.report.damagedCount).toBe(1);
  });
});

describe('what is not ours', () => {
  it.each(['RBS3', 'RBS9'])('%s is a later format: nothing is touched, and that is said', magic => {
    const medium = new FlashMedium(512, 6);
    medium.bytes.set(Buffer.from(magic), 1024);
    medium.bytes.set(Buffer.from('whatever it says'), 1028);
    const before = medium.bytes.slice();
    expect(() => new StoreLife(medium)).toThrow(/later version.*nothing of it is touched/);
    expect(medium.bytes).toEqual(before);
  });

  it('a later revision of this format is one as well', () => {
    const { medium } = filled();
    const before = medium.bytes.slice();
    // The header of a block that this revision has written, as the next one would
    for (let block = 0; block < 8; ++block) {
      const view = new DataView(medium.bytes.buffer, block * BLOCK, 32);
      if (view.getUint32(0) !== 0x52425332)
        continue;
      view.setUint8(12, 1);
      let sum = 0;
      for (let at = 0; at < 16; at += 4) {
        sum = Math.imul(sum ^ view.getInt32(at), 0x9E3779B1);
        sum ^= sum >>> 15;
      }
      view.setInt32(16, sum);
    }
    expect(before).not.toEqual(medium.bytes);
    const changed = medium.bytes.slice();
    expect(() => new StoreLife(medium)).toThrow(/later version/);
    expect(medium.bytes).toEqual(changed);
  });

  it('in a block is counted, and goes when its turn comes', () => {
    const medium = new FlashMedium(512, 6);
    medium.bytes.set(Buffer.from('photographs'.repeat(20)), 1024);
    const life = new StoreLife(medium);
    expect(life.report.foreignBlockCount).toBe(1);
    for (let number = 0; number < 60; ++number)
      life.force(`${number}`.padStart(4, '0'));
    expect(new StoreLife(medium).report.foreignBlockCount).toBe(0);
  });

  it('a record of an unknown kind, or of a later version of a kind, is skipped', () => {
    const medium = new FlashMedium(512, 6);
    const life = new StoreLife(medium);
    life.push('before');
    life.push('of the future', { kind: 77 });
    life.push('after');
    expect(new StoreLife(medium).recovered.map(({ payload }) => payload)).toEqual(['before', 'after']);
  });
});

describe('a storage that is too small', () => {
  it('is refused, and can be tried again', () => {
    expect(() => new StoreLife(new FlashMedium(512, 2)))
      .toThrow(/2 blocks of 512 bytes, and 3 are needed: raise store.size/);
  });
});

describe('a flush that fails', () => {
  const begin = (failing: (number: number) => boolean): StoreLife =>
    new StoreLife(new FlashMedium(1024, 8), { isCached: true, isDeferred: true, failsFlush: failing, stateShare: 0.5 });

  it('confirms nothing: all of it is written again, elsewhere, and then it is durable', () => {
    let isFailing = false;
    const life = begin(() => isFailing);
    const early = numbered(0, 3).map(payload => life.push(payload));
    life.store.flush();
    life.flash.finishFlush();
    const confirmed = life.store.durable;
    const late = numbered(3, 9).map(payload => life.push(payload, { qos: 2 }));
    life.put(1, 'state');
    life.store.queue.received(early[1]!, 0);
    life.store.queue.done(early[0]!, 0);
    life.store.flush();
    isFailing = true;
    life.flash.onFlushed = isDurable => {
      isFailing = false;
      expect(isDurable).toBe(false);
      expect(life.store.durable).toBe(confirmed);
      life.store.flushed(isDurable);
    };
    life.flash.finishFlush();
    expect(life.store.isWorking).toBe(true);
    expect(life.store.durable).toBe(life.store.written);
    expect(life.durables.at(-1)).toBe(life.store.written);
    expect(life.moved.map(([from]) => from)).toEqual(late);
    expect(life.payloads).toEqual(numbered(1, 9));
    // Power fails: what is on the medium is all there is.
    const next = new StoreLife(life.flash.medium, { stateShare: 0.5 });
    expect(next.payloads).toEqual(numbered(1, 9));
    expect(next.waiting[0]!.states).toEqual([1]);
    expect(next.states.get('5/1')).toBe('state');
    expect(next.waiting.slice(2).map(({ position }) => position)).toEqual(life.moved.map(([, to]) => to));
  });

  it('for more than a block of messages leaves each of them whole, when its copy begins a new block too', () => {
    let isFailing = false;
    const medium = new FlashMedium(1024, 16);
    const life = new StoreLife(medium, { isCached: true, isDeferred: true, failsFlush: () => isFailing });
    const payloads = numbered(0, 24).map((number, index) => number.padEnd(40 + index * 7, number));
    for (const payload of payloads)
      expect(life.push(payload, { qos: 2 })).toBeGreaterThan(0);
    life.store.flush();
    isFailing = true;
    life.flash.onFlushed = isDurable => {
      isFailing = false;
      life.store.flushed(isDurable);
    };
    life.flash.finishFlush();
    expect(life.store.isWorking).toBe(true);
    expect(new Set(life.moved.map(([, to]) => to >> 10)).size, 'blocks with copies').toBeGreaterThan(2);
    expect(life.payloads).toEqual(payloads);
    expect(new StoreLife(medium).payloads).toEqual(payloads);
  });

  it('and fails again is the end of the storage, and nothing more is confirmed', () => {
    const life = begin(number => number > 1);
    life.push('one');
    life.store.flush();
    life.flash.finishFlush();
    const { durable } = life.store;
    life.push('two');
    while (life.store.isWorking) {
      life.store.flush();
      life.flash.finishFlush();
      life.push('more');
    }
    expect(life.failures).toEqual(['EIO: i/o error, fdatasync']);
    expect(life.store.durable).toBe(durable + 1);
    expect(life.push('three')).toBe(-2);
    expect(new StoreLife(life.flash.medium, { stateShare: 0.5 }).payloads).toContain('one');
  });

  it('cut at every step of being written again leaves each message once, in order', () => {
    for (let cutAt = 0; ; ++cutAt) {
      let isFailing = false;
      const medium = new FlashMedium(1024, 8);
      const life = new StoreLife(medium,
        { isCached: true, isDeferred: true, isTearing: true, failsFlush: () => isFailing, cutAt,
          random: seeded(cutAt) });
      numbered(0, 3).forEach(payload => life.push(payload));
      let confirmed = 0;
      try {
        life.store.flush();
        life.flash.finishFlush();
        confirmed = life.store.durable > 0 ? 3 : 0;
        numbered(3, 9).forEach(payload => life.push(payload));
        isFailing = true;
        life.flash.onFlushed = isDurable => {
          isFailing = false;
          life.store.flushed(isDurable);
        };
        life.store.flush();
        life.flash.finishFlush();
        if (!life.flash.isDead && life.store.isWorking)
          confirmed = 9;
      } catch { /* the power is gone */ }
      const { payloads } = new StoreLife(medium);
      expect(payloads).toEqual(numbered(0, 9).filter(payload => payloads.includes(payload)));
      expect(payloads.slice(0, confirmed)).toEqual(numbered(0, confirmed));
      if (!life.flash.isDead)
        break;
    }
  });
});

describe('a medium that refuses to be written', () => {
  it('is told once, gives no position, and what is there can still be read', () => {
    const { kept, medium } = filled();
    const life = new StoreLife(medium, { failsAt: 0, failing: 'write' });
    expect(life.push('x')).toBe(-2);
    expect(life.push('x')).toBe(-2);
    expect(life.store.queue.makeRoom(life.handler(() => KEEP, []))).toBe(false);
    expect(life.failures).toEqual(['the medium refuses']);
    expect(life.payloads).toEqual(kept);
    life.store.close();
    expect(life.store.isOpen).toBe(false);
  });
});
