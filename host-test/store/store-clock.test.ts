/** The clock of the store: powered time, and what is known of the time in between. */
import { describe, expect, it } from 'vitest';
import { FlashMedium } from '../simulation/simulated-flash.ts';
import { type LifeOptions, StoreLife } from './store-life.ts';

const YEAR_2026 = 1_770_000_000;
const HOUR = 3600;

const KINDS: readonly (readonly [what: string, options: LifeOptions])[] =
  [['the queue', {}], ['the map', { stateShare: 0.5 }]];

/** Seconds pass. */
function pass(life: StoreLife, seconds: number): void {
  for (let left = seconds; left > 0; left -= 60) {
    now = now + Math.min(left, 60) * 1000 | 0;
    life.store.advanceClock(now);
  }
}

let now = 0x7FFFF000; // it wraps round

function start(medium: FlashMedium, options: LifeOptions): StoreLife {
  const life = new StoreLife(medium, options);
  life.store.advanceClock(now);
  return life;
}

describe.each(KINDS)('with its ticks in %s, the age of a message', (_what, options) => {
  it('is the time with power, across restarts, up to ten minutes less', () => {
    const medium = new FlashMedium(512, 8);
    let life = start(medium, options);
    pass(life, 100);
    const takenAt = life.store.clock.now;
    life.push('x', { deadline: takenAt + 2 * HOUR });
    pass(life, HOUR);
    expect(life.store.clock.age(takenAt)).toBe(HOUR);
    expect(life.store.clock.isExpired(takenAt, takenAt + 2 * HOUR)).toBe(false);
    life = start(medium, options);
    pass(life, HOUR);
    const age = life.store.clock.age(takenAt);
    expect(age).toBeGreaterThan(2 * HOUR - 600);
    expect(age).toBeLessThanOrEqual(2 * HOUR + 1);
    pass(life, 600);
    expect(life.store.clock.isExpired(takenAt, takenAt + 2 * HOUR)).toBe(true);
    expect(life.store.clock.isExpired(takenAt, 0)).toBe(false);
  });

  it('has the time without power when the network had set the calendar before and has set it after', () => {
    const medium = new FlashMedium(512, 8);
    let life = start(medium, options);
    life.store.clock.setCalendar(YEAR_2026);
    pass(life, 100);
    const takenAt = life.store.clock.now;
    life.push('x', { deadline: takenAt + 5 * HOUR });
    pass(life, 600);
    life = start(medium, options);
    pass(life, 10);
    expect(life.store.clock.age(takenAt)).toBeLessThan(700); // nobody knows yet
    life.store.clock.setCalendar(YEAR_2026 + 700 + 4 * HOUR);
    const age = life.store.clock.age(takenAt);
    expect(Math.abs(age - (600 + 4 * HOUR))).toBeLessThanOrEqual(2);
    pass(life, 60);
    life = start(medium, options); // and it stays known
    expect(life.store.clock.age(takenAt)).toBeGreaterThanOrEqual(age);
    expect(life.store.clock.age(takenAt)).toBeLessThan(age + 120);
    const later = life.store.clock.now;
    expect(life.store.clock.age(later)).toBe(0); // what is new is not older for that
  });

  it('does not change by a step of the calendar, nor by one that was unknown before or after', () => {
    const medium = new FlashMedium(512, 8);
    let life = start(medium, options);
    pass(life, 100);
    const takenAt = life.store.clock.now;
    life.push('x', { deadline: takenAt + HOUR });
    pass(life, 700);
    life = start(medium, options);
    life.store.clock.setCalendar(YEAR_2026);
    pass(life, 60);
    life.store.clock.setCalendar(YEAR_2026 + 1_000_000);
    life.store.clock.setCalendar(YEAR_2026 - 1_000_000);
    expect(life.store.clock.age(takenAt)).toBeLessThan(900);
    pass(life, 700);
    life = start(medium, options);
    expect(life.store.clock.age(takenAt)).toBeLessThan(1700);
    life.store.clock.setCalendar(YEAR_2026 - 2_000_000); // a calendar that goes back is not time
    expect(life.store.clock.age(takenAt)).toBeLessThan(1700);
  });

  it('does not change by a step of the calendar before the power fails', () => {
    const medium = new FlashMedium(512, 8);
    let life = start(medium, options);
    life.store.clock.setCalendar(YEAR_2026);
    const takenAt = life.store.clock.now;
    life.push('x', { deadline: takenAt + HOUR });
    pass(life, 60);
    for (const step of [2 * HOUR, -2 * HOUR]) {
      life.store.clock.setCalendar(YEAR_2026 + 60 + step);
      pass(life, 1);
      life = start(medium, options);
      life.store.clock.setCalendar(YEAR_2026 + 62 + step);
      expect(life.store.clock.age(takenAt)).toBeLessThan(130);
    }
  });

  it('is never more than the truth, whatever number of times the power was off', () => {
    const medium = new FlashMedium(512, 24);
    let life = start(medium, options);
    let calendar = YEAR_2026;
    const taken: { takenAt: number; at: number }[] = [];
    for (let turn = 0; turn < 40; ++turn) {
      if (turn % 3 !== 1)
        life.store.clock.setCalendar(calendar);
      taken.push({ takenAt: life.store.clock.now, at: calendar });
      expect(life.push('x', { deadline: life.store.clock.now + 1_000_000_000 })).toBeGreaterThan(0);
      pass(life, 700);
      calendar += 700 + HOUR;
      life.deliver(turn % 2);
      life = start(medium, options);
    }
    life.store.clock.setCalendar(calendar);
    for (const { at, takenAt } of taken) {
      expect(life.store.clock.age(takenAt)).toBeLessThanOrEqual(calendar - at);
      expect(life.store.clock.age(takenAt)).toBeGreaterThan((calendar - at) / 10);
    }
    expect(life.store.clock.age(taken[39]!.takenAt)).toBeGreaterThanOrEqual(700);
  });
});

describe('ticks', () => {
  it('are written every ten minutes while something with a deadline waits, else never', () => {
    const medium = new FlashMedium(512, 8);
    const life = start(medium, {});
    life.push('x');
    pass(life, 6 * HOUR);
    const without = medium.programCount;
    const position = life.push('x', { deadline: life.store.clock.now + 60 });
    const before = medium.programCount;
    expect(before).toBe(without + 2); // a tick goes before the first one
    pass(life, HOUR);
    expect(medium.programCount - before).toBeGreaterThanOrEqual(6);
    expect(medium.programCount - before).toBeLessThanOrEqual(10);
    life.store.queue.done(position, 0);
    life.deliver(1);
    const after = medium.programCount;
    pass(life, 6 * HOUR);
    expect(medium.programCount).toBe(after);
  });
});
