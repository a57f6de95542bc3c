/** The map of the store by itself: the last value of each key, through compaction, restarts and cuts of the power. */
import { describe, expect, it } from 'vitest';
import { lengthOfState } from '../../src/store/state-log.ts';
import { CLOCK } from '../../src/store/record-format.ts';
import { seeded } from '../session/pair.ts';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { type LifeOptions, StoreLife } from './store-life.ts';

const flash = (blockCount = 8): FlashMedium => new FlashMedium(512, blockCount);
const HALF: LifeOptions = { stateShare: 0.5 };

const sorted = (states: Map<string, string>): string[] =>
  [...states].filter(([key]) => !key.startsWith(`${CLOCK}/`)).map(([key, value]) => `${key}=${value}`).sort();

describe('a key', () => {
  it('has the value that was put last, until it is removed, in this life and in the next', () => {
    const medium = flash();
    const life = new StoreLife(medium, HALF);
    expect(life.put(7, 'first')).toBe(true);
    expect(life.put(7, 'second')).toBe(true);
    expect(life.put(7, 'of another kind', 6)).toBe(true);
    expect(life.put(-1, '')).toBe(true);
    expect(life.put(8, 'gone')).toBe(true);
    expect(life.store.state!.remove(5, 8)).toBe(true);
    expect(life.store.state!.remove(5, 8)).toBe(false);
    expect(life.store.state!.has(5, 7)).toBe(true);
    expect(life.store.state!.has(5, 8)).toBe(false);
    expect(life.store.state!.count).toBe(3);
    const next = new StoreLife(medium, HALF);
    expect(sorted(next.states)).toEqual(['5/-1=', '5/7=second', '6/7=of another kind']);
    expect(next.store.state!.count).toBe(3);
    expect(next.store.state!.usedLength).toBe(life.store.state!.usedLength);
  });

  it('of an unknown kind is carried along', () => {
    const medium = flash();
    let life = new StoreLife(medium, HALF);
    life.put(1, 'from the future', 200);
    for (let number = 0; number < 200; ++number)
      life.put(2, `${number}`);
    life = new StoreLife(medium, HALF);
    expect(life.states.get('200/1')).toBe('from the future');
  });
});

describe('the map', () => {
  it('loses nothing through many turns of its ring, and wears its blocks evenly', () => {
    const medium = flash();
    const random = seeded(11);
    const truth = new Map<string, string>();
    let life = new StoreLife(medium, HALF);
    for (let step = 0; step < 3000; ++step) {
      const key = Math.floor(random() * 14);
      if (random() < 0.2)
        expect(life.store.state!.remove(5, key)).toBe(truth.delete(`5/${key}`));
      else {
        const value = 'x'.repeat(Math.floor(random() * 40));
        expect(life.put(key, value)).toBe(true);
        truth.set(`5/${key}`, value);
      }
      if (step % 211 === 0) {
        life = new StoreLife(medium, HALF);
        expect(sorted(life.states)).toEqual(sorted(truth));
      }
    }
    const wear = medium.wear.slice(4);
    expect(Math.min(...wear)).toBeGreaterThan(20);
    expect(Math.max(...wear) - Math.min(...wear)).toBeLessThanOrEqual(2);
    expect(medium.wear.slice(0, 4)).toEqual([0, 0, 0, 0]);
  });

  it('that is full says so, keeps every value, and takes new ones when others have gone', () => {
    const medium = flash();
    const life = new StoreLife(medium, HALF);
    let key = 0;
    while (life.put(key, `value ${key}`.padEnd(30)))
      ++key;
    const { state } = life.store;
    expect(state!.hasRoom(30)).toBe(false);
    expect(state!.usedLength).toBeLessThanOrEqual(state!.capacity);
    expect(state!.usedLength + lengthOfState(30)).toBeGreaterThan(state!.capacity);
    for (let turn = 0; turn < 300; ++turn)
      expect(life.put(turn % key, `again ${turn % key}`.padEnd(30))).toBe(true);
    expect(life.put(key, 'x'.repeat(30))).toBe(false);
    expect(state!.remove(5, 3)).toBe(true);
    expect(state!.hasRoom(30)).toBe(true);
    expect(life.put(key, 'x'.repeat(30))).toBe(true);
    const next = new StoreLife(medium, HALF);
    expect(next.states.size).toBe(key);
    for (let index = 0; index < key; ++index)
      expect(next.states.get(`5/${index}`)).toBe(index === 3 ? undefined : `again ${index}`.padEnd(30));
  });

  it('takes no more entries than it was made for, but all that are there', () => {
    const medium = flash();
    const life = new StoreLife(medium, { ...HALF, stateCapacity: 5 });
    for (let key = 0; key < 5; ++key)
      expect(life.put(key, 'x')).toBe(true);
    expect(life.put(5, 'x')).toBe(false);
    expect(life.put(4, 'y')).toBe(true);
    const next = new StoreLife(medium, { ...HALF, stateCapacity: 2 });
    expect(next.states.size).toBe(5);
    expect(next.store.state!.count).toBe(5);
  });

  it('cannot take a block from the queue, nor the queue from it', () => {
    const medium = flash();
    const life = new StoreLife(medium, HALF);
    life.put(1, 'kept');
    while (life.push('x'.repeat(50)) > 0);
    const { pendingCount } = life.store.queue;
    for (let number = 0; number < 400; ++number)
      life.put(2, `${number}`.padStart(60));
    const next = new StoreLife(medium, HALF);
    expect(next.states.get('5/1')).toBe('kept');
    expect(next.store.queue.pendingCount).toBe(pendingCount);
    expect(next.report.keepsBoundary).toBe(false);
  });

  it('keeps the boundary that the storage has, whatever is asked for later', () => {
    const medium = flash();
    new StoreLife(medium, HALF).put(1, 'kept');
    const next = new StoreLife(medium, { stateShare: 0.25 });
    expect(next.states.get('5/1')).toBe('kept');
    expect(next.report.keepsBoundary).toBe(true);
    expect(next.store.state!.ring.blockCount).toBe(4);
  });

  it('is not there in a storage that is too small for both', () => {
    const life = new StoreLife(flash(5), HALF);
    expect(life.store.state).toBe(undefined);
    expect(life.report.hasNoMap).toBe(true);
    expect(life.store.queue.ring.blockCount).toBe(5);
  });
});

