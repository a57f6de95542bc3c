import { describe, expect, it } from 'vitest';
import { LATE, Scheduler } from '../../src/io/scheduler.ts';
import { Clock } from '../../src/session/clock.ts';

/** A scheduler whose time and timer are in the test's hands. */
function scheduled(time = 1000) {
  const clock = new Clock();
  const state =
    { time, sets: [] as number[], clears: 0, calls: [] as number[], deferred: [] as number[], onTimeout: () => {},
      onDeferred: () => {} };
  let fire = () => {};
  const scheduler = new Scheduler(clock, () => state.time, onTimer => {
    fire = onTimer;
    return { set: milliseconds => state.sets.push(milliseconds), clear: () => ++state.clears };
  }, {
    handleTimeout: () => {
      state.calls.push(clock.now);
      state.onTimeout();
    },
    handleDeferred: () => {
      state.deferred.push(clock.now);
      state.onDeferred();
    },
  });
  scheduler.enter();
  return {
    clock, scheduler, state,
    fire: () => fire(),
  };
}

describe('the scheduler', () => {
  it('tells the time before anything happens, as 32 bits', () => {
    const { clock, scheduler, state } = scheduled(2 ** 40 + 5.75);
    expect(clock.now).toBe(5);
    state.time = 0xFFFFFFFF;
    scheduler.enter();
    expect(clock.now).toBe(-1);
  });

  it('sets no timer while nobody wants one', () => {
    const { scheduler, state } = scheduled();
    scheduler.leave();
    expect(state.sets).toEqual([]);
  });

  it('sets the timer to the earliest deadline, and not again while that stays', () => {
    const { clock, scheduler, state } = scheduled();
    clock.request(1500);
    clock.request(1200);
    clock.request(1300);
    scheduler.leave();
    expect(state.sets).toEqual([200]);
    expect(clock.isChanged).toBe(false);
    state.time = 1100;
    scheduler.enter();
    clock.request(1400);
    scheduler.leave();
    expect(state.sets).toEqual([200]);
    clock.request(1150);
    scheduler.leave();
    expect(state.sets).toEqual([200, 50]);
  });

  it('asks for a deadline that has passed at once, but not from inside the call', () => {
    const { clock, scheduler, state } = scheduled();
    clock.request(400);
    scheduler.leave();
    expect(state.sets).toEqual([0]);
    expect(state.calls).toEqual([]);
  });

  it('calls when the deadline has come, and sets the timer to what was asked for meanwhile', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.onTimeout = () => clock.request(clock.now + 300);
    state.time = 1203;
    fire();
    expect(state.calls).toEqual([1203]);
    expect(state.sets).toEqual([200, 300]);
  });

  it('sets the timer again when it comes early, and calls nobody', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.time = 1199;
    fire();
    expect(state.calls).toEqual([]);
    expect(state.sets).toEqual([200, 1]);
    state.time = 1200;
    fire();
    expect(state.calls).toEqual([1200]);
  });

  it.each([0, 1, LATE - 1])('judges a deadline at once when the timer is %i ms late', lateness => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.time = 1200 + lateness;
    fire();
    expect([state.calls, state.sets]).toEqual([[1200 + lateness], [200]]);
  });

  it.each([LATE, 5000,
    2 ** 31 - 1])('hears the sockets once more before a deadline is judged when the timer is %i ms late', lateness => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.time = 1200 + lateness;
    fire();
    expect([state.calls, state.sets]).toEqual([[], [200, 0]]);
    scheduler.enter(); // a socket has something to say
    scheduler.leave();
    expect([state.calls, state.sets]).toEqual([[], [200, 0]]);
    fire();
    expect(state.calls).toEqual([1200 + lateness | 0]);
  });

  it('hears the sockets again when the timer is late for a second time', () => {
    const { clock, fire, scheduler, state } = scheduled();
    for (const deadline of [1200, 9000]) {
      clock.request(deadline);
      scheduler.leave();
      state.time = deadline + LATE;
      fire();
      expect(state.calls).not.toContain(deadline + LATE);
      fire();
      expect(state.calls).toContain(deadline + LATE);
    }
  });

  it('does what was put off at once although the timer is late for a deadline', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    clock.soon();
    scheduler.leave();
    state.time = 5000;
    fire();
    expect([state.deferred, state.calls]).toEqual([[5000], []]);
    fire();
    expect([state.deferred, state.calls]).toEqual([[5000], [5000]]);
  });

  it('does what was put off as soon as the event is over, once, and leaves the deadline where it is', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    clock.soon();
    clock.soon();
    expect(clock.isChanged).toBe(true);
    scheduler.leave();
    scheduler.leave();
    expect([state.sets, state.deferred]).toEqual([[200, 0], []]);
    fire();
    expect([state.deferred, state.calls, clock.deadline]).toEqual([[1000], [], 1200]);
    expect(state.sets).toEqual([200, 0, 200]);
    state.time = 1200;
    fire();
    expect([state.deferred, state.calls]).toEqual([[1000], [1200]]);
  });

  it('does what is put off while that is done in a turn of its own', () => {
    const { clock, fire, scheduler, state } = scheduled();
    state.onDeferred = () => {
      if (state.deferred.length === 1)
        clock.soon();
    };
    clock.soon();
    scheduler.leave();
    fire();
    expect([state.deferred.length, state.sets]).toEqual([1, [0, 0]]);
    fire();
    expect([state.deferred.length, state.sets]).toEqual([2, [0, 0]]);
  });

  it('rests when nobody has asked for more', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.time = 1200;
    fire();
    expect(state.sets).toEqual([200]);
    expect(clock.isArmed).toBe(false);
  });

  it('sets the timer for the same moment again after it has come', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    state.time = 1200;
    state.onTimeout = () => clock.request(1200);
    fire();
    expect(state.sets).toEqual([200, 0]);
  });

  it('counts across the wrap of 32 bits, signed and unsigned', () => {
    for (const time of [0x7FFFFFFF - 10, 0xFFFFFFFF - 10]) {
      const { clock, fire, scheduler, state } = scheduled(time);
      clock.request(clock.now + 100 | 0);
      scheduler.leave();
      expect(state.sets).toEqual([100]);
      state.time = time + 99;
      fire();
      expect(state.calls.length).toBe(0);
      state.time = time + 100;
      fire();
      expect(state.calls).toEqual([time + 100 | 0]);
    }
  });

  it('forgets everything when stopped', () => {
    const { clock, fire, scheduler, state } = scheduled();
    clock.request(1200);
    scheduler.leave();
    scheduler.stop();
    expect(state.clears).toBe(1);
    state.time = 5000;
    fire(); // a timer that was on its way already
    expect(state.calls).toEqual([]);
    scheduler.enter();
    scheduler.leave();
    expect(state.sets).toEqual([200]);
    clock.request(6000);
    scheduler.leave();
    expect(state.sets).toEqual([200, 1000]); // may be used again
  });
});
