/**
 * Storages that were written by each format that there has been, as the program of that time left them: version-
 * one.hex by 0.1, version-two.hex by this one. They are read for ever, and what was on them is delivered, whatever
 * happens to the power.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lengthOfMessage } from '../../src/store/record-format.ts';
import { DONE, RECEIVED } from '../../src/store/stored-message.ts';
import { GIVE_UP } from '../../src/store/store-owner.ts';
import { seeded } from '../session/pair.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { type LifeOptions, numbered, StoreLife } from './store-life.ts';

function load(name: string): FlashMedium {
  const medium = new FlashMedium(512, 8);
  medium.bytes.set(Buffer.from(readFileSync(new URL(name, import.meta.url), 'latin1').replaceAll('\n', ''), 'hex'));
  return medium;
}

/** Messages of the fixture of 0.1 that were not done: 16 to 69 but for two. */
const OLD = numbered(16, 70).filter(payload => payload !== '0018' && payload !== '0021');
const HALF: LifeOptions = { stateShare: 0.5 };

/** Pushes, and delivers the oldest for it as long as there is no room. */
function pushSurely(life: StoreLife, payload: string, got: string[]): void {
  for (let left = 30; life.push(payload) === 0; --left) {
    if (left === 0)
      throw new Error(`no room for ${payload}, ${life.store.queue.pendingCount} wait`);
    got.push(...life.deliver(4));
  }
  if (!life.store.isWorking && !life.flash.isDead)
    throw new Error(life.failures[0]);
}