const MEDIA: readonly (readonly [what: string, options: LifeOptions])[] = [
  ['flash', {}],
  ['a disk that writes in any order', { isCached: true }],
  ['a disk that is flushed in the background and writes parts', { isCached: true, isDeferred: true, isTearing: true }],
];

describe.each(MEDIA)('on %s the power fails at every step of the map', (_what, cut) => {
  it.each([1, 2])('and each key has a value that it had since the last one that is durable, seed %i', seed => {
    const options = { ...HALF, ...cut };
    const run = (cutAt: number): boolean => {
      const random = seeded(seed);
      const medium = flash(6);
      /** Values that a key may have, '' for none: the last one that is durable, and what came after. */
      const allowed = new Map<number, string[]>();
      const life = new StoreLife(medium, { ...options, cutAt, random: seeded(seed + cutAt) });
      const settle = (): void => {
        if (life.flash.isDead || life.store.durable !== life.store.written)
          return;
        for (const [key, values] of allowed)
          allowed.set(key, values.slice(-1));
      };
      for (let step = 0; step < 160 && !life.flash.isDead; ++step) {
        const key = Math.floor(random() * 9);
        const values = allowed.get(key) ?? [''];
        allowed.set(key, values);
        const choice = random();
        if (choice < 0.6) {
          const value = `${step}`.padEnd(4 + step % 30, '.');
          values.push(value);
          life.put(key, value);
        } else if (choice < 0.75) {
          values.push('');
          life.store.state!.remove(5, key);
        } else {
          life.store.flush();
          try {
            life.flash.finishFlush();
          } catch { /* the power is gone */ }
          settle();
        }
      }
      const { isDead } = life.flash;
      for (let lives = 2; lives > 0; --lives) {
        const next = new StoreLife(medium, options);
        for (const [key, values] of allowed)
          if (!values.includes(next.states.get(`5/${key}`) ?? ''))
            throw new Error(`key ${key} is "${next.states.get(`5/${key}`)}", not one of ${JSON.stringify(values)}; cut at ${cutAt}`);
        for (let number = 0; number < 40; ++number)
          if (!next.put(100, `${number}`.padEnd(30)))
            throw new Error(`no room after the cut at ${cutAt}`);
      }
      return isDead;
    };
    let cutAt = 0;
    while (run(cutAt))
      cutAt += 1 + Math.floor(cutAt / 400);
    expect(cutAt).toBeGreaterThan(500);
  });
});