describe('a storage of version 0.1', () => {
  it('is read: every message that waited, in order, as it was', () => {
    const life = new StoreLife(load('version-one.hex'));
    expect(life.payloads).toEqual(OLD);
    expect(life.report).toMatchObject({ restoredCount: OLD.length, versionOneCount: OLD.length, damagedCount: 0,
      foreignBlockCount: 0 });
    expect(life.waiting[0]).toMatchObject({ topic: 'up/t1', payload: '0016', qos: 1, retain: 0, isMapped: true,
      rule: 0, identifier: 17, origin: 0, states: [0], deadline: 0 });
    expect(life.waiting.find(({ payload }) => payload === '0019')).toMatchObject({ qos: 2, retain: 1, rule: 1,
      identifier: 20, states: [RECEIVED] });
    expect(life.waiting.find(({ payload }) => payload === '0020')).toMatchObject({ origin: 77, originIdentifier: 120,
      isReleased: false });
    expect(life.waiting.find(({ payload }) => payload === '0065')).toMatchObject({ origin: 77, originIdentifier: 165,
      isReleased: true });
  });

  it('has its messages of QoS 2 that are done told of, until their origin has released them', () => {
    const medium = load('version-one.hex');
    const life = new StoreLife(medium);
    for (const { payload, position } of life.waiting)
      if (payload === '0020' || payload === '0022' || payload === '0065')
        life.store.queue.done(position, 0);
    const settled = new StoreLife(medium).recovered.filter(({ isSettled }) => isSettled);
    expect(settled.map(({ origin, originIdentifier, payload }) =>
      [payload, origin, originIdentifier])).toEqual([['0020', 77, 120]]);
  });

  it('takes new messages, which come after the old ones, and turns into one of this version', () => {
    const medium = load('version-one.hex');
    let life = new StoreLife(medium, HALF);
    expect(life.store.state).toBe(undefined);
    const got: string[] = [];
    for (let number = 100; number < 400; ++number) {
      pushSurely(life, `${number}`.padStart(4, '0'), got);
      if (number % 29 === 0)
        life = new StoreLife(medium, HALF);
    }
    got.push(...life.deliver(1000));
    expect(got).toEqual([...OLD, ...numbered(100, 400)]);
    expect(life.store.state!.put(5, 1, life.arena.stagingOffset - 8, 8)).toBe(true);
    for (let number = 0; number < 200; ++number)
      expect(life.put(number % 5, `${number}`)).toBe(true);
    life = new StoreLife(medium, HALF);
    expect(life.report.versionOneCount).toBe(0);
    expect(life.states.get('5/4')).toBe('199');
    expect(Buffer.from(medium.bytes).includes('RBS1')).toBe(false);
  });

  it('gives up its oldest messages, when that is asked for, for good', () => {
    const medium = load('version-one.hex');
    const life = new StoreLife(medium);
    const lost: string[] = [];
    for (let number = 100; number < 130; ++number)
      lost.push(...life.force(`${number}`.padStart(4, '0')));
    expect(lost.length).toBeGreaterThan(5);
    expect([...lost, ...life.payloads].sort()).toEqual([...OLD, ...numbered(100, 130)]);
    expect(new StoreLife(medium).payloads).toEqual(life.payloads);
  });

  it.each<readonly [string, LifeOptions]>([
    ['flash', {}], ['a disk that writes parts in any order', { isCached: true, isTearing: true }],
  ])('is drained on %s, with the power failing at every step: nothing comes back, nothing is lost',
    (_what, options) => {
    for (let cutAt = 0, isCut = true; isCut; cutAt += 1 + Math.floor(cutAt / 60)) {
      const medium = load('version-one.hex');
      const life = new StoreLife(medium, { ...options, ...HALF, cutAt, random: seeded(cutAt) });
      const got: string[] = [];
      const stored: string[] = [];
      let maybe = '';
      let safe = 0;
      for (let number = 100; number < 160 && !life.flash.isDead; ++number) {
        const payload = `${number}`.padStart(4, '0');
        pushSurely(life, payload, got);
        life.store.flush();
        if (life.flash.isDead)
          maybe = payload;
        else {
          stored.push(payload);
          safe = got.length;
        }
      }
      isCut = life.flash.isDead;
      const next = new StoreLife(medium, { ...options, ...HALF });
      const { payloads } = next;
      const all = [...OLD, ...stored];
      // What was delivered last may come once more, where its mark was not durable; what was flushed before may not.
      const first = all.indexOf(payloads[0] ?? '');
      expect(payloads.filter(payload => payload !== maybe)).toEqual(all.slice(first).filter(payload =>
        payloads.includes(payload)));
      for (const payload of all)
        if (!payloads.includes(payload) && !got.includes(payload))
          throw new Error(`${payload} is lost, cut at ${cutAt}`);
      for (const payload of got.slice(0, safe))
        if (payloads.includes(payload))
          throw new Error(`${payload} is back, cut at ${cutAt}`);
      next.deliver(1000);
      next.store.close();
      expect(new StoreLife(medium, HALF).payloads).toEqual([]);
    }
  });
});

describe('a storage of this version', () => {
  it('is read as it was written', () => {
    const life = new StoreLife(load('version-two.hex'), HALF);
    expect(life.payloads).toEqual(['0000', '0001', '0018', ...numbered(20, 30)]);
    expect(life.waiting[1]).toMatchObject({ topic: 'room/t1', identifier: 4711, states: [RECEIVED], qos: 1,
      rule: 1000, kind: 2, takenAt: 101 });
    expect(life.waiting[3]).toMatchObject({ deadline: 5000, origin: 77, originIdentifier: 20, qos: 2, retain: 0 });
    expect(life.states.size).toBe(31);
    expect(life.states.get('7/2')).toBe('value 58');
    expect(life.store.clock.now).toBe(130);
    expect(life.recovered.every(({ states }) => (states[0]! & DONE) === 0)).toBe(true);
  });

  it('goes on to be used', () => {
    const medium = load('version-two.hex');
    const life = new StoreLife(medium, HALF);
    expect(life.force('next', {}, () => GIVE_UP)).toEqual([]);
    expect(life.store.queue.canPush(lengthOfMessage(5, 1))).toBe(true);
    expect(new StoreLife(medium, HALF).payloads.at(-1)).toBe('next');
  });
});
